"""Features as columns of a regression: curves of numbers, indicators of categories."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.methods.splines import natural_spline, quantile_knots

FloatArray = NDArray[np.float64]

TENURE = "age_days"  # the feature that moves on with the days ahead
NOT_STATED = "not stated"  # level of a category that is missing
OTHER = "other"  # levels merged because each is rare
TINY = 1e-300


class Coded(NamedTuple):
    """Text by row: which of the levels each row has."""

    codes: NDArray[np.int64]
    levels: tuple[str, ...]

    def part(self, rows: slice) -> "Coded":
        """Take some of the rows.

        Parameters
        ----------
        rows : slice
            Which.

        Returns
        -------
        Coded
            The same levels.
        """
        return Coded(self.codes[rows], self.levels)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Term:
    """One feature as columns, each less its mean over the accounts that were learned from.

    A number: a natural spline through `knots`, held at `low` and `high` beyond them, and where
    values were missing a column that says so; a missing value has 0 in all others. A category:
    indicators; `place` gives the column of every level, -1 for the most frequent one, which has
    none; a level that is not there has 0 throughout, the average.
    """

    feature: str
    kind: Literal["number", "category"]
    names: tuple[str, ...] = ()  # of the columns
    centre: FloatArray = field(default_factory=lambda: np.empty(0))
    knots: FloatArray = field(default_factory=lambda: np.empty(0))
    low: float = -np.inf
    high: float = np.inf
    tells_missing: bool = False
    place: Mapping[str, int] = field(default_factory=dict)
    typical: float | str = ""  # mean, or most frequent level
    note: str = ""  # what was left out or merged


def learn_number(feature: str, values: FloatArray, weight: FloatArray, *, knots: int) -> Term:
    """Choose the columns of a number.

    Parameters
    ----------
    feature : str
        Its name.
    values : ndarray of float
        One per snapshot; NaN is missing.
    weight : ndarray of float
        How many snapshots each stands for.
    knots : int
        Knots of the curve, at even quantiles; 2 is a straight line.

    Returns
    -------
    Term
        Without columns where the feature is constant, which `note` then says. Values further
        from the outer knots than these are from each other are held there, so that one account
        with a thousand times the usual usage does not bend the curve.
    """
    known = np.isfinite(values)
    share = float(weight[~known].sum() / max(weight.sum(), TINY))
    if not known.any():
        return Term(
            feature=feature, kind="number", note=f"{feature} is missing in all rows: left out"
        )
    mean = float(np.average(values[known], weights=weight[known]))
    at = quantile_knots(values[known], knots, weight[known])
    tells, span = share > 0, at[-1] - at[0] if len(at) else np.inf
    rest = ", so that only whether it is known counts" if tells else ": left out"
    curve = [feature] * max(len(at) - 1, 0)
    bare = Term(
        feature=feature,
        kind="number",
        names=tuple(curve + [f"{feature} not known"] * tells),
        centre=np.zeros(len(curve) + tells),
        knots=at,
        low=at[0] - span if len(at) else -np.inf,
        high=at[-1] + span if len(at) else np.inf,
        tells_missing=tells,
        typical=mean,
        note="" if curve else f"{feature} is {mean:g} wherever it is known{rest}",
    )
    rows = term_columns(bare, values)[known]
    centre = weight[known] @ rows / weight[known].sum()
    if tells:
        centre[-1] = share
    return replace(bare, centre=centre)


def coded(values: pd.Series | NDArray[Any]) -> Coded:
    """Levels of a category as text.

    Parameters
    ----------
    values : Series or ndarray
        Text; missing becomes a level of its own, "not stated".

    Returns
    -------
    Coded
        One code per row.
    """
    codes, found = pd.factorize(np.asarray(values, dtype=object))
    levels = [str(level) for level in found]
    if (codes < 0).any():
        if NOT_STATED not in levels:
            levels.append(NOT_STATED)
        codes = np.where(codes < 0, levels.index(NOT_STATED), codes)
    return Coded(codes.astype(np.int64), tuple(levels))


def learn_category(
    feature: str, values: Coded, weight: FloatArray, account: NDArray[np.int64], *, least: int
) -> Term:
    """Choose the columns of a category.

    Parameters
    ----------
    feature : str
        Its name.
    values : Coded
        Level of each snapshot.
    weight : ndarray of float
        How many snapshots each stands for.
    account : ndarray of int
        Number of the account of each.
    least : int
        Levels that fewer accounts ever had are merged, or count as the average where they are
        too few even together.

    Returns
    -------
    Term
        Without columns where there is only one level, which `note` then says.
    """
    codes, levels = values
    once = ~pd.DataFrame({"level": codes, "account": account}).duplicated().to_numpy()
    many = np.bincount(codes[once], minlength=len(levels))
    size = np.bincount(codes, weights=weight, minlength=len(levels))
    order = np.lexsort((np.array(levels, dtype=str), -size))
    kept = [levels[i] for i in order if many[i] >= least]
    rare = [levels[i] for i in order if many[i] < least]
    place = {level: i - 1 for i, level in enumerate(kept)}
    note = f"{feature}: {len(rare)} levels with fewer than {least} accounts" if rare else ""
    if rare and many[[level in rare for level in levels]].sum() >= least:
        place |= dict.fromkeys(rare, len(kept) - 1)
        note += " each are merged"
    elif rare:
        note += " count as the average"
    width = max(place.values(), default=-1) + 1
    if not width:
        note = f"{feature} has no two levels that {least} accounts had: left out"
    names = [f"{feature} {level}" for level in kept[1:]]
    bare = Term(
        feature=feature,
        kind="category",
        names=(*names, f"{feature} {OTHER}")[:width],
        centre=np.zeros(width),
        place=place if width else {},
        typical=levels[order[0]] if len(order) else "",
        note=note,
    )
    known = np.array([level in bare.place for level in levels], dtype=float)[codes] * weight
    return replace(bare, centre=known @ term_columns(bare, values) / max(known.sum(), TINY))


def term_columns(term: Term, values: FloatArray | Coded) -> FloatArray:
    """Columns of a term, each less its mean.

    Parameters
    ----------
    term : Term
        From `learn_number` or `learn_category`.
    values : ndarray of float or Coded
        One per row: numbers with NaN for missing, or levels.

    Returns
    -------
    ndarray of float
        Rows × columns of the term.
    """
    if isinstance(values, Coded):
        table = np.zeros((len(values.levels), len(term.names)))
        for i, level in enumerate(values.levels):
            if level in term.place:
                table[i] = -term.centre
                if term.place[level] >= 0:
                    table[i, term.place[level]] += 1
        return np.asarray(table[values.codes])
    known = np.isfinite(values)
    parts = []
    if len(term.knots):
        middle = 0.5 * (term.knots[0] + term.knots[-1])
        held = np.clip(np.where(known, values, middle), term.low, term.high)
        curve = natural_spline(held, term.knots)
        curve -= term.centre[: curve.shape[1]]
        curve[~known] = 0.0
        parts.append(curve)
    if term.tells_missing:
        parts.append(~known[:, None] - term.centre[-1:])
    return np.hstack(parts) if parts else np.empty((len(values), 0))


def unseen(term: Term, values: FloatArray | Coded) -> dict[str, int]:
    """Values that count as the average account although they are not it.

    Parameters
    ----------
    term : Term
        From `learn_number` or `learn_category`.
    values : ndarray of float or Coded
        One per row.

    Returns
    -------
    dict
        Rows by level never seen; by "missing" where a number was never missing before.
    """
    if isinstance(values, Coded):
        many = np.bincount(values.codes, minlength=len(values.levels))
        pairs = zip(values.levels, many, strict=True)
        return {level: int(n) for level, n in pairs if n and level not in term.place}
    missing = 0 if term.tells_missing else int((~np.isfinite(values)).sum())
    return {"missing": missing} if missing else {}
