"""Rows that were drawn again, left out or made up, by which a split shows what it should not."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from csa.analysis.risk.leaks.findings import (
    FRACTIONS,
    INTERPOLATED_ROWS,
    REPEATED_ROWS,
    SHARE_OF_CHURN,
    Leak,
)
from csa.analysis.risk.leaks.folds import (
    BY_CHANCE,
    compared_columns,
    telling_columns,
    tells,
    vectors,
)
from csa.analysis.risk.leaks.frame import BoolArray, FloatArray, IntArray, days, numbers

OTHER_SHARE = (1.25, 2.0)  # odds ratio of churn against the data, against another time
DRAWN = 3e-5  # chance of so uneven a draw
MATURE = 0.5  # share of rows whose outcome is known, for a share of churn to mean something
SURE_Z = 4.0  # standard errors
MIN_ROWS = 20
FEW = 3
POINTS, NEIGHBOURS = 600, 16  # rows whose lines are looked at, neighbours of each
MOST_OTHERS = 20_000  # rows among which neighbours are sought
STRAIGHT, STRAIGHT_IN_TWO = 1e-6, 1e-10  # 1 - |cosine| of three points on a line
REPEATED = (0.1, 3.0)  # share of churned rows that equal another, and times that of the others
LINES, USUAL = 0.05, 5.0  # share of churned rows on lines, above so many times the usual
WHY_NOT = (
    "The risk of a model that learns from such rows is wrong; if they were made before the split, "
    "the test half holds copies of the training half. Learn from the rows as they are, and move "
    "the threshold instead"
)


def churned_within(frame: pd.DataFrame, horizon_days: float | None) -> tuple[BoolArray, BoolArray]:
    """Rows that churned within the horizon, and rows that are known to have stayed."""
    after, event = numbers(frame, "days_after"), numbers(frame, "event") > 0
    if horizon_days is None:
        return event, ~event
    churned = event & (after <= horizon_days)
    return churned, ~churned & (after >= horizon_days)


def resampling_leaks(
    half: pd.DataFrame, data: pd.DataFrame | None, horizon_days: float | None, name: str
) -> Iterator[Leak]:
    """Find rows that were repeated, interpolated or left out by their outcome.

    Parameters
    ----------
    half : DataFrame
        Rows that a model learns from or is tested on.
    data : DataFrame or None
        Rows as they were built, before any split.
    horizon_days : float or None
        Days after the cut-off.
    name : str
        What to call `half`.

    Yields
    ------
    Leak
        At most one per kind.
    """
    churned, stayed = churned_within(half, horizon_days)
    if churned.any():
        yield from _repeated(half, churned, stayed, name)
        yield from _interpolated(half, churned, stayed, name)
        yield from _fractions(half, churned, stayed, name)
    if data is not None and min(churned.sum() + stayed.sum(), len(data)) >= MIN_ROWS:
        yield from _share(half, data, horizon_days, name)


def _share(
    half: pd.DataFrame, data: pd.DataFrame, horizon_days: float | None, name: str
) -> Iterator[Leak]:
    """Compare churn with the rows of the same cut-offs, and with those of them left out."""
    same = np.isin(days(data, "cutoff_on"), days(half, "cutoff_on"))
    alike = int(same.sum()) >= MIN_ROWS
    compared = data[same] if alike else data
    limit = OTHER_SHARE[0] if alike else OTHER_SHARE[1]
    mine, all_rows = _counts(half, horizon_days), _counts(compared, horizon_days)
    if sum(mine) < MATURE * len(half) or sum(all_rows) < MATURE * len(compared):
        return  # who churned is known before who stayed
    odds, sure = _odds_ratio(mine, all_rows)
    if alike and not sure:
        inside = _rows_in(compared, half)
        taken = _counts(compared[inside], horizon_days)
        left_out = _counts(compared[~inside], horizon_days)
        odds, sure = _drawn_by_outcome(taken, left_out)
    if sure and not 1 / limit < odds < limit:
        k, n = mine
        yield Leak(
            kind=SHARE_OF_CHURN,
            measure="odds of churn against the data, or against the rows left out",
            evidence=odds,
            limit=limit,
            n=k + n,
            severity="alarm",
            reason=f"{k / (k + n):.1%} of the {name} rows churned, "
            f"{all_rows[0] / max(sum(all_rows), 1):.1%} of the data: rows were drawn by their "
            f"outcome. {WHY_NOT}",
        )


def _counts(frame: pd.DataFrame, horizon_days: float | None) -> tuple[int, int]:
    churned, stayed = churned_within(frame, horizon_days)
    return int(churned.sum()), int(stayed.sum())


def _rows_in(data: pd.DataFrame, half: pd.DataFrame) -> BoolArray:
    """Rows of the data that a half has, by account and cut-off."""
    if "account_id" not in data or "account_id" not in half:
        return np.ones(len(data), dtype=bool)
    keys = [
        pd.MultiIndex.from_arrays([frame["account_id"].astype(str), days(frame, "cutoff_on")])
        for frame in (data, half)
    ]
    inside: BoolArray = keys[0].isin(keys[1])
    return inside


def _odds_ratio(mine: tuple[int, int], other: tuple[int, int]) -> tuple[float, bool]:
    """Odds ratio of churn, and whether it is beyond chance."""
    if sum(mine) < MIN_ROWS or sum(other) < MIN_ROWS:
        return 1.0, False
    counts = np.array([*mine, *other]) + 0.5
    log_odds = float(np.log(counts[0] / counts[1]) - np.log(counts[2] / counts[3]))
    return float(np.exp(log_odds)), abs(log_odds) > SURE_Z * float(np.sqrt(np.sum(1 / counts)))


def _drawn_by_outcome(taken: tuple[int, int], left_out: tuple[int, int]) -> tuple[float, bool]:
    """Odds ratio of rows taken against rows left out, and whether churned rows were preferred."""
    from scipy.special import bdtrc  # noqa: PLC0415 (costs start-up time)

    odds, _ = _odds_ratio(taken, left_out)
    churned, rows = taken[0] + left_out[0], sum(taken) + sum(left_out)
    if taken[0] == 0:
        return odds, False
    return odds, float(bdtrc(taken[0] - 1, churned, sum(taken) / rows)) < DRAWN


def _repeated(
    half: pd.DataFrame, churned: BoolArray, stayed: BoolArray, name: str
) -> Iterator[Leak]:
    """Churned rows that are there more than once, by key or by all their features."""
    again = _again_by_key(half)
    if again.any():
        n = int(again.sum())
        yield _repeated_leak(
            n,
            len(half),
            0.0,
            f"{n:,} {name} rows have an account and cut-off "
            f"that is there already ({int((again & churned).sum()):,} churned)",
        )
        return
    columns = compared_columns(half)
    telling = telling_columns(half[stayed] if stayed.sum() >= MIN_ROWS else half)
    if not columns or not telling:
        return
    alike = vectors(half, columns).duplicated(keep=False).to_numpy() & tells(half, telling)
    alike &= ~_same_account_alike(half)
    n, others = int((alike & churned).sum()), int((alike & stayed).sum())
    share, usual = n / int(churned.sum()), others / max(int(stayed.sum()), 1)
    if n < FEW or share < max(REPEATED[0], REPEATED[1] * usual):
        return  # short lives look alike: a few equal rows are no copies
    if _chance(n, int(churned.sum()), others, int(stayed.sum())) > BY_CHANCE:
        return
    yield _repeated_leak(
        n,
        int(churned.sum()),
        max(REPEATED[0], REPEATED[1] * usual),
        f"{n:,} churned {name} rows have all features equal to another row, {others:,} of those "
        "that stayed",
    )


def _again_by_key(half: pd.DataFrame) -> BoolArray:
    keys = [c for c in ("account_id", "cutoff_on") if c in half]
    if "account_id" not in keys:
        return np.zeros(len(half), dtype=bool)
    named = half["account_id"].notna().to_numpy()
    again: BoolArray = half.duplicated(keys).to_numpy() & named
    return again


def _same_account_alike(half: pd.DataFrame) -> BoolArray:
    """Rows of accounts with several cut-offs: alike where nothing changed."""
    if "account_id" not in half:
        return np.zeros(len(half), dtype=bool)
    several = half["account_id"].duplicated(keep=False) & half["account_id"].notna()
    return several.to_numpy()


def _repeated_leak(n: int, of: int, limit: float, words: str) -> Leak:
    return Leak(
        kind=REPEATED_ROWS,
        measure="share of rows that are repeated",
        evidence=n / max(of, 1),
        limit=limit,
        n=n,
        severity="alarm",
        reason=f"{words}: rows were drawn again. {WHY_NOT}",
    )


def _chance(k: int, m: int, j: int, n: int) -> float:
    """Chance of at least k of m where j of n have it, by the binomial tail."""
    from scipy.special import bdtrc  # noqa: PLC0415 (costs start-up time)

    share = (j + 1) / (n + 2)
    return float(bdtrc(k - 1, m, share)) if k > 0 else 1.0


def _fractions(
    half: pd.DataFrame, churned: BoolArray, stayed: BoolArray, name: str
) -> Iterator[Leak]:
    """Whole numbers that have fractions only among those that churned."""
    if stayed.sum() < MIN_ROWS:
        return
    for column in compared_columns(half):
        if not pd.api.types.is_numeric_dtype(half[column].dtype):
            continue
        value = numbers(half, column)
        broken = np.isfinite(value) & (value != np.round(value))
        n = int((broken & churned).sum())
        if n < FEW or (broken & stayed).any():
            continue
        if _chance(n, int(churned.sum()), 0, int((stayed & np.isfinite(value)).sum())) > BY_CHANCE:
            continue
        yield Leak(
            kind=FRACTIONS,
            column=column,
            measure="share of churned rows with a fraction",
            evidence=n / int(churned.sum()),
            limit=0.0,
            n=n,
            severity="alarm",
            reason=f"{column} is a whole number in all {name} rows that stayed, but {n:,} that "
            f"churned have a fraction: made-up rows. {WHY_NOT}",
        )


def _interpolated(
    half: pd.DataFrame, churned: BoolArray, stayed: BoolArray, name: str
) -> Iterator[Leak]:
    """Churned rows on straight lines between their neighbours (SMOTE)."""
    columns = telling_columns(half)
    value = {c: numbers(half, c) for c in columns}
    broken = [c for c in columns if not _all_whole(value[c][stayed])]  # the rest may be rounded
    for chosen in (columns, broken if len(broken) < len(columns) else []):
        if len(chosen) < 2 or churned.sum() < FEW + 2:
            continue
        points = np.stack([value[c] for c in chosen], axis=1)
        whole = np.isfinite(points).all(axis=1)
        n, of = _on_lines(points[whole & churned])
        others, of_others = _on_lines(points[whole & stayed])
        usual = others / max(of_others, 1)
        if (
            n < FEW
            or n < (LINES + USUAL * usual) * of
            or _chance(n, of, others, of_others) > BY_CHANCE
        ):
            continue
        yield Leak(
            kind=INTERPOLATED_ROWS,
            measure="share of churned rows on a line between two others",
            evidence=n / of,
            limit=LINES + USUAL * usual,
            n=of,
            severity="alarm",
            reason=f"{n / of:.0%} of the churned {name} rows lie exactly on a line between two "
            f"others ({usual:.1%} of those that stayed): made-up rows, as SMOTE makes them. "
            f"{WHY_NOT}",
        )
        return


def _all_whole(value: FloatArray) -> bool:
    known = value[np.isfinite(value)]
    return bool((known == np.round(known)).all())


def _on_lines(value: FloatArray) -> tuple[int, int]:
    """Rows on a straight line with two of their neighbours, and rows looked at."""
    value = np.unique(value, axis=0)
    if len(value) < FEW + 2:
        return 0, len(value)
    rng = np.random.default_rng(0)
    if len(value) > MOST_OTHERS:
        value = value[np.sort(rng.choice(len(value), MOST_OTHERS, replace=False))]
    spread = value.std(axis=0)
    value = (value - value.mean(axis=0)) / np.where(spread > 0, spread, 1)
    chosen = np.arange(len(value))
    if len(value) > POINTS:
        chosen = rng.choice(len(value), POINTS, replace=False)
    return int(np.sum(_straight(value, chosen))), len(chosen)


def _straight(value: FloatArray, chosen: IntArray) -> BoolArray:
    """Whether two neighbours of a row lie in the same or the opposite direction."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 (costs start-up time)

    near = min(NEIGHBOURS, len(value) - 1)
    found = cKDTree(value).query(value[chosen], k=near + 1)[1][:, 1:]
    away = value[found] - value[chosen][:, None, :]
    length = np.linalg.norm(away, axis=2, keepdims=True)
    away = away / np.where(length > 0, length, 1)
    cosine = np.abs(away @ away.transpose(0, 2, 1))
    cosine[:, np.arange(near), np.arange(near)] = 0
    bent = STRAIGHT if value.shape[1] > 2 else STRAIGHT_IN_TWO
    straight: BoolArray = (1 - cosine < bent).any(axis=(1, 2))
    return straight
