"""Cox regression: effects on the hazard, with ties, delayed entry, strata and robust errors.

What R's `coxph` does, on arrays of any length: a fit of a million spells by ten covariates takes
about ten passes over the design and no step per spell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.cox_design import constant, dependent, design, one_sided
from csa.methods.cox_likelihood import PartialLikelihood, Point, partial_likelihood
from csa.methods.cox_residuals import sandwich
from csa.methods.cox_risk import FollowUp
from csa.methods.cox_ties import Ties
from csa.methods.intervals import Estimates, normal_quantile
from csa.methods.logrank import chi_square_tail

FloatArray = NDArray[np.float64]

MAX_PASSES = 40
MAX_HALVINGS = 20
DECREMENT = 1e-8  # twice what the log-likelihood can still gain
STEP = 1e-7  # of the last step on standardised columns: the information changes no more than so
STUCK_STEP = 0.05  # a step so long at the end means that there is no finite maximum
MANY_ROWS = 200_000  # from here on every tenth row gives the start
THINNING = 10
NOISE = 1e-9  # of a log-likelihood, beside its size: that much less is not a loss
ROUGH_DECREMENT = 1e-2  # good enough for a start
SLOW = 0.1  # a step with an old information should gain at most so much of the last one's


class ChiSquare(NamedTuple):
    """A chi-square statistic."""

    statistic: float
    df: int
    p_value: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CoxFit:
    """Effects (log hazard ratios) and what is known about them.

    `covariance` is model-based unless `robust`; `model_covariance` always is. `likelihood` holds
    the design and the follow-up, for what is computed from a fit later.
    """

    names: tuple[str, ...]
    effects: FloatArray
    covariance: FloatArray
    model_covariance: FloatArray
    robust: bool
    clusters: int | None  # None where every spell is its own
    log_likelihood_null: float
    log_likelihood: float
    score_test: ChiSquare
    n: int
    events: int
    passes: int
    decrement: float  # at the end: twice what the log-likelihood could still gain
    converged: bool
    ties: Ties
    likelihood: PartialLikelihood

    @property
    def std_error(self) -> FloatArray:
        """Standard errors of the effects."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def likelihood_ratio_test(self) -> ChiSquare:
        """Test of no effect at all by the log-likelihoods."""
        gain = 2 * (self.log_likelihood - self.log_likelihood_null)
        return _test(max(gain, 0.0), len(self.effects))

    @property
    def wald_test(self) -> ChiSquare:
        """Test of no effect at all by effects and their covariance, robust where that is."""
        if not len(self.effects):
            return _test(0.0, 0)
        gain = self.effects @ np.linalg.solve(self.covariance, self.effects)
        return _test(float(gain), len(self.effects))

    @property
    def p_values(self) -> FloatArray:
        """Two-sided p-value of each effect."""
        squares = (self.effects / self.std_error) ** 2
        return np.array([chi_square_tail(float(x), 1) for x in squares])

    def hazard_ratios(self, confidence: float = 0.95) -> Estimates:
        """Factors on the hazard per unit of each covariate.

        Parameters
        ----------
        confidence : float
            Level of the intervals, share in (0, 1).

        Returns
        -------
        Estimates
            exp(effect ± z standard errors).
        """
        half = normal_quantile(confidence) * self.std_error
        with np.errstate(over="ignore"):  # an effect per cent of a large number may be infinite
            return Estimates(*(np.exp(self.effects + d) for d in (0, -half, half)))


