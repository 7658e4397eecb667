"""Findings about cohorts: how many stay, whether newer ones stay longer, which groups do."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from csa.analysis.cohorts.groups import GroupRetention
from csa.analysis.cohorts.retention import CohortRetention
from csa.present.attributes import spoken
from csa.present.cohort_words import CohortWords
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.names import capital, joined, named, plural
from csa.present.phrases import REAL, against, distance, number, p_value
from csa.present.words import Words, known

ALL: Final = "all"
ENGLISH: Final = Words()


def cohort_retention(
    result: CohortRetention,
    *,
    ages: Sequence[int],
    target: TargetLike | None = None,
    words: Words = ENGLISH,
) -> Finding:
    """Say how many of all cohorts together are active at some ages; judge the last of them.

    Parameters
    ----------
    result : CohortRetention
        From `csa.analysis.cohorts.retention.retention`.
    ages : sequence of int
        Ages to tell, ascending; those that nobody has completed are left out.
    target : TargetLike, optional
        Of the last age told: `targets: retention_month_12` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where no age has been completed, or few have.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    rows = result.pooled.loc[(result.pooled["group"] == ALL) & result.pooled["age"].isin(ages)]
    title, ident = "Cohort retention", "cohort-retention"
    if rows.empty:
        return Finding(
            id=ident,
            title=title,
            text=f"How many {say.who()} stay is not known: none has completed "
            f"{say.age(min(ages))}.",
            evidence="Only cohorts that have had the whole time are counted.",
            action="Come back when the first cohort has.",
            status="unclear",
        )
    row = rows.iloc[-1]
    last = int(row["age"])
    measure = aimed(_measure(row, say, result.confidence), target if last == max(ages) else None)
    status: Status = judged(measure) if row["status"] == "ok" else "unclear"
    told = [
        f"{words.share(r['retention'])} {say.did if i == 0 else ''} {say.at(int(r['age']))}"
        for i, r in enumerate(rows.to_dict("records"))
    ]
    return Finding(
        id=ident,
        title=title,
        text=f"Of {say.who()} that {say.began}, {joined([' '.join(t.split()) for t in told])}.",
        evidence=_evidence(row, measure, say),
        action=_action(measure, status, say, last),
        status=status,
        measure=measure,
        weight=distance(measure) if row["status"] == "ok" else 0.0,
    )


def _measure(row: "pd.Series[Any]", say: CohortWords, confidence: float) -> Measure:
    return Measure(
        metric_id=say.metric(int(row["age"])),
        value=number(row["retention"]),
        low=number(row["ci_low"]),
        high=number(row["ci_high"]),
        n=int(row["n"]),
        unit="share",
        confidence=confidence,
        method="complete cohorts pooled; Wilson interval",
        better="higher",
    )


def _evidence(row: "pd.Series[Any]", measure: Measure, say: CohortWords) -> str:
    words = say.words
    cohorts = int(row["cohorts"])
    parts = [
        f"{capital(say.age(int(row['age'])))}: {words.share(measure.confidence, 0)} interval "
        f"{words.interval(measure.low, measure.high, 'share')}{against(measure, words)}; "
        f"{words.number(measure.n)} {say.who(measure.n)} of {words.number(cohorts)} "
        f"{plural(cohorts, 'cohort')} that completed it."
    ]
    if row["reason"]:
        parts.append(f"{capital(str(row['reason']))}.")
    return " ".join(parts)


def _action(measure: Measure, status: Status, say: CohortWords, age: int) -> str:
    if status in {"bad", "watch"}:
        return f"See below when most leave before {say.age(age)}, and which groups: start there."
    if status == "good":
        return "Keep going."
    if measure.target is None:
        return f"Set a target to be judged by: targets: {measure.metric_id} in csa.yml."
    return "Wait for more cohorts before acting."


