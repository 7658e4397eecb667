"""Parametric survival (accelerated failure time): Weibull, log-normal, log-logistic.

log T = μ + xβ + σε, fitted by lifelines, which does this right with late entry, multiplicities
and interval censoring once it is told to go on to the top of the likelihood. What a fit says at
an age, with its standard error, is computed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.aft.lifelines import find_top
from csa.methods.aft.likelihood import DISTRIBUTIONS, Distribution, hazard_at
from csa.methods.aft.times import Lifetimes, lifetimes, table_lifetimes
from csa.methods.collinearity import check_collinear

__all__ = [
    "DISTRIBUTIONS",
    "AftFit",
    "Distribution",
    "Lifetimes",
    "cumulative_hazard",
    "fit_aft",
    "lifetimes",
    "table_lifetimes",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AftFit:
    """A fitted model; without convergence its numbers are NaN and `reason` says so."""

    distribution: Distribution
    coefficients: FloatArray  # intercept first, on the scale of log time
    log_scale: float  # log σ
    covariance: FloatArray  # of the coefficients and log σ
    log_likelihood: float
    n: float
    events: float
    names: tuple[str, ...]
    converged: bool
    reason: str = ""

    @property
    def std_error(self) -> FloatArray:
        """Standard error of each coefficient and, last, of log σ."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * len(self.covariance) - 2 * self.log_likelihood


def fit_aft(
    times: Lifetimes,
    distribution: Distribution,
    *,
    design: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> AftFit:
    """Fit one distribution by maximum likelihood.

    Parameters
    ----------
    times : Lifetimes
        From `lifetimes` or `table_lifetimes`.
    distribution : {"weibull", "lognormal", "loglogistic"}
        Of the time: ε follows the smallest extreme value, normal or logistic distribution.
    design : array_like, optional
        Columns that move log time, one row per row of `times`; no constant.
    names : sequence of str, optional
        Names of the columns, for messages.

    Returns
    -------
    AftFit
        `converged` False with a reason where lifelines finds no top.

    Raises
    ------
    InputError
        If the distribution is not known, there is no event, or columns are combinations of
        others or constant.

    Notes
    -----
    With rows of counts c, entry e and end t the log-likelihood is Σ c (log f(t) - log S(e)) for
    events at t, Σ c (log (S(a) - S(t)) - log S(e)) for events after a up to t, and Σ c (log S(t)
    - log S(e)) for the rest [1]_. R's `survreg` calls μ and β the same, σ its scale. The
    covariance is the inverse of the observed information.

    References
    ----------
    .. [1] Kalbfleisch, J. D., Prentice, R. L. (2002). The Statistical Analysis of Failure Time
       Data, 2nd ed., 3. Wiley.
    """
    if distribution not in DISTRIBUTIONS:
        raise InputError(f'distribution: "{distribution}" is none of {", ".join(DISTRIBUTIONS)}')
    if not times.event.any():
        raise InputError("lifetimes: no event among them; nothing can be fitted")
    columns = np.empty((len(times.time), 0)) if design is None else np.asarray(design, dtype=float)
    width = columns.shape[1]
    given = [f"column {i}" for i in range(width)] if names is None else list(names)
    with_one = np.column_stack([np.ones(len(columns)), columns])
    check_collinear((with_one.T * times.copies) @ with_one, ["the constant", *given])
    unit = float(np.average(times.time, weights=times.copies))  # lifelines likes times near 1
    found = None
    if len(np.unique(times.time[times.event])) > 1:  # else the narrowest shape is the likeliest
        found = find_top(times, distribution, columns, unit)
    size = width + 2
    exact = float(times.copies[times.event & (times.after == times.time)].sum())
    converged = found is not None
    theta, covariance, value = found or (
        np.full(size, np.nan),
        np.full((size, size), np.nan),
        np.nan,
    )
    theta[0] += np.log(unit)
    return AftFit(
        distribution=distribution,
        coefficients=theta[:-1],
        log_scale=float(theta[-1]),
        covariance=covariance,
        log_likelihood=value - exact * float(np.log(unit)),
        n=float(times.copies.sum()),
        events=float(times.copies[times.event].sum()),
        names=("(Intercept)", *given),
        converged=converged,
        reason="" if converged else f"lifelines finds no top of the {distribution} likelihood",
    )


def cumulative_hazard(
    fit: AftFit, ages: ArrayLike, row: ArrayLike = ()
) -> tuple[FloatArray, FloatArray]:
    """Cumulative hazard -log S at ages, and its slopes in the parameters.

    Parameters
    ----------
    fit : AftFit
        From `fit_aft`.
    ages : array_like
        Ages, 0 or more.
    row : array_like
        Values of the columns of the design.

    Returns
    -------
    hazard, slopes : ndarray of float
        One per age; ages × (coefficients and log σ). With the covariance of the fit the slopes
        give the variance of anything made of S by the delta method.
    """
    x = np.concatenate([[1.0], np.asarray(row, dtype=float)])
    at = hazard_at(
        fit.distribution, np.asarray(ages, dtype=float), x @ fit.coefficients, fit.log_scale
    )
    return at.hazard, np.column_stack([at.by_location[:, None] * x, at.by_log_scale])
