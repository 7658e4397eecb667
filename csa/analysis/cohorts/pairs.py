"""Cohorts by (unit, age) pairs: any clock, any threshold, and brackets of ages."""

from collections.abc import Sequence
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.units import unit_rows
from csa.errors import InputError

CELLS = ("group", "cohort", "age", "n", "active", "active_later", "completes_on")
BRACKETS = ("group", "cohort", "first_age", "last_age", "n", "returned", "completes_on")


def bracket_counts(
    activity: ir.Table | pd.DataFrame,
    *,
    unit: str,
    clock: Clock,
    as_of: date,
    brackets: Sequence[tuple[int, int]],
    start: str | None = None,
) -> pd.DataFrame:
    """Count, for every cohort and bracket of ages, who was active within the bracket.

    Parameters
    ----------
    activity, unit, clock, as_of, start
        As for `csa.analysis.cohorts.masks.cohort_counts`; the threshold of active days holds for
        the bracket as a whole.
    brackets : sequence of (int, int)
        First and last age, both included, as in (1, 3).

    Returns
    -------
    DataFrame
        Tidy, one row per `group`, `cohort` and bracket (`first_age`, `last_age`) that has begun:
        `n`, `returned`, `completes_on`, as `cohort_counts` has them.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, or a bracket is none.
    """
    wrong = [b for b in brackets if not 0 <= b[0] <= b[1]]
    if wrong or not brackets:
        raise InputError(f"brackets: {wrong or 'none'}; each is (first age, last age), from 0")
    rows = unit_rows(activity, unit=unit, as_of=as_of, start=start)
    begun, aged = _aged(rows, clock)
    exact = rows.schema()["day"].is_timestamp()
    within = {
        f"in_{i}": aged.on.nunique(where=aged.age.between(first, last)) >= clock.least_days
        for i, (first, last) in enumerate(brackets)
    }
    units = aged.group_by("group", "unit", "cohort").agg(**within)
    summed = units.group_by("group", "cohort").agg(**{c: units[c].sum() for c in within})
    frame = _sizes(begun).merge(summed.to_pandas(), on=["group", "cohort"], how="left")
    parts = []
    for i, (first, last) in enumerate(brackets):
        part = frame[["group", "cohort", "n"]].assign(first_age=first, last_age=last)
        part["returned"] = frame[f"in_{i}"].fillna(0).astype("int64")
        free = Clock(kind=clock.kind, week_start=clock.week_start, window_days=clock.window_days)
        parts.append(part.loc[[free.ages(c, as_of) > first for c in part["cohort"]]])
    table = pd.concat(parts, ignore_index=True)
    return _dated(table, "last_age", clock, exact=exact)[list(BRACKETS)]


def pair_counts(rows: ir.Table, clock: Clock, as_of: date) -> pd.DataFrame:
    """Count cells over pairs of unit and age.

    Parameters
    ----------
    rows : ir.Table
        As `unit_rows` gives them.
    clock : Clock
        Periods and threshold.
    as_of : date
        Last day that is known.

    Returns
    -------
    DataFrame
        As `cohort_counts` has it.
    """
    begun, aged = _aged(rows, clock)
    pairs = aged.group_by("group", "unit", "cohort", "age").agg(days=aged.on.nunique())
    pairs = pairs.filter(pairs.days >= clock.least_days)
    newest = pairs.age.max().over(group_by=["group", "unit"])
    pairs = pairs.mutate(is_latest=(pairs.age == newest).cast("int64"))
    counts = pairs.group_by("group", "cohort", "age").agg(
        active=pairs.count(), latest=pairs.is_latest.sum().cast("int64")
    )
    exact = rows.schema()["day"].is_timestamp()
    return cells(_sizes(begun), counts.to_pandas(), clock, as_of, exact=exact)


def cells(
    sizes: pd.DataFrame,
    counts: pd.DataFrame,
    clock: Clock,
    as_of: date,
    *,
    exact: bool = False,
) -> pd.DataFrame:
    """Lay out a cell for each age that has begun, true zeros included.

    Parameters
    ----------
    sizes : DataFrame
        `group`, `cohort` (number of its period), `n`.
    counts : DataFrame
        `group`, `cohort`, `age`, `active`, `latest` (units last active in that age); several rows
        of a cell add up.
    clock : Clock
        Periods.
    as_of : date
        Last day that is known.
    exact : bool
        Whether tenure windows run from a moment.

    Returns
    -------
    DataFrame
        As `cohort_counts` has it.
    """
    ages = np.array([clock.ages(int(c), as_of) for c in sizes["cohort"]], dtype="int64")
    grid = sizes[["group", "cohort", "n"]].loc[sizes.index.repeat(ages)].reset_index(drop=True)
    grid["age"] = np.concatenate([np.arange(n) for n in ages]) if len(ages) else ages
    key = ["group", "cohort", "age"]
    capped = counts.assign(age=counts["age"].clip(upper=clock.last_age))
    latest = capped.groupby(key, as_index=False)["latest"].sum()
    active = counts.groupby(key, as_index=False)["active"].sum()
    table = grid.merge(active, on=key, how="left").merge(latest, on=key, how="left")
    table[["active", "latest"]] = table[["active", "latest"]].fillna(0).astype("int64")
    table = table.sort_values(key, ignore_index=True)
    backwards = table.iloc[::-1].groupby(["group", "cohort"])["latest"].cumsum()
    table["active_later"] = backwards
    return _dated(table, "age", clock, exact=exact)[list(CELLS)]


def _aged(rows: ir.Table, clock: Clock) -> tuple[ir.Table, ir.Table]:
    """Units with their cohort, and active days with the age of their unit."""
    begin = rows.begin if "begin" in rows.columns else rows.day
    begun = rows.group_by("group", "unit").agg(begin=begin.min())
    begun = begun.drop_null("begin")
    begun = begun.mutate(cohort=clock.number(begun.begin.cast("date")))
    active = rows.drop_null("day").select("group", "unit", "day")
    joined = active.inner_join(begun, ["group", "unit"])
    aged = joined.select(
        "group",
        "unit",
        "cohort",
        on=joined.day.cast("date"),
        age=clock.age(joined.day, joined.begin),
    )
    return begun, aged.filter(aged.age >= 0)


def _sizes(begun: ir.Table) -> pd.DataFrame:
    sizes: pd.DataFrame = begun.group_by("group", "cohort").agg(n=begun.count()).to_pandas()
    return sizes


def _dated(table: pd.DataFrame, age: str, clock: Clock, *, exact: bool) -> pd.DataFrame:
    """Write cohorts as days, and the day on which each cell is complete."""
    numbers, ages = table["cohort"], table[age]
    ends = [clock.last_day(int(c), int(a), exact=exact) for c, a in zip(numbers, ages, strict=True)]
    return table.assign(
        cohort=pd.to_datetime([clock.first_day(int(c)) for c in numbers]),
        completes_on=pd.to_datetime(ends),
    )
