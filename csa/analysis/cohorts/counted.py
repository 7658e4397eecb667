"""Active units per group, cohort and age: what everything said of cohorts is made from."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.masks import cohort_counts
from csa.analysis.cohorts.pairs import CELLS
from csa.analysis.cohorts.stretches import active_days
from csa.analysis.cohorts.units import ALL
from csa.errors import InputError

Activity = Literal["paid", "purchased", "used"]
Begins = Literal["first", "signup"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basis:
    """What is counted: who (`unit`, a column), active in what way, from which start on.

    `start` names the column of the start, `begins` says what it is: the first activity or signup.
    """

    unit: str = "account_id"
    activity: Activity = "paid"
    start: str | None = None
    begins: Begins = "first"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Counts of all and of each group.

    `table`: as `csa.analysis.cohorts.masks.cohort_counts` gives them, "all" among the groups;
    `complete` says whether everybody in the row has had the whole age by `as_of`.
    """

    table: pd.DataFrame
    basis: Basis
    clock: Clock
    as_of: date


def count(
    rows: ir.Table | pd.DataFrame,
    *,
    clock: Clock,
    as_of: date,
    basis: Basis | None = None,
) -> Counted:
    """Count, for all and for each group, who of a cohort was active at which age.

    Parameters
    ----------
    rows : ir.Table or DataFrame
        Days, or stretches of days (`csa.analysis.cohorts.stretches.active_days`), with `day`, the
        columns of the basis, and optional `group`.
    clock : Clock
        Periods, threshold and greatest age.
    as_of : date
        Last day that is known.
    basis : Basis, optional
        Who is counted, and from when on.

    Returns
    -------
    Counted
        One scan of the rows: of accounts, which have one group each, the total is the sum of
        groups; of users, who may be in several, it is counted apart.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, or a threshold is asked of what is paid.
    """
    of = basis or Basis()
    if of.activity == "paid" and clock.least_days > 1:
        raise InputError("least_days: what is paid has no active days; use 1, or another activity")
    if isinstance(rows, pd.DataFrame) and "until" in rows.columns:
        rows = ibis.memtable(rows)
    days = rows if isinstance(rows, pd.DataFrame) else active_days(rows, clock=clock, as_of=as_of)
    found = cohort_counts(days, unit=of.unit, clock=clock, as_of=as_of, start=of.start)
    return Counted(
        table=_with_total(found, days, of, clock, as_of), basis=of, clock=clock, as_of=as_of
    )


def _with_total(
    found: pd.DataFrame, days: ir.Table | pd.DataFrame, of: Basis, clock: Clock, as_of: date
) -> pd.DataFrame:
    """Put the total before the groups; with one group or none there is only the total."""
    groups = found.loc[found["group"] != ALL]
    total = found
    if len(groups):
        key = ["cohort", "age", "completes_on"]
        total = groups.groupby(key, as_index=False)[["n", "active", "active_later"]].sum()
        if of.unit != "account_id":
            whole = (
                days.drop(columns="group") if isinstance(days, pd.DataFrame) else days.drop("group")
            )
            total = cohort_counts(whole, unit=of.unit, clock=clock, as_of=as_of, start=of.start)
    parts = [total.assign(group=ALL)]
    if len(groups["group"].unique()) > 1:
        parts.append(groups)
    table = pd.concat(parts, ignore_index=True)[list(CELLS)]
    return table.assign(complete=table["completes_on"] <= pd.Timestamp(as_of))
