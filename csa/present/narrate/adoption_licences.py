"""Findings on licences: how much of what is paid for is used, and what lies idle."""

from typing import Any, Final

import pandas as pd

from csa.analysis.adoption.utilisation import Utilisation
from csa.analysis.adoption.windows import ALL
from csa.present.adoption_words import how_sure, row_measure, since_before, unknown
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.names import named, plural
from csa.present.phrases import distance
from csa.present.words import Words, known

ENGLISH: Final = Words()
ADD_SEATS: Final = "Map subscriptions with seats in csa.yml (docs/tables.md has all columns)."
SMALL: Final = 10  # a mean below this is told with a digit
IDLE: Final = ("none", "up to a quarter")
TITLE: Final = "Licence utilisation"


def licence_utilisation(
    result: Utilisation | None,
    *,
    target: TargetLike | None = None,
    period_label: str,
    previous_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say how many of the licences in force are used on a business day.

    Parameters
    ----------
    result : Utilisation or None
        From `csa.analysis.adoption.utilisation.utilisation`; None without subscriptions.
    target : TargetLike, optional
        `targets: licence_utilisation` of csa.yml.
    period_label, previous_label : str
        "October 2026", "September 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Above 100 % as it is; unclear with few accounts or without seats.
    """
    ident = "licence-utilisation"
    rows = None if result is None else result.table.loc[result.table["group"] == ALL]
    if result is None or rows is None or rows.empty or not known(rows["value"].iloc[0]):
        return unknown(ident, TITLE, "no subscription states its seats", ADD_SEATS, kind="change")
    row = rows.iloc[0]
    measure = aimed(
        row_measure(
            row,
            "licence_utilisation",
            "share",
            confidence=result.confidence,
            method="people on business days over seats in force; ratio of sums over accounts",
            better="higher",
        ),
        target,
    )
    sure = row["status"] == "ok"
    status: Status = judged(measure) if sure else "unclear"
    over = " More people work than seats are paid for." if row["value"] > 1 else ""
    seats = _few(row["seats"], words)
    left = ""
    if result.unstated:
        many = result.unstated
        left = f"{words.number(many)} {plural(many, 'account')} without stated seats left out"
    why = ". ".join(filter(None, [str(row["reason"]), left]))
    return Finding(
        id=ident,
        kind="change",
        title=TITLE,
        text=f"On an average business day of {period_label}, {_few(row['users'], words)} people "
        f"used the {seats} licences in force: {words.share(row['value'])}"
        f"{since_before(measure, words, previous_label)}.{over}",
        evidence=how_sure(measure, words, why=why),
        action=_action(result.table, measure, status, words),
        status=status,
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def idle_licences(result: Utilisation | None, *, words: Words = ENGLISH) -> Finding:
    """Say how many licences lie with accounts that hardly use theirs, and who works above.

    Parameters
    ----------
    result : Utilisation or None
        As for `licence_utilisation`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        About what to do: contracts at risk to be cut, and licences to be sold.
    """
    ident, title = "idle-licences", "Licences that lie idle"
    if result is None or not result.bands["accounts"].sum():
        return unknown(ident, title, "no subscription states its seats", ADD_SEATS, kind="action")
    bands = result.bands.set_index("band")
    idle, above = bands.loc[list(IDLE)].sum(), bands.loc["more"]
    n = int(bands["accounts"].sum())
    accounts, over = int(idle["accounts"]), int(above["accounts"])
    unused, total = float(idle["seats"]), float(bands["seats"].sum())
    tail = (
        f"; {words.number(over)} {plural(over, 'account')} use more than all of theirs"
        if over
        else "; no account uses more than all of its own"
    )
    return Finding(
        id=ident,
        kind="action",
        title=title,
        text=f"{words.number(accounts)} of {words.number(n)} accounts use a quarter of their "
        f"licences or less on an average business day: {words.number(unused)} of "
        f"{words.number(total)} licences, {words.share(unused / total)}{tail}.",
        evidence=f"Counted over {result.business_days} business days (Monday to Friday; holidays "
        "are not known and count as working days).",
        action="Before their renewal, talk about training or a smaller contract with those that "
        "use little" + (", about more licences with those above." if over else "."),
        status="unclear",
        measure=Measure(
            metric_id="idle_licences_share",
            value=unused / total if total else None,
            low=None,
            high=None,
            n=n,
            unit="share",
            confidence=result.confidence,
            method="licences of accounts with a utilisation of a quarter or less; counted",
            better="lower",
        ),
        weight=min(1.0, unused / total) / 2 if total else 0.0,
    )


def _few(count: float, words: Words) -> str:
    return words.number(count, 1 if count < SMALL and not float(count).is_integer() else 0)


def _action(table: pd.DataFrame, measure: Measure, status: Status, words: Words) -> str:
    groups = table.loc[(table["group"] != ALL) & (table["status"] == "ok")]
    where = ""
    if len(groups):
        worst: Any = groups.loc[groups["value"].idxmin()]
        where = f"{named(worst['group'])}: {words.share(worst['value'])}"
    if status in {"bad", "watch"}:
        return f"Help those that hardly use theirs; start with {where or 'the largest contracts'}."
    if measure.target is None:
        tail = f" Lowest is {where}." if where else ""
        return f"Set a target to be judged by: targets: licence_utilisation in csa.yml.{tail}"
    return f"Keep going; lowest is {where}." if where else "Keep going."
