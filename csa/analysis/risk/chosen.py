"""Risks by the model that was chosen; reasons always by the one that can give them."""

from dataclasses import replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.risk.boosting import boosting_risk, fit_boosting
from csa.analysis.risk.challenger import Choice
from csa.analysis.risk.model import RiskModel
from csa.analysis.risk.predict import fetch_accounts
from csa.analysis.risk.scores import RiskScores, score

BY_BOOSTING = (
    "risks are those of boosting, which has no intervals; reasons are those of the default model"
)


def score_chosen(
    choice: Choice,
    model: RiskModel,
    snapshots: ir.Table | pd.DataFrame,
    accounts: ir.Table | pd.DataFrame,
    *,
    confidence: float = 0.95,
) -> RiskScores:
    """Risk of each account by the model that was chosen.

    Parameters
    ----------
    choice : Choice
        From `csa.analysis.risk.challenger.choose`.
    model : RiskModel
        The default model, of the same snapshots.
    snapshots : ir.Table or DataFrame
        What the model was fitted to.
    accounts : ir.Table or DataFrame, one row per account
        Snapshots of today.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    RiskScores
        Where boosting was chosen, its risks without intervals, and a note that says so.
    """
    scores = score(model, accounts, confidence=confidence)
    if choice.chosen != "boosting":
        return scores
    trees = fit_boosting(
        snapshots,
        features=model.features,
        horizon_days=model.horizon_days,
        interval_days=model.interval_days,
        as_of=model.as_of,
        tuning=model.tuning,
    )
    frame = fetch_accounts(model, accounts, *model.features)
    risk = pd.Series(boosting_risk(trees, frame), index=frame["account_id"])
    table = scores.table.assign(
        risk=scores.table["account_id"].map(risk), ci_low=np.nan, ci_high=np.nan
    )
    return replace(
        scores,
        table=table,
        status=trees.status,
        reason=trees.reason,
        notes=(*scores.notes, BY_BOOSTING),
    )
