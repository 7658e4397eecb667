"""What customers without a contract are still worth: purchases to come × spend × margin.

The expected value of a customer with x repeat purchases, the last at t_x, of age T and a mean spend
of m is f(x, t_x, T) × (gamma + x m): linear in what was spent. So customers are summed by history
in the engine, any number of them becomes a few thousand rows, and values of customers, groups and
all are sums of the same products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from csa.analysis.clv.value_models import (
    ValueModel,
    ValueTerms,
    histories,
    log_slopes,
)
from csa.errors import InputError

FloatArray = NDArray[np.float64]

ALL: Final = "all"
HISTORY: Final = ("frequency", "recency", "age")
NEEDED: Final = ("account_id", *HISTORY, "mean_minor")
FACTORS: Final = ("factor", "purchases", "alive", "v_const", "v_linear", "v_square")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BuyerValue:
    """Residual value of customers per group and over all (`all`, first).

    `table`: `group`, `customers`, `purchases` (discounted, expected), `alive` (customers expected
    to be), `value`, `ci_low`, `ci_high` (of the value expected: what the parameters leave open),
    `per_customer`, `share` (of the value of all), `status`, `reason`. Money is in the unit of
    `mean_minor`, before rounding.
    `customers`: an expression with a row per customer: `account_id`, the group, the history,
    `expected_purchases` (discounted), `alive`, `expected_spend`, `value`, `ci_low`, `ci_high`.
    """

    table: pd.DataFrame
    customers: ir.Table | None
    terms: ValueTerms
    model: str
    status: str
    reason: str


def buyer_value(
    customers: ir.Table | pd.DataFrame,
    *,
    model: ValueModel,
    terms: ValueTerms | None = None,
    by: str | None = None,
) -> BuyerValue:
    """Value customers by what they are expected to buy from now on.

    Parameters
    ----------
    customers : ir.Table or DataFrame, one row per customer
        `account_id`, `frequency`, `recency`, `age` (in units of the model), `mean_minor` (per
        repeat purchase), and the column `by`.
    model : ValueModel
        Fits of purchases and spend.
    terms : ValueTerms, optional
        Discount, horizon, margin, level.
    by : str, optional
        Column that groups customers.

    Returns
    -------
    BuyerValue
        Without figures where a model could not be fitted, and the reason.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    Intervals by the delta method on the logarithm, over the parameters of both fits, whose errors
    are independent. They are of the expected value: what one customer then does varies far more.
    """
    terms = terms or ValueTerms()
    seen = _checked(customers, by)
    if not model.usable:
        return _nothing(seen, terms, model)
    cells = _cells(seen)
    rows = _histories(cells, model, terms)
    cells = cells.merge(rows, on=list(HISTORY), how="left", validate="many_to_one")
    table = _groups(cells, model, terms)
    return BuyerValue(
        table=table,
        customers=_each(seen, rows, model, terms),
        terms=terms,
        model=f"{model.purchases.model} × {model.spend.model}",
        status=model.status if table["status"].eq("ok").all() else "unclear",
        reason=str(table["reason"].iloc[0]),
    )


def next_best(result: BuyerValue, *, count: int = 20, of: Sequence[str] = ()) -> pd.DataFrame:
    """Find the customers of highest expected value.

    Parameters
    ----------
    result : BuyerValue
        From `buyer_value`.
    count : int
        How many.
    of : sequence of str
        Only customers of these groups; all where empty.

    Returns
    -------
    DataFrame
        Rows of `customers`, the most valuable first, with `rank`; ties by `account_id`.
    """
    if result.customers is None:
        return pd.DataFrame(columns=["rank", "account_id", "value"])
    rows = result.customers
    if of:
        rows = rows.filter(rows["group"].isin(list(of)))
    frame: pd.DataFrame = rows.order_by([ibis.desc("value"), "account_id"]).limit(count).to_pandas()
    frame.insert(0, "rank", range(1, len(frame) + 1))
    return frame


def _checked(customers: ir.Table | pd.DataFrame, by: str | None) -> ir.Table:
    table = ibis.memtable(customers) if isinstance(customers, pd.DataFrame) else customers
    needed = [*NEEDED, *([by] if by else [])]
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise InputError(
            f"customers: {len(missing)} columns are missing ({', '.join(missing)}); "
            "summarise purchases by csa.analysis.clv.rfm first"
        )
    group = table[by].cast("string").fill_null("unknown") if by else ibis.literal(ALL)
    if by:  # a group of that name would pass for the total
        group = group.cases((ALL, f"{ALL} (group)"), else_=group)
    spent = ibis.ifelse(
        table["frequency"] > 0, table["frequency"] * table["mean_minor"].cast("float64"), 0.0
    )
    return table.select(
        *(table[name] for name in NEEDED),
        group=group,
        spent=spent.fill_null(0.0),
    )


def _cells(seen: ir.Table) -> pd.DataFrame:
    """Sum customers by group and history; values are linear in what was spent."""
    cells: pd.DataFrame = (
        seen.group_by("group", *HISTORY)
        .agg(customers=seen.count(), spent=seen["spent"].sum())
        .order_by("group", *HISTORY)
        .to_pandas()
    )
    return cells


def _histories(cells: pd.DataFrame, model: ValueModel, terms: ValueTerms) -> pd.DataFrame:
    """Value of each distinct history per unit of (gamma + spent), with its slopes."""
    rows = cells[list(HISTORY)].drop_duplicates().reset_index(drop=True)
    x, last, age = (rows[name].to_numpy(dtype=float) for name in HISTORY)
    counts = histories(model, x, last, age)
    purchases = model.discounted(model.purchases, counts, terms)
    slopes = log_slopes(
        model.purchases, lambda fit: model.discounted(fit, counts, terms), purchases
    )
    p, q, _ = model.spend.values("p", "q", "gamma")
    shape = p * x + q - 1
    exists = shape > 0
    safe = np.where(exists, shape, 1.0)
    factor = np.where(exists, purchases * p / safe * terms.margin, np.inf)
    found = rows.assign(
        factor=factor,
        purchases=purchases,
        alive=model.alive(model.purchases, counts),
        log_p=1 - p * x / safe,
        log_q=-q / safe,
    )
    for j in range(slopes.shape[1]):
        found[f"slope_{j}"] = slopes[:, j]
    return found.assign(**_variance_terms(found, model))


def _variance_terms(found: pd.DataFrame, model: ValueModel) -> dict[str, FloatArray]:
    """Variance of a customer's log value as a square form in h = gamma / (gamma + spent)."""
    slopes = _slopes(found)
    spend, second = model.spend.covariance, found[["log_p", "log_q"]].to_numpy()
    of_purchases = np.einsum("ri,ij,rj->r", slopes, model.purchases.covariance, slopes)
    of_spend = np.einsum("ri,ij,rj->r", second, spend[:2, :2], second)
    return {
        "v_const": of_purchases + of_spend,
        "v_linear": 2 * second @ spend[:2, 2],
        "v_square": np.full(len(found), spend[2, 2]),
    }


