"""Integrals of the Pareto/NBD model over the time at which a customer may have left.

For a customer with x repeat purchases, leaving at time u adds

    f(u) = (1 + u / alpha)^-r (alpha + u)^-x (1 + u / beta)^-s (beta + u)^-1

to the likelihood. The usual closed form takes a hypergeometric function, which overflows for heavy
buyers. Here the integral is taken piece by piece between the times that occur, relative to f at
the start of the piece, so nothing can overflow, and the pieces are summed from the end.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.methods.btyd.ladder import Ladder, suffix_sums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Gauss points; and up to which fall of ln f, and which growth of alpha + u and beta + u, over a
# piece they integrate it to 1e-15.
RULES = ((4, 0.2, 1.04), (7, 1.5, 1.3), (12, 8.0, 2.0))
NOTHING = 45.0  # fall of ln f after which the rest of a piece adds nothing: exp(-45) is 3e-20
SUMS = 5  # the integral and its four slopes


def _rule(points: int) -> tuple[FloatArray, FloatArray]:
    """Places in [0, 1] and weights of Gauss and Legendre."""
    places, weights = np.polynomial.legendre.leggauss(points)
    return (places + 1) / 2, weights / 2


GAUSS = {points: _rule(points) for points, _, _ in RULES}


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Times of a ladder, and how long each customer was at risk of being seen to buy.

    `at` has the time at risk (row 0) and the time (row 1) of each rung, which differ only where
    purchases were merged within days; `width` is the same of the piece up to the next rung, 0
    after the last of a frequency.
    """

    ladder: Ladder
    at: FloatArray
    width: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Integrals:
    """Per rung: `log_f`; `total`, the integral of f from here to the last rung over f here.

    `slopes` has the derivatives by the logarithms of r, alpha, s, beta of the integral, over f;
    `slopes_f` those of ln f (beta + u).
    """

    log_f: FloatArray
    total: FloatArray
    slopes: FloatArray
    slopes_f: FloatArray


def exposure(rungs: Ladder, *, merged: float = 0.0, weight: FloatArray | None = None) -> Exposure:
    """Time at risk at every rung.

    Parameters
    ----------
    rungs : Ladder
        Times since the first purchase; frequency 0 with a rung at half of `merged`.
    merged : float
        Units of time within which purchases were counted once; 0 for exact counts.
    weight : ndarray of float, optional
        Customers of each row: for a fit, which corrects fast buyers once more.

    Returns
    -------
    Exposure
        Half of `merged` is not at risk for each purchase, the first included.

    Notes
    -----
    With y the rate times `merged`, a step with purchases has the probability 1 - e^-y, which is
    y e^(-y/2) times exp(l(y)), l(y) = ln(sinh(y/2) / (y/2)). For a fit, l is replaced by its
    tangent where customers of equal frequency buy on average, whose slope takes a little more
    time away. What remains shrinks with the number of purchases instead of growing.
    """
    time = rungs.time
    at_risk = time
    if merged and len(time):
        first = np.flatnonzero(np.append(True, rungs.last[:-1]))
        lost = (rungs.frequencies + 1) * (merged / 2)
        if weight is not None:
            lost += merged * rungs.frequencies * _slope(rungs, merged, weight)
        repeat = rungs.frequencies > 0
        lost[repeat] = np.minimum(lost, time[first])[repeat]
        at_risk = np.maximum(time - lost[rungs.group], 0.0)
    at = np.array([at_risk, time])
    width = np.zeros_like(at)
    width[:, :-1] = np.where(rungs.last[:-1], 0.0, np.diff(at))
    return Exposure(rungs, at, width)


def _slope(rungs: Ladder, merged: float, weight: FloatArray) -> FloatArray:
    """Slope of l at the mean rate of each frequency: coth(y/2) / 2 - 1 / y, y / 12 near 0."""
    group, size = rungs.group[rungs.start], len(rungs.frequencies)
    customers = np.maximum(np.bincount(group, weight, size), 1e-300)
    steps = np.bincount(group, weight * rungs.time[rungs.start], size) / customers / merged
    y = -np.log1p(-np.minimum(rungs.frequencies / (steps + 1.0), 1.0 - 1e-6))
    apart = np.maximum(y, 1e-3)
    return np.asarray(np.where(y > 1e-3, 0.5 / np.tanh(apart / 2) - 1.0 / apart, y / 12))


