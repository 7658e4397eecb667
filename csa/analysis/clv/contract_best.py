"""The customers under contract that are worth most."""

import ibis
import pandas as pd

from csa.analysis.clv.contract import ContractValue


def most_valuable(value: ContractValue, *, count: int = 10) -> pd.DataFrame:
    """Find the customers of highest value, sorted in the engine.

    Parameters
    ----------
    value : ContractValue
        From `csa.analysis.clv.contract.contract_value`.
    count : int
        How many.

    Returns
    -------
    DataFrame
        `account_id`, `group`, `cohort`, `age_months`, `mrr_minor`, `value_minor`, `ci_low`,
        `ci_high`, `outcome_low`, `outcome_high`, `share` (of the value of all); ties by
        `account_id`.
    """
    order = [ibis.desc("value_minor"), "account_id"]
    rows: pd.DataFrame = value.accounts.order_by(order).limit(count).to_pandas()
    total = float(value.table["value_minor"].iloc[0])
    return rows.assign(share=rows["value_minor"] / total if total > 0 else 0.0)
