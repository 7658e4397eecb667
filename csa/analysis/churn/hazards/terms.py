"""Terms of a discrete-time hazard: age, covariates, effects that change with age, renewals."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csa.analysis.churn.hazards.cells import Cells
from csa.errors import InputError
from csa.methods.designs import Block
from csa.methods.splines import natural_spline, quantile_knots

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeEffect:
    """How the hazard depends on the age of a spell.

    `spline_knots`: None for one parameter per interval, else the knots of a natural spline.
    `varies`: covariates whose effect may differ between phases of life, which end at the ages
    `phases_days` (moved to the next border of an interval).
    `renewal`: column with the whole months between renewals of the contract; the hazard may
    differ in the intervals in which a contract renews. Missing, or an interval or less: none.
    """

    spline_knots: int | None = None
    varies: Sequence[str] = ()
    phases_days: Sequence[int] = (90, 365)
    renewal: str | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Term:
    """One column of the design that compares, and where it applies."""

    name: str
    covariate: str
    level: str
    reference: str
    phase: str  # ages in which it applies; empty: all
    column: str  # column of the data, and the label of its value, that make the level
    label: str
    patterns: FloatArray  # 1 where a pattern has the level
    ages: FloatArray  # 1 where an interval is in the phase


class Terms(NamedTuple):
    """Blocks of the design: first the age, then one per run of terms in the same intervals."""

    blocks: list[Block]
    terms: list[Term]  # in the order of the columns after those of the age
    spans: list[tuple[int, int]]  # first and last interval of each parameter of age; empty: spline
    knots_days: tuple[float, ...]
    notes: list[str]  # what was left out


def check_age_effect(age: AgeEffect, covariates: Sequence[str]) -> None:
    """Refuse an age effect that does not fit the covariates.

    Parameters
    ----------
    age : AgeEffect
        As given by the caller.
    covariates : sequence of str
        Covariates of the model.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    faults = [
        f"age: {name} varies but is not a covariate; add it to covariates"
        for name in age.varies
        if name not in covariates
    ]
    if age.spline_knots is not None and age.spline_knots < 2:
        faults.append(f"age: {age.spline_knots} spline_knots; a spline needs two or more")
    if age.varies and not (age.phases_days and min(age.phases_days) > 0):
        faults.append("age: phases_days must be ages above 0 at which a phase ends")
    if faults:
        raise InputError(*faults)


def make_terms(cells: Cells, covariates: Sequence[str], age: AgeEffect) -> Terms:
    """Blocks of columns for counts by pattern and interval.

    Parameters
    ----------
    cells : Cells
        Counts with at least one event and one trial without.
    covariates : sequence of str
        Columns to compare.
    age : AgeEffect
        How the hazard depends on age.

    Returns
    -------
    Terms
        Of text the level with the most trials is the reference, of flags and numbers the lowest;
        levels under observation only.
    """
    notes: list[str] = []
    blocks: list[Block] = []
    spans: list[tuple[int, int]] = []
    knots: tuple[float, ...] = ()
    ones = np.ones((len(cells.patterns), 1))
    if age.spline_knots is None:
        spans = merged_intervals(cells.trials.sum(axis=0), cells.events.sum(axis=0))
        names = tuple(f"age {days(span, cells.interval_days)} days" for span in spans)
        blocks.append(Block(_spread(spans, cells.trials.shape[1]), ones, names))
    else:
        columns, knots = _spline(cells, age.spline_knots)
        names = ("intercept", *(f"age spline {i + 1}" for i in range(columns.shape[1] - 1)))
        blocks.append(Block(columns, ones, names))
    terms: list[Term] = []
    everywhere = np.ones(cells.trials.shape[1])
    for name in covariates:
        phases = _phases(cells, age.phases_days) if name in age.varies else [("", everywhere)]
        terms += _compared(cells, name, phases, notes)
    terms += _renewals(cells, age.renewal, notes)
    blocks += _blocks_of(terms)
    return Terms(blocks, terms, spans, knots, notes)


def days(span: tuple[int, int], interval_days: int) -> str:
    """Write the ages of a run of intervals, first and last day.

    Parameters
    ----------
    span : tuple of int
        First and last interval.
    interval_days : int
        Length of an interval.

    Returns
    -------
    str
        As "1-30", or "7" where it is one day.
    """
    first, last = span[0] * interval_days + 1, (span[1] + 1) * interval_days
    return f"{first}-{last}" if first < last else str(first)


def merged_intervals(trials: FloatArray, events: FloatArray) -> list[tuple[int, int]]:
    """Find runs of intervals in which somebody leaves and somebody stays.

    Parameters
    ----------
    trials, events : ndarray of float
        Counts per interval.

    Returns
    -------
    list of tuple of int
        First and last interval of each run. An interval without an event, or without a trial
        that had none, has no estimate of its own: it is joined to the next, the last ones to
        the one before.
    """
    spans: list[tuple[int, int]] = []
    first, gone, kept = 0, 0.0, 0.0
    for i, (n, k) in enumerate(zip(trials, events, strict=True)):
        gone, kept = gone + k, kept + n - k
        if gone > 0 and kept > 0:
            spans.append((first, i))
            first, gone, kept = i + 1, 0.0, 0.0
    if first < len(trials) and spans:
        spans[-1] = (spans[-1][0], len(trials) - 1)
    return spans


