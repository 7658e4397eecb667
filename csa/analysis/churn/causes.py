"""Why accounts leave: churn by cause and age, and by cause and month.

An account that leaves for one cause can no longer leave for another, so the causes compete. The
chance to have left for a cause by an age is its cumulative incidence, from the hazards of all
causes together. One minus Kaplan-Meier per cause, with the other causes taken for censoring, is
not offered: it answers what would happen if nobody could leave for another cause, and is always
too high as an answer to what does happen. On R's data set `mgus2` it says 0.210 at 240 months
where 0.0998 is right, and per cause it can add up to more than everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.cause_counts import CAUSES, count_causes
from csa.analysis.churn.cause_differences import COLUMNS, compare_causes
from csa.analysis.churn.causes_over_time import CausesOverTime, causes_over_time
from csa.analysis.churn.spells import ALL, NOT_STATED
from csa.errors import InputError
from csa.methods.causetable import CauseTable, cause_table
from csa.methods.incidence import IncidenceCurves, aalen_johansen, cause_hazards, time_lost
from csa.methods.intervals import limits_within, most_unseen, wilson
from csa.methods.lifetable import connected_part

__all__ = ["CausesOverTime", "IncidenceResult", "causes_over_time", "incidence"]

MIN_AT_RISK = 10  # fewer at risk, or fewer churned accounts, than this is "unclear"
AGES_DAYS = (90, 180, 365, 730)
AT_AGES = [
    *("group", "cause", "age_days", "at_risk"),
    *("incidence", "ci_low", "ci_high", "status", "reason"),
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class IncidenceResult:
    """Churn by cause, per group and over all (`all`, first).

    `curves`: `group`, `cause`, `time_days`, `at_risk`, `events` (for the cause), `incidence`,
    `std_error`, `ci_low`, `ci_high`, `cumulative_hazard`, `hazard_low`, `hazard_high` (of the
    cause), `survival` (of all causes: with the incidences of all causes it adds up to 1). The
    first row is the age from which a curve is known.
    `at_ages`: `group`, `cause`, `age_days`, `at_risk`, `incidence`, `ci_low`, `ci_high`,
    `status` ("ok" or "unclear"), `reason`.
    `summary`: `group`, `cause`, `n` (spells), `churned` (for any cause), `events` (for this one),
    `share`, `share_low`, `share_high` (of the churned), `lost_days` (mean time as a customer lost
    to the cause up to `horizon_days`), `lost_low`, `lost_high`, `lost_se`, `horizon_days`,
    `status`, `reason`.
    `differences`: whether the groups differ, one row per cause, as `compare_causes` says; without
    rows where there are not two groups.
    """

    curves: pd.DataFrame
    at_ages: pd.DataFrame
    summary: pd.DataFrame
    causes: tuple[str, ...]
    differences: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS))
    entered_late: int = 0  # spells with entry_days above 0, over all groups
    never_seen: int = 0  # spells left out: they ended before they could have been seen
    horizon_days: float = float("nan")
    confidence: float = 0.95
    min_at_risk: int = MIN_AT_RISK


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Group:
    """One group on its way to the result."""

    name: str
    full: CauseTable
    fit: IncidenceCurves  # of the part that can be trusted
    note: str


def incidence(
    spells: ir.Table | pd.DataFrame,
    *,
    causes: Sequence[str] = CAUSES,
    ages_days: Sequence[float] = AGES_DAYS,
    horizon_days: int | None = None,
    confidence: float = 0.95,
    min_at_risk: int = MIN_AT_RISK,
) -> IncidenceResult:
    """Chance to have left for each cause by an age, per group, exact with delayed entry.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        `group`, `entry_days`, `exit_days`, `event` as for survival, and `cause` (text): why a
        spell with event ended. Missing: "not stated".
    causes : sequence of str
        Causes told apart ("downgrade" is contraction to zero); all others are "other reasons".
    ages_days : sequence of float
        Ages at which `at_ages` reads the curves, days.
    horizon_days : int, optional
        Age up to which lost time counts. Default: the last of `ages_days` at which `min_at_risk`
        accounts are still at risk.
    confidence : float
        Level of all intervals, share in (0, 1).
    min_at_risk : int
        Fewer at risk at once, or fewer churned, than this is "unclear". Where spells came under
        observation late, a curve starts at the age from which so many are at risk.

    Returns
    -------
    IncidenceResult
        Only `all` where there is at most one group. Without spells the curves are empty.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, an age is missing or negative, a cause is
        named twice, or the horizon is not above 0.

    Notes
    -----
    Aalen and Johansen's estimator with standard errors of Greenwood's type and limits on the
    log-log scale, see `csa.methods.incidence`. The incidences of all causes and survival add up
    to 1. One minus Kaplan-Meier per cause is not offered: on `mgus2` it says 0.210 at 240 months
    where 0.0998 left for the cause [1]_. Accounts whose cause is not stated are a cause of their
    own: they left, and censored they would raise all others. `share` is that of observed churn.
    Groups are compared by Gray's test for each cause, see `csa.analysis.churn.cause_differences`.

    References
    ----------
    .. [1] Therneau, T., Crowson, C., Atkinson, E. Multi-state models and competing risks. Vignette
       of the R package survival.
    """
    if horizon_days is not None and horizon_days <= 0:
        raise InputError(f"horizon_days: {horizon_days} is not above 0")
    counts = count_causes(spells, causes=causes)
    groups = [
        _fitted(name, table, confidence, min_at_risk) for name, table in counts.tables.items()
    ]
    horizon = _horizon(groups[0], ages_days, min_at_risk)
    horizon = horizon if horizon_days is None else float(horizon_days)
    return IncidenceResult(
        curves=_curves(groups),
        at_ages=pd.DataFrame(
            [row for g in groups for row in _at_ages(g, ages_days, min_at_risk)], columns=AT_AGES
        ),
        summary=pd.DataFrame([row for g in groups for row in _summary(g, horizon, min_at_risk)]),
        causes=groups[0].full.causes,
        differences=compare_causes(
            {name: table for name, table in counts.tables.items() if name != ALL},
            ages_days=ages_days,
            confidence=confidence,
            min_at_risk=min_at_risk,
        ),
        entered_late=counts.entered_late[ALL],
        never_seen=counts.never_seen,
        horizon_days=horizon,
        confidence=confidence,
        min_at_risk=min_at_risk,
    )


def _fitted(name: str, table: CauseTable, confidence: float, least: int) -> _Group:
    """Estimate on the part of a group's life table that can carry a curve."""
    part, note = connected_part(table.table, least)
    first = np.searchsorted(table.table.time, part.time[:1]).sum()
    events = table.events[:, first : first + len(part.time)]
    fit = aalen_johansen(cause_table(part, events, table.causes), confidence=confidence)
    return _Group(name=name, full=table, fit=fit, note=note)


