"""Tables of survival and of the churn rate."""

from typing import Final

import pandas as pd

from csa.analysis.churn.change import RateResult
from csa.analysis.churn.lifetimes import SurvivalResult
from csa.analysis.churn.rate import ChurnRateResult
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import Words, known

ENGLISH: Final = Words()


def churn_rate(result: ChurnRateResult, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Churn of the period by group, with the change since the period before.

    Parameters
    ----------
    result : ChurnRateResult
        From `csa.analysis.churn.churn_rate`.
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
    return Table(
        id="churn-rate-by-group",
        title=f"Accounts that left, by {by}",
        columns=(
            Column("group", by.capitalize()),
            Column("at_start", "At start", "integer"),
            Column("churned", "Left", "integer"),
            *rate_columns(result, words),
        ),
        rows=rows,
        note=reasons(rows),
        empty="No account was a customer at the start of the period.",
        words=words,
    )


def rate_rows(result: RateResult) -> pd.DataFrame:
    """Make the rows of a table of rates: the total last, intervals in pairs, the change.

    Parameters
    ----------
    result : ChurnRateResult or RevenueChurnResult
        Rates by group.

    Returns
    -------
    DataFrame
        What the result's table holds, and `interval`, `change`, `change_interval`.
    """
    rows = total_last(result.table)
    return rows.assign(
        group=group_names(rows),
        interval=pairs(rows, "ci_low", "ci_high"),
        change=rows["difference"],
        change_interval=pairs(rows, "difference_low", "difference_high"),
    )


def rate_columns(result: RateResult, words: Words) -> list[Column]:
    """Columns of a rate: value and interval, then the change where there is a period before.

    Parameters
    ----------
    result : ChurnRateResult or RevenueChurnResult
        Rates by group.
    words : Words
        Locale and currency.

    Returns
    -------
    list of Column
        Two, or four.
    """
    level = words.share(result.confidence, 0)
    columns = [
        Column("rate", "Rate", "share"),
        Column("interval", f"{level} interval", "interval", "share"),
    ]
    if result.previous_start is not None:
        columns += [
            Column("change", "Change", "change", "share"),
            Column("change_interval", f"{level} interval", "change_interval", "share"),
        ]
    return columns


def survival_summary(
    result: SurvivalResult,
    *,
    by: str = "segment",
    words: Words = ENGLISH,
    table_id: str = "lifetime-by-group",
) -> Table:
    """Median and restricted mean lifetime by group.

    Parameters
    ----------
    result : SurvivalResult
        From `csa.analysis.churn.survival`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.
    table_id : str
        Id of the table on the page.

    Returns
    -------
    Table
        One row per group, all accounts last.
    """
    rows = total_last(result.summary)
    rows = rows.assign(
        group=group_names(rows),
        median_interval=pairs(rows, "median_low", "median_high"),
        rmst_interval=pairs(rows, "rmst_low", "rmst_high"),
    )
    level = words.share(result.confidence, 0)
    within = (
        f"Mean within {words.days(result.horizon_days)}" if known(result.horizon_days) else "Mean"
    )
    return Table(
        id=table_id,
        title=f"Lifetime by {by}",
        columns=(
            Column("group", by.capitalize()),
            Column("n", "Accounts", "integer"),
            Column("events", "Left", "integer"),
            Column("median_days", "Median", "days"),
            Column("median_interval", f"{level} interval", "interval", "days"),
            Column("rmst_days", within, "days"),
            Column("rmst_interval", f"{level} interval", "interval", "days"),
        ),
        rows=rows,
        note="; ".join(filter(None, [_unreached(rows), reasons(rows)])),
        empty="No account was under observation.",
        words=words,
    )


def window_effect(
    table: pd.DataFrame, *, confidence: float = 0.95, words: Words = ENGLISH
) -> Table:
    """Survival with the window of observation, and as it would look without.

    Parameters
    ----------
    table : DataFrame
        From `csa.analysis.churn.window_effect`.
    confidence : float
        Level of its intervals.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per age that was seen.
    """
    rows = table.loc[table["survival"].notna()].assign(group="")
    return Table(
        id="window-of-observation",
        title="Still customers at an age",
        columns=(
            Column("age_days", "Age", "age"),
            Column("at_risk", "Watched at that age", "integer"),
            Column("survival", "Still customers", "share"),
            Column("interval", f"{words.share(confidence, 0)} interval", "interval", "share"),
            Column("ignoring", "If the window were ignored", "share"),
        ),
        rows=rows.assign(interval=pairs(rows, "ci_low", "ci_high")),
        empty="No age was seen long enough.",
        words=words,
    )


def _unreached(rows: pd.DataFrame) -> str:
    beyond = rows["median_days"].isna() & (rows["status"] == "ok")
    return "– median: fewer than half left while they were seen" if beyond.any() else ""
