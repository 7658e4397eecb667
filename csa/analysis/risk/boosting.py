"""Hazard of churn over the next days by gradient boosting: the challenger of the default model.

It finds interactions and steps by itself, but gives neither intervals nor exact contributions.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.design import feature_values
from csa.analysis.risk.intervals import Grid, divide, horizon_grid
from csa.analysis.risk.model import Tuning, doubt
from csa.analysis.risk.rows import as_snapshots, take_snapshots
from csa.analysis.risk.terms import TENURE, Coded, coded
from csa.errors import InputError

FloatArray = NDArray[np.float64]

SEED = 20_221_101  # any number; fixed so that the same data give the same model
MOST_LEVELS = 200  # of a category; further ones count as missing
SETTINGS = {
    "learning_rate": 0.06,
    "max_iter": 150,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 40,
    "l2_regularization": 1.0,
    "early_stopping": False,
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BoostingModel:
    """Hazard of churn per interval, by trees; the same fields as the default model has."""

    horizon_days: int
    grid: Grid
    features: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]  # of the categories
    classifier: Any
    as_of: date
    n: int
    churned: int
    status: str
    reason: str
    notes: tuple[str, ...]


def fit_boosting(
    snapshots: ir.Table | pd.DataFrame,
    *,
    features: Sequence[str],
    horizon_days: int = 90,
    interval_days: int = 30,
    as_of: date | None = None,
    tuning: Tuning | None = None,
) -> BoostingModel:
    """Fit gradient boosted trees to the same intervals at risk as the default model.

    Parameters
    ----------
    snapshots : ir.Table or DataFrame, one row per account and cut-off
        As for `fit_risk`.
    features : sequence of str
        Columns to predict from, besides tenure and the interval.
    horizon_days, interval_days : int
        Days to look ahead, and the intervals of the hazard.
    as_of : date, optional
        Last day that may be used; default: the last day on which the snapshots know anything.
    tuning : Tuning, optional
        Only the number of rows in memory is used.

    Returns
    -------
    BoostingModel
        "unclear" where too few accounts churned.

    Raises
    ------
    InputError
        As for `fit_risk`.

    Notes
    -----
    Histogram-based boosting [1]_ with fixed settings, seed and one thread; missing values have a
    branch of their own. No early stopping: its validation rows would be the accounts it trains on.

    References
    ----------
    .. [1] Ke, G. et al. (2017). LightGBM: a highly efficient gradient boosting decision tree.
       Advances in Neural Information Processing Systems 30.
    """
    grid = horizon_grid(horizon_days, interval_days)
    taken = take_snapshots(
        as_snapshots(snapshots, features, outcome=True),
        horizon_days=horizon_days,
        first_days=float(grid.ends[0]),
        as_of=as_of,
        most=(tuning or Tuning()).most_rows,
    )
    cells = divide(taken, grid)
    churned = len(np.unique(taken.account[cells.row[cells.events > 0]]))
    values = {name: feature_values(taken.rows, name) for name in features}
    levels = {k: v.levels[:MOST_LEVELS] for k, v in values.items() if isinstance(v, Coded)}
    age = taken.rows[TENURE].to_numpy(dtype=float)
    table = _table(values, levels, age)[cells.row]
    table[:, 0], table[:, 1] = cells.interval, table[:, 1] + grid.starts[cells.interval]
    fitted = None
    if churned and not (cells.events > 0).all():
        fitted = _fitted(table, cells.events > 0, cells.trials, [*_is_text(features, levels)])
    reason = doubt(cells, grid, churned)
    if fitted is None and not reason:
        reason = "everybody churned"
    return BoostingModel(
        horizon_days=horizon_days,
        grid=grid,
        features=tuple(features),
        levels=levels,
        classifier=fitted,
        as_of=taken.as_of,
        n=taken.n,
        churned=churned,
        status="unclear" if reason else "ok",
        reason=reason,
        notes=(taken.note,) if taken.note else (),
    )


def boosting_risk(model: BoostingModel, accounts: pd.DataFrame) -> FloatArray:
    """Risk of each account to churn within the horizon, given that it is here at the cut-off.

    Parameters
    ----------
    model : BoostingModel
        From `fit_boosting`.
    accounts : DataFrame, one row per account
        `age_days` and the features.

    Returns
    -------
    ndarray of float
        Shares; NaN where the model could not be fitted.

    Raises
    ------
    InputError
        With all columns that are missing.
    """
    gone = [name for name in (TENURE, *model.features) if name not in accounts]
    if gone:
        raise InputError(*(f"snapshots: column {name} is missing" for name in gone))
    if model.classifier is None:
        return np.full(len(accounts), np.nan)
    values: dict[str, FloatArray | Coded] = {
        name: coded(accounts[name])
        if name in model.levels
        else accounts[name].to_numpy(dtype=float, na_value=np.nan)
        for name in model.features
    }
    table = _table(values, model.levels, accounts[TENURE].to_numpy(dtype=float))
    age, stays = table[:, 1].copy(), np.ones(len(accounts))
    with _one_thread():
        for k, start in enumerate(model.grid.starts if len(table) else ()):
            table[:, 0], table[:, 1] = k, age + start
            stays *= 1 - model.classifier.predict_proba(table)[:, 1]
    return 1 - stays


def _table(
    values: Mapping[str, FloatArray | Coded], levels: Mapping[str, tuple[str, ...]], age: FloatArray
) -> FloatArray:
    """Interval (to be filled in), tenure and features as numbers; unknown levels are missing."""
    columns = [np.zeros(len(age)), age]
    for name, column in values.items():
        if isinstance(column, Coded):
            place = {level: float(i) for i, level in enumerate(levels[name])}
            codes = [place.get(level, np.nan) for level in column.levels]
            columns.append(np.array(codes, dtype=float)[column.codes])
        else:
            columns.append(column)
    return np.column_stack(columns)


def _is_text(features: Sequence[str], levels: Mapping[str, object]) -> Iterator[bool]:
    """Which columns of the table are categories."""
    yield from (False, False)
    for name in features:
        yield name in levels


def _fitted(
    table: FloatArray, gone: NDArray[np.bool_], weight: FloatArray, text: list[bool]
) -> Any:
    """Trees fitted on one thread."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  half a second

    trees = HistGradientBoostingClassifier(**SETTINGS, categorical_features=text, random_state=SEED)
    with _one_thread():
        return trees.fit(table, gone, sample_weight=weight)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Pin the threads: on a busy machine they wait for one another, up to seconds per call."""
    # comes with scikit-learn
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(limits=1):
        yield
