"""Retention at one age by group, on the same cohorts."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.counted import Basis
from csa.analysis.cohorts.retention import CohortRetention
from csa.analysis.cohorts.units import ALL
from csa.methods.intervals import newcombe_difference
from csa.methods.share_trend import share_trend

LEAST: Final = 2  # groups large enough to be compared


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupRetention:
    """Retention of each group at one age.

    `table`: rows of `CohortRetention.pooled` with `others` (share of all other groups), and
    `difference` to them with `low`, `high`, at one level for all groups together; "all" first.
    `p_equal`: chi-square test that all groups large enough return alike, NaN where there are fewer
    than two of them.
    """

    table: pd.DataFrame
    age: int
    p_equal: float
    basis: Basis
    clock: Clock
    confidence: float = 0.95


def by_group(result: CohortRetention, *, age: int) -> GroupRetention:
    """Read the pooled retention of each group at one age.

    Parameters
    ----------
    result : CohortRetention
        From `csa.analysis.cohorts.retention.retention`.
    age : int
        Periods.

    Returns
    -------
    GroupRetention
        Empty where nobody has completed that age.

    Notes
    -----
    Each group against all others, Newcombe's interval; with g groups at the level 1 - α / g
    (Bonferroni), so that all of them hold at once.
    """
    table = result.pooled.loc[result.pooled["age"] == age].reset_index(drop=True)
    groups = table["group"] != ALL
    enough = groups & (table["status"] == "ok")
    total_n, total = (table.loc[~groups, c].sum() for c in ("n", "returned"))
    rest_n, rest = total_n - table["n"], total - table["returned"]
    compared = groups & (rest_n > 0) & (rest >= 0) & (rest <= rest_n)
    level = 1 - (1 - result.confidence) / max(int(enough.sum()), 1)
    gap = newcombe_difference(
        (table["returned"], rest.where(compared, 0)),
        (table["n"], rest_n.where(compared, 0)),
        confidence=level,
    )
    table = table.assign(
        others=(rest / rest_n).where(compared),
        difference=pd.Series(gap.value).where(compared),
        low=pd.Series(gap.low).where(compared),
        high=pd.Series(gap.high).where(compared),
    )
    some = table.loc[enough]
    alike = share_trend(some["returned"], some["n"])
    return GroupRetention(
        table=table,
        age=age,
        p_equal=alike.p_equal if len(some) >= LEAST else float("nan"),
        basis=result.basis,
        clock=result.clock,
        confidence=result.confidence,
    )
