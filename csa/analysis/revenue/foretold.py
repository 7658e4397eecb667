"""Renewals as they were foretold, held against what came, and the risk in those to come."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.revenue.months import first_day, number_of
from csa.analysis.revenue.renewals import Renewals
from csa.methods.bootstrap import effective_terms, percentile_limits, poisson_sums
from csa.methods.intervals import Estimate, wilson

BEFORE_DAYS: Final = 180  # an opportunity this much before a renewal is about that renewal
AFTER_DAYS: Final = 60  # so long after the day a lost renewal may be closed
FEWEST: Final = 10
SEED: Final = 20_600
NAN: Final = float("nan")
NOTHING: Final = Estimate(NAN, NAN, NAN)
PREDICTED: Final = ("account_id", "made_on", "horizon_days", "value")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Foretold:
    """What was foretold of the settled renewals of the history, and what came.

    `months`: `month_start`, `due` (settled), `with_forecast`, `forecast_minor`, `came_minor` (of
    those with a forecast). `accuracy`: what came over what was forecast, with limits; `error`:
    mean absolute error of a contract as a share of its forecast money. `n`: contracts with a
    forecast; `missing`: those without one. `predicted` (mean chance of leaving that the risk model
    gave before the day) beside `lost` (share lost of the same `judged` contracts, Wilson).
    """

    months: pd.DataFrame
    accuracy: Estimate
    error: float
    n: int
    missing: int
    predicted: float
    lost: Estimate
    judged: int
    confidence: float = 0.95
    status: str = "ok"
    reason: str = ""


def foretold(
    result: Renewals,
    opportunities: ir.Table | pd.DataFrame | None = None,
    predictions: ir.Table | pd.DataFrame | None = None,
) -> Foretold:
    """Hold forecasts made before the day of a renewal against what came.

    Parameters
    ----------
    result : Renewals
        From `csa.analysis.revenue.renewals.renewals`.
    opportunities : ir.Table or DataFrame, optional
        `account_id`, `kind`, `opened_on`, `closed_on`, `mrr_minor`; only renewals count.
    predictions : ir.Table or DataFrame, optional
        `account_id`, `made_on`, `horizon_days`, `value` (chance to leave): the ledger's.

    Returns
    -------
    Foretold
        "unclear" where fewer than 10 settled contracts had a forecast.

    Notes
    -----
    The forecast of a renewal is the revenue of the latest opportunity of kind renewal opened
    before the day, at most 180 days earlier. The prediction is the latest made before the day
    whose horizon reaches it. Neither can know the outcome.
    """
    settled = result.each.loc[result.each["outcome"] != "open"].reset_index(drop=True)
    forecast = _forecasts(settled, opportunities)
    chance = _chances(settled, predictions)
    came = settled["renewed_minor"].to_numpy(float)
    told = ~np.isnan(forecast)
    judged = ~np.isnan(chance)
    lost = (settled["outcome"] == "lost").to_numpy()
    n, k = int(told.sum()), int(judged.sum())
    share = wilson(int(lost[judged].sum()), k, confidence=result.confidence)
    few = f"only {n} settled renewals had a forecast" if n else "no settled renewal had a forecast"
    return Foretold(
        months=_months(settled, forecast),
        accuracy=_accuracy(forecast[told], came[told], result.confidence),
        error=_error(forecast[told], came[told]),
        n=n,
        missing=int((~told).sum()),
        predicted=float(chance[judged].mean()) if k else NAN,
        lost=Estimate(float(share.value), float(share.low), float(share.high)) if k else NOTHING,
        judged=k,
        confidence=result.confidence,
        status="ok" if n >= FEWEST else "unclear",
        reason="" if n >= FEWEST else few,
    )


def with_risk(
    due: pd.DataFrame, predictions: ir.Table | pd.DataFrame | None, *, as_of: date
) -> pd.DataFrame:
    """Put the chance to leave beside the contracts that come up.

    Parameters
    ----------
    due : DataFrame
        From `csa.analysis.revenue.renewals.due_next`.
    predictions : ir.Table or DataFrame, optional
        As for `foretold`; only those made by `as_of` count.
    as_of : date
        Last day that is known.

    Returns
    -------
    DataFrame
        With `risk` (share; NaN where no prediction reaches the day), `at_risk_minor` (risk times
        what is due).
    """
    known = _frame(predictions, PREDICTED)
    known = known.loc[[day <= as_of for day in known["made_on"]]]
    chance = _chances(due, known)
    return due.assign(risk=chance, at_risk_minor=chance * due["due_minor"].to_numpy(float))


def _forecasts(
    settled: pd.DataFrame, opportunities: ir.Table | pd.DataFrame | None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Revenue of the latest opportunity about a renewal that was open before its day."""
    columns = ("account_id", "kind", "opened_on", "closed_on", "mrr_minor")
    rows = _frame(opportunities, columns)
    rows = rows.loc[(rows["kind"] == "renewal") & rows["mrr_minor"].notna()]
    both = settled.reset_index()[["index", "account_id", "due_on"]].merge(rows, on="account_id")
    days = [
        (due - opened).days for due, opened in zip(both["due_on"], both["opened_on"], strict=True)
    ]
    late = [
        (closed - due).days if isinstance(closed, date) and not pd.isna(closed) else 0
        for due, closed in zip(both["due_on"], both["closed_on"], strict=True)
    ]
    about = (np.array(days) > 0) & (np.array(days) <= BEFORE_DAYS)
    about &= np.abs(np.array(late)) <= max(BEFORE_DAYS, AFTER_DAYS)
    latest = both.loc[about].sort_values("opened_on").groupby("index")["mrr_minor"].last()
    return latest.reindex(range(len(settled))).to_numpy(dtype=float)


