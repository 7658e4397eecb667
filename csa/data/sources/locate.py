"""From csa.yml to rows: which source holds a canonical table, and its rows as they are."""

import hashlib
from dataclasses import dataclass

import ibis.expr.types as ir
import sqlglot
from ibis.backends import BaseBackend

from csa.data.engine import engine_errors, first_line, open_engine
from csa.data.schema import TABLES
from csa.data.sources import readers
from csa.data.sources.open_source import OpenSource, open_source
from csa.data.sources.readers import DataFile
from csa.errors import ConfigError, InputError
from csa.settings import FILE, Settings, TableMapping
from csa.settings_rules import did_you_mean


@dataclass(frozen=True, slots=True)
class Located:
    """Rows of a canonical table as its source has them, after `where`."""

    rows: ir.Table
    origin: str  # for readers: a file name, or source and table
    backend: BaseBackend
    files: tuple[DataFile, ...] = ()  # empty for a database


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
        self._opened: dict[str, OpenSource | ConfigError] = {}

    @property
    def engine(self) -> BaseBackend:
        """DuckDB in this process."""
        if self._engine is None:
            self._engine = open_engine(self._settings.root)
        return self._engine

    def close(self) -> None:
        """Close all connections."""
        for opened in self._opened.values():
            if isinstance(opened, OpenSource) and opened.backend is not None:
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
            if mapping.query is not None:
                located = self.query(name, mapping.query, mapping)
            elif opened.folder is not None:
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

    def _source(self, name: str) -> OpenSource:
        if name not in self._opened:
            try:
                self._opened[name] = open_source(
                    name, self._settings.data.sources[name], self._settings.root
                )
            except ConfigError as error:
                self._opened[name] = error
        opened = self._opened[name]
        if isinstance(opened, ConfigError):
            raise ConfigError(*opened.faults)
        return opened

    # tables --------------------------------------------------------------------------------

    def _from_files(
        self, table: str, mapping: TableMapping, name: str, opened: OpenSource
    ) -> Located:
        if mapping.table is not None:
            raise InputError("a folder has files, not tables; write file: instead")
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

    def query(self, source: str, sql: str, mapping: TableMapping | None = None) -> Located:
        """Return the result of a query over a source's own files or tables.

        Parameters
        ----------
        source : str
            Name of the source; each of its files is a table named by its stem.
        sql : str
            SQL of DuckDB for files, of the database for tables; from csa.yml, never from data.
        mapping : TableMapping, optional
            Delimiter and encoding of the files.

        Returns
        -------
        Located
            Rows not yet read.

        Raises
        ------
        InputError
            If the engine refuses the query, or a file it names cannot be read.
        """
        opened = self._source(source)
        inner = sql.strip().rstrip(";")
        if opened.backend is not None:
            try:
                return Located(opened.backend.sql(inner), f"query on {source}", opened.backend)
            except engine_errors() as error:
                raise InputError(first_line(error)) from error
        named = {s: f for s, f in opened.files.items() if s.casefold() in sql.casefold()}
        used = {s: _only(f, s, opened.words) for s, f in named.items()}
        how = mapping or TableMapping()
        views = {s: self._registered(source, f, how).get_name() for s, f in used.items()}
        parts = [f"{_quoted(s)} AS (FROM {_quoted(v)})" for s, v in views.items()]
        head = f"WITH {', '.join(parts)} " if parts else ""
        digest = hashlib.sha256(sql.encode()).hexdigest()[:16]
        rows = self._view(f"{source}/{digest}", f"{head}SELECT * FROM (\n{inner}\n) AS q")  # noqa: S608
        files = tuple(used.values())
        words = ", ".join(f.name for f in files) or source
        return Located(rows, f"query over {words}", self.engine, files)

    def _from_database(
        self, table: str, mapping: TableMapping, name: str, opened: OpenSource
    ) -> Located:
        backend = opened.backend
        assert backend is not None  # noqa: S101 (for mypy)
        if mapping.file is not None:
            raise InputError("a database has tables, not files; write table: instead")
        try:
            return self._database_table(mapping.table or table, name, opened, backend)
        except engine_errors() as error:
            raise InputError(first_line(error)) from error

    def _database_table(
        self, wanted: str, name: str, opened: OpenSource, backend: BaseBackend
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
            inner = located.backend.compile(located.rows)
            query = sqlglot.subquery(inner, "t", dialect=dialect).select("*")
            sql = query.where(mapping.where, dialect=dialect).sql(dialect)
            if located.backend is self.engine:
                rows = self._view(f"{table}/where", sql)
            else:
                rows = located.backend.sql(sql)
        except engine_errors(InputError) as error:
            raise InputError(f"where: {first_line(error)}") from error
        return Located(rows, located.origin, located.backend, located.files)

    def _view(self, name: str, sql: str) -> ir.Table:
        try:
            self.engine.raw_sql(f"CREATE OR REPLACE TEMP VIEW {_quoted(name)} AS {sql}")
            return self.engine.table(name)
        except engine_errors() as error:
            raise InputError(first_line(error)) from error


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
