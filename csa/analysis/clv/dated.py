"""Purchases of buyers told by date, for the models that know weeks, new customers or even gaps.

All they need beside frequency, recency and age is how many repeat purchases fell on each day, and
how many at each age of a customer, two short lists; or how long the gaps were, one sum.
"""

import ibis
import ibis.expr.types as ir
import numpy as np

from csa.analysis.clv.purchase_days import bought
from csa.analysis.clv.rfm import Rfm
from csa.methods.btyd.counts import FloatArray


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
    end, days = summary.calibration_end, _of_calibration(purchases, summary)
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


def log_gaps(purchases: ir.Table, summary: Rfm) -> float:
    """Add up the logarithms of the times from purchase to purchase in the calibration.

    Parameters
    ----------
    purchases : ir.Table
        The roll-up the summary was made from.
    summary : Rfm
        Its customers to the end of its calibration.

    Returns
    -------
    float
        Times are in the unit of the summary; 0 without a repeat purchase.
    """
    days = _of_calibration(purchases, summary)
    before = days.day.lag().over(group_by="account_id", order_by="day")
    gaps = days.select(gap=days.day.delta(before, unit="day"))
    gaps = gaps.filter(gaps.gap.notnull())
    logs = gaps.agg(total=(gaps.gap / summary.unit_days).ln().sum().fill_null(0.0)).to_pandas()
    return float(logs["total"].iloc[0])


def _of_calibration(purchases: ir.Table, summary: Rfm) -> ir.Table:
    """Days with purchases, as they were known at the end of the calibration."""
    days = bought(purchases, summary.as_of, summary.calibration_end)
    return days.filter(days.day <= summary.calibration_end, days.left_then.notnull())
