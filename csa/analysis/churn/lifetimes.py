"""How long accounts stay, by group: survival with delayed entry, from counts.

Ages are days since the start of a spell. An account whose first days nobody could see (its
source records leavers only since `observed_from`) is at risk from the age at which it came under
observation, never before: leaving that out makes survival look far too good.
"""

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.spells import ALL, count_spells
from csa.errors import InputError
from csa.methods.lifetable import LifeTable, connected_part
from csa.methods.logrank import log_rank
from csa.methods.restricted_mean import restricted_mean_limits
from csa.methods.survival import (
    IntervalKind,
    SurvivalCurve,
    kaplan_meier,
    nelson_aalen,
    quantile,
)

MIN_AT_RISK = 10  # a curve starts where this many are at risk, if any came under observation late
YEAR_DAYS, MONTH_DAYS = 365, 30  # steps of the default horizon
COVERED = 0.9  # share of the spells whose groups must reach the default horizon


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LogRank:
    """Test of equal churn hazards; `table`: `group`, `n`, `observed`, `expected` (events)."""

    statistic: float
    df: int
    p_value: float
    table: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SurvivalResult:
    """Survival per group and over all (`all`, first).

    `curves`: `group`, `time_days`, `at_risk`, `events`, `censored`, `entered`, `survival`,
    `std_error`, `ci_low`, `ci_high`, `cumulative_hazard`, `hazard_low`, `hazard_high`; the first
    row of a group is the age from which its curve is known, with survival 1.
    `summary`: `group`, `n`, `events`, `entered_late`, `starts_at_days`, `ends_at_days`,
    `median_days`, `median_low`, `median_high`, `rmst_days`, `rmst_low`, `rmst_high`, `rmst_se`,
    `horizon_days`, `status` ("ok" or "unclear"), `reason` (empty, or what limits the figures).
    `logrank` is None where there is nothing to compare; `logrank_reason` then says why.
    """

    curves: pd.DataFrame
    summary: pd.DataFrame
    logrank: LogRank | None
    logrank_reason: str = ""
    entered_late: int = 0  # spells with entry_days above 0, over all groups
    never_seen: int = 0  # spells left out: they ended before they could have been seen
    horizon_days: float = float("nan")
    confidence: float = 0.95
    interval: IntervalKind = "log-log"
    min_at_risk: int = MIN_AT_RISK


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Group:
    """One group on its way to the result."""

    name: str
    full: LifeTable
    curve: SurvivalCurve  # of the part that can be trusted
    note: str


def survival(
    spells: ir.Table | pd.DataFrame,
    *,
    confidence: float = 0.95,
    horizon_days: int | None = None,
    interval: IntervalKind = "log-log",
    min_at_risk: int = MIN_AT_RISK,
) -> SurvivalResult:
    """Kaplan-Meier survival, median and restricted mean per group, and the log-rank test.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        `group` (text), `entry_days`, `exit_days` (whole days since the start of the spell),
        `event` (True: ended in churn). At risk at age t: entry_days < t <= exit_days, from the
        very start where entry_days is 0.
    confidence : float
        Level of all intervals, share in (0, 1).
    horizon_days : int, optional
        Age at which the restricted mean is cut. Default: the greatest number of whole years
        (below one year, of 30 days) that groups with nine tenths of the spells reach with
        `min_at_risk` at risk; other groups have no restricted mean.
    interval : {"log-log", "log"}
        Scale of the interval of the curve; "log" is R's default.
    min_at_risk : int
        Fewer at risk at once than this is "unclear". Where spells came under observation late,
        a curve starts at the age from which so many are at risk, given alive at that age.

    Returns
    -------
    SurvivalResult
        Only `all` where there is at most one group. Without spells the curves are empty.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, an age is missing or negative, or the
        horizon is not above 0.

    Notes
    -----
    With delayed entry the first ages may be seen in a handful of accounts; if these churn, the
    product-limit estimate is 0 for good (R prints that, other tools raise). The curve therefore
    starts where the risk set is large enough, and ends before an age at which the last few at
    risk all leave while others come under observation only later. `reason` says so.
    """
    if horizon_days is not None and horizon_days <= 0:
        raise InputError(f"horizon_days: {horizon_days} is not above 0")
    counts = count_spells(spells)
    groups = []
    for name, table in counts.tables.items():
        part, note = connected_part(table, min_at_risk)
        curve = kaplan_meier(part, confidence=confidence, interval=interval)
        groups.append(_Group(name=name, full=table, curve=curve, note=note))
    horizon = _horizon(groups, min_at_risk) if horizon_days is None else float(horizon_days)
    summary = pd.DataFrame([_summary(g, horizon, min_at_risk) for g in groups])
    summary.insert(3, "entered_late", [counts.entered_late[g.name] for g in groups])
    test, why_not = _compare(groups)
    return SurvivalResult(
        curves=_curves(groups),
        summary=summary,
        logrank=test,
        logrank_reason=why_not,
        entered_late=counts.entered_late[ALL],
        never_seen=counts.never_seen,
        horizon_days=horizon,
        confidence=confidence,
        interval=interval,
        min_at_risk=min_at_risk,
    )


