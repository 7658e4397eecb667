"""What the training half knows of the test half: accounts, rows, and outcomes not yet due."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from csa.analysis.risk.leaks.findings import NO_EMBARGO, NOT_IN_TIME, SAME_ACCOUNT, SAME_ROW, Leak
from csa.analysis.risk.leaks.frame import NOT_FEATURES, BoolArray, FloatArray, days, numbers

MOSTLY = 0.5  # share of telling columns known, from which a row can be recognised
TELLING = 0.3  # distinct values per row from which a column tells accounts apart
BY_CHANCE = 1e-6
FEW_ALIKE = 3
DIGITS = 9  # significant digits by which values are equal


def fold_leaks(
    train: pd.DataFrame, test: pd.DataFrame, horizon_days: float | None
) -> Iterator[Leak]:
    """Find what a split gives away.

    Parameters
    ----------
    train, test : DataFrame
        Snapshots of both halves.
    horizon_days : float or None
        Days after the cut-off; without, the outcome reaches to the last known day.

    Yields
    ------
    Leak
        Same accounts with overlapping outcomes, same rows under other ids, no embargo.
    """
    if len(train) == 0 or len(test) == 0:
        return
    yield from _same_account(train, test, horizon_days)
    yield from _same_row(train, test)
    yield from _embargo(train, test, horizon_days)


def _reach(frame: pd.DataFrame, horizon_days: float | None) -> FloatArray:
    """Last day of each row's outcome."""
    after = numbers(frame, "days_after") if horizon_days is None else horizon_days
    reach: FloatArray = days(frame, "cutoff_on") + after
    return reach


def _same_account(
    train: pd.DataFrame, test: pd.DataFrame, horizon_days: float | None
) -> Iterator[Leak]:
    """Find test rows whose outcome a training row of the same account gives away."""
    if "account_id" not in train or "account_id" not in test:
        return
    spans = []
    for frame in (train, test):
        span = pd.DataFrame({"account": frame["account_id"].astype("string").to_numpy()})
        span["start"] = days(frame, "cutoff_on") if "cutoff_on" in frame else 0.0
        span["end"] = _reach(frame, horizon_days) if "cutoff_on" in frame else 1.0
        spans.append(span.dropna().reset_index(names="row"))
    common = np.intersect1d(spans[0]["account"].unique(), spans[1]["account"].unique())
    pairs = spans[0][spans[0]["account"].isin(common)].drop(columns="row").drop_duplicates()
    pairs = pairs.merge(spans[1], on="account", suffixes=("_train", "_test"))
    meet = pairs["start_test"] < pairs["end_train"]  # the other way round is the past
    n = int(pairs.loc[meet, "row"].nunique())
    if n == 0:
        return
    accounts = int(pairs.loc[meet, "account"].nunique())
    yield Leak(
        kind=SAME_ACCOUNT,
        measure="share of test rows",
        evidence=n / len(test),
        limit=0.0,
        n=n,
        severity="alarm",
        reason=f"what became of {accounts:,} accounts after the cut-off of {n:,} test rows is in "
        "the training half: there are rows of the same accounts whose outcome reaches past it. "
        "Keep an account on one side, or split by time with an embargo of the horizon",
    )


def vectors(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    """One number per row by which equal rows are found.

    Parameters
    ----------
    frame : DataFrame
        Snapshots.
    columns : list of str
        What must be equal.

    Returns
    -------
    Series
        Hash of the values, numbers to nine digits.
    """
    parts: dict[str, object] = {}
    for name in columns:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values.dtype):
            parts[name] = _rounded(numbers(frame, name))
        elif pd.api.types.is_datetime64_any_dtype(values.dtype):
            parts[name] = days(frame, name)
        else:
            parts[name] = values.astype(str).to_numpy()
    hashed = pd.util.hash_pandas_object(pd.DataFrame(parts), index=False)
    return hashed.reset_index(drop=True)


