"""What a new customer is worth on the first day, by segment: nothing is known but where from.

Segments are held against the model of all: how many times as often their customers have bought as
it expects of all at their age, and how many times as much they spend each time. Both ratios are
drawn in to the whole, so that a segment of a few customers is worth what all are.
"""

from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from csa.analysis.clv.value_models import ValueModel, ValueTerms, discounted_new, log_slopes
from csa.errors import InputError
from csa.methods.btyd.gamma_gamma import mean_spend
from csa.methods.pooling import Pooled, drawn_in

FloatArray = NDArray[np.float64]

ALL: Final = "all"
BORROWED: Final = 10.0  # customers that the spread of all counts for in that of a segment
LEAST: Final = 0.05  # of the figure of all; no segment is drawn below
NEEDED: Final = ("frequency", "age", "mean_minor")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NewcomerValue:
    """Value of a new customer per segment and over all (`all`, first), at the first purchase.

    `table`: `group`, `customers` (it was learned from), `value` (first purchase and those to come),
    `ci_low`, `ci_high`, `first` (of it the first purchase), `later`, `purchases` (to come,
    discounted), `spend` (expected per purchase), `frequency_ratio` and `spend_ratio` (to the whole,
    drawn in), `frequency_own` and `spend_own` (as seen), `weight` (of the segment's own frequency),
    `status`, `reason`. Money is in the unit of `mean_minor`.
    """

    table: pd.DataFrame
    terms: ValueTerms
    status: str
    reason: str


def newcomer_value(
    customers: ir.Table | pd.DataFrame,
    *,
    model: ValueModel,
    by: str,
    terms: ValueTerms | None = None,
) -> NewcomerValue:
    """Value a new customer of each segment.

    Parameters
    ----------
    customers : ir.Table or DataFrame, one row per customer
        `frequency`, `age` (in units of the model), `mean_minor` (per repeat purchase), and `by`.
    model : ValueModel
        Fits of purchases and spend over all customers.
    by : str
        Column of the segment; missing ones are "unknown".
    terms : ValueTerms, optional
        Discount, horizon, margin, level.

    Returns
    -------
    NewcomerValue
        "unclear" without figures where a model could not be fitted or has no mean spend.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    A segment's purchases follow the curve E[X(t)] of all, times the ratio Σ x / Σ E[X(T)] of its
    customers over that of all; its spend is that of all times the ratio of mean spends. The first
    purchase counts as one of average spend. Intervals by the delta method over both fits and both
    ratios.
    """
    terms = terms or ValueTerms()
    seen = _checked(customers, by)
    spend = mean_spend(model.spend) if model.spend.parameters else None
    if not model.usable or spend is None or not np.isfinite(spend.expected[0]):
        reason = model.reason or "there is no mean spend"
        return NewcomerValue(table=_empty(reason), terms=terms, status="unclear", reason=reason)
    groups = _sums(seen, model)
    often = _pooled(groups["own_often"], groups["var_often"])
    much = _pooled(groups["own_much"], groups["var_much"])
    purchases = discounted_new(model, model.purchases, terms)
    found = _rows(groups, (often, much), (purchases, float(spend.expected[0])), terms)
    variance = _variance(groups, (often, much), purchases, model, terms)
    half = norm.ppf((1 + terms.confidence) / 2) * np.sqrt(variance)
    table = found.assign(
        ci_low=found["value"] * np.exp(-half),
        ci_high=found["value"] * np.exp(half),
        status=model.status,
        reason=model.reason,
    )
    return NewcomerValue(
        table=table[list(COLUMNS)], terms=terms, status=model.status, reason=model.reason
    )


COLUMNS: Final = (
    *("group", "customers", "value", "ci_low", "ci_high", "first", "later", "purchases", "spend"),
    *("frequency_ratio", "spend_ratio", "frequency_own", "spend_own", "weight"),
    *("status", "reason"),
)


def _checked(customers: ir.Table | pd.DataFrame, by: str) -> ir.Table:
    table = ibis.memtable(customers) if isinstance(customers, pd.DataFrame) else customers
    missing = [name for name in (*NEEDED, by) if name not in table.columns]
    if missing:
        raise InputError(
            f"customers: {len(missing)} columns are missing ({', '.join(missing)}); "
            f"summarise purchases by csa.analysis.clv.rfm with by={by!r} first"
        )
    return table.select(*NEEDED, group=table[by].cast("string").fill_null("unknown"))


def _sums(seen: ir.Table, model: ValueModel) -> pd.DataFrame:
    """Ratios of each segment to what is expected, with the variance of their errors."""
    x = seen["frequency"].cast("float64")
    paid = ibis.ifelse(seen["frequency"] > 0, seen["mean_minor"].cast("float64"), None)
    cells = (
        seen.group_by("group", "age")
        .agg(
            n=seen.count(),
            x=x.sum(),
            xx=(x * x).sum(),
            repeat=paid.count(),
            m=paid.sum().fill_null(0.0),
            mm=(paid * paid).sum().fill_null(0.0),
        )
        .order_by("group", "age")
        .to_pandas()
    )
    ages, place = np.unique(cells["age"].to_numpy(dtype=float), return_inverse=True)
    expected = np.asarray(model.expected(model.purchases, ages))[place]
    n, x_sum = cells["n"].to_numpy(float), cells["x"].to_numpy(float)
    cells = cells.assign(e=n * expected, xe=x_sum * expected, ee=n * expected**2)
    groups = cells.drop(columns="age").groupby("group", sort=True).sum()
    rated: pd.DataFrame = groups.assign(**_ratios(groups)).reset_index()
    return rated


