"""The same customers under other ways of counting a return: by age, clock and bracket."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import ibis.expr.types as ir
import pandas as pd

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.counted import Basis, Counted, count
from csa.analysis.cohorts.pairs import bracket_counts
from csa.analysis.cohorts.retention import COLUMNS, cohort_of, pooled
from csa.analysis.cohorts.stretches import active_days
from csa.analysis.cohorts.units import ALL

BRACKETS: Final = ((1, 3), (4, 6), (7, 12))
TENURE: Final = "tenure"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """Pooled retention of all under several ways of counting.

    `table`: `way` (bounded, unbounded, bracket, tenure: bounded in windows of days since each
    unit's own start), `first_age`, `last_age`, `cohorts`, `n`, `returned`, `retention`, `ci_low`,
    `ci_high`, `status`, `reason`.
    """

    table: pd.DataFrame
    basis: Basis
    clock: Clock
    tenure: Clock
    as_of: date
    confidence: float = 0.95


def ways(
    counted: Counted,
    rows: ir.Table,
    *,
    ages: Sequence[int],
    brackets: Sequence[tuple[int, int]] = BRACKETS,
    confidence: float = 0.95,
) -> Ways:
    """Count returns at some ages in several ways, on complete cells only.

    Parameters
    ----------
    counted : Counted
        From `csa.analysis.cohorts.counted.count`.
    rows : ir.Table
        The rows that were counted.
    ages : sequence of int
        Ages at which bounded, unbounded and tenure retention are told.
    brackets : sequence of (int, int)
        First and last age of each bracket, in which one return is enough.
    confidence : float
        Level of the intervals.

    Returns
    -------
    Ways
        An age or bracket that nobody has completed has no row.
    """
    basis, as_of = counted.basis, counted.as_of
    tenure = Clock(
        kind="tenure",
        window_days=_window(counted.clock),
        least_days=counted.clock.least_days,
        last_age=max(ages, default=0),
    )
    same = counted if counted.clock.kind == TENURE else None
    apart = same or count(_ungrouped(rows), clock=tenure, as_of=as_of, basis=basis)
    parts = [
        _at(counted, "bounded", ages, confidence),
        _at(counted, "unbounded", ages, confidence),
        _brackets(counted, rows, brackets, confidence),
    ]
    if same is None:
        parts.append(_at(apart, "bounded", ages, confidence).assign(way=TENURE))
    return Ways(
        table=pd.concat(parts, ignore_index=True),
        basis=basis,
        clock=counted.clock,
        tenure=tenure,
        as_of=as_of,
        confidence=confidence,
    )


def _window(clock: Clock) -> int:
    return 7 if clock.kind == "week" else 30 if clock.kind == "month" else clock.window_days


def _ungrouped(rows: ir.Table) -> ir.Table:
    return rows.drop("group") if "group" in rows.columns else rows


def _at(counted: Counted, way: str, ages: Sequence[int], confidence: float) -> pd.DataFrame:
    counts = counted.table.assign(returned=counted.table[COLUMNS[way]])
    counts = counts.loc[(counts["group"] == ALL) & counts["age"].isin(list(ages))]
    counts = counts.assign(cohort=cohort_of(counts["cohort"], counted.clock))
    table = pooled(counts, confidence=confidence)
    return table.assign(way=way, first_age=table["age"], last_age=table["age"])


def _brackets(
    counted: Counted, rows: ir.Table, brackets: Sequence[tuple[int, int]], confidence: float
) -> pd.DataFrame:
    basis, clock, as_of = counted.basis, counted.clock, counted.as_of
    days = active_days(_ungrouped(rows), clock=clock, as_of=as_of)
    found = bracket_counts(
        days, unit=basis.unit, clock=clock, as_of=as_of, brackets=brackets, start=basis.start
    )
    found = found.assign(
        age=found["last_age"],
        complete=found["completes_on"] <= pd.Timestamp(as_of),
        cohort=cohort_of(found["cohort"], clock),
    )
    table = pooled(found, confidence=confidence).assign(way="bracket")
    first = {last: first for first, last in brackets}
    return table.assign(first_age=table["age"].map(first), last_age=table["age"])
