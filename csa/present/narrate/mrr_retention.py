"""Findings about net and gross revenue retention, as csa.yml defines them."""

from typing import Any, Final

import pandas as pd

from csa.analysis.revenue.rates import RetentionResult
from csa.definitions import Definitions
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged, moved
from csa.present.money import major
from csa.present.names import capital, named, plural
from csa.present.phrases import against, distance, number
from csa.present.words import Words

ALL: Final = "all"
ENGLISH: Final = Words()
UNEQUAL: Final = 0.5  # accounts of equal size that tell as much: fewer than this share is said
TITLES: Final = {"nrr": "Net revenue retention", "grr": "Gross revenue retention"}
HOW: Final = {"cohort": "cohort-locked", "flow": "by flows"}
METRICS: Final = {"nrr": "net_revenue_retention", "grr": "gross_revenue_retention"}


def net_retention(
    result: RetentionResult,
    *,
    definitions: Definitions,
    target: TargetLike | None = None,
    period_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say what the accounts of the start pay now, growth included.

    Parameters
    ----------
    result : RetentionResult
        From `csa.analysis.revenue.by_definition.as_defined`: of one horizon.
    definitions : Definitions
        Those by which it was made.
    target : TargetLike, optional
        `targets: net_revenue_retention` of csa.yml.
    period_label : str
        "October 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few accounts paid at the start, or a few hold nearly all of it.
    """
    return _finding("nrr", result, definitions, target, (period_label, words))


def gross_retention(
    result: RetentionResult,
    *,
    definitions: Definitions,
    target: TargetLike | None = None,
    period_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say what was kept of the revenue of the start, growth left out.

    Parameters
    ----------
    result : RetentionResult
        From `csa.analysis.revenue.by_definition.as_defined`: of one horizon.
    definitions : Definitions
        Those by which it was made.
    target : TargetLike, optional
        `targets: gross_revenue_retention` of csa.yml.
    period_label : str
        "October 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        As `net_retention`.
    """
    return _finding("grr", result, definitions, target, (period_label, words))


def span_of(months: int, words: Words) -> str:
    """Name a horizon.

    Parameters
    ----------
    months : int
        At least 1.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "a month", "3 months", "12 months".
    """
    return "a month" if months == 1 else f"{words.number(months)} months"


def _finding(
    rate: str,
    result: RetentionResult,
    definitions: Definitions,
    target: TargetLike | None,
    said: tuple[str, Words],
) -> Finding:
    label, words = said
    rows, horizon = result.table, result.horizons[0]
    how = getattr(definitions, rate)
    row = rows.loc[rows["group"] == ALL].iloc[0]
    measure = aimed(_measure(row, rate, result.confidence, how), target)
    ident, title = METRICS[rate].replace("_", "-"), TITLES[rate]
    if measure.value is None:
        return Finding(
            id=ident,
            kind="change",
            title=title,
            text=f"The {title.lower()} over {span_of(horizon, words)} up to {label} is not known: "
            f"{row['reason']}.",
            evidence="Nothing can be said without accounts that paid at the start.",
            action="See the data quality chapter: do the data reach back so far?",
            status="unclear",
            measure=measure,
        )
    sure = row["status"] == "ok"
    status: Status = judged(measure) if sure else "unclear"
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=_text(rate + how, row, measure, (span_of(horizon, words), label), words),
        evidence=_evidence(row, measure, words),
        action=_action(rate, rows, measure, status, words),
        status=status,
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def _measure(row: pd.Series, rate: str, confidence: float, how: str) -> Measure:
    return Measure(
        metric_id=METRICS[rate],
        value=number(row[rate]),
        low=number(row[f"{rate}_low"]),
        high=number(row[f"{rate}_high"]),
        n=int(row["n"]),
        unit="share",
        confidence=confidence,
        method=f"{HOW[how]}; Poisson bootstrap over accounts",
        better="higher",
        previous=number(row[f"{rate}_previous"]),
        change=number(row[f"{rate}_change"]),
        change_low=number(row[f"{rate}_change_low"]),
        change_high=number(row[f"{rate}_change_high"]),
    )


def _text(
    kind: str, row: pd.Series, measure: Measure, labels: tuple[str, str], words: Words
) -> str:
    span, label = labels
    start, end = (words.money(major(row[f"{x}_minor"], words)) for x in ("start", "end"))
    share = words.share(measure.value)
    base = {
        "nrrcohort": f"Accounts that paid {start} a month {span} before pay {end} at the end of "
        f"{label}: {share} net",
        "grrcohort": f"Of the {start} a month that accounts paid {span} before, {share} was kept "
        f"at the end of {label}, growth left out",
        "nrrflow": f"Net of what was lost and grew over {span} up to {label}, {share} of the "
        "revenue at the start is there, by flows",
        "grrflow": f"Less all that was lost over {span} up to {label}, {share} of the revenue at "
        "the start is left, by flows",
    }[kind]
    if measure.change is None:
        return f"{base}."
    size = abs(round(measure.change, 3))
    if not size:
        return f"{base}, as in the period before."
    way = "up" if measure.change > 0 else "down"
    return f"{base}, {way} {words.points(size)} points since the period before."


def _evidence(row: pd.Series, measure: Measure, words: Words) -> str:
    level, n = words.share(measure.confidence, 0), measure.n
    parts = [
        f"{level} interval {words.interval(measure.low, measure.high, 'share')}"
        f"{against(measure, words)}; {words.number(n)} {plural(n, 'account')}."
    ]
    real = moved(measure)
    if real is not None:
        ends = words.change_interval(measure.change_low, measure.change_high, "share")
        parts.append(f"Change {'more than chance' if real else 'within chance'} ({ends}).")
    if row["n_effective"] < UNEQUAL * n:
        alike = words.number(row["n_effective"])
        parts.append(f"A few pay most: they say as much as {alike} accounts of one size would.")
    if row["reason"]:
        parts.append(f"{capital(str(row['reason']))}.")
    return " ".join(parts)


def _action(rate: str, rows: pd.DataFrame, measure: Measure, status: Status, words: Words) -> str:
    worst = _worst(rows, rate)
    where = f"{named(worst['group'])}: {words.share(worst[rate])}" if worst is not None else ""
    if status in {"bad", "watch"}:
        return (
            f"Start with {where}." if where else "Go through the accounts that pay less, by size."
        )
    if status == "good":
        return f"Keep going; lowest is {where}." if where else "Keep going."
    if measure.target is None:
        return f"Set a target to be judged by: targets: {measure.metric_id} in csa.yml."
    return f"Wait for more data before acting; watch {where}." if where else "Wait for more data."


def _worst(rows: pd.DataFrame, rate: str) -> "pd.Series[Any] | None":
    """Group that keeps least, among those that can be judged."""
    groups = rows.loc[(rows["group"] != ALL) & (rows["status"] == "ok") & rows[rate].notna()]
    return groups.iloc[int(groups[rate].argmin())] if len(groups) else None
