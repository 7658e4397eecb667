"""Roll-up of licences: the seats that each account pays for, from day to day."""

from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

if TYPE_CHECKING:
    from csa.data.rollups import RollupContext

LICENCES = ("account_id", "start_on", "end_on", "seats", "unstated")


def licences(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Stretches of days on which an account has the same number of seats.

    Parameters
    ----------
    table : ir.Table
        The table `subscriptions`; `seats` may be absent.
    ctx : RollupContext
        Last known day.

    Returns
    -------
    ir.Table
        One row per `account_id` and stretch [`start_on`, `end_on`) (missing: runs on): `seats` of
        all subscriptions in force that are paid for and state a number, `unstated`: subscriptions
        in force that state none, so that the seats are too few.
    """
    changes = _changes(table, ctx)
    one = changes.group_by("account_id", "day").agg(
        seats=_whole(changes.seats.sum()), unstated=_whole(changes.unstated.sum())
    )
    line = {"group_by": "account_id", "order_by": "day"}
    held = one.select(
        "account_id",
        start_on=one.day,
        end_on=one.day.lead().over(**line),
        seats=_whole(one.seats.sum().over(**line, rows=(None, 0))),
        unstated=_whole(one.unstated.sum().over(**line, rows=(None, 0))),
    )
    return held.filter((held.seats > 0) | (held.unstated > 0)).select(*LICENCES)


def _changes(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """One row per start and per end of a paid row, with the seats that it adds or takes away."""
    seats = table.seats if "seats" in table.columns else ibis.null("int64")
    rows = table.select(
        "account_id",
        "start_on",
        end_on=ibis.ifelse(table.end_on <= ctx.as_of, table.end_on, ibis.null("date")),
        stated=ibis.coalesce(seats, 0).cast("int64"),
        silent=ibis.ifelse(seats.isnull(), 1, 0).cast("int64"),
        price=table.mrr,
    )
    rows = rows.filter(rows.account_id.notnull(), rows.start_on <= ctx.as_of, rows.price > 0)
    rows = rows.filter(rows.end_on.isnull() | (rows.end_on > rows.start_on))
    ended = rows.filter(rows.end_on.notnull())
    starts = rows.select("account_id", day="start_on", seats="stated", unstated="silent")
    ends = ended.select("account_id", day="end_on", seats=-ended.stated, unstated=-ended.silent)
    return ibis.union(starts, ends)


def _whole(value: ir.NumericValue) -> ir.IntegerValue:
    """Give sums of integers, wider on some engines, 64 bits: Ibis takes the cast for needless."""
    return value.cast("decimal(18,0)").cast("int64")
