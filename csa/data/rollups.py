"""Roll-ups of subscriptions: `accounts`, `spells`, `account_months`.

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

FAR = date(9999, 12, 31)  # stands for "still running" inside windows; never leaves this module
SCALE = 4  # decimals of a money column in the tables: decimal(18,4)
SEVERAL = "several"  # cause of a spell whose last subscriptions ended for different reasons


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
    """

    as_of: date
    grace_days: int = 30
    exponent: int = 2
    observed_from: date | str | None = None


@dataclass(frozen=True, slots=True)
class Rollup:
    """A roll-up: its name, the one table it reads and the expression that makes it."""

    name: str
    needs: str
    build: Callable[[ir.Table, RollupContext], ir.Table]


def month_number(day: ir.DateValue) -> ir.IntegerValue:
    """Give a month its number, year x 12 + month - 1, in which months are counted.

    Parameters
    ----------
    day : ir.DateValue
        Any day of the month.

    Returns
    -------
    ir.IntegerValue
        For example 24321 for October 2026.
    """
    return (day.year().cast("int64") * 12 + day.month().cast("int64") - 1).cast("int64")


def accounts(table: ir.Table, ctx: RollupContext) -> ir.Table:
    """Accounts with their attributes as they are: the dimension of every breakdown.

    Parameters
    ----------
    table : ir.Table
        The table `accounts`.
    ctx : RollupContext
        Accounts that signed up after `as_of` are left out; those without a day of signup stay.

    Returns
    -------
    ir.Table
        One row per account.
    """
    later = table.signed_up_on > ctx.as_of
    return table.filter(table.account_id.notnull(), ~later | table.signed_up_on.isnull())


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
        where they differ), `mrr_minor` (paid at the end, minor units), `observed_from` (missing:
        always), `entry_days`, `exit_days`, `event`.

    Notes
    -----
    Day 0 is `start_on`. An event leaves at `exit_days` = end_on - start_on, a running spell is
    censored at as_of + 1 - start_on. `entry_days` = max(0, observed_from - start_on) is the age
    at which the spell came under observation (left truncation). A spell with exit_days <=
    entry_days ended before anybody looked and can only be counted, not used.
    """
    merged = _customer_days(table, ctx)
    key = ["account_id", "spell"]
    last = merged.mutate(spell_end=merged.until.max().over(group_by=key))
    closing = last.until == last.spell_end
    one = last.group_by(key).agg(
        start_on=last.start_on.min(),
        spell_end=last.spell_end.max(),
        units=last.units.sum(where=closing),
        reason=last.reason_low.min(where=closing),
        reason_high=last.reason_high.max(where=closing),
        observed_from=last.observed_from.max(),
    )
    event = one.spell_end < FAR
    one = one.mutate(event=event, end_on=ibis.ifelse(event, one.spell_end, ibis.null("date")))
    cause = ibis.ifelse(one.reason != one.reason_high, ibis.literal(SEVERAL), one.reason)
    leaves = ibis.ifelse(one.event, one.spell_end, ibis.literal(_next_day(ctx.as_of)))
    late = one.observed_from.delta(one.start_on, unit="day")
    one = one.mutate(
        cause=ibis.ifelse(one.event, cause, ibis.null("string")),
        mrr_minor=_minor(one.units, ctx),
        entry_days=ibis.ifelse(late > 0, late, 0).cast("int64"),
        exit_days=leaves.delta(one.start_on, unit="day").cast("int64"),
    )
    return one.select(
        "account_id",
        "spell",
        "start_on",
        "end_on",
        "cause",
        "mrr_minor",
        "observed_from",
        "entry_days",
        "exit_days",
        "event",
    )


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
    state = _states(_customer_days(table, ctx), ctx)
    stop = ibis.ifelse(state.mrr_minor > 0, state.next_month, state.month + 1)
    state = state.filter((state.mrr_minor > 0) | (state.previous_minor > 0))
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


def _next_day(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def _minor(units: ir.IntegerValue, ctx: RollupContext) -> ir.IntegerValue:
    """Minor units of non-negative ten-thousandths, half up, in integers.

    Sums of integers are wider than 64 bits on some engines, which Ibis does not know; only the
    detour through a decimal makes it write the cast.
    """
    step: int = 10 ** (SCALE - ctx.exponent)
    whole = units.cast("decimal(38,0)").cast("int64")
    return whole if step == 1 else ((whole + step // 2) // step).cast("int64")


def _known(table: ir.Table, ctx: RollupContext) -> ir.Table:
    """Paid rows as known on `as_of`: later starts and ends are erased."""
    ended = table.end_on <= ctx.as_of
    nothing = ibis.null("string")
    reason = table.end_reason if "end_reason" in table.columns else nothing
    observed: ir.DateValue = ibis.null("date")
    if isinstance(ctx.observed_from, date):
        observed = ibis.literal(ctx.observed_from)
    elif ctx.observed_from not in {None, "always"}:
        observed = table[ctx.observed_from].cast("date")
    rows = table.select(
        "account_id",
        "start_on",
        until=ibis.ifelse(ended, table.end_on, ibis.literal(FAR)),
        units=(table.mrr * 10**SCALE).cast("int64"),
        reason=ibis.ifelse(ended, reason, nothing),
        observed_from=observed,
    )
    rows = rows.filter(rows.account_id.notnull(), rows.start_on <= ctx.as_of)
    rows = rows.filter(rows.units > 0, rows.until > rows.start_on)
    return rows.group_by("account_id", "start_on", "until").agg(
        units=rows.units.sum(),
        reason_low=rows.reason.min(),
        reason_high=rows.reason.max(),
        observed_from=rows.observed_from.max(),
    )


def _customer_days(table: ir.Table, ctx: RollupContext) -> ir.Table:
    """Known rows with the number of their spell and, where a gap is bridged, a later `until`.

    Rows are unique in (account, start, until), so the windows have no ties to break. A block is
    an unbroken run of days, a spell a run of blocks no further apart than the grace.
    """
    rows = _known(table, ctx)
    line = {"group_by": "account_id", "order_by": ["start_on", "until"]}
    rows = rows.mutate(
        reach=rows.until.max().over(**line, rows=(None, -1)),
        following=rows.start_on.lead().over(**line),
    )
    gap = rows.start_on.delta(rows.reach, unit="day")
    opens, within = ibis.literal(1), ibis.null("int64")
    rows = rows.mutate(
        opens_block=ibis.ifelse((rows.start_on > rows.reach) | rows.reach.isnull(), opens, within),
        opens_spell=ibis.ifelse((gap > ctx.grace_days) | rows.reach.isnull(), opens, within),
    )
    rows = rows.mutate(
        block=rows.opens_block.count().over(**line, rows=(None, 0)),
        spell=rows.opens_spell.count().over(**line, rows=(None, 0)),
    )
    block = {"group_by": ["account_id", "block"]}
    following = ibis.coalesce(rows.following, ibis.literal(FAR))
    rows = rows.mutate(
        block_end=rows.until.max().over(**block), resumes=following.max().over(**block)
    )
    pause = rows.resumes.delta(rows.block_end, unit="day")
    bridged = (rows.until == rows.block_end) & (pause > 0) & (pause <= ctx.grace_days)
    return rows.mutate(until=ibis.ifelse(bridged, rows.resumes, rows.until))


def _states(rows: ir.Table, ctx: RollupContext) -> ir.Table:
    """Months in which the revenue of an account changes, with the state before and after."""
    up = rows.select("account_id", month=month_number(rows.start_on), change=rows.units)
    ended = rows.filter(rows.until < FAR)
    down = ended.select("account_id", month=month_number(ended.until), change=-ended.units)
    change = (
        ibis.union(up, down).group_by("account_id", "month").agg(change=lambda t: t.change.sum())
    )
    change = change.filter(change.change != 0)
    line = {"group_by": "account_id", "order_by": "month"}
    units = change.change.sum().over(**line, rows=(None, 0))
    last = ctx.as_of.year * 12 + ctx.as_of.month - 1
    state = change.select("account_id", "month", mrr_minor=_minor(units, ctx))
    return state.mutate(
        previous_minor=ibis.coalesce(state.mrr_minor.lag().over(**line), 0),
        next_month=ibis.coalesce(state.month.lead().over(**line), last + 1).cast("int64"),
        paid_before=ibis.coalesce(state.mrr_minor.max().over(**line, rows=(None, -1)) > 0, False),
    )


ROLLUPS: dict[str, Rollup] = {
    "accounts": Rollup("accounts", "accounts", accounts),
    "spells": Rollup("spells", "subscriptions", spells),
    "account_months": Rollup("account_months", "subscriptions", account_months),
}
