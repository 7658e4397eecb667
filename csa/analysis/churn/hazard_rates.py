"""How risky each age is: churned accounts per month under observation, by group and age.

A survival curve shows what has added up; the rate shows when it happens: the weeks after a trial,
the first renewal. Nothing is smoothed: a rate is events over time at risk, with an exact interval.
"""

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.spells import ALL, count_spells
from csa.errors import InputError
from csa.methods.lifetable import LifeTable
from csa.methods.rates import exposure_by_band, poisson_rate

PER_DAYS = 30  # rates are per this many days at risk
MIN_AT_RISK = 10  # fewer at risk on average than this makes a rate "unclear"
COLUMNS = [
    *("group", "from_days", "to_days", "at_risk", "exposure_days", "events"),
    *("rate", "ci_low", "ci_high", "status", "reason"),
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HazardRates:
    """Churn rate per group and band of age, and over all (`all`, first).

    `table`: `group`, `from_days`, `to_days` (from_days < age <= to_days; day 0 counts in the first
    band), `at_risk` (as the band begins), `exposure_days` (of all accounts), `events`, `rate`,
    `ci_low`, `ci_high` (churned accounts per `per_days` days at risk), `status` ("ok" or
    "unclear"), `reason`.
    """

    table: pd.DataFrame
    width_days: int
    per_days: int = PER_DAYS
    entered_late: int = 0  # spells with entry_days above 0, over all groups
    never_seen: int = 0  # spells left out: they ended before they could have been seen
    confidence: float = 0.95


def hazard_by_age(
    spells: ir.Table | pd.DataFrame,
    *,
    width_days: int = 30,
    until_days: int | None = None,
    confidence: float = 0.95,
    min_at_risk: int = MIN_AT_RISK,
) -> HazardRates:
    """Churn rate by age: events over time at risk, per group, with delayed entry.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        `group`, `entry_days`, `exit_days`, `event` as for survival.
    width_days : int
        Width of the bands of age, days.
    until_days : int, optional
        Age at which the last band begins at the latest; default: the last age seen.
    confidence : float
        Level of the intervals, share in (0, 1).
    min_at_risk : int
        Fewer at risk than this, on average over a band, is "unclear".

    Returns
    -------
    HazardRates
        The same bands for every group; only `all` where there is at most one group. Without
        spells there are no bands.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, an age is missing or negative, or a width is
        not above 0.

    Notes
    -----
    d events in T account-days give d / T with Garwood's exact Poisson limits, see
    `csa.methods.rates`. Within a band the rate is taken for constant; the chance to churn in a
    month at rate r is 1 - exp(-r), a little less than r.
    """
    if width_days <= 0 or (until_days is not None and until_days <= 0):
        raise InputError("width_days and until_days: must be above 0")
    counts = count_spells(spells)
    edges = _edges(counts.tables[ALL], width_days, until_days)
    parts = [
        _rates(name, table, edges, confidence, min_at_risk) for name, table in counts.tables.items()
    ]
    return HazardRates(
        table=pd.concat(parts, ignore_index=True),
        width_days=width_days,
        entered_late=counts.entered_late[ALL],
        never_seen=counts.never_seen,
        confidence=confidence,
    )


def _edges(whole: LifeTable, width: int, until: int | None) -> NDArray[np.float64]:
    """Ages between the bands; none where nobody was seen, one band where nobody passed day 0."""
    if not len(whole.time):
        return np.empty(0)
    last = whole.time[-1] if until is None else min(whole.time[-1], until)
    return width * np.arange(max(np.ceil(last / width), 1.0) + 1)


def _rates(
    name: str, table: LifeTable, edges: NDArray[np.float64], confidence: float, least: int
) -> pd.DataFrame:
    """Bands of one group."""
    if not len(edges):
        return pd.DataFrame(columns=COLUMNS)
    time, events, at_risk = exposure_by_band(table, edges)
    rate = poisson_rate(events, time / PER_DAYS, confidence=confidence)
    mean = time / np.diff(edges)
    reason = np.select(
        [time == 0, mean < least],
        ["not under observation at these ages", f"fewer than {least} at risk on average"],
        "",
    )
    values = (name, edges[:-1], edges[1:], at_risk, time, events, *rate)
    frame = pd.DataFrame(dict(zip(COLUMNS, values, strict=False)))
    status = np.where(reason == "", "ok", "unclear")
    return frame.assign(status=status, reason=reason)
