"""Charts of the chapters, each drawn wide (page, print) and narrow (phone).

Labels stand at the lines instead of a legend; what is uncertain is a light band; the numbers
that carry a drawing stand under or beside it. No pyplot: a figure belongs to its function.
"""

from csa.present.plots_rates import churn_rates
from csa.present.plots_survival import survival_curves

__all__ = ["churn_rates", "survival_curves"]
