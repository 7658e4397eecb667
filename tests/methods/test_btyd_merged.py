"""The exact likelihood of merged counts: a probability, with its slopes, and no bias."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from csa.methods.btyd.bg_fit import BG_NBD, MBG_NBD
from csa.methods.btyd.bg_nbd import (
    alive_at_risk,
    expected_purchases,
    fit_bg_nbd,
    fit_mbg_nbd,
    probability_alive,
    residual_purchases,
)
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.merged import MergedLikelihood, can_be_exact
from csa.methods.btyd.pareto_nbd import fit_pareto_nbd
from csa.methods.btyd.simulate import simulate
from tests.methods.test_btyd_bg_nbd import cdnow, known

MODELS = {"BG/NBD": 0, "MBG/NBD": 1, "Pareto/NBD": None}
FITS = {"BG/NBD": fit_bg_nbd, "MBG/NBD": fit_mbg_nbd, "Pareto/NBD": fit_pareto_nbd}
VALUES = np.log([0.8, 12.0, 0.7, 9.0])  # in weeks


def weekly(x, last, age, weight=None) -> BuyerCounts:
    """Make customers whose purchases were merged within weeks, in weeks."""
    weight = np.ones(np.shape(x)) if weight is None else weight
    return BuyerCounts(x, last, age, weight, grid_days=7.0, merged_days=7.0)


@pytest.mark.parametrize("model", MODELS)
def test_the_chances_of_all_that_can_happen_add_up_to_one(model):
    """Of six weeks after the first: a customer with x and t_x has C(t_x - 1, x - 1) histories."""
    seen = [(0, 0), *((x, t) for t in range(1, 7) for x in range(1, t + 1))]
    ways = np.array([comb(t - 1, x - 1) if x else 1 for x, t in seen])
    x, last = np.array(seen).T
    counts = weekly(x, last, np.full(len(x), 6.0))
    likelihood = MergedLikelihood(counts, VALUES, MODELS[model])
    chances = []
    for i in range(len(x)):
        likelihood.weigh(np.eye(len(x))[i])
        chances.append(np.exp(-likelihood(VALUES)[0]))
    assert float(ways @ np.array(chances)) == pytest.approx(1.0, abs=1e-7)
    assert min(chances) > 0


@pytest.mark.parametrize("model", MODELS)
def test_slopes_are_those_of_the_value(model):
    rng = np.random.default_rng(2)
    x = rng.integers(0, 12, 40)
    last = np.where(x > 0, x + rng.integers(0, 5, 40), 0)
    counts = weekly(x, last, last + rng.integers(0, 9, 40)).compressed()
    likelihood = MergedLikelihood(counts, VALUES, MODELS[model])
    place = VALUES + 0.1
    value, slopes = likelihood(place)
    assert slopes == pytest.approx(approx_fprime(place, lambda at: likelihood(at)[0]), abs=1e-3)
    assert likelihood.hessian(place) == pytest.approx(likelihood.hessian(place).T)
    assert np.isfinite(value)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_rare_purchases_have_the_likelihood_by_time_at_risk(model):
    """Of CDNOW, by days: values to 0.05 %, and the maxima to a quarter of a standard error."""
    counts = cdnow(merged_days=1.0).compressed()
    fit = FITS[model](counts)
    assert not can_be_exact(counts, fit.log_parameters, beta=MODELS[model] is not None)
    value, slopes = MergedLikelihood(counts, fit.log_parameters, MODELS[model])(fit.log_parameters)
    assert -value == pytest.approx(fit.log_likelihood, rel=5e-4)
    assert slopes @ fit.covariance @ slopes < 0.0625


def test_what_the_exact_likelihood_cannot_take():
    one, values = weekly([1], [3], [9]), VALUES
    assert can_be_exact(one, values, beta=True)
    assert not can_be_exact(replace(one, merged_days=0.0), values, beta=True)
    assert not can_be_exact(replace(one, grid_days=3.5), values, beta=True)
    assert not can_be_exact(weekly([1], [3], [1200]), values, beta=True)
    assert not can_be_exact(one, np.log([0.8, 120, 0.7, 9]), beta=True)
    assert not can_be_exact(one, np.log([500, 12, 0.7, 9]), beta=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "truth"),
    [
        (BG_NBD, (0.243, 4.414, 0.793, 2.426)),
        (BG_NBD, (1.2, 6.0, 0.5, 4.0)),
        (BG_NBD, (2.0, 3.0, 0.5, 8.0)),  # two purchases in three weeks
        (MBG_NBD, (1.2, 6.0, 0.8, 2.5)),
    ],
)
def test_purchases_merged_within_weeks_leave_no_bias(model, truth):
    """Within 2 % and two standard errors of each of 150,000 customers of a year.

    By time at risk alone r, alpha and b of the third are 6, 4 and 20 % off.
    """
    rng = np.random.default_rng(5)
    age = rng.integers(50, 54, 150_000).astype(float)
    counts = simulate(replace(known(model, *truth), merged_days=7.0), age, 0.0, rng).counts
    fit = FITS[model](counts)
    errors = np.sqrt(np.diag(fit.covariance))
    off = np.abs(fit.log_parameters - np.log(truth))
    assert (off <= 0.02 + 2 * errors).all()
    assert (off[:2] <= 0.02).all()


@pytest.mark.slow
@pytest.mark.parametrize("model", [BG_NBD, MBG_NBD])
def test_predictions_of_frequent_purchases_agree_with_simulated_weeks(model):
    """Two purchases in three weeks: by time at risk alone what is to come is 7 % too low."""
    truth = replace(known(model, 2.0, 3.0, 0.5, 8.0), merged_days=7.0)
    made = simulate(truth, np.full(60_000, 52.0), 26.0, np.random.default_rng(6))
    x = made.counts.frequency
    error = x.std() / len(x) ** 0.5
    assert float(expected_purchases(truth, 52.0)) == pytest.approx(x.mean(), abs=4 * error)
    alive = probability_alive(truth, made.counts)
    come = residual_purchases(truth, made.counts, 26.0)
    for some in (x < 3, (x >= 3) & (x < 12), x >= 12):
        n = some.sum() ** 0.5
        assert alive[some].mean() == pytest.approx(made.alive[some].mean(), abs=2 / n)
        assert come[some].mean() == pytest.approx(
            made.holdout[some].mean(), abs=4 * made.holdout[some].std() / n
        )
    near = alive_at_risk(truth, made.counts)
    assert near.mean() == pytest.approx(alive.mean(), abs=0.03)
