"""Days that a chapter on adoption compares: the period, and whole weeks up to its last day."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.errors import InputError

WEEKS: Final = 28  # days: four whole weeks, so that every weekday counts as often
SILENT: Final = 3  # days without any use, a long weekend, that are no sign of late data
MIN_ACCOUNTS: Final = 10  # fewer make a figure "unclear"
ALL: Final = "all"
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days [start, end) of a period, those before from `previous_start` on, and what is known.

    `last` is the last day of the period that is known; `first_used` and `last_used` the first and
    last day with any use (missing: none). `reason` says why nothing of it can be judged.
    """

    start: date
    end: date
    previous_start: date
    last: date
    first_used: date | None
    last_used: date | None
    reason: str = ""

    def window(self, number: int = 0, days: int = WEEKS) -> tuple[date, date]:
        """First and last of some days up to the last one known.

        Parameters
        ----------
        number : int
            0: up to the last day; 1: as many before these.
        days : int
            How many.

        Returns
        -------
        tuple of date
            Both included.
        """
        last = self.last - number * days * DAY
        return last - (days - 1) * DAY, last

    def covers(self, first: date) -> bool:
        """Say whether use was recorded on and after a day.

        Parameters
        ----------
        first : date
            First day that is needed.

        Returns
        -------
        bool
            False where the records begin later: nothing recorded is not nothing happened.
        """
        return self.first_used is not None and self.first_used <= first


def span(
    days: ir.Table | pd.DataFrame, *, start: date, end: date, previous_start: date, as_of: date
) -> Span:
    """Find the days of a period, and how far the records of use reach.

    Parameters
    ----------
    days : ir.Table or DataFrame
        Active days, as the roll-up `user_days` has them.
    start, end : date
        The period [start, end).
    previous_start : date
        First day of the period before, which ends at `start`.
    as_of : date
        Last day that is known.

    Returns
    -------
    Span
        With a reason where the period is not over in the data, or use was not recorded to its end.

    Raises
    ------
    InputError
        If the period holds no day, or begins after the last one known.
    """
    if start >= end or previous_start >= start:
        raise InputError(f"period: {start} to {end} holds no day; the end is exclusive")
    if start > as_of:
        raise InputError(f"period: {start} is after the last day known, {as_of}")
    last = min(end - DAY, as_of)
    rows = as_days(days)
    rows = rows.filter(rows.day <= last)
    seen = rows.agg(first=rows.day.min(), last=rows.day.max()).to_pandas().iloc[0]
    first_used, last_used = (_date(seen[name]) for name in ("first", "last"))
    return Span(
        start=start,
        end=end,
        previous_start=previous_start,
        last=last,
        first_used=first_used,
        last_used=last_used,
        reason=_reason(end, last, last_used),
    )


def as_days(days: ir.Table | pd.DataFrame) -> ir.Table:
    """Take active days as a table of the engine.

    Parameters
    ----------
    days : ir.Table or DataFrame
        With `account_id`, `user_id`, `day`; without `group` all are one group.

    Returns
    -------
    ir.Table
        With `day` as a date and `group`.

    Raises
    ------
    InputError
        If a column is missing.
    """
    rows = ibis.memtable(days) if isinstance(days, pd.DataFrame) else days
    if absent := [n for n in ("account_id", "user_id", "day") if n not in rows.columns]:
        raise InputError(*(f"days: column {name} is missing" for name in absent))
    rows = rows.mutate(day=rows.day.cast("date"))
    return rows if "group" in rows.columns else rows.mutate(group=ibis.literal(ALL))


def _date(value: object) -> date | None:
    found = pd.Timestamp(value) if value is not None else pd.NaT  # type: ignore[arg-type]
    return None if pd.isna(found) else found.date()


def _reason(end: date, last: date, last_used: date | None) -> str:
    if last_used is None:
        return "no use is recorded"
    if (last - last_used).days > SILENT:
        return f"no use is recorded after {last_used}, so the data may be late"
    if last < end - DAY:
        return f"the period to {end - DAY} is not over in the data"
    return ""
