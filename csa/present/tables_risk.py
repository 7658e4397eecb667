"""Tables of the chapter on risk, in the order of its sections."""

from csa.present.tables_risk_list import accounts_to_call, revenue_at_risk, risk_drivers
from csa.present.tables_risk_trust import (
    flagged_earlier,
    model_choice,
    risk_figures,
    risk_leaks,
    risk_lift,
    risk_targets,
)

__all__ = [
    "accounts_to_call",
    "flagged_earlier",
    "model_choice",
    "revenue_at_risk",
    "risk_drivers",
    "risk_figures",
    "risk_leaks",
    "risk_lift",
    "risk_targets",
]
