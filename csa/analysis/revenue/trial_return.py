"""What free trials return: customers won times what one is worth, less what trials cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from csa.analysis.revenue.trials import TrialRate
from csa.methods.intervals import Estimate
from csa.methods.multiplied import product_of_estimates

NAN: Final = float("nan")
NOTHING: Final = Estimate(NAN, NAN, NAN)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrialReturn:
    """Return of the mature trials of a period, in minor units; `all` first.

    `table`: `group`, `n`, `converted`, `rate`, `worth_minor` (of one customer won, margin
    included), `per_trial_minor` (rate × worth) with `_low`, `_high`, `cost_minor` (of one trial),
    `net_minor` (per trial) with `_low`, `_high`, `total_minor` (net of all trials), `status`,
    `reason`. NaN where the cost of a trial or the worth of a customer is not known.
    """

    table: pd.DataFrame
    cost_per_trial_minor: float | None
    confidence: float = 0.95


def trial_return(
    result: TrialRate,
    *,
    cost_per_trial_minor: float | None,
    worth: Mapping[str, Estimate] | None = None,
) -> TrialReturn:
    """Hold what trials bring against what they cost.

    Parameters
    ----------
    result : TrialRate
        From `csa.analysis.revenue.trials.trial_to_paid`.
    cost_per_trial_minor : float or None
        What one trial costs, won or not, minor units; None: not stated.
    worth : mapping of str to Estimate, optional
        Value of a new customer with limits, by group and `all`: margin, survival and horizon are
        in it.

    Returns
    -------
    TrialReturn
        "unclear" where the share, the worth or the cost is not known well.

    Notes
    -----
    Net per trial = share converted × worth - cost; the cost is stated, not estimated. Limits of
    the product: see `csa.methods.multiplied`. That the customers would not have come without a
    trial is assumed, not known.
    """
    held = worth or {}
    rows = [_row(row, held, cost_per_trial_minor) for row in result.table.to_dict("records")]
    return TrialReturn(
        table=pd.DataFrame(rows),
        cost_per_trial_minor=cost_per_trial_minor,
        confidence=result.confidence,
    )


def _row(
    row: Mapping[Any, Any], worth: Mapping[str, Estimate], cost: float | None
) -> dict[str, Any]:
    one = worth.get(row["group"], NOTHING)
    share = Estimate(row["rate"], row["ci_low"], row["ci_high"])
    brought = product_of_estimates(share, one)
    spent = NAN if cost is None else cost
    reason = str(row["reason"])
    if cost is None:
        reason = "the cost of a trial is not stated"
    elif one.value != one.value:  # NaN
        reason = "what a new customer is worth is not known"
    return {
        "group": row["group"],
        "n": row["n"],
        "converted": row["converted"],
        "rate": row["rate"],
        "worth_minor": one.value,
        "per_trial_minor": brought.value,
        "per_trial_minor_low": brought.low,
        "per_trial_minor_high": brought.high,
        "cost_minor": spent,
        "net_minor": brought.value - spent,
        "net_minor_low": brought.low - spent,
        "net_minor_high": brought.high - spent,
        "total_minor": (brought.value - spent) * row["n"],
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }
