"""Rows of subscriptions as the definitions of csa.yml count recurring revenue."""

from collections.abc import Collection

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
    require(definitions, table.columns)
    if definitions.discounts == "list":
        price = ibis.ifelse(table.mrr > 0, ibis.coalesce(table.list_mrr, table.mrr), table.mrr)
        table = table.mutate(mrr=price.cast("decimal(18, 4)"))
    if definitions.churn_at == "cancel":
        said = table.cancelled_on.cast("date")
        begun = ibis.greatest(said, table.start_on)
        sooner = ibis.ifelse(table.end_on < begun, table.end_on, begun)
        table = table.mutate(end_on=ibis.ifelse(said.isnull(), table.end_on, sooner).cast("date"))
    return table


def require(definitions: Definitions, columns: Collection[str]) -> None:
    """Refuse definitions that nothing in the data can tell.

    Parameters
    ----------
    definitions : Definitions
        Chosen in csa.yml.
    columns : collection of str
        Columns of subscriptions that hold values.

    Raises
    ------
    NotAvailable
        If the column that a definition needs is not among them.
    """
    needed = {("discounts", "list"): LIST_PRICE, ("churn_at", "cancel"): CANCELLED}
    for (switch, choice), name in needed.items():
        if getattr(definitions, switch) == choice and name not in columns:
            raise NotAvailable(
                f"definitions in csa.yml say {switch}: {choice}, which needs the column {name} of "
                f"subscriptions; map it under data.tables.subscriptions.columns.{name}, or choose "
                "another definition"
            )
