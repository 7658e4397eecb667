"""AUC, precision, recall and what a ranking can reach, against scikit-learn, SurPyval, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from surpyval.metrics import auc_td

from csa.errors import InputError
from csa.methods.binormal import auc_needed, precision_at, trials_needed
from csa.methods.discrimination import auc, flagged
from csa.methods.intervals import wilson
from csa.methods.mann_whitney import hanley_mcneil_error, newcombe_auc, rank_interval
from csa.methods.outcomes import known_outcomes, outcomes_along
from csa.methods.ranking import (
    average_precision,
    best_f1,
    best_precision,
    best_recall,
    caught_at,
    precision_of,
    ranking,
    threshold_for_precision,
    threshold_for_recall,
)
from csa.methods.resampling import Resampler, percentile_interval
from csa.methods.weighted_share import weighted_share


def scored(seed, n=300, *, ties=False):
    """Scores that say something about an outcome of one in five."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    event = rng.random(n) < 1 / (1 + np.exp(1.5 - score))
    return (np.round(score, 1) if ties else score), event


def delong(score, event):
    """Variance by the definition of DeLong et al., pair by pair."""
    cases, others = score[event], score[~event]
    psi = (cases[:, None] > others) + 0.5 * (cases[:, None] == others)
    parts = psi.mean(axis=1), psi.mean(axis=0)
    return psi.mean(), sum(x.var(ddof=1) / len(x) for x in parts)


