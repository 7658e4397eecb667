"""Findings: sentences computed from results, never written by hand.

Each answers three questions: what changed (the figure), is it real (interval, n, test), what to
do. Names from the data are shortened, so that a sentence stays one.
"""

from csa.present.narrate_lifetimes import first_year, groups, lifetime
from csa.present.narrate_quality import data_quality, freshness
from csa.present.narrate_rate import churn_rate
from csa.present.narrate_window import window_effect

__all__ = [
    "churn_rate",
    "data_quality",
    "first_year",
    "freshness",
    "groups",
    "lifetime",
    "window_effect",
]
