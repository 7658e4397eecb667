"""Recurring revenue: how it moved, what was kept of it, why that changed and who holds it.

The import point of the chapter: each function has its module, named after its topic.
"""

from csa.analysis.revenue.bridge import Bridge, arpa_bridge, retention_bridge
from csa.analysis.revenue.by_definition import ByDefinition, as_defined, by_definition
from csa.analysis.revenue.concentration import RevenueConcentration, revenue_concentration
from csa.analysis.revenue.drawn import Draws
from csa.analysis.revenue.flows import FlowRates, flow_rates
from csa.analysis.revenue.months import Span, span
from csa.analysis.revenue.movements import MovementsResult, compounded, movements
from csa.analysis.revenue.rates import (
    RetentionResult,
    RetentionTrend,
    retention,
    retention_over_time,
)

__all__ = [
    "Bridge",
    "ByDefinition",
    "Draws",
    "FlowRates",
    "MovementsResult",
    "RetentionResult",
    "RetentionTrend",
    "RevenueConcentration",
    "Span",
    "arpa_bridge",
    "as_defined",
    "by_definition",
    "compounded",
    "flow_rates",
    "movements",
    "retention",
    "retention_bridge",
    "retention_over_time",
    "revenue_concentration",
    "span",
]
