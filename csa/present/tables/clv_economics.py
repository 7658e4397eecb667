"""Tables of value against cost, of what moved the value, and of what came true."""

from typing import Final

import pandas as pd

from csa.analysis.clv.economics import UnitEconomics
from csa.analysis.clv.economics_back import Realised
from csa.analysis.clv.economics_change import ValueChange
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital
from csa.present.narrate.clv_economics import chance
from csa.present.table_rows import ALL, group_names, pairs, reasons, total_last
from csa.present.words import UNKNOWN, Words, known

ENGLISH: Final = Words()
COSTS: Final = (
    "CAC: cost of all signups per customer won. CLV: of a new customer, at its first price. "
    "Payback: monthly payments until the cost is covered, with its interval; leaving is counted "
    "in, no discount."
)


def unit_economics(result: UnitEconomics, *, words: Words = ENGLISH) -> Table:
    """Cost, value, ratio and payback of new customers, with intervals.

    Parameters
    ----------
    result : UnitEconomics
        From `csa.analysis.clv.economics.unit_economics`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, everybody last.
    """
    known_at_all = result.table["ratio"].notna().any()
    rows = total_last(result.table.rename(columns={"name": "group"}))
    rows = rows if known_at_all else rows.head(0)
    scale = major(1.0, words) or 1.0
    rows = rows.assign(
        group=rows["group"].replace(ALL, "All signups"),
        cac=rows["cac_minor"] * scale,
        clv=rows["clv_minor"] * scale,
        limits=pairs(rows, "ratio_low", "ratio_high"),
        above=[chance(p, words) if known(p) else UNKNOWN for p in rows["p_above"]],
        back=[_payback(*row, words) for row in _paid(rows)],
    )
    told = reasons(rows)
    level = words.share(result.terms.confidence, 0)
    return Table(
        id="unit-economics",
        title=f"What new customers cost and bring, by {spoken(result.by)}",
        columns=(
            Column("group", capital(spoken(result.by))),
            Column("signups", "Signups", "integer"),
            Column("customers", "Won", "integer"),
            Column("cac", "CAC", "money"),
            Column("clv", "CLV", "money"),
            Column("ratio", "CLV:CAC", "number", "ratio"),
            Column("limits", f"{level} interval", "interval", "ratio"),
            Column("above", f"Over {words.number(result.target)}?"),
            Column("back", "Payback, payments"),
        ),
        rows=rows,
        note=COSTS + (f" {told}." if told else "") if len(rows) else "",
        empty="No acquisition cost is known.",
        words=words,
    )


def _paid(rows: pd.DataFrame) -> list[tuple[float, float, float]]:
    names = ["payback_months", "payback_months_low", "payback_months_high"]
    return [(a, b, c) for a, b, c in rows[names].itertuples(index=False, name=None)]


def _payback(months: float, low: float, high: float, words: Words) -> str:
    if not known(months):
        return UNKNOWN
    upper = words.number(high) if known(high) else "never"
    return f"{words.number(months)} ({words.number(low)} to {upper})"


def value_moved(change: ValueChange, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Value of the groups now and before.

    Parameters
    ----------
    change : ValueChange
        From `csa.analysis.clv.economics_change.what_moved`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, all customers last.
    """
    rows = total_last(change.groups)
    scale = major(1.0, words) or 1.0
    rows = rows.assign(
        group=group_names(rows),
        now=rows["value_minor"] * scale,
        before=rows["previous_minor"] * scale,
        change=rows["change_minor"] * scale,
    )
    return Table(
        id="value-moved-by-group",
        title="Value of all customers, now and before",
        columns=(
            Column("group", capital(spoken(by))),
            Column("before", "Before", "money"),
            Column("now", "Now", "money"),
            Column("change", "Change", "change", "money"),
        ),
        rows=rows,
        words=words,
    )


def value_realised(result: Realised, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Margin foretold on an old day beside what came, by group.

    Parameters
    ----------
    result : Realised
        From `csa.analysis.clv.economics_back.realised_against_predicted`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, all customers last.
    """
    rows = total_last(result.table.loc[result.table["predicted_minor"] > 0])
    scale = major(1.0, words) or 1.0
    rows = rows.assign(
        group=group_names(rows),
        said=rows["predicted_minor"] * scale,
        may=pairs(
            rows.assign(a=rows["outcome_low"] * scale, b=rows["outcome_high"] * scale), "a", "b"
        ),
        came=rows["realised_minor"] * scale,
        inside=rows["covered"].map({True: "yes", False: "no"}),
    )
    told = reasons(rows)
    level = words.share(result.terms.confidence, 0)
    return Table(
        id="value-realised-by-group",
        title=f"Margin of {result.ahead_months} months, foretold on {words.day(result.cut)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("accounts", "Customers then", "integer"),
            Column("said", "Foretold", "money"),
            Column("may", f"{level} limits", "interval", "money"),
            Column("came", "Came", "money"),
            Column("error", "Error", "share"),
            Column("inside", "Within limits"),
        ),
        rows=rows,
        note="Error: what came over what was foretold, less one." + (f" {told}." if told else "")
        if len(rows)
        else "",
        empty="Nobody was a customer on that day.",
        words=words,
    )
