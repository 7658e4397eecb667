"""Whose value is it: the share of all value that the most valuable accounts hold."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract import ContractValue
from csa.methods.intervals import Estimate, normal_quantile

FloatArray = NDArray[np.float64]

STEPS = 1000  # ranks into which accounts are put
FEWEST = 10


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Concentration:
    """Concentration of value; the highest accounts first.

    `table`: `share_of_accounts`, `share_of_value`, `ci_low`, `ci_high`. `gini` with limits.
    """

    table: pd.DataFrame
    gini: Estimate
    accounts: int
    confidence: float
    status: str
    reason: str


def concentration(value: ContractValue) -> Concentration:
    """Share of value by share of accounts, highest first, with its interval.

    Parameters
    ----------
    value : ContractValue
        Values of accounts.

    Returns
    -------
    Concentration
        "unclear" with fewer than 10 accounts; without any the curve is empty.

    Notes
    -----
    Accounts are sorted in the engine and summed by a thousand ranks. Limits are of the variance
    of a Lorenz ordinate and of the Gini coefficient over accounts [1]_ [2]_ (influence functions),
    as if the accounts were a sample; values are taken as computed.

    References
    ----------
    .. [1] Beach, C. M., Davidson, R. (1983). Distribution-free statistical inference with Lorenz
       curves and income shares. Rev. Econ. Stud. 50, 723-735.
    .. [2] Davidson, R. (2009). Reliable inference for the Gini index. J. Econom. 150, 30-40.
    """
    return shares_of_value(value.accounts, value.terms.confidence)


def shares_of_value(worth: ir.Table, confidence: float) -> Concentration:
    """Share of value by share of accounts, for values however they were made.

    Parameters
    ----------
    worth : ir.Table, one row per account
        `account_id`, `value_minor`.
    confidence : float
        Level of the limits.

    Returns
    -------
    Concentration
        As by `concentration`.
    """
    order = ibis.row_number().over(order_by=[ibis.desc("value_minor"), "account_id"])
    ranked = worth.select("value_minor", place=order, many=worth.count().over())
    rank = (ranked.place * STEPS // ranked.many).cast("int64")
    one = ranked.value_minor
    sums = (
        ranked.mutate(rank=rank)
        .group_by("rank")
        .agg(n=one.count(), total=one.sum(), square=(one * one).sum(), least=one.min())
        .order_by("rank")
        .to_pandas()
    )
    n = int(sums["n"].sum())
    reason = "" if n >= FEWEST else f"only {n} accounts" if n else "no customers"
    empty = not n or not sums["total"].sum() > 0
    nan = float("nan")
    return Concentration(
        table=_curve(sums.iloc[:0] if empty else sums, confidence),
        gini=Estimate(nan, nan, nan) if empty else _gini(sums, confidence),
        accounts=n,
        confidence=confidence,
        status="unclear" if reason or empty else "ok",
        reason=reason or ("nothing is paid" if empty else ""),
    )


def _curve(sums: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Shares held by the highest ranks."""
    n, total, square, least = (
        sums[c].to_numpy(dtype=float) for c in ("n", "total", "square", "least")
    )
    many = n.sum() if len(n) else 1.0
    mean = total.sum() / many if len(n) else 1.0
    p, share = np.cumsum(n) / many, np.cumsum(total) / (mean * many)
    # influence of a value v on the share of the top p: ((v - q) [v > q] + p q - share v) / mean
    first, second = np.cumsum(total) / many, np.cumsum(square) / many
    whole = second[-1] if len(n) else 0.0
    upper = second - 2 * least * first + least**2 * p  # mean of ((v - q)+)²
    mixed = second - least * first  # mean of v (v - q)+
    shift = p * least
    variance = (
        upper
        + shift**2
        + share**2 * whole
        + 2 * shift * (first - least * p)
        - 2 * share * mixed
        - 2 * shift * share * mean
    ) / mean**2
    half = normal_quantile(confidence) * np.sqrt(np.maximum(variance, 0.0) / many)
    return pd.DataFrame(
        {
            "share_of_accounts": p,
            "share_of_value": share,
            "ci_low": np.clip(share - half, p, 1.0),
            "ci_high": np.clip(share + half, None, 1.0),
        }
    )


def _gini(sums: pd.DataFrame, confidence: float) -> Estimate:
    """Gini coefficient with limits, lowest ranks first."""
    n, total = (sums[c].to_numpy(dtype=float)[::-1] for c in ("n", "total"))
    square = sums["square"].to_numpy(dtype=float)[::-1]
    many, mean = n.sum(), total.sum() / n.sum()
    middle = (np.cumsum(n) - n / 2) / many  # F within a rank
    area = float((total * middle).sum() / many)
    gini = 2 * area / mean - 1
    above = (total.sum() - np.cumsum(total) + total / 2) / many
    # influence v F(v) + E[x; x > v] - 2 A, less what the mean adds
    slope = middle - area / mean
    constant = above - area
    variance = (slope**2 * square + 2 * slope * constant * total + constant**2 * n).sum() / many
    half = normal_quantile(confidence) * 2 / mean * float(np.sqrt(max(variance, 0.0) / many))
    return Estimate(float(gini), max(float(gini) - half, 0.0), min(float(gini) + half, 1.0))
