"""Findings on the value of customers under contract: how much, whose, and which half is absent."""

from dataclasses import replace
from typing import Final, Protocol

import pandas as pd

from csa.analysis.clv.contract import ContractValue
from csa.analysis.clv.economics_concentration import Concentration
from csa.present.items import Finding, Measure
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import amount, major
from csa.present.names import named, plural
from csa.present.phrases import against, distance, number
from csa.present.words import Words, known

ALL: Final = "all"
ENGLISH: Final = Words()
TOP: Final = 0.1  # share of customers that a sentence tells of
HALF: Final = 0.5
RUNAWAY: Final = 4.0  # times today's revenue at the end, beyond which growth is no guide
WRONG: Final = 1.2  # times the value from which the shortcut is told
TOLD_BEYOND: Final = 0.05  # share of the value at ages unseen from which it is told


class AbsentLike(Protocol):
    """Why a half of the chapter is not there."""

    @property
    def table(self) -> str: ...  # noqa: D102

    @property
    def found(self) -> bool: ...  # noqa: D102

    @property
    def lines(self) -> tuple[str, ...]: ...  # noqa: D102


HALVES: Final = {
    "subscriptions": (
        "Value under contract",
        "No customer here has a contract, so value under contract, its cost and its change are "
        "left out",
        "Where there are contracts, add the table subscriptions to csa.yml: subscription_id, "
        "account_id, start_on, end_on, mrr.",
    ),
    "transactions": (
        "Value without a contract",
        "Nobody here buys without a contract, so what buyers will spend is left out",
        "Where customers also buy without a contract, add the table transactions to csa.yml: "
        "account_id, occurred_at, amount.",
    ),
}


def half_absent(absent: AbsentLike) -> Finding:
    """Say once why a half of the chapter is left out, and how to add it.

    Parameters
    ----------
    absent : AbsentLike
        From `csa.data.halves.halves`.

    Returns
    -------
    Finding
        About the report itself, without a verdict.
    """
    title, text, way_out = HALVES[absent.table]
    evidence = f"The table {absent.table} is not in the data."
    if absent.lines:
        first, *rest = absent.lines
        text = f"{title} cannot be told: {first.rstrip('.')}"
        evidence = f"The table {absent.table} is there, but its numbers would be wrong."
        way_out = " ".join(rest) or "See the data quality chapter."
    elif absent.found:
        evidence = f"The table {absent.table} has no row of these customers up to this day."
        way_out = "Nothing to do if that is so."
    return Finding(
        id=f"without-{absent.table}",
        kind="report",
        title=title,
        text=f"{text}.",
        evidence=evidence,
        action=way_out,
        status="unclear",
    )


