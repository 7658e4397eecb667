"""Risk: which accounts are likely to churn next, why, and what became of those named before.

`fit_risk` learns from snapshots of the past, `score` reads the model at accounts of today,
`drivers` says why, `worklist` what to do first, `matured` how earlier risks turned out.
`backtest`, `evaluate` and `verdict` judge out of time, `leak_audit` looks for what is too good.
"""

from csa.analysis.risk.challenger import Choice, backtest, choose
from csa.analysis.risk.chosen import score_chosen
from csa.analysis.risk.drivers import drivers, effect_curve
from csa.analysis.risk.evaluation import Evaluation, evaluate
from csa.analysis.risk.evaluation.verdict import Targets, verdict
from csa.analysis.risk.leaks import leak_audit
from csa.analysis.risk.model import RiskModel, Tuning, fit_risk
from csa.analysis.risk.revenue import revenue_at_risk
from csa.analysis.risk.scores import (
    AccountScore,
    RiskScores,
    as_predictions,
    score,
    score_account,
    segment_risk,
)
from csa.analysis.risk.trust import risk_trust
from csa.analysis.risk.worklist import Matured, Worklist, matured, worklist

__all__ = [
    "AccountScore",
    "Choice",
    "Evaluation",
    "Matured",
    "RiskModel",
    "RiskScores",
    "Targets",
    "Tuning",
    "Worklist",
    "as_predictions",
    "backtest",
    "choose",
    "drivers",
    "effect_curve",
    "evaluate",
    "fit_risk",
    "leak_audit",
    "matured",
    "revenue_at_risk",
    "risk_trust",
    "score",
    "score_account",
    "score_chosen",
    "segment_risk",
    "verdict",
    "worklist",
]
