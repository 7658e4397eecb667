"""Rows by falling score: what can be reached by flagging from the top, and what it costs."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.methods.outcomes import Outcomes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


ROUNDING = 1e-12  # of sums of weights


class Reached(NamedTuple):
    """A point of a ranking: flag all with a score of `threshold` or more."""

    precision: float
    recall: float
    threshold: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ranking:
    """Weights flagged and caught from the top down to each distinct score."""

    threshold: FloatArray  # falling
    flagged: FloatArray
    caught: FloatArray  # events among them

    @property
    def total(self) -> float:
        """Weight of all rows."""
        return float(self.flagged[-1]) if len(self.flagged) else 0.0

    @property
    def events(self) -> float:
        """Weight of all events."""
        return float(self.caught[-1]) if len(self.caught) else 0.0

    @property
    def precision(self) -> FloatArray:
        """Share of events among those flagged; NaN where nobody is."""
        return precision_of(self.flagged, self.caught)

    @property
    def recall(self) -> FloatArray:
        """Share of events flagged; NaN where there is none."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.caught / np.float64(self.events))


def ranking(score: ArrayLike, outcomes: Outcomes) -> Ranking:
    """Order rows from the highest score down.

    Parameters
    ----------
    score : array_like
        Higher: flagged earlier.
    outcomes : Outcomes
        What is known of each row.

    Returns
    -------
    Ranking
        One entry per distinct score; rows with equal scores are flagged together.
    """
    distinct, place = np.unique(np.asarray(score, dtype=float), return_inverse=True)
    weight, event = outcomes.weight, outcomes.event
    n = len(distinct)
    return Ranking(
        threshold=distinct[::-1],
        flagged=_cumulated(np.bincount(place, weights=weight, minlength=n)),
        caught=_cumulated(np.bincount(place, weights=weight * event, minlength=n)),
    )


def precision_of(flagged: FloatArray, caught: FloatArray) -> FloatArray:
    """Divide events caught by rows flagged.

    Parameters
    ----------
    flagged, caught : ndarray of float
        Weights, any shape.

    Returns
    -------
    ndarray of float
        NaN where nobody is flagged.
    """
    unknown = np.full_like(caught, np.nan)
    return np.asarray(np.divide(caught, flagged, out=unknown, where=flagged > 0))


def average_precision(flagged: FloatArray, caught: FloatArray) -> FloatArray:
    """Mean precision over the events, each at the threshold at which it is caught.

    Parameters
    ----------
    flagged, caught : ndarray of float
        Cumulative weights from the top down, in the last axis.

    Returns
    -------
    ndarray of float
        NaN without events.

    Notes
    -----
    Σ (R_k - R_(k-1)) P_k over falling thresholds: no interpolation, which flatters [1]_.

    References
    ----------
    .. [1] Davis, J., Goadrich, M. (2006). The relationship between precision-recall and ROC
       curves. ICML 2006, 233-240.
    """
    if not caught.shape[-1]:
        return np.full(caught.shape[:-1], np.nan)
    gained = np.diff(caught, axis=-1, prepend=0.0)
    weighted = (gained * np.nan_to_num(precision_of(flagged, caught))).sum(axis=-1)
    events = caught[..., -1]
    unknown = np.full_like(events, np.nan)
    return np.asarray(np.divide(weighted, events, out=unknown, where=events > 0))


def best_precision(flagged: FloatArray, caught: FloatArray, recall: ArrayLike) -> FloatArray:
    """Highest precision of all thresholds with at least a recall.

    Parameters
    ----------
    flagged, caught : ndarray of float
        Cumulative weights from the top down, in the last axis; replicates in the first, if any.
    recall : array_like
        Shares of the events to be caught.

    Returns
    -------
    ndarray of float
        Replicates × recalls; NaN without events.
    """
    aims = np.asarray(recall, dtype=float)
    recalls = np.atleast_2d(_recalls(caught))
    best = _best_beyond(flagged, caught) + 0 * recalls[:, -1:]  # NaN without events
    places = [np.searchsorted(row, aims.ravel() - ROUNDING) for row in recalls]
    return _picked(best, np.array(places), aims, flagged.shape[:-1])