# --- AUC -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ties", [False, True])
def test_auc_equals_scikit_learn_and_delong(seed, ties):
    score, event = scored(seed, ties=ties)
    found = auc(score, known_outcomes(event))
    value, variance = delong(score, event)
    assert found.value == pytest.approx(metrics.roc_auc_score(event, score), abs=1e-12)
    assert found.value == pytest.approx(value, abs=1e-12)
    odds = np.log(value / (1 - value))
    half = 1.959963985 * np.sqrt(variance) / (value * (1 - value))
    limits = [1 / (1 + np.exp(-odds + side * half)) for side in (1, -1)]
    assert [found.low, found.high] == pytest.approx(limits, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_time_dependent_auc_equals_surpyval(seed):
    """SurPyval 0.25 on continuous times, so that nobody is censored at a horizon; to 1e-12."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=500)
    life, leave = rng.exponential(60 * np.exp(-x)), rng.exponential(90, 500)
    ends, event, times = np.minimum(life, leave), life <= leave, [5, 20, 60]
    _, theirs = auc_td(ends, 1 - event.astype(int), x, times)
    ours = [auc(x, found).value for found in outcomes_along(times, ends, event)]
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_intervals_of_auc_cover_the_truth_also_in_small_samples():
    """1,000 worlds of 60 rows: the 95 % interval holds the AUC of 300,000 in 92 to 98 %."""
    truth = auc(*_given(scored(0, 300_000))).value
    found = [auc(*_given(scored(seed, 60))) for seed in range(1, 1001)]
    assert 0.92 <= np.mean([x.low <= truth <= x.high for x in found]) <= 0.98


def _given(pair):
    return pair[0], known_outcomes(pair[1])


def test_copies_of_rows_make_no_interval_narrower():
    score, event = scored(5)
    once = auc(score, known_outcomes(event))
    account = np.repeat(np.arange(300), 4)
    copies = auc(np.repeat(score, 4), known_outcomes(np.repeat(event, 4)), clusters=account)
    assert copies == pytest.approx(once, abs=1e-3)


@pytest.mark.parametrize("event", [[], [True], [False] * 5, [True] * 5])
def test_auc_needs_events_and_others(event):
    assert np.isnan(auc(np.arange(len(event)), known_outcomes(event))).all()


def test_perfect_order_and_constant_scores_have_honest_limits():
    """Newcombe's limits where nothing varies: five churners ranked rightly prove little."""
    event = np.array([True] * 5 + [False] * 20)
    found = auc(event.astype(float), known_outcomes(event))
    assert (found.value, found.high) == (1, 1)
    assert 0.7 < found.low < 0.9
    constant = auc(np.zeros(25), known_outcomes(event))
    assert constant.value == pytest.approx(0.5)
    assert constant.low < 0.4
    assert constant.high > 0.6
    single = auc([1, 2, 3, 4], known_outcomes([False, False, True, False]))
    assert single.value == pytest.approx(2 / 3)
    assert single.low < 0.3


def test_newcombe_limits_solve_their_equation():
    m, n, value = 12, 30, 0.8
    found = newcombe_auc(value, m, n)
    for limit in found[1:]:
        spread = limit * (1 - limit) / (m * n)
        spread *= 1 + 20 * ((1 - limit) / (2 - limit) + limit / (1 + limit))
        assert abs(limit - value) == pytest.approx(1.959963985 * np.sqrt(spread), rel=1e-6)


def test_limits_stay_within_zero_and_one():
    found = rank_interval(0.97, 0.03, (12, 30))
    assert 0.8 < found.low < 0.97 < found.high < 1
    assert rank_interval(1.0, 0.0, (12, 30)) == newcombe_auc(1.0, 12, 30)
    assert np.isnan(rank_interval(0.5, float("nan"), (0, 3)).low)
    sure = rank_interval(0.999, 0.5, (12, 30))
    assert 0 <= sure.low < sure.high <= 1


def test_auc_refuses_missing_scores():
    with pytest.raises(InputError, match="not every row has a score"):
        auc([1, np.nan], known_outcomes([True, False]))


# --- precision, recall, F1 -----------------------------------------------------------------------


def test_precision_recall_f1_equal_scikit_learn_with_wilson_limits():
    score, event = scored(7)
    picked = score > 0.5
    found = flagged(picked, known_outcomes(event))
    peers = (metrics.precision_score, metrics.recall_score, metrics.f1_score)
    ours = [found.precision.value, found.recall.value, found.f1.value]
    assert ours == pytest.approx([f(event, picked) for f in peers], abs=1e-12)
    hits = int((picked & event).sum())
    for share, n in ((found.precision, picked.sum()), (found.recall, event.sum())):
        assert list(share) == pytest.approx([float(x) for x in wilson(hits, n)], abs=1e-12)
    jaccard = wilson(hits, (picked | event).sum())
    limits = [2 * x / (1 + x) for x in jaccard]
    assert list(found.f1) == pytest.approx(limits, abs=1e-12)
    assert found.specificity.value == pytest.approx((~picked & ~event).sum() / (~event).sum())
    assert found.share.value == pytest.approx(picked.mean())


def test_limits_of_f1_cover_the_truth():
    """500 worlds of 200 rows: 95 % limits hold the F1 of 300,000 in 92 to 98 %."""

    def f1(seed, n):
        score, event = scored(seed, n)
        return flagged(score > 0.5, known_outcomes(event)).f1

    truth = f1(0, 300_000).value
    found = [f1(seed, 200) for seed in range(1, 501)]
    assert 0.92 <= np.mean([x.low <= truth <= x.high for x in found]) <= 0.98


def test_nobody_flagged_or_nobody_churned_leaves_shares_unknown():
    found = flagged([False, False], known_outcomes([True, False]))
    assert np.isnan(found.precision).all()
    assert (found.recall.value, found.f1.value) == (0, 0)
    assert np.isnan(flagged([True, False], known_outcomes([False, False])).recall).all()
    assert np.isnan(flagged([], known_outcomes([])).share).all()


def test_a_share_of_copies_is_as_sure_as_one_row_of_each():
    rng = np.random.default_rng(2)
    hit = rng.random(50) < 0.3
    everybody, account = np.ones(150, bool), np.repeat(np.arange(50), 3)
    once = wilson(hit.sum(), 50)
    copies = weighted_share(np.repeat(hit, 3), everybody, np.ones(150), clusters=account)
    assert list(copies) == pytest.approx([float(x) for x in once])
    certain = weighted_share(everybody, everybody, np.ones(150), clusters=account)
    assert list(certain) == pytest.approx([float(x) for x in wilson(50, 50)])


# --- ranking -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_equals_scikit_learn(ties):
    score, event = scored(11, ties=ties)
    found = ranking(score, known_outcomes(event))
    peer = metrics.average_precision_score(event, score)
    assert float(average_precision(found.flagged, found.caught)) == pytest.approx(peer, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_what_can_be_reached_equals_the_precision_recall_curve_of_scikit_learn(ties):
    score, event = scored(12, ties=ties)
    found = ranking(score, known_outcomes(event))
    precision, recall, _ = metrics.precision_recall_curve(event, score)
    precision, recall = precision[:-1], recall[:-1]  # without the point that flags nobody
    for aim in (0.2, 0.5, 0.8, 1.0):
        best = float(best_precision(found.flagged, found.caught, aim))
        assert best == pytest.approx(precision[recall >= aim].max(), abs=1e-12)
        reached = recall[precision >= aim]
        best = float(best_recall(found.flagged, found.caught, aim))
        assert best == pytest.approx(reached.max() if len(reached) else 0, abs=1e-12)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    chosen = best_f1(found)
    assert 2 / (1 / chosen.precision + 1 / chosen.recall) == pytest.approx(f1.max(), abs=1e-12)
    assert metrics.f1_score(event, score >= chosen.threshold) == pytest.approx(f1.max(), abs=1e-12)
    assert threshold_for_recall(found, 0.8).recall == pytest.approx(recall[recall >= 0.8].min())
    at = threshold_for_precision(found, 0.5)
    assert at.recall == pytest.approx(recall[precision >= 0.5].max(), abs=1e-12)


def test_a_capacity_that_ends_within_equal_scores_catches_its_part():
    found = ranking([2, 1, 1, 1, 1], known_outcomes([True, True, False, False, True]))
    assert caught_at(found, [0.2, 0.4, 0.6, 1.0]) == pytest.approx([1, 1.5, 2, 3])
    assert caught_at(found, 0) == 0


def test_without_events_nothing_can_be_reached():
    for found in (ranking([1, 2], known_outcomes([False, False])), ranking([], known_outcomes([]))):
        cumulated = found.flagged, found.caught
        assert np.isnan(average_precision(*cumulated))
        assert np.isnan(best_precision(*cumulated, 0.8))
        assert np.isnan(best_recall(*cumulated, 0.8))
        for chosen in (
            best_f1(found),
            threshold_for_recall(found, 0.8),
            threshold_for_precision(found, 0.8),
        ):
            assert np.isnan(chosen).all()
        assert np.isnan(found.recall).all()
    assert (found.total, found.events) == (0, 0)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.floats(0.05, 1))
def test_reaching_for_more_recall_never_raises_precision(seed, aim):
    score, event = scored(seed, 40, ties=seed % 2 == 0)
    found = ranking(score, known_outcomes(event))
    if found.events:
        best = best_precision(found.flagged, found.caught, aim)
        assert best <= best_precision(found.flagged, found.caught, aim / 2)
        assert found.events / found.total - 1e-12 <= best <= 1
        at = threshold_for_recall(found, aim)
        assert at.recall >= aim - 1e-12


def test_precision_of_nobody_is_unknown():
    assert np.isnan(precision_of(np.zeros(1), np.zeros(1)))[0]


# --- what targets need ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prevalence", "needed"), [(0.265, 0.960), (0.14, 0.978), (0.05, 0.990), (0.02, 0.995)]
)
def test_auc_needed_matches_the_binormal_table(prevalence, needed):
    """Precision 85 % at recall 80 %; simulated scores of that AUC reach it, to 1 point."""
    assert auc_needed(0.85, 0.80, prevalence) == pytest.approx(needed, abs=5e-4)
    rng = np.random.default_rng(3)
    event = rng.random(400_000) < prevalence
    distance = np.sqrt(2) * _normal_quantile(auc_needed(0.85, 0.80, prevalence))
    found = ranking(rng.normal(size=400_000) + distance * event, known_outcomes(event))
    best = float(best_precision(found.flagged, found.caught, 0.80))
    assert best == pytest.approx(0.85, abs=0.01)


