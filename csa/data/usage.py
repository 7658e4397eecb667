"""Roll-ups of usage: `user_days`, one row per person and day, and `feature_months`.

One scan and a plain GROUP BY each, by the border rules of `csa.data.rollups`: the local day is
taken once from the local time that the tables hold, seconds become whole milliseconds before they
are summed. Both are kept in parts of days (`csa.data.parts`): a day is in one part only, and the
parts of a month that is not over yet are put together by `months_together`.
"""

from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from csa.data.calendar_months import month_number

if TYPE_CHECKING:
    from csa.data.rollups import RollupContext

USER_DAYS = ("account_id", "user_id", "day", "events", "seconds", "sessions")
FEATURE_MONTHS = ("account_id", "user_id", "feature", "month", "first_day", "days", "events")
# Ibis has no word for it on Spark, which has the function
_bit_or = ibis.udf.agg.builtin(lambda word: ..., name="bit_or", signature=((dt.int64,), dt.int64))
_LONGEST = 1e9  # seconds of one use; more, or less than none, is a slip and taken as not stated


def user_days(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Days on which a person, or an account without one, used the product.

    Parameters
    ----------
    table : ir.Table
        The table `usage_events`; `user_id`, `seconds` and `session_id` may be absent.
    ctx : RollupContext
        Last known day.

    Returns
    -------
    ir.Table
        One row per `account_id`, `user_id` (missing where events name none: the day counts for
        the account, not for users) and `day`: `events` (rows), `seconds` (sum, half up to whole
        seconds; missing where no event states any), `sessions` (distinct session ids seen that
        day). Events without an account or a time are left out.
    """
    rows = _dated(table, ctx)
    seconds = _column(rows, "seconds", "float64")
    stated = (seconds >= 0) & (seconds < _LONGEST)
    milli = (ibis.ifelse(stated, seconds, ibis.null("float64")) * 1000 + 0.5).floor()
    rows = rows.select(
        "account_id",
        "day",
        user_id=_column(rows, "user_id", "string"),
        milli=milli.cast("int64"),
        **({"session_id": rows.session_id} if "session_id" in rows.columns else {}),
    )
    none = ibis.literal(0)  # a distinct count costs, also of nothing
    sessions = rows.session_id.nunique() if "session_id" in rows.columns else none
    one = rows.group_by("account_id", "user_id", "day").agg(
        events=rows.count().cast("int64"),
        milli=_whole(rows.milli.sum()),
        sessions=sessions.cast("int64"),
    )
    return one.mutate(seconds=((one.milli + 500) // 1000).cast("int64")).select(*USER_DAYS)


def feature_months(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Months in which a person used a feature.

    Parameters
    ----------
    table : ir.Table
        The table `usage_events`; `user_id` may be absent.
    ctx : RollupContext
        Last known day.

    Returns
    -------
    ir.Table
        One row per `account_id`, `user_id` (missing where events name none), `feature` and
        `month` (year x 12 + month - 1): `first_day` of use in the month, `days` of use, `events`.
        Events without an account, a time or a feature are left out.
    """
    rows = _dated(table, ctx)
    rows = rows.select(
        "account_id",
        "day",
        user_id=_column(rows, "user_id", "string"),
        feature=_column(rows, "feature", "string"),
    )
    rows = rows.drop_null("feature").mutate(month=month_number(rows.day))
    # bits instead of a distinct; by way of int16, or Ibis would leave Postgres its decimal
    place = rows.day.day().cast("int16").cast("int32") - 1
    date_bit = ibis.literal(1, "int64") << place
    months = rows.group_by("account_id", "user_id", "feature", "month").agg(
        first_day=rows.day.min(),
        dates=_whole(_bit_or(date_bit)),
        events=rows.count().cast("int64"),
    )
    return months.mutate(days=_bits_set(months.dates)).select(*FEATURE_MONTHS)


def months_together(parts: ir.Table) -> ir.Table:
    """Put rows of the same person, feature and month together that come from different days.

    Parameters
    ----------
    parts : ir.Table
        Rows as `feature_months` gives them, no day twice.

    Returns
    -------
    ir.Table
        As `feature_months` gives them.
    """
    months = parts.group_by("account_id", "user_id", "feature", "month").agg(
        first_day=parts.first_day.min(),
        days=_whole(parts.days.sum()),
        events=_whole(parts.events.sum()),
    )
    return months.select(*FEATURE_MONTHS)


def days_together(parts: ir.Table) -> ir.Table:
    """Put rows together that come from different days: of `user_days` they are different rows.

    Parameters
    ----------
    parts : ir.Table
        Rows as `user_days` gives them.

    Returns
    -------
    ir.Table
        The same.
    """
    return parts


def _dated(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Events of accounts with their local day, as known on the last day."""
    rows = table.mutate(day=table.occurred_at.cast("date"))
    return rows.filter(rows.account_id.notnull(), rows.day <= ctx.as_of)


def _column(rows: ir.Table, name: str, kind: str) -> ir.Value:
    return rows[name] if name in rows.columns else ibis.null(kind)


def _whole(value: ir.NumericValue) -> ir.IntegerValue:
    """Give sums of integers, wider on some engines, 64 bits: Ibis takes the cast for needless."""
    return value.cast("decimal(18,0)").cast("int64")


def _bits_set(word: ir.IntegerValue) -> ir.IntegerValue:
    """Count the bits of a word of 31, side by side: not every engine has a function for it."""
    pairs = word - (word >> 1 & 0x55555555)
    fours = (pairs & 0x33333333) + (pairs >> 2 & 0x33333333)
    eights = fours + (fours >> 4) & 0x0F0F0F0F
    return (eights * 0x01010101 >> 24 & 0xFF).cast("int64")
