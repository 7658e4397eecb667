"""Phrases that every finding about a measure shares."""

from typing import Any, Final

from csa.present.items import Measure
from csa.present.judge import meets, spans
from csa.present.words import Words, known

ENGLISH: Final = Words()
REAL: Final = 0.05  # p-value below which a difference is said to be there


def against(measure: Measure, words: Words) -> str:
    """Say where the interval lies, seen from the target.

    Parameters
    ----------
    measure : Measure
        Value, interval and target.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        Continues a sentence that gave the interval.
    """
    if measure.target is None:
        return ""  # the status says so
    goal = f"the target of {words.measure(measure.target, measure.unit)}"
    if spans(measure):
        return f"; {goal} lies inside it"
    if measure.value is None:
        beyond = measure.low is not None and measure.low >= measure.target
        return f", beyond {goal}" if beyond else f"; {goal} cannot be judged yet"
    if measure.low is None or measure.high is None:
        return f"; {goal} {'is met' if meets(measure) else 'is not met'} by the value alone"
    return f", {'above' if measure.value > measure.target else 'below'} {goal}"


def ends(low: Any, high: Any) -> tuple[float | None, float | None]:
    """Take the ends of an interval out of a frame's cells.

    Parameters
    ----------
    low, high : object
        The cells.

    Returns
    -------
    tuple
        Unknown where both are 0 or both are 1: where nobody or everybody left, the interval of a
        curve has no width although nothing is certain.
    """
    if not known(low) or not known(high):
        return number(low), number(high)
    certain = low == high and low in {0.0, 1.0}
    return (None, None) if certain else (float(low), float(high))


def distance(measure: Measure) -> float:
    """Size of a finding for ranking: distance from target, else change, as a share of either.

    Parameters
    ----------
    measure : Measure
        What was measured.

    Returns
    -------
    float
        0 to 1.
    """
    if measure.value is None:
        return 0.0
    if measure.target:
        return min(1.0, abs(measure.value - measure.target) / abs(measure.target))
    if measure.change is not None and measure.previous:
        return min(1.0, abs(measure.change) / abs(measure.previous))
    return 0.0


def number(value: Any) -> float | None:
    """Take a number out of a frame's cell.

    Parameters
    ----------
    value : object
        The cell.

    Returns
    -------
    float or None
        None where it is not known.
    """
    return float(value) if known(value) else None


def p_value(p: float, words: Words = ENGLISH) -> str:
    """Format a p-value with its sign.

    Parameters
    ----------
    p : float
        0 to 1.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "< 0.001", "= 0.03".
    """
    if p < 0.001:
        return f"< {words.number(0.001, 3)}"
    return f"= {words.number(p, 2 if p >= 0.01 else 3)}"
