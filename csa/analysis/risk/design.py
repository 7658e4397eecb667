"""Snapshots and their intervals as the design of a regression, without columns that follow."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.intervals import Grid, Intervals
from csa.analysis.risk.rows import Snapshots
from csa.analysis.risk.terms import (
    TENURE,
    Coded,
    Term,
    coded,
    learn_category,
    learn_number,
    term_columns,
)

FloatArray = NDArray[np.float64]

FOLLOWS = 1e-8  # share of a column's sum of squares that those before it must leave over
PART = 1e-3  # columns with a smaller part in a combination are not named
CHUNK = 20_000  # rows at once
NAMED = 3  # columns in a note


class Columns(NamedTuple):
    """Columns of the intervals: those that move with the days ahead, and those of the snapshot."""

    moving: FloatArray  # rows × (1, each interval but the first, tenure)
    fixed: FloatArray  # snapshots × columns of the other features
    row: NDArray[np.int64]  # snapshot of each row
    owner: tuple[int, ...]  # per column: place of its term, -1 for the intervals

    def rows(self, part: slice) -> FloatArray:
        """Make some rows of the table.

        Parameters
        ----------
        part : slice
            Which rows.

        Returns
        -------
        ndarray of float
            All columns of these rows.
        """
        return np.hstack([self.moving[part], self.fixed[self.row[part]]])

    def turned(self, matrix: FloatArray) -> FloatArray:
        """Multiply the whole table by a matrix, a part at a time.

        Parameters
        ----------
        matrix : ndarray of float
            Columns × new columns.

        Returns
        -------
        ndarray of float
            Rows × new columns.
        """
        table = np.empty((len(self.row), matrix.shape[1]))
        for first in range(0, len(table), CHUNK):
            part = slice(first, first + CHUNK)
            table[part] = self.rows(part) @ matrix
        return table


class Rotation(NamedTuple):
    """Columns turned so that within a feature they are uncorrelated and of mean square 1."""

    matrix: FloatArray  # columns × those that are kept
    kept: NDArray[np.bool_]  # per column
    notes: tuple[str, ...]  # what follows from what


def feature_values(rows: pd.DataFrame, feature: str) -> FloatArray | Coded:
    """Values of a feature as they stand in snapshots that were fetched.

    Parameters
    ----------
    rows : DataFrame
        Of `Snapshots`.
    feature : str
        Name of the feature.

    Returns
    -------
    ndarray of float or Coded
        Numbers with NaN, or levels.
    """
    column = rows[f"feature {feature}"]
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan)
    return coded(column)


def learn_terms(
    snapshots: Snapshots, features: Sequence[str], grid: Grid, *, knots: int, least: int
) -> tuple[Term, ...]:
    """Choose the columns of tenure and of all features.

    Parameters
    ----------
    snapshots : Snapshots
        What is learned from.
    features : sequence of str
        Names of the features.
    grid : Grid
        Intervals, over which tenure moves on.
    knots : int
        Knots of the curves.
    least : int
        Accounts that a level must have had.

    Returns
    -------
    tuple of Term
        Tenure first.
    """
    rows, weight = snapshots.rows, snapshots.weight
    age = rows[TENURE].to_numpy(dtype=float)
    ages = (age[:, None] + grid.starts).ravel()
    terms = [learn_number(TENURE, ages, np.repeat(weight, len(grid.starts)), knots=knots)]
    for name in features:
        values = feature_values(rows, name)
        if isinstance(values, Coded):
            terms.append(learn_category(name, values, weight, snapshots.account, least=least))
        else:
            terms.append(learn_number(name, values, weight, knots=knots))
    return tuple(terms)


def lay_out(snapshots: Snapshots, cells: Intervals, terms: Sequence[Term], grid: Grid) -> Columns:
    """Make the columns of all intervals.

    Parameters
    ----------
    snapshots : Snapshots
        What is learned from.
    cells : Intervals
        Their intervals at risk.
    terms : sequence of Term
        Tenure first.
    grid : Grid
        Intervals of the horizon.

    Returns
    -------
    Columns
        One row per interval at risk.
    """
    rows = snapshots.rows
    age = rows[TENURE].to_numpy(dtype=float)[cells.row] + grid.starts[cells.interval]
    which = cells.interval[:, None] == np.arange(1, len(grid.starts))
    moving = [np.ones((len(age), 1)), which.astype(float), term_columns(terms[0], age)]
    fixed = [term_columns(t, feature_values(rows, t.feature)) for t in terms[1:]]
    owner = [-1] * len(grid.starts) + [i for i, t in enumerate(terms) for _ in t.names]
    return Columns(
        np.hstack(moving),
        np.hstack([np.empty((len(rows), 0)), *fixed]),
        cells.row,
        tuple(owner),
    )


def rotate(columns: Columns, trials: FloatArray, names: Sequence[str]) -> Rotation:
    """Leave out columns that follow from those before them and rotate the rest.

    Parameters
    ----------
    columns : Columns
        Of the intervals.
    trials : ndarray of float
        Weight of each row.
    names : sequence of str
        One per column.

    Returns
    -------
    Rotation
        A feature's columns among themselves keep their span, so the rotation changes no fit; it
        makes the ridge weigh every feature by the spread of its effect, whatever its unit.
    """
    width = len(columns.owner)
    gram = np.zeros((width, width))
    for first in range(0, len(trials), CHUNK):
        part = columns.rows(slice(first, first + CHUNK))
        gram += part.T @ (part * trials[first : first + CHUNK, None])
    gram /= max(trials.sum(), 1e-300)
    kept, found = _without_followers(gram, names)
    owner = np.array(columns.owner)
    matrix = np.zeros((width, len(kept)))
    for block in {owner[j] for j in kept}:
        here = [i for i, j in enumerate(kept) if owner[j] == block]
        at = [kept[i] for i in here]
        if block < 0:
            matrix[at, here] = 1.0
        else:
            root = np.linalg.cholesky(gram[np.ix_(at, at)])
            matrix[np.ix_(at, here)] = np.linalg.inv(root).T
    flags = np.isin(np.arange(width), kept)
    return Rotation(matrix, flags, _followers(found, names, columns.owner))


def _without_followers(
    gram: FloatArray, names: Sequence[str]
) -> tuple[list[int], dict[int, list[int]]]:
    """Columns that say something new, and for the others those that they follow from."""
    kept: list[int] = []
    found: dict[int, list[int]] = {}
    size = np.sqrt(np.diag(gram))
    for j in range(len(gram)):
        parts = np.linalg.solve(gram[np.ix_(kept, kept)], gram[kept, j]) if kept else np.empty(0)
        left = gram[j, j] - gram[j, kept] @ parts
        if size[j] > 0 and left > FOLLOWS * gram[j, j]:
            kept.append(j)
            continue
        large = np.abs(parts) * size[kept] > PART * size[j]
        found[j] = [k for k, is_part in zip(kept, large, strict=True) if is_part]
    return kept, found


def _followers(
    found: dict[int, list[int]], names: Sequence[str], owner: Sequence[int]
) -> tuple[str, ...]:
    """Say what was left out, one note per name of a column."""
    notes = {}
    for j, parts in found.items():
        if owner[j] < 0:
            notes[names[j]] = f"{names[j]}: never watched, taken as {names[0]}"
            continue
        of = dict.fromkeys("the days ahead" if owner[k] < 0 else names[k] for k in parts)
        of.pop(names[j], None)
        some = [k for k, name in enumerate(names) if name == names[j] and k not in found]
        source = f"follows from {_listed([*of])}" if of else "does not vary"
        notes[names[j]] = f"{'part of ' if some else ''}{names[j]} {source} in these rows: left out"
    return tuple(notes.values())


def _listed(names: Sequence[str]) -> str:
    """Join names, three at most."""
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return " and ".join(names)
