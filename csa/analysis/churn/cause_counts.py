"""Why accounts left, counted in the engine: spells per cause by age or by day, per group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

# one way to fetch counts and to refuse ages, shared with the life tables of all causes together
from csa.analysis.churn.spells import ALL, NOT_STATED, as_spells, fetch_counts, refuse_ages
from csa.errors import InputError
from csa.methods.causetable import CauseTable, cause_table
from csa.methods.lifetable import tabulate_counts

CAUSES = ("voluntary", "involuntary", "downgrade")  # downgrade: contraction to zero
OTHER = "other reasons"
STAYED = -1  # place of the cause of a spell without event


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CauseCounts:
    """Life tables with causes per group, `all` first, and what came late or was never seen."""

    tables: Mapping[str, CauseTable]
    entered_late: Mapping[str, int]
    never_seen: int  # ended at or before the age at which they would have come under observation


def count_causes(spells: ir.Table | pd.DataFrame, *, causes: Sequence[str] = CAUSES) -> CauseCounts:
    """Life tables with causes per group and over all groups.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        `group`, `entry_days`, `exit_days`, `event`, `cause` (text; missing: not stated).
    causes : sequence of str
        Causes told apart. All others are "other reasons", the missing ones "not stated"; these
        two are listed only where there are any.

    Returns
    -------
    CauseCounts
        Only "all" where there is at most one group.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, an age is missing or negative, or `causes`
        repeats a name.

    Notes
    -----
    Two GROUP BYs, as for the life tables of all causes together: spells by (group, exit) with a
    count per cause, and late ones by (group, entry). However many causes the data name, there
    are as many rows as groups times ages.
    """
    table = with_place(spells, "entry_days", "exit_days", causes=causes)
    ends, entries = _margins(table, [*causes, OTHER, NOT_STATED])
    names = [*causes, *(name for name in (OTHER, NOT_STATED) if ends[name].any())]
    unseen = entries["unseen"].to_numpy()
    never_seen = int(entries.loc[unseen, "n"].sum())
    entries = entries.loc[~unseen]
    tables = {ALL: _pooled(ends, entries, names)}
    late = {ALL: int(entries["n"].sum())}
    exits_of, entries_of = (
        {str(name): rows for name, rows in frame.groupby("group", observed=True)}
        for frame in (ends, entries)
    )
    for name in sorted(exits_of) if len(exits_of) > 1 else []:
        came = entries_of.get(name, entries.iloc[:0])
        tables[name] = _pooled(exits_of[name], came, names)
        late[name] = int(came["n"].sum())
    return CauseCounts(tables=tables, entered_late=late, never_seen=never_seen)


def _margins(table: ir.Table, names: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spells by (group, exit) with a column per cause, and late ones by (group, entry)."""
    late = table.filter((table["entry_days"] != 0).fill_null(ibis.literal(value=True)))
    late = late.mutate(unseen=late["exit_days"] <= late["entry_days"])
    entries = fetch_counts(late.group_by("group", "entry_days", "unseen").agg(n=ibis._.count()))
    if len(entries):  # else the engine need not read the column again
        never = (table["entry_days"] > 0) & (table["exit_days"] <= table["entry_days"])
        table = table.filter(~never.fill_null(ibis.literal(value=False)))
    known = {"n": table.count(), "known": table["event"].count()}
    ends = fetch_counts(
        table.group_by("group", "exit_days").agg(**known, **_per_place(table, names))
    )
    refuse_ages(ends, entries)
    return _named(ends, names), entries.astype({"unseen": "bool"})


def _pooled(ends: pd.DataFrame, entries: pd.DataFrame, names: Sequence[str]) -> CauseTable:
    """Life table of the rows given."""
    exits = ends["exit_days"].to_numpy()
    counts = [ends[name].to_numpy() for name in names]
    events = np.sum(counts, axis=0)
    table = tabulate_counts(
        exits,
        events=events,
        censored=ends["n"].to_numpy() - events,
        entry=entries["entry_days"].to_numpy(),
        entry_count=entries["n"].to_numpy(),
    )
    place = np.searchsorted(table.time, exits)
    size = len(table.time)
    by_cause = [np.bincount(place, weights=n, minlength=size) for n in counts]
    return cause_table(table, np.array(by_cause), names)


def with_place(
    spells: ir.Table | pd.DataFrame, *columns: str, causes: Sequence[str] = CAUSES
) -> ir.Table:
    """Check spells and write their causes as numbers, which are counted faster than texts.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        `group`, `event`, `cause` and the columns asked for; a frame is wrapped.
    *columns : str
        Further columns that are needed.
    causes : sequence of str
        Causes that are told apart.

    Returns
    -------
    ir.Table
        `group`, `event`, the columns asked for, and `place`: that of the cause among `causes`,
        "other reasons" and "not stated"; -1 without event.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, or `causes` repeats a name.
    """
    table = ibis.memtable(spells) if isinstance(spells, pd.DataFrame) else spells
    names = ("group", "event", *columns)
    faults = _faults(table, causes)
    try:
        types = as_spells(spells, *names).schema()
    except InputError as error:
        raise InputError(*error.faults, *faults) from error
    if faults:
        raise InputError(*faults)
    cause = table["cause"].cast("string")
    unknown = cause.fill_null("").isin(["", NOT_STATED])
    place = ibis.cases(
        (~table["event"].cast("boolean"), STAYED),
        *((cause == name, k) for k, name in enumerate(causes)),
        (unknown, len(causes) + 1),
        else_=len(causes),
    )
    return table.select(**{n: table[n].cast(types[n]) for n in names}, place=place)


def _faults(table: ir.Table, causes: Sequence[str]) -> list[str]:
    """Say what is wrong with the column of causes, or with the causes asked for."""
    faults = []
    names = [*causes, OTHER, NOT_STATED]
    if len(set(names)) < len(names) or "" in names or not causes:
        faults.append(
            f"causes: {list(causes)}: name at least one, none twice, none empty, and neither "
            f'"{OTHER}" nor "{NOT_STATED}", which are made here'
        )
    if "cause" not in table.columns:
        faults.append(
            "spells: column cause is missing; map end_reason of subscriptions in csa.yml, or add "
            "an empty column: all churn is then not stated"
        )
    elif not ((kind := table.schema()["cause"]).is_string() or kind.is_null()):
        faults.append(f"spells: column cause is {kind}, not text")
    return faults


def churned_by(table: ir.Table, key: str, *, causes: Sequence[str] = CAUSES) -> pd.DataFrame:
    """Count churned spells per group and key, with a column per cause.

    Parameters
    ----------
    table : ir.Table
        From `with_place`, with the column to count by.
    key : str
        Column to count by.
    causes : sequence of str
        Causes told apart.

    Returns
    -------
    DataFrame
        `group`, the key, and counts in one column per cause, "other reasons", "not stated".
    """
    names = [*causes, OTHER, NOT_STATED]
    table = table.filter(table["place"] != STAYED)
    return _named(fetch_counts(table.group_by("group", key).agg(**_per_place(table, names))), names)


def _per_place(table: ir.Table, names: Sequence[str]) -> dict[str, ir.IntegerScalar]:
    """Count the spells of each cause."""
    return {f"place {k}": table.count(where=table["place"] == k) for k in range(len(names))}


def _named(counts: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Call the counts after their causes."""
    return counts.rename(columns={f"place {k}": name for k, name in enumerate(names)})
