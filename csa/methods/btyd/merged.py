"""Likelihood of purchases merged within steps, such as weeks, without any approximation.

Of a step only "one or more" is known. Given a customer's own rate and chance (or rate) to leave,
the probability of x steps with purchases is a product of powers of two numbers, whatever their
order; so over fixed places of both, all customers together are a product of two small matrices.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, gammaln, psi

from csa.methods.btyd.climb import climb, curvature
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import Maximum, one_thread
from csa.methods.btyd.merged_places import Places, places

FloatArray = NDArray[np.float64]

OFTEN = 0.03  # purchases in a step, on average; of rarer ones the time at risk says as much
MOST_STEPS = 1000  # of a customer; with more, numbers fall below what a double holds
MOST_CELLS = 30_000  # distinct counts by distinct idle steps
MOST_SHAPE = 30.0  # of r, s and the smaller of a, b; beyond, the places lie too far apart
LEAST, TINY = 1e-300, 1e-12
FAR = 2.0  # so far from the approximate maximum the places do not reach
GAIN = 1e-9  # log-likelihood that may be missing at the maximum


class _Chances(NamedTuple):
    """Of a step, given the customer, by place.

    `some` and `idle` are the chances to stay, with purchases and without; `end` and `last` what
    multiplies their powers up to the end of observation, and up to the step before the last with
    purchases; `none` what is added without any. `there` is the chance to outlast the first step,
    `buys` that of purchases in a step whose begin was seen, `leaving` the rate of leaving.
    """

    some: FloatArray
    idle: FloatArray
    end: FloatArray
    last: FloatArray
    none: FloatArray
    there: FloatArray
    buys: FloatArray
    leaving: FloatArray


def can_be_exact(counts: BuyerCounts, log_parameters: FloatArray, *, beta: bool) -> bool:
    """Tell whether the exact likelihood of merged counts is worth it, and within reach.

    Parameters
    ----------
    counts : BuyerCounts
        Customers, compressed.
    log_parameters : ndarray of float
        About the maximum.
    beta : bool
        Whether a chance to leave is beta (BG/NBD) or a rate gamma (Pareto/NBD).

    Returns
    -------
    bool
        With purchases so frequent that it matters, steps that are those of the times, not too
        many, and no parameter near a limit.
    """
    if not counts.merged_days or abs(counts.grid_days - counts.merged_days) > 1e-9:
        return False
    age, last = counts.steps(counts.age), counts.steps(counts.recency)
    if age.max(initial=0) > MOST_STEPS or (last < counts.frequency).any():
        return False
    r, alpha, one, two = np.exp(log_parameters)
    if r / alpha * counts.merged_days / counts.unit_days < OFTEN:
        return False
    shapes = np.array([r, min(one, two) if beta else one])
    idle = np.concatenate([age, last]) - np.tile(counts.frequency, 2)
    cells = len(np.unique(counts.frequency)) * len(np.unique(idle))
    return bool(cells <= MOST_CELLS and (shapes <= MOST_SHAPE).all() and (shapes > 0.02).all())


class MergedLikelihood:
    """Exact log-likelihood of merged counts, at the logarithms of four parameters.

    Parameters
    ----------
    counts : BuyerCounts
        Customers, compressed, that `can_be_exact`.
    log_parameters : ndarray of float
        About the maximum: the places of the integrals are laid around it.
    extra : int or None
        0 for BG/NBD, 1 for MBG/NBD, None for Pareto/NBD.

    Notes
    -----
    With per step a rate λ and a chance p to leave after a purchase, a step with purchases that
    the customer survives has the chance exp(-λp) - exp(-λ), one without exp(-λ). The first step
    lasts from the first purchase, at a time of it that is uniform. As a density per unit of time,
    so that it is near the likelihood of exact times.
    """

    def __init__(self, counts: BuyerCounts, log_parameters: FloatArray, extra: int | None) -> None:
        self._step = counts.merged_days / counts.unit_days
        self._beta = extra is not None
        x, age = counts.frequency, counts.steps(counts.age)
        last = counts.steps(counts.recency)
        longest = (int(x.max(initial=0)), int(age.max(initial=0)))
        self._at = places(log_parameters, self._step, longest, beta=self._beta)
        self._chances = (
            _leaving_anytime(self._at) if extra is None else _leaving_at_purchases(self._at, extra)
        )
        counted, self._row = np.unique(x, return_inverse=True)
        idle, place = np.unique(np.concatenate([age - x, last - x]), return_inverse=True)
        self._to_age, self._to_last = place[: len(x)], place[len(x) :]
        self._some = self._chances.some ** counted[:, None]
        self._before = self._chances.some ** np.maximum(counted - 1, 0)[:, None]
        self._idle = self._chances.idle ** idle[:, None]
        self._frequency, self._repeat = x, x > 0
        self.weigh(counts.weight)

    def weigh(self, weight: FloatArray) -> None:
        """Give the rows other weights.

        Parameters
        ----------
        weight : ndarray of float
            Customers of each row.
        """
        self._weight = weight
        self._constant = float(weight @ self._frequency) * np.log(self._step)

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray]:
        """Negative log-likelihood and its gradient."""
        density, slopes = self._density(np.exp(log_parameters))
        end, last, none = self._chances.end, self._chances.last, self._chances.none
        chance = self._chance(density)
        share = self._weight / chance
        ends, lasts = np.zeros((2, len(self._some), len(self._idle)))
        np.add.at(ends, (self._row, self._to_age), share)
        np.add.at(lasts, (self._row, self._to_last), np.where(self._repeat, share, 0.0))
        pull = end * (self._some * (ends @ self._idle)).sum(axis=0)
        pull += last * (self._before * (lasts @ self._idle)).sum(axis=0)
        pull += none * float(share[~self._repeat].sum())
        value = float(self._weight @ np.log(chance)) - self._constant
        return -value, -(slopes @ (density * pull))

    def still_there(self, log_parameters: FloatArray) -> FloatArray:
        """Give the chance of each row that its customers have not left.

        Parameters
        ----------
        log_parameters : ndarray of float
            Four.

        Returns
        -------
        ndarray of float
            Shares.
        """
        return self._after(log_parameters, np.ones(len(self._at.rate)))

    def purchases_after(self, log_parameters: FloatArray, time: float) -> FloatArray:
        """Expect the steps with purchases of each row in a time after the end of observation.

        Parameters
        ----------
        log_parameters : ndarray of float
            Four.
        time : float
            Length of time, units.

        Returns
        -------
        ndarray of float
            One per row.
        """
        return self._after(log_parameters, self._bought(time))

    def purchases_of_new(self, log_parameters: FloatArray, time: float) -> float:
        """Expect the steps with purchases of a new customer after that of the first purchase.

        Parameters
        ----------
        log_parameters : ndarray of float
            Four.
        time : float
            Length of time, units.

        Returns
        -------
        float
            Steps.
        """
        density, _ = self._density(np.exp(log_parameters))
        return float(density @ (self._chances.there * self._bought(time)))

    def _bought(self, time: float) -> FloatArray:
        """Expect the steps with purchases of who is there, by place."""
        steps, leaving = time / self._step, self._chances.leaving
        lasting = np.where(
            leaving > TINY,
            np.expm1(-leaving * steps) / np.expm1(-np.maximum(leaving, TINY)),
            steps,
        )
        return np.asarray(self._chances.buys * lasting)

    def _after(self, log_parameters: FloatArray, gain: FloatArray) -> FloatArray:
        """Weigh what each place gives by who may be there still."""
        density, _ = self._density(np.exp(log_parameters))
        there = (self._some * (density * self._chances.there * gain)) @ self._idle.T
        return np.asarray(there[self._row, self._to_age] / self._chance(density))

    def _chance(self, density: FloatArray) -> FloatArray:
        """Give the chance of each row's history."""
        to_end = (self._some * (density * self._chances.end)) @ self._idle.T
        to_last = (self._before * (density * self._chances.last)) @ self._idle.T
        chance = to_end[self._row, self._to_age]
        none = float(density @ self._chances.none)
        chance += np.where(self._repeat, to_last[self._row, self._to_last], none)
        return np.asarray(np.maximum(chance, LEAST))

    def hessian(self, log_parameters: FloatArray) -> FloatArray:
        """Second derivatives of the negative log-likelihood, by differences.

        Parameters
        ----------
        log_parameters : ndarray of float
            Four.

        Returns
        -------
        ndarray of float
            4 × 4.
        """
        return curvature(self, log_parameters)

    def _density(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weigh the places by the distribution of customers; slopes of its logarithm."""
        r, alpha, one, two = parameters
        at, alpha = self._at, alpha / self._step
        log, first = _gamma(at.rate, r, alpha)
        if self._beta:
            both = psi(one + two)
            more = one * at.leave + two * at.stay - betaln(one, two)
            second = [one * (at.leave - psi(one) + both), two * (at.stay - psi(two) + both)]
        else:
            more, second = _gamma(at.leave, one, two / self._step)
        return np.exp(log + more + at.width), np.array([*first, *second])


def refined(counts: BuyerCounts, found: Maximum, box: FloatArray, extra: int | None) -> Maximum:
    """Go from the maximum of the approximate likelihood to that of the exact one.

    Parameters
    ----------
    counts : BuyerCounts
        Customers, compressed.
    found : Maximum
        Of the likelihood by time at risk.
    box : ndarray of float
        Parameters × (lowest, highest).
    extra : int or None
        0 for BG/NBD, 1 for MBG/NBD, None for Pareto/NBD.

    Returns
    -------
    Maximum
        As found where the exact likelihood is out of reach, or its maximum far away.
    """
    top = found.log_parameters
    if found.on_border.any() or not can_be_exact(counts, top, beta=extra is not None):
        return found
    near = np.column_stack([np.maximum(box[:, 0], top - FAR), np.minimum(box[:, 1], top + FAR)])
    likelihood = MergedLikelihood(counts, top, extra)
    with one_thread():
        done = climb(likelihood, top, found.hessian, near, tolerance=GAIN)
        if not done.reached or (np.abs(done.log_parameters - top) >= FAR).any():
            return found
        return replace(
            found,
            log_parameters=done.log_parameters,
            value=done.value,
            hessian=likelihood.hessian(done.log_parameters),
        )


def _gamma(log: FloatArray, shape: float, rate: float) -> tuple[FloatArray, list[FloatArray]]:
    """Give the log-density of a logarithm, and its slopes by those of shape and rate."""
    less = rate * np.exp(log)
    value = shape * (np.log(rate) + log) - less - gammaln(shape)
    return value, [shape * (np.log(rate) + log - psi(shape)), shape - less]


def _leaving_at_purchases(at: Places, extra: int) -> _Chances:
    """Find the chances of a step under BG/NBD or MBG/NBD."""
    rate, stay = np.exp(at.rate), np.exp(at.stay)
    leaves = np.exp(at.rate + at.leave)
    gone = -np.expm1(-leaves)
    first = np.where(leaves > TINY, gone / np.maximum(leaves, TINY), 1.0)
    begins = first * (stay if extra else 1.0)
    some = -np.exp(-leaves) * np.expm1(-rate * stay)
    buys = -np.expm1(-rate)
    return _Chances(some, np.exp(-rate), begins, begins * gone, 1 - begins, begins, buys, leaves)


def _leaving_anytime(at: Places) -> _Chances:
    """Find the chances of a step under Pareto/NBD."""
    rate, leave = np.exp(at.rate), np.exp(at.leave)
    both = rate + leave
    share = expit(at.leave - at.rate)
    begins = np.where(leave > TINY, -np.expm1(-leave) / np.maximum(leave, TINY), 1.0)
    some = -np.exp(-leave) * np.expm1(-rate)
    gone = np.maximum(-np.expm1(-leave) + share * np.expm1(-both), 0.0)  # after a purchase
    last = begins * (gone + some * share)
    none, buys = 1 - begins * (1 - share), -(1 - share) * np.expm1(-both)
    return _Chances(some, np.exp(-both), begins * (1 - share), last, none, begins, buys, leave)
