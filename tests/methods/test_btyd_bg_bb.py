"""BG/BB against print and against exact rational arithmetic."""

import os
from dataclasses import replace
from fractions import Fraction
from math import comb, log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import stored

from csa.errors import InputError
from csa.methods.btyd import bg_bb_likelihood
from csa.methods.btyd.bg_bb import (
    Refitter,
    discounted_residual,
    expected_purchases,
    fit_bg_bb,
    log_likelihood,
    probability_alive,
    purchase_probability,
    residual_purchases,
)
from csa.methods.btyd.bg_bb_likelihood import (
    log_likelihoods,
    negative_log_likelihood,
    opportunities,
)
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.model import Diagnosis, Fit

YEAR = 365.25
NAMES = ("alpha", "beta", "gamma", "delta")
MANUAL = (1.20, 0.75, 0.66, 2.78)
DONATIONS = (1.203522, 0.749716, 0.656718, 2.783443)  # the maximum, also BTYD's to these digits
DONORS = 11_104


def buyers(x, t_x, n, weight=None) -> BuyerCounts:
    """Count customers, with one opportunity a year."""
    x, t_x, n = np.broadcast_arrays(np.atleast_1d(x), t_x, n)
    weights = np.ones(len(x)) if weight is None else weight
    return BuyerCounts(x, t_x, n, weights, unit_days=YEAR, grid_days=0.0)


def known(*values: float) -> Fit:
    """Make a fit with given parameters."""
    return Fit(
        model="BG/BB",
        parameters=dict(zip(NAMES, values, strict=True)),
        log_parameters=np.log(values),
        covariance=np.zeros((4, 4)),
        standard_errors={},
        log_likelihood=0.0,
        n=1,
        events=1,
        converged=True,
        starts=(1, 1),
        unit_days=YEAR,
    )


def donors() -> BuyerCounts:
    """Read the 11,104 donors of 1995, GPL and so not shipped."""
    rows = pd.read_csv(stored("CSA_DATA", "donations", "donations_rf_matrix.csv"))
    return buyers(rows["x"], rows["t.x"], rows["n.cal"], rows["custs"].to_numpy(float))


def exact(values: tuple[Fraction, ...], x: int, t_x: int, n: int) -> tuple[float, float]:
    """Log-likelihood, and the chance to be there at n, from fractions."""
    alpha, beta, gamma, delta = values
    bought = Fraction(1)
    for k in range(x):
        bought *= (alpha + k) / (alpha + beta + k)
    total, there = Fraction(0), Fraction(1)  # there: bought and still there at i
    for i in range(n + 1):
        if i == x:
            there *= bought
        if i > x:
            there *= (beta + i - 1 - x) / (alpha + beta + i - 1)
        if i == n:
            break
        if i >= t_x:
            total += there * gamma / (gamma + delta + i)
        there *= (delta + i) / (gamma + delta + i)
    total += there
    return _log(total), float(there / total)


def _log(value: Fraction) -> float:
    """Logarithm, also below what a float holds."""
    shift = value.denominator.bit_length() - value.numerator.bit_length()
    return log(value * Fraction(2) ** shift) - shift * log(2)


# ---- print


def test_fit_bg_bb_matches_fader_hardie_shang_2010():
    """Marketing Science 29(6), Table 3: 1.204, 0.750, 0.657, 2.783, LL -33,225.6.

    BTYD prints -33,225.58127 and 1.203522 0.749716 0.656718 2.783443.
    """
    fit = fit_bg_bb(donors())
    assert [round(v, 3) for v in fit.parameters.values()] == [1.204, 0.750, 0.657, 2.783]
    assert fit.log_likelihood == pytest.approx(-33225.58127, abs=1e-5)
    assert list(fit.parameters.values()) == pytest.approx(DONATIONS, abs=2e-6)
    assert (fit.n, fit.starts, fit.status, fit.converged) == (DONORS, (5, 5), "ok", True)


