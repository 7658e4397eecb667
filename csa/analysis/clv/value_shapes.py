"""How value and life spread over buyers: whose value it is, and how many are still there."""

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd

from csa.analysis.clv.economics_concentration import Concentration, shares_of_value
from csa.analysis.clv.value import BuyerValue


def buyer_concentration(result: BuyerValue) -> Concentration:
    """Share of the value to come that the most valuable customers hold.

    Parameters
    ----------
    result : BuyerValue
        From `csa.analysis.clv.value.buyer_value`.

    Returns
    -------
    Concentration
        As for accounts under contract; empty where there are no values.
    """
    if result.customers is None:
        nobody = ibis.memtable(pd.DataFrame({"account_id": [""], "value": [0.0]})).limit(0)
        found = shares_of_value(nobody.rename(value_minor="value"), result.terms.confidence)
        return replace(found, reason=result.reason)
    worth = result.customers.select("account_id", value_minor="value")
    return shares_of_value(worth, result.terms.confidence)


def alive_shares(result: BuyerValue, *, bins: int = 10) -> pd.DataFrame:
    """Count customers and value by the chance that they are still customers.

    Parameters
    ----------
    result : BuyerValue
        From `csa.analysis.clv.value.buyer_value`.
    bins : int
        Equal steps of the chance.

    Returns
    -------
    DataFrame
        `low`, `high` (of the chance), `customers`, `alive` (expected), `value`; every step has a
        row. Empty where there are no values.
    """
    columns = ["low", "high", "customers", "alive", "value"]
    if result.customers is None:
        return pd.DataFrame(columns=columns)
    rows = result.customers
    step = (rows["alive"] * bins).floor().clip(upper=bins - 1).cast("int64")
    found: pd.DataFrame = (
        rows.mutate(step=step)
        .group_by("step")
        .agg(
            customers=lambda t: t.count(),
            alive=lambda t: t["alive"].sum(),
            value=lambda t: t["value"].sum(),
        )
        .to_pandas()
        .set_index("step")
        .reindex(range(bins), fill_value=0)
        .reset_index(drop=True)
    )
    edges = np.arange(bins + 1) / bins
    table: pd.DataFrame = found.assign(low=edges[:-1], high=edges[1:])[columns]
    return table
