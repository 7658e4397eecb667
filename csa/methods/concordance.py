"""Concordance of a risk score with times: who has the higher score, goes first.

A pair is compared where one churns while the other is at risk: under observation and still
there. Entry is part of that: an account first seen at an age cannot lose to one gone before it.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.dominance import meetings
from csa.methods.intervals import Estimate
from csa.methods.lifetable import tabulate
from csa.methods.mann_whitney import clustered_error, rank_interval

AnyArray = NDArray[Any]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Weights = Literal["n", "n/G2"]

LOOKUP = 2**22  # whole numbers up to here are looked up instead of searched


class Spans(NamedTuple):
    """Rows by the distinct times of an event they are at risk at.

    A row is at risk at the event times number `entered` to `key` - 1, counted from 0, and, if it
    ends in an event, has it at number `key`.
    """

    times: FloatArray  # distinct times with an event
    key: IntArray
    entered: IntArray
    event: BoolArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Concordance:
    """Share of comparable pairs in which the higher score goes first; NaN without any.

    Counts are those of R's `concordance` (tied in score; tied in time; tied in both), weighted
    with weights "n/G2". `influence` is what each row adds to the estimate.
    """

    value: float
    std_error: float
    concordant: float
    discordant: float
    tied_score: float
    tied_time: float
    tied_both: float
    n: int
    events: int
    influence: FloatArray

    def interval(self, *, confidence: float = 0.95, clusters: IntArray | None = None) -> Estimate:
        """Confidence interval, with rows of a cluster taken together.

        Parameters
        ----------
        confidence : float
            Level of the interval, share in (0, 1).
        clusters : ndarray of int, optional
            Number of the cluster (account) of each row, 0 and on.

        Returns
        -------
        Estimate
            NaN where no pair can be compared.
        """
        error = self.std_error if clusters is None else clustered_error(self.influence, clusters)
        counts = (self.events, self.n - self.events or self.events)
        return rank_interval(self.value, error, counts, confidence=confidence)


def concordance(
    score: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: Weights = "n",
    until: float = np.inf,
) -> Concordance:
    """Harrell's or Uno's concordance, exact with ties and delayed entry.

    Parameters
    ----------
    score : array_like
        Higher: expected to go earlier.
    time, event : array_like
        Age at the end of each spell, and whether it ended in the event.
    entry : array_like, optional
        Age at which each came under observation; 0 or less: from the beginning.
    weights : {"n", "n/G2"}
        "n" counts every pair once (Harrell [1]_). "n/G2" weights the pairs of an event at t by
        1 / G(t-)², with G the Kaplan-Meier curve of the censoring (Uno [2]_), so that the result
        does not depend on how long the young were followed.
    until : float
        Pairs of events after this age do not count.

    Returns
    -------
    Concordance
        NaN where no pair can be compared.

    Raises
    ------
    InputError
        If shapes differ, a number is missing, a row enters at or after its end, or the weights
        are of no known kind.

    Notes
    -----
    A row with an event at t meets all that are at risk at t and go later, or are censored at t:
    entry < t. Two events at the same time are not compared; equal scores count half. The standard
    error is R's, the infinitesimal jackknife [3]_, with the weights 1/G² taken as known.

    References
    ----------
    .. [1] Harrell, F. E., Lee, K. L., Mark, D. B. (1996). Multivariable prognostic models. Stat.
       Med. 15, 361-387.
    .. [2] Uno, H., et al. (2011). On the C-statistics for evaluating overall adequacy of risk
       prediction procedures with censored survival data. Stat. Med. 30, 1105-1117.
    .. [3] Therneau, T. M., Atkinson, E. (2024). Concordance. Vignette of the R package survival.

    Examples
    --------
    >>> found = concordance([3, 2, 1, 2], [1, 2, 3, 3], [True, True, True, False])
    >>> found.concordant, found.discordant, found.tied_score
    (4.0, 1.0, 1.0)
    """
    values = _finite("score", score)
    rows = spans(time, event, entry)
    if values.shape != rows.key.shape:
        raise InputError(f"concordance: {len(values)} scores for {len(rows.key)} rows")
    weight = _time_weights(rows, (time, event, entry), weights, until)
    return _concordance(values, rows, weight)


def spans(time: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None) -> Spans:
    """Say at which of the distinct event times each row is at risk.

    Parameters
    ----------
    time, event : array_like
        Age at the end of each spell, and whether it ended in the event.
    entry : array_like, optional
        Age at which each came under observation; 0 or less: from the beginning.

    Returns
    -------
    Spans
        One row per spell.

    Raises
    ------
    InputError
        If shapes differ, an age is missing, or a row enters at or after its end.
    """
    ends, died = _finite("time", time), np.asarray(event, dtype=bool)
    starts = np.zeros_like(ends) if entry is None else _finite("entry", entry)
    if not ends.shape == died.shape == starts.shape:
        raise InputError("concordance: time, event and entry differ in length")
    late = starts > 0
    if unseen := int((late & (starts >= ends)).sum()):
        raise InputError(f"concordance: {unseen} rows enter at or after their end; drop them")
    times, passed = _event_times(ends, died)
    entered = np.zeros(len(ends), np.int64)
    if late.any():
        entered[late] = np.searchsorted(times, starts[late], side="right")
    return Spans(times=times, key=passed - died, entered=entered, event=died)


def _finite(name: str, values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not np.isfinite(array).all():
        missing = int((~np.isfinite(array)).sum())
        raise InputError(f"concordance: {name} is missing in {missing} rows; leave them out")
    return array


def _event_times(ends: FloatArray, died: BoolArray) -> tuple[FloatArray, IntArray]:
    """Distinct event times, and how many of them each row's end has reached."""
    low, high = ends.min(initial=0.0), ends.max(initial=0.0)
    if low >= 0 and high < LOOKUP:
        days = ends.astype(np.int64)
        if np.array_equal(days, ends):  # ages in whole days: no search, no sort
            present = np.bincount(days[died], minlength=int(high) + 1) > 0
            reached: IntArray = np.cumsum(present, dtype=np.int64)
            return np.flatnonzero(present).astype(float), reached[days]
    times = np.unique(ends[died])
    return times, np.asarray(np.searchsorted(times, ends, side="right"), dtype=np.int64)


