"""Table of groups of customers without a contract: who buys faster, who leaves sooner."""

from typing import Final

from csa.analysis.clv.buyer_groups import BuyerGroups
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.names import capital
from csa.present.phrases import p_value
from csa.present.table_rows import pairs, reasons
from csa.present.words import Words

ENGLISH: Final = Words()
MOST: Final = 10  # groups, those with most customers
INTERVALS: Final = ("first_year", "stays")
STAYS: Final = (
    Column("stays", "Still there", "share"),
    Column("stays_interval", "Interval", "interval", "share"),
)


def buyer_groups(result: BuyerGroups, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """List what groups buy in a first year and who is left then, most customers first.

    Parameters
    ----------
    result : BuyerGroups
        From `csa.analysis.clv.buyer_groups.buyer_groups`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Each figure with its interval; who is left only where somebody is seen leaving. Rates
        beside the average are drawn in `csa.present.plots.clv_buyer_groups`.
    """
    rows = result.table.head(MOST)
    rows = rows.assign(**{f"{n}_interval": pairs(rows, f"{n}_low", f"{n}_high") for n in INTERVALS})
    level = words.share(result.confidence, 0)
    return Table(
        id="buyer-groups",
        title=f"A new customer's first year, by {by}",
        columns=(
            Column("group", capital(by)),
            Column("customers", "Customers", "integer"),
            Column("first_year", "First year", "number", "ratio"),
            Column("first_year_interval", "Interval", "interval", "ratio"),
            *(STAYS if result.table["leaves"].notna().any() else ()),
        ),
        rows=rows,
        note=_note(result, level, reasons(rows), words),
        empty="No customer has bought yet.",
        words=words,
    )


def _note(result: BuyerGroups, level: str, limits: str, words: Words) -> str:
    """Say what the figures are, which tests were made, and what limits them."""
    left_out = len(result.table) - MOST
    there = "; still there: share after it" if result.table["leaves"].notna().any() else ""
    tests = [
        f"{what} p {p_value(p, words)}"
        for what, p in (("buying", result.p_buys), ("leaving", result.p_leaves))
        if p is not None
    ]
    parts = [
        f"First year: repeat purchases expected of a new customer{there}; {level} intervals",
        f"all groups alike in {', in '.join(tests)}" if tests else "",
        f"{words.number(left_out)} smaller groups are not shown" if left_out > 0 else "",
        result.reason,
        limits,
    ]
    return f"{'. '.join(capital(part) for part in parts if part)}."
