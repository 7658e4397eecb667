"""The verdict on a measure: good, watch, bad, or unclear where the data cannot tell."""

from dataclasses import replace
from typing import Final, Literal, Protocol

from csa.present.items import Measure, Status
from csa.present.words import known

MIN_N: Final = 30  # below this an interval for a share is wider than any target is meant to be


class TargetLike(Protocol):
    """What a metric should reach; `warn` is still tolerable."""

    @property
    def value(self) -> float: ...  # noqa: D102

    @property
    def warn(self) -> float | None: ...  # noqa: D102

    @property
    def better(self) -> Literal["higher", "lower"]: ...  # noqa: D102


def aimed(measure: Measure, target: TargetLike | None) -> Measure:
    """Put a target into a measure.

    Parameters
    ----------
    measure : Measure
        What was measured.
    target : TargetLike or None
        From csa.yml.

    Returns
    -------
    Measure
        With target, warning level and direction.
    """
    if target is None:
        return measure
    return replace(measure, target=target.value, warn=target.warn, better=target.better)


def judged(measure: Measure, *, least: int = MIN_N) -> Status:
    """Judge a measure by its target.

    Parameters
    ----------
    measure : Measure
        Value, interval, n and target.
    least : int
        Fewer than this are too few to judge.

    Returns
    -------
    str
        good: meets the target; watch: meets the warning level; bad: neither; unclear: no value,
        no target, too few, or the interval spans the target.
    """
    if measure.target is None or measure.n < least or spans(measure):
        return "unclear"
    if not known(measure.value):
        return "good" if _surely_meets(measure, measure.target) else "unclear"
    if meets(measure):
        return "good"
    if measure.warn is not None and _meets(measure, measure.warn):
        return "watch"
    return "bad"


def spans(measure: Measure) -> bool:
    """Say whether the interval holds values on both sides of the target.

    Parameters
    ----------
    measure : Measure
        Value, interval and target.

    Returns
    -------
    bool
        False where there is no interval or no target.
    """
    if measure.target is None or measure.low is None or measure.high is None:
        return False
    return measure.low < measure.target < measure.high


def moved(measure: Measure) -> bool | None:
    """Say whether the change since the last period is more than noise.

    Parameters
    ----------
    measure : Measure
        With the interval of its change.

    Returns
    -------
    bool or None
        None where the change is not known.
    """
    if measure.change is None or measure.change_low is None or measure.change_high is None:
        return None
    return measure.change_low > 0 or measure.change_high < 0


def meets(measure: Measure) -> bool:
    """Say whether the value reaches the target, however sure that is.

    Parameters
    ----------
    measure : Measure
        Value, target and direction.

    Returns
    -------
    bool
        False where either is not known.
    """
    return measure.target is not None and _meets(measure, measure.target)


def _surely_meets(measure: Measure, level: float) -> bool:
    """Whether an end of the interval alone decides, where the value itself is out of sight."""
    if measure.better == "higher":
        return measure.low is not None and measure.low >= level
    return measure.high is not None and measure.high <= level


def _meets(measure: Measure, level: float) -> bool:
    if measure.value is None:
        return False
    return measure.value <= level if measure.better == "lower" else measure.value >= level
