"""Tables of the value of customers under contract: by group, by signup, single customers."""

from typing import Final

import pandas as pd

from csa.analysis.clv.contract import ContractValue
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital
from csa.present.narrate.clv_growth import WAYS
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()
EXTERNAL: Final = "external"  # readers to whom no single account is shown
NOBODY: Final = "Nobody is a customer on the last day."
MONTH_DAYS: Final = 30.4375


def customer_value(value: ContractValue, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Value by group, and the rule of thumb beside it.

    Parameters
    ----------
    value : ContractValue
        From `csa.analysis.clv.contract.contract_value`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, all customers last.
    """
    rows = total_last(value.table.loc[value.table["accounts"] > 0])
    rows = _money(rows.assign(group=group_names(rows)), words)
    n = rows["accounts"].clip(lower=1)
    rows = rows.assign(
        limits=pairs(rows.assign(a=rows["low"] / n, b=rows["high"] / n), "a", "b"),
        thumb=rows["shortcut"] / n,
    )
    level = words.share(value.terms.confidence, 0)
    return Table(
        id="customer-value-by-group",
        title=f"What customers are worth, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("accounts", "Customers", "integer"),
            Column("mrr", "MRR", "money"),
            Column("value", "Value", "money"),
            Column("each", "A customer", "money"),
            Column("limits", f"{level} interval", "interval", "money"),
            Column("beyond", "At ages unseen", "share"),
            Column("thumb", "Rule of thumb", "money"),
            Column("shortcut_times", "Times", "number", "ratio"),
        ),
        rows=rows,
        note=_value_note(rows, value, words),
        empty=NOBODY,
        words=words,
    )


def _value_note(rows: pd.DataFrame, value: ContractValue, words: Words) -> str:
    terms = value.terms
    said = (
        f"Value: margin of {words.percent(terms.margin)} in the next {terms.horizon_months} months "
        f"at a discount of {words.percent(terms.discount_rate_annual)} a year. Rule of thumb: ARPA "
        "× margin / churn of the last six months, and how many times the value that is."
    )
    told = reasons(rows)
    return f"{said} {told}." if told else said


def value_cohorts(value: ContractValue, *, words: Words = ENGLISH) -> Table:
    """Value of today's customers by period of signup.

    Parameters
    ----------
    value : ContractValue
        From `csa.analysis.clv.contract.contract_value`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Oldest first.
    """
    rows = _money(value.cohorts, words)
    rows = rows.assign(
        group=rows["cohort"], limits=pairs(rows, "low", "high"), may=pairs(rows, "least", "most")
    )
    told = reasons(rows)
    level = words.share(value.terms.confidence, 0)
    return Table(
        id="customer-value-by-signup",
        title="What customers are worth by signup",
        columns=(
            Column("cohort", "Signed up in"),
            Column("accounts", "Customers", "integer"),
            Column("mrr", "MRR", "money"),
            Column("each", "A customer", "money"),
            Column("value", "Value", "money"),
            Column("limits", f"{level} interval", "interval", "money"),
            Column("may", "With chance", "interval", "money"),
        ),
        rows=rows,
        note="With chance: what may come in the end, since chance decides on single accounts."
        + (f" {told}." if told else ""),
        empty=NOBODY,
        words=words,
    )


def most_valuable(
    best: pd.DataFrame,
    who: pd.DataFrame,
    *,
    confidence: float = 0.95,
    audience: str = "all",
    words: Words = ENGLISH,
) -> Table:
    """List the customers that are worth most.

    Parameters
    ----------
    best : DataFrame
        From `csa.analysis.clv.contract_best.most_valuable`.
    who : DataFrame
        `account_id`, `name`, `owner`: from `csa.data.account_names`.
    confidence : float
        Level of the intervals.
    audience : str
        For whom; "external" is shown no single account.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Most valuable first.
    """
    rows = best.merge(who[["account_id", "name", "owner"]], on="account_id", how="left")
    rows = rows.head(0 if audience == EXTERNAL else len(rows))
    scale = major(1.0, words) or 1.0
    rows = rows.assign(
        account=rows["name"].fillna(rows["account_id"]),
        owner=rows["owner"].fillna("not stated"),
        since=rows["age_months"] * MONTH_DAYS,
        mrr=rows["mrr_minor"] * scale,
        value=rows["value_minor"] * scale,
        may=pairs(  # of what may come: what is not known of the expected value is part of it
            rows.assign(
                a=rows[["outcome_low", "ci_low"]].min(axis=1) * scale,
                b=rows[["outcome_high", "ci_high"]].max(axis=1) * scale,
            ),
            "a",
            "b",
        ),
    )
    return Table(
        id="most-valuable-customers",
        title="The most valuable customers",
        columns=(
            Column("account", "Account"),
            Column("group", "Group"),
            Column("since", "Customer for", "age"),
            Column("mrr", "MRR", "money"),
            Column("value", "Value", "money"),
            Column("may", f"{words.share(confidence, 0)} limits", "interval", "money"),
            Column("share", "Of all value", "share"),
            Column("owner", "Owner"),
        ),
        rows=rows,
        note="Limits: what this customer may bring in the end, leaving early included. Value: the "
        "mean of all that may come; it lies nearer to the end that is likelier."
        if len(rows)
        else "",
        empty="Single accounts are not shown to readers outside."
        if audience == EXTERNAL
        else NOBODY,
        words=words,
    )


def growth_ways(value: ContractValue, *, words: Words = ENGLISH) -> Table:
    """Ways in which growth may be carried on, and how each would have foretold the past.

    Parameters
    ----------
    value : ContractValue
        From `csa.analysis.clv.contract.contract_value`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per way; without rows where nothing could be tested.
    """
    trend = value.trend
    rows = trend.table if trend.origins else trend.table.head(0)
    return Table(
        id="growth-ways",
        title="Ways in which growth of those who stay may go on",
        columns=(
            Column("name", "Way"),
            Column("weight", "Counts for", "share"),
            Column("error", "Wrong by", "share"),
            Column("bias", "Too low by, on average", "change", "share"),
        ),
        rows=rows.assign(name=[capital(WAYS[way]) for way in rows["way"]]),
        note=f"Forecasts of what stayers pay over {trend.ahead} months, made on "
        f"{words.number(trend.origins)} months of the past with what was known then; the better a "
        "way has held, the more it counts."
        if len(rows)
        else "",
        empty="The history is too short to foretell one part of it from another.",
        words=words,
    )


def _money(rows: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Put money into units of the currency, under the names of the columns."""
    scale = major(1.0, words) or 1.0
    names = {
        "mrr": "mrr_minor",
        "value": "value_minor",
        "each": "per_account_minor",
        "low": "ci_low",
        "high": "ci_high",
        "least": "outcome_low",
        "most": "outcome_high",
        "shortcut": "shortcut_minor",
    }
    return rows.assign(
        **{name: rows[column] * scale for name, column in names.items() if column in rows}
    )
