"""Days on which what an account pays may change: the base of `spells` and `account_months`.

Overlapping rows add up, and gaps within the grace are filled. Whether anything is paid does not
depend on rates: amounts in currencies with rates by day stay in them, each in columns of its own.
"""

from datetime import date
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from csa.data.exchange import SCALE, shares

if TYPE_CHECKING:
    from csa.data.rollups import RollupContext


def paid_days(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Days on which what an account pays may change, with `units` paid from that day on.

    All ends and starts of a day are netted, so that days are unique in an account and the windows
    have no ties to break. Where nothing is paid from a day on, but again within the grace, the
    account keeps what it paid `before`; else the day `closes` the spell.

    `units` and `before` count ten-thousandths of any currency. Each currency with rates by day has
    columns of its own, called like it and like it with `_before`.
    """
    both = _changes(table, ctx)
    held = [c for c in ctx.foreign if c in both.columns]
    days = both.group_by("account_id", "day").agg(
        change=both.change.sum(),
        reason_low=both.reason.min(),
        reason_high=both.reason.max(),
        billing_months=both.billing_months.max(),
        observed_from=both.observed_from.max(),
        **{c: both[c].sum() for c in held},
    )
    line = {"group_by": "account_id", "order_by": "day"}
    days = days.mutate(
        units=days.change.sum().over(**line, rows=(None, 0)),
        following=days.day.lead().over(**line),
    )
    days = days.mutate(before=days.units - days.change, **_totals(days, held))
    pause = days.following.delta(days.day, unit="day")
    bridged = ibis.coalesce((days.units == 0) & (pause <= ctx.grace_days), False)
    days = days.mutate(
        units=ibis.ifelse(bridged, days.before, days.units),
        closes=(days.units == 0) & ~bridged,
        **{c: ibis.ifelse(bridged, days[f"{c}_before"], days[c]) for c in held},
    )
    closed = ibis.ifelse(days.closes, ibis.literal(1), ibis.null("int64"))
    return days.mutate(
        spell=closed.count().over(**line, rows=(None, -1)) + 1,
        opens=ibis.coalesce(days.closes.lag().over(**line), True),
    )


def _totals(days: ir.Table, held: list[str]) -> dict[str, ir.Value]:
    """Amounts of single currencies from each day on, and before it."""
    line = {"group_by": "account_id", "order_by": "day"}
    total = {c: days[c].sum().over(**line, rows=(None, 0)) for c in held}
    return {**total, **{f"{c}_before": total[c] - days[c] for c in held}}


def _known(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Paid rows as known on `as_of`: later starts and ends are erased."""
    ended = table.end_on <= ctx.as_of
    reason = table.end_reason if "end_reason" in table.columns else ibis.null("string")
    stated = "billing_months" in table.columns
    observed: ir.DateValue = ibis.null("date")
    if isinstance(ctx.observed_from, date):
        observed = ibis.literal(ctx.observed_from)
    elif ctx.observed_from not in {None, "always"}:
        observed = table[ctx.observed_from].cast("date")
    units = (table.mrr * 10**SCALE).cast("int64")
    rows = table.select(
        "account_id",
        "start_on",
        end_on=ibis.ifelse(ended, table.end_on, ibis.null("date")),
        units=units,
        reason=ibis.ifelse(ended, reason, ibis.null("string")),
        observed_from=observed,
        **({"billing_months": table.billing_months.cast("int64")} if stated else {}),
        **shares(units, table, ctx.rates),
    )
    rows = rows.filter(rows.account_id.notnull(), rows.start_on <= ctx.as_of, rows.units > 0)
    return rows.filter(rows.end_on.isnull() | (rows.end_on > rows.start_on))


def _changes(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """One row per start and per end of a paid row, with what it adds or takes away."""
    rows = _known(table, ctx)
    held = [c for c in ctx.foreign if c in rows.columns]
    ended = rows.filter(rows.end_on.notnull())
    starts = rows.select(
        "account_id",
        day=rows.start_on,
        change=rows.units,
        reason=ibis.null("string"),
        billing_months=_leading(rows),
        observed_from=rows.observed_from,
        **{c: rows[c] for c in held},
    )
    ends = ended.select(
        "account_id",
        day=ended.end_on,
        change=-ended.units,
        reason=ended.reason,
        billing_months=ibis.null("int64"),
        observed_from=ibis.null("date"),
        **{c: -ended[c] for c in held},
    )
    return ibis.union(starts, ends)


def _leading(rows: ir.Table) -> ir.IntegerValue:
    """Months between invoices of the rows with the highest price that begin on a day."""
    if "billing_months" not in rows.columns:
        return ibis.null("int64")
    highest = rows.units.max().over(group_by=["account_id", "start_on"])
    return ibis.ifelse(rows.units == highest, rows.billing_months, ibis.null("int64"))
