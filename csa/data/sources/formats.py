"""Spellings of dates and times: which ones are known, and which one a column uses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

ISO = "YYYY-MM-DD"  # with or without time and zone; read by the engines' own casts
# the most common first: engines try them in this order
TIMES = ("", "%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
# Day-first and month-first of the same look stand side by side: they can be confused.
DAYS = (
    *("%d-%m-%Y", "%m-%d-%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y"),
    *("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *("%d-%m-%y", "%m-%d-%y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y"),
    *("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%y", "%b %d %Y"),
)
KNOWN = (ISO, *DAYS)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DIRECTIVES = {
    "Y": r"(?P<Y>[12]\d{3}|9999)",
    "y": r"(?P<y>\d\d)",
    "m": r"(?P<m>0?[1-9]|1[0-2])",
    "d": r"(?P<d>0?[1-9]|[12]\d|3[01])",
    "H": r"(?P<H>[01]?\d|2[0-3])",
    "I": r"(?P<I>0?[1-9]|1[0-2])",
    "M": r"(?P<M>[0-5]\d)",
    "S": r"(?P<S>[0-5]\d)",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp][Mm])",
    "b": r"(?P<b>" + "|".join(m[:3] for m in _MONTHS) + ")",
    "B": r"(?P<B>" + "|".join(_MONTHS) + ")",
    "z": r"(?P<z>Z|[+-]\d\d:?\d\d|[+-]\d\d)",
    "%": "%",
}
_ISO = (
    r"[12]\d{3}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])|9999-12-31",
    r"[ T](?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?",
    r"(?: ?UTC|Z|[+-]\d\d(?::?\d\d)?)?",
)


@dataclass(frozen=True, slots=True)
class Detected:
    """What the values of a column look like."""

    format: str | None  # a member of KNOWN; None where nothing fits
    rival: str | None = None  # fits just as well
    share: float = 0.0  # of the values that fit


def spellings(day: str) -> list[str]:
    """Return the formats that a day format stands for, with and without a time.

    Parameters
    ----------
    day : str
        Member of DAYS.

    Returns
    -------
    list of str
        strptime formats.
    """
    return [day, *(f"{day}{sep}{time}" for time in TIMES if time for sep in " T")]


@cache
def pattern(form: str) -> re.Pattern[str]:
    """Return a pattern for exactly this format, with a group per directive.

    Parameters
    ----------
    form : str
        strptime format.

    Returns
    -------
    re.Pattern
        Whether a day exists in its month is not part of it.
    """
    parts = re.split(r"%-?(.)", form)
    text = ""
    for index, part in enumerate(parts):
        text += _DIRECTIVES.get(part, ".+?") if index % 2 else re.escape(part)
    return re.compile(text, re.IGNORECASE)


@cache
def _family(day: str) -> re.Pattern[str]:
    """Match a known day format, with or without a time."""
    if day == ISO:
        return re.compile(f"(?:{_ISO[0]})(?:{_ISO[1]}{_ISO[2]})?")
    times = "|".join(_anonymous(pattern(t).pattern) for t in TIMES if t)
    return re.compile(f"{_anonymous(pattern(day).pattern)}(?:[ T](?:{times}))?", re.IGNORECASE)


def _anonymous(text: str) -> str:
    return re.sub(r"\?P<\w+>", "?:", text)


def detect(values: Sequence[str]) -> Detected:
    """Return the known format that fits most values.

    Parameters
    ----------
    values : sequence of str
        Trimmed, none of them missing.

    Returns
    -------
    Detected
        With a rival where day and month could be told apart by no value.
    """
    if not values:
        return Detected(ISO, share=1.0)
    fits = {form: sum(_family(form).fullmatch(v) is not None for v in values) for form in KNOWN}
    best = max(KNOWN, key=lambda form: fits[form])  # the first of equals
    if not fits[best]:
        return Detected(None)
    rival = swapped(best)
    equal = rival is not None and fits[rival] == fits[best]
    return Detected(best, rival if equal else None, fits[best] / len(values))


def swapped(form: str) -> str | None:
    """Return the format with day and month exchanged, where both are in use.

    Parameters
    ----------
    form : str
        A known format.

    Returns
    -------
    str or None
        For example %m/%d/%Y for %d/%m/%Y.
    """
    other = form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
    return other if other in DAYS and other != form else None