def _horizon(groups: list[_Group], least: int) -> float:
    """Age, in whole years or 30 days, that groups with nine tenths of the spells reach."""
    reached = sorted(
        (
            (_reach(g.curve, least), int(g.full.events.sum() + g.full.censored.sum()))
            for g in groups[1:] or groups
        ),
        reverse=True,
    )
    covered = np.cumsum([n for _, n in reached]) >= COVERED * sum(n for _, n in reached)
    age = reached[int(np.argmax(covered))][0]
    if not np.isfinite(age):
        age = groups[0].curve.last
    step = YEAR_DAYS if age >= YEAR_DAYS else MONTH_DAYS if age >= MONTH_DAYS else 1
    return float(step * (age // step)) or float("nan")


def _reach(curve: SurvivalCurve, least: int) -> float:
    """Last age with enough at risk; any age where all have gone, since the mean is then known."""
    enough = curve.table.time[curve.table.at_risk >= least]
    if not len(enough):
        return -np.inf
    return np.inf if curve.survival[-1] == 0 else float(enough[-1])


def _summary(group: _Group, horizon: float, least: int) -> dict[str, object]:
    """Row of the summary of one group."""
    curve, table = group.curve, group.full
    median = quantile(curve, 0.5)
    mean = restricted_mean_limits(curve, horizon)
    start = curve.table.start if len(curve.survival) else np.nan
    status, reason = _judgement(group, least)
    if np.isnan(mean.value) and status == "ok":
        reason = "; ".join(filter(None, [reason, f"seen up to {curve.last:g} days only"]))
    return {
        "group": group.name,
        "n": int((table.events + table.censored).sum()),
        "events": int(table.events.sum()),
        "starts_at_days": start,
        "ends_at_days": curve.last if len(curve.survival) else np.nan,
        "median_days": median.value,
        "median_low": median.low,
        "median_high": median.high,
        "rmst_days": mean.value,
        "rmst_low": mean.low,
        "rmst_high": mean.high,
        "rmst_se": mean.std_error,
        "horizon_days": horizon,
        "status": status,
        "reason": reason,
    }


def _judgement(group: _Group, least: int) -> tuple[str, str]:
    """Status of a group's curve, and what limits it."""
    at_risk = group.full.at_risk
    if not len(at_risk):
        return "unclear", "no account under observation"
    if at_risk.max() < least:
        return "unclear", f"never {least} at risk at the same age"
    if not group.full.events.any():
        return "unclear", "nobody churned: the limits are what so few at risk allow"
    return "ok", group.note


def _curves(groups: list[_Group]) -> pd.DataFrame:
    """Curves of all groups, each from the age where it is known."""
    parts = [_curve_columns(group.curve) for group in groups]
    rows = [len(part["time_days"]) for part in parts]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    names = np.repeat(np.array([group.name for group in groups], dtype=object), rows)
    return pd.DataFrame({"group": names} | columns, copy=False)


def _curve_columns(curve: SurvivalCurve) -> dict[str, NDArray[Any]]:
    """Columns of one curve, with a first row where it starts."""
    table = curve.table
    hazard = nelson_aalen(table, confidence=curve.confidence)
    columns: dict[str, tuple[float, NDArray[Any]]] = {
        "time_days": (table.start, table.time),
        "at_risk": (int(table.at_risk[0]) if len(table.time) else 0, table.at_risk),
        "events": (0, table.events),
        "censored": (0, table.censored),
        "entered": (0, table.entered),
        "survival": (1.0, curve.survival),
        "std_error": (0.0, curve.std_error),
        "ci_low": (1.0, curve.ci_low),
        "ci_high": (1.0, curve.ci_high),
        "cumulative_hazard": (0.0, hazard.value),
        "hazard_low": (0.0, hazard.low),
        "hazard_high": (0.0, hazard.high),
    }
    starts_before = len(table.time) > 0 and table.time[0] > table.start
    return {
        name: np.concatenate([[first], rest]) if starts_before else rest
        for name, (first, rest) in columns.items()
    }


def _compare(groups: list[_Group]) -> tuple[LogRank | None, str]:
    """Log-rank test between the groups, or why there is none."""
    tables = [g.full for g in groups[1:]]
    if not tables:
        return None, "there is only one group"
    test = log_rank(tables)
    if test.df == 0:
        return None, "no churn at an age at which two groups are under observation"
    table = pd.DataFrame(
        {
            "group": [g.name for g in groups[1:]],
            "n": [int((t.events + t.censored).sum()) for t in tables],
            "observed": test.observed,
            "expected": test.expected,
        }
    )
    return (
        LogRank(statistic=test.statistic, df=test.df, p_value=test.p_value, table=table),
        "",
    )
