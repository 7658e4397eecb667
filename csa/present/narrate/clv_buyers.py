"""Findings about customers without a contract: what they are worth, and whom to begin with."""

from typing import Any, Final

import pandas as pd

from csa.analysis.clv.newcomers import ALL, NewcomerValue
from csa.analysis.clv.value import BuyerValue
from csa.present.items import Finding, Measure
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import amount, major
from csa.present.names import capital, named, plural
from csa.present.phrases import against, distance, number
from csa.present.words import Words

ENGLISH: Final = Words()
YEARS: Final = 365.25


def buyer_value(
    result: BuyerValue,
    *,
    previous: BuyerValue | None = None,
    target: TargetLike | None = None,
    words: Words = ENGLISH,
) -> Finding:
    """Say what the customers of today are still worth, and how that has changed.

    Parameters
    ----------
    result : BuyerValue
        From `csa.analysis.clv.value.buyer_value`.
    previous : BuyerValue, optional
        The same of the last period, on the same terms.
    target : TargetLike, optional
        `targets: buyer_value` of csa.yml, in units of the currency.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        A change where the last period is known; unclear where a model does not hold.
    """
    row = _whole(result.table)
    ident, title = "buyer-value", "Value of customers to come"
    n = int(row["customers"])
    if result.customers is None or not n:
        why = result.reason or "no customer has bought yet"
        return Finding(
            id=ident,
            title=title,
            text="What customers will still bring cannot be told.",
            evidence=f"{capital(why)}.",
            action="Come back when customers have bought again.",
            status="unclear",
        )
    measure = aimed(_value_measure(row, result, previous, words), target)
    return Finding(
        id=ident,
        title=title,
        kind="standing" if previous is None else "change",
        text=_value_text(row, result, previous, words),
        evidence=_value_evidence(row, result, measure, words) + _real(measure, words),
        action=_value_action(row, result, words),
        status=judged(measure) if result.status == "ok" else "unclear",
        measure=measure,
        weight=distance(measure),
    )


def _whole(table: pd.DataFrame) -> dict[Any, Any]:
    return table.loc[table["group"] == ALL].iloc[0].to_dict()


def _value_measure(
    row: dict[Any, Any], result: BuyerValue, previous: BuyerValue | None, words: Words
) -> Measure:
    before = None if previous is None else number(_whole(previous.table)["value"])
    value = major(row["value"], words)
    old = major(before, words)
    return Measure(
        metric_id="buyer_value",
        value=value,
        low=major(row["ci_low"], words),
        high=major(row["ci_high"], words),
        n=int(row["customers"]),
        unit="money",
        confidence=result.terms.confidence,
        method=f"{result.model}, delta method",
        better="higher",
        previous=old,
        change=None if old is None or value is None else value - old,
    )


def _value_text(
    row: dict[Any, Any], result: BuyerValue, previous: BuyerValue | None, words: Words
) -> str:
    n = int(row["customers"])
    said = (
        f"{words.number(n)} {plural(n, 'customer')} are expected to bring "
        f"{amount(row['value'], words)} {_within(result, words)}, "
        f"{amount(row['per_customer'], words)} each"
    )
    if previous is None:
        return f"{said}."
    before = _whole(previous.table)
    change = row["value"] - before["value"]
    more = "more" if change >= 0 else "less"
    return (
        f"{said}: {amount(abs(change), words)} {more} than last period. {_why(row, before, words)}"
    )


def _why(row: dict[Any, Any], before: dict[Any, Any], words: Words) -> str:
    """Split a change into how many customers there are and what each is worth, exactly."""
    people = (row["customers"] - before["customers"]) * before["per_customer"]
    each = row["customers"] * (row["per_customer"] - before["per_customer"])

    def signed(value: float) -> str:
        return f"{'+' if value >= 0 else '−'}{amount(abs(value), words)}"

    return f"From the number of customers {signed(people)}, from the value of each {signed(each)}."


def _within(result: BuyerValue, words: Words) -> str:
    days = result.terms.horizon_days
    if days == float("inf"):
        return "from now on"
    years = days / YEARS
    if abs(years - round(years)) < 0.01 and round(years) >= 1:
        return f"within {words.number(round(years))} {plural(round(years), 'year')}"
    return f"within {words.days(days)}"


def _value_evidence(row: dict[Any, Any], result: BuyerValue, measure: Measure, words: Words) -> str:
    terms = result.terms
    level = words.share(terms.confidence, 0)
    interval = words.interval(measure.low, measure.high, "money")
    there = words.number(row["alive"])
    held = f" {capital(result.reason)}." if result.reason else ""
    return (
        f"{level} interval {interval}{against(measure, words)}; it is of what is expected, from "
        f"{result.model}. {there} of {words.number(row['customers'])} are expected to be "
        f"customers still. Margin {words.percent(terms.margin)}, discounted by "
        f"{words.share(terms.annual_rate)} a year.{held}"
    )


def _real(measure: Measure, words: Words) -> str:
    """Say whether a change is more than what the parameters leave open."""
    if measure.previous is None or measure.low is None or measure.high is None:
        return ""
    inside = measure.low <= measure.previous <= measure.high
    told = "inside the interval: it may be none" if inside else "outside the interval: it is real"
    return f" Last period's {words.money(measure.previous)} lies {told}."


