"""Covariates of buyers: equal to a fit by hand, free of coding, and as often right as they say.

No published fit with covariates is at hand with its data, so the likelihood is written down once
more, from the formulas of Fader and Hardie, and maximised by scipy.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

from benchmarks.studies import Study, keep_study
from csa.errors import InputError
from csa.methods.btyd.bg_nbd import fit_bg_nbd, fit_mbg_nbd
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.covariates import CovariateFit, fit_with_covariates
from csa.methods.btyd.covariates_likelihood import Design
from csa.methods.btyd.pareto_nbd import expected_purchases, fit_pareto_nbd
from csa.methods.btyd.simulate import simulate
from tests.methods.test_btyd_bg_nbd import PRINTED
from tests.methods.test_btyd_draws import MBG, PARETO

MODELS = {"BG/NBD": PRINTED, "MBG/NBD": MBG, "Pareto/NBD": PARETO}
PLAIN = {"BG/NBD": fit_bg_nbd, "MBG/NBD": fit_mbg_nbd, "Pareto/NBD": fit_pareto_nbd}
CELLS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
BUYS, LEAVES, STAYS = np.array([0.5, -0.3]), np.array([0.4, 0.6]), np.array([-0.2, 0.3])
FIRST_SEED = 70_000


def truth_of(model: str, z: np.ndarray) -> dict[str, float]:
    """Give the parameters of a pattern (note 019)."""
    values = dict(MODELS[model].parameters)
    values["alpha"] *= np.exp(-BUYS @ z)
    if model == "Pareto/NBD":
        values["beta"] *= np.exp(-LEAVES @ z)
    else:
        values["a"] *= np.exp(LEAVES @ z)
        values["b"] *= np.exp(STAYS @ z)
    return values


def shops(model: str, customers: int, seed: int) -> list[BuyerCounts]:
    """Make customers of each pattern, in weeks, of 27 to 39 weeks."""
    rng, made = np.random.default_rng(seed), []
    for z in CELLS:
        values = truth_of(model, z)
        fit = replace(
            MODELS[model], parameters=values, log_parameters=np.log(list(values.values()))
        )
        age = rng.integers(27, 40, customers).astype(float)
        counts = simulate(fit, age, 0.0, rng).counts
        made.append(replace(counts, recency=counts.recency, grid_days=0.0).compressed())
    return made


def fitted(model: str, patterns: list[BuyerCounts], **changes) -> CovariateFit:
    """Fit both processes to both covariates."""
    design = Design(("x", "y"), CELLS)
    return fit_with_covariates(model, patterns, **{"purchase": design, "leave": design, **changes})


def by_hand(model: str, x, last, age, values) -> np.ndarray:
    """Log-likelihood from the formulas of Fader and Hardie, customer by customer."""
    r, alpha, one, two = values
    if model == "Pareto/NBD":
        s, beta = one, two
        often = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        high, shape, power = np.maximum(alpha, beta), r + s + x, np.where(alpha >= beta, s + 1, 0)
        power = np.where(alpha >= beta, s + 1, r + x)
        gap = np.abs(alpha - beta)

        def part(t):
            return hyp2f1(shape, power, shape + 1, gap / (high + t)) / (high + t) ** shape

        alive = 1 / ((alpha + age) ** (r + x) * (beta + age) ** s)
        return often + np.log(alive + s / shape * (part(last) - part(age)))
    extra = 1 if model == "MBG/NBD" else 0
    y, a, b = x + extra, one, two
    often = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = np.exp(betaln(a, b + y) - betaln(a, b)) / (alpha + age) ** (r + x)
    gone = np.exp(betaln(a + 1, b + y - 1) - betaln(a, b)) / (alpha + last) ** (r + x)
    return often + np.log(alive + np.where(y > 0, gone, 0.0))


def negative(model: str, patterns: list[BuyerCounts]):
    """Give the negative log-likelihood by hand, at the values of a `CovariateFit`."""

    def value(place):
        total = 0.0
        for z, counts in zip(CELLS, patterns, strict=True):
            logs = place[:4].copy()
            logs[1] -= place[4:6] @ z
            if model == "Pareto/NBD":
                logs[3] -= place[6:8] @ z
            else:
                logs[2] += place[6:8] @ z
                logs[3] += place[8:10] @ z
            each = by_hand(model, counts.frequency, counts.recency, counts.age, np.exp(logs))
            total -= float(counts.weight @ each)
        return total

    return value


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_fit_equals_one_by_hand(model):
    """Log-likelihood to 1e-10 of itself; nothing better is found by hand, from 0.05 away."""
    patterns = shops(model, 400, 1)
    found, objective = fitted(model, patterns), negative(model, patterns)
    assert objective(found.estimates) == pytest.approx(-found.log_likelihood, rel=1e-10)
    start = found.estimates + 0.05 * np.cos(np.arange(len(found.estimates)))
    best = minimize(objective, start, method="BFGS", options={"gtol": 1e-4})
    assert best.fun == pytest.approx(-found.log_likelihood, rel=1e-8)
    assert -found.log_likelihood <= best.fun + 1e-6
    assert best.x == pytest.approx(found.estimates, abs=0.02 * found.errors.max())


@pytest.mark.parametrize("model", ["BG/NBD", "MBG/NBD"])
def test_groups_that_are_alike_have_no_effect(model):
    counts = shops(model, 500, 2)[0]
    found = fit_with_covariates(
        model,
        [counts, counts],
        purchase=Design(("second",), [[0], [1]]),
        leave=Design(("second",), [[0], [1]]),
    )
    plain = PLAIN[model](replace(counts, weight=2 * counts.weight))
    assert found.estimates[:4] == pytest.approx(plain.log_parameters, abs=1e-4)
    assert found.estimates[4:] == pytest.approx(0.0, abs=1e-4)
    assert found.p_values == pytest.approx({"purchase": 1.0, "leave": 1.0}, abs=1e-3)
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-10)


@pytest.mark.slow
def test_effects_do_not_hang_on_coding_or_starts():
    """Other units, other zero, more starts: the same customers, the same predictions."""
    patterns = shops("BG/NBD", 1000, 3)
    found = fitted("BG/NBD", patterns, starts=12)
    assert found.base.starts == (12, 12)
    assert found.status == "ok"
    other = Design(("x", "y"), 2000.0 + 10 * CELLS)
    moved = fitted("BG/NBD", patterns, purchase=other, leave=other)
    assert moved.estimates[4:] == pytest.approx(found.estimates[4:] / 10, abs=1e-5)
    assert moved.errors[4:] == pytest.approx(found.errors[4:] / 10, rel=1e-3)
    for z, given in zip(CELLS, other.values, strict=True):
        one, two = found.at(z, z), moved.at(given, given)
        assert two.log_parameters == pytest.approx(one.log_parameters, abs=1e-4)
        assert two.covariance == pytest.approx(one.covariance, abs=1e-4)


def test_covariates_of_one_process_only_and_the_pattern_of_a_prediction():
    patterns = shops("BG/NBD", 500, 4)
    none = Design((), np.zeros((4, 0)))
    found = fitted("BG/NBD", patterns, leave=none)
    assert found.names[4:] == ("purchase: x", "purchase: y")
    assert set(found.p_values) == {"purchase"}
    fast, slow = found.at([1.0, 0.0]), found.at([0.0, 0.0])
    ratio = fast.parameters["alpha"] / slow.parameters["alpha"]
    assert ratio == pytest.approx(np.exp(-found.estimates[4]))
    assert fast.parameters["b"] == slow.parameters["b"]
    assert set(fast.standard_errors) == {"r", "alpha", "a", "b"}


@pytest.mark.slow
def test_rates_of_groups_are_found_under_pareto_nbd():
    patterns = shops("Pareto/NBD", 400, 5)
    found = fitted("Pareto/NBD", patterns, starts=2)
    assert (np.abs(found.estimates[4:] - [*BUYS, *LEAVES]) <= 4 * found.errors[4:]).all()
    assert float(expected_purchases(found.at([1, 0], [1, 0]), 52.0)) > 0


@pytest.mark.slow
def test_an_effect_without_a_bound_is_named():
    """Nobody of the second group buys again."""
    first = shops("BG/NBD", 500, 6)[0]
    idle = BuyerCounts([0], [0], [39], [500], grid_days=0.0)
    found = fit_with_covariates(
        "BG/NBD",
        [first, idle],
        purchase=Design(("second",), [[0], [1]]),
        leave=Design((), np.zeros((2, 0))),
    )
    assert found.status == "unclear"
    assert "purchase: second has no bound" in found.reason
    assert found.errors[4] == 0
    assert np.isfinite(found.estimates).all()


def test_what_cannot_be_fitted_is_refused_by_name():
    patterns = shops("BG/NBD", 50, 7)

    def attempt(**changes):
        return fitted("BG/NBD", patterns, **changes)

    with pytest.raises(InputError, match="level is a combination of the constant"):
        attempt(purchase=Design(("level",), np.full((4, 1), 3.0)))
    twice = np.column_stack([CELLS, CELLS.sum(axis=1)])
    with pytest.raises(InputError, match="total is a combination of x, y"):
        attempt(leave=Design(("x", "y", "total"), twice))
    with pytest.raises(InputError, match="covariates of leave: y has missing values"):
        attempt(leave=Design(("x", "y"), np.where(CELLS > 0, np.nan, CELLS)))
    with pytest.raises(InputError, match="3 rows for 4 patterns"):
        attempt(purchase=Design(("x", "y"), CELLS[:3]))
    with pytest.raises(InputError, match="only BG/NBD, MBG/NBD, Pareto/NBD"):
        fitted("BG/BB", patterns)
    with pytest.raises(InputError, match="differ in unit"):
        fitted("BG/NBD", [*patterns[:3], patterns[3].in_unit(1.0)])
    with pytest.raises(InputError, match="0 patterns"):
        fitted("BG/NBD", [])
    with pytest.raises(InputError, match="no repeat purchases"):
        fitted("BG/NBD", [BuyerCounts([0], [0], [9])] * 4)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("model", ["BG/NBD", "Pareto/NBD"])
def test_intervals_of_effects_cover_as_they_say(model):
    """95 % from standard errors, of four patterns of 1,000 customers."""
    cohorts = 400 if model == "BG/NBD" else 200
    truth = np.array([*BUYS, *LEAVES, *([] if model == "Pareto/NBD" else STAYS)])
    held = []
    for seed in range(FIRST_SEED, FIRST_SEED + cohorts):
        found = fitted(model, shops(model, 1000, seed), starts=1)
        held.append(np.abs(found.estimates[4:] - truth) <= 1.96 * found.errors[4:])
    shares = dict(zip(found.names[4:], map(float, np.mean(held, axis=0)), strict=True))
    good = all(0.92 <= share <= 0.98 for share in shares.values())
    keep_study(
        Study(
            name=f"effects of covariates on buyers, {model}",
            what="95 % intervals of the effects of two covariates on purchases and leaving, from "
            "27 to 39 weeks, hold the truth",
            size=f"{cohorts} simulated cohorts of 4 × 1,000 customers",
            result=f"{min(shares.values()):.1%} to {max(shares.values()):.1%}",
            goal="92 to 98 % of each",
            holds=good,
            seed=FIRST_SEED,
            figures=shares,
        )
    )
    assert good, shares
