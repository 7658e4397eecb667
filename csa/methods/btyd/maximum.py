"""The way to the maximum of a likelihood over log-parameters, from several starts."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

FloatArray = NDArray[np.float64]
Objective = Callable[[FloatArray], tuple[float, FloatArray]]
Hessian = Callable[[FloatArray], FloatArray]
Point = tuple[float, FloatArray, FloatArray]  # value, gradient, second derivatives

REACH = 9.0  # log-parameters stay so far around the scale of the data: e^9 is four decades
STARTS = 5
AGREE = 1e-6  # two starts reached the same maximum when they differ less, in log-likelihood
NEWTON_STEPS = 50
HALVINGS = 30
DECREMENT = 1e-8  # twice what the last step gains; what is left after it is its square
ROUGHLY = 1e-6  # the same, of a start: what is left after the step is its square
NOISE = 1e-12  # of a value, beside its size: that much more is not worse
AT_BOUND = 0.02  # so near to the border of the box a log-parameter is on it
FLAT = 1e-9  # curvature below this times the greatest is none
DIFFERENCE = 1e-5  # step of the differences of the gradient, in log-parameters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maximum:
    """Where a likelihood is greatest in a box of log-parameters.

    Attributes
    ----------
    log_parameters : ndarray of float
        The place.
    value : float
        Negative log-likelihood there.
    hessian : ndarray of float
        Its second derivatives there.
    on_border : ndarray of bool
        Log-parameters that ended on the border of the box.
    converged : bool
        No step inside the box gains anything.
    starts : tuple of int
        Starts, and how many of them reached this place or one as good.
    """

    log_parameters: FloatArray
    value: float
    hessian: FloatArray
    on_border: NDArray[np.bool_]
    converged: bool
    starts: tuple[int, int]

    covariance: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariance", inverse(self.hessian, ~self.on_border))


def spread_starts(centre: FloatArray, *, count: int = STARTS, width: float = 2.0) -> FloatArray:
    """Places to start from: the centre and points spread evenly around it.

    Parameters
    ----------
    centre : ndarray of float
        Log-parameters on the scale of the data.
    count : int
        Starts.
    width : float
        Greatest distance of a log-parameter from the centre.

    Returns
    -------
    ndarray of float
        Count × parameters; the first is the centre. Always the same.
    """
    size = len(centre)
    root = 1.0  # of x^(size+1) = x + 1: its powers fill a cube evenly
    for _ in range(40):
        root = (1.0 + root) ** (1.0 / (size + 1))
    powers = root ** -np.arange(1, size + 1)
    places = (0.5 + np.arange(1, count)[:, None] * powers) % 1.0
    return np.vstack([centre, centre + width * (2 * places - 1)])


def maximise(
    objective: Objective,
    starts: FloatArray,
    bounds: ArrayLike,
    *,
    hessian: Hessian | None = None,
) -> Maximum:
    """Find the maximum of a likelihood from several starts.

    Parameters
    ----------
    objective : callable
        Negative log-likelihood and its gradient at log-parameters. It must be finite in the box.
    starts : ndarray of float
        Starts × parameters.
    bounds : array_like of float, parameters × 2
        The box: lowest and highest value of each log-parameter.
    hessian : callable, optional
        Second derivatives of the objective; differences of the gradient where absent.

    Returns
    -------
    Maximum
        The best of all starts, polished by Newton's method.

    Notes
    -----
    Newton from each start where second derivatives are given, else L-BFGS-B; then Newton from the
    best and from those that stopped short of it, over the log-parameters inside the box.
    """
    box = np.asarray(bounds, dtype=np.float64)
    with one_thread():
        if hessian is None:
            ends = [_descend(objective, start, box) for start in np.atleast_2d(starts)]
        else:
            ends = [_climbed(objective, start, box, hessian) for start in np.atleast_2d(starts)]
    curve = hessian if hessian is not None else _differences(objective)
    first = min(ends, key=lambda end: end[0])
    best = polish(objective, first[1], box, hessian=curve)
    short = best.value + _slack(best.value)  # beyond it a flat border may have held one up
    others = [polish(objective, at, box, hessian=curve) for value, at in ends if value > short]
    best = min([best, *others], key=lambda end: end.value)
    values = [value for value, _ in ends if value <= short] + [other.value for other in others]
    reached = sum(value <= best.value + _slack(best.value) for value in values)
    return Maximum(
        log_parameters=best.log_parameters,
        value=best.value,
        hessian=best.hessian,
        on_border=best.on_border,
        converged=best.converged,
        starts=(len(ends), reached),
    )


def polish(
    objective: Objective, start: FloatArray, box: FloatArray, *, hessian: Hessian | None = None
) -> Maximum:
    """Go on to the maximum by Newton's method, from near it.

    Parameters
    ----------
    objective : callable
        Negative log-likelihood and its gradient at log-parameters.
    start : ndarray of float
        Log-parameters.
    box : ndarray of float
        Parameters × (lowest, highest).
    hessian : callable, optional
        Second derivatives; differences of the gradient where absent.

    Returns
    -------
    Maximum
        `starts` is (1, 1).
    """
    curve = hessian if hessian is not None else _differences(objective)
    with one_thread():
        at, (value, gradient, second) = climb(objective, start, box, curve)
    held = _held(at, gradient, box)
    left = -gradient @ _newton_step(gradient, second, held)
    near = (at <= box[:, 0] + AT_BOUND) | (at >= box[:, 1] - AT_BOUND)
    return Maximum(
        log_parameters=at,
        value=float(value),
        hessian=second,
        on_border=held | near,
        converged=bool(left <= max(1e-6, NOISE * abs(value))),
        starts=(1, 1),
    )


def climb(
    objective: Objective,
    start: FloatArray,
    box: FloatArray,
    hessian: Hessian,
    goal: float = DECREMENT,
) -> tuple[FloatArray, Point]:
    """Follow Newton's steps until one would gain less than the goal, and take it.

    Parameters
    ----------
    objective : callable
        Negative log-likelihood and its gradient at log-parameters.
    start : ndarray of float
        Log-parameters.
    box : ndarray of float
        Parameters × (lowest, highest).
    hessian : callable
        Second derivatives. It is asked first at every place, so it may keep the rest for later.
    goal : float
        Twice what the last step gains.

    Returns
    -------
    ndarray of float
        The place.
    tuple
        Value, gradient and second derivatives there.
    """

    def look(place: FloatArray) -> Point:
        second = hessian(place)
        return (*objective(place), second)

    at = np.clip(np.asarray(start, dtype=float), box[:, 0], box[:, 1])
    here = look(at)
    for _ in range(NEWTON_STEPS):
        step = _newton_step(here[1], here[2], _held(at, here[1], box))
        last = -here[1] @ step <= goal
        found = _line_search(look, at, here[0], step, box)
        if found is None:
            break
        at, here = found
        if last:
            break
    return at, here


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Keep linear algebra to one thread: products of four rows are slower with more.

    Returns
    -------
    context manager
        Within it BLAS has one thread.
    """
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


