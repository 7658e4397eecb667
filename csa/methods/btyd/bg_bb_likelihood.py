"""Likelihood of the BG/BB model and its slopes, for any number of opportunities.

Who buys at x of n opportunities, last at t_x, has left after opportunity i = t_x … n - 1 or not at
all. Leaving after i has the probability

    g(i) = α^(x) β^(i-x) / (α+β)^(i) · γ δ^(i) / (γ+δ)^(i+1),    a^(k) = a (a+1) … (a+k-1),

and being there at n has g(n) (γ+δ+n) / γ. Sums of g over i are taken from the last opportunity
down, relative to g at their start, once per x for all customers.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.ladder import suffix_sums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WHOLE = 1e-6
MOST_RUNGS = 1 << 21  # of one pass; more customers' frequencies take several


@dataclass(frozen=True, slots=True, eq=False)
class Opportunities:
    """Customers of some frequencies, and every opportunity at which one of them may have left.

    `x` and `i` are frequency and opportunities so far of each rung, `last` marks the latest of
    each frequency; `start` and `end` are the rungs of recency and age of each customer, who are
    the rows `rows` of the counts.
    """

    x: IntArray
    i: IntArray
    last: NDArray[np.bool_]
    start: IntArray
    end: IntArray
    rows: IntArray
    weight: FloatArray


def opportunities(counts: BuyerCounts) -> list[Opportunities]:
    """Put customers on ladders of opportunities.

    Parameters
    ----------
    counts : BuyerCounts
        Customers, with times counted in opportunities.

    Returns
    -------
    list of Opportunities
        Together all rows.

    Raises
    ------
    InputError
        If times are no whole opportunities, or there are more purchases than opportunities.
    """
    times = np.rint(np.array([counts.recency, counts.age]))
    off = (np.abs(times - [counts.recency, counts.age]) > WHOLE).any(axis=0)
    recency, age = times.astype(np.int64)
    crowded = counts.frequency > recency
    faults = []
    if off.any():
        faults.append(
            f"buyers: {int(off.sum())} rows with times that are no whole opportunities; take the "
            "time between opportunities as the unit"
        )
    if crowded.any():
        faults.append(
            f"buyers: {int(crowded.sum())} rows with more repeat purchases than opportunities; "
            "count the opportunities with a purchase"
        )
    if faults:
        raise InputError(*faults)
    frequencies, group = np.unique(counts.frequency, return_inverse=True)
    low = np.full(len(frequencies), np.iinfo(np.int64).max)
    high = np.zeros(len(frequencies), dtype=np.int64)
    np.minimum.at(low, group, recency)
    np.maximum.at(high, group, age)
    block = np.cumsum(high - low + 1) // MOST_RUNGS
    return [
        _ladder(np.flatnonzero(block == b), (frequencies, low, high), (group, recency, age), counts)
        for b in np.unique(block)
    ]


def _ladder(
    held: IntArray,
    each: tuple[IntArray, IntArray, IntArray],
    customers: tuple[IntArray, IntArray, IntArray],
    counts: BuyerCounts,
) -> Opportunities:
    """Ladder of the frequencies at the places `held`."""
    frequencies, low, high = (values[held] for values in each)
    rows = np.flatnonzero((customers[0] >= held[0]) & (customers[0] <= held[-1]))
    group, recency, age = (values[rows] for values in customers)
    length = high - low + 1
    end = np.cumsum(length)
    begin = end - length
    owner = np.repeat(np.arange(len(held)), length)
    last = np.zeros(len(owner), dtype=bool)
    last[end - 1] = True
    offset = begin - low
    return Opportunities(
        x=frequencies[owner],
        i=np.arange(len(owner)) - offset[owner],
        last=last,
        start=recency + offset[group - held[0]],
        end=age + offset[group - held[0]],
        rows=rows,
        weight=counts.weight[rows],
    )


def negative_log_likelihood(
    ladders: list[Opportunities], log_parameters: FloatArray
) -> tuple[float, FloatArray]:
    """Negative log-likelihood and its slopes.

    Parameters
    ----------
    ladders : list of Opportunities
        The data.
    log_parameters : ndarray
        Logarithms of alpha, beta, gamma, delta.

    Returns
    -------
    tuple
        The value, and its derivatives by the log-parameters.
    """
    value, gradient = 0.0, np.zeros(4)
    for ladder in ladders:
        terms = _Terms(ladder, np.exp(log_parameters))
        bracket = terms.opening[0, ladder.start] + terms.fall * terms.closing[0, ladder.end]
        value += float(ladder.weight @ (terms.log_g[ladder.start] + np.log(bracket)))
        share = ladder.weight / bracket
        by_start = np.bincount(ladder.start, share, len(ladder.i))
        by_end = np.bincount(ladder.end, share * terms.fall, len(ladder.i))
        gradient += terms.opening[1:] @ by_start + terms.closing[1:] @ by_end
    return -value, -gradient


def log_likelihoods(
    ladders: list[Opportunities], parameters: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of each customer, and the chance that they have not left.

    Parameters
    ----------
    ladders : list of Opportunities
        The data.
    parameters : ndarray
        alpha, beta, gamma, delta.

    Returns
    -------
    tuple of ndarray
        Log-likelihoods; probabilities to be there at the last opportunity observed.
    """
    n = sum(len(ladder.rows) for ladder in ladders)
    value, alive = np.zeros(n), np.zeros(n)
    for ladder in ladders:
        terms = _Terms(ladder, parameters)
        bracket = terms.opening[0, ladder.start] + terms.fall * terms.closing[0, ladder.end]
        value[ladder.rows] = terms.log_g[ladder.start] + np.log(bracket)
        there = terms.fall * terms.still[ladder.end]
        alive[ladder.rows] = np.minimum(there / bracket, 1.0)
    return value, alive


