"""Natural splines against scipy's interpolation, and knots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from csa.errors import InputError
from csa.methods.splines import natural_spline, quantile_knots


def test_columns_and_a_constant_span_the_natural_splines():
    """An interpolating spline with natural borders, by scipy, through any heights."""
    knots = np.array([1.0, 2.0, 4.0, 7.0, 11.0])
    x = np.linspace(1, 11, 200)
    wanted = CubicSpline(knots, [3.0, -1.0, 2.0, 0.5, 4.0], bc_type="natural")(x)
    design = np.column_stack([np.ones_like(x), natural_spline(x, knots)])
    found = design @ np.linalg.lstsq(design, wanted, rcond=None)[0]
    assert design.shape == (200, 5)
    assert found == pytest.approx(wanted, abs=1e-9)


def test_it_is_linear_beyond_the_outer_knots():
    for x in (np.linspace(-50, 0, 11), np.linspace(9, 100, 11)):
        columns = natural_spline(x, [0, 1, 3, 9])
        assert np.diff(columns, 2, axis=0) == pytest.approx(np.zeros((9, 3)), abs=1e-9)


def test_two_knots_are_a_straight_line():
    assert natural_spline([10, 15, 30], [10, 20]).ravel().tolist() == [0, 0.5, 2]


@pytest.mark.parametrize("knots", [[], [1], [1, 1], [2, 1], [0, np.nan]])
def test_impossible_knots_are_refused(knots):
    with pytest.raises(InputError, match="knots must be"):
        natural_spline([1.0], knots)


def test_missing_values_are_counted():
    with pytest.raises(InputError, match="2 values are missing"):
        natural_spline([1.0, np.nan, np.inf], [0, 1])


def test_knots_stand_at_even_shares():
    assert quantile_knots(np.arange(1, 101), 3).tolist() == [5, 50, 95]


def test_weights_are_multiplicities():
    x, many = np.array([3, 1, 8, 20]), np.array([5, 40, 30, 25])
    assert (quantile_knots(x, 4, many) == quantile_knots(np.repeat(x, many), 4)).all()


@pytest.mark.parametrize(
    ("x", "expected"),
    [([], []), ([4, 4, np.nan], []), ([0] * 50 + [1], [0, 1]), ([np.nan, 1, 2], [1, 2])],
)
def test_few_distinct_values_give_few_knots(x, expected):
    assert quantile_knots(x, 4).tolist() == expected


def test_one_knot_is_refused():
    with pytest.raises(InputError, match="two or more"):
        quantile_knots([1, 2, 3], 1)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=40), st.integers(2, 6))
@pytest.mark.slow
def test_knots_are_values_of_the_data_in_order(x, count):
    knots = quantile_knots(x, count)
    assert len(knots) != 1
    assert set(knots) <= set(x)
    assert (np.diff(knots) > 0).all()
