"""Regression of counts of successes among trials: maximum likelihood with logit or cloglog link.

One row of n trials is worth n rows of one trial, so a model of any number of accounts is fitted
on the few rows into which their counts fall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.collinearity import check_collinear
from csa.methods.designs import DenseDesign, Design
from csa.methods.links import Derivatives, Link, check_link, derivatives, linear
from csa.methods.symmetric import invert_symmetric, solve_symmetric

FloatArray = NDArray[np.float64]

MOST_STEPS, MOST_HALVINGS = 60, 30
DONE = 1e-10  # squared length of the last step, in standard errors
WALKING = 1e-3  # change of a linear predictor that is not a rounding of a finite estimate
ROUNDING = 1e-12  # of a log-likelihood summed over many rows, relative


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BinomialFit:
    """A fitted regression; numbers are finite whatever the data.

    `separated` lists columns whose estimates have no finite value because they divide successes
    from failures; their figures are those of the last step. `reason` is empty where all is well.
    """

    coefficients: FloatArray
    covariance: FloatArray
    log_likelihood: float  # without the binomial coefficients, and without the ridge
    iterations: int
    converged: bool
    n: float  # trials
    events: float  # successes
    names: tuple[str, ...]
    separated: tuple[int, ...]
    reason: str
    link: Link

    @property
    def std_error(self) -> FloatArray:
        """Standard error of each coefficient."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def aic(self) -> float:
        """Akaike's criterion; a column held back by a ridge still counts in full."""
        return 2 * len(self.coefficients) - 2 * self.log_likelihood


class Counts(NamedTuple):
    """What is regressed, and how: a ridge per column, 0 for none."""

    successes: FloatArray
    trials: FloatArray
    link: Link
    ridge: FloatArray

    def at(self, predictor: FloatArray) -> Derivatives:
        """Log-likelihood and derivatives of each row."""
        return derivatives(predictor, self.successes, self.trials, self.link)

    def penalised(self, found: Derivatives, coefficients: FloatArray) -> float:
        """Log-likelihood less the penalty of the ridge."""
        return float(found.log_likelihood.sum() - self.ridge @ coefficients**2 / 2)


class _Top(NamedTuple):
    """Where Newton's method came to rest."""

    coefficients: FloatArray
    predictor: FloatArray
    last_step: FloatArray
    walked: float  # largest change of a linear predictor in the last step
    iterations: int
    rested: bool


