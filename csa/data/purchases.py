"""Roll-up of transactions: `purchases`, one row per account and day, refunds netted.

The rule of netting, in full. All transactions of an account on one day (of the reporting zone) are
one: their sum is what the day brought. A day that brought money is a purchase; a day that cost
money is a refund. A refund takes money back from the latest purchases before it, the newest
first, until it is used up; what is left over has no earlier purchase in the data and is counted,
not used. A purchase of which nothing is left is no purchase. A day on which all transactions are
zero is an order free of charge; a day on which purchases and refunds cancel out is not.

Each refund is dated, so that the same rows tell what was known on any earlier day:
`balance_minor` is what is left of all purchases of the account at the end of the day. Of a purchase
there is left, on a later day, the lowest balance since, above the balance before it: money is
taken back from the top of the pile. That needs window sums only, no loop, on any engine.
"""

from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

if TYPE_CHECKING:
    from csa.data.rollups import RollupContext

SCALE = 4  # decimals of a money column in the tables: decimal(18,4)
PURCHASES = (
    *("account_id", "day", "kind", "amount_minor", "net_minor", "refund_minor"),
    *("unmatched_minor", "balance_minor", "rest_units", "rows", "refunds"),
)


def purchases(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Days on which an account bought or gave back, what they brought and what is left of it.

    Parameters
    ----------
    table : ir.Table
        The table `transactions`.
    ctx : RollupContext
        Last known day and currency.

    Returns
    -------
    ir.Table
        One row per account and day with a transaction: `account_id`, `day`, `kind` ("purchase":
        money is left of it on `as_of`; "free": nothing but orders free of charge; "returned":
        bought and given back; "refund"; "no account": transactions that name none), `amount_minor`
        (left of the day's purchase on `as_of`), `net_minor` (sum of the day), `refund_minor`
        (refunds of the day, positive), `unmatched_minor` (part of a refund without an earlier
        purchase), `balance_minor` (left of all purchases until then; missing for an account
        without any refund), `rest_units` (lost in rounding to minor units, ten-thousandths),
        `rows`, `refunds` (rows that are refunds). Days without an account are one row each.

    Notes
    -----
    Summed over each account: amount_minor = net_minor + unmatched_minor. Of every row: net_minor
    in ten-thousandths + rest_units = the sum of the transactions, to the last digit.
    """
    known = table.filter(
        table.amount.notnull(),
        table.occurred_at.cast("date") <= ctx.as_of,
    )
    refunding = known.filter(known.amount < 0).select("account_id").distinct()
    rows = known.select(
        "account_id",
        day=known.occurred_at.cast("date"),
        units=(known.amount * 10**SCALE).cast("int64"),
    )
    named = rows.filter(rows.account_id.notnull())
    plain = _plain(named.anti_join(refunding, "account_id"), ctx)
    netted = _netted(rows.semi_join(refunding, "account_id"), ctx)
    nobody = _nobody(rows.filter(rows.account_id.isnull()), ctx)
    return ibis.union(*(part.select(*PURCHASES) for part in (plain, netted, nobody)))


def _plain(rows: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Accounts without a refund: what a day brought is what is left of it."""
    day = rows.group_by("account_id", "day").agg(
        units=_whole(rows.units.sum()), rows=rows.count().cast("int64")
    )
    net = _half_up(day.units, ctx)
    return day.mutate(
        kind=ibis.ifelse(day.units > 0, "purchase", "free"),
        amount_minor=net,
        net_minor=net,
        refund_minor=ibis.literal(0, "int64"),
        unmatched_minor=ibis.literal(0, "int64"),
        balance_minor=ibis.null("int64"),
        rest_units=day.units - net * _step(ctx),
        refunds=ibis.literal(0, "int64"),
    )


def _nobody(rows: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Transactions that name no account: counted, so that totals can be reconciled."""
    day = _signed(rows, ctx)
    return day.mutate(
        kind=ibis.literal("no account"),
        amount_minor=ibis.literal(0, "int64"),
        unmatched_minor=ibis.literal(0, "int64"),
        balance_minor=ibis.null("int64"),
    )


def _signed(rows: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Sum purchases and refunds of each account and day."""
    day = rows.group_by("account_id", "day").agg(
        units=_whole(rows.units.sum()),
        back=_whole(-rows.units.sum(where=rows.units < 0)).fill_null(0),
        rows=rows.count().cast("int64"),
        refunds=rows.count(where=rows.units < 0).cast("int64"),
    )
    net = ibis.ifelse(day.units >= 0, _half_up(day.units, ctx), -_half_up(-day.units, ctx))
    return day.mutate(
        net_minor=net,
        refund_minor=_half_up(day.back, ctx),
        rest_units=day.units - net * _step(ctx),
    )


def _netted(rows: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Accounts with refunds: running balance, never below zero, and its lowest since each day."""
    day = _signed(rows, ctx)
    line = {"group_by": "account_id", "order_by": "day"}
    day = day.mutate(running=_whole(day.net_minor.sum().over(**line, rows=(None, 0))))
    lowest = day.running.min().over(**line, rows=(None, 0))
    day = day.mutate(balance_minor=(day.running - ibis.least(lowest, 0)).cast("int64"))
    day = day.mutate(before=ibis.coalesce(day.balance_minor.lag().over(**line), 0))
    since = day.balance_minor.min().over(**line, rows=(0, None))
    left = ibis.ifelse(day.net_minor > 0, ibis.greatest(since - day.before, 0), 0)
    day = day.mutate(
        amount_minor=left.cast("int64"),
        unmatched_minor=(day.balance_minor - day.before - day.net_minor).cast("int64"),
    )
    return day.mutate(kind=_kind(day))


def _kind(day: ir.Table) -> ir.StringValue:
    whole = (day.net_minor == 0) & (day.back == 0)  # rounds to nothing, and nothing came back
    return ibis.cases(
        (day.net_minor < 0, "refund"),
        ((day.amount_minor > 0) | (whole & (day.units > 0)), "purchase"),
        (whole, "free"),
        else_="returned",
    )


def _step(ctx: "RollupContext") -> int:
    return int(10 ** (SCALE - ctx.exponent))


def _half_up(units: ir.IntegerValue, ctx: "RollupContext") -> ir.IntegerValue:
    """Minor units of ten-thousandths that are not negative."""
    step = _step(ctx)
    return units if step == 1 else ((units + step // 2) // step).cast("int64")


def _whole(value: ir.NumericValue) -> ir.IntegerValue:
    """Give sums of integers, wider on some engines, 64 bits: Ibis takes the cast for needless.

    18 digits are as much money as a row may hold; wider decimals take ten times as long.
    """
    return value.cast("decimal(18,0)").cast("int64")