def fit_cox(
    covariates: ArrayLike,
    spells: FollowUp,
    *,
    names: Sequence[str] | None = None,
    ties: Ties = "efron",
    robust: bool = False,
    clusters: ArrayLike | None = None,
) -> CoxFit:
    """Fit a Cox regression by maximum partial likelihood.

    Parameters
    ----------
    covariates : array_like (rows x columns)
        Numbers without a column of ones.
    spells : FollowUp
        Times and events of the same rows, from `follow_up`.
    names : sequence of str, optional
        Names of the columns.
    ties : {"efron", "breslow"}
        How tied events are treated; Efron's is close to exact, Breslow's is for comparison.
    robust : bool
        Errors that hold where the model does not, or spells of one account resemble each other.
    clusters : array_like of int, optional
        Codes from 0 of what belongs together (accounts); implies `robust`.

    Returns
    -------
    CoxFit
        Equal to R's `coxph`.

    Raises
    ------
    InputError
        If there is no event, or columns are constant, made of others or separate the events:
        all are named.

    Notes
    -----
    Log-likelihood Σ over events of x b - Σ log d, d = S - (j/m) E over the m events tied at an
    age [1]_ [2]_. Newton's method with halved steps; where there are many rows it starts from a
    fit of every tenth one, and uses a slope twice before the information is made anew. The
    sandwich is that of Lin and Wei [3]_; counts are spells written out, each its own cluster
    unless clusters are given.

    References
    ----------
    .. [1] Cox, D. R. (1972). Regression models and life-tables. J. R. Stat. Soc. B 34, 187-220.
    .. [2] Efron, B. (1977). The efficiency of Cox's likelihood function for censored data.
       J. Am. Stat. Assoc. 72, 557-565.
    .. [3] Lin, D. Y., Wei, L. J. (1989). The robust inference for the Cox proportional hazards
       model. J. Am. Stat. Assoc. 84, 1074-1078.
    """
    if ties not in {"efron", "breslow"}:
        raise InputError(f'ties: "{ties}" is neither "efron" nor "breslow"')
    if not spells.events:
        raise InputError(f"Cox regression: no event in {spells.n} spells; no effect shows")
    columns = design(covariates, names=names, spells=spells)
    problem = partial_likelihood(columns, spells, ties)
    null = problem.at(np.zeros(columns.columns))
    faults = design_faults(problem, null)
    if faults:
        raise InputError(*(f"Cox regression: {text}" for text in faults.values()))
    best, passes = _newton(problem, _start(problem, null))
    step = _solve(best.information, best.score)
    if np.abs(step).max(initial=0.0) > STUCK_STEP:
        raise InputError(*_separated(problem, step))
    return _result(problem, (null, best), step, passes, _codes(clusters, spells, robust=robust))


def design_faults(problem: PartialLikelihood, null: Point | None = None) -> dict[int, str]:
    """Say which columns can have no effect estimated, and why.

    Parameters
    ----------
    problem : PartialLikelihood
        Design and follow-up.
    null : Point, optional
        The likelihood without effects, where it is known already.

    Returns
    -------
    dict
        Position of the column to the reason; empty where all is well.
    """
    columns, names = problem.columns, problem.columns.names
    found = {
        j: f"{names[j]} is {columns.low[j]:g} in every row; leave it out" for j in constant(columns)
    }
    events = max(problem.spells.events, 1)
    for j, limit in one_sided(columns, problem.spells, problem.event_sum / events).items():
        found[j] = (
            f"{names[j]} is {limit:g} at every one of the {problem.spells.events} events, and "
            "differs elsewhere: its effect has no bound; leave it out or merge groups"
        )
    null = null or problem.at(np.zeros(columns.columns))
    second = null.information if null.information is not None else np.empty((0, 0))
    for j, parts in dependent(second, skip=list(found)).items():
        made_of = " and ".join(names[k] for k in parts)
        found[j] = (
            f"{names[j]} follows from {made_of}; leave one of them out"
            if parts
            else f"{names[j]} does not differ among spells at risk together; leave it out"
        )
    return found


def _start(problem: PartialLikelihood, null: Point) -> Point:
    """Where to begin: at no effect, or with many rows at a rough fit of every tenth."""
    if problem.spells.rows < MANY_ROWS:
        return null
    part = partial_likelihood(
        problem.columns.every(THINNING), problem.spells.every(THINNING), problem.ties
    )
    first = part.at(np.zeros(part.columns.columns))
    rough, _ = _newton(part, _start(part, first), goal=ROUGH_DECREMENT)
    found = problem.at(rough.effects)
    return found if found.log_likelihood > null.log_likelihood else null


