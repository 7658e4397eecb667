"""Observed rate as a smooth function of predicted risk: logistic regressions, many at once."""

import numpy as np
from numpy.typing import NDArray

from csa.methods.splines import natural_spline, quantile_knots

FloatArray = NDArray[np.float64]

STEPS = 40
FARTHEST = 30.0  # log odds beyond which a probability is 0 or 1
DONE = 1e-6  # change of log odds at which a fit has come to rest
RIDGE = 1e-6  # per unit of weight, on all but the intercept: keeps separated data finite
CLIP = 1e-6  # probabilities nearer to 0 or 1 are read as this far from them
MANY, SOME = 50, 20  # of the rarer outcome, for four knots and for three


def log_odds(probability: FloatArray) -> FloatArray:
    """Log odds of probabilities; 0 and 1 are read as a millionth away from them.

    Parameters
    ----------
    probability : ndarray of float
        Within [0, 1].

    Returns
    -------
    ndarray of float
        Within about 13.8 of 0.
    """
    p = np.clip(probability, CLIP, 1 - CLIP)
    return np.asarray(np.log(p) - np.log1p(-p))


def smooth_design(x: FloatArray, at: FloatArray, weight: FloatArray, rarer: float) -> FloatArray:
    """Columns of a natural spline whose number of knots the data can carry.

    Parameters
    ----------
    x : ndarray of float
        Log odds of the rows that the knots are placed by.
    at : ndarray of float
        Log odds at which the columns are wanted.
    weight : ndarray of float
        Weight of each row of `x`.
    rarer : float
        Number of rows with the rarer outcome: 4 knots from 50 on, 3 from 20 on, else a line.

    Returns
    -------
    ndarray of float
        Intercept and spline; the intercept alone where all rows are alike.
    """
    knots = quantile_knots(x, 4 if rarer >= MANY else 3 if rarer >= SOME else 2, weights=weight)
    ones = np.ones((len(at), 1))
    return ones if len(knots) < 2 else np.hstack([ones, natural_spline(at, knots)])


def fitted_rates(design: FloatArray, events: FloatArray, weight: FloatArray) -> FloatArray:
    """Rates fitted by logistic regressions that share a design.

    Parameters
    ----------
    design : ndarray of float
        Rows × columns, an intercept first.
    events, weight : ndarray of float
        Weight of the events, and of all, per row: fits × rows.

    Returns
    -------
    ndarray of float
        Fits × rows. Where events and others are separated, rates of nearly 0 and 1.

    Notes
    -----
    Newton's method for all fits in step, steps held to a change of the log odds that cannot
    overshoot; a ridge of a millionth of the weight keeps separated data finite.
    """
    fits, columns = len(weight), design.shape[1]
    pairs = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    ridge = np.diag(np.append(0.0, np.full(columns - 1, RIDGE)))
    total = weight.sum(axis=1)
    penalty = np.maximum(total, 1.0)[:, None, None] * ridge
    rate = np.clip(events.sum(axis=1) / np.maximum(total, 1e-300), CLIP, 1 - CLIP)
    beta = np.zeros((fits, columns))
    beta[:, 0] = np.log(rate / (1 - rate))
    # einsum, not BLAS: for products this small its threads cost more than the work
    for _ in range(STEPS):
        share = _share(np.einsum("fi,ni->fn", beta, design))
        slope = np.einsum("fn,ni->fi", events - weight * share, design)
        slope -= np.einsum("fij,fj->fi", penalty, beta)
        bend = np.einsum("fn,nk->fk", weight * share * (1 - share), pairs)
        bend = bend.reshape(fits, columns, columns) + penalty
        bend += np.eye(columns) * (1e-9 * np.maximum(total, 1.0))[:, None, None]
        step = np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
        reach = np.abs(np.einsum("fi,ni->fn", step, design)).max(axis=1, initial=0.0)
        beta += step * np.minimum(1.0, 4.0 / np.maximum(reach, 1e-12))[:, None]
        if reach.max(initial=0.0) < DONE:
            break
    return _share(np.einsum("fi,ni->fn", beta, design))


def _share(x: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -FARTHEST, FARTHEST))))
