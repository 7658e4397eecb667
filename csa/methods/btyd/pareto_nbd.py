"""The Pareto/NBD model: fast and slow buyers, who leave at a time that is never seen.

While they stay, customers buy at random at a rate of their own (gamma with shape r and rate alpha);
they leave at random at a rate of their own (gamma with shape s and rate beta) [1]_.

References
----------
.. [1] Schmittlein, D. C., Morrison, D. G., Colombo, R. (1987). Counting your customers: who are
   they and what will they do next? Management Science 33(1), 1-24.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from csa.methods.btyd.climb import climb, curvature
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import REACH, Maximum, Objective, maximise, spread_starts
from csa.methods.btyd.model import Diagnosis, Fit, finished, unfitted
from csa.methods.btyd.pareto_nbd_likelihood import History, history, negative_log_likelihood

FloatArray = NDArray[np.float64]

MODEL: Final = "Pareto/NBD"
NAMES: Final = ("r", "alpha", "s", "beta")
PART: Final = 30_000  # customers among whom a fit of more rows searches from all starts
EXACT: Final = 1e-10  # log-likelihood that may be missing at the maximum
REDRAWN: Final = 1e-6  # of customers drawn again: a thousandth of a standard error
NEAR: Final = 0.02  # so near to the border a log-parameter is on it
NOBODY: Final = 1e-3  # share of customers that leave within the longest age, below which none do
FAR: Final = 6.5  # from the scale of the data a log-parameter tells nothing but its direction


def fit_pareto_nbd(counts: BuyerCounts, *, starts: int = 5) -> Fit:
    """Fit the Pareto/NBD model by maximum likelihood.

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
        purchases, or where nobody seems to leave or all are alike, which the diagnosis tells.

    Notes
    -----
    The likelihood is integrated numerically to 1e-13, with analytic slopes, so that heavy buyers
    do not overflow. Of more than 30,000 customers, evenly drawn 30,000 are searched from all
    starts; the fit of all begins at their maximum.
    """
    counts = counts.compressed()
    size = (counts.n, counts.events)
    nothing = _nothing_to_fit(counts)
    if nothing is not None:
        return unfitted(MODEL, str(nothing), size=size, diagnosis=[nothing])
    box = _box(counts)
    found = _search(counts, box, starts)
    diagnosis = _diagnosis(found, box, float(counts.age.max()))
    more: dict[str, object] = {
        "unit_days": counts.unit_days,
        "merged_days": counts.merged_days,
        "diagnosis": tuple(map(str, diagnosis)),
    }
    if diagnosis:
        more |= {"status": "unclear", "reason": "; ".join(diagnosis)}
    return finished(MODEL, NAMES, found, log_likelihood=-found.value, size=size, more=more)


def bootstrap_pareto_nbd(
    fit: Fit, counts: BuyerCounts, *, replicates: int, rng: np.random.Generator
) -> FloatArray:
    """Fit the model to customers drawn again with replacement.

    Parameters
    ----------
    fit : Fit
        Of the counts.
    counts : BuyerCounts
        The customers; weights are whole numbers.
    replicates : int
        How many times to draw and fit.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float
        Log-parameters, replicates × 4.

    Raises
    ------
    InputError
        If the model could not be fitted.
    """
    fit.values(*NAMES)
    counts = counts.compressed()
    box = _box(counts)
    customers = history(counts)
    curved = curvature(_objective(customers), fit.log_parameters)
    found = np.empty((replicates, len(NAMES)))
    for row in found:
        objective = _objective(customers.weighted(counts.sample(rng).weight))
        done = climb(objective, fit.log_parameters, curved, box, tolerance=REDRAWN)
        row[:] = done.log_parameters
        if not done.reached:
            begin = np.array([done.log_parameters, fit.log_parameters])
            row[:] = maximise(objective, begin, box.tolist()).log_parameters
    return found


def _nothing_to_fit(counts: BuyerCounts) -> Diagnosis | None:
    """Tell why there is no likelihood with a maximum."""
    if not counts.n:
        return Diagnosis.NO_CUSTOMERS
    if not counts.age.max(initial=0.0) > 0:
        return Diagnosis.ALL_SAME_AGE_ZERO
    return Diagnosis.NO_REPEATS if not counts.events else None


def _box(counts: BuyerCounts) -> FloatArray:
    """Lowest and highest log-parameters: shapes around 1, rates around the mean age."""
    centre = np.zeros(len(NAMES))
    centre[[1, 3]] = np.log(counts.weight @ counts.age / counts.n)
    return np.array([centre - REACH, centre + REACH]).T


def _objective(customers: History) -> Objective:
    """Negative log-likelihood of these customers."""
    return lambda place: negative_log_likelihood(customers, place)


def _search(counts: BuyerCounts, box: FloatArray, starts: int) -> Maximum:
    """Find the maximum: from all starts where that is quick, else by way of a part."""
    objective = _objective(history(counts))
    part = _part(counts)
    first = objective if part is None else _objective(history(part))
    begin = spread_starts(box.mean(axis=1), count=starts)
    found = maximise(first, begin, box.tolist())
    if part is None:
        return found
    grown = found.hessian * (counts.n / part.n)
    done = climb(objective, found.log_parameters, grown, box, tolerance=EXACT)
    if not done.reached:
        return maximise(objective, np.array([done.log_parameters]), box.tolist())
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


def _diagnosis(found: Maximum, box: FloatArray, longest: float) -> list[Diagnosis]:
    """Tell what is odd about the maximum."""
    _, _, s, beta = np.exp(found.log_parameters)
    if -np.expm1(-s * np.log1p(longest / beta)) < NOBODY:
        return [Diagnosis.NOBODY_LEAVES]
    above = found.log_parameters - box.mean(axis=1)
    odd = []
    if above[0] > FAR or above[1] > FAR:
        odd.append(Diagnosis.ONE_RATE)
    if above[2] > FAR or above[3] > FAR:
        odd.append(Diagnosis.ONE_DROPOUT)
    if above[2] < -FAR or above[3] < -FAR:
        odd.append(Diagnosis.AT_ONCE_OR_NEVER)
    return odd