def test_residual_purchases_of_all_donors_match_hardies_sheet():
    """Sum of the five-year conditional expectations: 12,884.2, against 13,123 given."""
    counts = donors()
    total = residual_purchases(known(*DONATIONS), counts, 5) @ counts.weight
    assert total == pytest.approx(12884.2, abs=0.05)
    rows = pd.read_csv(Path(os.environ["CSA_DATA"]) / "donations" / "donations_annual_trans.csv")
    assert list(rows["trans"])[:6] == [5652, 4674, 4019, 3552, 3555, 3163]
    assert counts.events == rows["trans"][:6].sum()


def test_probability_alive_matches_fader_hardie_shang_2010_table_6():
    """P(alive in 2002): 0.11 (no repeat), 0.59 (2, last 1999), 0.93 (6, last 2001)."""
    alive = probability_alive(known(*DONATIONS), buyers([0, 2, 6], [0, 4, 6], 6))
    assert list(alive.round(2)) == [0.11, 0.59, 0.93]


def test_expectations_match_btyd_walkthrough():
    """E[X(10)] 3.179805; ten years of customers A and B 0.1302169 and 3.627858.

    BTYD stops within 1e-5 of the maximum, so five digits hold. Hardie's sheet expects 3,454.9
    donors without and 1,253.1 with six repeat donations.
    """
    fit = known(*DONATIONS)
    assert expected_purchases(fit, 10) == pytest.approx(3.179805, rel=1e-5)
    ahead = residual_purchases(fit, buyers([0, 4], [0, 5], 6), 10)
    assert ahead == pytest.approx([0.1302169, 3.627858], rel=4e-5)
    donors_with = DONORS * purchase_probability(fit, [0, 6], 6)
    assert donors_with == pytest.approx([3454.9, 1253.1], abs=0.05)


def test_predictions_match_btyd_manual():
    """Parameters 1.20 0.75 0.66 2.78 (run with BTYD 2.4.3): P(alive), CET(10), DERT at 10 %."""
    fit, one = known(*MANUAL), buyers(3, 4, 6)
    assert probability_alive(fit, one)[0] == pytest.approx(0.4383439, abs=5e-8)
    assert residual_purchases(fit, one, 10)[0] == pytest.approx(1.8408127, abs=5e-8)
    worth = discounted_residual(fit, one, annual_rate=0.1)[0]
    assert worth == pytest.approx(1.6213792, abs=5e-8)
    regular = discounted_residual(fit, buyers(np.arange(1, 7), 6, 6), annual_rate=0.1)
    printed = [1.8020448, 2.6211561, 3.4402673, 4.2593786, 5.0784899, 5.8976012]
    assert regular == pytest.approx(printed, abs=6e-8)


# ---- exact


HARD = [
    ("6/5", "3/4", "33/50", "139/50"),
    ("1/10000", "1/1000", "1/1000", "1/10000"),
    ("1/1000", "4000", "5000", "1/100"),
    ("3000", "7000", "1/2", "900"),
    ("500", "1/50", "20", "3000"),
]
CUSTOMERS = [(0, 0, 0), (0, 0, 6), (1, 1, 1), (1, 6, 6), (6, 6, 6), (3, 4, 6), (2, 300, 400)]
CUSTOMERS += [(300, 300, 300), (200, 250, 900), (0, 0, 1000), (1000, 1000, 1000), (700, 999, 1000)]


@pytest.mark.slow
@pytest.mark.parametrize("values", HARD)
def test_log_likelihood_matches_exact_fractions(values):
    """Sixty hard customers up to a thousand purchases, to 1e-11."""
    parts = tuple(Fraction(value) for value in values)
    wanted = np.array([exact(parts, *customer) for customer in CUSTOMERS])
    counts = buyers(*np.array(CUSTOMERS).T)
    found, alive = log_likelihoods(opportunities(counts), np.array([float(p) for p in parts]))
    assert (np.abs(found - wanted[:, 0]) / np.maximum(np.abs(wanted[:, 0]), 1)).max() < 1e-11
    assert alive == pytest.approx(wanted[:, 1], rel=1e-10, abs=1e-300)


