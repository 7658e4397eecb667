"""Design of a Cox regression: columns standardised block by block, and what is wrong with them.

The matrix is never copied as a whole. Effects are computed on columns with mean 0 and spread 1,
which costs no digits whatever unit a column has, and translated back at the end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.cox.risk import FollowUp

FloatArray = NDArray[np.float64]

BLOCK_CELLS = 81_920  # a block and its weighted copy fit into a core's cache
ALIASED = 1e-10  # share of a column's information that is its own, below which it has none
SPREAD = 1e-12  # of a column, beside its size: below that it is one number with rounding


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Design:
    """Covariates, one row per row of the follow-up, with the moments of their columns."""

    matrix: NDArray[Any]
    names: tuple[str, ...]
    centre: FloatArray
    scale: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def rows(self) -> int:
        """Rows of the matrix."""
        return len(self.matrix)

    @property
    def columns(self) -> int:
        """Columns of the matrix."""
        return len(self.names)

    def slices(self, cells: int = BLOCK_CELLS) -> Iterator[slice]:
        """Cut the rows into blocks.

        Parameters
        ----------
        cells : int
            Numbers per block, about.

        Yields
        ------
        slice
            Of rows.
        """
        size = max(cells // max(self.columns, 1), 1024)
        for first in range(0, self.rows, size):
            yield slice(first, min(first + size, self.rows))

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Standardised columns, block by block.

        Yields
        ------
        slice
            Of rows.
        ndarray (columns x rows of the block)
            Valid until the next block is asked for.
        """
        buffer: FloatArray | None = None
        centre, factor = self.centre[:, None], 1 / self.scale[:, None]
        for rows in self.slices():
            size = rows.stop - rows.start
            if buffer is None or buffer.shape[1] != size:
                buffer = np.empty((self.columns, size))
            np.subtract(self.matrix[rows].T, centre, out=buffer)
            buffer *= factor
            yield rows, buffer

    def numbers(self, rows: slice) -> FloatArray:
        """Rows of the matrix as they are.

        Parameters
        ----------
        rows : slice
            Of rows.

        Returns
        -------
        ndarray of float (rows x columns)
            A view where the matrix holds floats.
        """
        return np.asarray(self.matrix[rows], dtype=float)

    def every(self, step: int) -> "Design":
        """Every so many rows, on the same scale.

        Parameters
        ----------
        step : int
            Distance of the rows taken.

        Returns
        -------
        Design
            A copy of these rows.
        """
        return Design(
            matrix=np.ascontiguousarray(self.matrix[::step]),
            names=self.names,
            centre=self.centre,
            scale=self.scale,
            low=self.low,
            high=self.high,
        )


def design(matrix: ArrayLike, *, names: Sequence[str] | None = None, spells: FollowUp) -> Design:
    """Measure the columns of a design.

    Parameters
    ----------
    matrix : array_like (rows x columns)
        Covariates without a column of ones; floats in either order are not copied.
    names : sequence of str, optional
        For messages and results; default "column 0", ...
    spells : FollowUp
        Times and events of the same rows.

    Returns
    -------
    Design
        Columns have weighted mean `centre` and standard deviation `scale` (1 where constant).

    Raises
    ------
    InputError
        If the shape does not fit, or a number is missing or infinite.
    """
    cells = np.asarray(matrix)
    if cells.ndim != 2 or len(cells) != spells.rows or cells.dtype.kind not in "fiub":
        raise InputError(
            f"design: {cells.dtype} of shape {cells.shape} for {spells.rows} rows; "
            "give numbers, one row per spell"
        )
    columns = cells.shape[1]
    labels = tuple(names) if names is not None else tuple(f"column {j}" for j in range(columns))
    if len(labels) != columns:
        raise InputError(f"design: {len(labels)} names for {columns} columns")
    zero, one = np.zeros(columns), np.ones(columns)
    raw = Design(matrix=cells, names=labels, centre=zero, scale=one, low=zero, high=zero)
    return _measured(raw, spells.count) if spells.rows else raw


