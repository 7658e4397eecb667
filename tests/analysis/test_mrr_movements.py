"""Movements: the identity to the cent over any interleaving of subscriptions, and its edges."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mrr_worlds import OCTOBER, kind, months_of, of

from csa.analysis.revenue.months import span
from csa.analysis.revenue.movements import movements
from csa.data.rollups import RollupContext, account_months
from csa.errors import InputError

FIRST, AS_OF = date(2024, 1, 1), date(2025, 12, 31)
MONTHS = [date(2024 + k // 12, k % 12 + 1, 1) for k in range(25)]
KINDS = ("new", "reactivation", "expansion", "contraction", "churn")
PRICES = [Decimal(p) for p in ("0", "166.6667", "9.99", "83.3333", "0.005", "1200", "41.6667")]


def rolled_up(rows, *, grace_days):
    """Months of subscription rows (account, start, end or None, mrr), by the engine."""
    frame = pd.DataFrame(rows, columns=["account_id", "start_on", "end_on", "mrr"])
    kinds = {"account_id": "string", "start_on": "date", "end_on": "date", "mrr": "decimal(18, 4)"}
    table = ibis.memtable(frame, schema=kinds)
    made = account_months(table, RollupContext(as_of=AS_OF, grace_days=grace_days))
    return made.mutate(
        group=ibis.ifelse(made.account_id.endswith("1"), "A", "B"), observed_from=ibis.null("date")
    ).to_pandas()


def state_on(rows, day, *, grace_days):
    """Add up in plain Python what an account pays on a day, cents; gaps up to the grace bridged."""
    live = [(s, e, p) for _, s, e, p in rows if p > 0 and s <= AS_OF and (e is None or e > s)]
    live = [(s, e if e is not None and e <= AS_OF else None, p) for s, e, p in live]
    turns = sorted({d for s, e, _ in live for d in (s, e) if d is not None})

    def paid(on):
        return sum((p for s, e, p in live if s <= on and (e is None or on < e)), Decimal(0))

    if paid(day) or not turns or day < turns[0]:
        return cents(paid(day))
    begun = max(t for t in turns if t <= day)
    later = [t for t in turns if t > day]
    bridged = bool(later) and (later[0] - begun).days <= grace_days
    return cents(paid(begun - timedelta(days=1))) if bridged else 0


def cents(amount):
    """Half up."""
    return int((amount * 100 + Decimal("0.5")) // 1)


def ends():
    """List the ends of the months up to the last day."""
    return [(m.year * 12 + m.month - 1, later - timedelta(days=1)) for m, later in pairwise(MONTHS)]


def expected(rows, *, grace_days):
    """Movements per account and month in plain Python."""
    found = []
    for account in sorted({r[0] for r in rows}):
        mine, before, ever = [r for r in rows if r[0] == account], 0, False
        for month, day in ends():
            now = state_on(mine, day, grace_days=grace_days)
            if now or before:
                found.append((account, month, now, before, kind(now, before, ever=ever)))
            before, ever = now, ever or now > 0
    return found


def holds(table):
    """Whether the identity holds in every row, and ends are starts."""
    t = table
    gains = t["new_minor"] + t["reactivation_minor"] + t["expansion_minor"]
    losses = t["contraction_minor"] + t["churn_minor"]
    assert (t["start_minor"] + gains - losses + t["currency_minor"] == t["end_minor"]).all()
    came = t["new_accounts"] + t["reactivation_accounts"] - t["churn_accounts"]
    assert (t["accounts_start"] + came == t["accounts_end"]).all()
    for _, group in t.groupby("group"):
        assert (group["start_minor"].to_numpy()[1:] == group["end_minor"].to_numpy()[:-1]).all()


def checked(rows, *, grace_days):
    """Compare the engine with plain Python, account by account, then the totals."""
    months = rolled_up(rows, grace_days=grace_days)
    got = months.sort_values(["account_id", "month"])
    columns = ["account_id", "month", "mrr_minor", "previous_minor", "movement"]
    assert list(got[columns].itertuples(index=False, name=None)) == expected(
        rows, grace_days=grace_days
    )
    result = movements(months, span=of(2025, 12), history=24)
    holds(result.table)
    whole = result.table.loc[result.table["group"] == "all"]
    if len(set(result.table["group"])) > 1:
        parts = result.table.loc[result.table["group"] != "all"].groupby("month")
        assert (parts["end_minor"].sum().to_numpy() == whole["end_minor"].to_numpy()).all()


DAY = st.integers(0, 720).map(lambda k: FIRST + timedelta(days=k))
LENGTH = st.one_of(st.none(), st.integers(0, 500), st.sampled_from([1, 27, 30, 31, 90, 365]))
ROW = st.tuples(st.sampled_from(["a1", "a2", "a3"]), DAY, LENGTH, st.sampled_from(PRICES))


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROW, min_size=1, max_size=8), st.sampled_from([0, 30, 45]))
def test_identity_holds_to_the_cent_over_any_interleaving_of_subscriptions(rows, grace_days):
    made = [(a, s, None if n is None else s + timedelta(days=n), p) for a, s, n, p in rows]
    checked(made, grace_days=grace_days)


def histories(accounts, *, seed):
    """Random rows: overlaps, gaps, short pauses, free plans, annual plans, open ends."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(accounts):
        day = FIRST + timedelta(days=int(rng.integers(160, 600)))
        for _ in range(int(rng.integers(1, 5))):
            length = int(rng.choice([0, 1, 20, 31, 60, 181, 365, 500]))
            end = None if rng.random() < 0.25 else day + timedelta(days=length)
            rows.append((f"c{k}", day, end, PRICES[rng.integers(len(PRICES))]))
            step = int(rng.choice([0, 0, 1, 10, 29, 30, 31, 46, 120, -40, -1]))
            day = (day if end is None else end) + timedelta(days=step)
    return rows


