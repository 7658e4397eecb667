"""Binomial regression against statsmodels, by its properties, and at the edges."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.binomial import fit_binomial, linear_predictor
from csa.methods.links import derivatives, linear, probability

LINKS = ["logit", "cloglog"]
LINK_CLASSES = {"logit": sm.families.links.Logit, "cloglog": sm.families.links.CLogLog}


def family(link):
    """Family of statsmodels; a new one each time, since it keeps the trials of its last fit."""
    return sm.families.Binomial(link=LINK_CLASSES[link]())


def simulated(seed, rows=80, columns=4):
    """Make grouped counts with an intercept and columns of different size."""
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(rows, columns)) * [1, 10, 0.1, 2][:columns]
    design[:, 0] = 1
    design[:, -1] = rng.random(rows) < 0.3
    trials = rng.integers(1, 60, rows)
    eta = design @ np.array([-2.0, 0.05, 3.0, 0.7])[:columns]
    return design, rng.binomial(trials, 1 / (1 + np.exp(-eta))), trials


def peer(design, successes, trials, link):
    """Fit of statsmodels by iteratively reweighted least squares."""
    counts = np.column_stack([successes, trials - successes])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sm.GLM(counts, design, family=family(link)).fit(tol=1e-14, maxiter=200)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("seed", range(3))
def test_fit_equals_statsmodels(link, seed):
    design, successes, trials = simulated(seed)
    fit, other = fit_binomial(design, successes, trials, link=link), peer(*simulated(seed), link)
    assert fit.converged
    assert fit.reason == ""
    assert fit.coefficients == pytest.approx(other.params, rel=1e-8, abs=1e-10)
    assert fit.std_error == pytest.approx(other.bse, rel=1e-8)
    assert fit.covariance == pytest.approx(other.cov_params(), rel=1e-7, abs=1e-12)
    assert (fit.n, fit.events) == (trials.sum(), successes.sum())


@pytest.mark.parametrize("link", LINKS)
def test_log_likelihood_is_that_of_single_trials(link):
    design, successes, trials = simulated(5, rows=30)
    one = np.repeat(design, trials, axis=0)
    outcome = np.concatenate(
        [np.r_[np.ones(k), np.zeros(n - k)] for k, n in zip(successes, trials, strict=True)]
    )
    fit = fit_binomial(design, successes, trials, link=link)
    single = fit_binomial(one, outcome, np.ones(len(one)), link=link)
    other = sm.GLM(outcome, one, family=family(link)).fit(tol=1e-14)
    assert fit.log_likelihood == pytest.approx(other.llf, rel=1e-10)
    assert fit.aic == pytest.approx(other.aic, rel=1e-10)
    assert single.log_likelihood == pytest.approx(other.llf, rel=1e-10)
    assert single.coefficients == pytest.approx(fit.coefficients, rel=1e-8)
    assert single.covariance == pytest.approx(fit.covariance, rel=1e-7)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("kind", [int, str])
def test_clustered_covariance_equals_statsmodels(link, kind):
    """The correction for the number of columns is off in statsmodels: G / (G - 1) is ours."""
    design, successes, trials = simulated(7)
    rng = np.random.default_rng(0)
    account = rng.integers(0, 25, len(design))
    outcome = (successes > trials / 4).astype(float)
    keys = np.array([kind(a) for a in account])
    fit = fit_binomial(design, outcome, np.ones(len(design)), link=link, clusters=keys)
    other = sm.GLM(outcome, design, family=family(link)).fit(
        tol=1e-14, cov_type="cluster", cov_kwds={"groups": account, "use_correction": False}
    )
    many = len(set(account))
    assert fit.covariance == pytest.approx(other.cov_params() * many / (many - 1), rel=1e-7)


def test_ridge_equals_rows_that_say_the_same():
    """Its slope is λ times the coefficient, and it holds what the data leave undetermined."""
    design, successes, trials = simulated(11)
    twice = np.column_stack([design, design[:, 1]])
    penalty = np.array([0, 0.5, 0.5, 0.5, 0.5])
    fit = fit_binomial(twice, successes, trials, ridge=penalty)
    rates = probability(twice @ fit.coefficients, "logit")
    slope = twice.T @ (successes - trials * rates)
    assert slope == pytest.approx(penalty * fit.coefficients, abs=1e-6)
    assert fit.coefficients[1] == pytest.approx(fit.coefficients[4], abs=1e-9)
    information = (twice.T * (trials * rates * (1 - rates))) @ twice
    assert fit.covariance == pytest.approx(
        np.linalg.inv(information + np.diag(penalty)), rel=1e-6, abs=1e-12
    )


def test_a_good_start_saves_steps_and_changes_nothing():
    design, successes, trials = simulated(13)
    fit = fit_binomial(design, successes, trials)
    again = fit_binomial(design, successes, trials, start=fit.coefficients)
    assert again.iterations < fit.iterations
    assert again.coefficients == pytest.approx(fit.coefficients, rel=1e-9)


@pytest.mark.parametrize("link", LINKS)
def test_a_rate_is_its_own_estimate(link):
    """One column of ones: the estimate is the link of the rate, in closed form."""
    fit = fit_binomial([[1.0], [1.0]], [3, 4], [10, 60], link=link)
    assert fit.coefficients[0] == pytest.approx(float(linear(0.1, link)), rel=1e-12)
    predictor, error = linear_predictor(fit, [[1.0]])
    assert probability(predictor, link) == pytest.approx([0.1])
    assert error == pytest.approx(fit.std_error)


@pytest.mark.parametrize("start", [[20.0, -30.0], [-25.0, 5.0], [1000.0, 0.0], [0.0, 1e6]])
@pytest.mark.parametrize("link", LINKS)
def test_a_bad_start_ends_at_the_same_top(link, start):
    design = np.column_stack([np.ones(50), np.linspace(-1, 1, 50)])
    counts = np.tile([1, 2, 0, 3, 4], 10)
    good = fit_binomial(design, counts, np.full(50, 20), link=link)
    bad = fit_binomial(design, counts, np.full(50, 20), link=link, start=start)
    assert bad.converged
    assert bad.coefficients == pytest.approx(good.coefficients, abs=1e-8)


# --- what cannot be fitted is said ---------------------------------------------------------------


def test_collinear_and_empty_columns_are_named_all_at_once():
    design, successes, trials = simulated(17)
    wide = np.column_stack([design, np.zeros(len(design)), design[:, 1] - 2 * design[:, 3]])
    names = ["intercept", "seats", "usage", "annual", "never", "mix"]
    with pytest.raises(InputError) as error:
        fit_binomial(wide, successes, trials, names=names)
    empty, mixed = error.value.faults
    assert "never is 0 in all rows" in empty
    assert "mix is a combination of seats, annual in" in mixed


def test_a_constant_column_beside_an_intercept_is_named():
    design, successes, trials = simulated(19)
    with pytest.raises(InputError, match="column 4 is a combination of column 0"):
        fit_binomial(np.column_stack([design, np.full(len(design), 7.0)]), successes, trials)


def test_columns_known_only_in_rows_without_trials_are_named():
    design = np.column_stack([np.ones(4), [0, 0, 0, 1]])
    with pytest.raises(InputError, match="column 1 is 0 in all rows"):
        fit_binomial(design, [1, 0, 2, 0], [3, 3, 3, 0])


def test_more_columns_than_rows_is_said():
    with pytest.raises(InputError, match="column 2 is a combination"):
        fit_binomial(np.eye(3)[:2] + 1, [1, 1], [3, 3])


def test_dates_as_numbers_are_not_taken_for_constants():
    days = np.arange(19_700, 19_760, dtype=float)
    design = np.column_stack([np.ones(60), days])
    assert fit_binomial(design, np.tile([1, 2], 30), np.full(60, 9)).converged


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("everybody", [False, True])
def test_separation_is_said_and_figures_stay_finite(link, everybody):
    design = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1]])
    trials = np.full(6, 40)
    successes = np.array([4, 6, 5, 0, 0, 0]) + 40 * everybody * design[:, 1]
    fit = fit_binomial(design, successes, trials, link=link, names=["one", "free plan", "b"])
    assert not fit.converged
    assert fit.separated == (1,)
    assert "free plan: divides" in fit.reason
    assert np.isfinite(fit.coefficients).all()
    assert np.isfinite(fit.covariance).all()
    kept = fit_binomial(design[:3, [0, 2]], successes[:3], trials[:3], link=link)
    assert fit.coefficients[[0, 2]] == pytest.approx(kept.coefficients, abs=1e-6)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("successes", [0, 5])
def test_nobody_or_everybody_is_separation(link, successes):
    fit = fit_binomial(np.ones((3, 1)), [successes] * 3, [5] * 3, link=link)
    assert not fit.converged
    assert fit.separated == (0,)
    assert np.isfinite(fit.std_error).all()
    assert fit.log_likelihood == pytest.approx(0, abs=1e-8)


def test_a_ridge_ends_separation():
    fit = fit_binomial([[1.0, 0.0], [1.0, 1.0]], [3, 0], [9, 9], ridge=[0, 1])
    assert fit.converged
    assert -4 < fit.coefficients[1] < 0


def test_a_million_rare_events_converge():
    design = np.column_stack([np.ones(3), [0, 1, 0], [0, 0, 1]])
    fit = fit_binomial(design, [10, 1, 1], [10_000_000, 900_000, 5])
    assert fit.converged
    assert fit.coefficients[0] == pytest.approx(float(linear(1e-6, "logit")), rel=1e-9)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"successes": [1, 4]}, "1 rows have successes"),
        ({"successes": [-1, 0]}, "1 rows have successes"),
        ({"successes": [np.nan, 0]}, "1 rows have successes"),
        ({"trials": [0, 0], "successes": [0, 0]}, "no trials"),
        ({"trials": [3]}, "not one size"),
        ({"ridge": -1}, "ridge must be"),
        ({"ridge": [1, 1, 1]}, "ridge must be"),
        ({"link": "probit"}, "neither"),
        ({"design": [[1, np.nan], [1, 1]]}, "finite numbers"),
        ({"names": ["a"]}, "1 names for 2 columns"),
        ({"clusters": [1]}, "one key per row"),
    ],
)
def test_impossible_input_is_refused(changed, message):
    given = {"design": [[1, 0], [1, 1]], "successes": [1, 2], "trials": [3, 3]} | changed
    with pytest.raises(InputError, match=message):
        fit_binomial(given.pop("design"), given.pop("successes"), given.pop("trials"), **given)


@pytest.mark.parametrize(("limit", "value"), [("MOST_STEPS", 1), ("MOST_HALVINGS", 0)])
def test_no_rest_within_the_steps_is_said(monkeypatch, limit, value):
    monkeypatch.setattr(f"csa.methods.binomial.{limit}", value)
    fit = fit_binomial(*simulated(23))
    assert not fit.converged
    assert fit.reason == "no rest after 1 steps; set a ridge or drop columns"
    assert np.isfinite(fit.covariance).all()


# --- what holds whatever the data ----------------------------------------------------------------

ROWS = st.lists(
    st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 6), st.integers(0, 6)),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.sampled_from(LINKS))
def test_a_fit_is_at_its_top_or_says_why_not(rows, link):
    design = np.array([[1, x, b] for x, b, _, _ in rows], dtype=float)
    successes = np.array([min(k, n) for _, _, k, n in rows])
    trials = np.array([max(k, n) for _, _, k, n in rows])
    try:
        fit = fit_binomial(design, successes, trials, link=link)
    except InputError:
        return
    assert np.isfinite(fit.coefficients).all()
    assert np.isfinite(fit.covariance).all()
    assert fit.converged == (not fit.reason)
    found = derivatives(design @ fit.coefficients, successes * 1.0, trials * 1.0, link)
    assert design.T @ found.slope == pytest.approx(np.zeros(3), abs=1e-4)


@settings(deadline=None, max_examples=30)
@given(st.floats(-30, 8), st.integers(0, 5), st.integers(0, 5), st.sampled_from(LINKS))
def test_slope_and_curvature_are_those_of_the_log_likelihood(x, kept, gone, link):
    def value(at):
        return derivatives(
            np.array([at]), np.array([1.0 * gone]), np.array([1.0 * gone + kept]), link
        )

    step = 1e-5
    before, here, after = value(x - step), value(x), value(x + step)
    scale = 1 + abs(here.log_likelihood[0])
    slope = (after.log_likelihood - before.log_likelihood) / (2 * step)
    assert here.slope == pytest.approx(slope, abs=1e-5 * scale)
    bend = -(after.slope - before.slope) / (2 * step)
    assert here.curvature == pytest.approx(bend, abs=1e-5 * scale)
    assert (here.curvature >= 0).all()
