"""Parametric survival against R's survreg, SurPyval, the likelihood itself, and at the edges."""

import subprocess
import sys

import numpy as np
import pytest
import surpyval
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import WeibullAFTFitter
from lifelines.datasets import load_rossi
from lifelines.exceptions import ConvergenceError
from scipy import stats
from scipy.optimize import minimize

from csa.errors import InputError
from csa.methods.aft import (
    DISTRIBUTIONS,
    cumulative_hazard,
    fit_aft,
    lifetimes,
    table_lifetimes,
)
from csa.methods.lifetable import tabulate

TERMS = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
SHAPES = {"weibull": stats.gumbel_l, "lognormal": stats.norm, "loglogistic": stats.logistic}


def simulated(seed, n=400, *, whole_days=True):
    """Weibull lives of shape 0.8 and scale 400, some seen late, followed up to 1,200 days."""
    rng = np.random.default_rng(seed)
    life = 400 * rng.weibull(0.8, n)
    if whole_days:
        life = np.ceil(life)
    followed = rng.integers(1, 1200, n)
    entry = np.where(rng.random(n) < 0.3, rng.integers(0, 400, n), 0)
    time, event = np.minimum(life, followed), life <= followed
    seen = time > entry
    return time[seen], event[seen], entry[seen]


def log_likelihood(theta, times, distribution):
    """Sum over rows, by scipy's distributions of log time."""
    shape, location, scale = SHAPES[distribution], theta[0], np.exp(theta[1])

    def tail(at):
        return shape.logsf((np.log(np.maximum(at, 1e-12)) - location) / scale)

    within = times.event & (times.after < times.time)
    exact = times.event & ~within
    z = (np.log(times.time) - location) / scale
    value = np.where(exact, shape.logpdf(z) - np.log(scale * times.time), tail(times.time))
    with np.errstate(divide="ignore"):
        part = np.log(np.exp(tail(times.after)) - np.exp(tail(times.time)))
    value = np.where(within, part, value) - np.where(times.entry > 0, tail(times.entry), 0)
    return float(times.copies @ value)


# --- published figures ---------------------------------------------------------------------------


@pytest.mark.slow
def test_weibull_of_rossi_matches_r():
    """R survreg(Surv(week, arrest) ~ ..., dist = "weibull"), printed to 7 decimals."""
    rossi = load_rossi()
    fit = fit_aft(
        lifetimes(rossi["week"], rossi["arrest"]), "weibull", design=rossi[TERMS], names=TERMS
    )
    printed = [
        (3.9901348, 0.4190952),
        (0.2721634, 0.1379619),
        (0.0407138, 0.0160036),
        (-0.2248024, 0.2201589),
        (0.1065566, 0.1515410),
        (0.3112733, 0.2733022),
        (0.0588273, 0.1396382),
        (-0.0658169, 0.0209406),
        (-0.3391082, 0.0890267),
    ]
    estimates = [*fit.coefficients, fit.log_scale]
    assert estimates == pytest.approx([e for e, _ in printed], abs=6e-8)
    assert fit.std_error == pytest.approx([e for _, e in printed], abs=6e-8)
    assert np.exp(fit.log_scale) == pytest.approx(0.712405, abs=5e-7)
    assert fit.names[:2] == ("(Intercept)", "fin")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("distribution", "model", "null"),
    [
        ("weibull", -679.916564, -696.624397),
        ("lognormal", -683.234625278, -697.910424778),
        ("loglogistic", -679.938411053, -696.674468693),
    ],
)
def test_log_likelihoods_of_rossi_match_r(distribution, model, null):
    """R survreg(...)$loglik, with the seven terms and with the intercept alone."""
    rossi = load_rossi()
    times = lifetimes(rossi["week"], rossi["arrest"])
    fit = fit_aft(times, distribution, design=rossi[TERMS])
    assert fit.log_likelihood == pytest.approx(model, abs=6e-7)
    assert fit.aic == pytest.approx(2 * 9 - 2 * model, abs=2e-6)
    assert fit_aft(times, distribution).log_likelihood == pytest.approx(null, abs=6e-7)


