"""Restricted means of groups with few leavers: limits that hold, and differences between groups.

Mean ± z standard errors misses where few left: the variance counts how many left, but takes the
day on which they did for certain, although all that they did not lose hangs on it.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv

from csa.errors import InputError
from csa.methods.survival import SurvivalCurve, restricted_mean

FloatArray = NDArray[np.float64]


class RestrictedMean(NamedTuple):
    """Mean age up to a horizon with its limits, in the unit of the ages; NaN is unknown."""

    value: float
    low: float
    high: float
    std_error: float


class MeanDifference(NamedTuple):
    """First mean minus second, in the unit of the ages; NaN is unknown."""

    value: float
    low: float
    high: float
    std_error: float
    p_value: float


class _Beta(NamedTuple):
    """Beta distribution of a share; `b` is 0 where it is 1 for certain."""

    a: float
    b: float


def restricted_mean_limits(curve: SurvivalCurve, horizon: float) -> RestrictedMean:
    """Mean age reached up to a horizon, with limits that hold where few or none left.

    Parameters
    ----------
    curve : SurvivalCurve
        Estimate; given alive at its start. Its confidence is that of the limits.
    horizon : float
        Age at which the mean is cut, in the unit of the curve's times.

    Returns
    -------
    RestrictedMean
        Value and standard error of `restricted_mean`, limits between the start and the horizon;
        they are there also where nobody left. NaN where the curve ends before the horizon, or
        starts at or after it.

    Notes
    -----
    Survival is a product of independent beta variables, one per leaver: Beta(Y, 1) where Y were
    at risk [1]_. Between two leavers it falls in a straight line, in place of at the earliest or
    at the latest moment (as [2]_, on the scale of logs). After the last leaver it stays, or falls
    once more by Beta(mean at risk, 1), each with chance 1/2 (mid-p [3]_). Mean and variance of
    the area under such curves are exact; a beta distribution takes them on, as in [1]_, and the
    limits are quantiles of the two in equal parts. With many leavers they are those of the
    standard error.

    In 5,000 samples of 160 with 3.6 leavers expected, and none in 2 of 100, 95 % limits hold the
    truth in 94.8 %; on the logit of the mean's share of the horizon, from the standard error, in
    91.6 % of the samples where anybody left; with the earliest and the latest moment in 97.5 %.
    Counts are whole, so that a little is left to chance: 93.6 % with 3 expected, 97.4 % with 1.
    Where four fifths of a dozen leave, the beta distribution is less skewed than the areas, by a
    twentieth of the width.

    References
    ----------
    .. [1] Fay, M. P., Brittain, E. H., Proschan, M. A. (2013). Pointwise confidence intervals
       for a survival distribution with small samples or heavy censoring. Biostatistics 14,
       723-736.
    .. [2] Cui, Y., Hannig, J. (2019). Nonparametric generalized fiducial inference for survival
       functions under censoring. Biometrika 106, 501-518.
    .. [3] Fay, M. P., Brittain, E. H. (2016). Finite sample pointwise confidence intervals for a
       survival distribution with right-censored data. Stat. Med. 35, 2726-2740.
    """
    value, error = restricted_mean(curve, horizon)
    start = curve.table.start
    if math.isnan(value) or not horizon > start:
        return RestrictedMean(value, math.nan, math.nan, error)
    two = _areas(curve, horizon)
    tail = (1 - curve.confidence) / 2
    low, high = (start + (horizon - start) * _quantile(two, p) for p in (tail, 1 - tail))
    return RestrictedMean(value, min(low, value), max(high, value), error)


def _areas(curve: SurvivalCurve, horizon: float) -> tuple[_Beta, _Beta]:
    """Area under survival as a share of the horizon: nobody leaves after the last, or one does."""
    table = curve.table
    gone = (table.events > 0) & (table.time < horizon)
    ages = np.concatenate([[table.start], table.time[gone], [horizon]])
    width = np.diff(ages) / (horizon - table.start)
    n, d = table.at_risk[gone].astype(float), table.events[gone].astype(float)
    # of several that leave at one age only the first may have left anywhere since the last age
    a = np.column_stack([n, n - d + 1]).ravel()
    b = np.column_stack([np.ones_like(d), d - 1]).ravel()
    weight = np.zeros(len(a) + 2)
    weight[:-2:2] += width[:-1] / 2
    weight[1:-2:2] += width[:-1] / 2
    stays, falls = weight[:-1].copy(), weight
    stays[-1] += width[-1]
    falls[-2:] += width[-1] / 2
    last = _mean_at_risk(curve, ages[-2], horizon)
    return _area(a, b, stays), _area(np.append(a, last), np.append(b, 1.0), falls)


def _mean_at_risk(curve: SurvivalCurve, after: float, until: float) -> float:
    """Mean number at risk between two ages."""
    time, at_risk = curve.table.time, curve.table.at_risk
    inner = time[(time > after) & (time < until)]
    ends = np.append(inner, until)
    lengths = np.diff(np.concatenate([[after], ends]))
    there = np.append(at_risk, 0)[np.searchsorted(time, ends)]
    return float((lengths * there).sum() / (until - after))


def _area(a: FloatArray, b: FloatArray, weight: FloatArray) -> _Beta:
    """Beta distribution with mean and variance of Σ weight × product of so many Beta(a, b)."""
    share = a / (a + b)
    first = np.cumprod(np.append(1.0, share))
    second = np.cumprod(np.append(1.0, share * (a + 1) / (a + b + 1)))
    part = weight * first
    after = part.sum() - np.cumsum(part)
    rest = np.divide(after, first, out=np.zeros_like(first), where=first > 0)
    mean = part.sum()
    variance = (weight * second * (weight + 2 * rest)).sum() - mean**2
    if not variance > 0:  # nobody left, and nobody will
        return _Beta(1.0, 0.0)
    size = mean * (1 - mean) / variance - 1
    return _Beta(float(mean * size), float((1 - mean) * size))


def _quantile(two: tuple[_Beta, _Beta], p: float) -> float:
    """Quantile of two beta distributions in equal parts, the second the lower."""
    stays, falls = two
    if stays.b == 0:
        return float(betaincinv(falls.a, falls.b, 2 * p)) if 2 * p < 1 else 1.0

    def excess(x: float) -> float:
        return float(betainc(*stays, x) + betainc(*falls, x)) / 2 - p

    ends = [float(betaincinv(*one, p)) for one in two]
    if not min(ends) < max(ends):
        return ends[0]
    return float(brentq(excess, min(ends), max(ends), xtol=1e-14))


def mean_difference(first: RestrictedMean, second: RestrictedMean) -> MeanDifference:
    """Difference of two independent means that are known with their limits.

    Parameters
    ----------
    first, second : RestrictedMean
        As from `restricted_mean_limits`, both to the same horizon; the limits of the difference
        have the confidence of theirs.

    Returns
    -------
    MeanDifference
        NaN where a mean is unknown. Where one error is 0 (nobody churned, or all did at the same
        age) there is an interval, but neither standard error nor p-value.

    Notes
    -----
    With limits l and u of both means m the limits are d - √((m1-l1)² + (u2-m2)²) and
    d + √((u1-m1)² + (m2-l2)²) [1]_; two-sided p-value of d / √(se₁² + se₂²) under the normal
    distribution [2]_.

    References
    ----------
    .. [1] Zou, G. Y., Donner, A. (2008). Construction of confidence limits about effect measures:
       a general approach. Stat. Med. 27, 1693-1702.
    .. [2] Royston, P., Parmar, M. K. B. (2013). Restricted mean survival time: an alternative to
       the hazard ratio. BMC Med. Res. Methodol. 13, 152.

    Examples
    --------
    >>> women = RestrictedMean(297.4654, 274.87, 316.99, 10.79132)
    >>> men = RestrictedMean(241.4951, 220.69, 261.25, 10.35823)
    >>> change = mean_difference(women, men)
    >>> f"{change.value:.2f} [{change.low:.2f}, {change.high:.2f}], p {change.p_value:.5f}"
    '55.97 [25.96, 84.50], p 0.00018'
    """
    value = first.value - second.value
    down = math.hypot(first.value - first.low, second.high - second.value)
    up = math.hypot(first.high - first.value, second.value - second.low)
    error, p_value = math.nan, math.nan
    if first.std_error > 0 and second.std_error > 0:
        error = math.hypot(first.std_error, second.std_error)
        p_value = math.erfc(abs(value) / error / math.sqrt(2))
    return MeanDifference(value, value - down, value + up, error, p_value)


def restricted_mean_difference(
    first: SurvivalCurve, second: SurvivalCurve, horizon: float
) -> MeanDifference:
    """Difference of the mean ages that two groups reach up to a horizon.

    Parameters
    ----------
    first, second : SurvivalCurve
        Curves of two groups without a spell in common, given alive at the same age.
    horizon : float
        Age at which both means are cut, in the unit of the curves' times.

    Returns
    -------
    MeanDifference
        First minus second at the curves' confidence, the interval within what the horizon
        allows. NaN where a curve ends before the horizon.

    Raises
    ------
    InputError
        If the curves start at different ages: one mean would count ages that the other was
        given.

    Notes
    -----
    The area between two survival curves; it asks for no proportional hazards. See
    `mean_difference`.
    """
    start = first.table.start
    if start != second.table.start:
        raise InputError(
            f"restricted means: one curve starts at {start:g}, the other at "
            f"{second.table.start:g}; cut both life tables with `between` at the later age"
        )
    return mean_difference(
        restricted_mean_limits(first, horizon), restricted_mean_limits(second, horizon)
    )
