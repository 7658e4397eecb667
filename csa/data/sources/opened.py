"""One canonical table, opened: its source, its plan and all its rows in canonical types."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from csa.data.columns import Column, Table
from csa.data.sources import formats
from csa.data.sources.casts import MISSING, Casts
from csa.data.sources.converted import converted
from csa.data.sources.locate import Located
from csa.data.sources.mapping import Plan, TablePlan, plan
from csa.errors import InputError
from csa.settings import FILE, ColumnMapping, Settings, TableMapping

RAW = "__raw"  # suffix of a column of the source, beside the canonical one made from it
_MISSING = re.compile(MISSING)
_SAMPLE = 2000
_FIRST = r"^(1[3-9]|2[0-9]|3[01])[-/]"
_SECOND = r"^[0-9]{1,2}[-/](1[3-9]|2[0-9]|3[01])[-/]"


@dataclass(frozen=True, slots=True)
class Opened:
    """A canonical table with everything that is needed to read and to judge it."""

    table: Table
    located: Located
    plan: TablePlan
    rows: ir.Table  # canonical columns and attributes, each with its `column__raw`
    risky: tuple[Plan, ...]  # columns whose cast may fail

    @property
    def names(self) -> list[str]:
        """Canonical columns and attributes."""
        return [*(p.column.name for p in self.plan.columns), *self.plan.attributes]

    def place(self, column: str) -> str:
        """Return where csa.yml maps a column.

        Parameters
        ----------
        column : str
            Canonical column.

        Returns
        -------
        str
            Path for messages.
        """
        return f"{FILE}: data.tables.{self.table.name}.columns.{column}"


def open_table(table: Table, located: Located, settings: Settings) -> Opened:
    """Plan, find out date formats, and write the casts.

    Parameters
    ----------
    table : Table
        What is wanted.
    located : Located
        Rows of the source.
    settings : Settings
        Zone, currency and mapping.

    Returns
    -------
    Opened
        Nothing but a sample of dates and the currencies has been read.

    Raises
    ------
    InputError
        With everything that cannot be mapped.
    """
    mapping = settings.data.tables.get(table.name, TableMapping())
    source = dict(located.rows.schema().items())
    planned = plan(table, mapping, source, located.origin)
    if planned.faults:
        raise InputError(*planned.faults)
    planned = _with_formats(planned, located, table.name)
    text = any(file.kind == "csv" for file in located.files)
    casts = Casts(settings.timezone, engine=located.backend.name, trimmed=text)
    rows = located.rows.select(**_expressions(planned, located.rows, casts, table.name))
    risky = tuple(p for p in planned.columns if p.source and _may_fail(source[p.source], p))
    return converted(Opened(table, located, planned, rows, risky), settings)


def _expressions(
    planned: TablePlan, rows: ir.Table, casts: Casts, table: str
) -> dict[str, ir.Value]:
    out: dict[str, ir.Value] = {}
    faults = []
    for made in planned.columns:
        column = made.column
        place = f"{FILE}: data.tables.{table}.columns.{column.name}"
        try:
            out[column.name] = _value(made, rows, casts)
        except InputError as error:
            faults.append(f"{place}: {error}")
            continue
        if made.source is not None:
            out[column.name + RAW] = rows[made.source]
    if faults:
        raise InputError(*faults)
    for name, source in planned.attributes.items():
        given = rows[source]
        out[name] = casts.text(given) if given.type().is_string() else given
        out[name + RAW] = given
    return out


def _value(made: Plan, rows: ir.Table, casts: Casts) -> ir.Value:
    if made.source is not None:
        value = casts.cast(rows[made.source], made.column.kind, made.mapping)
        return value.cast(made.column.ibis_type)
    if made.mapping.value is None:
        return ibis.null(made.column.ibis_type)
    return ibis.literal(_constant(made.column, made.mapping.value), made.column.ibis_type)


def _constant(column: Column, value: Any) -> Any:
    text = str(value)
    try:
        if column.kind == "date":
            return date.fromisoformat(text)
        if column.kind == "time":
            return datetime.fromisoformat(text).replace(tzinfo=None)
        if column.kind in {"money", "number", "integer"}:
            number = Decimal(text)
            return {"money": number, "number": float(number), "integer": int(number)}[column.kind]
    except (ValueError, InvalidOperation) as error:
        raise InputError(f'"{text}" is not a {column.kind}') from error
    if column.kind == "flag" and not isinstance(value, bool):
        raise InputError(f'"{text}" is not true or false')
    return value if column.kind == "flag" else text


def _may_fail(source: dt.DataType, made: Plan) -> bool:
    kind = made.column.kind
    if kind in {"id", "text"} or source.is_null():
        return False
    if source.is_string() or made.mapping.format is not None:
        return True
    exact = {"integer": source.is_integer(), "flag": source.is_boolean()}
    return not exact.get(kind, True)


# date formats ----------------------------------------------------------------------------------


def _with_formats(planned: TablePlan, located: Located, table: str) -> TablePlan:
    """Find out the formats of dates in text where csa.yml does not state them."""
    source = located.rows.schema()
    open_ones = [
        p
        for p in planned.columns
        if p.column.kind in {"date", "time"}
        and p.source is not None
        and source[p.source].is_string()
        and p.mapping.format is None
    ]
    if not open_ones:
        return planned
    heads = _heads(located, [str(p.source) for p in open_ones])
    found = {p.column.name: _detected(located, str(p.source), heads) for p in open_ones}
    clear = {d.format for d in found.values() if d.format and not d.rival}
    settled: dict[str, ColumnMapping] = {}
    faults = []
    for made in open_ones:
        detected = found[made.column.name]
        if detected.rival and not {detected.format, detected.rival} & clear:
            faults.append(_ambiguous(made, detected, located.origin, table))
        form = detected.rival if detected.rival in clear else detected.format
        form = None if form == formats.ISO else form
        settled[made.column.name] = made.mapping.model_copy(update={"format": form})
    if faults:
        raise InputError(*faults)
    columns = (
        replace(p, mapping=settled[p.column.name]) if p.column.name in settled else p
        for p in planned.columns
    )
    return replace(planned, columns=tuple(columns))


def _detected(located: Located, column: str, heads: Mapping[str, list[str]]) -> formats.Detected:
    text = located.rows[column].strip()
    values = heads[column] or _texts(located, text)
    detected = formats.detect(values)
    if detected.rival is None:
        return detected
    # the first rows do not tell day from month: ask them all
    form = str(detected.format)
    counts = located.rows.aggregate(
        first=text.re_search(_FIRST).sum().fill_null(0),
        second=text.re_search(_SECOND).sum().fill_null(0),
    )
    first, second = located.backend.to_pyarrow(counts).to_pylist()[0].values()
    if first == second:  # as a rule both 0
        return detected
    by_day = form if form.startswith("%d") else detected.rival
    by_month = detected.rival if by_day == form else form
    return formats.Detected(by_day if first > second else by_month, share=detected.share)


def _heads(located: Located, columns: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each column in the first rows, in one query."""
    head = located.rows.limit(_SAMPLE).select(*dict.fromkeys(columns))
    found = located.backend.to_pyarrow(head)
    return {c: _present(found[c].to_pylist()) for c in columns}


def _texts(located: Located, text: ir.StringValue) -> list[str]:
    """Return values from anywhere, where the first rows have none."""
    rest = located.rows.select(value=text)
    rest = rest.filter(~rest.value.lower().re_search(MISSING)).limit(_SAMPLE)
    return _present(located.backend.to_pyarrow(rest)["value"].to_pylist())


def _present(values: Sequence[str | None]) -> list[str]:
    trimmed = (value.strip() for value in values if value is not None)
    return [value for value in trimmed if _MISSING.match(value.lower()) is None]


def _ambiguous(made: Plan, detected: formats.Detected, origin: str, table: str) -> str:
    name = made.column.name
    return (
        f'{FILE}: data.tables.{table}.columns.{name}: dates in "{made.source}" of {origin} can be '
        f"read as {detected.format} and as {detected.rival}; state which: "
        f'{name}: {{from: {made.source}, format: "{detected.format}"}}'
    )