def _slopes(found: pd.DataFrame) -> FloatArray:
    names = [name for name in found.columns if name.startswith("slope_")]
    return np.asarray(found[names].to_numpy(dtype=float))


def _groups(cells: pd.DataFrame, model: ValueModel, terms: ValueTerms) -> pd.DataFrame:
    """Add up values by group; all are the sum of the groups."""
    gamma = model.spend.parameters["gamma"]
    exists = np.isfinite(cells["factor"].to_numpy())
    missing = int(cells["customers"].to_numpy()[~exists].sum())
    known = cells.loc[exists]
    base = known["factor"] * (gamma * known["customers"] + known["spent"])
    parts = pd.DataFrame(
        {
            "group": known["group"],
            "customers": known["customers"],
            "purchases": known["purchases"] * known["customers"],
            "alive": known["alive"] * known["customers"],
            "value": base,
            "d_p": base * known["log_p"],
            "d_q": base * known["log_q"],
            "d_gamma": known["factor"] * gamma * known["customers"],
        }
    )
    slopes = _slopes(known)
    for j in range(slopes.shape[1]):
        parts[f"d_{j}"] = base * slopes[:, j]
    groups = parts.groupby("group", sort=True).sum()
    total = pd.DataFrame([groups.apply(fsum)], index=[ALL])
    kept = groups.loc[groups.index != ALL]
    return _table(pd.concat([total, kept]), model, terms, missing)


