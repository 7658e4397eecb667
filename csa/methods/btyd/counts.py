"""What a model of buyers needs of each customer, counted: frequency, recency and age.

Customers with equal figures are one row with a weight, so a fit costs the same for ten thousand
customers and for ten million of the same calendar.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ON_GRID = 1e-6  # so far from a whole number of steps a time may lie, in steps
ONE_EACH: FloatArray = np.zeros(0)  # stands for a weight of 1 in every row
BLOCK = 1 << 15  # rows checked at once, so that they stay in the processor's cache
WIDEST_KEY = 62  # bits of the integer that three figures are packed into to be counted


@dataclass(frozen=True, slots=True, eq=False)
class BuyerCounts:
    """Customers counted by purchases and times, one row per distinct set of figures.

    Parameters
    ----------
    frequency : array_like of int
        Repeat purchases: purchase days after the first.
    recency : array_like of float
        Time from the first purchase to the last, in units; 0 without a repeat purchase.
    age : array_like of float
        Time from the first purchase to the end of observation, in units.
    weight : array_like of float, optional
        Customers of each row; one each where absent.
    unit_days : float
        Length of the unit of time, days.
    grid_days : float
        The step on which times were recorded, days: 1 for dates; 0 where times are exact. Every
        time is a whole number of steps.
    merged_days : float
        Purchases within so many days of the calendar were counted as one: 1 for purchase days.
        0 takes the counts as they are, as the published figures do; see the notes.

    Raises
    ------
    InputError
        With all faults at once: lengths that differ, values that are missing, negative or not
        whole, recency beyond age, recency without a repeat purchase or the other way round,
        times off the grid, more purchase days than days.

    Notes
    -----
    Of two purchases on one day one is lost, which makes fast buyers look slower: plain models then
    overstate alpha, by about 5 % on days. With `merged_days` the models know that a purchase day
    says "one or more": the chance of it at rate λ is 1 - exp(-λ), which is λ exp(-λ/2) but for a
    factor of 1 + λ²/24, so half a day of every purchase day counts as not at risk.
    """

    frequency: IntArray
    recency: FloatArray
    age: FloatArray
    weight: FloatArray = field(default_factory=lambda: ONE_EACH)
    unit_days: float = 7.0
    grid_days: float = 1.0
    merged_days: float = 0.0

    def __post_init__(self) -> None:
        frequency = np.asarray(self.frequency)
        if self.weight is ONE_EACH:
            object.__setattr__(self, "weight", np.ones(len(frequency)))
        for name in ("recency", "age", "weight"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        faults = _faults(self, frequency)
        if faults:
            raise InputError(*(f"buyers: {fault}" for fault in faults))
        object.__setattr__(self, "frequency", frequency.astype(np.int64, copy=False))

    def __len__(self) -> int:
        return len(self.frequency)

    @property
    def n(self) -> float:
        """Customers."""
        return float(self.weight.sum())

    @property
    def events(self) -> float:
        """Repeat purchases of all customers."""
        return float(self.weight @ self.frequency)

    def steps(self, times: ArrayLike) -> IntArray:
        """Tell times in whole steps of the grid.

        Parameters
        ----------
        times : array_like of float
            Times in units, on the grid.

        Returns
        -------
        ndarray of int
            Steps of `grid_days`.
        """
        if not self.grid_days:
            raise InputError("buyers: exact times have no grid; set grid_days")
        in_steps = np.asarray(times, dtype=np.float64) * (self.unit_days / self.grid_days)
        return np.rint(in_steps, out=in_steps).astype(np.int64)

    def compressed(self) -> "BuyerCounts":
        """Count rows of equal figures once, and drop those without customers.

        Returns
        -------
        BuyerCounts
            The same customers, ordered by frequency, recency and age.
        """
        if not self.grid_days:
            return _distinct_rows(self)
        steps = (self.frequency, self.steps(self.recency), self.steps(self.age))
        widths = [int(figures.max(initial=0)).bit_length() for figures in steps]
        if sum(widths) > WIDEST_KEY:
            return _distinct_rows(self)
        key = (steps[0] << widths[1] | steps[1]) << widths[2] | steps[2]
        key, weight = _weights_of(key, self.weight)
        scale = np.float64(self.grid_days / self.unit_days)
        return replace(
            self,
            frequency=key >> (widths[1] + widths[2]),
            recency=((key >> widths[2]) & ((1 << widths[1]) - 1)) * scale,
            age=(key & ((1 << widths[2]) - 1)) * scale,
            weight=weight,
        )

    def in_unit(self, days: float) -> "BuyerCounts":
        """Tell the same times in another unit.

        Parameters
        ----------
        days : float
            Length of the new unit, days.

        Returns
        -------
        BuyerCounts
            The same customers; rates of a fit are then per this unit.
        """
        if not (np.isfinite(days) and days > 0):
            raise InputError(f"buyers: a unit of {days} days is no length of time")
        factor = self.unit_days / days
        return replace(
            self, recency=self.recency * factor, age=self.age * factor, unit_days=float(days)
        )

    def rounded(self, grid_days: float) -> "BuyerCounts":
        """Round times, not counts, to a coarser grid: far fewer rows for nearly the same fit.

        Parameters
        ----------
        grid_days : float
            The new step, days, for example 7.

        Returns
        -------
        BuyerCounts
            Compressed. Times go to the nearest step, a repeat buyer's to the first step or later,
            never the recency beyond the age. Counts stay as they are, and so does `merged_days`.
        """
        step = grid_days / self.unit_days
        age = np.rint(self.age / step)
        recency = np.minimum(np.rint(self.recency / step), age)
        repeat = self.frequency > 0
        recency = np.where(repeat, np.maximum(recency, 1.0), 0.0)
        age = np.maximum(age, recency)
        moved = replace(self, recency=recency * step, age=age * step, grid_days=float(grid_days))
        return moved.compressed()

    def sample(self, rng: np.random.Generator) -> "BuyerCounts":
        """As many customers, drawn with replacement.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        BuyerCounts
            Rows that were not drawn have weight 0.
        """
        total = self.n
        if not total:
            return self
        if total != round(total):
            raise InputError("buyers: weights are no counts of customers, so none can be drawn")
        drawn = rng.multinomial(round(total), self.weight / total)
        return _with_weight(self, drawn.astype(np.float64))


def _with_weight(counts: BuyerCounts, weight: FloatArray) -> BuyerCounts:
    """Give the same rows other weights, known to be good: nothing is checked again."""
    copy = object.__new__(BuyerCounts)
    for name in ("frequency", "recency", "age", "unit_days", "grid_days", "merged_days"):
        object.__setattr__(copy, name, getattr(counts, name))
    object.__setattr__(copy, "weight", weight)
    return copy


def _distinct_rows(counts: BuyerCounts) -> BuyerCounts:
    """Count rows of equal figures, the slow way: exact times, or very many steps."""
    columns = np.column_stack([counts.frequency, counts.recency, counts.age])
    rows, place = np.unique(columns, axis=0, return_inverse=True)
    weight = np.bincount(place.ravel(), counts.weight, minlength=len(rows)).astype(np.float64)
    rows = rows[weight > 0]
    return replace(
        counts,
        frequency=rows[:, 0].astype(np.int64),
        recency=rows[:, 1],
        age=rows[:, 2],
        weight=weight[weight > 0],
    )


def _weights_of(key: IntArray, weight: FloatArray) -> tuple[IntArray, FloatArray]:
    """Distinct keys of positive weight, with the sum of their weights."""
    if len(key) and (weight == 1.0).all():  # sorting the keys alone is several times faster
        key.sort()
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
        return key[first], np.diff(first, append=len(key)).astype(np.float64)
    distinct, place = np.unique(key, return_inverse=True)
    total = np.bincount(place, weight, minlength=len(distinct)).astype(np.float64)
    return distinct[total > 0], total[total > 0]


def _faults(counts: BuyerCounts, frequency: NDArray[np.number]) -> list[str]:
    """Tell what is wrong with the figures, each fault with its rows and a way out."""
    arrays = {"frequency": frequency} | {
        name: getattr(counts, name) for name in ("recency", "age", "weight")
    }
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1 or frequency.ndim != 1:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        return [f"the arrays differ in shape ({told}); give one value per row"]
    faults = _faults_of_steps(counts)
    if frequency.dtype.kind not in "iuf":
        return [*faults, "frequency holds no numbers; give whole numbers"]
    for name, array in arrays.items():
        faults += _faults_of_values(name, array)
    if not faults and frequency.dtype.kind == "f":
        parts = int((frequency != np.rint(frequency)).sum())
        faults += [f"frequency is no whole number in {parts} rows; count purchases"] * (parts > 0)
    return faults or _contradictions(counts, frequency)


def _faults_of_values(name: str, array: NDArray[np.number]) -> list[str]:
    """Tell values that are missing or negative."""
    low, high = array.min(initial=0), array.max(initial=0)
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = int((~np.isfinite(array)).sum())
        return [f"{name} is missing or infinite in {bad} rows; fill or drop them"]
    if low < 0:
        return [f"{name} is negative in {int((array < 0).sum())} rows; correct or drop them"]
    return []


def _faults_of_steps(counts: BuyerCounts) -> list[str]:
    """Lengths of time that cannot be."""
    faults = []
    if not (np.isfinite(counts.unit_days) and counts.unit_days > 0):
        faults.append(f"unit_days is {counts.unit_days}; give the length of the unit in days")
    for name in ("grid_days", "merged_days"):
        value = getattr(counts, name)
        if not (np.isfinite(value) and value >= 0):
            faults.append(f"{name} is {value}; give days, or 0 for exact times")
    return faults


def _contradictions(counts: BuyerCounts, frequency: NDArray[np.number]) -> list[str]:
    """Tell how many rows have figures that cannot be true together."""
    totals: dict[str, int] = {}
    for begin in range(0, len(frequency), BLOCK):
        part = slice(begin, begin + BLOCK)
        found = _contradictory(counts, frequency[part], counts.recency[part], counts.age[part])
        for fault, bad in found.items():
            totals[fault] = totals.get(fault, 0) + int(np.count_nonzero(bad))
    return [f"{bad} rows with {fault}" for fault, bad in totals.items() if bad]


def _contradictory(
    counts: BuyerCounts, frequency: NDArray[np.number], recency: FloatArray, age: FloatArray
) -> dict[str, NDArray[np.bool_]]:
    """Find the rows of a block, by fault."""
    repeat = frequency > 0
    slack = ON_GRID * max(counts.grid_days / counts.unit_days, 1e-9)
    found = {
        "recency beyond age: the last purchase lies after the end of observation; move the end "
        "or drop these purchases": recency > age + slack,
        "recency without a repeat purchase; count the last purchase or set recency to 0": (
            ~repeat & (recency > 0)
        ),
        "repeat purchases at the time of the first; merge them with it": repeat & (recency <= 0),
    }
    if counts.merged_days:
        # times rounded to a coarser grid may lie off by one step of it
        spare = counts.grid_days if counts.grid_days > counts.merged_days else 0.0
        most = (recency * counts.unit_days + spare) / counts.merged_days
        found["more purchase days than days to the last; set merged_days to 0"] = (
            frequency > most + ON_GRID
        )
    if counts.grid_days:
        scale, off = counts.unit_days / counts.grid_days, np.zeros(len(recency), dtype=bool)
        for times in (recency, age):
            steps = times * scale
            allowed = ON_GRID * max(1.0, float(steps.max()) * 1e-6)
            np.subtract(steps, np.rint(steps), out=steps)
            off |= np.abs(steps, out=steps) > allowed
        found[f"times off the grid of {counts.grid_days:g} days; set grid_days to 0"] = off
    return found
