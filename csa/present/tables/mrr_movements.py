"""Tables of the movements of recurring revenue: by month, and by group."""

from typing import Final

import pandas as pd

from csa.analysis.revenue.movements import MovementsResult
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital
from csa.present.table_rows import ALL, group_names, total_last
from csa.present.words import Words

ENGLISH: Final = Words()
FLOWS: Final = (
    *(("start_minor", "Start"), ("new_minor", "New"), ("reactivation_minor", "Came back")),
    *(("expansion_minor", "Expansion"), ("contraction_minor", "Contraction")),
    *(("churn_minor", "Churn"), ("currency_minor", "Currency"), ("end_minor", "End")),
)
LOST: Final = {"contraction_minor", "churn_minor"}
IDENTITY: Final = "Start and movements add up to the end, to the cent"
ONE_RATE: Final = "currency is 0: no exchange rate changed what stayed (rates in csa.yml)"
BY_DAY: Final = (
    "each month counts at the exchange rates of its last day (rates in csa.yml): currency is what "
    "a change of rates did to revenue that is there at both ends of a month, what comes counts at "
    "the rate of its month, what goes at the rate of the month before"
)


def mrr_by_month(result: MovementsResult, *, words: Words = ENGLISH) -> Table:
    """Movements of all accounts by month, the latest last.

    Parameters
    ----------
    result : MovementsResult
        From `csa.analysis.revenue.movements.movements`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per month.
    """
    rows = result.table.loc[result.table["group"] == ALL].reset_index(drop=True)
    return Table(
        id="mrr-by-month",
        title="Recurring revenue by month",
        columns=(
            Column("period", "Month"),
            *_flow_columns(),
            Column("accounts_end", "Accounts", "integer"),
            Column("arpa", "Per account", "money"),
        ),
        rows=_money(rows, words).assign(
            period=[f"{day:%Y-%m}" for day in rows["month_start"]],
            arpa=rows["arpa_minor"].map(lambda minor: major(minor, words)),
        ),
        note=f"{IDENTITY}; {_rates(rows)}.",
        words=words,
    )


def mrr_by_group(result: MovementsResult, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Movements of the period by group, all accounts last.

    Parameters
    ----------
    result : MovementsResult
        From `csa.analysis.revenue.movements.movements`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group.
    """
    rows = total_last(result.period)
    return Table(
        id="mrr-by-group",
        title=f"Recurring revenue in the period, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            *_flow_columns(),
            Column("accounts_end", "Accounts", "integer"),
            Column("arr", "A year", "money"),
        ),
        rows=_money(rows, words).assign(
            group=group_names(rows), arr=rows["arr_minor"].map(lambda minor: major(minor, words))
        ),
        note=f"{IDENTITY}; {_rates(rows)}; a year is twelve times the end.",
        words=words,
    )


def _rates(rows: pd.DataFrame) -> str:
    return BY_DAY if rows["currency_minor"].any() else ONE_RATE


def _flow_columns() -> tuple[Column, ...]:
    return tuple(Column(key, label, "money") for key, label in FLOWS)


def _money(rows: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Give money in units of the currency, losses below zero."""
    made = rows.copy()
    for key, _ in FLOWS:
        signed_minor = -rows[key] if key in LOST else rows[key]
        made[key] = signed_minor.map(lambda minor: major(minor, words)) + 0.0  # no minus zero
    return made
