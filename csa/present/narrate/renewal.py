"""The finding about renewals: how much more often contracts end in the month they renew."""

from typing import Any, Final

from csa.analysis.churn.hazards.renewals import RenewalResult
from csa.present.contract_lengths import contracts
from csa.present.effect_rows import ratio_interval
from csa.present.items import Finding
from csa.present.names import joined
from csa.present.phrases import p_value
from csa.present.words import Words

ENGLISH: Final = Words()
CLEAR: Final = 1.5  # an interval that ends below says that renewals matter little
IDENT: Final = "renewals"
TITLE: Final = "Renewals"


def renewal(result: RenewalResult, *, words: Words = ENGLISH) -> Finding:
    """Say how much more often contracts end in a month of renewal than in other months.

    Parameters
    ----------
    result : RenewalResult
        From `csa.analysis.churn.hazards.renewals.renewals`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch where renewals end contracts more often by more than chance; else unclear.
    """
    if not result.stated and result.n:
        return _missing(result, words)
    rows = result.table.loc[result.table["status"] == "ok"].to_dict("records")
    if not rows:
        return _unknown(result, words)
    told = [_read(row, words) for row in rows]
    first = max(told, key=lambda row: (row["real"], row["more"]))
    return Finding(
        id=IDENT,
        title=TITLE,
        text=_text(first, words),
        evidence=_evidence(first, told, result, words),
        action=_action(first),
        status="watch" if first["real"] and first["times"] > 1 else "unclear",
        weight=min(1.0, first["due_events"] / max(result.events, 1)) if first["real"] else 0.0,
    )


def _missing(result: RenewalResult, words: Words) -> Finding:
    """Say what is missing where no subscription states its length, and how to add it."""
    return Finding(
        id=IDENT,
        kind="report",
        title=TITLE,
        text="Whether accounts leave when they renew is not known: no subscription states its "
        "billing_months, the months from one invoice to the next.",
        evidence=f"{words.number(result.n)} accounts, none with a length of contract.",
        action="Add the column (12 for yearly, 1 for monthly contracts), or map yours in csa.yml: "
        "data.tables.subscriptions.columns.billing_months.",
        status="unclear",
    )


def _unknown(result: RenewalResult, words: Words) -> Finding:
    """Say why nothing can be told of renewals."""
    always = bool(len(result.table)) and bool(result.table["due"].isna().all())
    if result.n and always:
        text = "No month stands out as that of renewal: all contracts renew every month."
        action = "Nothing to do."
    else:
        text = f"What renewals do to leaving cannot be told: {result.reason}."
        action = "Come back when more contracts have come up for renewal."
    return Finding(
        id=IDENT,
        title=TITLE,
        text=text,
        evidence=f"{words.number(result.n)} accounts, {words.number(result.events)} left.",
        action=action,
        status="unclear",
    )


def _read(row: dict[Any, Any], words: Words) -> dict[str, Any]:
    """Add to a length its name, whether it is real, and how many left that else had stayed."""
    return {
        **row,
        "who": contracts(row["billing_months"]),
        "between": ratio_interval(row["ci_low"], row["ci_high"], words),
        "real": row["ci_low"] > 1 or row["ci_high"] < 1,
        "more": row["due_events"] * (1 - 1 / row["times"]),
    }


def _text(first: dict[str, Any], words: Words) -> str:
    times = f"{_number(first['times'], words)} times as often as in other months"
    if not first["real"]:
        return f"Contracts are not shown to end more often when they renew: {first['who']} {times}."
    return f"In the month of their renewal {first['who']} end {times}, all else alike."


def _number(value: float, words: Words) -> str:
    return words.number(value, 0 if value >= 10 else 1)


def _evidence(
    first: dict[str, Any], told: list[dict[str, Any]], result: RenewalResult, words: Words
) -> str:
    share, other = words.share(first["due_share"]), words.share(first["other_share"])
    parts = [
        f"{words.share(result.confidence, 0)} interval {first['between']}; "
        f"p {p_value(first['p_value'], words)}.",
        f"{words.number(first['due_events'])} of the {words.number(result.events)} that left did "
        f"so in {words.number(first['due'])} months of renewal ({share}, against {other} of the "
        "other months of these contracts).",
    ]
    others = [
        f"{row['who']} {_number(row['times'], words)} ({row['between']})"
        for row in told
        if row is not first
    ]
    if others:
        parts.append(f"Also {joined(others)}.")
    return " ".join(parts)


def _action(first: dict[str, Any]) -> str:
    if first["real"] and first["times"] > 1:
        return (
            f"Talk to {first['who']} well before they renew; list the renewals of the next three "
            "months by revenue, and have the value shown by then."
        )
    if not first["real"] and first["ci_high"] > CLEAR:
        return "Come back when more contracts have come up for renewal: the interval is wide."
    return "Spread the care of accounts over the year; renewals need none of their own."
