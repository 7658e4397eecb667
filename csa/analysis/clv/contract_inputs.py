"""Spells and months reduced in the engine to what the value under contract is computed from."""

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.analysis.clv.contract_rows import impossible
from csa.errors import InputError
from csa.methods.lifetable import LifeTable, tabulate_counts

ALL = "all"  # label of the figures over all groups
NOT_STATED = "not stated"
SPELLS = {
    "account_id": "string",
    "group": "string",
    "start_on": "date",
    "end_on": "date",
    "entry_days": "int64",
    "exit_days": "int64",
    "event": "boolean",
    "mrr_minor": "int64",
}
MONTHS = {
    "account_id": "string",
    "group": "string",
    "month": "int64",
    "mrr_minor": "int64",
    "previous_minor": "int64",
}


def checked(table: ir.Table | pd.DataFrame, name: str, kinds: dict[str, str]) -> ir.Table:
    """Take the columns that are used, of their kinds, groups as text that is no total.

    Parameters
    ----------
    table : ir.Table or DataFrame
        Roll-up; a frame is wrapped.
    name : str
        Its name, for messages.
    kinds : dict of str to str
        Columns needed and their types.

    Returns
    -------
    ir.Table
        The columns asked for.

    Raises
    ------
    InputError
        With all columns that are missing.
    """
    rows = ibis.memtable(table) if isinstance(table, pd.DataFrame) else table
    if absent := [column for column in kinds if column not in rows.columns]:
        raise InputError(
            *(f"{name}: column {c} is missing; take workspace.{name}()" for c in absent)
        )
    rows = rows.select(**{column: rows[column].cast(kind) for column, kind in kinds.items()})
    if "group" not in kinds:
        return rows
    stated = rows.group.fill_null(NOT_STATED)
    quoted = ibis.literal(f'"{ALL}"')  # a group that is called "all" is not the total
    return rows.mutate(group=ibis.ifelse(stated == ALL, quoted, stated))


def refuse_spells(spells: ir.Table) -> None:
    """Refuse ages and events that are missing or impossible, all faults at once.

    Parameters
    ----------
    spells : ir.Table
        Checked spells.

    Raises
    ------
    InputError
        With the number of rows at fault.
    """
    wrong = impossible(spells)
    counts = spells.agg(**{f"n{i}": test.sum() for i, test in enumerate(wrong.values())})
    found = counts.to_pandas().iloc[0].astype("float64").fillna(0.0)
    faults = [
        f"spells: {text} in {int(n)} rows; correct or drop them"
        for text, n in zip(wrong, found, strict=True)
        if n
    ]
    if faults:
        raise InputError(*faults)


def life_tables(spells: ir.Table) -> dict[str, LifeTable]:
    """Life tables in days per group, `all` first, late entries as they are.

    Parameters
    ----------
    spells : ir.Table
        Checked spells.

    Returns
    -------
    dict of str to LifeTable
        Spells that were never seen at risk (they ended before they came under observation) are
        left out.
    """
    seen = spells.filter((spells.exit_days > spells.entry_days) | (spells.entry_days == 0))
    ends = seen.group_by("group", "exit_days").agg(n=seen.count(), events=seen.event.sum())
    late = seen.filter(seen.entry_days > 0)
    entries = late.group_by("group", "entry_days").agg(n=late.count()).to_pandas()
    exits = ends.to_pandas()
    names = sorted(exits["group"].unique())
    parts = {name: (exits["group"] == name, entries["group"] == name) for name in names}
    everything = (exits["n"] >= 0, entries["n"] >= 0)
    return {
        name: tabulate_counts(
            exits.loc[e, "exit_days"].to_numpy(),
            events=exits.loc[e, "events"].to_numpy(),
            censored=(exits.loc[e, "n"] - exits.loc[e, "events"]).to_numpy(),
            entry=entries.loc[b, "entry_days"].to_numpy(),
            entry_count=entries.loc[b, "n"].to_numpy(),
        )
        for name, (e, b) in {ALL: everything, **parts}.items()
    }


def cells(accounts: ir.Table) -> pd.DataFrame:
    """Sum what is paid by group, cohort and age: all that values are linear in.

    Parameters
    ----------
    accounts : ir.Table
        From `running`.

    Returns
    -------
    DataFrame
        `group`, `cohort`, `age_months`, `accounts`, `mrr` (minor units), `mrr_square`.
    """
    mrr = accounts.mrr_minor
    sums = accounts.group_by("group", "cohort", "age_months").agg(
        accounts=accounts.count(),
        mrr=mrr.sum().cast("float64"),
        mrr_square=(mrr.cast("float64") ** 2).sum(),
    )
    found: pd.DataFrame = sums.order_by("group", "cohort", "age_months").to_pandas()
    return found
