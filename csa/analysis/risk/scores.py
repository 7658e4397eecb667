"""Risk of accounts that are here today, with intervals and exact additive contributions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.model import RiskModel
from csa.analysis.risk.predict import (
    MRR,
    TINY,
    fetch_accounts,
    logit_error,
    logit_limits,
    model_values,
    news,
    predict,
    predict_parts,
)
from csa.analysis.risk.terms import TENURE, Coded, coded
from csa.errors import InputError
from csa.methods.intervals import normal_quantile

FloatArray = NDArray[np.float64]

ALL, NOT_STATED = "all", "not stated"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RiskScores:
    """Risk to churn within `horizon_days` of each account that is here at its cut-off.

    `table`: `account_id`, `cutoff_on`, `risk`, `ci_low`, `ci_high` (shares), `linear_predictor`
    (log-odds of churn per interval, mean over the intervals of the horizon), and `mrr_minor`
    where the snapshots have it. `contributions`: rows of the table × `features`, on the same
    log-odds, against the average account; each row sums to `linear_predictor` less `baseline`.
    `given`: the features as they were. `typical`: mean or most frequent value of each.
    """

    table: pd.DataFrame
    contributions: FloatArray
    features: tuple[str, ...]
    baseline: float
    given: pd.DataFrame
    typical: Mapping[str, float | str]
    horizon_days: int
    confidence: float
    status: str
    reason: str
    notes: tuple[str, ...]


class AccountScore(NamedTuple):
    """Risk of one account; `contributions` by feature, as in `RiskScores`."""

    risk: float
    low: float
    high: float
    linear_predictor: float
    contributions: dict[str, float]


def score(
    model: RiskModel, snapshots: ir.Table | pd.DataFrame, *, confidence: float = 0.95
) -> RiskScores:
    """Risk of every account to churn within the horizon, given that it is here at the cut-off.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    snapshots : ir.Table or DataFrame, one row per account
        `account_id`, `cutoff_on`, `age_days` and the features that the model uses.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    RiskScores
        In the order of the rows. Risks are NaN where the model knows of no churn at all, which
        `reason` says. `notes` name levels that the model has never seen and columns in which
        only now values are missing: both count as the average account.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, or an age is missing or negative.

    Notes
    -----
    risk = 1 - Π (1 - h_k). The interval is that of the expected risk, not of what will happen:
    on the logit of the risk by the delta method, whose slope is Σ h_k x_k / risk.
    """
    frame = fetch_accounts(model, snapshots)
    values = model_values(model, frame)
    contributions = np.empty((len(frame), len(model.terms)))
    risk, error = np.empty(len(frame)), np.empty(len(frame))
    for rows, part in predict_parts(model, values, len(frame)):
        contributions[rows], risk[rows] = part.contributions, part.risk
        error[rows] = logit_error(part, model.covariance)
    low, high = logit_limits(risk, normal_quantile(confidence) * error)
    columns = {
        "risk": risk,
        "ci_low": low,
        "ci_high": high,
        "linear_predictor": model.baseline + contributions.sum(axis=1),
    }
    names = tuple(term.feature for term in model.terms)
    kept = [c for c in ("account_id", "cutoff_on", MRR) if c in frame]
    return RiskScores(
        table=frame[kept].assign(**columns),
        contributions=contributions,
        features=names,
        baseline=model.baseline,
        given=frame[list(names)],
        typical={term.feature: term.typical for term in model.terms},
        horizon_days=model.horizon_days,
        confidence=confidence,
        status=model.status,
        reason=model.reason,
        notes=(*model.notes, *news(model, values)),
    )


def score_account(
    model: RiskModel, values: Mapping[str, object], *, confidence: float = 0.95
) -> AccountScore:
    """Risk of one account, without a table around it.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    values : mapping
        `age_days` and the features by name; None or NaN is missing.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    AccountScore
        The same figures as `score`.

    Raises
    ------
    InputError
        If a feature of the model has no entry.
    """
    needed = dict.fromkeys((TENURE, *(term.feature for term in model.terms)))
    if gone := [name for name in needed if name not in values]:
        raise InputError(*(f"account: {name} is missing; give None if unknown" for name in gone))
    kinds = {term.feature: term.kind for term in model.terms}
    columns: dict[str, FloatArray | Coded] = {}
    for name in needed:
        value = np.array([values[name]], dtype=object)
        text = kinds.get(name) == "category"
        columns[name] = coded(value) if text else value.astype(float)  # None becomes NaN
    part = predict(model, columns)
    low, high = logit_limits(
        part.risk, normal_quantile(confidence) * logit_error(part, model.covariance)
    )
    shares = part.contributions[0]
    return AccountScore(
        risk=float(part.risk[0]),
        low=float(low[0]),
        high=float(high[0]),
        linear_predictor=model.baseline + float(shares.sum()),
        contributions={t.feature: float(c) for t, c in zip(model.terms, shares, strict=True)},
    )


def as_predictions(scores: RiskScores, *, model: str) -> pd.DataFrame:
    """Write scores as the ledger keeps them, to be judged when their horizon is over.

    Parameters
    ----------
    scores : RiskScores
        From `score`.
    model : str
        Name and version of the model.

    Returns
    -------
    DataFrame
        `model`, `account_id`, `made_on`, `horizon_days`, `value`, `low`, `high`; accounts
        without a risk are left out.
    """
    known = scores.table[scores.table["risk"].notna()]
    names = {"cutoff_on": "made_on", "risk": "value", "ci_low": "low", "ci_high": "high"}
    table = known.rename(columns=names).assign(model=model, horizon_days=scores.horizon_days)
    columns = ["model", "account_id", "made_on", "horizon_days", "value", "low", "high"]
    return table[columns].reset_index(drop=True)


def segment_risk(
    model: RiskModel,
    snapshots: ir.Table | pd.DataFrame,
    *,
    by: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Mean risk of groups of accounts, with the interval of the mean.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    snapshots : ir.Table or DataFrame, one row per account
        As for `score`.
    by : str, optional
        Column of the groups; default: all accounts together only.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    DataFrame
        `group` ("all" first), `n`, `risk`, `ci_low`, `ci_high` (shares), `expected_churn`
        (accounts), `status`, `reason`.

    Raises
    ------
    InputError
        As for `score`.

    Notes
    -----
    The accounts of a group share the errors of the model, so the interval of their mean is not
    that of independent accounts: its slope in the coefficients is the mean of the accounts'
    slopes, (1 - risk) Σ h_k x_k, and the delta method is used on the logit of the mean.
    """
    frame = fetch_accounts(model, snapshots, *([by] if by else []))
    codes, names = np.zeros(len(frame), dtype=np.int64), pd.Index([ALL])
    if by is not None:
        codes, names = pd.factorize(frame[by].fillna(NOT_STATED).astype(str), sort=True)
    width = len(model.coefficients)
    risk, slope = np.zeros(len(names)), np.zeros((len(names), width))
    for rows, part in predict_parts(model, model_values(model, frame), len(frame)):
        member = np.zeros((len(names), len(part.risk)))
        member[codes[rows], np.arange(len(part.risk))] = 1.0
        risk += member @ part.risk
        slope += member @ ((1.0 - part.risk)[:, None] * part.slope())
    size = np.bincount(codes, minlength=len(names))
    if by is not None:
        size, risk, slope = (np.concatenate([[v.sum(axis=0)], v]) for v in (size, risk, slope))
    mean, slope = risk / np.maximum(size, 1), slope / np.maximum(size, 1)[:, None]
    spread = np.sqrt(np.einsum("ij,ij->i", slope @ model.covariance, slope))
    half = normal_quantile(confidence) * spread / np.maximum(mean * (1 - mean), TINY)
    low, high = logit_limits(mean, half)
    return pd.DataFrame(
        {
            "group": [ALL, *names] if by is not None else list(names),
            "n": size,
            "risk": mean,
            "ci_low": low,
            "ci_high": high,
            "expected_churn": risk,
            "status": model.status,
            "reason": model.reason,
        }
    )
