"""Findings of the chapter on risk, in the order of its sections."""

from csa.present.narrate_risk_list import accounts_to_call, revenue_at_risk, risk_drivers
from csa.present.narrate_risk_model import flagged_earlier, model_choice
from csa.present.narrate_risk_targets import risk_targets
from csa.present.narrate_risk_trust import risk_leaks, risk_trust

__all__ = [
    "accounts_to_call",
    "flagged_earlier",
    "model_choice",
    "revenue_at_risk",
    "risk_drivers",
    "risk_leaks",
    "risk_targets",
    "risk_trust",
]
