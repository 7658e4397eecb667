"""Rows of activity with the columns that cohorts are counted from, checked."""

from datetime import date, datetime, time, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.errors import InputError

ALL = "all"  # group of a table without groups
NOT_STATED = "not stated"  # group of units without one


def unit_rows(
    activity: ir.Table | pd.DataFrame, *, unit: str, as_of: date, start: str | None
) -> ir.Table:
    """Check activity and take what is used of it.

    Parameters
    ----------
    activity : ir.Table or DataFrame
        As for `csa.analysis.cohorts.masks.cohort_counts`.
    unit : str
        Column of who returns.
    as_of : date
        Last day that is known.
    start : str or None
        Column with the start of the unit.

    Returns
    -------
    ir.Table
        `group` (text), `unit`, `day` and, where a start is stated, `begin` of the same type; both
        are missing where they are after `as_of`.

    Raises
    ------
    InputError
        With all columns that are missing or of the wrong kind.
    """
    table = ibis.memtable(activity) if isinstance(activity, pd.DataFrame) else activity
    _require(table, [unit, "day", *([start] if start else [])], times=["day", start or "day"])
    kind = _kind(table, activity)
    columns = {"unit": table[unit], "day": table["day"].cast(kind)}
    columns["group"] = ibis.literal(ALL)
    if "group" in table.columns:
        columns["group"] = table["group"].cast("string").fill_null(NOT_STATED)
    if start is not None:
        columns["begin"] = table[start].cast(kind)
    rows = table.select(**columns).drop_null("unit")
    if start is None:
        return rows.filter(_by(rows.day, as_of))
    return rows.mutate(
        **{c: ibis.ifelse(_by(rows[c], as_of), rows[c], ibis.null(kind)) for c in ("day", "begin")}
    )


def _kind(table: ir.Table, given: ir.Table | pd.DataFrame) -> str:
    """Days stay days; a frame's timestamps that are all midnights are days, too."""
    dtype = table.schema()["day"]
    if dtype.is_timestamp() and isinstance(given, pd.DataFrame):
        days = pd.to_datetime(given["day"])
        return "date" if bool((days.isna() | (days == days.dt.normalize())).all()) else "timestamp"
    return "timestamp" if dtype.is_timestamp() else "date"


def _by(moment: ir.Value, as_of: date) -> ir.BooleanValue:
    """Whether something is known on the last day."""
    if moment.type().is_date():
        return moment <= as_of
    return moment < ibis.literal(datetime.combine(as_of + timedelta(days=1), time()))


def _require(table: ir.Table, names: list[str], *, times: list[str]) -> None:
    schema = table.schema()
    faults = [
        f"activity: column {name} is missing; it has {', '.join(schema)}"
        for name in names
        if name not in schema
    ]
    faults += [
        f"activity: column {name} is {schema[name]}, not a day or local time"
        for name in dict.fromkeys(times)
        if name in schema and not (schema[name].is_date() or _local(schema[name]))
    ]
    if faults:
        raise InputError(*faults)


def _local(dtype: ibis.expr.datatypes.DataType) -> bool:
    """Whether a type is a time without zone, or says nothing (an empty frame)."""
    return dtype.is_null() or (dtype.is_timestamp() and dtype.timezone is None)
