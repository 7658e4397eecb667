"""Purchases of buyers told by date, for the model that knows weeks and new customers.

All it needs beside frequency, recency and age is how many repeat purchases fell on each day, and
how many at each age of a customer: two short lists, made in one pass.
"""

import ibis
import ibis.expr.types as ir
import numpy as np

from csa.analysis.clv.purchase_days import bought
from csa.analysis.clv.rfm import Rfm
from csa.methods.btyd.counts import FloatArray
from csa.methods.btyd.dated import DatedFit, fit_dated


def dated_fit(purchases: ir.Table, summary: Rfm) -> DatedFit:
    """Fit BG/NBD with its clock to the calibration of a summary.

    Parameters
    ----------
    purchases : ir.Table
        The roll-up the summary was made from.
    summary : Rfm
        Its customers to the end of its calibration.

    Returns
    -------
    DatedFit
        In the unit of the summary.
    """
    return fit_dated(summary.counts, *repeat_days(purchases, summary))


def repeat_days(purchases: ir.Table, summary: Rfm) -> tuple[FloatArray, FloatArray]:
    """Count the repeat purchases of the calibration by day, and by age of the customer.

    Parameters
    ----------
    purchases : ir.Table
        The roll-up the summary was made from.
    summary : Rfm
        Its customers to the end of its calibration.

    Returns
    -------
    ndarray of float
        By days before the end of the calibration, 0 for the last day.
    ndarray of float
        By days after the customer's first purchase; nothing at 0.
    """
    end = summary.calibration_end
    days = bought(purchases, summary.as_of, end)
    days = days.filter(days.day <= end, days.left_then.notnull())
    later = days.inner_join(summary.customers.select("account_id", "first_on"), "account_id")
    later = later.filter(later.day > later.first_on)
    told = later.select(
        back=ibis.literal(end).delta(later.day, unit="day").cast("int64"),
        age=later.day.delta(later.first_on, unit="day").cast("int64"),
    )
    frame = told.group_by(["back", "age"]).agg(n=told.count()).to_pandas()
    back, age, n = (frame[name].to_numpy() for name in ("back", "age", "n"))
    longest = int(summary.table["age_days"].max()) if len(summary.table) else 0
    sums = [np.bincount(at.astype(np.int64), n, longest + 1) for at in (back, age)]
    return sums[0].astype(np.float64), sums[1].astype(np.float64)
