"""Table of the recurring revenue that left in the period."""

from typing import Final

from csa.analysis.churn.revenue import RevenueChurnResult
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()


def revenue_churn(
    result: RevenueChurnResult, *, by: str = "segment", words: Words = ENGLISH
) -> Table:
    """Recurring revenue that left with its accounts, by group, with the change.

    Parameters
    ----------
    result : RevenueChurnResult
        From `csa.analysis.churn.revenue.revenue_churn`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, all accounts last.
    """
    rows = total_last(result.table)
    rows = rows.assign(
        group=group_names(rows),
        mrr=rows["mrr_minor"].map(lambda minor: major(minor, words)),
        lost=rows["churned_minor"].map(lambda minor: major(minor, words)),
        interval=pairs(rows, "ci_low", "ci_high"),
        change=rows["difference"],
        change_interval=pairs(rows, "difference_low", "difference_high"),
    )
    level = words.share(result.confidence, 0)
    columns = [
        Column("group", by.capitalize()),
        Column("mrr", "A month, at start", "money"),
        Column("churned", "Accounts left", "integer"),
        Column("lost", "Left with them", "money"),
        Column("rate", "Rate", "share"),
        Column("interval", f"{level} interval", "interval", "share"),
    ]
    if result.previous_start is not None:
        columns += [
            Column("change", "Change", "change", "share"),
            Column("change_interval", f"{level} interval", "change_interval", "share"),
        ]
    return Table(
        id="revenue-churn-by-group",
        title=f"Recurring revenue that left, by {by}",
        columns=tuple(columns),
        rows=rows,
        note=reasons(rows),
        empty="No account paid at the start of the period.",
        words=words,
    )
