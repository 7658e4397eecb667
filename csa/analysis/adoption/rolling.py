"""Distinct people, or accounts, active in the last days: exact, for any windows, in one pass.

A sum of daily actives counts who comes twice twice; the usual way out repeats every active day
once per day of the window. Neither is needed. A unit that is active on day d is counted on the
days [d, d + w), up to its own next active day, where the next such stretch begins: these
stretches never overlap, so the number of distinct units on a day is the number of stretches that
began by then less those that ended. How many begin on a day, and after how many days the next
active day follows, is all that has to be known of any number of rows, for all windows at once.
"""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.errors import InputError

WINDOWS = (1, 7, 28)  # days
ALL = "all"  # group of a table without groups
NOT_STATED = "not stated"  # group of units without one
COLUMNS = ("group", "day", "window_days", "actives")
_BATCH = 16_000_000  # rows that are put in order at once, to bound memory


def rolling_actives(
    days: ir.Table | pd.DataFrame,
    *,
    unit: str,
    as_of: date,
    windows: Sequence[int] = WINDOWS,
) -> pd.DataFrame:
    """Count the distinct units that were active in the days up to each day.

    Parameters
    ----------
    days : ir.Table or DataFrame
        Active days, as the roll-up `user_days` has them: `unit`, `day`, optional `group`. A day
        may stand in several rows; rows without a unit or a day are left out.
    unit : str
        Who is counted: user_id or account_id. A unit counts once in each of its groups.
    as_of : date
        Last day that is known; nothing later is used.
    windows : sequence of int
        Lengths of the windows, days; each ends with the day it is told for, which is included.

    Returns
    -------
    DataFrame
        Tidy: `group` ("all" where the table has no such column, "not stated" where it is
        missing), `day` (every day from the first active one of any group to `as_of`),
        `window_days`, `actives`. The first `window_days` - 1 days know only part of their window.

    Raises
    ------
    InputError
        If a column is missing, or a window is shorter than a day.

    Notes
    -----
    With c(d, g) the number of units active on day d whose next active day comes after g days (g
    is cut off at the longest window), the actives of the window w on day t are the sum of
    c(d, g) over d <= t < d + min(g, w).

    References
    ----------
    The counting of overlapping intervals by the running sum of begins and ends is folklore; that
    it beats expansion is measured in benchmarks/usage.py.
    """
    table = ibis.memtable(days) if isinstance(days, pd.DataFrame) else days
    _require(table, unit, windows)
    longest = max(windows)
    rows = _rows(table, unit, as_of)
    batches = -(-int(rows.count().execute()) // _BATCH)
    parts = [_cells(_batch(rows, i, batches), longest) for i in range(batches)]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    cells = pd.concat(parts, ignore_index=True)
    first = cells["day"].min()
    calendar = pd.date_range(first, pd.Timestamp(as_of), name="day")
    cells["since"] = (cells["day"] - first).dt.days
    found = [
        pd.DataFrame({"day": calendar, "actives": _running(own, int(w), len(calendar))}).assign(
            group=group, window_days=int(w)
        )
        for group, own in cells.groupby("group", sort=True)
        for w in windows
    ]
    return pd.concat(found, ignore_index=True)[list(COLUMNS)]


def _rows(table: ir.Table, unit: str, as_of: date) -> ir.Table:
    """Active days of units; those of accounts once, however many people they are of."""
    columns = {"unit": table[unit], "day": table["day"].cast("date")}
    if "group" in table.columns:
        columns["group"] = table["group"].cast("string").fill_null(NOT_STATED)
    rows = table.select(**columns).drop_null(["unit", "day"])
    rows = rows.filter(rows.day <= as_of)
    return rows.distinct() if unit != "user_id" and "user_id" in table.columns else rows


def _batch(rows: ir.Table, number: int, batches: int) -> ir.Table:
    """One of several shares of the units, each unit with all of its days."""
    if batches == 1:
        return rows
    # Ibis has a hash of its own, which takes a detour over a string of bits
    digest = ibis.udf.scalar.builtin(
        lambda value: ..., name="hash", signature=((rows.unit.type(),), "uint64")
    )
    return rows.filter(digest(rows.unit) % batches == number)


def _cells(rows: ir.Table, longest: int) -> pd.DataFrame:
    """Count units by day and by the days until they come again, cut off at the longest window."""
    groups = ["group"] if "group" in rows.columns else []
    following = rows.day.lead().over(group_by=[*groups, "unit"], order_by="day")
    gap = ibis.least(following.delta(rows.day, unit="day").fill_null(longest), longest)
    rows = rows.select(*groups, "day", gap=gap.cast("int64"))
    cells: pd.DataFrame = rows.group_by(*groups, "day", "gap").agg(n=rows.count()).to_pandas()
    cells["day"] = pd.to_datetime(cells["day"])
    return cells if groups else cells.assign(group=ALL)


def _running(own: pd.DataFrame, window: int, days: int) -> np.ndarray:
    """Add up who begins to count on a day and who ceases to."""
    change = np.zeros(days + window + 1, dtype="int64")
    begins = own["since"].to_numpy()
    n = own["n"].to_numpy()
    np.add.at(change, begins, n)
    np.subtract.at(change, begins + np.minimum(own["gap"].to_numpy(), window), n)
    actives: np.ndarray = change.cumsum()[:days]
    return actives


def _require(table: ir.Table, unit: str, windows: Sequence[int]) -> None:
    faults = [
        f"days: column {name} is missing; take workspace.user_days()"
        for name in (unit, "day")
        if name not in table.columns
    ]
    if not windows or min(windows) < 1:
        faults.append(f"windows: {tuple(windows)}; each is a day or longer")
    if faults:
        raise InputError(*faults)
