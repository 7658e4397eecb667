"""Upsell and cross-sell, time to the first growth, and cost of customers, in worlds by hand."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mrr_worlds import OCTOBER as MONTH
from mrr_worlds import months_of
from sales_worlds import AS_OF, DAY, OCTOBER, deal, deals

from csa.analysis.revenue.expansion import sales_success
from csa.analysis.revenue.time_to import time_to_expansion
from csa.analysis.revenue.unit_costs import CostTerms, unit_costs, worth_of
from csa.errors import InputError
from csa.methods.intervals import Estimate

CLOSED = date(2026, 10, 10)


def success(*rows):
    return sales_success(deals(*rows), span=OCTOBER, as_of=AS_OF)


def row_of(result, kind="all", window="period", group="all"):
    t = result.table
    return t.loc[(t["kind"] == kind) & (t["window"] == window) & (t["group"] == group)].iloc[0]


def test_open_ones_are_neither_won_nor_lost():
    rows = [deal(closed=CLOSED, outcome="won")] * 7 + [deal(closed=CLOSED, outcome="lost")] * 5
    rows += [deal()] * 30 + [deal(closed=CLOSED, outcome="not stated")] * 2
    rows += [deal(kind="renewal", closed=CLOSED, outcome="won")] * 9
    result = success(*rows)
    row = row_of(result)
    assert (row["n"], row["won"], row["open"], row["status"]) == (12, 7, 30, "ok")
    assert row["rate"] == pytest.approx(7 / 12)
    assert (row["won_minor"], row["open_minor"]) == (7 * 5000, 30 * 5000)
    assert result.unstated == 2
    assert row_of(result, "cross_sell")["reason"] == "none was closed"


def test_period_year_and_time_before_are_apart():
    rows = [deal(closed=CLOSED, outcome="won")] * 2
    rows += [deal(opened=date(2025, 1, 1), closed=date(2026, 9, 30), outcome="lost")] * 3
    rows += [deal(opened=date(2025, 1, 1), closed=date(2025, 10, 31), outcome="won")] * 4
    result = success(*rows)
    period, year = row_of(result), row_of(result, window="year")
    assert (period["n"], period["n_previous"], period["rate_previous"]) == (2, 3, 0.0)
    assert (year["n"], year["won"], year["n_previous"]) == (5, 2, 4)
    assert (period["status"], period["reason"]) == ("unclear", "only 2 closed")


def test_no_opportunity_is_a_result_and_a_missing_column_is_refused():
    assert row_of(success())["n"] == 0
    with pytest.raises(InputError, match="outcome is missing"):
        sales_success(deals().drop(columns="outcome"), span=OCTOBER, as_of=AS_OF)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.dates(date(2026, 7, 1), AS_OF + 40 * DAY),
            st.none() | st.integers(0, 90),
            st.sampled_from(["won", "lost"]),
            st.sampled_from(["upsell", "cross_sell"]),
        ),
        max_size=20,
    )
)
def test_success_sees_nothing_after_as_of(rows):
    made = [
        deal(kind=kind, opened=day, closed=k if k is None else day + k * DAY, outcome=outcome)
        for day, k, outcome, kind in rows
    ]
    known = [r for r in made if r["opened_on"] <= AS_OF]
    hidden = [
        r if r["closed_on"] is not None and r["closed_on"] <= AS_OF else r | {"outcome": "open"}
        for r in known
    ]
    cut = [r | {"closed_on": None} if r["outcome"] == "open" else r for r in hidden]
    pd.testing.assert_frame_equal(success(*made).table, success(*cut).table)
    here = [r for r in cut if r["closed_on"] and r["closed_on"] >= date(2026, 10, 1)]
    assert row_of(success(*made))["n"] == len(here)


# time to the first growth -----------------------------------------------------------------------


def spells(*rows):
    found = pd.DataFrame(list(rows), columns=["account_id", "start_on", "end_on", "entry_days"])
    return found.assign(group="EU", observed_from=None).astype({"observed_from": object})


def test_first_growth_is_the_earlier_of_movement_and_sale():
    start = date(2026, 1, 10)
    paid = {
        "a": dict.fromkeys(range(MONTH - 9, MONTH + 1), 100) | {MONTH - 1: 200, MONTH: 200},
        "b": dict.fromkeys(range(MONTH - 9, MONTH + 1), 100),
        "c": dict.fromkeys(range(MONTH - 9, MONTH - 4), 100),
    }
    rows = [("a", start, None, 0), ("b", start, None, 0), ("c", start, date(2026, 6, 3), 0)]
    won = deals(deal("b", closed=date(2026, 4, 2), outcome="won"))
    found = time_to_expansion(spells(*rows), months_of(paid), won, as_of=AS_OF, by_age=6)
    row = found.table.iloc[0]
    assert (row["n"], row["events"]) == (3, 2)
    assert row["share"] == pytest.approx(1 / 3)  # b in month 3; c was censored in month 5
    late = time_to_expansion(spells(*rows), months_of(paid), as_of=AS_OF, by_age=6)
    assert late.table.iloc[0]["events"] == 1


def test_growth_of_who_came_into_sight_late_is_not_used():
    paid = {"a": {MONTH - 1: 100, MONTH: 200}}
    seen = spells(("a", date(2026, 9, 1), None, 12))
    found = time_to_expansion(seen, months_of(paid), as_of=AS_OF)
    assert found.table.iloc[0]["n"] == 0
    assert found.curves.empty


# cost of customers ------------------------------------------------------------------------------


def costing(costs, *, day=date(2026, 10, 5)):
    return pd.DataFrame(
        {
            "group": "EU",
            "account_id": [f"a{n}" for n in range(len(costs))],
            "signed_up_on": day,
            "acquisition_cost": costs,
        }
    ).astype({"acquisition_cost": float, "group": object})


def test_cost_payback_and_worth_are_what_paper_says():
    """Ten won of twenty at 300 each: CAC 600; ARPA 100 at a margin of 0.5: 12 months."""
    paid = {f"a{n}": {MONTH: 100_00} for n in range(10)}
    paid |= {f"z{n}": {MONTH - 1: 100_00, MONTH: 100_00} for n in range(16)}
    paid |= {f"y{n}": {MONTH - 1: 100_00} for n in range(4)}
    worth = {"all": Estimate(1800_00.0, 1500_00.0, 2160_00.0)}
    found = unit_costs(
        costing([300.0] * 20),
        months_of(paid),
        span=OCTOBER,
        terms=CostTerms(margin=0.5),
        worth=worth,
    )
    row = found.table.iloc[0]
    assert (row["signups"], row["won"], row["cost"], row["status"]) == (20, 10, 6000_00, "ok")
    assert row["cac_minor"] == pytest.approx(600_00)
    assert row["payback_months"] == pytest.approx(12)
    assert row["ltv_ratio"] == pytest.approx(3)
    assert row["ltv_ratio_low"] < 3 < row["ltv_ratio_high"]
    assert row["ltv_shortcut_minor"] == pytest.approx(100_00 * 0.5 / 0.2)
    assert row["magic_number"] == pytest.approx(12 * (26 - 20) * 100_00 / 6000_00)
    assert row["cac_minor_low"] < 600_00 < row["cac_minor_high"]


def test_lag_takes_the_cost_of_earlier_signups():
    paid = {f"a{n}": {MONTH: 100_00} for n in range(10)}
    signups = costing([300.0] * 20, day=date(2026, 8, 5))
    now, lagged = (
        unit_costs(
            signups,
            months_of(paid),
            span=OCTOBER,
            terms=CostTerms(margin=0.5, lag_months=lag),
        ).table.iloc[0]
        for lag in (0, 2)
    )
    assert (now["signups"], now["reason"]) == (0, "no acquisition cost is known of who signed up")
    assert pd.isna(now["cac_minor"])
    assert lagged["cac_minor"] == pytest.approx(600_00)


def test_nobody_won_and_unknown_costs_are_said():
    none = unit_costs(
        costing([300.0, float("nan")]),
        months_of({"z": {MONTH: 5}, "y": {MONTH - 1: 5}}),
        span=OCTOBER,
        terms=CostTerms(margin=0.5),
    ).table.iloc[0]
    assert (none["without_cost"], none["won"]) == (1, 1)
    assert none["reason"] == "only 1 customer was won"
    assert none["cac_minor"] == pytest.approx(300_00)
    assert pd.isna(none["ltv_ratio"])


def test_margin_must_be_a_share():
    with pytest.raises(InputError, match="margin between 0 and 1"):
        unit_costs(
            costing([]), months_of({"a": {MONTH: 1}}), span=OCTOBER, terms=CostTerms(margin=80)
        )


def test_worth_is_read_by_name():
    table = pd.DataFrame(
        {
            "name": ["all", "EU"],
            "clv_minor": [5.0, float("nan")],
            "clv_minor_low": [4.0, float("nan")],
            "clv_minor_high": [6.0, float("nan")],
        }
    )
    assert worth_of(table) == {"all": Estimate(5.0, 4.0, 6.0)}


def test_nobody_won_at_a_cost_and_missing_columns_are_said():
    months = months_of({"z": {MONTH - 1: 5, MONTH: 5}})
    terms = CostTerms(margin=0.5)
    row = unit_costs(costing([300.0] * 12), months, span=OCTOBER, terms=terms).table.iloc[0]
    assert (row["won"], row["reason"]) == (0, "no customer was won")
    assert pd.isna(row["cac_minor"])
    without = costing([1.0]).drop(columns="acquisition_cost")
    with pytest.raises(InputError, match="acquisition_cost is missing"):
        unit_costs(without, months, span=OCTOBER, terms=terms)
    with pytest.raises(InputError, match="entry_days is missing"):
        time_to_expansion(spells().drop(columns="entry_days"), months, as_of=AS_OF)


def test_groups_of_costs_add_up_and_order_does_not_matter():
    paid = {f"a{n}": {MONTH: 100_00 + n} for n in range(24)}
    groups = {a: "EU" if n % 2 else "US" for n, a in enumerate(paid)}
    signups = costing([100.0 + n for n in range(24)])
    signups["group"] = signups["account_id"].map(groups)
    months, terms = months_of(paid, groups=groups), CostTerms(margin=0.5)
    found = unit_costs(signups, months, span=OCTOBER, terms=terms).table
    for name in ("signups", "cost", "won", "new_mrr", "end_mrr"):
        assert found[name].iloc[1:].sum() == pytest.approx(found[name].iloc[0])
    again = unit_costs(signups.iloc[::-1], months.iloc[::-1], span=OCTOBER, terms=terms).table
    pd.testing.assert_frame_equal(found, again)


def test_doubled_prices_double_money_and_no_ratio():
    paid = {f"a{n}": {MONTH: 100_00 + n} for n in range(20)}
    twice = {a: {m: 2 * x for m, x in by.items()} for a, by in paid.items()}
    terms = CostTerms(margin=0.5)
    one, two = (
        unit_costs(costing([c] * 30), months_of(p), span=OCTOBER, terms=terms).table.iloc[0]
        for c, p in ((50.0, paid), (100.0, twice))
    )
    assert two["cac_minor"] == pytest.approx(2 * one["cac_minor"])
    assert two["cac_minor_high"] == pytest.approx(2 * one["cac_minor_high"])
    for name in ("payback_months", "payback_months_low", "payback_months_high", "magic_number"):
        assert two[name] == pytest.approx(one[name])
