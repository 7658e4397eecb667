"""Counting pairs by two orders at once, without a loop over rows.

Rows stand in one order (say, of a score) and carry a key (say, the rank of a time). For every
pair of a leader and a follower with a greater key the question is which of the two stands first.
A pair differs in its keys at exactly one highest bit, so one pass per bit finds all pairs: rows
that agree above the bit form a group, and within it the leaders with bit 0 meet the followers
with bit 1. The passes cost a sweep each, whatever the order and however many pairs there are.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NARROW = 2**15  # keys below this fit, with their mark, into 16 bits, which sort by radix
SMALL = 2**30  # so many rows can be counted in 32 bits


class Meetings(NamedTuple):
    """Pairs in which the follower stands before the leader.

    `total` is their number, each pair weighted by its leader; `net` is, per row, the (weighted)
    followers that stand before it as a leader, less the (weighted) leaders that stand before it
    as a follower.
    """

    total: float
    net: AnyArray


class _Rows(NamedTuple):
    """Rows in the order of the present pass; groups one after another."""

    code: AnyArray  # key and, in the lowest bit, whether the row leads
    net: AnyArray
    sign: AnyArray | None  # what a row counts as a follower; 1 throughout if None
    sizes: IntArray  # of the groups


class _Side(NamedTuple):
    """Rows of one bit within the groups of a pass."""

    places: IntArray
    code: AnyArray
    sizes: IntArray  # per group
    starts: IntArray  # first row of each group among the rows of this side

    def others_before(self) -> IntArray:
        """Rows of the other side that stand before each row, over all groups."""
        return self.places - np.arange(len(self.places))


def meetings(
    key: AnyArray,
    leads: AnyArray,
    *,
    weight: FloatArray | None = None,
    sign: AnyArray | None = None,
) -> Meetings:
    """Count the pairs in which the row with the greater key stands before the leader.

    Parameters
    ----------
    key : ndarray of int
        0 or more; rows in the order in question. Every row follows leaders with a smaller key.
    leads : ndarray of bool
        Whether a row is a leader, too.
    weight : ndarray of float, optional
        Weight of a leader by its key; default 1, and all counts are whole numbers.
    sign : ndarray of int, optional
        What each row counts as a follower, such as -1 to take a row out again; default 1.

    Returns
    -------
    Meetings
        `net` in the order of the rows. Exact: no pair is approximated.

    Notes
    -----
    The passes are those of a wavelet matrix [1]_: after the pass of a bit all rows with 0 stand
    before all rows with 1, each part in its old order, so rows that agree in the higher bits stay
    together. The number of rows with 0 before the i-th row with 1 is its place less i, which
    spares a running sum. Cost: rows times bits of the greatest key.

    References
    ----------
    .. [1] Claude, F., Navarro, G., Ordonez, A. (2015). The wavelet matrix: an efficient wavelet
       tree for large alphabets. Inf. Syst. 47, 15-32.
    """
    greatest = int(key.max(initial=0))
    width = np.uint16 if greatest < NARROW else np.uint32 if greatest < 2 * SMALL else np.uint64
    code: AnyArray = key.astype(width)
    code = (code << 1) | leads.astype(width)
    counter = np.float64 if weight is not None else np.int32 if len(key) < SMALL else np.int64
    sizes = np.array([len(key)], dtype=np.int64)
    rows = _Rows(code, np.zeros(len(key), counter), sign, sizes)
    total, bits = 0.0, greatest.bit_length()
    for bit in range(bits, 0, -1):
        rows, met = _pass(rows, bit, weight)
        total += met
    net = np.empty_like(rows.net)
    net[_final_order(key, greatest, bits)] = rows.net
    return Meetings(total, net)


def _pass(rows: _Rows, bit: int, weight: FloatArray | None) -> tuple[_Rows, float]:
    """One bit: let leaders with 0 meet followers with 1, then part the rows."""
    zeros, ones = _parted(rows, bit)
    leading = (zeros.code & 1).astype(rows.net.dtype)
    if weight is not None:
        leading *= weight[zeros.code >> 1]
    followers, starts = zeros.others_before(), ones.starts
    if rows.sign is not None:
        counted = _running(rows.sign[ones.places])
        followers, starts = counted[followers], counted[starts]
    # group by group: what stood before the group does not count
    before = (followers - np.repeat(starts, zeros.sizes)).astype(rows.net.dtype)
    before *= leading
    leaders = _running(leading)
    after = leaders[ones.others_before()] - np.repeat(leaders[zeros.starts], ones.sizes)
    parted = _Rows(
        code=np.concatenate([zeros.code, ones.code]),
        net=np.concatenate([rows.net[zeros.places] + before, rows.net[ones.places] - after]),
        sign=None if rows.sign is None else _both(rows.sign, zeros, ones),
        sizes=np.concatenate([zeros.sizes[zeros.sizes > 0], ones.sizes[ones.sizes > 0]]),
    )
    return parted, float(before.sum(dtype=None if weight is not None else np.int64))


def _parted(rows: _Rows, bit: int) -> tuple[_Side, _Side]:
    """Rows with 0 and rows with 1 at a bit, each in the present order."""
    is_one = ((rows.code >> bit) & 1).astype(bool)
    ones, zeros = np.flatnonzero(is_one), np.flatnonzero(~is_one)
    ends = np.searchsorted(ones, np.cumsum(rows.sizes))
    n_ones = np.diff(ends, prepend=0)
    n_zeros = rows.sizes - n_ones
    return (
        _Side(zeros, rows.code[zeros], n_zeros, np.cumsum(n_zeros) - n_zeros),
        _Side(ones, rows.code[ones], n_ones, ends - n_ones),
    )


def _both(values: AnyArray, zeros: _Side, ones: _Side) -> AnyArray:
    return np.concatenate([values[zeros.places], values[ones.places]])


def _running(values: AnyArray) -> AnyArray:
    """Sum the first 0, 1, 2, ... values."""
    kind = values.dtype if values.dtype.itemsize >= 4 else np.dtype(np.int32)
    sums = np.zeros(len(values) + 1, kind)
    np.cumsum(values, dtype=kind, out=sums[1:])
    return sums


def _final_order(key: AnyArray, greatest: int, bits: int) -> IntArray:
    """Where the passes leave each row: sorted by the key read from its lowest bit."""
    kind = np.uint16 if greatest < 2 * NARROW else np.uint32 if greatest < 4 * SMALL else np.uint64
    few = greatest < len(key)  # then it is cheaper to mirror every possible key once
    plain: AnyArray = np.arange(greatest + 1).astype(kind) if few else key.astype(kind)
    mirrored = np.zeros_like(plain)
    for bit in range(bits):
        mirrored |= ((plain >> bit) & 1) << (bits - 1 - bit)
    return np.argsort(mirrored[key] if few else mirrored, kind="stable")
