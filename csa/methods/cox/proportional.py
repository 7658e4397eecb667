"""Are hazards proportional? The exact score test, as R's `cox.zph` does it since 3.0.

If the effect of a covariate changes with age, the model lacks its product with a function of age
g. The test asks whether adding that product would raise the likelihood, from the slope and the
information at the fit alone, so that nothing is fitted again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.cox import ChiSquare, CoxFit
from csa.methods.cox.risk import FollowUp
from csa.methods.logrank import chi_square_tail

FloatArray = NDArray[np.float64]
Transform = Literal["km", "identity", "rank", "log"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Proportionality:
    """Score tests that effects do not change with a function of age; NaN where unknown."""

    transform: Transform
    terms: Mapping[str, ChiSquare]
    overall: ChiSquare


def proportionality(
    fit: CoxFit,
    *,
    transform: Transform = "km",
    terms: Mapping[str, Sequence[int]] | None = None,
) -> Proportionality:
    """Test proportional hazards, per term and over all.

    Parameters
    ----------
    fit : CoxFit
        A fit with either treatment of ties; entry, strata and counts are part of it.
    transform : {"km", "identity", "rank", "log"}
        Function of age: one minus Kaplan-Meier just before it (all strata together), age itself,
        its rank among all exits, or its logarithm.
    terms : mapping of str to sequence of int, optional
        Columns that belong together, such as the indicators of one text column; default: each
        column by itself.

    Returns
    -------
    Proportionality
        With as many degrees of freedom as a term has columns.

    Raises
    ------
    InputError
        If the transform is unknown, or the logarithm of an event at age 0 is asked for.

    Notes
    -----
    With V the information per event age, I = Σ V, J = Σ g V, K = Σ g² V and u = Σ g (x - mean x
    at risk) over the events, the statistic of a set of columns is u' (K - J I⁻¹ J)⁻¹ u on these
    columns [1]_. It does not depend on where g has its zero.

    References
    ----------
    .. [1] Grambsch, P. M., Therneau, T. M. (1994). Proportional hazards tests and diagnostics
       based on weighted residuals. Biometrika 81, 515-526. In R since survival 3.0 as a score
       test without their approximation of a constant V.
    """
    problem = fit.likelihood
    point = problem.at(fit.effects * problem.columns.scale, information=False)
    risk = problem.risk
    known = risk.deaths > 0
    g = np.zeros(risk.slots)
    g[known] = _function_of_age(transform, risk.age[known], problem.spells)
    if known.any():
        g[known] -= np.average(g[known], weights=risk.deaths[known])  # for the digits only
    flat, tilted, squared = problem.slopes(point.ties, [known.astype(float), g, g**2])
    part = np.linalg.pinv(flat.information, rcond=1e-12, hermitian=True)
    rest = squared.information - tilted.information @ part @ tilted.information
    columns = terms or {name: [j] for j, name in enumerate(fit.names)}
    tests = {name: _test(tilted.score, rest, list(js)) for name, js in columns.items()}
    everything = sorted({j for js in columns.values() for j in js})
    return Proportionality(
        transform=transform, terms=tests, overall=_test(tilted.score, rest, everything)
    )


def _test(score: FloatArray, information: FloatArray, columns: list[int]) -> ChiSquare:
    """Quadratic form on some columns; NaN where the ages of the events cannot tell."""
    u, v = score[columns], information[np.ix_(columns, columns)]
    size = np.sqrt(np.maximum(np.diag(v), 0.0))
    if not len(columns) or not (size > 0).all():
        return ChiSquare(float("nan"), len(columns), float("nan"))
    values, vectors = np.linalg.eigh(v / np.outer(size, size))
    if values[0] <= 1e-10:
        return ChiSquare(float("nan"), len(columns), float("nan"))
    statistic = float(((vectors.T @ (u / size)) ** 2 / values).sum())
    return ChiSquare(statistic, len(columns), chi_square_tail(statistic, len(columns)))


def _function_of_age(transform: Transform, ages: FloatArray, spells: FollowUp) -> FloatArray:
    """Evaluate g at the ages of events, in the order of the slots."""
    if transform == "identity":
        return ages
    if transform == "log":
        if len(ages) and ages.min() <= 0:
            raise InputError('transform: an event at age 0 has no logarithm; take "km"')
        return np.asarray(np.log(ages))
    if transform == "rank":
        below = _count_until(ages, spells.exit, spells.count, side="left")
        until = _count_until(ages, spells.exit, spells.count, side="right")
        return (below + until + 1) / 2
    if transform == "km":
        return _gone_before(ages, spells)
    raise InputError(f'transform: "{transform}" is none of "km", "identity", "rank", "log"')


def _gone_before(ages: FloatArray, spells: FollowUp) -> FloatArray:
    """One minus Kaplan-Meier of all strata together, just before each age."""
    grid = np.unique(ages)
    died = spells.event
    many = None if spells.count is None else spells.count[died]
    events = np.diff(_count_until(grid, spells.exit[died], many, side="right"), prepend=0.0)
    left = _count_until(grid, spells.exit, spells.count, side="left")
    came = np.full(len(grid), float(spells.n))
    if spells.entry is not None:
        late = spells.entry > 0
        many = None if spells.count is None else spells.count[late]
        came += _count_until(grid, spells.entry[late], many, side="left")
        came -= float(late.sum() if many is None else many.sum())
    survival = np.cumprod(1 - events / (came - left))
    before = np.concatenate([[1.0], survival[:-1]])
    return np.asarray(1 - before[np.searchsorted(grid, ages)])


def _count_until(
    ages: FloatArray,
    times: NDArray[Any],
    count: FloatArray | None,
    *,
    side: Literal["left", "right"],
) -> FloatArray:
    """Count times before each age ("left"), or up to it ("right")."""
    grid = np.unique(ages)
    # the grid is short and the times are many: place each time on it, then add up
    opposite: Literal["left", "right"] = "right" if side == "left" else "left"
    place = np.searchsorted(grid, times, side=opposite)
    total = np.cumsum(np.bincount(place, weights=count, minlength=len(grid) + 1))
    return np.asarray(total[np.searchsorted(grid, ages)], dtype=float)
