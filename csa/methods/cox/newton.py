"""The way to the maximum of a partial likelihood, in few passes over many rows."""

import numpy as np
from numpy.typing import NDArray

from csa.methods.cox.likelihood import PartialLikelihood, Point, partial_likelihood

FloatArray = NDArray[np.float64]

LEAST = 1e-200  # information below this is none: its inverse would overflow
MAX_PASSES = 40
MAX_HALVINGS = 20
DECREMENT = 1e-8  # twice what the log-likelihood can still gain
STEP = 1e-7  # of the last step on standardised columns: the information changes no more than so
STUCK_STEP = 0.05  # a step so long at the end means that there is no finite maximum
MANY_ROWS = 200_000  # from here on every tenth row gives the start
THINNING = 10
NOISE = 1e-9  # of a log-likelihood, beside its size: that much less is not a loss
ROUGH_DECREMENT = 1e-2  # good enough for a start
HUGE = 15.0  # effect of one standard deviation: beyond it differences of risk sets are rounding
LOST = 1e-8  # share of a direction's information that is left where effects went without end
PART = 0.1  # of a direction: columns with less are not named
SLOW = 0.1  # a step with an old information should gain at most so much of the last one's


def climb(problem: PartialLikelihood, null: Point) -> tuple[Point, int]:
    """Find the maximum of a partial likelihood.

    Parameters
    ----------
    problem : PartialLikelihood
        Design and follow-up.
    null : Point
        The likelihood without effects.

    Returns
    -------
    Point
        With its information. Where there is no maximum, the step from there is longer than
        `STUCK_STEP`.
    int
        Passes over the design.
    """
    return _newton(problem, _start(problem, null))


def _start(problem: PartialLikelihood, null: Point) -> Point:
    """Where to begin: at no effect, or with many rows at a rough fit of every tenth."""
    if problem.spells.rows < MANY_ROWS:
        return null
    part = partial_likelihood(
        problem.columns.every(THINNING), problem.spells.every(THINNING), problem.ties
    )
    first = part.at(np.zeros(part.columns.columns))
    rough, _ = _newton(part, _start(part, first), goal=ROUGH_DECREMENT)
    found = problem.at(rough.effects)
    return found if found.log_likelihood > null.log_likelihood else null


def _newton(
    problem: PartialLikelihood, start: Point, *, goal: float = DECREMENT
) -> tuple[Point, int]:
    """Climb to the maximum; the point returned has its information."""
    point, passes, last = start, 1, np.inf
    information, fresh = start.information, True
    few, limit = problem.spells.rows < MANY_ROWS, _limit(problem)
    while passes < MAX_PASSES:
        step = newton_step(information, point.score)
        gain = float(point.score @ step)
        if (fresh and _arrived(gain, step, goal)) or _size(point.effects) > limit:
            break
        step *= min(1.0, limit / max(_size(step), 1.0))
        # with many rows the slope is followed with an old information while that gains fast;
        # the next point has a new one where it is expected to be the last
        fresh = few or (not fresh and not goal < gain**2 / last < last * SLOW**2)
        following, used, fresh = _follow(problem, point, step, fresh=fresh)
        passes, last = passes + used, gain
        if following is None:
            break
        point = following
        information = point.information if fresh else information
    return (point if point.information is not None else problem.at(point.effects)), passes


def _follow(
    problem: PartialLikelihood, point: Point, step: FloatArray, *, fresh: bool
) -> tuple[Point | None, int, bool]:
    """Go a step, or half of it, and so on until nothing is lost; None where all loses."""
    slack = NOISE * (1 + abs(point.log_likelihood))
    for halvings in range(MAX_HALVINGS):
        fresh = fresh or halvings > 0
        found = problem.at(point.effects + step * 0.5**halvings, information=fresh)
        if found.log_likelihood >= point.log_likelihood - slack:
            return found, halvings + 1, fresh
    return None, MAX_HALVINGS, fresh


def _arrived(gain: float, step: FloatArray, goal: float) -> bool:
    """Whether nothing is left to gain; a long step then means that there is no maximum."""
    longest = _size(step)
    return gain <= goal and (longest <= STEP or longest > STUCK_STEP or goal > DECREMENT)


def _limit(problem: PartialLikelihood) -> float:
    """Largest effect that can be told: with late entry risk sets are differences of sums."""
    return np.inf if problem.risk.entry_slot is None else HUGE


def _size(effects: FloatArray) -> float:
    """Largest of some effects, whatever their sign."""
    return float(np.abs(effects).max(initial=0.0))


def newton_step(information: FloatArray | None, score: FloatArray) -> FloatArray:
    """Step to where the slope would be 0 if the information did not change.

    Parameters
    ----------
    information : ndarray (columns x columns) or None
        Second derivatives, with their sign changed.
    score : ndarray
        Slope.

    Returns
    -------
    ndarray
        Directions without information stay where they are.
    """
    if information is None or not len(score):
        return np.zeros_like(score)
    return inverse_of(information) @ score


def endless(problem: PartialLikelihood, null: Point, found: Point, step: FloatArray) -> list[int]:
    """Find columns whose effects grow without end.

    Parameters
    ----------
    problem : PartialLikelihood
        Design and follow-up.
    null, found : Point
        The likelihood without effects, and where the climb ended, with their information.
    step : ndarray
        Step from there.

    Returns
    -------
    list of int
        Positions of columns; empty where there is a maximum.

    Notes
    -----
    The last step is long; with late entry, an effect is huge; or a direction has lost all the
    information that it had without effects: relative risks along it have become 0 or infinite,
    and no step is seen.
    """
    huge = np.abs(found.effects) > _limit(problem)
    columns = np.flatnonzero((np.abs(step) > STUCK_STEP) | huge).tolist()
    if columns or null.information is None or found.information is None or not len(step):
        return columns
    root = np.linalg.inv(np.linalg.cholesky(null.information))
    values, vectors = np.linalg.eigh(root @ found.information @ root.T)
    parts = np.abs(root.T @ vectors[:, values < LOST])
    return sorted(np.flatnonzero((parts > PART * parts.max(axis=0)).any(axis=1)).tolist())


def inverse_of(information: FloatArray) -> FloatArray:
    """Invert a positive matrix whose columns may differ in size by many orders.

    Parameters
    ----------
    information : ndarray (columns x columns)
        Symmetric.

    Returns
    -------
    ndarray
        0 in directions without information.
    """
    if not len(information):
        return information
    diagonal = np.diag(information)
    size = np.sqrt(np.where(diagonal > LEAST, diagonal, 1.0))  # else no direction of its own
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    known = values > np.finfo(float).eps * len(size)
    part = vectors[:, known] / size[:, None]
    return np.asarray((part / values[known]) @ part.T)