# --- peers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.slow
def test_late_entry_equals_surpyval(distribution):
    time, event, entry = simulated(1, whole_days=False)
    fit = fit_aft(lifetimes(time, event, entry=entry), distribution)
    peers = {
        "weibull": surpyval.Weibull,
        "lognormal": surpyval.LogNormal,
        "loglogistic": surpyval.LogLogistic,
    }
    other = peers[distribution].fit(x=time, c=(~event).astype(int), tl=entry.astype(float))
    ages = np.array([30.0, 200.0, 900.0, 3000.0])
    mine = np.exp(-cumulative_hazard(fit, ages)[0])
    assert mine == pytest.approx(other.sf(ages), abs=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("resolution", [0.0, 1.0])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_estimates_are_at_the_top_of_the_likelihood(distribution, resolution):
    time, event, entry = simulated(2)
    times = lifetimes(time, event, entry=entry, resolution=resolution)
    fit = fit_aft(times, distribution)
    theta = np.array([fit.coefficients[0], fit.log_scale])
    value = log_likelihood(theta, times, distribution)
    assert fit.log_likelihood == pytest.approx(value, abs=1e-6)
    top = minimize(lambda x: -log_likelihood(x, times, distribution), theta, method="Nelder-Mead")
    assert -top.fun == pytest.approx(value, abs=1e-5)
    step = 1e-3 * np.eye(2)  # the information from differences of the log-likelihood
    bend = np.array(
        [
            [
                log_likelihood(theta + a + b, times, distribution)
                - log_likelihood(theta + a - b, times, distribution)
                - log_likelihood(theta - a + b, times, distribution)
                + log_likelihood(theta - a - b, times, distribution)
                for a in step
            ]
            for b in step
        ]
    ) / (4 * 1e-6)
    assert fit.covariance == pytest.approx(np.linalg.inv(-bend), rel=1e-3, abs=1e-6)


@pytest.mark.slow
def test_whole_days_are_taken_as_such():
    """Rounding up is a bias of the shape that the resolution takes away."""
    time, event, entry = simulated(3, n=20_000)
    rounded = fit_aft(lifetimes(time, event, entry=entry), "weibull")
    aware = fit_aft(lifetimes(time, event, entry=entry, resolution=1), "weibull")
    truth, error = -np.log(0.8), aware.std_error[-1]
    assert aware.log_scale == pytest.approx(truth, abs=2.5 * error)
    assert aware.log_scale - rounded.log_scale > error
    assert aware.coefficients[0] == pytest.approx(np.log(400), abs=2.5 * aware.std_error[0])


# --- counts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", [0.0, 1.0])
def test_a_life_table_gives_the_fit_of_its_spells(resolution):
    time, event, entry = simulated(4, n=1500)
    rows = lifetimes(time, event, entry=entry, resolution=resolution)
    few = table_lifetimes(tabulate(time, event, entry=entry), resolution=resolution)
    assert few.copies.sum() == len(time)
    one, other = fit_aft(rows, "weibull"), fit_aft(few, "weibull")
    assert other.coefficients == pytest.approx(one.coefficients, abs=1e-6)
    assert other.covariance == pytest.approx(one.covariance, rel=1e-4)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-6)
    assert (other.n, other.events) == (one.n, one.events)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(1, 9), st.booleans()), min_size=1, max_size=40
    ),
    st.sampled_from([0.0, 1.0]),
)
def test_matching_entries_and_ends_keeps_the_likelihood(rows, resolution):
    entry = np.array([e for e, _, _ in rows], dtype=float)
    time = entry + [d for _, d, _ in rows]
    event = np.array([x for _, _, x in rows])
    full = lifetimes(time, event, entry=entry, resolution=resolution)
    few = table_lifetimes(tabulate(time, event, entry=entry), resolution=resolution)
    assert (few.entry < few.time).all()
    for distribution in DISTRIBUTIONS:
        values = [log_likelihood([1.2, 0.3], x, distribution) for x in (full, few)]
        assert values[0] == pytest.approx(values[1], rel=1e-9)