def _chances(
    due: pd.DataFrame, predictions: ir.Table | pd.DataFrame | None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Latest chance to leave that was given before a day and reaches it."""
    rows = _frame(predictions, PREDICTED)
    both = due.reset_index(drop=True).reset_index()[["index", "account_id", "due_on"]]
    both = both.merge(rows, on="account_id")
    ages = np.array(
        [(d - made).days for d, made in zip(both["due_on"], both["made_on"], strict=True)]
    )
    reach = (ages > 0) & (ages <= both["horizon_days"].to_numpy(dtype=float))
    latest = both.loc[reach].sort_values("made_on").groupby("index")["value"].last()
    return latest.reindex(range(len(due))).to_numpy(dtype=float)


def _frame(rows: ir.Table | pd.DataFrame | None, columns: tuple[str, ...]) -> pd.DataFrame:
    if rows is None:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    held = ibis.memtable(rows) if isinstance(rows, pd.DataFrame) and len(rows) else rows
    found = held if isinstance(held, pd.DataFrame) else held.select(*columns).to_pandas()
    days = [name for name in columns if name.endswith("_on")]
    return found[list(columns)].assign(
        **{name: pd.to_datetime(found[name]).dt.date.astype(object) for name in days}
    )


def _accuracy(forecast: np.ndarray, came: np.ndarray, confidence: float) -> Estimate:
    if not forecast.sum() > 0:
        return NOTHING
    sums = poisson_sums(np.column_stack([came, forecast]), np.random.default_rng(SEED))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = sums[:, :1] / sums[:, 1:]
    value = np.array([came.sum() / forecast.sum()])
    few = effective_terms((came - value * forecast)[:, None])
    found = percentile_limits(value, ratio, confidence=confidence, effective=few)
    return Estimate(float(value[0]), float(found.low[0]), float(found.high[0]))


def _error(forecast: np.ndarray, came: np.ndarray) -> float:
    total = forecast.sum()
    return float(np.abs(came - forecast).sum() / total) if total > 0 else NAN


def _months(settled: pd.DataFrame, forecast: np.ndarray) -> pd.DataFrame:
    told = ~np.isnan(forecast)
    rows = settled.assign(
        month=settled["due_on"].map(number_of),
        with_forecast=told,
        forecast_minor=np.where(told, forecast, 0.0),
        came_minor=np.where(told, settled["renewed_minor"], 0.0),
    )
    found = rows.groupby("month").agg(
        due=("account_id", "size"),
        with_forecast=("with_forecast", "sum"),
        forecast_minor=("forecast_minor", "sum"),
        came_minor=("came_minor", "sum"),
    )
    return found.reset_index().assign(month_start=lambda t: t["month"].map(first_day))


def expected_loss(due: pd.DataFrame) -> tuple[float, int]:
    """Revenue that is expected to go of the contracts that come up, and how many have a risk.

    Parameters
    ----------
    due : DataFrame
        From `with_risk`.

    Returns
    -------
    tuple
        Minor units a month (NaN where no contract has a risk), and contracts with a risk.
    """
    known = due["risk"].notna()
    total = float(due.loc[known, "at_risk_minor"].sum()) if known.any() else NAN
    return total, int(known.sum())


def within(due: pd.DataFrame, *, as_of: date, days: int) -> pd.DataFrame:
    """Take the contracts that come up within so many days.

    Parameters
    ----------
    due : DataFrame
        With `due_on`.
    as_of : date
        Last day that is known.
    days : int
        How far to look ahead.

    Returns
    -------
    DataFrame
        Rows of the input.
    """
    return due.loc[[day <= as_of + timedelta(days=days) for day in due["due_on"]]]
