"""Distributions fitted to groups of spells, and how they compare with Kaplan-Meier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.methods.aft import (
    AftFit,
    Distribution,
    cumulative_hazard,
    fit_aft,
    table_lifetimes,
)
from csa.methods.intervals import Estimates
from csa.methods.lifetable import LifeTable, connected_part
from csa.methods.survival import SurvivalCurve, kaplan_meier

FloatArray = NDArray[np.float64]

MIN_AT_RISK = 10  # ages seen are those at which this many are at risk
MIN_EVENTS = 20  # fewer say nothing about a shape
MISS = 0.02  # a curve may lie this far outside the interval of Kaplan-Meier,
MISS_SHARE = 0.2  # and at most this share of the survival that is left


def _allowed(survival: float | FloatArray) -> FloatArray:
    """How far a curve may lie outside the interval of Kaplan-Meier."""
    return np.minimum(MISS, MISS_SHARE * np.asarray(survival))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Candidate:
    """A distribution fitted to a group, and how it compares with what was seen."""

    fit: AftFit
    distance: float  # largest from Kaplan-Meier
    within: float  # share of the days seen within its interval
    miss: float  # outside its interval, on the day on which that matters most
    miss_day: float
    left: float  # survival on that day

    @property
    def reason(self) -> str:
        """Why it may not be used, if so."""
        if not self.fit.converged:
            return self.fit.reason
        if self.miss > _allowed(self.left):
            return (
                f"the {self.fit.distribution} curve lies {self.miss:.3f} outside the interval of "
                f"Kaplan-Meier at {self.miss_day:g} days, where that is {self.left:.3f}"
            )
        return ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FittedGroup:
    """One group on its way to the result."""

    name: str
    n: int
    events: int
    curve: SurvivalCurve
    seen_until: float
    candidates: list[Candidate]  # best first: those that fit, then by AIC
    reason: str  # why there is no figure; empty where there is

    @property
    def usable(self) -> list[Candidate]:
        """Candidates that may be shown."""
        return [] if self.reason else [c for c in self.candidates if not c.reason]


def fit_group(
    name: str, table: LifeTable, distributions: Sequence[Distribution], confidence: float
) -> FittedGroup:
    """Fit distributions to a group and hold them against its Kaplan-Meier curve.

    Parameters
    ----------
    name : str
        Name of the group.
    table : LifeTable
        Its counts.
    distributions : sequence of str
        To be tried.
    confidence : float
        Level of the interval of Kaplan-Meier.

    Returns
    -------
    FittedGroup
        Candidates that fit first, by AIC.
    """
    part, _ = connected_part(table, MIN_AT_RISK)
    curve = kaplan_meier(part, confidence=confidence)
    enough = part.time[part.at_risk >= MIN_AT_RISK]
    seen_until = float(enough[-1]) if len(enough) else float("nan")
    events = int(table.events.sum())
    reason = ""
    if not len(enough):
        reason = f"never {MIN_AT_RISK} at risk at the same age"
    elif events < MIN_EVENTS:
        reason = f"only {events} churned; a shape needs {MIN_EVENTS}"
    candidates = [] if reason else [_candidate(table, d, curve, seen_until) for d in distributions]
    candidates.sort(key=lambda c: (c.reason != "", c.fit.aic if c.fit.converged else np.inf))
    if candidates and candidates[0].reason:
        reason = f"no distribution fits: {candidates[0].reason}"
    return FittedGroup(
        name=name,
        n=int((table.events + table.censored).sum()),
        events=events,
        curve=curve,
        seen_until=seen_until,
        candidates=candidates,
        reason=reason,
    )


def _candidate(
    table: LifeTable, distribution: Distribution, curve: SurvivalCurve, seen_until: float
) -> Candidate:
    """Fit a distribution and measure its distance from Kaplan-Meier on the days seen."""
    fit = fit_aft(table_lifetimes(table, resolution=1.0), distribution)
    nan = float("nan")
    if not fit.converged:
        return Candidate(fit=fit, distance=nan, within=nan, miss=nan, miss_day=nan, left=nan)
    first = np.floor(curve.table.start) + 1
    days = np.arange(first, max(seen_until, first) + 1)
    value, low, high = _observed(curve, days)
    mine = np.exp(-hazard_since(fit, days, curve.table.start)[0])
    miss = np.maximum(np.maximum(low - mine, mine - high), 0.0)
    worst = int(np.argmax(miss - _allowed(value)))
    return Candidate(
        fit=fit,
        distance=float(np.abs(mine - value).max()),
        within=float((miss == 0).mean()),
        miss=float(miss[worst]),
        miss_day=float(days[worst]),
        left=float(value[worst]),
    )


def _observed(curve: SurvivalCurve, days: FloatArray) -> Estimates:
    """Kaplan-Meier at days; before the first event its interval is that of nobody among n."""
    place = np.searchsorted(curve.table.time, days, side="right") - 1
    at = np.maximum(place, 0)
    value = np.where(place >= 0, curve.survival[at], 1.0)
    least = ((1 - curve.confidence) / 2) ** (1 / np.maximum(curve.table.at_risk_at(days), 1))
    low = np.where(value == 1, least, np.nan_to_num(curve.ci_low[at], nan=0.0))
    high = np.where(value == 1, 1.0, np.nan_to_num(curve.ci_high[at], nan=1.0))
    return Estimates(value, low, high)


def hazard_since(fit: AftFit, ages: FloatArray, start: float) -> tuple[FloatArray, FloatArray]:
    """Cumulative hazard since the start of a curve, and its slopes in the parameters.

    Parameters
    ----------
    fit : AftFit
        Fitted distribution.
    ages : ndarray of float
        Ages, none before the start.
    start : float
        Age at which all are alive.

    Returns
    -------
    hazard, slopes : ndarray of float
        One per age; ages × parameters.
    """
    value, slopes = cumulative_hazard(fit, ages)
    before, before_slopes = cumulative_hazard(fit, [start])
    return np.maximum(value - before, 0.0), slopes - before_slopes


def survival_since(fit: AftFit, ages: FloatArray, start: float, z: float) -> Estimates:
    """Survival given alive at the start, with limits by the delta method on log(-log S).

    Parameters
    ----------
    fit : AftFit
        Fitted distribution.
    ages : ndarray of float
        Ages, none before the start.
    start : float
        Age at which all are alive.
    z : float
        Half-width of the interval in standard errors.

    Returns
    -------
    Estimates
        One per age.
    """
    value, slopes = hazard_since(fit, ages, start)
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, fit.covariance, slopes), 0.0))
    spread = np.exp(np.minimum(z * error / np.where(value > 0, value, 1.0), 300.0))
    return Estimates(np.exp(-value), np.exp(-value * spread), np.exp(-value / spread))
