"""Which customers without a contract buy faster, and which leave sooner, by what is known of them.

One model with the group as a covariate of both processes (Pareto/NBD), instead of one per group:
what groups share is learned from all, and fast buyers are told apart from loyal ones, which a mean
of purchases per group is not able to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.rfm import Rfm, rfm
from csa.analysis.clv.value_models import log_slopes
from csa.methods.btyd.covariates import CovariateFit, fit_with_covariates
from csa.methods.btyd.covariates_likelihood import Design
from csa.methods.btyd.model import Diagnosis, Fit
from csa.methods.btyd.pareto_nbd import PARETO_NBD, expected_purchases, fit_pareto_nbd
from csa.methods.intervals import normal_quantile

FloatArray = NDArray[np.float64]

YEAR: Final = 365.25
FEW: Final = 8  # customers who bought again, below which a group has no effects of its own
STARTS: Final = 2
TOO_FEW: Final = "fewer than 8 customers bought again"
FIGURES: Final = (
    *("buys", "buys_low", "buys_high", "leaves", "leaves_low", "leaves_high"),
    *("first_year", "first_year_low", "first_year_high", "stays", "stays_low", "stays_high"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BuyerGroups:
    """How fast groups of customers buy, and how soon they leave.

    Attributes
    ----------
    table : DataFrame
        Per group, the largest first: `group`, `customers`, `again` (of them bought again), `buys`
        and `leaves` (rates of purchases and of leaving, times those of an average customer),
        `first_year` (repeat purchases expected of a new customer in a year) and `stays` (share
        still there after a year), each with `_low` and `_high`, missing where unclear; `status`,
        `reason`.
    p_buys, p_leaves : float or None
        Of the hypothesis that all groups buy, or leave, at the same rate.
    fit : CovariateFit or None
        None with fewer than two groups to compare.
    as_of : date
        Last day known.
    confidence : float
        Level of the intervals.
    status, reason : str
        "ok", or "unclear" and why.
    """

    table: pd.DataFrame
    p_buys: float | None
    p_leaves: float | None
    fit: CovariateFit | None
    as_of: date
    confidence: float
    status: Literal["ok", "unclear"]
    reason: str


def buyer_groups(
    purchases: ir.Table | pd.DataFrame,
    *,
    as_of: date,
    by: str = "group",
    unit_days: float = 7.0,
    confidence: float = 0.95,
) -> BuyerGroups:
    """Compare groups of customers by how fast they buy and how soon they leave.

    Parameters
    ----------
    purchases : ir.Table or DataFrame, one row per account and day
        The roll-up of purchases with `by`.
    as_of : date
        Last day known.
    by : str
        Column of the group: segment, channel, region. It must have been known from the first day
        on, else those who stay long enough to get into a group seem to stay because of it.
    unit_days : float
        Length of the unit of time of the fit, days.
    confidence : float
        Level of the intervals.

    Returns
    -------
    BuyerGroups
        Groups of whom fewer than 8 customers bought again are listed without figures.

    Raises
    ------
    InputError
        As for `rfm`.

    Notes
    -----
    Fader and Hardie (2007): customers of group g buy at a rate exp(γ_g) times, and leave at a rate
    exp(δ_g) times that of the average customer (geometric mean over customers). Intervals by the
    delta method on the logarithm, of `stays` on that of its cumulative hazard; p-values by the
    likelihood ratio.
    """
    summary = rfm(purchases, as_of=as_of, unit_days=unit_days, by=[by])
    table = _listed(summary, by)
    usable = list(table.loc[table["reason"] == "", "group"])
    ends = {"as_of": as_of, "confidence": confidence}
    if len(usable) < 2:
        why = "fewer than two groups have 8 customers who bought again"
        return _unclear(table, why, **ends)  # type: ignore[arg-type]
    rows = summary.table
    parts = [summary.counts_of(rows[rows[by].astype(str) == group]) for group in usable]
    among = rows[rows[by].astype(str).isin(usable)]
    plain = fit_pareto_nbd(summary.counts_of(among), starts=STARTS)
    stay = str(Diagnosis.NOBODY_LEAVES) in plain.diagnosis
    columns = np.eye(len(usable))[:, 1:]
    groups = Design(tuple(usable[1:]), columns)
    none = Design((), np.zeros((len(usable), 0)))
    fit = fit_with_covariates(
        PARETO_NBD, parts, purchase=groups, leave=none if stay else groups, starts=STARTS
    )
    weight = np.array([part.n for part in parts])
    found = _figures(fit, columns, weight, (YEAR / unit_days, confidence))
    told = table.set_index("group")
    told.loc[usable, list(FIGURES)] = found
    reason = Diagnosis.NOBODY_LEAVES if stay else fit.reason
    return BuyerGroups(
        table=told.reset_index(),
        p_buys=fit.p_values["purchase"],
        p_leaves=fit.p_values.get("leave"),
        fit=fit,
        **ends,  # type: ignore[arg-type]
        status="unclear" if reason else "ok",
        reason=str(reason),
    )


def _listed(summary: Rfm, by: str) -> pd.DataFrame:
    """List the groups, the largest first, without figures."""
    rows = summary.table
    frame = pd.DataFrame(
        {
            "group": rows[by].astype(str),
            "customers": rows["weight"],
            "again": rows["weight"].where(rows["frequency"] > 0, 0),
        }
    )
    table = frame.groupby("group", as_index=False).sum()
    table = table.sort_values(["customers", "group"], ascending=[False, True], ignore_index=True)
    few = table["again"] < FEW
    return table.assign(
        **dict.fromkeys(FIGURES, np.nan),
        status=np.where(few, "unclear", "ok"),
        reason=np.where(few, TOO_FEW, ""),
    )


def _unclear(table: pd.DataFrame, why: str, *, as_of: date, confidence: float) -> BuyerGroups:
    return BuyerGroups(
        table=table,
        p_buys=None,
        p_leaves=None,
        fit=None,
        as_of=as_of,
        confidence=confidence,
        status="unclear",
        reason=why,
    )


def _figures(
    fit: CovariateFit, columns: FloatArray, weight: FloatArray, terms: tuple[float, float]
) -> FloatArray:
    """Work out all figures with their limits, a row per group."""
    year, confidence = terms
    z, size = normal_quantile(confidence), columns.shape[1]
    against = columns - weight @ columns / weight.sum()
    rows = [_ratios(fit, against, slice(4, 4 + size), z)]
    left = slice(4 + size, 4 + 2 * size)
    missing = np.full((len(columns), 3), np.nan)
    rows.append(_ratios(fit, against, left, z) if fit.covariates[1] else missing)
    each = [fit.at(row, row if fit.covariates[1] else ()) for row in columns]
    rows.append(np.array([_first_year(one, year, z) for one in each]))
    rows.append(np.array([_stays(one, year, z) for one in each]))
    return np.hstack(rows)


def _ratios(fit: CovariateFit, against: FloatArray, which: slice, z: float) -> FloatArray:
    """Tell rates as multiples of the average customer's; missing where an effect has no bound."""
    if (fit.errors[which] == 0).any():
        return np.full((len(against), 3), np.nan)
    middle = against @ fit.estimates[which]
    spread = np.sqrt(
        np.einsum("ij,jk,ik->i", against, fit.covariance[which, which], against).clip(0.0)
    )
    logs = np.column_stack([middle, middle - z * spread, middle + z * spread])
    return np.asarray(np.exp(logs))


def _first_year(fit: Fit, year: float, z: float) -> FloatArray:
    """Expect the repeat purchases of a new customer in a year."""

    def purchases(at: Fit) -> FloatArray:
        return np.atleast_1d(expected_purchases(at, year))

    return _by_logarithm(fit, purchases, z)


def _by_logarithm(fit: Fit, figure: Callable[[Fit], FloatArray], z: float) -> FloatArray:
    value = figure(fit)
    slope = log_slopes(fit, figure, value)[0]
    half = z * np.sqrt(slope @ fit.covariance @ slope)
    return np.asarray(value[0] * np.exp([0.0, -half, half]))


def _stays(fit: Fit, year: float, z: float) -> FloatArray:
    """Tell the share of customers who are still there after a year."""
    s, beta = fit.values("s", "beta")
    grown = np.log1p(year / beta)
    slope = np.array([0.0, 0.0, 1.0, -year / (beta + year) / grown])
    half = z * np.sqrt(slope @ fit.covariance @ slope)
    return np.asarray(np.exp(-s * grown * np.exp([0.0, half, -half])))