def _time_weights(
    rows: Spans,
    data: tuple[ArrayLike, ArrayLike, ArrayLike | None],
    weights: Weights,
    until: float,
) -> FloatArray | None:
    """Weight of the pairs of each event time; None: all 1."""
    if weights not in {"n", "n/G2"}:
        raise InputError(f'weights: "{weights}" is neither "n" nor "n/G2"')
    if weights == "n" and not (rows.times > until).any():
        return None
    weight = np.ones(len(rows.times))
    if weights == "n/G2":
        time, event, entry = data
        table = tabulate(time, event, entry=entry)
        # as R: those that churn at an age are at risk of being censored at it
        stay = 1 - table.censored / np.maximum(table.at_risk, 1)
        before = np.append(1.0, np.cumprod(stay))[np.searchsorted(table.time, rows.times)]
        weight = np.divide(1.0, before**2, out=np.zeros_like(before), where=before > 0)
    weight[rows.times > until] = 0
    return weight


class _Line(NamedTuple):
    """Rows in the order of score and key; a late entry is a follower that is taken out again."""

    row: IntArray  # of the data
    score: FloatArray
    key: IntArray
    leads: BoolArray
    sign: AnyArray | None  # -1 for entries; None where all are under observation from the start


class _Ties(NamedTuple):
    """Pairs with equal scores."""

    met: FloatArray  # per place in line: weight of its tied pairs, as a leader and a follower
    total: float
    both: float  # pairs of events with equal score and time