def cohort_basis(
    result: CohortRetention, *, asked: str, left_out: int = 0, words: Words = ENGLISH
) -> Finding:
    """Say who is counted, from when on, and who is not.

    Parameters
    ----------
    result : CohortRetention
        From `csa.analysis.cohorts.retention.retention`.
    asked : str
        Activity that the chapter was asked for: without subscriptions it is what was purchased.
    left_out : int
        Accounts that began before anybody would have recorded them leaving.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        About the report itself.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    cells = result.cells.loc[(result.cells["group"] == ALL) & (result.cells["age"] == 0)]
    n, cohorts = int(cells["n"].sum()), len(cells)
    parts = []
    if asked == "paid" and result.basis.activity == "purchased":
        parts.append("There are no subscriptions in the data, so purchases are followed.")
    if left_out:
        parts.append(
            f"Left out: {words.number(left_out)} {plural(left_out, 'account')} that began before "
            "leaving was recorded; of those who began with them, only the ones that stayed are "
            "known."
        )
    if result.basis.begins == "first" and result.basis.activity != "paid" and cohorts:
        first = say.cohort(cells["cohort"].min().date())
        parts.append(f"In the cohort of {first}, older {say.who()} may look new: data begin there.")
    return Finding(
        id="cohort-basis",
        kind="report",
        title="Who is counted",
        text=f"{capital(words.number(n))} {say.who(n)} in {words.number(cohorts)} "
        f"{plural(cohorts, 'cohort')}, by when they {say.began}.",
        evidence=" ".join(parts) or "Nobody is left out.",
        action="Follow others by the parameters of this chapter: activity, begins, clock, "
        "returned.",
        status="good" if n else "unclear",
    )


def cohort_groups(
    result: GroupRetention, *, by: str = "segment", words: Words = ENGLISH
) -> Finding:
    """Say which group stays best or worst at one age, against all others.

    Parameters
    ----------
    result : GroupRetention
        From `csa.analysis.cohorts.groups.by_group`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch where a group surely stays worse than the others: there is something to learn.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    title, ident = f"Retention by {spoken(by)}", "cohort-retention-by-group"
    table = result.table
    groups = table.loc[(table["group"] != ALL) & (table["status"] == "ok")]
    if len(groups) < 2:
        return Finding(
            id=ident,
            title=title,
            text=f"Retention by {spoken(by)} cannot be compared {say.at(result.age)}: fewer than "
            "two groups are large enough.",
            evidence="Groups of fewer than thirty are not compared.",
            action=f"Compare by another column of accounts than {spoken(by)}.",
            status="unclear",
        )
    worse, better = groups.loc[groups["high"] < 0], groups.loc[groups["low"] > 0]
    real = len(worse) > 0 or len(better) > 0
    far = groups["difference"].argmax() if len(better) and not len(worse) else None
    row = groups.iloc[int(groups["difference"].argmin() if far is None else far)]
    best = groups.iloc[int(groups["retention"].argmax())]
    return Finding(
        id=ident,
        title=title,
        text=_groups_text(row, best, say, result.age, by=by, real=real),
        evidence=_groups_evidence(row, result, say, len(groups)),
        action=_groups_action(str(row["group"]), by, worse=len(worse) > 0, real=real),
        status="watch" if len(worse) else "good" if real else "unclear",
        weight=min(1.0, abs(float(row["difference"]))) if real else 0.0,
    )


def _groups_action(group: str, by: str, *, worse: bool, real: bool) -> str:
    if worse:
        return f"Look at {named(group)} first: ask what the others get that they do not."
    if real:
        return f"Find out what {named(group)} gets that the others do not."
    return f"Do not act on {spoken(by)} alone."


def _groups_text(
    row: "pd.Series[Any]",
    best: "pd.Series[Any]",
    say: CohortWords,
    age: int,
    *,
    by: str,
    real: bool,
) -> str:
    words = say.words
    share = words.share(row["retention"])
    if not real:
        return (
            f"No {spoken(by)} is seen to differ from the others {say.at(age)}: "
            f"{named(row['group'])} has {share}, "
            f"{named(best['group'])} {words.share(best['retention'])}."
        )
    gap = row["difference"]
    way = "fewer" if gap < 0 else "more"
    return (
        f"Of {named(row['group'])}, {share} {say.did} {say.at(age)}: {words.points(abs(gap))} "
        f"points {way} than of all others ({words.share(row['others'])})."
    )


def _groups_evidence(
    row: "pd.Series[Any]", result: GroupRetention, say: CohortWords, many: int
) -> str:
    words = say.words
    level = words.share(result.confidence, 0)
    ends = words.change_interval(row["low"], row["high"], "share")
    tested = (
        f" That all groups are alike has p {p_value(result.p_equal, words)} (chi-square)."
        if known(result.p_equal)
        else ""
    )
    alone = " Not a proof: groups differ in more than one way." if result.p_equal < REAL else ""
    return (
        f"Difference {ends} ({level} intervals for all {words.number(many)} groups at once); "
        f"{words.number(row['n'])} {say.who(int(row['n']))}.{tested}{alone}"
    )
