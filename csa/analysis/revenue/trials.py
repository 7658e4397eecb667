"""Trials: what share became customers, counted on trials that have had the time to."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.revenue.months import ALL, NOT_STATED, Span, first_day
from csa.errors import InputError
from csa.methods.intervals import newcombe_difference, wilson

WITHIN_DAYS: Final = 60
FEWEST: Final = 10  # mature trials below which a share is "unclear"
KINDS: Final = {
    "group": "string",
    "account_id": "string",
    "trial_started_on": "date",
    "converted_on": "date",
    "observed_from": "date",
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrialRate:
    """Share of mature trials that became customers within so many days; `all` first.

    `table`: `group`, `n` (trials that came of age in the period), `converted`, `rate`, `ci_low`,
    `ci_high`, `n_previous`, `rate_previous`, `change`, `change_low`, `change_high`, `status`,
    `reason`. `months`: by month of start: `month_start`, `n` (trials), `mature`, `converted`,
    `rate`, `ci_low`, `ci_high`, `state` (complete, open, not started), `completes_on`, `naive`
    (converted so far over all trials of the month, mature or not).
    """

    table: pd.DataFrame
    months: pd.DataFrame
    within_days: int
    span: Span
    confidence: float = 0.95


def trial_to_paid(
    signups: ir.Table | pd.DataFrame,
    *,
    span: Span,
    as_of: date,
    within_days: int = WITHIN_DAYS,
    history: int = 12,
    confidence: float = 0.95,
) -> TrialRate:
    """Share of trials that became customers, of those old enough to tell.

    Parameters
    ----------
    signups : ir.Table or DataFrame, one row per account
        `group`, `account_id`, `trial_started_on`, `converted_on` (missing: none), `observed_from`.
    span : Span
        The period.
    as_of : date
        Last day that is known.
    within_days : int
        A conversion counts up to this age of the trial, days.
    history : int
        Months of start shown.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    TrialRate
        "unclear" where fewer than 10 trials came of age.

    Raises
    ------
    InputError
        If a column is missing, or a trial is to last less than a day.

    Notes
    -----
    A trial comes of age on its start + `within_days`; those that did so in the period are counted,
    whenever they began, so a young trial is never taken for a lost one. A conversion after
    that age is none. Trials that began before their account was under observation are left out:
    they are known only because they stayed. Interval: Wilson; change: Newcombe's method 10.
    """
    if within_days < 1:
        raise InputError(f"trials: {within_days} days to convert within; give 1 or more")
    each = _aged(as_trials(signups), as_of=as_of, within_days=within_days)
    return TrialRate(
        table=_by_group(each, span, within_days, confidence),
        months=_by_month(each, span, as_of, (within_days, history), confidence),
        within_days=within_days,
        span=span,
        confidence=confidence,
    )


def as_trials(signups: ir.Table | pd.DataFrame) -> ir.Table:
    """Check, type and limit accounts to those with a trial under observation from its start.

    Parameters
    ----------
    signups : ir.Table or DataFrame
        As for `trial_to_paid`.

    Returns
    -------
    ir.Table
        Its columns.

    Raises
    ------
    InputError
        If one is missing.
    """
    rows = ibis.memtable(signups) if isinstance(signups, pd.DataFrame) else signups
    if absent := [name for name in KINDS if name not in rows.columns]:
        raise InputError(*(f"accounts: column {name} is missing" for name in absent))
    typed = rows.select(**{name: rows[name].cast(kind) for name, kind in KINDS.items()})
    typed = typed.mutate(group=typed.group.fill_null(NOT_STATED))
    seen = typed.trial_started_on >= ibis.coalesce(typed.observed_from, typed.trial_started_on)
    return typed.filter(seen)  # those without a trial compare as missing


def _aged(trials: ir.Table, *, as_of: date, within_days: int) -> pd.DataFrame:
    """Trials by group and day of start: how many, converted in time, and so far."""
    known = trials.filter(trials.trial_started_on <= as_of)
    came = (known.converted_on <= as_of).fill_null(ibis.literal(value=False))
    took = known.converted_on.delta(known.trial_started_on, unit="day")
    found: pd.DataFrame = (
        known.mutate(so_far=came, in_time=came & (took <= within_days))
        .group_by("group", "trial_started_on")
        .agg(
            n=lambda t: t.count(),
            converted=lambda t: t.in_time.sum(),
            so_far=lambda t: t.so_far.sum(),
        )
        .to_pandas()
    )
    started = pd.to_datetime(found["trial_started_on"])
    of_age = started + pd.Timedelta(days=within_days)
    return found.assign(started=started, of_age=of_age, mature=of_age <= pd.Timestamp(as_of))


def _by_group(each: pd.DataFrame, span: Span, within_days: int, confidence: float) -> pd.DataFrame:
    mature = each.loc[each["mature"]]
    now, before = (
        _between(mature, first_day(a), first_day(b + 1))
        for a, b in ((span.first, span.last), (span.previous_first, span.previous_last))
    )
    groups = sorted(set(now["group"]) | set(before["group"]))
    rows = [_row(ALL, now, before, span, within_days)]
    if len(groups) > 1:
        rows += [
            _row(g, now.loc[now["group"] == g], before.loc[before["group"] == g], span, within_days)
            for g in groups
        ]
    table = pd.DataFrame(rows)
    k, n, k0, n0 = (
        table[c].to_numpy(float) for c in ("converted", "n", "converted_previous", "n_previous")
    )
    share, earlier = wilson(k, n, confidence=confidence), wilson(k0, n0, confidence=confidence)
    moved = newcombe_difference((k, k0), (n, n0), confidence=confidence)
    return table.assign(
        rate=share.value,
        ci_low=share.low,
        ci_high=share.high,
        rate_previous=earlier.value,
        change=moved.value,
        change_low=moved.low,
        change_high=moved.high,
    )


def _row(
    group: str, now: pd.DataFrame, before: pd.DataFrame, span: Span, within_days: int
) -> dict[str, Any]:
    n = int(now["n"].sum())
    few = f"only {n} {'trials' if n > 1 else 'trial'} came to an age of {within_days} days"
    few = few if n else f"no trial came to an age of {within_days} days"
    reason = span.reason or ("" if n >= FEWEST else few)
    return {
        "group": group,
        "n": n,
        "converted": int(now["converted"].sum()),
        "n_previous": int(before["n"].sum()),
        "converted_previous": int(before["converted"].sum()),
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }


def _between(each: pd.DataFrame, start: date, end: date) -> pd.DataFrame:
    came = (each["of_age"] >= pd.Timestamp(start)) & (each["of_age"] < pd.Timestamp(end))
    return each.loc[came]


def _by_month(
    each: pd.DataFrame, span: Span, as_of: date, shown: tuple[int, int], confidence: float
) -> pd.DataFrame:
    within_days, history = shown
    rows = []
    for month in range(span.last - history + 1, span.last + 1):
        start, end = first_day(month), first_day(month + 1)
        mine = each.loc[
            (each["started"] >= pd.Timestamp(start)) & (each["started"] < pd.Timestamp(end))
        ]
        old = mine.loc[mine["mature"]]
        completes = end - timedelta(days=1) + timedelta(days=within_days)
        n, mature = int(mine["n"].sum()), int(old["n"].sum())
        rows.append(
            {
                "month_start": start,
                "n": n,
                "mature": mature,
                "converted": int(old["converted"].sum()),
                "state": _state(completes, as_of, mature),
                "completes_on": completes,
                "naive": int(mine["so_far"].sum()) / n if n else np.nan,
            }
        )
    table = pd.DataFrame(rows)
    share = wilson(table["converted"], table["mature"], confidence=confidence)
    return table.assign(rate=share.value, ci_low=share.low, ci_high=share.high)


def _state(completes: date, as_of: date, mature: int) -> str:
    if completes <= as_of:
        return "complete"
    return "open" if mature else "not started"
