"""Findings on who uses the product and how often: actives, stickiness, use per person."""

from dataclasses import replace
from typing import Any, Final

import pandas as pd

from csa.analysis.adoption.actives import Actives
from csa.analysis.adoption.depth import Depth
from csa.analysis.adoption.stickiness import Stickiness
from csa.analysis.adoption.windows import ALL
from csa.present.adoption_words import how_sure, row_measure, since_before, unknown
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged, moved
from csa.present.names import named
from csa.present.phrases import distance, number
from csa.present.words import Words, known

ENGLISH: Final = Words()
ADD_USERS: Final = "Map user_id of usage_events in csa.yml, so that people can be counted."
BEFORE: Final = "the 28 days before"


def active_users(
    result: Actives, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say how many people use the product, and whether that moved.

    Parameters
    ----------
    result : Actives
        From `csa.analysis.adoption.actives.actives`.
    target : TargetLike, optional
        `targets: monthly_active_users` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few accounts use it, or use was not recorded to the end of the period.
    """
    ident, title = "active-users", "People who use the product"
    cells = _cells(result.table, "users")
    unit = "users" if cells and cells["monthly"]["value"] > 0 else "accounts"
    cells = _cells(result.table, unit)
    if not cells or not known(cells["monthly"]["value"]):
        why = cells["monthly"]["reason"] if cells else result.span.reason or "no use is recorded"
        return unknown(ident, title, why, "Wait for more days of use.", kind="change")
    row = cells["monthly"]
    measure = aimed(_count(row, result.confidence), target)
    sure = row["status"] == "ok"
    who = "people" if unit == "users" else "accounts"
    accounts = _cells(result.table, "accounts")["monthly"]["value"]
    of = f" of {words.number(accounts)} accounts" if unit == "users" else ""
    week, day = (words.number(cells[m]["value"]) for m in ("weekly", "daily"))
    return Finding(
        id=ident,
        kind="change",
        title=title if unit == "users" else "Accounts that use the product",
        text=f"{words.number(row['value'])} {who}{of} used the product in the last 28 days"
        f"{_relative(measure, words)}; {week} in an average week, {day} on an average day.",
        evidence=_evidence(measure, row, words),
        action=_where(result.table, unit, words),
        status=judged(measure, least=1) if sure else "unclear",
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def stickiness(
    result: Stickiness,
    *,
    target: TargetLike | None = None,
    period_label: str,
    previous_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say which share of the people of four weeks comes on a day.

    Parameters
    ----------
    result : Stickiness
        From `csa.analysis.adoption.stickiness.stickiness`.
    target : TargetLike, optional
        `targets: stickiness` of csa.yml.
    period_label, previous_label : str
        "October 2026", "September 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few people use the product.
    """
    ident, title = "stickiness", "Stickiness"
    rows = result.table.loc[result.table["group"] == ALL]
    if rows.empty or not known(rows["value"].iloc[0]):
        why = result.span.reason or "no event names a person, or use is recorded for too few days"
        return unknown(ident, title, why, ADD_USERS, kind="change")
    row = rows.iloc[0]
    measure = row_measure(
        row.rename({"users": "n"}),
        "stickiness",
        "share",
        confidence=result.confidence,
        method="mean over days of daily over exact 28-day actives; Student's t over weeks",
        better="higher",
    )
    measure = aimed(replace(measure, n=round(row["users"])), target)
    sure = row["status"] == "ok"
    status: Status = judged(measure) if sure else "unclear"
    often = words.number(30.4 * row["value"], 1)
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=f"On an average day of {period_label}, {words.share(row['value'])} of the people of "
        f"the last 28 days came{since_before(measure, words, previous_label)}: each on about "
        f"{often} days a month.",
        evidence=how_sure(measure, words, of="person", why=row["reason"]).replace(
            "persons", "people"
        ),
        action=_stick(result.table, measure, status, words),
        status=status,
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def use_per_person(result: Depth, *, words: Words = ENGLISH) -> Finding:
    """Say how much a person uses the product in four weeks.

    Parameters
    ----------
    result : Depth
        From `csa.analysis.adoption.depth.depth`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where no event names a person, or few accounts use the product.
    """
    ident, title = "use-per-person", "Use per person"
    rows = result.table.loc[result.table["group"] == ALL].set_index("measure")
    if "days" not in rows.index:
        why = result.span.reason or "no event names a person"
        return unknown(ident, title, why, ADD_USERS, kind="change")
    row: Any = rows.loc["days"]
    measure = row_measure(
        row,
        "active_days_per_user",
        "number",
        confidence=result.confidence,
        method="ratio of sums over accounts",
        better="higher",
    )
    parts = [f"{words.number(row['value'], 1)} days"]
    for name, one in (("sessions", "sessions"), ("events", "uses")):
        if name in rows.index:
            parts.append(f"{words.number(float(rows['value'][name]), 1)} {one}")
    spent = ""
    if "seconds" in rows.index:
        minutes = words.number(float(rows["value"]["seconds"]) / 60, 1)
        spent = f", {minutes} minutes on a day of use"
    change = number(row["change"])
    way = "more" if change is not None and change > 0 else "less"
    real = moved(measure)
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=f"An active person came on {', '.join(parts)} in 28 days{spent}.",
        evidence=how_sure(measure, words, why=row["reason"]),
        action=f"Ask what made people come {way} often than in {BEFORE}."
        if real
        else "Nothing has moved; look at the groups below for where use is thin.",
        status="unclear",
        measure=measure,
    )


