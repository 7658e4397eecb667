"""Columns of a regression: what a fit needs to know of them, the plain table, and products.

Counts by pattern and age have rows that are pairs. A column of such a design is a product of
something of the pattern (a segment) and something of the age (an interval, a phase, a renewal),
and its sums need nothing but the two factors: the table of pairs × columns is never made.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]

CHUNK = 65_536  # rows weighted at once


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
        width = self.matrix.shape[1]
        total = np.zeros((width, width))
        for first in range(0, len(self.matrix), CHUNK):  # a copy of the whole would double memory
            part = self.matrix[first : first + CHUNK]
            half = part * np.sqrt(weights[first : first + CHUNK])[:, None]
            total += half.T @ half
        return total

    def reach(self) -> FloatArray:
        """Largest absolute value of each column."""
        return np.asarray(np.abs(self.matrix).max(axis=0, initial=0.0))


class Block(NamedTuple):
    """Columns that are products of every column of `ages` with every column of `patterns`.

    Their order is by column of `ages`, within it by column of `patterns`, like their names.
    """

    ages: FloatArray  # ages × its columns
    patterns: FloatArray  # patterns × its columns
    names: tuple[str, ...]


class ProductDesign:
    """A design on pairs of pattern and age, kept as blocks of products."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            if len(block.names) != block.ages.shape[1] * block.patterns.shape[1]:
                raise InputError("design: names and columns of a block differ in number")
        self.blocks = list(blocks)
        self.names = [name for block in blocks for name in block.names]
        ends = np.cumsum([0, *(len(block.names) for block in blocks)])
        self.places = [slice(int(a), int(b)) for a, b in pairwise(ends)]

    def predictor(self, coefficients: FloatArray) -> FloatArray:
        """Linear predictor, patterns × ages."""
        shape = (len(self.blocks[0].patterns), len(self.blocks[0].ages))
        total = np.zeros(shape)
        for block, place in zip(self.blocks, self.places, strict=True):
            square = coefficients[place].reshape(block.ages.shape[1], block.patterns.shape[1])
            total += (block.patterns @ square.T) @ block.ages.T
        return total

    def transposed(self, values: FloatArray) -> FloatArray:
        """Sum of values, patterns × ages, times each column."""
        return np.concatenate(
            [(block.ages.T @ (values.T @ block.patterns)).ravel() for block in self.blocks]
        )

    def gram(self, weights: FloatArray) -> FloatArray:
        """Weighted sums of squares and products of the columns."""
        total = np.empty((len(self.names), len(self.names)))
        for i, (one, here) in enumerate(zip(self.blocks, self.places, strict=True)):
            for other, there in zip(self.blocks[i:], self.places[i:], strict=True):
                part = _products(one, other, weights)
                total[here, there], total[there, here] = part, part.T
        return total

    def reach(self) -> FloatArray:
        """Largest absolute value of each column."""
        sizes = [
            np.outer(np.abs(b.ages).max(axis=0), np.abs(b.patterns).max(axis=0)).ravel()
            for b in self.blocks
        ]
        return np.concatenate(sizes)


def _products(one: Block, other: Block, weights: FloatArray) -> FloatArray:
    """Sum over pairs of weight × column of one block × column of the other.

    The sum over ages or the one over patterns comes first, whichever has fewer columns to carry.
    """
    by_age = one.ages.shape[1] * other.ages.shape[1]
    by_pattern = one.patterns.shape[1] * other.patterns.shape[1]
    shape = (
        one.ages.shape[1],
        one.patterns.shape[1],
        other.ages.shape[1],
        other.patterns.shape[1],
    )
    total = np.empty(shape)
    if by_age <= by_pattern:
        for j in range(shape[0]):
            for k in range(shape[2]):
                summed = weights @ (one.ages[:, j] * other.ages[:, k])
                total[j, :, k, :] = one.patterns.T @ (summed[:, None] * other.patterns)
    else:
        for j in range(shape[1]):
            for k in range(shape[3]):
                summed = (one.patterns[:, j] * other.patterns[:, k]) @ weights
                total[:, j, :, k] = one.ages.T @ (summed[:, None] * other.ages)
    return total.reshape(shape[0] * shape[1], shape[2] * shape[3])
