"""Difference of restricted means between two groups, without any model of their hazards."""

import math
from typing import NamedTuple

from csa.errors import InputError
from csa.methods.intervals import normal_quantile
from csa.methods.survival import SurvivalCurve, restricted_mean


class MeanDifference(NamedTuple):
    """First mean minus second, in the unit of the ages; NaN is unknown."""

    value: float
    low: float
    high: float
    std_error: float
    p_value: float


def mean_difference(
    first: tuple[float, float], second: tuple[float, float], *, confidence: float = 0.95
) -> MeanDifference:
    """Difference of two independent means that are known with their standard errors.

    Parameters
    ----------
    first, second : tuple of float
        Mean and standard error, as from `restricted_mean`, both to the same horizon.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    MeanDifference
        NaN where a mean is unknown. Where one error is 0 (nobody churned, or all did at the same
        age) only the value is given: no spread between accounts is ignorance, not certainty.

    Notes
    -----
    Difference ± z √(se₁² + se₂²); two-sided p-value of its ratio to that root under the normal
    distribution [1]_.

    References
    ----------
    .. [1] Royston, P., Parmar, M. K. B. (2013). Restricted mean survival time: an alternative to
       the hazard ratio. BMC Med. Res. Methodol. 13, 152.

    Examples
    --------
    >>> change = mean_difference((297.4654, 10.79132), (241.4951, 10.35823))
    >>> f"{change.value:.2f} [{change.low:.2f}, {change.high:.2f}], p {change.p_value:.5f}"
    '55.97 [26.65, 85.29], p 0.00018'
    """
    z = normal_quantile(confidence)
    value = first[0] - second[0]
    error = math.hypot(first[1], second[1])
    if math.isnan(value) or not (first[1] > 0 and second[1] > 0):
        return MeanDifference(value, math.nan, math.nan, math.nan, math.nan)
    p_value = math.erfc(abs(value) / error / math.sqrt(2))
    return MeanDifference(value, value - z * error, value + z * error, error, p_value)


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
        First minus second at the first curve's confidence, the interval within what the horizon
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
    found = mean_difference(
        restricted_mean(first, horizon),
        restricted_mean(second, horizon),
        confidence=first.confidence,
    )
    if math.isnan(found.low):
        return found
    most = horizon - start
    return found._replace(low=max(found.low, -most), high=min(found.high, most))
