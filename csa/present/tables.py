"""Tables of the chapters: chosen columns, formatted by kind, intervals beside their values."""

from typing import Any, Final

import pandas as pd

from csa.analysis.churn import ChurnRateResult, SurvivalResult
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.names import capital
from csa.present.phrases import ends
from csa.present.tables_quality import checks, freshness, lineage, missing
from csa.present.words import Words, known

__all__ = [
    "checks",
    "churn_rate",
    "conditional",
    "freshness",
    "lineage",
    "missing",
    "survival_summary",
    "window_effect",
]

ALL: Final = "all"
EVERYBODY: Final = "All accounts"
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
    rows = _total_last(result.table)
    rows = rows.assign(
        group=_labels(rows),
        interval=_pairs(rows, "ci_low", "ci_high"),
        change=rows["difference"],
        change_interval=_pairs(rows, "difference_low", "difference_high"),
    )
    level = words.share(result.confidence, 0)
    columns = [
        Column("group", by.capitalize()),
        Column("at_start", "At start", "integer"),
        Column("churned", "Left", "integer"),
        Column("rate", "Rate", "share"),
        Column("interval", f"{level} interval", "interval", "share"),
    ]
    if result.previous_start is not None:
        columns += [
            Column("change", "Change", "change", "share"),
            Column("change_interval", f"{level} interval", "change_interval", "share"),
        ]
    return Table(
        id="churn-rate-by-group",
        title=f"Accounts that left, by {by}",
        columns=tuple(columns),
        rows=rows,
        note=_notes(rows),
        empty="No account was a customer at the start of the period.",
        words=words,
    )


def survival_summary(
    result: SurvivalResult, *, by: str = "segment", words: Words = ENGLISH
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

    Returns
    -------
    Table
        One row per group, all accounts last.
    """
    rows = _total_last(result.summary)
    rows = rows.assign(
        group=_labels(rows),
        median_interval=_pairs(rows, "median_low", "median_high"),
        rmst_interval=_pairs(rows, "rmst_low", "rmst_high"),
    )
    level = words.share(result.confidence, 0)
    within = (
        f"Mean within {words.days(result.horizon_days)}" if known(result.horizon_days) else "Mean"
    )
    return Table(
        id="lifetime-by-group",
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
        note="; ".join(filter(None, [_unreached(rows), _notes(rows)])),
        empty="No account was under observation.",
        words=words,
    )


def conditional(
    table: pd.DataFrame, *, confidence: float, by: str = "segment", words: Words = ENGLISH
) -> Table:
    """Chance to stay longer for accounts that have reached an age.

    Parameters
    ----------
    table : DataFrame
        From `csa.analysis.churn.conditional_survival`.
    confidence : float
        Level of its intervals.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, age and look ahead that was seen; all accounts last.
    """
    seen = _total_last(table.loc[table["stay"].notna()])
    rows = seen.assign(group=_labels(seen), interval=_pairs(seen, "ci_low", "ci_high"))
    return Table(
        id="chance-to-stay",
        title="Chance to stay, given the age reached",
        columns=(
            Column("group", by.capitalize()),
            Column("age_days", "Has stayed", "age"),
            Column("ahead_days", "Stays another", "days"),
            Column("at_risk", "Accounts", "integer"),
            Column("stay", "Chance", "share"),
            Column("interval", f"{words.share(confidence, 0)} interval", "interval", "share"),
        ),
        rows=rows,
        note=_notes(rows),
        empty="No age was seen long enough.",
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
        rows=rows.assign(interval=_pairs(rows, "ci_low", "ci_high")),
        empty="No age was seen long enough.",
        words=words,
    )


def _total_last(table: pd.DataFrame) -> pd.DataFrame:
    """Keep groups in their order, the total at the end, where a reader looks for it."""
    total = table["group"] == ALL
    return pd.concat([table.loc[~total], table.loc[total]], ignore_index=True)


def _labels(rows: pd.DataFrame) -> pd.Series:
    return rows["group"].replace(ALL, EVERYBODY)


def _pairs(rows: pd.DataFrame, low: str, high: str) -> "pd.Series[Any]":
    pairs = [ends(*pair) for pair in zip(rows[low], rows[high], strict=True)]
    return pd.Series(pairs, index=rows.index, dtype=object)


def _unreached(rows: pd.DataFrame) -> str:
    beyond = rows["median_days"].isna() & (rows["status"] == "ok")
    return "– median: fewer than half left while they were seen" if beyond.any() else ""


def _notes(rows: pd.DataFrame) -> str:
    """Reasons that limit single rows, each once: "EU: only 7 accounts at the start"."""
    told = rows.loc[rows["reason"].fillna("") != ""]
    if len(rows) and len(told) == len(rows) and (told["reason"] == told["reason"].iloc[0]).all():
        return capital(str(told["reason"].iloc[0]))
    by_reason = told.groupby("reason", sort=False)["group"].agg(
        lambda g: ", ".join(dict.fromkeys(g))
    )
    return "; ".join(f"{names}: {reason}" for reason, names in by_reason.items())