def best_recall(flagged: FloatArray, caught: FloatArray, precision: ArrayLike) -> FloatArray:
    """Highest recall of all thresholds with at least a precision.

    Parameters
    ----------
    flagged, caught : ndarray of float
        Cumulative weights from the top down, in the last axis; replicates in the first, if any.
    precision : array_like
        Shares of events among those flagged.

    Returns
    -------
    ndarray of float
        Replicates × precisions; 0 where no threshold has that precision, NaN without events.
    """
    aims = np.asarray(precision, dtype=float)
    best, recalls = _best_beyond(flagged, caught), np.atleast_2d(_recalls(caught))
    # the best beyond falls from place to place: the last place at which it is still enough
    places = [np.searchsorted(-row, ROUNDING - aims.ravel(), side="right") for row in best]
    padded = np.hstack([recalls[:, -1:] * 0, recalls])
    return _picked(padded, np.array(places), aims, flagged.shape[:-1])


def best_f1(found: Ranking) -> Reached:
    """Threshold with the highest F1.

    Parameters
    ----------
    found : Ranking
        From `ranking`; of other rows than those the threshold is judged on.

    Returns
    -------
    Reached
        NaN without events.
    """
    f1 = 2 * found.caught / (found.flagged + found.events) if found.events > 0 else found.caught
    return _point(found, f1) if found.events > 0 else Reached(np.nan, np.nan, np.nan)


def threshold_for_recall(found: Ranking, recall: float) -> Reached:
    """Highest threshold that catches a share of the events.

    Parameters
    ----------
    found : Ranking
        From `ranking`; of other rows than those the threshold is judged on.
    recall : float
        Share of the events to be caught.

    Returns
    -------
    Reached
        NaN without events.
    """
    if not found.events > 0:
        return Reached(np.nan, np.nan, np.nan)
    return _point(found, (found.recall >= recall - 1e-12).astype(float))


def threshold_for_precision(found: Ranking, precision: float) -> Reached:
    """Threshold with the highest recall among those with a precision.

    Parameters
    ----------
    found : Ranking
        From `ranking`; of other rows than those the threshold is judged on.
    precision : float
        Share of events among those flagged.

    Returns
    -------
    Reached
        NaN where no threshold has that precision.
    """
    enough = np.nan_to_num(found.precision) >= precision - 1e-12
    if not enough.any() or not found.events > 0:
        return Reached(np.nan, np.nan, np.nan)
    return _point(found, np.where(enough, found.recall, -1.0))


def caught_at(found: Ranking, share: ArrayLike) -> FloatArray:
    """Weight of the events caught by flagging a share of the rows from the top.

    Parameters
    ----------
    found : Ranking
        From `ranking`.
    share : array_like
        Shares of all rows, 0 to 1.

    Returns
    -------
    ndarray of float
        Where a capacity ends within rows of equal scores, their events are shared out evenly:
        what picking among them at random catches on average.
    """
    at = np.asarray(share, dtype=float) * found.total
    return np.asarray(np.interp(at, np.append(0.0, found.flagged), np.append(0.0, found.caught)))


def _cumulated(rising: NDArray[Any]) -> FloatArray:
    return np.cumsum(rising[::-1], dtype=np.float64)


def _recalls(caught: FloatArray) -> FloatArray:
    events = caught[..., -1:]
    unknown = np.full_like(caught, np.nan)
    return np.asarray(np.divide(caught, events, out=unknown, where=events > 0))


def _best_beyond(flagged: FloatArray, caught: FloatArray) -> FloatArray:
    """Highest precision from each place on downwards; replicates × places."""
    found = np.nan_to_num(np.atleast_2d(precision_of(flagged, caught)))
    return np.asarray(np.maximum.accumulate(found[:, ::-1], axis=1)[:, ::-1])


def _picked(
    values: FloatArray, places: IntArray, aims: FloatArray, shape: tuple[int, ...]
) -> FloatArray:
    """Take values at places, replicates × aims; NaN past the end, where there are no events."""
    padded = np.hstack([values, np.full((len(values), 1), np.nan)])
    found = np.take_along_axis(padded, np.minimum(places, values.shape[1]), axis=1)
    return np.asarray(found.reshape((*shape, *aims.shape)))


def _point(found: Ranking, merit: FloatArray) -> Reached:
    i = int(np.argmax(merit))
    return Reached(float(found.precision[i]), float(found.recall[i]), float(found.threshold[i]))
