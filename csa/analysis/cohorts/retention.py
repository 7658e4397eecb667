"""Retention by cohort and age: cells with their state, and the pooled share of each age."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import numpy as np
import pandas as pd

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.counted import Basis, Counted
from csa.errors import InputError
from csa.methods.intervals import wilson

Returned = Literal["bounded", "unbounded"]

COLUMNS: Final = {"bounded": "active", "unbounded": "active_later"}
SMALL: Final = 30  # a cohort of fewer is flagged
COMPLETE, OPEN, NOT_STARTED = "complete", "open", "not started"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CohortRetention:
    """Share of each cohort that is active at each age.

    `cells`: `group`, `cohort` (first day of its period; of tenure clocks the month of the start),
    `age` (periods), `n`, `returned`, `retention`, `ci_low`, `ci_high`, `state` (complete, open,
    not started), `completes_on`, `small`. An open cell has the share so far, without limits; one
    that has not started has none. `pooled`: `group`, `age`, `cohorts` (on which it rests), `n`,
    `returned`, `retention`, `ci_low`, `ci_high`, `status`, `reason`; complete cells only, so an age
    that nobody has completed has no row.
    """

    cells: pd.DataFrame
    pooled: pd.DataFrame
    basis: Basis
    clock: Clock
    returned: Returned
    as_of: date
    confidence: float = 0.95


def retention(
    counted: Counted, *, returned: Returned = "bounded", confidence: float = 0.95
) -> CohortRetention:
    """Compute the retention of each cohort at each age, and that of all cohorts pooled.

    Parameters
    ----------
    counted : Counted
        From `csa.analysis.cohorts.counted.count`.
    returned : {"bounded", "unbounded"}
        Active in that very age, or in it or a later one as known on the last day.
    confidence : float
        Level of the Wilson intervals [1]_, share in (0, 1).

    Returns
    -------
    CohortRetention
        A cohort of true zeros counts in the average like any other. With a tenure clock an age is
        pooled over all units that have completed it, whatever others of their month still have to.

    Raises
    ------
    InputError
        If the way of returning is none.

    Notes
    -----
    Pooled: Σ returned / Σ n over the complete cells of an age. The cohorts get fewer as the age
    grows, so the pooled curve may rise although no cohort's does.

    References
    ----------
    .. [1] Wilson, E. B. (1927). J. Am. Stat. Assoc. 22(158), 209-212.
    """
    if returned not in COLUMNS:
        raise InputError(f'returned "{returned}" is not one of {", ".join(COLUMNS)}')
    counts = counted.table.assign(returned=counted.table[COLUMNS[returned]])
    counts = counts.assign(cohort=cohort_of(counts["cohort"], counted.clock))
    return CohortRetention(
        cells=_cells(counts, counted, confidence),
        pooled=pooled(counts, confidence=confidence),
        basis=counted.basis,
        clock=counted.clock,
        returned=returned,
        as_of=counted.as_of,
        confidence=confidence,
    )


def cohort_of(days: pd.Series, clock: Clock) -> pd.Series:
    """Put units that began on a day into the cohort that a reader sees.

    Parameters
    ----------
    days : Series of datetime
        As `cohort_counts` gives them.
    clock : Clock
        Periods.

    Returns
    -------
    Series of datetime
        The same; with a tenure clock the first day of the month.
    """
    if clock.calendar:
        return days
    months: pd.Series = days.dt.to_period("M").dt.start_time
    return months


def pooled(counts: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Pool the complete cells of each age.

    Parameters
    ----------
    counts : DataFrame
        `group`, `cohort`, `age`, `n`, `returned`, `complete`.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        As `CohortRetention.pooled` has it.
    """
    done = counts.loc[counts["complete"]]
    table = done.groupby(["group", "age"], as_index=False, sort=False).agg(
        cohorts=("cohort", "nunique"), n=("n", "sum"), returned=("returned", "sum")
    )
    table = with_shares(table, confidence)
    few = table["n"] < SMALL
    return table.assign(
        status=np.where(few, "unclear", "ok"),
        reason=[
            f"only {n} completed this age" if f else ""
            for n, f in zip(table["n"], few, strict=True)
        ],
    )


def with_shares(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Add share and limits to counts.

    Parameters
    ----------
    table : DataFrame
        `n` and `returned`.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        With `retention`, `ci_low`, `ci_high`.
    """
    share = wilson(table["returned"], table["n"], confidence=confidence)
    return table.assign(retention=share.value, ci_low=share.low, ci_high=share.high)


def _cells(counts: pd.DataFrame, counted: Counted, confidence: float) -> pd.DataFrame:
    """Lay out every cohort over every age that any cohort of its group has begun."""
    key = ["group", "cohort"]
    begun = (
        counts.loc[counts["age"] == 0]
        .groupby(key, as_index=False, sort=False)
        .agg(n=("n", "sum"), first_done=("completes_on", "max"))
    )
    last = counts.groupby("group")["age"].max()
    reach = begun["group"].map(last).fillna(-1).astype("int64") + 1
    grid = begun.loc[begun.index.repeat(reach)].reset_index(drop=True)
    grid["age"] = np.concatenate([np.arange(r) for r in reach]) if len(reach) else reach
    found = counts.groupby([*key, "age"], as_index=False)["returned"].sum()
    grid = grid.merge(found, on=[*key, "age"], how="left")
    grid["completes_on"] = _completes_on(grid, counted.clock)
    started = grid["returned"].notna()
    complete = started & (grid["completes_on"] <= pd.Timestamp(counted.as_of))
    grid["state"] = np.select([complete, started], [COMPLETE, OPEN], NOT_STARTED)
    grid = with_shares(grid.assign(returned=grid["returned"].fillna(0)), confidence)
    grid.loc[~started, ["returned", "retention"]] = np.nan
    grid.loc[~complete, ["ci_low", "ci_high"]] = np.nan
    grid["small"] = grid["n"] < SMALL
    names = ("returned", "retention", "ci_low", "ci_high", "state", "completes_on", "small")
    return grid[[*key, "age", "n", *names]]


def _completes_on(grid: pd.DataFrame, clock: Clock) -> pd.Series:
    """Last day of each age for the last unit of each cohort."""
    first = pd.to_datetime(grid["first_done"])
    if clock.kind == "month":
        ends = first.dt.to_period("M") + grid["age"]
        return pd.Series(pd.PeriodIndex(ends).end_time.normalize(), index=grid.index)
    days = 7 if clock.kind == "week" else clock.window_days
    return first + pd.to_timedelta(grid["age"] * days, unit="D")
