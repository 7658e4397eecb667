"""The finding about how much of the time ahead an account will stay."""

from typing import Any, Final

import pandas as pd

from csa.present.items import Finding, Measure
from csa.present.judge import TargetLike, aimed, judged
from csa.present.names import capital, plural
from csa.present.narrate.leaving import whom
from csa.present.phrases import against, distance, number
from csa.present.table_rows import ALL
from csa.present.words import Words

ENGLISH: Final = Words()
Row = dict[Any, Any]


def remaining(
    table: pd.DataFrame,
    *,
    confidence: float,
    target: TargetLike | None = None,
    words: Words = ENGLISH,
) -> Finding:
    """Say how much of the time ahead new accounts will stay, and accounts that have stayed.

    Parameters
    ----------
    table : DataFrame
        From `csa.analysis.churn.remaining.remaining_lifetime`: one look ahead, several ages.
    confidence : float
        Level of its intervals.
    target : TargetLike, optional
        `targets: remaining_days_of_365` of csa.yml, by the look ahead.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        The measure is the time of the youngest age; unclear where no age was seen well.
    """
    rows = table.loc[(table["group"] == ALL) & (table["status"] == "ok")].sort_values("age_days")
    title, ident = "Time ahead", "time-ahead"
    if rows.empty:
        return Finding(
            id=ident,
            title=title,
            text="How long accounts will stay is not known: too few were seen, or nobody left.",
            evidence="No interval can be given.",
            action="Come back when accounts have been under observation for longer.",
            status="unclear",
        )
    young, old = rows.iloc[0].to_dict(), rows.iloc[-1].to_dict()
    measure = aimed(_measure(young, confidence), target)
    return Finding(
        id=ident,
        title=title,
        text=_text(young, old, words),
        evidence=_evidence(young, old, measure, words),
        action=_action(young, words),
        status=judged(measure),
        measure=measure,
        weight=distance(measure),
    )


def _measure(row: Row, confidence: float) -> Measure:
    return Measure(
        metric_id=f"remaining_days_of_{row['ahead_days']:.0f}",
        value=number(row["remaining_days"]),
        low=number(row["ci_low"]),
        high=number(row["ci_high"]),
        n=int(row["at_risk"]),
        unit="days",
        confidence=confidence,
        method="restricted mean of Kaplan-Meier, conditional on the age reached",
        better="higher",
    )


def _text(young: Row, old: Row, words: Words) -> str:
    span = words.days(young["ahead_days"])
    time = words.days(young["remaining_days"])
    unit = span.rpartition(" ")[-1]
    base = f"{capital(whom(young, words))} stay {time.removesuffix(f' {unit}')} of the next {span}"
    if old["age_days"] == young["age_days"]:
        return f"{base} on average."
    return f"{base} on average, {whom(old, words)} {words.days(old['remaining_days'])}."


def _evidence(young: Row, old: Row, measure: Measure, words: Words) -> str:
    said = []
    for row in (young, old):
        n = int(row["at_risk"])
        between = words.interval(row["ci_low"], row["ci_high"], "days")
        said.append(f"{between} ({words.number(n)} {plural(n, 'account')})")
    first = f"{words.share(measure.confidence, 0)} interval {said[0]}{against(measure, words)}."
    return first if old["age_days"] == young["age_days"] else f"{first} Later: {said[1]}."


def _action(row: Row, words: Words) -> str:
    span = words.days(row["ahead_days"])
    return f"Plan the revenue of the next {span} with this share of it, not with all of it."
