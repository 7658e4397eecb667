"""Raise the alarm when a model of churn may know what nobody knew at the cut-off.

It looks at snapshots and at a split of them into training and test, and answers with findings,
never with an exception: columns that tell the outcome too well, that were filled in or added up
after the cut-off, that changed since; accounts and rows on both sides of a split; rows that were
repeated, made up or left out by their outcome. Eight kinds of leaks are told apart in [1]_.

References
----------
.. [1] Kapoor, S., Narayanan, A. (2023). Leakage and the reproducibility crisis in
   machine-learning-based science. Patterns 4(9), 100804.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

import ibis.expr.types as ir
import pandas as pd

from csa.analysis.risk.leaks.columns import MIN_EVENTS, MIN_STAYED, column_leaks
from csa.analysis.risk.leaks.dates import changes, late_dates, planned_days
from csa.analysis.risk.leaks.findings import (
    CHECKED,
    DATE_AFTER_CUTOFF,
    Leak,
    LeakAudit,
    leak_table,
    verdict,
)
from csa.analysis.risk.leaks.folds import fold_leaks
from csa.analysis.risk.leaks.frame import NOT_FEATURES, Audited, as_audited, read_rows
from csa.analysis.risk.leaks.given_others import others_leaks
from csa.analysis.risk.leaks.resampling import churned_within, resampling_leaks

__all__ = ["LeakAudit", "changed_since", "column_audit", "leak_audit", "split_audit", "together"]

Rows: TypeAlias = ir.Table | pd.DataFrame
SPLIT_ROWS = 300_000  # rows of a half that are compared with the other


def leak_audit(
    snapshots: Rows,
    *,
    train: Rows | None = None,
    test: Rows | None = None,
    horizon_days: int | None = 90,
    features: Sequence[str] | None = None,
    planned: Sequence[str] = (),
) -> LeakAudit:
    """Look for leaks in snapshots and in their split.

    Parameters
    ----------
    snapshots : ir.Table or DataFrame
        One row per account and cut-off: `account_id`, `cutoff_on`, `age_days`, `mrr_minor`,
        `days_after`, `event`, and features.
    train, test : ir.Table or DataFrame, optional
        The rows that a model learns from and is tested on; leave out to look at columns only.
    horizon_days : int or None
        Churn within so many days of the cut-off is foretold; None: churn at any time.
    features : sequence of str, optional
        Default: all further columns.
    planned : sequence of str
        Dates that are agreed ahead and may lie after the cut-off, such as renewals.

    Returns
    -------
    LeakAudit
        Findings on columns, then on the split.
    """
    columns = column_audit(snapshots, horizon_days=horizon_days, features=features, planned=planned)
    if train is None or test is None:
        return columns
    split = split_audit(
        train, test, snapshots=snapshots, horizon_days=horizon_days, features=features
    )
    return together(columns, split)


def column_audit(
    snapshots: Rows,
    *,
    horizon_days: int | None = 90,
    features: Sequence[str] | None = None,
    planned: Sequence[str] = (),
) -> LeakAudit:
    """Look for columns that know what happened after the cut-off.

    Parameters
    ----------
    snapshots : ir.Table or DataFrame
        As for `leak_audit`.
    horizon_days : int or None
        Days after the cut-off; None: churn at any time.
    features : sequence of str, optional
        Default: all further columns.
    planned : sequence of str
        Dates that are agreed ahead.

    Returns
    -------
    LeakAudit
        "unclear" where too few churned to tell.

    Notes
    -----
    A column raises the alarm where, alone or as what the other columns leave of it,

    - its ROC curve lies above a credible one, as a whole (area 0.90; 0.80 for merely being
      filled in) or at any point (likelihood ratio against the binormal curve of that area);
    - it follows the day of the end among those that left, in a line that goes on to the others;
    - its logarithm fits the final tenure instead of the tenure at the cut-off;
    - it is a date after the cut-off.

    An honest column of any strength up to that area lies below the credible curve at each of
    its points, and so does what is left of it (Neyman and Pearson). Beyond 100,000 rows a sample
    of accounts is looked at, 30,000 rows of it where columns are compared with one another.
    """
    frame, rows = read_rows(snapshots)
    data = as_audited(frame, rows, features)
    churned, stayed = churned_within(frame, horizon_days)
    leaks = list(late_dates(data, planned))
    found, checked = column_leaks(data, horizon_days)
    leaks += found
    alarms = {leak.column for leak in leaks if leak.severity == "alarm"}
    leaks += others_leaks(data, horizon_days, alarms)[0]
    agreed = {**planned_days(data), **dict.fromkeys(planned, "it is named in planned")}
    leaks = [_agreed(leak, agreed.get(leak.column)) for leak in leaks]
    leaks += resampling_leaks(frame, None, horizon_days, "snapshot")
    table = leak_table(leaks)
    checked["flagged"] = checked["column"].isin(table.loc[table["severity"] == "alarm", "column"])
    status, reason = verdict(table, _limits(data, int(churned.sum()), int(stayed.sum())))
    return LeakAudit(
        table=table,
        checked=checked,
        status=status,
        reason=reason,
        n=rows,
        n_looked_at=data.n,
        events=int(churned.sum()),
        horizon_days=float("nan") if horizon_days is None else float(horizon_days),
    )


def _agreed(leak: Leak, why: str | None) -> Leak:
    """Lower the alarm for a day agreed ahead: it may well tell the end."""
    if why is None or leak.kind == DATE_AFTER_CUTOFF:
        return leak
    reason = (
        f"{leak.column} tells who leaves and when, as a day agreed ahead does ({why}). Make sure "
        "that it stood in the contract at the cut-off"
    )
    return replace(leak, severity="watch", reason=reason)


def _limits(data: Audited, churned: int, stayed: int) -> Iterable[str]:
    """Say what keeps the alarm from saying that all is well."""
    yield from data.faults
    if data.n and not data.columns:
        yield "no features to look at"
    if min(churned, 2 * MIN_EVENTS) < 2 * MIN_EVENTS:
        yield f"only {churned} churned: a leak could not be told from chance"
    elif stayed < MIN_STAYED:
        yield f"only {stayed} are known to have stayed: a leak could not be told from chance"


def split_audit(
    train: Rows,
    test: Rows,
    *,
    snapshots: Rows | None = None,
    horizon_days: int | None = 90,
    features: Sequence[str] | None = None,
) -> LeakAudit:
    """Look for what a split into training and test gives away.

    Parameters
    ----------
    train, test : ir.Table or DataFrame
        Snapshots of both halves, as a model gets them.
    snapshots : ir.Table or DataFrame, optional
        All rows as they were built; then the share of churn is compared at the same cut-offs.
    horizon_days : int or None
        Days after the cut-off.
    features : sequence of str, optional
        Default: all further columns.

    Returns
    -------
    LeakAudit
        `checked` is empty. A split by account at the same cut-offs is "watch": it is honest,
        but says nothing of the time to come.
    """
    halves = [read_rows(half, most=SPLIT_ROWS) for half in (train, test)]
    frames = [_only(frame, features) for frame, _ in halves]
    leaks = list(fold_leaks(frames[0], frames[1], horizon_days))
    whole = (
        _only(read_rows(snapshots, most=SPLIT_ROWS)[0], features)
        if snapshots is not None
        else frames[1]
    )
    for frame, name in zip(frames, ("training", "test"), strict=True):
        compared = whole if snapshots is not None or name == "training" else None
        leaks += resampling_leaks(frame, compared, horizon_days, name)
    table = leak_table(leaks)
    limits = [
        f"{name}: no rows"
        for frame, name in zip(frames, ("training", "test"), strict=True)
        if len(frame) == 0
    ]
    status, reason = verdict(table, limits)
    return LeakAudit(
        table=table,
        checked=pd.DataFrame(columns=list(CHECKED)),
        status=status,
        reason=reason,
        n=sum(rows for _, rows in halves),
        n_looked_at=sum(len(frame) for frame in frames),
        events=sum(int(churned_within(frame, horizon_days)[0].sum()) for frame in frames),
        horizon_days=float("nan") if horizon_days is None else float(horizon_days),
    )


def changed_since(
    stored: Rows, rebuilt: Rows, *, features: Sequence[str] | None = None
) -> LeakAudit:
    """Compare stored snapshots with the same cut-offs built again when later data are there.

    Parameters
    ----------
    stored, rebuilt : ir.Table or DataFrame
        Snapshots; rows are paired by `account_id` and `cutoff_on`.
    features : sequence of str, optional
        Default: all further columns that both have.

    Returns
    -------
    LeakAudit
        A column whose value at the same cut-off became another one is an alarm from 1 % of the
        rows on; fewer are "watch", since some data arrive late.
    """
    first, second = (read_rows(table, most=SPLIT_ROWS) for table in (stored, rebuilt))
    leaks, n, limits = changes(first[0], second[0], features)
    table = leak_table(leaks)
    status, reason = verdict(table, limits)
    return LeakAudit(
        table=table,
        checked=pd.DataFrame(columns=list(CHECKED)),
        status=status,
        reason=reason,
        n=first[1],
        n_looked_at=n,
    )


def together(*audits: LeakAudit) -> LeakAudit:
    """Join audits into one.

    Parameters
    ----------
    *audits : LeakAudit
        Of columns, of splits, of changes; the first says what n, events and horizon are.

    Returns
    -------
    LeakAudit
        All findings, alarms first.
    """
    first = audits[0]
    found = [audit.table for audit in audits if len(audit.table)]
    table = pd.concat(found, ignore_index=True) if found else first.table
    table = table.sort_values("severity", kind="stable").reset_index(drop=True)
    checked = [audit.checked for audit in audits if len(audit.checked)]
    status, reason = verdict(table, [audit.reason for audit in audits if audit.reason])
    return replace(
        first,
        table=table,
        checked=pd.concat(checked, ignore_index=True) if checked else first.checked,
        status=status,
        reason=reason,
    )


def _only(frame: pd.DataFrame, features: Sequence[str] | None) -> pd.DataFrame:
    """Columns that are looked at."""
    if features is None:
        return frame
    return frame[[c for c in frame.columns if c in NOT_FEATURES or c in features]]
