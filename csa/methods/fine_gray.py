"""Fine and Gray's regression: effects on how many leave for a cause, where causes compete.

A cause-specific Cox regression tells at what rate those still here leave for a cause: it is the
model to learn from. What it says need not show in the number that leave for the cause, because
those whom another cause takes first are not left to leave. This regression is about that number.
Its ratio has no meaning for a single account, but its sign is that of the difference in incidence.

No chapter shows it: groups are compared by Gray's test, which is its score test, and by differences
in incidence with their intervals. It is here for analyses of several attributes at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.cox import ChiSquare, CoxFit, cluster_codes, maximise
from csa.methods.cox.baseline import predict_survival
from csa.methods.cox.design import design
from csa.methods.cox.likelihood import partial_likelihood
from csa.methods.cox.ties import Ties
from csa.methods.intervals import Estimates
from csa.methods.subdistribution import CompetingSpells, subdistribution_sets

FloatArray = NDArray[np.float64]

MODEL = "Fine-Gray regression"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FineGrayFit:
    """Effects (log ratios of subdistribution hazards) and what is known about them.

    `weighted` is the Cox regression with weights that it is; its errors are robust, and those of
    its tests that rest on the likelihood take the weights for known.
    """

    weighted: CoxFit
    interest: int  # place of the cause
    competing: int  # events of all other causes, with multiplicity

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.weighted.names

    @property
    def effects(self) -> FloatArray:
        """Log ratios of subdistribution hazards."""
        return self.weighted.effects

    @property
    def covariance(self) -> FloatArray:
        """Robust covariance of the effects."""
        return self.weighted.covariance

    @property
    def std_error(self) -> FloatArray:
        """Robust standard errors of the effects."""
        return self.weighted.std_error

    @property
    def p_values(self) -> FloatArray:
        """Two-sided p-value of each effect."""
        return self.weighted.p_values

    @property
    def wald_test(self) -> ChiSquare:
        """Test of no effect at all by effects and their robust covariance."""
        return self.weighted.wald_test

    @property
    def n(self) -> int:
        """Spells, with multiplicity."""
        return self.weighted.n

    @property
    def events(self) -> int:
        """Events of the cause, with multiplicity."""
        return self.weighted.events

    def ratios(self, confidence: float = 0.95) -> Estimates:
        """Factors on the subdistribution hazard per unit of each covariate.

        Parameters
        ----------
        confidence : float
            Level of the intervals, share in (0, 1).

        Returns
        -------
        Estimates
            exp(effect ± z standard errors); above 1: more leave for the cause.
        """
        return self.weighted.hazard_ratios(confidence)


def fit_fine_gray(
    covariates: ArrayLike,
    spells: CompetingSpells,
    *,
    interest: int = 0,
    names: Sequence[str] | None = None,
    ties: Ties = "efron",
    clusters: ArrayLike | None = None,
) -> FineGrayFit:
    """Fit a proportional hazards model for the subdistribution of a cause.

    Parameters
    ----------
    covariates : array_like (rows x columns)
        Numbers without a column of ones.
    spells : CompetingSpells
        Times and causes of the same rows, from `competing_spells`; delayed entry is part of them.
    interest : int
        Place of the cause whose incidence is modelled; all others compete with it.
    names : sequence of str, optional
        Names of the columns.
    ties : {"efron", "breslow"}
        How tied events are treated.
    clusters : array_like of int, optional
        Codes from 0 of what belongs together (accounts); below 0: the spells of the row belong to
        nothing else. Default: each spell is its own.

    Returns
    -------
    FineGrayFit
        Effects equal to R's `coxph` on the rows of `finegray`, errors to those with `cluster = id`.

    Raises
    ------
    InputError
        If no spell ends by the cause, clusters do not fit, or all under observation leave at an
        age while others come only later.
    NotEstimable
        If columns are constant, made of others or separate the events: all are named.

    Notes
    -----
    With F the incidence of the cause, -log(1 - F) is in proportion to exp(x b) [1]_. Spells that
    another cause has ended stay at risk with weights for loss from sight and late entry [2]_, see
    `csa.methods.subdistribution`. The sandwich takes weights for known, and a spell for one
    observation however many weights it has; `coxph` without `cluster` takes each stretch of one
    weight for another spell, which on R's mgus2 makes errors 2 to 3 % smaller.

    References
    ----------
    .. [1] Fine, J. P., Gray, R. J. (1999). A proportional hazards model for the subdistribution of
       a competing risk. J. Am. Stat. Assoc. 94, 496-509.
    .. [2] Geskus, R. B. (2011). Cause-specific cumulative incidence estimation and the Fine and
       Gray model under both left truncation and right censoring. Biometrics 67, 39-49.
    """
    if ties not in {"efron", "breslow"}:
        raise InputError(f'ties: "{ties}" is neither "efron" nor "breslow"')
    own = spells.of(interest)
    if not own.events:
        raise InputError(
            f"{MODEL}: none of {own.n} spells ended by cause {interest}; no effect shows"
        )
    columns = design(covariates, names=names, spells=own)
    codes = cluster_codes(clusters, own, robust=True)
    sets = subdistribution_sets(spells, interest)
    problem = partial_likelihood(columns, own, ties, risk=sets)
    return FineGrayFit(
        weighted=maximise(problem, codes, model=MODEL),
        interest=interest,
        competing=int(np.rint(spells.all_causes.events - own.events)),
    )


def predict_incidence(
    fit: FineGrayFit, covariates: ArrayLike, ages: ArrayLike, *, confidence: float = 0.95
) -> Estimates:
    """Share with given covariates that has left for the cause by given ages.

    Parameters
    ----------
    fit : FineGrayFit
        A fit.
    covariates : array_like (rows x columns)
        In the units of the design.
    ages : array_like
        Ages.
    confidence : float
        Level of the pointwise interval, share in (0, 1).

    Returns
    -------
    Estimates
        Arrays (rows x ages), each limit within [0, 1]; NaN past the last age seen.

    Raises
    ------
    InputError
        If the covariates do not fit the design.

    Notes
    -----
    F(t | x) = 1 - exp(-exp(x b) Λ(t)) with Λ the baseline of the subdistribution hazard [1]_,
    events over the weighted risk sets. Limits on the scale of log(-log(1 - F)), from the part of
    the variance that the baseline has and that of the effects, see `predict_survival`: those of
    R's `survfit` on the `coxph` of the rows of `finegray`, weights taken for known.

    References
    ----------
    .. [1] Fine, J. P., Gray, R. J. (1999). A proportional hazards model for the subdistribution of
       a competing risk. J. Am. Stat. Assoc. 94, 496-509.
    """
    stays = predict_survival(fit.weighted, covariates, ages, confidence=confidence)
    return Estimates(1 - stays.value, 1 - stays.high, 1 - stays.low)
