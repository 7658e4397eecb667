"""Counting of customers: what is refused, what stays the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.btyd.counts import BuyerCounts

CUSTOMERS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 400), st.integers(0, 400), st.integers(0, 9)),
    min_size=1,
    max_size=30,
)


def counted(drawn, **more) -> BuyerCounts:
    """Make customers of drawn figures."""
    x, last, spare, weight = map(np.array, zip(*drawn, strict=True))
    last = np.where(x > 0, last, 0)
    return BuyerCounts(x, last / 7, (last + spare) / 7, weight, **more)


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as told:
        BuyerCounts([1, 0, -2, 0.5], [0, 0, np.nan, 1], [1, 2, 3, 4], unit_days=0)
    assert told.value.faults == (
        "buyers: unit_days is 0; give the length of the unit in days",
        "buyers: frequency is negative in 1 rows; correct or drop them",
        "buyers: recency is missing or infinite in 1 rows; fill or drop them",
    )


@pytest.mark.parametrize(
    ("x", "last", "age", "more", "fault"),
    [
        (1, 5, 4, {}, "1 rows with recency beyond age"),
        (0, 5, 9, {}, "1 rows with recency without a repeat purchase"),
        (2, 0, 9, {}, "1 rows with repeat purchases at the time of the first"),
        (2, 4.5, 9, {"grid_days": 1.0}, "1 rows with times off the grid of 1 days"),
        (6, 5, 9, {"merged_days": 1.0}, "1 rows with more purchase days than days"),
        (1.5, 5, 9, {}, "frequency is no whole number in 1 rows"),
    ],
)
def test_contradictions_are_refused(x, last, age, more, fault):
    with pytest.raises(InputError, match=fault):
        BuyerCounts([x], [last], [age], unit_days=1.0, **more)


def test_arrays_of_different_length_are_refused():
    with pytest.raises(InputError, match="differ in shape"):
        BuyerCounts([1, 2], [1.0], [2.0])


@given(CUSTOMERS)
def test_compressing_keeps_customers_purchases_and_times(drawn):
    counts = counted(drawn)
    less = counts.compressed()
    assert (less.n, less.events) == (counts.n, counts.events)
    for times in ("recency", "age"):
        same = float(getattr(less, times) @ less.weight)
        assert same == pytest.approx(float(getattr(counts, times) @ counts.weight))
    rows = {*zip(less.frequency, less.recency, less.age, strict=True)}
    assert len(rows) == len(less)
    assert (less.weight > 0).all()


@given(CUSTOMERS)
def test_exact_times_are_counted_alike(drawn):
    exact, grid = counted(drawn, grid_days=0.0).compressed(), counted(drawn).compressed()
    assert exact.weight.tolist() == grid.weight.tolist()
    assert exact.recency == pytest.approx(grid.recency)


@given(CUSTOMERS, st.sampled_from([1.0, 1 / 24, 365.25]))
def test_units_change_no_time(drawn, days):
    counts = counted(drawn)
    other = counts.in_unit(days)
    assert other.age * days == pytest.approx(counts.age * 7)
    assert other.steps(other.age).tolist() == counts.steps(counts.age).tolist()


@given(CUSTOMERS)
def test_rounding_moves_times_by_half_a_step_and_no_count(drawn):
    counts = counted(drawn)
    weeks = counts.rounded(7.0)
    assert (weeks.n, weeks.events) == (counts.n, counts.events)
    kept = counts.weight > 0
    customers = counts.weight[kept].sum()
    moved = weeks.age @ weeks.weight - counts.age[kept] @ counts.weight[kept]
    assert abs(moved) <= customers + 1e-9


def test_a_sample_has_as_many_customers():
    counts = counted([(0, 1, 10, 500), (2, 9, 30, 300)])
    drawn = counts.sample(np.random.default_rng(1))
    assert drawn.n == 800
    assert drawn.weight.tolist() != counts.weight.tolist()
    with pytest.raises(InputError, match="no counts of customers"):
        BuyerCounts([1], [1], [2], [0.5], unit_days=1.0).sample(np.random.default_rng(1))
