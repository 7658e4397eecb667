"""How BG/NBD and MBG/NBD are fitted: scale, starts, limits of the models, words for them."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csa.methods.btyd.bg_likelihood import BgLikelihood
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import REACH, Maximum, climb, maximise, polish, spread_starts
from csa.methods.btyd.merged import refined
from csa.methods.btyd.model import Diagnosis, Fit, fitted_to, not_to_be_fitted

FloatArray = NDArray[np.float64]

BG_NBD, MBG_NBD = "BG/NBD", "MBG/NBD"
EXTRA = {BG_NBD: 0, MBG_NBD: 1}  # chances to leave beside those after repeat purchases
NAMES = ("r", "alpha", "a", "b")
TYPICAL = (0.5, 1.0, 0.7, 2.0)  # r, alpha (of what the mean rate gives), a, b: centre of the box
THIN_ROWS = (4_000, 64_000)  # so many rows show where the maximum of more lies
WORTH = 3  # times more, at least
NEAR_ENOUGH = 1e-6  # of a refit: the last step gains less, and what is left is its square
NO_BETTER = 1e-3  # a log-likelihood that much above a limit of the model is at the limit


def fit_family(counts: BuyerCounts, model: str, starts: int) -> Fit:
    """Fit one of the two models.

    Parameters
    ----------
    counts : BuyerCounts
        Customers.
    model : str
        `BG_NBD` or `MBG_NBD`.
    starts : int
        Places to start from.

    Returns
    -------
    Fit
        "unclear" without repeat purchases, and with very few repeat buyers.
    """
    known = counts.compressed()
    if (nothing := not_to_be_fitted(model, known)) is not None:
        return nothing
    centre, box = search_box(known)
    parts = [_thinned(known, rows) for rows in THIN_ROWS if rows * WORTH < len(known)]
    likelihood, *further = (BgLikelihood(part, EXTRA[model]) for part in (*parts, known))
    places = spread_starts(centre, count=starts)
    found = maximise(likelihood, places, box, hessian=likelihood.hessian)
    for likelihood in further:
        best = polish(likelihood, found.log_parameters, box, hessian=likelihood.hessian)
        found = replace(best, starts=found.starts)
    found, diagnosis = _at_limits(likelihood, found, box)
    found = refined(known, found, box, EXTRA[model])
    return fitted_to(known, model, NAMES, found, said=diagnosis)


class Refitter:
    """Fits of the same customers with other weights, each from the maximum of the first.

    Parameters
    ----------
    fit : Fit
        BG/NBD or MBG/NBD of the customers.
    counts : BuyerCounts
        The customers, in the unit of the fit.
    """

    def __init__(self, fit: Fit, counts: BuyerCounts) -> None:
        self.counts = counts.in_unit(fit.unit_days or counts.unit_days).compressed()
        self._likelihood = BgLikelihood(self.counts, EXTRA[fit.model])
        self._start = fit.log_parameters
        _, self._box = search_box(self.counts)

    def __call__(self, weight: FloatArray) -> FloatArray:
        """Log-parameters at the maximum under these weights."""
        self._likelihood.weigh(weight)
        fun = self._likelihood
        return climb(fun, self._start, self._box, fun.hessian, goal=NEAR_ENOUGH)[0]


def search_box(counts: BuyerCounts) -> tuple[FloatArray, FloatArray]:
    """Give centre and borders of the log-parameters, on the scale of the data.

    Parameters
    ----------
    counts : BuyerCounts
        Customers with a repeat purchase among them.

    Returns
    -------
    ndarray of float
        Centre of each log-parameter.
    ndarray of float
        Parameters × (lowest, highest).
    """
    rate = counts.events / float(counts.weight @ counts.age)
    r, alpha, a, b = TYPICAL
    centre = np.log([r, alpha * r / rate, a, b])
    return centre, np.column_stack([centre - REACH, centre + REACH])


def _thinned(counts: BuyerCounts, rows: int) -> BuyerCounts:
    """Take every so-many-th row of repeat buyers and all others: near enough to start from."""
    step = -(-len(counts) // rows)
    first = int(np.searchsorted(counts.frequency, 1))
    kept = np.concatenate([np.arange(first), np.arange(first + step // 2, len(counts), step)])
    return replace(
        counts,
        frequency=counts.frequency[kept],
        recency=counts.recency[kept],
        age=counts.age[kept],
        weight=counts.weight[kept] * np.where(kept < first, 1.0, float(step)),
    )


class _Limit(NamedTuple):
    """A limit of the models: which parameters say nothing there, and where they go."""

    word: Diagnosis
    held: tuple[int, ...]
    ends: tuple[int, ...]  # 0 low border, 1 high border


LIMITS = (
    _Limit(Diagnosis.NOBODY_LEAVES, (2, 3), (0, 1)),
    _Limit(Diagnosis.ALL_LEAVE_AT_ONCE, (2, 3), (1, 0)),
    _Limit(Diagnosis.AT_ONCE_OR_NEVER, (2, 3), (0, 0)),
    _Limit(Diagnosis.ONE_DROPOUT, (2, 3), (1, 1)),
    _Limit(Diagnosis.ONE_RATE, (0, 1), (1, 1)),
)


def _at_limits(
    likelihood: BgLikelihood, found: Maximum, box: FloatArray
) -> tuple[Maximum, list[Diagnosis]]:
    """Name the limits that the maximum lies at, and hold what says nothing there."""
    said: list[Diagnosis] = []
    for limit in LIMITS:
        held = list(limit.held)
        if not found.on_border[held].any() or (limit.held == (2, 3) and said):
            continue
        if limit.word in (Diagnosis.ONE_RATE, Diagnosis.ONE_DROPOUT, Diagnosis.AT_ONCE_OR_NEVER):
            # here the ratio or the level still speaks, so the maximum itself is the limit
            near = found.log_parameters[held] - box[held, list(limit.ends)]
            if np.abs(near).max() > REACH / 2:
                continue
        else:
            moved = _moved(likelihood, found, box, limit)
            if moved.value > found.value + NO_BETTER:
                continue
            found = moved
        said.append(limit.word)
        border = found.on_border.copy()
        border[held] = True
        found = replace(found, on_border=border)
    return found, said


def _moved(likelihood: BgLikelihood, found: Maximum, box: FloatArray, limit: _Limit) -> Maximum:
    """Find the maximum with some parameters at the borders of the box."""
    held = list(limit.held)
    small = box.copy()
    small[held, 0] = small[held, 1] = box[held, list(limit.ends)]
    best = polish(likelihood, found.log_parameters, small, hessian=likelihood.hessian)
    return replace(best, starts=found.starts)


__all__ = ["BG_NBD", "EXTRA", "MBG_NBD", "NAMES", "Refitter", "fit_family", "search_box"]
