"""Likelihood of the Pareto/NBD model and its slopes, for any number of purchases.

With f of `pareto_nbd_integrals`, the likelihood of a customer is

    r (r + 1) … (r + x - 1) × [ s × integral of f from t_x to T  +  (beta + T) f(T) ]

for those who have left and those who have not. Both integrals from t_x and from T to the end of
the ladder are known, so the bracket is f(t_x) × (opening(t_x) + fall × closing(T)), where
`opening` is s × integral / f, `closing` is beta + T less that, and fall is f(T) / f(t_x).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.ladder import ladder
from csa.methods.btyd.pareto_nbd_integrals import Exposure, Integrals, exposure, integrals

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CHUNK = 1 << 15  # customers at a time: their figures stay in the cache


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Customers as the likelihood wants them.

    `start` and `end` are the rungs of recency and age; `customers` counts by distinct frequency.
    """

    exposure: Exposure
    start: IntArray
    end: IntArray
    weight: FloatArray
    customers: FloatArray

    def weighted(self, weight: FloatArray) -> "History":
        """Give the same customers other weights.

        Parameters
        ----------
        weight : ndarray of float
            One per customer.

        Returns
        -------
        History
            Sharing all else.
        """
        rungs = self.exposure.ladder
        customers = np.zeros(len(rungs.frequencies))
        customers += np.bincount(rungs.group[self.start], weight, len(customers))
        return replace(self, weight=weight, customers=customers)


def history(counts: BuyerCounts, *, alone: bool = False) -> History:
    """Put customers on a ladder of times.

    Parameters
    ----------
    counts : BuyerCounts
        Customers; best compressed.
    alone : bool
        Whether what is told of one customer must not depend on the others, as in predictions.
        Merged purchases are then corrected a little less well than in a fit.

    Returns
    -------
    History
        One row per row of the counts.
    """
    merged = counts.merged_days / counts.unit_days
    rungs = ladder(counts.frequency, counts.recency, counts.age + merged / 2, kink=merged / 2)
    over = exposure(rungs, merged=merged, weight=None if alone else counts.weight)
    empty = History(over, rungs.start, rungs.end, counts.weight, counts.weight)
    return empty.weighted(counts.weight)


def negative_log_likelihood(
    customers: History, log_parameters: FloatArray
) -> tuple[float, FloatArray]:
    """Negative log-likelihood and its slopes.

    Parameters
    ----------
    customers : History
        The data.
    log_parameters : ndarray
        Logarithms of r, alpha, s, beta.

    Returns
    -------
    tuple
        The value, and its derivatives by the log-parameters.
    """
    parameters = np.exp(log_parameters)
    s, beta = parameters[2:]
    rungs = customers.exposure.ladder
    parts = integrals(customers.exposure, parameters)
    opening, closing = _ends(parts, rungs.time, s, beta)
    value, by_start, by_end = _brackets(customers, parts.log_f, opening, closing)
    factor, slope = rising(parameters[0], rungs.frequencies)
    value += float(customers.customers @ factor)
    slopes = s * parts.slopes
    slopes[2] += opening
    gradient = slopes @ (by_start - by_end) + ((rungs.time + beta) * parts.slopes_f) @ by_end
    gradient[0] += parameters[0] * (customers.customers @ slope)
    return -value, -gradient


def log_likelihoods(customers: History, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of each customer, and the chance that they have not left.

    Parameters
    ----------
    customers : History
        The data; weights are not used.
    parameters : ndarray
        r, alpha, s, beta.

    Returns
    -------
    tuple of ndarray
        Log-likelihoods; probabilities that the customer is alive at the end of observation.
    """
    s, beta = parameters[2:]
    rungs = customers.exposure.ladder
    parts = integrals(customers.exposure, parameters)
    opening, closing = _ends(parts, rungs.time, s, beta)
    start, end = customers.start, customers.end
    fall = np.exp(parts.log_f[end] - parts.log_f[start])
    bracket = opening[start] + fall * closing[end]
    factor, _ = rising(parameters[0], rungs.frequencies)
    value = factor[rungs.group[start]] + parts.log_f[start] + np.log(bracket)
    return value, np.minimum(fall * (rungs.time[end] + beta) / bracket, 1.0)


def rising(base: float, lengths: IntArray) -> tuple[FloatArray, FloatArray]:
    """Logarithm of base (base + 1) … (base + length - 1), and its derivative by the base.

    Parameters
    ----------
    base : float
        Above 0.
    lengths : ndarray of int
        Number of factors, each.

    Returns
    -------
    tuple of ndarray
        Sums of logarithms, which lose nothing where the base is large, and of reciprocals.
    """
    factors = base + np.arange(lengths.max(initial=0))
    logs = np.concatenate([[0.0], np.cumsum(np.log(factors))])
    slopes = np.concatenate([[0.0], np.cumsum(1.0 / factors)])
    return logs[lengths], slopes[lengths]


def _ends(
    parts: Integrals, time: FloatArray, s: float, beta: float
) -> tuple[FloatArray, FloatArray]:
    """Split the bracket into what opens and what closes it, per rung."""
    opening = s * parts.total
    return opening, beta + time - opening


def _brackets(
    customers: History, log_f: FloatArray, opening: FloatArray, closing: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Sum of the logarithms but for constants; weight / bracket per rung of recency and of age."""
    value = 0.0
    by_start, by_end = np.zeros((2, len(log_f)))
    for at in range(0, len(customers.start), CHUNK):
        some = slice(at, at + CHUNK)
        start, end, weight = customers.start[some], customers.end[some], customers.weight[some]
        here = log_f[start]
        fall = np.exp(log_f[end] - here)
        bracket = opening[start] + fall * closing[end]
        value += float(weight @ (here + np.log(bracket)))
        share = weight / bracket
        by_start += np.bincount(start, share, len(log_f))
        share *= fall
        by_end += np.bincount(end, share, len(log_f))
    return value, by_start, by_end
