"""Use of a product for tests: small frames as the roll-ups write them."""

from datetime import date, timedelta

import ibis
import pandas as pd

from csa.analysis.adoption.windows import span

DAY = timedelta(days=1)
LAST = date(2026, 10, 31)
OCTOBER = {
    "start": date(2026, 10, 1),
    "end": date(2026, 11, 1),
    "previous_start": date(2026, 9, 1),
}
COLUMNS = {
    "account_id": "string",
    "user_id": "string",
    "day": "date",
    "events": "int64",
    "seconds": "int64",
    "sessions": "int64",
    "group": "string",
}
FEATURES = {
    "account_id": "string",
    "user_id": "string",
    "feature": "string",
    "month": "int64",
    "first_day": "date",
    "days": "int64",
    "events": "int64",
    "group": "string",
}
CUSTOMERS = {
    "account_id": "string",
    "group": "string",
    "start_on": "date",
    "end_on": "date",
    "mrr_minor": "int64",
    "observed_from": "date",
}
LICENCES = {
    "account_id": "string",
    "start_on": "date",
    "end_on": "date",
    "seats": "int64",
    "unstated": "int64",
    "group": "string",
}


def table(rows, schema):
    """Make a table of rows given as dictionaries; what is not given is missing."""
    frame = pd.DataFrame(rows, columns=list(schema)).astype(object)
    return ibis.memtable(frame.where(frame.notna(), None), schema=schema)


def days_of(uses, *, groups=None, **common):
    """Days from (account, user, day); equal ones are one day with more events."""
    counted = {}
    for use in uses:
        counted[use] = counted.get(use, 0) + 1
    rows = [
        {"account_id": a, "user_id": u, "day": d, "events": n, "sessions": n, "seconds": 60 * n}
        | {"group": (groups or {}).get(a, "x")}
        | common
        for (a, u, d), n in counted.items()
    ]
    return table(rows, COLUMNS)


def months_of(uses, *, groups=None):
    """Feature months from (account, user, feature, day)."""
    held = {}
    for a, u, f, d in uses:
        held.setdefault((a, u, f, d.year * 12 + d.month - 1), []).append(d)
    rows = [
        {"account_id": a, "user_id": u, "feature": f, "month": m, "first_day": min(ds)}
        | {"days": len(set(ds)), "events": len(ds), "group": (groups or {}).get(a, "x")}
        for (a, u, f, m), ds in held.items()
    ]
    return table(rows, FEATURES)


def customers_of(starts, *, ends=None, mrr=None, seen=None, groups=None):
    """Make times as a customer from {account: first day}."""
    rows = [
        {"account_id": a, "group": (groups or {}).get(a, "x"), "start_on": start}
        | {"end_on": (ends or {}).get(a), "mrr_minor": (mrr or {}).get(a, 10_000)}
        | {"observed_from": (seen or {}).get(a)}
        for a, start in starts.items()
    ]
    return table(rows, CUSTOMERS)


def licences_of(stretches, *, groups=None):
    """Licences from (account, first day, first day after or None, seats)."""
    rows = [
        {"account_id": a, "start_on": s, "end_on": e, "seats": n or 0, "unstated": int(n is None)}
        | {"group": (groups or {}).get(a, "x")}
        for a, s, e, n in stretches
    ]
    return table(rows, LICENCES)


def october(days, *, as_of=LAST):
    """Span of October 2026."""
    return span(days, **OCTOBER, as_of=as_of)


def every(first, last):
    """All days of [first, last]."""
    return [first + n * DAY for n in range((last - first).days + 1)]