@pytest.mark.slow
def test_ten_thousand_random_histories_close_to_the_cent():
    """10,000 accounts, each against plain Python, then group by group and in total."""
    rows = histories(10_000, seed=1)
    months = rolled_up(rows, grace_days=30)
    by_account = {}
    for row in rows:
        by_account.setdefault(row[0], []).append(row)
    wanted = [x for mine in by_account.values() for x in expected(mine, grace_days=30)]
    columns = ["account_id", "month", "mrr_minor", "previous_minor", "movement"]
    assert set(months[columns].itertuples(index=False, name=None)) == set(wanted)
    assert len(months) == len(wanted)
    result = movements(months, span=of(2025, 12), history=24)
    assert set(result.table["group"]) == {"all", "A", "B"}
    holds(result.table)
    holds(pd.concat([result.previous, result.period]).query("group == 'all'"))


def test_movements_of_a_quarter_add_up_its_months():
    frame = months_of(
        {
            "a": dict.fromkeys(range(OCTOBER - 6, OCTOBER + 1), 1000) | {OCTOBER: 900},
            "b": {OCTOBER - 1: 500},
            "c": {OCTOBER - 5: 300, OCTOBER: 400},
        },
        groups={"b": "US"},
    )
    result = movements(frame, span=of(2026, 10, months=3))
    whole = result.period.iloc[0]
    assert (whole["start_minor"], whole["end_minor"]) == (1000, 1300)
    assert (whole["new_minor"], whole["churn_minor"]) == (500, 500)
    assert (whole["reactivation_minor"], whole["contraction_minor"]) == (400, 100)
    assert whole["arr_minor"] == 12 * 1300
    assert whole["arpa_minor"] == 650
    assert whole["quick_ratio"] == pytest.approx(500 / 600)
    assert whole["quick_ratio_with_reactivation"] == pytest.approx(900 / 600)
    assert result.previous.iloc[0]["churn_minor"] == 300
    assert list(result.period["group"]) == ["all", "EU", "US"]
    holds(result.table)


def test_movements_without_a_loss_have_no_quick_ratio():
    result = movements(months_of({"a": {OCTOBER: 100}}), span=of(2026, 10))
    row = result.period.iloc[0]
    assert np.isnan(row["quick_ratio"])
    assert row["no_loss"]


def test_movements_of_nobody_are_zeros():
    result = movements(months_of({}), span=of(2026, 10))
    assert len(result.table) == 13
    assert not result.table["end_minor"].any()
    assert result.table["arpa_minor"].isna().all()


def test_movements_say_what_cannot_be_judged():
    frame = months_of(
        {"a": dict.fromkeys(range(OCTOBER - 2, OCTOBER + 1), 100)},
        observed={"a": date(2026, 10, 5)},
    )
    week = span(start=date(2026, 10, 5), end=date(2026, 10, 12), as_of=date(2026, 10, 31))
    result = movements(frame, span=week)
    assert result.status == "unclear"
    assert "not one of whole months" in result.reason
    assert result.period.iloc[0]["not_observed"] == 1
    late = span(start=date(2026, 10, 1), end=date(2026, 11, 1), as_of=date(2026, 10, 30))
    assert "not over" in movements(frame, span=late).reason


def test_movements_refuse_what_they_cannot_read():
    with pytest.raises(InputError, match="column movement is missing"):
        movements(months_of({}).drop(columns="movement"), span=of(2026, 10))
    with pytest.raises(InputError, match="history: 0"):
        movements(months_of({}), span=of(2026, 10), history=0)
    with pytest.raises(InputError, match="holds no day"):
        span(start=date(2026, 10, 1), end=date(2026, 10, 1), as_of=date(2026, 10, 1))
