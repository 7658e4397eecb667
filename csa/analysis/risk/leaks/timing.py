"""Columns that follow the end of the account: its day, the final tenure, the days to come.

An honest sign of risk sets those that leave apart from all others, more so the sooner they leave.
A value that was still added to after the cut-off is made of the days themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from csa.analysis.risk.leaks.design import AFTER, AGE, CLASS, FINAL, Target
from csa.analysis.risk.leaks.findings import FOLLOWS_THE_END, RUNS_TO_THE_END, Leak
from csa.analysis.risk.leaks.frame import Audited, BoolArray, FloatArray, IntArray
from csa.analysis.risk.leaks.separation import accounts_in

WINDOW_DAYS = 30  # the shortest window after the cut-off that is looked at
MIN_CHURNED = 6
FOLLOWS = 0.30  # share of variance among those that left, explained by the day of the end
FIXED = 0.80  # share over all rows that makes a column a function of the days after the cut-off
BY_CHANCE, UNLIKELY = 1e-3, 1e-2
BOUND = 1.28  # standard errors below the estimate of that share
PROPORTION, PROPORTION_CHANCE, STEP = (0.5, 1.5), 1e-3, 0.5
SPREAD = 0.3
TO_THE_END_SLOPE, TO_THE_END_SHARE, TO_THE_END_CHANCE = (0.5, 1.5), 0.03, 3e-3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Follows:
    """How far what is left of a column follows the day of the end, within `window` days."""

    share: float  # of the variance among those that left within the window
    both: float  # of the variance of those and all others, if the line goes on to the others
    low: float  # lower limit of the smaller of the two
    chance: float
    window: float
    n: int  # accounts that left within the window


def follows(
    target: Target, left: FloatArray, data: Audited, horizon_days: float | None
) -> Iterator[Leak]:
    """Compare what is left with the day of the end."""
    after, gone = data.after[target.rows], data.event[target.rows]
    account = data.account[target.rows]
    last = float(after.max())
    for window in sorted({float(WINDOW_DAYS), float(horizon_days or last), last}):
        found = follows_end(left, after, gone, account, window)
        if found is None:
            continue
        if found.low > FOLLOWS and found.chance < BY_CHANCE:
            yield _follows_leak(target.column, min(found.share, found.both), FOLLOWS, found)
        elif window == last and found.share > FOLLOWS and found.chance < UNLIKELY:
            fixed = 1 - _squares(target, AFTER) / _squares(target)
            if fixed > FIXED:
                yield _follows_leak(target.column, fixed, FIXED, found)


def _squares(target: Target, *extra: str) -> float:
    left = target.left(*extra)
    return float(left @ left) + 1e-12 * len(left)


def _follows_leak(column: str, share: float, limit: float, found: Follows) -> Leak:
    return Leak(
        kind=FOLLOWS_THE_END,
        column=column,
        measure="share of what is left of its variance explained by the days after the cut-off",
        evidence=share,
        limit=limit,
        n=found.n,
        severity="alarm",
        reason=f"{column}, given the other columns, follows the day of the end: the days after "
        f"the cut-off explain {share:.0%} of what is left of it ({found.n:,} accounts that "
        f"left within {found.window:g} days). It was measured after the cut-off; build it "
        "from rows up to the cut-off only, or leave it out",
    )


def follows_end(
    left: FloatArray, after: FloatArray, gone: BoolArray, account: IntArray, window: float
) -> Follows | None:
    """How far a value follows the day of the end, for ends within a window.

    Parameters
    ----------
    left : array of float
        What is left of a column given the others.
    after : array of float
        Days from the cut-off to the end, or to the last known day.
    gone : array of bool
        The account left.
    account : array of int
        Rows of one account count once.
    window : float
        Days after the cut-off.

    Returns
    -------
    Follows or None
        None where too few left within the window.

    Notes
    -----
    An honest sign of risk sets those that leave apart from all others, more so the sooner they
    leave; the step between those that leave late in the window and those that stay remains. A
    value that was still added to after the cut-off has no such step: its line over the day of
    the end goes on to those that stay. So the line is fitted to those that left, and must
    explain the others too, both counted alike.
    """
    ended = gone & (after < window)
    n = accounts_in(account[ended])
    if n < MIN_CHURNED or ended.all():
        return None
    days = after[ended] / window
    line = np.stack([np.ones(len(days)), days, np.log1p(after[ended]) / np.log1p(window)], axis=1)
    value = left[ended]
    slope = np.linalg.lstsq(line, value, rcond=1e-8)[0]
    rest = float(np.mean((value - line @ slope) ** 2)) * n / (n - 3)
    own = float(np.var(value)) * n / (n - 1)
    others = left[~ended]
    middle = (value.mean() + others.mean()) / 2
    total = (np.mean((value - middle) ** 2) + np.mean((others - middle) ** 2)) / 2
    missed = (rest + np.mean((others - slope.sum()) ** 2)) / 2
    share, both = 1 - rest / max(own, 1e-12), float(1 - missed / max(total, 1e-12))
    return Follows(
        share=share,
        both=both,
        low=_lower(min(share, both), n),
        chance=_chance(share, n),
        window=window,
        n=n,
    )


def _lower(share: float, n: int) -> float:
    """Lower limit of a share of variance, by Fisher's transformation."""
    root = np.sqrt(min(max(share, 0.0), 1 - 1e-9))
    return float(np.tanh(max(np.arctanh(root) - BOUND / np.sqrt(n - 3), 0.0)) ** 2)


