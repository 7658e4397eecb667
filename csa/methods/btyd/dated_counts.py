"""Customers and their purchases by date, on a grid as fine as can be afforded."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.dated_time import Clock

FloatArray = NDArray[np.float64]

PERIODS: Final = 80  # of the calendar, at most
FINE: Final = 400  # steps; longer histories are told in units
MANY: Final = 50_000  # rows; more are told in units


def check_purchases(counts: BuyerCounts, by_back: FloatArray, by_age: FloatArray) -> None:
    """Refuse exact times, and purchases of other customers.

    Parameters
    ----------
    counts : BuyerCounts
        Customers.
    by_back, by_age : ndarray of float
        Their repeat purchases by steps before the end of observation, and after their first.

    Raises
    ------
    InputError
        If there is no grid, or the purchases do not add up to those of the customers.
    """
    if not counts.grid_days:
        raise InputError("buyers: a calendar needs times on a grid; set grid_days")
    sums = {"by_back": float(np.sum(by_back)), "by_age": float(np.sum(by_age))}
    faults = [
        f"{name}: {total:g} repeat purchases, but those of the customers are {counts.events:g}; "
        "count the same customers to the same day"
        for name, total in sums.items()
        if abs(total - counts.events) > 1e-6 * max(counts.events, 1.0)
    ]
    if faults:
        raise InputError(*faults)


def on_clock(
    counts: BuyerCounts, by_back: FloatArray, by_age: FloatArray
) -> tuple[BuyerCounts, FloatArray, FloatArray, Clock]:
    """Put customers and purchases on a grid that is coarse enough for a long history.

    Parameters
    ----------
    counts : BuyerCounts
        Customers.
    by_back, by_age : ndarray of float
        Their repeat purchases by steps before the end of observation, and after their first.

    Returns
    -------
    BuyerCounts
        Customers, told in units where the history is long or the rows are many. All of them: a
        part would differ from the purchases by date, and that would be taken for a calendar.
    ndarray of float
        Repeat purchases by steps before the end of observation.
    ndarray of float
        Repeat purchases by steps after the first.
    Clock
        The grid.
    """
    known = counts.compressed()
    longest = int(known.steps(known.age).max(initial=0))
    per_unit = max(round(known.unit_days / known.grid_days), 1)
    if longest > FINE or len(known) > MANY:
        known = known.rounded(known.unit_days)
        by_back, by_age = _gathered(by_back, per_unit, 0), _gathered(by_age, per_unit, 1)
        longest, per_unit = int(known.steps(known.age).max(initial=0)), 1
    width = per_unit * max(-(-longest // (per_unit * PERIODS)), 1)
    clock = Clock(longest=longest, step=known.grid_days / known.unit_days, width=width)
    return known, _cut(by_back, longest), _cut(by_age, longest + 1), clock


def _gathered(purchases: FloatArray, steps: int, least: int) -> FloatArray:
    """Add up purchases to longer steps."""
    index = np.arange(len(purchases))
    coarse = index // steps if not least else np.maximum(np.rint(index / steps), least)
    return np.bincount(coarse.astype(np.int64), purchases).astype(np.float64)


def _cut(purchases: FloatArray, size: int) -> FloatArray:
    """Make the array so long; what lies beyond its end counts in the last place."""
    whole = np.zeros(max(size, 1))
    np.add.at(whole, np.minimum(np.arange(len(purchases)), len(whole) - 1), purchases)
    return whole