def integrals(over: Exposure, parameters: FloatArray) -> Integrals:
    """Integrate from every rung to the last of its frequency.

    Parameters
    ----------
    over : Exposure
        The times.
    parameters : ndarray
        r, alpha, s, beta.

    Returns
    -------
    Integrals
        Relative errors of about 1e-14, however many purchases.
    """
    r, alpha, s, _ = parameters
    x, scale = over.ladder.frequency, parameters[[1, 3], None]
    rate = over.at + scale
    since = np.log1p(over.at / scale)
    powers = np.array([r + x, np.full(len(x), s + 1.0)])
    grown = over.width / rate
    fall = (powers * np.log1p(grown)).sum(axis=0)
    pieces = np.zeros((SUMS, len(x)))
    todo = np.flatnonzero(over.width[1] > 0)
    steep, wide = fall[todo], 1.0 + grown.max(axis=0)[todo]
    for points, steepest, widest in RULES:
        fits = (steep <= steepest) & (wide <= widest)
        if fits.any():
            here = todo[fits]
            pieces[:, here] = _gauss(
                points, over.at[:, here], over.width[:, here], x[here], parameters
            )
            todo, steep, wide = todo[~fits], steep[~fits], wide[~fits]
    if len(todo):
        pieces[:, todo] = _halved(over.at[:, todo], over.width[:, todo], x[todo], parameters)
    sums = suffix_sums(np.where(over.ladder.last, 0.0, np.exp(-fall)), pieces)
    a, b = over.at / rate
    return Integrals(
        log_f=-r * since[0] - x * np.log(rate[0]) - s * since[1] - np.log(rate[1]),
        total=sums[0],
        slopes=sums[1:],
        slopes_f=np.array([-r * since[0], r * a - x * alpha / rate[0], -s * since[1], s * b]),
    )


def _gauss(
    points: int, at: FloatArray, width: FloatArray, x: FloatArray, parameters: FloatArray
) -> FloatArray:
    """Integral of f and its slopes over pieces, relative to f at the start of each."""
    r, _, s, _ = parameters
    scale = parameters[[1, 3], None]
    places, weights = GAUSS[points]
    rate = at + scale
    share = places[:, None, None] * (width / rate)
    grown = np.log1p(share)
    value = np.exp(-(r + x) * grown[:, 0] - (s + 1.0) * grown[:, 1]) * weights[:, None]
    share += 1.0
    beyond = scale / rate / share  # alpha / (alpha + u) and beta / (beta + u)
    gone = (at + places[:, None, None] * width) / rate / share  # one less that, without cancelling
    total = value.sum(axis=0)
    since = np.log1p(at / scale)
    sums = np.empty((SUMS, at.shape[1]))
    sums[0] = total
    sums[1] = -r * (since[0] * total + (value * grown[:, 0]).sum(axis=0))
    sums[2] = (value * (r * gone[:, 0] - x * beyond[:, 0])).sum(axis=0)
    sums[3] = -s * (since[1] * total + (value * grown[:, 1]).sum(axis=0))
    sums[4] = (value * (s * gone[:, 1] - beyond[:, 1])).sum(axis=0)
    sums *= width[1]
    return sums


def _halved(at: FloatArray, width: FloatArray, x: FloatArray, parameters: FloatArray) -> FloatArray:
    """As `_gauss`, of pieces too steep or too wide for it, which are halved until they are not."""
    points, steepest, widest = RULES[-1]
    r, _, s, _ = parameters
    powers = np.array([r + x, np.full(len(x), s + 1.0)])
    scale, pieces = parameters[[1, 3], None], at.shape[1]
    owner, sunk = np.arange(pieces), np.zeros(pieces)
    done: list[tuple[FloatArray, FloatArray, FloatArray, IntArray, FloatArray]] = []
    while len(owner):
        grown = width / (at + scale)
        most = grown.max(axis=0)
        fits = ((powers * np.log1p(grown)).sum(axis=0) <= steepest) & (1.0 + most <= widest)
        done.append((at[:, fits], width[:, fits], powers[:, fits], owner[fits], sunk[fits]))
        rest = ~fits
        at, width, powers = at[:, rest], width[:, rest], powers[:, rest]
        owner, sunk = owner[rest], sunk[rest]
        part = 1.0 / (1.0 + np.sqrt(1.0 + most[rest]))  # half way in the logarithm of the rate
        left = width * part
        later = sunk + (powers * np.log1p(left / (at + scale))).sum(axis=0)
        keep = later < NOTHING
        at = np.hstack([at, (at + left)[:, keep]])
        width = np.hstack([left, (width - left)[:, keep]])
        powers = np.hstack([powers, powers[:, keep]])
        owner = np.concatenate([owner, owner[keep]])
        sunk = np.concatenate([sunk, later[keep]])
    at, width = np.hstack([part[0] for part in done]), np.hstack([part[1] for part in done])
    powers = np.hstack([part[2] for part in done])
    into = np.concatenate([part[3] for part in done])
    shrunk = np.exp(-np.concatenate([part[4] for part in done]))
    values = _gauss(points, at, width, powers[0] - r, parameters) * shrunk
    return np.array([np.bincount(into, value, minlength=pieces) for value in values])
