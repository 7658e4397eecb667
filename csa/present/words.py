"""Numbers and dates as people read them, in the workspace's locale.

Shares are 0 to 1 in code and percent only here; unknown numbers are a dash, never a zero.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pandas as pd
from babel import Locale
from babel.dates import format_date
from babel.numbers import NumberPattern, format_currency, format_decimal, parse_pattern

UNKNOWN = "–"
DAYS_PER_MONTH = 365.25 / 12
DAYS_PER_YEAR = 365.25
SHORT_DAYS = 60  # below two months a duration reads better in days
WHOLE_MONEY = 1000  # from here on minor units only distract
MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"


@lru_cache(maxsize=16)
def _locale(name: str) -> Locale:
    return Locale.parse(name.replace("-", "_"))


@lru_cache(maxsize=64)
def _percent_pattern(name: str, digits: int) -> NumberPattern:
    """Return the locale's own percent pattern ("2.1%", "2,1 %") with fixed digits."""
    pattern = parse_pattern(_locale(name).percent_formats[None].pattern)
    pattern.frac_prec = (digits, digits)
    return pattern


def known(value: Any) -> bool:
    """Say whether a value is there: neither None nor NaN nor infinite nor NaT.

    Parameters
    ----------
    value : object
        Anything from a frame's cell.

    Returns
    -------
    bool
        True where the value can be shown.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return pd.isna(value) is not True  # a pair is never unknown as a whole


@dataclass(frozen=True, slots=True)
class Words:
    """How numbers look: babel locale and currency of the workspace."""

    locale: str = "en"
    currency: str = "EUR"

    def number(self, value: float | None, digits: int = 0) -> str:
        """Format a plain number.

        Parameters
        ----------
        value : float or None
            The number.
        digits : int
            Digits after the decimal sign.

        Returns
        -------
        str
            "1,952" or a dash where the number is unknown.
        """
        if value is None or not known(float(value)):
            return UNKNOWN
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return _minus(
            format_decimal(round(float(value), digits) + 0.0, pattern, _locale(self.locale))
        )

    def share(self, value: float | None, digits: int = 1) -> str:
        """Format a share (0 to 1) as percent.

        Parameters
        ----------
        value : float or None
            Share.
        digits : int
            Digits after the decimal sign of the percentage.

        Returns
        -------
        str
            "2.1%".
        """
        if value is None or not known(float(value)):
            return UNKNOWN
        exact = round(float(value), digits + 2) + 0.0  # + 0.0: no "-0.0%"
        return _minus(_percent_pattern(self.locale, digits).apply(exact, _locale(self.locale)))

    def percent(self, value: float | None) -> str:
        """Format a share as whole percent, unless that would say nobody or everybody.

        Parameters
        ----------
        value : float or None
            Share.

        Returns
        -------
        str
            "83%", "0.1%", "99.8%"; "0%" and "100%" only where it is so.
        """
        whole = value is None or not known(value) or value in {0, 1} or 0.005 <= value < 0.995
        return self.share(value, 0 if whole else 1)

    def points(self, value: float | None, digits: int = 1, *, signed: bool = False) -> str:
        """Format a difference of shares as percentage points.

        Parameters
        ----------
        value : float or None
            Difference of two shares, -1 to 1.
        digits : int
            Digits after the decimal sign.
        signed : bool
            Whether a plus is written.

        Returns
        -------
        str
            "+0.4" (of percentage points; the sentence says the unit).
        """
        if value is None or not known(float(value)):
            return UNKNOWN
        return (
            self._signed(float(value) * 100, digits)
            if signed
            else self.number(float(value) * 100, digits)
        )

    def days(self, value: float | None) -> str:
        """Format a duration given in days: in days below two months, else in months.

        Parameters
        ----------
        value : float or None
            Days.

        Returns
        -------
        str
            "45 days", "31.2 months".
        """
        if value is None or not known(float(value)):
            return UNKNOWN
        if abs(value) < SHORT_DAYS:
            return f"{self.number(value)} {'day' if round(value) == 1 else 'days'}"
        months = round(float(value) / DAYS_PER_MONTH, 1)
        return f"{self.number(months, 0 if months.is_integer() else 1)} months"

    def money(self, value: float | None) -> str:
        """Format money of the workspace's currency, without minor units from 1,000 on.

        Parameters
        ----------
        value : float or None
            Amount in major units.

        Returns
        -------
        str
            "€1,250".
        """
        if value is None or not known(float(value)):
            return UNKNOWN
        whole = abs(value) >= WHOLE_MONEY
        pattern = _locale(self.locale).currency_formats["standard"].pattern
        shown = format_currency(
            value,
            self.currency,
            format=pattern.replace(".00", "") if whole else pattern,
            locale=_locale(self.locale),
            currency_digits=not whole,
        )
        return _minus(shown)

    def day(self, value: date | datetime | None, form: str = "medium") -> str:
        """Format a date.

        Parameters
        ----------
        value : date or None
            The date.
        form : str
            Babel's short, medium or long.

        Returns
        -------
        str
            "Oct 31, 2026".
        """
        return (
            format_date(value, form, _locale(self.locale))
            if value is not None and known(value)
            else (UNKNOWN)
        )

    def measure(self, value: float | None, unit: str) -> str:
        """Format a value of a metric by its unit.

        Parameters
        ----------
        value : float or None
            The value.
        unit : str
            share, days, months, money, count, points; anything else is a plain number.

        Returns
        -------
        str
            The value with its unit.
        """
        if unit == "months":
            return self.days(None if value is None else value * DAYS_PER_MONTH)
        plain = {"share": self.share, "days": self.days, "money": self.money}
        if unit in plain:
            return plain[unit](value)
        whole = value is None or not known(value) or float(value).is_integer()
        return self.number(value, 0 if unit == "count" or whole else 1)

    def change(self, value: float | None, unit: str) -> str:
        """Format a change of a metric with its sign.

        Parameters
        ----------
        value : float or None
            The change, in the unit of the metric.
        unit : str
            Unit of the metric; shares change by percentage points.

        Returns
        -------
        str
            "+0.4 pp", "−3 days".
        """
        if value is None or not known(value):
            return UNKNOWN
        if unit == "share":
            return f"{self.points(value, signed=True)}{THIN}pp"
        text = self.measure(abs(value), unit)
        return f"{'+' if value > 0 else MINUS if value < 0 else '±'}{text}"

    def interval(self, low: float | None, high: float | None, unit: str) -> str:
        """Format an interval.

        Parameters
        ----------
        low, high : float or None
            Its ends.
        unit : str
            As for `measure`.

        Returns
        -------
        str
            "1.5% to 2.8%", "28 to 34 months"; an unknown end is open: "28 months or more".
        """
        if not known(low) and not known(high):
            return UNKNOWN
        if not known(high):
            return f"{self.measure(low, unit)} or more"
        if not known(low):
            return f"up to {self.measure(high, unit)}"
        first, last = self.measure(low, unit), self.measure(high, unit)
        if first == last:
            return first
        value, _, word = first.rpartition(" ")
        return f"{value if value and last.endswith(f' {word}') else first} to {last}"

    def change_interval(self, low: float | None, high: float | None, unit: str) -> str:
        """Format the interval of a change.

        Parameters
        ----------
        low, high : float or None
            Its ends.
        unit : str
            Unit of the metric; shares change by percentage points.

        Returns
        -------
        str
            "−0.5 to +1.2 pp".
        """
        if not known(low) or not known(high):
            return UNKNOWN
        first = self.points(low, signed=True) if unit == "share" else self.change(low, unit)
        return f"{first} to {self.change(high, unit)}"

    def _signed(self, value: float, digits: int) -> str:
        rounded = round(value, digits)
        sign = "+" if rounded > 0 else "" if rounded else "±"
        return sign + self.number(value, digits)


def _minus(text: str) -> str:
    """Write a true minus, not a hyphen: it is as wide as a plus and never breaks a line."""
    return text.replace("-", MINUS)
