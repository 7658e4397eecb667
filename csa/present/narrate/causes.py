"""The finding about why accounts leave: the cause that takes most, and what to do about it."""

from collections.abc import Hashable, Sequence
from typing import Any, Final

import pandas as pd

from csa.analysis.churn.causes import IncidenceResult
from csa.analysis.churn.causes_over_time import CausesOverTime
from csa.methods.intervals import wilson
from csa.present.items import Finding, Measure
from csa.present.names import capital, joined, named, plural
from csa.present.phrases import number, p_value
from csa.present.table_rows import ALL
from csa.present.words import Words

ENGLISH: Final = Words()
NOT_STATED: Final = "not stated"
MANY_UNKNOWN: Final = 0.2  # of the accounts that left: from here on the causes known mislead
HOW: Final = {
    "voluntary": "by their own decision",
    "involuntary": "because payment ended, not by a decision",
    "downgrade": "by going down to nothing, step by step",
    "other reasons": "for a reason that is none of the usual ones",
}
BECAUSE: Final = {
    "voluntary": "by their own decision",
    "involuntary": "because payment ended",
    "downgrade": "by going down to nothing",
    "other reasons": "for other reasons",
    NOT_STATED: "without a reason on record",
}
DO: Final = {
    "voluntary": "Ask those that decide to leave why, and speak to accounts like them in time",
    "involuntary": "Follow up failed payments: reminders, a second attempt, a new card in time",
    "downgrade": "Act on the first seat or feature given up: those who shrink end at nothing",
    "other reasons": "Sort the other reasons into voluntary, involuntary and downgrade first",
    NOT_STATED: "Record a reason for every account that leaves, so that it is known what to fix",
}


def causes(
    result: IncidenceResult, *, over_time: CausesOverTime | None = None, words: Words = ENGLISH
) -> Finding:
    """Say which cause takes most of the accounts that leave, and what to do about it.

    Parameters
    ----------
    result : IncidenceResult
        From `csa.analysis.churn.causes.incidence`.
    over_time : CausesOverTime, optional
        From `csa.analysis.churn.causes_over_time.causes_over_time`; its last period is told too.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where too few left; the measure is the share of the cause that takes most.
    """
    rows = result.summary.loc[result.summary["group"] == ALL]
    rows = rows.sort_values("events", ascending=False, kind="stable").reset_index(drop=True)
    first = rows.iloc[0]
    title, ident = "Reasons for leaving", "reasons-for-leaving"
    if first["status"] != "ok":
        left = int(first["churned"])
        return Finding(
            id=ident,
            title=title,
            text=f"Why accounts leave is not known: {first['reason']}.",
            evidence=f"{words.number(left)} {plural(left, 'account')} left.",
            action="Come back when more accounts have left, with a reason for each.",
            status="unclear",
        )
    rivals = _rivals(rows, result.confidence)
    return Finding(
        id=ident,
        title=title,
        text=_text(result, rows, rivals, words),
        evidence=_evidence(rows, result, over_time, words),
        action=_action(rows, rivals, words),
        status="unclear",
        measure=_measure(first, result.confidence),
        weight=float(first["share"]) if len(rivals) == 1 else 0.0,
    )


def _rivals(rows: pd.DataFrame, confidence: float) -> list[str]:
    """Return the first cause, with those that cannot be told to take fewer.

    Among the accounts that left for one of two causes, the first takes a share; where the
    interval of that share holds one half, the order of the two may be chance.
    """
    first = int(rows["events"].iloc[0])
    low = wilson(first, first + rows["events"].to_numpy(), confidence=confidence).low
    return [str(rows["cause"].iloc[0]), *rows["cause"].iloc[1:][low[1:] <= 0.5]]


def _measure(row: pd.Series, confidence: float) -> Measure:
    return Measure(
        metric_id="leading_churn_cause_share",
        value=number(row["share"]),
        low=number(row["share_low"]),
        high=number(row["share_high"]),
        n=int(row["churned"]),
        unit="share",
        confidence=confidence,
        method="Wilson",
    )


def _text(result: IncidenceResult, rows: pd.DataFrame, rivals: Sequence[str], words: Words) -> str:
    first = rows.iloc[0]
    left = words.number(first["churned"])
    if len(rivals) > 1:
        shares = rows.set_index("cause")["share"]
        parts = [f"{named(name)} {words.percent(shares[name])}" for name in rivals]
        return f"No reason for leaving leads: {joined(parts)} of the {left} accounts that left."
    if first["cause"] == NOT_STATED:
        share, known = words.percent(first["share"]), words.number(first["events"])
        if first["share"] == 1:
            return f"Why accounts leave was not recorded for any of the {left} that left."
        return f"Why {share} of the accounts that left did so was not recorded: {known} of {left}."
    how = HOW.get(str(first["cause"]), f"for the reason {named(first['cause'])}")
    base = (
        f"{words.percent(first['share'])} of the accounts that left did so {how}: "
        f"{words.number(first['events'])} of {left}"
    )
    return f"{base}{_in_time(result, str(first['cause']), words)}."


