"""What the accounts that paid at the start of a window pay at its end: sums with replicates."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from csa.analysis.revenue.drawn import KEYS, Drawn, Draws, Window, asked_for, draw, with_bins


def locked_sums(rows: ir.Table, windows: Sequence[Window], *, draws: Draws | None = None) -> Drawn:
    """Follow the accounts that paid at the start of each window to its end.

    Parameters
    ----------
    rows : ir.Table
        From `csa.analysis.revenue.months.as_months`.
    windows : sequence of tuple of int
        First and last month; the start is the end of the month before the first.
    draws : Draws, optional
        Replicates and seed.

    Returns
    -------
    Drawn
        Accounts (`n`), what they paid at the `start` and pay at the `end`, what they `kept` of
        the start (the lower of both), how many pay nothing at the end (`lost`), the `square` of
        the start, and accounts left out (`not_observed`).

    Notes
    -----
    Accounts under observation only from the first day of a window on are left out: who left
    before was never recorded.
    """
    asked = asked_for(windows)
    firsts, lasts = ({window[end] for window in windows} for end in (0, 1))
    paid = rows.filter(rows.previous_minor > 0, rows.month.isin(firsts))
    begun = paid.inner_join(asked, paid.month == asked.first).select(
        "group", "account_id", "window", "last", "opens", "observed_from", start="previous_minor"
    )
    after = rows.filter(rows.mrr_minor > 0, rows.month.isin(lasts)).select(
        end_account=rows.account_id, end_month=rows.month, end=rows.mrr_minor
    )
    both = begun.left_join(
        after, (begun.account_id == after.end_account) & (begun.last == after.end_month)
    )
    each = with_bins(both.mutate(end=ibis.coalesce(both.end, 0)), rows)
    seen = ibis.coalesce(each.observed_from < each.opens, True)
    start, end = each.start.cast("float64"), each.end.cast("float64")
    sums = each.group_by(*KEYS).agg(
        n=seen.sum(),
        start=start.sum(where=seen),
        end=end.sum(where=seen),
        kept=ibis.least(start, end).sum(where=seen),
        lost=(seen & (each.end <= 0)).sum(),
        square=(start * start).sum(where=seen),
        not_observed=(~seen).sum(),
    )
    return draw(sums.to_pandas(), len(windows), draws)
