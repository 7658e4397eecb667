"""What refunds took back: revenue before and after, to the minor unit."""

from dataclasses import dataclass

import ibis.expr.types as ir


@dataclass(frozen=True, slots=True, kw_only=True)
class Netting:
    """What was netted, in minor units; `before_minor` - `refunds_minor` = `net_minor`.

    `net_minor` + `unmatched_minor` = `after_minor`: what customers bought and kept. Days: how
    many bought, were free of charge, were given back entirely, and gave back. `unnamed_minor` is
    the sum of `unnamed_rows` rows that name no account, which are in none of the others.
    """

    rows: int
    refunds: int
    before_minor: int
    refunds_minor: int
    net_minor: int
    unmatched_minor: int
    after_minor: int
    purchase_days: int
    free_days: int
    returned_days: int
    refund_days: int
    unnamed_rows: int
    unnamed_refunds: int
    unnamed_minor: int


def netting(purchases: ir.Table) -> Netting:
    """Add up what the roll-up of purchases netted.

    Parameters
    ----------
    purchases : ir.Table
        The roll-up, with all its columns.

    Returns
    -------
    Netting
        Money before and after refunds, to the minor unit.
    """
    named, nobody = purchases.account_id.notnull(), purchases.account_id.isnull()
    net = purchases.net_minor.sum(where=named)
    back = purchases.refund_minor.sum(where=named)
    sums = {
        "rows": purchases.rows.sum(where=named),
        "refunds": purchases.refunds.sum(where=named),
        "before_minor": net + back,
        "refunds_minor": back,
        "net_minor": net,
        "unmatched_minor": purchases.unmatched_minor.sum(where=named),
        "after_minor": purchases.amount_minor.sum(where=named),
        "unnamed_rows": purchases.rows.sum(where=nobody),
        "unnamed_refunds": purchases.refunds.sum(where=nobody),
        "unnamed_minor": purchases.net_minor.sum(where=nobody),
    }
    for name in ("purchase", "free", "returned", "refund"):
        sums[f"{name}_days"] = (purchases.kind == name).sum()
    row = purchases.agg(**sums).to_pyarrow().to_pylist()[0]
    return Netting(**{name: int(value or 0) for name, value in row.items()})
