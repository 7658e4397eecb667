"""Cox regression: effects on the hazard, with ties, delayed entry, strata and robust errors.

What R's `coxph` does, on arrays of any length: a fit of a million spells by ten covariates takes
about ten passes over the design and no step per spell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.cox.design import constant, dependent, design, one_sided
from csa.methods.cox.likelihood import PartialLikelihood, Point, partial_likelihood
from csa.methods.cox.newton import DECREMENT, climb, endless, inverse_of, newton_step
from csa.methods.cox.residuals import sandwich
from csa.methods.cox.risk import FollowUp
from csa.methods.cox.ties import Ties
from csa.methods.intervals import Estimates, normal_quantile
from csa.methods.logrank import chi_square_tail
from csa.methods.symmetric import solve_symmetric

FloatArray = NDArray[np.float64]


class NotEstimable(InputError):
    """Columns without a finite estimate; `reasons` by their positions."""

    def __init__(self, reasons: Mapping[int, str], model: str = "Cox regression") -> None:
        super().__init__(*(f"{model}: {text}" for text in reasons.values()))
        self.reasons = reasons


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
    clusters: int  # of several spells, or of rows given a code
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
        """Standard errors of the effects; a robust one of 0 may be off by a rounding."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

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
        gain = self.effects @ solve_symmetric(self.covariance, self.effects)
        return _test(float(gain), len(self.effects))

    @property
    def p_values(self) -> FloatArray:
        """Two-sided p-value of each effect; NaN where its standard error is 0."""
        error, unknown = self.std_error, np.full(len(self.effects), np.nan)
        squares = np.divide(self.effects, error, out=unknown, where=error > 0) ** 2
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
        Codes from 0 of what belongs together (accounts); below 0: the spells of the row belong to
        nothing else. Implies `robust`.

    Returns
    -------
    CoxFit
        Equal to R's `coxph`.

    Raises
    ------
    InputError
        If there is no event, or clusters do not fit.
    NotEstimable
        If columns are constant, made of others or separate the events: all are named.

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
    return maximise(problem, cluster_codes(clusters, spells, robust=robust))


def maximise(
    problem: PartialLikelihood,
    clusters: NDArray[np.int64] | None,
    *,
    model: str = "Cox regression",
) -> CoxFit:
    """Find the effects at which a partial likelihood is largest.

    Parameters
    ----------
    problem : PartialLikelihood
        Design and follow-up.
    clusters : ndarray of int or None
        From `cluster_codes`.
    model : str
        What to call the regression in messages.

    Returns
    -------
    CoxFit
        With all that is known about the effects.

    Raises
    ------
    NotEstimable
        If columns are constant, made of others or separate the events: all are named.
    """
    null = problem.at(np.zeros(problem.columns.columns))
    faults = design_faults(problem, null)
    if faults:
        raise NotEstimable(faults, model)
    best, passes = climb(problem, null)
    step = newton_step(best.information, best.score)
    if found := endless(problem, null, best, step):
        raise NotEstimable(_separated(problem, found), model)
    return _result(problem, (null, best), step, passes, clusters)


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


def _separated(problem: PartialLikelihood, found: Sequence[int]) -> dict[int, str]:
    """Name columns whose effects grow without end."""
    return {
        j: f"the effect of {problem.columns.names[j]} grows without end: with it the covariates "
        "tell exactly who goes first; leave it out or merge groups"
        for j in found
    }


def cluster_codes(
    clusters: ArrayLike | None, spells: FollowUp, *, robust: bool
) -> NDArray[np.int64] | None:
    """Check which spells belong together.

    Parameters
    ----------
    clusters : array_like of int, optional
        Codes from 0; below 0: the spells of the row belong to nothing else.
    spells : FollowUp
        Times and events of the same rows.
    robust : bool
        Whether each spell is a cluster where none are given.

    Returns
    -------
    ndarray of int or None
        None: errors are those of the model.

    Raises
    ------
    InputError
        If there is not a whole number for each row.
    """
    if clusters is None:
        return np.full(spells.rows, -1) if robust else None
    codes = np.asarray(clusters)
    if len(codes) != spells.rows or codes.dtype.kind not in "iu":
        raise InputError("clusters: give a whole number for each row")
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
    inverse = inverse_of(np.empty((0, 0)) if second is None else second)
    decrement = float(best.score @ step)
    unit = np.outer(scale, scale)
    robust = inverse if codes is None else sandwich(problem, best.effects, inverse, codes)
    score = float(null.score @ newton_step(null.information, null.score))
    return CoxFit(
        names=problem.columns.names,
        effects=(best.effects + step) / scale,
        covariance=robust / unit,
        model_covariance=inverse / unit,
        robust=codes is not None,
        clusters=0 if codes is None else len(np.unique(codes[codes >= 0])),
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
