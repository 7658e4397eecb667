"""Whose value is it: the share of all value that the most valuable accounts hold."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract import ContractValue
from csa.methods.intervals import Estimate
from csa.methods.lorenz import FEWEST, STEPS, gini, lorenz_curve

FloatArray = NDArray[np.float64]

SUMS = ("n", "total", "square", "least")


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
        gini=Estimate(nan, nan, nan)
        if empty
        else gini(*_columns(sums, *SUMS[:3]), confidence=confidence),
        accounts=n,
        confidence=confidence,
        status="unclear" if reason or empty else "ok",
        reason=reason or ("nothing is paid" if empty else ""),
    )


def _curve(sums: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Shares held by the highest ranks."""
    units, share = lorenz_curve(*_columns(sums, *SUMS), confidence=confidence)
    return pd.DataFrame(
        {
            "share_of_accounts": units,
            "share_of_value": share.value,
            "ci_low": share.low,
            "ci_high": share.high,
        }
    )


def _columns(sums: pd.DataFrame, *names: str) -> list[FloatArray]:
    return [sums[name].to_numpy(dtype=float) for name in names]
