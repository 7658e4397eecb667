"""Which column of a source becomes which canonical column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.datatypes as dt

from csa.data.columns import Column, Table
from csa.data.sources.casts import refusal
from csa.settings import FILE, ColumnMapping, TableMapping
from csa.settings_rules import did_you_mean


@dataclass(frozen=True, slots=True)
class Plan:
    """How one canonical column is made; neither source nor constant: it is missing."""

    column: Column
    source: str | None
    mapping: ColumnMapping

    @property
    def mapped(self) -> bool:
        """Whether the column can hold a value."""
        return self.source is not None or self.mapping.value is not None


@dataclass(frozen=True, slots=True)
class TablePlan:
    """How a canonical table is made from the columns of its source."""

    columns: tuple[Plan, ...]
    attributes: Mapping[str, str]  # name here to column of the source, for open tables
    faults: tuple[str, ...]

    def of(self, name: str) -> Plan | None:
        """Return the plan of one column.

        Parameters
        ----------
        name : str
            Canonical column.

        Returns
        -------
        Plan or None
            None where the table does not declare it.
        """
        return next((p for p in self.columns if p.column.name == name), None)


def plan(
    table: Table, mapping: TableMapping, source: Mapping[str, dt.DataType], origin: str
) -> TablePlan:
    """Match canonical columns with those of a source.

    Parameters
    ----------
    table : Table
        What is wanted.
    mapping : TableMapping
        What csa.yml says; columns it does not name are matched by their own name.
    source : mapping of str to DataType
        Columns that are there.
    origin : str
        Where they are, for messages.

    Returns
    -------
    TablePlan
        With all faults at once, each with its path in csa.yml.
    """
    place = f"{FILE}: data.tables.{table.name}"
    wanted = dict(mapping.columns)
    if mapping.observed_from not in {None, "always"} and not isinstance(
        mapping.observed_from, date
    ):
        wanted["observed_from"] = ColumnMapping.model_validate({"from": mapping.observed_from})
    faults = _unknown(table, wanted, place)
    plans = []
    for column in table.columns:
        made = _column(column, wanted.get(column.name), source)
        plans.append(made)
        faults += [
            f"{place}.columns.{column.name}: {fault}"
            for fault in _faults(made, wanted, source, origin)
        ]
    attributes = _attributes(table, wanted, source, plans) if table.open else {}
    faults += [
        f"{place}.columns.{name}: {_absent(column, source, origin)}"
        for name, column in attributes.items()
        if column not in source
    ]
    return TablePlan(tuple(plans), attributes, tuple(faults))


def _unknown(table: Table, wanted: Mapping[str, ColumnMapping], place: str) -> list[str]:
    known = [c.name for c in table.columns]
    if table.open:
        return []
    return [
        f"{place}.columns.{name}: {table.name} has no such column"
        f"{did_you_mean(name, known) or '; it has ' + ', '.join(known)}"
        for name in wanted
        if name not in known
    ]


def _column(
    column: Column, mapping: ColumnMapping | None, source: Mapping[str, dt.DataType]
) -> Plan:
    if mapping is not None and mapping.constant:
        return Plan(column, None, mapping)
    wanted = (mapping.from_ if mapping else None) or column.name
    stated = mapping is not None
    found = _match(wanted, source)
    return Plan(column, found or (wanted if stated else None), mapping or ColumnMapping())


def _match(name: str, source: Mapping[str, dt.DataType]) -> str | None:
    """Column of this name; where case differs, only if it is the only one."""
    if name in source:
        return name
    alike = [c for c in source if c.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def _faults(
    made: Plan,
    wanted: Mapping[str, ColumnMapping],
    source: Mapping[str, dt.DataType],
    origin: str,
) -> list[str]:
    column = made.column
    if made.source is not None and made.source not in source:
        return [_absent(made.source, source, origin)]
    if column.required and not made.mapped:
        if column.name in wanted:
            return ["required, so it cannot be missing everywhere"]
        absent = _absent(column.name, source, origin)
        return [f"required, but {absent}; map it as {column.name}: COLUMN"]
    if made.source is not None:
        refused = refusal(source[made.source], column.kind, made.mapping)
        return [f'column "{made.source}" in {origin} {refused}'] if refused else []
    return []


def _absent(name: str, source: Mapping[str, dt.DataType], origin: str) -> str:
    hint = did_you_mean(name, source) or f"; it has {_some(list(source))}"
    return f'no column "{name}" in {origin}{hint}'


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _attributes(
    table: Table,
    wanted: Mapping[str, ColumnMapping],
    source: Mapping[str, dt.DataType],
    plans: Sequence[Plan],
) -> dict[str, str]:
    """Further columns of an open table: those mapped to names of their own, then the rest."""
    canonical = {c.name.casefold() for c in table.columns}
    stated = {
        name: _match(how.from_ or name, source) or how.from_ or name
        for name, how in wanted.items()
        if name.casefold() not in canonical and not how.constant
    }
    used = {p.source for p in plans} | set(stated.values())
    taken = canonical | {name.casefold() for name in wanted}
    rest = {c: c for c in source if c not in used and c.casefold() not in taken}
    return stated | rest
