"""The finding about recurring revenue that left in the period."""

from typing import Any, Final

import pandas as pd

from csa.analysis.churn.revenue import RevenueChurnResult
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import amount
from csa.present.names import capital, named

# revenue and accounts are judged by the same words: an interval, a target, a change
from csa.present.narrate.rate import rate_evidence, rate_measure
from csa.present.phrases import distance
from csa.present.words import Words

ALL: Final = "all"
ENGLISH: Final = Words()
METHOD: Final = "score interval with the effective number of accounts; change: likewise"
UNEQUAL: Final = 0.5  # accounts of equal size that carry as much: fewer than this share is told


def revenue_churn(
    result: RevenueChurnResult,
    *,
    target: TargetLike | None = None,
    period_label: str,
    previous_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say how much recurring revenue left with its accounts, against target and previous period.

    Parameters
    ----------
    result : RevenueChurnResult
        From `csa.analysis.churn.revenue.revenue_churn`.
    target : TargetLike, optional
        `targets: revenue_churn_rate` of csa.yml.
    period_label, previous_label : str
        "October 2026", "September 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where nobody paid at the start, or where a few accounts hold nearly all revenue.
    """
    row = result.table.loc[result.table["group"] == ALL].iloc[0]
    measure = aimed(rate_measure(row, result.confidence, "revenue_churn_rate", METHOD), target)
    title, ident = "Revenue churn rate", "revenue-churn-rate"
    if measure.value is None:
        return Finding(
            id=ident,
            kind="change",
            title=title,
            text=f"The revenue churn of {period_label} is not known: {row['reason']}.",
            evidence="Nothing can be said without accounts that paid at the start.",
            action="See the data quality chapter: does the data reach this period?",
            status="unclear",
            measure=measure,
        )
    sure = row["status"] == "ok"
    status = judged(measure) if sure else "unclear"
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=_text(row, measure, (period_label, previous_label), words),
        evidence=_evidence(row, measure, words),
        action=_action(result, measure, status, words) if sure else _too_few(words, row),
        status=status,
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def _text(row: pd.Series, measure: Measure, labels: tuple[str, str], words: Words) -> str:
    now, before = labels
    lost, all_of_it = amount(row["churned_minor"], words), amount(row["mrr_minor"], words)
    base = (
        f"{words.share(measure.value)} of recurring revenue left with its accounts in {now}: "
        f"{lost} of {all_of_it} a month"
    )
    if measure.change is None:
        return f"{base}."
    size = abs(round(measure.change, 3))
    if not size:
        return f"{base}, the same rate as in {before}."
    way = "up" if measure.change > 0 else "down"
    previous = f"{words.share(measure.previous)} in {before}"
    return f"{base}, {way} {words.points(size)} points from {previous}."


def _evidence(row: pd.Series, measure: Measure, words: Words) -> str:
    parts = [rate_evidence(measure, measure.confidence, words)]
    left, n = int(row["churned"]), int(row["at_start"])
    if left:
        mean, whole = row["churned_minor"] / left, row["mrr_minor"] / n
        who = f"The {words.number(left)} that left" if left > 1 else "The one that left"
        parts.append(
            f"{who} paid {amount(mean, words)} a month{' on average' if left > 1 else ''}, "
            f"accounts on the whole {amount(whole, words)}."
        )
    if row["n_effective"] < UNEQUAL * n:
        alike = words.number(row["n_effective"])
        parts.append(
            f"A few accounts pay most: the {words.number(n)} say as much as {alike} alike would."
        )
    return " ".join(parts)


def _action(result: RevenueChurnResult, measure: Measure, status: Status, words: Words) -> str:
    worst = _most_lost(result.table)
    where = ""
    if worst is not None:
        lost, of = amount(worst["churned_minor"], words), amount(worst["mrr_minor"], words)
        where = f"{named(worst['group'])}: {lost} of {of}, {words.share(worst['rate'])}"
    if status in {"bad", "watch"}:
        return f"Start with {where}." if where else "Go through the accounts that left, by amount."
    if status == "good":
        return f"Keep going; most was lost in {where}." if where else "Keep going."
    if measure.target is None:
        return "Set a target to be judged by: targets: revenue_churn_rate in csa.yml."
    return f"Wait for more data before acting; watch {where}." if where else "Wait for more data."


def _too_few(words: Words, row: pd.Series) -> str:
    reason = capital(str(row["reason"]))
    return (
        f"{reason}: look at single accounts rather than at this rate of {words.share(row['rate'])}."
    )


def _most_lost(table: pd.DataFrame) -> dict[Any, Any] | None:
    """Group that lost the most revenue."""
    groups = table.loc[(table["group"] != ALL) & (table["churned_minor"] > 0)]
    if groups.empty:
        return None
    return groups.loc[groups["churned_minor"].idxmax()].to_dict()
