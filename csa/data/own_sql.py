"""SQL of the analyst's own over the canonical tables, as known on `as_of`."""

import re
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot
from ibis.backends import BaseBackend

from csa.data.engine import engine_errors, first_line
from csa.data.schema import TABLES
from csa.data.sources.absent import missing
from csa.errors import InputError, NotAvailable


def words(query: str) -> set[str]:
    """Return the canonical tables that a query may mean.

    Parameters
    ----------
    query : str
        SQL.

    Returns
    -------
    set of str
        Names that stand in it as words; a column may be called like a table.
    """
    return {w for w in re.findall(r"\w+", query.casefold()) if w in TABLES}


def across(
    query: str, tables: Mapping[str, tuple[ir.Table, BaseBackend]], engine: BaseBackend
) -> ir.Table:
    """Return the result of a query: on the engine that all its tables share, or on DuckDB.

    Parameters
    ----------
    query : str
        SQL of that engine.
    tables : mapping of str to (ir.Table, BaseBackend)
        Each where it is.
    engine : BaseBackend
        DuckDB, to which the others are copied where they do not share an engine.

    Returns
    -------
    ir.Table
        Not yet executed.
    """
    homes = {id(backend): backend for _, backend in tables.values()}
    home = next(iter(homes.values())) if len(homes) == 1 else engine
    here = {
        name: rows if backend is home else carry(rows, name, backend, engine)
        for name, (rows, backend) in tables.items()
    }
    return over(query, here, home)


def answered(
    query: str,
    tables: Mapping[str, tuple[ir.Table, BaseBackend]],
    absent: Iterable[str],
    engine: BaseBackend,
) -> ir.Table:
    """Return the result of a query, and say so where it needs a table that is absent.

    Parameters
    ----------
    query : str
        SQL.
    tables : mapping of str to (ir.Table, BaseBackend)
        As for `across`.
    absent : iterable of str
        Tables that it may mean and that are not there.
    engine : BaseBackend
        DuckDB.

    Returns
    -------
    ir.Table
        Not yet executed.

    Raises
    ------
    NotAvailable
        If it needs one of the absent tables.
    InputError
        If the engine refuses it.
    """
    try:
        return across(query, tables, engine)
    except InputError as error:
        if needed := sorted(n for n in absent if n in str(error)):
            raise NotAvailable(*map(missing, needed)) from error
        raise


def over(query: str, tables: Mapping[str, ir.Table], backend: BaseBackend) -> ir.Table:
    """Return the result of a query in which tables go by their canonical names.

    Parameters
    ----------
    query : str
        SQL of the backend; from csa.yml, never from data.
    tables : mapping of str to ir.Table
        All on this backend.
    backend : BaseBackend
        Where it runs.

    Returns
    -------
    ir.Table
        Not yet executed.

    Raises
    ------
    InputError
        If the engine refuses the query.
    """
    inner = query.strip().rstrip(";")
    quoted = {n: sqlglot.to_identifier(n, quoted=True).sql(backend.dialect) for n in tables}
    parts = [f"{quoted[name]} AS ({backend.compile(rows)})" for name, rows in tables.items()]
    head = f"WITH {', '.join(parts)} " if parts else ""
    try:
        return backend.sql(f"{head}SELECT * FROM (\n{inner}\n) AS q")  # noqa: S608 (as documented)
    except engine_errors() as error:
        raise InputError(first_line(error)) from error


def carry(rows: ir.Table, name: str, source: BaseBackend, target: BaseBackend) -> ir.Table:
    """Copy a table from one engine to DuckDB, in batches, for a query across engines.

    Parameters
    ----------
    rows : ir.Table
        Table on the source.
    name : str
        Canonical table.
    source, target : BaseBackend
        From where, and DuckDB.

    Returns
    -------
    ir.Table
        The copy; its file lives as long as the connection.
    """
    folder = Path(tempfile.mkdtemp(prefix="csa-"))
    file = folder / f"{name}.parquet"
    weakref.finalize(target, _remove, file)
    batches = source.to_pyarrow_batches(rows)
    with pq.ParquetWriter(file, batches.schema) as writer:
        for batch in batches:
            writer.write_table(pa.Table.from_batches([batch]))
    return target.read_parquet(file, table_name=f"copy/{name}")


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
    file.parent.rmdir()
