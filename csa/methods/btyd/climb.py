"""From the maximum for some data to that for nearly the same data, in a few steps.

A part of the customers, or customers drawn again, have nearly the maximum and nearly the curvature
of all. Newton's steps with that curvature, corrected by what each step teaches (BFGS), need about
five evaluations where a search from afar needs thirty.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.methods.btyd.maximum import DIFFERENCE, Objective

FloatArray = NDArray[np.float64]

STEPS = 40
LONGEST = 2.0  # change of a log-parameter in one step
ENOUGH = 1e-4  # of the step's gain by slope that must be real
LEAST = 1e-6  # curvature below this times the greatest is taken for this


@dataclass(frozen=True, slots=True, eq=False)
class Climbed:
    """Where the climb ended: place, negative log-likelihood, slopes; and whether on top."""

    log_parameters: FloatArray
    value: float
    gradient: FloatArray
    reached: bool


def climb(
    objective: Objective,
    start: FloatArray,
    curved: FloatArray,
    box: FloatArray,
    *,
    tolerance: float = 1e-9,
) -> Climbed:
    """Climb to the maximum from near it.

    Parameters
    ----------
    objective : callable
        Negative log-likelihood and its gradient at log-parameters.
    start : ndarray of float
        Log-parameters.
    curved : ndarray of float
        About the second derivatives of the objective.
    box : ndarray of float
        Parameters × (lowest, highest).
    tolerance : float
        What the last step may still gain, in log-likelihood.

    Returns
    -------
    Climbed
        `reached` is False where it got stuck; search from afar then.
    """
    at, curved = np.clip(start, box[:, 0], box[:, 1]), _positive(curved)
    value, gradient = objective(at)
    for _ in range(STEPS):
        free = ~_held(at, gradient, box)
        step = np.zeros(len(at))
        step[free] = -np.linalg.solve(curved[np.ix_(free, free)], gradient[free])
        gain = -gradient @ step
        if gain <= max(tolerance, 1e-14 * abs(value)):
            return Climbed(at, value, gradient, reached=True)
        size = min(1.0, LONGEST / np.abs(step).max())
        while size > 1e-6:  # halve the step until it gains
            place = np.clip(at + size * step, box[:, 0], box[:, 1])
            there, slopes = objective(place)
            if there <= value - ENOUGH * size * gain:
                break
            size /= 4
        else:
            break
        curved = _corrected(curved, place - at, slopes - gradient)
        at, value, gradient = place, there, slopes
    return Climbed(at, value, gradient, reached=False)


def curvature(objective: Objective, place: FloatArray) -> FloatArray:
    """Second derivatives, by central differences of the gradient.

    Parameters
    ----------
    objective : callable
        Negative log-likelihood and its gradient at log-parameters.
    place : ndarray of float
        Log-parameters.

    Returns
    -------
    ndarray of float
        Symmetric.
    """
    steps = DIFFERENCE * np.eye(len(place))
    rows = [objective(place + step)[1] - objective(place - step)[1] for step in steps]
    second = np.array(rows) / (2 * DIFFERENCE)
    return np.asarray((second + second.T) / 2)


def _positive(curved: FloatArray) -> FloatArray:
    """Turn the curvature into the nearest that is that of a valley."""
    sizes, directions = np.linalg.eigh((curved + curved.T) / 2)
    sizes = np.maximum(np.abs(sizes), LEAST * max(float(np.abs(sizes).max()), 1.0))
    return np.asarray((directions * sizes) @ directions.T)


def _held(at: FloatArray, gradient: FloatArray, box: FloatArray) -> NDArray[np.bool_]:
    """Log-parameters on the border that the gradient pushes outwards."""
    return ((at <= box[:, 0]) & (gradient > 0)) | ((at >= box[:, 1]) & (gradient < 0))


def _corrected(curved: FloatArray, step: FloatArray, turn: FloatArray) -> FloatArray:
    """Curvature that agrees with the last step (BFGS), where that is a valley."""
    along, bend = step @ turn, curved @ step
    if along <= 1e-10 * np.linalg.norm(step) * np.linalg.norm(turn):
        return curved
    return curved + np.outer(turn, turn) / along - np.outer(bend, bend) / (step @ bend)
