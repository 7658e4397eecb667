"""What was known on many days at once: the one place where time is cut off.

A row of a table counts at a cut-off if it had appeared by the end of that day, and a column that
is `known by` a later day is missing until that day has come: `csa.data.visible` for one last day,
this module for many, each with its own. Whatever is computed from what `known_rows` returns can
therefore not use what came later. It is stricter than a page about one day: a row without a date,
and a value without the day on which it became known, are not known at all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from csa.data.columns import Table
from csa.data.visible import moment
from csa.errors import InputError

ACCOUNT = "account_id"
CUTOFF = "cutoff_on"
ROWS = "rows"  # of a day, in a table that is read by days
_ROW = "row_"  # before the columns of a table, beside those of the account on the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a table is read.

    Parameters
    ----------
    table : Table
        Its declaration.
    columns : tuple of str
        Columns that are used.
    by : tuple of str or None
        None: row by row. Else one row per account, day and these columns, with the number of
        `rows`, so that events become days before anything is joined.
    lookback_days : int or None
        Only rows of so many days up to each cut-off; None: all before it.
    paid : bool
        Only rows with a price that last at least a day.
    """

    table: Table
    columns: tuple[str, ...]
    by: tuple[str, ...] | None = None
    lookback_days: int | None = None
    paid: bool = False


class Known:
    """Columns as known at each cut-off: all that the expression of a feature can reach.

    Parameters
    ----------
    rows : ir.Table
        One row per account, cut-off and row known; one with missing values where there is none.
    names : mapping of str to str
        Columns that may be used, and what they are called in `rows`.
    refuse : callable
        Makes the error for any other column.
    grace_days : int
        Gaps up to this many days are not churn.
    """

    def __init__(
        self,
        rows: ir.Table,
        names: Mapping[str, str],
        refuse: Callable[[str], InputError],
        grace_days: int,
    ) -> None:
        self._rows = rows
        self._names = names
        self._refuse = refuse
        self.grace_days = grace_days

    def __getitem__(self, column: str) -> ir.Value:
        if column not in self._names:
            raise self._refuse(column)
        return self._rows[self._names[column]]

    @property
    def age_days(self) -> ir.IntegerValue:
        """Days since the account became a customer, at the cut-off."""
        return self._rows["age_days"]

    @property
    def ago_days(self) -> ir.IntegerValue:
        """Days since the row appeared."""
        return self._rows["ago_days"]

    def on(self, days_ago: int) -> ir.DateValue:
        """Return the day so many days before the cut-off, at the earliest the first as a customer.

        Parameters
        ----------
        days_ago : int
            0 for the cut-off itself.

        Returns
        -------
        ir.DateValue
            A day.
        """
        if not days_ago:
            return self._rows[CUTOFF]
        before = self._rows[CUTOFF] - ibis.interval(days=days_ago)
        return ibis.greatest(before.cast("date"), self._rows["start_on"])

    def ago(self, column: str) -> ir.IntegerValue:
        """Return the days from a date or time to the cut-off; negative where it lies ahead.

        Parameters
        ----------
        column : str
            Date or time.

        Returns
        -------
        ir.IntegerValue
            Missing where the day is not known.
        """
        return self._rows[CUTOFF].delta(self[column].cast("date"), unit="day")

    def line(
        self, *, order_by: Sequence[str] = (), apart: ir.Value | None = None
    ) -> dict[str, object]:
        """Return the arguments of a window over the rows known of an account, in an order.

        Parameters
        ----------
        order_by : sequence of str
            Columns; none: the whole account at the cut-off.
        apart : ir.Value, optional
            Rows with other values of this are no neighbours.

        Returns
        -------
        dict
            For `over`.
        """
        keys = [self._rows[ACCOUNT], self._rows[CUTOFF]]
        return {
            "group_by": keys if apart is None else [*keys, apart],
            "order_by": [self[c] for c in order_by],
        }


def count(where: ir.BooleanValue) -> ir.IntegerValue:
    """Count the rows for which something is true.

    Parameters
    ----------
    where : ir.BooleanValue
        Missing counts as false.

    Returns
    -------
    ir.IntegerValue
        0 where there are none.
    """
    return ibis.coalesce(ibis.ifelse(where, 1, 0).sum(), 0)


