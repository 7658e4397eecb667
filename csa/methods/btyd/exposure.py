"""Times at risk of buyers as places in a table, so that each logarithm is taken once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.methods.btyd.counts import BuyerCounts, FloatArray

LONGEST_TABLE = 1 << 22  # steps; with more, distinct times are looked for
MERGED = 0.5  # of a merged step is not at risk, for every purchase day
MERGED_LAST = 0.25  # of a step more before a leave, see `exposure`
WHOLE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Time at risk of each row, by place in a table.

    Attributes
    ----------
    times : ndarray of float
        Times, in units, in increasing order.
    to_age, to_last : ndarray of int
        Place of the time at risk to the end of observation, and to the last purchase.
    """

    times: FloatArray
    to_age: NDArray[np.intp]
    to_last: NDArray[np.intp]


def at_risk(counts: BuyerCounts) -> tuple[FloatArray, FloatArray]:
    """Tell the time at risk to the end of observation and to the last purchase.

    Parameters
    ----------
    counts : BuyerCounts
        Customers.

    Returns
    -------
    ndarray of float
        Age, less what the merging of purchases takes; in units.
    ndarray of float
        Recency, likewise.

    Notes
    -----
    With purchases merged within steps of length g, x purchase days among the steps to T have the
    likelihood (1 - exp(-λg))^x exp(-λ(T - gx)), which is λ^x exp(-λ(T - gx/2)) but for factors of
    1 + λ²g²/24. A leave after the last purchase moves by another (a + b)/(a + b + x) halves of a
    step, a quarter of one for common data. Proven by simulation, in the tests.
    """
    step = counts.merged_days / counts.unit_days
    if not step:
        return counts.age, counts.recency
    taken = MERGED * step * counts.frequency
    last = np.where(counts.frequency > 0, counts.recency - taken - MERGED_LAST * step, 0.0)
    return np.maximum(counts.age - taken, 0.0), np.maximum(last, 0.0)


def exposure(counts: BuyerCounts) -> Exposure:
    """Put the times at risk into a table.

    Parameters
    ----------
    counts : BuyerCounts
        Customers, compressed.

    Returns
    -------
    Exposure
        One place per step where times lie on a grid, else one per distinct time.
    """
    age, last = at_risk(counts)
    quantum = _quantum(counts)
    if quantum and age.max(initial=0.0) / quantum < LONGEST_TABLE:
        to_age = np.rint(age / quantum).astype(np.intp)
        to_last = np.rint(last / quantum).astype(np.intp)
        times = np.arange(int(to_age.max(initial=0)) + 1) * quantum
        return Exposure(times, to_age, np.minimum(to_last, to_age))
    times, place = np.unique(np.concatenate([age, last]), return_inverse=True)
    return Exposure(times, place[: len(age)], place[len(age) :])


def _quantum(counts: BuyerCounts) -> np.float64:
    """Give the length of a step, in units, of which all times at risk are multiples; 0 for none."""
    grid, part = counts.grid_days, counts.merged_days * MERGED_LAST
    if not grid:
        return np.float64(0.0)
    for step, of in ((part, grid), (grid, part)):
        if step and abs(of / step - np.rint(of / step)) < WHOLE:
            return np.float64(step / counts.unit_days)
    return np.float64(0.0)