def _table(
    groups: pd.DataFrame, model: ValueModel, terms: ValueTerms, missing: int
) -> pd.DataFrame:
    value = groups["value"].to_numpy(dtype=float)
    safe = np.where(value > 0, value, 1.0)
    names = [f"d_{j}" for j in range(len(model.purchases.parameters))]
    first = groups[names].to_numpy(dtype=float) / safe[:, None]
    second = groups[["d_p", "d_q", "d_gamma"]].to_numpy(dtype=float) / safe[:, None]
    variance = np.einsum("ri,ij,rj->r", first, model.purchases.covariance, first)
    variance += np.einsum("ri,ij,rj->r", second, model.spend.covariance, second)
    half = norm.ppf((1 + terms.confidence) / 2) * np.sqrt(np.maximum(variance, 0.0))
    reason = model.reason
    if missing:
        none = f"{missing:,} customers have no mean spend (q is at most 1) and are left out"
        reason = f"{reason}; {none}" if reason else none
    customers = groups["customers"].to_numpy(dtype=float)
    table = pd.DataFrame(
        {
            "group": groups.index,
            "customers": customers.astype(int),
            "purchases": groups["purchases"].to_numpy(),
            "alive": groups["alive"].to_numpy(),
            "value": value,
            "ci_low": value * np.exp(-half),
            "ci_high": value * np.exp(half),
            "per_customer": value / np.maximum(customers, 1),
        }
    )
    total = float(table.loc[table["group"] == ALL, "value"].iloc[0])
    table["share"] = table["value"] / total if total > 0 else 0.0
    table["status"] = "unclear" if reason else "ok"
    table["reason"] = reason
    return table


def _each(seen: ir.Table, rows: pd.DataFrame, model: ValueModel, terms: ValueTerms) -> ir.Table:
    """Value every customer, as an expression: no row leaves the engine until it is asked for."""
    gamma = float(model.spend.parameters["gamma"])
    p, q = (float(model.spend.parameters[name]) for name in ("p", "q"))
    look_up = ibis.memtable(rows[[*HISTORY, *FACTORS]])
    joined: Any = seen.join(look_up, list(HISTORY))
    level = gamma + joined["spent"]
    h = gamma / level
    variance = joined["v_const"] + joined["v_linear"] * h + joined["v_square"] * h * h
    half = float(norm.ppf((1 + terms.confidence) / 2)) * ibis.greatest(variance, 0.0).sqrt()
    value = joined["factor"] * level
    return joined.select(
        "account_id",
        "group",
        *HISTORY,
        "mean_minor",
        "alive",
        expected_purchases=joined["purchases"],
        expected_spend=p * level / (p * joined["frequency"] + (q - 1)),
        value=value,
        ci_low=value * (-half).exp(),
        ci_high=value * half.exp(),
    )


def _nothing(seen: ir.Table, terms: ValueTerms, model: ValueModel) -> BuyerValue:
    table = pd.DataFrame(
        {
            "group": [ALL],
            "customers": [int(seen.count().to_pyarrow().as_py())],
            **{
                name: [np.nan]
                for name in (
                    *("purchases", "alive", "value", "ci_low", "ci_high"),
                    *("per_customer", "share"),
                )
            },
            "status": ["unclear"],
            "reason": [model.reason],
        }
    )
    return BuyerValue(
        table=table,
        customers=None,
        terms=terms,
        model=f"{model.purchases.model} × {model.spend.model}",
        status="unclear",
        reason=model.reason,
    )
