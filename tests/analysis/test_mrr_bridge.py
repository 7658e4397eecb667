"""Splits of a change, who holds revenue, and revenue as definitions count it."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mrr_worlds import OCTOBER, months_of, of

from csa.analysis.revenue.bridge import arpa_bridge, retention_bridge
from csa.analysis.revenue.concentration import revenue_concentration
from csa.analysis.revenue.drawn import Draws
from csa.analysis.revenue.months import span
from csa.analysis.revenue.rates import retention
from csa.errors import InputError

FEW = Draws(replicates=60)
ALL_YEAR = range(OCTOBER - 14, OCTOBER + 1)


def world(seed, *, groups=4, n=80, planted=None):
    """Months of random accounts in groups; those of `planted` lose a third in October."""
    rng = np.random.default_rng(seed)
    paid, named = {}, {}
    for k in range(n):
        name, group = f"a{k}", f"g{k % groups}"
        now = int(rng.lognormal(8, 0.6)) + 100
        paid[name], named[name] = {}, group
        for month in ALL_YEAR:
            if rng.random() < 0.03:
                now = int(now * rng.uniform(0.8, 1.3)) + 1
            if month == OCTOBER and group == planted:
                now = int(now * rng.uniform(0.5, 0.8))
            paid[name][month] = now
    return months_of(paid, groups=named)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["nrr", "grr"]), st.sampled_from([1, 12]))
def test_parts_of_a_change_of_retention_add_up(seed, of_what, horizon):
    kept = retention(world(seed), span=of(2026, 10), horizons=[horizon], draws=FEW)
    found = retention_bridge(kept, of=of_what, horizon_months=horizon)
    whole = kept.table.iloc[0]
    assert found.rate == pytest.approx(whole[of_what], abs=1e-12)
    assert found.change.value == pytest.approx(
        whole[of_what] - whole[f"{of_what}_previous"], abs=1e-12
    )
    for total, column in ((found.within, "within"), (found.mix, "mix")):
        assert found.table[column].sum() == pytest.approx(total.value, abs=1e-12)
    assert abs(found.table["contribution"].sum() - found.change.value) < 1e-12
    assert (found.table["contribution"].abs().diff().dropna() <= 1e-15).all()
    limits = (whole[f"{of_what}_change_low"], whole[f"{of_what}_change_high"])
    assert (found.change.low, found.change.high) == pytest.approx(limits, nan_ok=True)


def test_parts_of_a_change_of_revenue_per_account_add_up():
    found = arpa_bridge(world(5), span=of(2026, 10), draws=FEW)
    assert found.table["contribution"].sum() == pytest.approx(found.change.value, rel=1e-12)
    assert found.change.value == pytest.approx(found.rate - found.previous_rate, rel=1e-12)
    assert found.within.value + found.mix.value == pytest.approx(found.change.value, rel=1e-12)


def test_a_changed_mix_alone_is_all_mix():
    """Nobody pays more or less; five small accounts are new: revenue per account falls by mix."""
    paid = {f"b{k}": dict.fromkeys(ALL_YEAR, 1000) for k in range(10)}
    paid |= {f"s{k}": dict.fromkeys(ALL_YEAR, 100) for k in range(10)}
    paid |= {f"n{k}": {OCTOBER: 100} for k in range(5)}
    groups = {a: "big" if a[0] == "b" else "small" for a in paid}
    found = arpa_bridge(months_of(paid, groups=groups), span=of(2026, 10), draws=FEW)
    assert found.within.value == pytest.approx(0, abs=1e-9)
    assert found.mix.value == pytest.approx(11_500 / 25 - 550)


@pytest.mark.slow
def test_a_planted_cause_is_ranked_first():
    """60 worlds with one group of four that loses revenue: first in at least nine of ten."""
    first = 0
    for seed in range(60):
        kept = retention(
            world(seed, planted="g2"), span=of(2026, 10), horizons=[1], draws=Draws(replicates=20)
        )
        first += retention_bridge(kept, of="grr", horizon_months=1).table["group"].iloc[0] == "g2"
    assert first >= 54


@pytest.mark.parametrize(
    ("paid", "reason"),
    [
        ({}, "no account paid at the start"),
        ({"a": {OCTOBER - 1: 100, OCTOBER: 100}}, "there is nothing to compare with in the"),
        ({"a": dict.fromkeys(ALL_YEAR, 100)}, "there is only one group"),
    ],
)
def test_without_a_change_there_is_nothing_to_split(paid, reason):
    kept = retention(months_of(paid), span=of(2026, 10), horizons=[1], draws=FEW)
    found = retention_bridge(kept, of="nrr", horizon_months=1)
    assert found.status == "unclear"
    assert found.reason.startswith(reason)
    assert found.table.empty


def test_bridge_refuses_what_is_not_there():
    kept = retention(world(1), span=of(2026, 10), horizons=[1], draws=FEW)
    with pytest.raises(InputError, match="no nrr over 12 months"):
        retention_bridge(kept, of="nrr", horizon_months=12)
    assert arpa_bridge(months_of({}), span=of(2026, 10), draws=FEW).reason == "no account pays"


def test_concentration_of_equal_accounts_is_none():
    paid = {f"a{k:02d}": {OCTOBER: 500} for k in range(20)}
    found = revenue_concentration(months_of(paid), span=of(2026, 10))
    assert found.gini.value == pytest.approx(0, abs=1e-9)
    assert found.effective_accounts == pytest.approx(20)
    assert list(found.largest["cumulative_share"]) == pytest.approx(
        [0.05 * k for k in range(1, 11)]
    )
    assert (found.accounts, found.mrr_minor, found.status) == (20, 10_000, "ok")


def test_concentration_of_a_known_gini():
    """One account of ten pays all but nothing: the share of the first, Gini near 1 - 1/n."""
    paid = {f"a{k}": {OCTOBER: 1 if k else 10**9} for k in range(10)}
    found = revenue_concentration(months_of(paid), span=of(2026, 10))
    assert found.largest["share"].iloc[0] == pytest.approx(1, abs=1e-7)
    assert found.gini.value == pytest.approx(0.9, abs=1e-6)


def test_concentration_of_few_or_nobody_is_unclear():
    found = revenue_concentration(months_of({"a": {OCTOBER: 5}}), span=of(2026, 10))
    assert (found.status, found.reason) == ("unclear", "only 1 account")
    nobody = revenue_concentration(months_of({}), span=of(2026, 10))
    assert (nobody.status, nobody.reason, len(nobody.table)) == ("unclear", "no account pays", 0)
    week = span(start=date(2026, 10, 5), end=date(2026, 10, 12), as_of=date(2026, 10, 31))
    assert "whole months" in revenue_concentration(months_of({}), span=week).reason
