"""Outcomes at a horizon and the Brier score, against SurPyval, scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss
from surpyval.metrics import brier_score as surpyval_brier
from surpyval.metrics import integrated_brier_score as surpyval_integrated

from csa.errors import InputError
from csa.methods.lifetable import tabulate
from csa.methods.outcomes import censoring_curve, known_outcomes, outcomes_along, outcomes_at
from csa.methods.prediction_error import brier_score, integrated_brier
from csa.methods.survival import kaplan_meier


def drawn(seed, n=400, *, days=True):
    """Draw times to an event or a censoring, and what the hazard depends on."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    life, leave = rng.exponential(60 * np.exp(-x)), rng.exponential(90, n)
    ends = np.minimum(life, leave)
    ends = np.ceil(ends) if days else ends
    return ends, life <= leave, x


def true_survival(x, times):
    return np.exp(-np.outer(np.exp(x), times) / 60)


# --- outcomes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("horizon", [5, 30, 77])
def test_weights_add_up_and_the_base_rate_is_one_minus_kaplan_meier(seed, horizon):
    """Satten and Datta (2001): the weighted share of events is the Kaplan-Meier estimate."""
    ends, event, _ = drawn(seed)
    found = outcomes_at(horizon, ends, event)
    assert found.weight.sum() == pytest.approx(len(ends), abs=1e-9)
    curve = kaplan_meier(tabulate(ends, event))
    assert found.base_rate == pytest.approx(1 - curve.at(horizon).value, abs=1e-12)


def test_a_row_censored_on_the_day_of_the_horizon_is_known():
    """The last day of everybody is the horizon: nothing is weighted, nothing is unknown."""
    found = outcomes_at(90, [90, 90, 30, 90], [False, False, True, True])
    assert found.weight.tolist() == [1, 1, 1, 1]
    assert found.event.tolist() == [False, False, True, True]
    assert (found.horizon, found.note) == (90, "")


def test_the_horizon_is_cut_where_the_data_end():
    """At 72 all that are left leave, where other tools raise: judged at 72, with a note."""
    ends, event = [10, 20, 72, 72], [True, False, False, False]
    at_end = outcomes_at(72, ends, event)
    assert (at_end.horizon, at_end.note) == (72, "")
    later = outcomes_at(90, ends, event)
    assert later.note == "nobody is followed to 90: judged at 72, where the data end"
    assert later.weight.tolist() == at_end.weight.tolist()
    assert later.weight == pytest.approx([1, 0, 1.5, 1.5])
    assert later.asked == 90


def test_nobody_left_needs_no_cut():
    found = outcomes_at(50, [1, 2, 3], [True, True, True])
    assert (found.base_rate, found.horizon, found.note) == (1, 50, "")


@pytest.mark.parametrize("seed", range(20))
def test_late_entries_are_judged_given_that_they_came(seed):
    """By the definition: weight G(entry) / G(end-), no weight to entries at the horizon."""
    rng = np.random.default_rng(seed)
    n = 30
    ends, event = rng.integers(1, 12, n).astype(float), rng.random(n) < 0.5
    entry = np.where(rng.random(n) < 0.5, rng.integers(0, 8, n), 0).astype(float)
    entry = np.where(entry >= ends, 0, entry)
    curve, staying = {}, 1.0
    for t in np.arange(0, 13):
        curve[t, "before"] = staying
        at_risk = ((entry < t) | (entry <= 0)) & (ends >= t) & ~((ends == t) & event)
        if leaving := ((ends == t) & ~event).sum():
            staying *= 1 - leaving / at_risk.sum()
        curve[t, "upto"] = staying
    found = outcomes_at(6, ends, event, entry=entry)
    assert found.horizon == 6
    for i in range(n):
        known = (event[i] and ends[i] <= 6) or ends[i] >= 6
        given = 1 if entry[i] <= 0 else curve[entry[i], "upto"]
        expected = given / curve[min(ends[i], 6), "before"] if known and entry[i] < 6 else 0
        assert found.weight[i] == pytest.approx(expected, abs=1e-12)


def test_a_risk_set_that_empties_early_cuts_the_horizon():
    """With late entry all may leave while others come later: nothing is known beyond."""
    found = outcomes_at(30, [5, 40, 40], [False, True, False], entry=[0, 10, 10])
    assert (found.horizon, found.weight.tolist()) == (5, [1, 0, 0])


@pytest.mark.parametrize(("ends", "event"), [([], []), ([0, 0], [False, False])])
def test_without_anything_known_there_is_no_rate(ends, event):
    found = outcomes_at(9, ends, event)
    assert np.isnan(found.base_rate)
    assert len(found) == len(ends)
    score = brier_score(np.full(len(ends), 0.5), found)
    assert np.isnan([*score.brier, score.reference, *score.skill]).all()


def test_outcomes_refuse_what_they_cannot_read():
    with pytest.raises(InputError, match="0 is not above 0"):
        outcomes_at(0, [1], [True])
    with pytest.raises(InputError, match="missing in 1 rows"):
        outcomes_at(9, [1, np.nan], [True, True])


def test_censoring_curve_has_events_first():
    curve = censoring_curve([3, 3, 5], [True, False, False])
    assert curve.before([3, 4, 5]).tolist() == [1, 0.5, 0.5]
    assert curve.upto([2, 3, 5]).tolist() == [1, 0.5, 0]
    assert curve.end == 5


