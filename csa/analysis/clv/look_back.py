"""How far back a value can be foretold and held against what came."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd


def months_to_look_back(months: ir.Table, *, as_of: date, longest: int) -> int:
    """Months to go back: as many as asked for, at most half of those that were observed.

    Parameters
    ----------
    months : ir.Table
        Roll-up `account_months`: `month`, and `observed_from` (missing: always).
    as_of : date
        Last day known.
    longest : int
        Months wanted.

    Returns
    -------
    int
        1 or more: what is learnt from must be as long as what is foretold.
    """
    seen = months.observed_from.cast("date")
    since = (seen.year() * 12 + seen.month() - 1).cast("int64")
    first = ibis.greatest(months.month, since.fill_null(0)).min().execute()
    if first is None or pd.isna(first):
        return longest
    observed = as_of.year * 12 + as_of.month - int(first)
    return max(min(longest, observed // 2), 1)
