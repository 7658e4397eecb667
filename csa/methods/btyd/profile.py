"""Intervals of parameters from the likelihood itself, not from its curvature at the top.

The parameters of a model of buyers lie along a ridge: a likelihood of 2,000 customers falls much
more slowly on one side than on the other, and intervals of plus and minus two standard errors then
hold the truth too seldom. These follow the ridge.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.btyd.bg_fit import EXTRA, search_box
from csa.methods.btyd.bg_likelihood import BgLikelihood
from csa.methods.btyd.climb import climb, curvature
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import Objective, maximise, one_thread
from csa.methods.btyd.merged import MergedLikelihood, can_be_exact
from csa.methods.btyd.model import Fit
from csa.methods.btyd.pareto_nbd_fit import MODEL as PARETO_NBD
from csa.methods.btyd.pareto_nbd_fit import search_box as pareto_box
from csa.methods.btyd.pareto_nbd_likelihood import history, negative_log_likelihood

FloatArray = NDArray[np.float64]

NEAR = 1e-3  # of a limit, in standard errors
LOOKS = 40  # at most, for each limit
GAIN = 1e-8  # log-likelihood that may be missing beside the limit
LEAST_STEP, LONGEST_STEP = 0.05, 2.0  # of a log-parameter, at first


def parameter_intervals(
    fit: Fit, counts: BuyerCounts, *, confidence: float = 0.95
) -> dict[str, tuple[float, float]]:
    """Give the profile likelihood intervals of the parameters.

    Parameters
    ----------
    fit : Fit
        BG/NBD, MBG/NBD or Pareto/NBD of these customers.
    counts : BuyerCounts
        The customers.
    confidence : float
        Share of intervals that hold the truth.

    Returns
    -------
    dict of str to tuple of float
        Lowest and highest value; 0 or infinity where the data exclude none on that side. Those
        held on a border are absent.

    Raises
    ------
    InputError
        If the model is another, or nothing was fitted.

    Notes
    -----
    A value is inside when the best likelihood with it is less than half the quantile of χ² with
    one degree of freedom below the best of all [1]_. Of 1,000 cohorts of 2,000 buyers of MBG/NBD
    93 to 95 % of such intervals held each parameter, of those from standard errors 89 to 95 %.

    References
    ----------
    .. [1] Venzon, D. J., Moolgavkar, S. H. (1988). A method for computing profile-likelihood-based
       confidence intervals. Journal of the Royal Statistical Society C 37(1), 87-94.
    """
    fit.values()
    known = counts.in_unit(fit.unit_days or counts.unit_days).compressed()
    objective, box = _likelihood(fit, known)
    limits = profile_limits(objective, fit.log_parameters, box, confidence=confidence)
    return {
        name: (float(np.exp(low)), float(np.exp(high)))
        for name, (low, high) in zip(fit.parameters, limits, strict=True)
        if name in fit.standard_errors
    }


def profile_limits(
    objective: Objective, top: FloatArray, box: FloatArray, *, confidence: float = 0.95
) -> FloatArray:
    """Give the limits of each log-parameter where the best likelihood with it is too low.

    Parameters
    ----------
    objective : callable
        Negative log-likelihood and its gradient at log-parameters.
    top : ndarray of float
        Where it is least.
    box : ndarray of float
        Parameters × (lowest, highest).
    confidence : float
        Share of intervals that hold the truth.

    Returns
    -------
    ndarray of float
        Parameters × (lowest, highest); infinite where the border of the box is not too low.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence}; give a share between 0 and 1")
    goal = NormalDist().inv_cdf((1 + confidence) / 2)
    with one_thread():
        profile = _Profile(objective, top, box)
        return np.array(
            [[_limit(profile, i, side, goal) for side in (-1, 1)] for i in range(len(top))]
        )


class _Profile:
    """The best likelihood with one log-parameter held, from the last such place."""

    def __init__(self, objective: Objective, top: FloatArray, box: FloatArray) -> None:
        self.objective, self.top, self.box = objective, top, box
        self.value = objective(top)[0]
        self.curved = curvature(objective, top)
        self.spread = _spread(self.curved)

    def below(self, i: int, at: float, start: FloatArray) -> tuple[float, FloatArray]:
        """Tell how far below the top, as a root (in standard errors), and the place."""
        held, begin = self.box.copy(), start.copy()
        held[i] = begin[i] = at
        done = climb(self.objective, begin, self.curved, held, tolerance=GAIN)
        place, value = done.log_parameters, done.value
        if not done.reached:
            best = maximise(self.objective, place[None], held)
            place, value = best.log_parameters, best.value
        return float(np.sqrt(2 * max(value - self.value, 0.0))), place


def _limit(profile: _Profile, i: int, side: int, goal: float) -> float:
    """Find where the root passes the goal: nearly straight, so by the secant inside a bracket."""
    near, border = profile.top[i], profile.box[i, (side + 1) // 2]
    root, place = 0.0, profile.top
    step = float(np.clip(goal * profile.spread[i], LEAST_STEP, LONGEST_STEP))
    far, beyond = None, np.inf
    for _ in range(LOOKS):
        if far is None:
            at = near + side * step
            at = min(at, border) if side > 0 else max(at, border)
        else:
            share = np.clip((goal - root) / (beyond - root), 0.05, 0.95)
            at = near + share * (far - near)
        found, there = profile.below(i, at, place)
        if abs(found - goal) < NEAR:
            return float(at)
        if found > goal:
            far, beyond = at, found
            continue
        if at == border:
            return float(side * np.inf)
        grown = (found - root) / abs(at - near)
        near, root, place = at, found, there
        step = float(np.clip(1.1 * (goal - root) / max(grown, 1e-9), LEAST_STEP, LONGEST_STEP))
    return float(near)


def _spread(curved: FloatArray) -> FloatArray:
    """Guess standard errors from the curvature; only a first step hangs on them."""
    sizes, directions = np.linalg.eigh(curved)
    least = max(float(np.abs(sizes).max()), 1.0) * 1e-9
    spread: FloatArray = np.sqrt((directions**2) @ (1.0 / np.maximum(np.abs(sizes), least)))
    return spread


def _likelihood(fit: Fit, known: BuyerCounts) -> tuple[Objective, FloatArray]:
    """Find the negative log-likelihood of the model of a fit, and its box."""
    extra = EXTRA.get(fit.model)
    exact = can_be_exact(known, fit.log_parameters, beta=extra is not None)
    if extra is not None:
        plain = BgLikelihood(known, extra)
        box = search_box(known)[1]
        return MergedLikelihood(known, fit.log_parameters, extra) if exact else plain, box
    if fit.model == PARETO_NBD:
        if exact:
            return MergedLikelihood(known, fit.log_parameters, None), pareto_box(known)
        customers = history(known)
        return lambda place: negative_log_likelihood(customers, place), pareto_box(known)
    raise InputError(f"{fit.model}: only {', '.join([*EXTRA, PARETO_NBD])}")