def _value_action(row: dict[Any, Any], result: BuyerValue, words: Words) -> str:
    groups = result.table.loc[result.table["group"] != ALL]
    if groups.empty:
        return "Spend less to keep a customer than the customer is expected to bring."
    best = groups.sort_values("per_customer", ascending=False).iloc[0]
    return (
        f"Most is to come from each customer of {named(best['group'])} "
        f"({amount(best['per_customer'], words)}, {words.share(best['share'], 0)} of all value): "
        "keep these first."
    )


def next_best_customers(
    rows: pd.DataFrame, result: BuyerValue, *, words: Words = ENGLISH
) -> Finding:
    """Say with whom to begin.

    Parameters
    ----------
    rows : DataFrame
        From `csa.analysis.clv.value.next_best`.
    result : BuyerValue
        Where they come from.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        An action; unclear where nobody can be told.
    """
    ident, title = "next-best-customers", "Next best customers"
    total = number(_whole(result.table)["value"])
    if rows.empty or not total:
        return Finding(
            id=ident,
            kind="action",
            title=title,
            text="Who will buy most cannot be told.",
            evidence=f"{capital(result.reason or 'no customer has bought yet')}.",
            action="Nothing to do yet.",
            status="unclear",
        )
    value = float(rows["value"].sum())
    first, n = rows.iloc[0], len(rows)
    interval = f"{amount(first['ci_low'], words)} to {amount(first['ci_high'], words)}"
    return Finding(
        id=ident,
        kind="action",
        title=title,
        text=f"The {words.number(n)} most valuable {plural(n, 'customer')} are expected to bring "
        f"{amount(value, words)} {_within(result, words)}, {words.percent(value / total)} of all.",
        evidence=f"First is {named(first['account_id'])}: {words.number(first['frequency'])} "
        f"repeat purchases, {words.percent(first['alive'])} likely to be a customer still, "
        f"{amount(first['value'], words)} expected "
        f"({words.share(result.terms.confidence, 0)} interval {interval}; {_may(first, words)}).",
        action=f"Start with {named(first['account_id'])}; the table lists the others.",
        status="good" if result.status == "ok" else "unclear",
        measure=Measure(
            metric_id="next_best_value",
            value=major(value, words),
            low=None,
            high=None,
            n=n,
            unit="money",
            confidence=result.terms.confidence,
            method=result.model,
        ),
        weight=min(1.0, value / total),
    )


def _may(row: "pd.Series[Any]", words: Words) -> str:
    """Say how far one customer may end from what is expected."""
    if "outcome_low" not in row:
        return "what one customer does varies more"
    ends = f"{amount(row['outcome_low'], words)} to {amount(row['outcome_high'], words)}"
    return f"by chance it may become {ends}"


def newcomer_value(result: NewcomerValue, *, words: Words = ENGLISH) -> Finding:
    """Say what a new customer is worth, and where the best come from.

    Parameters
    ----------
    result : NewcomerValue
        From `csa.analysis.clv.newcomers.newcomer_value`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Without a verdict: it is the most that winning a customer may cost.
    """
    ident, title = "newcomer-value", "Value of a new customer"
    row = _whole(result.table)
    if number(row["value"]) is None:
        return Finding(
            id=ident,
            title=title,
            text="What a new customer is worth cannot be told.",
            evidence=f"{capital(result.reason)}.",
            action="Come back when customers have bought again.",
            status="unclear",
        )
    level = words.share(result.terms.confidence, 0)
    measure = Measure(
        metric_id="newcomer_value",
        value=major(row["value"], words),
        low=major(row["ci_low"], words),
        high=major(row["ci_high"], words),
        n=int(row["customers"]),
        unit="money",
        confidence=result.terms.confidence,
        method="E[X(t)] × E(M), drawn in by segment",
    )
    return Finding(
        id=ident,
        title=title,
        text=f"A new customer is worth {amount(row['value'], words)} on the first day: "
        f"{amount(row['first'], words)} from the first purchase, "
        f"{amount(row['later'], words)} from later ones.",
        evidence=f"{level} interval {words.interval(measure.low, measure.high, 'money')}, learned "
        f"from {words.number(row['customers'])} customers. {_segments(result, words)}",
        action=f"Do not pay more than {amount(row['ci_low'], words)} to win a customer, unless the "
        "segment is surely better.",
        status="unclear",
        measure=measure,
    )


def _segments(result: NewcomerValue, words: Words) -> str:
    """Say which segments differ by more than their intervals."""
    rows = result.table.loc[result.table["group"] != ALL].sort_values("value", ascending=False)
    if len(rows) < 2:
        return ""
    best, worst = rows.iloc[0], rows.iloc[-1]
    if best["ci_low"] <= worst["ci_high"]:
        return "No segment is surely better than another."
    return (
        f"Those of {named(best['group'])} are worth {amount(best['value'], words)}, of "
        f"{named(worst['group'])} {amount(worst['value'], words)}; the intervals do not meet."
    )
