"""Ranges of what single customers may bring, against customers made up from the model."""

import numpy as np
import pandas as pd
import pytest

from csa.analysis.clv.value import buyer_value, next_best
from csa.analysis.clv.value_models import ValueTerms, value_model
from csa.analysis.clv.value_outcomes import with_outcomes
from csa.errors import InputError
from csa.methods.btyd.model import Fit
from csa.methods.btyd.simulate import simulate

TERMS = ValueTerms(annual_rate=0.0, horizon_days=39 * 7.0, margin=0.5)
TRUTH = {
    "Pareto/NBD": {"r": 0.9, "alpha": 5.0, "s": 0.6, "beta": 11.7},
    "BG/NBD": {"r": 0.9, "alpha": 5.0, "a": 0.8, "b": 2.4},
}
SPEND = {"p": 6.25, "q": 3.74, "gamma": 1544.0}


def known(name, parameters, unit_days):
    """Make a fit that knows its parameters."""
    return Fit(
        model=name,
        parameters=parameters,
        log_parameters=np.log(list(parameters.values())),
        covariance=np.eye(len(parameters)) * 1e-8,
        standard_errors={},
        log_likelihood=-1.0,
        n=1.0,
        events=1.0,
        converged=True,
        starts=(1, 1),
        unit_days=unit_days,
    )


def cohort(name, n, seed=1):
    """Make up customers, their spend, and what they pay in the 39 weeks after."""
    rng = np.random.default_rng(seed)
    held = value_model(
        known(name, TRUTH[name], 7.0), known("Gamma-Gamma", SPEND, None), grid_days=0.0
    )
    made = simulate(held.purchases, np.full(n, 39.0), 39.0, rng)
    p, q, gamma = SPEND.values()
    nu = rng.gamma(q, 1 / gamma, n)
    x = made.counts.frequency
    rows = pd.DataFrame(
        {
            "account_id": [f"c{i:05}" for i in range(n)],
            "frequency": x,
            "recency": made.counts.recency,
            "age": made.counts.age,
            "mean_minor": rng.gamma(p * np.maximum(x, 1)) / nu / np.maximum(x, 1),
        }
    )
    came = np.where(made.holdout > 0, rng.gamma(np.maximum(p * made.holdout, 1e-9)) / nu, 0.0)
    return held, rows, came * TERMS.margin


@pytest.mark.slow
@pytest.mark.parametrize("name", TRUTH)
def test_ranges_hold_what_comes_of_the_share_that_they_say(name):
    held, rows, came = cohort(name, 3000)
    found = buyer_value(rows, model=held, terms=TERMS)
    ranked = next_best(found, count=3000)
    came = pd.Series(came, index=rows["account_id"]).loc[ranked["account_id"]].to_numpy()
    ranged = with_outcomes(ranked, model=held, terms=TERMS, rng=np.random.default_rng(2), draws=400)
    inside = (ranged["outcome_low"] <= came) & (came <= ranged["outcome_high"])
    assert inside.head(300).mean() == pytest.approx(0.95, abs=0.03)  # the best, chosen as such
    assert inside.mean() > 0.93
    assert ranged["outcome_none"].mean() == pytest.approx((came == 0).mean(), abs=0.02)
    assert ranged["value"].sum() == pytest.approx(came.sum(), rel=0.08)
    expected = (ranked["ci_low"] <= came) & (came <= ranked["ci_high"])
    assert expected.head(300).mean() < 0.3  # what is expected is no forecast of one customer


@pytest.mark.slow
def test_ranges_hold_the_expected_value_and_are_wider_than_its_interval():
    held, rows, _ = cohort("Pareto/NBD", 60)
    best = next_best(buyer_value(rows, model=held, terms=TERMS), count=10)
    found = with_outcomes(best, model=held, terms=TERMS, rng=np.random.default_rng(1), draws=200)
    assert (found["outcome_low"] <= found["value"]).all()
    assert (found["outcome_high"] >= found["ci_high"]).all()
    again = with_outcomes(best, model=held, terms=TERMS, rng=np.random.default_rng(1), draws=200)
    pd.testing.assert_frame_equal(found, again)


def test_nobody_has_no_range_and_an_endless_horizon_is_refused():
    held, rows, _ = cohort("Pareto/NBD", 5)
    best = next_best(buyer_value(rows, model=held, terms=TERMS))
    rng = np.random.default_rng(1)
    assert with_outcomes(best.head(0), model=held, terms=TERMS, rng=rng).empty
    with pytest.raises(InputError, match="endless horizon"):
        with_outcomes(best, model=held, terms=ValueTerms(horizon_days=np.inf), rng=rng)
