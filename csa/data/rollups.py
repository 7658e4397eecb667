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
from csa.data.exchange import SCALE, last_day_rates, month_rates, with_home, worth
from csa.data.licences import licences
from csa.data.paid_days import paid_days
from csa.data.purchases import purchases
from csa.data.recurring import as_defined
from csa.data.sales import contract_rows, opportunities
from csa.data.usage import days_together, feature_months, months_together, user_days
from csa.definitions import OWN, Definitions
from csa.settings import DatedRates

SEVERAL = "several"  # cause of a spell whose last subscriptions ended for different reasons
SPELLS = (
    *("account_id", "spell", "start_on", "end_on", "cause", "censoring", "mrr_minor"),
    *("billing_months", "observed_from", "entry_days", "exit_days", "event"),
)


MONTHS = ("account_id", "month", "mrr_minor", "previous_minor", "currency_minor")


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
    rates : DatedRates
        Currencies with rates by day, in which amounts of the table may still be.
    """

    as_of: date
    grace_days: int = 30
    exponent: int = 2
    observed_from: date | str | None = None
    not_churn: tuple[str, ...] = ()
    definitions: Definitions = OWN
    rates: DatedRates = ()

    @property
    def foreign(self) -> tuple[str, ...]:
        """Currencies with rates by day."""
        return tuple(code for code, _ in self.rates)


@dataclass(frozen=True, slots=True)
class Rollup:
    """A roll-up: its name, the one table it reads and the expression that makes it.

    One with `together` is kept in parts of days, which that expression puts together. A `native`
    one values money itself: where a currency has rates by day, its table comes unconverted.
    """

    name: str
    needs: str
    build: Callable[[ir.Table, RollupContext], ir.Table]
    together: Callable[[ir.Table], ir.Table] | None = None
    native: bool = False


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
        end; missing with churn), `mrr_minor` (paid at the end, minor units, at the rate of the last
        day), `billing_months` (of
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
    days = paid_days(table, ctx)
    final = days.closes | days.following.isnull()  # the last day of each spell at which it changes
    one = days.group_by("account_id", "spell").agg(
        start_on=days.day.min(),
        end_on=days.day.max(where=days.closes),
        units=ibis.ifelse(days.closes, days.before, days.units).sum(where=final),
        **{
            c: ibis.ifelse(days.closes, days[f"{c}_before"], days[c]).sum(where=final)
            for c in _held(days, ctx)
        },
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
        mrr_minor=_paid(one, ctx),
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
        in the month of `as_of` on that day), `previous_minor` (a month earlier), `currency_minor`
        (what exchange rates changed), `movement` (new, expansion, contraction, churn,
        reactivation, none). Months in which an account pays nothing at either end have no row.

    Notes
    -----
    A row in force on [start, end) is in force at the ends of the months month(start) to
    month(end) - 1, so states need no calendar. For every account and month, previous_minor +
    movement + currency_minor = mrr_minor, so that in total start + new + reactivation + expansion
    - contraction - churn + currency = end holds to the cent.

    A month is valued at the rates of its last day. What is there at both of its ends, in its own
    currency, is worth more or less where a rate changed: that is `currency_minor`, the difference
    of two values in minor units. The rest is the movement: what comes counts at the rate of its
    month, what goes at the rate of the month before, at which it was counted until then. An
    account that changes nothing has movement none, a new and a lost one no currency.
    """
    days = paid_days(as_defined(table, ctx.definitions), ctx)
    each = _valued(days, ctx) if _held(days, ctx) else _months(days, ctx)
    now, before = each.mrr_minor, each.previous_minor
    moved = now - before - each.currency_minor
    movement = ibis.cases(
        (moved == 0, "none"),
        (now == 0, "churn"),
        ((before == 0) & each.paid_before, "reactivation"),
        (before == 0, "new"),
        (moved > 0, "expansion"),
        else_="contraction",
    )
    return each.select(*MONTHS, movement=movement)


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


def _held(rows: ir.Table, ctx: RollupContext) -> tuple[str, ...]:
    """Columns of amounts in currencies with rates by day; none where the table states none."""
    return tuple(c for c in ctx.foreign if c in rows.columns)


def _paid(one: ir.Table, ctx: RollupContext) -> ir.IntegerValue:
    """Minor units of what a spell pays at its end."""
    held = {c: one[c] for c in _held(one, ctx)}
    if not held:
        return minor_units(one.units, ctx)
    return worth(with_home(one.units, held), last_day_rates(one.end_on, ctx), ctx)


