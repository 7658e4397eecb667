"""What a Pareto/NBD fit expects: of a new customer, and of one whose purchases are known.

With `merged_days` in the fit, purchases are counted as in the data: those within one step once.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import exprel, gammaln

from csa.errors import InputError
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.discounting import rate_per_unit
from csa.methods.btyd.model import Fit, times_ahead
from csa.methods.btyd.pareto_nbd_likelihood import history, log_likelihoods, rising

FloatArray = NDArray[np.float64]

NAMES = ("r", "alpha", "s", "beta")
PANELS = 64
NOTHING = 45.0  # exponent at which an integrand has vanished: exp(-45) is 3e-20
PLACES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def log_likelihood(fit: Fit, counts: BuyerCounts) -> float:
    """Give the log-likelihood of customers under a fit, for example of a holdout cohort.

    Parameters
    ----------
    fit : Fit
        Pareto/NBD.
    counts : BuyerCounts
        Customers, in any unit.

    Returns
    -------
    float
        In the unit of the fit.
    """
    parameters = np.array(fit.values(*NAMES))
    known = _in_unit_of(fit, counts)
    return float(known.weight @ log_likelihoods(history(known), parameters)[0])


def expected_purchases(fit: Fit, time: ArrayLike) -> FloatArray:
    """Give E[X(t)]: repeat purchases of a new customer within a time of the first.

    Parameters
    ----------
    fit : Fit
        Pareto/NBD.
    time : array_like of float
        Time since the first purchase, in the unit of the fit.

    Returns
    -------
    ndarray of float
        Purchases; purchase days where the fit is to merged counts.
    """
    r, alpha, s, beta = fit.values(*NAMES)
    rate = _rate(np.asarray(r), np.asarray(alpha), _merged(fit))
    before = _merged(fit) / 2  # of the step of the first purchase, in which no more are counted
    there = np.exp(-s * np.log1p(before / beta))
    return np.asarray(rate * there * _lived(s, np.asarray(beta + before), times_ahead(time)))


def purchase_probability(fit: Fit, purchases: ArrayLike, time: float) -> FloatArray:
    """Give P(X(t) = x) of a new customer.

    Parameters
    ----------
    fit : Fit
        Pareto/NBD.
    purchases : array_like of int
        Repeat purchases x.
    time : float
        Time since the first purchase, in the unit of the fit.

    Returns
    -------
    ndarray of float
        Shares, of the shape of `purchases`. Of purchases, not of purchase days, also where the fit
        is to merged counts.

    Raises
    ------
    InputError
        If purchases are no whole numbers of at least 0.
    """
    r, alpha, s, beta = fit.values(*NAMES)
    counts = np.asarray(purchases, dtype=np.float64)
    if (counts < 0).any() or (counts != np.rint(counts)).any():
        raise InputError("purchase probability: purchases must be whole numbers, 0 or more")
    if not times_ahead(time) > 0:
        return np.where(counts == 0, 1.0, 0.0)
    x, place = np.unique(counts, return_inverse=True)
    scale = min(alpha, beta)
    edges = scale * np.expm1(np.linspace(0.0, np.log1p(time / scale), PANELS + 1))
    half = np.diff(edges)[:, None] / 2
    nodes = np.append((edges[:-1, None] + half * (PLACES + 1)).ravel(), time)
    leaving = s / (beta + nodes) * np.exp(-s * np.log1p(nodes / beta))
    weight = np.append((half * WEIGHTS).ravel() * leaving[:-1], leaving[-1] * (beta + time) / s)
    logs = rising(r, x.astype(np.int64))[0] - gammaln(x + 1.0)
    exponents = logs[:, None] - r * np.log1p(nodes / alpha)
    bought = np.exp(exponents - x[:, None] * np.log1p(alpha / nodes))
    return np.asarray((bought @ weight)[place].reshape(counts.shape))


def probability_alive(fit: Fit, counts: BuyerCounts) -> FloatArray:
    """Give P(alive): the chance that a customer has not left by the end of observation.

    Parameters
    ----------
    fit : Fit
        Pareto/NBD.
    counts : BuyerCounts
        Customers, in any unit.

    Returns
    -------
    ndarray of float
        One share per row.
    """
    parameters = np.array(fit.values(*NAMES))
    known = _in_unit_of(fit, counts)
    return log_likelihoods(history(known, alone=True), parameters)[1]


def residual_purchases(fit: Fit, counts: BuyerCounts, time: ArrayLike) -> FloatArray:
    """Give the expected purchases of each customer in a time after the end of observation.

    Parameters
    ----------
    fit : Fit
        Pareto/NBD.
    counts : BuyerCounts
        Customers, in any unit.
    time : array_like of float
        Length of time, in the unit of the fit: one, or one per row.

    Returns
    -------
    ndarray of float
        One per row; purchase days where the fit is to merged counts.
    """
    _, _, s, _ = fit.values(*NAMES)
    buying, until = _buying(fit, counts)
    return np.asarray(buying * _lived(s, until, times_ahead(time)))


def discounted_residual(
    fit: Fit, counts: BuyerCounts, *, annual_rate: float, horizon_days: float = np.inf
) -> FloatArray:
    """Give the discounted expected purchases after the end of observation (DERT [1]_).

    Parameters
    ----------
    fit : Fit
        Pareto/NBD.
    counts : BuyerCounts
        Customers, in any unit.
    annual_rate : float
        Annual effective discount rate, share.
    horizon_days : float
        Days from now after which nothing counts; infinite for the whole residual life.

    Returns
    -------
    ndarray of float
        One per row.

    Raises
    ------
    InputError
        If the horizon is negative, or neither it nor the rate makes the sum finite.

    Notes
    -----
    P(alive) (r + x) / (alpha + T) × ∫ e^-dt (1 + t / (beta + T))^-s dt. The textbook's confluent
    hypergeometric function is this integral; it is taken over the logarithm of beta + T + t.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005). RFM and CLV: using iso-value curves
       for customer base analysis. J. Marketing Research 42(4), 415-430.
    """
    _, _, s, _ = fit.values(*NAMES)
    unit = _unit(fit)
    rate, horizon = rate_per_unit(annual_rate, unit), horizon_days / unit
    if np.isnan(horizon) or horizon < 0:
        raise InputError(f"horizon: {horizon_days} days is not a length of time from now")
    if rate == 0.0 and np.isinf(horizon) and s <= 1.0:
        raise InputError(
            f"horizon: {fit.model} expects purchases without end (s = {s:.3g} is at most 1); give "
            "a horizon in days or an annual rate above 0"
        )
    buying, until = _buying(fit, counts)
    distinct, row = np.unique(until, return_inverse=True)
    if rate == 0.0:
        endless = np.isinf(horizon)
        lived = distinct / (s - 1.0) if endless else _lived(s, distinct, np.asarray(horizon))
    else:
        lived = distinct * _discounted(rate * distinct, s)
        if np.isfinite(horizon):
            later = distinct + horizon
            shrunk = np.exp(-rate * horizon - s * np.log(later / distinct))
            lived -= shrunk * later * _discounted(rate * later, s)
            lived = np.maximum(lived, 0.0)
    return np.asarray(buying * lived[row])


def _unit(fit: Fit) -> float:
    """Length of the unit of time of a fit, days."""
    if fit.unit_days is None:
        raise InputError(f"{fit.model}: the fit states no unit of time; fit it from counts")
    return fit.unit_days


def _merged(fit: Fit) -> float:
    """Units of time within which purchases count once."""
    return fit.merged_days / _unit(fit)


def _in_unit_of(fit: Fit, counts: BuyerCounts) -> BuyerCounts:
    """Tell customers in the unit of the fit."""
    unit = _unit(fit)
    return counts if counts.unit_days == unit else counts.in_unit(unit)


def _buying(fit: Fit, counts: BuyerCounts) -> tuple[FloatArray, FloatArray]:
    """Give the expected purchases per unit just after the end, and beta + life at the end."""
    r, alpha, _, beta = fit.values(*NAMES)
    counts = _in_unit_of(fit, counts)
    customers = history(counts, alone=True)
    _, there = log_likelihoods(customers, np.array(fit.values(*NAMES)))
    at_risk, life = customers.exposure.at[:, customers.end]
    rate = _rate(np.asarray(r + counts.frequency), alpha + at_risk, _merged(fit))
    return np.asarray(there * rate), np.asarray(beta + life)


def _rate(shape: FloatArray, rate: FloatArray, merged: float) -> FloatArray:
    """Purchases per unit at a rate that is gamma; with `merged`, chances of any within so long."""
    if not merged:
        return np.asarray(shape / rate)
    return np.asarray(-np.expm1(-shape * np.log1p(merged / rate)) / merged)


def _lived(s: float, since: FloatArray, time: FloatArray) -> FloatArray:
    """Time that a customer is expected to stay of the next `time`: ∫ (1 + u / since)^-s du."""
    logs = np.log1p(time / since)
    return np.asarray(since * logs * exprel((1.0 - s) * logs))


def _discounted(z: FloatArray, s: float) -> FloatArray:
    """Integrate e^-zv (1 + v)^-s over v from 0 on, over w = ln(1 + v)."""
    far = np.log1p(NOTHING / z)
    if s > 1.0:
        far = np.minimum(far, NOTHING / (s - 1.0))
    half = far / (2 * PANELS)
    total = np.zeros(len(z))
    for panel in range(PANELS):
        w = half[:, None] * (2 * panel + 1 + PLACES)
        total += np.exp((1.0 - s) * w - z[:, None] * np.expm1(w)) @ WEIGHTS
    return total * half
