"""Drawings of the chapter on risk, in the order of its sections."""

from csa.present.plots_risk_drivers import risk_effects, risk_signs
from csa.present.plots_risk_list import accounts_to_call, revenue_at_risk
from csa.present.plots_risk_trust import calibration, gain

__all__ = [
    "accounts_to_call",
    "calibration",
    "gain",
    "revenue_at_risk",
    "risk_effects",
    "risk_signs",
]
