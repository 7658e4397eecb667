"""The rule of thumb beside the value: ARPA × margin / churn, so that readers see how it errs."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract_inputs import ALL

FloatArray = NDArray[np.float64]

TRAILING_MONTHS = 6


def shortcut(stayed: pd.DataFrame, groups: list[str]) -> FloatArray:
    """Monthly churn as the rule takes it: leavers per customer, over the last six months.

    Parameters
    ----------
    stayed : DataFrame
        From `csa.analysis.clv.contract_growth.stayers`: `asked`, `gone` by group.
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
    found = stayed[["asked", "gone"]].copy()
    found.loc[ALL] = found.sum()
    found = found.reindex(groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(found["gone"].to_numpy() / found["asked"].to_numpy())
