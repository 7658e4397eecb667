"""Why a ratio moved: what happened within groups, and what came from the mix of groups.

A churn rate is Σ w r over groups, w their share of the accounts and r their own rate. It moves
because rates move or because shares do, and the two parts add up to the change exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.intervals import Estimates

FloatArray = NDArray[np.float64]
Pair = tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RatioChange:
    """A change of a ratio and its parts; sums of `within` and `mix` over groups make the change.

    `weight` and `rate` are of now, `previous_weight` and `previous_rate` of before; a rate is NaN
    where the group was absent.
    """

    ratio: float
    previous_ratio: float
    weight: FloatArray
    previous_weight: FloatArray
    rate: FloatArray
    previous_rate: FloatArray
    within: FloatArray  # what the change of the group's own rate adds
    mix: FloatArray  # what the change of its share adds: above zero where a bad one has grown

    @property
    def change(self) -> float:
        """The change of the ratio."""
        return self.ratio - self.previous_ratio

    @property
    def contribution(self) -> FloatArray:
        """What each group adds to the change, by its rate and by its share."""
        return self.within + self.mix


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PartIntervals:
    """Parts of a change with limits: per group, and summed over groups."""

    within: Estimates
    mix: Estimates
    contribution: Estimates
    apart: Estimates  # change of a group's rate less that of all others together
    total_within: Estimates
    total_mix: Estimates


def decompose_ratio(hits: Pair, sizes: Pair) -> RatioChange:
    """Split a change of a ratio exactly into parts within groups and of their mix.

    Parameters
    ----------
    hits : tuple of array_like
        Numerator per group, now and before: accounts that left, or their revenue.
    sizes : tuple of array_like
        Denominator per group, now and before, not negative; 0 where a group was absent.

    Returns
    -------
    RatioChange
        In the order of the groups; all NaN where one of the two denominators is 0 in all.

    Raises
    ------
    InputError
        If the arrays differ in length, or a number is negative or missing.

    Notes
    -----
    With R = Σ w r, and a bar for the mean of now and before,

        R₁ - R₀ = Σ w̄ (r₁ - r₀) + Σ (w₁ - w₀) (r̄ - R̄)

    (Kitagawa [1]_; Das Gupta [2]_): neither period is the yardstick, and there is no third term
    left over. R̄ changes no sum, since shares add up to one; it makes a group's part of the mix
    that of a better or worse group that has grown. For a group that is there in one period only,
    nothing can have moved within: all of it is mix.

    References
    ----------
    .. [1] Kitagawa, E. M. (1955). Components of a difference between two rates. J. Am. Stat.
       Assoc. 50, 1168-1194.
    .. [2] Das Gupta, P. (1993). Standardization and Decomposition of Rates: A User's Manual.
       U.S. Bureau of the Census, Current Population Reports P23-186.

    Examples
    --------
    >>> parts = decompose_ratio(([2.4, 7.2], [4.0, 4.0]), ([60, 40], [80, 20]))
    >>> [round(float(100 * x), 6) for x in (parts.change, parts.within.sum(), parts.mix.sum())]
    [1.6, -1.3, 2.9]
    """
    (k1, k0), (n1, n0) = (tuple(np.asarray(x, dtype=float) for x in pair) for pair in (hits, sizes))
    _check(k1, k0, n1, n0)
    with np.errstate(invalid="ignore", divide="ignore"):
        w1, w0 = n1 / n1.sum(), n0 / n0.sum()
        r1, r0 = k1 / n1, k0 / n0
        ratio, previous = k1.sum() / n1.sum(), k0.sum() / n0.sum()
    now, before = _filled(r1, r0)
    middle = (ratio + previous) / 2
    return RatioChange(
        ratio=float(ratio),
        previous_ratio=float(previous),
        weight=w1,
        previous_weight=w0,
        rate=r1,
        previous_rate=r0,
        within=(w1 + w0) / 2 * (now - before),
        mix=(w1 - w0) * ((now + before) / 2 - middle),
    )


def _check(*arrays: FloatArray) -> None:
    if len({x.shape for x in arrays}) > 1 or arrays[0].ndim != 1:
        raise InputError("decompose: give one number per group, for now and for before")
    if not all(np.isfinite(x).all() and (x >= 0).all() for x in arrays):
        raise InputError("decompose: a numerator or denominator is missing or negative")
    now, before, sizes_now, sizes_before = arrays
    if (now[sizes_now == 0] > 0).any() or (before[sizes_before == 0] > 0).any():
        raise InputError("decompose: a group has a numerator above 0 and a denominator of 0")


def _filled(now: FloatArray, before: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rates with the other period's where a group was absent, 0 where it never was there."""
    first = np.where(np.isnan(now), before, now)
    last = np.where(np.isnan(before), now, before)
    return np.nan_to_num(first), np.nan_to_num(last)


