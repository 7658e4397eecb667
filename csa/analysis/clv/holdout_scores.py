"""How well predicted purchases met what came: figures on plain arrays with weights."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
TENTHS = 10


def scores(actual: ArrayLike, predicted: ArrayLike, weight: ArrayLike) -> dict[str, float]:
    """Score predictions of customers.

    Parameters
    ----------
    actual, predicted : array_like of float
        Purchases of each row's customers in the holdout.
    weight : array_like of float
        Customers of each row.

    Returns
    -------
    dict of str to float
        `customers`, `actual`, `predicted` (totals), `total_error` (share of the actual total),
        `mae`, `rmse` (purchases per customer), `gini` (normalised: 1 ranks as well as the truth
        would, 0 as well as chance). NaN where it has no meaning: nobody bought, or all alike.
    """
    y, m, w = (np.asarray(values, dtype=np.float64) for values in (actual, predicted, weight))
    n, came, said = float(w.sum()), float(w @ y), float(w @ m)
    return {
        "customers": n,
        "actual": came,
        "predicted": said,
        "total_error": said / came - 1 if came else np.nan,
        "mae": float(w @ np.abs(y - m)) / n if n else np.nan,
        "rmse": float(np.sqrt(w @ (y - m) ** 2 / n)) if n else np.nan,
        "gini": normalised_gini(y, m, w),
    }


def normalised_gini(actual: FloatArray, predicted: FloatArray, weight: FloatArray) -> float:
    """Give the Gini of the actual purchases in the order of the predictions, over its best.

    Parameters
    ----------
    actual, predicted, weight : ndarray of float
        As for `scores`. Equal predictions share their purchases evenly.

    Returns
    -------
    float
        NaN where all bought the same.

    References
    ----------
    .. [1] Wang, X., Liu, T., Miao, J. (2019). A deep probabilistic model for customer lifetime
       value prediction. arXiv:1912.07753.
    """
    best = _gini(actual, actual, weight)
    return _gini(actual, predicted, weight) / best if best > 0 else np.nan


def _gini(actual: FloatArray, order: FloatArray, weight: FloatArray) -> float:
    if not weight @ actual:
        return 0.0
    _, place = np.unique(-order, return_inverse=True)
    people = np.bincount(place, weight) / weight.sum()
    bought = np.bincount(place, weight * actual) / (weight @ actual)
    before = np.cumsum(bought) - bought
    return float(2 * (people @ (before + bought / 2)) - 1)


def tenths(actual: ArrayLike, predicted: ArrayLike, weight: ArrayLike) -> pd.DataFrame:
    """Compare means of predicted and actual purchases in tenths of the customers.

    Parameters
    ----------
    actual, predicted, weight : array_like of float
        As for `scores`.

    Returns
    -------
    DataFrame
        `tenth` (1: those of whom most is expected), `customers`, `predicted`, `actual` (means).
        A row whose customers lie across a border is split, so tenths are equal.
    """
    y, m, w = (np.asarray(values, dtype=np.float64) for values in (actual, predicted, weight))
    order = np.argsort(-m, kind="stable")
    y, m, w = y[order], m[order], w[order]
    if not w.sum():
        return pd.DataFrame({name: [] for name in ("tenth", "customers", "predicted", "actual")})
    # equal predictions are one group: no tenth may pick the better of them
    _, place = np.unique(-m, return_inverse=True)
    people = np.bincount(place, w)
    sums = {"predicted": np.bincount(place, w * m), "actual": np.bincount(place, w * y)}
    ends = np.concatenate([[0.0], np.cumsum(people)])
    borders = np.linspace(0, ends[-1], TENTHS + 1)
    table: dict[str, FloatArray] = {
        "tenth": np.arange(1, TENTHS + 1, dtype=np.float64),
        "customers": np.diff(borders),
    }
    for name, total in sums.items():
        held = np.interp(borders, ends, np.concatenate([[0.0], np.cumsum(total)]))
        table[name] = np.diff(held) / np.diff(borders)
    return pd.DataFrame(table).astype({"tenth": "int64"})


def by_frequency(
    frequency: ArrayLike, columns: dict[str, FloatArray], weight: ArrayLike, *, last: int = 7
) -> pd.DataFrame:
    """Average purchases by the number of repeat purchases before.

    Parameters
    ----------
    frequency : array_like of int
        Repeat purchases in the calibration.
    columns : dict of str to ndarray
        What to average, such as actual and predicted purchases.
    weight : array_like of float
        Customers of each row.
    last : int
        Customers with so many or more are one group.

    Returns
    -------
    DataFrame
        `frequency` (0 to `last`), `customers` and the means; groups without customers are absent.
    """
    group = np.minimum(np.asarray(frequency, dtype=np.int64), last)
    w = np.asarray(weight, dtype=np.float64)
    people: FloatArray = np.bincount(group, w, minlength=last + 1).astype(np.float64)
    kept = people > 0
    table: dict[str, FloatArray] = {
        "frequency": np.arange(last + 1, dtype=np.float64)[kept],
        "customers": people[kept],
    }
    for name, values in columns.items():
        total = np.bincount(group, w * values, minlength=last + 1)
        table[name] = total[kept] / people[kept]
    return pd.DataFrame(table).astype({"frequency": "int64"})
