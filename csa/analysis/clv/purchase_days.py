"""Days of purchases as they were known on a day, and one row per account of them."""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

BOUGHT = ("purchase", "free")


def bought(table: ir.Table, as_of: date, end: date) -> ir.Table:
    """Days that bought: what is left of them as known at the end of calibration, and of all.

    Parameters
    ----------
    table : ir.Table
        The roll-up of purchases, or days with `account_id`, `day`, `amount_minor`.
    as_of, end : date
        Last day known, and last day of the calibration.

    Returns
    -------
    ir.Table
        The columns of the roll-up with `left` and `left_then`, missing where nothing is left.
    """
    table = table.mutate(day=table.day.cast("date"))
    table = table.filter(table.account_id.notnull(), table.day <= as_of)
    if "kind" not in table.columns:
        return table.mutate(left=table.amount_minor, left_then=table.amount_minor)
    plain = table.filter(table.balance_minor.isnull())  # without refunds every day is kept
    plain = plain.mutate(left=plain.amount_minor, left_then=plain.amount_minor)
    pile = table.filter(table.balance_minor.notnull())
    pile = pile.mutate(left=_left(pile, as_of), left_then=_left(pile, end))
    pile = pile.filter(pile.left.notnull() | pile.left_then.notnull())
    return ibis.union(plain, pile.select(plain.columns))


def _left(pile: ir.Table, end: date) -> ir.IntegerValue:
    """Tell what is left of each day's purchase on a later day; missing where nothing is."""
    line = {"group_by": "account_id", "order_by": "day", "rows": (0, None)}
    known = ibis.ifelse(pile.day <= end, pile.balance_minor, ibis.null("int64"))
    left = known.min().over(**line) - pile.balance_minor + pile.net_minor + pile.unmatched_minor
    free = (pile.net_minor == 0) & (pile.refund_minor == 0) & pile.kind.isin(BOUGHT)
    return ibis.cases(
        (pile.day > end, ibis.null("int64")),
        (free, 0),
        ((pile.net_minor > 0) & (left > 0), left),
        else_=ibis.null("int64"),
    ).cast("int64")


def per_account(days: ir.Table, as_of: date, end: date, by: Sequence[str]) -> ir.Table:
    """Summarise calibration and holdout of each account in one GROUP BY.

    Parameters
    ----------
    days : ir.Table
        As `bought` gives them.
    as_of, end : date
        Last day known, and last day of the calibration.
    by : sequence of str
        Columns that tell groups of accounts apart.

    Returns
    -------
    ir.Table
        One row per account, narrow, as it is held in memory; `first_on` is missing where everything
        came in the holdout, and what came in the holdout where there is none.
    """
    inside = (days.day <= end) & days.left_then.notnull() if end < as_of else None
    after = (days.day > end) & days.left.notnull()
    sums = {
        "n": days.left_then.count(where=inside),
        "first_on": days.day.min(where=inside),
        "last_on": days.day.max(where=inside),
        "total": days.left_then.sum(where=inside),
        "head": days.left_then.argmin(days.day, where=inside),
    }
    if end < as_of:
        window = (days.day > end - (as_of - end)) & inside
        sums["recent"] = days.left_then.count(where=window)
        sums["holdout_frequency"] = days.left.count(where=after)
        sums["holdout_minor"] = days.left.sum(where=after).fill_null(0)
    one = days.group_by(["account_id", *by]).agg(**sums)
    mean = (one.total - one["head"]) / ibis.ifelse(one.n > 1, one.n - 1, ibis.null("int64"))
    figures = {
        "frequency": (one.n - 1).cast("int32"),
        "recency_days": one.last_on.delta(one.first_on, unit="day").cast("int32"),
        "age_days": ibis.literal(end).delta(one.first_on, unit="day").cast("int32"),
        "mean_minor": mean.cast("float64"),
    }
    return one.select("account_id", *by, "first_on", **figures, **_later(one, as_of, end))


def _later(one: ir.Table, as_of: date, end: date) -> dict[str, ir.Value]:
    """Give what came in the holdout and in as many days before it, where there is one."""
    if end == as_of:
        return {}
    first_too = (one.first_on > end - (as_of - end)).ifelse(1, 0)  # the first is no repeat
    return {
        "recent_frequency": ibis.greatest(one.recent - first_too, 0).cast("int32"),
        "holdout_frequency": one.holdout_frequency.cast("int32"),
        "holdout_minor": one.holdout_minor.cast("int64"),
    }


def came_later(seen: ir.Table) -> ir.Table:
    """Sum what accounts bought that the calibration knows nothing of.

    Parameters
    ----------
    seen : ir.Table
        As `per_account` gives it.

    Returns
    -------
    ir.Table
        One row: `customers`, `purchases`, `minor`.
    """
    new = seen.filter(seen.first_on.isnull())
    if "holdout_minor" not in seen.columns:  # nothing is later
        none = ibis.literal(0, "int64")
        new = new.mutate(holdout_frequency=none, holdout_minor=none)
    return new.agg(
        customers=new.count(),
        purchases=new.holdout_frequency.sum().fill_null(0),
        minor=new.holdout_minor.sum().fill_null(0),
    )


def customers(seen: ir.Table) -> ir.Table:
    """Take the accounts that bought in the calibration.

    Parameters
    ----------
    seen : ir.Table
        As `per_account` gives it.

    Returns
    -------
    ir.Table
        Its rows with a first day.
    """
    return seen.filter(seen.first_on.notnull())
