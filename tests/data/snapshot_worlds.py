"""Small random companies for tests of snapshots, and what changes in them later."""

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

import duckdb
import ibis
import pyarrow as pa

from csa.data.rollups import RollupContext, spells
from csa.data.schema import TABLES
from csa.data.snapshots import snapshots

FIRST = date(2023, 1, 1)
LAST = date(2024, 6, 30)
SPAN = (LAST - FIRST).days
NAMES = (
    "accounts",
    "subscriptions",
    "usage_events",
    "features",
    "surveys",
    "tickets",
    "interventions",
)
OUTCOME = ("days_after", "event", "cause")
DAY = timedelta(days=1)
_ARROW = {
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "decimal(18, 4)": pa.decimal128(18, 4),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "boolean": pa.bool_(),
}


def context(as_of=LAST, **others):
    return RollupContext(as_of=as_of, **others)


def day_of(value):
    return value.date() if isinstance(value, datetime) else value


def moment(name, row):
    """Give the day on which a row appears; None where nobody knows."""
    table = TABLES[name]
    value = row.get(table.appears)
    if value is None and table.appears_else:
        value = row.get(table.appears_else)
    return None if value is None else day_of(value)


# random tables ----------------------------------------------------------------------------------


def some_day(rng, first=FIRST, last=LAST):
    return first + rng.randrange(max((last - first).days, 0) + 1) * DAY


def some_time(rng, first=FIRST, last=LAST):
    seconds = rng.choice([0, 1, 43200, 86399, rng.randrange(86400)])
    return datetime.combine(some_day(rng, first, last), time()) + timedelta(seconds=seconds)


def later(rng, value, days):
    """Draw a time after another one, or none."""
    if value is None or rng.random() < 0.25:
        return None
    return value + timedelta(days=rng.randrange(days), seconds=rng.randrange(3600))


def subscription(rng, account, first=FIRST, last=LAST):
    start = some_day(rng, first, rng.choice([last, max(first, last - 400 * DAY)]))
    end = None if rng.random() < 0.4 else start + rng.choice([0, 1, 20, 90, 200, 400]) * DAY
    return {
        "subscription_id": f"S{rng.random()}",
        "account_id": account,
        "start_on": start,
        "end_on": end,
        "mrr": Decimal(rng.choice(["0", "10", "19.99", "250.005"])),
        "list_mrr": rng.choice([None, Decimal(20), Decimal(300)]),
        "seats": rng.choice([None, 0, 1, 5, 12]),
        "plan": rng.choice([None, "Team", "Pro"]),
        "billing_months": rng.choice([None, 1, 12]),
        "renews_on": rng.choice([None, start + rng.choice([30, 365, 800]) * DAY]),
        "discount_ends_on": rng.choice([None, start + rng.randrange(1, 200) * DAY]),
        "end_reason": None if end is None else rng.choice([None, "voluntary", "upgrade"]),
    }


def use(rng, account, first=FIRST, last=LAST):
    return {
        "account_id": account,
        "user_id": rng.choice([None, "u1", "u2", "u3"]),
        "occurred_at": some_time(rng, first, last),
        "feature": rng.choice([None, "Reports", "Planning", "Export"]),
    }


def survey(rng, account, first=FIRST, last=LAST):
    sent = some_time(rng, first, last)
    answered = later(rng, sent, 40)
    if answered is not None and rng.random() < 0.1:
        sent = None
    return {
        "response_id": f"R{rng.random()}",
        "account_id": account,
        "kind": rng.choice(["nps", "NPS", "csat"]),
        "sent_at": sent,
        "answered_at": answered,
        "score": None if answered is None else float(rng.randrange(11)),
    }


def ticket(rng, account, first=FIRST, last=LAST):
    opened = some_time(rng, first, last)
    return {
        "ticket_id": f"K{rng.random()}",
        "account_id": account,
        "opened_at": opened,
        "resolved_at": later(rng, opened, 200),
        "escalated_at": later(rng, opened, 60),
    }


def intervention(rng, account, first=FIRST, last=LAST):
    return {
        "intervention_id": f"V{rng.random()}",
        "account_id": account,
        "kind": rng.choice([None, "proactive", "Proactive", "reactive"]),
        "owner": rng.choice([None, "Ann", "Bob"]),
        "started_at": some_time(rng, first, last),
    }


