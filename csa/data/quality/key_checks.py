"""Unique keys, and references from table to table."""

from collections.abc import Iterator, Mapping

import ibis.expr.types as ir
from ibis.backends import BaseBackend

from csa.data.own_sql import carry
from csa.data.quality.rules import EXAMPLES, Check, Kind, label_of, severity
from csa.data.quality.viewed import Viewed
from csa.data.schema import TABLES


def repeated(tables: Viewed, name: str, total: int) -> Iterator[Check]:
    """Check that keys are unique; in a table without a key, that no row is there twice.

    Parameters
    ----------
    tables : Viewed
        The tables.
    name : str
        One of them.
    total : int
        Its number of rows.

    Yields
    ------
    Check
        One; examples are the keys.
    """
    key = tables.key(name)
    columns = key or tuple(c.name for c in TABLES[name].columns if c.name in tables.mapped(name))
    rows, backend = tables.table(name), tables.backend(name)
    if len(key) == 1:
        rows = rows.filter(rows[key[0]].notnull())
    groups = rows.group_by(*columns).agg(times=rows.count()).filter(lambda t: t.times > 1)
    failing = _total(groups.times, backend)
    label = columns if key else tuple(c for c in ("account_id",) if c in columns) or columns[:1]
    first = _first(groups, label, backend) if failing else ()
    if key:
        told = ", ".join(key)
        kind: Kind = "uniqueness"
        message = f"rows share their {told}, which must be unique"
        fix = "remove repeated rows in the source or with query; a double export is a usual cause"
    else:
        told, kind = "", "duplicate"
        message = "rows are alike in every column"
        fix = "remove repeated rows if one event was exported twice; else map what tells them apart"
    worst = severity(name, key[0], failing, total, TABLES[name].required) if key else "warning"
    yield Check(
        table=name,
        column=told,
        check=kind,
        severity=worst,
        failing=failing,
        rows=total,
        examples=first,
        message=message,
        fix=fix,
    )


def _total(counts: ir.IntegerColumn, backend: BaseBackend) -> int:
    return int(backend.to_pyarrow(counts.sum()).as_py() or 0)


def _first(groups: ir.Table, columns: tuple[str, ...], backend: BaseBackend) -> tuple[str, ...]:
    names = groups.select(label=label_of(groups, columns)).distinct()
    found = backend.to_pyarrow(names.order_by("label").limit(EXAMPLES)).to_pylist()
    return tuple(row["label"] for row in found)


def references(tables: Viewed, name: str, total: int) -> Iterator[Check]:
    """Check that what rows refer to is there.

    Parameters
    ----------
    tables : Viewed
        The tables.
    name : str
        The table that refers.
    total : int
        Its number of rows.

    Yields
    ------
    Check
        One per reference whose table is there; examples are the keys that are not.
    """
    for column, parent in TABLES[name].references.items():
        if parent not in tables or column not in tables.mapped(name):
            continue
        key = TABLES[parent].key[0]
        rows = tables.table(name)
        used = rows.filter(rows[column].notnull()).group_by(key=rows[column])
        known = tables.table(parent).select(known=key).filter(lambda t: t.known.notnull())
        (here, there), backend = meeting(
            tables, {name: used.agg(times=lambda t: t.count()), parent: known.distinct()}
        )
        orphans = here.anti_join(there, here.key == there.known)
        failing = _total(orphans.times, backend)
        yield Check(
            table=name,
            column=column,
            check="reference",
            severity="warning",
            failing=failing,
            rows=total,
            examples=_first(orphans, ("key",), backend) if failing else (),
            message=f"{column} is not in {parent}",
            fix=f"add what is missing to {parent}; until then these rows count in totals, but in "
            f"no breakdown by {parent}",
        )


def meeting(
    tables: Viewed, pieces: Mapping[str, ir.Table]
) -> tuple[tuple[ir.Table, ...], BaseBackend]:
    """Bring expressions over several tables to one engine.

    Parameters
    ----------
    tables : Viewed
        The tables.
    pieces : mapping of str to ir.Table
        By table, only with the columns that are needed.

    Returns
    -------
    tuple
        The expressions in the same order, and their engine: the one they share, else DuckDB, to
        which the others are copied in batches.
    """
    homes = {name: tables.backend(name) for name in pieces}
    first = next(iter(homes.values()))
    if all(home is first for home in homes.values()):
        return tuple(pieces.values()), first
    here = tuple(
        piece
        if homes[name] is tables.engine
        else carry(piece, f"{name}-{abs(hash(piece)):x}", homes[name], tables.engine)
        for name, piece in pieces.items()
    )
    return here, tables.engine
