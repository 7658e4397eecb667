"""Concordance of tens of millions of rows, with bounds that are certain.

Scores are put into bins in their order. Pairs in different bins are counted exactly; of those in
the same bin it is only known that they count between nothing and one each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.concordance import Spans, spans
from csa.methods.intervals import Estimate
from csa.methods.mann_whitney import rank_interval

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BINS = 2048
SAMPLED = 200_000  # rows whose scores set the borders of the bins
NUMBERS = 2**16  # of bins
STEP = 2**20  # rows at a time
LARGEST = 2**26  # cells of bins × event times


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BinnedConcordance:
    """Concordance up to a known error: the exact value lies within [`least`, `most`].

    `value` is the middle of the two; the standard error is that of scores read by bin.
    """

    value: float
    least: float
    most: float
    std_error: float
    n: int
    events: int
    bins: int

    def interval(self, *, confidence: float = 0.95) -> Estimate:
        """Confidence interval, widened by the error of the bins.

        Parameters
        ----------
        confidence : float
            Level of the interval, share in (0, 1).

        Returns
        -------
        Estimate
            NaN where no pair can be compared.
        """
        counts = (self.events, self.n - self.events or self.events)
        plain = rank_interval(self.value, self.std_error, counts, confidence=confidence)
        half = (self.most - self.least) / 2
        return Estimate(self.value, max(plain.low - half, 0.0), min(plain.high + half, 1.0))


class _Cells(NamedTuple):
    """Counts per bin (rows) and event time (columns)."""

    events: FloatArray
    at_risk: FloatArray  # going after the time
    censored: FloatArray  # by the number of event times reached


def concordance_binned(
    score: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    bins: int = BINS,
) -> BinnedConcordance:
    """Harrell's concordance with certain bounds, from counts by score bin and event time.

    Parameters
    ----------
    score : array_like
        Higher: expected to go earlier.
    time, event : array_like
        Age at the end of each spell, and whether it ended in the event.
    entry : array_like, optional
        Age at which each came under observation; 0 or less: from the beginning.
    bins : int
        Bins of about equal size. The bounds are about 1 / `bins` apart, ties in score included.

    Returns
    -------
    BinnedConcordance
        NaN where no pair can be compared.

    Raises
    ------
    InputError
        If there are too many event times for a table (more than 32,768 with 2,048 bins: take the
        exact `concordance`), or as for `concordance`.

    Notes
    -----
    With D(b, t) events and R(b, t) rows that are at risk at t and go later, in bin b, the pairs
    of different bins in which the higher score goes first are C = Σ D(b, t) Σ R(a, t) over a < b,
    those of one bin S = Σ D(b, t) R(b, t), and the exact value lies within C / N and (C + S) / N,
    whatever the borders of the bins.
    """
    values, rows = np.asarray(score, dtype=float), spans(time, event, entry)
    if values.shape != rows.key.shape or not np.isfinite(values).all():
        raise InputError("concordance: not every row has a score; leave out those without")
    binned = _Binned(_bin_of(values, bins), rows)
    if binned.bins * (binned.times + 1) > LARGEST:
        raise InputError(f"concordance: {binned.times} event times are too many for bins")
    cells = _count(binned)
    lower = np.cumsum(cells.at_risk, axis=0) - cells.at_risk
    different = float((cells.events * lower).sum())
    same = float((cells.events * cells.at_risk).sum())
    pairs = float(cells.events.sum(axis=0) @ cells.at_risk.sum(axis=0))
    least, most = (x / pairs if pairs else float("nan") for x in (different, different + same))
    return BinnedConcordance(
        value=(least + most) / 2,
        least=least,
        most=most,
        std_error=_error(binned, cells, lower, pairs) if pairs else float("nan"),
        n=len(values),
        events=int(rows.event.sum()),
        bins=binned.bins,
    )


class _Binned:
    """Rows by bin of their score."""

    def __init__(self, of: NDArray[np.uint16], rows: Spans) -> None:
        self.of, self.rows = of, rows
        self.bins, self.times = int(of.max(initial=0)) + 1, len(rows.times)

    def tabulate(self, key: IntArray, chosen: NDArray[np.bool_]) -> FloatArray:
        """Count rows per bin, key, and whether they are chosen."""
        width = 2 * (self.times + 1)
        total = np.zeros(self.bins * width)
        for part in self.parts():
            place = self.of[part] * np.int64(width) + 2 * key[part] + chosen[part]
            total += np.bincount(place, minlength=len(total))
        return total.reshape(self.bins, self.times + 1, 2)

    def parts(self) -> Iterator[slice]:
        """Rows in pieces that fit into memory beside the tables."""
        return (slice(i, i + STEP) for i in range(0, len(self.of), STEP))


def _bin_of(score: FloatArray, bins: int) -> NDArray[np.uint16]:
    """Bin of each score: the higher the score, the higher the bin."""
    sample = np.sort(score[:: max(len(score) // SAMPLED, 1)])
    places = np.linspace(0, len(sample), min(bins, NUMBERS) + 1)[1:-1].astype(np.int64)
    borders = np.unique(sample[places]) if len(sample) else sample
    of = np.empty(len(score), np.uint16)
    for i in range(0, len(score), STEP):
        of[i : i + STEP] = np.searchsorted(borders, score[i : i + STEP], side="right")
    return of


def _count(binned: _Binned) -> _Cells:
    rows = binned.rows
    counts = binned.tabulate(rows.key, rows.event)
    ends = counts.sum(axis=2)
    if (late := rows.entered > 0).any():
        at_risk = ends - binned.tabulate(rows.entered, late)[:, :, 1]
    else:
        at_risk = ends
    later = np.cumsum(at_risk[:, ::-1], axis=1)[:, ::-1] - at_risk
    return _Cells(events=counts[:, :-1, 1], at_risk=later[:, :-1], censored=counts[:, :, 0])


def _error(binned: _Binned, cells: _Cells, lower: FloatArray, pairs: float) -> float:
    """Infinitesimal jackknife, with scores of one bin as ties."""
    met, rows = cells.at_risk.sum(axis=0), binned.rows
    somers = 2 * float((cells.events * (lower + cells.at_risk / 2)).sum()) / pairs - 1
    leads = 2 * lower + cells.at_risk - (1 + somers) * met
    below = np.cumsum(cells.events, axis=0) - cells.events  # events in lower bins
    step = (1 - somers) * cells.events.sum(axis=0) - 2 * below - cells.events
    follows = np.zeros((binned.bins, binned.times + 1))
    np.cumsum(step, axis=1, out=follows[:, 1:])
    leads = np.append(leads, np.zeros((binned.bins, 1)), axis=1)
    total, late = 0.0, rows.entered > 0
    for part in binned.parts() if late.any() else ():
        of, key = binned.of[part], rows.key[part]
        own = follows[of, key] - follows[of, rows.entered[part]] + rows.event[part] * leads[of, key]
        total += float(own @ own)
    if not late.any():  # then rows of a cell are alike
        died = np.append(cells.events, np.zeros((binned.bins, 1)), axis=1)
        total = float((died * (leads + follows) ** 2 + cells.censored * follows**2).sum())
    return float(np.sqrt(total)) / (2 * pairs)
