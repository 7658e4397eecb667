"""MBG/CNBD-k: MBG/NBD where k is 1, made-up buyers where it is not.

Platzer and Reutterer (2016) print results of data that are not at hand, so no printed figure here.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import gammaln

from csa.errors import InputError
from csa.methods.btyd import bg_nbd
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.regular import (
    MODEL,
    RegularFit,
    RegularLikelihood,
    expected_purchases,
    fit_regular,
    probability_alive,
    residual_purchases,
)

TRUTH = (0.8, 6.0, 0.9, 3.0)
HOLDOUT = 30.0
NAMES = ("r", "alpha", "a", "b")


def buyers(k, *, n=6000, seed=1):
    """Make up customers of 20 to 60 weeks: counts, sum of log gaps, holdout, who is there."""
    rng = np.random.default_rng(seed)
    r, alpha, a, b = TRUTH
    rate, leaves = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    repeats = rng.geometric(leaves) - 1  # before the leave, with all the time of the world
    age = rng.uniform(20, 60, n)
    gaps = rng.gamma(k, 1 / np.maximum(rate, 1e-12)[:, None], (n, 400))
    gaps[np.arange(400) >= repeats[:, None]] = np.inf
    times = np.cumsum(gaps, axis=1)
    assert (times[:, -1] > age + HOLDOUT).all()
    seen = times <= age[:, None]
    x = seen.sum(axis=1)
    after = ((times > age[:, None]) & (times <= age[:, None] + HOLDOUT)).sum(axis=1)
    counts = BuyerCounts(x, np.where(seen, times, 0).max(axis=1), age, unit_days=7.0, grid_days=0.0)
    return counts, float(np.log(gaps[seen]).sum()), after, x < repeats


def true_fit(k):
    fitted, log_gaps, _, _ = buyers(k, n=300)
    found = fit_regular(fitted, log_gaps, beats=(k,))
    values = dict(zip(NAMES, TRUTH, strict=True))
    own = replace(found.fit, parameters=values, log_parameters=np.log(TRUTH))
    return RegularFit(fit=own, k=k, log_likelihoods={})


def test_one_beat_is_mbg_nbd():
    counts, log_gaps, _, _ = buyers(1, n=400)
    found, plain = fit_regular(counts, log_gaps, beats=(1,)), bg_nbd.fit_mbg_nbd(counts)
    assert found.fit.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-10)
    assert found.fit.parameters == pytest.approx(plain.parameters, rel=1e-4)
    same = RegularFit(fit=replace(plain, model=MODEL), k=1, log_likelihoods={})
    for ours, theirs in (
        (probability_alive(same, counts), bg_nbd.probability_alive(plain, counts)),
        (residual_purchases(same, counts, 39), bg_nbd.residual_purchases(plain, counts, 39)),
        (expected_purchases(same, [0, 1, 52]), bg_nbd.expected_purchases(plain, [0, 1, 52])),
    ):
        assert ours == pytest.approx(theirs, rel=1e-10)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_the_gradient_is_that_of_the_likelihood(k):
    likelihood = RegularLikelihood(buyers(k, n=200)[0], k)
    place, step = np.log([0.5, 4.0, 0.7, 2.0]), 1e-5
    slopes = [
        (likelihood(place + step * e)[0] - likelihood(place - step * e)[0]) / (2 * step)
        for e in np.eye(4)
    ]
    assert likelihood(place)[1] == pytest.approx(slopes, rel=1e-6)


def test_a_customer_by_hand():
    """Two beats, one purchase at 2 of 5: integrated over rate and chance to leave by sums."""
    r, alpha, a, b = TRUTH
    likelihood = RegularLikelihood(BuyerCounts([1], [2.0], [5.0], grid_days=0.0), 2)
    rate, chance = np.linspace(0, 20, 40_001)[1:], np.linspace(0, 1, 100_001)[1:-1]
    of_rate = rate ** (r + 2 - 1) * np.exp(-alpha * rate + r * np.log(alpha) - gammaln(r))
    there = of_rate * np.exp(-5 * rate) * (1 + 3 * rate)
    left = of_rate * np.exp(-2 * rate)
    beta = chance ** (a - 1) * (1 - chance) ** (b - 1)
    stays = [(beta * (1 - chance) ** 2).sum(), (beta * (1 - chance) * chance).sum()] / beta.sum()
    total = (there.sum() * stays[0] + left.sum() * stays[1]) * (rate[1] - rate[0])
    assert likelihood(np.log(TRUTH))[0] == pytest.approx(-np.log(total), abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("k", [2, 3])
def test_made_up_buyers_are_found_again(k):
    """6,000 customers: beats, parameters within 3.5 standard errors."""
    counts, log_gaps, _, _ = buyers(k)
    found = fit_regular(counts, log_gaps)
    assert (found.k, found.fit.status) == (k, "ok")
    assert found.log_likelihoods[k] > 50 + max(
        value for beats, value in found.log_likelihoods.items() if beats != k
    )
    off = (found.fit.log_parameters - np.log(TRUTH)) / np.sqrt(np.diag(found.fit.covariance))
    assert np.abs(off).max() < 3.5


@pytest.mark.slow
@pytest.mark.parametrize("k", [2, 3])
def test_made_up_buyers_buy_on_and_are_there_as_expected(k):
    """The truth's own expectations, in tenths of P(alive): within 4 standard errors."""
    counts, _, after, there = buyers(k, n=20_000, seed=2)
    truth = true_fit(k)
    said, alive = residual_purchases(truth, counts, HOLDOUT), probability_alive(truth, counts)
    for part in np.array_split(np.argsort(alive), 10):
        for came, expected in ((after, said), (there, alive)):
            gap = (came - expected)[part]
            assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(part))
    new = expected_purchases(truth, counts.age)
    gap = counts.frequency - new
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))


