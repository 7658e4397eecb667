"""Predictions of purchases merged within steps, where they are frequent: without approximation."""

import numpy as np
from numpy.typing import NDArray

from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.merged import MergedLikelihood, can_be_exact
from csa.methods.btyd.model import Fit

FloatArray = NDArray[np.float64]


def exact_residual(
    fit: Fit, counts: BuyerCounts, time: FloatArray, extra: int | None
) -> FloatArray | None:
    """Expect the steps with purchases of each customer in one time to come.

    Parameters
    ----------
    fit : Fit
        BG/NBD, MBG/NBD or Pareto/NBD.
    counts : BuyerCounts
        Customers, in the unit of the fit.
    time : ndarray of float
        Length of time, units.
    extra : int or None
        0 for BG/NBD, 1 for MBG/NBD, None for Pareto/NBD.

    Returns
    -------
    ndarray of float or None
        None where the time differs by customer, or the exact way is out of reach or not worth it.
    """
    logs = fit.log_parameters
    if np.ndim(time) or not can_be_exact(counts, logs, beta=extra is not None):
        return None
    return MergedLikelihood(counts, logs, extra).purchases_after(logs, float(time))


def exact_of_new(fit: Fit, time: FloatArray, extra: int | None) -> FloatArray | None:
    """Expect the steps with purchases of a new customer, after the step of the first.

    Parameters
    ----------
    fit : Fit
        BG/NBD, MBG/NBD or Pareto/NBD.
    time : ndarray of float
        Length of time, units.
    extra : int or None
        0 for BG/NBD, 1 for MBG/NBD, None for Pareto/NBD.

    Returns
    -------
    ndarray of float or None
        None where the exact way is out of reach or not worth it.
    """
    step = fit.merged_days
    if not step:
        return None
    unit, logs = fit.unit_days or 1.0, fit.log_parameters
    none = BuyerCounts(
        np.zeros(1, dtype=np.int64),
        np.zeros(1),
        np.array([step / unit]),
        unit_days=unit,
        grid_days=step,
        merged_days=step,
    )
    if not can_be_exact(none, logs, beta=extra is not None):
        return None
    model = MergedLikelihood(none, logs, extra)
    found = [model.purchases_of_new(logs, float(one)) for one in np.ravel(time)]
    return np.reshape(np.array(found), np.shape(time))
