"""Values that cannot be cast: single ones are counted, whole columns are refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from csa.data.columns import Column
from csa.data.engine import first_line
from csa.data.sources import formats
from csa.data.sources.casts import present
from csa.data.sources.mapping import Plan
from csa.data.sources.opened import RAW, Opened
from csa.data.sources.readers import DataFile

HOPELESS = 3  # a column of which so many values, and no other, fail is mapped wrongly
SYSTEMATIC = 0.001  # share of values in a second date format from which on it is no slip
_SAMPLE = 20_000
_WORDS = {
    "date": "a date",
    "time": "a time",
    "money": "an amount",
    "number": "a number",
    "integer": "a whole number",
    "flag": "true or false",
}


@dataclass(frozen=True, slots=True)
class Uncast:
    """Values of one column that are not what the column holds; they are missing in the table."""

    table: str
    column: str
    kind: str
    failing: int
    present: int  # values that are not missing in the source
    examples: tuple[str, ...]  # up to three, as in: S-17 ("n/a yet")


def scan(opened: Opened, rows: ir.Table) -> tuple[Uncast, ...]:
    """Count what could not be cast, in one query, and fetch examples where there are any.

    Parameters
    ----------
    opened : Opened
        The table.
    rows : ir.Table
        Its rows that count, with their raw columns.

    Returns
    -------
    tuple of Uncast
        One per column whose cast may fail, also where no value does.
    """
    if not opened.risky and not opened.located.files:
        return ()
    counts: dict[str, ir.Value] = {"rows": rows.count()}
    if opened.located.files:  # read them to their end now, so that they do not fail later
        read = [n for n in opened.names if n + RAW in rows.columns]
        # a digest, because a count is answered from the statistics of a Parquet file
        counts |= {f"{name}/read": rows[name + RAW].hash().max() for name in read}
    for made in opened.risky:
        name = made.column.name
        counts[f"{name}/cast"] = rows[name].count()
        counts[f"{name}/failing"] = rows.count(where=_failing(rows, made.column))
    found = opened.located.backend.to_pyarrow(rows.aggregate(**counts)).to_pylist()[0]
    uncast = []
    for made in opened.risky:
        name, kind = made.column.name, made.column.kind
        failing = int(found[f"{name}/failing"])
        examples = _examples(opened, rows, made.column) if failing else ()
        held = failing + int(found[f"{name}/cast"])
        uncast.append(Uncast(opened.table.name, name, kind, failing, held, examples))
    return tuple(uncast)


def faults(opened: Opened, rows: ir.Table, scanned: tuple[Uncast, ...]) -> list[str]:
    """Return the columns that are mapped wrongly or spelled in two ways.

    Parameters
    ----------
    opened : Opened
        The table.
    rows : ir.Table
        Its rows that count, with their raw columns.
    scanned : tuple of Uncast
        What could not be cast.

    Returns
    -------
    list of str
        One line per column, with its path in csa.yml.
    """
    lines = []
    plans = {p.column.name: p for p in opened.risky}
    for column in scanned:
        made = plans[column.column]
        line = None
        if column.failing and column.kind in {"date", "time"}:
            line = _second_format(opened, rows, made, column)
        if line is None and column.failing == column.present >= HOPELESS:
            line = _hopeless(opened, made, column)
        if line is not None:
            lines.append(f"{opened.place(column.column)}: {line}")
    return lines


def reading_fault(error: Exception, files: Sequence[DataFile] = ()) -> str:
    """Say why an engine could not read on, in the reader's words.

    Parameters
    ----------
    error : Exception
        From an engine.
    files : sequence of DataFile
        What it read; their folders are left out.

    Returns
    -------
    str
        With the line of a CSV where there is one.
    """
    text = str(error)
    short = first_line(error)
    for path in (path for file in files for path in file.paths):
        short = short.replace(str(path), path.name)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    if line is None:
        return f"cannot be read: {short}"
    width = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if width:
        return (
            f"cannot be read: line {line[1]} has {width[2]} columns, the header {width[1]}; "
            "repair the line (a value that holds the delimiter must be quoted)"
        )
    if "unicode" in text:
        return (
            f"cannot be read: line {line[1]} is not UTF-8; state its encoding in csa.yml, for "
            "example encoding: latin-1, or save it as UTF-8"
        )
    if "quote" in text.lower():
        return f"cannot be read: a quoted value that begins in line {line[1]} does not end"
    return f"cannot be read: line {line[1]} is broken"


def _failing(rows: ir.Table, column: Column) -> ir.BooleanValue:
    """Return whether a value is there in the source, but could not be cast."""
    there = present(rows[column.name + RAW], column.kind).notnull()
    return ibis.ifelse(rows[column.name].isnull(), there, ibis.literal(value=False))


def _examples(opened: Opened, rows: ir.Table, column: Column) -> tuple[str, ...]:
    keys = [k for k in opened.table.key if k != column.name]
    mapped = all((p := opened.plan.of(k)) is not None and p.mapped for k in keys)
    if keys and mapped:
        label = ibis.literal("/").join([rows[k].cast("string").fill_null("?") for k in keys])
    elif opened.located.files:  # in the order of the file
        rows = rows.mutate(row__number=ibis.row_number() + 1)
        label = ibis.literal("row ") + rows["row__number"].cast("string")
    else:
        label = ibis.literal("a row")
    rows = rows.mutate(label__=label)
    found = rows.filter(_failing(rows, column))
    found = found.select(label="label__", value=found[column.name + RAW].cast("string"))
    first = opened.located.backend.to_pyarrow(found.order_by("label", "value").limit(3))
    return tuple(f"{r['label']} ({_shown(r['value'])})" for r in first.to_pylist())


def _second_format(opened: Opened, rows: ir.Table, made: Plan, column: Uncast) -> str | None:
    """Words for a column whose failing values all have one other known format."""
    bad = _values(opened, rows.filter(_failing(rows, made.column)), column.column, _SAMPLE)
    detected = formats.detect(bad)
    current = made.mapping.format or formats.ISO
    if detected.share < 1 or detected.format == current or column.failing == column.present:
        return None
    if column.failing / column.present < SYSTEMATIC:
        return None
    good = _values(opened, rows.filter(rows[column.column].notnull()), column.column, 1)
    return (
        f'two date formats in "{made.source}" of {opened.located.origin}: '
        f"{column.present - column.failing:,} values as {current} ({_shown(good[0])}), "
        f"{column.failing:,} as {detected.format} ({_shown(bad[0])}); export it with one format, "
        "or make them one with query"
    )


def _hopeless(opened: Opened, made: Plan, column: Uncast) -> str:
    bad = [e.partition(" (")[2].removesuffix(")") for e in column.examples]
    way = "map another column"
    if column.kind in {"date", "time"}:
        way = f'state its format, as in {{from: {made.source}, format: "%d-%m-%Y"}}, or {way}'
    elif column.kind in {"money", "number"}:
        way = f'state decimal: "," where commas are decimal signs, or {way}'
    return (
        f'no value of "{made.source}" in {opened.located.origin} is {_WORDS[column.kind]} '
        f"(for example {bad[0]}); {way}"
    )


def _values(opened: Opened, rows: ir.Table, name: str, limit: int) -> list[Any]:
    found = opened.located.backend.to_pyarrow(
        rows.select(value=rows[name + RAW].cast("string")).limit(limit)
    )
    return [v.strip() for v in found["value"].to_pylist() if v is not None]


def _shown(value: object) -> str:
    text = str(value).strip()
    return f'"{text if len(text) <= 40 else text[:37] + "..."}"'
