"""Recurring revenue: how it moved, what was kept of it, why that changed and who holds it.

The import point of the chapter: each function has its module, named after its topic.
"""

from csa.analysis.revenue.bridge import Bridge, arpa_bridge, retention_bridge
from csa.analysis.revenue.by_definition import ByDefinition, as_defined, by_definition
from csa.analysis.revenue.concentration import RevenueConcentration, revenue_concentration
from csa.analysis.revenue.drawn import Draws
from csa.analysis.revenue.expansion import SalesSuccess, sales_success
from csa.analysis.revenue.flows import FlowRates, flow_rates
from csa.analysis.revenue.foretold import Foretold, expected_loss, foretold, with_risk
from csa.analysis.revenue.months import Span, span
from csa.analysis.revenue.movements import MovementsResult, compounded, movements
from csa.analysis.revenue.rates import (
    RetentionResult,
    RetentionTrend,
    retention,
    retention_over_time,
)
from csa.analysis.revenue.renewals import Renewals, due_next, renewals
from csa.analysis.revenue.time_to import TimeTo, months_back, time_to_conversion, time_to_expansion
from csa.analysis.revenue.trial_return import TrialReturn, trial_return
from csa.analysis.revenue.trials import TrialRate, trial_to_paid
from csa.analysis.revenue.unit_costs import CostTerms, UnitCosts, unit_costs, worth_of

__all__ = [
    "Bridge",
    "ByDefinition",
    "CostTerms",
    "Draws",
    "FlowRates",
    "Foretold",
    "MovementsResult",
    "Renewals",
    "RetentionResult",
    "RetentionTrend",
    "RevenueConcentration",
    "SalesSuccess",
    "Span",
    "TimeTo",
    "TrialRate",
    "TrialReturn",
    "UnitCosts",
    "arpa_bridge",
    "as_defined",
    "by_definition",
    "compounded",
    "due_next",
    "expected_loss",
    "flow_rates",
    "foretold",
    "months_back",
    "movements",
    "renewals",
    "retention",
    "retention_bridge",
    "retention_over_time",
    "revenue_concentration",
    "sales_success",
    "span",
    "time_to_conversion",
    "time_to_expansion",
    "trial_return",
    "trial_to_paid",
    "unit_costs",
    "with_risk",
    "worth_of",
]