def _measured(raw: Design, count: FloatArray | None) -> Design:
    """Moments in one pass; the first row as origin keeps the digits of large numbers."""
    origin = raw.numbers(slice(0, 1))[0].copy()
    low, high = origin - origin, origin - origin
    total, squares, n = np.zeros(raw.columns), np.zeros(raw.columns), 0.0
    moved = Design(
        matrix=raw.matrix, names=raw.names, centre=origin, scale=raw.scale, low=low, high=high
    )
    with np.errstate(invalid="ignore", over="ignore"):
        for rows, block in moved.blocks():
            weight = np.ones(block.shape[1]) if count is None else count[rows]
            total += block @ weight
            squares += np.square(block) @ weight
            n += float(weight.sum())
            low, high = np.minimum(low, block.min(axis=1)), np.maximum(high, block.max(axis=1))
    if not (np.isfinite(squares).all() and np.isfinite(high - low).all()):
        raise InputError(*_missing(raw))
    mean = total / max(n, 1.0)
    spread = np.sqrt(np.maximum(squares / max(n, 1.0) - mean**2, 0.0))
    size = np.maximum(np.abs(origin + low), np.abs(origin + high))
    varies = (high > low) & (spread > SPREAD * size)
    return Design(
        matrix=raw.matrix,
        names=raw.names,
        centre=origin + mean,
        scale=np.where(varies, spread, 1.0),
        low=origin + low,
        high=np.where(varies, origin + high, origin + low),
    )


def _missing(raw: Design) -> list[str]:
    """Name columns with numbers that cannot be used."""
    bad = np.zeros(raw.columns, np.int64)
    for rows in raw.slices():
        bad += (~np.isfinite(raw.numbers(rows))).sum(axis=0)
    faults = [
        f"design: {name} is missing or infinite in {n} rows; drop them or fill them in"
        for name, n in zip(raw.names, bad.tolist(), strict=True)
        if n
    ]
    return faults or ["design: numbers are too large to be squared; change the unit"]


def constant(columns: Design) -> list[int]:
    """Find columns that hold one number.

    Parameters
    ----------
    columns : Design
        Measured columns.

    Returns
    -------
    list of int
        Their positions.
    """
    return np.flatnonzero(columns.low >= columns.high).tolist()


def dependent(information: FloatArray, *, skip: Sequence[int] = ()) -> dict[int, list[int]]:
    """Find columns that say nothing which those before them do not say.

    Parameters
    ----------
    information : ndarray (columns x columns)
        Of the partial likelihood at effects of 0, on standardised columns.
    skip : sequence of int
        Columns to leave out.

    Returns
    -------
    dict
        Position of a column to those of the columns it is made of; none where it does not vary
        among those at risk together.

    Notes
    -----
    Cholesky's decomposition in the order of the columns, as R does it: what is left of a
    column's information once the columns before it are known, beside the whole.
    """
    kept: list[int] = []
    found: dict[int, list[int]] = {}
    own = np.diag(information)
    largest = max(float(own.max()), 0.0) if len(own) else 0.0
    for j in range(len(own)):
        if j in skip:
            continue
        if own[j] <= ALIASED * largest:
            found[j] = []
            continue
        among = information[np.ix_(kept, kept)]
        part = np.linalg.solve(among, information[kept, j])
        if own[j] - part @ information[kept, j] > ALIASED * own[j]:
            kept.append(j)
        else:
            found[j] = [k for k, b in zip(kept, part, strict=True) if abs(b) > ALIASED**0.5]
    return found


def one_sided(columns: Design, spells: FollowUp, event_mean: FloatArray) -> dict[int, float]:
    """Find columns in which every event has the smallest, or the largest, number of all.

    Parameters
    ----------
    columns : Design
        Measured columns.
    spells : FollowUp
        Times and events of the same rows.
    event_mean : ndarray
        Mean of each standardised column over the events.

    Returns
    -------
    dict
        Position of a column to that number. Its effect has no finite estimate: the likelihood
        grows without end (monotone likelihood, separation).
    """
    found = {}
    mean = columns.centre + columns.scale * event_mean
    width = columns.high - columns.low
    for limit in (columns.low, columns.high):
        for j in np.flatnonzero((np.abs(mean - limit) <= 1e-9 * width) & (width > 0)).tolist():
            # a mean close to the limit is a hint only: one large number stretches the width
            if (columns.matrix[spells.event, j] == limit[j]).all():
                found[j] = float(limit[j])
    return found
