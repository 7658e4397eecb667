"""What was known only after the cut-off: later dates, and values that changed since."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd

from csa.analysis.risk.leaks.findings import (
    CHANGED_AFTER_CUTOFF,
    DATE_AFTER_CUTOFF,
    OUTCOME_REWRITTEN,
    ROWS_CAME_OR_WENT,
    Leak,
    Severity,
)
from csa.analysis.risk.leaks.frame import (
    NOT_FEATURES,
    Audited,
    BoolArray,
    as_column,
    days,
    numbers,
)

CHANGED = 0.01  # share of rows from which a change is no mere late arrival
FEW_CHANGED = 3
EQUAL = 1e-9  # relative difference of numbers that counts as none
NEAR_DAYS = 10  # a day agreed ahead is meant by an end so near
MOST_LEFT, PASSED = 0.5, 0.5  # share that left near that day, accounts that passed it per those
KEY = ["account_id", "cutoff_on"]


def late_dates(data: Audited, planned: Collection[str]) -> Iterator[Leak]:
    """Find dates later than the cut-off.

    Parameters
    ----------
    data : Audited
        Snapshots.
    planned : collection of str
        Dates that are agreed ahead, such as renewals.

    Yields
    ------
    Leak
        An alarm per column, with what the dates tell.
    """
    for column in data.columns:
        if column.kind != "date" or column.name in planned:
            continue
        late = column.known & (column.value > data.cutoff)
        n = int(late.sum())
        if n == 0:
            continue
        ends = late & data.event & (np.abs(column.value - data.cutoff - data.after) <= 1)
        at_end = f", {int(ends.sum()):,} of them on the day the account left" if ends.any() else ""
        yield Leak(
            kind=DATE_AFTER_CUTOFF,
            column=column.name,
            measure="share of dates later than the cut-off",
            evidence=n / max(int(column.known.sum()), 1),
            limit=0.0,
            n=n,
            severity="alarm",
            reason=f"{column.name} is later than cutoff_on in {n:,} rows{at_end}: nobody knew it "
            "then. Take the last date up to the cut-off; if it was agreed ahead (a renewal), "
            "name it in planned",
        )


def planned_days(data: Audited) -> dict[str, str]:
    """Recognise days agreed ahead, such as renewals, by the accounts that pass them and stay.

    Parameters
    ----------
    data : Audited
        Snapshots.

    Returns
    -------
    dict of str
        What was seen, by column. Accounts leave on such a day, so it separates and follows the
        end; but where the end itself was written down, nobody stays beyond it.
    """
    found = {}
    for column in data.columns:
        if column.kind == "text":
            continue
        ahead = column.value - data.cutoff if column.kind == "date" else column.value
        ahead = np.where(column.known & (ahead > 0), ahead, np.nan)
        ended = np.flatnonzero(data.event & np.isfinite(ahead))
        if len(ended) < FEW_CHANGED:
            continue
        gap = np.abs(ahead[ended] - data.after[ended])
        mixed = np.abs(ahead[ended] - np.roll(data.after[ended], len(ended) // 2))
        left, by_chance = int((gap <= NEAR_DAYS).sum()), int((mixed <= NEAR_DAYS).sum())
        passed = int((ahead < data.after - NEAR_DAYS).sum())
        if left >= MOST_LEFT * max(len(ended), 4 * by_chance) and passed >= PASSED * left:
            found[column.name] = f"{left:,} left near that day, {passed:,} passed it and stayed"
    return found


def changes(
    stored: pd.DataFrame, rebuilt: pd.DataFrame, features: Sequence[str] | None
) -> tuple[list[Leak], int, list[str]]:
    """Compare snapshots with the same cut-offs built again later.

    Parameters
    ----------
    stored, rebuilt : DataFrame
        Snapshots.
    features : sequence of str, optional
        Columns to compare; default all that both have.

    Returns
    -------
    list of Leak, int, list of str
        Findings, rows compared, and why something could not be.
    """
    missing = [
        f"{name}: column {c} is missing"
        for name, frame in (("stored", stored), ("rebuilt", rebuilt))
        for c in KEY
        if c not in frame
    ]
    if missing:
        return [], 0, missing
    left, right, gone, new = _paired(stored, rebuilt)
    leaks = list(_came_or_went(gone, new, len(left)))
    names = [c for c in rebuilt.columns if c not in NOT_FEATURES] if features is None else features
    limits = [f"{c}: not in both, not compared" for c in names if c not in left or c not in right]
    churned = numbers(right, "event") > 0
    for name in names:
        if name in left and name in right:
            leaks += _changed(left[name], right[name], churned)
    leaks += _rewritten(left, right)
    if len(left) == 0:
        limits.append("no account and cut-off is in both")
    return leaks, len(left), limits


def _paired(
    stored: pd.DataFrame, rebuilt: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, int, int]:
    """Rows of both by account and cut-off, and how many only one has (at common cut-offs)."""
    keys = []
    for frame in (stored, rebuilt):
        key = pd.DataFrame({"a": frame["account_id"].astype(str), "d": days(frame, "cutoff_on")})
        keys.append(key.reset_index(drop=True).reset_index(names="row").drop_duplicates(["a", "d"]))
    both = keys[0].merge(keys[1], on=["a", "d"], suffixes=("_stored", "_rebuilt"))
    common = np.intersect1d(keys[0]["d"], keys[1]["d"])
    gone, new = (int(k["d"].isin(common).sum()) - len(both) for k in keys)
    left = stored.iloc[both["row_stored"]].reset_index(drop=True)
    right = rebuilt.iloc[both["row_rebuilt"]].reset_index(drop=True)
    return left, right, gone, new


def _came_or_went(gone: int, new: int, both: int) -> Iterator[Leak]:
    for n, words in ((gone, "are no longer there"), (new, "were not there then")):
        if n:
            share = n / max(both + n, 1)
            yield Leak(
                kind=ROWS_CAME_OR_WENT,
                measure="share of accounts at the same cut-offs",
                evidence=share,
                limit=CHANGED,
                n=n,
                severity=_severity(share, n),
                reason=f"{n:,} accounts of the same cut-offs {words} when they are built again: "
                "the source drops or adds accounts afterwards. Keep those that left in the "
                "source, and date accounts by when they were recorded",
            )


def _severity(share: float, n: int) -> Severity:
    return "alarm" if share >= CHANGED and n >= FEW_CHANGED else "watch"


def differs(first: pd.Series, second: pd.Series) -> BoolArray:
    """Rows in which two columns differ; two gaps are equal.

    Parameters
    ----------
    first, second : Series
        Values by row.

    Returns
    -------
    array of bool
        Numbers differ beyond rounding, texts and dates at all.
    """
    a, b = as_column(first, "first"), as_column(second, "second")
    if "text" in (a.kind, b.kind):
        texts = [s.astype(object).where(s.notna(), "").astype(str) for s in (first, second)]
        differing: BoolArray = texts[0].to_numpy() != texts[1].to_numpy()
        return differing
    far = np.abs(a.value - b.value) > EQUAL * np.maximum(np.abs(a.value), np.abs(b.value))
    return np.asarray((a.known != b.known) | (far & a.known & b.known), dtype=bool)


def _changed(first: pd.Series, second: pd.Series, churned: BoolArray) -> list[Leak]:
    changed = differs(first, second)
    n = int(changed.sum())
    if n == 0:
        return []
    filled = int((first.notna().to_numpy() | second.notna().to_numpy()).sum())
    share = n / max(filled, 1)
    among = [f"{changed[c].mean():.1%}" for c in (churned, ~churned) if c.any()]
    split = f" ({among[0]} of those that left, {among[1]} of the others)" if len(among) > 1 else ""
    return [
        Leak(
            kind=CHANGED_AFTER_CUTOFF,
            column=str(first.name),
            measure="share of values that changed at the same cut-off",
            evidence=share,
            limit=CHANGED,
            n=n,
            severity=_severity(share, n),
            reason=f"{first.name} at the same cut-off became another value in {n:,} rows{split} "
            "after later data arrived: it looks past the cut-off, or the source is written "
            "over. Date its rows by when they were recorded",
        )
    ]


def _rewritten(left: pd.DataFrame, right: pd.DataFrame) -> list[Leak]:
    """Outcomes that were known and are different now."""
    was, now = numbers(left, "event") > 0, numbers(right, "event") > 0
    then, since = numbers(left, "days_after"), numbers(right, "days_after")
    other_end = was & (~now | (then != since))
    sooner = ~was & (since < then)
    n = int((other_end | sooner).sum())
    if n == 0:
        return []
    share = n / len(left)
    return [
        Leak(
            kind=OUTCOME_REWRITTEN,
            measure="share of outcomes that changed after they were known",
            evidence=share,
            limit=CHANGED,
            n=n,
            severity=_severity(share, n),
            reason=f"{n:,} outcomes that were known then are different now: ends are moved or "
            "dated back. Wait until ends are final before a model learns from them",
        )
    ]
