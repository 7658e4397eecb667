"""Value per unit of monthly revenue, by group and age: what a payment now is worth with its heirs.

The factor of an account of age a is Σ v(k) G(k) S(a + k) / S(a) over the payments of the horizon, v
the discount, G what a survivor pays k months on as a multiple of today. It does not depend on what
the account pays, so all values are sums of revenue by group and age times a factor.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from csa.analysis.clv.contract_paths import Path
from csa.analysis.clv.contract_survival import GroupHazards

FloatArray = NDArray[np.float64]

SMALLEST = 1e-250  # survival below which curves are held as logs


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Factors:
    """Factors of a group for ages 0, 1, ... in months.

    `value` of the payments expected, `draws` (draws × ages) of what is not known of survival and
    growth, `outcome_low` and `outcome_high` between which one account's payments fall, `variance`
    of one account's payments given survival and growth, `beyond` the share of the value at ages
    that nobody was seen at. Where next to all or next to none stay, the mean lies outside of the
    quantiles; the limits of the outcome are then widened to it.
    """

    value: FloatArray
    draws: FloatArray
    outcome_low: FloatArray
    outcome_high: FloatArray
    variance: FloatArray
    beyond: FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Payments:
    """Payments of the horizon: their present values, and months from now to the first."""

    discount: FloatArray
    first: int = 0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GroupPart:
    """What the value of a group is made of, and the draws behind its intervals."""

    hazards: GroupHazards
    factors: Factors
    path: Path


def factors(
    hazards: GroupHazards,
    *,
    growing: Path,
    shock: float,
    payments: Payments,
    confidence: float,
) -> Factors:
    """Value per unit of monthly revenue for every age the hazards allow.

    Parameters
    ----------
    hazards : GroupHazards
        Monthly, past the oldest age by the horizon.
    growing : Path
        What a survivor pays by months from now, up to the last payment.
    shock : float
        Variance of one account's relative change in a month.
    payments : Payments
        Discounts of the payments.
    confidence : float
        Level of the limits of one account's outcome.

    Returns
    -------
    Factors
        For ages 0 to months - horizon.
    """
    horizon = len(payments.discount)
    k = np.arange(payments.first, payments.first + horizon)
    ages = np.arange(len(hazards.hazard) - int(k[-1]) + 1)
    alive = _alive(hazards.hazard[None], ages, k)[0]
    path = payments.discount * growing.value[k]
    each = path * alive
    value = each.sum(axis=1)
    paths = payments.discount * growing.draws[:, k]
    drawn = _drawn(hazards.draws, paths, ages, k)
    low, high = _outcome(alive, path, confidence)
    low, high = np.minimum(low, value), np.maximum(high, value)  # rare leavers move the mean out
    return Factors(
        value=value,
        draws=drawn,
        outcome_low=low,
        outcome_high=high,
        variance=_variance(alive, path, shock),
        beyond=_beyond(each, ages, k, hazards),
    )


def factors_of(hazard: FloatArray, payments: FloatArray, ages: int) -> FloatArray:
    """Value per unit of monthly revenue for the first ages, from one row of hazards.

    Parameters
    ----------
    hazard : ndarray of float
        Monthly; where it ends, its last year goes on.
    payments : ndarray of float
        Present values of what a survivor pays, the first due now.
    ages : int
        Number of ages, from 0.

    Returns
    -------
    ndarray of float
        One factor per age.
    """
    k = np.arange(len(payments))
    missing = ages + len(k) - len(hazard)
    if missing > 0:
        hazard = np.append(hazard, np.resize(hazard[-12:], missing))
    alive = _alive(hazard[None], np.arange(ages), k)[0]
    return np.asarray(alive @ payments)


def _alive(hazard: FloatArray, ages: NDArray[np.int64], k: NDArray[np.int64]) -> FloatArray:
    """Chance to be there k months on, by age: rows of hazards × ages × months."""
    steps = np.log1p(-hazard)
    curve = np.concatenate([np.zeros((len(hazard), 1)), np.cumsum(steps, axis=1)], axis=1)
    return np.asarray(np.exp(curve[:, ages[:, None] + k] - curve[:, ages][:, :, None]))


def _drawn(
    hazard: FloatArray, paths: FloatArray, ages: NDArray[np.int64], k: NDArray[np.int64]
) -> FloatArray:
    """Factors of every draw: sums over sliding windows of its curve."""
    curve = np.cumprod(np.pad(1 - hazard, ((0, 0), (1, 0)), constant_values=1.0), axis=1)
    if curve.min() < SMALLEST:  # the ratio of two of them would lose its digits
        rows = zip(hazard, paths, strict=True)
        return np.array([_alive(h[None], ages, k)[0] @ path for h, path in rows])
    windows = sliding_window_view(curve[:, k[0] :], len(k), axis=1)[:, : len(ages)]
    return np.asarray(np.einsum("dak,dk->da", windows, paths) / curve[:, ages])


def _outcome(
    alive: FloatArray, path: FloatArray, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Limits of one account's payments: those up to the day it leaves."""
    tail = (1 - confidence) / 2
    paid = np.concatenate([[0.0], np.cumsum(path)])
    # at least j payments are made with probability alive[:, j - 1]
    sure = (alive > 1 - tail).sum(axis=1)
    likely = (alive > tail).sum(axis=1)
    return paid[sure], paid[likely]


def _variance(alive: FloatArray, path: FloatArray, shock: float) -> FloatArray:
    """Variance of one account's payments: when it leaves, and how its payments wander."""
    paid = np.cumsum(path)
    before = np.concatenate([np.ones((len(alive), 1)), alive], axis=1)
    stops = before[:, :-1] - before[:, 1:]  # after j payments, j = 0 ... horizon - 1
    totals = np.concatenate([[0.0], paid])
    chance = np.concatenate([stops, before[:, -1:]], axis=1)
    mean = chance @ totals
    leaving = chance @ totals**2 - mean**2
    later = np.cumsum((path * alive)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.maximum(leaving, 0.0) + shock * (later[:, 1:] ** 2).sum(axis=1))


def _beyond(
    each: FloatArray, ages: NDArray[np.int64], k: NDArray[np.int64], hazards: GroupHazards
) -> FloatArray:
    """Share of the value at ages that nobody was seen at; all where the age itself is such."""
    at = ages[:, None] + k
    unseen = (at > hazards.last_seen) & (k > 0)
    total = each.sum(axis=1)
    return np.asarray((each * unseen).sum(axis=1) / np.where(total > 0, total, 1.0))
