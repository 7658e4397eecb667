"""Predictions as they would have been made at earlier cut-offs, each model blind to what came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.boosting import BoostingModel, boosting_risk, fit_boosting
from csa.analysis.risk.model import RiskModel, fit_risk
from csa.analysis.risk.rows import as_snapshots, last_known, whole_accounts
from csa.analysis.risk.scores import score
from csa.errors import InputError

FloatArray = NDArray[np.float64]
ModelKind = Literal["hazard", "boosting"]

MOST_JUDGED = 200_000  # snapshots that predictions are made for
WARM_UP = 1 / 3  # of the cut-offs, the first, are only learned from
PREDICTED = ["account_id", "cutoff_on", "risk", "days_after", "event"]
FOLD = ["as_of", "test_from", "test_to", "n_train", "churned", "n_test", "status", "reason"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Backtest:
    """Predictions as they would have been made, ready to be evaluated.

    `predictions`: `account_id`, `cutoff_on`, `risk`, `days_after`, `event`, and `value` where the
    snapshots have an MRR. `folds`: `as_of` (last day the model knew), `test_from`, `test_to`,
    `n_train`, `churned`, `n_test`, `status`, `reason` (why a fold has no predictions).
    """

    predictions: pd.DataFrame
    folds: pd.DataFrame
    horizon_days: int
    model: ModelKind
    notes: tuple[str, ...]


def backtest(
    snapshots: ir.Table | pd.DataFrame,
    *,
    features: Sequence[str],
    horizon_days: int = 90,
    interval_days: int = 30,
    model: ModelKind = "hazard",
    refits: int = 4,
) -> Backtest:
    """Predict every later cut-off from what was known by then.

    Parameters
    ----------
    snapshots : ir.Table or DataFrame, one row per account and cut-off
        As for `fit_risk`.
    features : sequence of str
        Columns to predict from.
    horizon_days, interval_days : int
        As for `fit_risk`.
    model : {"hazard", "boosting"}
        Which model.
    refits : int
        How often the model is made anew; between refits it ages, as it would in use.

    Returns
    -------
    Backtest
        Predictions of the cut-offs whose horizon is over, but for the first third of them, and
        of blocks where too few accounts had churned by then.

    Raises
    ------
    InputError
        As for `fit_risk`, or if `refits` is below 1.

    Notes
    -----
    A rolling origin: the later cut-offs fall into `refits` blocks; the model of a block learns
    from cut-offs before its first day, and of these only from intervals that were over by then.
    """
    if refits < 1:
        raise InputError(f"refits: {refits} is below 1")
    raw = ibis.memtable(snapshots) if isinstance(snapshots, pd.DataFrame) else snapshots
    table = as_snapshots(raw, features, outcome=True)
    ripe = cutoffs_over(table, last_known(table), horizon_days)
    later = ripe[max(int(len(ripe) * WARM_UP), 1) :]
    places = [i for i in np.array_split(np.arange(len(later)), refits) if len(i)]
    blocks = [later[i[0] : i[-1] + 1] for i in places]
    setting = _Setting(tuple(features), horizon_days, interval_days, model)
    parts, folds, notes = [], [], []
    for block in blocks:
        past = between(raw, ripe[0], block[0] - timedelta(days=1))
        rows, note = whole_accounts(between(table, block[0], block[-1]), MOST_JUDGED // refits)
        risk, fold = _predicted(setting, past, rows, block[0])
        parts.append(_prediction_columns(rows, risk))
        folds.append({"as_of": block[0], "test_from": block[0], "test_to": block[-1]} | fold)
        notes.append(note)
    predictions = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PREDICTED)
    if not parts:
        notes.append(f"fewer than two cut-offs whose {horizon_days} days are over")
    return Backtest(
        predictions=predictions,
        folds=pd.DataFrame(folds, columns=FOLD),
        horizon_days=horizon_days,
        model=model,
        notes=tuple(dict.fromkeys(filter(None, notes))),
    )


class _Setting(NamedTuple):
    """What is predicted, from what."""

    features: tuple[str, ...]
    horizon_days: int
    interval_days: int
    model: ModelKind


def _predicted(
    setting: _Setting, past: ir.Table, rows: pd.DataFrame, known: date
) -> tuple[FloatArray, dict[str, object]]:
    """Risks of a block by a model of what was known, NaN where there is no such model."""
    fitted: RiskModel | BoostingModel
    fit = fit_risk if setting.model == "hazard" else fit_boosting
    fitted = fit(
        past,
        features=setting.features,
        horizon_days=setting.horizon_days,
        interval_days=setting.interval_days,
        as_of=known,
    )
    if fitted.status != "ok":
        risk = np.full(len(rows), np.nan)
    elif isinstance(fitted, RiskModel):
        risk = score(fitted, rows).table["risk"].to_numpy()
    else:
        risk = boosting_risk(fitted, rows)
    fold = {
        "n_train": fitted.n,
        "churned": fitted.churned,
        "n_test": int(np.isfinite(risk).sum()),
        "status": fitted.status,
        "reason": fitted.reason,
    }
    return risk, fold


def _prediction_columns(rows: pd.DataFrame, risk: FloatArray) -> pd.DataFrame:
    """Rows with a prediction, as an evaluation reads them."""
    found = rows.assign(risk=risk)[[*PREDICTED, *(["mrr_minor"] if "mrr_minor" in rows else [])]]
    return found[np.isfinite(risk)].rename(columns={"mrr_minor": "value"})


def cutoffs_over(table: ir.Table, last: date, horizon_days: int) -> list[date]:
    """Find the cut-offs whose horizon is over.

    Parameters
    ----------
    table : ir.Table
        Snapshots.
    last : date
        Last day known.
    horizon_days : int
        Horizon, days.

    Returns
    -------
    list of date
        In order.
    """
    days = table.select("cutoff_on").distinct().to_pandas()["cutoff_on"]
    border = last - timedelta(days=horizon_days)
    return sorted(day for day in pd.to_datetime(days).dt.date if day <= border)


def between(table: ir.Table, first: date, last: date) -> ir.Table:
    """Take the snapshots of the cut-offs from one day to another.

    Parameters
    ----------
    table : ir.Table
        Snapshots.
    first, last : date
        Both included.

    Returns
    -------
    ir.Table
        All columns.
    """
    day = table["cutoff_on"].cast("date")
    return table.filter((day >= first) & (day <= last))
