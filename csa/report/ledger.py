"""The ledger: what ran, on which data, what was sent and opened. Rows are only ever added.

One SQLite file in WAL mode holds the ledger tables declared in `csa.data.schema`. A row is a
statement made at a moment; a later row with the same key replaces it in what `read` returns (a
run that is "running" becomes "ok"), but never in the file: triggers refuse UPDATE and DELETE.
Times are stored in UTC and read in the workspace's zone.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

from csa.data.columns import Kind, Table
from csa.data.quality.rules import Check
from csa.data.schema import TABLES
from csa.errors import RunError

WAIT_SECONDS = 30  # for another process that is writing
_SQL_TYPES: Mapping[Kind, str] = {
    "id": "TEXT",
    "text": "TEXT",
    "date": "TEXT",
    "time": "TEXT",
    "money": "TEXT",  # exact
    "number": "REAL",
    "integer": "INTEGER",
    "flag": "INTEGER",
}
_WRITTEN: Mapping[Kind, Callable[[Any], Any]] = {
    "date": date.isoformat,
    "number": float,
    "integer": int,
    "flag": int,
}
Row = dict[str, Any]


class Ledger:
    """The ledger of one workspace.

    Parameters
    ----------
    path : Path
        The SQLite file; made, with its folder, by the first row.
    zone : tzinfo
        The workspace's time zone.
    clock : callable, optional
        Gives the moment that rows are marked with.
    """

    def __init__(
        self, path: Path, zone: tzinfo, *, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.path = path
        self._zone = zone
        self._clock = clock or _now

    def append(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to a ledger table, all or none.

        Parameters
        ----------
        name : str
            Name of a ledger table.
        rows : sequence of mapping
            Values by column; missing columns are missing values. Times carry a zone.

        Raises
        ------
        RunError
            If the file cannot be written.
        ValueError
            If a row does not fit the table: a mistake in the kit, not in the data.
        """
        self.append_together({name: rows})

    def append_together(
        self, tables: Mapping[str, Iterable[Mapping[str, Any]]], *, once: Collection[str] = ()
    ) -> None:
        """Add rows to several ledger tables, all or none.

        Parameters
        ----------
        tables : mapping of str to iterable of mapping
            Rows by ledger table, as for `append`; read one by one, so there may be many.
        once : collection of str
            Tables in which the first statement stands: rows whose key is there are left out.

        Raises
        ------
        RunError
            If the file cannot be written.
        ValueError
            If a row does not fit its table.
        """
        declared = {name: _declared(name) for name in tables}
        moment = _utc(self._clock())
        with self._connection() as connection:
            for table in declared.values():
                _prepare(connection, table)
            for name, rows in tables.items():
                _insert(connection, declared[name], rows, moment, once=name in once)

    def append_checks(self, checks: Sequence[Check], *, edition: str | None = None) -> None:
        """Add what the quality gate found.

        Parameters
        ----------
        checks : sequence of Check
            All that were run.
        edition : str, optional
            For which edition; without one for `csa check`.
        """
        moment = self._clock()
        kept = [column.name for column in TABLES["data_checks"].columns]
        rows = [{k: v for k, v in asdict(check).items() if k in kept} for check in checks]
        told = {"edition": edition, "checked_at": moment}
        self.append("data_checks", [{**row, **told} for row in rows])

    def read(self, name: str) -> list[Row]:
        """Return a ledger table as of now: the last statement per key, oldest first.

        Parameters
        ----------
        name : str
            Name of a ledger table.

        Returns
        -------
        list of dict
            Values by column; times are local to the workspace and carry no zone.

        Raises
        ------
        RunError
            If the file cannot be read.
        """
        table = _declared(name)
        if not self.path.exists():
            return []
        with self._connection() as connection:
            if not _columns(connection, name):
                return []
            _prepare(connection, table)
            names = ", ".join(_quoted(c.name) for c in table.columns)
            found = connection.execute(
                f"SELECT {names} FROM {_quoted(name)} ORDER BY seq"  # noqa: S608 - own names
            ).fetchall()
        rows = [_loaded(table, values, self._zone) for values in found]
        return _last_per_key(table, rows)

    def revision(self, edition: str, fingerprint: str) -> int:
        """Return the number of a revision; the same data, parameters and code are the same.

        Parameters
        ----------
        edition : str
            Report and period, for example `monthly/2026-10`.
        fingerprint : str
            Of data, parameters and code.

        Returns
        -------
        int
            1 for the first.
        """
        runs = [row for row in self.read("report_runs") if row["edition"] == edition]
        same = [row["revision"] for row in runs if row["fingerprint"] == fingerprint]
        if same:
            return int(max(same))
        return max((int(row["revision"]) for row in runs), default=0) + 1

    def due(self, day: date) -> int:
        """Count the predictions whose horizon is over.

        Parameters
        ----------
        day : date
            Last day known.

        Returns
        -------
        int
            They are only added, so that their number tells one state from another.
        """
        if not self.path.exists():
            return 0
        with self._connection() as connection:
            if not _columns(connection, "predictions"):
                return 0
            over = "julianday(made_on) + horizon_days <= julianday(?)"
            sql = f"SELECT count(*) FROM predictions WHERE {over}"  # noqa: S608 - own words
            return int(connection.execute(sql, [day.isoformat()]).fetchone()[0])

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                with connection:  # one transaction
                    yield connection
        except (sqlite3.DatabaseError, OSError) as error:
            raise RunError(
                f"{self.path.name}: {error}; the ledger must be a writable SQLite file on a local"
                " disk: free it, or move it aside to start a new one"
            ) from error