def _horizon(whole: _Group, ages: Sequence[float], least: int) -> float:
    """Last of the ages at which enough are at risk, or at which nobody is left to lose time."""
    table = whole.fit.table.table
    seen = [
        age
        for age in ages
        if whole.fit.reaches(age) and (table.at_risk_at(age) >= least or not whole.fit.survival[-1])
    ]
    return float(max(seen, default=np.nan))


def _curves(groups: list[_Group]) -> pd.DataFrame:
    """Curves of all groups and causes, each from the age where it is known."""
    parts = [_curve_columns(group.fit) for group in groups]
    rows = [len(part["time_days"]) for part in parts]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    names = np.repeat(np.array([group.name for group in groups], dtype=object), rows)
    return pd.DataFrame({"group": names} | columns, copy=False)


def _curve_columns(fit: IncidenceCurves) -> dict[str, NDArray[Any]]:
    """Columns of the curves of one group, cause after cause, each with a row where it starts."""
    table, causes = fit.table.table, fit.table.causes
    hazard = cause_hazards(fit.table, confidence=fit.confidence)
    starts_before = len(table.time) > 0 and table.time[0] > table.start
    at_start = [np.zeros(1)] if starts_before else []

    def per_cause(values: NDArray[Any]) -> NDArray[Any]:
        """Rows of causes one after another, each after its start at 0."""
        first = np.zeros((len(causes), len(at_start)), values.dtype)
        return np.concatenate([first, values], axis=1).ravel()

    def shared(values: NDArray[Any], first: float) -> NDArray[Any]:
        """Repeat the same values for every cause."""
        begins = np.full(len(at_start), first, values.dtype)
        return np.tile(np.concatenate([begins, values]), len(causes))

    time = shared(table.time, table.start)
    size = len(time) // len(causes)
    return {
        "cause": np.repeat(np.array(causes, dtype=object), size),
        "time_days": time,
        "at_risk": shared(table.at_risk, table.at_risk[0] if starts_before else 0),
        "events": per_cause(fit.table.events),
        "incidence": per_cause(fit.incidence),
        "std_error": per_cause(fit.std_error),
        "ci_low": per_cause(fit.ci_low),
        "ci_high": per_cause(fit.ci_high),
        "cumulative_hazard": per_cause(hazard.value),
        "hazard_low": per_cause(hazard.low),
        "hazard_high": per_cause(hazard.high),
        "survival": shared(fit.survival, 1.0),
    }


