"""What a fit does not know: draws of its parameters, and of the totals that follow.

An interval from the fitted parameters alone covers far too seldom (57 % where 95 % is meant, for a
cohort of 2,000): the parameters are uncertain and the purchases are random, and both belong in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.btyd import bg_fit, bg_nbd, pareto_nbd
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import REACH, one_thread
from csa.methods.btyd.model import Fit
from csa.methods.btyd.simulate import future_purchases

FloatArray = NDArray[np.float64]

DRAWS = 1000
TAIL_DF = 7.0  # of the proposal of the importance sampler: heavier than normal
SIMULATED = 20_000  # customers; the totals of more are nearly normal
LEAST_TAIL = 5  # weights that a generalised Pareto distribution can be fitted to
STEP = 1e-3  # of the differences of a total, in standard deviations of the log-parameters


@dataclass(frozen=True, slots=True, eq=False)
class ImportanceDraws:
    """Draws from the likelihood as it is, not as a normal distribution.

    Attributes
    ----------
    log_parameters : ndarray of float
        Draws × parameters, equally likely.
    pareto_k : float
        Tail of the weights; below 0.7 the draws can be trusted.
    effective : float
        Effective number of draws.
    """

    log_parameters: FloatArray
    pareto_k: float
    effective: float


def with_parameters(fit: Fit, log_parameters: FloatArray) -> Fit:
    """Give a fit other parameters, for predictions from a draw.

    Parameters
    ----------
    fit : Fit
        The fit.
    log_parameters : ndarray of float
        Logarithms of all its parameters.

    Returns
    -------
    Fit
        The same in all else.
    """
    values = dict(zip(fit.parameters, map(float, np.exp(log_parameters)), strict=True))
    return replace(fit, parameters=values, log_parameters=log_parameters)


def parameter_draws(fit: Fit, rng: np.random.Generator, *, draws: int = DRAWS) -> FloatArray:
    """Draw log-parameters around the maximum, normal with the covariance of the fit.

    Parameters
    ----------
    fit : Fit
        Any model.
    rng : numpy.random.Generator
        Source of randomness.
    draws : int
        How many.

    Returns
    -------
    ndarray of float
        Draws × parameters. What is held on a border stays there.
    """
    fit.values(*fit.parameters)
    noise = rng.standard_normal((draws, len(fit.parameters))) @ _root(fit.covariance).T
    return fit.log_parameters + np.clip(noise, -REACH, REACH)


def importance_draws(
    fit: Fit,
    negative_log_likelihood: Callable[[FloatArray], float],
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
) -> ImportanceDraws:
    """Draw log-parameters from the likelihood (flat prior on them), by importance resampling.

    Parameters
    ----------
    fit : Fit
        Any model.
    negative_log_likelihood : callable
        Of the data of the fit, at log-parameters.
    rng : numpy.random.Generator
        Source of randomness.
    draws : int
        How many.

    Returns
    -------
    ImportanceDraws
        With the tail index of the weights.

    References
    ----------
    .. [1] Vehtari, A., Simpson, D., Gelman, A., Yao, Y., Gabry, J. (2024). Pareto smoothed
       importance sampling. Journal of Machine Learning Research 25(72), 1-58.
    """
    size = len(fit.parameters)
    normal = rng.standard_normal((draws, size))
    scale = np.sqrt(TAIL_DF / rng.chisquare(TAIL_DF, draws))
    noise = normal * scale[:, None]
    places = fit.log_parameters + np.clip(noise @ _root(fit.covariance).T, -REACH, REACH)
    proposal = -(TAIL_DF + size) / 2 * np.log1p((noise**2).sum(axis=1) / TAIL_DF)
    likelihood = np.array([-negative_log_likelihood(place) for place in places])
    logs = likelihood - proposal
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    chosen = rng.choice(draws, size=draws, p=weight)
    return ImportanceDraws(places[chosen], pareto_k(weight), float(1 / (weight**2).sum()))


def bootstrap_draws(
    fit: Fit, counts: BuyerCounts, rng: np.random.Generator, *, draws: int = DRAWS
) -> FloatArray:
    """Refit to customers drawn with replacement.

    Parameters
    ----------
    fit : Fit
        BG/NBD, MBG/NBD or Pareto/NBD of these customers.
    counts : BuyerCounts
        The customers.
    rng : numpy.random.Generator
        Source of randomness.
    draws : int
        How many.

    Returns
    -------
    ndarray of float
        Log-parameters, draws × parameters.
    """
    if fit.model == pareto_nbd.PARETO_NBD:
        refit: Callable[[FloatArray], FloatArray] = pareto_nbd.Refitter(fit, counts)
    else:
        refit = bg_fit.Refitter(fit, counts)
    rows = counts.compressed()
    with one_thread():
        return np.array([refit(rows.sample(rng).weight) for _ in range(draws)])


def predictive_totals(
    fit: Fit,
    counts: BuyerCounts,
    time: float,
    rng: np.random.Generator,
    *,
    log_parameters: FloatArray | None = None,
) -> FloatArray:
    """Draw what all customers together buy in a time after the end of observation.

    Parameters
    ----------
    fit : Fit
        BG/NBD, MBG/NBD or Pareto/NBD.
    counts : BuyerCounts
        Customers.
    time : float
        Length of time, in the unit of the fit.
    rng : numpy.random.Generator
        Source of randomness.
    log_parameters : ndarray of float, optional
        Draws × parameters; `parameter_draws` where absent.

    Returns
    -------
    ndarray of float
        One total per draw; their quantiles are the bounds of a predictive interval.

    Notes
    -----
    Up to 20,000 customers each draw of the parameters simulates each of them. More are nearly
    normal: the expected total changes linearly over the draws, and the variance around it is that
    of 20,000 simulated customers, scaled.
    """
    rows = counts.compressed()
    places = parameter_draws(fit, rng) if log_parameters is None else log_parameters
    if rows.n <= SIMULATED:
        return np.array(
            [
                float(future_purchases(with_parameters(fit, place), rows, time, rng)[1].sum())
                for place in places
            ]
        )
    mean, slope = _total_and_slope(fit, rows, time)
    noise = np.sqrt(_variance(fit, rows, time, rng)) * rng.standard_normal(len(places))
    totals: FloatArray = np.maximum(mean + (places - fit.log_parameters) @ slope + noise, 0.0)
    return totals


def pareto_k(weights: FloatArray) -> float:
    """Give the tail index of importance weights, from the largest fifth of them.

    Parameters
    ----------
    weights : ndarray of float
        Not negative.

    Returns
    -------
    float
        Shape of the generalised Pareto distribution, by Zhang and Stephens (2009), drawn towards
        1/2 for small tails. Below 0.7 means of the draws can be trusted.
    """
    ordered = np.sort(weights)
    count = int(min(0.2 * len(ordered), 3 * np.sqrt(len(ordered))))
    if count < LEAST_TAIL or len(ordered) <= count:
        return 1.0
    excess = ordered[-count:] - ordered[-count - 1]
    if excess[0] <= 0:
        excess = excess[excess > 0]
    if len(excess) < LEAST_TAIL:
        return 1.0
    n = len(excess)
    grid = 30 + int(np.sqrt(n))
    quarter = excess[int(n / 4 + 0.5) - 1]
    theta = 1 / excess[-1] + (1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3 * quarter)
    shape = np.log1p(-theta[:, None] * excess).mean(axis=1)
    profile = n * (np.log(-theta / shape) - shape - 1)
    share = np.exp(profile - profile.max())
    best = float(share @ theta / share.sum())
    k = float(np.log1p(-best * excess).mean())
    return (n * k + 10 * 0.5) / (n + 10)


def _root(covariance: FloatArray) -> FloatArray:
    """Find a matrix whose square is the covariance, which may be singular."""
    sizes, directions = np.linalg.eigh((covariance + covariance.T) / 2)
    root: FloatArray = directions * np.sqrt(np.maximum(sizes, 0.0))
    return root


def _total_and_slope(fit: Fit, rows: BuyerCounts, time: float) -> tuple[float, FloatArray]:
    """Expect the total, and how it changes with the log-parameters."""
    predict = _residual(fit)

    def total(place: FloatArray) -> float:
        return float(rows.weight @ predict(with_parameters(fit, place), rows, time))

    spread = np.sqrt(np.diag(fit.covariance))
    slope = np.zeros(len(spread))
    for i, width in enumerate(spread):
        if width > 0:
            step = np.zeros(len(spread))
            step[i] = STEP * width
            above, below = total(fit.log_parameters + step), total(fit.log_parameters - step)
            slope[i] = (above - below) / (2 * STEP * width)
    return total(fit.log_parameters), slope


def _variance(fit: Fit, rows: BuyerCounts, time: float, rng: np.random.Generator) -> float:
    """Estimate the variance of the total, parameters given, from a part of the customers."""
    drawn = rng.multinomial(SIMULATED, rows.weight / rows.n)
    kept = drawn > 0
    part = replace(
        rows,
        frequency=rows.frequency[kept],
        recency=rows.recency[kept],
        age=rows.age[kept],
        weight=drawn[kept].astype(np.float64),
    )
    expected = _residual(fit)(fit, part, time)
    row, number = future_purchases(fit, part, time, rng)
    alive = np.bincount(row, minlength=len(part))
    squares = float(((number - expected[row]) ** 2).sum())
    squares += float((part.weight - alive) @ expected**2)
    return squares * rows.n / SIMULATED


def _residual(fit: Fit) -> Callable[[Fit, BuyerCounts, float], FloatArray]:
    """Find the expected purchases to come of the model of a fit."""
    if fit.model == pareto_nbd.PARETO_NBD:
        return pareto_nbd.residual_purchases
    if fit.model in bg_fit.EXTRA:
        return bg_nbd.residual_purchases
    raise InputError(f"{fit.model}: only {', '.join([*bg_fit.EXTRA, pareto_nbd.PARETO_NBD])}")
