"""Table of the recurring revenue that left in the period."""

from typing import Final

from csa.analysis.churn.revenue import RevenueChurnResult
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.table_rows import reasons
from csa.present.tables.churn import rate_columns, rate_rows
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
    rows = rate_rows(result)
    rows = rows.assign(
        mrr=rows["mrr_minor"].map(lambda minor: major(minor, words)),
        lost=rows["churned_minor"].map(lambda minor: major(minor, words)),
    )
    return Table(
        id="revenue-churn-by-group",
        title=f"Recurring revenue that left, by {by}",
        columns=(
            Column("group", by.capitalize()),
            Column("mrr", "A month, at start", "money"),
            Column("churned", "Accounts left", "integer"),
            Column("lost", "Left with them", "money"),
            *rate_columns(result, words),
        ),
        rows=rows,
        note=reasons(rows),
        empty="No account paid at the start of the period.",
        words=words,
    )
