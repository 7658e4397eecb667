"""Rows of subscriptions as the definitions of csa.yml count recurring revenue."""

import ibis
import ibis.expr.types as ir

from csa.definitions import Definitions
from csa.errors import NotAvailable

CANCELLED, LIST_PRICE = "cancelled_on", "list_mrr"


def as_defined(table: ir.Table, definitions: Definitions) -> ir.Table:
    """Give subscriptions the price and the end that the definitions ask for.

    Parameters
    ----------
    table : ir.Table
        The table `subscriptions`.
    definitions : Definitions
        `discounts` "list" takes the list price, where a row states one and is not free;
        `churn_at` "cancel" ends a row on the day of its cancellation, where that is earlier.

    Returns
    -------
    ir.Table
        The same columns.

    Raises
    ------
    NotAvailable
        If the column that a definition needs is not there.
    """
    if definitions.discounts == "list":
        listed = _column(table, LIST_PRICE, "discounts: list")
        price = ibis.ifelse(table.mrr > 0, ibis.coalesce(listed, table.mrr), table.mrr)
        table = table.mutate(mrr=price.cast("decimal(18, 4)"))
    if definitions.churn_at == "cancel":
        said = _column(table, CANCELLED, "churn_at: cancel").cast("date")
        begun = ibis.greatest(said, table.start_on)
        sooner = ibis.ifelse(table.end_on < begun, table.end_on, begun)
        table = table.mutate(end_on=ibis.ifelse(said.isnull(), table.end_on, sooner).cast("date"))
    return table


def _column(table: ir.Table, name: str, asked_by: str) -> ir.Value:
    if name not in table.columns:
        raise NotAvailable(
            f"csa.yml: definitions: {asked_by} needs the column {name} of subscriptions; map it "
            f"under data.tables.subscriptions.columns.{name}, or take the other definition"
        )
    return table[name]