def _chance(share: float, n: int) -> float:
    """Chance of so great a share from two terms that mean nothing (F test)."""
    from scipy.special import fdtrc  # noqa: PLC0415 (costs start-up time)

    plain = 1 - (1 - min(share, 1 - 1e-12)) * (n - 3) / (n - 1)
    if plain <= 0:
        return 1.0
    return float(fdtrc(2, n - 3, plain / 2 / ((1 - plain) / (n - 3))))


def runs_on(target: Target, data: Audited) -> Iterator[Leak]:
    """Compare the tenure at the cut-off with the final tenure as what a column was made of."""
    gone, account = data.event[target.rows], data.account[target.rows]
    age = data.age[target.rows]
    if not target.measured or not np.isfinite(age).all() or np.ptp(age) == 0:
        return
    if accounts_in(account[gone]) < MIN_CHURNED:
        return
    missed = target.left(CLASS)[gone]
    weights = target.weights(FINAL, leaving_out=(AGE,))
    missed_at_end = (target.x - target.terms @ weights)[gone]
    slope, chance = _slope(missed, missed - missed_at_end, account[gone])
    ratio = float(missed_at_end @ missed_at_end) / max(float(missed @ missed), 1e-12)
    low, high = TO_THE_END_SLOPE
    if chance > TO_THE_END_CHANCE or not low < slope < high or 1 - ratio < TO_THE_END_SHARE:
        return
    final = target.owner == FINAL
    grown = (target.terms[:, final] @ weights[final])[gone]
    tenure = (age + data.after[target.rows])[gone]
    if float(np.dot(grown - grown.mean(), tenure)) <= 0:
        return  # beside a column that runs on, an honest one falls with the final tenure
    yield Leak(
        kind=RUNS_TO_THE_END,
        column=target.column,
        measure="share of what tenure at the cut-off leaves open, explained by final tenure",
        evidence=1 - ratio,
        limit=TO_THE_END_SHARE,
        n=int(gone.sum()),
        severity="alarm",
        reason=f"{target.column} grows with the final tenure, not with the tenure at the cut-off "
        f"({1 - ratio:.0%} less is left unexplained among those that left): a running total "
        "that went on after the cut-off. Add it up to the cut-off only, or leave it out",
    )


def in_proportion(
    target: Target, left: FloatArray, data: Audited, horizon_days: float | None
) -> Iterator[Leak]:
    """Find use counted over days after the cut-off: in proportion to the days still to come."""
    if not target.measured:
        return
    after, account = data.after[target.rows], data.account[target.rows]
    for window in sorted({float(WINDOW_DAYS), float(horizon_days or WINDOW_DAYS)}):
        ended = data.event[target.rows] & (after > 0) & (after < window)
        if accounts_in(account[ended]) < MIN_CHURNED or ended.all():
            continue
        value, days = left[ended] * target.scale, np.log(after[ended] / window)
        slope, chance = _slope(value, days, account[ended])
        others = left[~ended] * target.scale
        at_border = float(value.mean()) - slope * float(days.mean())
        no_step = abs(at_border - float(others.mean())) < STEP * abs(float(days.mean()))
        # a renewal date is in proportion too, but without the spread that others have
        spread = float(np.var(value - slope * days)) > SPREAD * float(np.var(others))
        low, high = PROPORTION
        if chance < PROPORTION_CHANCE and low < slope < high and no_step and spread:
            yield Leak(
                kind=FOLLOWS_THE_END,
                column=target.column,
                measure="slope of its logarithm on that of the days after the cut-off",
                evidence=slope,
                limit=PROPORTION[0],
                n=int(ended.sum()),
                severity="alarm",
                reason=f"{target.column} is in proportion to the days between the cut-off and the "
                f"end, for the {int(ended.sum()):,} rows that ended within {window:g} days: it "
                "counts what happened after the cut-off. Count up to the cut-off only",
            )


def _slope(value: FloatArray, on: FloatArray, account: IntArray) -> tuple[float, float]:
    """Slope and the chance of so great a one, with the larger error of rows and of accounts."""
    from scipy.special import stdtr  # noqa: PLC0415 (costs start-up time)

    on = on - on.mean()
    value = value - value.mean()
    size = float(on @ on) + 1e-12
    slope = float(on @ value) / size
    rest = value - slope * on
    codes = np.unique(account, return_inverse=True)[1]
    parts = np.bincount(codes, on * rest)
    free = max(len(parts) - 2, 1)
    error = max(float(parts @ parts) * len(parts) / size, float(rest @ rest)) / free / size
    return slope, float(stdtr(free, -slope / max(np.sqrt(error), 1e-9)))
