"""The tables as the quality gate asks for them: many small questions to each."""

from functools import cache
from types import TracebackType
from typing import Self

import ibis.expr.types as ir

from csa.data.schema import TABLES
from csa.data.sources import Tables


class Viewed:
    """Tables whose casts are written down, or done, once. A context manager: it tidies up.

    A canonical table is a long expression; Ibis would translate it again for each of the dozens
    of questions that the gate asks, which costs more than the answers. So Parquet becomes a view.
    What DuckDB would have to parse or query anew each time, CSV and `query`, becomes a temporary
    table, beyond the memory limit on disk. Tables in a database stay expressions: nothing is
    written there.

    Parameters
    ----------
    tables : Tables
        As known on a day.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.engine = tables.engine
        self.names = [n for n in tables.names() if not TABLES[n].ledger]
        self.table = cache(self._table)
        self.backend = cache(tables.backend)
        self.mapped = cache(tables.mapped)
        self._made: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for what, name in self._made:
            self.engine.raw_sql(f'DROP {what} IF EXISTS "{name}"')

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def _table(self, name: str) -> ir.Table:
        rows = self.tables.table(name)
        if self.backend(name) is not self.engine:
            return rows
        quick = self.tables.origin(name).endswith((".parquet", ".pq"))
        what, made = ("VIEW" if quick else "TABLE"), f"gate/{name}"
        sql = self.engine.compile(rows)
        self.engine.raw_sql(f'CREATE OR REPLACE TEMP {what} "{made}" AS {sql}')
        self._made.append((what, made))
        return self.engine.table(made)

    def key(self, name: str) -> tuple[str, ...]:
        """Return the columns that tell rows apart, as far as they are there.

        Parameters
        ----------
        name : str
            Canonical table.

        Returns
        -------
        tuple of str
            Empty where the table has no key.
        """
        return tuple(k for k in TABLES[name].key if k in self.mapped(name))
