"""Survival after a Cox regression: baseline hazard, and curves for given covariates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.cox import CoxFit
from csa.methods.cox.risk import FollowUp
from csa.methods.intervals import Estimates, normal_quantile
from csa.methods.survival import IntervalKind

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Baseline:
    """Cumulative hazard at the means of the covariates, per stratum and event age.

    `age` is -inf where a stratum begins (`starts`), with a hazard of 0.
    """

    age: FloatArray
    starts: NDArray[np.int64]
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    cumulative_hazard: FloatArray
    last_age: FloatArray  # per stratum: nothing is known later
    centre: FloatArray  # the means
    _log_size: float  # of the numbers below, taken out so that none overflows
    _hazard: FloatArray
    _variance: FloatArray
    _drift: FloatArray  # columns x slots: derivative of the hazard by the effects

    def slots(self, ages: FloatArray, stratum: int) -> NDArray[np.int64]:
        """Find the last event age of a stratum that each age has reached.

        Parameters
        ----------
        ages : ndarray
            Ages.
        stratum : int
            Code of the stratum.

        Returns
        -------
        ndarray of int
            Positions on `age`.
        """
        first = int(self.starts[stratum])
        ends = np.append(self.starts[1:], len(self.age))
        part = self.age[first : int(ends[stratum])]
        return np.asarray(first + np.searchsorted(part, ages, side="right") - 1)


def baseline(fit: CoxFit) -> Baseline:
    """Cumulative hazard at the means of the covariates.

    Parameters
    ----------
    fit : CoxFit
        A fit with either treatment of ties.

    Returns
    -------
    Baseline
        R's `survfit` of a `coxph` object: with Efron's ties each of the m events at an age adds
        1/d, with Breslow's m/S.

    Notes
    -----
    Delayed entry is in the risk sets, so that the curve is that of accounts from their start,
    not of those that happened to be seen.
    """
    problem = fit.likelihood
    columns, risk, spells = problem.columns, problem.risk, problem.spells
    point = problem.at(fit.effects * columns.scale, information=False)
    whole, going = problem.covariate_sums()
    ties = point.ties
    # per slot the sum of mean x / d over tied events, which is the derivative of the hazard
    drift = risk.running((whole * ties.square - going * ties.cross) / ties.whole / ties.whole)
    counts = np.ones(spells.rows) if spells.count is None else spells.count
    at_risk = risk.sums(counts)[0]
    last = np.full(len(risk.starts), -np.inf)
    strata = np.zeros(spells.rows, np.int64) if spells.strata is None else spells.strata
    np.maximum.at(last, strata, spells.exit)
    return Baseline(
        age=risk.age,
        starts=risk.starts,
        at_risk=np.rint(at_risk).astype(np.int64),
        events=np.rint(risk.deaths).astype(np.int64),
        cumulative_hazard=np.exp(-point.shift) * risk.running(ties.hazard),
        last_age=last,
        centre=columns.centre,
        _log_size=point.shift,
        _hazard=risk.running(ties.hazard),
        _variance=risk.running(ties.square / ties.whole / ties.whole),
        _drift=drift,
    )


def predict_survival(
    fit: CoxFit,
    covariates: ArrayLike,
    ages: ArrayLike,
    *,
    stratum: int = 0,
    confidence: float = 0.95,
    interval: IntervalKind = "log-log",
) -> Estimates:
    """Survival of spells with given covariates at given ages.

    Parameters
    ----------
    fit : CoxFit
        A fit.
    covariates : array_like (rows x columns)
        In the units of the design.
    ages : array_like
        Ages.
    stratum : int
        Code of the stratum whose hazard is taken.
    confidence : float
        Level of the pointwise interval, share in (0, 1).
    interval : {"log-log", "log"}
        Scale of the interval: "log-log" stays within [0, 1], "log" is R's default, cut at 1.

    Returns
    -------
    Estimates
        Arrays (rows x ages); NaN past the last age seen in the stratum.

    Raises
    ------
    InputError
        If the covariates do not fit the design, there is no such stratum, or the interval is of
        no known kind.

    Notes
    -----
    S(t | x) = exp(-H), H = exp((x - m) b) Λ(t) with m the means. The variance of H has a part
    from the hazard, exp(2 (x - m) b) Σ 1/d², and one from the effects, a' V a with a = Σ dH (x -
    mean x at risk) [1]_. V is robust where the fit is.

    References
    ----------
    .. [1] Tsiatis, A. A. (1981). A large sample study of Cox's regression model. Ann. Stat. 9,
       93-108.
    """
    rows = np.atleast_2d(np.asarray(covariates, dtype=float))
    columns = fit.likelihood.columns
    if rows.shape[1] != columns.columns or not np.isfinite(rows).all():
        raise InputError(f"covariates: give {columns.columns} known numbers per row")
    if interval not in {"log", "log-log"}:
        raise InputError(f'interval: "{interval}" is neither "log-log" nor "log"')
    found = baseline(fit)
    if not 0 <= stratum < len(found.starts):
        raise InputError(f"stratum: {stratum} is not one of {len(found.starts)} strata from 0 on")
    times = np.atleast_1d(np.asarray(ages, dtype=float))
    slot = found.slots(times, stratum)
    scaled = (rows - columns.centre) / columns.scale
    risk = np.exp(scaled @ (fit.effects * columns.scale) - found._log_size)[:, None]
    hazard = risk * found._hazard[slot]
    slope = risk[:, :, None] * (
        found._drift[:, slot].T[None] - scaled[:, None, :] * found._hazard[slot][None, :, None]
    )
    covariance = fit.covariance * np.outer(columns.scale, columns.scale)
    spread = np.einsum("rtp,pq,rtq->rt", slope, covariance, slope)
    error = np.sqrt(risk**2 * found._variance[slot] + spread)
    limits = _limits(hazard, normal_quantile(confidence) * error, interval)
    unknown = times > found.last_age[stratum]
    return Estimates(*(np.where(unknown, np.nan, x) for x in (np.exp(-hazard), *limits)))


def expected_events(fit: CoxFit, covariates: ArrayLike, spells: FollowUp) -> FloatArray:
    """Events that a fit expects of spells while they were at risk.

    Parameters
    ----------
    fit : CoxFit
        A fit.
    covariates : array_like (rows x columns)
        In the units of the design.
    spells : FollowUp
        Times of these rows; strata coded as in the fit, counts taken as they are.

    Returns
    -------
    ndarray
        One number per row, for all its spells: H(exit) - H(entry).
    """
    rows, found = np.asarray(covariates, dtype=float), baseline(fit)
    columns = fit.likelihood.columns
    scaled = (rows - columns.centre) / columns.scale
    risk = np.exp(scaled @ (fit.effects * columns.scale) - found._log_size)
    codes = np.zeros(spells.rows, np.int64) if spells.strata is None else spells.strata
    hazard = np.zeros(spells.rows)
    for stratum in np.unique(codes).tolist():
        if stratum >= len(found.starts):
            continue  # nobody left there, nor was anybody there in the fit
        here = codes == stratum
        hazard[here] = found._hazard[found.slots(spells.exit[here], stratum)]
        if spells.entry is not None:
            late = here & (spells.entry > 0)
            hazard[late] -= found._hazard[found.slots(spells.entry[late], stratum)]
    return risk * hazard if spells.count is None else risk * hazard * spells.count


def _limits(
    hazard: FloatArray, half: FloatArray, interval: IntervalKind
) -> tuple[FloatArray, FloatArray]:
    """Limits of survival from those of its cumulative hazard; 1 before the first event."""
    if interval == "log":
        return np.exp(-hazard - half), np.minimum(np.exp(-hazard + half), 1.0)
    factor = np.exp(np.divide(half, hazard, out=np.zeros_like(half), where=hazard > 0))
    return np.exp(-hazard * factor), np.exp(-hazard / factor)
