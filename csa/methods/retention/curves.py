"""The beta-discrete-Weibull curve and its likelihood; c = 1: the shifted beta-geometric.

Each customer renews with a probability of his own, 1 - θ, drawn from a beta distribution; with c
other than 1 the chance to leave also changes with age for everybody:

    S(t) = B(alpha, beta + t ** c) / B(alpha, beta).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import gammaln, psi

from csa.errors import InputError
from csa.methods.retention.counts import RetentionCounts

FloatArray = NDArray[np.float64]

WIDEST = 9.0  # largest |log| of alpha and beta
STEEPEST = float(np.log(8.0))  # largest |log c|
STARTS = ((0.0, 0.0, 0.0), (1.0, 2.0, 0.4), (-1.0, 1.0, 0.4), (2.0, 4.0, -0.4), (-1.0, -1.0, 0.0))
SAME = 1e-6  # log-likelihoods this close are the same maximum
LEAST_HAZARD = 1e-300


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RetentionFit:
    """A fitted curve; `c` is 1 for the shifted beta-geometric.

    `covariance` is that of the logs of the free parameters (alpha, beta[, c]); NaN where the top
    lies on a boundary. `starts` of how many starts, how many reached the top. `status` is
    "unclear" with a `reason` where the data say nothing about a curve; `diagnosis` are remarks on
    a fit that stands.
    """

    model: str
    alpha: float
    beta: float
    c: float
    covariance: FloatArray
    standard_errors: dict[str, float]
    log_likelihood: float
    n: float
    events: float
    converged: bool
    starts: tuple[int, int]
    status: str
    reason: str
    diagnosis: tuple[str, ...]

    @property
    def logs(self) -> FloatArray:
        """Logs of alpha, beta and c."""
        return np.log([self.alpha, self.beta, self.c])

    @property
    def free(self) -> int:
        """Number of parameters fitted."""
        return len(self.covariance)

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.free - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, n the customers at risk in the first period seen."""
        return self.free * float(np.log(max(self.n, 1.0))) - 2 * self.log_likelihood

    @property
    def mean_churn(self) -> float:
        """Expected probability to leave at the first renewal."""
        return self.alpha / (self.alpha + self.beta)

    def survival(self, periods: ArrayLike) -> FloatArray:
        """Share of customers left after periods.

        Parameters
        ----------
        periods : array_like
            Ages, not negative.

        Returns
        -------
        ndarray of float
            S(t), 1 at age 0.
        """
        return np.asarray(np.exp(log_survival(self.logs, np.asarray(periods, dtype=float))))

    def retention(self, periods: ArrayLike) -> FloatArray:
        """Share of those left at the last renewal that renews at the next.

        Parameters
        ----------
        periods : array_like
            Ages from 1.

        Returns
        -------
        ndarray of float
            S(t) / S(t - 1).
        """
        t = np.asarray(periods, dtype=float)
        return np.asarray(np.exp(log_survival(self.logs, t) - log_survival(self.logs, t - 1)))


def log_survival(logs: FloatArray, periods: FloatArray) -> FloatArray:
    """Log of survival at ages.

    Parameters
    ----------
    logs : ndarray of float
        Logs of alpha, beta and c along the first axis; further axes are draws.
    periods : ndarray of float
        Ages, not negative.

    Returns
    -------
    ndarray of float
        Draws × ages.
    """
    a, b, c = (np.exp(x)[..., None] for x in logs)
    x = np.power(periods, c)
    return np.asarray(gammaln(b + x) - gammaln(a + b + x) - gammaln(b) + gammaln(a + b))


def _slopes(logs: FloatArray, periods: FloatArray) -> FloatArray:
    """Slopes of log survival in the logs of the parameters: 3 × ages."""
    a, b, c = np.exp(logs)
    x = np.power(periods, c)
    whole, part = psi(a + b + x), psi(b + x)
    grows = x * np.log(np.maximum(periods, 1.0)) * c
    by_c = (part - whole) * grows
    return np.array([a * (psi(a + b) - whole), b * (part - whole - psi(b) + psi(a + b)), by_c])


def log_likelihood(logs: FloatArray, counts: RetentionCounts) -> FloatArray:
    """Log-likelihood of counts, for one set of parameters or for many draws.

    Parameters
    ----------
    logs : ndarray of float
        Logs of alpha, beta and c along the first axis.
    counts : RetentionCounts
        Lost and kept by period.

    Returns
    -------
    ndarray of float
        Σ lost log h + kept log (1 - h), one per draw.
    """
    ages = np.union1d(counts.period, counts.period - 1)  # each age once: most of the time
    curve = log_survival(logs, ages)
    now = np.searchsorted(ages, counts.period)
    stays = curve[..., now] - curve[..., np.searchsorted(ages, counts.period - 1)]
    leaves = np.log(np.maximum(-np.expm1(stays), LEAST_HAZARD))
    return np.asarray((counts.lost * leaves + counts.kept * stays).sum(axis=-1))


