"""Poisson bootstrap: known variances, ratios, edges, speed."""

import time

import numpy as np
import pytest

from csa.errors import InputError
from csa.methods.bootstrap import effective_terms, percentile_limits, poisson_sums


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


def test_effective_terms_count_terms_of_one_size():
    """All alike: their number; one that outweighs all: one."""
    assert effective_terms(np.ones((40, 1)))[0] == pytest.approx(40)
    assert effective_terms(np.r_[1e6, np.ones(40)][:, None])[0] == pytest.approx(1)
    assert np.isnan(effective_terms(np.zeros((40, 1)))[0])


def test_percentile_limits_move_out_where_few_terms_make_the_spread():
    """Hesterberg (2015), section 4.1: √(k / (k - 1)) times the quantile of t, k - 1 degrees."""
    drawn = np.random.default_rng(2).normal(0, 1, (20_000, 1))
    value = np.array([0.0])
    plain = percentile_limits(value, drawn)
    many = percentile_limits(value, drawn, effective=np.array([1e12]))
    assert (many.low, many.high) == (plain.low, plain.high)
    few = percentile_limits(value, drawn, effective=np.array([11.0]))
    assert few.high[0] == pytest.approx(np.sqrt(1.1) * 2.228139, abs=0.06)
    unknown = percentile_limits(value, drawn, effective=np.array([np.nan]))
    assert unknown.high[0] == plain.high[0]


@pytest.mark.slow
@pytest.mark.parametrize(("accounts", "spread", "leave"), [(150, 0.8, 0.1), (150, 1.3, 0.1)])
def test_intervals_of_a_ratio_hold_the_truth_as_often_as_they_say(accounts, spread, leave):
    """400 samples of unequal accounts: 92 to 99 % of 95 % intervals hold."""
    rng, holds = np.random.default_rng(11), 0
    truth = (1 - leave) * np.exp(0.005)
    for _ in range(400):
        size = np.exp(rng.normal(4, spread, accounts))
        stay = rng.random(accounts) >= leave
        kept = size * np.where(stay, np.exp(rng.normal(0, 0.1, accounts)), 0)
        drawn = poisson_sums(np.column_stack([kept, size]), rng, replicates=600)
        ratio = kept.sum() / size.sum()
        terms = effective_terms((kept - ratio * size)[:, None])
        found = percentile_limits(
            np.array([ratio]), (drawn[:, 0] / drawn[:, 1])[:, None], effective=terms
        )
        holds += found.low[0] <= truth <= found.high[0]
    assert 0.92 <= holds / 400 <= 0.99