def test_slopes_match_differences_of_exact_fractions():
    """Central differences over fractions, steps of 1e-7."""
    counts = buyers([3, 0, 40, 6], [4, 0, 60, 6], [6, 9, 80, 6], [2.0, 1.0, 3.0, 1.0])
    values = [Fraction(6, 5), Fraction(3, 4), Fraction(33, 50), Fraction(139, 50)]
    _, slopes = negative_log_likelihood(opportunities(counts), np.log([float(v) for v in values]))
    step = Fraction(1, 10**5)
    for at in range(4):
        ends = []
        for factor in (1 + step, 1 - step):
            moved = [v * factor if k == at else v for k, v in enumerate(values)]
            rows = zip(counts.frequency, counts.recency, counts.age, strict=True)
            each = [exact(tuple(moved), *map(int, row))[0] for row in rows]
            ends.append(float(counts.weight @ each))
        rise = (ends[0] - ends[1]) / (log(1 + step) - log(1 - step))
        assert -slopes[at] == pytest.approx(rise, rel=1e-7, abs=1e-7)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-6, 6), min_size=4, max_size=4), st.integers(1, 14))
def test_all_histories_together_have_probability_one(logs, n):
    """Every order of purchases and none: the likelihood is that of one order."""
    cases = [(0, 0, n, 1.0)]
    cases += [(x, t, n, comb(t - 1, x - 1)) for t in range(1, n + 1) for x in range(1, t + 1)]
    x, t_x, age, orders = np.array(cases).T
    each, _ = log_likelihoods(opportunities(buyers(x, t_x, age)), np.exp(logs))
    assert np.exp(each) @ orders == pytest.approx(1.0, abs=1e-10)
    fit = known(*np.exp(logs))
    by_x = np.bincount(x.astype(int), np.exp(each) * orders)
    assert purchase_probability(fit, np.arange(n + 1), n) == pytest.approx(by_x, abs=1e-10)
    assert by_x @ np.arange(n + 1) == pytest.approx(float(expected_purchases(fit, n)), abs=1e-9)


# ---- properties and edges


@pytest.mark.slow
def test_ten_thousand_opportunities_hold():
    """No overflow, and passes of several parts give the same as one."""
    rng = np.random.default_rng(4)
    n = rng.integers(1, 10_001, 300)
    t_x = (n * rng.random(300)).astype(int)
    x = np.minimum((t_x * rng.random(300) + 1).astype(int), t_x)
    counts = buyers(x, np.where(x > 0, t_x, 0), n)
    whole = opportunities(counts)
    value, slopes = negative_log_likelihood(whole, np.log(MANUAL))
    assert np.isfinite(value)
    assert np.isfinite(slopes).all()
    assert np.isfinite(discounted_residual(known(*MANUAL), counts, annual_rate=0.1)).all()


def test_parts_add_up_to_the_whole(monkeypatch):
    """Ladders too long for one pass are taken in several."""
    counts = buyers([0, 1, 2, 5, 5, 9], [0, 3, 4, 8, 30, 20], [9, 9, 40, 9, 30, 20])
    one = opportunities(counts)
    monkeypatch.setattr(bg_bb_likelihood, "MOST_RUNGS", 20)
    several = opportunities(counts)
    assert len(several) > len(one) == 1
    wanted, found = (negative_log_likelihood(parts, np.log(MANUAL)) for parts in (one, several))
    assert found[0] == pytest.approx(wanted[0])
    assert found[1] == pytest.approx(wanted[1])
    for a, b in zip(*(log_likelihoods(p, np.array(MANUAL)) for p in (one, several)), strict=True):
        assert a == pytest.approx(b)


