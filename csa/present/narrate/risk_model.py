"""Findings about the model that was chosen, and about what became of its earlier predictions."""

from typing import Any, Final

import pandas as pd

from csa.analysis.risk.challenger import Choice
from csa.present.items import Finding
from csa.present.names import capital, plural
from csa.present.words import Words

ENGLISH: Final = Words()
MODELS: Final = {"hazard": "the default model", "boosting": "boosting"}


def model_choice(choice: Choice, *, words: Words = ENGLISH) -> Finding:
    """Say which model makes the risks, and whether another one would do better.

    Parameters
    ----------
    choice : Choice
        From `csa.analysis.risk.challenger.choose`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good where the comparison was made; unclear where there was too little to compare.
    """
    ident, title = "risk-model", "Model behind the risk"
    if choice.status != "ok":
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="Risks are those of the default model; it has not been compared with another one.",
            evidence=capital(f"{choice.reason}."),
            action="Nothing to do: the comparison is made again with every edition.",
            status="unclear",
        )
    other = "boosting" if choice.chosen == "hazard" else "the default model"
    better = "does not do better by more than chance"
    if choice.chosen == "boosting":
        better = "is beaten by more than chance"
    span = "on days that neither had seen"
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"Risks are those of {MODELS[choice.chosen]}: {other} {better} {span}.",
        evidence=_choice_evidence(choice, words),
        action=(
            "Nothing to do."
            if choice.chosen == "hazard"
            else "Take the reasons of the list as hints: they are those of the default model."
        ),
        status="good",
    )


def _choice_evidence(choice: Choice, words: Words) -> str:
    row = choice.table.iloc[0]
    digits = 4
    level = words.share(choice.confidence, 0)
    low, high = (words.number(row[c], digits) for c in ("ci_low", "ci_high"))
    return (
        f"Brier score {words.number(row['hazard'], digits)} against "
        f"{words.number(row['boosting'], digits)}; difference "
        f"{words.number(row['difference'], digits)}, {level} interval {low} to {high} (above 0: "
        f"boosting is better). Learned from looks up to {words.day(choice.train_to)}, judged by "
        f"{words.number(choice.n_test)} from {words.day(choice.test_from)} to "
        f"{words.day(choice.test_to)}; {words.number(choice.churned)} accounts left."
    )


def flagged_earlier(
    everybody: pd.DataFrame, flagged: pd.DataFrame, *, words: Words = ENGLISH
) -> Finding:
    """Say what became of the accounts that earlier editions told of.

    Parameters
    ----------
    everybody, flagged : DataFrame
        `Matured.summary` of all earlier predictions, and of those on the list.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear until a prediction is due; good where as many left as was foretold, else watch.
    """
    ident, title = "flagged-earlier", "What became of those on the list"
    due = everybody.loc[(everybody["status"] == "ok") & (everybody["known"] > 0)]
    if due.empty:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="No earlier prediction has matured yet.",
            evidence=_waiting(everybody, words),
            action="Keep making editions: each one keeps what it foretold, to be judged later.",
            status="unclear",
        )
    last: dict[Any, Any] = due.sort_values("made_on").to_dict("records")[-1]
    on = flagged.loc[(flagged["made_on"] == last["made_on"]) & (flagged["status"] == "ok")]
    right = last["ci_low"] * last["known"] <= last["expected"] <= last["ci_high"] * last["known"]
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=_earlier_text(last, on, words),
        evidence=(
            f"{words.number(last['known'])} predictions of {words.day(last['made_on'])}, due on "
            f"{words.day(last['due_on'])}: {words.number(last['expected'], 1)} were expected to "
            f"leave, {words.number(last['churned'])} did, "
            f"a difference {'within' if right else 'beyond'} chance."
        ),
        action=(
            "Compare those who were called with those who were not before thanking the calls."
            if right
            else "Do not plan with the risks until the next ones have come true."
        ),
        status="good" if right else "watch",
        weight=0.0 if right else 0.5,
    )


def _waiting(everybody: pd.DataFrame, words: Words) -> str:
    if everybody.empty:
        return "The ledger holds no prediction from before this edition."
    first = everybody.sort_values("due_on").iloc[0]
    many = int(everybody["n"].sum())
    return (
        f"{words.number(many)} {plural(many, 'prediction')} wait; the first are due on "
        f"{words.day(first['due_on'])}."
    )


def _earlier_text(last: dict[Any, Any], on: pd.DataFrame, words: Words) -> str:
    day = words.day(last["made_on"])
    if on.empty or not on["known"].iloc[0]:
        return (
            f"Of {words.number(last['known'])} accounts whose risk was told on {day}, "
            f"{words.number(last['churned'])} have left; none of them was on a list to call."
        )
    row = on.iloc[0]
    rest, left = last["known"] - row["known"], last["churned"] - row["churned"]
    due = last["expected"] - row["expected"]
    return (
        f"Of {words.number(row['known'])} accounts on the list of {day}, "
        f"{_left(row['churned'], words)} left ({words.number(row['expected'], 1)} were expected "
        f"to); of the {words.number(rest)} others {_left(left, words)} "
        f"({words.number(due, 1)} expected)."
    )


def _left(count: float, words: Words) -> str:
    return words.number(count) if count else "none"