def _in_time(result: IncidenceResult, cause: str, words: Words) -> str:
    """Say how many of all accounts the cause has taken at the last age that was seen well."""
    seen = result.at_ages
    seen = seen.loc[(seen["group"] == ALL) & (seen["cause"] == cause) & (seen["status"] == "ok")]
    if seen.empty:
        return ""
    row = seen.sort_values("age_days").iloc[-1].to_dict()
    within = words.days(row["age_days"])
    return f"; within {within} that takes {words.percent(row['incidence'])} of all accounts"


def _evidence(
    rows: pd.DataFrame, result: IncidenceResult, over_time: CausesOverTime | None, words: Words
) -> str:
    told = [row for row in rows.to_dict("records") if row["events"]][:4]
    parts = [
        f"{named(row['cause'])} {words.interval(row['share_low'], row['share_high'], 'share')}"
        for row in told
    ]
    found = capital(
        f"{', '.join(parts)} of those that left ({words.share(result.confidence, 0)} intervals)."
    )
    apart = groups_apart(result, words=words)
    return " ".join(filter(None, [found, apart, _lately(over_time, words)]))


def groups_apart(result: IncidenceResult, *, words: Words = ENGLISH) -> str:
    """Say which groups differ most in what share of their accounts leaves for a reason.

    Parameters
    ----------
    result : IncidenceResult
        From `csa.analysis.churn.causes.incidence`.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        One sentence; empty where there are not two groups to compare.
    """
    tested = result.differences.loc[result.differences["p_adjusted"].notna()]
    if tested.empty:
        return ""
    real = tested.loc[tested["p_adjusted"] < 1 - result.confidence]
    if real.empty:
        p = p_value(tested["p_adjusted"].min(), words)
        return f"No reason takes more of one group than of another beyond chance (p {p})."
    clear = real.loc[real["ci_low"] > 0].sort_values("ci_low", kind="stable")
    if len(clear):
        return _gap(clear.iloc[-1].to_dict(), words)
    first = real.sort_values("p_adjusted", kind="stable").iloc[0]
    return (
        f"Groups differ in how many leave {_because(first['cause'])} "
        f"(p {p_value(first['p_adjusted'], words)}), but no two of them clearly at one age."
    )


def _gap(row: dict[Hashable, Any], words: Words) -> str:
    """Say how far the two groups are apart in one cause."""
    more, fewer = named(row["more"]), named(row["fewer"])
    high, low = (words.share(row[name]) for name in ("more_incidence", "fewer_incidence"))
    # a difference of shares is in points
    first, last = (words.points(row[name]) for name in ("ci_low", "ci_high"))
    start = row["from_days"]
    who = f" of those that reach {words.days(start)}" if start > 0 else ""
    return (
        f"{capital(more)} accounts leave {_because(row['cause'])} more often than {fewer} "
        f"accounts: {high} against {low}{who} within {words.days(row['age_days'])}, "
        f"{words.points(row['difference'])} points more ({first} to {last}; "
        f"p {p_value(row['p_adjusted'], words)})."
    )


def _because(cause: object) -> str:
    return BECAUSE.get(str(cause), f"for {named(cause)}")


def _lately(over_time: CausesOverTime | None, words: Words) -> str:
    """Count the causes of the last period."""
    if over_time is None:
        return ""
    table = over_time.table.loc[over_time.table["group"] == ALL]
    last = table.loc[table["end"] == table["end"].max()]
    counts = [
        f"{words.number(row['events'])} {named(row['cause'])}"
        for row in last.sort_values("events", ascending=False, kind="stable").to_dict("records")
        if row["events"]
    ]
    name = period_name(last.iloc[0].to_dict(), words, form="MMMM y")
    return f"{name}: {joined(counts)}." if counts else f"{name}: nobody left."


def period_name(row: dict[Any, Any], words: Words, *, form: str = "MMM y") -> str:
    """Name a period of `causes_over_time` for readers.

    Parameters
    ----------
    row : dict
        With `period`, `start` and `end`.
    words : Words
        Locale and currency.
    form : str
        Pattern of a month.

    Returns
    -------
    str
        "Oct 2026"; a period other than a month keeps its name.
    """
    name, start = str(row["period"]), row["start"]
    return words.day(start, form) if name == f"{start:%Y-%m}" else name


def _action(rows: pd.DataFrame, rivals: Sequence[str], words: Words) -> str:
    names = [name for name in rivals if name != NOT_STATED]
    unknown = rows.loc[rows["cause"] == NOT_STATED, "share"].sum()
    parts = [DO.get(name, f"Ask those that leave for {named(name)} why") for name in names[:2]]
    if unknown >= MANY_UNKNOWN or NOT_STATED in rivals:
        share = words.percent(unknown)
        without = "all" if unknown == 1 else share
        parts.insert(0, f"{DO[NOT_STATED]} ({without} are without one)")
    return f"{'. '.join(parts)}."
