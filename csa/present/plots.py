"""Charts of the chapters, each drawn wide (page, print) and narrow (phone).

Labels stand at the lines instead of a legend; what is uncertain is a light band; the numbers
that carry a drawing stand under or beside it. No pyplot: a figure belongs to its function.
"""

from csa.present.plots_causes import incidence
from csa.present.plots_causes_by_month import causes_by_month
from csa.present.plots_change import what_moved
from csa.present.plots_effects import effects
from csa.present.plots_extrapolation import extrapolation
from csa.present.plots_hazard import hazard_by_age
from csa.present.plots_hazard_model import hazard_model
from csa.present.plots_rates import churn_rates
from csa.present.plots_revenue import accounts_and_revenue
from csa.present.plots_survival import survival_curves

__all__ = [
    "accounts_and_revenue",
    "causes_by_month",
    "churn_rates",
    "effects",
    "extrapolation",
    "hazard_by_age",
    "hazard_model",
    "incidence",
    "survival_curves",
    "what_moved",
]
