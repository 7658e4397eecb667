"""Snapshots of accounts made ready for a model: checked, bounded, fetched.

A snapshot is what was known of an account on the last day of a cut-off, and what happened after
it: `account_id`, `cutoff_on`, `age_days`, `days_after`, `event` and features.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BASE = ("account_id", "cutoff_on", "age_days")  # what every snapshot states
OUTCOME = ("days_after", "event")  # what is known of it only later
MOST_ROWS = 100_000  # snapshots that a fit takes into memory
_SPREAD = 2.0**64  # number of values that a hash can take


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Snapshots:
    """Snapshots in memory, at most a stated number, sorted by cut-off and account.

    `rows` has one row each; `weight` says for how many snapshots it stands; `account` numbers
    the accounts; `as_of` is the last day of which anything is used.
    """

    rows: pd.DataFrame
    weight: FloatArray
    account: IntArray
    as_of: date
    n: int  # snapshots they stand for
    note: str  # how they were sampled; empty if they are all there are


def as_snapshots(
    snapshots: ir.Table | pd.DataFrame, features: Sequence[str], *, outcome: bool
) -> ir.Table:
    """Check the columns of snapshots and take only those that are used.

    Parameters
    ----------
    snapshots : ir.Table or DataFrame, one row per account and cut-off
        A frame is wrapped.
    features : sequence of str
        Columns to predict from: numbers, flags or text.
    outcome : bool
        Whether `days_after` and `event` are needed too.

    Returns
    -------
    ir.Table
        Base columns, outcome, `mrr_minor` where there is one, features; numbers as float.

    Raises
    ------
    InputError
        With all columns that are missing, of the wrong kind, or no feature at all.
    """
    table = ibis.memtable(snapshots) if isinstance(snapshots, pd.DataFrame) else snapshots
    schema = table.schema()
    needed = (*BASE, *(OUTCOME if outcome else ()))
    faults = [f"snapshots: column {c} is missing" for c in needed if c not in schema]
    faults += _unfit(schema, features)
    if faults:
        raise InputError(*faults)
    columns = {
        "account_id": table["account_id"].cast("string"),
        "cutoff_on": table["cutoff_on"].cast("date"),
        "age_days": table["age_days"].cast("int64"),
    }
    if outcome:
        columns["days_after"] = table["days_after"].cast("int64")
        columns["event"] = table["event"].cast("boolean")
    if "mrr_minor" in schema:
        columns["mrr_minor"] = table["mrr_minor"].cast("int64")
    for name in features:
        column = table[name]
        columns[f"feature {name}"] = column if schema[name].is_string() else _number(column)
    return table.select(**columns)


def _unfit(schema: ibis.Schema, features: Sequence[str]) -> list[str]:
    """List what is wrong with the features."""
    faults = []
    if len(set(features)) < len(features):
        twice = sorted({name for name in features if list(features).count(name) > 1})
        faults.append(f"features: {', '.join(twice)} named twice")
    for name in features:
        if name in {*BASE, *OUTCOME}:
            faults.append(
                f"features: {name} is no feature; tenure is always in the model, keys and what "
                "happened later never are"
            )
        elif name not in schema:
            faults.append(f"snapshots: feature {name} is missing")
        elif not _usable(schema[name]):
            faults.append(
                f"snapshots: feature {name} is {schema[name]}; make it a number, flag or text"
            )
    return faults


def _usable(dtype: dt.DataType) -> bool:
    return bool(dtype.is_numeric() or dtype.is_boolean() or dtype.is_string() or dtype.is_null())


def _number(column: ir.Column) -> ir.Column:
    """Read a number or flag as float; a column of nothing but nulls as missing numbers."""
    return (column.cast("int64") if column.type().is_boolean() else column).cast("float64")


def take_snapshots(
    table: ir.Table, *, horizon_days: int, first_days: float, as_of: date | None, most: int
) -> Snapshots:
    """Fetch snapshots of which at least the first interval is over, at most a stated number.

    Parameters
    ----------
    table : ir.Table
        From `as_snapshots`, with the outcome.
    horizon_days : int
        Horizon of the model, days.
    first_days : float
        End of the first interval, days after the cut-off.
    as_of : date, optional
        Last day that may be used; default: the last day on which the snapshots know anything.
    most : int
        Rows to take at most. Beyond that all snapshots that churned within the horizon are
        kept (at most half of the rows) and the others are sampled by a hash of their key, with
        weights.

    Returns
    -------
    Snapshots
        Nothing in them depends on the order of the rows, or on anything after `as_of`.

    Raises
    ------
    InputError
        If a base column or the outcome is missing in any row, an age is negative, or a key
        repeats.
    """
    latest = last_known(table)
    last = latest if as_of is None else as_of
    known = ibis.literal(last).delta(table["cutoff_on"], unit="day")
    horizon = ibis.least(ibis.literal(horizon_days), known)
    gone = table["event"] & (table["days_after"] <= horizon)
    table = table.mutate(gone=gone).filter(known >= first_days)
    counts = table.group_by("gone").agg(n=ibis._.count()).to_pandas()
    size = {key: int(counts["n"][counts["gone"] == key].sum()) for key in (True, False)}
    rows, taken = _bounded(table, size, most)
    rows = rows.sort_values(["cutoff_on", "account_id"], ignore_index=True)
    if n := int(rows.duplicated(["cutoff_on", "account_id"]).sum()):
        raise InputError(f"snapshots: {n} rows repeat an account at a cut-off; keep one each")
    flag = rows["gone"].to_numpy(dtype=bool)
    share = {key: size[key] / max(taken[key], 1) for key in taken}
    return Snapshots(
        rows=rows.drop(columns="gone"),
        weight=np.where(flag, share[True], share[False]),
        account=pd.factorize(rows["account_id"])[0].astype(np.int64),
        as_of=last,
        n=sum(size.values()),
        note=_sampling(size, taken),
    )


def _bounded(
    table: ir.Table, size: dict[bool, int], most: int
) -> tuple[pd.DataFrame, dict[bool, int]]:
    """Rows in memory and how many of them churned or not; all of them where they fit."""
    if sum(size.values()) <= most:
        return _fetch(table), size
    gone = min(size[True], most - min(size[False], most // 2))
    wanted = {True: gone, False: min(size[False], most - gone)}
    parts = {
        key: _sampled(table.filter(table["gone"] == key), wanted[key], size[key]) for key in wanted
    }
    rows = pd.concat(list(parts.values()), ignore_index=True)
    return rows, {key: len(part) for key, part in parts.items()}


def _sampling(size: dict[bool, int], taken: dict[bool, int]) -> str:
    """How the rows were sampled, in words."""
    if sum(size.values()) == sum(taken.values()):
        return ""
    return (
        f"fitted on {taken[True]:,} of {size[True]:,} snapshots that churned and "
        f"{taken[False]:,} of {size[False]:,} that did not, with weights"
    )


def last_known(table: ir.Table) -> date:
    """Find the last day on which anything is known, once every row states what it must.

    Parameters
    ----------
    table : ir.Table
        From `as_snapshots`, with the outcome.

    Returns
    -------
    date
        The latest cut-off plus the days after it; the epoch where there are no rows.

    Raises
    ------
    InputError
        If a base column or the outcome is missing in any row, or an age or time is negative.
    """
    latest = (table["cutoff_on"] + table["days_after"].as_interval("D")).cast("date").max()
    here = ibis._.count()
    gone = {f"{c} is missing": here - table[c].count() for c in (*BASE, *OUTCOME)}
    below = {f"{c} is negative": (table[c] < 0).sum() for c in ("age_days", "days_after")}
    counts = {key: n.fill_null(0) for key, n in (gone | below).items()}
    row = table.agg(latest=latest, **counts).to_pandas().iloc[0]
    faults = [f"snapshots: {key} in {int(row[key])} rows; drop them" for key in counts if row[key]]
    if faults:
        raise InputError(*faults)
    return date(1970, 1, 1) if pd.isna(row["latest"]) else pd.Timestamp(row["latest"]).date()


def _sampled(table: ir.Table, most: int, n: int) -> pd.DataFrame:
    """About the first `most` rows by hash, never more; which ones does not depend on order."""
    if n <= most:
        return _fetch(table)
    key = table["account_id"] + "|" + table["cutoff_on"].cast("string")
    hashed = table.mutate(hashed=key.hash())
    border = int(min(most / n * 1.2 + 0.01, 1.0) * _SPREAD - _SPREAD / 2) - 1
    few = hashed.filter(hashed["hashed"] <= border)  # so that the sort is of few rows
    order = few.order_by("hashed", "cutoff_on", "account_id").limit(most)
    return _fetch(order.drop("hashed"))


def whole_accounts(table: ir.Table, most: int) -> tuple[pd.DataFrame, str]:
    """Fetch snapshots under the names of their features; of some accounts if there are too many.

    Parameters
    ----------
    table : ir.Table
        From `as_snapshots`.
    most : int
        Rows to take at most. Beyond that accounts are chosen by a hash of their key, with all
        their rows, so that no weights are needed.

    Returns
    -------
    DataFrame, str
        Rows sorted by cut-off and account, and how they were chosen (empty: all).
    """
    n = int(table.count().to_pyarrow().as_py())
    note = ""
    if n > most:
        sizes = table.group_by("account_id").agg(rows=ibis._.count())
        order = ibis.window(order_by=[sizes["account_id"].hash(), sizes["account_id"]], following=0)
        taken = sizes.mutate(total=sizes["rows"].sum().over(order))
        taken = taken.filter(taken["total"] <= most)
        table = table.semi_join(taken, "account_id")
        note = f"judged on at most {most:,} of {n:,} snapshots: whole accounts, chosen by a hash"
    frame = _fetch(table).sort_values(["cutoff_on", "account_id"], ignore_index=True)
    columns = [str(c) for c in frame.columns]
    names = {c: c.removeprefix("feature ") for c in columns if c.startswith("feature ")}
    doubled = [c for c in names.values() if c in columns]  # the MRR may also be a feature
    return frame.drop(columns=doubled).rename(columns=names), note


def _fetch(table: ir.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
