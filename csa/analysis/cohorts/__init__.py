"""Cohorts: of those who began together, who is still active, and who still pays.

The import point of the chapter: each function has its module, named after its topic.
"""

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.counted import Basis, Counted, count
from csa.analysis.cohorts.groups import GroupRetention, by_group
from csa.analysis.cohorts.named_clock import named_clock
from csa.analysis.cohorts.retention import CohortRetention, retention
from csa.analysis.cohorts.revenue import CohortRevenue, revenue_retention
from csa.analysis.cohorts.trend import CohortTrend, age_trend
from csa.analysis.cohorts.ways import Ways, ways

__all__ = [
    "Basis",
    "Clock",
    "CohortRetention",
    "CohortRevenue",
    "CohortTrend",
    "Counted",
    "GroupRetention",
    "Ways",
    "age_trend",
    "by_group",
    "count",
    "named_clock",
    "retention",
    "revenue_retention",
    "ways",
]
