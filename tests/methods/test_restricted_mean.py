"""Difference of restricted means against R's figures and SurPyval."""

import numpy as np
import pytest
import surpyval
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.datasets import load_lung

from csa.errors import InputError
from csa.methods.lifetable import tabulate
from csa.methods.restricted_mean import mean_difference, restricted_mean_difference
from csa.methods.survival import kaplan_meier, restricted_mean

ROWS = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=40)


def lung(sex):
    frame = load_lung().query("sex == @sex")
    return frame["time"].to_numpy(), (frame["status"] == 1).to_numpy()


def curve(duration, event, **options):
    return kaplan_meier(tabulate(duration, event, **options))


def test_difference_of_lung_by_sex_matches_r():
    """R print(survfit(Surv(time, status) ~ sex, lung), rmean = 365), 7 digits printed.

    Means 241.4951 (se 10.35823) and 297.4654 (10.79132).
    """
    men, women = curve(*lung(1)), curve(*lung(2))
    found = restricted_mean_difference(women, men, 365)
    assert found.value == pytest.approx(297.4654 - 241.4951, abs=1e-4)
    assert found.std_error == pytest.approx(np.hypot(10.35823, 10.79132), abs=1e-5)


@pytest.mark.parametrize("horizon", [90, 365, 700])
def test_difference_equals_surpyval(horizon):
    """Against surpyval.rmst_diff on lung, to 1e-9."""
    found = restricted_mean_difference(curve(*lung(2)), curve(*lung(1)), horizon)
    fits = [surpyval.KaplanMeier.fit(x, c=(~e).astype(int)) for x, e in (lung(2), lung(1))]
    peer = surpyval.rmst_diff(*fits, tau=horizon)
    expected = [peer[k] for k in ("difference", "lower", "upper", "se", "p_value")]
    assert list(found) == pytest.approx(expected, abs=1e-9)


def test_difference_with_delayed_entry_equals_surpyval():
    rng = np.random.default_rng(4)
    fits, ours = [], []
    for scale in (200, 260):
        life = np.ceil(rng.exponential(scale, 800)).astype(int)
        entry = np.where(rng.random(800) < 0.4, rng.integers(1, 200, 800), 0)
        cut = rng.integers(1, 500, 800)
        x, event = np.minimum(life, cut), life <= cut
        seen = x > entry
        x, event, entry = x[seen], event[seen], entry[seen]
        fits.append(surpyval.KaplanMeier.fit(x, c=(~event).astype(int), tl=entry.astype(float)))
        ours.append(curve(x, event, entry=entry))
    peer = surpyval.rmst_diff(*fits, tau=365)
    found = restricted_mean_difference(*ours, 365)
    assert found.value == pytest.approx(peer["difference"], abs=1e-9)
    assert found.std_error == pytest.approx(peer["se"], abs=1e-9)


def test_counts_stand_for_rows():
    once = [curve([3, 5, 9], [1, 1, 0], count=[4, 2, 7]), curve([4, 9], [1, 0], count=[3, 5])]
    rows = [
        curve(np.repeat([3, 5, 9], [4, 2, 7]), np.repeat([True, True, False], [4, 2, 7])),
        curve(np.repeat([4, 9], [3, 5]), np.repeat([True, False], [3, 5])),
    ]
    assert restricted_mean_difference(*once, 9) == restricted_mean_difference(*rows, 9)


@pytest.mark.parametrize("second", [(8.0, 0.0), (8.0, np.nan)])
def test_a_mean_without_spread_has_no_interval(second):
    """Nobody of the second group churned: the interval would be too short by its ignorance."""
    found = mean_difference((7.0, 0.5), second)
    assert found.value == -1
    assert np.isnan(found[1:]).all()


def test_a_horizon_past_the_data_is_unknown():
    found = restricted_mean_difference(curve([5, 9], [1, 0]), curve([5, 20], [1, 0]), 15)
    assert np.isnan(found).all()


def test_no_spell_is_unknown():
    empty = curve([], [])
    assert np.isnan(restricted_mean_difference(empty, empty, 10)).all()


def test_curves_given_alive_at_different_ages_are_refused():
    table = tabulate([5, 9, 12], [1, 1, 0])
    with pytest.raises(InputError, match=r"starts at 0, the other at 5.*`between`"):
        restricted_mean_difference(kaplan_meier(table), kaplan_meier(table.between(5)), 10)


@settings(deadline=None)
@given(ROWS, ROWS, st.integers(1, 30))
@pytest.mark.slow
def test_difference_is_bounded_and_changes_sign_with_the_order(one, other, horizon):
    first, second = (curve([d for d, _ in r], [x for _, x in r]) for r in (one, other))
    found = restricted_mean_difference(first, second, horizon)
    back = restricted_mean_difference(second, first, horizon)
    assert found.value == pytest.approx(-back.value, nan_ok=True)
    if not np.isnan(found.low):
        assert -horizon <= found.low <= found.value <= found.high <= horizon
        assert (found.low, found.p_value) == pytest.approx((-back.high, back.p_value))
        assert 0 <= found.p_value <= 1


def test_a_group_that_stays_longer_has_the_greater_mean():
    means = [restricted_mean(curve(*lung(s)), 365)[0] for s in (1, 2)]
    assert restricted_mean_difference(curve(*lung(2)), curve(*lung(1)), 365).low > 0
    assert means[1] > means[0]
