"""Money in several currencies inside roll-ups: what is held of each, and what it is worth.

A currency with one rate is converted when its table is opened and never comes here. One with rates
by day (`rates: {USD: {2025-01-01: 0.95, 2026-01-01: 0.91}}` in csa.yml, each from its day on) stays
as it is until it is known at which day it is valued. Amounts are ten-thousandths, in whole numbers;
rates are exact decimals; a value is the sum over currencies, rounded once, half up.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from csa.settings import DatedRates

if TYPE_CHECKING:
    from csa.data.rollups import RollupContext

SCALE = 4  # decimals of a money column in the tables: decimal(18,4)
HOME = "home"  # the workspace's currency, among amounts by currency
_AMOUNT, _RATE, _VALUE = "decimal(18, 0)", "decimal(19, 12)", "decimal(30, 12)"
_NOTHING = Decimal(0)  # before the first rate nothing is held: the opening of the table saw to it

Amounts = Mapping[str, ir.Value]
Steps = tuple[tuple[date, Decimal], ...]


def shares(units: ir.IntegerValue, table: ir.Table, rates: DatedRates) -> dict[str, ir.Value]:
    """Split an amount by the currencies that have rates by day.

    Parameters
    ----------
    units : ir.IntegerValue
        Ten-thousandths of the currency of the row.
    table : ir.Table
        Its rows; without a `currency` all are in the workspace's.
    rates : DatedRates
        Rates by day.

    Returns
    -------
    dict of str to ir.Value
        One entry per currency; the workspace's own is what is left.
    """
    if "currency" not in table.columns:
        return {}
    return {c: ibis.ifelse(table.currency == c, units, 0).cast("int64") for c, _ in rates}


def with_home(units: ir.Value, foreign: Amounts) -> dict[str, ir.Value]:
    """Add what is held in the workspace's currency to the amounts in others.

    Parameters
    ----------
    units : ir.Value
        Ten-thousandths of all currencies together.
    foreign : mapping of str to ir.Value
        Those of each currency with rates by day.

    Returns
    -------
    dict of str to ir.Value
        `HOME`, then the others.
    """
    home = units
    for amount in foreign.values():
        home = home - amount
    return {HOME: home, **foreign}


def last_day_rates(end_on: ir.DateValue, ctx: "RollupContext") -> dict[str, ir.Value]:
    """Rates of the last day before an end.

    Parameters
    ----------
    end_on : ir.DateValue
        First day after it; missing: the last day is `as_of`.
    ctx : RollupContext
        Last known day and rates.

    Returns
    -------
    dict of str to ir.Value
        One entry per currency with rates by day.
    """

    def holds(since: date) -> ir.BooleanValue:
        return (end_on > since) | end_on.isnull()

    return {code: _chosen(_known(steps, ctx), holds, ctx) for code, steps in ctx.rates}


def month_rates(month: ir.IntegerValue, ctx: "RollupContext") -> dict[str, ir.Value]:
    """Rates of the last day of a month; in the month of `as_of`, of that day.

    Parameters
    ----------
    month : ir.IntegerValue
        Its number, year x 12 + month - 1.
    ctx : RollupContext
        Last known day and rates.

    Returns
    -------
    dict of str to ir.Value
        One entry per currency with rates by day.
    """

    def holds(since: date) -> ir.BooleanValue:
        return month >= since.year * 12 + since.month - 1

    return {code: _chosen(_known(steps, ctx), holds, ctx) for code, steps in ctx.rates}


def worth(amounts: Amounts, rates: Amounts, ctx: "RollupContext") -> ir.IntegerValue:
    """Value amounts in minor units of the workspace's currency, rounded once, half up.

    Parameters
    ----------
    amounts : mapping of str to ir.Value
        Ten-thousandths by currency, `HOME` among them, not negative.
    rates : mapping of str to ir.Value
        From `last_day_rates` or `month_rates`.
    ctx : RollupContext
        Decimals of the currency.

    Returns
    -------
    ir.IntegerValue
        64 bits.
    """
    priced = {HOME: _literal(Decimal(1), ctx), **rates}
    parts = [(a.cast(_AMOUNT) * priced[c]).cast(_VALUE) for c, a in amounts.items()]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total.cast("decimal(38, 0)").cast("int64")


def _known(steps: Steps, ctx: "RollupContext") -> Steps:
    """Return the rates known on `as_of`, after one of nothing for what comes before them."""
    return ((date.min, _NOTHING), *(step for step in steps if step[0] <= ctx.as_of))


def _chosen(
    steps: Steps, holds: Callable[[date], ir.BooleanValue], ctx: "RollupContext"
) -> ir.Value:
    """Choose the latest rate that holds by halving: engines try the branches of a CASE in turn."""
    if len(steps) == 1:
        return _literal(steps[0][1], ctx)
    half = len(steps) // 2
    early, late = _chosen(steps[:half], holds, ctx), _chosen(steps[half:], holds, ctx)
    return ibis.ifelse(holds(steps[half][0]), late, early)


def _literal(rate: Decimal, ctx: "RollupContext") -> ir.Value:
    """Rate from ten-thousandths to minor units."""
    return ibis.literal(rate.scaleb(ctx.exponent - SCALE), _RATE)