def fit_binomial(  # noqa: PLR0913  what a regression is made of; six are optional
    design: ArrayLike | Design,
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    link: Link = "logit",
    ridge: float | ArrayLike = 0.0,
    clusters: ArrayLike | None = None,
    start: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> BinomialFit:
    """Fit a binomial regression by Newton's method.

    Parameters
    ----------
    design : array_like or Design
        Table of rows × columns, used as it is: an intercept is a column of ones.
    successes, trials : array_like
        Counts per row, 0 <= successes <= trials; fractions are allowed. Trials are the weights.
    link : {"logit", "cloglog"}
        Logit gives odds ratios; cloglog gives the hazard ratios of a proportional hazard in
        continuous time that is read at intervals [2]_.
    ridge : float or array_like
        Penalty λ per column: λ/2 times the squared coefficient is taken off the log-likelihood.
    clusters : array_like, optional
        Key per row (integer or text) of what repeats, such as the account: the covariance is
        then the sandwich summed by cluster.
    start : array_like, optional
        Coefficients to start from, such as those of a fit on nearly the same data.
    names : sequence of str, optional
        Names of the columns, for messages; default "column 0" and on.

    Returns
    -------
    BinomialFit
        Where successes and failures are divided by a combination of columns (separation), no
        finite estimate exists: `converged` is False, `separated` and `reason` say which.

    Raises
    ------
    InputError
        If shapes do not fit, counts are impossible, there are no trials, or columns without a
        ridge are 0 throughout or combinations of others; all such columns are named.

    Notes
    -----
    Newton's steps on the observed information, halved while the log-likelihood falls; at rest
    when a step is shorter than 1e-5 standard errors. The covariance is the inverse of the
    expected information I [1]_ (with ridge (I + Λ)⁻¹, which takes the ridge as a prior [3]_); by
    clusters (J + Λ)⁻¹ (Σ s s') (J + Λ)⁻¹ G / (G - 1), with J the observed information, s the sum
    of the scores of a cluster and G clusters [4]_. Separation: the log-likelihood has come to
    rest while predictors walk on.

    References
    ----------
    .. [1] McCullagh, P., Nelder, J. A. (1989). Generalized Linear Models, 2nd ed., 4. Chapman.
    .. [2] Prentice, R. L., Gloeckler, L. A. (1978). Regression analysis of grouped survival data
       with application to breast cancer data. Biometrics 34, 57-67.
    .. [3] Wood, S. N. (2017). Generalized Additive Models, 2nd ed., 6.10. CRC.
    .. [4] Liang, K.-Y., Zeger, S. L. (1986). Longitudinal data analysis using generalized linear
       models. Biometrika 73, 13-22.
    """
    check_link(link)
    columns = design if isinstance(design, Design) else DenseDesign(design, names)
    counts = _counts(columns, successes, trials, link=link, ridge=ridge)
    return fit_counts(columns, counts, clusters=clusters, start=start)


def fit_counts(
    columns: Design,
    counts: Counts,
    *,
    clusters: ArrayLike | None = None,
    start: ArrayLike | None = None,
) -> BinomialFit:
    """Fit a binomial regression to counts that were checked, or weighted on purpose.

    Parameters
    ----------
    columns : Design
        Columns of the regression.
    counts : Counts
        Arrays in the shape of the design's rows. A row may have fewer trials than successes
        where trials are weighted by what was seen of them.
    clusters, start : array_like, optional
        As for `fit_binomial`.

    Returns
    -------
    BinomialFit
        As of `fit_binomial`.

    Raises
    ------
    InputError
        If columns without a ridge are 0 throughout or combinations of others.
    """
    gram = columns.gram(counts.trials)
    free = np.flatnonzero(counts.ridge == 0)  # what a ridge holds is never undetermined
    check_collinear(gram[np.ix_(free, free)], [columns.names[int(i)] for i in free])
    first = _beginning(columns, counts, gram)
    if start is not None:
        first = _better(columns, counts, (first, np.asarray(start, dtype=float)))
    top = _climb(columns, counts, first)
    found = counts.at(top.predictor)
    if clusters is None:
        covariance = invert_symmetric(columns.gram(found.information) + np.diag(counts.ridge))
    else:
        bread = invert_symmetric(columns.gram(found.curvature) + np.diag(counts.ridge))
        covariance = _sandwich(bread, _cluster_scores(columns, found.slope, np.asarray(clusters)))
    separated = _separated(columns, top)
    return BinomialFit(
        coefficients=top.coefficients,
        covariance=covariance,
        log_likelihood=float(found.log_likelihood.sum()),
        iterations=top.iterations,
        converged=top.rested and not separated,
        n=float(counts.trials.sum()),
        events=float(counts.successes.sum()),
        names=tuple(columns.names),
        separated=separated,
        reason=_reason(columns, top, separated),
        link=counts.link,
    )


def linear_predictor(fit: BinomialFit, design: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Linear predictor of rows and its standard error, by which intervals of risks are made.

    Parameters
    ----------
    fit : BinomialFit
        From `fit_binomial`.
    design : array_like
        Table of rows × the columns of the fit.

    Returns
    -------
    predictor, standard error : ndarray of float
        One per row; `csa.methods.links.probability` turns predictor ± z errors into risks.
    """
    rows = np.asarray(design, dtype=float)
    variance = np.einsum("ij,ij->i", rows @ fit.covariance, rows)
    return rows @ fit.coefficients, np.sqrt(np.maximum(variance, 0.0))


def _counts(
    columns: Design,
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    link: Link,
    ridge: float | ArrayLike,
) -> Counts:
    """Take counts as arrays and refuse impossible ones."""
    k, n = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    penalty = np.asarray(ridge, dtype=float)
    width = len(columns.names)
    rows = columns.predictor(np.zeros(width)).shape
    faults = []
    if not k.shape == n.shape == rows:
        faults.append(f"design of {rows} rows, successes {k.shape}, trials {n.shape}: not one size")
    elif bad := int((~((k >= 0) & (k <= n) & np.isfinite(n))).sum()):
        faults.append(f"{bad} rows have successes or trials that are missing, negative or too many")
    elif not n.sum() > 0:
        faults.append("there are no trials: nothing to fit")
    if penalty.shape not in {(), (width,)} or not (penalty >= 0).all():
        faults.append(f"ridge must be one number >= 0, or {width}, one per column")
    if faults:
        raise InputError(*(f"binomial regression: {fault}" for fault in faults))
    return Counts(k, n, link, np.broadcast_to(penalty, width))


def _beginning(columns: Design, counts: Counts, gram: FloatArray) -> FloatArray:
    """Coefficients nearest to the overall rate; that of an intercept alone, if there is one."""
    n, k = counts.trials.sum(), counts.successes.sum()
    rate = (k + 0.5) / (n + 1)
    aim = columns.transposed(counts.trials * float(linear(rate, counts.link)))
    return solve_symmetric(gram + np.diag(counts.ridge), aim)


def _better(columns: Design, counts: Counts, starts: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Take the start with the higher log-likelihood: a given one may be far off."""
    values = [counts.penalised(counts.at(columns.predictor(x)), x) for x in starts]
    return starts[int(values[1] > values[0])]


def _climb(columns: Design, counts: Counts, first: FloatArray) -> _Top:
    """Newton's method with step halving, to the top of a concave log-likelihood."""
    here, predictor = first, columns.predictor(first)
    found = counts.at(predictor)
    value = counts.penalised(found, here)
    step, walked = np.zeros_like(first), 0.0
    for iteration in range(1, MOST_STEPS + 1):
        score = columns.transposed(found.slope) - counts.ridge * here
        step = solve_symmetric(columns.gram(found.curvature) + np.diag(counts.ridge), score)
        along = columns.predictor(step)
        walked = float(np.abs(along[counts.trials > 0]).max())
        length = float(step @ score)
        share = 1.0
        for _ in range(MOST_HALVINGS):
            found = counts.at(predictor + share * along)
            reached = counts.penalised(found, here + share * step)
            if reached >= value - ROUNDING * abs(value):
                break
            share /= 2
        else:  # no way up: at the top but for rounding, or nowhere
            return _Top(here, predictor, step, walked, iteration, rested=length < WALKING)
        here, predictor, value = here + share * step, predictor + share * along, reached
        if length < DONE:
            return _Top(here, predictor, step, walked, iteration, rested=True)
    return _Top(here, predictor, step, walked, MOST_STEPS, rested=False)


def _cluster_scores(columns: Design, slope: FloatArray, keys: NDArray[np.generic]) -> FloatArray:
    """Sum of the scores of each cluster, clusters × columns."""
    if not isinstance(columns, DenseDesign) or keys.shape != slope.shape:
        raise InputError("binomial regression: clusters need one key per row of a plain table")
    _, place = np.unique(keys, return_inverse=True)
    summed = [np.bincount(place, weights=slope * column) for column in columns.matrix.T]
    return np.column_stack(summed)


def _sandwich(bread: FloatArray, scores: FloatArray) -> FloatArray:
    """Covariance from the sums of scores of clusters, corrected for few clusters."""
    many = len(scores)
    return np.asarray(bread @ (scores.T @ scores) @ bread * (many / max(many - 1, 1)))


def _separated(columns: Design, top: _Top) -> tuple[int, ...]:
    """Columns that still walk although the log-likelihood rests."""
    if not top.rested or top.walked < WALKING:
        return ()
    share = np.abs(top.last_step) * columns.reach()
    return tuple(int(i) for i in np.flatnonzero(share > WALKING))


def _reason(columns: Design, top: _Top, separated: tuple[int, ...]) -> str:
    """Say what is wrong with the estimates, if anything."""
    if not top.rested:
        return f"no rest after {top.iterations} steps; set a ridge or drop columns"
    if not separated:
        return ""
    which = ", ".join(columns.names[i] for i in separated)
    return (
        f"{which}: divides successes from failures without exception, so its estimate has no "
        "finite value; merge it with another, or set a ridge"
    )