def _at_ages(group: _Group, ages: Sequence[float], least: int) -> list[dict[str, object]]:
    """Rows of one group: the incidence of every cause at the ages asked for."""
    fit, rows = group.fit, []
    for age in ages:
        at_risk = int(fit.table.table.at_risk_at(age))
        for cause, value, low, high in zip(fit.table.causes, *fit.at(age), strict=True):
            row = {"group": group.name, "cause": cause, "age_days": age, "at_risk": at_risk}
            status, reason = "ok", ""
            if np.isnan(value):
                status, reason = "unclear", "not under observation at these ages"
            elif value == 0:
                status, reason = "unclear", "nobody left for it: the limit is what so few allow"
                fewest = fit.table.table.fewest_at_risk(age)
                # the method's limits are both 0, like R's
                high = most_unseen(fewest, confidence=fit.confidence)  # noqa: PLW2901
                low = 0.0 if fewest else np.nan  # noqa: PLW2901
            elif at_risk < least and fit.survival[-1] > 0:
                status, reason = "unclear", f"only {at_risk} at risk"
            limits = {"incidence": value, "ci_low": low, "ci_high": high}
            rows.append(row | limits | {"status": status, "reason": reason})
    return rows


def _summary(group: _Group, horizon: float, least: int) -> list[dict[str, object]]:
    """Rows of one group: what each cause takes, of the churn and of the time as a customer."""
    counts, churned = group.full.events.sum(axis=1), int(group.full.events.sum())
    share = wilson(counts, churned, confidence=group.fit.confidence)
    lost, error = time_lost(group.fit, horizon)
    most = horizon - group.fit.table.table.start
    limits = limits_within(lost, error, most, confidence=group.fit.confidence)
    status, reason = _judgement(group, horizon, least)
    n = churned + int(group.full.table.censored.sum())
    same = {"horizon_days": horizon, "status": status, "reason": reason}
    figures = {
        "events": counts,
        "share": share.value,
        "share_low": share.low,
        "share_high": share.high,
        "lost_days": lost,
        "lost_low": limits.low,
        "lost_high": limits.high,
        "lost_se": error,
    }
    return [
        {"group": group.name, "cause": cause, "n": n, "churned": churned}
        | {name: values[k] for name, values in figures.items()}
        | same
        for k, cause in enumerate(group.full.causes)
    ]


def _judgement(group: _Group, horizon: float, least: int) -> tuple[str, str]:
    """Status of a group's figures, and what limits them."""
    table, churned = group.full.table, int(group.full.events.sum())
    if not len(table.time):
        return "unclear", "no account under observation"
    if not group.fit.survival.size:
        return "unclear", group.note
    if churned < least:
        return "unclear", f"only {churned} churned" if churned else "nobody churned"
    notes = [group.note]
    if NOT_STATED in group.full.causes:
        unknown = int(group.full.events[group.full.causes.index(NOT_STATED)].sum())
        notes.append(f"cause not stated for {unknown} of {churned}: the others are lower bounds")
    if not group.fit.reaches(horizon):
        notes.append("no horizon is reached" if np.isnan(horizon) else "horizon is not reached")
    return "ok", "; ".join(filter(None, notes))
