"""Retention of revenue and accounts: net and gross, locked to the accounts of the start."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.revenue.drawn import Drawn, Draws
from csa.analysis.revenue.locked import locked_sums
from csa.analysis.revenue.months import (
    MIN_ACCOUNTS,
    MIN_EFFECTIVE,
    Span,
    as_months,
    first_day,
)
from csa.analysis.revenue.ratios import Ratio, changed, estimated, value_of
from csa.errors import InputError
from csa.methods.intervals import wilson

FloatArray = NDArray[np.float64]

HORIZONS: Final = (1, 3, 12)
PERIODS: Final = 13
RATES: Final = ("nrr", "grr", "logo_churn")
RATIOS: Final = {
    "nrr": Ratio({"end": 1.0}, "start"),
    "grr": Ratio({"kept": 1.0}, "start"),
    "logo_churn": Ratio({"lost": 1.0}, "n"),
}
ENDS: Final = ("", "_low", "_high")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RetentionResult:
    """Retention over each horizon up to the end of a period, per group; `all` first.

    `table`: `group`, `horizon_months`, `n` (accounts that paid at the start), `start_minor`
    (theirs), `end_minor` (what the same accounts pay at the end), `lost` (pay nothing then),
    `nrr`, `grr`, `logo_churn` (shares) each with `_low`, `_high`, `_previous` (same horizon, up
    to the end of the period before), `_change`, `_change_low`, `_change_high`, `_moved` (up,
    down, or unclear where that interval holds 0 or is not known); `n_effective` (accounts of
    equal size that would tell as much), `not_observed`, `status`, `reason`. `sums`: what all of
    them are made of, with two windows (now, before) for each horizon.
    """

    table: pd.DataFrame
    span: Span
    horizons: tuple[int, ...]
    sums: Drawn
    confidence: float = 0.95


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RetentionTrend:
    """Retention over one horizon, up to the end of each of the last months.

    `table`: `month`, `month_start` (of the last month of the window), `n`, `nrr`, `grr`,
    `logo_churn` with limits, `n_effective`, `not_observed`, `status`, `reason`; months in which
    nobody paid at the start are NaN.
    """

    table: pd.DataFrame
    horizon_months: int
    confidence: float = 0.95


def retention(
    months: ir.Table | pd.DataFrame,
    *,
    span: Span,
    horizons: Sequence[int] = HORIZONS,
    confidence: float = 0.95,
    draws: Draws | None = None,
) -> RetentionResult:
    """Share of the revenue at the start that the same accounts pay at the end, over horizons.

    Parameters
    ----------
    months : ir.Table or DataFrame, one row per account and month
        See `csa.analysis.revenue.months.as_months`.
    span : Span
        The period; every horizon ends with its last month.
    horizons : sequence of int
        Months, each at least 1.
    confidence : float
        Level of all intervals, share in (0, 1).
    draws : Draws, optional
        Replicates and seed of the bootstrap.

    Returns
    -------
    RetentionResult
        Groups only where there is more than one; "unclear" with a reason where the span has one,
        few accounts paid at the start, or a few hold nearly all of the revenue.

    Raises
    ------
    InputError
        If a column is missing, or a horizon is not a positive number.

    Notes
    -----
    Over the accounts i that paid s_i > 0 at the start, and pay e_i at the end,

        NRR = Σ e_i / Σ s_i,   GRR = Σ min(e_i, s_i) / Σ s_i ≤ 1,   logo churn = #{e_i = 0} / n.

    New accounts are in none of them; one that left and came back counts if it pays at the end.
    Limits of NRR and GRR, and of all changes, are expanded percentiles of a Poisson bootstrap over
    accounts (`csa.methods.bootstrap.percentile_limits`); where both windows overlap, the same
    draws serve both. Logo churn has Wilson's.

    References
    ----------
    .. [1] SaaS Metrics Standards Board (2023). Gross and net revenue retention.
    """
    if not horizons or min(horizons) < 1:
        raise InputError(f"horizons: {list(horizons)}; give months, each at least 1")
    rows = as_months(months)
    ends = (span.last, span.previous_last)
    windows = [(last - h + 1, last) for h in horizons for last in ends]
    sums = locked_sums(rows, windows, draws=draws)
    parts = []
    for k, horizon in enumerate(horizons):
        found = _window(sums, 2 * k, confidence).join(_changes(sums, 2 * k, confidence))
        parts.append(found.assign(horizon_months=horizon))
    table = pd.concat(parts, ignore_index=True)
    table["status"], table["reason"] = _judgements(table, span.reason)
    return RetentionResult(
        table=table,
        span=span,
        horizons=tuple(horizons),
        sums=sums,
        confidence=confidence,
    )


def retention_over_time(
    months: ir.Table | pd.DataFrame,
    *,
    span: Span,
    horizon_months: int,
    confidence: float = 0.95,
    draws: Draws | None = None,
) -> RetentionTrend:
    """Retention over one horizon, up to the end of each of the last 13 months, of all accounts.

    Parameters
    ----------
    months : ir.Table or DataFrame
        As for `retention`.
    span : Span
        Its last month is the last of the trend.
    horizon_months : int
        Months, at least 1.
    confidence : float
        Level of all intervals.
    draws : Draws, optional
        Replicates and seed of the bootstrap.

    Returns
    -------
    RetentionTrend
        Windows longer than a month overlap: neighbours share most of their accounts and months.

    Raises
    ------
    InputError
        As for `retention`.
    """
    if horizon_months < 1:
        raise InputError(f"horizon: {horizon_months} is no number of months; write 12 for a year")
    rows = as_months(months).mutate(group=ibis.literal("all"))
    lasts = list(range(span.last - PERIODS + 1, span.last + 1))
    windows = [(last - horizon_months + 1, last) for last in lasts]
    sums = locked_sums(rows, windows, draws=draws)
    table = pd.concat([_window(sums, k, confidence) for k in range(len(lasts))], ignore_index=True)
    table = table.assign(month=lasts, month_start=[first_day(m) for m in lasts])
    table["status"], table["reason"] = _judgements(table, "")
    if span.reason:
        table.loc[table["month"] >= span.first, ["status", "reason"]] = "unclear", span.reason
    return RetentionTrend(table=table, horizon_months=horizon_months, confidence=confidence)


def _window(sums: Drawn, at: int, confidence: float) -> pd.DataFrame:
    """Rates with limits of one window, a row per group."""
    n, start, end, lost = (sums.stat(s)[:, at] for s in ("n", "start", "end", "lost"))
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = start**2 / sums.stat("square")[:, at]
    made = pd.DataFrame(
        {
            "group": sums.groups,
            "n": n.astype("int64"),
            "start_minor": start,
            "end_minor": end,
            "lost": lost.astype("int64"),
            "n_effective": effective,
            "not_observed": sums.stat("not_observed")[:, at].astype("int64"),
        }
    )
    for name in RATES:
        limits = estimated(sums, RATIOS[name], at, confidence=confidence)
        if name == "logo_churn":
            limits = wilson(lost, n, confidence=confidence)
        for suffix, numbers in zip(ENDS, limits, strict=True):
            made[name + suffix] = numbers
    return made


def _changes(sums: Drawn, at: int, confidence: float) -> pd.DataFrame:
    """Change of each rate from the window `at` + 1 to the window `at`."""
    made = {}
    for name in RATES:
        limits = changed(sums, RATIOS[name], at, confidence=confidence)
        made[f"{name}_previous"] = value_of(sums, RATIOS[name])[:, at + 1]
        for suffix, numbers in zip(ENDS, limits, strict=True):
            made[f"{name}_change{suffix}"] = numbers
        moved = np.select([limits.low > 0, limits.high < 0], ["up", "down"], "unclear")
        made[f"{name}_moved"] = moved
    return pd.DataFrame(made)


def _judgements(table: pd.DataFrame, reason: str) -> tuple[list[str], list[str]]:
    """Status and reason per row."""
    judged = [_judgement(row, reason) for row in table.to_dict("records")]
    return [status for status, _ in judged], [why for _, why in judged]


def _judgement(row: dict[Hashable, Any], reason: str) -> tuple[str, str]:
    n, effective = int(row["n"]), float(row["n_effective"])
    if reason:
        return "unclear", reason
    if n < MIN_ACCOUNTS:
        few = f"only {n} account{'s' * (n > 1)}" if n else "no accounts"
        return "unclear", f"{few} at the start"
    if effective < MIN_EFFECTIVE:
        return "unclear", "a few accounts hold nearly all of the revenue"
    if row["not_observed"]:
        return "ok", f"left out: {row['not_observed']} not yet under observation"
    return "ok", ""
