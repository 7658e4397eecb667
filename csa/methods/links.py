"""Links of a probability of churn within an interval to a linear predictor: logit and cloglog."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]
Link = Literal["logit", "cloglog"]

LARGEST = 300.0  # a probability is 0 or 1 long before, and counts times exp(300) do not overflow
SERIES = 1e-4  # below this mean the series is more exact than the difference of two near ones


class Derivatives(NamedTuple):
    """Log-likelihood per row, its slope and curvature (negative) in the linear predictor.

    `information` is the expectation of `curvature`; with the logit the two are one.
    """

    log_likelihood: FloatArray
    slope: FloatArray
    curvature: FloatArray
    information: FloatArray


def check_link(link: str) -> None:
    """Refuse a link that is not known.

    Parameters
    ----------
    link : str
        Name of the link.

    Raises
    ------
    InputError
        If it is neither "logit" nor "cloglog".
    """
    if link not in {"logit", "cloglog"}:
        raise InputError(f'link: "{link}" is neither "logit" nor "cloglog"')


def probability(predictor: ArrayLike, link: Link) -> FloatArray:
    """Probability that belongs to a linear predictor.

    Parameters
    ----------
    predictor : array_like
        Any real numbers.
    link : {"logit", "cloglog"}
        Link of the model.

    Returns
    -------
    ndarray of float
        Shares within [0, 1]: 1 / (1 + e^-x), or 1 - exp(-e^x).
    """
    x = np.clip(np.asarray(predictor, dtype=float), -LARGEST, LARGEST)
    if link == "logit":
        return np.asarray(1 / (1 + np.exp(-x)))
    return np.asarray(-np.expm1(-np.exp(x)))


def linear(share: ArrayLike, link: Link) -> FloatArray:
    """Linear predictor that belongs to a probability.

    Parameters
    ----------
    share : array_like
        Strictly between 0 and 1.
    link : {"logit", "cloglog"}
        Link of the model.

    Returns
    -------
    ndarray of float
        log(p / (1 - p)), or log(-log(1 - p)).
    """
    p = np.asarray(share, dtype=float)
    if link == "logit":
        return np.asarray(np.log(p) - np.log1p(-p))
    return np.asarray(np.log(-np.log1p(-p)))


def derivatives(
    predictor: FloatArray, successes: FloatArray, trials: FloatArray, link: Link
) -> Derivatives:
    """Binomial log-likelihood of each row and its derivatives in the linear predictor.

    Parameters
    ----------
    predictor : ndarray of float
        Linear predictor, any shape.
    successes, trials : ndarray of float
        Counts of the same shape.
    link : {"logit", "cloglog"}
        Link of the model.

    Returns
    -------
    Derivatives
        Without the constant of the binomial coefficients, so that n rows of one trial and one
        row of n trials have the same log-likelihood. Both log-likelihoods are concave, which is
        why Newton's method with step halving finds the one top.
    """
    x = np.clip(predictor, -LARGEST, LARGEST)
    return (_logit if link == "logit" else _cloglog)(x, successes, trials)


def _logit(x: FloatArray, k: FloatArray, n: FloatArray) -> Derivatives:
    small = np.exp(-np.abs(x))  # never overflows
    share = np.where(x >= 0, 1.0, small) / (1 + small)
    weight = n * (small / (1 + small) ** 2)
    value = k * x - n * (np.maximum(x, 0) + np.log1p(small))
    return Derivatives(value, k - n * share, weight, weight)


def _cloglog(x: FloatArray, k: FloatArray, n: FloatArray) -> Derivatives:
    mean = np.exp(x)  # cumulative hazard of the interval
    gone = -np.expm1(-mean)
    stays = np.exp(-mean)
    safe = np.where(gone > 0, gone, 1.0)
    ratio = np.where(gone > 0, mean / safe * stays, 1.0)  # m / (e^m - 1)
    value = k * np.log(np.maximum(gone, np.finfo(float).tiny)) - (n - k) * mean
    bend = np.where(mean < SERIES, mean / 2 - mean**2 / 6, ratio * (mean / safe - 1))
    curvature = (n - k) * mean + k * np.maximum(bend, 0.0)
    # fewer trials than successes, as of accounts seen in part, may bend a row the other way
    curvature = np.maximum(curvature, 0.0)
    return Derivatives(value, k * ratio - (n - k) * mean, curvature, n * mean * ratio)
