"""Finding about cohorts: what is left of the revenue they began with."""

from typing import Any, Final

import pandas as pd

from csa.analysis.cohorts.revenue import CohortRevenue
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.names import capital, plural
from csa.present.phrases import against, distance, number
from csa.present.words import Words

ENGLISH: Final = Words()


def cohort_revenue(
    result: CohortRevenue, *, age: int, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say what is left of the first month's revenue at an age, gross and net.

    Parameters
    ----------
    result : CohortRevenue
        From `csa.analysis.cohorts.revenue.revenue_retention`.
    age : int
        Months; where no cohort has completed it, the greatest age that one has.
    target : TargetLike, optional
        `targets: cohort_net_retention` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few accounts completed that age, or a few hold nearly all of the revenue.
    """
    title, ident = "Revenue of cohorts", "cohort-revenue"
    done = result.pooled.loc[result.pooled["age"].between(1, age)]
    if done.empty:
        return Finding(
            id=ident,
            title=title,
            text="What is left of the revenue of cohorts is not known: none has completed a month "
            "after its first.",
            evidence="Nothing can be said without accounts whose first payment was seen.",
            action="Come back when the first cohort has.",
            status="unclear",
        )
    row = done.iloc[-1]
    measure = aimed(_measure(row, result.confidence), target if row["age"] == age else None)
    status: Status = judged(measure) if row["status"] == "ok" else "unclear"
    month = f"month {words.number(row['age'])}"
    kept = words.share(1 - row["gross"])
    return Finding(
        id=ident,
        title=title,
        text=f"Of what accounts paid at the end of their first month, {words.share(row['net'])} is "
        f"paid at the end of {month}: {kept} was lost, growth of those who stayed made up for "
        f"{words.points(row['net'] - row['gross'])} points.",
        evidence=_evidence(row, measure, words),
        action=_action(row, measure, status, words),
        status=status,
        measure=measure,
        weight=distance(measure) if row["status"] == "ok" else 0.0,
    )


def _measure(row: "pd.Series[Any]", confidence: float) -> Measure:
    return Measure(
        metric_id="cohort_net_retention",
        value=number(row["net"]),
        low=number(row["net_low"]),
        high=number(row["net_high"]),
        n=int(row["n"]),
        unit="share",
        confidence=confidence,
        method="complete cohorts pooled; Poisson bootstrap over accounts",
        better="higher",
    )


def _evidence(row: "pd.Series[Any]", measure: Measure, words: Words) -> str:
    cohorts = int(row["cohorts"])
    parts = [
        f"{words.share(measure.confidence, 0)} interval of net "
        f"{words.interval(measure.low, measure.high, 'share')}{against(measure, words)}, of gross "
        f"{words.interval(number(row['gross_low']), number(row['gross_high']), 'share')}; "
        f"{words.number(measure.n)} {plural(measure.n, 'account')} of {words.number(cohorts)} "
        f"{plural(cohorts, 'cohort')} that completed it."
    ]
    if row["reason"]:
        parts.append(f"{capital(str(row['reason']))}.")
    return " ".join(parts)


def _action(row: "pd.Series[Any]", measure: Measure, status: Status, words: Words) -> str:
    if status in {"bad", "watch"}:
        return "Begin with what is lost: see which groups leave, and which accounts pay less."
    if status == "unclear" and measure.target is None:
        return f"Set a target to be judged by: targets: {measure.metric_id} in csa.yml."
    if status == "unclear":
        return "Wait for more cohorts before acting."
    lost = words.points(1 - row["gross"])
    return f"Keep going; {lost} points are lost before growth, so do not lean on growth alone."
