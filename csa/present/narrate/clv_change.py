"""Findings on what moved the value of customers, and on whether earlier values came true."""

from typing import Any, Final

import pandas as pd

from csa.analysis.clv.contract import ContractValue
from csa.analysis.clv.economics_back import Realised
from csa.analysis.clv.economics_change import ValueChange
from csa.present.items import Finding, Measure, Status
from csa.present.money import amount, major
from csa.present.names import capital, plural
from csa.present.words import MINUS, Words, known

ALL: Final = "all"
ENGLISH: Final = Words()
COUNTED: Final = ("accounts", "mix", "price")  # causes that are counted, not estimated
CAUSES: Final = {
    "accounts": "the number of customers",
    "mix": "the mix of groups and ages",
    "price": "what customers of a group pay",
    "retention": "how long they are expected to stay",
    "expansion": "how much more stayers are expected to pay",
}
REMEDIES: Final = {
    "accounts": "see in the churn chapter who left, and whether fewer were won",
    "mix": "see in which groups fewer or older customers are",
    "price": "see where customers pay less: discounts, fewer seats, downgrades",
    "retention": "see in the churn chapter what moved the churn rate",
    "expansion": "see where expansion slowed",
}
SMALL: Final = 0.005  # share of the value that a cause takes away without being told
SLIGHT: Final = 0.1  # error of a prediction up to which it is only to be watched


