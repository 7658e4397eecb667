"""Effects that change with age: the same regression with a hazard ratio per band of age.

Spells are cut at the borders of the bands; the piece after a border comes under observation
there. A covariate whose effect changes has one column per band, all others one for all ages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csa.analysis.churn.effects.columns import Column, Fitted, fit_columns
from csa.analysis.churn.effects.rows import Rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DEFAULT_CUTS = (90, 365)
LEAST_SHARE = 0.1  # of the events, in a band of the default
MOST_CELLS = 200_000_000  # numbers in the design of the pieces: 1.6 GB


class Band(NamedTuple):
    """Ages above `start`, up to `end`."""

    start: float
    end: float


class Piece(NamedTuple):
    """An effect in one band of age."""

    term: str
    level: str
    reference: str
    band: Band
    rows: BoolArray  # pieces that have the level; for a number, all pieces in the band
    column: int  # its place among the columns; -1: none
    reason: str  # why it has none


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Banded:
    """The regression on pieces of spells."""

    rows: Rows
    fitted: Fitted
    columns: list[Column]  # of the fit, for all pieces
    pieces: list[Piece]  # `column` is the place of the effect in the fit


def choose_cuts(rows: Rows, columns: Sequence[Column], cuts: Sequence[int] | None) -> list[int]:
    """Ages at which bands end.

    Parameters
    ----------
    rows : Rows
        Spells in the fit.
    columns : sequence of Column
        Columns whose effect changes.
    cuts : sequence of int or None
        As asked for; None: 90 and 365 days where each band then has a tenth of the events, else
        the ages by which a third and two thirds of them had happened.

    Returns
    -------
    list of int
        Increasing; without those that leave a band in which nobody with a reference level left,
        since there would be nothing to compare with.
    """
    ages, weights = rows.exit[rows.event], rows.count[rows.event].astype(float)
    if cuts is None:
        found = [c for c in DEFAULT_CUTS if ages.min() <= c < ages.max()]
        shares = _shares(ages, weights, found)
        if not found or shares.min() < LEAST_SHARE:
            order = np.argsort(ages, kind="stable")
            grown = np.cumsum(weights[order]) / weights.sum()
            thirds = [int(ages[order][np.searchsorted(grown, p)]) for p in (1 / 3, 2 / 3)]
            found = sorted({c for c in thirds if c < ages.max()})
    else:
        found = sorted({int(c) for c in cuts if ages.min() <= c < ages.max()})
    at_reference = [np.ones(len(ages), bool)]
    for term in {c.term for c in columns if c.is_level}:
        others = sum(c.numbers[rows.event] for c in columns if c.term == term)
        at_reference.append(np.asarray(others == 0))
    while found:
        counts = [_shares(ages[r], weights[r], found) for r in at_reference]
        bare = np.flatnonzero(~np.all(np.array(counts) > 0, axis=0))
        if not len(bare):
            break
        found.pop(min(int(bare[0]), len(found) - 1))  # join the band to its neighbour
    return found


def _shares(ages: IntArray, weights: FloatArray, cuts: Sequence[int]) -> FloatArray:
    """Share of the events in each band."""
    band = np.searchsorted(np.asarray(cuts, dtype=np.int64), ages, side="left")
    found = np.bincount(band, weights=weights, minlength=len(cuts) + 1)
    return np.asarray(found / max(float(weights.sum()), 1.0))


def fit_bands(
    rows: Rows, columns: Sequence[Column], varying: Sequence[str], cuts: Sequence[int]
) -> Banded | None:
    """Cut spells at the borders of bands and fit an effect per band.

    Parameters
    ----------
    rows : Rows
        Spells in the fit.
    columns : sequence of Column
        Columns of the fit.
    varying : sequence of str
        Terms whose effect may differ between bands.
    cuts : sequence of int
        Ages at which bands end, but the last.

    Returns
    -------
    Banded or None
        None where the design of the pieces would be too large to keep in memory.
    """
    bands = [Band(*pair) for pair in pairwise([0, *cuts, np.inf])]
    masks = [_inside(rows, band) for band in bands]
    source = np.concatenate([np.flatnonzero(m) for m in masks])
    band_of = np.repeat(np.arange(len(bands)), [int(m.sum()) for m in masks])
    wide = sum(len(bands) if c.term in varying else 1 for c in columns)
    if wide * len(source) > MOST_CELLS:
        return None
    pieces = _cut(rows, source, np.array(bands)[band_of])
    given: list[Column] = []
    noted: list[Piece] = []
    for column in columns:
        at = column.take(source)
        if column.term not in varying:
            given.append(at)
            continue
        for b, band in enumerate(bands):
            piece, own = _piece(at, band, pieces, band_of == b, len(given))
            noted.append(piece)
            given += [] if piece.reason else [own]
    drop = [p.rows for p in noted if p.reason]
    if drop:
        kept = ~np.any(drop, axis=0)
        fitted = fit_columns(pieces.take(kept), [c.take(kept) for c in given])
    else:
        fitted = fit_columns(pieces, given)
    return Banded(
        rows=pieces,
        fitted=fitted,
        columns=[given[j] for j in fitted.places],
        pieces=[_placed(p, fitted) for p in noted],
    )


def _piece(
    column: Column, band: Band, pieces: Rows, inside: BoolArray, place: int
) -> tuple[Piece, Column]:
    """One effect in one band, and its column."""
    rows = inside & (column.numbers != 0) if column.is_level else inside
    reason = _nothing(pieces, rows) if column.is_level else ""
    own = column._replace(level=_label(column, band), numbers=column.numbers * inside)
    piece = Piece(*column[:3], band, rows, -1 if reason else place, reason)
    return piece, own


def _placed(piece: Piece, fitted: Fitted) -> Piece:
    """Turn the place among all columns into that in the fit."""
    place = fitted.places.get(piece.column, -1)
    reason = piece.reason or fitted.reasons.get(piece.column, "")
    return piece._replace(column=place, reason=reason)


def _label(column: Column, band: Band) -> str:
    """Name of a level in a band, for messages."""
    until = f"to {band.end:g}" if np.isfinite(band.end) else "on"
    return f"{column.level} from {band.start:g} days {until}"


def _inside(rows: Rows, band: Band) -> BoolArray:
    """Spells at risk in a band; the first one holds an end on the first day, at age 0."""
    first = band.start == 0
    return np.asarray(((rows.exit > band.start) | first) & (rows.entry < band.end))


def _cut(rows: Rows, source: IntArray, borders: FloatArray) -> Rows:
    """Pieces of spells between the borders of their bands."""
    exits, entry = rows.exit[source], rows.entry[source]
    start, end = borders[:, 0], borders[:, 1]
    return replace(
        rows.take(source),
        entry=np.maximum(entry, start).astype(np.int64),
        exit=np.minimum(exits, end).astype(np.int64),
        event=rows.event[source] & (exits <= end),
    )


def _nothing(pieces: Rows, here: BoolArray) -> str:
    """Say why a level has no effect in a band."""
    if not here.any():
        return "no spell at these ages"
    n = int(pieces.count[here].sum())
    return "" if pieces.event[here].any() else f"nobody left of {n:,} spells at these ages"
