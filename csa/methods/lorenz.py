"""How unequally a total is held: Lorenz curve and Gini coefficient with limits, from ranks.

Units are sorted by what they hold, highest first, and summed by rank, so that a thousand ranks
stand for any number of units.
"""

import numpy as np
from numpy.typing import NDArray

from csa.methods.intervals import Estimate, Estimates, normal_quantile

FloatArray = NDArray[np.float64]

STEPS = 1000  # ranks into which units are put
FEWEST = 10  # fewer units than this have no shape to speak of


def lorenz_curve(
    n: FloatArray, total: FloatArray, square: FloatArray, least: FloatArray, *, confidence: float
) -> tuple[FloatArray, Estimates]:
    """Share of a total that the highest ranks hold, with limits.

    Parameters
    ----------
    n, total, square, least : ndarray of float
        Per rank, highest first: units, the sum of what they hold and of its square, and the
        least that one of them holds.
    confidence : float
        Level of the limits, share in (0, 1).

    Returns
    -------
    ndarray
        Share of units up to each rank.
    Estimates
        Share of the total that they hold.

    Notes
    -----
    Limits are of the variance of a Lorenz ordinate over units (influence functions), as if they
    were a sample [1]_.

    References
    ----------
    .. [1] Beach, C. M., Davidson, R. (1983). Distribution-free statistical inference with Lorenz
       curves and income shares. Rev. Econ. Stud. 50, 723-735.
    """
    many = n.sum() if len(n) else 1.0
    mean = total.sum() / many if len(n) else 1.0
    p, share = np.cumsum(n) / many, np.cumsum(total) / (mean * many)
    # influence of a value v on the share of the top p: ((v - q) [v > q] + p q - share v) / mean
    first, second = np.cumsum(total) / many, np.cumsum(square) / many
    whole = second[-1] if len(n) else 0.0
    upper = second - 2 * least * first + least**2 * p  # mean of ((v - q)+)²
    mixed = second - least * first  # mean of v (v - q)+
    shift = p * least
    variance = (
        upper
        + shift**2
        + share**2 * whole
        + 2 * shift * (first - least * p)
        - 2 * share * mixed
        - 2 * shift * share * mean
    ) / mean**2
    half = normal_quantile(confidence) * np.sqrt(np.maximum(variance, 0.0) / many)
    low, high = np.clip(share - half, p, 1.0), np.clip(share + half, None, 1.0)
    return p, Estimates(share, low, high)


def gini(n: FloatArray, total: FloatArray, square: FloatArray, *, confidence: float) -> Estimate:
    """Gini coefficient with limits.

    Parameters
    ----------
    n, total, square : ndarray of float
        Per rank, highest first, as for `lorenz_curve`; something must be held.
    confidence : float
        Level of the limits, share in (0, 1).

    Returns
    -------
    Estimate
        0: all hold the same; near 1: one holds all.

    Notes
    -----
    Limits are of the variance over units, by influence functions [1]_.

    References
    ----------
    .. [1] Davidson, R. (2009). Reliable inference for the Gini index. J. Econom. 150, 30-40.
    """
    n, total, square = n[::-1], total[::-1], square[::-1]  # lowest ranks first
    many, mean = n.sum(), total.sum() / n.sum()
    middle = (np.cumsum(n) - n / 2) / many  # F within a rank
    area = float((total * middle).sum() / many)
    value = 2 * area / mean - 1
    above = (total.sum() - np.cumsum(total) + total / 2) / many
    # influence v F(v) + E[x; x > v] - 2 A, less what the mean adds
    slope = middle - area / mean
    constant = above - area
    variance = (slope**2 * square + 2 * slope * constant * total + constant**2 * n).sum() / many
    half = normal_quantile(confidence) * 2 / mean * float(np.sqrt(max(variance, 0.0) / many))
    return Estimate(float(value), max(float(value) - half, 0.0), min(float(value) + half, 1.0))