# --- what a fit says -----------------------------------------------------------------------------


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_hazards_and_slopes_are_those_of_the_distribution(distribution):
    rossi = load_rossi()
    times = lifetimes(rossi["week"], rossi["arrest"])
    fit = fit_aft(times, distribution, design=rossi[["age"]])
    ages = np.array([0.0, 1.0, 52.0, 500.0])
    value, slopes = cumulative_hazard(fit, ages, [30])
    location, scale = fit.coefficients @ [1, 30], np.exp(fit.log_scale)
    expected = -SHAPES[distribution].logsf((np.log(ages[1:]) - location) / scale)
    assert value[0] == 0
    assert slopes[0].tolist() == [0, 0, 0]
    assert value[1:] == pytest.approx(expected, rel=1e-9)
    theta = np.array([*fit.coefficients, fit.log_scale])
    for i, step in enumerate(1e-6 * np.eye(3)):
        moved = [
            type(fit)(
                distribution=distribution,
                coefficients=x[:2],
                log_scale=x[2],
                covariance=fit.covariance,
                log_likelihood=0.0,
                n=0.0,
                events=0.0,
                names=fit.names,
                converged=True,
            )
            for x in (theta + step, theta - step)
        ]
        up, down = (cumulative_hazard(x, ages, [30])[0] for x in moved)
        assert slopes[:, i] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-8)


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"time": [1, -1, np.nan], "event": [1, 1, 1]}, "2 rows have a missing or negative end"),
        ({"time": [5, 5], "event": [1, 1], "entry": [5, 2]}, "1 rows enter at or after"),
        ({"time": [0, 5], "event": [1, 1]}, "1 rows end at 0 by the event"),
    ],
)
def test_impossible_times_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        lifetimes(given.pop("time"), given.pop("event"), **given)


def test_ends_on_the_first_day_count_with_a_resolution():
    times = lifetimes([0, 0, 3], [1, 0, 1], resolution=1)
    assert times.time.tolist() == [0.5, 3]
    assert times.after.tolist() == [1e-4, 2]


def test_no_event_and_unknown_distributions_are_refused():
    with pytest.raises(InputError, match="no event"):
        fit_aft(lifetimes([1, 2], [0, 0]), "weibull")
    with pytest.raises(InputError, match="is none of"):
        fit_aft(lifetimes([1, 2], [1, 0]), "gamma")


def test_columns_that_say_nothing_are_named():
    design = np.column_stack([np.arange(9), np.full(9, 2.0)])
    with pytest.raises(InputError, match="flat is a combination of the constant"):
        fit_aft(
            lifetimes(np.arange(1, 10), np.ones(9)), "weibull", design=design, names=["b", "flat"]
        )


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("times", [([4.0], [1]), ([4.0, 4.0], [1, 1])])
def test_what_has_no_top_is_said(times, distribution):
    """All at one time: the likelihood grows without end as the scale shrinks."""
    fit = fit_aft(lifetimes(*times), distribution)
    assert np.isfinite(fit.coefficients).all() == fit.converged
    assert bool(fit.reason) != fit.converged


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), [("NEAR", 0.0), ("LAST_STEPS", 0)])
def test_a_stop_away_from_the_top_is_no_estimate(monkeypatch, name, value):
    monkeypatch.setattr(f"csa.methods.aft.lifelines.{name}", value)
    fit = fit_aft(lifetimes([1, 2, 3, 9], [1, 1, 0, 1]), "weibull")
    assert not fit.converged
    assert fit.reason == "lifelines finds no top of the weibull likelihood"


def test_a_fit_that_lifelines_gives_up_is_no_estimate(monkeypatch):
    def gives_up(*_, **__):
        raise ConvergenceError("no top")

    monkeypatch.setattr(WeibullAFTFitter, "fit_interval_censoring", gives_up)
    assert not fit_aft(lifetimes([1, 2, 3, 9], [1, 1, 0, 1]), "weibull").converged


@pytest.mark.slow
@pytest.mark.parametrize("spread", [-1.0, np.nan])
def test_an_impossible_covariance_is_no_estimate(monkeypatch, spread):
    fit = WeibullAFTFitter.fit_interval_censoring

    def spoilt(*given, **options):
        model = fit(*given, **options)
        model.variance_matrix_ *= spread
        return model

    monkeypatch.setattr(WeibullAFTFitter, "fit_interval_censoring", spoilt)
    assert not fit_aft(lifetimes([1, 2, 3, 9], [1, 1, 0, 1]), "weibull").converged


@pytest.mark.slow
def test_lifelines_leaves_no_trace():
    """Importing and fitting changes neither numpy's errors nor the filters of warnings."""
    code = (
        "import warnings, numpy as np, sys\n"
        "warnings.simplefilter('error')\n"
        "from csa.methods.aft import fit_aft, lifetimes\n"
        "assert 'lifelines' not in sys.modules\n"
        "before = np.geterr(), list(warnings.filters)\n"
        "fit_aft(lifetimes([1, 2, 3, 9], [1, 1, 0, 1]), 'weibull')\n"
        "assert before == (np.geterr(), list(warnings.filters))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
