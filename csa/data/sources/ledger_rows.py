"""The ledger as tables: the last statement per key, times in the workspace's zone."""

import sqlite3
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
    found = _query(root, f"SELECT {columns} FROM {_quoted(table.name)} ORDER BY seq")  # noqa: S608
    key = [names.index(k) for k in table.key if k in names]
    last = {tuple(row[i] for i in key) if key else n: row for n, row in enumerate(found)}
    texts = {
        name: pa.array([_text(row[i]) for row in last.values()], pa.string())
        for i, name in enumerate(names)
    }
    name = f"ledger/{table.name}"
    rows = engine.create_table(name, pa.table(texts), temp=True, overwrite=True)
    casts = Casts(zone, duck=True)
    return rows.select(
        **{
            c.name: casts.cast(rows[c.name], c.kind, _UTC if c.kind == "time" else ColumnMapping())
            if c.name in names
            else ibis.null(c.ibis_type)
            for c in table.columns
        }
    )


def _query(root: Path, sql: str) -> list[tuple[object, ...]]:
    try:
        with closing(sqlite3.connect((root / LEDGER).as_uri() + "?mode=ro", uri=True)) as ledger:
            return ledger.execute(sql).fetchall()
    except sqlite3.Error as error:
        raise InputError(
            f"{LEDGER.as_posix()}: cannot be read: {error}; move it aside to start a new ledger"
        ) from error


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
