"""Columns of a regression: what a fit needs to know of them, and the plain table."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]


@runtime_checkable
class Design(Protocol):
    """Columns of a regression, however they are kept: a table, or factors of one."""

    @property
    def names(self) -> Sequence[str]:
        """Name of each column."""
        ...

    def predictor(self, coefficients: FloatArray) -> FloatArray:
        """Linear predictor of each row, in the shape of the counts."""
        ...

    def transposed(self, values: FloatArray) -> FloatArray:
        """Sum of values times each column."""
        ...

    def gram(self, weights: FloatArray) -> FloatArray:
        """Weighted sums of squares and products of the columns."""
        ...

    def reach(self) -> FloatArray:
        """Largest absolute value of each column."""
        ...


class DenseDesign:
    """A design kept as a table, rows × columns."""

    def __init__(self, matrix: ArrayLike, names: Sequence[str] | None = None) -> None:
        self.matrix = np.asarray(matrix, dtype=float)
        if self.matrix.ndim != 2 or not np.isfinite(self.matrix).all():
            raise InputError("design: not a table of finite numbers; fill or drop what is missing")
        columns = self.matrix.shape[1]
        self.names = [f"column {i}" for i in range(columns)] if names is None else list(names)
        if len(self.names) != columns:
            raise InputError(f"design: {len(self.names)} names for {columns} columns")

    def predictor(self, coefficients: FloatArray) -> FloatArray:
        """Linear predictor of each row."""
        return np.asarray(self.matrix @ coefficients)

    def transposed(self, values: FloatArray) -> FloatArray:
        """Sum of values times each column."""
        return np.asarray(values @ self.matrix)

    def gram(self, weights: FloatArray) -> FloatArray:
        """Weighted sums of squares and products of the columns."""
        half = self.matrix * np.sqrt(weights)[:, None]
        return np.asarray(half.T @ half)

    def reach(self) -> FloatArray:
        """Largest absolute value of each column."""
        return np.asarray(np.abs(self.matrix).max(axis=0, initial=0.0))