def _normal_quantile(share):
    from scipy.stats import norm  # noqa: PLC0415

    return norm.ppf(share)


@pytest.mark.parametrize(("prevalence", "precision"), [(0.265, 0.87), (0.05, 0.50), (0.01, 0.16)])
def test_precision_of_one_rule_falls_with_prevalence(prevalence, precision):
    """Flags 95 % of events and 5 % of others: precision 87 %, 50 %, 16 %."""
    assert precision_at(0.95, 0.05, prevalence) == pytest.approx(precision, abs=5e-3)
    assert np.isnan(precision_at(0, 0, 0.1))


@pytest.mark.parametrize(
    ("observed", "target", "n"),
    [(0.85, 0.8, 246), (0.9, 0.8, 62), (0.82, 0.8, 1537), (0.9, 0.85, 196), (0.87, 0.85, 1225)],
)
def test_trials_needed_are_those_of_wilson(observed, target, n):
    """The claim gates: recall above 80 % needs 246 events if 85 % are observed, and so on."""
    assert trials_needed(observed, target) == n
    assert wilson(observed * n, n).low >= target
    assert wilson(observed * (n - 1), n - 1).low < target
    assert trials_needed(0.8, 0.8) == np.inf


@pytest.mark.parametrize("wrong", [0, 1, 85])
def test_auc_needed_refuses_what_is_no_share(wrong):
    with pytest.raises(InputError, match=r"write 0\.85 for 85 %"):
        auc_needed(wrong, 0.8, 0.2)
    assert auc_needed(0.2, 0.8, 0.3) == 0.5  # flagging everybody would do