def part_intervals(parts: RatioChange, now: Estimates, before: Estimates) -> PartIntervals:
    """Limits for the parts of a change, from the limits of the groups' rates.

    Parameters
    ----------
    parts : RatioChange
        From `decompose_ratio`.
    now, before : Estimates
        Each group's rate with its limits, as by `intervals.wilson`; NaN where absent.

    Returns
    -------
    PartIntervals
        Shares of the groups are taken as known: only who left is left to chance. `apart` is NaN
        for a group that is absent in one period, or has no others to be compared with.

    Notes
    -----
    Every part is a sum of rates times fixed numbers; see `linear_interval`.
    """
    w1, w0 = parts.weight, parts.previous_weight
    middle, grown = (w1 + w0) / 2, w1 - w0
    both = np.isfinite(parts.rate) & np.isfinite(parts.previous_rate)
    shares = Estimates(*(np.nan_to_num(np.concatenate(x)) for x in zip(now, before, strict=True)))
    present = np.isfinite(parts.rate), np.isfinite(parts.previous_rate)
    found: dict[str, list[Estimates]] = {name: [] for name in ("within", "mix", "sum", "apart")}
    for group in range(len(w1)):
        own = np.zeros(len(w1))
        own[group] = 1.0
        rows = {
            "within": np.concatenate([own, -own]) * middle[group],
            "mix": np.concatenate([own - w1, own - w0]) * grown[group] / 2,
            "apart": _apart(group, middle, both),
        }
        rows["sum"] = rows["within"] + rows["mix"]
        for name, row in rows.items():
            found[name].append(linear_interval(_folded(row, *present), shares))
    whole = {
        "total_within": np.concatenate([middle, -middle]),
        "total_mix": np.concatenate([grown, grown]) / 2,
    }
    totals = {k: linear_interval(_folded(row, *present), shares) for k, row in whole.items()}
    each = {name: Estimates(*np.array(rows).reshape(-1, 3).T) for name, rows in found.items()}
    return PartIntervals(
        within=each["within"],
        mix=each["mix"],
        contribution=each["sum"],
        apart=each["apart"],
        **totals,
    )


def _apart(group: int, middle: FloatArray, both: NDArray[np.bool_]) -> FloatArray:
    """Weights of a group's change less the mean change of the others."""
    others = np.where(both, middle, 0.0)
    others[group] = 0.0
    if not both[group] or not others.sum() > 0:
        return np.full(2 * len(middle), np.nan)
    row = -others / others.sum()
    row[group] = 1.0
    return np.concatenate([row, -row])


def _folded(row: FloatArray, now: NDArray[np.bool_], before: NDArray[np.bool_]) -> FloatArray:
    """Move the weight of a rate that is not known to that of the same group's other period."""
    first, last = np.split(row, 2)
    return np.concatenate(
        [
            np.where(now, first + np.where(before, 0.0, last), 0.0),
            np.where(before, last + np.where(now, 0.0, first), 0.0),
        ]
    )


def linear_interval(coefficients: ArrayLike, shares: Estimates) -> Estimates:
    """Limits of a sum of independent shares times fixed numbers, from their own limits.

    Parameters
    ----------
    coefficients : array_like
        One number per share, along the last axis.
    shares : Estimates
        Values and limits along the last axis.

    Returns
    -------
    Estimates
        Σ c p with limits that keep the asymmetry of those of the shares.

    Notes
    -----
    The distance down is √Σ (c times the share's own distance to its lower limit, or to its upper
    one where c is negative)², that up the other way round [1]_ [2]_. With c = (1, -1) and Wilson
    limits that is Newcombe's interval of a difference. Where all counts are small, it is wider
    than its level says.

    References
    ----------
    .. [1] Zou, G. Y., Donner, A. (2008). Construction of confidence limits about effect measures:
       a general approach. Stat. Med. 27, 1693-1702.
    .. [2] Zou, G. Y., Huang, W., Zhang, X. (2009). A note on confidence interval estimation for a
       linear function of binomial proportions. Comput. Stat. Data Anal. 53, 1080-1085.
    """
    c = np.asarray(coefficients, dtype=float)
    below, above = shares.value - shares.low, shares.high - shares.value
    value = np.asarray((c * shares.value).sum(axis=-1))
    down = np.sqrt((np.where(c >= 0, c * below, c * above) ** 2).sum(axis=-1))
    up = np.sqrt((np.where(c >= 0, c * above, c * below) ** 2).sum(axis=-1))
    return Estimates(value[()], (value - down)[()], (value + up)[()])
