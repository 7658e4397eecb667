"""Survival from life tables: Kaplan-Meier, Nelson-Aalen, quantiles, restricted mean."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.intervals import Estimate, Estimates, normal_quantile
from csa.methods.lifetable import LifeTable

FloatArray = NDArray[np.float64]
IntervalKind = Literal["log", "log-log"]

# R's survfit treats S(t) within this of the level as equal to it (all.equal's tolerance)
LEVEL_TOLERANCE = float(np.finfo(float).eps) ** 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SurvivalCurve:
    """Kaplan-Meier estimate on the times of `table`, given alive at `table.start`."""

    table: LifeTable
    survival: FloatArray
    log_variance: FloatArray  # Greenwood's sum, the variance of log S
    ci_low: FloatArray
    ci_high: FloatArray
    confidence: float
    interval: IntervalKind

    @property
    def std_error(self) -> FloatArray:
        """Greenwood's standard error of S; NaN where S is 0."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.survival * np.sqrt(self.log_variance))

    def at(self, age: float) -> Estimate:
        """S(age) with its interval.

        Parameters
        ----------
        age : float
            In the unit of `table.time`.

        Returns
        -------
        Estimate
            NaN before the start and past the last time, where nothing is known.
        """
        i = int(np.searchsorted(self.table.time, age, side="right")) - 1
        ended = len(self.survival) > 0 and self.survival[-1] == 0
        past = age > self.last and not ended
        if age < self.table.start or past or not len(self.survival):
            return Estimate(np.nan, np.nan, np.nan)
        if i < 0:
            return Estimate(1.0, 1.0, 1.0)
        return Estimate(float(self.survival[i]), float(self.ci_low[i]), float(self.ci_high[i]))

    @property
    def last(self) -> float:
        """Last age seen; the start where nothing was."""
        return float(self.table.time[-1]) if len(self.table.time) else self.table.start


