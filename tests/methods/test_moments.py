"""Ratios of sums over units: against the sums over single units, and coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.moments import Moments, ratio, ratio_change, relative_change, student

NAMES = ("y", "x", "v", "w")


def moments(values):
    values = np.asarray(values, dtype=float).reshape(-1, len(NAMES))
    return Moments(n=len(values), names=NAMES, total=values.sum(axis=0), product=values.T @ values)


def half_width(residuals):
    """Student's half-width of a sum of residuals over units."""
    n = len(residuals)
    return student(n - 1, 0.95) * np.sqrt(n / (n - 1) * (residuals**2).sum())


ROWS = st.lists(st.tuples(*[st.integers(0, 9)] * 4), min_size=2, max_size=12)


@settings(max_examples=300)
@given(rows=ROWS)
def test_ratio_and_its_change_have_the_residuals_of_single_units(rows):
    a = np.array(rows, dtype=float)
    y, x, v, w = a.T
    if not (x.sum() and w.sum()):
        return
    one, other = y.sum() / x.sum(), v.sum() / w.sum()
    found = ratio(moments(a), "y", "x")
    assert found.value == pytest.approx(one)
    residuals = (y - one * x) / x.sum()
    if one > 0 and np.abs(residuals).max() > 1e-9:
        spread = np.exp(half_width(residuals) / one)
        assert [found.low, found.high] == pytest.approx([one / spread, one * spread])
    elif one > 0:
        assert np.isnan([found.low, found.high]).all()
    change = ratio_change(moments(a), ("y", "x"), ("v", "w"))
    both = residuals - (v - other * w) / w.sum()
    assert change.value == pytest.approx(one - other)
    if np.abs(both).max() > 1e-9:
        assert change.high - change.value == pytest.approx(half_width(both), rel=1e-6)
    else:
        assert np.isnan(change.low)


def test_what_stays_the_same_in_a_unit_does_not_blur_the_change():
    rows = [(10, 10, 9, 10), (1, 10, 0, 10), (5, 10, 4, 10)]
    change = ratio_change(moments(rows), ("y", "x"), ("v", "w"))
    assert change.value == pytest.approx(0.1)
    assert np.isnan(change.low)  # each unit moved alike: no spread is ignorance
    assert ratio(moments(rows), "y", "x").low < 0.2


def test_relative_change_of_totals_is_their_ratio_less_one():
    found = relative_change(moments([(12, 10, 0, 0), (8, 10, 0, 0), (13, 10, 0, 0)]), "y", "x")
    assert found.value == pytest.approx(0.1)
    assert -1 < found.low < found.value < found.high


@pytest.mark.parametrize("rows", [[], [(1, 0, 0, 0)], [(3, 4, 0, 0)]], ids=["none", "0", "one"])
def test_too_little_has_no_limits(rows):
    found = ratio(moments(rows), "y", "x")
    assert np.isnan([found.low, found.high]).all()
    assert np.isnan(ratio_change(moments(rows), ("y", "x"), ("v", "w")).value)


def test_sums_of_two_groups_are_those_of_all():
    rows = np.random.default_rng(1).poisson(3, (9, 4))
    both = moments(rows[:4]) + moments(rows[4:])
    assert both.n == 9
    np.testing.assert_allclose(both.product, moments(rows).product)


def test_student_is_that_of_the_tables():
    """Student (1908) as tabled in any textbook: t(9, 97.5 %) = 2.262, t(1) = 12.706."""
    assert student(9, 0.95) == pytest.approx(2.262, abs=5e-4)
    assert student(1, 0.95) == pytest.approx(12.706, abs=5e-4)
    assert np.isnan(student(0, 0.95))
    with pytest.raises(InputError, match="between 0 and 1"):
        student(9, 95)


@pytest.mark.parametrize("units", [20, 200])
def test_intervals_hold_the_truth_as_often_as_they_say(units):
    """1,500 samples of accounts of unequal size, of which each person comes with chance 0.3."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(1500):
        size = rng.geometric(0.1, units)
        came = rng.binomial(size, rng.beta(3, 7, units))
        rows = np.column_stack([came, size, came, size])
        found = ratio(moments(rows), "y", "x")
        held += found.low <= 0.3 <= found.high
    assert 0.92 <= held / 1500 <= 0.97