def value_moved(
    change: ValueChange,
    now: ContractValue,
    *,
    period_label: str,
    previous_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say what moved the value of all customers since the last period.

    Parameters
    ----------
    change : ValueChange
        From `csa.analysis.clv.economics_change.what_moved`.
    now : ContractValue
        The value now; changes of what is estimated that are smaller than half its interval may
        be noise.
    period_label, previous_label : str
        "October 2026", "September 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        A change of the period.
    """
    title, ident = "Change of customer value", "value-moved"
    if not change.previous_minor > 0 or not change.value_minor > 0:
        return Finding(
            id=ident,
            kind="change",
            title=title,
            text=f"What moved the value since {previous_label} cannot be told: nobody was a "
            "customer in one of the periods.",
            evidence="A change needs a value before and after.",
            action="Compare two periods with customers.",
            status="unclear",
        )
    total = now.table.loc[now.table["group"] == ALL].iloc[0]
    half_width = float(total["ci_high"] - total["ci_low"]) / 2
    sure = total["status"] == "ok"
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=_moved_text(change, (period_label, previous_label), words),
        evidence=_moved_evidence(change, half_width, words)
        + ("" if sure else " The value itself cannot be relied on, see above."),
        action=_moved_action(change, words),
        status="unclear",
        measure=Measure(
            metric_id="customer_value_total",
            value=major(change.value_minor, words),
            low=major(float(total["ci_low"]), words),
            high=major(float(total["ci_high"]), words),
            n=int(total["accounts"]),
            unit="money",
            confidence=now.terms.confidence,
            method="Shapley split of the change",
            better="higher",
            previous=major(change.previous_minor, words),
            change=major(change.change_minor, words),
        ),
        weight=min(1.0, abs(change.change_minor) / change.previous_minor) if sure else 0.0,
    )


def signed(minor: float, words: Words) -> str:
    """Write a change of money with its sign.

    Parameters
    ----------
    minor : float
        Minor units.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "+€1.4M", "−€67,746".
    """
    sign = "+" if minor > 0 else MINUS if minor < 0 else "±"
    return f"{sign}{amount(abs(minor), words)}"


def _moved_text(change: ValueChange, labels: tuple[str, str], words: Words) -> str:
    moved = change.change_minor
    way = "rose" if moved > 0 else "fell" if moved < 0 else "did not move"
    size = f" by {amount(abs(moved), words)} ({words.share(abs(moved) / change.previous_minor)})"
    first = _largest(change, sign=1 if moved >= 0 else -1)
    most = f", most of it by {CAUSES[first['cause']]} ({signed(first['amount_minor'], words)})"
    return (
        f"The value of all customers {way}{size if moved else ''} from {labels[1]} to {labels[0]}, "
        f"to {amount(change.value_minor, words)}{most if moved and first else ''}."
    )


def _largest(change: ValueChange, *, sign: int) -> dict[Any, Any]:
    rows = change.table.assign(size=change.table["amount_minor"] * sign)
    rows = rows.loc[rows["size"] > 0]
    return rows.loc[rows["size"].idxmax()].to_dict() if len(rows) else {}


def _moved_evidence(change: ValueChange, half_width: float, words: Words) -> str:
    counted = change.table["cause"].isin(COUNTED)
    sums = [float(change.table.loc[which, "amount_minor"].sum()) for which in (counted, ~counted)]
    within = abs(sums[1]) <= half_width
    doubt = (
        f"less than the value may be wrong by (±{amount(half_width, words)}), so it may be noise"
        if within
        else f"more than the value may be wrong by (±{amount(half_width, words)})"
    )
    return (
        f"{signed(sums[0], words)} is counted (customers, mix, prices), so it is real. "
        f"{signed(sums[1], words)} comes from new estimates of staying and growth: {doubt}."
    )


def _moved_action(change: ValueChange, words: Words) -> str:
    worst = _largest(change, sign=-1)
    if not worst or abs(worst["amount_minor"]) < SMALL * change.previous_minor:
        return "Nothing to repair: no cause took value away worth speaking of."
    cause = worst["cause"]
    return (
        f"{capital(CAUSES[cause])} took {amount(abs(worst['amount_minor']), words)} away: "
        f"{REMEDIES[cause]}."
    )


def value_realised(result: Realised, *, words: Words = ENGLISH) -> Finding:
    """Say how much of what an old day foretold has come.

    Parameters
    ----------
    result : Realised
        From `csa.analysis.clv.economics_back.realised_against_predicted`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good where what came lies within the limits of chance.
    """
    row = result.table.loc[result.table["group"] == ALL].iloc[0]
    title, ident = "Value that came true", "value-realised"
    if not row["predicted_minor"] > 0:
        reason = str(row["reason"]) or "nothing was foretold"
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text=f"Whether earlier values came true cannot be told: {reason}.",
            evidence=f"The values are those that {words.day(result.cut)} would have foretold.",
            action="Come back when more time has gone by.",
            status="unclear",
        )
    share = float(row["realised_minor"] / row["predicted_minor"])
    status: Status = "good" if row["covered"] else "watch"
    if not row["covered"] and abs(row["error"]) > SLIGHT:
        status = "bad"
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"Of the margin that {words.day(result.cut)} would have foretold for the "
        f"{result.ahead_months} months since, {words.share(share, 0)} came: "
        f"{amount(row['realised_minor'], words)} of {amount(row['predicted_minor'], words)}.",
        evidence=_realised_evidence(row, result, words),
        action=_realised_action(row, words),
        status=status,
        measure=Measure(
            metric_id="value_realised",
            value=share,
            low=None,
            high=None,
            n=int(row["accounts"]),
            unit="share",
            confidence=result.terms.confidence,
            method="valued with what was known on that day; not discounted",
        ),
        weight=min(1.0, abs(float(row["error"]))),
    )


def _realised_evidence(row: pd.Series, result: Realised, words: Words) -> str:
    limits = f"{amount(row['outcome_low'], words)} to {amount(row['outcome_high'], words)}"
    level = words.share(result.terms.confidence, 0)
    inside = "inside" if row["covered"] else "outside"
    cohorts = result.cohorts
    hit = int(cohorts["covered"].sum())
    of = f"{len(cohorts)} signup {plural(len(cohorts), 'cohort')}"
    return (
        f"That is {inside} the {level} limits of what could come, {limits}.{_why(row, words)} Of "
        f"{of}, {hit} {plural(hit, 'lies', 'lie')} inside theirs."
        + ("" if row["status"] == "ok" else f" Even then it could hardly be told: {row['reason']}.")
    )


def _why(row: pd.Series, words: Words) -> str:
    """Say whether staying or paying made the difference."""
    if not known(row["staying"]) or not known(row["paying"]):
        return ""
    parts = [f"{words.points(row[name], signed=True)}%" for name in ("staying", "paying")]
    return f" Staying made {parts[0]} of difference, what stayers paid {parts[1]}."


def _realised_action(row: pd.Series, words: Words) -> str:
    if row["covered"]:
        return "Use the values for plans; their intervals have held."
    size = words.share(abs(row["error"]), 0)
    staying = known(row["staying"]) and abs(row["staying"]) > abs(row["paying"])
    cause = "survival" if staying else "growth of those who stay"
    if row["error"] < 0:
        return (
            f"Plan with {size} less than the values say: {cause} was better in the time it was "
            "learnt from than after it."
        )
    return f"The values were {size} too low: {cause} was better after that day than before it."
