"""The period of a chapter, from the two days that a notebook is given."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args

from csa import periods
from csa.errors import InputError
from csa.periods import Kind
from csa.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Days from `start` to before `end`, with the ones before them to compare with."""

    start: date
    end: date
    label: str  # "October 2026"
    previous_start: date
    previous_end: date
    previous_label: str


def window(start: str, end: str, settings: Settings) -> Window:
    """Read the parameters `start` and `end` of a notebook.

    Parameters
    ----------
    start : str
        First day, YYYY-MM-DD.
    end : str
        First day after the last one, YYYY-MM-DD.
    settings : Settings
        The workspace, for its fiscal year and first day of the week.

    Returns
    -------
    Window
        A calendar period is compared with the one before it, any other span with as many days
        before it.

    Raises
    ------
    InputError
        If there is no day between the two.
    """
    first, after = periods.day(start), periods.day(end)
    if after <= first:
        raise InputError(f"end {end} is not after start {start}; end is the day after the last one")
    for kind in get_args(Kind):
        period = _containing(kind, first, settings)
        if (period.start, period.end) == (first, after):
            before = period.previous()
            return Window(
                start=first,
                end=after,
                label=period.label,
                previous_start=before.start,
                previous_end=before.end,
                previous_label=before.label,
            )
    return _span(first, after)


def _containing(kind: Kind, day: date, settings: Settings) -> periods.Period:
    return periods.containing(
        kind,
        day,
        fiscal_year_start=settings.fiscal_year_start,
        week_start=settings.week_start,
    )


def _span(first: date, after: date) -> Window:
    before = first - (after - first)
    return Window(
        start=first,
        end=after,
        label=_label(first, after),
        previous_start=before,
        previous_end=first,
        previous_label=_label(before, first),
    )


def _label(first: date, after: date) -> str:
    return f"{first} to {after - timedelta(days=1)}"