def _now() -> datetime:
    return datetime.now(UTC)


def _declared(name: str) -> Table:
    table = TABLES.get(name)
    if table is None or not table.ledger:
        raise ValueError(f"{name} is no ledger table")
    return table


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _columns(connection: sqlite3.Connection, name: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(name)})")}


def _prepare(connection: sqlite3.Connection, table: Table) -> None:
    """Make the table, or add the columns that a newer version declares."""
    known = _columns(connection, table.name)
    name = _quoted(table.name)
    declared = {c.name: f"{_quoted(c.name)} {_SQL_TYPES[c.kind]}" for c in table.columns}
    if not known:
        columns = ", ".join(declared.values())
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {name}"
            f" (seq INTEGER PRIMARY KEY, recorded_at TEXT NOT NULL, {columns}) STRICT"
        )
    for column, definition in declared.items():
        if known and column not in known:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {definition}")
    for verb in ("UPDATE", "DELETE"):
        trigger = _quoted(f"{table.name}_no_{verb.lower()}")
        connection.execute(
            f"CREATE TRIGGER IF NOT EXISTS {trigger} BEFORE {verb} ON {name}"
            " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        )


def _insert(
    connection: sqlite3.Connection,
    table: Table,
    rows: Iterable[Mapping[str, Any]],
    moment: str,
    *,
    once: bool,
) -> None:
    """Add rows; with `once` only those whose key is not there, in the file or among them."""
    columns = ["recorded_at", *(c.name for c in table.columns)]
    names = ", ".join(_quoted(c) for c in columns)
    marks = ", ".join(f"?{n}" for n in range(1, len(columns) + 1))
    statement = f"INSERT INTO {_quoted(table.name)} ({names}) SELECT {marks}"
    if once:
        index, of = _quoted(f"{table.name}_key"), ", ".join(map(_quoted, table.key))
        connection.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {_quoted(table.name)} ({of})")
        same = " AND ".join(f"{_quoted(k)} IS ?{columns.index(k) + 1}" for k in table.key)
        statement += f" WHERE NOT EXISTS (SELECT 1 FROM {_quoted(table.name)} WHERE {same})"  # noqa: S608
    stored = _storing(table)
    connection.executemany(statement, ((moment, *stored(row)) for row in rows))


def _storing(table: Table) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Make what turns a row into values of the file, and refuses one that does not fit."""
    kinds = [(column.name, column.kind) for column in table.columns]
    known, required = {name for name, _ in kinds}, table.required

    def stored(row: Mapping[str, Any]) -> tuple[Any, ...]:
        missing = [name for name in required if row.get(name) is None]
        unknown = [name for name in row if name not in known]
        if missing or unknown:
            raise ValueError(f"{table.name}: missing {missing}, unknown {unknown}")
        return tuple(_to_sql(kind, row.get(name)) for name, kind in kinds)

    return stored


def _to_sql(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind == "time":
        return _utc(value)
    return _WRITTEN.get(kind, str)(value)


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _loaded(table: Table, values: Sequence[Any], zone: tzinfo) -> Row:
    pairs = zip(table.columns, values, strict=True)
    return {column.name: _from_sql(column.kind, value, zone) for column, value in pairs}


def _from_sql(kind: Kind, value: Any, zone: tzinfo) -> Any:
    if value is None:
        return None
    if kind == "time":
        moment = datetime.fromisoformat(value).replace(tzinfo=UTC)
        return moment.astimezone(zone).replace(tzinfo=None)
    convert: Mapping[Kind, Callable[[Any], Any]] = {
        "date": date.fromisoformat,
        "money": Decimal,
        "flag": bool,
    }
    return convert[kind](value) if kind in convert else value


def _last_per_key(table: Table, rows: list[Row]) -> list[Row]:
    if not table.key:
        return rows
    last: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in table.key)
        last.pop(key, None)  # its place in the order is that of the last statement
        last[key] = row
    return list(last.values())
