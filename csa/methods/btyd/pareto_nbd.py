"""Pareto/NBD: buyers with a gamma rate who may leave at any time, at a gamma rate of their own.

Schmittlein, Morrison and Colombo (1987). Leaving does not wait for a purchase as in BG/NBD, so one
who bought once may have left.
"""

from csa.methods.btyd.pareto_nbd_fit import MODEL as PARETO_NBD
from csa.methods.btyd.pareto_nbd_fit import Refitter, fit_pareto_nbd
from csa.methods.btyd.pareto_nbd_predict import (
    discounted_residual,
    expected_purchases,
    log_likelihood,
    probability_alive,
    purchase_probability,
    residual_purchases,
)

__all__ = [
    "PARETO_NBD",
    "Refitter",
    "discounted_residual",
    "expected_purchases",
    "fit_pareto_nbd",
    "log_likelihood",
    "probability_alive",
    "purchase_probability",
    "residual_purchases",
]