def _concordance(score: FloatArray, rows: Spans, weight: FloatArray | None) -> Concordance:
    """Count, and see what each row adds."""
    table = np.ones(len(rows.times)) if weight is None else weight
    deaths = np.bincount(rows.key[rows.event], minlength=len(table))
    leading = table * (_above(rows.key, len(table)) - _above(rows.entered, len(table)))
    pairs = float(leading @ deaths)
    line = _lined_up(score, rows)
    met = meetings(line.key, line.leads, weight=_padded(weight), sign=line.sign)
    ties = _ties(line, table)
    discordant = pairs - met.total - ties.total
    excess = _per_row(2 * met.net + ties.met, line, len(score))
    before = np.append(0.0, np.cumsum(table * deaths))  # weight of the events before each time
    following = before[rows.key] - before[rows.entered]
    own = np.where(rows.event, np.append(leading, 0.0)[rows.key], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        somers = (met.total - discordant) / np.float64(pairs)
        influence = (excess + following - own - somers * (following + own)) / (2 * pairs)
    return Concordance(
        value=float((1 + somers) / 2),
        std_error=clustered_error(influence, None) if pairs > 0 else float("nan"),
        concordant=met.total,
        discordant=discordant,
        tied_score=ties.total,
        tied_time=float(table @ (deaths * (deaths - 1) / 2)) - ties.both,
        tied_both=ties.both,
        n=len(score),
        events=int(rows.event.sum()),
        influence=influence,
    )


def _above(key: IntArray, times: int) -> IntArray:
    """Count the rows with a key greater than each number of a time."""
    counts = np.bincount(key, minlength=times + 1)
    return np.asarray(len(key) - np.cumsum(counts)[:times])


def _padded(weight: FloatArray | None) -> FloatArray | None:
    return None if weight is None else np.append(weight, 0.0)


def _per_row(values: FloatArray, line: _Line, n: int) -> FloatArray:
    """Bring what stands in line back to the rows of the data, entries taken out."""
    if line.sign is not None:
        return np.asarray(np.bincount(line.row, weights=values * line.sign, minlength=n), float)
    back = np.empty(n)
    back[line.row] = values
    return back


def _lined_up(score: FloatArray, rows: Spans) -> _Line:
    """Sort by score and, within equal scores, by key: a leader stands before those tied to it."""
    late = np.flatnonzero(rows.entered)
    row = np.arange(len(score)) if not len(late) else np.append(np.arange(len(score)), late)
    values, key, leads, sign = score, rows.key, rows.event, None
    if len(late):
        values, key = score[row], np.append(rows.key, rows.entered[late])
        leads = np.append(rows.event, np.zeros(len(late), bool))
        sign = np.repeat(np.array([1, -1], np.int8), [len(score), len(late)])
    order = np.argsort(values)
    found = values[order]
    same = found[1:] == found[:-1]
    if same.any():
        block = np.append(0, np.cumsum(~same))
        order = order[np.argsort(block * (int(key.max()) + 1) + key[order], kind="stable")]
    return _Line(row[order], found, key[order], leads[order], _taken(sign, order))


def _taken(values: AnyArray | None, places: IntArray) -> AnyArray | None:
    return None if values is None else values[places]


def _ties(line: _Line, table: FloatArray) -> _Ties:
    """Count pairs with equal scores: in line, they are neighbours."""
    fresh = np.append(True, line.score[1:] != line.score[:-1])[: len(line.score)]
    if fresh.all():
        return _Ties(np.zeros(len(fresh)), 0.0, 0.0)
    block = _Runs(fresh)
    run = _Runs(fresh | np.append(True, line.key[1:] != line.key[:-1]))
    weight = np.where(line.leads, np.append(table, 0.0)[line.key], 0.0)
    leaders = np.append(0.0, np.cumsum(weight))
    sign = np.ones(len(fresh)) if line.sign is None else line.sign
    followers = np.append(0, np.cumsum(sign))
    # those tied to a leader stand after its own run, up to the end of the block
    led = weight * (followers[block.end] - followers[run.end])
    followed = leaders[run.start] - leaders[block.start]
    mates = np.bincount(run.number, weights=line.leads)
    at = np.append(table, 0.0)[line.key[run.first]]
    return _Ties(led + followed, float(led.sum()), float((at * mates * (mates - 1) / 2).sum()))


class _Runs:
    """Neighbours that are alike: where the run of each begins and ends."""

    def __init__(self, fresh: BoolArray) -> None:
        self.first = np.flatnonzero(fresh)
        self.number = np.cumsum(fresh) - 1
        self.start = self.first[self.number]
        self.end = np.append(self.first[1:], len(fresh))[self.number]