def reduced(rows: ir.Table, reading: Reading, cutoffs: Sequence[date]) -> ir.Table:
    """Reduce a table, where it lies, to what the cut-offs need.

    Parameters
    ----------
    rows : ir.Table
        Canonical columns.
    reading : Reading
        How it is read.
    cutoffs : sequence of date
        At least one.

    Returns
    -------
    ir.Table
        `account_id` where the table has it, `appeared_on`, and the columns used (or `rows` and
        those it is read by).

    Raises
    ------
    InputError
        If its rows have no date.
    """
    held = rows.mutate(appeared_on=_appeared(rows, reading.table))
    if reading.paid:
        lasting = held.end_on.isnull() | (held.end_on > held.start_on)
        held = held.filter(held.mrr > 0, lasting)
    keys = [ACCOUNT] if ACCOUNT in held.columns else []
    held = held.filter([held[k].notnull() for k in keys] + [held.appeared_on <= max(cutoffs)])
    if reading.lookback_days is not None:
        held = held.filter(held.appeared_on > min(cutoffs) - timedelta(days=reading.lookback_days))
    if reading.by is not None:
        return held.group_by(*keys, "appeared_on", *reading.by).agg(**{ROWS: held.count()})
    return held.select(*keys, "appeared_on", *(c for c in reading.columns if c not in keys))


def begins(rows: ir.Table, table: Table) -> ir.Table:
    """Return since when a table has rows.

    Parameters
    ----------
    rows : ir.Table
        Canonical columns.
    table : Table
        Its declaration.

    Returns
    -------
    ir.Table
        One row, `begins_on`: missing where there are none. It says nothing about a cut-off before
        that day, whatever comes later.

    Raises
    ------
    InputError
        If its rows have no date.
    """
    return rows.agg(begins_on=_appeared(rows, table).min())


def known_rows(moments: ir.Table, rows: ir.Table, reading: Reading) -> tuple[ir.Table, list[str]]:
    """Join to each account and cut-off the rows that were known, as they were known.

    Parameters
    ----------
    moments : ir.Table
        `account_id`, `cutoff_on`, `age_days`, `start_on`.
    rows : ir.Table
        From `reduced`.
    reading : Reading
        How it was read.

    Returns
    -------
    ir.Table
        The columns of `moments`, `ago_days`, and the columns used under other names.
    list of str
        The columns used, under their own names.
    """
    used = [*(reading.by or ()), ROWS] if reading.by is not None else list(reading.columns)
    held = rows.select("appeared_on", **{_ROW + c: rows[c] for c in [ACCOUNT, *used] if c in rows})
    on: list[ir.BooleanValue] = []  # plain comparisons of both sides, which engines join by hashes
    if reading.lookback_days is not None:
        past = held.appeared_on + ibis.interval(days=reading.lookback_days)
        held = held.mutate(past_on=past.cast("date"))
        on = [held.past_on > moments[CUTOFF]]
    if _ROW + ACCOUNT in held.columns:
        on = [moments[ACCOUNT] == held[_ROW + ACCOUNT], *on]
    joined = moments.left_join(held, [*on, held.appeared_on <= moments[CUTOFF]])
    joined = joined.mutate(ago_days=joined[CUTOFF].delta(joined.appeared_on, unit="day"))
    return joined.mutate(**_late(joined, reading)), used


def names_in(columns: Sequence[str]) -> dict[str, str]:
    """Return what the columns of a table are called in the rows known.

    Parameters
    ----------
    columns : sequence of str
        As `known_rows` gives them.

    Returns
    -------
    dict of str to str
        For `Known`.
    """
    return {c: _ROW + c for c in columns}


def _appeared(rows: ir.Table, table: Table) -> ir.DateValue:
    appeared = moment(rows, table)
    if appeared is None:
        raise InputError(f"{table.name}: rows have no date, so nobody knows since when")
    return appeared.cast("date")


def _late(joined: ir.Table, reading: Reading) -> dict[str, ir.Value]:
    """Erase what became known only after the cut-off."""
    erased = {}
    for name in () if reading.by is not None else reading.columns:
        column = reading.table.column(name)
        if column is not None and column.known_by is not None:
            since = joined[_ROW + column.known_by].cast("date")
            value = joined[_ROW + name]
            erased[_ROW + name] = ibis.ifelse(
                since <= joined[CUTOFF], value, ibis.null(value.type())
            )
    return erased
