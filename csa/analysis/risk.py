"""Risk: which accounts are likely to churn next, why, and what became of those named before.

`fit_risk` learns from snapshots of the past, `score` reads the model at accounts of today,
`drivers` says why, `worklist` what to do first, `matured` how earlier risks turned out.
"""

from csa.analysis.risk_drivers import drivers, effect_curve
from csa.analysis.risk_model import RiskModel, Tuning, fit_risk
from csa.analysis.risk_scores import (
    AccountScore,
    RiskScores,
    as_predictions,
    score,
    score_account,
    segment_risk,
)
from csa.analysis.risk_worklist import Matured, Worklist, matured, worklist

__all__ = [
    "AccountScore",
    "Matured",
    "RiskModel",
    "RiskScores",
    "Tuning",
    "Worklist",
    "as_predictions",
    "drivers",
    "effect_curve",
    "fit_risk",
    "matured",
    "score",
    "score_account",
    "segment_risk",
    "worklist",
]