def rising(base: float, longest: int) -> tuple[NDArray[np.longdouble], FloatArray]:
    """Logarithms of base (base + 1) … (base + k - 1) and their derivatives, k = 0 … longest.

    Parameters
    ----------
    base : float
        Above 0.
    longest : int
        The greatest number of factors.

    Returns
    -------
    tuple of ndarray
        Sums of logarithms, in the widest floats there are, as most of them cancels; and of
        reciprocals.
    """
    factors = np.longdouble(base) + np.arange(longest)
    sums = np.cumsum([np.log(factors), 1.0 / factors], axis=1)
    return np.append(np.longdouble(0.0), sums[0]), np.append(0.0, sums[1].astype(np.float64))


class _Terms:
    """What the likelihood takes from each rung; rows of the sums: the sum and its four slopes."""

    def __init__(self, ladder: Opportunities, parameters: FloatArray) -> None:
        alpha, beta, gamma, delta = parameters
        x, i = ladder.x, ladder.i
        most = int(i.max(initial=0)) + 1
        tables = [rising(base, most) for base in (alpha, beta, alpha + beta, delta, gamma + delta)]
        (a, da), (b, db), (ab, dab), (d, dd), (cd, dcd) = tables
        log_g = (a[x] + b[i - x] - ab[i]) + (d[i] - cd[i + 1])
        self.log_g = log_g.astype(np.float64) + np.log(gamma)
        slopes = np.array(
            [
                alpha * (da[x] - dab[i]),
                beta * (db[i - x] - dab[i]),
                1.0 - gamma * dcd[i + 1],
                delta * (dd[i] - dcd[i + 1]),
            ]
        )
        stays = (beta + i - x) / (alpha + beta + i) * (delta + i) / (gamma + delta + i + 1)
        decay = np.where(ladder.last, 0.0, stays)
        self.opening = suffix_sums(decay, np.vstack([np.ones(len(i)), slopes]))
        self.still = (gamma + delta + i) / gamma
        slopes[2] = -gamma * dcd[i]
        slopes[3] = delta * (dd[i] - dcd[i])
        self.closing = np.vstack([self.still, self.still * slopes]) - self.opening
        self.fall = np.exp(self.log_g[ladder.end] - self.log_g[ladder.start])


def weighted(ladders: list[Opportunities], weight: FloatArray) -> list[Opportunities]:
    """Give the same customers other weights.

    Parameters
    ----------
    ladders : list of Opportunities
        The customers.
    weight : ndarray of float
        One per row of the counts.

    Returns
    -------
    list of Opportunities
        Sharing all else.
    """
    return [replace(ladder, weight=weight[ladder.rows]) for ladder in ladders]
