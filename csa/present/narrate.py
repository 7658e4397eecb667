"""Findings: sentences computed from results, never written by hand.

Each answers three questions: what changed (the figure), is it real (interval, n, test), what to
do. Names from the data are shortened, so that a sentence stays one.
"""

from csa.present.narrate_causes import causes
from csa.present.narrate_change import what_moved
from csa.present.narrate_effects import effects
from csa.present.narrate_extrapolation import extrapolation
from csa.present.narrate_hazard import hazard
from csa.present.narrate_leaving import chance_to_leave
from csa.present.narrate_lifetimes import first_year, groups, lifetime
from csa.present.narrate_lost_sight import lost_sight
from csa.present.narrate_quality import data_quality, freshness
from csa.present.narrate_rate import churn_rate
from csa.present.narrate_remaining import remaining
from csa.present.narrate_renewal import renewal
from csa.present.narrate_revenue import revenue_churn
from csa.present.narrate_window import window_effect

__all__ = [
    "causes",
    "chance_to_leave",
    "churn_rate",
    "data_quality",
    "effects",
    "extrapolation",
    "first_year",
    "freshness",
    "groups",
    "hazard",
    "lifetime",
    "lost_sight",
    "remaining",
    "renewal",
    "revenue_churn",
    "what_moved",
    "window_effect",
]
