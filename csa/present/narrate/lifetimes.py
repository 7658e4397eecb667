"""Findings about how long accounts stay: all of them, by group, by the age they have reached."""

from typing import Final

import pandas as pd

from csa.analysis.churn.lifetimes import SurvivalResult
from csa.analysis.churn.readings import survival_at
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.names import capital, plural
from csa.present.phrases import against, distance, ends, number
from csa.present.words import DAYS_PER_MONTH, Words, known

ALL: Final = "all"
ENGLISH: Final = Words()


def lifetime(
    result: SurvivalResult, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say how long half of all accounts stay, or how many stay as long as anybody was seen.

    Parameters
    ----------
    result : SurvivalResult
        From `csa.analysis.churn.survival`.
    target : TargetLike, optional
        `targets: median_lifetime_days` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear without a target, or where too few accounts were seen.
    """
    row = result.summary.loc[result.summary["group"] == ALL].iloc[0]
    measure = aimed(
        Measure(
            metric_id="median_lifetime_days",
            value=number(row["median_days"]),
            low=_median_low(result, row),
            high=number(row["median_high"]),
            n=int(row["n"]),
            unit="days",
            confidence=result.confidence,
            method="Kaplan-Meier with delayed entry",
            better="higher",
        ),
        target,
    )
    title, ident = "Median lifetime", "median-lifetime"
    if row["status"] != "ok" or not known(row["ends_at_days"]):
        return Finding(
            id=ident,
            title=title,
            text=f"How long accounts stay is not known ({row['reason'] or 'too few were seen'}).",
            evidence=_seen(row, words),
            action="Come back when more accounts have been under observation.",
            status="unclear",
            measure=measure,
        )
    status = judged(measure)
    return Finding(
        id=ident,
        title=title,
        text=_lifetime_text(result, row, words),
        evidence=_lifetime_evidence(row, measure, words),
        action=_lifetime_action(status, target, measure, words),
        status=status,
        measure=measure,
        weight=distance(measure),
    )


def _median_low(result: SurvivalResult, row: pd.Series) -> float | None:
    """Lower end for the median: the last age seen, where the whole interval is above one half."""
    if known(row["median_low"]) or row["status"] != "ok":
        return number(row["median_low"])
    ends = result.curves.loc[result.curves["group"] == ALL, "ci_low"]
    above = len(ends) > 0 and float(ends.iloc[-1]) > 0.5
    return number(row["ends_at_days"]) if above else None


def _lifetime_text(result: SurvivalResult, row: pd.Series, words: Words) -> str:
    start = row["starts_at_days"]
    who = f"those that reach {words.days(start)}" if start > 0 else "all accounts"
    if known(row["median_days"]):
        return f"Half of {who} stay at least {words.days(row['median_days'])}."
    age = float(row["ends_at_days"]) // DAYS_PER_MONTH * DAYS_PER_MONTH or row["ends_at_days"]
    table = survival_at(result, [age])
    share = table.loc[table["group"] == ALL, "survival"].iloc[0]
    return (
        f"More than half of {who} outlast what was seen: {words.share(share)} are still "
        f"customers after {words.days(age)}."
    )


def _lifetime_evidence(row: pd.Series, measure: Measure, words: Words) -> str:
    parts = []
    if measure.low is not None or measure.high is not None:
        ends = words.interval(measure.low, measure.high, "days")
        level = words.share(measure.confidence, 0)
        parts.append(f"{level} interval {ends}{against(measure, words)}.")
    parts.append(_seen(row, words))
    if late := int(row["entered_late"]):
        parts.append(f"{words.number(late)} came under observation late and count from then on.")
    return " ".join(parts)


def _seen(row: pd.Series, words: Words) -> str:
    n = int(row["n"])
    return f"{words.number(n)} {plural(n, 'account')}, {words.number(row['events'])} left."


def _lifetime_action(
    status: Status, target: TargetLike | None, measure: Measure, words: Words
) -> str:
    if target is None:
        return "Plan renewals with this lifetime; targets: median_lifetime_days makes it a goal."
    goal = words.measure(measure.target, "days")
    return {
        "good": "Keep going; plan renewals with this lifetime.",
        "watch": f"Find what keeps accounts from {goal}; compare the groups below.",
        "bad": f"Find what keeps accounts from {goal}; compare the groups below.",
        "unclear": "Wait for more data before acting.",
    }[status]


def first_year(
    table: pd.DataFrame,
    *,
    confidence: float,
    target: TargetLike | None = None,
    words: Words = ENGLISH,
) -> Finding:
    """Say what staying so far says about staying on: chances for new and for older accounts.

    Parameters
    ----------
    table : DataFrame
        From `csa.analysis.churn.conditional_survival` with one look ahead and several ages.
    confidence : float
        Level of its intervals.
    target : TargetLike, optional
        `targets: survival_12_months` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        The measure is the chance of the youngest age.
    """
    rows = table.loc[(table["group"] == ALL) & table["stay"].notna()].sort_values("age_days")
    title, ident = "Chance to stay", "chance-to-stay"
    if rows.empty:
        return Finding(
            id=ident,
            title=title,
            text="How likely an account is to stay is not known: no age was seen long enough.",
            evidence="No interval can be given.",
            action="Come back when accounts have been under observation for longer.",
            status="unclear",
        )
    young, old = rows.iloc[0], rows.iloc[-1]
    measure = aimed(_stay_measure(young, confidence), target)
    status = judged(measure)
    return Finding(
        id=ident,
        title=title,
        text=_stay_text(young, old, words),
        evidence=_stay_evidence(young, old, measure, words),
        action=_stay_action(young, old, words),
        status=status,
        measure=measure,
        weight=distance(measure),
    )


def _stay_measure(young: pd.Series, confidence: float) -> Measure:
    months = round(float(young["ahead_days"]) / DAYS_PER_MONTH)
    low, high = ends(young["ci_low"], young["ci_high"])
    return Measure(
        metric_id=f"survival_{months}_months",
        value=number(young["stay"]),
        low=low,
        high=high,
        n=int(young["at_risk"]) if young["status"] == "ok" else 0,
        unit="share",
        confidence=confidence,
        method="Kaplan-Meier, conditional on the age reached",
        better="higher",
    )


def _stay_text(young: pd.Series, old: pd.Series, words: Words) -> str:
    ahead = words.days(young["ahead_days"])
    who = f"accounts of {words.days(young['age_days'])}" if young["age_days"] else "new accounts"
    text = f"{words.percent(young['stay'])} of {who} stay {ahead}"
    if old["age_days"] == young["age_days"]:
        return f"{text}."
    later = f"{words.percent(old['stay'])} of those here for {words.days(old['age_days'])}"
    return f"{text}; {later} stay another {ahead}."


def _stay_evidence(young: pd.Series, old: pd.Series, measure: Measure, words: Words) -> str:
    said = [_chance_interval(row, words) for row in (young, old)]
    first = f"{words.share(measure.confidence, 0)} interval {said[0]}{against(measure, words)}"
    if measure.low is None:
        first = f"{said[0]}{against(measure, words)}"
    if old["age_days"] == young["age_days"]:
        return capital(f"{first}.")
    return capital(f"{first}. Later: {said[1]}.")


def _chance_interval(row: pd.Series, words: Words) -> str:
    n = int(row["at_risk"])
    of = f"{words.number(n)} {plural(n, 'account')}"
    low, high = ends(row["ci_low"], row["ci_high"])
    if low is None and high is None:
        return f"none of {of} left, so the curve gives no interval"
    return f"{words.interval(low, high, 'share')} ({of})"


def _stay_action(young: pd.Series, old: pd.Series, words: Words) -> str:
    if young["status"] != "ok" or old["status"] != "ok":
        return "Come back when more accounts have been under observation."
    if old["ci_low"] > young["ci_high"]:
        return f"Put effort into the first {words.days(young['ahead_days'])}: later it is safer."
    if old["ci_high"] < young["ci_low"]:
        return "Look at what older accounts lose: they leave more readily than new ones."
    return "Treat new and older accounts alike: their chances cannot be told apart."
