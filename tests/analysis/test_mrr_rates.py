"""Retention and flow rates: bounds, agreement with movements, scale, what is left unjudged."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mrr_worlds import OCTOBER, months_of, of

from csa.analysis.revenue.by_definition import as_defined, by_definition
from csa.analysis.revenue.drawn import Draws
from csa.analysis.revenue.flows import flow_rates
from csa.analysis.revenue.months import span
from csa.analysis.revenue.movements import movements
from csa.analysis.revenue.rates import retention, retention_over_time
from csa.definitions import chosen
from csa.errors import InputError
from csa.methods.intervals import wilson

FEW = Draws(replicates=60)
YEAR = range(OCTOBER - 13, OCTOBER + 1)


def company(n=60, *, seed=1, group="EU", size=1.0):
    """Random companies over 14 months: new, growing, shrinking, leaving, coming back."""
    rng = np.random.default_rng(seed)
    made = {}
    for k in range(n):
        paid, now = {}, 0
        for month in YEAR:
            if now == 0 and rng.random() < 0.35:
                now = int(size * rng.lognormal(9, 1)) + 100
            elif now and rng.random() < 0.08:
                now = 0
            elif now and rng.random() < 0.2:
                now = max(int(now * rng.uniform(0.6, 1.6)), 1)
            paid[month] = now
        made[f"{group}{k}"] = paid
    return made


def frame(n=60, *, seed=1):
    made = company(n, seed=seed) | company(n // 2, seed=seed + 100, group="US", size=3.0)
    return months_of(made, groups={a: a[:2] for a in made})


@pytest.mark.slow
def test_retention_of_a_month_agrees_with_its_movements():
    months = frame()
    kept = retention(months, span=of(2026, 10), horizons=[1], draws=FEW).table.set_index("group")
    moved = movements(months, span=of(2026, 10)).period.set_index("group")
    lost = moved["contraction_minor"] + moved["churn_minor"]
    start = moved["start_minor"]
    assert list(kept.index) == ["all", "EU", "US"]
    assert kept["n"].equals(moved["accounts_start"])
    assert list(kept["grr"]) == pytest.approx(list((start - lost) / start))
    grown = (start - lost + moved["expansion_minor"]) / start
    assert list(kept["nrr"]) == pytest.approx(list(grown))
    assert kept["lost"].equals(moved["churn_accounts"])
    assert kept["logo_churn_high"].to_numpy() == pytest.approx(
        wilson(moved["churn_accounts"], moved["accounts_start"]).high
    )


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 12]))
def test_gross_retention_never_exceeds_the_whole_nor_the_net(seed, horizon):
    table = retention(frame(25, seed=seed), span=of(2026, 10), horizons=[horizon], draws=FEW).table
    table = table.loc[table["n"] > 0]
    assert (table["grr"] <= 1).all()
    assert (table["grr_high"].dropna() <= 1).all()
    assert (table["grr"] <= table["nrr"] + 1e-12).all()
    for rate in ("nrr", "grr", "logo_churn"):
        known = table.loc[table[f"{rate}_low"].notna()]
        assert (known[f"{rate}_low"] <= known[rate]).all()
        assert (known[rate] <= known[f"{rate}_high"]).all()


@pytest.mark.slow
def test_doubling_prices_doubles_money_and_no_ratio_and_order_is_no_matter():
    months = frame()
    twice = months.assign(mrr_minor=2 * months["mrr_minor"])
    twice["previous_minor"] *= 2
    shuffled = twice.sample(frac=1, random_state=3).reset_index(drop=True)
    before = months.copy()
    base, other = (
        retention(m, span=of(2026, 10), horizons=[12], draws=FEW).table for m in (months, shuffled)
    )
    pd.testing.assert_frame_equal(months, before)
    money = ["start_minor", "end_minor"]
    assert other[money].to_numpy() == pytest.approx(2 * base[money].to_numpy())
    numbers = base.select_dtypes("number").columns.difference(money)
    assert other[numbers].to_numpy() == pytest.approx(base[numbers].to_numpy(), nan_ok=True)


def test_an_account_that_came_back_counts_if_it_pays_at_the_end():
    paid = {f"s{k}": dict.fromkeys(YEAR, 100) for k in range(12)}
    paid["back"] = {OCTOBER - 13: 100, OCTOBER - 12: 100, OCTOBER: 100}
    paid["new"] = {OCTOBER - 3: 900}
    row = retention(months_of(paid), span=of(2026, 10), horizons=[12], draws=FEW).table.iloc[0]
    assert (row["n"], row["lost"], row["nrr"], row["grr"]) == (13, 0, 1.0, 1.0)
    assert np.isnan(row["nrr_low"])  # nothing varied: no spread is ignorance


def test_reactivation_separates_flows_from_the_locked_rate():
    paid = {f"s{k}": dict.fromkeys(YEAR, 100) for k in range(12)}
    paid["back"] = {OCTOBER - 5: 100, OCTOBER: 100}
    months, month = months_of(paid), of(2026, 10)
    kept = retention(months, span=month, horizons=[1], draws=FEW)
    flows = flow_rates(months, span=month, horizon_months=1, draws=FEW)
    assert kept.table["nrr"].iloc[0] == 1.0
    assert flows.table["nrr"].iloc[0] == pytest.approx(1 + 100 / 1200)
    told = as_defined(kept, flows, definitions=chosen("chartmogul"))
    assert told.table["nrr"].iloc[0] == pytest.approx(1 + 100 / 1200)
    assert as_defined(kept, flows, definitions=chosen()).table["nrr"].iloc[0] == 1.0
    compared = by_definition(
        kept, flows, movements(months, span=month), definitions=chosen("netsuite")
    )
    mine = compared.table.loc[compared.table["chosen"] & (compared.table["metric"] == "nrr")]
    assert list(mine["choice"]) == ["flow"]
    assert mine["vendors"].iloc[0] == "ChartMogul, NetSuite"
    assert compared.spread("nrr") == pytest.approx(100 / 1200)
    assert compared.table.loc[compared.table["metric"] == "quick_ratio", "no_loss"].all()


@pytest.mark.parametrize(
    ("paid", "reason"),
    [
        ({}, "no accounts at the start"),
        ({"a": dict.fromkeys(YEAR, 100)}, "only 1 account at the start"),
        ({f"a{k}": dict.fromkeys(YEAR, 100) for k in range(9)}, "only 9 accounts at the start"),
        (
            {f"a{k}": dict.fromkeys(YEAR, 10 if k else 10**6) for k in range(40)},
            "a few accounts hold nearly all of the revenue",
        ),
    ],
)
def test_retention_is_unclear_with_few_accounts_or_few_that_hold_all(paid, reason):
    row = retention(months_of(paid), span=of(2026, 10), draws=FEW).table.iloc[0]
    assert (row["status"], row["reason"]) == ("unclear", reason)


def test_accounts_not_watched_at_the_start_are_left_out():
    paid = {f"a{k}": dict.fromkeys(YEAR, 100) for k in range(15)}
    months = months_of(paid, observed={"a1": date(2026, 10, 1), "a2": date(2026, 9, 30)})
    row = retention(months, span=of(2026, 10), horizons=[1], draws=FEW).table.iloc[0]
    assert (row["n"], row["not_observed"]) == (14, 1)
    assert row["reason"] == "left out: 1 not yet under observation"


@pytest.mark.slow
def test_retention_over_time_ends_with_the_period_and_agrees_with_it():
    months = frame()
    trend = retention_over_time(months, span=of(2026, 10), horizon_months=3, draws=FEW).table
    kept = retention(months, span=of(2026, 10), horizons=[3], draws=FEW).table.iloc[0]
    assert len(trend) == 13
    assert trend["month_start"].iloc[-1] == date(2026, 10, 1)
    assert trend["nrr"].iloc[-1] == pytest.approx(kept["nrr"])
    assert trend["nrr"].iloc[-2] == pytest.approx(kept["nrr_previous"])
    assert (trend.loc[trend["n"] == 0, "status"] == "unclear").all()
    late = span(start=date(2026, 10, 1), end=date(2026, 11, 1), as_of=date(2026, 10, 5))
    part = retention_over_time(months, span=late, horizon_months=3, draws=FEW).table
    assert "not over" in part["reason"].iloc[-1]
    assert "not over" not in part["reason"].iloc[-2]


@pytest.mark.slow
def test_flow_rates_agree_with_movements_and_say_what_is_too_little():
    months = frame()
    flows = flow_rates(months, span=of(2026, 10), horizon_months=1, draws=FEW).table
    moved = movements(months, span=of(2026, 10)).period
    for name in ("quick_ratio", "quick_ratio_with_reactivation"):
        assert flows[name].to_numpy() == pytest.approx(moved[name].to_numpy())
    assert (flows["quick_ratio_low"] <= flows["quick_ratio"]).all()
    small = flow_rates(
        months_of({"a": {OCTOBER - 1: 100}}), span=of(2026, 10), draws=FEW
    ).table.iloc[0]
    assert small["reason"] == "only 1 account lost revenue in the period"
    nobody = flow_rates(months_of({}), span=of(2026, 10), draws=FEW).table.iloc[0]
    assert nobody["reason"] == "no account lost revenue in the period"
    assert np.isnan(nobody["nrr"])
    week = span(start=date(2026, 10, 5), end=date(2026, 10, 12), as_of=date(2026, 10, 31))
    unjudged = flow_rates(months, span=week, draws=FEW).table
    assert unjudged["reason"].str.contains("whole months").all()


@pytest.mark.slow
def test_rates_refuse_what_they_cannot_read():
    with pytest.raises(InputError, match="horizons"):
        retention(frame(), span=of(2026, 10), horizons=[0])
    with pytest.raises(InputError, match="horizon"):
        retention_over_time(frame(), span=of(2026, 10), horizon_months=0)
    kept = retention(frame(), span=of(2026, 10), horizons=[1], draws=FEW)
    flows = flow_rates(frame(), span=of(2026, 10), horizon_months=12, draws=FEW)
    with pytest.raises(InputError, match="no horizon of 12 months"):
        as_defined(kept, flows, definitions=chosen())
    flows = flow_rates(frame(), span=of(2026, 9), horizon_months=1, draws=FEW)
    with pytest.raises(InputError, match="different periods"):
        as_defined(kept, flows, definitions=chosen())
    flows = flow_rates(frame(), span=of(2026, 10), horizon_months=1, draws=FEW)
    with pytest.raises(InputError, match="different periods"):
        by_definition(kept, flows, movements(frame(), span=of(2026, 9)), definitions=chosen())


@pytest.mark.slow
def test_many_accounts_go_into_bins_and_the_spread_stays(monkeypatch):
    """900 accounts in 300 bins: the same values, errors within a fifth of those by account."""
    months = frame(600)
    exact = retention(months, span=of(2026, 10), horizons=[1]).table.iloc[0]
    monkeypatch.setattr("csa.analysis.revenue.drawn.MOST", 500)
    monkeypatch.setattr("csa.analysis.revenue.drawn.BINS", 300)
    binned = retention(months, span=of(2026, 10), horizons=[1]).table.iloc[0]
    assert binned["nrr"] == pytest.approx(exact["nrr"])
    wide, narrow = (r["nrr_high"] - r["nrr_low"] for r in (exact, binned))
    assert narrow == pytest.approx(wide, rel=0.2)
