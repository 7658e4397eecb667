"""A table in the pieces from which it grows: its files, each with a digest of its own.

What is made of a piece stays right as long as the piece does, and the way it is read. A table
that is the result of a query of csa.yml over files is one piece, since a query may join; one in a
database has no pieces but its days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import ibis
import ibis.expr.types as ir

from csa.data.sources import readers
from csa.data.sources.fingerprint import digest, of_file
from csa.data.sources.opened import RAW, Opened
from csa.settings import TableMapping

_ZONES = timedelta(days=2)  # more than any two zones are apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Pieces of a table whose rows have a time.

    Parameters
    ----------
    opened : Opened
        The table.
    stated : str
        Digest of everything but the rows: settings, types of the source, formats of its dates.
    files : mapping of str to tuple of Path
        Digest of each piece to its files; empty in a database.
    mapping : TableMapping
        Delimiter, encoding and filter of the files.
    """

    opened: Opened
    stated: str
    files: Mapping[str, tuple[Path, ...]]
    mapping: TableMapping

    @property
    def appears(self) -> str:
        """Column with the time of a row."""
        return str(self.opened.table.appears)

    def rows(self, keys: Sequence[str] = ()) -> ir.Table:
        """Return canonical rows of some pieces, whatever their day.

        Parameters
        ----------
        keys : sequence of str
            Digests of pieces; none: the whole table.

        Returns
        -------
        ir.Table
            With the columns of the source, each under its name and `__raw`. Where csa.yml states
            a filter the engine reads the whole table.
        """
        opened, located = self.opened, self.opened.located
        if not keys or len(keys) == len(self.files) or self.mapping.where is not None:
            return opened.rows
        paths = tuple(path for key in keys for path in self.files[key])
        file = replace(located.files[0], paths=paths)
        view = f"{file.name}/{digest(sorted(keys))}"
        options = {"delimiter": self.mapping.delimiter, "encoding": self.mapping.encoding}
        found = readers.register(located.backend, file, view, **options)
        schema = located.rows.schema()
        same = found.select(
            **{
                name: found[name].cast(kind) if name in found.columns else ibis.null(kind)
                for name, kind in schema.items()
            }
        )
        narrowed: ir.Table = opened.rows.op().replace({located.rows.op(): same.op()}).to_expr()
        return narrowed

    def between(self, start: date, end: date, keys: Sequence[str] = ()) -> ir.Table:
        """Return canonical rows of the days [start, end).

        Parameters
        ----------
        start, end : date
            First day, and first day after.
        keys : sequence of str
            Digests of the pieces that have such rows.

        Returns
        -------
        ir.Table
            Canonical columns, without those that hold nothing.
        """
        rows = self.rows(keys)
        at = rows[self.appears]
        rows = rows.filter(at >= _midnight(start), at < _midnight(end))
        raw = self.appears + RAW
        kind = rows.schema().get(raw)
        if kind is not None and kind.is_timestamp() and self.files:
            # what a file's own statistics can tell, so that it is not read in full
            zone = UTC if kind.timezone else None
            low, high = (_midnight(day).replace(tzinfo=zone) for day in (start, end))
            rows = rows.filter(
                rows[raw] >= ibis.literal(low - _ZONES, kind),
                rows[raw] < ibis.literal(high + _ZONES, kind),
            )
        return rows.select(*(p.column.name for p in self.opened.plan.columns if p.mapped))


def pieces_of(opened: Opened, stated: Sequence[object], mapping: TableMapping) -> Pieces:
    """Tell the pieces of an opened table.

    Parameters
    ----------
    opened : Opened
        The table.
    stated : sequence of object
        What settings say about it, as values of JSON.
    mapping : TableMapping
        Its mapping.

    Returns
    -------
    Pieces
        Nothing but the ends of its files has been read.
    """
    located = opened.located
    read = {p.column.name: (p.source, p.mapping.model_dump_json()) for p in opened.plan.columns}
    schema = {name: str(kind) for name, kind in located.rows.schema().items()}
    files: dict[str, tuple[Path, ...]] = {}
    for file in located.files:
        for path in file.paths:
            own = digest([file.name, path.name, of_file(path)])
            files[own] = (*files.get(own, ()), path)  # the same file twice holds its rows twice
    if mapping.query is not None and files:
        files = {digest(sorted(files)): tuple(p for paths in files.values() for p in paths)}
    key = digest([*stated, read, schema])
    return Pieces(opened=opened, stated=key, files=files, mapping=mapping)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
