"""Cox's partial likelihood, its slope and its information, in a few passes over the design.

For each row let w be its expected events: its relative risk times what the cumulative hazard
grows between its entry and its exit, less what tied events share. Then the slope is X'(d - w)
with d the observed events, and the information is one weighted Gram matrix X'WX less a sum over
event ages. No step per row or per event remains, and delayed entry costs one look-up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.methods.cox.design import Design
from csa.methods.cox.risk import FollowUp, RiskSets, risk_sets
from csa.methods.cox.ties import TieRule, Ties, TieSums, tie_rule

FloatArray = NDArray[np.float64]

WIDE_CELLS = 1 << 19  # numbers per block where a pass is one product with a vector


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Slopes:
    """First and second derivatives on standardised columns, for one weight per event age."""

    score: FloatArray
    information: FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Point:
    """The partial likelihood at given effects."""

    effects: FloatArray  # on standardised columns
    log_likelihood: float
    score: FloatArray
    information: FloatArray | None  # None where only the slope was asked for
    ties: TieSums
    shift: float  # the linear predictors of all rows are taken less this


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PartialLikelihood:
    """Design, follow-up and risk sets of a fit. `relative` is scratch space: see `at`."""

    columns: Design
    spells: FollowUp
    risk: RiskSets
    rule: TieRule
    ties: Ties
    event_sum: FloatArray  # of the standardised columns over the events
    relative: FloatArray  # relative risk of each row times its count

    def at(self, effects: FloatArray, *, information: bool = True) -> Point:
        """Evaluate; afterwards `relative` holds the relative risks at these effects.

        Parameters
        ----------
        effects : ndarray
            On standardised columns.
        information : bool
            Second derivatives too; they cost about twice the rest.

        Returns
        -------
        Point
            Finite for finite effects.
        """
        shift = self._relative_risks(effects)
        ties = self.rule.sums(*self.risk.sums(self.relative))
        value = float(effects @ self.event_sum) - shift * float(self.rule.deaths.sum()) - ties.log
        if information:
            slopes = self.slopes(ties, [np.ones(self.risk.slots)])[0]
            score, second = slopes.score, slopes.information
        else:
            score, second = self._score(ties), None
        return Point(
            effects=effects,
            log_likelihood=value,
            score=score,
            information=second,
            ties=ties,
            shift=shift,
        )

    def slopes(self, ties: TieSums, weights: Sequence[FloatArray]) -> list[Slopes]:
        """Differentiate with each event age weighted, at the effects of the last call of `at`.

        Parameters
        ----------
        ties : TieSums
            Of the same call.
        weights : sequence of ndarray
            One number per slot; ones for the partial likelihood itself.

        Returns
        -------
        list of Slopes
            One per weight.

        Notes
        -----
        With Efron's sums A of 1/d and B of f/d per event age, weight g, and s, e the sums of r x
        over all at risk and over those that go, the information is X'WX - Σ g (A₂ s s' -
        B₂ (s e' + e s') + C₂ e e'), where w = r (Σ g A over the ages at risk - g B where it went)
        and A₂, B₂, C₂ are the sums of 1/d², f/d², f²/d².
        """
        expected = [_Expected.of(self.risk, ties, g) for g in weights]
        p = self.columns.columns
        grams, scores = np.zeros((len(weights), p, p)), np.zeros((len(weights), p))
        leaving, entering = self._histograms()
        for rows, block in self.columns.blocks():
            for i, e in enumerate(expected):
                w = self._expected(e, rows)
                grams[i] += (block * w) @ block.T
                scores[i] += block @ (self._observed(e, rows) - w)
            self._add(leaving, entering, rows, block)
        whole, going = self.risk.at_risk(leaving, entering)
        found = []
        for g, gram, score in zip(weights, grams, scores, strict=True):
            second = gram - _outer(ties, g, whole, going)
            found.append(Slopes(score=score, information=(second + second.T) / 2))
        return found

    def covariate_sums(self) -> tuple[FloatArray, FloatArray]:
        """Sum relative risk times standardised columns, at the effects of the last call of `at`.

        Returns
        -------
        at risk, going : ndarray (columns x slots)
            Over the risk set of each event age, and over those that go then.
        """
        leaving, entering = self._histograms()
        for rows, block in self.columns.blocks():
            self._add(leaving, entering, rows, block)
        return self.risk.at_risk(leaving, entering)

    def _histograms(self) -> tuple[FloatArray, FloatArray | None]:
        p, slots = self.columns.columns, self.risk.slots
        late = self.risk.entry_slot is not None
        return np.zeros((p, 2 * slots)), np.zeros((p, slots)) if late else None

    def _add(
        self, leaving: FloatArray, entering: FloatArray | None, rows: slice, block: FloatArray
    ) -> None:
        """Add a block, which is used up, to the histograms of what leaves and enters."""
        block *= self.relative[rows]
        _add_bins(leaving, self.risk.exit_bin[rows], block)
        if entering is not None and self.risk.entry_slot is not None:
            _add_bins(entering, self.risk.entry_slot[rows], block)

    def _observed(self, e: "_Expected", rows: slice) -> FloatArray:
        """Observed events of a block of rows, weighted by their age."""
        seen = e.event[self.risk.exit_bin[rows]]
        return seen if self.spells.count is None else seen * self.spells.count[rows]

    def _expected(self, e: "_Expected", rows: slice) -> FloatArray:
        """Count expected events of a block of rows, weighted by their age."""
        w = e.leaving[self.risk.exit_bin[rows]]
        if self.risk.entry_slot is not None:
            w -= e.entering[self.risk.entry_slot[rows]]
        w *= self.relative[rows]
        return w

    def _score(self, ties: TieSums) -> FloatArray:
        """Slope only: one product with the matrix as it is."""
        e = _Expected.of(self.risk, ties, np.ones(self.risk.slots))
        total, left = np.zeros(self.columns.columns), 0.0
        for rows in self.columns.slices(WIDE_CELLS):
            rest = self._observed(e, rows) - self._expected(e, rows)
            total += rest @ self.columns.numbers(rows)
            left += float(rest.sum())
        return (total - left * self.columns.centre) / self.columns.scale

    def _relative_risks(self, effects: FloatArray) -> float:
        """Fill `relative`; returns what was taken off the linear predictors."""
        relative, count = self.relative, self.spells.count
        if effects.any():
            effect = effects / self.columns.scale
            for rows in self.columns.slices(WIDE_CELLS):
                np.matmul(self.columns.numbers(rows), effect, out=relative[rows])
            top = float(relative.max(initial=-np.inf))
            relative -= top
            np.exp(relative, out=relative)
            if count is not None:
                relative *= count
            return top - float(effect @ self.columns.centre)
        relative[:] = 1.0 if count is None else count
        return 0.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Expected:
    """Look-up tables for the expected events of a row, per unit of its relative risk."""

    leaving: FloatArray  # by exit bin
    entering: FloatArray  # by entry slot
    event: FloatArray  # by exit bin: the weight of an event there

    @classmethod
    def of(cls, risk: RiskSets, ties: TieSums, weight: FloatArray) -> "_Expected":
        grown = risk.running(weight * ties.hazard)
        leaving = np.stack([grown, grown - weight * ties.shared], axis=1).ravel()
        event = np.stack([np.zeros_like(weight), weight], axis=1).ravel()
        return cls(leaving=leaving, entering=grown, event=event)


def partial_likelihood(
    columns: Design, spells: FollowUp, ties: Ties, *, risk: RiskSets | None = None
) -> PartialLikelihood:
    """Prepare a design and its follow-up for evaluation.

    Parameters
    ----------
    columns : Design
        Measured columns.
    spells : FollowUp
        Times and events of the same rows.
    ties : {"efron", "breslow"}
        How tied events are treated.
    risk : RiskSets, optional
        Who is at risk when, where that is not what the times say.

    Returns
    -------
    PartialLikelihood
        One scratch number per row besides its places in the risk sets.
    """
    risk = risk or risk_sets(spells)
    total = np.zeros(columns.columns)
    for rows, block in columns.blocks():
        died = spells.event[rows].astype(float)
        total += block @ (died if spells.count is None else died * spells.count[rows])
    return PartialLikelihood(
        columns=columns,
        spells=spells,
        risk=risk,
        rule=tie_rule(risk.deaths, ties),
        ties=ties,
        event_sum=total,
        relative=np.empty(spells.rows),
    )


def _add_bins(target: FloatArray, bins: NDArray[np.int32], block: FloatArray) -> None:
    """Add the columns of a block, which are its rows, to their histograms."""
    places = bins.astype(np.intp)
    if target.shape[1] <= 4 * len(places):
        for j, values in enumerate(block):
            target[j] += np.bincount(places, weights=values, minlength=target.shape[1])
    else:  # more bins than rows: do not write out a histogram of mostly nothing
        for j, values in enumerate(block):
            np.add.at(target[j], places, values)


def _outer(ties: TieSums, weight: FloatArray, whole: FloatArray, going: FloatArray) -> FloatArray:
    """Sum what the means of the risk sets take off the Gram matrix."""
    mean, part = whole / ties.whole, going / ties.whole
    first = mean * (weight * ties.square) - part * (weight * ties.cross)
    second = part * (weight * ties.shared_square) - mean * (weight * ties.cross)
    return np.asarray(first @ mean.T + second @ part.T)
