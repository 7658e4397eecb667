"""How well one column alone tells who churns, out of fold, with limits by account."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csa.methods.intervals import normal_quantile

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FOLDS = 5
SHRINK = 2.0  # rows at the base rate that each level starts with
FEW_VALUES = 60  # so many distinct values are levels of their own
BINS = 20


class Separation(NamedTuple):
    """Area under the ROC curve with limits, from `events` accounts that churned of `n`."""

    auc: float
    low: float
    high: float
    events: int
    n: int


def separation(
    score: FloatArray, churned: BoolArray, account: IntArray, *, confidence: float = 0.95
) -> Separation:
    """Area under the ROC curve with an interval that knows repeated rows of an account.

    Parameters
    ----------
    score : array of float
        Higher means churn.
    churned : array of bool
        The outcome.
    account : array of int
        Rows of one account are not independent.
    confidence : float
        Level of the interval.

    Returns
    -------
    Separation
        NaN where nobody or everybody churned.

    Notes
    -----
    The variance is DeLong's [1]_ with placements summed by account [2]_, at least that of a share
    half an event below 1, since placements without spread say nothing of the precision; the
    limits are those of the logit.

    References
    ----------
    .. [1] DeLong, E. R., DeLong, D. M., Clarke-Pearson, D. L. (1988). Biometrics 44, 837-845.
    .. [2] Obuchowski, N. A. (1997). Biometrics 53, 567-578.
    """
    m, n = int(churned.sum()), int((~churned).sum())
    if m == 0 or n == 0:
        return Separation(np.nan, np.nan, np.nan, m, m + n)
    up, down = score[churned], score[~churned]
    above = _placements(up, down)
    below = 1 - _placements(down, up)
    auc = float(above.mean())
    size = int(account.max()) + 1
    spread = np.bincount(account[churned], (above - auc) / m, size)
    spread += np.bincount(account[~churned], (below - auc) / n, size)
    events, stayers = accounts_in(account[churned]), accounts_in(account[~churned])
    half_an_event = 0.5 / (min(events, stayers) + 1)
    variance = max(float(np.sum(spread**2)), half_an_event * (1 - half_an_event) / (events + 1))
    safe = min(max(auc, 0.25 / (events + 1)), 1 - 0.25 / (events + 1))
    middle = np.log(safe / (1 - safe))
    half = normal_quantile(confidence) * np.sqrt(variance) / (safe * (1 - safe))
    low, high = (1 / (1 + np.exp(-np.clip(middle + d, -700, 700))) for d in (-half, half))
    return Separation(auc, float(min(low, auc)), float(max(high, auc)), events, m + n)


def _placements(of: FloatArray, among: FloatArray) -> FloatArray:
    """Share of `among` below each of `of`, ties half."""
    ordered = np.sort(among)
    order = np.argsort(of)
    asked = of[order]  # in order, so that the search stays in the cache
    both = np.searchsorted(ordered, asked, "left") + np.searchsorted(ordered, asked, "right")
    placed = np.empty(len(of))
    placed[order] = both / (2.0 * len(ordered))
    return placed


def area_between(up: FloatArray, down: FloatArray) -> float:
    """Area under the ROC curve from sorted scores.

    Parameters
    ----------
    up, down : array of float
        Scores of those that churned and of those that stayed, sorted.

    Returns
    -------
    float
        NaN where one is empty.
    """
    if len(up) == 0 or len(down) == 0:
        return float("nan")
    both = np.searchsorted(down, up, "left") + np.searchsorted(down, up, "right")
    return float(both.mean() / (2.0 * len(down)))


def accounts_in(codes: IntArray) -> int:
    """Count the accounts of some rows.

    Parameters
    ----------
    codes : array of int
        Account of each row.

    Returns
    -------
    int
        Different ones.
    """
    return int(np.count_nonzero(np.bincount(codes))) if len(codes) else 0


def folds_of(account: IntArray) -> IntArray:
    """Fold of each row; rows of one account share it."""
    folds: IntArray = (account * 2_654_435_761 % 4_294_967_291) % FOLDS
    return folds


def out_of_fold_ranks(levels: IntArray, churned: BoolArray, account: IntArray) -> FloatArray:
    """Rank rows by the event rate of their level among other accounts.

    Parameters
    ----------
    levels : array of int
        0 and up.
    churned : array of bool
        The outcome.
    account : array of int
        Folds keep accounts together.

    Returns
    -------
    array of float
        In (0, 1), ties alike. Ranks are taken within each fold: where a fold holds more events
        by chance, the others hold fewer, and its rates would be too low.
    """
    fold = folds_of(account)
    size = int(levels.max(initial=0)) + 1
    where = fold * size + levels
    n = np.bincount(where, minlength=FOLDS * size).reshape(FOLDS, size)
    k = np.bincount(where[churned], minlength=FOLDS * size).reshape(FOLDS, size)
    rest_n, rest_k = n.sum(axis=0) - n, k.sum(axis=0) - k
    base = rest_k.sum(axis=1, keepdims=True) / np.maximum(rest_n.sum(axis=1, keepdims=True), 1)
    rates = (rest_k + SHRINK * base) / (rest_n + SHRINK)
    ranks = np.stack([_ranked(rates[f], n[f]) for f in range(FOLDS)])
    found: FloatArray = ranks[fold, levels]
    return found


def level_rates(levels: IntArray, churned: BoolArray, rows: BoolArray) -> FloatArray:
    """Event rate of each level, drawn a little towards the base rate.

    Parameters
    ----------
    levels : array of int
        0 and up.
    churned : array of bool
        The outcome.
    rows : array of bool
        Rows that count.

    Returns
    -------
    array of float
        One per level.
    """
    size = int(levels.max(initial=0)) + 1
    n = np.bincount(levels[rows], minlength=size)
    k = np.bincount(levels[rows & churned], minlength=size)
    rates: FloatArray = (k + SHRINK * k.sum() / max(int(n.sum()), 1)) / (n + SHRINK)
    return rates


def _ranked(rates: FloatArray, n: IntArray) -> FloatArray:
    """Middle rank of each level, as a share of all rows."""
    order = np.argsort(rates, kind="stable")
    below = np.searchsorted(rates[order], rates, "left")
    upto = np.searchsorted(rates[order], rates, "right")
    rows = np.concatenate([[0], np.cumsum(n[order])])
    ranked: FloatArray = (rows[below] + rows[upto]) / (2.0 * max(int(rows[-1]), 1))
    return ranked


def as_levels(value: FloatArray, known: BoolArray, *, codes: bool) -> tuple[IntArray, bool]:
    """Levels of a column: codes, few distinct values, or bins; what is not known is level 0.

    Parameters
    ----------
    value : array of float
        Numbers, or codes of texts.
    known : array of bool
        Rows with a value.
    codes : bool
        Values are codes.

    Returns
    -------
    array of int, bool
        0 and up, and whether each level is one value.
    """
    levels = np.zeros(len(value), dtype=np.int64)
    seen = value[known]
    if len(seen) == 0:
        return levels, False
    if codes:
        levels[known] = seen.astype(np.int64) + 1
        return levels, True
    distinct = np.unique(seen[: 10 * FEW_VALUES])
    if len(distinct) <= FEW_VALUES:
        distinct = np.unique(seen)
    few = len(distinct) <= FEW_VALUES
    edges = distinct if few else np.unique(np.quantile(seen, np.arange(1, BINS) / BINS))
    levels[known] = np.searchsorted(edges, seen, "left" if few else "right") + 1
    return levels, few
