"""Whether groups differ in how long accounts stay."""

from typing import Final

import pandas as pd

from csa.analysis.churn.lifetimes import SurvivalResult
from csa.analysis.churn.readings import survival_at
from csa.present.items import Finding
from csa.present.names import named
from csa.present.narrate.months import months_apart
from csa.present.phrases import REAL, p_value
from csa.present.words import DAYS_PER_MONTH, Words, known

ENGLISH: Final = Words()


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


def _groups_action(worst: pd.Series, *, real: bool, by: str, words: Words) -> str:
    if not real:
        return f"Do not act on {by} alone; look for other causes first."
    observed, expected = words.number(worst["observed"]), words.number(worst["expected"])
    name = named(worst["group"])
    return f"Look at {name} first: {observed} left where {expected} would, were all groups alike."
