"""Buyers by how often they bought and how long they have been quiet: who is likely to come back."""

from typing import Final

import ibis
import pandas as pd

from csa.analysis.clv.value import BuyerValue

OFTEN: Final = (0, 1, 2, 4, 8)  # repeat purchases at which a group begins
QUIET: Final = (0, 30, 90, 180, 365)  # days since the last purchase at which a group begins


def frequency_recency(result: BuyerValue, *, unit_days: float) -> pd.DataFrame:
    """Average what is expected of customers by frequency and time since the last purchase.

    Parameters
    ----------
    result : BuyerValue
        From `csa.analysis.clv.value.buyer_value`.
    unit_days : float
        Length of the unit of its times, days.

    Returns
    -------
    DataFrame
        Per pair with customers: `often`, `quiet` (places in `OFTEN` and `QUIET`), `frequency`,
        `days` (where the groups begin), `customers`, `alive` (mean chance to be a customer still),
        `purchases` (mean, expected and discounted). Empty where there are no values.
    """
    columns = ["often", "quiet", "frequency", "days", "customers", "alive", "purchases"]
    if result.customers is None:
        return pd.DataFrame(columns=columns)
    rows = result.customers
    since = (rows["age"] - rows["recency"]) * unit_days
    often = sum((rows["frequency"] >= start).ifelse(1, 0) for start in OFTEN[1:])
    quiet = sum((since >= start - 1e-6).ifelse(1, 0) for start in QUIET[1:])
    found: pd.DataFrame = (
        rows.mutate(often=often, quiet=quiet)
        .group_by("often", "quiet")
        .agg(
            customers=ibis._.count(),
            alive=ibis._.alive.mean(),
            purchases=ibis._.expected_purchases.mean(),
        )
        .order_by("often", "quiet")
        .to_pandas()
    )
    return found.assign(
        frequency=[OFTEN[place] for place in found["often"]],
        days=[QUIET[place] for place in found["quiet"]],
    )[columns]
