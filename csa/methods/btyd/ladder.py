"""Sums over all later times, for many customers at once.

In a model where leaving is never seen, a customer's likelihood sums over every time at which they
may have left between the last purchase and the end of observation. Of such sums, customers with
equal frequency share nearly all: what is summed depends on the frequency and the time only, so
one pass from the latest time to the first gives the sum for every customer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STEPS = 48  # places of a block of the pass from the end
DIRECT = 3_000  # places up to which doubling is faster than blocks
DENSE = 20_000_000  # places (frequency by time) up to which a table finds a rung


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """Times at which sums are needed: per frequency, rising. All times of one frequency adjoin.

    `time` and `frequency` have one value per rung; `group` tells which of the distinct
    `frequencies` a rung belongs to, `last` marks the latest rung of each. `start` and `end` have
    one value per customer: the rungs of recency and of age.
    """

    time: FloatArray
    frequency: FloatArray
    group: IntArray
    last: NDArray[np.bool_]
    frequencies: IntArray
    start: IntArray
    end: IntArray


def ladder(frequency: IntArray, recency: FloatArray, age: FloatArray, *, kink: float = 0) -> Ladder:
    """Put the times of customers into order.

    Parameters
    ----------
    frequency : ndarray of int
        Repeat purchases of each customer.
    recency, age : ndarray of float
        Times of the last purchase and of the end of observation, recency <= age.
    kink : float
        Time that frequency 0 needs besides; none where 0.

    Returns
    -------
    Ladder
        As many rungs as there are distinct (frequency, time).
    """
    frequencies, group = _ranked(frequency)
    times, place = np.unique(np.concatenate([recency, age, [kink]]), return_inverse=True)
    n, width = len(frequency), len(times)
    start, end = group * width + place[:n], group * width + place[n : 2 * n]
    extra = place[2 * n :] if kink and len(frequencies) and frequencies[0] == 0 else place[:0]
    if len(frequencies) * width <= DENSE:
        taken = np.zeros(len(frequencies) * width, dtype=bool)
        for keys in (start, end, extra):
            taken[keys] = True
        keys = np.flatnonzero(taken)
        rung = np.cumsum(taken) - 1
        start, end = rung[start], rung[end]
    else:
        keys = np.unique(np.concatenate([start, end, extra]))
        start, end = np.searchsorted(keys, start), np.searchsorted(keys, end)
    owner = keys // width
    return Ladder(
        time=times[keys % width],
        frequency=frequencies[owner].astype(np.float64),
        group=owner,
        last=np.append(owner[1:] != owner[:-1], np.ones(min(len(owner), 1), dtype=bool)),
        frequencies=frequencies,
        start=start,
        end=end,
    )


def _ranked(values: IntArray) -> tuple[IntArray, IntArray]:
    """Distinct values, rising, and the place of each value among them."""
    top = int(values.max(initial=0))
    if top > DENSE:
        found, place = np.unique(values, return_inverse=True)
        return found, place
    present = np.zeros(top + 1, dtype=bool)
    present[values] = True
    return np.flatnonzero(present), (np.cumsum(present) - 1)[values]


def suffix_sums(decay: FloatArray, value: FloatArray) -> FloatArray:
    """Solve y[i] = value[i] + decay[i] y[i + 1] from the end.

    Parameters
    ----------
    decay : ndarray
        Factors in [0, 1]; 0 where a new sum begins after it.
    value : ndarray, shape (k, n)
        What each place adds, for k sums with the same factors.

    Returns
    -------
    ndarray, shape (k, n)
        The sums. All terms of one sign: nothing cancels.
    """
    k, n = value.shape
    if n <= DIRECT:
        return _doubled(decay, value)
    blocks = -(-n // STEPS)
    padded = np.zeros((k + 1, blocks * STEPS))
    padded[:k, :n] = value
    padded[k, :n] = decay
    steps = np.ascontiguousarray(padded.reshape(k + 1, blocks, STEPS).transpose(2, 0, 1))
    sums, factor = steps[:, :k], steps[:, k]  # the factor becomes that up to the block's end
    for i in range(STEPS - 2, -1, -1):
        sums[i] += factor[i] * sums[i + 1]
        factor[i] *= factor[i + 1]
    following = np.zeros((k, blocks))
    following[:, :-1] = suffix_sums(factor[0].copy(), sums[0].copy())[:, 1:]
    sums += factor[:, None, :] * following
    return np.ascontiguousarray(sums.transpose(1, 2, 0)).reshape(k, -1)[:, :n]


def _doubled(decay: FloatArray, value: FloatArray) -> FloatArray:
    """Add up over 1, 2, 4, … places, until over all."""
    sums, factor = value.copy(), decay.copy()
    step = 1
    while step < len(factor) and factor[:-step].any():
        sums[:, :-step] += factor[:-step] * sums[:, step:]
        factor[:-step] *= factor[step:].copy()
        factor[-step:] = 0.0
        step *= 2
    return sums