def test_discounted_residual_by_horizon():
    """A horizon far away comes to the endless one; none without a rate unless gamma exceeds 1."""
    fit, counts = known(*MANUAL), buyers([0, 3], [0, 4], 6)
    endless = discounted_residual(fit, counts, annual_rate=0.1)
    far = discounted_residual(fit, counts, annual_rate=0.1, horizon_days=YEAR * 500)
    assert far == pytest.approx(endless, rel=1e-12)
    plain = discounted_residual(fit, counts, annual_rate=0.0, horizon_days=YEAR * 10)
    assert plain == pytest.approx(residual_purchases(fit, counts, 10))
    assert (discounted_residual(fit, counts, annual_rate=0.1, horizon_days=300.0) == 0).all()
    with pytest.raises(InputError, match="horizon"):
        discounted_residual(fit, counts, annual_rate=0.0)
    with pytest.raises(InputError, match="horizon"):
        discounted_residual(fit, counts, annual_rate=0.1, horizon_days=-1.0)
    brief = known(1.2, 0.75, 3.0, 2.78)
    found = discounted_residual(brief, counts, annual_rate=0.0)
    assert found == pytest.approx(residual_purchases(brief, counts, 100_000), rel=1e-6)


def crowd(n: int, values: tuple[float, ...], seed: int, periods: int = 12) -> BuyerCounts:
    """Draw customers of known truth."""
    rng = np.random.default_rng(seed)
    alpha, beta, gamma, delta = values
    buys, leaves = rng.beta(alpha, beta, n), rng.beta(gamma, delta, n)
    stays = np.minimum(rng.geometric(np.maximum(leaves, 1e-12)) - 1, periods)
    used = (rng.random((n, periods)) < buys[:, None]) & (np.arange(periods) < stays[:, None])
    last = np.where(used.any(axis=1), periods - used[:, ::-1].argmax(axis=1), 0)
    return buyers(used.sum(axis=1), last, periods).compressed()


def test_fit_finds_the_truth_and_refits():
    """40,000 customers drawn from the model: within four standard errors."""
    counts = crowd(40_000, MANUAL, 1)
    fit = fit_bg_bb(counts)
    for name, value in zip(NAMES, MANUAL, strict=True):
        assert abs(fit.parameters[name] - value) < 4 * fit.standard_errors[name]
    assert log_likelihood(fit, counts) == pytest.approx(fit.log_likelihood)
    refit = Refitter(fit, counts)
    drawn = refit.counts.sample(np.random.default_rng(2))
    assert refit(drawn.weight) == pytest.approx(fit_bg_bb(drawn).log_parameters, abs=1e-3)


def test_fit_says_what_cannot_be_fitted():
    """No customers, no opportunity, no repeat purchases, too few."""
    assert fit_bg_bb(buyers([], [], [])).diagnosis == (Diagnosis.NO_CUSTOMERS,)
    assert fit_bg_bb(buyers(0, 0, 0)).diagnosis == (Diagnosis.ALL_SAME_AGE_ZERO,)
    assert fit_bg_bb(buyers([0, 0], 0, 5)).diagnosis == (Diagnosis.NO_REPEATS,)
    few = fit_bg_bb(buyers([1, 0], [2, 0], 5))
    assert few.status == "unclear"
    assert Diagnosis.TOO_FEW in few.diagnosis


def test_fit_finds_that_nobody_leaves():
    """Everybody stays: alpha and beta are found, the rest is held."""
    fit = fit_bg_bb(crowd(5000, (1.2, 2.0, 1e-9, 1e4), 3))
    assert Diagnosis.NOBODY_LEAVES in fit.diagnosis
    assert set(fit.standard_errors) <= {"alpha", "beta"}
    assert fit.parameters["alpha"] == pytest.approx(1.2, rel=0.15)


def test_times_must_be_opportunities():
    """Times in other units, more purchases than opportunities, part opportunities."""
    with pytest.raises(InputError, match="1 rows with times that are no whole"):
        fit_bg_bb(buyers([1, 1], [1, 1.5], 3))
    with pytest.raises(InputError, match="1 rows with more repeat purchases"):
        fit_bg_bb(buyers([1, 5], [1, 3], 3))
    with pytest.raises(InputError, match="whole numbers"):
        expected_purchases(known(*MANUAL), 0.5)
    with pytest.raises(InputError, match="count both alike"):
        residual_purchases(known(*MANUAL), buyers(1, 1, 3).in_unit(7.0), 1)
    with pytest.raises(InputError, match="no unit of time"):
        discounted_residual(replace(known(*MANUAL), unit_days=None), buyers(1, 1, 3), annual_rate=1)
