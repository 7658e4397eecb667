"""Findings on whether acquisition pays: value against cost, and how soon it is paid back."""

from typing import Final

import pandas as pd

from csa.analysis.clv.economics import UnitEconomics
from csa.present.attributes import spoken
from csa.present.items import Finding, Measure
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import amount
from csa.present.names import capital, named, plural
from csa.present.phrases import against, distance, number
from csa.present.words import Words, known

ALL: Final = "all"
ENGLISH: Final = Words()
FEW: Final = 10
NEARLY: Final = 0.995  # probabilities beyond are not told to the percent


def clv_cac(
    result: UnitEconomics, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say how many times its cost a new customer brings, and where least.

    Parameters
    ----------
    result : UnitEconomics
        From `csa.analysis.clv.economics.unit_economics`.
    target : TargetLike, optional
        `targets: clv_cac` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where no cost is known.
    """
    row = result.table.loc[result.table["name"] == ALL].iloc[0]
    title, ident = "CLV:CAC", "clv-cac"
    measure = aimed(_measure(row, "ratio", result), target)
    if measure.value is None:
        return Finding(
            id=ident,
            title=title,
            text=f"Whether acquisition pays cannot be told: {_lacking(row)}.",
            evidence="A ratio needs both the value and the cost of the same customers.",
            action="Add acquisition_cost to accounts in csa.yml: what sales and marketing spent "
            "on each account, those never won included.",
            status="unclear",
            measure=measure,
        )
    sure = row["status"] == "ok"
    return Finding(
        id=ident,
        title=title,
        text=f"A new customer is worth {words.number(measure.value, 1)} times what it cost to win: "
        f"{amount(row['clv_minor'], words)} against {amount(row['cac_minor'], words)}.",
        evidence=_ratio_evidence(row, measure, result, words),
        action=_weakest(result, words),
        status=judged(measure, least=FEW) if sure else "unclear",
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def _lacking(row: pd.Series) -> str:
    """Say what is not known."""
    nothing = row["signups"] == row["without_cost"]
    return "no acquisition cost is known" if nothing else str(row["reason"])


def _ratio_evidence(row: pd.Series, measure: Measure, result: UnitEconomics, words: Words) -> str:
    level = words.share(result.terms.confidence, 0)
    between = f"{words.number(measure.low, 1)} to {words.number(measure.high, 1)}"
    since = f" since {words.day(result.since)}" if result.since else ""
    won, all_of_them = words.number(row["customers"]), words.number(row["signups"])
    left = int(row["without_cost"])
    parts = [
        f"{level} interval: {between}{against(measure, words)}; the chance that it exceeds "
        f"{words.number(result.target)} is {chance(row['p_above'], words)}.",
        f"{won} of {all_of_them} signups{since} became customers; the cost of the others counts.",
    ]
    if left:
        parts.append(f"{words.number(left)} {plural(left, 'signup')} without a cost are left out.")
    if row["status"] != "ok":
        parts.append(f"{capital(str(row['reason']))}.")
    return " ".join(parts)


def chance(share: float, words: Words) -> str:
    """Write a probability that draws cannot tell from none or certain as such.

    Parameters
    ----------
    share : float
        Share of the draws.
    words : Words
        Locale.

    Returns
    -------
    str
        "over 99%", "37%", "under 1%".
    """
    if share > NEARLY:
        return f"over {words.share(0.99, 0)}"
    if share < 1 - NEARLY:
        return f"under {words.share(0.01, 0)}"
    return words.share(share, 0)


def _weakest(result: UnitEconomics, words: Words) -> str:
    """Name where money buys least, unless it buys alike everywhere."""
    rows = result.table.loc[(result.table["name"] != ALL) & (result.table["status"] == "ok")]
    if len(rows) < 2:
        return "Keep the cost per customer where it is; split it by channel to see where it buys."
    worst, best = rows.nsmallest(1, "ratio").iloc[0], rows.nlargest(1, "ratio").iloc[0]
    apart = worst["ratio_high"] < best["ratio_low"]
    by = spoken(result.by)
    if not apart:
        return f"No {by} is surely better than another: choose between them on other grounds."
    low, high = named(worst["name"]), named(best["name"])
    tone = "pays least" if worst["ratio_low"] >= result.target else "hardly pays"
    return (
        f"{capital(low)} {tone} ({words.number(worst['ratio'], 1)} times), {high} most "
        f"({words.number(best['ratio'], 1)} times): before moving money, try a little of it, since "
        "the next customer may cost more than the average one."
    )


def cac_payback(
    result: UnitEconomics, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say after how many months a new customer has paid back its cost.

    Parameters
    ----------
    result : UnitEconomics
        From `csa.analysis.clv.economics.unit_economics`.
    target : TargetLike, optional
        `targets: cac_payback_months` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where the cost is not known or not covered within the horizon.
    """
    row = result.table.loc[result.table["name"] == ALL].iloc[0]
    measure = aimed(_measure(row, "payback_months", result), target)
    title, ident = "CAC payback", "cac-payback"
    horizon = result.terms.horizon_months
    if measure.value is None:
        costed = known(row["ratio"])
        return Finding(
            id=ident,
            title=title,
            text=f"A new customer does not pay back its cost within {horizon} months."
            if costed
            else f"How soon a new customer pays back its cost is not known: {_lacking(row)}.",
            evidence=f"Within {horizon} months in {chance(row['share_paid_back'], words)} of the "
            "cases that the data leave open."
            if costed
            else "Without a cost nothing can be paid back.",
            action="Win customers at less cost, or at a higher first price."
            if costed
            else "Add acquisition_cost to accounts in csa.yml.",
            status="unclear",
            measure=measure,
        )
    sure = row["status"] == "ok"
    level = words.share(result.terms.confidence, 0)
    n = round(measure.value)
    return Finding(
        id=ident,
        title=title,
        text=f"A new customer has paid back its cost with {words.number(n)} monthly "
        f"{plural(n, 'payment')}.",
        evidence=f"{level} interval: {_months(measure, words)}{against(measure, words)}; those who "
        "leave before, and signups that were never won, are counted in.",
        action=_slowest(result, words),
        status=judged(measure, least=FEW) if sure else "unclear",
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def _months(measure: Measure, words: Words) -> str:
    if measure.high is None:
        return f"{words.number(measure.low)} payments or more"
    low, high = words.number(measure.low), words.number(measure.high)
    return f"{low} payments" if low == high else f"{low} to {high} payments"


def _slowest(result: UnitEconomics, words: Words) -> str:
    rows = result.table.loc[(result.table["name"] != ALL) & (result.table["status"] == "ok")]
    late = rows.loc[rows["payback_months"].isna()]
    if len(late):
        return (
            f"{capital(named(late.iloc[0]['name']))} does not pay back in time: look there first."
        )
    if len(rows) < 2 or rows["payback_months"].max() == rows["payback_months"].min():
        return "Keep an eye on it when prices or spending on sales change."
    slow = rows.nlargest(1, "payback_months").iloc[0]
    return (
        f"{capital(named(slow['name']))} takes longest, {words.number(slow['payback_months'])} "
        "payments: mind the cash before spending more there."
    )


def _measure(row: pd.Series, name: str, result: UnitEconomics) -> Measure:
    units = {"ratio": "ratio", "payback_months": "months"}
    return Measure(
        metric_id={"ratio": "clv_cac", "payback_months": "cac_payback_months"}[name],
        value=number(row[name]),
        low=number(row[f"{name}_low"]),
        high=number(row[f"{name}_high"]),
        n=int(row["customers"]),
        unit=units[name],
        confidence=result.terms.confidence,
        method="draws of survival, growth, first price, cost and customers won",
        better="higher" if name == "ratio" else "lower",
    )
