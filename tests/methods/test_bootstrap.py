"""Poisson bootstrap: known variances, ratios, edges, speed."""

import time

import numpy as np
import pytest

from csa.errors import InputError
from csa.methods.bootstrap import percentile_limits, poisson_sums


def test_poisson_sums_have_the_variance_of_a_sum():
    """Var Σ w v = Σ v² for independent weights of variance one; 4,000 draws: within 5 %."""
    values = np.random.default_rng(3).lognormal(0, 1, (500, 2))
    drawn = poisson_sums(values, np.random.default_rng(4), replicates=4000)
    assert drawn.mean(axis=0) == pytest.approx(values.sum(axis=0), rel=0.01)
    assert drawn.var(axis=0) == pytest.approx((values**2).sum(axis=0), rel=0.05)


def test_poisson_sums_give_a_ratio_its_linearised_error():
    """Error of R = Σy / Σx by linearisation: √Σ(y - R x)² / Σx (Cochran 1977, 6.3)."""
    rng = np.random.default_rng(5)
    x = rng.lognormal(0, 0.5, 2000)
    y = x * rng.beta(8, 2, 2000)
    drawn = poisson_sums(np.column_stack([y, x]), np.random.default_rng(6), replicates=4000)
    ratio = y.sum() / x.sum()
    error = np.sqrt(((y - ratio * x) ** 2).sum()) / x.sum()
    assert (drawn[:, 0] / drawn[:, 1]).std() == pytest.approx(error, rel=0.05)


def test_poisson_sums_keep_sums_of_a_unit_together():
    values = np.column_stack([np.arange(50.0), 3 * np.arange(50.0)])
    drawn = poisson_sums(values, np.random.default_rng(1), replicates=20)
    assert drawn[:, 1] == pytest.approx(3 * drawn[:, 0])


def test_poisson_sums_are_the_same_for_the_same_seed():
    values = np.ones((30, 1))
    first, again = (poisson_sums(values, np.random.default_rng(9)) for _ in range(2))
    assert (first == again).all()
    assert not (first == poisson_sums(values, np.random.default_rng(10))).all()


def test_poisson_sums_without_units_are_zero():
    assert not poisson_sums(np.zeros((0, 3)), np.random.default_rng(1), replicates=5).any()
    with pytest.raises(InputError, match="matrix"):
        poisson_sums(np.zeros(3), np.random.default_rng(1))


@pytest.mark.slow
def test_poisson_sums_of_ten_thousand_accounts_take_less_than_a_second():
    values = np.random.default_rng(0).lognormal(0, 1, (10_000, 4))
    began = time.process_time()
    poisson_sums(values, np.random.default_rng(1), replicates=2000)
    assert time.process_time() - began < 1.0


def test_percentile_limits_are_the_quantiles_and_hold_the_value():
    drawn = np.arange(1001.0)[:, None]
    found = percentile_limits(np.array([500.0]), drawn, confidence=0.9)
    assert [found.low[0], found.high[0]] == pytest.approx([50.0, 950.0], abs=1)
    assert percentile_limits(np.array([2000.0]), drawn).high[0] == 2000.0


def test_percentile_limits_are_unknown_without_spread_or_with_too_few():
    same = np.ones((100, 1))
    assert np.isnan(percentile_limits(np.array([1.0]), same).low[0])
    few = np.r_[np.full(60, np.nan), np.arange(40.0)][:, None]
    assert np.isnan(percentile_limits(np.array([1.0]), few).high[0])
    open_above = np.r_[np.arange(60.0), np.full(40, np.inf)][:, None]
    found = percentile_limits(np.array([30.0]), open_above)
    assert found.low[0] >= 0
    assert np.isnan(found.high[0])
    with pytest.raises(InputError, match="confidence"):
        percentile_limits(np.array([1.0]), same, confidence=95)


@pytest.mark.slow
def test_intervals_of_a_ratio_hold_the_truth_as_often_as_they_say():
    """600 samples of 150 unequal accounts, of which 15 leave: 90 % of 95 % intervals hold."""
    rng = np.random.default_rng(11)
    holds = 0
    for _ in range(600):
        size = np.exp(rng.normal(4, 0.8, 150))
        kept = size * np.where(rng.random(150) < 0.1, 0, np.exp(rng.normal(0, 0.1, 150)))
        truth = 0.9 * np.exp(0.005)
        drawn = poisson_sums(np.column_stack([kept, size]), rng, replicates=400)
        found = percentile_limits(
            np.array([kept.sum() / size.sum()]), (drawn[:, 0] / drawn[:, 1])[:, None]
        )
        holds += found.low[0] <= truth <= found.high[0]
    assert 0.87 <= holds / 600 <= 0.97
