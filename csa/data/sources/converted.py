"""Money of an opened table in the workspace's currency: converted by stated rates, or refused."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from csa.data.visible import moment
from csa.errors import ConfigError
from csa.settings import FILE, Settings

if TYPE_CHECKING:
    from csa.data.sources.opened import Opened

NATIVE = "__native"  # suffix of money before rates by day were applied, and of its currency
_MOST = 200  # currencies

Steps = tuple[tuple[date, Decimal], ...]


def converted(opened: "Opened", settings: Settings) -> "Opened":
    """Convert money into the workspace's currency by the stated rates, or refuse.

    Parameters
    ----------
    opened : Opened
        A table in canonical types.
    settings : Settings
        Currency and rates.

    Returns
    -------
    Opened
        Money in a currency with rates by day is at that of the day on which its row appears
        (missing where it has no day); as it was, it stands beside it, in columns called `NATIVE`.

    Raises
    ------
    ConfigError
        If a currency has no rate, or none on the day of some row; with the rows counted.
    """
    made = opened.plan.of("currency")
    if made is None or not made.mapped:
        return opened
    code = opened.rows["currency"].upper()
    day = _day(opened)
    foreign = _foreign(opened, code, day, settings)
    if not foreign:
        return opened
    home = settings.currency
    dated = [c for c, _ in settings.dated_rates if c in foreign]
    money = {n: _money(opened, n, code, foreign, settings) for n in opened.table.money}
    native: dict[str, ir.Value] = {}
    if dated:
        flat = [c for c in foreign if c not in dated]
        for name in opened.table.money:
            native[name + NATIVE] = _money(opened, name, code, flat, settings)
        native["currency" + NATIVE] = ibis.ifelse(code.isin(dated), code, ibis.literal(home))
        native["currency" + NATIVE] = native["currency" + NATIVE].fill_null(home)
    rows = opened.rows.mutate(**money, **native, currency=ibis.literal(home))
    return replace(opened, rows=rows)


def native(rows: ir.Table) -> ir.Table:
    """Give money of an opened table back in the currencies that have rates by day.

    Parameters
    ----------
    rows : ir.Table
        Rows of an opened table.

    Returns
    -------
    ir.Table
        As it is where no such currency occurs.
    """
    names = [c for c in rows.columns if c.endswith(NATIVE)]
    return rows.mutate(**{c.removesuffix(NATIVE): rows[c] for c in names}) if names else rows


def _day(opened: "Opened") -> ir.DateValue:
    day = moment(opened.rows, opened.table)
    return ibis.null("date") if day is None else day.cast("date")


def _money(
    opened: "Opened", name: str, code: ir.StringValue, foreign: list[str], settings: Settings
) -> ir.Value:
    amount = opened.rows[name]
    if not foreign:
        return amount
    day = _day(opened)
    dated = dict(settings.dated_rates)
    branches: list[tuple[Any, Any]] = []
    for c in foreign:
        rate = settings.rates[c]
        if c not in dated:
            branches.append((code == c, amount * _rate(rate)))
        else:
            branches += [
                ((code == c) & (day >= since), amount * _rate(r)) for since, r in reversed(dated[c])
            ]
            branches.append((code == c, ibis.null("decimal(38, 12)")))
    return ibis.cases(*branches, else_=amount.cast("decimal(38, 12)")).cast("decimal(18, 4)")


def _rate(rate: object) -> ir.DecimalValue:
    return ibis.literal(rate, "decimal(18, 8)")


def _foreign(
    opened: "Opened", code: ir.StringValue, day: ir.DateValue, settings: Settings
) -> list[str]:
    """Return the currencies to convert from, refusing those without a rate."""
    firsts = {c: steps[0][0] for c, steps in settings.dated_rates}
    early: ir.Value = ibis.literal(value=False)
    for c, first in firsts.items():
        early = early | ((code == c) & (day < first))
    rows = opened.rows.select(code=code, day=day, early=early)
    rows = rows.filter(rows.code != settings.currency)
    counts = rows.group_by("code").agg(
        n=rows.count(), early=ibis.ifelse(rows.early, 1, 0).sum(), since=rows.day.min()
    )
    counts = counts.order_by("code").limit(_MOST)
    found = {r["code"]: r for r in opened.located.backend.to_pyarrow(counts).to_pylist()}
    faults = [
        fault
        for c, counted in found.items()
        if (fault := _fault(opened, c, counted, settings)) is not None
    ]
    if faults:
        raise ConfigError(*faults)
    return list(found)


def _fault(
    opened: "Opened", code: str, counted: Mapping[str, Any], settings: Settings
) -> str | None:
    home, table, origin = settings.currency, opened.table.name, opened.located.origin
    if code not in settings.rates:
        return (
            f"{FILE}: rates: {table} holds money in {code} ({counted['n']:,} rows of {origin}), "
            f"but the workspace counts in {home}; state rates: {{{code}: {home} for 1 {code}}} or "
            "leave the rows out with where"
        )
    if not counted["early"]:
        return None
    steps: Steps = dict(settings.dated_rates)[code]
    return (
        f"{FILE}: rates.{code}: {table} holds money in {code} from {counted['since']} on, but the "
        f"first rate is of {steps[0][0]} ({counted['early']:,} rows of {origin} come before it); "
        f"add {counted['since']}: {home} for 1 {code} or leave the rows out with where"
    )