# --- Brier score ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_brier_and_its_integral_equal_surpyval(seed):
    """SurPyval 0.25, continuous times so that no row is censored at a horizon; to 1e-12."""
    ends, event, x = drawn(seed, days=False)
    times = np.array([5.0, 20.0, 31.0, 60.0])
    survival = true_survival(x, times)
    _, theirs = surpyval_brier(ends, 1 - event.astype(int), survival, times)
    ours = [
        brier_score(1 - survival[:, i], found).brier.value
        for i, found in enumerate(outcomes_along(times, ends, event))
    ]
    assert ours == pytest.approx(theirs, abs=1e-12)
    found = integrated_brier(survival, times, ends, event)
    peer = surpyval_integrated(ends, 1 - event.astype(int), survival, times)
    assert found.integrated.value == pytest.approx(peer, abs=1e-12)
    assert found.brier == pytest.approx(theirs, abs=1e-12)
    assert found.note == ""


def test_brier_of_known_outcomes_equals_scikit_learn():
    rng = np.random.default_rng(1)
    p = rng.random(500)
    y = rng.random(500) < p
    found = brier_score(p, known_outcomes(y))
    assert found.brier.value == pytest.approx(brier_score_loss(y, p), abs=1e-14)
    assert found.reference == pytest.approx(y.mean() * (1 - y.mean()))
    plain = ((y - p) ** 2).std() / np.sqrt(500)
    assert found.brier.high - found.brier.value == pytest.approx(1.959964 * plain, rel=1e-6)


def test_intervals_cover_score_and_skill():
    """500 worlds of 300 rows: 95 % intervals hold the value of 200,000 in 92 to 98 %."""

    def world(seed, n):
        rng = np.random.default_rng(seed)
        p = rng.beta(1, 4, n)
        return brier_score(p, known_outcomes(rng.random(n) < p))

    truth = world(0, 200_000)
    held = [world(seed, 300) for seed in range(1, 501)]
    for name in ("brier", "skill"):
        value = getattr(truth, name).value
        hits = [getattr(x, name).low <= value <= getattr(x, name).high for x in held]
        assert 0.92 <= np.mean(hits) <= 0.98


def test_reference_may_be_a_rate_from_elsewhere():
    y = np.array([True, False, False, False])
    found = brier_score([0.5, 0.1, 0.1, 0.1], known_outcomes(y), base_rate=0.5)
    assert found.reference == 0.25
    assert found.skill.value == pytest.approx(1 - 0.07 / 0.25)


def test_rows_of_an_account_count_once_for_the_interval():
    rng = np.random.default_rng(4)
    p = rng.random(200)
    y = rng.random(200) < p
    once = brier_score(p, known_outcomes(y)).brier
    account = np.repeat(np.arange(200), 3)
    thrice = brier_score(np.repeat(p, 3), known_outcomes(np.repeat(y, 3)), clusters=account).brier
    assert thrice == pytest.approx(once)


@pytest.mark.parametrize("happened", [False, True])
def test_where_all_outcomes_are_alike_there_is_no_skill(happened):
    found = brier_score([0.2, 0.4], known_outcomes([happened, happened]))
    assert np.isnan(found.skill).all()
    assert 0 < found.brier.value < 1
    sure = brier_score([float(happened)] * 2, known_outcomes([happened, happened])).brier
    assert sure.value == 0
    assert np.isnan(sure.low)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.floats(1, 60))
def test_brier_lies_within_zero_and_one_and_order_does_not_matter(seed, horizon):
    ends, event, x = drawn(seed, 40)
    p = 1 - true_survival(x, [horizon])[:, 0]
    found = brier_score(p, outcomes_at(horizon, ends, event))
    mixed = np.random.default_rng(seed).permutation(40)
    other = brier_score(p[mixed], outcomes_at(horizon, ends[mixed], event[mixed]))
    assert 0 <= found.brier.value <= 1
    assert other.brier == pytest.approx(found.brier, nan_ok=True)


# --- integrated ----------------------------------------------------------------------------------


def test_integrated_brier_leaves_out_times_that_nobody_reaches():
    ends, event, x = drawn(2)
    times = np.array([10.0, 20.0, 10_000.0])
    found = integrated_brier(true_survival(x, times), times, ends, event)
    expected = "1 of 3 times left out: nobody is followed past 20"
    if not event[np.argmax(ends)]:
        assert found.note == expected
    short = integrated_brier(true_survival(x, times[:2]), times[:2], ends, event)
    assert short.integrated.value == pytest.approx(np.mean(short.brier))
    assert short.skill == pytest.approx(1 - short.integrated.value / short.reference)


def test_integrated_brier_of_the_truth_beats_the_curve_of_all_with_late_entry():
    rng = np.random.default_rng(8)
    ends, event, x = drawn(8, 4000)
    entry = np.where(rng.random(4000) < 0.5, rng.integers(1, 40, 4000), 0).astype(float)
    seen = entry < ends
    ends, event, x, entry = ends[seen], event[seen], x[seen], entry[seen]
    times = np.arange(5.0, 80.0, 5.0)
    given = true_survival(x, times) / np.exp(-np.exp(x) * entry / 60)[:, None]
    found = integrated_brier(np.minimum(given, 1), times, ends, event, entry=entry)
    assert found.integrated.low < found.integrated.value < found.integrated.high
    assert found.skill > 0.1


@pytest.mark.parametrize("rows", [0, 1])
def test_integrated_brier_of_nothing_is_unknown(rows):
    survival, ends = np.full((rows, 2), 0.5), np.full(rows, 1.0)
    found = integrated_brier(survival, [3, 4], ends, np.zeros(rows, bool))
    assert np.isnan(found.integrated).all()
    assert found.note == "nobody is followed to any of the times"


def test_integrated_brier_refuses_shapes_that_do_not_fit():
    with pytest.raises(InputError, match="rows × increasing times"):
        integrated_brier(np.ones((2, 2)), [3, 3], [1, 2], [True, True])
