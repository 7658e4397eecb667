"""Calendar periods and their names.

Windows are [start, end): `end` is the first day after the period, `as_of` its last day. Names
sort and make folders: `2026-10-31`, `2026-W44` (ISO 8601), `2026-10`, `2026-Q3`, `2026`. With a
fiscal year that does not start in January, `FY2026-Q3` and `FY2026` count from its first month;
a fiscal year is called after the calendar year in which it ends.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from csa.errors import InputError

Kind = Literal["day", "week", "month", "quarter", "year"]
WeekStart = Literal["monday", "sunday"]

_NAME = re.compile(
    r"(?P<fiscal>FY)?(?P<year>[12]\d{3})"
    r"(?:-(?:W(?P<week>\d\d)|Q(?P<quarter>[1-4])|(?P<month>\d\d)(?:-(?P<day>\d\d))?))?"
)
_EXAMPLES = "2026-10-31, 2026-W44, 2026-10, 2026-Q3, FY2026-Q3 or 2026"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Period:
    """A day, week, month, quarter or year, [start, end)."""

    kind: Kind
    start: date
    end: date
    name: str

    @property
    def as_of(self) -> date:
        """Last day included."""
        return self.end - timedelta(days=1)

    @property
    def label(self) -> str:
        """Name for readers, as in "October 2026"."""
        if self.kind == "day":
            return _spell(self.start)
        if self.kind == "week":
            return f"week {int(self.name[-2:])} of {self.name[:4]}, from {_spell(self.start)}"
        if self.kind == "month":
            return f"{_MONTHS[self.start.month - 1]} {self.start.year}"
        year, _, quarter = self.name.partition("-")
        year = year.replace("FY", "fiscal year ") if not quarter else year
        return f"{quarter} {year}".strip()

    def previous(self) -> "Period":
        """Return the period of the same kind that ends where this one starts.

        Returns
        -------
        Period
            For example September for October.
        """
        return self._at(self.start - timedelta(days=1))

    def next(self) -> "Period":
        """Return the period of the same kind that starts where this one ends.

        Returns
        -------
        Period
            For example November for October.
        """
        return self._at(self.end)

    def _at(self, on: date) -> "Period":
        week_start: WeekStart = "sunday" if self.start.weekday() == 6 else "monday"
        first_month = 1
        if self.name.startswith("FY"):
            done = 3 * (int(self.name[-1]) - 1) if self.kind == "quarter" else 0
            first_month = (self.start.month - 1 - done) % 12 + 1
        return containing(self.kind, on, fiscal_year_start=first_month, week_start=week_start)


def parse(name: str, *, fiscal_year_start: int = 1, week_start: WeekStart = "monday") -> Period:
    """Return the period with this name.

    Parameters
    ----------
    name : str
        For example `2026-10`; see the module for all forms.
    fiscal_year_start : int
        First month of the fiscal year, 1 to 12; read by `FY` names only.
    week_start : {"monday", "sunday"}
        A week that starts on Sunday starts one day before the ISO week of the same number.

    Returns
    -------
    Period
        Its `name` is the canonical spelling: `FY2026-Q3` becomes `2026-Q3` where the fiscal year
        is the calendar year.

    Raises
    ------
    InputError
        If the name is not a period.
    """
    match = _NAME.fullmatch(name.strip())
    if match is None or not 1900 <= int(match["year"]) <= 2998:
        raise InputError(f'period "{name}" is not a period; write {_EXAMPLES}')
    try:
        return _from_parts(match.groupdict(), fiscal_year_start, week_start)
    except ValueError as error:
        raise InputError(f'period "{name}" does not exist: {error}; write {_EXAMPLES}') from error


def _from_parts(parts: dict[str, str], fiscal_year_start: int, week_start: WeekStart) -> Period:
    year = int(parts["year"])
    first_month = fiscal_year_start if parts["fiscal"] else 1
    if parts["fiscal"] and (parts["week"] or parts["month"]):
        raise ValueError("only quarters and years can be fiscal")
    if parts["week"]:
        monday = date.fromisocalendar(year, int(parts["week"]), 1)
        return containing("week", monday, week_start=week_start)
    if parts["day"]:
        return containing("day", date(year, int(parts["month"]), int(parts["day"])))
    if parts["month"]:
        return containing("month", date(year, int(parts["month"]), 1))
    start = _shift(date(year if first_month == 1 else year - 1, first_month, 1), 0)
    if parts["quarter"]:
        start = _shift(start, 3 * (int(parts["quarter"]) - 1))
        return containing("quarter", start, fiscal_year_start=first_month)
    return containing("year", start, fiscal_year_start=first_month)


def containing(
    kind: Kind, on: date, *, fiscal_year_start: int = 1, week_start: WeekStart = "monday"
) -> Period:
    """Return the period of this kind that contains a day.

    Parameters
    ----------
    kind : {"day", "week", "month", "quarter", "year"}
        Kind of period.
    on : date
        Any of its days.
    fiscal_year_start : int
        First month of the fiscal year, 1 to 12: quarters and years are fiscal unless it is 1.
    week_start : {"monday", "sunday"}
        First day of a week.

    Returns
    -------
    Period
        The one period with `start <= on < end`.
    """
    if kind == "day":
        return Period(kind, on, on + timedelta(days=1), on.isoformat())
    if kind == "week":
        shift = 1 if week_start == "sunday" else 0
        start = on - timedelta(days=(on.weekday() + shift) % 7)
        year, week, _ = (start + timedelta(days=shift)).isocalendar()
        return Period(kind, start, start + timedelta(days=7), f"{year:04d}-W{week:02d}")
    if kind == "month":
        start = on.replace(day=1)
        return Period(kind, start, _shift(start, 1), f"{start:%Y-%m}")
    return _fiscal(kind, on, fiscal_year_start)


def _fiscal(kind: Kind, on: date, first_month: int) -> Period:
    into = (on.month - first_month) % 12  # whole months since the fiscal year began
    start = _shift(on.replace(day=1), -into)
    year = start.year if first_month == 1 else start.year + 1
    name = f"{year:04d}" if first_month == 1 else f"FY{year:04d}"
    if kind == "year":
        return Period(kind, start, _shift(start, 12), name)
    start = _shift(start, into - into % 3)
    return Period(kind, start, _shift(start, 3), f"{name}-Q{into // 3 + 1}")


def last_complete(
    kind: Kind,
    last_day: date,
    *,
    fiscal_year_start: int = 1,
    week_start: WeekStart = "monday",
) -> Period:
    """Return the newest period whose last day has been seen.

    Parameters
    ----------
    kind : {"day", "week", "month", "quarter", "year"}
        Kind of period.
    last_day : date
        Newest day that is known completely.
    fiscal_year_start : int
        First month of the fiscal year, 1 to 12.
    week_start : {"monday", "sunday"}
        First day of a week.

    Returns
    -------
    Period
        The newest with `as_of <= last_day`.

    Raises
    ------
    InputError
        If `kind` is not a kind of period.
    """
    if kind not in get_args(Kind):
        raise InputError(f'period kind "{kind}" is not one of {", ".join(get_args(Kind))}')
    after = last_day + timedelta(days=1)
    return containing(
        kind, after, fiscal_year_start=fiscal_year_start, week_start=week_start
    ).previous()


def day(text: str) -> date:
    """Return the day written as YYYY-MM-DD.

    Parameters
    ----------
    text : str
        For example `2026-10-31`.

    Returns
    -------
    date
        That day.

    Raises
    ------
    InputError
        If the text is anything else; other spellings are ambiguous.
    """
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()) is None:
        raise InputError(f'day "{text}" is not YYYY-MM-DD; write for example 2026-10-31')
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f'day "{text}" does not exist: {error}') from error


def month_end(on: date, *, months_back: int) -> date:
    """Last day of a month, counted back from the last month that is over.

    Parameters
    ----------
    on : date
        Last day known.
    months_back : int
        0: the last month that is over on that day.

    Returns
    -------
    date
        A last day of a month.

    Examples
    --------
    >>> month_end(date(2026, 10, 31), months_back=24)
    datetime.date(2024, 10, 31)
    >>> month_end(date(2026, 10, 30), months_back=0)
    datetime.date(2026, 9, 30)
    """
    after = (on + timedelta(days=1)).replace(day=1)
    return _shift(after, -months_back) - timedelta(days=1)


def _shift(first: date, months: int) -> date:
    """Move a first of a month by whole months."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _spell(on: date) -> str:
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"
