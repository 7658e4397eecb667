"""Bootstrap over units (accounts) of anything that is a function of their sums.

A replicate gives every unit a weight, the number of times it was drawn, and adds its sums up. With
weights that are independent Poisson draws of mean one, units can be weighted one by one, in any
order and in parts, and thousands of replicates are one product of matrices.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from csa.errors import InputError
from csa.methods.intervals import Estimates

FloatArray = NDArray[np.float64]

REPLICATES: Final = 2000
CELLS: Final = 4_000_000  # weights that are held at once
# Poisson probabilities of 0, 1, ... in 65,536ths: mean 1 exactly, variance 1 within 0.0003
_COUNTS: Final = (24_109, 24_109, 12_055, 4_018, 1_005, 202, 33, 5)
_WEIGHTS: Final = np.repeat(np.arange(float(len(_COUNTS))), _COUNTS)
_WEIGHTS.setflags(write=False)


def poisson_sums(
    values: FloatArray, rng: np.random.Generator, *, replicates: int = REPLICATES
) -> FloatArray:
    """Sum the values of units in every replicate of a Poisson bootstrap.

    Parameters
    ----------
    values : ndarray of float, units × sums
        What each unit adds to each sum.
    rng : numpy.random.Generator
        Seeded by the caller.
    replicates : int
        Number of replicates.

    Returns
    -------
    ndarray of float, replicates × sums
        Σ w v with weights w that are the same for all sums of a unit, so that ratios and
        differences of the sums keep their dependence.

    Raises
    ------
    InputError
        If the values are not a matrix, or no replicate is asked for.

    Notes
    -----
    The multinomial weights of the ordinary bootstrap [1]_ replaced by independent Poisson draws
    of mean one [2]_: the number of units drawn varies, which ratios of sums do not see. Weights
    are drawn to 16 bits; the chance of more than 7 (one in 100,000) is put on the smaller ones so
    that the mean is one.

    References
    ----------
    .. [1] Efron, B., Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman & Hall.
    .. [2] Chamandy, N., Muralidharan, O., Najmi, A., Naidu, S. (2012). Estimating uncertainty for
       massive data streams. Google.
    """
    if values.ndim != 2 or replicates < 1:
        raise InputError("bootstrap: give a matrix of units by sums, and at least one replicate")
    units = len(values)
    sums = np.zeros((replicates, values.shape[1]))
    step = max(1, CELLS // max(units, 1))
    for first in range(0, replicates if units else 0, step):
        rows = min(step, replicates - first)
        draws = rng.integers(0, 1 << 16, size=(rows, units), dtype=np.uint16)
        sums[first : first + rows] = _WEIGHTS[draws] @ values
    return sums


def effective_terms(terms: FloatArray) -> FloatArray:
    """Count the terms of one size that would make a sum vary as much as these do.

    Parameters
    ----------
    terms : ndarray of float, units × sums
        What each unit adds to an estimate's error, as (y - R x) / Σx for a ratio R = Σy / Σx.

    Returns
    -------
    ndarray of float
        (Σ l²)² / Σ l⁴ per sum; NaN where all are 0.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((terms**2).sum(axis=0) ** 2 / (terms**4).sum(axis=0))


def percentile_limits(
    value: FloatArray,
    replicates: FloatArray,
    *,
    confidence: float = 0.95,
    effective: FloatArray | None = None,
) -> Estimates:
    """Limits between which the middle of the replicates lies, elementwise.

    Parameters
    ----------
    value : ndarray of float
        Estimates from all units.
    replicates : ndarray of float
        The same in each replicate, along the first axis; NaN where a replicate has none,
        infinite where a ratio has nothing below the line.
    confidence : float
        Level of the intervals, share in (0, 1).
    effective : ndarray of float, optional
        From `effective_terms`, per value: the fewer, the further out the percentiles.

    Returns
    -------
    Estimates
        Limits are NaN where the value is not finite, where fewer than half of the replicates have
        an estimate, where the limit is infinite, and where all replicates agree: no spread is
        ignorance, not certainty.

    Raises
    ------
    InputError
        If the level is not between 0 and 1.

    Notes
    -----
    Percentiles are too near where a few units make the spread. With k effective terms they are
    taken at Φ(√(k / (k - 1)) t), t the quantile of Student's t with k - 1 degrees of freedom: the
    expanded percentiles of [1]_, with terms counted by how the variance itself varies instead of
    units. In samples of 50 to 700 accounts of unequal size (log-normal, spread 0.8 to 1.6) of
    which 2 to 10 % leave, 95 % intervals of what is kept hold in 95 to 97 of 100 samples, those
    without `effective` in 87 to 92 (BCa 84 to 91, bootstrap-t 89 to 92); they miss on one side,
    where no large account happened to leave.

    References
    ----------
    .. [1] Hesterberg, T. C. (2015). What teachers should know about the bootstrap. Am. Stat. 69,
       371-386, section 4.1.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence: {confidence} is not between 0 and 1; write 0.95 for 95 %")
    flat = replicates.reshape(len(replicates), -1)
    at = np.asarray(value, dtype=float).reshape(-1)
    tails = _tails((1 - confidence) / 2, len(at), effective)
    ends = np.full((2, len(at)), np.nan)
    for k, (centre, tail) in enumerate(zip(at, tails, strict=True)):
        found = flat[:, k][~np.isnan(flat[:, k])]
        if not np.isfinite(centre) or not len(found) or len(found) * 2 < len(flat):
            continue
        low, high = np.quantile(found, [tail, 1 - tail], method="closest_observation")
        if high > low:
            ends[:, k] = min(low, centre), max(high, centre)
    ends[~np.isfinite(ends)] = np.nan
    shape = np.shape(value)
    return Estimates(np.asarray(value, float), ends[0].reshape(shape), ends[1].reshape(shape))


def _tails(tail: float, many: int, effective: FloatArray | None) -> FloatArray:
    """Take tails further out where few terms make the spread."""
    if effective is None:
        return np.full(many, tail)
    k = np.maximum(np.nan_to_num(effective.reshape(-1), nan=np.inf), 2.0)
    degrees = np.minimum(k - 1, 1e9)
    return np.asarray(ndtr(np.sqrt(1 + 1 / degrees) * stdtrit(degrees, tail)))
