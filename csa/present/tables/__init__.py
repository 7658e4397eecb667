"""Tables of the chapters: chosen columns, formatted by kind, intervals beside their values."""

from csa.present.tables.adoption_features import feature_uptake, features_used
from csa.present.tables.adoption_people import (
    accounts_fallen,
    engagement,
    power_users,
    report_readers,
)
from csa.present.tables.adoption_use import (
    active_users,
    licences_by_group,
    licences_by_use,
    use_by_group,
)
from csa.present.tables.causes import causes
from csa.present.tables.change import what_moved, what_moved_by
from csa.present.tables.churn import churn_rate, survival_summary, window_effect
from csa.present.tables.clv_buyer_groups import buyer_groups
from csa.present.tables.clv_buyers import (
    buyer_models,
    buyer_values,
    newcomer_values,
    next_best_customers,
)
from csa.present.tables.clv_contract import (
    customer_value,
    growth_ways,
    most_valuable,
    value_cohorts,
)
from csa.present.tables.clv_economics import unit_economics, value_moved, value_realised
from csa.present.tables.cohorts import (
    cohort_ages,
    cohort_groups,
    cohort_revenue,
    cohort_trend,
    cohort_ways,
)
from csa.present.tables.effects import effect_tests
from csa.present.tables.extrapolation import expected_lifetime, extrapolation
from csa.present.tables.hazard_model import hazard_model, renewals
from csa.present.tables.lifetimes import chance_to_leave, lost_sight, remaining
from csa.present.tables.mrr_bridge import largest_accounts, mrr_bridge
from csa.present.tables.mrr_movements import mrr_by_group, mrr_by_month
from csa.present.tables.mrr_retention import mrr_definitions, revenue_retention
from csa.present.tables.quality import checks, freshness, lineage
from csa.present.tables.revenue import revenue_churn
from csa.present.tables.risk_list import accounts_to_call, revenue_at_risk, risk_drivers
from csa.present.tables.risk_trust import (
    flagged_earlier,
    model_choice,
    risk_figures,
    risk_leaks,
    risk_lift,
    risk_targets,
)
from csa.present.tables.sales import sales_by_kind, trials_by_group, trials_by_month
from csa.present.tables.sales_costs import unit_costs, unit_worth
from csa.present.tables.sales_renewals import (
    renewal_register,
    renewals_by_group,
    renewals_next,
)

__all__ = [
    "accounts_fallen",
    "accounts_to_call",
    "active_users",
    "buyer_groups",
    "buyer_models",
    "buyer_values",
    "causes",
    "chance_to_leave",
    "checks",
    "churn_rate",
    "cohort_ages",
    "cohort_groups",
    "cohort_revenue",
    "cohort_trend",
    "cohort_ways",
    "customer_value",
    "effect_tests",
    "engagement",
    "expected_lifetime",
    "extrapolation",
    "feature_uptake",
    "features_used",
    "flagged_earlier",
    "freshness",
    "growth_ways",
    "hazard_model",
    "largest_accounts",
    "licences_by_group",
    "licences_by_use",
    "lineage",
    "lost_sight",
    "model_choice",
    "most_valuable",
    "mrr_bridge",
    "mrr_by_group",
    "mrr_by_month",
    "mrr_definitions",
    "newcomer_values",
    "next_best_customers",
    "power_users",
    "remaining",
    "renewal_register",
    "renewals",
    "renewals_by_group",
    "renewals_next",
    "report_readers",
    "revenue_at_risk",
    "revenue_churn",
    "revenue_retention",
    "risk_drivers",
    "risk_figures",
    "risk_leaks",
    "risk_lift",
    "risk_targets",
    "sales_by_kind",
    "survival_summary",
    "trials_by_group",
    "trials_by_month",
    "unit_costs",
    "unit_economics",
    "unit_worth",
    "use_by_group",
    "value_cohorts",
    "value_moved",
    "value_realised",
    "what_moved",
    "what_moved_by",
    "window_effect",
]
