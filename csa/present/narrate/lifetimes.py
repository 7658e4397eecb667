"""Findings about how long accounts stay: all of them, by group, by the age they have reached."""

from typing import Final

import pandas as pd

from csa.analysis.churn.lifetimes import SurvivalResult
from csa.analysis.churn.readings import survival_at
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.names import capital, named, plural
from csa.present.narrate.months import months_apart
from csa.present.phrases import against, distance, ends, number
from csa.present.words import DAYS_PER_MONTH, Words, known

ALL: Final = "all"
ENGLISH: Final = Words()
REAL: Final = 0.05  # p-value below which groups are said to differ


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


def groups(
    result: SurvivalResult,
    *,
    by: str = "segment",
    words: Words = ENGLISH,
    finding_id: str = "lifetime-by-group",
) -> Finding:
    """Say whether groups differ in how long accounts stay, and which loses most.

    Parameters
    ----------
    result : SurvivalResult
        From `csa.analysis.churn.survival`.
    by : str
        What the groups are, for the sentence.
    words : Words
        Locale and currency.
    finding_id : str
        Id of the finding on the page.

    Returns
    -------
    Finding
        Watch where the difference is real (log-rank p < 0.05): there is something to learn.
    """
    title, ident = f"Lifetime by {by}", finding_id
    test = result.logrank
    if test is None:
        return Finding(
            id=ident,
            title=title,
            text=f"Lifetimes by {by} cannot be compared: {result.logrank_reason}.",
            evidence="No test was made.",
            action=f"Map an attribute with several values as {by} to compare."
            if len(result.summary) == 1
            else "Come back when accounts of several groups have left.",
            status="unclear",
        )
    table = test.table.assign(excess=test.table["observed"] - test.table["expected"])
    excess = table["excess"]
    worst, best = table.iloc[int(excess.argmax())], table.iloc[int(excess.argmin())]
    real = test.p_value < REAL
    return Finding(
        id=ident,
        title=title,
        text=_groups_text(result, worst, best, by=by, real=real, words=words),
        evidence=" ".join(
            filter(None, [_groups_evidence(result, words), months_apart(result, words=words)])
        ),
        action=_groups_action(worst, real=real, by=by, words=words),
        status="watch" if real else "unclear",
        weight=min(1.0, float(worst["excess"]) / max(1.0, float(table["observed"].sum()))),
    )


def _groups_text(
    result: SurvivalResult, worst: pd.Series, best: pd.Series, *, by: str, real: bool, words: Words
) -> str:
    names = [best["group"], worst["group"]]
    reached = result.summary.set_index("group").loc[names, "ends_at_days"].min()
    limit = result.horizon_days if known(result.horizon_days) else reached
    age = _round_age(min(float(reached), float(limit)))
    at = survival_at(result, [age]).set_index("group")["survival"]
    shares = [f"{words.percent(at[n])} of {named(n)}" for n in names]
    after = f"after {words.days(age)} {shares[0]} are still customers, {shares[1]}"
    if real:
        return f"Lifetimes differ by {by}: {after}."
    return f"No difference by {by} can be shown: {after}."


def _round_age(age: float) -> float:
    """Whole years below an age, else whole months, else the age itself."""
    for step in (12 * DAYS_PER_MONTH, DAYS_PER_MONTH):
        if age >= step:
            return float(age // step * step)
    return age


def _groups_evidence(result: SurvivalResult, words: Words) -> str:
    test = result.logrank
    if test is None:
        return ""
    left = words.number(test.table["observed"].sum())
    n = words.number(test.table["n"].sum())
    chi = words.number(test.statistic, 1)
    return (
        f"Log-rank test: p {p_value(test.p_value, words)} "
        f"(chi-square {chi}, df {test.df}); {left} of {n} accounts left."
    )


def p_value(p: float, words: Words = ENGLISH) -> str:
    """Format a p-value with its sign.

    Parameters
    ----------
    p : float
        0 to 1.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "< 0.001", "= 0.03".
    """
    if p < 0.001:
        return f"< {words.number(0.001, 3)}"
    return f"= {words.number(p, 2 if p >= 0.01 else 3)}"


def _groups_action(worst: pd.Series, *, real: bool, by: str, words: Words) -> str:
    if not real:
        return f"Do not act on {by} alone; look for other causes first."
    observed, expected = words.number(worst["observed"]), words.number(worst["expected"])
    name = named(worst["group"])
    return f"Look at {name} first: {observed} left where {expected} would, were all groups alike."


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
