"""Score residuals of a Cox regression, and the errors that rest on them."""

import numpy as np
from numpy.typing import NDArray

from csa.methods.cox.likelihood import PartialLikelihood, Point

FloatArray = NDArray[np.float64]


def sandwich(
    problem: PartialLikelihood,
    effects: FloatArray,
    inverse: FloatArray,
    clusters: NDArray[np.int64],
) -> FloatArray:
    """Robust covariance of the effects on standardised columns.

    Parameters
    ----------
    problem : PartialLikelihood
        Design and follow-up.
    effects : ndarray
        As fitted, on standardised columns.
    inverse : ndarray
        Inverse of the information.
    clusters : ndarray of int
        Code of each row; below 0: each spell of the row is its own cluster.

    Returns
    -------
    ndarray (columns x columns)
        V L'L V with the score residuals L summed within clusters [1]_.

    References
    ----------
    .. [1] Lin, D. Y., Wei, L. J. (1989). The robust inference for the Cox proportional hazards
       model. J. Am. Stat. Assoc. 84, 1074-1078.
    """
    p, count = problem.columns.columns, problem.spells.count
    tables = _Tables(problem, problem.at(effects, information=False))
    middle = np.zeros((p, p))
    sums = np.zeros((p, int(clusters.max(initial=-1)) + 1))
    for rows, block in problem.columns.blocks():
        residuals = tables.residuals(rows, block)
        weighted = residuals if count is None else residuals * count[rows]
        alone = clusters[rows] < 0
        middle += (weighted * alone) @ residuals.T
        if not alone.all():
            code = clusters[rows][~alone]
            for j, values in enumerate(weighted[:, ~alone]):
                np.add.at(sums[j], code, values)
    return np.asarray(inverse @ (middle + sums @ sums.T) @ inverse)


class _Tables:
    """What the score residual of a row needs, by its places on the grid of event ages.

    A row's residual is its x less the mean x of its risk set, at its own event, less the same
    difference over all ages at which it was at risk, weighted by its expected events there. Tied
    events bear a falling share of the hazard at their age, as in Efron's likelihood.
    """

    def __init__(self, problem: PartialLikelihood, point: Point) -> None:
        self.problem, ties = problem, point.ties
        whole, going = problem.covariate_sums()
        risk, deaths = problem.risk, np.maximum(problem.rule.deaths, 1.0)
        self.mean = (whole * ties.hazard - going * ties.shared) / deaths
        mean, part = whole / ties.whole, going / ties.whole
        drift = risk.running((mean * ties.square - part * ties.cross) / ties.whole)
        own = (mean * ties.cross - part * ties.shared_square) / ties.whole
        self.leaving = np.stack([drift, drift - own], axis=2).reshape(len(drift), -1)
        self.entering = drift
        grown = risk.running(ties.hazard)
        self.hazard = np.stack([grown, grown - ties.shared], axis=1).ravel()
        self.hazard_before = grown

    def residuals(self, rows: slice, block: FloatArray) -> FloatArray:
        """Score residuals of a block of spells, one column each."""
        problem = self.problem
        bins, died = problem.risk.exit_bin[rows], problem.spells.event[rows]
        risks = problem.relative[rows]
        if problem.spells.count is not None:
            # relative risks hold the counts; rows that count 0 have residuals of no weight
            risks = risks / np.maximum(problem.spells.count[rows], 1.0)
        expected, drift = self.hazard[bins], self.leaving[:, bins]
        if problem.risk.entry_slot is not None:
            entry = problem.risk.entry_slot[rows]
            expected = expected - self.hazard_before[entry]
            drift = drift - self.entering[:, entry]
        at_event = (block - self.mean[:, bins >> 1]) * died
        return np.asarray(at_event - block * (risks * expected) + risks * drift)
