"""Upsell and cross-sell: what share of closed opportunities was won, and what is still open."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.revenue.months import ALL, NOT_STATED, Span
from csa.errors import InputError
from csa.methods.intervals import newcombe_difference, wilson

FEWEST: Final = 10
SALES: Final = ("upsell", "cross_sell")
COLUMNS: Final = ("group", "kind", "opened_on", "closed_on", "outcome", "mrr_minor")
YEAR_MONTHS: Final = 12


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SalesSuccess:
    """Share of closed opportunities that was won, by kind and group; all of both first.

    `table`: `kind` (upsell, cross_sell, or all), `group`, `window` ("period", or "year": the
    twelve months up to its end), `n` (closed), `won`, `rate`, `ci_low`, `ci_high`, `won_minor`,
    `n_previous`, `rate_previous`, `change`, `change_low`, `change_high` (to as long a time
    before), `open` (on the last day; not in the share), `open_minor`, `status`, `reason`.
    `unstated`: closed in the year without saying won or lost; left out.
    """

    table: pd.DataFrame
    span: Span
    unstated: int
    confidence: float = 0.95


def sales_success(
    opportunities: ir.Table | pd.DataFrame,
    *,
    span: Span,
    as_of: date,
    confidence: float = 0.95,
) -> SalesSuccess:
    """Share of upsells and cross-sells closed in a period that were won.

    Parameters
    ----------
    opportunities : ir.Table or DataFrame, one row per opportunity
        `group`, `kind`, `opened_on`, `closed_on` (missing: open), `outcome`, `mrr_minor`.
    span : Span
        The period.
    as_of : date
        Last day that is known.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    SalesSuccess
        "unclear" where fewer than 10 were closed.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    Won / (won + lost) among those closed within the time; open ones are neither. Interval:
    Wilson; change: Newcombe's method 10.
    """
    rows = (
        ibis.memtable(opportunities) if isinstance(opportunities, pd.DataFrame) else opportunities
    )
    if absent := [name for name in COLUMNS if name not in rows.columns]:
        raise InputError(*(f"opportunities: column {name} is missing" for name in absent))
    sold = rows.filter(rows.kind.isin(SALES), rows.opened_on.cast("date") <= as_of)
    closed = (sold.closed_on.cast("date") <= as_of).fill_null(ibis.literal(value=False))
    day = ibis.ifelse(closed, sold.closed_on.cast("date"), ibis.null("date"))
    month = day.year().cast("int64") * 12 + day.month().cast("int64") - 1
    each = (
        sold.mutate(
            group=sold["group"].fill_null(NOT_STATED),
            month=month,
            outcome=ibis.ifelse(closed, sold.outcome, ibis.literal("open")),
        )
        .group_by("kind", "group", "month", "outcome")
        .agg(n=lambda t: t.count(), mrr_minor=lambda t: t.mrr_minor.cast("float64").sum())
        .to_pandas()
    )
    names = sorted(each["group"].unique())
    groups = [ALL, *(names if len(names) > 1 else [])]
    parts = [
        _row(each, kind, group, window, span)
        for window in ("period", "year")
        for kind in (ALL, *SALES)
        for group in groups
    ]
    told = each["outcome"] == "not stated"
    lately = told & (each["month"] > span.last - YEAR_MONTHS) & (each["month"] <= span.last)
    return SalesSuccess(
        table=_with_limits(pd.DataFrame(parts), confidence),
        span=span,
        unstated=int(each.loc[lately, "n"].sum()),
        confidence=confidence,
    )


def _row(each: pd.DataFrame, kind: str, group: str, window: str, span: Span) -> dict[str, Any]:
    mine = each.loc[(kind == ALL) | (each["kind"] == kind)]
    mine = mine.loc[(group == ALL) | (mine["group"] == group)]
    months = span.months if window == "period" else YEAR_MONTHS
    first = span.last - months + 1
    now = mine.loc[mine["month"].between(first, span.last)]
    before = mine.loc[mine["month"].between(first - months, first - 1)]
    waits = mine.loc[mine["outcome"] == "open"]
    won, n = _closed(now)
    won_before, n_before = _closed(before)
    few = f"only {n} closed" if n else "none was closed"
    reason = (span.reason if window == "period" else "") or ("" if n >= FEWEST else few)
    return {
        "kind": kind,
        "group": group,
        "window": window,
        "n": n,
        "won": won,
        "won_minor": float(now.loc[now["outcome"] == "won", "mrr_minor"].sum()),
        "n_previous": n_before,
        "won_previous": won_before,
        "open": int(waits["n"].sum()),
        "open_minor": float(waits["mrr_minor"].sum()),
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }


def _closed(each: pd.DataFrame) -> tuple[int, int]:
    """Won, and won or lost."""
    won = int(each.loc[each["outcome"] == "won", "n"].sum())
    return won, won + int(each.loc[each["outcome"] == "lost", "n"].sum())


def _with_limits(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    k, n, k0, n0 = (table[c].to_numpy(float) for c in ("won", "n", "won_previous", "n_previous"))
    share = wilson(k, n, confidence=confidence)
    moved = newcombe_difference((k, k0), (n, n0), confidence=confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        earlier = k0 / n0
    return table.assign(
        rate=share.value,
        ci_low=share.low,
        ci_high=share.high,
        rate_previous=earlier,
        change=moved.value,
        change_low=moved.low,
        change_high=moved.high,
    )
