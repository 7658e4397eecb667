"""The finding about accounts that left in the period."""

from typing import Final

import pandas as pd

from csa.analysis.churn.rate import ChurnRateResult
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged, moved
from csa.present.names import named
from csa.present.phrases import against, distance, number
from csa.present.words import Words

ALL: Final = "all"
ENGLISH: Final = Words()


def churn_rate(
    result: ChurnRateResult,
    *,
    target: TargetLike | None = None,
    period_label: str,
    previous_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say how many accounts left in the period, against target and previous period.

    Parameters
    ----------
    result : ChurnRateResult
        From `csa.analysis.churn.churn_rate`.
    target : TargetLike, optional
        `targets: logo_churn_rate` of csa.yml.
    period_label, previous_label : str
        "October 2026", "September 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where nobody was a customer at the start, or too few were.
    """
    row = result.table.loc[result.table["group"] == ALL].iloc[0]
    how = ("logo_churn_rate", "Wilson; change: Newcombe")
    measure = aimed(rate_measure(row, result.confidence, *how), target)
    title = "Logo churn rate"
    if measure.value is None:
        why = row["reason"] or "no accounts at the start of the period"
        return Finding(
            id="logo-churn-rate",
            kind="change",
            title=title,
            text=f"The churn rate of {period_label} is not known: {why}.",
            evidence="Nothing can be said without accounts under observation.",
            action="See the data quality chapter: does the data reach this period?",
            status="unclear",
            measure=measure,
        )
    status = judged(measure)
    return Finding(
        id="logo-churn-rate",
        kind="change",
        title=title,
        text=_rate_text(row, measure, period_label, previous_label, words),
        evidence=rate_evidence(measure, result.confidence, words),
        action=_rate_action(result, measure, status, words),
        status=status,
        measure=measure,
        weight=distance(measure),
    )


def rate_measure(row: pd.Series, confidence: float, metric_id: str, method: str) -> Measure:
    """Measure a rate of churn, of accounts or of their revenue.

    Parameters
    ----------
    row : Series
        `rate`, `at_start`, `previous_rate`, `difference` and their limits, of one group.
    confidence : float
        Level of the intervals.
    metric_id : str
        Name of the metric.
    method : str
        How the intervals were made.

    Returns
    -------
    Measure
        With the change since the period before, without a target.
    """
    return Measure(
        metric_id=metric_id,
        value=number(row["rate"]),
        low=number(row["ci_low"]),
        high=number(row["ci_high"]),
        n=int(row["at_start"]),
        unit="share",
        confidence=confidence,
        method=method,
        better="lower",
        previous=number(row["previous_rate"]),
        change=number(row["difference"]),
        change_low=number(row["difference_low"]),
        change_high=number(row["difference_high"]),
    )


def _rate_text(row: pd.Series, measure: Measure, now: str, before: str, words: Words) -> str:
    left, n = words.number(row["churned"]), words.number(measure.n)
    base = f"{words.share(measure.value)} of accounts left in {now}: {left} of {n}"
    if measure.change is None:
        return f"{base}."
    previous = f"{words.share(measure.previous)} in {before}"
    size = abs(round(measure.change, 3))
    if not size:
        return f"{base}, the same rate as in {before}."
    way = "up" if measure.change > 0 else "down"
    return f"{base}, {way} {words.points(size)} points from {previous}."


def rate_evidence(measure: Measure, confidence: float, words: Words) -> str:
    """Say how sure a rate of churn is: its interval, the target, whether the change is real.

    Parameters
    ----------
    measure : Measure
        The rate with its change and target.
    confidence : float
        Level of the intervals.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        One or two sentences.
    """
    level = words.share(confidence, 0)
    parts = [f"{level} interval {words.interval(measure.low, measure.high, 'share')}"]
    parts[0] += f"{against(measure, words)}."
    real = moved(measure)
    if real is not None:
        ends = words.change_interval(measure.change_low, measure.change_high, "share")
        verdict = "more than chance" if real else "within chance"
        parts.append(f"Change {verdict} ({ends}).")
    return " ".join(parts)


def _rate_action(result: ChurnRateResult, measure: Measure, status: Status, words: Words) -> str:
    worst = _worst_group(result.table)
    where = ""
    if worst is not None:
        name, rate = named(worst["group"]), words.share(worst["rate"])
        where = (
            f"{name}: {rate}, {words.number(worst['churned'])} of {words.number(worst['at_start'])}"
        )
    if status in {"bad", "watch"}:
        return f"Start with {where}." if where else "Go through the accounts that left, by reason."
    if status == "good":
        return f"Keep going; the highest rate is {where}." if where else "Keep going."
    if measure.target is None:
        return "Set a target to be judged by: targets: logo_churn_rate in csa.yml."
    return f"Wait for more data before acting; watch {where}." if where else "Wait for more data."


def _worst_group(table: pd.DataFrame) -> pd.Series | None:
    """Group with the highest rate among those large enough to be judged."""
    groups = table.loc[(table["group"] != ALL) & (table["status"] == "ok") & (table["churned"] > 0)]
    return groups.iloc[int(groups["rate"].argmax())] if len(groups) else None
