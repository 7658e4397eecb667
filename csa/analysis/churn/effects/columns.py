"""Columns of a Cox regression from covariates, and a fit that says what it left out and why.

Levels in which nobody left have no finite effect: the likelihood grows as their hazard ratio
shrinks to 0. In that limit their spells leave the risk sets, so that is what is done; what can
be said of them is how many were expected to leave.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csa.analysis.churn.effects.checks import Covariate
from csa.analysis.churn.effects.rows import Classes, Rows
from csa.analysis.churn.spells import NOT_STATED
from csa.errors import InputError
from csa.methods.cox import CoxFit, NotEstimable, fit_cox
from csa.methods.cox.baseline import expected_events

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

FLAG = ("no", "yes")


class Column(NamedTuple):
    """One column of the design."""

    term: str
    level: str
    reference: str
    numbers: FloatArray
    is_level: bool = True

    @property
    def name(self) -> str:
        """Name in messages."""
        return f"{self.term} {self.level}" if self.is_level else self.term

    def take(self, rows: BoolArray | IntArray) -> "Column":
        """Take some rows.

        Parameters
        ----------
        rows : ndarray of bool or int
            Rows to take.

        Returns
        -------
        Column
            Of the same name.
        """
        return self._replace(numbers=self.numbers[rows])


class Empty(NamedTuple):
    """A level in which nobody left: no column, and no place in the risk sets."""

    term: str
    level: str
    reference: str
    rows: BoolArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Columns:
    """Columns of a design, and what has none."""

    columns: list[Column]
    empty: list[Empty]
    references: dict[str, str]  # level that the others of a term are compared with

    @property
    def kept(self) -> BoolArray | None:
        """Rows that stay in the risk sets; None: all."""
        if not self.empty:
            return None
        return np.asarray(~np.any([e.rows for e in self.empty], axis=0), dtype=bool)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Fitted:
    """A fit of those columns that have an estimate."""

    fit: CoxFit | None
    columns: list[Column]  # in the order of the effects
    places: dict[int, int]  # of these columns among those given, to their place in the fit
    reasons: dict[int, str]  # of the other columns, by their place among those given


def make_columns(rows: Rows, covariates: Sequence[Covariate]) -> Columns:
    """Code covariates as columns of numbers.

    Parameters
    ----------
    rows : Rows
        Spells with covariates.
    covariates : sequence of Covariate
        In the order of the result.

    Returns
    -------
    Columns
        A number is one column, text one per level but the reference.

    Raises
    ------
    InputError
        If a reference is not among the levels of its column.
    """
    found = Columns(columns=[], empty=[], references={})
    faults = []
    for covariate in covariates:
        name = covariate.name
        if name in rows.numbers:
            values = rows.numbers[name] / covariate.per
            found.columns.append(Column(name, f"per {covariate.per:g}", "", values, is_level=False))
            continue
        levels = rows.classes[name].levels
        if covariate.reference is not None and rows.n and covariate.reference not in levels:
            known = ", ".join(levels)
            faults.append(f"covariates: {name} has no level {covariate.reference}; it has {known}")
        elif levels:
            _add_levels(found, rows, covariate, rows.classes[name])
    if faults:
        raise InputError(*faults)
    return found


def _add_levels(found: Columns, rows: Rows, covariate: Covariate, classes: Classes) -> None:
    """Add the levels of one covariate that were seen."""
    name, size = covariate.name, len(classes.levels)
    spells = np.bincount(classes.codes, rows.count, size).astype(float)
    events = np.bincount(classes.codes, rows.count * rows.event, size).astype(float)
    reference = _reference(covariate, classes.levels, spells, events)
    label = found.references[name] = classes.levels[reference]
    for k in np.flatnonzero(spells > 0).tolist():
        rest = classes.codes == k
        if k != reference and events[k] > 0:
            found.columns.append(Column(name, classes.levels[k], label, rest.astype(float)))
        elif k != reference:
            found.empty.append(Empty(name, classes.levels[k], label, rest))


def _reference(
    covariate: Covariate, levels: tuple[str, ...], spells: FloatArray, events: FloatArray
) -> int:
    """Level to compare with; one in which somebody left, since a ratio to nothing is endless."""
    if covariate.reference is not None and events[levels.index(covariate.reference)] > 0:
        return levels.index(covariate.reference)
    words = [level.lower() for level in levels]
    if set(FLAG) & set(words) and set(words) <= {*FLAG, NOT_STATED}:
        for flag in FLAG:
            if flag in words and events[words.index(flag)] > 0:
                return words.index(flag)
    return int(np.argmax(np.where(events > 0, spells, -1)))


def fit_columns(rows: Rows, columns: Sequence[Column]) -> Fitted:
    """Fit, leaving out columns without an estimate.

    Parameters
    ----------
    rows : Rows
        Spells with at least one event.
    columns : sequence of Column
        Candidates.

    Returns
    -------
    Fitted
        Without a fit where no column is left.
    """
    follow, left = rows.follow_up(), list(range(len(columns)))
    reasons: dict[int, str] = {}
    while left:
        matrix = np.empty((len(left), len(rows.exit)))
        for place, j in enumerate(left):
            matrix[place] = columns[j].numbers
        try:
            fit = fit_cox(
                matrix.T, follow, names=[columns[j].name for j in left], clusters=rows.cluster
            )
        except NotEstimable as error:
            reasons |= {left[k]: text.split(";")[0] for k, text in error.reasons.items()}
            left = [j for j in left if j not in reasons]
        else:
            places = {j: place for place, j in enumerate(left)}
            return Fitted(
                fit=fit, columns=[columns[j] for j in left], places=places, reasons=reasons
            )
    return Fitted(fit=None, columns=[], places={}, reasons=reasons)


def upper_bound(
    fit: CoxFit, rows: Rows, columns: Sequence[Column], confidence: float
) -> tuple[float, float]:
    """Bound the hazard ratio of a level in which nobody left.

    Parameters
    ----------
    fit : CoxFit
        The fit without that level.
    rows : Rows
        Spells of the level.
    columns : sequence of Column
        The columns of the fit, for these spells.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    expected, high : float
        Events to be expected if the level were like the reference, and the upper limit of the
        ratio of none to these.

    Notes
    -----
    With none observed where E were expected, Poisson's law gives the limit -log(α / 2) / E [1]_;
    that E is an estimate is not in it.

    References
    ----------
    .. [1] Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28,
       437-442.
    """
    matrix = np.array([c.numbers for c in columns]).reshape(len(columns), len(rows.exit))
    expected = float(expected_events(fit, matrix.T, rows.follow_up()).sum())
    return expected, -math.log((1 - confidence) / 2) / expected if expected > 0 else math.inf
