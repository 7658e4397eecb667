"""Parameters, chunks and files of the sample company in DuckDB."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path

import duckdb

from csa.data.sample import parameters

CHUNK = 10_000  # accounts; part of the definition, since files must not depend on the machine
MEMORY_LIMIT = "2GB"  # of the engine; chunks stay far below
Progress = Callable[[str, float], None]

CHUNK_STEPS = (  # in this order; capital letters: a table of the sample, else a working table
    *("reset", "account", "ACCOUNTS", "born_first", "outcome", "born_again", "outcome"),
    *("move", "term", "sub", "extra", "SUBSCRIPTIONS", "OPPORTUNITIES", "payg", "TRANSACTIONS"),
    *("stay", "session", "USAGE_EVENTS", "ticket", "TICKETS", "ask", "SURVEYS"),
    *("INTERVENTIONS", "CAMPAIGN_ACCOUNTS", "tally"),
)
CHUNK_TABLES = tuple(s.lower() for s in CHUNK_STEPS if s.isupper())
OFFICE_TABLES = (
    *("features", "campaigns", "staff", "training", "cash_flows", "measurements"),
    *("benchmarks", "goals", "baselines", "milestones", "decisions"),
)


def _run(con: duckdb.DuckDBPyConnection, text: str, values: object = None) -> None:
    """Run statements to the end: a result that is not fetched would block the connection."""
    con.execute(text, values).fetchall()


def sql(name: str) -> str:
    """Text of a query of the sample company.

    Parameters
    ----------
    name : str
        File below `sql/`, without its ending.

    Returns
    -------
    str
        SQL of DuckDB.
    """
    return resources.files("csa.data.sample").joinpath("sql", f"{name}.sql").read_text("utf-8")


def connect(spill: Path, *, accounts: int, seed: int) -> duckdb.DuckDBPyConnection:
    """Open an engine that knows macros and parameters.

    Parameters
    ----------
    spill : Path
        Folder for what does not fit into memory.
    accounts : int
        Number of accounts of the company.
    seed : int
        Seed of everything random.

    Returns
    -------
    duckdb.DuckDBPyConnection
        Connection in memory; close it.
    """
    con = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,  # nothing here may need the network
        }
    )
    _run(con, "set preserve_insertion_order = true")
    _run(con, "set enable_progress_bar = false")  # `on_progress` is for that
    _run(con, sql("macros"))
    _run(con, sql("words"))
    for name, value in parameters.variables(accounts, seed).items():
        _run(con, f"set variable {name} = ?", [value])
    for name, rows in parameters.tables(accounts).items():
        columns = {column: [row[column] for row in rows] for column in rows[0]}
        wanted = ", ".join(f"unnest(${column}) as {column}" for column in columns)
        _run(con, f"create table {name} as select {wanted}", columns)
    _run(con, sql("fixed"))
    return con


def build_chunk(
    con: duckdb.DuckDBPyConnection, first: int, past: int, parts: Path, *, final: bool
) -> None:
    """Make accounts [first, past) and write one part of every table.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Engine from `connect`.
    first, past : int
        Numbers of the accounts.
    parts : Path
        Folder; a part is called `<table>.<first account>`.
    final : bool
        The only part: it becomes the table as it is. Others are read again soon, so they are
        written fast rather than small.
    """
    _run(con, "set variable chunk_first = ?", [first])
    _run(con, "set variable chunk_end = ?", [past])
    for step in CHUNK_STEPS:
        if step.isupper():
            name = step.lower()
            part = parts / f"{name}.{first:08d}"
            con.sql(sql(name)).write_parquet(str(part), compression="zstd" if final else "lz4")
        else:
            _run(con, sql(step))


def join_parts(con: duckdb.DuckDBPyConnection, name: str, parts: Path, folder: Path) -> None:
    """Make one Parquet file of the parts of a table; the parts are gone afterwards.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Engine from `connect`.
    name : str
        Table.
    parts, folder : Path
        Where the parts are, and where the file goes.
    """
    pieces = sorted(parts.glob(f"{name}.*"))
    target = folder / f"{name}.parquet"
    if len(pieces) == 1:
        pieces[0].rename(target)
        return
    con.read_parquet([str(p) for p in pieces]).write_parquet(str(target), compression="zstd")
    for piece in pieces:
        piece.unlink()


def write_office(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the tables about the company's own side, which are small.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Engine from `connect`.
    folder : Path
        Folder that holds the tables about customers already.
    """
    for name in ("accounts", "subscriptions", "surveys", "tickets"):
        con.read_parquet(str(folder / f"{name}.parquet")).create_view(f"written_{name}")
    for name in OFFICE_TABLES:
        con.sql(sql(name)).write_parquet(str(folder / f"{name}.parquet"), compression="zstd")
        if name == "staff":
            _run(con, f"create temp table office_staff as {sql('staff')}")


def row_counts(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """Rows of every table written.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Engine from `connect`.
    folder : Path
        Folder of the tables.

    Returns
    -------
    dict
        Table and number of rows.
    """
    rows = con.execute(
        "select file_name, num_rows from parquet_file_metadata(?)",
        [[str(path) for path in sorted(folder.glob("*.parquet"))]],
    ).fetchall()
    return {Path(name).stem: int(n) for name, n in rows}
