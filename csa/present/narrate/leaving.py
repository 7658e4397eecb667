"""The finding about who is likely to leave next: group and age."""

import math
from typing import Any, Final

import pandas as pd

from csa.methods.intervals import normal_quantile
from csa.present.items import Finding
from csa.present.names import named, plural
from csa.present.phrases import REAL, ends, p_value
from csa.present.table_rows import ALL
from csa.present.words import Words

ENGLISH: Final = Words()
YEAR_DAYS: Final = 365
Row = dict[Any, Any]


def chance_to_leave(
    chances: pd.DataFrame, *, confidence: float, ahead_days: float = 90, words: Words = ENGLISH
) -> Finding:
    """Say which accounts that are here today are most likely to leave soon: group and age.

    Parameters
    ----------
    chances : DataFrame
        From `csa.analysis.churn.conditional_survival`.
    confidence : float
        Level of its intervals.
    ahead_days : float
        The look ahead that is told, days; one of those in `chances`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch where the highest chance is above the lowest by more than chance.

    Notes
    -----
    Two chances are compared by their difference over its standard error, taken from their
    intervals; the p-value counts every pair that could have been chosen (Bonferroni).
    """
    rows = chances.loc[(chances["ahead_days"] == ahead_days) & (chances["status"] == "ok")]
    groups = rows.loc[rows["group"] != ALL]
    rows = (groups if len(groups) else rows).sort_values("stay", kind="stable")
    title, ident = "Next to leave", "next-to-leave"
    when = ahead(ahead_days, words)
    if rows.empty:
        return Finding(
            id=ident,
            title=title,
            text=f"Who is likely to leave in the next {when} is not known: too few were seen.",
            evidence="No interval can be given.",
            action="Come back when more accounts have been under observation.",
            status="unclear",
        )
    high, low = rows.iloc[0].to_dict(), _lowest(rows)
    pairs = len(rows) * (len(rows) - 1) / 2  # that could have been chosen
    p = _p_alike(high, low, confidence) * pairs
    real = pairs > 0 and p < REAL
    gained = float(high["at_risk"] * (low["stay"] - high["stay"]) / rows["at_risk"].sum())
    return Finding(
        id=ident,
        title=title,
        text=_text(high, low, when, real=real, words=words),
        evidence=_evidence(high, low, confidence, words)
        + ("" if high == low else _verdict(p, len(rows), words)),
        action=_action(high, real=real, words=words),
        status="watch" if real else "unclear",
        weight=gained if real else 0.0,
    )


def _lowest(rows: pd.DataFrame) -> Row:
    """Lowest chance to leave whose interval is known: where nobody left, nothing is sure."""
    known_ones = rows.loc[[_high(row) < 1 for row in rows.to_dict("records")]]
    return (known_ones if len(known_ones) else rows).iloc[-1].to_dict()


def _p_alike(high: Row, low: Row, confidence: float) -> float:
    """Chance of so large a difference if both were alike; NaN where an interval is not known."""
    widths = []
    for row in (high, low):
        first, last = ends(row["ci_low"], row["ci_high"])
        if first is None or last is None or first == last:
            return math.nan
        widths.append((last - first) / 2)
    error = math.hypot(*widths) / normal_quantile(confidence)
    return math.erfc(float(low["stay"] - high["stay"]) / error / math.sqrt(2))


def _verdict(p: float, n: int, words: Words) -> str:
    if math.isnan(p):
        return ""
    verdict = "more than chance" if p < REAL else "within chance"
    return (
        f" The difference is {verdict} among {n} groups and ages (p {p_value(min(p, 1.0), words)})."
    )


def _high(row: Row) -> float:
    """Upper end of the chance to leave; 1 where the curve gives none: nobody left, nothing sure."""
    low, _ = ends(row["ci_low"], row["ci_high"])
    return 1.0 if low is None else 1 - low


def whom(row: Row, words: Words) -> str:
    """Name the accounts of a group that have reached an age.

    Parameters
    ----------
    row : dict
        With `group` and `age_days`.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "new SMB accounts", "accounts here for 12 months".
    """
    group = "" if row["group"] == ALL else f"{named(row['group'])} "
    if not row["age_days"]:
        return f"new {group}accounts"
    return f"{group}accounts here for {ahead(row['age_days'], words)}"


def _text(high: Row, low: Row, when: str, *, real: bool, words: Words) -> str:
    if high["stay"] == 1:
        return f"Nobody left within {when}, whatever the group and age."
    shares = [words.share(1 - row["stay"]) for row in (high, low)]
    if whom(high, words) == whom(low, words):
        return f"{shares[0]} of {whom(high, words)} leave within {when}."
    both = [f"{shares[0]} of {whom(high, words)}", f"{shares[1]} of {whom(low, words)}"]
    if real:
        first, second = both
        return f"{first} leave within {when}, {second}."
    return f"Who leaves within {when} cannot be told by group or age: {', '.join(both)}."


def _evidence(high: Row, low: Row, confidence: float, words: Words) -> str:
    parts = []
    for row in (high, low) if whom(high, words) != whom(low, words) else (high,):
        n = int(row["at_risk"])
        of = f"{words.number(n)} {plural(n, 'account')}"
        first, last = ends(row["ci_low"], row["ci_high"])
        if first is None or last is None:
            parts.append(f"none of {of} left, so the curve gives no interval")
        else:
            parts.append(f"{words.interval(1 - last, 1 - first, 'share')} ({of})")
    return f"{words.share(confidence, 0)} intervals: {'; '.join(parts)}."


def _action(high: Row, *, real: bool, words: Words) -> str:
    if not real:
        return "Choose whom to speak to by what accounts do, not by group or age alone."
    return f"Speak to {whom(high, words)} first."


def ahead(days: float, words: Words) -> str:
    """Name a span of days as it was asked for: in days below a year.

    Parameters
    ----------
    days : float
        Days.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "90 days", "12 months".
    """
    if days >= YEAR_DAYS:
        return words.days(days)
    return f"{words.number(days)} {plural(round(days), 'day')}"
