"""BG/BB: buyers with opportunities at fixed times, such as a yearly appeal (Fader et al. 2010).

While there, a customer buys at each opportunity with a chance of their own (beta: alpha, beta);
before each they leave with one (beta: gamma, delta). Recency and age count opportunities.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from csa.errors import InputError
from csa.methods.btyd.bg_bb_likelihood import (
    Opportunities,
    log_likelihoods,
    negative_log_likelihood,
    opportunities,
    rising,
    weighted,
)
from csa.methods.btyd.climb import climb, curvature
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.discounting import rate_per_period
from csa.methods.btyd.ladder import suffix_sums
from csa.methods.btyd.maximum import REACH, STARTS, Maximum, Objective, maximise, spread_starts
from csa.methods.btyd.model import Diagnosis, Fit, fitted_to, not_to_be_fitted

FloatArray = NDArray[np.float64]

BG_BB: Final = "BG/BB"
NAMES: Final = ("alpha", "beta", "gamma", "delta")
NOTHING: Final = 45.0  # exponent at which a term has vanished: exp(-45) is 3e-20
LONGEST: Final = 5_000_000  # opportunities that an endless sum may take
NOBODY: Final = 0.01  # share that leaves within the longest age, below which nobody may leave
NO_BETTER: Final = 1e-3  # a log-likelihood that much above a limit of the model is at the limit
REDRAWN: Final = 1e-6  # of customers drawn again: a thousandth of a standard error
FAR: Final = 6.5  # from 1 a log-parameter tells nothing but its direction


def fit_bg_bb(counts: BuyerCounts, *, starts: int = STARTS) -> Fit:
    """Fit BG/BB.

    Parameters
    ----------
    counts : BuyerCounts
        Customers; the unit of time is that between opportunities.
    starts : int
        Places to start from.

    Returns
    -------
    Fit
        Parameters alpha, beta, gamma, delta. "unclear" without repeat purchases, and with very
        few repeat buyers.

    Raises
    ------
    InputError
        If times are no whole opportunities, or there are more purchases than opportunities.
    """
    known = counts.compressed()
    if (nothing := not_to_be_fitted(BG_BB, known)) is not None:
        return nothing
    objective = _objective(opportunities(known))
    box = np.array([[-REACH, REACH]] * len(NAMES))
    found = maximise(objective, spread_starts(np.zeros(len(NAMES)), count=starts), box.tolist())
    found, said = _at_limits(found, objective, box, float(known.age.max()))
    return fitted_to(known, BG_BB, NAMES, found, said=said)


class Refitter:
    """Fits of the same customers with other weights, each from the maximum of the first.

    Parameters
    ----------
    fit : Fit
        BG/BB of the customers.
    counts : BuyerCounts
        The customers.
    """

    def __init__(self, fit: Fit, counts: BuyerCounts) -> None:
        fit.values(*NAMES)
        self.counts = counts.compressed()
        self._ladders = opportunities(self.counts)
        self._start = fit.log_parameters
        self._box = np.array([[-REACH, REACH]] * len(NAMES))
        self._curved = curvature(_objective(self._ladders), self._start)

    def __call__(self, weight: FloatArray) -> FloatArray:
        """Log-parameters at the maximum under these weights."""
        objective = _objective(weighted(self._ladders, weight))
        done = climb(objective, self._start, self._curved, self._box, tolerance=REDRAWN)
        if done.reached:
            return done.log_parameters
        begin = np.array([done.log_parameters, self._start])
        return maximise(objective, begin, self._box.tolist()).log_parameters


def log_likelihood(fit: Fit, counts: BuyerCounts) -> float:
    """Give the log-likelihood of customers under a fit, for example of a holdout cohort.

    Parameters
    ----------
    fit : Fit
        BG/BB.
    counts : BuyerCounts
        Customers.

    Returns
    -------
    float
        Of histories, each of their orders one.
    """
    each, _ = log_likelihoods(opportunities(counts), np.array(fit.values(*NAMES)))
    return float(counts.weight @ each)


def expected_purchases(fit: Fit, time: ArrayLike) -> FloatArray:
    """Give E[X(n)]: purchases of a new customer at the next opportunities.

    Parameters
    ----------
    fit : Fit
        BG/BB.
    time : array_like of int
        Number of opportunities after the first purchase.

    Returns
    -------
    ndarray of float
        Of the shape of `time`.
    """
    alpha, beta, gamma, delta = fit.values(*NAMES)
    number = _whole(time)
    return alpha / (alpha + beta) * _there(gamma, delta, np.zeros(number.shape), number)


def purchase_probability(fit: Fit, purchases: ArrayLike, time: int) -> FloatArray:
    """Give P(X(n) = x) of a new customer.

    Parameters
    ----------
    fit : Fit
        BG/BB.
    purchases : array_like of int
        Repeat purchases x.
    time : int
        Number of opportunities n after the first purchase.

    Returns
    -------
    ndarray of float
        Shares, of the shape of `purchases`; 0 for more purchases than opportunities.
    """
    alpha, beta, gamma, delta = fit.values(*NAMES)
    x, n = _whole(purchases), int(_whole(time))
    (a, _), (b, _), (ab, _), (d, _), (cd, _) = (
        rising(base, n + 1) for base in (alpha, beta, alpha + beta, delta, gamma + delta)
    )
    i = np.arange(n + 1)
    leaves = d[i] - cd[i + 1] + np.log(gamma)
    leaves[n] = d[n] - cd[n]  # there to the end
    bought = np.minimum(x.ravel(), n)[:, None]
    other = np.maximum(i - bought, 0)
    ways = gammaln(i + 1.0) - gammaln(bought + 1.0) - gammaln(other + 1.0)
    logs = (ways + a[bought] + b[other] - ab[i] + leaves).astype(np.float64)
    possible = (i >= bought) & (x.ravel() <= n)[:, None]
    return np.asarray(np.where(possible, np.exp(logs), 0.0).sum(axis=1).reshape(x.shape))


def probability_alive(fit: Fit, counts: BuyerCounts) -> FloatArray:
    """Give P(alive): the chance that a customer is still there at the next opportunity.

    Parameters
    ----------
    fit : Fit
        BG/BB.
    counts : BuyerCounts
        Customers.

    Returns
    -------
    ndarray of float
        One share per row.
    """
    _, _, gamma, delta = fit.values(*NAMES)
    _, alive = log_likelihoods(opportunities(counts), np.array(fit.values(*NAMES)))
    return np.asarray(alive * (delta + counts.age) / (gamma + delta + counts.age))


def residual_purchases(fit: Fit, counts: BuyerCounts, time: ArrayLike) -> FloatArray:
    """Give the expected purchases of each customer at the next opportunities.

    Parameters
    ----------
    fit : Fit
        BG/BB.
    counts : BuyerCounts
        Customers.
    time : array_like of int
        Number of opportunities to come: one, or one per row.

    Returns
    -------
    ndarray of float
        One per row.
    """
    _, _, gamma, delta = fit.values(*NAMES)
    number = np.broadcast_to(_whole(time), counts.age.shape)
    return _buying(fit, counts) * _there(gamma, delta, counts.age, number)


def discounted_residual(
    fit: Fit, counts: BuyerCounts, *, annual_rate: float, horizon_days: float = np.inf
) -> FloatArray:
    """Give the discounted expected purchases after the last opportunity observed (DERT [1]_).

    Parameters
    ----------
    fit : Fit
        BG/BB.
    counts : BuyerCounts
        Customers.
    annual_rate : float
        Annual effective discount rate, share.
    horizon_days : float
        Days from now after which nothing counts; infinite for the whole residual life.

    Returns
    -------
    ndarray of float
        One per row; the next opportunity is one period away and discounted once.

    Raises
    ------
    InputError
        If the horizon is negative, or neither it nor the rate makes the sum finite.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Shang, J. (2010). Customer-base analysis in a
       discrete-time noncontractual setting. Marketing Science 29(6), 1086-1108.
    """
    _, _, gamma, delta = fit.values(*NAMES)
    unit = fit.unit_days
    if unit is None:
        raise InputError(f"{fit.model}: the fit states no unit of time; fit it from counts")
    rate = rate_per_period(annual_rate, unit)
    if np.isnan(horizon_days) or horizon_days < 0:
        raise InputError(f"horizon: {horizon_days} days is not a length of time from now")
    buying = _buying(fit, counts)
    if np.isfinite(horizon_days):
        ahead = np.full(len(counts), np.floor(horizon_days / unit + 1e-9))
        return buying * _there(gamma, delta, counts.age, ahead.astype(np.int64), rate)
    if rate == 0.0 and gamma > 1.0:
        return np.asarray(buying * (delta + counts.age) / (gamma - 1.0))
    needed = NOTHING / np.log1p(rate) if rate else np.inf
    if needed > LONGEST:
        raise InputError(
            f"horizon: at a rate of {annual_rate:g} a year {fit.model} sums over more than "
            f"{LONGEST:,} opportunities; give a horizon in days or a higher rate"
        )
    n = np.arange(int(counts.age.max(initial=0)) + int(needed) + 1)
    factor = (delta + n) / (gamma + delta + n) / (1.0 + rate)
    return np.asarray(buying * suffix_sums(factor, factor[None])[0][counts.age.astype(np.int64)])


def _objective(ladders: list[Opportunities]) -> Objective:
    """Negative log-likelihood of these customers."""
    return lambda place: negative_log_likelihood(ladders, place)


def _at_limits(
    found: Maximum, objective: Objective, box: FloatArray, longest: float
) -> tuple[Maximum, tuple[str, ...]]:
    """Name the limits that the maximum lies at, and hold what says nothing there."""
    _, _, gamma, delta = np.exp(found.log_parameters)
    stay = float(rising(delta, int(longest))[0][-1] - rising(gamma + delta, int(longest))[0][-1])
    if -np.expm1(stay) < NOBODY:
        small = box.copy()
        small[2, 1], small[3, 0] = box[2, 0], box[3, 1]
        moved = maximise(objective, found.log_parameters[None], small.tolist())
        if moved.value <= found.value + NO_BETTER:
            border = moved.on_border | np.array([False, False, True, True])
            found = replace(moved, on_border=border, starts=found.starts)
            return found, (str(Diagnosis.NOBODY_LEAVES),)
    above = found.log_parameters
    words = {
        Diagnosis.ONE_RATE: above[:2].max() > FAR,
        Diagnosis.ONE_DROPOUT: above[2:].max() > FAR,
        Diagnosis.AT_ONCE_OR_NEVER: above[2:].min() < -FAR,
    }
    return found, tuple(str(word) for word, holds in words.items() if holds)


def _buying(fit: Fit, counts: BuyerCounts) -> FloatArray:
    """Chance to buy at an opportunity, were they there, times that of being there at the last."""
    alpha, beta, _, _ = fit.values(*NAMES)
    if fit.unit_days is not None and counts.unit_days != fit.unit_days:
        raise InputError(
            f"buyers: opportunities every {counts.unit_days:g} days, but every "
            f"{fit.unit_days:g} in the fit of {fit.model}; count both alike"
        )
    _, alive = log_likelihoods(opportunities(counts), np.array(fit.values(*NAMES)))
    return np.asarray(alive * (alpha + counts.frequency) / (alpha + beta + counts.age))


def _there(
    gamma: float, delta: float, age: FloatArray, number: NDArray[np.int64], rate: float = 0.0
) -> FloatArray:
    """Opportunities of the next `number` at which one is still there, discounted, given age."""
    pairs, place = np.unique(
        np.column_stack([age.ravel(), number.ravel()]).astype(np.int64), axis=0, return_inverse=True
    )
    found = np.empty(len(pairs))
    for at, (n, ahead) in enumerate(pairs):
        past = n + np.arange(ahead)
        found[at] = np.cumprod((delta + past) / (gamma + delta + past) / (1.0 + rate)).sum()
    return np.asarray(found[place.ravel()].reshape(number.shape))


def _whole(values: ArrayLike) -> NDArray[np.int64]:
    """Whole numbers of at least 0, refused where they are none."""
    given = np.asarray(values, dtype=np.float64)
    if not np.isfinite(given).all() or (given < 0).any() or (given != np.rint(given)).any():
        raise InputError("opportunities and purchases are counted in whole numbers, 0 or more")
    return given.astype(np.int64)
