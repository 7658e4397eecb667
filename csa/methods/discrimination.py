"""Discrimination: do those who churn have the higher risks? AUC, precision and recall."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.intervals import Estimate
from csa.methods.mann_whitney import clustered_error, rank_interval
from csa.methods.outcomes import Outcomes
from csa.methods.weighted_share import weighted_share

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


ROUNDING = 1e-12  # of sums of weights


class Flagged(NamedTuple):
    """How a rule that flags rows does; shares with limits."""

    share: Estimate  # flagged among all
    precision: Estimate  # events among those flagged
    recall: Estimate  # flagged among events
    f1: Estimate
    specificity: Estimate  # not flagged among those without the event


def auc(
    score: ArrayLike,
    outcomes: Outcomes,
    *,
    clusters: IntArray | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Chance that a row with the event has a higher score than one without, ties half.

    Parameters
    ----------
    score : array_like
        Higher: more likely to have the event. One per row of the outcomes.
    outcomes : Outcomes
        At a horizon: the time-dependent AUC, cumulative/dynamic. All known: the ordinary one.
    clusters : ndarray of int, optional
        Number of the cluster (account) of each row, 0 and on.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Estimate
        NaN where there is no event, or nothing else.

    Raises
    ------
    InputError
        If scores are missing or not as many as rows.

    Notes
    -----
    Σ w_i w_j (1{s_i > s_j} + ½ 1{s_i = s_j}) / Σ w_i w_j over events i and others j [1]_. The
    standard error is DeLong's [2]_ with the weights taken as known: what each event and each
    other adds, summed by cluster and squared. Limits on the scale of log odds, see
    `rank_interval`.

    References
    ----------
    .. [1] Uno, H., Cai, T., Tian, L., Wei, L. J. (2007). Evaluating prediction rules for t-year
       survivors with censored regression models. J. Am. Stat. Assoc. 102, 527-537.
    .. [2] DeLong, E. R., DeLong, D. M., Clarke-Pearson, D. L. (1988). Comparing the areas under
       two or more correlated receiver operating characteristic curves. Biometrics 44, 837-845.
    """
    values = _scores(score, outcomes)
    event = outcomes.event & outcomes.known
    other = ~outcomes.event & outcomes.known
    counts = int(event.sum()), int(other.sum())
    if not all(counts):
        return Estimate(float("nan"), float("nan"), float("nan"))
    beaten, losing = (
        outcomes.weight * rows / outcomes.weight[rows].sum() for rows in (event, other)
    )
    _, rank = np.unique(values, return_inverse=True)
    of_events, of_others = (np.bincount(rank, weights=w) for w in (beaten, losing))
    below = (np.cumsum(of_others) - of_others / 2)[rank]  # share of the others with less
    above = (1 - np.cumsum(of_events) + of_events / 2)[rank]  # share of the events with more
    value = float(beaten @ below)
    value = float(np.round(value)) if abs(value - np.round(value)) < ROUNDING else value
    if min(counts) < 2:  # one row tells nothing about the spread among its kind
        return rank_interval(value, float("nan"), counts, confidence=confidence)
    sizes = [np.sqrt(n / (n - 1)) for n in counts]
    influence = sizes[0] * beaten * (below - value) + sizes[1] * losing * (above - value)
    error = clustered_error(influence, clusters)
    # a spread of rounding errors is none
    return rank_interval(value, error if error > ROUNDING else 0.0, counts, confidence=confidence)


def flagged(
    chosen: ArrayLike,
    outcomes: Outcomes,
    *,
    clusters: IntArray | None = None,
    confidence: float = 0.95,
) -> Flagged:
    """Precision, recall and F1 of a rule that flags rows.

    Parameters
    ----------
    chosen : array_like of bool
        Rows that are flagged.
    outcomes : Outcomes
        What is known of each row.
    clusters : ndarray of int, optional
        Number of the cluster (account) of each row, 0 and on.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    Flagged
        NaN where a share has nothing to be a share of.

    Notes
    -----
    Wilson intervals at the effective size. F1 = 2 J / (1 + J) with J the share of rows both
    flagged and churned among those that are one or the other; its limits are those of J carried
    over [1]_.

    References
    ----------
    .. [1] Lam, K. F. Y., Gopal, V., Qian, J. (2023). Confidence intervals for the F1 score: a
       comparison of four methods. arXiv 2309.14621.
    """
    picked, event, weight = np.asarray(chosen, dtype=bool), outcomes.event, outcomes.weight

    def share(hit: BoolArray, within: BoolArray) -> Estimate:
        return weighted_share(hit, within, weight, clusters=clusters, confidence=confidence)

    common = share(picked & event, picked | event)
    return Flagged(
        share=share(picked, outcomes.known),
        precision=share(event, picked),
        recall=share(picked, event),
        f1=Estimate(*(2 * x / (1 + x) for x in common)),
        specificity=share(~picked, ~event),
    )


def _scores(score: ArrayLike, outcomes: Outcomes) -> FloatArray:
    values = np.asarray(score, dtype=float)
    if values.shape != outcomes.weight.shape or not np.isfinite(values).all():
        raise InputError("discrimination: not every row has a score; leave out those without")
    return values
