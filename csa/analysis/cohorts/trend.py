"""One age over the cohorts: whether newer cohorts stay better or worse than older ones."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import pandas as pd

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.counted import Basis
from csa.analysis.cohorts.retention import COMPLETE, SMALL, CohortRetention
from csa.analysis.cohorts.units import ALL
from csa.methods.intervals import newcombe_difference
from csa.methods.share_trend import ShareTrend, share_trend, widened

RECENT: Final = 3  # newest cohorts that are compared
BEFORE: Final = 12  # cohorts before them to compare with, at most
LEAST: Final = 3  # cohorts from which on there is something to compare

Verdict = Literal["better", "worse", "unclear"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """Some cohorts together: who began, how many were active at the age, from first to last."""

    n: int
    returned: int
    retention: float
    first: date
    last: date
    cohorts: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CohortTrend:
    """Retention at one age, over cohorts that have completed it.

    `table`: the cells of these cohorts, oldest first, `recent` marking the newest. `newer` against
    `older`: `difference` (shares) with limits, widened where cohorts of a side `scatter` more than
    chance alone lets them (1); `trend` over all cohorts of both. `verdict` is unclear, with a
    `reason`, where the interval holds zero or there is too little to compare.
    """

    table: pd.DataFrame
    age: int
    newer: Side | None
    older: Side | None
    difference: float
    low: float
    high: float
    scatter: float
    trend: ShareTrend
    verdict: Verdict
    reason: str
    basis: Basis
    clock: Clock
    confidence: float = 0.95


def age_trend(
    result: CohortRetention, *, age: int, recent: int = RECENT, before: int = BEFORE
) -> CohortTrend:
    """Compare the newest cohorts with those before them at one age, and test for a trend.

    Parameters
    ----------
    result : CohortRetention
        From `csa.analysis.cohorts.retention.retention`.
    age : int
        Age at which all are read, periods.
    recent : int
        Newest cohorts, by completion of that age, that are taken together.
    before : int
        At most so many cohorts before them are compared with.

    Returns
    -------
    CohortTrend
        Complete cells of all accounts only.

    Notes
    -----
    Newcombe's interval of the difference; where the cohorts of a side scatter around its share
    more than chance alone lets them (Pearson's chi-square over its degrees of freedom), it is
    widened by the root of that factor: a difference that any few cohorts may show is no change.
    """
    cells = result.cells.loc[(result.cells["group"] == ALL) & (result.cells["age"] == age)]
    cells = cells.loc[cells["state"] == COMPLETE].sort_values("cohort", ignore_index=True)
    cells = cells.tail(recent + before).reset_index(drop=True)
    table = cells.assign(recent=cells.index >= len(cells) - recent)
    new, old = table.loc[table["recent"]], table.loc[~table["recent"]]
    trend = share_trend(table["returned"], table["n"], confidence=result.confidence)
    newer, older = _side(new), _side(old)
    gap = newcombe_difference(
        (new["returned"].sum(), old["returned"].sum()),
        (new["n"].sum(), old["n"].sum()),
        confidence=result.confidence,
    )
    scatter, wide = _scatter(new, old, result.confidence)
    value = float(gap.value)
    low = max(value - wide * (value - float(gap.low)), -1.0)
    high = min(value + wide * (float(gap.high) - value), 1.0)
    reason = _reason(newer, older, len(table))
    surely = "better" if low > 0 else "worse" if high < 0 else "unclear"
    return CohortTrend(
        table=table,
        age=age,
        newer=newer,
        older=older,
        difference=value,
        low=low,
        high=high,
        scatter=scatter,
        trend=trend,
        verdict="unclear" if reason else surely,  # type: ignore[arg-type]
        reason=reason,
        basis=result.basis,
        clock=result.clock,
        confidence=result.confidence,
    )


def _scatter(new: pd.DataFrame, old: pd.DataFrame, confidence: float) -> tuple[float, float]:
    """Scatter of the cohorts within both sides, and by how much it widens an interval."""
    sides = [share_trend(rows["returned"], rows["n"]) for rows in (new, old)]
    left = sum(side.equal for side in sides if not math.isnan(side.equal))
    return widened(left, sum(side.df for side in sides), confidence=confidence)


def _side(rows: pd.DataFrame) -> Side | None:
    n, returned = int(rows["n"].sum()), int(rows["returned"].sum())
    if not n:
        return None
    return Side(
        n=n,
        returned=returned,
        retention=returned / n,
        first=rows["cohort"].min().date(),
        last=rows["cohort"].max().date(),
        cohorts=len(rows),
    )


def _reason(newer: Side | None, older: Side | None, cohorts: int) -> str:
    if newer is None:
        return "no cohort has completed that age"
    if older is None or cohorts < LEAST:
        done = f"only {cohorts} cohort{'s have' if cohorts > 1 else ' has'}"
        return f"{done} completed that age"
    few = min(newer.n, older.n)
    return f"only {few} began on one side" if few < SMALL else ""