def account_row(rng, account, first=FIRST, last=LAST):
    return {
        "account_id": account,
        "signed_up_on": some_day(rng, first, first + 60 * DAY),
        "segment": rng.choice([None, "small", "large"]),
        "industry": "any",
        "region": rng.choice(["north", "south"]),
        "channel": None,
    }


MAKERS = {
    "subscriptions": (subscription, 4),
    "usage_events": (use, 40),
    "surveys": (survey, 6),
    "tickets": (ticket, 5),
    "interventions": (intervention, 5),
}


def world(seed, accounts=12):
    """Draw all tables of a company."""
    rng = random.Random(seed)  # noqa: S311
    names = [f"a{n}" for n in range(accounts)]
    made = {n: [] for n in NAMES}
    made["accounts"] = [account_row(rng, a) for a in names if rng.random() < 0.9]
    made["features"] = [
        {"feature": "Reports", "launched_on": FIRST},
        *(
            {"feature": f, "launched_on": rng.choice([None, some_day(rng)])}
            for f in ("Planning", "Export", "Mobile")
        ),
    ]
    for name, (make, most) in MAKERS.items():
        for account in names:
            made[name] += [make(rng, account) for _ in range(rng.randrange(most + 1))]
        rng.shuffle(made[name])
    return made


def future(tables, cutoff, rng):
    """Add, change and delete rows, and values known only later, after a cut-off."""
    names = [f"a{n}" for n in range(14)]
    made = {}
    for name, rows in tables.items():
        kept = [touched(name, row, cutoff, rng) for row in rows]
        made[name] = [row for row in kept if row is not None]
        if name in MAKERS and cutoff < LAST:
            make, most = MAKERS[name]
            made[name] += [
                make(rng, rng.choice(names), cutoff + DAY, LAST)
                for _ in range(rng.randrange(2 * most))
            ]
        rng.shuffle(made[name])
    return made


def touched(name, row, cutoff, rng):
    """Give the row with another future; None where it is deleted."""
    seen = moment(name, row)
    if seen is None or seen > cutoff:
        if rng.random() < 0.4:
            return None
        return row | {c: v for c, v in row.items() if c not in {"seats", "plan", "score", "owner"}}
    changed = dict(row)
    for column in TABLES[name].columns:
        if column.known_by is None or column.name not in row or rng.random() < 0.3:
            continue
        known = row.get(column.known_by)
        if known is not None and day_of(known) <= cutoff:
            continue
        if column.name == column.known_by:
            as_time = some_time(rng, cutoff + DAY, LAST + 90 * DAY)
            value = as_time.date() if column.kind == "date" else as_time
        else:
            value = float(rng.randrange(11)) if column.kind == "number" else "voluntary"
        changed[column.name] = rng.choice([None, value])
    return changed


# running ----------------------------------------------------------------------------------------


def arrow(name, rows):
    columns = TABLES[name].columns
    return pa.table(
        {c.name: pa.array([r.get(c.name) for r in rows], _ARROW[c.ibis_type]) for c in columns}
    )


def unbound(name):
    return ibis.table({c.name: c.ibis_type for c in TABLES[name].columns}, name=name)


@lru_cache
def compiled(cutoffs, ctx, features=None, names=NAMES):
    tables = {n: unbound(n) for n in names}
    made = snapshots(
        tables,
        spells(tables["subscriptions"], ctx).mutate(group=ibis.literal("all")),
        cutoffs=cutoffs,
        ctx=ctx,
        features=features,
    )
    return str(ibis.to_sql(made, dialect="duckdb"))


class Engine:
    """DuckDB, with one thread, for one query after the other."""

    def __init__(self):
        self._con = duckdb.connect(config={"threads": 1})

    def run(self, tables, cutoffs, ctx=None, features=None):
        """Give snapshots, one dict per row."""
        for name in NAMES:
            self._con.register(name, arrow(name, tables[name]))
        query = compiled(tuple(cutoffs), ctx or context(), features)
        return self._con.sql(query).to_arrow_table().to_pylist()

    def close(self):
        """Close the connection."""
        self._con.close()
