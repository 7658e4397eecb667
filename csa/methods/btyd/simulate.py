"""Buyers made up from a model: whole cohorts, and the future of customers that are known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.btyd import bg_nbd, pareto_nbd
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.exposure import at_risk
from csa.methods.btyd.model import Fit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MODELS = (bg_nbd.BG_NBD, bg_nbd.MBG_NBD, pareto_nbd.PARETO_NBD)
LEAST_RATE = 1e-300  # of leaving; below it nobody leaves
FASTEST = 1e9  # purchases per customer and window; beyond, random numbers overflow


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Customers made up, one per row.

    Attributes
    ----------
    counts : BuyerCounts
        What was seen of them to the end of observation.
    holdout : ndarray of int
        Their purchases afterwards, counted likewise.
    alive : ndarray of bool
        Whether they had not left by the end of observation.
    """

    counts: BuyerCounts
    holdout: IntArray
    alive: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Buyers:
    """Rate while there, time of leaving, and whether the leave is a purchase itself."""

    rate: FloatArray
    life: FloatArray
    at_purchase: bool


def simulate(fit: Fit, age: ArrayLike, holdout: float, rng: np.random.Generator) -> Cohort:
    """Make up customers from the parameters of a model.

    Parameters
    ----------
    fit : Fit
        BG/NBD, MBG/NBD or Pareto/NBD. With `merged_days` purchases are counted by steps, such as
        days, and the first purchase falls at any time of its day; else times are exact.
    age : array_like of float
        Observed time of each customer, units; whole steps where purchases are merged.
    holdout : float
        Time after it, units.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Cohort
        One row per age.
    """
    ages = np.asarray(age, dtype=np.float64)
    unit, step = fit.unit_days or 1.0, fit.merged_days / (fit.unit_days or 1.0)
    begun = rng.random(len(ages)) * step  # since the begin of the day
    buyers = _new_buyers(fit, len(ages), rng)
    window = ages + holdout + step - begun
    customer, time = _purchases(buyers, window, rng)
    if step:
        day = np.floor((time + begun[customer]) / step + 1e-9).astype(np.int64)
        last_day = np.rint((ages + holdout) / step).astype(np.int64)
        kept = (day > 0) & (day <= last_day[customer])
        width = int(last_day.max(initial=0)) + 1
        key = np.unique(customer[kept] * width + day[kept])
        customer, time = key // width, (key % width) * step
    seen = time <= ages[customer] + 1e-9 * max(step, 1e-9)
    x = np.bincount(customer[seen], minlength=len(ages))
    last = np.zeros(len(ages))
    np.maximum.at(last, customer[seen], time[seen])
    counts = BuyerCounts(
        x,
        np.minimum(last, ages),
        ages,
        unit_days=unit,
        grid_days=fit.merged_days,
        merged_days=fit.merged_days,
    )
    after = np.bincount(customer[~seen], minlength=len(ages))
    return Cohort(counts, after, buyers.life + begun > ages + step)