def _cells(table: pd.DataFrame, unit: str) -> dict[str, Any]:
    rows = table.loc[(table["group"] == ALL) & (table["unit"] == unit)]
    return {str(row["measure"]): row for _, row in rows.iterrows()}


def _count(row: Any, confidence: float) -> Measure:
    """Measure the number of four weeks, with its change over accounts."""
    value, previous = number(row["value"]), number(row["previous"])
    known_both = value is not None and previous is not None
    low, high = number(row["ci_low"]), number(row["ci_high"])
    return Measure(
        metric_id="monthly_active_users",
        value=value,
        low=None,
        high=None,
        n=int(row["n"]),
        unit="count",
        confidence=confidence,
        method="exact count of the last 28 days; change over accounts",
        better="higher",
        previous=previous,
        change=value - previous if known_both else None,  # type: ignore[operator]
        change_low=low * previous if low is not None and previous is not None else None,
        change_high=high * previous if high is not None and previous is not None else None,
    )


def _relative(measure: Measure, words: Words) -> str:
    if measure.change is None or not measure.previous:
        return ""
    size = abs(measure.change / measure.previous)
    if round(size, 3) == 0:
        return f", as many as in {BEFORE}"
    return f", {words.share(size)} {'more' if measure.change > 0 else 'fewer'} than in {BEFORE}"


def _evidence(measure: Measure, row: Any, words: Words) -> str:
    parts = ["Counted, not sampled."]
    real = moved(measure)
    if real is not None:
        low, high = (float(row[e]) for e in ("ci_low", "ci_high"))
        ends = " to ".join(_signed(x, words) for x in (low, high))
        level = words.share(measure.confidence, 0)
        parts.append(
            f"The change is {'more than' if real else 'within'} what accounts that come and go "
            f"would make by chance ({level} interval {ends}); {words.number(measure.n)} accounts."
        )
    elif measure.previous is None:
        parts.append("Use was not recorded over the 28 days before.")
    if row["reason"]:
        parts.append(f"{str(row['reason'])[:1].upper()}{str(row['reason'])[1:]}.")
    return " ".join(parts)


def _signed(value: float, words: Words) -> str:
    return ("+" if round(value, 3) > 0 else "") + words.share(value)


def _where(table: pd.DataFrame, unit: str, words: Words) -> str:
    """Name the group whose use fell most, if it surely did."""
    rows = table.loc[
        (table["group"] != ALL) & (table["unit"] == unit) & (table["measure"] == "monthly")
    ]
    lost = rows.loc[(rows["ci_high"] < 0) & (rows["status"] == "ok")]
    if lost.empty:
        return "No group has surely fewer; go on to who comes back and how often."
    worst: Any = lost.loc[lost["change"].idxmin()]
    fewer = words.share(-float(worst["change"]))
    return f"Ask in {named(worst['group'])} first: {fewer} fewer than in {BEFORE}."


def _stick(table: pd.DataFrame, measure: Measure, status: Status, words: Words) -> str:
    groups = table.loc[(table["group"] != ALL) & (table["status"] == "ok")]
    where = ""
    if len(groups):
        worst: Any = groups.loc[groups["value"].idxmin()]
        where = f"{named(worst['group'])}: {words.share(worst['value'])}"
    if status in {"bad", "watch"}:
        return f"Find what would bring people back; start with {where or 'the new ones'}."
    if measure.target is None:
        tail = f" Lowest is {where}." if where else ""
        return f"Set a target to be judged by: targets: stickiness in csa.yml.{tail}"
    return f"Keep going; lowest is {where}." if where else "Keep going."
