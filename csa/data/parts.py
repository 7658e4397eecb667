"""Roll-ups of events, kept in parts of days so that a new day costs a day.

A part is one Parquet file for a year, a month, or a day of a month that is not over: the coarser,
the fewer events there are. Its name tells what it was made from, as that of every cached file:
the days that it spans, the files that have rows of those days (of a database: rows and newest row
of each day), settings and code. So a new file with new days leaves all parts but theirs as they
are; an old file that has changed, or a late event, makes the parts anew that it reaches; and
another reading of the same files makes all of them anew. Days do not overlap, so no event is
counted twice.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import ibis.expr.types as ir

from csa.data import cache
from csa.data.engine import engine_errors, first_line
from csa.data.rollups import ROLLUPS, RollupContext
from csa.data.sources import Tables
from csa.data.sources.fingerprint import digest
from csa.data.sources.pieces import Pieces
from csa.errors import InputError

MOST = 1_000_000  # events in a part that is made anew each day, or that spares many small files
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Parts:
    """Files of a roll-up: of whole months, and of single days that are yet to be put together."""

    whole: tuple[Path, ...]
    days: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Days [start, end) of a part; `single` where it is a day of a larger month."""

    start: date
    end: date
    single: bool = False


def spans(events: Mapping[date, int], as_of: date) -> list[Span]:
    """Divide the days of events into parts.

    Parameters
    ----------
    events : mapping of date to int
        Number of events of each day that has any.
    as_of : date
        Last day that is known.

    Returns
    -------
    list of Span
        In order, with all days that have events by `as_of`, each in one span; one span at least.
    """
    known = {day: n for day, n in events.items() if day <= as_of}
    after = as_of + DAY
    first = min(known, default=as_of)
    if sum(known.values()) <= MOST:
        return [Span(date(first.year, 1, 1), after)]
    found: list[Span] = []
    for year in sorted({day.year for day in known}):
        own = {day: n for day, n in known.items() if day.year == year}
        if sum(own.values()) <= MOST:
            found.append(Span(date(year, 1, 1), min(date(year + 1, 1, 1), after)))
        else:
            found += _months(own, after)
    return found


def _months(own: Mapping[date, int], after: date) -> Iterator[Span]:
    """Divide the days of a year with many events."""
    for month in sorted({day.month for day in own}):
        days = {day: n for day, n in own.items() if day.month == month}
        start = min(days).replace(day=1)
        end = (start + 31 * DAY).replace(day=1)
        if end <= after or sum(days.values()) <= MOST:
            yield Span(start, min(end, after))
        else:
            yield from (Span(day, day + DAY, single=True) for day in sorted(days))


def materialise(tables: Tables, name: str, folder: Path, ctx: RollupContext) -> Parts:
    """Return the parts of a roll-up; those that are not there yet are made.

    Parameters
    ----------
    tables : Tables
        The tables.
    name : str
        One of `ROLLUPS` that is kept in parts.
    folder : Path
        Where the files are kept.
    ctx : RollupContext
        What the roll-up depends on besides its rows.

    Returns
    -------
    Parts
        Parquet files.

    Raises
    ------
    InputError
        If the table cannot be read to the end.
    """
    needs = ROLLUPS[name].needs
    pieces = tables.pieces(needs)
    days = _days(pieces, folder)
    events: dict[date, int] = {}
    for found in days.values():
        for day, (n, _) in found.items():
            events[day] = events.get(day, 0) + n
    name_of_all = _prefix(pieces, name)
    whole: list[Path] = []
    single: list[Path] = []
    for span in spans(events, ctx.as_of):
        held = {k: d for k, d in days.items() if any(span.start <= day < span.end for day in d)}
        known_by = replace(ctx, as_of=min(ctx.as_of, span.end - DAY))
        rows = pieces.between(span.start, span.end, [k for k in held if k in pieces.files])
        make = partial(_write, tables, name, rows, known_by)
        file = cache.keep(folder / f"{name_of_all}-{_key(span, held)}.parquet", make)
        (single if span.single else whole).append(file)
    return Parts(tuple(whole), tuple(single))


def files_of(tables: Tables, name: str) -> str:
    """Name the files of a roll-up that is kept in parts.

    Parameters
    ----------
    tables : Tables
        The tables.
    name : str
        One of `ROLLUPS`.

    Returns
    -------
    str
        As in user_days-0a1b2c3d4e5f6789-*.parquet.
    """
    return f"{_prefix(tables.pieces(ROLLUPS[name].needs), name)}-*.parquet"


def _prefix(pieces: Pieces, name: str) -> str:
    return f"{name}-{digest([pieces.stated, cache.code_version()])}"


def _key(span: Span, held: Mapping[str, Mapping[date, tuple[int, str]]]) -> str:
    """Name the days of a part and what their rows are."""
    rows = {
        key: [[str(day), *of] for day, of in sorted(days.items()) if span.start <= day < span.end]
        for key, days in held.items()
    }
    return f"{span.start}-{(span.end - DAY)}-{digest(rows)}"


def _write(tables: Tables, name: str, rows: ir.Table, ctx: RollupContext, target: Path) -> None:
    rollup = ROLLUPS[name]
    try:
        tables.backend(rollup.needs).to_parquet(rollup.build(rows, ctx), target)
    except engine_errors() as error:
        raise InputError(f"{rollup.needs} cannot be rolled up: {first_line(error)}") from error


# days ------------------------------------------------------------------------------------------


def _days(pieces: Pieces, folder: Path) -> dict[str, dict[date, tuple[int, str]]]:
    """Events of each day, and the newest of a database, by piece; of a file looked up once."""
    if not pieces.files:
        return {"": _counted(pieces, ())}
    found = {}
    for key in pieces.files:
        name = f"days-{digest([pieces.stated, key, cache.code_version()])}.json"
        file = cache.keep(folder / name, partial(_write_days, pieces, key))
        held = json.loads(file.read_text(encoding="utf-8"))
        found[key] = {date.fromisoformat(day): (n, "") for day, n in held.items()}
    return found


def _write_days(pieces: Pieces, key: str, target: Path) -> None:
    days = {day.isoformat(): n for day, (n, _) in _counted(pieces, (key,)).items()}
    target.write_text(json.dumps(days, sort_keys=True), encoding="utf-8")


def _counted(pieces: Pieces, keys: Sequence[str]) -> dict[date, tuple[int, str]]:
    rows = pieces.rows(keys)
    rows = rows.select(at=rows[pieces.appears], day=rows[pieces.appears].cast("date")).drop_null(
        "day"
    )
    newest = {} if keys else {"newest": rows["at"].max()}
    days = rows.group_by("day").agg(n=rows.count(), **newest)
    try:
        found = pieces.opened.located.backend.to_pyarrow(days).to_pylist()
    except engine_errors() as error:
        table = pieces.opened.table.name
        raise InputError(f"{table} cannot be rolled up: {first_line(error)}") from error
    return {r["day"]: (int(r["n"]), str(r.get("newest", ""))) for r in found}
