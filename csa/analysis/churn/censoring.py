"""How much the answer rests on accounts that went out of sight without churn."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.analysis.churn.lifetimes import survival
from csa.analysis.churn.readings import survival_at
from csa.analysis.churn.spells import ALL, as_spells
from csa.data.columns import STILL_HERE

NEEDED = ("start_on", "entry_days", "exit_days", "event", "censoring")


def censoring_bounds(
    spells: ir.Table | pd.DataFrame, *, ages_days: Sequence[float], confidence: float = 0.95
) -> pd.DataFrame:
    """Bound survival by what accounts that went out of sight may have done.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        `start_on`, `entry_days`, `exit_days`, `event`, `censoring` ("still a customer", or why
        the account went out of sight: merged, paused, migrated).
    ages_days : sequence of float
        Ages, days.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    DataFrame
        `age_days`, `n`, `lost_sight` (spells), `at_risk`, `survival`, `ci_low`, `ci_high`,
        `status`, `reason`, `if_all_left`, `if_none_left`. NaN and "unclear" where the curve does
        not reach.

    Notes
    -----
    Kaplan-Meier takes an account that went out of sight to be like those that stayed in it. If
    each of them left that very day, survival is `if_all_left`; if none ever left before the last
    known day, `if_none_left`: whatever the reasons hide, the truth lies between these curves [1]_.

    References
    ----------
    .. [1] Peterson, A. V. (1976). Bounds for a joint distribution function with fixed
       sub-distribution functions: application to competing risks. Proc. Natl. Acad. Sci. 73.
    """
    table = as_spells(spells, *NEEDED).mutate(group=ibis.literal(ALL))
    lost = ~table["event"] & (table["censoring"] != STILL_HERE)
    table = table.mutate(lost=ibis.coalesce(lost, False))
    ends = table.start_on + table.exit_days.cast("int64").as_interval("D")
    until = ends.cast("date").max().as_scalar()
    whole = until.delta(table.start_on, unit="day").cast("int64")
    left = table.mutate(event=table.event | table.lost)
    stayed = table.mutate(exit_days=ibis.ifelse(table.lost, whole, table.exit_days))
    as_seen = survival(table, confidence=confidence)
    found = survival_at(as_seen, ages_days).drop(columns="group")
    found.insert(1, "n", int(as_seen.summary["n"].iloc[0]))
    found.insert(2, "lost_sight", int(table.lost.sum().fill_null(0).execute()))
    for name, bound in (("if_all_left", left), ("if_none_left", stayed)):
        found[name] = survival_at(survival(bound), ages_days)["survival"]
    return found
