"""Stretches of time, such as subscriptions, as a day in each period at whose end they last."""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from csa.analysis.cohorts.clock import Clock


def active_days(rows: ir.Table, *, clock: Clock, as_of: date) -> ir.Table:
    """Turn stretches into the days that cohorts are counted from; leave days as they are.

    Parameters
    ----------
    rows : ir.Table
        With `day`; stretches also have `until` (first day no longer active; missing while
        running) and `start` (of the unit).
    clock : Clock
        Periods.
    as_of : date
        Last day that is known.

    Returns
    -------
    ir.Table
        The same columns but `until`. A stretch is active in the periods at whose end it is in
        force; in the one that holds `as_of`, if it is in force on that day. A unit without any
        such period keeps one row without a day.
    """
    if "until" not in rows.columns:
        return rows
    rows = rows.mutate(**{c: rows[c].cast("date") for c in ("day", "until", "start")})
    after = ibis.literal(as_of + timedelta(days=1))
    ended = rows.until.notnull() & (rows.until < after)
    known = rows.filter(rows.day.isnull() | (rows.day < after))
    running = ~ended
    if clock.calendar:
        first = clock.number(known.day)
        last = ibis.ifelse(running, clock.number_of(as_of) + 1, clock.number(known.until))
    else:
        first = clock.age(known.day, known.start)
        now = clock.age(ibis.literal(as_of), known.start)
        last = ibis.ifelse(running, now + 1, clock.age(known.until, known.start))
    spans = known.mutate(first=ibis.greatest(first, 0), last=last.cast("int64"))
    none = spans.filter(spans.day.isnull() | (spans.first >= spans.last))
    some = spans.filter(spans.first < spans.last)
    each = some.mutate(period=ibis.range(some.first, some.last).unnest())
    keep = [c for c in rows.columns if c not in {"day", "until"}]
    return ibis.union(
        each.select(*keep, day=_day_of(each, clock)),
        none.select(*keep, day=ibis.null("date")),
    )


def _day_of(each: ir.Table, clock: Clock) -> ir.DateValue:
    """Pick a day that the clock reads as the numbered period."""
    if clock.kind == "month":
        return ibis.date((each.period // 12).cast("int32"), (each.period % 12 + 1).cast("int32"), 1)
    if clock.kind == "week":
        days = each.period * 7
        return ibis.literal(clock.first_day(0)) + days.as_interval("D")
    return each.start + (each.period * clock.window_days).as_interval("D")
