"""From csa.yml to rows: which source holds a canonical table, and its rows as they are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import ibis.expr.types as ir
import sqlglot
from ibis.backends import BaseBackend

from csa.data import readers
from csa.data.engine import engine_errors, first_line, open_engine, open_file, open_url, shown_url
from csa.data.readers import DataFile
from csa.data.schema import TABLES
from csa.errors import ConfigError, InputError
from csa.settings import FILE, Settings, Source, TableMapping
from csa.settings_rules import did_you_mean


@dataclass(frozen=True, slots=True)
class Located:
    """Rows of a canonical table as its source has them, after `where`."""

    rows: ir.Table
    origin: str  # for readers: a file name, or source and table
    backend: BaseBackend
    files: tuple[DataFile, ...] = ()  # empty for a database


@dataclass(slots=True)
class _Open:
    """An opened source: a folder with its files, or a database with its tables."""

    words: str
    folder: Path | None = None
    files: Mapping[str, list[DataFile]] = field(default_factory=dict)
    backend: BaseBackend | None = None
    tables: tuple[str, ...] = ()


class Sources:
    """The sources of a workspace, opened when first needed.

    Parameters
    ----------
    settings : Settings
        Of the workspace.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: BaseBackend | None = None
        self._opened: dict[str, _Open | ConfigError] = {}

    @property
    def engine(self) -> BaseBackend:
        """DuckDB in this process."""
        if self._engine is None:
            self._engine = open_engine(self._settings.root)
        return self._engine

    def close(self) -> None:
        """Close all connections."""
        for opened in self._opened.values():
            if isinstance(opened, _Open) and opened.backend is not None:
                opened.backend.disconnect()
        if self._engine is not None:
            self._engine.disconnect()
        self._opened, self._engine = {}, None

    def faults(self) -> list[str]:
        """Return what is wrong with the sources themselves.

        Returns
        -------
        list of str
            One line per source that cannot be opened.
        """
        lines: list[str] = []
        for name in self._settings.data.sources:
            try:
                self._source(name)
            except ConfigError as error:
                lines += error.faults
        return lines

    def stems(self) -> list[str]:
        """Return the names of all files and database tables that are there.

        Returns
        -------
        list of str
            Of the sources that can be opened.
        """
        opened = [self._source(n) for n in self._settings.data.sources if self._usable(n)]
        return sorted({name for o in opened for name in (*o.files, *o.tables)})

    def holding(self) -> dict[str, list[str]]:
        """Return the canonical tables that are there or mapped, with their possible sources.

        Returns
        -------
        dict
            Table to names of sources, in the order of the schema. Sources that cannot be opened
            hold nothing; see `faults`.
        """
        found: dict[str, list[str]] = {}
        for table, declared in TABLES.items():
            mapping = self._settings.data.tables.get(table)
            if declared.ledger or (mapping is not None and mapping.ignore):
                continue
            holders = self._holders(table, mapping)
            if holders or mapping is not None:
                found[table] = holders
        return found

    def _holders(self, table: str, mapping: TableMapping | None) -> list[str]:
        """Return the sources that may hold a table."""
        usable = [name for name in self._settings.data.sources if self._usable(name)]
        if mapping is not None and mapping.source is not None:
            return [mapping.source]
        if mapping is not None and mapping.file is not None:
            return [n for n in usable if self._source(n).folder is not None]
        if mapping is not None and mapping.table is not None:
            return [n for n in usable if self._source(n).backend is not None]
        named = [n for n in usable if self._has(n, table)]
        stated = mapping is not None and (mapping.query is not None or not named)
        return usable if stated else named

    def locate(self, table: str) -> Located:
        """Return the rows of a canonical table as its source has them.

        Parameters
        ----------
        table : str
            One of `holding()`.

        Returns
        -------
        Located
            Rows, where they come from, and the engine they are on.

        Raises
        ------
        InputError
            If they cannot be read.
        ConfigError
            If their source cannot be opened, or csa.yml does not say which it is.
        """
        place = f"{FILE}: data.tables.{table}"
        mapping = self._settings.data.tables.get(table, TableMapping())
        name = self._choose(table, mapping, place)
        opened = self._source(name)
        try:
            if opened.folder is not None:
                located = self._from_files(table, mapping, name, opened)
            else:
                located = self._from_database(table, mapping, name, opened)
            return self._filtered(table, mapping, located)
        except InputError as error:
            key = _key(mapping)
            raise InputError(f"{place}{key}: {error}") from error

    def _choose(self, table: str, mapping: TableMapping, place: str) -> str:
        known = self._settings.data.sources
        if mapping.source is not None:
            if mapping.source not in known:
                hint = did_you_mean(mapping.source, known) or f"; known are {', '.join(known)}"
                raise ConfigError(f'{place}.source: no source "{mapping.source}"{hint}')
            return mapping.source
        holders = self.holding().get(table, [])
        if len(holders) != 1:
            raise ConfigError(f"{place}: state its source: one of {', '.join(holders or known)}")
        return holders[0]

    # sources -------------------------------------------------------------------------------

    def _usable(self, name: str) -> bool:
        try:
            self._source(name)
        except ConfigError:
            return False
        return True

    def _has(self, name: str, table: str) -> bool:
        opened = self._source(name)
        return table in opened.files or table in opened.tables

    def _source(self, name: str) -> _Open:
        if name not in self._opened:
            try:
                self._opened[name] = self._open(name, self._settings.data.sources[name])
            except ConfigError as error:
                self._opened[name] = error
        opened = self._opened[name]
        if isinstance(opened, ConfigError):
            raise ConfigError(*opened.faults)
        return opened

    def _open(self, name: str, source: Source) -> _Open:
        place = f"{FILE}: data.sources.{name}"
        if source.url_env is not None:
            url = _variable(source.url_env, f"{place}.url_env", "the URL of the database")
            try:
                backend = open_url(url)
                tables = tuple(backend.list_tables())
            except ConfigError as error:
                raise ConfigError(f"{place}.url_env: {error}") from None
            return _Open(shown_url(url).partition("://")[0], backend=backend, tables=tables)
        if source.database is not None:
            return self._open_database(source.database, place)
        folder, words = self._folder(source, place)
        if not folder.is_dir():
            raise ConfigError(f"{place}.path: no folder {words}; correct the path or make it")
        return _Open(words, folder=folder, files=readers.listing(folder))

    def _open_database(self, name: str, place: str) -> _Open:
        path = self._settings.root / name
        if not path.is_file():
            raise ConfigError(f'{place}.database: no file "{name}"; correct the path')
        try:
            backend = open_file(path, self._settings.root)
        except (*engine_errors(), OSError) as error:
            fault = first_line(error).replace(str(path), name)
            raise ConfigError(f'{place}.database: "{name}" cannot be opened: {fault}') from error
        return _Open(Path(name).name, backend=backend, tables=tuple(backend.list_tables()))

    def _folder(self, source: Source, place: str) -> tuple[Path, str]:
        path = source.path or "."
        if source.path_env is None:
            return self._settings.root / path, f'"{path}"'
        base = _variable(source.path_env, f"{place}.path_env", "the folder of the data")
        return self._settings.root / base / path, f'"{path}" below ${source.path_env}'

    # tables --------------------------------------------------------------------------------

    def _from_files(self, table: str, mapping: TableMapping, name: str, opened: _Open) -> Located:
        if mapping.table is not None:
            raise InputError("a folder has files, not tables; write file: instead")
        if mapping.query is not None:
            return self._queried(table, mapping, name, opened)
        if mapping.file is not None:
            assert opened.folder is not None  # noqa: S101 (for mypy)
            file = readers.find(opened.folder, mapping.file)
        else:
            file = _only(opened.files.get(table, []), table, opened.words)
        rows = self._registered(name, file, mapping)
        return Located(rows, file.name, self.engine, (file,))

    def _registered(self, source: str, file: DataFile, mapping: TableMapping) -> ir.Table:
        options = {"delimiter": mapping.delimiter, "encoding": mapping.encoding}
        view = "/".join([source, file.name, *(o for o in options.values() if o)])
        if view in self.engine.list_tables():
            return self.engine.table(view)
        return readers.register(self.engine, file, view, **options)

    def _queried(self, table: str, mapping: TableMapping, name: str, opened: _Open) -> Located:
        """Query over the files of a source, each a table named by its stem."""
        query = (mapping.query or "").strip().rstrip(";")
        named = {s: f for s, f in opened.files.items() if s.casefold() in query.casefold()}
        used = {s: _only(f, s, opened.words) for s, f in named.items()}
        views = {s: self._registered(name, f, mapping).get_name() for s, f in used.items()}
        parts = [f"{_quoted(s)} AS (FROM {_quoted(v)})" for s, v in views.items()]
        head = f"WITH {', '.join(parts)} " if parts else ""
        rows = self._view(f"{table}/query", f"{head}SELECT * FROM (\n{query}\n) AS q")  # noqa: S608
        files = tuple(used.values())
        words = ", ".join(f.name for f in files) or name
        return Located(rows, f"query over {words}", self.engine, files)

    def _from_database(
        self, table: str, mapping: TableMapping, name: str, opened: _Open
    ) -> Located:
        backend = opened.backend
        assert backend is not None  # noqa: S101 (for mypy)
        if mapping.file is not None:
            raise InputError("a database has tables, not files; write table: instead")
        try:
            if mapping.query is not None:
                query = mapping.query.strip().rstrip(";")
                return Located(backend.sql(query), f"query on {name}", backend)
            return self._database_table(mapping.table or table, name, opened, backend)
        except engine_errors() as error:
            raise InputError(first_line(error)) from error

    def _database_table(
        self, wanted: str, name: str, opened: _Open, backend: BaseBackend
    ) -> Located:
        *path, table = wanted.split(".")
        if not path and table not in opened.tables:
            hint = did_you_mean(table, opened.tables)
            raise InputError(f'no table "{table}" in {name}{hint}')
        database = tuple(path) if len(path) > 1 else (path[0] if path else None)
        return Located(backend.table(table, database=database), f"{name}: {wanted}", backend)

    def _filtered(self, table: str, mapping: TableMapping, located: Located) -> Located:
        if mapping.where is None:
            return located
        dialect = located.backend.dialect
        try:
            inner = sqlglot.parse_one(located.backend.compile(located.rows), dialect=dialect)
            query = (
                sqlglot.select("*").from_(inner.subquery("t")).where(mapping.where, dialect=dialect)
            )
            sql = query.sql(dialect)
            rows = (
                self._view(f"{table}/where", sql)
                if located.backend is self.engine
                else located.backend.sql(sql)
            )
        except (*engine_errors(), InputError) as error:
            raise InputError(f"where: {first_line(error)}") from error
        return Located(rows, located.origin, located.backend, located.files)

    def _view(self, name: str, sql: str) -> ir.Table:
        try:
            self.engine.raw_sql(f"CREATE OR REPLACE TEMP VIEW {_quoted(name)} AS {sql}")
            return self.engine.table(name)
        except engine_errors() as error:
            raise InputError(first_line(error)) from error


def _variable(name: str, place: str, what: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise ConfigError(f"{place}: environment variable {name} is not set; set it to {what}")
    return value


def _only(files: list[DataFile], stem: str, words: str) -> DataFile:
    if not files:
        raise InputError(f'no file "{stem}.csv" or "{stem}.parquet" in {words}; state its file')
    if len(files) > 1:
        names = " and ".join(f.name for f in files)
        raise InputError(f"{names} are both there; state which with file, or remove one")
    return files[0]


def _key(mapping: TableMapping) -> str:
    for key in ("query", "table", "file"):
        if getattr(mapping, key) is not None:
            return f".{key}"
    return ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
