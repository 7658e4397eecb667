"""Restricted means: differences against R and SurPyval, limits against draws and the truth."""

import numpy as np
import pytest
import surpyval
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.datasets import load_lung

from csa.errors import InputError
from csa.methods.lifetable import tabulate
from csa.methods.restricted_mean import (
    RestrictedMean,
    mean_difference,
    restricted_mean_difference,
    restricted_mean_limits,
)
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
    """Against surpyval.rmst_diff on lung, to 1e-9; its limits are those of the normal."""
    found = restricted_mean_difference(curve(*lung(2)), curve(*lung(1)), horizon)
    fits = [surpyval.KaplanMeier.fit(x, c=(~e).astype(int)) for x, e in (lung(2), lung(1))]
    peer = surpyval.rmst_diff(*fits, tau=horizon)
    expected = [peer[k] for k in ("difference", "se", "p_value")]
    assert [found.value, *found[3:]] == pytest.approx(expected, abs=1e-9)
    width = peer["upper"] - peer["lower"]
    assert found[1:3] == pytest.approx([peer["lower"], peer["upper"]], abs=0.05 * width)


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


def test_a_mean_without_spread_has_limits_but_no_p_value():
    """Nobody of the second group churned: its error is ignorance, which its limits tell."""
    found = mean_difference(RestrictedMean(7, 5, 8, 0.5), RestrictedMean(8, 4, 8, 0))
    assert found[:3] == pytest.approx((-1, -1 - 2, -1 + np.hypot(1, 4)))
    assert np.isnan(found[3:]).all()


def test_a_mean_that_is_unknown_leaves_the_difference_unknown():
    unknown = RestrictedMean(*[np.nan] * 4)
    assert np.isnan(mean_difference(RestrictedMean(7, 5, 8, 0.5), unknown)).all()


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
        assert found.low == pytest.approx(-back.high)
        assert found.p_value == pytest.approx(back.p_value, nan_ok=True)
        assert np.isnan(found.p_value) or 0 <= found.p_value <= 1


def test_a_group_that_stays_longer_has_the_greater_mean():
    means = [restricted_mean(curve(*lung(s)), 365)[0] for s in (1, 2)]
    assert restricted_mean_difference(curve(*lung(2)), curve(*lung(1)), 365).low > 0
    assert means[1] > means[0]


# --- limits of one mean --------------------------------------------------------------------------


def drawn(duration, event, horizon, *, entry=None, draws=200_000, seed=1):
    """Limits of the mean written out: whole curves drawn, person after person, and their areas."""
    rng = np.random.default_rng(seed)
    entry = np.zeros(len(duration)) if entry is None else entry
    area, height, age = np.zeros(draws), np.ones(draws), 0.0
    for at in np.unique(duration[event & (duration < horizon)]):
        left = int(((entry < at) & (duration >= at)).sum())
        for _ in range(int((event & (duration == at)).sum())):
            lower = height * rng.beta(left, 1, draws)
            area += (at - age) * (height + lower) / 2
            height, age, left = lower, at, left - 1
    days = np.arange(age + 1, horizon + 1)
    there = np.mean([((entry < day) & (duration >= day)).sum() for day in days])
    falls = height * np.where(rng.random(draws) < 0.5, 1, rng.beta(max(there, 1e-9), 1, draws))
    area += (horizon - age) * (height + falls) / 2
    return np.quantile(area, [0.025, 0.975])


def few(seed, n=160, hazard=0.0002):
    """Accounts of which few leave, a quarter of them seen late."""
    rng = np.random.default_rng(seed)
    life = np.ceil(rng.exponential(1 / hazard, n))
    entry = np.where(rng.random(n) < 0.25, rng.integers(1, 300, n), 0)
    cut = entry + rng.integers(1, 1200, n)
    seen = life > entry
    return np.minimum(life, cut)[seen], (life <= cut)[seen], entry[seen]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("seed", "n", "hazard"), [(1, 160, 0.0001), (2, 60, 0.001), (3, 40, 0.005)]
)
@pytest.mark.slow
def test_limits_are_those_of_curves_drawn_one_by_one(late, seed, n, hazard):
    """Ties are people who leave one after another on one day; the beta law is an approximation."""
    duration, event, entry = few(seed, n, hazard)
    duration = np.ceil(duration / 5) * 5
    entry = np.minimum(entry, duration - 5) if late else 0 * entry
    found = restricted_mean_limits(curve(duration, event, entry=entry), 365)
    low, high = drawn(duration, event, 365, entry=entry)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02 * (high - low))


def test_where_nobody_left_the_limit_is_what_so_many_allow():
    """Survival at the horizon at least 0.05^(1/n), in a straight line down to it."""
    found = restricted_mean_limits(curve([90] * 40, [False] * 40), 90)
    assert (found.value, found.high, found.std_error) == (90, 90, 0)
    assert 90 - found.low == pytest.approx(90 * (1 - 0.05 ** (1 / 40)) / 2, rel=0.01)


def test_limits_of_many_leavers_are_those_of_the_standard_error():
    rng = np.random.default_rng(2)
    life, cut = np.ceil(rng.exponential(300, 100_000)), rng.integers(100, 800, 100_000)
    mean, low, high, error = restricted_mean_limits(curve(np.minimum(life, cut), life <= cut), 365)
    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=error / 50)


@settings(deadline=None)
@given(ROWS, st.integers(1, 30), st.integers(0, 8))
@pytest.mark.slow
def test_limits_hold_the_mean_between_start_and_horizon(rows, horizon, start):
    table = tabulate([d for d, _ in rows], [x for _, x in rows]).between(start)
    found = restricted_mean_limits(kaplan_meier(table), horizon)
    wider = restricted_mean_limits(kaplan_meier(table, confidence=0.99), horizon)
    assert np.isnan(found.low) == (np.isnan(found.value) or horizon == start)
    if not np.isnan(found.low):
        assert start <= wider.low <= found.low <= found.value <= found.high <= wider.high <= horizon


@pytest.mark.slow
@pytest.mark.parametrize("hazard", [0.00002, 0.00007, 0.0003])
def test_limits_hold_the_truth_where_few_leave(hazard):
    """1, 3 and 13 leavers expected: 97.4, 93.6 and 95.8 % of 2,500 did.

    On the logit of the mean's share of the horizon 90.6, 92.4 and 95.4 %, none where nobody left.
    """
    truth = np.exp(-hazard * np.arange(365)).sum()
    inside = 0
    for seed in range(1000):
        duration, event, entry = few(seed, 160, hazard)
        found = restricted_mean_limits(curve(duration, event, entry=entry), 365)
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / 1000 <= 0.985
