"""Score intervals of sums of shares against printed tables, and shares of unequal weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.methods.intervals import wilson
from csa.methods.score_sums import (
    ENOUGH_HITS,
    WeightedShares,
    counted_shares,
    score_interval,
    weighted_shares,
)

COUNTS = st.tuples(st.integers(1, 400), st.floats(0, 1)).map(lambda x: (round(x[0] * x[1]), x[0]))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        ((56, 48), (70, 80), 0.0533, 0.3377),
        ((9, 3), (10, 10), 0.1821, 0.8370),
        ((6, 2), (7, 7), 0.0544, 0.8478),
        ((5, 0), (56, 29), -0.0313, 0.1926),
        ((0, 0), (10, 20), -0.1611, 0.2775),
        ((0, 0), (10, 10), -0.2775, 0.2775),
        ((10, 0), (10, 20), 0.7225, 1.0),
        ((10, 0), (10, 10), 0.6777, 1.0),
    ],
)
def test_difference_matches_newcombe_1998(k, n, low, high):
    """Newcombe (1998), Stat. Med. 17, 873-890, Table II, method 5 (Mee), printed to 4 decimals."""
    change = score_interval([1, -1], counted_shares(k, n))
    assert change.value == pytest.approx(k[0] / n[0] - k[1] / n[1])
    assert [change.low, change.high] == pytest.approx([low, high], abs=5e-5)


@settings(deadline=None, max_examples=15)
@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_one_share_has_the_interval_of_wilson(count, confidence):
    found = score_interval([1], counted_shares(*([x] for x in count)), confidence=confidence)
    assert tuple(found) == pytest.approx(tuple(wilson(*count, confidence=confidence)), abs=1e-9)


@settings(deadline=None, max_examples=15)
@given(st.lists(COUNTS, min_size=2, max_size=4), st.floats(0.1, 10))
def test_limits_hold_the_sum_and_turn_with_its_sign_and_unit(counts, unit):
    k, n = np.array(counts, dtype=float).T
    c = np.linspace(1, -1, len(k)) + 0.1
    found = score_interval(c, counted_shares(k, n))
    turned = score_interval(-unit * c, counted_shares(k, n))
    assert found.low <= found.value + 1e-9
    assert found.value <= found.high + 1e-9
    assert found.low < found.high
    assert -np.array(turned)[[0, 2, 1]] / unit == pytest.approx(np.array(found), abs=1e-7)


def test_limits_of_a_sum_have_the_distance_they_claim():
    """At each limit the most likely shares are z standard errors away: no step of the search."""
    k, n, c = np.array([2.0, 9.0]), np.array([60.0, 90.0]), np.array([0.7, 0.3])
    found = score_interval(c, counted_shares(k, n))
    p1 = np.linspace(1e-6, 0.4, 400_001)
    for limit in (found.low, found.high):
        p2 = (limit - c[0] * p1) / c[1]
        inside = (p2 > 0) & (p2 < 1)
        p = np.stack([p1[inside], p2[inside]])
        likely = p[:, np.argmax((k @ np.log(p)) + (n - k) @ np.log1p(-p))]
        error = np.sqrt(c**2 @ (likely * (1 - likely) / n))
        assert abs(found.value - limit) / error == pytest.approx(1.959964, abs=1e-3)


def test_a_share_that_is_not_counted_need_not_be_known():
    shares = counted_shares([3, 0], [50, 0])
    assert tuple(score_interval([1, 0], shares)) == pytest.approx(tuple(wilson(3, 50)))
    for c in ([1, 1], [0, 0], [np.nan, 1]):
        assert np.isnan(score_interval(c, shares)).all()


def test_equal_weights_are_counts():
    for k in (0, 4, 100):
        found = weighted_shares(k, 100, 7 * k, 700, 49 * k, 4900)
        assert tuple(found) == pytest.approx((k / 100, 100, k, 100))


def test_size_goes_from_kish_to_the_linearised_variance_as_hits_become_many():
    """Half of the units weigh 1, half 4, and only of these some leave: 1 in 100 of all."""
    sizes = []
    for times in (1, 10, 10**6):
        k, n = 2 * times, 200 * times
        sums = (k, n, 4 * k, 100 * times + 400 * times, 16 * k, 100 * times + 1600 * times)
        found = weighted_shares(*sums)
        share, kish = found.value, sums[3] ** 2 / sums[5]
        variance = ((1 - 2 * share) * sums[4] + share**2 * sums[5]) / sums[3] ** 2
        sizes.append((found.size / kish, share * (1 - share) / variance / kish))
        assert found.size <= kish
    ratio, linear = np.array(sizes).T
    assert ratio[0] > ratio[1] > ratio[2]
    assert ratio[2] == pytest.approx(linear[2], rel=1e-4)
    assert 1 / ratio[0] == pytest.approx((2 / linear[0] + ENOUGH_HITS) / (2 + ENOUGH_HITS))


def test_small_ones_that_leave_do_not_make_more_known_than_kish():
    found = weighted_shares(30, 130, 30, 130 + 2000, 30, 130 + 20 * 100**2)
    assert found.size == pytest.approx(2130**2 / 200130)


def test_intervals_of_unequal_weights_hold_the_truth():
    """Lognormal weights, 400 and 400 units, 3 % hits: rates and changes of 1,000 worlds."""
    rng = np.random.default_rng(7)
    w = rng.lognormal(0, 0.8, (1000, 2, 400))
    y = rng.random(w.shape) < 0.03
    sums = [(w**p * on).sum(axis=2) for p in (0, 1, 2) for on in (y, 1)]
    shares = weighted_shares(*sums)
    rate = score_interval([1], WeightedShares(*(x[:, :1] for x in shares)))
    change = score_interval([1, -1], shares)
    for found, truth in ((rate, 0.03), (change, 0.0)):
        held = ((found.low <= truth) & (truth <= found.high)).mean()
        assert 0.93 <= held <= 0.98
