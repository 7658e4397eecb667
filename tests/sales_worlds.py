"""Small worlds of trials, contracts and opportunities for tests."""

from datetime import date, timedelta

import pandas as pd

from csa.analysis.revenue.months import span

AS_OF = date(2026, 10, 31)
OCTOBER = span(start=date(2026, 10, 1), end=date(2026, 11, 1), as_of=AS_OF)
DAY = timedelta(days=1)


def trials(rows, *, group="EU"):
    """Sign-ups from (day of start, days to conversion or None)."""
    return pd.DataFrame(
        {
            "group": group,
            "account_id": [f"a{n}" for n in range(len(rows))],
            "trial_started_on": [start for start, _ in rows],
            "converted_on": [None if k is None else start + k * DAY for start, k in rows],
            "observed_from": None,
        }
    ).astype({"group": object, "converted_on": object, "observed_from": object})


def contract(account, start, end=None, *, mrr=100_00, renews=None, months=12, group="EU"):
    """Make one paid row."""
    return {
        "group": group,
        "account_id": account,
        "start_on": start,
        "end_on": end,
        "mrr_minor": mrr,
        "renews_on": renews,
        "period_months": months,
        "observed_from": None,
    }


def contracts(*rows):
    """Put paid rows into a table; without any, one that is empty."""
    names = list(contract("a", AS_OF))
    return pd.DataFrame(list(rows), columns=names).astype(
        {"end_on": object, "renews_on": object, "observed_from": object}
    )


def deal(account="a", *, kind="upsell", opened=None, closed=None, outcome="open", **more):
    """Make one opportunity."""
    return {
        "group": more.get("group", "EU"),
        "account_id": account,
        "kind": kind,
        "opened_on": opened or date(2026, 9, 1),
        "closed_on": closed,
        "outcome": outcome,
        "mrr_minor": more.get("mrr", 50_00),
    }


def deals(*rows):
    """Put opportunities into a table."""
    return pd.DataFrame(list(rows), columns=list(deal())).astype({"closed_on": object})
