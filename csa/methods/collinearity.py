"""Columns of a design that say nothing new, found before a fit and named."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]

SHOWN = 6  # columns of a combination that are named
NEW = 1e-10  # share of a column's sum of squares that the columns before it must leave over
PART = 1e-6  # columns with a smaller part in a combination are not named


def check_collinear(gram: FloatArray, names: Sequence[str]) -> None:
    """Refuse a design in which a column is nothing, or follows from those before it.

    Parameters
    ----------
    gram : ndarray of float
        Sums of squares and products of the columns, weighted or not.
    names : sequence of str
        One per column, for the message.

    Raises
    ------
    InputError
        With one line per column that is 0 throughout or a combination of columns before it.

    Notes
    -----
    Cholesky's decomposition column by column: what is left of a column's sum of squares after
    regression on the columns before it. A column that leaves less than 1e-10 of it over is
    named, with those that make it up, and not used for the columns after it.
    """
    size = np.sqrt(np.diag(gram))
    if _independent(gram, size):
        return
    faults = [f"{names[int(i)]} is 0 in all rows; drop it" for i in np.flatnonzero(size == 0)]
    alive = np.flatnonzero(size > 0)
    scaled = gram[np.ix_(alive, alive)] / np.outer(size[alive], size[alive])
    factor = np.zeros_like(scaled)  # lower triangle; rows of dependent columns stay 0
    kept: list[int] = []
    for j in range(len(alive)):
        row = _forward(factor, kept, scaled[j])
        left = scaled[j, j] - row @ row
        if left > NEW:
            factor[j, kept], factor[j, j] = row, np.sqrt(left)
            kept.append(j)
            continue
        parts = np.linalg.solve(factor[np.ix_(kept, kept)].T, row)
        of = [names[alive[k]] for k, part in zip(kept, parts, strict=True) if abs(part) > PART]
        told = [*of[:SHOWN], f"{len(of) - SHOWN} more"] if len(of) > SHOWN + 1 else of
        faults.append(
            f"{names[alive[j]]} is a combination of {', '.join(told)} in these rows; drop one of "
            "them"
        )
    if faults:
        raise InputError(*(f"design: {fault}" for fault in faults))


def _independent(gram: FloatArray, size: FloatArray) -> bool:
    """Whether each column leaves enough over: the quick answer in the usual case."""
    if not (size > 0).all():
        return False
    try:
        factor = np.linalg.cholesky(gram / np.outer(size, size))
    except np.linalg.LinAlgError:
        return False
    return bool((np.diag(factor) ** 2 > NEW).all())


def _forward(factor: FloatArray, kept: list[int], column: FloatArray) -> FloatArray:
    """Solve L x = column for the columns kept so far."""
    if not kept:
        return np.empty(0)
    return np.asarray(np.linalg.solve(factor[np.ix_(kept, kept)], column[kept]))
