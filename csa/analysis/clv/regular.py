"""Gaps between purchases of buyers, for the model that knows regular ones."""

import ibis.expr.types as ir

from csa.analysis.clv.purchase_days import bought
from csa.analysis.clv.rfm import Rfm
from csa.methods.btyd.regular import RegularFit, fit_regular


def regular_fit(purchases: ir.Table, summary: Rfm) -> RegularFit:
    """Fit MBG/CNBD-k to the calibration of a summary.

    Parameters
    ----------
    purchases : ir.Table
        The roll-up the summary was made from.
    summary : Rfm
        Its customers to the end of its calibration.

    Returns
    -------
    RegularFit
        In the unit of the summary.
    """
    return fit_regular(summary.counts, log_gaps(purchases, summary))


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
    end = summary.calibration_end
    days = bought(purchases, summary.as_of, end)
    days = days.filter(days.day <= end, days.left_then.notnull())
    before = days.day.lag().over(group_by="account_id", order_by="day")
    gaps = days.select(gap=days.day.delta(before, unit="day"))
    gaps = gaps.filter(gaps.gap.notnull())
    logs = gaps.agg(total=(gaps.gap / summary.unit_days).ln().sum().fill_null(0.0)).to_pandas()
    return float(logs["total"].iloc[0])
