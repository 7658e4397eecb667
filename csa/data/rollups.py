"""Roll-ups: `spells`, `account_months`, and those of modules of their own.

A roll-up reads one table in one scan and is the only code that runs where the data live, so it
must give the same answer on every engine. Border rules, because engines differ: dates are naive
days of the reporting zone; money becomes an integer before it is summed (ten-thousandths exactly,
minor units of the currency at the end); a month is year x 12 + month - 1; no month deltas, no
modulo, no division but by a constant.

What counts as a customer, for every roll-up alike: an account is a customer on each day on which
a subscription row with `mrr` above 0 is in force, [`start_on`, `end_on`); a free plan is not.
Overlapping rows add up. A gap of at most `grace_days` is not churn: the account is taken to keep,
during the gap, what it paid when the gap began. A subscription that has ended is churn on its
`end_on`, also while the grace still runs on `as_of`: whether the account returns is not known
yet, and a later edition merges the gap if it does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from csa.data.account_rows import accounts
from csa.data.calendar_months import month_number
from csa.data.columns import STILL_HERE
from csa.data.licences import licences
from csa.data.purchases import purchases
from csa.data.recurring import as_defined
from csa.data.sales import contract_rows, opportunities
from csa.data.usage import days_together, feature_months, months_together, user_days
from csa.definitions import OWN, Definitions

SCALE = 4  # decimals of a money column in the tables: decimal(18,4)
SEVERAL = "several"  # cause of a spell whose last subscriptions ended for different reasons
SPELLS = (
    *("account_id", "spell", "start_on", "end_on", "cause", "censoring", "mrr_minor"),
    *("billing_months", "observed_from", "entry_days", "exit_days", "event"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupContext:
    """What a roll-up depends on besides its table.

    Parameters
    ----------
    as_of : date
        Last day that is known.
    grace_days : int
        Gaps up to this many days are not churn.
    exponent : int
        Decimals of the currency, 0 to 4: 2 for EUR, 0 for JPY.
    observed_from : date or str or None
        First day on which a leaving account would have been recorded, or the column of the table
        that holds it; "always" and None set no entry time.
    not_churn : tuple of str
        Reasons of an end that is no churn, such as merged or migrated: the spell is censored.
    definitions : Definitions
        Which price and which end count for `account_months`.
    """

    as_of: date
    grace_days: int = 30
    exponent: int = 2
    observed_from: date | str | None = None
    not_churn: tuple[str, ...] = ()
    definitions: Definitions = OWN


@dataclass(frozen=True, slots=True)
class Rollup:
    """A roll-up: its name, the one table it reads and the expression that makes it.

    One with `together` is kept in parts of days, which that expression puts together.
    """

    name: str
    needs: str
    build: Callable[[ir.Table, RollupContext], ir.Table]
    together: Callable[[ir.Table], ir.Table] | None = None


def spells(table: ir.Table, ctx: RollupContext) -> ir.Table:
    """Unbroken times as a customer: what survival is computed from.

    Parameters
    ----------
    table : ir.Table
        The table `subscriptions`.
    ctx : RollupContext
        Last known day, grace, currency and start of observation.

    Returns
    -------
    ir.Table
        `account_id`, `spell` (1, 2, ... within the account), `start_on`, `end_on` (first day no
        longer paid; missing while running), `cause` (reason of the last subscriptions, "several"
        where they differ; missing without churn), `censoring` (why the spell is not known to its
        end; missing with churn), `mrr_minor` (paid at the end, minor units), `billing_months` (of
        the subscription with which the spell began; missing where it states none),
        `observed_from` (missing: always), `entry_days`, `exit_days`, `event`.

    Notes
    -----
    Day 0 is `start_on`. An event leaves at `exit_days` = end_on - start_on, a running spell is
    censored at as_of - start_on, the last age at which leaving could have been seen. `entry_days`
    = max(0, observed_from - start_on) is the age at which the spell came under observation (left
    truncation). A spell with exit_days <= entry_days was never seen at risk: it ended before
    anybody looked, or began on the last day. It can only be counted, not used.

    Of several subscriptions on the first day of a spell, `billing_months` is that of the one with
    the highest price; of equal prices, the longest. What changes later is not in it.
    """
    days = _days(table, ctx)
    final = days.closes | days.following.isnull()  # the last day of each spell at which it changes
    one = days.group_by("account_id", "spell").agg(
        start_on=days.day.min(),
        end_on=days.day.max(where=days.closes),
        units=ibis.ifelse(days.closes, days.before, days.units).sum(where=final),
        reason=days.reason_low.min(where=days.closes),
        reason_high=days.reason_high.max(where=days.closes),
        billing_months=days.billing_months.max(where=days.opens).cast("int64"),
        observed_from=days.observed_from.max(),
    )
    leaves = ibis.coalesce(one.end_on, ibis.literal(ctx.as_of))
    late = one.observed_from.delta(one.start_on, unit="day")
    ended, churned = one.end_on.notnull(), one.end_on.notnull() & ~_no_churn(one, ctx)
    reason = ibis.ifelse(one.reason != one.reason_high, ibis.literal(SEVERAL), one.reason)
    one = one.mutate(
        cause=ibis.ifelse(churned, reason, ibis.null("string")),
        censoring=ibis.cases((churned, ibis.null("string")), (ended, reason), else_=STILL_HERE),
        mrr_minor=minor_units(one.units, ctx),
        entry_days=ibis.ifelse(late > 0, late, 0).cast("int64"),
        exit_days=leaves.delta(one.start_on, unit="day").cast("int64"),
        event=churned,
    )
    return one.select(*SPELLS)


def account_months(table: ir.Table, ctx: RollupContext) -> ir.Table:
    """Recurring revenue of every account at every month end, and how it moved.

    Parameters
    ----------
    table : ir.Table
        The table `subscriptions`.
    ctx : RollupContext
        Last known day, grace and currency.

    Returns
    -------
    ir.Table
        `account_id`, `month` (year x 12 + month - 1), `mrr_minor` (in force at the month's end,
        in the month of `as_of` on that day), `previous_minor` (a month earlier), `movement` (new,
        expansion, contraction, churn, reactivation, none). Months in which an account pays
        nothing at either end have no row.

    Notes
    -----
    A row in force on [start, end) is in force at the ends of the months month(start) to
    month(end) - 1, so states need no calendar. For every account and month, previous_minor +
    movement = mrr_minor, so that in total start + new + reactivation + expansion - contraction -
    churn = end holds to the cent.
    """
    state = _states(_days(as_defined(table, ctx.definitions), ctx), ctx)
    state = state.filter((state.mrr_minor > 0) | (state.previous_minor > 0))
    stop = ibis.ifelse(state.mrr_minor > 0, state.next_month, state.month + 1)
    each = state.mutate(begins=state.month, month=ibis.range(state.month, stop).unnest())
    first = each.month == each.begins
    previous = ibis.ifelse(first, each.previous_minor, each.mrr_minor)
    each = each.mutate(previous_minor=previous)
    now, before = each.mrr_minor, each.previous_minor
    movement = ibis.cases(
        (now == before, "none"),
        (now == 0, "churn"),
        ((before == 0) & each.paid_before, "reactivation"),
        (before == 0, "new"),
        (now > before, "expansion"),
        else_="contraction",
    )
    return each.select("account_id", "month", "mrr_minor", "previous_minor", movement=movement)


def _no_churn(one: ir.Table, ctx: RollupContext) -> ir.BooleanValue:
    """Whether all subscriptions that ended last ended for a reason that is no churn."""
    if not ctx.not_churn:
        return ibis.literal(value=False)
    both = one.reason.isin(ctx.not_churn) & one.reason_high.isin(ctx.not_churn)
    return both.fill_null(ibis.literal(value=False))


def minor_units(units: ir.IntegerValue, ctx: RollupContext) -> ir.IntegerValue:
    """Minor units of money in ten-thousandths, half up, in whole numbers.

    Parameters
    ----------
    units : ir.IntegerValue
        Ten-thousandths, not negative.
    ctx : RollupContext
        Decimals of the currency.

    Returns
    -------
    ir.IntegerValue
        64 bits. Sums of integers are wider on some engines, which Ibis does not know; only the
        detour through a decimal makes it write the cast.
    """
    step: int = 10 ** (SCALE - ctx.exponent)
    whole = units.cast("decimal(38,0)").cast("int64")
    return whole if step == 1 else ((whole + step // 2) // step).cast("int64")


def _known(table: ir.Table, ctx: RollupContext) -> ir.Table:
    """Paid rows as known on `as_of`: later starts and ends are erased."""
    ended = table.end_on <= ctx.as_of
    reason = table.end_reason if "end_reason" in table.columns else ibis.null("string")
    stated = "billing_months" in table.columns
    observed: ir.DateValue = ibis.null("date")
    if isinstance(ctx.observed_from, date):
        observed = ibis.literal(ctx.observed_from)
    elif ctx.observed_from not in {None, "always"}:
        observed = table[ctx.observed_from].cast("date")
    rows = table.select(
        "account_id",
        "start_on",
        end_on=ibis.ifelse(ended, table.end_on, ibis.null("date")),
        units=(table.mrr * 10**SCALE).cast("int64"),
        reason=ibis.ifelse(ended, reason, ibis.null("string")),
        observed_from=observed,
        **({"billing_months": table.billing_months.cast("int64")} if stated else {}),
    )
    rows = rows.filter(rows.account_id.notnull(), rows.start_on <= ctx.as_of, rows.units > 0)
    return rows.filter(rows.end_on.isnull() | (rows.end_on > rows.start_on))


def _changes(table: ir.Table, ctx: RollupContext) -> ir.Table:
    """One row per start and per end of a paid row, with what it adds or takes away."""
    rows = _known(table, ctx)
    ended = rows.filter(rows.end_on.notnull())
    starts = rows.select(
        "account_id",
        day=rows.start_on,
        change=rows.units,
        reason=ibis.null("string"),
        billing_months=_leading(rows),
        observed_from=rows.observed_from,
    )
    ends = ended.select(
        "account_id",
        day=ended.end_on,
        change=-ended.units,
        reason=ended.reason,
        billing_months=ibis.null("int64"),
        observed_from=ibis.null("date"),
    )
    return ibis.union(starts, ends)


def _leading(rows: ir.Table) -> ir.IntegerValue:
    """Months between invoices of the rows with the highest price that begin on a day."""
    if "billing_months" not in rows.columns:
        return ibis.null("int64")
    highest = rows.units.max().over(group_by=["account_id", "start_on"])
    return ibis.ifelse(rows.units == highest, rows.billing_months, ibis.null("int64"))


def _days(table: ir.Table, ctx: RollupContext) -> ir.Table:
    """Days on which what an account pays may change, with `units` paid from that day on.

    All ends and starts of a day are netted, so that days are unique in an account and the windows
    have no ties to break. Where nothing is paid from a day on, but again within the grace, the
    account keeps what it paid `before`; else the day `closes` the spell.
    """
    both = _changes(table, ctx)
    days = both.group_by("account_id", "day").agg(
        change=both.change.sum(),
        reason_low=both.reason.min(),
        reason_high=both.reason.max(),
        billing_months=both.billing_months.max(),
        observed_from=both.observed_from.max(),
    )
    line = {"group_by": "account_id", "order_by": "day"}
    days = days.mutate(
        units=days.change.sum().over(**line, rows=(None, 0)),
        following=days.day.lead().over(**line),
    )
    days = days.mutate(before=days.units - days.change)
    pause = days.following.delta(days.day, unit="day")
    bridged = ibis.coalesce((days.units == 0) & (pause <= ctx.grace_days), False)
    days = days.mutate(
        units=ibis.ifelse(bridged, days.before, days.units), closes=(days.units == 0) & ~bridged
    )
    closed = ibis.ifelse(days.closes, ibis.literal(1), ibis.null("int64"))
    return days.mutate(
        spell=closed.count().over(**line, rows=(None, -1)) + 1,
        opens=ibis.coalesce(days.closes.lag().over(**line), True),
    )


def _states(days: ir.Table, ctx: RollupContext) -> ir.Table:
    """Months in which the revenue of an account changes, with the state before and after."""
    last = ctx.as_of.year * 12 + ctx.as_of.month - 1
    state = days.select(
        "account_id",
        month=month_number(days.day),
        next_month=ibis.coalesce(month_number(days.following), last + 1).cast("int64"),
        mrr_minor=minor_units(days.units, ctx),
    )
    state = state.filter(state.month < state.next_month)  # the last change within a month
    line = {"group_by": "account_id", "order_by": "month"}
    return state.mutate(
        previous_minor=ibis.coalesce(state.mrr_minor.lag().over(**line), 0),
        paid_before=ibis.coalesce(state.mrr_minor.max().over(**line, rows=(None, -1)) > 0, False),
    )


ROLLUPS: dict[str, Rollup] = {
    "accounts": Rollup("accounts", "accounts", accounts),
    "spells": Rollup("spells", "subscriptions", spells),
    "account_months": Rollup("account_months", "subscriptions", account_months),
    "licences": Rollup("licences", "subscriptions", licences),
    "purchases": Rollup("purchases", "transactions", purchases),
    "contract_rows": Rollup("contract_rows", "subscriptions", contract_rows),
    "opportunities": Rollup("opportunities", "opportunities", opportunities),
    "user_days": Rollup("user_days", "usage_events", user_days, days_together),
    "feature_months": Rollup("feature_months", "usage_events", feature_months, months_together),
}
