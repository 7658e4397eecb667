"""Calibration against statsmodels, lifelines, by hand and by simulation."""

import numpy as np
import pytest
import statsmodels.api as sm

from csa.errors import InputError
from csa.methods.calibration import (
    calibration_error,
    calibration_line,
    calibration_table,
    equal_groups,
)
from csa.methods.d_calibration import d_calibration
from csa.methods.intervals import wilson
from csa.methods.outcomes import known_outcomes, outcomes_at
from csa.methods.recalibration import fitted_rates, log_odds
from csa.methods.resampling import Resampler


def world(seed, n=2000, *, stretch=1.0, shift=0.0):
    """Risks and outcomes; the risks are stretched and shifted on the scale of log odds."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1.2, 1.1, n)
    happened = rng.random(n) < 1 / (1 + np.exp(-x))
    return 1 / (1 + np.exp(-(stretch * x + shift))), happened


def test_slope_and_intercept_equal_statsmodels():
    p, y = world(1, stretch=1.4, shift=0.3)
    found = calibration_line(p, known_outcomes(y))
    x = np.log(p / (1 - p))
    peer = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit()
    assert found.slope.value == pytest.approx(peer.params[1], abs=1e-7)
    assert [found.slope.low, found.slope.high] == pytest.approx(peer.conf_int()[1], abs=1e-5)
    large = sm.GLM(y, np.ones_like(x), family=sm.families.Binomial(), offset=x).fit()
    assert found.intercept.value == pytest.approx(large.params[0], abs=1e-7)
    limits = [found.intercept.low, found.intercept.high]
    assert limits == pytest.approx(large.conf_int()[0], abs=1e-5)
    assert found.reason == ""


@pytest.mark.slow
def test_true_risks_have_slope_one_and_intercept_zero_in_95_percent():
    hits = []
    for seed in range(300):
        found = calibration_line(*_given(world(seed, 400)))
        hits.append([found.slope.low <= 1 <= found.slope.high, *_holds(found.intercept, 0)])
    assert np.mean(hits, axis=0) == pytest.approx([0.95, 0.95], abs=0.03)


def _given(pair):
    return pair[0], known_outcomes(pair[1])


def _holds(estimate, value):
    return [estimate.low <= value <= estimate.high]


def test_copies_of_rows_make_no_interval_narrower():
    p, y = world(3, 500)
    once = calibration_line(p, known_outcomes(y), clusters=np.arange(500))
    copies = calibration_line(
        np.repeat(p, 3), known_outcomes(np.repeat(y, 3)), clusters=np.repeat(np.arange(500), 3)
    )
    assert copies.slope == pytest.approx(once.slope, abs=1e-6)
    assert copies.intercept == pytest.approx(once.intercept, abs=1e-6)
    plain = calibration_line(p, known_outcomes(y))
    assert once.slope.low == pytest.approx(plain.slope.low, abs=0.06)


def test_weights_for_censoring_recover_the_line():
    """Risks at 60 days, a third lost before: slope and intercept as without loss, within error."""
    rng = np.random.default_rng(5)
    n = 6000
    hazard = np.exp(rng.normal(-4.5, 0.8, n))
    life, leave = rng.exponential(1 / hazard), rng.exponential(140, n)
    found = calibration_line(
        1 - np.exp(-60 * hazard), outcomes_at(60, np.minimum(life, leave), life <= leave)
    )
    assert _holds(found.slope, 1) == _holds(found.intercept, 0) == [True]
    assert found.slope.high - found.slope.low < 0.35


@pytest.mark.parametrize(
    ("p", "y", "reason"),
    [
        ([], [], "all known outcomes are alike"),
        ([0.2, 0.3], [True, True], "all known outcomes are alike"),
        ([0.2, 0.2, 0.2], [True, False, False], "all risks are alike"),
        ([0.1, 0.2, 0.8, 0.9], [False, False, True, True], "the risks separate"),
    ],
)
def test_where_there_is_no_line_the_reason_says_so(p, y, reason):
    found = calibration_line(p, known_outcomes(y))
    assert np.isnan(found.slope).all()
    assert found.reason.startswith(reason)


def test_constant_risk_has_an_intercept_all_the_same():
    found = calibration_line([0.5] * 40, known_outcomes([True] * 10 + [False] * 30))
    assert found.intercept.value == pytest.approx(np.log(1 / 3))
    assert found.intercept.low < found.intercept.value < found.intercept.high


@pytest.mark.parametrize("p", [[0.5, 1.2], [0.5, np.nan], [0.5]])
def test_calibration_refuses_what_is_no_probability(p):
    with pytest.raises(InputError, match="calibration: 1 probabilities"):
        calibration_line(p, known_outcomes([True, False]))


# --- integrated calibration index ----------------------------------------------------------------


@pytest.mark.slow
def test_calibration_error_is_the_mean_distance_to_the_true_rate():
    """200,000 risks that are too extreme: ICI and percentiles of |p - true rate|, to 0.3 points."""
    p, y = world(7, 200_000, stretch=1.5, shift=0.2)
    true = 1 / (1 + np.exp(-(log_odds(p) - 0.2) / 1.5))
    off = np.abs(p - true)
    found = calibration_error(p, known_outcomes(y))
    assert found.mean.value == pytest.approx(off.mean(), abs=3e-3)
    assert found.median == pytest.approx(np.median(off), abs=3e-3)
    assert found.high == pytest.approx(np.quantile(off, 0.9), abs=6e-3)
    assert calibration_error(*_given(world(7, 200_000))).mean.value < 4e-3


@pytest.mark.slow
@pytest.mark.parametrize(("stretch", "shift"), [(1, 0), (1.5, 0.2), (1, 0.1)])
def test_limits_of_the_calibration_error_cover_the_truth(stretch, shift):
    """200 worlds of 800 rows, right and wrong risks: 95 % limits hold the truth in 91 to 100 %."""
    p, _ = world(0, 300_000, stretch=stretch, shift=shift)
    truth = np.abs(p - 1 / (1 + np.exp(-(log_odds(p) - shift) / stretch))).mean()
    hits = []
    for seed in range(1, 201):
        p, y = world(seed, 800, stretch=stretch, shift=shift)
        draws = Resampler(np.arange(800), np.random.default_rng(seed), replicates=200)
        hits += _holds(calibration_error(p, known_outcomes(y), draws).mean, truth)
    assert np.mean(hits) >= 0.91


def test_limits_of_the_calibration_error_hold_zero_only_for_right_risks():
    draws = Resampler(np.arange(2000), np.random.default_rng(1), replicates=200)
    right = calibration_error(*_given(world(2)), draws).mean
    wrong = calibration_error(*_given(world(2, stretch=1.6, shift=0.3)), draws).mean
    assert (right.low, right.high > right.value) == (0, True)
    assert 0 < wrong.low < wrong.value < wrong.high


@pytest.mark.parametrize(
    ("p", "y"),
    [
        ([0.3], [True]),
        ([0.3] * 5, [True, False, False, False, False]),
        ([0.1, 0.2, 0.8, 0.9], [False, False, True, True]),
        ([0.0, 0.0, 1.0, 1.0], [True, False, True, False]),
        (np.linspace(0, 1, 200), np.linspace(0, 1, 200) > 0.5),
        (np.linspace(0, 1, 200), np.zeros(200, bool)),
    ],
)
def test_calibration_error_is_finite_at_the_edges(p, y):
    draws = Resampler(np.arange(len(p)), np.random.default_rng(0), replicates=50)
    found = calibration_error(p, known_outcomes(y), draws)
    assert 0 <= found.mean.value <= 1
    assert 0 <= found.median <= found.high <= 1


def test_calibration_error_of_nothing_is_unknown():
    found = calibration_error([], known_outcomes([]))
    assert np.isnan([*found.mean, found.median, found.high]).all()


def test_fitted_rates_equal_statsmodels_for_several_fits_at_once():
    rng = np.random.default_rng(2)
    design = np.column_stack([np.ones(300), rng.normal(size=(300, 2))])
    weight = rng.integers(1, 5, (3, 300)).astype(float)
    events = rng.binomial(weight.astype(int), 0.3).astype(float)
    found = fitted_rates(design, events, weight)
    for i in range(3):
        ends = np.column_stack([events[i], weight[i] - events[i]])
        peer = sm.GLM(ends, design, family=sm.families.Binomial()).fit()
        assert found[i] == pytest.approx(peer.fittedvalues, abs=1e-4)


# --- table by tenths -----------------------------------------------------------------------------


def test_table_has_wilson_limits_and_equal_tenths():
    p, y = world(9, 1000)
    found = calibration_table(p, known_outcomes(y))
    assert found.n.tolist() == [100] * 10
    order = np.argsort(p)
    for i, rows in enumerate(np.split(order, 10)):
        share = wilson(y[rows].sum(), 100)
        ours = [found.observed[i], found.ci_low[i], found.ci_high[i]]
        assert ours == pytest.approx([float(x) for x in share], abs=1e-12)
        assert found.predicted[i] == pytest.approx(p[rows].mean())
        assert found.events[i] == y[rows].sum()


def test_equal_risks_stay_in_one_group():
    found = calibration_table([0.2] * 30 + [0.4] * 10, known_outcomes([False] * 40))
    assert found.n.tolist() == [30, 10]
    assert found.predicted == pytest.approx([0.2, 0.4])
    assert len(calibration_table([], known_outcomes([])).n) == 0
    assert equal_groups(np.empty(0), np.empty(0), 5)[1] == 0


# --- D-calibration -------------------------------------------------------------------------------


def test_d_calibration_matches_the_definition():
    """Haider et al. (2020), section 3.5, row by row: events in their bin, censored shared out."""
    rng = np.random.default_rng(0)
    s, event = rng.random(80), rng.random(80) < 0.6
    counts = np.zeros(10)
    for value, died in zip(s, event, strict=True):
        place = min(int(value * 10), 9)
        if died:
            counts[place] += 1
        else:
            counts[place] += (value - place / 10) / value
            counts[:place] += 0.1 / value
    found = d_calibration(s, event)
    assert found.counts == pytest.approx(counts, abs=1e-9)
    assert found.statistic == pytest.approx(((counts - 8) ** 2 / 8).sum())
    assert found.counts.sum() == pytest.approx(80)
    assert found.df == 9


def test_d_calibration_rejects_true_curves_in_5_percent_and_wrong_ones_always():
    rng = np.random.default_rng(1)
    rejected = [
        d_calibration(rng.random(300), np.ones(300, bool)).p_value < 0.05 for _ in range(600)
    ]
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.025)
    assert d_calibration(rng.random(300) ** 2, np.ones(300, bool)).p_value < 1e-6


def test_d_calibration_with_censoring_is_conservative():
    """Haider's test spreads the censored out, so its statistic is too small rather than too big."""
    rng = np.random.default_rng(2)
    rejected = []
    for _ in range(300):
        life, leave = rng.exponential(size=300), rng.exponential(size=300)
        survival = np.exp(-np.minimum(life, leave))
        rejected.append(d_calibration(survival, life <= leave).p_value < 0.05)
    assert np.mean(rejected) < 0.05


def test_d_calibration_needs_fifty_rows():
    found = d_calibration([0.5] * 49, [True] * 49)
    assert np.isnan([found.statistic, found.p_value]).all()
    assert found.reason == "49 rows: the test needs 50"
    assert d_calibration([0.0], [False]).counts[0] == 1
    assert np.isnan(d_calibration([], []).p_value)


def test_d_calibration_refuses_what_is_no_share():
    with pytest.raises(InputError, match="survival is a share"):
        d_calibration([1.2], [True])
