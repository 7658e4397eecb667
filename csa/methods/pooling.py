"""Figures of groups drawn in to their whole, each by how little it tells (random effects)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pooled:
    """The whole, and each group drawn in to it.

    `middle` is the mean of the distribution of groups, `middle_variance` that of its estimate,
    `between` the variance between groups. `value` and `variance` are per group; `weight` is the
    share of the group's own figure.
    """

    middle: float
    middle_variance: float
    between: float
    value: FloatArray
    variance: FloatArray
    weight: FloatArray


def drawn_in(own: ArrayLike, variance: ArrayLike) -> Pooled:
    """Draw the figures of groups in to the whole.

    Parameters
    ----------
    own : array of float
        Figure of each group; at least one group.
    variance : array of float
        Of its error, above 0; infinite for a group of which nothing is known.

    Returns
    -------
    Pooled
        With one group, or groups that differ by no more than chance, all have the figure of the
        whole.

    Notes
    -----
    Variance between groups by Paule and Mandel [1]_: that at which the weighted squared distances
    from the mean equal groups - 1. The variance of a group's figure is w V + (1 - w)² V(middle),
    w its own weight.

    References
    ----------
    .. [1] Paule, R. C., Mandel, J. (1982). Consensus values and weighting factors. J. Res. Natl.
       Bur. Stand. 87(5), 377-385.
    """
    figures, error = np.asarray(own, dtype=float), np.asarray(variance, dtype=float)
    known = np.isfinite(error)
    between = _between(figures[known], error[known])
    share = np.where(known, between / np.where(known, between + error, 1.0), 0.0)
    if known.any():
        precision = 1 / (between + error[known])
        middle = float(precision @ figures[known] / precision.sum())
        middle_variance = float(1 / precision.sum())
    else:
        middle, middle_variance = float(figures.mean()), np.inf
    return Pooled(
        middle=middle,
        middle_variance=middle_variance,
        between=between,
        value=np.where(known, share * figures, 0.0) + (1 - share) * middle,
        variance=np.where(known, share * np.where(known, error, 0.0), between)
        + (1 - share) ** 2 * middle_variance,
        weight=share,
    )


def _between(own: FloatArray, error: FloatArray) -> float:
    """Find the variance between groups at which distances are as large as they should be."""
    if len(own) < 2:
        return 0.0

    def excess(between: float) -> float:
        weight = 1 / (between + error)
        middle = weight @ own / weight.sum()
        return float(weight @ (own - middle) ** 2) - (len(own) - 1)

    if excess(0.0) <= 0:
        return 0.0
    end = float(np.ptp(own) ** 2) * len(own)
    return float(brentq(excess, 0.0, end, xtol=1e-15 * end, rtol=1e-12))
