"""Churned accounts by cause and calendar period, with their shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.churn.cause_counts import CAUSES, OTHER, churned_by, with_place
from csa.analysis.churn.spells import ALL, NOT_STATED
from csa.errors import InputError
from csa.methods.intervals import wilson
from csa.periods import Period

MIN_CHURNED = 10  # shares of fewer than this are "unclear"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CausesOverTime:
    """Churn by cause and period, per group and over all (`all`, first).

    `table`: `group`, `period` (its name), `start`, `end` (the period is [start, end)), `cause`,
    `churned` (for any cause), `events` (for this one), `share` (of the churned), `ci_low`,
    `ci_high`, `status` ("ok" or "unclear"), `reason`.
    """

    table: pd.DataFrame
    causes: tuple[str, ...]
    confidence: float = 0.95


def causes_over_time(
    spells: ir.Table | pd.DataFrame,
    periods: Sequence[Period],
    *,
    causes: Sequence[str] = CAUSES,
    confidence: float = 0.95,
    min_churned: int = MIN_CHURNED,
) -> CausesOverTime:
    """Count churned accounts by cause in each period, and what share of the churn each cause has.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        `group`, `start_on`, `entry_days`, `exit_days`, `event`, `cause` (text; missing: "not
        stated").
    periods : sequence of Period
        Usually months, in any order.
    causes : sequence of str
        Causes told apart; all others are "other reasons".
    confidence : float
        Level of the Wilson intervals, share in (0, 1).
    min_churned : int
        Shares of fewer churned accounts than this are "unclear".

    Returns
    -------
    CausesOverTime
        Only `all` where there is at most one group.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, a day, age or event is missing, there is no
        period, or a cause is named twice.

    Notes
    -----
    A spell that ends on day d (its first day no longer a customer) counts in the period that
    holds d; an account that came back and left again counts again. Spells that ended before they
    could have been seen are left out. Shares are of the churn, not of the customers: a cause can
    grow in share because another one fell.
    """
    if not periods:
        raise InputError("periods: there is none; give the months to show")
    table = with_place(spells, "start_on", "entry_days", "exit_days", causes=causes)
    table = table.mutate(ended_on=_ended_on(table))
    first_unknown = _check(table)
    seen = (table["entry_days"] == 0) | (table["exit_days"] > table["entry_days"])
    days = churned_by(table.filter(seen), "ended_on", causes=causes)
    days["ended_on"] = pd.to_datetime(days["ended_on"])
    names = [*causes, *(name for name in (OTHER, NOT_STATED) if days[name].any())]
    parts = [
        _shares(_within(days, period, names), confidence).assign(
            period=period.name, start=period.start, end=period.end
        )
        for period in periods
    ]
    counts = pd.concat(parts, ignore_index=True)
    judged = [
        _judgement(row["churned"], row["end"], first_unknown, min_churned)
        for row in counts[["churned", "end"]].to_dict("records")
    ]
    counts["status"], counts["reason"] = (list(column) for column in zip(*judged, strict=True))
    order = ["group", "period", "start", "end", "cause", "churned", "events"]
    columns = [*order, "share", "ci_low", "ci_high", "status", "reason"]
    return CausesOverTime(
        table=counts[columns].sort_values(
            "group", key=_all_first, kind="stable", ignore_index=True
        ),
        causes=tuple(names),
        confidence=confidence,
    )


def _ended_on(table: ir.Table) -> ir.DateValue:
    """Return the first day no longer a customer, or not known yet."""
    return (table["start_on"] + table["exit_days"].as_interval("D")).cast("date")


def _check(table: ir.Table) -> date | None:
    """Refuse spells that cannot be placed in time; return the first day that is not known yet."""
    known = {
        "event": table["event"].count(),
        "start_on": table["start_on"].count(),
        "exit_days": table.count(where=table["exit_days"] >= 0),
        "entry_days": table.count(where=table["entry_days"] >= 0),
    }
    found = table.agg(n=table.count(), last=table["ended_on"].max(where=~table["event"]), **known)
    row = found.to_pyarrow().to_pylist()[0]
    last: date | None = row["last"]
    faults = [
        f"spells: {name} is missing or negative in {row['n'] - row[name]} rows; "
        "correct or drop them"
        for name in known
        if row[name] < row["n"]
    ]
    if faults:
        raise InputError(*faults)
    return last


def _within(days: pd.DataFrame, period: Period, names: Sequence[str]) -> pd.DataFrame:
    """Churned spells of one period: one row per group, `all` first, one column per cause."""
    ended = days["ended_on"]
    inside = (ended >= pd.Timestamp(period.start)) & (ended < pd.Timestamp(period.end))
    counts = days[list(names)].where(inside, 0)
    total = counts.sum().to_frame(ALL).T
    if days["group"].nunique() < 2:
        return total
    return pd.concat([total, counts.groupby(days["group"].astype(str)).sum()])


def _shares(counts: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """One row per group and cause, with the cause's share of the churn."""
    events = counts.to_numpy(dtype="int64")
    churned = np.broadcast_to(events.sum(axis=1, keepdims=True), events.shape)
    share = wilson(events, churned, confidence=confidence)
    return pd.DataFrame(
        {
            "group": np.repeat(counts.index.to_numpy(), events.shape[1]),
            "cause": np.tile(counts.columns.to_numpy(), events.shape[0]),
            "churned": churned.ravel(),
            "events": events.ravel(),
            "share": share.value.ravel(),
            "ci_low": share.low.ravel(),
            "ci_high": share.high.ravel(),
        }
    )


def _judgement(churned: int, end: date, first_unknown: date | None, least: int) -> tuple[str, str]:
    """Status and reason of the shares of one period."""
    if first_unknown is not None and (end - first_unknown).days > 1:  # it ends before `end`
        return "unclear", f"the period to {end} is not over in the data"
    if churned < least:
        return "unclear", f"only {churned} churned" if churned else "nobody churned"
    return "ok", ""


def _all_first(groups: pd.Series) -> pd.Series:
    """Key that puts the total before the groups."""
    return groups.where(groups != ALL, "")
