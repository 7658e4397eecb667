"""Profile likelihood intervals: where the likelihood says, and as often right as they say.

`make soak` leaves the record of the large study in benchmarks/studies.json.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from benchmarks.studies import Study, keep_study
from csa.errors import InputError
from csa.methods.btyd.bg_fit import EXTRA
from csa.methods.btyd.bg_likelihood import BgLikelihood
from csa.methods.btyd.bg_nbd import fit_bg_nbd, fit_mbg_nbd
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.pareto_nbd import fit_pareto_nbd
from csa.methods.btyd.profile import parameter_intervals, profile_limits
from csa.methods.btyd.simulate import simulate
from tests.methods.test_btyd_bg_nbd import PRINTED, cdnow
from tests.methods.test_btyd_draws import CUSTOMERS, MBG, WEEKS

FITS = {"BG/NBD": fit_bg_nbd, "MBG/NBD": fit_mbg_nbd}
FIRST_SEED = 40_000


def test_limits_of_a_quadratic_are_two_standard_errors_away():
    curved = np.array([[4.0, 1.0], [1.0, 3.0]])
    top = np.array([0.3, -0.2])

    def objective(at):
        return (at - top) @ curved @ (at - top) / 2, curved @ (at - top)

    found = profile_limits(objective, top, np.array([[-9.0, 9.0], [-9.0, 9.0]]))
    half = np.sqrt(chi2.ppf(0.95, 1) * np.diag(np.linalg.inv(curved)))
    assert found == pytest.approx(np.column_stack([top - half, top + half]), abs=2e-3)


def test_a_side_on_which_the_likelihood_stays_high_has_no_limit():
    def objective(at):
        level = np.exp(-at[0])
        return float(level**2 * 50 + at[0] ** 2 * 0), np.array([-100 * level**2])

    low, high = profile_limits(objective, np.array([9.0]), np.array([[-9.0, 9.0]]))[0]
    assert low == pytest.approx(-np.log(np.sqrt(chi2.ppf(0.95, 1) / 100)), abs=2e-3)
    assert high == np.inf


@pytest.mark.parametrize("model", list(EXTRA))
def test_likelihood_at_the_limits_is_as_much_lower_as_it_must_be(model):
    """With each parameter held at its limit, another optimiser finds half of 3.841 less."""
    counts = cdnow(merged_days=1.0)
    fit = FITS[model](counts)
    likelihood = BgLikelihood(counts.compressed(), EXTRA[model])
    found = parameter_intervals(fit, counts)
    for i, name in enumerate(fit.parameters):
        others = [j for j in range(4) if j != i]
        for limit in found[name]:
            place = fit.log_parameters.copy()
            place[i] = np.log(limit)

            def held(free, place=place, others=others):
                at = place.copy()
                at[others] = free
                value, slopes = likelihood(at)
                return value, slopes[others]

            best = minimize(held, place[others], jac=True, method="BFGS", tol=1e-6)
            lower = 2 * (best.fun + fit.log_likelihood)
            assert lower == pytest.approx(chi2.ppf(0.95, 1), abs=0.01)


@pytest.mark.slow
def test_intervals_of_cdnow_are_near_those_of_the_standard_errors_but_lean_to_the_ridge():
    for fit_model in (fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd):
        counts = cdnow()
        fit = fit_model(counts)
        found = parameter_intervals(fit, counts, confidence=0.95)
        wide = parameter_intervals(fit, counts, confidence=0.99)
        for i, (name, (low, high)) in enumerate(found.items()):
            half = 1.96 * np.sqrt(fit.covariance[i, i])
            middle = fit.log_parameters[i]
            assert np.log(low) == pytest.approx(middle - half, abs=0.2 * half)
            assert np.log(high) == pytest.approx(middle + half, abs=0.6 * half)
            assert wide[name][0] < low < fit.parameters[name] < high < wide[name][1]


def test_parameters_on_a_border_and_other_models_are_left_out():
    nobody = BuyerCounts([1, 2, 3, 5, 8] * 8, [10.0] * 40, [10.0] * 40)
    fit = fit_bg_nbd(nobody)
    assert set(parameter_intervals(fit, nobody)) == set(fit.standard_errors)
    assert not {"a", "b"} & set(fit.standard_errors)
    with pytest.raises(InputError, match="Gamma-Gamma"):
        parameter_intervals(replace(PRINTED, model="Gamma-Gamma"), nobody)
    with pytest.raises(InputError, match="share between 0 and 1"):
        parameter_intervals(fit, nobody, confidence=95)
    with pytest.raises(InputError, match="nothing was fitted"):
        parameter_intervals(fit_bg_nbd(BuyerCounts([0], [0], [3])), nobody)


def held(truth, cohorts: int) -> tuple[np.ndarray, np.ndarray]:
    """Tell which intervals hold the truth: from the profile, and from standard errors."""
    profile, normal = [], []
    for seed in range(FIRST_SEED, FIRST_SEED + cohorts):
        rng = np.random.default_rng(seed)
        age = rng.integers(27 * 7, WEEKS * 7 + 1, CUSTOMERS) / 7
        counts = simulate(truth, age, 0.0, rng).counts
        fit = FITS[truth.model](counts)
        found = parameter_intervals(fit, counts)
        profile.append([low <= truth.parameters[k] <= high for k, (low, high) in found.items()])
        off = np.abs(fit.log_parameters - truth.log_parameters)
        normal.append(off <= 1.96 * np.sqrt(np.diag(fit.covariance)))
    return np.array(profile), np.array(normal)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("truth", [PRINTED, MBG], ids=["BG/NBD", "MBG/NBD"])
def test_intervals_of_parameters_cover_as_they_say(truth):
    """Fitted to purchase days, with the truth per purchase: merging is part of what is judged."""
    cohorts = 1000
    profile, normal = (part.mean(axis=0) for part in held(replace(truth, merged_days=1.0), cohorts))
    shares = dict(zip(truth.parameters, map(float, profile), strict=True))
    plain = {f"{k} by s.e.": float(v) for k, v in zip(truth.parameters, normal, strict=True)}
    good = bool((profile >= 0.92).all() and (profile <= 0.98).all())
    keep_study(
        Study(
            name=f"intervals of parameters, {truth.model}",
            what="95 % profile likelihood intervals of r, alpha, a and b, fitted to purchase days "
            "of 27 to 39 weeks, hold the truth",
            size=f"{cohorts:,} simulated cohorts of {CUSTOMERS:,} customers",
            result=f"{profile.min():.1%} to {profile.max():.1%}; from standard errors "
            f"{normal.min():.1%} to {normal.max():.1%}",
            goal="92 to 98 % of each",
            holds=good,
            seed=FIRST_SEED,
            figures=shares | plain,
        )
    )
    assert good, shares
