"""Purchases week by week, or in any unit: what came, and what a fit expected of everybody.

The customers of the calibration are followed from the first of them on. Each counts from his own
first purchase, so a cohort that joins over months is added up as it joined. Only repeat purchases
are counted: that a customer comes at all is no business of these models.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.clv.models import MODELS, BuyerModel
from csa.analysis.clv.purchase_days import bought
from csa.analysis.clv.rfm import Rfm
from csa.methods.btyd.counts import FloatArray
from csa.methods.btyd.model import Fit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracking:
    """Repeat purchases of the customers of the calibration, per period and added up.

    Attributes
    ----------
    table : DataFrame
        One row per period: `period` (1: the first), `ends_after` (units since the first purchase
        of all), `ends_on` (last day), `complete` (whether it is over; the last may be cut short,
        and is expected to bring only its part), `holdout` (whether it ends after calibration),
        `actual`, `actual_total`, and per model `<model>`, `<model> total`. A border within a day
        shares its purchases.
    errors : DataFrame
        `model`, `cumulative` (largest distance of totals, share of the actual total then, once a
        tenth has come), `holdout` (mean absolute distance of whole periods, share of their mean).
    unit_days : float
        Length of a period, days.
    """

    table: pd.DataFrame
    errors: pd.DataFrame
    unit_days: float


def tracking(
    purchases: ir.Table,
    summary: Rfm,
    fits: Mapping[str, Fit],
    *,
    models: tuple[BuyerModel, ...] = MODELS,
) -> Tracking:
    """Follow the customers of a summary through calibration and holdout.

    Parameters
    ----------
    purchases : ir.Table
        The roll-up the summary was made from.
    summary : Rfm
        Its customers are followed to its `as_of`, in periods of its unit.
    fits : mapping of str to Fit
        By name of model, as a scorecard holds them.
    models : tuple of BuyerModel
        Where the names are looked up.

    Returns
    -------
    Tracking
        Empty without customers.
    """
    born = summary.table.groupby("age_days", as_index=False)["weight"].sum()
    if born.empty:
        empty = pd.DataFrame({"period": [], "actual": []})
        return Tracking(table=empty, errors=pd.DataFrame(), unit_days=summary.unit_days)
    oldest = int(born["age_days"].max())
    whole = oldest + (summary.as_of - summary.calibration_end).days + 1  # both days included
    ends = _ends(whole, summary.unit_days)
    per_day = _repeats(purchases, summary, whole)
    table = _periods(ends, whole, oldest, summary)
    table["actual_total"] = np.interp(ends, np.arange(whole + 1), np.cumsum([0.0, *per_day]))
    table["actual"] = np.diff(table["actual_total"], prepend=0.0)
    late = (oldest - born["age_days"].to_numpy()) / summary.unit_days
    named = {model.name: model for model in models}
    for name, fit in fits.items():
        if fit.parameters:
            total = _expected(named[name], fit, ends / summary.unit_days, late, born["weight"])
            table[f"{name} total"] = total
            table[name] = np.diff(total, prepend=0.0)
    told = [name for name in fits if name in table]
    return Tracking(table=table, errors=_errors(table, told), unit_days=summary.unit_days)


def _ends(whole: int, unit_days: float) -> FloatArray:
    """End each period, in days since the first purchase; the last may be cut short."""
    periods = max(int(np.ceil(whole / unit_days - 1e-9)), 1)
    ends: FloatArray = np.minimum(np.arange(1, periods + 1) * unit_days, whole)
    return ends


def _repeats(purchases: ir.Table, summary: Rfm, whole: int) -> FloatArray:
    """Repeat purchases of the customers on each day since the first of all."""
    known = summary.customers.select("account_id", "first_on")
    days = bought(purchases, summary.as_of, summary.calibration_end)
    then = days.day <= summary.calibration_end
    days = days.filter(ibis.ifelse(then, days.left_then, days.left) >= 0)
    later = days.inner_join(known, "account_id")
    later = later.filter(later.day > later.first_on)
    back = ibis.literal(summary.as_of).delta(later.day, unit="day")
    frame = later.group_by(back=back).agg(n=lambda t: t.count()).to_pandas()
    day = whole - 1 - frame["back"].to_numpy(dtype=np.int64)
    counted: FloatArray = np.bincount(day, frame["n"], minlength=whole).astype(np.float64)
    return counted


def _periods(ends: FloatArray, whole: int, oldest: int, summary: Rfm) -> pd.DataFrame:
    last_on = [summary.as_of - pd.Timedelta(days=int(whole - np.ceil(end))) for end in ends]
    started = np.arange(len(ends)) * summary.unit_days
    return pd.DataFrame(
        {
            "period": np.arange(1, len(ends) + 1),
            "ends_after": ends / summary.unit_days,
            "ends_on": pd.to_datetime(last_on),
            "complete": ends - started > summary.unit_days - 1e-6,
            "holdout": ends > oldest + 1,
        }
    )


def _expected(
    model: BuyerModel, fit: Fit, at: FloatArray, late: FloatArray, weight: "pd.Series[float]"
) -> FloatArray:
    """Add up E[X(t)] over the days on which customers joined."""
    since = np.maximum(at[:, None] - late[None, :], 0.0)
    times, place = np.unique(since, return_inverse=True)
    each = model.expected(fit, times)[place].reshape(since.shape)
    total: FloatArray = each @ weight.to_numpy(dtype=np.float64)
    return total


def _errors(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    come = table["actual_total"]
    judged = (come > 0) & (come >= come.max() / 10)
    held = table["holdout"] & table["complete"]
    rows = []
    for name in names:
        apart = ((table[f"{name} total"] - come).abs() / come.where(come > 0))[judged]
        mean = table["actual"][held].mean()
        off = (table[name] - table["actual"]).abs()[held].mean()
        share = off / mean if held.any() and mean else np.nan
        rows.append({"model": name, "cumulative": apart.max(), "holdout": share})
    return pd.DataFrame(rows, columns=["model", "cumulative", "holdout"])