def test_planning_error_is_hanley_and_mcneils():
    """500 accounts at 5 % churn: an AUC of 0.85 is known to plus or minus 0.096."""
    assert 1.959964 * hanley_mcneil_error(0.85, 25, 475) == pytest.approx(0.096, abs=5e-4)
    assert np.isnan(hanley_mcneil_error(0.85, 0, 475))


# --- resampling ----------------------------------------------------------------------------------


def test_bootstrap_by_account_has_the_spread_of_a_mean():
    rng = np.random.default_rng(0)
    n = 400
    values, account = np.repeat(rng.normal(size=n), 2), np.repeat(np.arange(n), 2)
    for groups in (1000, 200):
        drawn = Resampler(account, np.random.default_rng(1), replicates=4000, groups=groups)
        place = np.zeros(2 * n, int)
        totals = drawn.totals(place, 1, values)[:, 0] / drawn.totals(place, 1, np.ones(2 * n))[:, 0]
        expected = values[::2].std() / np.sqrt(n)
        assert totals.std() == pytest.approx(expected, rel=0.12)
    found = percentile_interval(values.mean(), totals)
    assert found.low < values.mean() < found.high


def test_a_generator_gives_the_same_draws_for_the_same_seed():
    account = np.arange(50)
    one, two = (Resampler(account, np.random.default_rng(9)) for _ in range(2))
    assert (one.draws == two.draws).all()
    assert (one.group == two.group).all()


def test_intervals_of_replicates_that_mostly_fail_have_no_limits():
    replicates = np.array([np.nan, np.nan, np.nan, 1.0])
    found = percentile_interval(0.5, replicates)
    assert found.value == 0.5
    assert np.isnan([found.low, found.high]).all()
    nobody = Resampler(np.empty(0, int), np.random.default_rng(0))
    assert (nobody.totals(np.empty(0, int), 3, np.empty(0)) == 0).all()


def test_percentiles_are_moved_with_the_estimate():
    replicates = np.linspace(0.1, 0.5, 1001)
    found = percentile_interval(0.3, replicates)
    assert (found.low, found.high) == pytest.approx((0.11, 0.49))
    moved = percentile_interval(0.5, replicates, centre=0.3)
    assert (moved.low, moved.high) == pytest.approx((0.31, 0.69))
