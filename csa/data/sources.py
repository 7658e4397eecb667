"""The canonical tables of a workspace, as known on a day.

`Tables` is the one way to data: canonical columns and types, rows and facts after `as_of`
hidden. Nothing is read before it is asked for, and then by the engine that has it: a table in a
database stays an expression there, files are read by DuckDB. Values that cannot be cast are
missing; `uncast` counts them for the quality gate.
"""

import hashlib
import json
import weakref
from datetime import date, datetime
from types import TracebackType
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from csa.data import faulty, schema
from csa.data.engine import engine_errors
from csa.data.faulty import Uncast
from csa.data.fingerprint import of_files
from csa.data.ledger_rows import ledger_rows, ledger_tables
from csa.data.locate import Sources
from csa.data.opened import RAW, Opened, open_table
from csa.data.schema import TABLES
from csa.data.visible import forget, moment, visible
from csa.errors import ConfigError, CsaError, InputError, NotAvailable
from csa.settings import FILE, Settings, TableMapping
from csa.settings_rules import did_you_mean

# Tables whose newest row shows how far the data reach.
_EVENTS = (
    *("accounts", "subscriptions", "transactions", "usage_events", "surveys", "tickets"),
    *("interventions", "opportunities", "campaign_accounts"),
)


class Tables:
    """The canonical tables of a workspace. A context manager; it also closes when collected.

    Parameters
    ----------
    settings : Settings
        Of the workspace.
    as_of : date, optional
        Last day that is known; without it nothing is hidden.
    """

    def __init__(self, settings: Settings, as_of: date | None = None) -> None:
        self.settings = settings
        self.as_of = as_of
        self._sources = Sources(settings)
        self._opened: dict[str, Opened] = {}
        self._scans: dict[str, tuple[Uncast, ...]] = {}
        self._finalizer = weakref.finalize(self, Sources.close, self._sources)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def close(self) -> None:
        """Close all connections; expressions of these tables cannot be executed afterwards."""
        self._opened, self._scans = {}, {}
        self._sources.close()

    @property
    def engine(self) -> BaseBackend:
        """DuckDB in this process: it reads the files, and all checks may use it."""
        return self._sources.engine

    def names(self) -> list[str]:
        """Return the tables that are there.

        Returns
        -------
        list of str
            In the order of the schema, those of the ledger last.

        Raises
        ------
        ConfigError
            If a source cannot be opened: what it holds is unknown then.
        """
        broken = self._sources.faults()
        if broken:
            raise ConfigError(*broken)
        ledger = ledger_tables(self.settings.root)
        return [*self._sources.holding(), *(t for t in TABLES if t in ledger)]

    def table(self, name: str) -> ir.Table:
        """Return a table in canonical columns and types, as known on `as_of`.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        ir.Table
            All declared columns, absent ones missing in every row; then, in an open table, the
            further columns of its source.

        Raises
        ------
        NotAvailable
            If the table is absent, with how to add it.
        InputError
            If it cannot be read or mapped.
        """
        declared = self._declared(name)
        if declared.ledger:
            rows = ledger_rows(self.engine, declared, self.settings.root, self.settings.timezone)
            return forget(visible(rows, declared, self.as_of), declared, self.as_of)
        opened = self._open(name)
        rows = forget(visible(opened.rows, declared, self.as_of), declared, self.as_of)
        return rows.select(*opened.names)

    def raw(self, name: str) -> ir.Table:
        """Return the visible rows with the text of every value whose cast may fail.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        ir.Table
            Canonical columns; text where the source had text or another type than ours.
        """
        declared = self._declared(name)
        if declared.ledger:
            return self.table(name)
        opened = self._open(name)
        rows = visible(opened.rows, declared, self.as_of)
        return rows.select(
            **{n: rows[n + RAW] if n + RAW in rows.columns else rows[n] for n in opened.names}
        )

    def uncast(self, name: str) -> tuple[Uncast, ...]:
        """Return per column how many visible values could not be cast, with examples.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        tuple of Uncast
            Only columns with such values.
        """
        return tuple(u for u in self._scanned(name) if u.failing)

    def mapped(self, name: str) -> tuple[str, ...]:
        """Return the columns that can hold a value: mapped ones and attributes.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        tuple of str
            Declared columns that are absent from the source are left out.
        """
        if self._declared(name).ledger:
            return tuple(c.name for c in TABLES[name].columns)
        planned = self._open(name).plan
        return (*(p.column.name for p in planned.columns if p.mapped), *planned.attributes)

    def backend(self, name: str) -> BaseBackend:
        """Return the engine that holds a table.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        BaseBackend
            `engine` for files and the ledger, otherwise the database.
        """
        return self.engine if self._declared(name).ledger else self._open(name).located.backend

    def origin(self, name: str) -> str:
        """Return where a table comes from, for readers.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        str
            As in "customers.csv"; never a path of the machine or a secret.
        """
        return "ledger" if self._declared(name).ledger else self._open(name).located.origin

    def observed_from(self, name: str) -> Literal["always"] | date | str | None:
        """Return since when a leaving account would have been recorded.

        Parameters
        ----------
        name : str
            `accounts` or `subscriptions`.

        Returns
        -------
        "always", date, str or None
            "observed_from" where that column of the table says it; None where nothing is stated.
        """
        stated = self.settings.data.tables.get(name, TableMapping()).observed_from
        if stated == "always" or isinstance(stated, date):
            return stated
        made = self._open(name).plan.of("observed_from")
        return "observed_from" if made is not None and made.mapped else None

    def last_day(self) -> date:
        """Return the newest day that the data reach, never later than today.

        Returns
        -------
        date
            `data.last_day` of csa.yml, else the newest row of what happens to accounts.

        Raises
        ------
        NotAvailable
            If no table has a day.
        """
        today = datetime.now(ZoneInfo(self.settings.timezone)).date()
        if self.settings.data.last_day is not None:
            return min(self.settings.data.last_day, today)
        found = [d for name in self.names() if name in _EVENTS if (d := self._newest(name, today))]
        if not found:
            raise NotAvailable(
                "no table says how far the data reach; add a table with dates, such as "
                f"subscriptions, or state data.last_day in {FILE}"
            )
        return max(found)

    def fingerprint(self, name: str) -> str:
        """Return a digest of everything that `table(name)` is made from, but `as_of`.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        str
            16 hexadecimal digits.
        """
        declared = self._declared(name)
        settings = self.settings
        mapping = settings.data.tables.get(name, TableMapping())
        parts: list[Any] = [
            schema.version(),
            name,
            mapping.model_dump_json(),
            settings.timezone,
            settings.currency,
            sorted((c, str(r)) for c, r in settings.rates.items()),
        ]
        if declared.ledger or not self._open(name).located.files:
            parts.append(self._extent(name))
        else:
            parts.append(of_files(self._open(name).located.files))
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def faults(self) -> list[str]:
        """Return everything that cannot be read or mapped, all at once.

        Returns
        -------
        list of str
            One line each, with its path in csa.yml; empty where all is well.
        """
        lines = [*self._sources.faults(), *self._unknown_tables()]
        holding = self._sources.holding()
        for name in holding:
            lines += self._faults_of(name)
        if not holding and not lines:
            needed = " or ".join(f"{t}.csv" for t in ("accounts", "subscriptions"))
            lines.append(
                f"{FILE}: data.sources: no table found; name files like the tables (as {needed}) "
                "or map yours under data.tables; `csa init FOLDER` proposes a mapping"
            )
        return list(dict.fromkeys(lines))

    # -------------------------------------------------------------------------------------------

    def _declared(self, name: str) -> schema.Table:
        declared = TABLES.get(name)
        if declared is None:
            raise InputError(f'there is no table "{name}"{did_you_mean(name, TABLES)}')
        if name not in self._opened and name not in self.names():
            raise NotAvailable(missing(name))
        return declared

    def _open(self, name: str) -> Opened:
        if name not in self._opened:
            located = self._sources.locate(name)
            try:
                self._opened[name] = open_table(TABLES[name], located, self.settings)
            except engine_errors() as error:
                raise InputError(
                    f"{FILE}: data.tables.{name}: {located.origin} {faulty.reading_fault(error)}"
                ) from error
        return self._opened[name]

    def _scanned(self, name: str) -> tuple[Uncast, ...]:
        if self._declared(name).ledger:
            return ()
        if name not in self._scans:
            opened = self._open(name)
            rows = visible(opened.rows, opened.table, self.as_of)
            try:
                self._scans[name] = faulty.scan(opened, rows)
            except engine_errors() as error:
                raise InputError(
                    f"{FILE}: data.tables.{name}: {opened.located.origin} "
                    f"{faulty.reading_fault(error)}"
                ) from error
        return self._scans[name]

    def _faults_of(self, name: str) -> list[str]:
        try:
            opened = self._open(name)
            rows = visible(opened.rows, opened.table, self.as_of)
            return faulty.faults(opened, rows, self._scanned(name))
        except CsaError as error:
            return list(error.faults)

    def _unknown_tables(self) -> list[str]:
        lines = []
        for name in self.settings.data.tables:
            if name not in TABLES:
                hint = did_you_mean(name, TABLES) or "; docs/tables.md lists the tables"
                lines.append(f"{FILE}: data.tables.{name}: no such table{hint}")
            elif TABLES[name].ledger:
                lines.append(f"{FILE}: data.tables.{name}: comes from the ledger; remove it")
        for number, check in enumerate(self.settings.checks, 1):
            if check.table not in TABLES:
                hint = did_you_mean(check.table, TABLES)
                lines.append(f'{FILE}: checks[{number}].table: no table "{check.table}"{hint}')
        return lines

    def _newest(self, name: str, today: date) -> date | None:
        rows = self.table(name)
        appears = moment(rows, TABLES[name])
        if appears is None:
            return None
        days = rows.select(day=appears.cast("date")).filter(lambda t: t.day <= today)
        newest: date | None = self.backend(name).to_pyarrow(days.day.max()).as_py()
        return newest

    def _extent(self, name: str) -> list[str]:
        """Rows and newest row: what tells one state of a database from another."""
        with Tables(self.settings) as everything:  # the same whatever the day
            rows = everything.table(name)
            appears = moment(rows, TABLES[name])
            newest = ibis.null("date") if appears is None else appears.max()
            found = everything.backend(name).to_pyarrow(
                rows.aggregate(n=rows.count(), newest=newest)
            )
        return [str(v) for v in found.to_pylist()[0].values()]


def missing(name: str) -> str:
    """Say that a table is missing and how to add it.

    Parameters
    ----------
    name : str
        Canonical table.

    Returns
    -------
    str
        One sentence for a page or an error.
    """
    declared = TABLES[name]
    if declared.ledger:
        return f"{name} is empty: it is written by the kit's own runs"
    columns = ", ".join(declared.required)
    return (
        f"the table {name} is missing; add {name}.csv or {name}.parquet with {columns} to the "
        f"data, or map yours in {FILE} under data.tables.{name} (docs/tables.md has all columns)"
    )


def faults(settings: Settings) -> list[str]:
    """Return everything that cannot be read or mapped, all at once.

    Parameters
    ----------
    settings : Settings
        Of the workspace.

    Returns
    -------
    list of str
        One line each, as in `csa.yml: data.tables.surveys.columns.score: no column "scroe" in
        surveys.csv; did you mean "score"?`.
    """
    with Tables(settings) as tables:
        return tables.faults()