def customer_value(
    value: ContractValue, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say what a customer under contract is worth, what that rests on and what not to use.

    Parameters
    ----------
    value : ContractValue
        From `csa.analysis.clv.contract.contract_value`.
    target : TargetLike, optional
        `targets: customer_value` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where nobody is a customer, or too few have left.
    """
    row = value.table.loc[value.table["group"] == ALL].iloc[0]
    measure = aimed(_measure(row, value, words), target)
    title, ident = "Value of a customer", "customer-value"
    if not row["accounts"]:
        return Finding(
            id=ident,
            title=title,
            text="What a customer under contract is worth is not known: no customers on this day.",
            evidence="Nobody pays on the last day of the period.",
            action="See the data quality chapter: does the data reach this period?",
            status="unclear",
            measure=measure,
        )
    doubt = _doubt(row, value, words)
    if doubt:
        return Finding(
            id=ident,
            title=title,
            text=f"What a customer under contract is worth cannot be told: {doubt}.",
            evidence="Taken at its word the model would say: "
            f"{_lower(_value_text(row, value, words))} "
            f"{_value_evidence(row, value, measure, words)}",
            action=f"Do not plan by these values; wait for more history, or look ahead for fewer "
            f"months. {_shortcut(value, words)}".strip(),
            status="unclear",
            measure=replace(measure, value=None, low=None, high=None),
        )
    return Finding(
        id=ident,
        title=title,
        text=_value_text(row, value, words),
        evidence=_value_evidence(row, value, measure, words),
        action=_value_action(value, words),
        status=judged(measure),
        measure=measure,
        weight=distance(measure),
    )


def _doubt(row: pd.Series, value: ContractValue, words: Words) -> str:
    """Say why the value cannot be relied on; empty where it can."""
    if row["status"] != "ok":
        return str(row["reason"])
    fastest = float(value.growth["at_end"].max())
    if fastest > RUNAWAY:
        return (
            "with the growth seen so far those who stay would pay "
            f"{words.number(fastest)} times as much at the end"
        )
    return ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _measure(row: pd.Series, value: ContractValue, words: Words) -> Measure:
    n = max(int(row["accounts"]), 1)
    return Measure(
        metric_id="customer_value",
        value=major(number(row["per_account_minor"]), words),
        low=major(number(row["ci_low"] / n), words),
        high=major(number(row["ci_high"] / n), words),
        n=int(row["accounts"]),
        unit="money",
        confidence=value.terms.confidence,
        method="margin × expected revenue × survival, discounted; draws of survival, of growth and "
        "of how it goes on",
        better="higher",
    )


def _value_text(row: pd.Series, value: ContractValue, words: Words) -> str:
    n = int(row["accounts"])
    return (
        f"A customer under contract is worth {amount(row['per_account_minor'], words)} in the next "
        f"{value.terms.horizon_months} months: {amount(row['value_minor'], words)} of margin from "
        f"{words.number(n)} {plural(n, 'customer')}."
    )


def _value_evidence(row: pd.Series, value: ContractValue, measure: Measure, words: Words) -> str:
    level = words.share(value.terms.confidence, 0)
    limits = f"{amount(row['ci_low'], words)} to {amount(row['ci_high'], words)}"
    chance = f"{amount(row['outcome_low'], words)} to {amount(row['outcome_high'], words)}"
    per = words.interval(measure.low, measure.high, "money")
    parts = [
        f"{level} interval: {per} a customer{against(measure, words)}; {limits} in all, and "
        f"{chance} with the chance of single accounts. Margin "
        f"{words.percent(value.terms.margin)}, discounted by "
        f"{words.percent(value.terms.discount_rate_annual)} a year."
    ]
    if known(row["beyond"]) and row["beyond"] > TOLD_BEYOND:
        parts.append(
            f"{words.share(row['beyond'], 0)} of it lies at ages that nobody has reached yet."
        )
    return " ".join(parts)


def _value_action(value: ContractValue, words: Words) -> str:
    parts = []
    groups = value.table.loc[(value.table["group"] != ALL) & (value.table["accounts"] > 0)]
    if len(groups) > 1:
        top = groups.nlargest(1, "value_minor").iloc[0]
        share, n = top["value_minor"] / groups["value_minor"].sum(), int(top["accounts"])
        parts.append(
            f"Keep {named(top['group'])} first: {words.number(n)} {plural(n, 'customer')}, "
            f"{amount(top['per_account_minor'], words)} each, "
            f"{words.share(share, 0)} of the value."
        )
    return " ".join([*parts, _shortcut(value, words)]).strip()


def _shortcut(value: ContractValue, words: Words) -> str:
    """Warn of the rule of thumb where it errs."""
    row = value.table.loc[value.table["group"] == ALL].iloc[0]
    times = row["shortcut_times"]
    if not known(times):
        if known(row["monthly_churn"]) and row["monthly_churn"] == 0:
            return "Do not plan by ARPA × margin / churn: nobody left lately, so it is endless."
        return ""
    if 1 / WRONG < times < WRONG:
        return ""
    each = row["shortcut_minor"] / row["accounts"]
    way = f"{words.number(times, 1)} times as much" if times > 1 else "less"
    return f"Do not plan by ARPA × margin / churn: it says {amount(each, words)}, {way}."


def customer_concentration(result: Concentration, *, words: Words = ENGLISH) -> Finding:
    """Say how much of the value the most valuable customers hold.

    Parameters
    ----------
    result : Concentration
        From `csa.analysis.clv.economics_concentration.concentration`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear with few customers.
    """
    title, ident = "Value held by the top tenth", "customer-concentration"
    if result.status != "ok":
        return Finding(
            id=ident,
            title=title,
            text=f"Whose value it is cannot be told: {result.reason}.",
            evidence="A curve of shares needs customers to be compared.",
            action="Look at the single customers instead.",
            status="unclear",
        )
    share, low, high = (held(result, TOP, name) for name in ("share_of_value", "ci_low", "ci_high"))
    many = holders(result, HALF)
    level = words.share(result.confidence, 0)
    gini = result.gini
    return Finding(
        id=ident,
        title=title,
        text=f"The most valuable {words.share(TOP, 0)} of customers hold {words.share(share, 0)} "
        f"of the value; half of it is held by {words.number(many)} of "
        f"{words.number(result.accounts)}.",
        evidence=f"{level} interval: {words.interval(low, high, 'share')}, as if these were a "
        f"sample of customers. Gini coefficient {words.number(gini.value, 2)} "
        f"({words.number(gini.low, 2)} to {words.number(gini.high, 2)}); 0 would be all alike.",
        action=f"Give each of these {words.number(many)} {plural(many, 'customer')} an owner and a "
        "plan for the renewal; the table names the first.",
        status="unclear",
        measure=Measure(
            metric_id="value_of_top_tenth",
            value=share,
            low=low,
            high=high,
            n=result.accounts,
            unit="share",
            confidence=result.confidence,
            method="Lorenz ordinate, Beach and Davidson",
        ),
    )


def held(result: Concentration, share: float, column: str = "share_of_value") -> float:
    """Read the curve of concentration at a share of customers.

    Parameters
    ----------
    result : Concentration
        Curve.
    share : float
        Share of customers, most valuable first.
    column : str
        The share of value, or a limit.

    Returns
    -------
    float
        Between the ranks by a straight line.
    """
    x = [0.0, *result.table["share_of_accounts"]]
    y = [0.0, *result.table[column]]
    at = next(i for i in range(1, len(x)) if x[i] >= min(share, x[-1]))
    part = (min(share, x[-1]) - x[at - 1]) / (x[at] - x[at - 1])
    return float(y[at - 1] + part * (y[at] - y[at - 1]))


def holders(result: Concentration, share: float) -> int:
    """Count the most valuable customers that hold a share of the value.

    Parameters
    ----------
    result : Concentration
        Curve.
    share : float
        Share of value.

    Returns
    -------
    int
        At least so many are needed.
    """
    enough = result.table.loc[result.table["share_of_value"] >= share - 1e-12]
    return round(float(enough["share_of_accounts"].iloc[0]) * result.accounts)
