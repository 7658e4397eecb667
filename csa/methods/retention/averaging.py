"""Average over retention curves: how far to trust a shape that a few periods cannot settle.

A few periods cannot tell whether the chance to leave moves with age (c), and the survival of
later years hangs on it. Two rules are decided before any later period is looked at:

`average_curves` averages over c. With alpha / (alpha + beta), 1 / (1 + alpha + beta) and log c on
(-log 8, log 8) each uniform beforehand, no value is preferred and the prior is proper, so that
there is an answer for any counts, nobody lost included. The shifted beta-geometric is the point
c = 1 of it and gets no weight of its own.

`past_weights` averages the two models by how well each foretold, within the history, the period
that came next, over all segments together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, gammaln, logsumexp

from csa.errors import InputError
from csa.methods.intervals import Estimates
from csa.methods.retention.bdw import fit_bdw
from csa.methods.retention.counts import RetentionCounts
from csa.methods.retention.curves import (
    STEEPEST,
    RetentionFit,
    log_likelihood,
    log_survival,
    score,
)
from csa.methods.retention.sbg import fit_sbg

FloatArray = NDArray[np.float64]

PROPOSALS, MOST_PROPOSALS = 2000, 128_000
DRAWS = 1000
TAILS = 5.0  # degrees of freedom of the proposal
WIDER = 1.1  # the proposal is this much wider than what it is taken from
FLATTEST = 0.1  # smallest curvature taken: about that of the prior
NEAR_TOP = 0.01  # slope at which the search for the top may end
GRID = np.array(
    [
        (a, b, c)
        for a in (-6.0, -4.5, -3.0, -2.0, -1.0, 0.0, 1.5)
        for b in (-5.0, -3.0, -1.5, 0.0, 1.5, 3.0)
        for c in (-0.6, -0.2, 0.2, 0.6)
    ]
)
ENOUGH = 500.0  # effective draws that are enough
LEAST_SIZE = 100.0  # effective draws below which the average is "unclear"
FEWEST_PAST = 3  # periods a beta-discrete-Weibull needs before it can foretell one


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RetentionAverage:
    """Curves drawn from what the counts leave open.

    `logs` are logs of alpha, beta and c, 3 × draws. `effective` is the effective number of
    proposals behind them, `log_evidence` the log of the mean likelihood under the prior, `centre`
    the likeliest curve.
    """

    logs: FloatArray
    centre: FloatArray
    effective: float
    log_evidence: float
    status: str
    reason: str

    def curves(self, periods: ArrayLike) -> FloatArray:
        """Survival of every draw.

        Parameters
        ----------
        periods : array_like
            Ages, not negative.

        Returns
        -------
        ndarray of float
            Draws × ages.
        """
        return np.exp(log_survival(self.logs, np.asarray(periods, dtype=float)))

    def survival(self, periods: ArrayLike, *, confidence: float = 0.95) -> Estimates:
        """Mean survival and the limits between which the middle of the draws lies.

        Parameters
        ----------
        periods : array_like
            Ages, not negative.
        confidence : float
            Level of the interval, share in (0, 1).

        Returns
        -------
        Estimates
            One per age.
        """
        drawn = self.curves(periods)
        tail = (1 - confidence) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
        return Estimates(drawn.mean(axis=0), low, high)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PastWeights:
    """Weights of the two models by what they foretold; `score` is the sum of log-likelihoods."""

    sbg: float
    bdw: float
    score_sbg: float
    score_bdw: float
    foretold: int  # periods, over all segments


def average_curves(
    counts: RetentionCounts,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    fixed_c: bool = False,
) -> RetentionAverage:
    """Average over all curves in the measure in which the counts speak for them.

    Parameters
    ----------
    counts : RetentionCounts
        Lost and kept by period; may be empty.
    rng : numpy.random.Generator
        Source of randomness.
    draws : int
        Number of curves drawn.
    fixed_c : bool
        True: only the shifted beta-geometric, c = 1.

    Returns
    -------
    RetentionAverage
        "unclear" where the proposal misses the posterior.

    Notes
    -----
    On the logits of the three uniform numbers the prior is a product of standard logistic
    densities. Draws are importance-resampled from a multivariate t around the mode [1]_; the mean
    of their curves is the model average, and includes what is not known of the parameters.

    References
    ----------
    .. [1] Hoeting, J. A., Madigan, D., Raftery, A. E., Volinsky, C. T. (1999). Bayesian model
       averaging: a tutorial. Stat. Sci. 14, 382-417.
    """
    free = 2 if fixed_c else 3
    mode, spread = _mode(counts, free)
    root = np.asarray(np.linalg.cholesky(spread), dtype=np.float64)
    points, log_weights = _proposed(counts, mode, root, rng, PROPOSALS)
    many = PROPOSALS
    while True:  # narrow posteriors of few periods are bent; more points where too few count
        points, log_weights = _proposed(counts, *_moments(points, log_weights), rng, many)
        total = float(logsumexp(log_weights))
        weights = np.exp(log_weights - total)
        effective = float(1 / (weights**2).sum())
        if effective >= ENOUGH or many >= MOST_PROPOSALS:
            break
        many *= 4
    places = (np.arange(draws) + rng.uniform()) / draws
    taken = np.minimum(np.searchsorted(np.cumsum(weights), places), many - 1)
    poor = effective < LEAST_SIZE
    return RetentionAverage(
        logs=_logs(points[taken]),
        centre=_logs(mode[None])[:, 0],
        effective=effective,
        log_evidence=total - float(np.log(many)),
        status="unclear" if poor else "ok",
        reason=f"only {effective:.0f} effective draws" if poor else "",
    )


def _proposed(
    counts: RetentionCounts,
    centre: FloatArray,
    root: FloatArray,
    rng: np.random.Generator,
    many: int,
) -> tuple[FloatArray, FloatArray]:
    """Points from a multivariate t, and the logs of their weights."""
    scale = np.sqrt(TAILS / rng.chisquare(TAILS, many))
    step = rng.standard_normal((many, len(centre))) * scale[:, None]
    points = centre + step @ (WIDER * root).T
    return points, _posterior(points, counts) - _log_t(step, WIDER * root)


def _moments(points: FloatArray, log_weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centre and root of the spread of weighted points, for a better proposal."""
    weights = np.exp(log_weights - logsumexp(log_weights))
    centre = weights @ points
    apart = points - centre
    spread = (apart * weights[:, None]).T @ apart + 1e-8 * np.eye(len(centre))
    return centre, np.asarray(np.linalg.cholesky(spread))


