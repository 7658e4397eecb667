"""Tables of what it costs to win customers, and what that brings."""

from typing import Final

from csa.analysis.revenue.unit_costs import UnitCosts
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()


def unit_costs(result: UnitCosts, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """List what was spent to win customers, and who was won, by group.

    Parameters
    ----------
    result : UnitCosts
        From `csa.analysis.revenue.unit_costs.unit_costs`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        All accounts last.
    """
    table = total_last(result.table)
    money = table[["cac_minor_low", "cac_minor_high"]].map(lambda m: major(m, words))
    arpa = table["new_mrr"] / table["won"].where(table["won"] > 0)
    rows = table.assign(
        group=group_names(table),
        cost_money=table["cost"].map(lambda m: major(m, words)),
        cac=table["cac_minor"].map(lambda m: major(m, words)),
        cac_ends=pairs(money, "cac_minor_low", "cac_minor_high"),
        arpa=arpa.map(lambda m: major(m, words)),
    )
    lag = result.terms.lag_months
    when = f"signed up {lag} months earlier" if lag else "signed up"
    told = f"cost: of all who {when}, won or not"
    return Table(
        id="unit-costs",
        title=f"Customers won in the period and what they cost, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("signups", "Sign-ups", "integer"),
            Column("without_cost", "Without a cost", "integer"),
            Column("cost_money", "Cost", "money"),
            Column("won", "Won", "integer"),
            Column("cac", "Cost each", "money"),
            Column(
                "cac_ends", f"{words.share(result.confidence, 0)} interval", "interval", "money"
            ),
            Column("arpa", "Start with, a month", "money"),
        ),
        rows=rows,
        note="; ".join(text for text in (told, reasons(rows)) if text),
        words=words,
    )


def unit_worth(result: UnitCosts, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """List payback and worth over cost of the customers won, by group.

    Parameters
    ----------
    result : UnitCosts
        From `csa.analysis.revenue.unit_costs.unit_costs`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        All accounts last.
    """
    table = total_last(result.table)
    rows = table.assign(
        group=group_names(table),
        payback_ends=pairs(table, "payback_months_low", "payback_months_high"),
        ratio_ends=pairs(table, "ltv_ratio_low", "ltv_ratio_high"),
        magic_ends=pairs(table, "magic_number_low", "magic_number_high"),
    )
    level = words.share(result.confidence, 0)
    return Table(
        id="unit-worth",
        title=f"What the cost of customers brings, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("payback_months", "Payback, months", "number", "ratio"),
            Column("payback_ends", f"{level} interval", "interval", "ratio"),
            Column("ltv_ratio", "Worth over cost", "number", "ratio"),
            Column("ratio_ends", f"{level} interval", "interval", "ratio"),
            Column("shortcut_ratio", "By rule of thumb", "number", "ratio"),
            Column("magic_number", "Net new over cost", "number", "ratio"),
            Column("magic_ends", f"{level} interval", "interval", "ratio"),
        ),
        rows=rows,
        note=f"margin {words.share(result.terms.margin, 0)}; net new: recurring revenue of a year",
        words=words,
    )
