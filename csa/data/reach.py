"""How far data reach, and how much there is: one small query each."""

from datetime import date

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from csa.data.columns import Table
from csa.data.visible import moment

# Tables whose newest row shows how far the data reach.
EVENTS = (
    *("accounts", "subscriptions", "transactions", "usage_events", "surveys", "tickets"),
    *("interventions", "opportunities", "campaign_accounts"),
)


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


def extent(rows: ir.Table, table: Table, backend: BaseBackend) -> list[str]:
    """Return what tells one state of a database table from another: rows and newest row.

    Parameters
    ----------
    rows : ir.Table
        Canonical columns.
    table : Table
        Its declaration.
    backend : BaseBackend
        Where it is.

    Returns
    -------
    list of str
        For a fingerprint. A change to an old row that adds none is not seen.
    """
    appears = moment(rows, table)
    latest = ibis.null("date") if appears is None else appears.max()
    found = backend.to_pyarrow(rows.aggregate(n=rows.count(), newest=latest)).to_pylist()[0]
    return [str(value) for value in found.values()]
