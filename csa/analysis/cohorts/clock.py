"""Clocks of a cohort: calendar months, calendar weeks, or time since the unit's own start."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import ibis
import ibis.expr.types as ir

from csa.errors import InputError
from csa.periods import WeekStart

ClockKind = Literal["month", "week", "tenure"]

_EPOCH = {"monday": date(1900, 1, 1), "sunday": date(1899, 12, 31)}  # a Monday, a Sunday
_DAY_MICROSECONDS = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How time is cut into periods, and what makes a unit active in one.

    Parameters
    ----------
    kind : {"month", "week", "tenure"}
        Calendar months or weeks: age 0 is the period of the start. Tenure: windows of
        `window_days` from the start of each unit; age 0 is the first window.
    week_start : {"monday", "sunday"}
        First day of a calendar week.
    window_days : int
        Length of a tenure window. Of days: whole days, day 0 is the day of the start. Of times
        of day: as many times 24 hours from the very moment of the start.
    least_days : int
        Active days in a period from which on a unit counts as active in it.
    last_age : int or None
        Greatest age to report; later activity still counts as a return "in this age or later".
    """

    kind: ClockKind = "month"
    week_start: WeekStart = "monday"
    window_days: int = 30
    least_days: int = 1
    last_age: int | None = None

    def __post_init__(self) -> None:
        faults = []
        if self.window_days < 1:
            faults.append(f"clock: window_days is {self.window_days}; a window is a day or longer")
        if self.least_days < 1:
            faults.append(f"clock: least_days is {self.least_days}; 1 is any activity")
        if self.last_age is not None and self.last_age < 0:
            faults.append(f"clock: last_age is {self.last_age}; ages count from 0")
        if faults:
            raise InputError(*faults)

    @property
    def calendar(self) -> bool:
        """Whether all units share their periods."""
        return self.kind != "tenure"

    def number(self, day: ir.DateValue) -> ir.IntegerValue:
        """Give the period of a day its number, in the engine: months, weeks or (tenure) days.

        Parameters
        ----------
        day : ir.DateValue
            Any day.

        Returns
        -------
        ir.IntegerValue
            Consecutive whole numbers.
        """
        if self.kind == "month":
            return (day.year() * 12 + day.month() - 1).cast("int64")
        days = day.delta(ibis.literal(_EPOCH[self.week_start]), unit="day")
        return (days if self.kind == "tenure" else days // 7).cast("int64")

    def number_of(self, day: date) -> int:
        """Give the period of a day its number, as `number` does.

        Parameters
        ----------
        day : date
            Any day.

        Returns
        -------
        int
            Consecutive whole numbers.
        """
        if self.kind == "month":
            return day.year * 12 + day.month - 1
        days = (day - _EPOCH[self.week_start]).days
        return days if self.kind == "tenure" else days // 7

    def first_day(self, number: int) -> date:
        """Give the first day of a numbered period.

        Parameters
        ----------
        number : int
            As `number_of` gives it.

        Returns
        -------
        date
            Of a tenure clock: that day.
        """
        if self.kind == "month":
            return date(number // 12, number % 12 + 1, 1)
        days = number if self.kind == "tenure" else 7 * number
        return _EPOCH[self.week_start] + timedelta(days=days)

    def ages(self, cohort: int, as_of: date) -> int:
        """Count the ages of a cohort that have begun.

        Parameters
        ----------
        cohort : int
            Number of its period.
        as_of : date
            Last day that is known.

        Returns
        -------
        int
            Age 0 included, at most `last_age` + 1.
        """
        since = self.number_of(as_of) - cohort
        begun = (since if self.calendar else since // self.window_days) + 1
        return begun if self.last_age is None else min(begun, self.last_age + 1)

    def last_day(self, cohort: int, age: int, *, exact: bool) -> date:
        """Give the day on which an age of a cohort is complete for everybody in it.

        Parameters
        ----------
        cohort : int
            Number of its period.
        age : int
            Age, periods.
        exact : bool
            Whether windows run from a moment of the first day, so that they reach into one more.

        Returns
        -------
        date
            The cell is complete from the end of this day on.
        """
        if self.calendar:
            return self.first_day(cohort + age + 1) - timedelta(days=1)
        length = (age + 1) * self.window_days
        return self.first_day(cohort) + timedelta(days=length if exact else length - 1)

    def age(self, at: ir.Value, begin: ir.Value) -> ir.IntegerValue:
        """Give the age at which something happened, in the engine.

        Parameters
        ----------
        at : ir.Value
            Day or time of it.
        begin : ir.Value
            Day or time at which the unit began, of the same type.

        Returns
        -------
        ir.IntegerValue
            Whole periods; below 0 before the start.
        """
        if self.calendar:
            return self.number(at.cast("date")) - self.number(begin.cast("date"))
        if at.type().is_date():
            return (at.delta(begin, unit="day") // self.window_days).cast("int64")
        passed = at.delta(begin, unit="microsecond")
        return (passed // (_DAY_MICROSECONDS * self.window_days)).cast("int64")
