"""Money of the holdout: purchases expected times what each may bring, against what came."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.rfm import Rfm
from csa.methods.btyd.gamma_gamma import expected_spend, fit_gamma_gamma

FloatArray = NDArray[np.float64]


def spend_of(summary: Rfm, rows: pd.DataFrame) -> FloatArray:
    """Expect what a purchase of each row's customers brings, from the calibration alone.

    Parameters
    ----------
    summary : Rfm
        Its `spend` is what Gamma-Gamma is fitted to.
    rows : DataFrame
        Counted customers: `frequency` and `mean_minor`, the mean of their means, missing without a
        repeat purchase. For one frequency the expectation is linear in the mean, so that customers
        counted together are expected to spend what they are one by one.

    Returns
    -------
    ndarray of float
        Minor units per purchase and row; NaN where no mean spend could be estimated.
    """
    seen = summary.spend
    columns = ("frequency", "mean_minor", "weight")
    frequency, mean, weight = (seen[name].to_numpy(dtype=np.float64) for name in columns)
    fit = fit_gamma_gamma(frequency, mean, weight)
    if not fit.parameters or rows.empty:
        return np.full(len(rows), np.nan)
    known = rows["mean_minor"].fillna(0.0).to_numpy(dtype=np.float64)
    each = expected_spend(fit, rows["frequency"].to_numpy(), known).expected
    return np.where(np.isfinite(each), each, np.nan)


def revenue_error(rows: pd.DataFrame, predicted: FloatArray, spend: FloatArray) -> float:
    """Tell by how much the revenue of the holdout was missed.

    Parameters
    ----------
    rows : DataFrame
        `weight` (customers) and `holdout_minor` (what they brought, in all).
    predicted : ndarray of float
        Purchases per customer.
    spend : ndarray of float
        Minor units per purchase.

    Returns
    -------
    float
        Share of the actual revenue, negative where too little was expected; NaN where nothing
        came or no spend is known.
    """
    came = float(rows["holdout_minor"].sum())
    said = float(rows["weight"].to_numpy(dtype=np.float64) @ (predicted * spend))
    return said / came - 1 if came > 0 else np.nan
