"""The ledger as tables: the last statement per key, times in the workspace's zone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends import BaseBackend

from csa.data.columns import Table
from csa.data.sources.casts import Casts
from csa.errors import InputError
from csa.settings import ColumnMapping

LEDGER = Path("reports") / "ledger.sqlite"  # below the workspace
BATCH = 10_000  # rows
_UTC = ColumnMapping(timezone="UTC")


def ledger_tables(root: Path) -> set[str]:
    """Return the names of the tables that the ledger has.

    Parameters
    ----------
    root : Path
        Folder of the workspace.

    Returns
    -------
    set of str
        Empty without a ledger.
    """
    if not (root / LEDGER).is_file():
        return set()
    return {
        str(name) for (name,) in _query(root, "SELECT name FROM sqlite_master WHERE type = 'table'")
    }


def ledger_rows(engine: BaseBackend, table: Table, root: Path, zone: str) -> ir.Table:
    """Return a ledger table in canonical types.

    Parameters
    ----------
    engine : BaseBackend
        DuckDB.
    table : Table
        A ledger table that is there.
    root : Path
        Folder of the workspace.
    zone : str
        The workspace's time zone.

    Returns
    -------
    ir.Table
        Canonical columns; one row per key.
    """
    there = {row[1] for row in _query(root, f"PRAGMA table_info({_quoted(table.name)})")}
    names = [c.name for c in table.columns if c.name in there]
    columns = ", ".join(_quoted(n) for n in names)
    told = f"SELECT {columns} FROM {_quoted(table.name)}"  # noqa: S608 - own names
    if key := ", ".join(_quoted(k) for k in table.key if k in names):
        last = f"SELECT max(seq) FROM {_quoted(table.name)} GROUP BY {key}"  # noqa: S608
        told += f" WHERE seq IN ({last})"
    schema = pa.schema([(name, pa.string()) for name in names])
    batches = [_texts(rows, schema) for rows in _batches(root, f"{told} ORDER BY seq")]
    name = f"ledger/{table.name}"
    texts = pa.Table.from_batches(batches, schema)
    rows = engine.create_table(name, texts, temp=True, overwrite=True)
    casts = Casts(zone, engine="duckdb")
    return rows.select(
        **{
            c.name: casts.cast(rows[c.name], c.kind, _UTC if c.kind == "time" else ColumnMapping())
            if c.name in names
            else ibis.null(c.ibis_type)
            for c in table.columns
        }
    )


def _query(root: Path, sql: str) -> list[tuple[object, ...]]:
    return [row for rows in _batches(root, sql) for row in rows]


def _batches(root: Path, sql: str) -> Iterator[list[tuple[object, ...]]]:
    """Few rows at a time: a million predictions as Python objects would not fit well."""
    try:
        with closing(sqlite3.connect((root / LEDGER).as_uri() + "?mode=ro", uri=True)) as ledger:
            found = ledger.execute(sql)
            while rows := found.fetchmany(BATCH):
                yield rows
    except sqlite3.Error as error:
        raise InputError(
            f"{LEDGER.as_posix()}: cannot be read: {error}; move it aside to start a new ledger"
        ) from error


def _texts(rows: list[tuple[object, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array(map(_text, values), pa.string()) for values in zip(*rows, strict=True)]
    return pa.record_batch(columns, schema=schema)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
