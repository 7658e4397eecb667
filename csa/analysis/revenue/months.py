"""Months in which recurring revenue is counted: the table of accounts by month, and the period."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.errors import InputError

ALL: Final = "all"
NOT_STATED: Final = "not stated"
MIN_ACCOUNTS: Final = 10  # fewer accounts at the start make a rate "unclear"
MIN_EFFECTIVE: Final = 5  # fewer accounts of equal size than this: a rate of one or two customers
KINDS: Final = {
    "group": "string",
    "account_id": "string",
    "month": "int64",
    "mrr_minor": "int64",
    "previous_minor": "int64",
    "currency_minor": "int64",
    "movement": "string",
    "observed_from": "date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Whole months first ... last, and as many before them, by number (year x 12 + month - 1).

    `reason` says why nothing in it can be judged, and is empty where it can: the period does not
    begin and end with a month, or is not over in the data.
    """

    first: int
    last: int
    reason: str = ""

    @property
    def months(self) -> int:
        """Length of the period."""
        return self.last - self.first + 1

    @property
    def previous_first(self) -> int:
        """First month of the period before."""
        return self.first - self.months

    @property
    def previous_last(self) -> int:
        """Last month of the period before."""
        return self.first - 1


def span(*, start: date, end: date, as_of: date) -> Span:
    """Find the months of a period.

    Parameters
    ----------
    start, end : date
        The period [start, end).
    as_of : date
        Last day that is known.

    Returns
    -------
    Span
        Of a period that is not one of whole months, the months that it touches, with the reason.

    Raises
    ------
    InputError
        If the period holds no day.
    """
    if start >= end:
        raise InputError(f"period: {start} to {end} holds no day; the end is exclusive")
    final = end - timedelta(days=1)
    reason = ""
    if start.day != 1 or end.day != 1:
        reason = "revenue is known at the ends of months, and the period is not one of whole months"
    elif final > as_of:
        reason = f"the period to {end} is not over in the data"
    return Span(first=number_of(start), last=number_of(final), reason=reason)


def number_of(day: date) -> int:
    """Give a month its number.

    Parameters
    ----------
    day : date
        Any day of the month.

    Returns
    -------
    int
        year x 12 + month - 1.
    """
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    """Give the first day of a month.

    Parameters
    ----------
    month : int
        Its number.

    Returns
    -------
    date
        For 24321 1 October 2026.
    """
    return date(month // 12, month % 12 + 1, 1)


def as_months(months: ir.Table | pd.DataFrame) -> ir.Table:
    """Check and type the table of recurring revenue by account and month.

    Parameters
    ----------
    months : ir.Table or DataFrame
        `group`, `account_id`, `month`, `mrr_minor` (at its end), `previous_minor` (at the end of
        the month before), `currency_minor` (what exchange rates changed; absent: nothing),
        `movement`, `observed_from`; see `csa.data.rollups.account_months`.

    Returns
    -------
    ir.Table
        These columns.

    Raises
    ------
    InputError
        If one is missing.
    """
    rows = ibis.memtable(months) if isinstance(months, pd.DataFrame) else months
    if "currency_minor" not in rows.columns:
        rows = rows.mutate(currency_minor=ibis.literal(0, "int64"))
    if absent := [name for name in KINDS if name not in rows.columns]:
        raise InputError(*(f"months: column {name} is missing" for name in absent))
    typed = {name: _typed(rows[name], kind) for name, kind in KINDS.items()}
    return rows.select(**typed)


def exact(total: ir.Value) -> ir.IntegerValue:
    """Take a sum of integers as 64 bits: engines make it wider, which Ibis does not know.

    Parameters
    ----------
    total : ir.Value
        Sum of minor units.

    Returns
    -------
    ir.IntegerValue
        0 where there was nothing to add up.
    """
    return ibis.coalesce(total.cast("decimal(38, 0)").cast("int64"), 0)


def _typed(column: ir.Value, kind: str) -> ir.Value:
    if kind == "string" and column.type().is_string():
        return column
    return column.cast(kind)
