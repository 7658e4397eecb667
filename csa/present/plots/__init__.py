"""Charts of the chapters, each drawn wide (page, print) and narrow (phone).

Labels stand at the lines instead of a legend; what is uncertain is a light band; the numbers
that carry a drawing stand under or beside it. No pyplot: a figure belongs to its function.
"""

from csa.present.plots.adoption_features import feature_uptake, features_used
from csa.present.plots.adoption_people import engagement_spread, power_users
from csa.present.plots.adoption_use import active_users, licence_utilisation, stickiness
from csa.present.plots.causes import incidence
from csa.present.plots.causes_by_month import causes_by_month
from csa.present.plots.change import what_moved
from csa.present.plots.clv_buyer_groups import buyer_groups
from csa.present.plots.clv_buyer_matrix import frequency_recency
from csa.present.plots.clv_buyer_value import alive_calibration, alive_histogram, newcomer_values
from csa.present.plots.clv_buyers import (
    purchases_by_frequency,
    purchases_calibration,
    purchases_tracked,
)
from csa.present.plots.clv_contract import customer_concentration, customer_value
from csa.present.plots.clv_economics import clv_cac, value_moved, value_realised
from csa.present.plots.cohorts_breakdown import cohort_groups, cohort_revenue
from csa.present.plots.cohorts_lines import cohort_curves, cohort_trend
from csa.present.plots.cohorts_triangle import cohort_revenue_triangle, cohort_triangle
from csa.present.plots.effects import effects
from csa.present.plots.extrapolation import extrapolation
from csa.present.plots.hazard import hazard_by_age
from csa.present.plots.mrr_bridge import mrr_bridge
from csa.present.plots.mrr_concentration import revenue_concentration
from csa.present.plots.mrr_movements import mrr_movements
from csa.present.plots.mrr_retention import retention_over_time, revenue_retention
from csa.present.plots.mrr_waterfall import mrr_waterfall
from csa.present.plots.rates import churn_rates
from csa.present.plots.renewals import renewals
from csa.present.plots.revenue import accounts_and_revenue
from csa.present.plots.risk_drivers import risk_effects, risk_signs
from csa.present.plots.risk_list import accounts_to_call, revenue_at_risk
from csa.present.plots.risk_trust import calibration, gain
from csa.present.plots.sales_calendar import renewal_calendar
from csa.present.plots.sales_curves import first_expansion, trial_conversion
from csa.present.plots.sales_rows import cost_payback, sales_success
from csa.present.plots.survival import survival_curves

__all__ = [
    "accounts_and_revenue",
    "accounts_to_call",
    "active_users",
    "alive_calibration",
    "alive_histogram",
    "buyer_groups",
    "calibration",
    "causes_by_month",
    "churn_rates",
    "clv_cac",
    "cohort_curves",
    "cohort_groups",
    "cohort_revenue",
    "cohort_revenue_triangle",
    "cohort_trend",
    "cohort_triangle",
    "cost_payback",
    "customer_concentration",
    "customer_value",
    "effects",
    "engagement_spread",
    "extrapolation",
    "feature_uptake",
    "features_used",
    "first_expansion",
    "frequency_recency",
    "gain",
    "hazard_by_age",
    "incidence",
    "licence_utilisation",
    "mrr_bridge",
    "mrr_movements",
    "mrr_waterfall",
    "newcomer_values",
    "power_users",
    "purchases_by_frequency",
    "purchases_calibration",
    "purchases_tracked",
    "renewal_calendar",
    "renewals",
    "retention_over_time",
    "revenue_at_risk",
    "revenue_concentration",
    "revenue_retention",
    "risk_effects",
    "risk_signs",
    "sales_success",
    "stickiness",
    "survival_curves",
    "trial_conversion",
    "value_moved",
    "value_realised",
    "what_moved",
]