def _ratios(groups: pd.DataFrame) -> dict[str, FloatArray]:
    column = {name: groups[name].to_numpy(dtype=float) for name in groups.columns}
    n, repeat, e = column["n"], column["repeat"], column["e"]
    whole = float(column["x"].sum() / e.sum()) if e.sum() > 0 and column["x"].sum() > 0 else 1.0
    often = np.divide(column["x"], e, out=np.full_like(e, whole), where=e > 0)
    square = np.maximum(column["xx"] - 2 * often * column["xe"] + often**2 * column["ee"], 0.0)
    of_often = _leaning(square, n) * n
    level = float(column["m"].sum() / max(repeat.sum(), 1.0)) or 1.0
    much = np.divide(column["m"], repeat, out=np.full_like(e, level), where=repeat > 0)
    spread = np.maximum(column["mm"] - repeat * much**2, 0.0)
    with np.errstate(divide="ignore"):
        var_often = np.where(e > 0, of_often / np.maximum(e, 1e-300) ** 2, np.inf)
        var_much = np.where(repeat > 0, _leaning(spread, repeat) / repeat, np.inf)
    return {
        "own_often": often / whole,
        "var_often": var_often / whole**2,
        "own_much": much / level,
        "var_much": var_much / level**2,
    }


def _leaning(squares: FloatArray, n: FloatArray) -> FloatArray:
    """Variance of one customer: the segment's own, leaning on that of all where it is small."""
    usual = float(squares.sum() / max(n.sum(), 1.0))
    return np.asarray((squares + BORROWED * usual) / (n + BORROWED))


def _pooled(own: pd.Series, variance: pd.Series) -> Pooled:
    error = variance.to_numpy(dtype=float)
    positive = error[np.isfinite(error) & (error > 0)]
    least = float(positive.min()) if len(positive) else 1.0
    return drawn_in(own.to_numpy(dtype=float), np.where(error > 0, error, least))


def _of_all(pooled: Pooled) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ratio, its variance and own weight: all first (1 by definition), then each segment.

    Segments are drawn in to all customers, not to the mean of segments.
    """
    value = pooled.value + (1 - pooled.weight) * (1.0 - pooled.middle)
    ratio = np.append(1.0, np.maximum(value, LEAST))
    variance = np.append(0.0, np.where(np.isfinite(pooled.variance), pooled.variance, 1.0))
    return ratio, variance, np.append(1.0, pooled.weight)


def _rows(
    groups: pd.DataFrame,
    ratios: tuple[Pooled, Pooled],
    base: tuple[float, float],
    terms: ValueTerms,
) -> pd.DataFrame:
    often, _, weight = _of_all(ratios[0])
    much, _, _ = _of_all(ratios[1])
    purchases, spend = base[0] * often, base[1] * much
    first, later = spend * terms.margin, purchases * spend * terms.margin
    return pd.DataFrame(
        {
            "group": [ALL, *groups["group"]],
            "customers": [int(groups["n"].sum()), *groups["n"].astype(int)],
            "value": first + later,
            "first": first,
            "later": later,
            "purchases": purchases,
            "spend": spend,
            "frequency_ratio": often,
            "spend_ratio": much,
            "frequency_own": np.append(1.0, groups["own_often"]),
            "spend_own": np.append(1.0, groups["own_much"]),
            "weight": weight,
        }
    )


def _variance(
    groups: pd.DataFrame,
    ratios: tuple[Pooled, Pooled],
    purchases: float,
    model: ValueModel,
    terms: ValueTerms,
) -> FloatArray:
    """Variance of the logarithm of each value."""
    often, var_often, _ = _of_all(ratios[0])
    much, var_much, _ = _of_all(ratios[1])
    slopes = log_slopes(
        model.purchases,
        lambda fit: np.array([discounted_new(model, fit, terms)]),
        np.array([purchases]),
    )[0]
    of_curve = float(slopes @ model.purchases.covariance @ slopes)
    q = model.spend.parameters["q"]
    by_spend = np.array([1.0, -q / (q - 1), 1.0])  # of ln(p gamma / (q - 1))
    of_spend = float(by_spend @ model.spend.covariance @ by_spend)
    share = often * purchases / (1 + often * purchases)
    return np.asarray(of_spend + var_much / much**2 + share**2 * (of_curve + var_often / often**2))


def _empty(reason: str) -> pd.DataFrame:
    row: dict[str, list[object]] = {name: [np.nan] for name in COLUMNS}
    row |= {"group": [ALL], "customers": [0], "status": ["unclear"], "reason": [reason]}
    return pd.DataFrame(row)[list(COLUMNS)]