def kaplan_meier(
    table: LifeTable, *, confidence: float = 0.95, interval: IntervalKind = "log-log"
) -> SurvivalCurve:
    """Product-limit estimate of survival with Greenwood's variance.

    Parameters
    ----------
    table : LifeTable
        Counts; late entries are part of it.
    confidence : float
        Level of the pointwise interval, share in (0, 1).
    interval : {"log-log", "log"}
        Scale of the interval: "log-log" stays within [0, 1], "log" is R's default, cut at 1.

    Returns
    -------
    SurvivalCurve
        Limits are 1 where S is 1 and NaN where S is 0, as in R.

    Raises
    ------
    InputError
        If the interval is of no known kind.

    Notes
    -----
    S(t) = Π (1 - d/n) over times up to t; var log S = Σ d / (n (n - d)) = V [1]_ [2]_. Limits:
    "log" exp(log S ± z √V), "log-log" S ** exp(± z √V / log S) [3]_.

    References
    ----------
    .. [1] Kaplan, E. L., Meier, P. (1958). J. Am. Stat. Assoc. 53, 457-481.
    .. [2] Greenwood, M. (1926). Reports on Public Health and Medical Subjects 33, 1-26.
    .. [3] Kalbfleisch, J. D., Prentice, R. L. (1980). The Statistical Analysis of Failure Time
       Data, 1.3. Wiley.
    """
    if interval not in {"log", "log-log"}:
        raise InputError(f'interval: "{interval}" is neither "log-log" nor "log"')
    n, d = table.at_risk, table.events
    survival = np.cumprod(1 - d / np.maximum(n, 1.0), dtype=np.float64)
    left = (n * (n - d)).astype(float)
    # where all go the variance is infinite and S is 0; where none go it does not grow
    step = np.divide(d, left, out=np.where(d > 0, np.inf, 0.0), where=left > 0)
    variance = np.cumsum(step)
    z = normal_quantile(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_s, half = np.log(survival), z * np.sqrt(variance)
        if interval == "log":
            low, high = np.exp(log_s - half), np.minimum(np.exp(log_s + half), 1.0)
        else:
            low, high = survival ** np.exp(-half / log_s), survival ** np.exp(half / log_s)
    low, high = (np.where(survival == 1, 1.0, x) for x in (low, high))
    low, high = (np.where(survival == 0, np.nan, x) for x in (low, high))
    return SurvivalCurve(
        table=table,
        survival=survival,
        log_variance=variance,
        ci_low=low,
        ci_high=high,
        confidence=confidence,
        interval=interval,
    )


def nelson_aalen(table: LifeTable, *, confidence: float = 0.95) -> Estimates:
    """Cumulative hazard with its interval on the log scale.

    Parameters
    ----------
    table : LifeTable
        Counts; late entries are part of it.
    confidence : float
        Level of the pointwise interval, share in (0, 1).

    Returns
    -------
    Estimates
        H(t) per time of the table; limits are 0 where H is 0.

    Notes
    -----
    H(t) = Σ d / n, var H = Σ d / n² [1]_; limits H exp(± z √var / H).

    References
    ----------
    .. [1] Aalen, O. (1978). Nonparametric inference for a family of counting processes. Ann.
       Stat. 6, 701-726.
    """
    n, d = np.maximum(table.at_risk, 1).astype(float), table.events
    hazard, variance = np.cumsum(d / n), np.cumsum(d / n**2)
    relative = np.sqrt(variance) / np.where(hazard > 0, hazard, 1.0)
    spread = np.exp(normal_quantile(confidence) * relative)
    return Estimates(hazard, hazard / spread, hazard * spread)


def quantile(curve: SurvivalCurve, share_gone: float = 0.5) -> Estimate:
    """Age by which a share has gone, with R's interval: where the curve's limits cross.

    Parameters
    ----------
    curve : SurvivalCurve
        Estimate with limits.
    share_gone : float
        0.5 for the median.

    Returns
    -------
    Estimate
        NaN where the curve, or its limit, never comes down to the level.

    Notes
    -----
    First time with S(t) <= 1 - share; where S is flat exactly at the level, the middle of the
    flat piece. The limits of the age are found the same way on the limits of the curve [1]_.

    References
    ----------
    .. [1] Brookmeyer, R., Crowley, J. (1982). A confidence interval for the median survival
       time. Biometrics 38, 29-41.
    """
    level, time = 1 - share_gone, curve.table.time

    def crossing(values: FloatArray) -> float:
        keep = values < level + LEVEL_TOLERANCE  # NaN compares as False: no limit there
        if not keep.any():
            return float("nan")
        ages, below = time[keep], values[keep]
        later = below < below[0]
        if abs(below[0] - level) < LEVEL_TOLERANCE and later.any():
            return float((ages[0] + ages[later][0]) / 2)
        return float(ages[0])

    return Estimate(crossing(curve.survival), crossing(curve.ci_low), crossing(curve.ci_high))


def restricted_mean(curve: SurvivalCurve, horizon: float) -> tuple[float, float]:
    """Mean age reached up to a horizon, and its standard error.

    Parameters
    ----------
    curve : SurvivalCurve
        Estimate; given alive at its start.
    horizon : float
        Age at which the mean is cut, in the unit of the curve's times.

    Returns
    -------
    mean, standard error : float
        NaN where the curve ends before the horizon, or starts after it.

    Notes
    -----
    start + ∫ S(t) dt up to the horizon; variance Σ A(t)² d / (n (n - d)) with A(t) the area
    right of t [1]_: R's `rmean` and `se(rmean)`.

    References
    ----------
    .. [1] Klein, J. P., Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 4.5. Springer.
    """
    table = curve.table
    if not table.start <= horizon or np.isnan(curve.at(horizon).value):
        return float("nan"), float("nan")
    inside = table.time < horizon
    height = np.concatenate([[1.0], curve.survival[inside]])
    width = np.diff(np.concatenate([[table.start], table.time[inside], [horizon]]))
    area = height * width
    right_of = np.cumsum(area[::-1])[::-1][1:]  # area right of each time
    n, d = table.at_risk[inside].astype(float), table.events[inside]
    # the last of all to go has no area right of it: its infinite term counts nothing
    step = np.divide(d, n * (n - d), out=np.zeros_like(n), where=n > d)
    return float(table.start + area.sum()), float(np.sqrt((right_of**2 * step).sum()))
