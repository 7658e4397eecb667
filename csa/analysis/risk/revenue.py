"""Recurring revenue that is expected to leave within the horizon, by group."""

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.model import RiskModel
from csa.analysis.risk.predict import (
    MRR,
    TINY,
    fetch_accounts,
    logit_limits,
    model_values,
    predict_parts,
)
from csa.analysis.risk.scores import ALL, NOT_STATED, RiskScores
from csa.errors import InputError
from csa.methods.intervals import normal_quantile

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RevenueAtRisk:
    """Recurring revenue of accounts weighted by their risk.

    `table`: `group` ("all" first), `n`, `mrr_minor`, `expected_churn` (accounts),
    `at_risk_minor` (Σ risk × MRR), `ci_low`, `ci_high` (of the expectation: what the model may be
    wrong by), `range_low`, `range_high` (of what will leave: chance as well), `share` (at risk,
    of the MRR), `status`, `reason`. `half` is the number of accounts that hold half of what is at
    risk. Money per month in minor units.
    """

    table: pd.DataFrame
    half: int
    horizon_days: int
    confidence: float
    notes: tuple[str, ...]


def revenue_at_risk(
    model: RiskModel,
    scores: RiskScores,
    accounts: ir.Table | pd.DataFrame,
    *,
    by: str = "group",
) -> RevenueAtRisk:
    """Sum up the recurring revenue that is expected to leave within the horizon.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    scores : RiskScores
        Risks of the accounts; if they are not those of the model (boosting), there are no limits.
    accounts : ir.Table or DataFrame, one row per account
        What was scored, with `mrr_minor` and the groups.
    by : str
        Column of the groups.

    Returns
    -------
    RevenueAtRisk
        NaN, "unclear" and a reason where there are no risks.

    Raises
    ------
    InputError
        If there is no `mrr_minor`, or a column is missing.

    Notes
    -----
    The accounts of a group share the errors of the model: the interval of the expectation is the
    delta method on the logit of the mean risk weighted by revenue, as in `segment_risk`. What
    leaves in the end varies around that, most where few accounts are large: with the variance
    Σ m² r (1 - r) of independent accounts added, the range is that of a gamma distribution of the
    same mean and variance.
    """
    frame = fetch_accounts(model, accounts, by)
    if MRR not in frame:
        raise InputError(f"snapshots: column {MRR} is missing")
    known = scores.table.set_index("account_id")["risk"]
    if scores.status != "ok":
        known = known * np.nan
    risk = frame["account_id"].map(known).to_numpy(dtype=float)
    mrr = frame[MRR].to_numpy(dtype=float, na_value=np.nan)
    mrr = np.nan_to_num(mrr)  # an account that pays nothing can lose nothing
    codes, names = pd.factorize(frame[by].fillna(NOT_STATED).astype(str), sort=True)
    member = np.vstack([np.ones(len(frame)), *(codes == i for i in range(len(names)))])
    total = member @ mrr
    lost = member @ (mrr * risk)
    error = np.full(len(total), np.nan)
    if scores.status == "ok" and scores.table["ci_low"].notna().any():
        error = _errors(model, frame, member * mrr, total)
    table = pd.DataFrame(
        {
            "group": [ALL, *names],
            "n": member.sum(axis=1).astype(int),
            "mrr_minor": total,
            "expected_churn": member @ risk,
            "at_risk_minor": lost,
        }
    )
    chance = member @ (mrr**2 * risk * (1 - risk))
    table = table.assign(**_limits(lost, total, error, chance, scores.confidence))
    table["share"] = (table["at_risk_minor"] / table["mrr_minor"]).where(total > 0)
    reason = scores.reason if scores.status != "ok" else "" if len(frame) else "no accounts"
    return RevenueAtRisk(
        table=table.assign(status="unclear" if reason else "ok", reason=reason),
        half=_holding_half(mrr * risk),
        horizon_days=scores.horizon_days,
        confidence=scores.confidence,
        notes=scores.notes,
    )


def _errors(
    model: RiskModel, frame: pd.DataFrame, weight: FloatArray, total: FloatArray
) -> FloatArray:
    """Find the standard error of each group's mean risk, weighted by revenue."""
    slope = np.zeros((len(weight), len(model.coefficients)))
    for rows, part in predict_parts(model, model_values(model, frame), len(frame)):
        slope += weight[:, rows] @ ((1.0 - part.risk)[:, None] * part.slope())
    slope /= np.maximum(total, TINY)[:, None]
    spread = np.einsum("ij,ij->i", slope @ model.covariance, slope)
    return np.asarray(np.sqrt(np.maximum(spread, 0.0)))


def _limits(
    lost: FloatArray, total: FloatArray, error: FloatArray, chance: FloatArray, confidence: float
) -> dict[str, FloatArray]:
    """Limits of the expectation, and range of what will leave."""
    from scipy.special import gammaincinv  # noqa: PLC0415 (costs start-up time)

    mean = lost / np.maximum(total, TINY)
    half = normal_quantile(confidence) * error / np.maximum(mean * (1 - mean), TINY)
    low, high = logit_limits(mean, half)
    variance = chance + np.nan_to_num(error * total) ** 2
    some = lost > 0
    ends = np.full((2, len(lost)), np.nan)
    shape = lost[some] ** 2 / np.maximum(variance[some], TINY)
    for end, q in zip(ends, ((1 - confidence) / 2, (1 + confidence) / 2), strict=True):
        end[some] = gammaincinv(shape, q) * lost[some] / shape
    return {
        "ci_low": low * total,
        "ci_high": high * total,
        "range_low": ends[0],
        "range_high": np.minimum(ends[1], total),
    }


def _holding_half(stake: FloatArray) -> int:
    """How few accounts hold half of the expected loss."""
    order = np.sort(np.nan_to_num(stake))[::-1]
    if not order.sum() > 0:
        return 0
    return int(np.searchsorted(np.cumsum(order), order.sum() / 2) + 1)
