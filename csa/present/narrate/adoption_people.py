"""Findings on power users, engaged accounts, accounts that fell off, and our own readers."""

from typing import Any, Final

from csa.analysis.adoption.engagement import Engagement
from csa.analysis.adoption.power import PowerUsers
from csa.analysis.adoption.readers import MONTHS_DAYS, Readers
from csa.analysis.adoption.windows import ALL
from csa.methods.intervals import wilson
from csa.present.adoption_words import how_sure, row_measure, since_before, unknown
from csa.present.items import Finding, Measure
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import major
from csa.present.names import named, plural
from csa.present.phrases import distance
from csa.present.words import Words, known

ENGLISH: Final = Words()


def power_users(
    result: PowerUsers, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say which share of people comes often, and how much of the use is theirs.

    Parameters
    ----------
    result : PowerUsers
        From `csa.analysis.adoption.power.power_users`.
    target : TargetLike, optional
        `targets: power_user_share` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear with few people.
    """
    ident, title = "power-users", "Power users"
    rows = result.table.loc[result.table["group"] == ALL]
    if rows.empty or not known(rows["share"].iloc[0]):
        why = result.span.reason or "no event names a person"
        return unknown(ident, title, why, "Map user_id of usage_events in csa.yml.")
    row = rows.iloc[0]
    measure = aimed(
        row_measure(
            row.rename({"share": "value"}),
            "power_user_share",
            "share",
            confidence=result.confidence,
            method=f"people on {result.often} of 28 days or more; ratio of sums over accounts",
            better="higher",
        ),
        target,
    )
    sure = row["status"] == "ok"
    once = words.share(result.curve["share"].iloc[0])
    return Finding(
        id=ident,
        kind="standing",
        title=title,
        text=f"{words.number(row['power_users'])} of {words.number(row['users'])} active people "
        f"({words.share(row['share'])}) came on {result.often} of 28 days or more"
        f"{since_before(measure, words, 'the 28 days before')}; {words.share(row['events_share'])} "
        f"of all use is theirs. {once} came on one day only.",
        evidence=how_sure(measure, words, why=row["reason"]),
        action="Ask power users what they would miss, and show it to those who came once.",
        status=judged(measure) if sure else "unclear",
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def engagement(
    result: Engagement, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say how engaged accounts are on the frozen scale, and whether that moved.

    Parameters
    ----------
    result : Engagement
        From `csa.analysis.adoption.engagement.engagement`.
    target : TargetLike, optional
        `targets: engagement_score` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where the reference or the scored accounts are few.
    """
    ident, title = "engagement-score", "Engagement score"
    row = result.table.iloc[0]
    day = words.day(result.reference_end)
    if not known(row["score"]):
        why = row["reason"] or "no part of it is known"
        action = "Choose a day of reference from which on use is recorded: reference_end."
        return unknown(ident, title, why, action, kind="change")
    measure = aimed(
        row_measure(
            row.rename({"score": "value"}),
            "engagement_score",
            "points",
            confidence=result.confidence,
            method=f"mean over accounts; ranks among the customers of {result.reference_end}",
            better="higher",
        ),
        target,
    )
    sure = row["status"] == "ok"
    before = "the last day before the period"
    groups = result.table.loc[(result.table["group"] != ALL) & (result.table["status"] == "ok")]
    where = ""
    if len(groups):
        least: Any = groups.loc[groups["score"].idxmin()]
        where = f"{named(least['group'])}: {words.number(least['score'])}"
    covered = (
        ""
        if row["coverage"] > 0.995
        else (f" {words.share(row['coverage'], 0)} of the weights are of parts that are known.")
    )
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=f"The mean engagement of {words.number(row['n'])} accounts is "
        f"{words.number(row['score'], 1)} of 100{since_before(measure, words, before)} among the "
        f"same accounts; the customers of {day} are the scale.",
        evidence=how_sure(measure, words, why=row["reason"]) + covered,
        action=f"Least engaged is {where}." if where else "Go on to the accounts that fell off.",
        status=judged(measure) if sure else "unclear",
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def fell_off(result: Engagement, *, words: Words = ENGLISH) -> Finding:
    """Say how many accounts lost much of their engagement, and what they pay.

    Parameters
    ----------
    result : Engagement
        From `csa.analysis.adoption.engagement.engagement`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        About what to do now.
    """
    ident, title = "engagement-fallen", "Accounts that fell off"
    compared = int(result.accounts["change"].notna().sum())
    if not compared:
        why = result.table["reason"].iloc[0] or "no account was scored before the period"
        return unknown(ident, title, why, "Wait for another period of use.", kind="action")
    n = len(result.fallen)
    share = wilson(n, compared, confidence=result.confidence)
    money = result.fallen["mrr_minor"].dropna()
    paid = (
        f"; they pay {words.money(major(float(money.sum()), words))} a month" if len(money) else ""
    )
    points = words.number(result.fall)
    between = words.interval(float(share.low), float(share.high), "share")
    level = words.share(result.confidence, 0)
    return Finding(
        id=ident,
        kind="action",
        title=title,
        text=f"{words.number(n)} of {words.number(compared)} accounts lost {points} points of "
        f"engagement or more since the last day before the period{paid}.",
        evidence=f"{words.share(float(share.value))}, {level} interval {between}. Some fall in any "
        "month by chance, those with few people most.",
        action="Call the largest of them: what has changed in how they work?"
        if n
        else "None to call for this reason.",
        status="unclear",
        measure=Measure(
            metric_id="accounts_fallen_share",
            value=float(share.value),
            low=float(share.low),
            high=float(share.high),
            n=compared,
            unit="share",
            confidence=result.confidence,
            method=f"share of accounts that lost {points} points or more; Wilson",
            better="lower",
        ),
        weight=min(1.0, 3 * float(share.value)),
    )


def report_readers(
    result: Readers, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say whether the kit's own reports are opened.

    Parameters
    ----------
    result : Readers
        From `csa.analysis.adoption.readers.readers`.
    target : TargetLike, optional
        `targets: editions_opened` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        About the report itself; says so where nothing is recorded.
    """
    ident, title = "report-readers", "Reports that are opened"
    if result.table.empty or not known(result.opened.value):
        why = result.reason or "no edition was finished"
        action = "Record who opens a report in the ledger (table report_opens, docs/tables.md)."
        return unknown(ident, title, why, action, kind="report")
    measure = aimed(
        Measure(
            metric_id="editions_opened",
            value=result.opened.value,
            low=result.opened.low,
            high=result.opened.high,
            n=result.editions,
            unit="share",
            confidence=result.confidence,
            method="share of finished editions that anybody opened; Wilson",
            better="higher",
        ),
        target,
    )
    first, opens = result.table.iloc[0], int(result.table["opens"].sum())
    people = int(result.table["readers"].sum())
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"{words.share(measure.value)} of {words.number(result.editions)} editions of the "
        f"last {MONTHS_DAYS} days were opened: {words.number(opens)} {plural(opens, 'time')} by "
        f"{words.number(people)} {plural(people, 'reader')}, most by {named(first['role'])}.",
        evidence=how_sure(measure, words, of="edition", why=result.reason),
        action="Ask the roles that never open one what they would need.",
        status=judged(measure, least=10) if result.status == "ok" else "unclear",
        measure=measure,
        weight=distance(measure) if target else 0.0,
    )