def future_purchases(
    fit: Fit, counts: BuyerCounts, time: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Draw what customers that are known buy in a time after the end of observation.

    Parameters
    ----------
    fit : Fit
        BG/NBD, MBG/NBD or Pareto/NBD.
    counts : BuyerCounts
        Customers; weights are whole numbers of them.
    time : float
        Length of time, in the unit of the fit.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int
        Row of each customer that is drawn to be alive.
    ndarray of int
        Purchases of each; purchase days where the fit is to merged counts.
    """
    known = counts if counts.unit_days == fit.unit_days else counts.in_unit(fit.unit_days or 1.0)
    pareto = _of(fit) is pareto_nbd
    there = pareto_nbd.probability_alive if pareto else bg_nbd.alive_at_risk
    share = np.clip(there(fit, known), 0.0, 1.0)
    alive = rng.binomial(np.rint(known.weight).astype(np.int64), share)
    row = np.repeat(np.arange(len(known)), alive)
    x, risk = known.frequency[row], at_risk(known)[0][row]
    r, alpha = fit.values("r", "alpha")
    rate = rng.gamma(r + x) / (alpha + risk)
    if fit.model == pareto_nbd.PARETO_NBD:
        s, beta = fit.values("s", "beta")
        leave = rng.gamma(s, size=len(row)) / (beta + known.age[row])
        buyers = _Buyers(rate, _waits(leave, rng), at_purchase=False)
    else:
        a, b = fit.values("a", "b")
        extra = fit.model == bg_nbd.MBG_NBD
        buyers = _leaving_at_purchases(rate, rng.beta(a, b + x + extra), rng)
    return row, _number(fit, buyers, time, rng)


def _number(fit: Fit, buyers: _Buyers, time: float, rng: np.random.Generator) -> IntArray:
    """Draw the purchases, or purchase days, of a window."""
    stay = np.minimum(buyers.life, time)
    leaves = buyers.at_purchase & (buyers.life < time)
    step = fit.merged_days / (fit.unit_days or 1.0)
    if not step:
        return rng.poisson(np.minimum(buyers.rate * stay, FASTEST)) + leaves
    days = np.floor(stay / step + rng.random(len(stay))).astype(np.int64)
    bought = -np.expm1(-buyers.rate * step)
    number: IntArray = rng.binomial(days, bought) + leaves
    return np.minimum(number, max(int(np.ceil(time / step)), 0))


def _new_buyers(fit: Fit, size: int, rng: np.random.Generator) -> _Buyers:
    """Draw rates and lives of new customers."""
    r, alpha = fit.values("r", "alpha")
    _of(fit)
    rate = rng.gamma(r, size=size) / alpha
    if fit.model == pareto_nbd.PARETO_NBD:
        s, beta = fit.values("s", "beta")
        return _Buyers(rate, _waits(rng.gamma(s, size=size) / beta, rng), at_purchase=False)
    a, b = fit.values("a", "b")
    chance = rng.beta(a, b, size=size)
    buyers = _leaving_at_purchases(rate, chance, rng)
    if fit.model == bg_nbd.MBG_NBD:
        gone = rng.random(size) < chance  # after the first purchase, which is not counted
        return _Buyers(
            np.where(gone, 0.0, buyers.rate), np.where(gone, -np.inf, buyers.life), at_purchase=True
        )
    return buyers


def _leaving_at_purchases(
    rate: FloatArray, chance: FloatArray, rng: np.random.Generator
) -> _Buyers:
    """Thin the purchases: those that end it come at rate λp, the others at λ(1 - p)."""
    return _Buyers(rate * (1 - chance), _waits(rate * chance, rng), at_purchase=True)


def _waits(rate: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw waiting times; never, where the rate is none."""
    never = np.full(len(rate), np.inf)
    some = rate > LEAST_RATE
    never[some] = rng.standard_exponential(int(some.sum())) / rate[some]
    return never


def _purchases(
    buyers: _Buyers, window: FloatArray, rng: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Draw customer and time of every repeat purchase within a window."""
    stay = np.clip(buyers.life, 0.0, window)
    number = rng.poisson(np.minimum(buyers.rate * stay, FASTEST))
    customer = np.repeat(np.arange(len(window)), number)
    time = rng.random(len(customer)) * stay[customer]
    if buyers.at_purchase:
        leaves = np.flatnonzero((buyers.life > 0) & (buyers.life < window))
        customer = np.concatenate([customer, leaves])
        time = np.concatenate([time, buyers.life[leaves]])
    return customer, time


def _of(fit: Fit):  # type: ignore[no-untyped-def]  # a module
    """Find the predictions of the model of a fit."""
    if fit.model not in MODELS:
        raise InputError(f"{fit.model}: only {', '.join(MODELS)} can be simulated")
    return pareto_nbd if fit.model == pareto_nbd.PARETO_NBD else bg_nbd
