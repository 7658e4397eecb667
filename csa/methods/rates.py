"""Occurrence/exposure rates: events per time at risk, by band of age, with exact intervals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.intervals import Estimates, normal_quantile
from csa.methods.lifetable import LifeTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Exposure(NamedTuple):
    """Per band of age: time at risk, events, and the number at risk as the band begins."""

    time: FloatArray
    events: IntArray
    at_risk: IntArray


def exposure_by_band(table: LifeTable, edges: ArrayLike) -> Exposure:
    """Time at risk and events per band of age, from counts.

    Parameters
    ----------
    table : LifeTable
        Counts; late entries are part of it.
    edges : array_like
        Increasing ages; band k is edges[k] < age <= edges[k + 1]. An event at the first edge
        itself (age 0) counts in the first band.

    Returns
    -------
    Exposure
        One value per band; no time at risk where nobody was under observation.

    Raises
    ------
    InputError
        If the edges do not increase, or are fewer than two.

    Notes
    -----
    Between two times of the table the number at risk does not change, so the time at risk up to
    an age is a line through the sums at the table's times: exact, whatever the bands.
    """
    ages = np.asarray(edges, dtype=float)
    if len(ages) < 2 or not np.all(np.diff(ages) > 0):
        raise InputError("bands: give at least two ages, in increasing order")
    knots = np.concatenate([[table.start], table.time])
    sums = np.concatenate([[0.0], np.cumsum(table.at_risk * np.diff(knots))])
    events = np.concatenate([[0], np.cumsum(table.events)])
    by = events[np.searchsorted(table.time, ages, side="right")]
    by[0] = events[np.searchsorted(table.time, ages[0], side="left")]
    just_after = np.nextafter(ages[:-1], np.inf)
    return Exposure(
        time=np.diff(np.interp(ages, knots, sums)),
        events=np.diff(by),
        at_risk=table.at_risk_at(just_after),
    )


def poisson_rate(events: ArrayLike, exposure: ArrayLike, *, confidence: float = 0.95) -> Estimates:
    """Rate of events per time at risk, with the exact interval of a Poisson count.

    Parameters
    ----------
    events : array_like of int
        Number of events, 0 or more.
    exposure : array_like
        Time at risk, in any unit; 0 gives NaN throughout.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Estimates
        Rate per unit of time and its limits; without events the lower one is 0 and the upper
        one is not.

    Raises
    ------
    InputError
        If a count or an exposure is negative.

    Notes
    -----
    With d events the limits of their expectation are half the chi-square quantiles of (1 - c) / 2
    with 2 d and of (1 + c) / 2 with 2 d + 2 degrees of freedom [1]_: at least as wide as needed.

    References
    ----------
    .. [1] Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28,
       437-442.

    Examples
    --------
    >>> rate, low, high = poisson_rate(10, 1000)
    >>> f"{rate:.4f} [{low:.4f}, {high:.4f}]"
    '0.0100 [0.0048, 0.0184]'
    """
    from scipy.special import gammaincinv  # noqa: PLC0415 (costs more than most pages need)

    count, time = np.asarray(events, dtype=float), np.asarray(exposure, dtype=float)
    if (count < 0).any() or (time < 0).any():
        raise InputError("rates: a count of events or a time at risk is negative")
    normal_quantile(confidence)  # refuses a level that is no share
    tail = (1 - confidence) / 2
    known = np.where(time > 0, time, np.nan)
    low = np.where(count > 0, gammaincinv(np.maximum(count, 1.0), tail), 0.0)
    high = gammaincinv(count + 1, 1 - tail)
    return Estimates(count / known, low / known, high / known)
