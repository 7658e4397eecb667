"""Life tables: who is at risk, who goes and who comes, per distinct age.

A spell that came under observation at age `entry` and left it at age `t` is at risk for
entry < age <= t. Everything that survival needs is exact from these counts, ties and delayed
entry included, so any number of spells costs no more than the number of distinct ages.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LifeTable:
    """Counts at strictly increasing times; the grid holds every time of exit and late entry.

    `at_risk` is the number at risk at `time`: entered before it, not yet gone before it.
    `start` is the age from which the table is seen: later figures are given alive at `start`.
    """

    time: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray
    entered: IntArray  # at risk from the next time on
    start: float = 0.0

    def at_risk_at(self, ages: ArrayLike) -> IntArray:
        """Count those at risk at any age: entered before it, not yet gone before it.

        Parameters
        ----------
        ages : array_like
            Ages in the unit of `time`.

        Returns
        -------
        ndarray of int
            One count per age; 0 past the last time.
        """
        # between two times of the grid nobody comes or goes, so the next time's count holds
        padded = np.append(self.at_risk, 0)
        return np.asarray(padded[np.searchsorted(self.time, np.asarray(ages), side="left")])

    def fewest_at_risk(self, until: float) -> int:
        """Count the fewest that were at risk at once, up to an age.

        Parameters
        ----------
        until : float
            Age in the unit of `time`.

        Returns
        -------
        int
            0 past the last time.
        """
        so_far = self.at_risk[self.time <= until]
        return int(min(so_far.min(initial=np.iinfo(np.int64).max), self.at_risk_at(until)))

    def between(self, after: float | None, until: float = np.inf) -> "LifeTable":
        """Part of the table with after < time <= until, given alive at `after`.

        Parameters
        ----------
        after : float or None
            Age that all have passed; None: from the start of the table.
        until : float
            Last age kept.

        Returns
        -------
        LifeTable
            May be without rows.
        """
        keep = (self.time > (-np.inf if after is None else after)) & (self.time <= until)
        return LifeTable(
            time=self.time[keep],
            at_risk=self.at_risk[keep],
            events=self.events[keep],
            censored=self.censored[keep],
            entered=self.entered[keep],
            start=self.start if after is None else after,
        )


def life_table(
    time: ArrayLike,
    *,
    events: ArrayLike,
    censored: ArrayLike,
    entered: ArrayLike | None = None,
    initial: int | None = None,
) -> LifeTable:
    """Life table of counts per distinct time.

    Parameters
    ----------
    time : array_like
        Distinct ages in increasing order, any unit.
    events, censored : array_like of int
        Spells that end at that age by the event, and otherwise.
    entered : array_like of int, optional
        Spells that come under observation at that age, at risk from the next one on.
    initial : int, optional
        Spells under observation from the very beginning, at risk at the first time already;
        default: all that leave and do not enter later.

    Returns
    -------
    LifeTable
        With numbers at risk.

    Raises
    ------
    InputError
        If times do not increase, a count is negative, or more leave than ever came.
    """
    ages = np.asarray(time, dtype=float)
    gone = [np.asarray(x, dtype=np.int64) for x in (events, censored)]
    came = np.zeros_like(gone[0]) if entered is None else np.asarray(entered, dtype=np.int64)
    left = gone[0] + gone[1]
    first = int(left.sum() - came.sum()) if initial is None else initial
    if not np.all(np.diff(ages) > 0) or np.isnan(ages).any():
        raise InputError("life table: times must be distinct and increasing")
    at_risk = first + np.concatenate([[0], np.cumsum(came - left)])
    if any((x < 0).any() for x in (*gone, came)) or (at_risk < 0).any():
        raise InputError("life table: negative counts, or more spells leave than came")
    return LifeTable(
        time=ages, at_risk=at_risk[:-1], events=gone[0], censored=gone[1], entered=came
    )


def tabulate(
    duration: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    count: ArrayLike | None = None,
) -> LifeTable:
    """Life table of single spells, or of spells with multiplicities.

    Parameters
    ----------
    duration : array_like
        Age at which a spell ends or was last seen.
    event : array_like of bool
        True where it ended by the event.
    entry : array_like, optional
        Age at which a spell came under observation; 0 or less: from the beginning.
    count : array_like of int, optional
        Multiplicity of each row, default 1.

    Returns
    -------
    LifeTable
        On all distinct durations and late entries.

    Raises
    ------
    InputError
        If a late entry does not lie before its duration: such a spell was never seen.
    """
    ends = np.asarray(duration, dtype=float)
    died = np.asarray(event, dtype=bool)
    starts = np.zeros_like(ends) if entry is None else np.asarray(entry, dtype=float)
    many = np.ones(ends.shape, np.int64) if count is None else np.asarray(count, dtype=np.int64)
    late = starts > 0
    unseen = int((late & (starts >= ends)).sum())
    if unseen:
        raise InputError(f"spells: {unseen} rows enter at or after their end; drop them")
    return tabulate_counts(
        ends,
        events=np.where(died, many, 0),
        censored=np.where(died, 0, many),
        entry=starts[late],
        entry_count=many[late],
    )


def tabulate_counts(
    duration: ArrayLike,
    *,
    events: ArrayLike,
    censored: ArrayLike,
    entry: ArrayLike = (),
    entry_count: ArrayLike = (),
) -> LifeTable:
    """Life table of two margins: spells by age at their end, late entries by age of entry.

    Parameters
    ----------
    duration : array_like
        Ages at the end, in any order; they may repeat.
    events, censored : array_like of int
        Spells that end at that age by the event, and otherwise.
    entry, entry_count : array_like
        Age above 0 at which spells come under observation, number of spells.

    Returns
    -------
    LifeTable
        On all distinct durations and late entries.
    """
    ends, starts = np.asarray(duration, dtype=float), np.asarray(entry, dtype=float)
    grid = np.unique(np.concatenate([ends, starts]))
    at_end = np.searchsorted(grid, ends)

    def per_time(places: IntArray, n: ArrayLike) -> IntArray:
        total = np.zeros(len(grid), np.int64)
        np.add.at(total, places, np.asarray(n, dtype=np.int64))
        return total

    return life_table(
        grid,
        events=per_time(at_end, events),
        censored=per_time(at_end, censored),
        entered=per_time(np.searchsorted(grid, starts), entry_count),
    )


def connected_part(table: LifeTable, least: int) -> tuple[LifeTable, str]:
    """Part of a life table with late entries whose risk sets can carry a curve.

    Parameters
    ----------
    table : LifeTable
        Counts.
    least : int
        Number at risk from which on a curve may start.

    Returns
    -------
    LifeTable
        From the age at which `least` are at risk, given alive at that age, up to the age before
        the last few at risk all go while others come only later. A table without late entries
        is returned whole: its risk sets only shrink.
    str
        What was left out and why; empty where nothing was.

    Notes
    -----
    With delayed entry the first ages may be seen in a handful of spells. If they all end, the
    product-limit estimate is 0 from there on, whatever thousands seen later do [1]_.

    References
    ----------
    .. [1] Klein, J. P., Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 4.6. Springer.
    """
    if not table.entered.any():
        return table, ""
    enough = np.flatnonzero(table.at_risk >= least)
    if not len(enough):
        return table.between(np.inf), f"never {least} at risk at the same age"
    first = int(enough[0])
    start = float(table.time[first - 1]) if first else None
    all_go = table.events == table.at_risk  # also where nobody is at risk: an age nobody saw
    few = table.at_risk < least
    others_later = np.cumsum(table.at_risk[::-1])[::-1] > table.at_risk
    holes = np.flatnonzero(all_go & few & others_later)
    zero = np.append(np.flatnonzero(all_go & ~few), len(few))[0]  # known to be 0 from there on
    holes = holes[(holes > first) & (holes < zero)]
    until = float(table.time[holes[0] - 1]) if len(holes) else np.inf
    notes = []
    if start is not None:
        notes.append(f"given alive at {start:g} days: fewer than {least} at risk before")
    if len(holes):
        notes.append(f"ends at {until:g} days: too few at risk to go on")
    return table.between(start, until), "; ".join(notes)
