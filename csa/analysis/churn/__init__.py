"""Churn: how long accounts stay, how many left and why, who stays that is here today.

The import point of the chapter: each function has its module, named after its topic.
"""

from csa.analysis.churn.causes import IncidenceResult, incidence
from csa.analysis.churn.causes_over_time import CausesOverTime, causes_over_time
from csa.analysis.churn.censoring import censoring_bounds
from csa.analysis.churn.change import ChurnChangeResult, what_moved
from csa.analysis.churn.effects import effects
from csa.analysis.churn.extrapolation import ExtrapolationResult, extrapolate
from csa.analysis.churn.hazard_rates import HazardRates, hazard_by_age
from csa.analysis.churn.hazards.renewals import RenewalResult, renewals
from csa.analysis.churn.lifetimes import LogRank, SurvivalResult, survival
from csa.analysis.churn.rate import ChurnRateResult, churn_rate
from csa.analysis.churn.readings import (
    conditional_survival,
    numbers_at_risk,
    survival_at,
    window_effect,
)
from csa.analysis.churn.remaining import remaining_lifetime
from csa.analysis.churn.revenue import RevenueChurnResult, revenue_churn

__all__ = [
    "CausesOverTime",
    "ChurnChangeResult",
    "ChurnRateResult",
    "ExtrapolationResult",
    "HazardRates",
    "IncidenceResult",
    "LogRank",
    "RenewalResult",
    "RevenueChurnResult",
    "SurvivalResult",
    "causes_over_time",
    "censoring_bounds",
    "churn_rate",
    "conditional_survival",
    "effects",
    "extrapolate",
    "hazard_by_age",
    "incidence",
    "numbers_at_risk",
    "remaining_lifetime",
    "renewals",
    "revenue_churn",
    "survival",
    "survival_at",
    "what_moved",
    "window_effect",
]
