"""Maximum-likelihood fit of the Pareto/NBD model."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from csa.methods.btyd.climb import climb, curvature
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import REACH, STARTS, Maximum, Objective, maximise, spread_starts
from csa.methods.btyd.merged import refined
from csa.methods.btyd.model import Diagnosis, Fit, fitted_to, not_to_be_fitted
from csa.methods.btyd.pareto_nbd_likelihood import History, history, negative_log_likelihood

FloatArray = NDArray[np.float64]

MODEL: Final = "Pareto/NBD"
NAMES: Final = ("r", "alpha", "s", "beta")
PART: Final = 20_000  # customers among whom a fit of more rows searches from all starts
EXACT: Final = 1e-10  # log-likelihood that may be missing at the maximum
REDRAWN: Final = 1e-6  # of customers drawn again: a thousandth of a standard error
NEAR: Final = 0.02  # so near to the border a log-parameter is on it
NOBODY: Final = 0.01  # share that leaves within the longest age, below which nobody may leave
NO_BETTER: Final = 1e-3  # a log-likelihood that much above a limit of the model is at the limit
FAR: Final = 6.5  # from the scale of the data a log-parameter tells nothing but its direction


def fit_pareto_nbd(counts: BuyerCounts, *, starts: int = STARTS) -> Fit:
    """Fit Pareto/NBD.

    Parameters
    ----------
    counts : BuyerCounts
        Customers; with `merged_days` the likelihood allows for purchases counted once.
    starts : int
        Places to start from.

    Returns
    -------
    Fit
        Parameters r, alpha, s, beta (times in the unit of the counts). "unclear" without repeat
        purchases, and with very few repeat buyers.

    Notes
    -----
    The likelihood is integrated numerically to 1e-13, with analytic slopes, so that heavy buyers
    do not overflow. Of more than 20,000 rows, 20,000 evenly drawn customers are searched from all
    starts; the fit of all begins at their maximum.
    """
    known = counts.compressed()
    if (nothing := not_to_be_fitted(MODEL, known)) is not None:
        return nothing
    box = search_box(known)
    customers = history(known)
    found, said = _at_limits(_search(known, customers, box, starts), customers, box, known)
    found = refined(known, found, box, None)
    return fitted_to(known, MODEL, NAMES, found, said=said)


class Refitter:
    """Fits of the same customers with other weights, each from the maximum of the first.

    Parameters
    ----------
    fit : Fit
        Pareto/NBD of the customers.
    counts : BuyerCounts
        The customers.
    """

    def __init__(self, fit: Fit, counts: BuyerCounts) -> None:
        fit.values(*NAMES)
        self.counts = counts.in_unit(fit.unit_days or counts.unit_days).compressed()
        self._customers = history(self.counts)
        self._start = fit.log_parameters
        self._box = search_box(self.counts)
        self._curved = curvature(_objective(self._customers), self._start)

    def __call__(self, weight: FloatArray) -> FloatArray:
        """Log-parameters at the maximum under these weights."""
        objective = _objective(self._customers.weighted(weight))
        done = climb(objective, self._start, self._curved, self._box, tolerance=REDRAWN)
        if done.reached:
            return done.log_parameters
        begin = np.array([done.log_parameters, self._start])
        return maximise(objective, begin, self._box.tolist()).log_parameters


def search_box(counts: BuyerCounts) -> FloatArray:
    """Give the lowest and highest log-parameters: shapes around 1, rates around the mean age.

    Parameters
    ----------
    counts : BuyerCounts
        Customers, some of them observed for some time.

    Returns
    -------
    ndarray of float
        Parameters × (lowest, highest).
    """
    centre = np.zeros(len(NAMES))
    centre[[1, 3]] = np.log(counts.weight @ counts.age / counts.n)
    return np.array([centre - REACH, centre + REACH]).T


def _objective(customers: History) -> Objective:
    """Negative log-likelihood of these customers."""
    return lambda place: negative_log_likelihood(customers, place)


def _search(counts: BuyerCounts, customers: History, box: FloatArray, starts: int) -> Maximum:
    """Find the maximum: from all starts where that is quick, else by way of a part."""
    objective = _objective(customers)
    part = _part(counts)
    first = objective if part is None else _objective(history(part))
    begin = spread_starts(box.mean(axis=1), count=starts)
    found = maximise(first, begin, box.tolist())
    if part is None:
        return found
    grown = found.hessian * (counts.n / part.n)
    done = climb(objective, found.log_parameters, grown, box, tolerance=EXACT)
    if not done.reached:
        far = maximise(objective, np.array([done.log_parameters]), box.tolist())
        return replace(far, starts=found.starts)
    near = (done.log_parameters <= box[:, 0] + NEAR) | (done.log_parameters >= box[:, 1] - NEAR)
    return Maximum(
        log_parameters=done.log_parameters,
        value=done.value,
        hessian=curvature(objective, done.log_parameters),
        on_border=near,
        converged=True,
        starts=found.starts,
    )


def _part(counts: BuyerCounts) -> BuyerCounts | None:
    """Draw few enough to search among, evenly in their order; None where all are few enough."""
    if len(counts) <= PART or counts.n <= PART:
        return None
    before = np.floor(np.cumsum(counts.weight) * (PART / counts.n) + 0.5)
    weight = np.diff(before, prepend=0.0)
    some = weight > 0
    return replace(
        counts,
        frequency=counts.frequency[some],
        recency=counts.recency[some],
        age=counts.age[some],
        weight=weight[some],
    )


def _at_limits(
    found: Maximum, customers: History, box: FloatArray, counts: BuyerCounts
) -> tuple[Maximum, tuple[str, ...]]:
    """Name the limits that the maximum lies at, and hold what says nothing there."""
    _, _, s, beta = np.exp(found.log_parameters)
    if -np.expm1(-s * np.log1p(counts.age.max() / beta)) < NOBODY:
        small = box.copy()
        small[2, 1], small[3, 0] = box[2, 0], box[3, 1]
        moved = maximise(_objective(customers), found.log_parameters[None], small.tolist())
        if moved.value <= found.value + NO_BETTER:
            border = moved.on_border | np.array([False, False, True, True])
            found = replace(moved, on_border=border, starts=found.starts)
            return found, (str(Diagnosis.NOBODY_LEAVES),)
    above = found.log_parameters - box.mean(axis=1)
    words = {
        Diagnosis.ONE_RATE: above[:2].max() > FAR,
        Diagnosis.ONE_DROPOUT: above[2:].max() > FAR,
        Diagnosis.AT_ONCE_OR_NEVER: above[2:].min() < -FAR,
    }
    return found, tuple(str(word) for word, holds in words.items() if holds)
