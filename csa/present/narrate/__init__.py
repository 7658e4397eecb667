"""Findings: sentences computed from results, never written by hand.

Each answers three questions: what changed (the figure), is it real (interval, n, test), what to
do. Names from the data are shortened, so that a sentence stays one.
"""

from csa.present.narrate.adoption_features import feature_breadth, feature_uptake
from csa.present.narrate.adoption_licences import idle_licences, licence_utilisation
from csa.present.narrate.adoption_people import engagement, fell_off, power_users, report_readers
from csa.present.narrate.adoption_use import active_users, stickiness, use_per_person
from csa.present.narrate.causes import causes
from csa.present.narrate.change import what_moved
from csa.present.narrate.clv_buyer_groups import buyer_groups
from csa.present.narrate.clv_buyer_models import (
    alive_calibration,
    buyer_models,
    buyers_by_opportunity,
    spend_and_frequency,
)
from csa.present.narrate.clv_buyers import buyer_value, newcomer_value, next_best_customers
from csa.present.narrate.clv_change import value_moved, value_realised
from csa.present.narrate.clv_contract import customer_concentration, customer_value, half_absent
from csa.present.narrate.clv_economics import cac_payback, clv_cac
from csa.present.narrate.clv_growth import growth_carried
from csa.present.narrate.cohorts_change import cohort_change, cohort_ways
from csa.present.narrate.cohorts_revenue import cohort_revenue
from csa.present.narrate.cohorts_standing import cohort_basis, cohort_groups, cohort_retention
from csa.present.narrate.effects import effects
from csa.present.narrate.extrapolation import extrapolation
from csa.present.narrate.groups import groups
from csa.present.narrate.hazard import hazard
from csa.present.narrate.leaving import chance_to_leave
from csa.present.narrate.lifetimes import first_year, lifetime
from csa.present.narrate.lost_sight import lost_sight
from csa.present.narrate.mrr_bridge import mrr_bridge
from csa.present.narrate.mrr_concentration import revenue_concentration
from csa.present.narrate.mrr_definitions import mrr_definitions
from csa.present.narrate.mrr_movements import mrr_movements, quick_ratio
from csa.present.narrate.mrr_retention import gross_retention, net_retention
from csa.present.narrate.quality import data_quality, freshness
from csa.present.narrate.rate import churn_rate
from csa.present.narrate.remaining import remaining
from csa.present.narrate.renewal import renewal
from csa.present.narrate.revenue import revenue_churn
from csa.present.narrate.risk_list import accounts_to_call, revenue_at_risk, risk_drivers
from csa.present.narrate.risk_model import flagged_earlier, model_choice
from csa.present.narrate.risk_targets import risk_targets
from csa.present.narrate.risk_trust import risk_leaks, risk_trust
from csa.present.narrate.sales_costs import cost_payback, customer_cost, worth_over_cost
from csa.present.narrate.sales_growth import sales_success, time_to_expansion
from csa.present.narrate.sales_renewals import renewal_forecast, renewal_rate, renewals_due
from csa.present.narrate.sales_shares import sales_gap
from csa.present.narrate.sales_trials import trial_return, trial_to_paid
from csa.present.narrate.window import window_effect

__all__ = [
    "accounts_to_call",
    "active_users",
    "alive_calibration",
    "buyer_groups",
    "buyer_models",
    "buyer_value",
    "buyers_by_opportunity",
    "cac_payback",
    "causes",
    "chance_to_leave",
    "churn_rate",
    "clv_cac",
    "cohort_basis",
    "cohort_change",
    "cohort_groups",
    "cohort_retention",
    "cohort_revenue",
    "cohort_ways",
    "cost_payback",
    "customer_concentration",
    "customer_cost",
    "customer_value",
    "data_quality",
    "effects",
    "engagement",
    "extrapolation",
    "feature_breadth",
    "feature_uptake",
    "fell_off",
    "first_year",
    "flagged_earlier",
    "freshness",
    "gross_retention",
    "groups",
    "growth_carried",
    "half_absent",
    "hazard",
    "idle_licences",
    "licence_utilisation",
    "lifetime",
    "lost_sight",
    "model_choice",
    "mrr_bridge",
    "mrr_definitions",
    "mrr_movements",
    "net_retention",
    "newcomer_value",
    "next_best_customers",
    "power_users",
    "quick_ratio",
    "remaining",
    "renewal",
    "renewal_forecast",
    "renewal_rate",
    "renewals_due",
    "report_readers",
    "revenue_at_risk",
    "revenue_churn",
    "revenue_concentration",
    "risk_drivers",
    "risk_leaks",
    "risk_targets",
    "risk_trust",
    "sales_gap",
    "sales_success",
    "spend_and_frequency",
    "stickiness",
    "time_to_expansion",
    "trial_return",
    "trial_to_paid",
    "use_per_person",
    "value_moved",
    "value_realised",
    "what_moved",
    "window_effect",
    "worth_over_cost",
]