def _newton(
    problem: PartialLikelihood, start: Point, *, goal: float = DECREMENT
) -> tuple[Point, int]:
    """Climb to the maximum; the point returned has its information."""
    point, passes, last = start, 1, np.inf
    information, fresh = start.information, True
    few = problem.spells.rows < MANY_ROWS
    while passes < MAX_PASSES:
        step = _solve(information, point.score)
        gain = float(point.score @ step)
        if fresh and _arrived(gain, step, goal):
            break
        # with many rows the slope is followed with an old information while that gains fast;
        # the next point has a new one where it is expected to be the last
        fresh = few or (not fresh and not goal < gain**2 / last < last * SLOW**2)
        following = problem.at(point.effects + step, information=fresh)
        passes, last = passes + 1, gain
        slack = NOISE * (1 + abs(point.log_likelihood))
        for _ in range(MAX_HALVINGS):
            if following.log_likelihood >= point.log_likelihood - slack:
                break
            step, passes, fresh = step / 2, passes + 1, True
            following = problem.at(point.effects + step)
        point = following
        information = point.information if fresh else information
    return (point if fresh else problem.at(point.effects)), passes


def _arrived(gain: float, step: FloatArray, goal: float) -> bool:
    """Whether nothing is left to gain; a long step then means that there is no maximum."""
    longest = float(np.abs(step).max(initial=0.0))
    return gain <= goal and (longest <= STEP or longest > STUCK_STEP or goal > DECREMENT)


def _solve(information: FloatArray | None, score: FloatArray) -> FloatArray:
    """Newton's step; directions without information stay where they are."""
    if information is None or not len(score):
        return np.zeros_like(score)
    return _inverse(information) @ score


def _inverse(information: FloatArray) -> FloatArray:
    """Inverse of a positive matrix whose columns may differ in size by many orders."""
    if not len(information):
        return information
    size = np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    known = values > np.finfo(float).eps * len(size)
    part = vectors[:, known] / size[:, None]
    return np.asarray((part / values[known]) @ part.T)


def _separated(problem: PartialLikelihood, step: FloatArray) -> list[str]:
    """Name columns whose effects grow without end."""
    names = np.array(problem.columns.names)[np.abs(step) > STUCK_STEP]
    return [
        f"Cox regression: the effect of {name} grows without end: with it the covariates tell "
        "exactly who goes first; leave it out or merge groups"
        for name in names
    ]


def _codes(
    clusters: ArrayLike | None, spells: FollowUp, *, robust: bool
) -> NDArray[np.int64] | None:
    """Cluster of each row; an empty array: each spell its own; None: model-based errors."""
    if clusters is None:
        return np.empty(0, np.int64) if robust else None
    codes = np.asarray(clusters)
    if len(codes) != spells.rows or codes.dtype.kind not in "iu" or codes.min(initial=0) < 0:
        raise InputError("clusters: give a code from 0 for each row")
    return codes.astype(np.int64, copy=False)


def _result(
    problem: PartialLikelihood,
    points: tuple[Point, Point],
    step: FloatArray,
    passes: int,
    codes: NDArray[np.int64] | None,
) -> CoxFit:
    """Translate back to the units of the columns; the last step is so short that it is free."""
    null, best = points
    scale, second = problem.columns.scale, best.information
    inverse = _inverse(np.empty((0, 0)) if second is None else second)
    decrement = float(best.score @ step)
    unit = np.outer(scale, scale)
    robust = inverse if codes is None else sandwich(problem, best, inverse, codes)
    score = float(null.score @ _solve(null.information, null.score))
    return CoxFit(
        names=problem.columns.names,
        effects=(best.effects + step) / scale,
        covariance=robust / unit,
        model_covariance=inverse / unit,
        robust=codes is not None,
        clusters=None if codes is None or not len(codes) else len(np.unique(codes)),
        log_likelihood_null=null.log_likelihood,
        log_likelihood=best.log_likelihood + decrement / 2,
        score_test=_test(score, len(scale)),
        n=problem.spells.n,
        events=problem.spells.events,
        passes=passes,
        decrement=decrement,
        converged=decrement <= DECREMENT,
        ties=problem.ties,
        likelihood=problem,
    )


def _test(statistic: float, df: int) -> ChiSquare:
    return ChiSquare(statistic, df, chi_square_tail(statistic, df) if df else float("nan"))
