"""Words for cohorts: who they are, how they began, what they did at which age."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, Protocol

from babel.dates import format_date

from csa.present.names import plural
from csa.present.words import Words

WHO: Final = {"paid": "account", "purchased": "customer", "used": "account"}
BEGAN: Final = {
    "paid": "began to pay",
    "purchased": "bought for the first time",
    "used": "used the product for the first time",
}
DID: Final = {"paid": "still paid", "purchased": "bought again", "used": "used the product again"}
DOING: Final = {"paid": "still paying", "purchased": "buying again", "used": "using it again"}


class ClockLike(Protocol):
    """How time is cut into periods."""

    @property
    def kind(self) -> Literal["month", "week", "tenure"]: ...  # noqa: D102

    @property
    def window_days(self) -> int: ...  # noqa: D102


class BasisLike(Protocol):
    """Who is counted, and in what way they are active."""

    @property
    def unit(self) -> str: ...  # noqa: D102

    @property
    def activity(self) -> Literal["paid", "purchased", "used"]: ...  # noqa: D102

    @property
    def begins(self) -> Literal["first", "signup"]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortWords:
    """What to call units, starts, ages and cohorts of a result."""

    basis: BasisLike
    clock: ClockLike
    words: Words

    def who(self, count: int = 2) -> str:
        """Name the units.

        Parameters
        ----------
        count : int
            How many.

        Returns
        -------
        str
            "accounts", "customers", "users".
        """
        one = "user" if self.basis.unit == "user_id" else WHO[self.basis.activity]
        return plural(count, one)

    @property
    def began(self) -> str:
        """How units began, after "that": "began to pay"."""
        return "signed up" if self.basis.begins == "signup" else BEGAN[self.basis.activity]

    @property
    def did(self) -> str:
        """What returning is: "bought again"; what it was at the first age, too."""
        if self.basis.begins == "signup":
            return {"paid": "paid", "purchased": "bought", "used": "used the product"}[
                self.basis.activity
            ]
        return DID[self.basis.activity]

    @property
    def doing(self) -> str:
        """The same as a state: "buying again"."""
        return DOING[self.basis.activity]

    @property
    def ages(self) -> str:
        """What ages are counted in: "months since the first"."""
        if self.clock.kind == "tenure":
            days = self.clock.window_days
            span = "days" if days == 1 else f"windows of {days} days"
            return f"{span} since the start"
        return f"{self.clock.kind}s since the first"

    def age(self, age: int) -> str:
        """Name an age.

        Parameters
        ----------
        age : int
            Periods.

        Returns
        -------
        str
            "month 3", "week 4", "days 90 to 119".
        """
        if self.clock.kind != "tenure":
            return f"{self.clock.kind} {self.words.number(age)}"
        days = self.clock.window_days
        if days == 1:
            return f"day {self.words.number(age)}"
        first, last = (self.words.number(d) for d in (age * days, (age + 1) * days - 1))
        return f"days {first} to {last}"

    def at(self, age: int) -> str:
        """Say when an age is read.

        Parameters
        ----------
        age : int
            Periods.

        Returns
        -------
        str
            "at the end of month 3" of what is paid, "in month 3" of what is done.
        """
        ends = self.basis.activity == "paid"
        return f"at the end of {self.age(age)}" if ends else f"in {self.age(age)}"

    def cohort(self, day: date) -> str:
        """Name a cohort by the first day of its period.

        Parameters
        ----------
        day : date
            First day.

        Returns
        -------
        str
            "Oct 2025"; of weeks "6 Oct 2025".
        """
        form = "d MMM y" if self.clock.kind == "week" else "MMM y"
        return format_date(day, form, locale=self.words.locale.replace("-", "_"))

    def cohorts(self, first: date, last: date) -> str:
        """Name cohorts from one to another.

        Parameters
        ----------
        first, last : date
            First days of their periods.

        Returns
        -------
        str
            "May 2026 to Jul 2026".
        """
        names = [self.cohort(first), self.cohort(last)]
        return names[0] if names[0] == names[1] else " to ".join(names)

    def metric(self, age: int) -> str:
        """Name the metric of an age.

        Parameters
        ----------
        age : int
            Periods.

        Returns
        -------
        str
            "retention_month_3", as in `targets` of csa.yml.
        """
        return f"retention_{self.clock.kind}_{age}"
