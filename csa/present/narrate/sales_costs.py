"""Findings about the cost of winning customers: CAC, payback, and worth against cost."""

from typing import Any, Final

import pandas as pd

from csa.analysis.revenue.unit_costs import UnitCosts
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import amount, major
from csa.present.names import capital, plural
from csa.present.narrate.sales_shares import total
from csa.present.phrases import against, distance, number
from csa.present.words import Words

ENGLISH: Final = Words()
LEAST: Final = 10
TARGETS: Final = {  # those of all customers, in the CLV chapter, hold for those of a period as well
    "cac": "cac",
    "period_payback_months": "cac_payback_months",
    "period_clv_cac": "clv_cac",
    "period_clv_cac_shortcut": "clv_cac",
}


def customer_cost(
    result: UnitCosts,
    *,
    target: TargetLike | None = None,
    period_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say what it cost to win a customer in the period.

    Parameters
    ----------
    result : UnitCosts
        From `csa.analysis.revenue.unit_costs.unit_costs`.
    target : TargetLike, optional
        `targets: cac` of csa.yml, in units of the currency.
    period_label : str
        "October 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few were won.
    """
    row = total(result.table)
    won, measure = int(row["won"]), _measure(row, "cac", "cac_minor", result, words)
    measure = aimed(measure, target)
    if measure.value is None:
        text = f"What it cost to win a customer in {period_label} is not known: {row['reason']}."
    else:
        before = number(row["cac_minor_previous"])
        after = f", after {amount(before, words)} in the period before" if before else ""
        text = (
            f"Winning a customer cost {amount(row['cac_minor'], words)} in {period_label}{after}: "
            f"{amount(row['cost'], words)} for {words.number(int(row['signups']))} sign-ups, "
            f"{words.number(won)} {plural(won, 'customer')} won."
        )
    status = _status(row, measure)
    return Finding(
        id="customer-cost",
        kind="change",
        title="Cost of winning a customer",
        text=text,
        evidence=_evidence(row, measure, result, words),
        action=_action(status, measure, "See which group costs most, and whether it pays back."),
        status=status,
        measure=measure,
        weight=distance(measure) if row["status"] == "ok" else 0.0,
    )


def cost_payback(
    result: UnitCosts, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say how many months of margin of a new customer pay for winning it.

    Parameters
    ----------
    result : UnitCosts
        From `csa.analysis.revenue.unit_costs.unit_costs`.
    target : TargetLike, optional
        `targets: cac_payback_months` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few were won.
    """
    row = total(result.table)
    measure = aimed(_measure(row, "period_payback_months", "payback_months", result, words), target)
    margin = words.share(result.terms.margin, 0)
    if measure.value is None:
        text = f"When the cost of a customer is paid back is not known: {row['reason']}."
    else:
        arpa = float(row["new_mrr"]) / float(row["won"])
        text = (
            f"A new customer pays back what it cost in {words.number(measure.value, 1)} months: it "
            f"starts with {amount(arpa, words)} a month at a margin of {margin}."
        )
    status = _status(row, measure)
    return Finding(
        id="cost-payback",
        title="Payback of the cost",
        text=text,
        evidence=f"{_evidence(row, measure, result, words)} Nobody is taken to leave before.",
        action=_action(status, measure, "Look at price and discounts of new customers first."),
        status=status,
        measure=measure,
        weight=distance(measure) if row["status"] == "ok" else 0.0,
    )


def worth_over_cost(
    result: UnitCosts, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say what a customer is worth against what it cost, by survival and by the rule of thumb.

    Parameters
    ----------
    result : UnitCosts
        From `csa.analysis.revenue.unit_costs.unit_costs`.
    target : TargetLike, optional
        `targets: clv_cac` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        The rule of thumb is only told beside the value that survival gives; alone it is unclear.
    """
    row = total(result.table)
    sound = _measure(row, "period_clv_cac", "ltv_ratio", result, words)
    rule = _measure(row, "period_clv_cac_shortcut", "shortcut_ratio", result, words)
    measure = aimed(sound if sound.value is not None else rule, target)
    if measure.value is None:
        why = row["reason"] or "nobody left"
        text = f"What a customer is worth against its cost is not known: {why}."
    elif sound.value is None:
        text = (
            f"By the rule of thumb a customer is worth {words.number(measure.value, 1)} times what "
            "it cost; without survival that is no value to act on."
        )
    else:
        text = (
            f"A new customer is worth {amount(row['ltv_minor'], words)}, "
            f"{words.number(measure.value, 1)} times what it cost to win."
        )
    status = _status(row, measure) if sound.value is not None else "unclear"
    return Finding(
        id="worth-over-cost",
        title="Worth of a customer over its cost",
        text=text,
        evidence=f"{_evidence(row, measure, result, words)}{_rule(rule, sound, words)}",
        action=_action(status, measure, "Win where worth exceeds cost most; see the table."),
        status=status,
        measure=measure,
        weight=distance(measure) if row["status"] == "ok" else 0.0,
    )


def _rule(rule: Measure, sound: Measure, words: Words) -> str:
    if rule.value is None or sound.value is None:
        return ""
    ends = _limits(rule, words)
    return (
        f" The rule of thumb, ARPA × margin / churn, would say {words.number(rule.value, 0)} times "
        f"({ends}): it takes the churn of one period to last for ever."
    )


def _measure(
    row: "pd.Series[Any]", metric_id: str, column: str, result: UnitCosts, words: Words
) -> Measure:
    money = metric_id == "cac"
    ends = [number(row[f"{column}{end}"]) for end in ("", "_low", "_high")]
    value, low, high = (major(x, words) if money else x for x in ends)
    before = number(row.get(f"{column}_previous"))
    return Measure(
        metric_id=metric_id,
        value=value,
        low=low,
        high=high,
        n=int(row["won"]),
        unit="money" if money else "months" if column == "payback_months" else "ratio",
        confidence=result.confidence,
        method="Poisson bootstrap over accounts",
        better="lower" if column in {"cac_minor", "payback_months"} else "higher",
        previous=major(before, words) if money else before,
    )


def _status(row: "pd.Series[Any]", measure: Measure) -> Status:
    return judged(measure, least=LEAST) if row["status"] == "ok" else "unclear"


def _limits(measure: Measure, words: Words) -> str:
    if measure.low is None and measure.high is None:
        return "not known"
    if measure.unit == "money":
        return words.interval(measure.low, measure.high, "money")
    low, high = words.number(measure.low, 1), words.number(measure.high, 1)
    if measure.high is None:
        return f"{low} or more"
    return f"up to {high}" if measure.low is None else f"{low} to {high}"


def _evidence(row: "pd.Series[Any]", measure: Measure, result: UnitCosts, words: Words) -> str:
    level, won = words.share(measure.confidence, 0), int(row["won"])
    parts = [
        f"{level} interval {_limits(measure, words)}{against(measure, words)}; "
        f"{words.number(won)} {plural(won, 'customer')} won."
    ]
    without = int(row["without_cost"])
    if without:
        parts.append(f"{words.number(without)} sign-ups have no cost and add nothing to it.")
    lag = result.terms.lag_months
    if lag:
        parts.append(f"Cost of who signed up {lag} {plural(lag, 'month')} earlier.")
    if row["reason"]:
        parts.append(f"{capital(str(row['reason']))}.")
    return " ".join(parts)


def _action(status: Status, measure: Measure, bad: str) -> str:
    if status in {"bad", "watch"}:
        return bad
    if measure.target is None:
        return f"Set a target to be judged by: targets: {TARGETS[measure.metric_id]} in csa.yml."
    return "Keep going." if status == "good" else "Judge a quarter or a year instead of one month."
