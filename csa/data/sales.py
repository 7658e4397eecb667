"""Roll-ups of the sales side: contracts with their days of renewal, and opportunities.

Both keep one row per row of their table, typed and in minor units, so that whatever is asked later
(which renewals were due, what came of them) is asked on DuckDB alone.
"""

from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from csa.data.exchange import SCALE, last_day_rates, shares, with_home, worth
from csa.data.recurring import as_defined

if TYPE_CHECKING:
    from csa.data.rollups import RollupContext

YEAR_MONTHS = 12
WON = ("won", "closed won", "closed_won", "closedwon")
LOST = ("lost", "closed lost", "closed_lost", "closedlost")


def contract_rows(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Paid subscription rows with the days on which they come up for renewal.

    Parameters
    ----------
    table : ir.Table
        The table `subscriptions`.
    ctx : RollupContext
        Last known day, currency, and the price that counts.

    Returns
    -------
    ir.Table
        `account_id`, `start_on`, `end_on` (missing while running), `mrr_minor` (at the rate
        of the last day), `renews_on`
        (missing where the contract runs from month to month), `period_months` (from one renewal to
        the next: the months between invoices; a year where they are not stated).
    """
    rows = as_defined(table, ctx.definitions)
    ended = rows.end_on <= ctx.as_of
    end_on = ibis.ifelse(ended, rows.end_on, ibis.null("date"))
    stated = rows.billing_months if "billing_months" in rows.columns else ibis.null("int64")
    renews = rows.renews_on if "renews_on" in rows.columns else ibis.null("date")
    found = rows.select(
        "account_id",
        "start_on",
        end_on=end_on,
        mrr_minor=_price(rows, end_on, ctx),
        renews_on=renews,
        period_months=ibis.coalesce(stated.cast("int64"), YEAR_MONTHS),
    )
    known = found.filter(
        found.account_id.notnull(), found.start_on <= ctx.as_of, found.mrr_minor > 0
    )
    return known.filter(known.end_on.isnull() | (known.end_on > known.start_on))


def opportunities(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Opportunities as known on a day: open, won, lost, or closed without saying which.

    Parameters
    ----------
    table : ir.Table
        The table `opportunities`.
    ctx : RollupContext
        Last known day and currency.

    Returns
    -------
    ir.Table
        `opportunity_id`, `account_id`, `kind`, `opened_on`, `closed_on` (missing while open),
        `outcome` (open, won, lost; "not stated" where a closed one has another stage),
        `mrr_minor` (at stake; missing where not stated or negative).
    """
    rows = table.filter(table.account_id.notnull(), table.opened_on <= ctx.as_of)
    closed = rows.closed_on <= ctx.as_of
    stage = rows.stage.lower() if "stage" in rows.columns else ibis.null("string")
    money = rows.mrr if "mrr" in rows.columns else ibis.null("decimal(18, 4)")
    return rows.select(
        "opportunity_id",
        "account_id",
        kind=rows.kind.lower(),
        opened_on=rows.opened_on,
        closed_on=ibis.ifelse(closed, rows.closed_on, ibis.null("date")),
        outcome=ibis.cases(
            (ibis.coalesce(~closed, True), "open"),
            (stage.isin(WON), "won"),
            (stage.isin(LOST), "lost"),
            else_="not stated",
        ),
        mrr_minor=_minor(ibis.ifelse(money >= 0, money, ibis.null(money.type())), ctx),
    )


def _price(rows: ir.Table, end_on: ir.DateValue, ctx: "RollupContext") -> ir.IntegerValue:
    """Minor units of a month's price, at the rate of the last day."""
    units = (rows.mrr * 10**SCALE).cast("int64")
    held = shares(units, rows, ctx.rates)
    if not held:
        return _minor(rows.mrr, ctx)
    return worth(with_home(units, held), last_day_rates(end_on, ctx), ctx)


def _minor(money: ir.Value, ctx: "RollupContext") -> ir.IntegerValue:
    """Minor units of money that is not negative, half up."""
    units = (money * 10**SCALE).cast("int64")
    step: int = 10 ** (SCALE - ctx.exponent)
    return units if step == 1 else ((units + step // 2) // step).cast("int64")
