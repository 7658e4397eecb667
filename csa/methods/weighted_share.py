"""Intervals of shares of rows that carry weights or come in clusters."""

import numpy as np
from numpy.typing import NDArray

from csa.methods.intervals import Estimate, wilson
from csa.methods.mann_whitney import clustered_error

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EDGE = 1e-12  # a share nearer to 0 or 1 is there, but for rounding


def weighted_share(
    hit: BoolArray | FloatArray,
    within: BoolArray,
    weight: FloatArray,
    *,
    clusters: IntArray | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Share of hits within a part of the rows, with a Wilson interval.

    Parameters
    ----------
    hit : ndarray of bool or float
        Rows with the property, or how much of each has it.
    within : ndarray of bool
        Rows that are counted at all.
    weight : ndarray of float
        Weight of each row, 0 or more.
    clusters : ndarray of int, optional
        Number of the cluster (account) of each row, 0 and on; default: each row its own.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Estimate
        NaN where nothing is counted.

    Notes
    -----
    Wilson's interval for p at the effective size n = p (1 - p) / v, v the linearised variance of
    p by clusters; n is the number of rows where weights are 1 and every row is its own cluster
    [1]_. Where all or none are hits the variance is 0, and n is that of clusters whose rows are
    all alike, (Σ W)² / Σ W² with W the weight of a cluster.

    References
    ----------
    .. [1] Dean, N., Pagano, M. (2015). Evaluating confidence interval methods for binomial
       proportions in clustered surveys. J. Surv. Stat. Methodol. 3, 484-503.
    """
    counted = np.where(within, weight, 0.0)
    total = counted.sum()
    if not total > 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    share = float(counted @ hit / total)
    if EDGE < share < 1 - EDGE:
        error = clustered_error(counted * (hit - share) / total, clusters)
        size = min(share * (1 - share) / max(error**2, EDGE), float((counted > 0).sum()))
    else:
        share = round(share)
        mass = counted if clusters is None else np.bincount(clusters, weights=counted)
        size = float(total**2 / (mass @ mass))
    found = wilson(share * size, size, confidence=confidence)
    return Estimate(share, float(found.low), float(found.high))
