"""Trend of shares: published tests, its invariances, its edges, what scatter does to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.share_trend import share_trend

SMOKERS, PATIENTS = [83, 90, 129, 70], [86, 93, 136, 82]  # Fleiss (1981), p. 139


def test_trend_and_equality_match_r():
    """R help of prop.trend.test and prop.test, data of Fleiss (1981), printed to 4 or 5 digits."""
    found = share_trend(SMOKERS, PATIENTS)
    assert found.trend == pytest.approx(8.2249, abs=5e-5)
    assert found.p_trend == pytest.approx(0.004132, abs=5e-7)
    assert (found.equal, found.df) == (pytest.approx(12.6004, abs=5e-5), 3)
    assert found.p_equal == pytest.approx(0.005585, abs=5e-7)
    last = share_trend(SMOKERS, PATIENTS, [0, 0, 0, 1])
    assert last.trend == pytest.approx(12.173, abs=5e-4)
    assert last.p_trend == pytest.approx(0.0004848, abs=5e-8)


SAMPLES = st.lists(
    st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=2,
    max_size=15,
)


@given(SAMPLES, st.floats(-5, 5), st.floats(0.5, 4))
def test_trend_does_not_depend_on_where_scores_begin_and_turns_with_outcome(samples, first, step):
    k, n = np.array(samples, dtype=float).T
    here = share_trend(k, n)
    moved = share_trend(k, n, first + step * np.arange(len(n)))
    turned = share_trend(n - k, n)
    if np.isnan(here.slope):
        assert np.isnan(turned.slope)
        return
    assert moved.slope * step == pytest.approx(here.slope, rel=1e-6, abs=1e-9)
    assert moved.p_trend == pytest.approx(here.p_trend, rel=1e-6, abs=1e-9)
    assert turned.slope == pytest.approx(-here.slope, abs=1e-9)
    assert here.slope_low <= here.slope <= here.slope_high
    assert here.trend <= here.equal + 1e-8
    assert here.dispersion >= 1
    outside = here.slope_low > 0 or here.slope_high < 0
    if abs(here.p_trend - 0.05) > 1e-6:
        assert outside == (here.p_trend < 0.05)


@pytest.mark.parametrize(
    ("k", "n"), [([], []), ([3], [9]), ([0, 0], [5, 5]), ([5, 5], [5, 5]), ([1, 0], [4, 0])]
)
def test_nothing_is_told_where_nothing_can_be_compared(k, n):
    found = share_trend(k, n)
    assert np.isnan([found.slope, found.p_trend, found.p_equal, found.dispersion]).all()


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="exceeds its n"):
        share_trend([5], [4])
    with pytest.raises(InputError, match="same length"):
        share_trend([1, 2], [4])


@pytest.mark.slow
def test_trend_is_seen_in_five_of_hundred_worlds_without_one_also_where_cohorts_scatter():
    """2,000 worlds of 12 cohorts of 150 each: level of the test with and without scatter."""
    rng = np.random.default_rng(5)
    for spread in (0.0, 0.08):
        shares = np.clip(rng.normal(0.5, spread, (2000, 12)), 0.05, 0.95)
        k = rng.binomial(150, shares)
        seen = np.mean([share_trend(row, np.full(12, 150)).p_trend < 0.05 for row in k])
        assert 0.025 <= seen <= 0.07
