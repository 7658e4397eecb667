"""Findings about cohorts over time: whether newer ones stay longer; other ways of counting."""

from typing import Any, Final

import pandas as pd

from csa.analysis.cohorts.trend import CohortTrend, Side
from csa.analysis.cohorts.ways import Ways
from csa.present.cohort_words import CohortWords
from csa.present.items import Finding, Status
from csa.present.names import capital, plural
from csa.present.phrases import p_value
from csa.present.words import Words, known

ENGLISH: Final = Words()
SCATTER: Final = 1.2  # times what chance alone gives, from which on it is said
STATUS: Final[dict[str, Status]] = {"better": "good", "worse": "bad", "unclear": "unclear"}
WAYS: Final = {
    "bounded": "in that very period",
    "unbounded": "in it or any later one",
    "bracket": "at least once within several",
    "tenure": "counted from each start",
}


def cohort_change(result: CohortTrend, *, words: Words = ENGLISH) -> Finding:
    """Say whether the newest cohorts stay longer than those before them.

    Parameters
    ----------
    result : CohortTrend
        From `csa.analysis.cohorts.trend.age_trend`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good or bad where the difference is more than chance, else unclear.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    newer, older = result.newer, result.older
    title, ident = "Newer cohorts", "cohort-change"
    if newer is None or older is None:
        return Finding(
            id=ident,
            kind="change",
            title=title,
            text=f"Whether newer {say.who()} stay longer cannot be told at {say.age(result.age)}: "
            f"{result.reason}.",
            evidence="Cohorts are compared at an age that all of them have completed.",
            action="Look at a younger age, or wait.",
            status="unclear",
        )
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=_text(result, newer, older, say),
        evidence=_evidence(result, newer, older, say),
        action=_action(result, newer, say),
        status=STATUS[result.verdict],
        weight=min(1.0, abs(result.difference)) if result.verdict != "unclear" else 0.0,
    )


def _text(result: CohortTrend, newer: Side, older: Side, say: CohortWords) -> str:
    words = say.words
    gap = round(result.difference, 3)
    size = f"{words.points(abs(gap))} points {'more' if gap > 0 else 'fewer'} than" if gap else "as"
    which = f"the {words.number(older.cohorts)} {plural(older.cohorts, 'cohort')} before"
    return (
        f"Of {say.who()} that {say.began} in {say.cohorts(newer.first, newer.last)}, "
        f"{words.share(newer.retention)} {say.did} {say.at(result.age)}, {size} of {which} "
        f"({words.share(older.retention)})."
    )


def _evidence(result: CohortTrend, newer: Side, older: Side, say: CohortWords) -> str:
    words, trend = say.words, result.trend
    ends = words.change_interval(result.low, result.high, "share")
    real = "More than chance" if result.verdict != "unclear" else "Within chance"
    if result.reason:
        real = capital(result.reason)
    parts = [
        f"{real} ({words.share(result.confidence, 0)} interval {ends}; "
        f"{words.number(newer.n)} against {words.number(older.n)} {say.who(older.n)})."
    ]
    if known(trend.p_trend):
        cohorts = words.number(len(result.table))
        parts.append(
            f"Trend over these {cohorts} cohorts: {words.change(trend.slope, 'share')} each "
            f"(p {p_value(trend.p_trend, words)})."
        )
    if result.scatter >= SCATTER:
        times = words.number(result.scatter, 1)
        parts.append(
            f"Cohorts scatter {times} times as much as chance alone, which is allowed for."
        )
    return " ".join(parts)


def _action(result: CohortTrend, newer: Side, say: CohortWords) -> str:
    since = say.cohort(newer.first)
    if result.verdict == "better":
        return f"Find out what changed for those that began since {since}, and keep it."
    if result.verdict == "worse":
        return f"Find out what changed for those that began since {since}: channel, offer, start."
    return "Do not act on this alone; the next cohorts will tell."


def cohort_ways(
    result: Ways, *, age: int, used: str = "bounded", words: Words = ENGLISH
) -> Finding:
    """Say how far the figure of an age depends on how a return is counted.

    Parameters
    ----------
    result : Ways
        From `csa.analysis.cohorts.ways.ways`.
    age : int
        Periods.
    used : str
        Way by which the chapter counts: bounded or unbounded.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        About the report itself: good where all ways lie within the interval of the one used, else
        watch.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    rows = result.table.loc[result.table["last_age"] == age]
    title, ident = "Ways of counting", "cohort-ways"
    mine, others = rows.loc[rows["way"] == used], rows.loc[rows["way"] != used]
    if mine.empty or others.empty:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text=f"Ways of counting cannot be compared: nobody has completed {say.age(age)}.",
            evidence="Only cohorts that have had the whole time are counted.",
            action="Look at a younger age, or wait.",
            status="unclear",
        )
    here = mine.iloc[0]
    low, high = (
        others.iloc[int(place)]
        for place in (others["retention"].argmin(), others["retention"].argmax())
    )
    inside = others["retention"].between(here["ci_low"], here["ci_high"]).all()
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"For {say.age(age)} this page says {words.share(here['retention'])}; other ways of "
        f"counting would say {_way(low, words)} to {_way(high, words)}.",
        evidence="The same data and last day; only the definition differs, and each rests on who "
        "has completed it.",
        action="Compare with figures from elsewhere only if they count in the same way.",
        status="good" if inside else "watch",
    )


def _way(row: "pd.Series[Any]", words: Words) -> str:
    return f"{words.share(row['retention'])} ({WAYS[str(row['way'])]})"