def inverse(hessian: FloatArray, free: NDArray[np.bool_]) -> FloatArray:
    """Covariance from second derivatives, with no variance for what is held.

    Parameters
    ----------
    hessian : ndarray of float
        Second derivatives of the negative log-likelihood.
    free : ndarray of bool
        Parameters that are not held.

    Returns
    -------
    ndarray of float
        Positive semidefinite and finite: directions without curvature get the variance `REACH`².
    """
    full = np.zeros_like(hessian, dtype=float)
    if free.any():
        part = hessian[np.ix_(free, free)]
        sizes, directions = np.linalg.eigh((part + part.T) / 2)
        spread = np.where(sizes > REACH**-2, 1.0 / np.maximum(sizes, REACH**-2), REACH**2)
        full[np.ix_(free, free)] = (directions * spread) @ directions.T
    return full


def _slack(value: float) -> float:
    """Give what two ends may differ by and still be the same maximum."""
    return AGREE * max(1.0, abs(value) * 1e-3)


def _climbed(
    objective: Objective, start: FloatArray, box: FloatArray, hessian: Hessian
) -> tuple[float, FloatArray]:
    """Follow Newton's steps from one start to their end: value and place."""
    at, here = climb(objective, start, box, hessian, goal=ROUGHLY)
    return here[0], at


def _descend(objective: Objective, start: FloatArray, box: FloatArray) -> tuple[float, FloatArray]:
    """Follow L-BFGS-B from one start to its end: value and place."""
    done = minimize(
        objective,
        np.clip(start, box[:, 0], box[:, 1]),
        jac=True,
        method="L-BFGS-B",
        bounds=box.tolist(),
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8},
    )
    return float(done.fun), np.asarray(done.x, dtype=float)


def _differences(objective: Objective) -> Hessian:
    """Second derivatives by central differences of the gradient."""

    def at(place: FloatArray) -> FloatArray:
        rows = []
        for i in range(len(place)):
            step = np.zeros(len(place))
            step[i] = DIFFERENCE
            rows.append((objective(place + step)[1] - objective(place - step)[1]) / 2 / DIFFERENCE)
        second = np.array(rows)
        return (second + second.T) / 2

    return at


def _held(at: FloatArray, gradient: FloatArray, box: FloatArray) -> NDArray[np.bool_]:
    """Log-parameters on the border that the gradient pushes outwards."""
    low, high = at <= box[:, 0] + 1e-9, at >= box[:, 1] - 1e-9
    point = box[:, 1] <= box[:, 0]
    return point | (low & (gradient > 0)) | (high & (gradient < 0))


def _newton_step(gradient: FloatArray, second: FloatArray, held: NDArray[np.bool_]) -> FloatArray:
    """Newton's step downhill over what is free, its curvature made positive."""
    step = np.zeros(len(gradient))
    free = ~held
    if free.any():
        sizes, directions = np.linalg.eigh(second[np.ix_(free, free)])
        least = FLAT * max(float(np.abs(sizes).max()), 1.0)
        along = directions.T @ gradient[free] / np.maximum(np.abs(sizes), least)
        step[free] = -directions @ along
    return step


def _line_search(
    look: Callable[[FloatArray], Point],
    at: FloatArray,
    value: float,
    step: FloatArray,
    box: FloatArray,
) -> tuple[FloatArray, Point] | None:
    """Halve the step until it does not lose; None when none does."""
    longest = np.abs(step).max()
    size = min(1.0, 2.0 / longest) if longest else 0.0
    for _ in range(HALVINGS):
        place = np.clip(at + size * step, box[:, 0], box[:, 1])
        if np.array_equal(place, at):
            return None
        found = look(place)
        if found[0] <= value + NOISE * abs(value) and np.isfinite(found[1]).all():
            return place, found
        size /= 2
    return None