def _objective(logs: FloatArray, counts: RetentionCounts) -> tuple[float, FloatArray]:
    """Minus the log-likelihood and its gradient."""
    t = counts.period
    stays = log_survival(logs, t) - log_survival(logs, t - 1)
    slope = _slopes(logs, t) - _slopes(logs, t - 1)
    hazard = np.maximum(-np.expm1(stays), LEAST_HAZARD)
    value = (counts.lost * np.log(hazard) + counts.kept * stays).sum()
    weight = counts.kept - counts.lost * (1 - hazard) / hazard
    return -float(value), -np.asarray(slope @ weight)


def score(logs: FloatArray, counts: RetentionCounts) -> FloatArray:
    """Slopes of the log-likelihood in the logs of alpha, beta and c.

    Parameters
    ----------
    logs : ndarray of float
        Logs of alpha, beta and c.
    counts : RetentionCounts
        Lost and kept by period.

    Returns
    -------
    ndarray of float
        Three slopes.
    """
    return -_objective(logs, counts)[1]


def maximise(counts: RetentionCounts, *, model: str, free: int) -> RetentionFit:
    """Fit the first parameters of (alpha, beta, c) by maximum likelihood.

    Parameters
    ----------
    counts : RetentionCounts
        Lost and kept by period.
    model : str
        Name given to the fit.
    free : int
        2: alpha and beta with c = 1; 3: all.

    Returns
    -------
    RetentionFit
        "unclear" where nobody left, everybody did, or there are fewer periods than parameters.

    Raises
    ------
    InputError
        If `free` is neither 2 nor 3.
    """
    if free not in {2, 3}:
        raise InputError(f"retention: {free} free parameters; 2 or 3")
    if reason := _says_nothing(counts, free):
        return _unclear(counts, model, free, reason)

    def objective(some: FloatArray) -> tuple[float, FloatArray]:
        value, slope = _objective(np.append(some, np.zeros(3 - free)), counts)
        return value, slope[:free]

    bounds = [(-WIDEST, WIDEST), (-WIDEST, WIDEST), (-STEEPEST, STEEPEST)][:free]
    options = {"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9}
    tops = [
        minimize(
            objective, start[:free], jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        for start in np.array(STARTS)
    ]
    best = min(tops, key=lambda top: float(top.fun))
    reached = sum(float(top.fun) - float(best.fun) < SAME * max(1.0, counts.events) for top in tops)
    return _fit(counts, model, np.asarray(best.x), -float(best.fun), (len(tops), reached))


def _says_nothing(counts: RetentionCounts, free: int) -> str:
    """Return why there is no fit, if so."""
    if len(counts.period) < free:
        return f"{len(counts.period)} periods seen; {free} parameters need {free}"
    if not counts.lost.any():
        return "nobody left in the periods seen"
    if not counts.kept.any():
        return "all left in the periods seen"
    return ""


def _unclear(counts: RetentionCounts, model: str, free: int, reason: str) -> RetentionFit:
    nan = float("nan")
    return RetentionFit(
        model=model,
        alpha=nan,
        beta=nan,
        c=nan if free == 3 else 1.0,
        covariance=np.full((free, free), nan),
        standard_errors={},
        log_likelihood=nan,
        n=float(counts.at_risk[0]) if len(counts.at_risk) else 0.0,
        events=counts.events,
        converged=False,
        starts=(0, 0),
        status="unclear",
        reason=reason,
        diagnosis=(),
    )


def _fit(
    counts: RetentionCounts, model: str, top: FloatArray, height: float, starts: tuple[int, int]
) -> RetentionFit:
    free = len(top)
    logs = np.append(top, np.zeros(3 - free))
    covariance = _covariance(logs, counts, free)
    values = np.exp(logs)
    errors = values[:free] * np.sqrt(np.diag(covariance))
    at_edge = np.abs(logs[:2]).max() > WIDEST - 0.01 or abs(logs[2]) > STEEPEST - 0.01
    diagnosis = []
    if logs[:2].max() > WIDEST - 0.01:
        diagnosis.append("no difference between customers: the geometric boundary")
    elif at_edge:
        diagnosis.append("the top of the likelihood lies on the edge of the box")
    if starts[1] < starts[0]:
        diagnosis.append(f"{starts[1]} of {starts[0]} starts reached the top")
    return RetentionFit(
        model=model,
        alpha=float(values[0]),
        beta=float(values[1]),
        c=float(values[2]),
        covariance=covariance,
        standard_errors=dict(zip(("alpha", "beta", "c"), errors.tolist(), strict=False)),
        log_likelihood=height,
        n=float(counts.at_risk[0]),
        events=counts.events,
        converged=not at_edge and starts[1] >= 2,
        starts=starts,
        status="ok",
        reason="",
        diagnosis=tuple(diagnosis),
    )


def _covariance(logs: FloatArray, counts: RetentionCounts, free: int) -> FloatArray:
    """Inverse of the curvature, by central differences of the exact slopes."""
    step = 1e-5
    rows = []
    for i in range(free):
        shift = np.zeros(3)
        shift[i] = step
        up, down = _objective(logs + shift, counts)[1], _objective(logs - shift, counts)[1]
        rows.append((up - down)[:free] / (2 * step))
    curvature = np.array(rows)
    curvature = (curvature + curvature.T) / 2
    if not (np.linalg.eigvalsh(curvature) > 1e-10).all():
        return np.full((free, free), np.nan)
    return np.asarray(np.linalg.inv(curvature))
