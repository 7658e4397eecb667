"""Points of a ROC curve that no honest predictor would reach.

A leak need not separate everybody: a reason for leaving that is filled in for a third of those
that left names them without error. So beside the area under the ROC curve we look at the points
near its lower left end: are they further up than an honest predictor of the greatest credible
area would reach? The other end is not looked at: that nobody leaves long before the renewal is
no leak.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

CUTS = 40  # points of the ROC curve that are looked at, by each class
FAIR_RECALL = 0.25  # share of those that churned, from which a single level is judged
FEW_PICKED = 0.05  # share of those that stayed, up to which a point is judged


class Credible(NamedTuple):
    """The ROC curve of the best honest predictor.

    Notes
    -----
    Binormal: recall = Phi((a - t) / spread), false alarms = Phi(-t), area
    Phi(a / sqrt(1 + spread^2)). A point with counts (k of m churned, f of n stayed) is compared
    by the likelihood ratio of two binomials, free against the best t on the curve [1]_. An honest
    score below the curve stays below it at each point, as does each of its parts (Neyman and
    Pearson). Hazards of those most at risk bring their churn close to 1, so that the curve of a
    measured score rises more steeply at first than with equal spreads.

    References
    ----------
    .. [1] Pepe, M. S. (2003). The Statistical Evaluation of Medical Tests, 5.4. Oxford.
    """

    auc: float
    spread: float


class RocPoint(NamedTuple):
    """The point of a ROC curve that is least credible; `excess`: likelihood ratio against it."""

    excess: float
    churned: int  # among the rows that the point picks
    picked: int
    recall: float
    false_alarms: float


NO_POINT = RocPoint(0.0, 0, 0, float("nan"), float("nan"))


def least_credible_point(
    up: FloatArray, down: FloatArray, accounts: tuple[int, int], credible: Credible
) -> RocPoint:
    """Find the point of a ROC curve that lies furthest, with confidence, above a credible curve.

    Parameters
    ----------
    up, down : array of float
        Scores of those that churned and of those that stayed, sorted; higher means churn.
    accounts : tuple of int
        Accounts among both; counts of rows are scaled down to them.
    credible : Credible
        The greatest credible curve.

    Returns
    -------
    RocPoint
        `excess` is 0 where no point lies above the credible curve.
    """
    m, n = len(up), len(down)
    if m == 0 or n == 0:
        return NO_POINT
    return _worst(*_curve(up, down), (m, n), accounts, credible)


def least_credible_level(
    levels: IntArray, churned: BoolArray, accounts: tuple[int, int], credible: Credible
) -> RocPoint:
    """Find the single level of a column that names those that churn better than is credible.

    Parameters
    ----------
    levels : array of int
        0 and up; level 0 (not known) is left out.
    churned : array of bool
        The outcome.
    accounts : tuple of int
        Accounts that churned and that stayed.
    credible : Credible
        The greatest credible curve.

    Returns
    -------
    RocPoint
        Of levels that hold a fair share of those that churned and few that stayed.
    """
    m, n = int(churned.sum()), int((~churned).sum())
    if m == 0 or n == 0:
        return NO_POINT
    size = int(levels.max()) + 1
    hits = np.bincount(levels[churned], minlength=size)[1:].astype(float)
    misses = np.bincount(levels[~churned], minlength=size)[1:].astype(float)
    fair = (hits >= FAIR_RECALL * m) & (misses <= FEW_PICKED * n)
    return _worst(hits[fair], misses[fair], (m, n), accounts, credible)


def _worst(
    hits: FloatArray,
    misses: FloatArray,
    rows: tuple[int, int],
    accounts: tuple[int, int],
    credible: Credible,
) -> RocPoint:
    if len(hits) == 0:
        return NO_POINT
    recall, wrong = hits / rows[0], misses / rows[1]
    excess = _excess(recall, wrong, accounts, credible)
    best = int(np.argmax(excess))
    return RocPoint(
        float(excess[best]),
        int(hits[best]),
        int(hits[best] + misses[best]),
        float(recall[best]),
        float(wrong[best]),
    )


def _curve(up: FloatArray, down: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points of the ROC curve from its lower left end, by counts; dense near that end."""
    m, n = len(up), len(down)
    marks = []
    for ordered, most in ((up, m), (down, max(int(FEW_PICKED * n), 1))):
        steps = np.unique(np.geomspace(1, most, CUTS).astype(int))
        marks.append(ordered[len(ordered) - steps])
    scores = np.unique(np.concatenate(marks))
    hits, misses = (
        np.concatenate([len(s) - np.searchsorted(s, scores, side) for side in ("left", "right")])
        for s in (up, down)
    )
    few = misses <= FEW_PICKED * n
    return hits[few].astype(float), misses[few].astype(float)


def _excess(
    recall: FloatArray, wrong: FloatArray, accounts: tuple[int, int], credible: Credible
) -> FloatArray:
    """Likelihood ratio of points above the credible curve, 0 for the others."""
    from scipy.special import log_ndtr, ndtri, xlogy  # noqa: PLC0415 (costs start-up time)

    wide = credible.spread
    apart = ndtri(credible.auc) * np.sqrt(1 + wide**2)
    excess = np.zeros(len(recall))
    x, y = (np.clip(share, 1e-12, 1 - 1e-12) for share in (recall, wrong))
    above = np.flatnonzero(wide * ndtri(x) - ndtri(y) > apart)
    if len(above) == 0:
        return excess
    shares = np.stack([recall, 1 - recall, wrong, 1 - wrong], axis=1)[above]
    t = np.linspace(-4, apart + 6, 300)
    z = (apart - t) / wide
    parts = np.stack([log_ndtr(z), log_ndtr(-z), log_ndtr(-t), log_ndtr(t)])
    counts = shares * np.array([accounts[0], accounts[0], accounts[1], accounts[1]])
    on_curve = (counts @ parts).max(axis=1)
    free = xlogy(counts, shares).sum(axis=1)
    excess[above] = np.maximum(2 * (free - on_curve), 0)
    return excess
