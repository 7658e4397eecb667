"""Risk: which accounts are likely to churn next, why, and what happened to those named before."""

from csa.analysis.risk_model import RiskModel, Tuning, fit_risk
from csa.analysis.risk_scores import (
    AccountScore,
    RiskScores,
    score,
    score_account,
    segment_risk,
)

__all__ = [
    "AccountScore",
    "RiskModel",
    "RiskScores",
    "Tuning",
    "fit_risk",
    "score",
    "score_account",
    "segment_risk",
]
