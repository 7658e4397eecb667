"""Findings on features: how many are used, and how fast a new one is taken up."""

from typing import Any, Final

import pandas as pd

from csa.analysis.adoption.breadth import Breadth
from csa.analysis.adoption.uptake import Uptake
from csa.analysis.adoption.windows import ALL
from csa.present.adoption_words import how_sure, row_measure, since_before, unknown
from csa.present.items import Finding, Measure
from csa.present.judge import TargetLike, aimed, judged
from csa.present.names import joined, named
from csa.present.phrases import against, distance, number
from csa.present.words import Words, known

ENGLISH: Final = Words()
ADD_FEATURES: Final = (
    "Map feature of usage_events, and the table features with launched_on, in csa.yml."
)
READ: Final = (90, 30)  # days after which uptake is told, the first that is known


def feature_breadth(
    result: Breadth, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say how many of the launched features an account uses.

    Parameters
    ----------
    result : Breadth
        From `csa.analysis.adoption.breadth.breadth`.
    target : TargetLike, optional
        `targets: features_per_account` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear with few accounts.
    """
    ident, title = "feature-breadth", "Features that an account uses"
    rows = result.table.loc[result.table["group"] == ALL]
    if rows.empty or not known(rows["value"].iloc[0]):
        return unknown(ident, title, "no use of a feature is recorded", ADD_FEATURES, kind="change")
    row = rows.iloc[0]
    measure = aimed(
        row_measure(
            row,
            "features_per_account",
            "number",
            confidence=result.confidence,
            method="mean over accounts of features used in three whole months",
            better="higher",
        ),
        target,
    )
    sure = row["status"] == "ok"
    launched = int(row["launched"])
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=f"Accounts used {words.number(row['value'], 1)} of {words.number(launched)} features "
        f"on average in the three months to {words.day(result.last)}"
        f"{since_before(measure, words, 'the three months before')}.",
        evidence=how_sure(measure, words, why=row["reason"]),
        action=_least_used(result.features, words),
        status=judged(measure) if sure else "unclear",
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def feature_uptake(
    result: Uptake, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say how many accounts took up the newest feature, beside the ones before.

    Parameters
    ----------
    result : Uptake
        From `csa.analysis.adoption.uptake.uptake`.
    target : TargetLike, optional
        `targets: feature_uptake` of csa.yml: share after 90 days.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Of the newest feature that has been out for 90 days, else for 30.
    """
    ident, title = "feature-uptake", "Uptake of the newest feature"
    rows = result.table.loc[result.table["share"].notna() & result.table["days"].isin(READ)]
    if rows.empty:
        return unknown(ident, title, _why_none(result), ADD_FEATURES)
    feature = rows["feature"].iloc[0]
    own = rows.loc[rows["feature"] == feature].sort_values("days")
    row = own.iloc[-1]
    measure = Measure(
        metric_id="feature_uptake",
        value=float(row["share"]),
        low=number(row["ci_low"]),
        high=number(row["ci_high"]),
        n=int(row["accounts"]),
        unit="share",
        confidence=result.confidence,
        method=f"Kaplan-Meier share that used it within {int(row['days'])} days",
        better="higher",
    )
    measure = aimed(measure, target if int(row["days"]) == READ[0] else None)
    sure = row["status"] == "ok"
    between = words.interval(measure.low, measure.high, "share")
    level = words.share(result.confidence, 0)
    left = int(row["left_out"])
    tail = f" {words.number(left)} accounts that may have used it before are left out." * bool(left)
    return Finding(
        id=ident,
        kind="standing",
        title=title,
        text=f"{words.share(measure.value)} of the accounts used {named(feature)} within "
        f"{int(row['days'])} days of its launch on {words.day(row['launched_on'])}, or of their "
        f"own first day{_others(rows, row, words)}.",
        evidence=f"{level} interval {between}{against(measure, words)}; "
        f"{words.number(measure.n)} accounts that could.{tail}",
        action=_next(result.table, str(feature), words),
        status=judged(measure) if sure else "unclear",
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def _least_used(features: pd.DataFrame, words: Words) -> str:
    lost = features.loc[features["change_high"] < 0]
    if len(lost):
        worst: Any = lost.loc[lost["change"].idxmin()]
        return (
            f"Ask why fewer use {named(worst['feature'])}: {words.share(worst['share'])} of the "
            f"accounts, {words.points(-float(worst['change']))} points less."
        )
    if features.empty:
        return ADD_FEATURES
    least = features.iloc[-1]
    return (
        f"Decide what {named(least['feature'])} is worth: it is used by the fewest, "
        f"{words.share(least['share'])} of the accounts."
    )


def _why_none(result: Uptake) -> str:
    if result.untimed:
        return f"use was not recorded yet when {joined([named(f) for f in result.untimed])} came"
    if result.table.empty:
        return "no feature states the day of its launch"
    return "no feature has been out for 30 days"


def _others(rows: pd.DataFrame, row: Any, words: Words) -> str:
    """Compare with the two features launched before."""
    same = rows.loc[(rows["days"] == row["days"]) & (rows["feature"] != row["feature"])].head(2)
    told = [f"{named(r['feature'])} {words.share(r['share'])}" for _, r in same.iterrows()]
    return f"; {joined(told)} after as long" if told else ""


def _next(table: pd.DataFrame, feature: str, words: Words) -> str:
    own = table.loc[(table["feature"] == feature) & table["share"].notna()].sort_values("days")
    if len(own) > 1:
        gain = float(own["share"].iloc[-1] - own["share"].iloc[-2])
        first, last = (int(own["days"].iloc[i]) for i in (-2, -1))
        if gain < 0.05:
            return (
                f"Hardly anyone begins later ({words.points(gain)} points between day {first} and "
                f"{last}): show {named(feature)} anew to those that have not used it."
            )
    return f"Show {named(feature)} to the accounts that have not used it while it still spreads."