@pytest.mark.parametrize("k", [2, 3])
def test_time_ahead_adds_purchases_and_none_ahead_adds_none(k):
    counts, _, _, _ = buyers(k, n=100)
    truth = true_fit(k)
    assert (residual_purchases(truth, counts, 0) == 0).all()
    near, far = residual_purchases(truth, counts, 5), residual_purchases(truth, counts, 50)
    assert (near < far).all()
    assert (np.diff(expected_purchases(truth, np.arange(0, 200, 10))) > 0).all()
    with pytest.raises(InputError, match="times must be finite"):
        expected_purchases(truth, -1)


def test_an_overdue_regular_buyer_is_sooner_seen_to_have_left():
    """Ten purchases, one a week; then silence."""
    gone = [
        probability_alive(true_fit(k), BuyerCounts([10], [10.0], [16.0], grid_days=0.0))[0]
        for k in (1, 3)
    ]
    assert gone[1] < gone[0]


def test_nothing_to_fit_is_said():
    nobody = BuyerCounts([], [], [], grid_days=0.0)
    once = BuyerCounts([0, 0], [0, 0], [5, 9], grid_days=0.0)
    for counts in (nobody, once):
        found = fit_regular(counts, 0.0)
        assert (found.fit.status, found.fit.parameters, found.log_likelihoods) == (
            "unclear",
            {},
            {},
        )
    few = BuyerCounts([1, 2, 0], [1, 3, 0], [5, 9, 4], grid_days=0.0)
    assert "8 are needed" in fit_regular(few, 0.0).fit.reason
    with pytest.raises(InputError, match="merged_days"):
        fit_regular(BuyerCounts([1], [3.0], [5.0], unit_days=1.0, merged_days=1.0), 0.0)


@pytest.mark.slow
def test_many_rows_are_fitted_with_times_of_whole_weeks(monkeypatch):
    exact, log_gaps, _, _ = buyers(2)
    last = np.maximum(np.rint(exact.recency * 7), exact.frequency > 0) / 7
    age = np.maximum(np.rint(exact.age * 7) / 7, last)
    counts = BuyerCounts(exact.frequency, last, age, unit_days=7.0, grid_days=1.0)
    whole = fit_regular(counts, log_gaps, beats=(2,)).fit.parameters
    monkeypatch.setattr("csa.methods.btyd.regular.MANY_ROWS", 1000)
    rounded = fit_regular(counts, log_gaps, beats=(2,)).fit.parameters
    assert rounded != whole
    assert rounded == pytest.approx(whole, rel=0.03)
