"""Life tables with the causes of their events."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.lifetable import LifeTable, tabulate

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CauseTable:
    """Life table with the causes of its events.

    `table` holds times, numbers at risk, events of any cause, censored and entered; `events` has
    one row per cause of `causes` and one column per time, and adds up to `table.events`.
    """

    table: LifeTable
    causes: tuple[str, ...]
    events: IntArray

    def between(self, after: float | None, until: float = np.inf) -> "CauseTable":
        """Part of the table with after < time <= until, given alive at `after`.

        Parameters
        ----------
        after : float or None
            Age that all have passed; None: from the start of the table.
        until : float
            Last age kept.

        Returns
        -------
        CauseTable
            May be without rows.
        """
        time = self.table.time
        keep = (time > (-np.inf if after is None else after)) & (time <= until)
        return CauseTable(
            table=self.table.between(after, until),
            causes=self.causes,
            events=self.events[:, keep],
        )


def cause_table(table: LifeTable, events: ArrayLike, causes: Sequence[str]) -> CauseTable:
    """Life table with the causes of its events.

    Parameters
    ----------
    table : LifeTable
        Counts; `table.events` are those of all causes.
    events : array_like of int
        One row per cause, one column per time of the table.
    causes : sequence of str
        Names of the causes, in the order of the rows.

    Returns
    -------
    CauseTable
        The two together.

    Raises
    ------
    InputError
        If the shapes differ, a count is negative, or the causes do not add up to the events.
    """
    counts = np.asarray(events, dtype=np.int64).reshape(len(causes), -1)
    if counts.shape[1] != len(table.time):
        raise InputError(f"causes: {counts.shape[1]} columns of events for {len(table.time)} times")
    if (counts < 0).any() or not np.array_equal(counts.sum(axis=0), table.events):
        raise InputError("causes: the events of the causes must add up to all events, at each time")
    return CauseTable(table=table, causes=tuple(causes), events=counts)


def tabulate_causes(
    duration: ArrayLike,
    cause: ArrayLike,
    *,
    causes: Sequence[str],
    entry: ArrayLike | None = None,
    count: ArrayLike | None = None,
) -> CauseTable:
    """Life table with causes of single spells, or of spells with multiplicities.

    Parameters
    ----------
    duration : array_like
        Age at which a spell ends or was last seen.
    cause : array_like of int
        Place in `causes` of the cause that ended it; -1 where it was still going on.
    causes : sequence of str
        Names of the causes.
    entry : array_like, optional
        Age at which a spell came under observation; 0 or less: from the beginning.
    count : array_like of int, optional
        Multiplicity of each row, default 1.

    Returns
    -------
    CauseTable
        On all distinct durations and late entries.

    Raises
    ------
    InputError
        If a cause has no name, or a late entry does not lie before its duration.
    """
    ends, place = np.asarray(duration, dtype=float), np.asarray(cause, dtype=np.int64)
    if n := int(((place < -1) | (place >= len(causes))).sum()):
        raise InputError(f"causes: {n} rows name none of the {len(causes)} causes, nor -1")
    many = np.ones(place.shape, np.int64) if count is None else np.asarray(count, dtype=np.int64)
    table = tabulate(ends, place >= 0, entry=entry, count=many)
    events = np.zeros((len(causes), len(table.time)), np.int64)
    died = place >= 0
    np.add.at(events, (place[died], np.searchsorted(table.time, ends[died])), many[died])
    return cause_table(table, events, causes)
