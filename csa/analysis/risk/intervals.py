"""Snapshots divided into the intervals of the horizon in which they were at risk."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.rows import Snapshots
from csa.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Grid(NamedTuple):
    """Intervals of a horizon, days after the cut-off: (starts, ends]."""

    starts: FloatArray
    ends: FloatArray


class Intervals(NamedTuple):
    """One row per snapshot and interval in which it was at risk and could be watched."""

    row: IntArray  # place of the snapshot
    interval: IntArray
    events: FloatArray  # weighted
    trials: FloatArray  # weighted


def horizon_grid(horizon_days: int, interval_days: int) -> Grid:
    """Divide a horizon into intervals, the last one shorter where it does not come out even.

    Parameters
    ----------
    horizon_days : int
        How far to look ahead, days.
    interval_days : int
        Length of an interval, days.

    Returns
    -------
    Grid
        Starts and ends, days after the cut-off.

    Raises
    ------
    InputError
        If one of the two is not above 0.
    """
    if horizon_days < 1 or interval_days < 1:
        raise InputError(
            f"horizon_days {horizon_days} and interval_days {interval_days}: both are 1 or more"
        )
    starts = np.arange(0, horizon_days, interval_days, dtype=float)
    return Grid(starts, np.minimum(starts + interval_days, horizon_days))


def divide(snapshots: Snapshots, grid: Grid) -> Intervals:
    """Rows at risk and events per snapshot and interval of the horizon.

    Parameters
    ----------
    snapshots : Snapshots
        From `take_snapshots`.
    grid : Grid
        From `horizon_grid`.

    Returns
    -------
    Intervals
        Only intervals that are over by `as_of`, whether or not the account churned in them.

    Notes
    -----
    An interval that is not over is left out for churned and staying accounts alike; keeping only
    the churn of it would raise the risk. Where an account is lost for another reason within an
    interval, it counts for the share of the interval that it was watched (the actuarial rule)
    [1]_.

    References
    ----------
    .. [1] Klein, J. P., Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 5.4. Springer.
    """
    rows = snapshots.rows
    cutoff = pd.to_datetime(rows["cutoff_on"])
    watched = (pd.Timestamp(snapshots.as_of) - cutoff).dt.days.to_numpy(dtype=float)[:, None]
    after = rows["days_after"].to_numpy(dtype=float)[:, None]
    churned = rows["event"].to_numpy(dtype=bool)[:, None]
    after = np.where(churned, np.maximum(after, 1.0), after)  # churn on the cut-off: the day after
    events = churned & (after > grid.starts) & (after <= grid.ends)
    share = np.clip((after - grid.starts) / (grid.ends - grid.starts), 0.0, 1.0)
    trials = np.where(events, 1.0, share) * (grid.ends <= watched)
    row, interval = np.nonzero(trials > 0)
    weight = snapshots.weight[row]
    return Intervals(
        row=row,
        interval=interval,
        events=weight * events[row, interval],
        trials=weight * trials[row, interval],
    )