def _logs(points: FloatArray) -> FloatArray:
    """Turn logits of the uniform numbers into logs of alpha, beta and c."""
    u = expit(np.clip(points, -30, 30))
    mean, alike = u[:, 0], u[:, 1]
    size = (1 - alike) / alike  # alpha + beta
    free_c = points.shape[1] == 3
    log_c = STEEPEST * (2 * u[:, 2] - 1) if free_c else np.zeros(len(points))
    return np.array([np.log(mean * size), np.log((1 - mean) * size), log_c])


def _posterior(points: FloatArray, counts: RetentionCounts) -> FloatArray:
    """Log-likelihood plus the log of the standard logistic densities."""
    prior = (-np.abs(points) - 2 * np.log1p(np.exp(-np.abs(points)))).sum(axis=1)
    return np.asarray(log_likelihood(_logs(points), counts) + prior)


def _mode(counts: RetentionCounts, free: int) -> tuple[FloatArray, FloatArray]:
    """Top of the posterior and the inverse of its curvature, never wider than the prior."""

    def slopes(point: FloatArray) -> tuple[float, FloatArray]:
        return _height(point, counts)

    start = GRID[:, :free]
    best = start[int(np.argmax(_posterior(start, counts)))]
    options = {"gtol": NEAR_TOP, "maxiter": 60}  # the proposal learns the rest
    top = np.asarray(minimize(slopes, best, jac=True, method="BFGS", options=options).x)
    step = 1e-4 * np.eye(free)
    rows = [(slopes(top + s)[1] - slopes(top - s)[1]) / 2e-4 for s in step]
    values, vectors = np.linalg.eigh((np.array(rows) + np.array(rows).T) / 2)
    return top, np.asarray((vectors / np.maximum(values, FLATTEST)) @ vectors.T)


