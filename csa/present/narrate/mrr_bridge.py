"""The finding about why a rate of revenue moved."""

from typing import Final

import pandas as pd

from csa.analysis.revenue.bridge import Bridge
from csa.present.attributes import spoken
from csa.present.items import Finding, Status
from csa.present.money import amount
from csa.present.names import capital, named
from csa.present.narrate.clv_change import signed
from csa.present.words import Words, known

ENGLISH: Final = Words()
NAMES: Final = {
    "nrr": "net revenue retention",
    "grr": "gross revenue retention",
    "arpa": "revenue per account",
}
MOSTLY: Final = 0.5


def mrr_bridge(
    result: Bridge,
    *,
    by: str = "segment",
    period_label: str,
    previous_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say which groups moved a rate of revenue, by what they did or by their weight.

    Parameters
    ----------
    result : Bridge
        From `csa.analysis.revenue.bridge.bridge`.
    by : str
        What the groups are.
    period_label, previous_label : str
        "October 2026", "September 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good or watch by the direction of a change that is more than chance; else unclear.
    """
    name = NAMES[result.of]
    ident, title = f"mrr-bridge-{result.of}", f"What moved the {name}"
    if result.table.empty:
        return Finding(
            id=ident,
            kind="change",
            title=title,
            text=f"The change of the {name} cannot be split: {result.reason}.",
            evidence="Two periods and at least two groups are needed.",
            action=f"Give accounts a {spoken(by)}, or choose another attribute with by.",
            status="unclear",
        )
    first = result.table.iloc[0]
    real = result.change.low > 0 or result.change.high < 0
    status: Status = "unclear"
    if real and not result.reason:
        status = "good" if result.change.value > 0 else "watch"
    base = (
        f"The {name} went from {_value(result, result.previous_rate, words)} in {previous_label} "
        f"to {_value(result, result.rate, words)} in {period_label}: "
        f"{_moved(result, result.within.value, words)} from what accounts of the same {spoken(by)} "
        f"pay, {_moved(result, result.mix.value, words)} from a changed mix"
    )
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=f"{base}; the largest part, {_moved(result, first['contribution'], words)}, comes "
        f"from {named(first['group'])}.",
        evidence=_evidence(result, first, words, real=real),
        action=_action(result, first, by, words, real=real),
        status=status,
        weight=_weight(result) if real else 0.0,
    )


def _value(result: Bridge, value: float, words: Words) -> str:
    return amount(value, words) if result.of == "arpa" else words.share(value)


def _moved(result: Bridge, value: float, words: Words) -> str:
    if result.of == "arpa":
        return signed(value, words)
    return f"{words.points(value, signed=True)} points"


def _between(result: Bridge, low: float, high: float, words: Words) -> str:
    if not known(low) or not known(high):
        return "not known"
    if result.of == "arpa":
        return f"{signed(low, words)} to {signed(high, words)}"
    return words.change_interval(low, high, "share")


def _evidence(result: Bridge, first: pd.Series, words: Words, *, real: bool) -> str:
    level = words.share(result.confidence, 0)
    group = _between(result, first["contribution_low"], first["contribution_high"], words)
    parts = [
        f"{level} intervals: change {_between(result, *result.change[1:], words)}",
        f"within {_between(result, *result.within[1:], words)}",
        f"mix {_between(result, *result.mix[1:], words)}",
        f"{named(first['group'])} {group}",
    ]
    said = "more than chance" if real else "within chance"
    tail = f" {capital(result.reason)}." if result.reason else ""
    return f"{'; '.join(parts)}. The change is {said}; the parts add up to it exactly.{tail}"


def _action(result: Bridge, first: pd.Series, by: str, words: Words, *, real: bool) -> str:
    if not real:
        return "Do not look for reasons in single groups; compare longer periods to see more."
    if abs(result.mix.value) > MOSTLY * abs(result.change.value):
        return f"Look at which accounts are won and kept: the mix by {spoken(by)} has changed."
    sure = "" if first["sure"] else " (not sure by itself)"
    return f"Look at {named(first['group'])} first{sure}: what has changed for these accounts?"


def _weight(result: Bridge) -> float:
    if not result.previous_rate > 0:
        return 0.0
    return min(1.0, abs(result.change.value) / result.previous_rate)
