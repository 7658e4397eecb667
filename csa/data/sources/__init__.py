"""The canonical tables of a workspace, as known on a day.

`Tables` is the one way to data: canonical columns and types, rows and facts after `as_of`
hidden. Nothing is read before it is asked for, and then by the engine that has it: a table in a
database stays an expression there, files are read by DuckDB. Values that cannot be cast are
missing; `uncast` counts them for the quality gate.
"""

import weakref
from datetime import date, datetime
from types import TracebackType
from typing import Literal, Self
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
from ibis.backends import BaseBackend

from csa.data import own_sql
from csa.data.schema import TABLES
from csa.data.sources import converted, reach
from csa.data.sources.faulty import Uncast
from csa.data.sources.fingerprint import digest, of_files, stated
from csa.data.sources.ledger_rows import ledger_rows
from csa.data.sources.openings import Openings
from csa.data.sources.pieces import Pieces, pieces_of
from csa.data.visible import forget, visible
from csa.settings import Settings, TableMapping


class Tables:
    """The canonical tables of a workspace; a context manager that also closes when collected.

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
        self._openings = Openings(settings, as_of)
        self._finalizer = weakref.finalize(self, self._openings.close)

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
        self._openings.close()

    @property
    def engine(self) -> BaseBackend:
        """DuckDB in this process: it reads the files, and all checks may use it."""
        return self._openings.sources.engine

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
        return self._openings.names()

    def table(self, name: str) -> ir.Table:
        """Return a table in canonical columns and types, as known on `as_of`.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        ir.Table
            All declared columns, absent ones missing; in an open table, further ones of its source.

        Raises
        ------
        NotAvailable
            If the table is absent, with how to add it.
        InputError
            If it cannot be read or mapped.
        """
        declared = self._openings.declared(name)
        if declared.ledger:
            rows = ledger_rows(self.engine, declared, self.settings.root, self.settings.timezone)
            return forget(visible(rows, declared, self.as_of), declared, self.as_of)
        rows = forget(self._openings.rows(name), declared, self.as_of)
        return rows.select(*self._openings.open(name).names)

    def native(self, name: str) -> ir.Table:
        """Return a table as `table` does, with money in the currencies that have rates by day.

        Parameters
        ----------
        name : str
            Canonical table, not one of the ledger.

        Returns
        -------
        ir.Table
            Money in them as it was.
        """
        rows = forget(self._openings.rows(name), self._openings.declared(name), self.as_of)
        return converted.native(rows).select(*self._openings.open(name).names)

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
        if self._openings.declared(name).ledger:
            return self.table(name)
        return self._openings.texts(name)

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
        return tuple(u for u in self._openings.scan(name) if u.failing)

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
        if self._openings.declared(name).ledger:
            return tuple(c.name for c in TABLES[name].columns)
        planned = self._openings.open(name).plan
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
        if self._openings.declared(name).ledger:
            return self.engine
        return self._openings.open(name).located.backend

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
        if self._openings.declared(name).ledger:
            return "ledger"
        return self._openings.open(name).located.origin

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
        since = self.settings.data.tables.get(name, TableMapping()).observed_from
        if since == "always" or isinstance(since, date):
            return since
        if self._openings.declared(name).column("observed_from") is None:
            return None
        made = self._openings.open(name).plan.of("observed_from")
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
        if (last := self.settings.data.last_day) is not None:
            return min(last, today)
        held = [n for n in self.names() if n in reach.EVENTS]
        return reach.last_day([(self.table(n), TABLES[n], self.backend(n)) for n in held], today)

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
        declared = self._openings.declared(name)
        parts = stated(self.settings, name)
        if declared.ledger:
            root, zone = self.settings.root, self.settings.timezone
            rows = ledger_rows(self.engine, declared, root, zone)
            parts.append(reach.extent(rows, declared, self.engine))
        elif files := self._openings.open(name).located.files:
            parts.append(of_files(files))
        else:  # all rows, whatever the day
            rows = self._openings.open(name).rows
            summed = () if name in reach.APPENDED else self.mapped(name)
            parts.append(reach.extent(rows, declared, self.backend(name), summed))
        return digest(parts)

    def pieces(self, name: str) -> Pieces:
        """Return the pieces from which a table grows: its files.

        Parameters
        ----------
        name : str
            Canonical table, not one of the ledger.

        Returns
        -------
        Pieces
            Of rows of any day.
        """
        mapping = self.settings.data.tables.get(name, TableMapping())
        return pieces_of(self._openings.open(name), stated(self.settings, name), mapping)

    def sql(self, query: str, *, source: str | None = None) -> ir.Table:
        """Return the result of a query over the canonical tables, as known on `as_of`.

        Parameters
        ----------
        query : str
            SQL of the analyst's own: of the one database that holds all its tables, of DuckDB
            where they come from files or from several sources.
        source : str, optional
            Query the files (by their stems) or tables of this source as they are instead.

        Returns
        -------
        ir.Table
            Not yet executed.

        Raises
        ------
        NotAvailable
            If it needs a table that is absent.
        InputError
            If the engine refuses it.
        """
        if source is not None:
            return self._openings.sources.query(source, query).rows
        names = self.names()
        meant = own_sql.words(query)
        used = {n: (self.table(n), self.backend(n)) for n in names if n in meant}
        return own_sql.answered(query, used, meant - set(names), self.engine)

    def faults(self) -> list[str]:
        """Return everything that cannot be read or mapped, all at once.

        Returns
        -------
        list of str
            One line each, with its path in csa.yml; empty where all is well.
        """
        return self._openings.faults()


def faults(settings: Settings) -> list[str]:
    """Return everything that cannot be read or mapped, all at once.

    Parameters
    ----------
    settings : Settings
        Of the workspace.

    Returns
    -------
    list of str
        One line each, with its path in csa.yml and a way out.
    """
    with Tables(settings) as tables:
        return tables.faults()