def _height(point: FloatArray, counts: RetentionCounts) -> tuple[float, FloatArray]:
    """Minus the log posterior and its slopes in the logits."""
    near = np.clip(point, -30, 30)
    u = expit(near)
    by_logs = score(_logs(near[None])[:, 0], counts)
    slope = [(1 - u[0]) * by_logs[0] - u[0] * by_logs[1], -by_logs[0] - by_logs[1]]
    if len(point) == 3:
        slope.append(2 * STEEPEST * u[2] * (1 - u[2]) * by_logs[2])
    return -float(_posterior(point[None], counts)[0]), -(np.array(slope) + 1 - 2 * u)


def _log_t(step: FloatArray, root: FloatArray) -> FloatArray:
    """Log density of the proposal at standardised steps."""
    free = step.shape[1]
    whole = float(gammaln((TAILS + free) / 2) - gammaln(TAILS / 2))
    whole -= free / 2 * np.log(TAILS * np.pi) + float(np.log(np.diag(root)).sum())
    far = (step**2).sum(axis=1) / TAILS
    return np.asarray(whole - (TAILS + free) / 2 * np.log1p(far))


def past_weights(histories: Sequence[RetentionCounts]) -> PastWeights:
    """Weigh the two models by how well each foretold the next period, within the history.

    Parameters
    ----------
    histories : sequence of RetentionCounts
        Counts of segments that are taken to favour the same model.

    Returns
    -------
    PastWeights
        Both 1/2 where no history is long enough.

    Raises
    ------
    InputError
        If there is no history.

    Notes
    -----
    For each period after the third, both models are fitted to the periods before it and scored by
    the log-likelihood of what that period brought; weights are proportional to the exponentials
    of the sums over periods and segments (prequential [1]_). Fits that are unclear score nothing
    for either.

    References
    ----------
    .. [1] Dawid, A. P. (1984). Statistical theory: the prequential approach. J. R. Stat. Soc. A
       147, 278-292.
    """
    if not histories:
        raise InputError("past_weights: no history")
    scores = [pair for h in histories for pair in _foretold(h)]
    sbg, bdw = (float(sum(s[i] for s in scores)) for i in (0, 1))
    weight = float(expit(bdw - sbg))
    return PastWeights(
        sbg=1 - weight, bdw=weight, score_sbg=sbg, score_bdw=bdw, foretold=len(scores)
    )


def _foretold(counts: RetentionCounts) -> list[tuple[float, float]]:
    """Log-likelihoods of each later period by the two models fitted to those before it."""
    found = []
    for last, period in enumerate(counts.period[FEWEST_PAST:], start=FEWEST_PAST):
        before = counts.until(counts.period[last - 1])
        fits = fit_sbg(before), fit_bdw(before)
        if all(fit.status == "ok" for fit in fits):
            one = RetentionCounts(
                period=np.array([period]),
                at_risk=counts.at_risk[[last]],
                lost=counts.lost[[last]],
            )
            pair = [float(log_likelihood(fit.logs[:, None], one)[0]) for fit in fits]
            found.append((pair[0], pair[1]))
    return found


def weighted_survival(
    weights: PastWeights, sbg: RetentionFit, bdw: RetentionFit, periods: ArrayLike
) -> FloatArray:
    """Survival averaged over the two models.

    Parameters
    ----------
    weights : PastWeights
        From `past_weights`.
    sbg, bdw : RetentionFit
        Fitted to one segment.
    periods : array_like
        Ages, not negative.

    Returns
    -------
    ndarray of float
        NaN where a fit is unclear.
    """
    return weights.sbg * sbg.survival(periods) + weights.bdw * bdw.survival(periods)