def _spread(spans: list[tuple[int, int]], intervals: int) -> FloatArray:
    """One column per run of intervals, 1 within it."""
    columns = np.zeros((intervals, len(spans)))
    for i, (first, last) in enumerate(spans):
        columns[first : last + 1, i] = 1.0
    return columns


def _spline(cells: Cells, count: int) -> tuple[FloatArray, tuple[float, ...]]:
    """Constant and natural spline in the age at the middle of an interval, knots by events."""
    middle = (np.arange(cells.trials.shape[1]) + 0.5) * cells.interval_days
    knots = quantile_knots(middle, count, cells.events.sum(axis=0))
    ones = np.ones((len(middle), 1))
    if not len(knots):
        return ones, ()
    return np.column_stack([ones, natural_spline(middle, knots)]), tuple(knots.tolist())


def _phases(cells: Cells, ends_days: Sequence[int]) -> list[tuple[str, FloatArray]]:
    """Phases of life that are under observation: their ages, and 1 in their intervals."""
    intervals = cells.trials.shape[1]
    borders = sorted({min(-(-int(end) // cells.interval_days), intervals) for end in ends_days})
    edges = [0, *borders, intervals]
    found = []
    for first, end in pairwise(edges):
        if end > first and cells.trials[:, first:end].any():
            inside = np.zeros(intervals)
            inside[first:end] = 1.0
            found.append((f"{days((first, end - 1), cells.interval_days)} days", inside))
    return found


def _compared(
    cells: Cells, name: str, phases: list[tuple[str, FloatArray]], notes: list[str]
) -> list[Term]:
    """Terms of one covariate: each level against the reference, in each phase."""
    labels, codes = cells.levels[name].labels, cells.codes(name)
    size = len(labels)
    trials = np.bincount(codes, weights=cells.trials.sum(axis=1), minlength=size)
    events = np.bincount(codes, weights=cells.events.sum(axis=1), minlength=size)
    seen = [i for i in range(size) if trials[i] > 0]
    if len(seen) < 2:
        notes.append(f"{name} has one value only and was left out")
        return []
    known = [i for i in seen if 0 < events[i] < trials[i]] or seen
    numeric = not any(isinstance(value, str) for value in cells.levels[name].values)
    reference = known[0] if numeric else max(known, key=lambda i: trials[i])
    return [
        Term(
            name=f"{name}: {labels[i]}" + (f", {phase}" if phase else ""),
            covariate=name,
            level=labels[i],
            reference=labels[reference],
            phase=phase,
            column=name,
            label=labels[i],
            patterns=(codes == i).astype(float),
            ages=inside,
        )
        for phase, inside in phases
        for i in seen
        if i != reference and (cells.trials[codes == i] * inside).any()
    ]


def _renewals(cells: Cells, column: str | None, notes: list[str]) -> list[Term]:
    """One term per length of contract that renews more rarely than every interval."""
    if column is None:
        return []
    terms, codes = [], cells.codes(column)
    for i, months in enumerate(cells.levels[column].values):
        if months is None:
            continue
        inside = renewal_intervals(months, cells.interval_days, cells.trials.shape[1])
        if inside.all() or not (cells.trials[codes == i] * inside).any():
            continue
        terms.append(
            Term(
                name=f"renewal every {cells.levels[column].labels[i]} months",
                covariate="renewal",
                level=f"every {cells.levels[column].labels[i]} months",
                reference="no renewal due",
                phase="",
                column=column,
                label=cells.levels[column].labels[i],
                patterns=(codes == i).astype(float),
                ages=inside.astype(float),
            )
        )
    if not terms:
        notes.append(f"no renewal by {column} is under observation")
    return terms


def renewal_intervals(months: object, interval_days: int, intervals: int) -> BoolArray:
    """Intervals of age in which a contract of so many months renews.

    Parameters
    ----------
    months : int
        Months between renewals, a whole number.
    interval_days : int
        Length of an interval.
    intervals : int
        Number of intervals.

    Returns
    -------
    ndarray of bool
        True where the last day of a contract lies in the interval: multiples of its months, in
        days of 365.25 / 12 per month, rounded. All where contracts renew in every interval, none
        where the months are not above 0.

    Raises
    ------
    InputError
        If the months are not a number.
    """
    if not isinstance(months, int | float) or isinstance(months, bool):
        raise InputError(f"age: renewal is by whole months, not by {months!r}")
    if months <= 0:
        return np.zeros(intervals, dtype=bool)
    last = intervals * interval_days
    due = np.rint(np.arange(1, int(last / (months * DAYS_PER_MONTH)) + 2) * months * DAYS_PER_MONTH)
    inside = np.zeros(intervals, dtype=bool)
    inside[((due[due <= last] - 1) // interval_days).astype(int)] = True
    if months * DAYS_PER_MONTH <= interval_days * 1.05:  # a month of 31 days, intervals of 30
        inside[:] = True
    return inside


def _blocks_of(terms: list[Term]) -> list[Block]:
    """Terms in the same intervals as one block, in their order."""
    blocks: list[Block] = []
    run: list[Term] = []
    for term in [*terms, None]:
        if run and (term is None or not np.array_equal(term.ages, run[0].ages)):
            columns = np.column_stack([t.patterns for t in run])
            blocks.append(Block(run[0].ages[:, None], columns, tuple(t.name for t in run)))
            run = []
        if term is not None:
            run.append(term)
    return blocks
