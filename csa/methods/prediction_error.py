"""Prediction error of risks: the Brier score, its skill, and its mean over horizons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.intervals import Estimate, normal_quantile
from csa.methods.mann_whitney import clustered_error
from csa.methods.outcomes import Outcomes, outcomes_along

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PredictionError:
    """Brier score and its skill: 1 is perfect, 0 no better than the base rate for everybody."""

    brier: Estimate
    reference: float  # Brier score of the base rate
    skill: Estimate


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class IntegratedError:
    """Brier score by time and its mean; `reference` is that of the Kaplan-Meier curve.

    `note` says which times were left out because nobody is followed so far; else it is empty.
    """

    integrated: Estimate
    reference: float
    skill: float
    time: FloatArray
    brier: FloatArray
    brier_reference: FloatArray
    note: str


def brier_score(
    probability: ArrayLike,
    outcomes: Outcomes,
    *,
    base_rate: float | None = None,
    clusters: IntArray | None = None,
    confidence: float = 0.95,
) -> PredictionError:
    """Mean squared error of predicted probabilities at a horizon.

    Parameters
    ----------
    probability : array_like
        Probability of the event by the horizon, one per row of the outcomes.
    outcomes : Outcomes
        From `outcomes_at`.
    base_rate : float, optional
        Probability that the reference gives everybody, such as the rate where a model was fitted;
        default: that of the outcomes themselves, which no reference can beat.
    clusters : ndarray of int, optional
        Number of the cluster (account) of each row, 0 and on.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    PredictionError
        NaN where no outcome is known; the skill is NaN where all outcomes are alike. No limits
        where the squared errors of all rows are alike.

    Notes
    -----
    B = Σ w (y - p)² / Σ w with the weights w for censoring [1]_; skill 1 - B / B₀ with B₀ that of
    the base rate. Standard errors by linearisation, the weights taken as known.

    References
    ----------
    .. [1] Graf, E., Schmoor, C., Sauerbrei, W., Schumacher, M. (1999). Assessment and comparison
       of prognostic classification schemes for survival data. Stat. Med. 18, 2529-2545.
    """
    p, y, w = np.asarray(probability, dtype=float), outcomes.event, outcomes.weight
    total = w.sum()
    if not total > 0:
        return PredictionError(brier=UNKNOWN, reference=float("nan"), skill=UNKNOWN)
    w = w / total
    squares = (y - p) ** 2
    score = float(w @ squares)
    off = w * (squares - score)  # what each row adds to the score
    rate = outcomes.base_rate
    if base_rate is None:
        reference, moved = rate * (1 - rate), (1 - 2 * rate) * w * (y - rate)
    else:
        plain = (y - base_rate) ** 2
        reference = float(w @ plain)
        moved = w * (plain - reference)
    brier = _limited(score, clustered_error(off, clusters), confidence, least=0.0)
    skill = UNKNOWN
    if reference > 0:
        change = (score * moved / reference - off) / reference
        value = 1 - score / reference
        skill = _limited(value, clustered_error(change, clusters), confidence, least=-np.inf)
    return PredictionError(brier=brier, reference=reference, skill=skill)


def _limited(value: float, error: float, confidence: float, *, least: float) -> Estimate:
    """Put limits around a value, within [least, 1]; none where nothing varies."""
    # a spread of rounding errors is none
    if not error > 1e-12:
        return Estimate(value, float("nan"), float("nan"))
    half = normal_quantile(confidence) * error
    return Estimate(value, max(value - half, least), min(value + half, 1.0))


def integrated_brier(
    survival: ArrayLike,
    times: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    confidence: float = 0.95,
) -> IntegratedError:
    """Brier score averaged over a span of times, for predicted survival curves.

    Parameters
    ----------
    survival : array_like
        Predicted survival, rows × times; with late entry that of a row alive at its entry,
        S(t) / S(entry).
    times : array_like
        Increasing times above 0.
    time, event : array_like
        Time at the end of each row, and whether it ended in the event.
    entry : array_like, optional
        Time at which each came under observation; 0 or less: from the beginning.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    IntegratedError
        Times to which nobody is followed are left out, with a note; NaN where none is left.

    Raises
    ------
    InputError
        If shapes differ, or the times do not increase.

    Notes
    -----
    ∫ B(t) dt / (last - first) by the trapezoidal rule; with one time B itself [1]_.

    References
    ----------
    .. [1] Graf, E., Schmoor, C., Sauerbrei, W., Schumacher, M. (1999). Assessment and comparison
       of prognostic classification schemes for survival data. Stat. Med. 18, 2529-2545.
    """
    grid, curves = np.asarray(times, dtype=float), np.asarray(survival, dtype=float)
    ends = np.asarray(time, dtype=float)
    if curves.shape != (len(ends), len(grid)) or not (np.diff(grid) > 0).all():
        raise InputError("integrated Brier score: survival is rows × increasing times")
    judged = list(outcomes_along(grid, ends, event, entry=entry))
    kept = [i for i, found in enumerate(judged) if not found.note and found.weight.sum() > 0]
    share = _shares(grid[kept])
    total, scores, references = np.zeros(len(ends)), [], []
    for i, part in zip(kept, share, strict=True):
        y, w = judged[i].event, judged[i].weight / judged[i].weight.sum()
        squares = (y - (1 - curves[:, i])) ** 2
        scores.append(float(w @ squares))
        references.append(judged[i].base_rate * (1 - judged[i].base_rate))
        total += part * w * (squares - scores[-1])
    value = float(share @ scores) if kept else float("nan")
    reference = float(share @ references) if kept else float("nan")
    error = clustered_error(total, None)
    return IntegratedError(
        integrated=_limited(value, error, confidence, least=0.0),
        reference=reference,
        skill=1 - value / reference if reference > 0 else float("nan"),
        time=grid[kept],
        brier=np.array(scores),
        brier_reference=np.array(references),
        note=_left_out(grid, kept),
    )


def _shares(times: FloatArray) -> FloatArray:
    """Weights of the trapezoidal rule, adding up to 1."""
    if len(times) < 2:
        return np.ones(len(times))
    steps = np.diff(times)
    return np.asarray((np.append(steps, 0.0) + np.append(0.0, steps)) / (2 * steps.sum()))


def _left_out(grid: FloatArray, kept: list[int]) -> str:
    if len(kept) == len(grid):
        return ""
    if not kept:
        return "nobody is followed to any of the times"
    lost = len(grid) - len(kept)
    return f"{lost} of {len(grid)} times left out: nobody is followed past {grid[kept[-1]]:g}"
