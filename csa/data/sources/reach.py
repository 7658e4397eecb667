"""How far data reach, and how much there is: one small query each."""

from collections.abc import Iterable, Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from csa.data.columns import Table
from csa.data.sources.absent import undated
from csa.data.visible import moment
from csa.errors import NotAvailable

# Tables whose newest row shows how far the data reach.
EVENTS = (
    *("accounts", "subscriptions", "transactions", "usage_events", "surveys", "tickets"),
    *("interventions", "opportunities", "campaign_accounts"),
)
APPENDED = ("usage_events",)  # rows that only ever come; too many to be summed up each time


def newest(rows: ir.Table, table: Table, backend: BaseBackend, today: date) -> date | None:
    """Return the newest day on which a row appeared.

    Parameters
    ----------
    rows : ir.Table
        Canonical columns.
    table : Table
        Its declaration.
    backend : BaseBackend
        Where it is.
    today : date
        Later days are slips of the pen.

    Returns
    -------
    date or None
        None where there is no day.
    """
    appears = moment(rows, table)
    if appears is None:
        return None
    days = rows.select(day=appears.cast("date")).filter(lambda t: t.day <= today)
    found: date | None = backend.to_pyarrow(days.day.max()).as_py()
    return found


def last_day(held: Iterable[tuple[ir.Table, Table, BaseBackend]], today: date) -> date:
    """Return the newest day on which something happened to accounts.

    Parameters
    ----------
    held : iterable of (rows, Table, backend)
        Those of `EVENTS` that are there.
    today : date
        Later days are slips of the pen.

    Returns
    -------
    date
        Not after today.

    Raises
    ------
    NotAvailable
        If no table has a day.
    """
    days = [newest(rows, table, backend, today) for rows, table, backend in held]
    if not any(days):
        raise NotAvailable(undated())
    return max(day for day in days if day is not None)


def extent(
    rows: ir.Table, table: Table, backend: BaseBackend, columns: Sequence[str] = ()
) -> list[str]:
    """Return what tells one state of a table that is no file from another.

    Parameters
    ----------
    rows : ir.Table
        Canonical columns.
    table : Table
        Its declaration.
    backend : BaseBackend
        Where it is.
    columns : sequence of str
        Columns that are summed up, since a subscription that is closed, or an account that
        changes its segment, adds no row.

    Returns
    -------
    list of str
        Rows, newest row, and a sum of hashes per column: the same in any order of rows.
    """
    appears = moment(rows, table)
    latest = ibis.null("date") if appears is None else appears.max()
    sums = {c: rows[c].cast("string").hash().cast("decimal(38, 0)").sum() for c in columns}
    state = rows.aggregate(n_rows=rows.count(), newest_row=latest, **sums)
    return [str(value) for value in backend.to_pyarrow(state).to_pylist()[0].values()]
