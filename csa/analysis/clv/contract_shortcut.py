"""The rule of thumb beside the value: ARPA × margin / churn, so that readers see how it errs."""

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract_inputs import ALL

FloatArray = NDArray[np.float64]

TRAILING_MONTHS = 6


def shortcut(months: ir.Table, groups: list[str]) -> FloatArray:
    """Monthly churn as the rule takes it: leavers per customer, over the last six months.

    Parameters
    ----------
    months : ir.Table
        `group`, `month`, `mrr_minor`, `previous_minor`.
    groups : list of str
        Groups wanted, `all` among them.

    Returns
    -------
    ndarray of float
        Share per month; 0 where nobody left, which makes the rule endless; NaN where nobody paid.

    Notes
    -----
    The rule divides by one rate for all ages; the weak leave first, so what stays is worth more
    [1]_, and without a horizon or a discount it counts payments of a century.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. (2010). Customer-base valuation in a contractual
       setting: the perils of ignoring heterogeneity. Mark. Sci. 29(1), 85-93.
    """
    last = months.month.max().execute()
    if last is None or pd.isna(last):
        return np.full(len(groups), np.nan)
    paid = months.filter(months.month > int(last) - TRAILING_MONTHS, months.previous_minor > 0)
    sums = paid.group_by("group").agg(n=paid.count(), gone=(paid.mrr_minor <= 0).sum())
    found = sums.to_pandas().set_index("group").astype("float64")
    found.loc[ALL] = found.sum()
    found = found.reindex(groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(found["gone"].to_numpy() / found["n"].to_numpy())