def _rounded(value: FloatArray) -> FloatArray:
    """Round to significant digits, so that a number survives a file."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = 10.0 ** np.floor(np.log10(np.abs(value)))
        rounded: FloatArray = np.where(value == 0, 0.0, np.round(value / size, DIGITS) * size)
    return rounded


def telling_columns(frame: pd.DataFrame) -> list[str]:
    """Columns with so many values that equal rows cannot be chance.

    Parameters
    ----------
    frame : DataFrame
        Snapshots.

    Returns
    -------
    list of str
        Features and price with many distinct values among those known.
    """
    found = []
    for name in frame.columns:
        if name in NOT_FEATURES and name != "mrr_minor":
            continue
        values = frame[name].dropna()
        if len(values) < 0.5 * len(frame) or not pd.api.types.is_numeric_dtype(values.dtype):
            continue
        if values.nunique() > TELLING * len(values):
            found.append(str(name))
    return found


def tells(frame: pd.DataFrame, telling: list[str]) -> BoolArray:
    """Rows whose telling columns are mostly known; the others are alike in their gaps.

    Parameters
    ----------
    frame : DataFrame
        Snapshots.
    telling : list of str
        From `telling_columns`.

    Returns
    -------
    array of bool
        One per row.
    """
    known: BoolArray = frame[telling].notna().to_numpy().mean(axis=1) > MOSTLY
    return known


def compared_columns(*frames: pd.DataFrame) -> list[str]:
    """Features and price that all frames have.

    Parameters
    ----------
    *frames : DataFrame
        Snapshots.

    Returns
    -------
    list of str
        Columns that are compared when rows are.
    """
    first, *others = frames
    return [
        str(c)
        for c in first.columns
        if (c not in NOT_FEATURES or c == "mrr_minor") and all(c in o for o in others)
    ]


def _same_row(train: pd.DataFrame, test: pd.DataFrame) -> Iterator[Leak]:
    """Rows of the test half that are in training under another account."""
    columns = compared_columns(train, test)
    if "account_id" not in train or "account_id" not in test or not columns:
        return
    telling = set(telling_columns(train)) & set(columns)
    if not telling:
        return  # rows of a few levels are alike by chance
    sides = []
    for frame in (train, test):
        account = frame["account_id"].astype(str).to_numpy()
        side = pd.DataFrame({"hash": vectors(frame, columns), "account": account})
        sides.append(side[tells(frame, sorted(telling))].reset_index(drop=True))
    pairs = sides[1].reset_index(names="row").merge(sides[0].drop_duplicates(), on="hash")
    n = int(pairs.loc[pairs["account_x"] != pairs["account_y"], "row"].nunique())
    expected = _alike_within(sides[0]) * len(test)
    if n < FEW_ALIKE or _poisson_tail(n, expected) > BY_CHANCE:
        return
    yield Leak(
        kind=SAME_ROW,
        measure="share of test rows",
        evidence=n / len(test),
        limit=expected / len(test),
        n=n,
        severity="alarm",
        reason=f"{n:,} test rows have all features equal to a training row of another account, "
        f"where {expected:,.1f} are expected by chance: the same customers under two ids, or "
        "copies made before the split. Merge the ids, split first, copy never",
    )


def _alike_within(side: pd.DataFrame) -> float:
    """Share of training rows that equal one of another account, as the chance level."""
    accounts = side.groupby("hash")["account"].transform("nunique")
    return float((accounts > 1).mean())


def _poisson_tail(n: int, expected: float) -> float:
    from scipy.special import gammainc  # noqa: PLC0415 (costs start-up time)

    return float(gammainc(n, max(expected, 1e-3)))


def _embargo(train: pd.DataFrame, test: pd.DataFrame, horizon_days: float | None) -> Iterator[Leak]:
    """Find training outcomes of a split in time that were not due at the first test cut-off."""
    before, after = days(train, "cutoff_on"), days(test, "cutoff_on")
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if len(before) == 0 or len(after) == 0:
        return
    first = float(after.min())
    if np.median(after) <= before.max():
        if np.ptp(np.concatenate([before, after])) > 0:
            yield _not_in_time(len(test))
        return
    reach = _reach(train, horizon_days)
    late = reach > first
    n = int(late.sum())
    if n == 0:
        return
    yield Leak(
        kind=NO_EMBARGO,
        measure="share of training rows",
        evidence=n / len(train),
        limit=0.0,
        n=n,
        severity="alarm",
        reason=f"the outcome of {n:,} training rows reaches up to {np.nanmax(reach) - first:,.0f} "
        "days past the first test cut-off: on that day nobody knew it. Leave out training "
        "cut-offs whose outcome is not complete before the test begins",
    )


def _not_in_time(n: int) -> Leak:
    return Leak(
        kind=NOT_IN_TIME,
        measure="share of test rows",
        evidence=1.0,
        limit=0.0,
        n=n,
        severity="watch",
        reason="training and test have the same cut-offs: the figures say how well the model "
        "ranks other accounts at the same time, not how well it foretells. Test on cut-offs "
        "after those of training",
    )
