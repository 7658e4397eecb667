"""What is known on a day: rows that have appeared, facts that have happened."""

from datetime import date, datetime, time, timedelta

import ibis
import ibis.expr.types as ir

from csa.data.columns import Table


def moment(rows: ir.Table, table: Table) -> ir.Value | None:
    """Return the column from which on a row is visible.

    Parameters
    ----------
    rows : ir.Table
        Canonical columns.
    table : Table
        Its declaration.

    Returns
    -------
    ir.Value or None
        Date or time; None where all rows are always visible.
    """
    if table.appears is None:
        return None
    if table.appears_else is None:
        return rows[table.appears]
    return ibis.coalesce(rows[table.appears], rows[table.appears_else])


def visible(rows: ir.Table, table: Table, as_of: date | None) -> ir.Table:
    """Return the rows that had appeared by the end of a day.

    Parameters
    ----------
    rows : ir.Table
        Canonical columns.
    table : Table
        Its declaration.
    as_of : date or None
        Last day included; None shows everything.

    Returns
    -------
    ir.Table
        Rows without a date stay: the quality gate reports them.
    """
    appears = moment(rows, table)
    if as_of is None or appears is None:
        return rows
    known = ~_after(appears, as_of) | appears.isnull()
    if table.appears_when is not None:
        column, value = table.appears_when
        known = known | (rows[column].isnull()) | (rows[column].lower() != value)
    return rows.filter(known)


def forget(rows: ir.Table, table: Table, as_of: date | None) -> ir.Table:
    """Return the rows without the facts that came after a day.

    Parameters
    ----------
    rows : ir.Table
        Canonical columns.
    table : Table
        Its declaration.
    as_of : date or None
        Last day included; None forgets nothing.

    Returns
    -------
    ir.Table
        Same columns.
    """
    if as_of is None:
        return rows
    later = {
        column.name: ibis.ifelse(
            _after(rows[column.known_by], as_of),
            ibis.null(rows[column.name].type()),
            rows[column.name],
        )
        for column in table.columns
        if column.known_by is not None
    }
    return rows.mutate(**later) if later else rows


def _after(value: ir.Value, as_of: date) -> ir.BooleanValue:
    tomorrow = as_of + timedelta(days=1)
    if value.type().is_date():
        return value >= ibis.literal(tomorrow)
    return value >= ibis.literal(datetime.combine(tomorrow, time()))  # naive: local
