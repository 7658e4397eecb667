"""Likelihood of accelerated failure times: cumulative hazards, and the slope of its logarithm."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from csa.methods.aft.times import Lifetimes

FloatArray = NDArray[np.float64]
Distribution = Literal["weibull", "lognormal", "loglogistic"]
DISTRIBUTIONS: tuple[Distribution, ...] = ("weibull", "lognormal", "loglogistic")


class Hazard(NamedTuple):
    """Cumulative hazard at times and its derivatives; `bend` is that of the log of its slope."""

    hazard: FloatArray
    by_location: FloatArray
    by_log_scale: FloatArray
    z: FloatArray
    bend: FloatArray


def hazard_at(
    distribution: Distribution, times: FloatArray, location: FloatArray | float, log_scale: float
) -> Hazard:
    """Cumulative hazard at times, and its derivatives.

    Parameters
    ----------
    distribution : {"weibull", "lognormal", "loglogistic"}
        Distribution of the times.
    times : ndarray of float
        0 or more.
    location : ndarray of float or float
        Location of log time, one for all or one per time.
    log_scale : float
        Logarithm of the scale of log time.

    Returns
    -------
    Hazard
        With z = (log t - location) / scale, -log S is e^z, -log Φ(-z) or log(1 + e^z); 0 with
        slope 0 at time 0.
    """
    later, scale = times > 0, np.exp(log_scale)
    z = np.where(later, (np.log(np.where(later, times, 1.0)) - location) / scale, 0.0)
    if distribution == "weibull":
        value = slope = np.exp(np.minimum(z, 300.0))
        bend = np.ones_like(z)
    elif distribution == "loglogistic":
        value, slope = np.logaddexp(0.0, z), np.exp(-np.logaddexp(0.0, -z))
        bend = 1 - slope
    else:
        from scipy.special import log_ndtr  # noqa: PLC0415  only who extrapolates pays for scipy

        value = -log_ndtr(-z)
        slope = np.exp(-(z**2) / 2 - np.log(2 * np.pi) / 2 + value)
        bend = slope - z
    value, slope = np.where(later, value, 0.0), np.where(later, slope, 0.0)
    return Hazard(value, -slope / scale, -slope * z, z, bend)


def score(
    times: Lifetimes, distribution: Distribution, design: FloatArray, theta: FloatArray
) -> FloatArray:
    """Slope of the log-likelihood in the parameters.

    Parameters
    ----------
    times : Lifetimes
        Rows of counts.
    distribution : {"weibull", "lognormal", "loglogistic"}
        Distribution of the times.
    design : ndarray of float
        Rows × columns, the first of ones.
    theta : ndarray of float
        Coefficients and log scale.

    Returns
    -------
    ndarray of float
        As long as theta; 0 at the top.
    """
    location, log_scale = design @ theta[:-1], float(theta[-1])
    end, after, entry = (
        hazard_at(distribution, x, location, log_scale)
        for x in (times.time, times.after, times.entry)
    )
    within = times.event & (times.after < times.time)
    exact = times.event & ~within
    # an event within (a, t]: log (S(a) - S(t)) = -H(a) + log (1 - exp(-(H(t) - H(a))))
    gap = np.where(within, np.maximum(end.hazard - after.hazard, 1e-300), 1.0)
    ratio = 1 / np.expm1(np.minimum(gap, 300.0))

    def rows(
        one: FloatArray, before: FloatArray, first: FloatArray, density: FloatArray
    ) -> FloatArray:
        value = np.where(exact, density - one, -one)
        value = np.where(within, (one - before) * ratio - before, value)
        return np.asarray(times.copies * (value + first))

    by_location = rows(
        end.by_location, after.by_location, entry.by_location, -end.bend / np.exp(log_scale)
    )
    by_log_scale = rows(
        end.by_log_scale, after.by_log_scale, entry.by_log_scale, -end.bend * end.z - 1
    )
    return np.append(by_location @ design, by_log_scale.sum())
