"""Clocks by the name that a chapter's parameters give them."""

import re

from csa.analysis.cohorts.clock import Clock
from csa.errors import InputError
from csa.periods import WeekStart

_DAYS = re.compile(r"([1-9]\d{0,3}) days?")


def named_clock(
    name: str,
    *,
    week_start: WeekStart = "monday",
    least_days: int = 1,
    last_age: int | None = None,
) -> Clock:
    """Return the clock of a name.

    Parameters
    ----------
    name : str
        "month", "week", or the length of a window since each unit's own start: "30 days", "1 day".
    week_start : {"monday", "sunday"}
        First day of a calendar week.
    least_days : int
        Active days in a period from which on it counts as a return.
    last_age : int, optional
        Greatest age, periods.

    Returns
    -------
    Clock
        As `csa.analysis.cohorts.clock` has them.

    Raises
    ------
    InputError
        If the name is none of these.

    Examples
    --------
    >>> named_clock("30 days").window_days
    30
    """
    if name == "month":
        return Clock(kind="month", least_days=least_days, last_age=last_age)
    if name == "week":
        return Clock(kind="week", week_start=week_start, least_days=least_days, last_age=last_age)
    found = _DAYS.fullmatch(name.strip())
    if found is None:
        raise InputError(f'clock "{name}" is none; write month, week, or a window such as 30 days')
    days = int(found[1])
    return Clock(kind="tenure", window_days=days, least_days=least_days, last_age=last_age)
