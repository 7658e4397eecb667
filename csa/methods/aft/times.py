"""Times to fit a distribution to: ages with late entry, multiplicities and whole days."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.lifetable import LifeTable

FloatArray = NDArray[np.float64]

AT_ONCE = 1e-4  # share of a time step: an event in the first step may be as early as this


class Lifetimes(NamedTuple):
    """Times with multiplicities. The event is at `time`, or after `after` and up to `time`."""

    time: FloatArray
    event: NDArray[np.bool_]
    entry: FloatArray
    copies: FloatArray
    after: FloatArray


def lifetimes(
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    count: ArrayLike | None = None,
    resolution: float = 0.0,
) -> Lifetimes:
    """Check times to fit.

    Parameters
    ----------
    time : array_like
        Age at which a spell ends or was last seen.
    event : array_like of bool
        True where it ended by the event.
    entry : array_like, optional
        Age at which a spell came under observation; 0 or less: from the beginning.
    count : array_like, optional
        Multiplicity of each row, default 1.
    resolution : float
        Step in which time was counted: an event at t happened after t - resolution, up to t.
        0: exactly at t.

    Returns
    -------
    Lifetimes
        Rows of spells that were seen for no time at all are left out.

    Raises
    ------
    InputError
        If times are missing or negative, an entry does not lie before its end, or an event is
        exactly at 0, which no density allows; a resolution does.
    """
    ends, died = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    starts = np.zeros_like(ends) if entry is None else np.maximum(np.asarray(entry, float), 0.0)
    many = np.ones_like(ends) if count is None else np.asarray(count, dtype=float)
    faults = []
    if bad := int((~(ends >= 0)).sum()):
        faults.append(f"{bad} rows have a missing or negative end; correct or drop them")
    if bad := int(((starts > 0) & ~(starts < ends)).sum()):
        faults.append(f"{bad} rows enter at or after their end; drop them")
    if not resolution and (bad := int((died & (ends == 0)).sum())):
        faults.append(f"{bad} rows end at 0 by the event; give the resolution of time")
    if faults:
        raise InputError(*(f"lifetimes: {fault}" for fault in faults))
    ends = np.where(died & (ends == 0), resolution / 2, ends)
    seen = (ends > 0) & (many > 0)
    earliest = np.maximum(ends - resolution, np.maximum(starts, AT_ONCE * resolution))
    after = np.where(died & (resolution > 0), np.minimum(earliest, ends), ends)
    return Lifetimes(*(x[seen] for x in (ends, died, starts, many, after)))


def table_lifetimes(table: LifeTable, *, resolution: float = 0.0) -> Lifetimes:
    """Take times to fit from a life table.

    Parameters
    ----------
    table : LifeTable
        Counts of one group, late entries part of it.
    resolution : float
        As for `lifetimes`.

    Returns
    -------
    Lifetimes
        At most as many rows as there are distinct ages of entry and twice those of end.

    Notes
    -----
    A spell adds log h(end) - H(end) + H(entry) to the log-likelihood: a sum over ends and a sum
    over entries, so it does not matter who entered when. Ends and entries are matched in order,
    the earliest with the earliest, which leaves every entry before its end.
    """
    time = np.repeat(table.time, 2)
    many = np.column_stack([table.events, table.censored]).ravel()
    died = np.tile([True, False], len(table.time))
    late = table.entered > 0
    from_start = int(many.sum() - table.entered.sum())
    ages = np.concatenate([[0.0], table.time[late]])
    came = np.concatenate([[from_start], table.entered[late]])
    borders = np.unique(np.concatenate([[0], np.cumsum(many), np.cumsum(came)]))
    row = np.searchsorted(np.cumsum(many), borders[1:], side="left")
    place = np.searchsorted(np.cumsum(came), borders[1:], side="left")
    return lifetimes(
        time[row], died[row], entry=ages[place], count=np.diff(borders), resolution=resolution
    )