def _months(days: ir.Table, ctx: RollupContext) -> ir.Table:
    """Revenue at the ends of months where all money is in the workspace's currency."""
    state = _last_of_month(days, ctx)
    state = state.mutate(mrr_minor=minor_units(state.units, ctx))
    line = {"group_by": "account_id", "order_by": "month"}
    state = state.mutate(
        previous_minor=ibis.coalesce(state.mrr_minor.lag().over(**line), 0),
        paid_before=ibis.coalesce(state.mrr_minor.max().over(**line, rows=(None, -1)) > 0, False),
    )
    state = state.filter((state.mrr_minor > 0) | (state.previous_minor > 0))
    each = _each_month(state, state.mrr_minor > 0)
    previous = ibis.ifelse(each.month == each.begins, each.previous_minor, each.mrr_minor)
    return each.mutate(previous_minor=previous, currency_minor=ibis.literal(0, "int64"))


def _valued(days: ir.Table, ctx: RollupContext) -> ir.Table:
    """Revenue at the ends of months, each valued at the rates of its last day."""
    state = _last_of_month(days, ctx)
    held = with_home(state.units, {c: state[c] for c in _held(days, ctx)})
    state = state.mutate(**{c: amount.cast("int64") for c, amount in held.items()})
    line = {"group_by": "account_id", "order_by": "month"}
    was = {f"{c}_before": ibis.coalesce(state[c].lag().over(**line), 0) for c in held}
    state = state.mutate(
        worth_minor=worth({c: state[c] for c in held}, month_rates(state.month, ctx), ctx)
    )
    state = state.mutate(
        **was,
        units_before=ibis.coalesce(state.units.lag().over(**line), 0),
        paid_before=ibis.coalesce(state.worth_minor.max().over(**line, rows=(None, -1)) > 0, False),
    )
    state = state.filter((state.units > 0) | (state.units_before > 0))
    each = _each_month(state, state.units > 0)
    now, first = {c: each[c] for c in held}, each.month == each.begins
    before = {c: ibis.ifelse(first, each[f"{c}_before"], each[c]) for c in held}
    kept = {c: ibis.least(each[c], each[f"{c}_before"]) for c in held}
    rates, rates_before = month_rates(each.month, ctx), month_rates(each.month - 1, ctx)
    after, was_worth = worth(now, rates, ctx), worth(before, rates_before, ctx)
    changed = worth(kept, rates, ctx) - worth(kept, rates_before, ctx)
    each = each.select(
        *("account_id", "month", "paid_before"),
        mrr_minor=after,
        previous_minor=was_worth,
        currency_minor=ibis.ifelse(first, changed, after - was_worth),
    )
    return each.filter((each.mrr_minor > 0) | (each.previous_minor > 0))


def _last_of_month(days: ir.Table, ctx: RollupContext) -> ir.Table:
    """Months in which the revenue of an account changes, with what holds from their end on."""
    last = ctx.as_of.year * 12 + ctx.as_of.month - 1
    state = days.select(
        "account_id",
        *_held(days, ctx),
        month=month_number(days.day),
        next_month=ibis.coalesce(month_number(days.following), last + 1).cast("int64"),
        units=days.units,
    )
    return state.filter(state.month < state.next_month)  # the last change within a month


def _each_month(state: ir.Table, paid: ir.BooleanValue) -> ir.Table:
    """One row per month for which a state holds; for the first only where nothing is paid."""
    stop = ibis.ifelse(paid, state.next_month, state.month + 1)
    return state.mutate(begins=state.month, month=ibis.range(state.month, stop).unnest())


ROLLUPS: dict[str, Rollup] = {
    "accounts": Rollup("accounts", "accounts", accounts),
    "spells": Rollup("spells", "subscriptions", spells, native=True),
    "account_months": Rollup("account_months", "subscriptions", account_months, native=True),
    "licences": Rollup("licences", "subscriptions", licences),
    "purchases": Rollup("purchases", "transactions", purchases),
    "contract_rows": Rollup("contract_rows", "subscriptions", contract_rows, native=True),
    "opportunities": Rollup("opportunities", "opportunities", opportunities),
    "user_days": Rollup("user_days", "usage_events", user_days, days_together),
    "feature_months": Rollup("feature_months", "usage_events", feature_months, months_together),
}
