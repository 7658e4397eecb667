"""Tables being opened: each once, with its scan for values that cannot be cast."""

from datetime import date

import ibis.expr.types as ir

from csa.data.columns import Table
from csa.data.engine import engine_errors
from csa.data.schema import TABLES
from csa.data.sources import faulty
from csa.data.sources.absent import missing, nothing_found, unknown_names
from csa.data.sources.casts import present
from csa.data.sources.faulty import Uncast
from csa.data.sources.ledger_rows import ledger_tables
from csa.data.sources.locate import Located, Sources
from csa.data.sources.opened import RAW, Opened, open_table
from csa.data.visible import visible
from csa.errors import ConfigError, CsaError, InputError, NotAvailable
from csa.settings import FILE, Settings
from csa.settings_rules import did_you_mean


class Openings:
    """What `Tables` has opened so far.

    Parameters
    ----------
    settings : Settings
        Of the workspace.
    as_of : date or None
        Last day that is known.
    """

    def __init__(self, settings: Settings, as_of: date | None) -> None:
        self.settings = settings
        self.as_of = as_of
        self.sources = Sources(settings)
        self._opened: dict[str, Opened] = {}
        self._scans: dict[str, tuple[Uncast, ...]] = {}
        self._names: list[str] | None = None

    def close(self) -> None:
        """Close all connections and forget what was opened."""
        self._opened, self._scans, self._names = {}, {}, None
        self.sources.close()

    def names(self) -> list[str]:
        """Return the tables that are there; refuse while a source cannot be opened.

        Returns
        -------
        list of str
            In the order of the schema.
        """
        if self._names is None:
            broken = self.sources.faults()
            if broken:
                raise ConfigError(*broken)
            ledger = ledger_tables(self.settings.root)
            self._names = [*self.sources.holding(), *(t for t in TABLES if t in ledger)]
        return list(self._names)

    def declared(self, name: str) -> Table:
        """Return the declaration of a table that is there.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        Table
            NotAvailable is raised where it is absent.
        """
        declared = TABLES.get(name)
        if declared is None:
            raise InputError(f'there is no table "{name}"{did_you_mean(name, TABLES)}')
        if name not in self._opened and name not in self.names():
            raise NotAvailable(missing(name))
        return declared

    def open(self, name: str) -> Opened:
        """Return an opened table.

        Parameters
        ----------
        name : str
            Canonical table, not one of the ledger.

        Returns
        -------
        Opened
            InputError is raised where it cannot be read or mapped.
        """
        self.declared(name)
        if name not in self._opened:
            located = self.sources.locate(name)
            try:
                self._opened[name] = open_table(TABLES[name], located, self.settings)
            except engine_errors() as error:
                raise _unreadable(name, located, error) from error
        return self._opened[name]

    def rows(self, name: str) -> ir.Table:
        """Return the visible rows of an opened table with their raw columns.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        ir.Table
            Later facts are still in it.
        """
        opened = self.open(name)
        return visible(opened.rows, opened.table, self.as_of)

    def texts(self, name: str) -> ir.Table:
        """Return the visible rows with the source's text where a cast may fail.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        ir.Table
            Canonical columns and attributes.
        """
        opened, rows = self.open(name), self.rows(name)
        texts = {
            p.column.name: present(rows[p.column.name + RAW], p.column.kind).cast("string")
            for p in opened.risky
        }
        return rows.select(**{n: texts.get(n, rows[n]) for n in opened.names})

    def scan(self, name: str) -> tuple[Uncast, ...]:
        """Return what could not be cast, counted once.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        tuple of Uncast
            One per column whose cast may fail.
        """
        if self.declared(name).ledger:
            return ()
        if name not in self._scans:
            opened = self.open(name)
            try:
                self._scans[name] = faulty.scan(opened, self.rows(name))
            except engine_errors() as error:
                raise _unreadable(name, opened.located, error) from error
        return self._scans[name]

    def faults(self) -> list[str]:
        """Return everything that cannot be read or mapped.

        Returns
        -------
        list of str
            One line each.
        """
        lines = [*self.sources.faults(), *unknown_names(self.settings)]
        if not self.sources.faults():
            for name in self.sources.holding():
                lines += self._faults_of(name)
            if not self.sources.holding() and not lines:
                lines.append(nothing_found(self.sources.stems()))
        return list(dict.fromkeys(lines))

    def _faults_of(self, name: str) -> list[str]:
        try:
            return faulty.faults(self.open(name), self.rows(name), self.scan(name))
        except CsaError as error:
            return list(error.faults)


def _unreadable(name: str, located: Located, error: Exception) -> InputError:
    fault = faulty.reading_fault(error, located.files)
    return InputError(f"{FILE}: data.tables.{name}: {located.origin} {fault}")
