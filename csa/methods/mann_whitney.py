"""How sure a share of rightly ordered pairs is: intervals of an AUC or a concordance."""

import math

import numpy as np
from numpy.typing import NDArray

from csa.methods.intervals import Estimate, normal_quantile

HALVINGS = 60  # of an interval of width 1: below the spacing of floats


def hanley_mcneil_error(auc: float, events: float, others: float) -> float:
    """Give the standard error of an AUC from its value and the two counts alone, for planning.

    Parameters
    ----------
    auc : float
        Share of pairs ordered rightly.
    events, others : float
        Rows with and without the event.

    Returns
    -------
    float
        NaN where a count is 0.

    Notes
    -----
    √((A(1-A) + (m-1)(Q1-A²) + (n-1)(Q2-A²)) / (mn)) with Q1 = A/(2-A), Q2 = 2A²/(1+A) [1]_.

    References
    ----------
    .. [1] Hanley, J. A., McNeil, B. J. (1982). The meaning and use of the area under a receiver
       operating characteristic (ROC) curve. Radiology 143, 29-36.

    Examples
    --------
    500 accounts, 5 % churn, AUC 0.85: plus or minus 0.096.

    >>> round(1.959964 * hanley_mcneil_error(0.85, 25, 475), 3)
    0.096
    """
    if not (events > 0 and others > 0):
        return float("nan")
    both, first = 2 * auc**2 / (1 + auc), auc / (2 - auc)
    spread = auc * (1 - auc)
    spread += (events - 1) * (first - auc**2) + (others - 1) * (both - auc**2)
    return math.sqrt(max(spread, 0.0) / (events * others))


def newcombe_auc(auc: float, events: float, others: float, *, confidence: float = 0.95) -> Estimate:
    """Score-like interval of an AUC from its value and the two counts.

    Parameters
    ----------
    auc : float
        Share of pairs ordered rightly, ties counted half.
    events, others : float
        Rows with and without the event.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Estimate
        Limits within [0, 1], with a width even where every pair is ordered rightly; NaN where a
        count is 0.

    Notes
    -----
    The limits A solve |A - auc| = z √(A(1-A)(1 + (N-1)((1-A)/(2-A) + A/(1+A))) / (mn)) with
    N = (m+n)/2: method 5 of [1]_.

    References
    ----------
    .. [1] Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the
       Mann-Whitney statistic. Part 2: asymptotic methods and evaluation. Stat. Med. 25, 559-573.
    """
    if not (events > 0 and others > 0) or math.isnan(auc):
        return Estimate(auc, float("nan"), float("nan"))
    z2, mean = normal_quantile(confidence) ** 2, (events + others) / 2

    def too_far(a: float) -> bool:
        inflation = 1 + (mean - 1) * ((1 - a) / (2 - a) + a / (1 + a))
        return (a - auc) ** 2 > z2 * a * (1 - a) * inflation / (events * others)

    limits = []
    for end in (0.0, 1.0):
        far, near = end, auc  # at an end of [0, 1] no distance is allowed, at the value any
        for _ in range(HALVINGS):
            middle = (far + near) / 2
            far, near = (middle, near) if too_far(middle) else (far, middle)
        limits.append(near)
    return Estimate(auc, limits[0], limits[1])


def rank_interval(
    value: float, std_error: float, counts: tuple[float, float], *, confidence: float = 0.95
) -> Estimate:
    """Interval of an AUC or a concordance with a standard error of its own.

    Parameters
    ----------
    value, std_error : float
        Share of pairs ordered rightly and its standard error.
    counts : tuple of float
        Rows with and without the event.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Estimate
        Within [0, 1]. Where nothing varies (all pairs ordered rightly) the limits are Newcombe's:
        five churners ranked rightly are no proof of an AUC of 1.

    Notes
    -----
    log(A / (1 - A)) ± z SE / (A (1 - A)), turned back [1]_. A ± z SE holds an AUC of 0.87 in only
    88 % of samples of 40 rows, this in 95 %.

    References
    ----------
    .. [1] Pepe, M. S. (2003). The Statistical Evaluation of Medical Tests for Classification and
       Prediction, 5.2.5. Oxford University Press.
    """
    if not std_error > 0 or not 0 < value < 1:
        return newcombe_auc(value, *counts, confidence=confidence)
    odds = math.log(value / (1 - value))
    half = normal_quantile(confidence) * std_error / (value * (1 - value))
    # tanh never overflows
    low, high = ((1 + math.tanh((odds + side * half) / 2)) / 2 for side in (-1, 1))
    return Estimate(value, low, high)


def clustered_error(influence: NDArray[np.float64], clusters: NDArray[np.int64] | None) -> float:
    """Add up what each row adds to an estimate to its standard error, by clusters.

    Parameters
    ----------
    influence : ndarray of float
        Derivative of the estimate in the weight of each row; sums to 0.
    clusters : ndarray of int, optional
        Number of the cluster of each row, 0 and on (the account); default: each row its own.

    Returns
    -------
    float
        √Σ (Σ influence in a cluster)²: the infinitesimal jackknife [1]_.

    References
    ----------
    .. [1] Jaeckel, L. A. (1972). The infinitesimal jackknife. Bell Laboratories Memorandum
       MM 72-1215-11.
    """
    values = influence if clusters is None else np.bincount(clusters, weights=influence)
    return float(np.sqrt(np.sum(np.square(values))))
