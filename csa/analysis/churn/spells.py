"""Spells reduced in the engine: any number of rows become counts per group and age.

Shared by every analysis that works on ages. A spell is one uninterrupted time as a customer:
`group`, `entry_days` (age at which it came under observation, 0: from its start), `exit_days`
(age at its end, or at the first day that is not known yet) and `event` (it ended in churn).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.errors import InputError
from csa.methods.lifetable import LifeTable, tabulate_counts

ALL = "all"  # label of the figures over all groups
NOT_STATED = "not stated"  # label of spells without a group
KINDS = {
    "group": "text",
    "entry_days": "integer",
    "exit_days": "integer",
    "event": "flag",
    "start_on": "date",
    "cause": "text",
    "censoring": "text",
}
WAY_OUT = (
    "take workspace.spells() or spells_from(frame, as_of=..., observed_from=...): a tenure and a "
    "flag do not say since when leaving accounts were recorded"
)
WHOLE_DAYS = "whole days; take them from dates, since ages rounded to months shift the curve"
WANTED = {"entry_days": WHOLE_DAYS, "exit_days": WHOLE_DAYS}
TYPES = {"text": "string", "integer": "int64", "flag": "boolean", "date": "date"}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SpellCounts:
    """Life tables per group, `all` first, and how many spells came late or were never seen."""

    tables: Mapping[str, LifeTable]
    entered_late: Mapping[str, int]
    never_seen: int  # ended at or before the age at which they would have come under observation


def as_spells(spells: ir.Table | pd.DataFrame, *columns: str) -> ir.Table:
    """Check the columns of spells and take only those that are used.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        One row per spell; a frame is wrapped.
    *columns : str
        Columns that are needed.

    Returns
    -------
    ir.Table
        The columns asked for, dates as dates.

    Raises
    ------
    InputError
        With all columns that are missing or of the wrong kind.
    """
    table = ibis.memtable(spells) if isinstance(spells, pd.DataFrame) else spells
    schema = table.schema()
    faults = []
    for name in columns:
        if name not in schema:
            faults.append(f"spells: column {name} is missing; {WAY_OUT}")
        elif not _fits(schema[name], KINDS[name]):
            faults.append(
                f"spells: column {name} is {schema[name]}, not {WANTED.get(name, KINDS[name])}"
            )
    faults += _misread(spells, columns)
    if faults:
        raise InputError(*faults)
    kept = table.select(*columns)
    # a column of an empty frame has no type, a frame's days are timestamps
    recast = [c for c in columns if schema[c].is_null() or schema[c].is_timestamp()]
    typed = {c: kept[c].cast(TYPES[KINDS[c]]) for c in recast}
    return kept.mutate(**typed) if typed else kept


def _misread(spells: ir.Table | pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return what would be counted as something that it is not."""
    faults = []
    if "group" in columns and "group_known_on" in spells.columns:
        faults.append(
            "spells: groups were joined on the way (group_known_on); an account had to stay to "
            "join, so counting it from its start makes any group look safe: take "
            "split_when_known(spells) or landmark(spells, at_days=...)"
        )
    own = isinstance(spells, pd.DataFrame) and {"cause", "event"} <= set(spells.columns)
    if own and (n := int((spells["cause"].notna() & ~spells["event"].astype("boolean")).sum())):
        faults.append(
            f"spells: {n} rows have a cause of churn and event False; an account that left for "
            "another cause is not censored: take causes.incidence(spells) to tell causes apart"
        )
    return faults


def _fits(dtype: ibis.expr.datatypes.DataType, kind: str) -> bool:
    """Whether a column can be used; a column of nothing but nulls can (an empty frame)."""
    if dtype.is_null():
        return True
    return bool(
        {
            "text": dtype.is_string(),
            "integer": dtype.is_integer(),
            "flag": dtype.is_boolean(),
            "date": dtype.is_date() or dtype.is_timestamp(),
        }[kind]
    )


def group_labels(names: pd.Series) -> pd.Series:
    """Write groups as text that cannot be taken for the total.

    Parameters
    ----------
    names : Series
        Groups as they stand in the data.

    Returns
    -------
    Series
        Missing groups read "not stated"; a group that is called "all" stands in quotes.
    """
    return names.fillna(NOT_STATED).astype(str).replace(ALL, f'"{ALL}"')


