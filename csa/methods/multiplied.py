"""Products and ratios of independent estimates that are known with their limits."""

import math
from typing import Final

from csa.methods.intervals import Estimate

NOTHING: Final = Estimate(math.nan, math.nan, math.nan)


def product_of_estimates(first: Estimate, second: Estimate) -> Estimate:
    """Multiply two independent estimates of quantities that are not negative.

    Parameters
    ----------
    first, second : Estimate
        Value and limits.

    Returns
    -------
    Estimate
        Limits are NaN where one of the four is; where a value is 0 they are the products of the
        limits, which is cautious.

    Notes
    -----
    The distances from value to limit on the log scale add as squares: the method of variance
    estimates recovery [1]_ applied to the logs.

    References
    ----------
    .. [1] Zou, G. Y., Donner, A. (2008). Construction of confidence limits about effect measures:
       a general approach. Stat. Med. 27(10), 1693-1702.
    """
    value = first.value * second.value
    ends = (first.low, first.high, second.low, second.high)
    if math.isnan(value):
        return NOTHING
    if any(math.isnan(end) for end in ends):
        return Estimate(value, math.nan, math.nan)
    if min(first.value, second.value) <= 0:
        return Estimate(value, min(value, first.low * second.low), first.high * second.high)
    down = math.hypot(_apart(first.low, first.value), _apart(second.low, second.value))
    up = math.hypot(_apart(first.value, first.high), _apart(second.value, second.high))
    return Estimate(value, value * math.exp(-down), value * math.exp(up))


def ratio_of_estimates(above: Estimate, below: Estimate) -> Estimate:
    """Divide two independent estimates of quantities that are not negative.

    Parameters
    ----------
    above, below : Estimate
        Value and limits.

    Returns
    -------
    Estimate
        NaN where the divisor is 0; an infinite limit is NaN.

    Notes
    -----
    The product with the reciprocal, whose limits change places.
    """
    if not below.value > 0:
        return NOTHING
    high = 1 / below.low if below.low > 0 else math.nan
    low = 1 / below.high if below.high > 0 else math.nan
    return product_of_estimates(above, Estimate(1 / below.value, low, high))


def _apart(low: float, high: float) -> float:
    """Distance on the log scale; infinite from 0."""
    return math.log(high / low) if low > 0 else math.inf
