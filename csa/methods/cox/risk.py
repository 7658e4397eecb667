"""Follow-up of a Cox regression: who is at risk at which event, with ties and delayed entry.

A row is at risk at age t where entry < t <= exit. Only ages with an event matter, so that each
row is described by two places on the grid of event ages of its stratum: how many it has passed
when it enters, and when it leaves. Sums over risk sets are then histograms and running sums.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Places = NDArray[np.int32]

TABLE_CELLS = 1 << 22  # a look-up table of places may have so many cells, or two per row


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FollowUp:
    """Times and events of the rows of a design; `None` where all rows are alike."""

    exit: NDArray[Any]
    event: NDArray[np.bool_]
    entry: NDArray[Any] | None = None
    strata: IntArray | None = None  # codes from 0
    count: FloatArray | None = None  # whole numbers

    @property
    def rows(self) -> int:
        """Rows, whatever their counts."""
        return len(self.exit)

    @property
    def n(self) -> int:
        """Spells: rows with their multiplicity."""
        return self.rows if self.count is None else int(self.count.sum())

    @property
    def events(self) -> int:
        """Events with their multiplicity."""
        events = self.event if self.count is None else self.count[self.event]
        return int(events.sum())

    def every(self, step: int) -> "FollowUp":
        """Every so many rows, for a first look at many.

        Parameters
        ----------
        step : int
            Distance of the rows taken.

        Returns
        -------
        FollowUp
            Views where possible.
        """
        return FollowUp(
            exit=self.exit[::step],
            event=self.event[::step],
            entry=None if self.entry is None else self.entry[::step],
            strata=None if self.strata is None else self.strata[::step],
            count=None if self.count is None else self.count[::step],
        )


def follow_up(
    exit_age: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    count: ArrayLike | None = None,
) -> FollowUp:
    """Check times and events for a Cox regression.

    Parameters
    ----------
    exit_age : array_like
        Age at which a row ends or was last seen; whole numbers are fastest.
    event : array_like of bool
        True where it ended by the event.
    entry : array_like, optional
        Age at which a row came under observation; 0 or less: at risk from the very beginning.
    strata : array_like of int, optional
        Rows are compared only within a stratum; codes from 0.
    count : array_like of int, optional
        Multiplicity of each row; the fit equals that of the rows written out.

    Returns
    -------
    FollowUp
        Arrays of equal length.

    Raises
    ------
    InputError
        If lengths differ, a time is missing, a row enters at or after its end, a stratum is
        negative, or a count is not a whole number of 0 or more.
    """
    ends, died = np.asarray(exit_age), np.asarray(event, dtype=bool)
    starts = None if entry is None else np.asarray(entry)
    codes = None if strata is None else np.asarray(strata)
    many = None if count is None else np.asarray(count, dtype=float)
    given = {"event": died, "entry": starts, "strata": codes, "count": many}
    lengths = {name: len(x) for name, x in given.items() if x is not None}
    faults = [
        f"follow-up: {name} has {n} rows, exit has {len(ends)}; give one per row"
        for name, n in lengths.items()
        if n != len(ends)
    ]
    if faults:
        raise InputError(*faults)
    faults = [*_time_faults(ends, starts), *_code_faults(codes, many)]
    if faults:
        raise InputError(*faults)
    return FollowUp(
        exit=ends,
        event=died,
        entry=starts if starts is not None and bool((starts > 0).any()) else None,
        strata=None if codes is None else codes.astype(np.int64, copy=False),
        count=many,
    )


def _time_faults(ends: NDArray[Any], starts: NDArray[Any] | None) -> list[str]:
    faults = []
    for name, ages in (("exit", ends), ("entry", starts)):
        if ages is not None and (n := int((~np.isfinite(ages)).sum())):
            faults.append(f"follow-up: {name} is missing or infinite in {n} rows; drop them")
    if starts is not None and not faults:
        unseen = int(((starts > 0) & (starts >= ends)).sum())
        if unseen:
            faults.append(f"follow-up: {unseen} rows enter at or after their end; drop them")
    return faults


def _code_faults(codes: NDArray[Any] | None, many: FloatArray | None) -> list[str]:
    faults = []
    if codes is not None and len(codes) and (codes.dtype.kind not in "iu" or codes.min() < 0):
        faults.append("follow-up: strata are not codes from 0; number them")
    if many is not None and (n := int(((many < 0) | (many != np.floor(many))).sum())):
        faults.append(f"follow-up: count is not a whole number of 0 or more in {n} rows")
    return faults


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RiskSets:
    """Rows on the grid of event ages.

    The grid has one slot per stratum and event age, in order, and before those of each stratum a
    slot for its beginning. `exit_bin` is twice the slot of the last event age that a row reached,
    plus 1 where it ended there by the event; `entry_slot` is that of the last event age before
    it came under observation.
    """

    age: FloatArray  # -inf at the beginning of a stratum
    starts: IntArray  # slot of the beginning of each stratum
    deaths: FloatArray  # events per slot, with multiplicity
    exit_bin: Places
    entry_slot: Places | None

    @property
    def slots(self) -> int:
        """Places on the grid."""
        return len(self.age)

    def sums(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Sum a weight over the rows at risk, and over those that go, per slot.

        Parameters
        ----------
        weight : ndarray
            One number per row.

        Returns
        -------
        at risk, going : ndarray
            One number per slot.
        """
        bins: FloatArray = np.bincount(self.exit_bin, weight, 2 * self.slots).astype(float)
        entering: FloatArray | None = None
        if self.entry_slot is not None:
            entering = np.bincount(self.entry_slot, weight, self.slots).astype(float)
        return self.at_risk(bins, entering)

    def at_risk(
        self, leaving: FloatArray, entering: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Turn histograms of leaving and entering into sums over risk sets.

        Parameters
        ----------
        leaving : ndarray (..., 2 x slots)
            Sums by `exit_bin`.
        entering : ndarray (..., slots) or None
            Sums by `entry_slot`.

        Returns
        -------
        at risk, going : ndarray (..., slots)
            What leaves at a slot or later, less what enters there or later; what goes there.
        """
        pairs = leaving.reshape(*leaving.shape[:-1], self.slots, 2)
        going = pairs[..., 1]
        change = pairs[..., 0] + going
        if entering is not None:
            change = change - entering
        found = np.empty_like(change)
        for first, last in self._strata():
            part = change[..., first:last]
            found[..., first:last] = np.cumsum(part[..., ::-1], axis=-1)[..., ::-1]
        return found, going

    def running(self, per_slot: FloatArray) -> FloatArray:
        """Sum over the event ages of a stratum up to each slot, that slot included.

        Parameters
        ----------
        per_slot : ndarray (..., slots)
            Numbers per slot.

        Returns
        -------
        ndarray
            Running sums along the last axis.
        """
        found = np.empty_like(per_slot)
        for first, last in self._strata():
            np.cumsum(per_slot[..., first:last], axis=-1, out=found[..., first:last])
        return found

    def _strata(self) -> list[tuple[int, int]]:
        ends = np.append(self.starts[1:], self.slots)
        return list(zip(self.starts.tolist(), ends.tolist(), strict=True))


def risk_sets(spells: FollowUp) -> RiskSets:
    """Place rows on the grid of event ages.

    Parameters
    ----------
    spells : FollowUp
        Checked times and events.

    Returns
    -------
    RiskSets
        Places in 32 bits, so that ten million rows take 40 MB.
    """
    ages, exits, entries = _whole(spells)
    width = len(ages) + 1  # of the keys of one stratum; 0: before the first event age
    strata = 1 if spells.strata is None or not spells.rows else int(spells.strata.max()) + 1
    offset = None if spells.strata is None else spells.strata * width
    key = exits if offset is None else exits + offset
    cells = strata * width
    if cells <= max(TABLE_CELLS, 2 * spells.rows):
        present = np.zeros(cells, bool)
        present[key[spells.event]] = True
        keys = np.flatnonzero(present)
        table = np.cumsum(present, dtype=np.int32)
        table += np.repeat(np.arange(strata, dtype=np.int32), width)
    else:
        keys, table = np.unique(key[spells.event]), None

    def place(code: IntArray) -> Places:
        if table is not None:
            return table[code]
        return (np.searchsorted(keys, code, side="right") + code // width).astype(np.int32)

    slot = place(key)
    starts = np.searchsorted(keys, np.arange(strata) * width) + np.arange(strata)
    age = np.full(len(keys) + strata, -np.inf)
    age[np.arange(len(keys)) + keys // width + 1] = ages[keys % width - 1]
    exit_bin = 2 * slot
    exit_bin += spells.event
    entry_slot = None
    if entries is not None:
        entry_slot = place(entries if offset is None else entries + offset)
    weights = None if spells.count is None else spells.count
    deaths = np.bincount(exit_bin, weights=weights, minlength=2 * len(age))[1::2].astype(float)
    return RiskSets(age=age, starts=starts, deaths=deaths, exit_bin=exit_bin, entry_slot=entry_slot)


def _whole(spells: FollowUp) -> tuple[FloatArray, IntArray, IntArray | None]:
    """Event ages over all strata, and how many of them each row has passed at exit and entry."""
    ends, starts = spells.exit, spells.entry
    whole = spells.rows > 0 and ends.dtype.kind in "iu" and (starts is None or _small(starts))
    if not (whole and _small(ends)):
        ages = np.unique(ends[spells.event]).astype(float)
        passed = None if starts is None else np.searchsorted(ages, starts, side="right")
        if passed is not None and starts is not None:
            passed[starts <= 0] = 0  # at risk from the very beginning
        return ages, np.searchsorted(ages, ends, side="right"), passed
    present = np.zeros(int(ends.max()) + 1, bool)
    present[ends[spells.event]] = True
    table = np.cumsum(present, dtype=np.int32)
    ages = np.flatnonzero(present).astype(float)
    if starts is None:
        return ages, table[ends], None
    return ages, table[ends], np.where(starts > 0, table[np.maximum(starts, 0)], 0)


def _small(ages: NDArray[Any]) -> bool:
    """Whether ages can index a table: whole numbers, 0 or more, not too large."""
    return ages.dtype.kind in "iu" and int(ages.min()) >= 0 and int(ages.max()) < TABLE_CELLS