def count_spells(spells: ir.Table | pd.DataFrame) -> SpellCounts:
    """Life tables per group and over all groups.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        `group`, `entry_days`, `exit_days`, `event`.

    Returns
    -------
    SpellCounts
        Only "all" where there is at most one group.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, or an age is missing or negative.
    """
    table = as_spells(spells, "group", "entry_days", "exit_days", "event")
    ends, entries = _margins(table)
    never_seen = int(entries.loc[entries["unseen"], "n"].sum())
    entries = entries.loc[~entries["unseen"]]
    tables = {ALL: _pooled(ends, entries)}
    late = {ALL: int(entries["n"].sum())}
    groups = sorted(ends["group"].unique())
    for name in groups if len(groups) > 1 else []:
        came = entries.loc[entries["group"] == name]
        tables[name] = _pooled(ends.loc[ends["group"] == name], came)
        late[name] = int(came["n"].sum())
    return SpellCounts(tables=tables, entered_late=late, never_seen=never_seen)


def _pooled(ends: pd.DataFrame, entries: pd.DataFrame) -> LifeTable:
    return tabulate_counts(
        ends["exit_days"].to_numpy(),
        events=ends["events"].to_numpy(),
        censored=(ends["n"] - ends["events"]).to_numpy(),
        entry=entries["entry_days"].to_numpy(),
        entry_count=entries["n"].to_numpy(),
    )


def _margins(table: ir.Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two GROUP BYs: spells by (group, exit), and late ones by (group, entry).

    The number at risk at an age is what entered before it less what left before it, so these
    two margins are all that survival needs; their joint distribution never leaves the engine.
    """
    no, yes = ibis.literal(value=False), ibis.literal(value=True)
    count = {"n": ibis._.count()}
    late = table.filter((table["entry_days"] != 0).fill_null(yes))
    late = late.mutate(unseen=late["exit_days"] <= late["entry_days"])
    entries = fetch_counts(late.group_by("group", "entry_days", "unseen").agg(**count))
    if len(entries):  # else the engine need not read the column again
        never = (table["entry_days"] > 0) & (table["exit_days"] <= table["entry_days"])
        table = table.filter(~never.fill_null(no))
    event = {"known": ibis._.event.count(), "events": ibis._.event.sum().fill_null(0)}
    ends = fetch_counts(table.group_by("group", "exit_days").agg(**count, **event))
    refuse_ages(ends, entries)
    ends = ends.astype({"exit_days": "int64", "events": "int64"})
    return ends, entries.astype({"entry_days": "int64", "unseen": "bool"})


def fetch_counts(counts: ir.Table) -> pd.DataFrame:
    """Fetch counts, groups as categories: there are few names and many rows.

    Parameters
    ----------
    counts : ir.Table
        With a column `group`.

    Returns
    -------
    DataFrame
        The same, groups as `group_labels` writes them.
    """
    frame: pd.DataFrame = counts.to_pyarrow().to_pandas(strings_to_categorical=True)
    found = frame["group"].cat
    labels = group_labels(pd.Series([*found.categories, None], dtype=object))  # None: code -1
    codes, names = pd.factorize(labels)
    return frame.assign(group=pd.Categorical.from_codes(codes[found.codes].tolist(), names))


def refuse_ages(ends: pd.DataFrame, entries: pd.DataFrame) -> None:
    """Refuse ages and events that are missing or impossible, all faults at once.

    Parameters
    ----------
    ends, entries : DataFrame
        Counts `n` by `exit_days` (with `known`, the rows whose event is known) and by
        `entry_days`.

    Raises
    ------
    InputError
        With the number of rows at fault.
    """
    faults = []
    for name, frame in (("exit_days", ends), ("entry_days", entries)):
        rows = frame[name].isna() | (frame[name] < 0)
        if n := int(frame.loc[rows, "n"].sum()):
            faults.append(
                f"spells: {name} is missing or negative in {n} rows; correct or drop them"
            )
    if n := int((ends["n"] - ends["known"]).sum()):
        faults.append(f"spells: event is missing in {n} rows; it is true or false")
    if faults:
        raise InputError(*faults)
