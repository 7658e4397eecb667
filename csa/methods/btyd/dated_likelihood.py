"""Likelihood of BG/NBD in operational time, with the clock among its parameters."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, gammaln

from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.dated_time import Clock, burst

FloatArray = NDArray[np.float64]

OWN = 4  # log r, log alpha, log a, log b
HEIGHT, FADES, EFFECTS = 4, 5, 6  # places of the burst, of log(its time), and of the calendar
FORWARD = 1e-4  # step of the differences of the gradient


class DatedLikelihood:
    """Log-likelihood at (log r, alpha, a, b; height and log time of the burst; log effects).

    Parameters
    ----------
    counts : BuyerCounts
        Customers, compressed, on a grid, all observed to the same day.
    by_back : ndarray of float
        Repeat purchases by whole steps before the end of observation, 0 for the last step.
    by_age : ndarray of float
        Repeat purchases by whole steps after the customer's first; nothing at 0.
    clock : Clock
        The grid.

    Notes
    -----
    A purchase at age u in period w comes at the rate λ h(u) g(w), so the likelihood is that of
    BG/NBD [1]_ with t and T in operational time, times h(u) g(w) for each repeat purchase. Those
    factors need no more than the number of purchases by age and by period.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005). Marketing Science 24(2), 275-284.
    """

    def __init__(
        self, counts: BuyerCounts, by_back: FloatArray, by_age: FloatArray, clock: Clock
    ) -> None:
        self.clock, self._x, self._w = clock, counts.frequency, counts.weight
        age, last = counts.steps(counts.age), counts.steps(counts.recency)
        row = (clock.longest - age) * (clock.longest + 1)  # of the table, by first purchase
        self._to_age, self._to_last = row + age, row + last
        self._cells = clock.cells()
        back = np.arange(clock.longest)
        self._by_period = np.bincount(
            clock.period(back), by_back[: clock.longest], clock.periods
        ).astype(np.float64)
        self._by_age = by_age[1 : clock.longest + 1]
        self.customers = counts.n

    def elapsed(self, place: FloatArray) -> FloatArray:
        """Give operational time since each possible first purchase.

        Parameters
        ----------
        place : ndarray of float
            Parameters.

        Returns
        -------
        ndarray of float
            First purchase (0: the oldest; last: at the end) × steps after it, in units.
        """
        size = self.clock.longest + 1
        table = np.zeros((size, size))
        np.cumsum(self._speed(place), axis=1, out=table[:-1, 1:])
        return table

    def __call__(self, place: FloatArray) -> tuple[float, FloatArray]:
        """Log-likelihood and its gradient."""
        r, alpha, a, b = np.exp(place[:OWN])
        speed = self._speed(place)
        size = self.clock.longest + 1
        table = np.zeros((size, size))
        np.cumsum(speed, axis=1, out=table[:-1, 1:])
        there, w, x = self._there(place, table.ravel()), self._w, self._x
        value, chance, at_end, at_last = there
        gone, n, counts = 1 - chance, r + x, np.arange(int(x.max(initial=0)) + 1)
        slope = np.zeros(len(place))
        both, rises = digamma(a + b + counts), digamma(r + counts) - digamma(r) + np.log(alpha)
        slope[0] = w @ (rises[x] - chance * np.log(at_end) - gone * np.log(at_last))
        slope[1] = w @ (r / alpha - n * (chance / at_end + gone / at_last))
        slope[2] = w @ (gone / a - both[x]) + w.sum() * digamma(a + b)
        stays = digamma(b + counts) - both
        before = 1 / np.maximum(b + counts - 1, 1e-300)
        slope[3] = w @ (stays[x] - np.where(x > 0, gone * before[x], 0.0))
        slope[3] += w.sum() * (digamma(a + b) - digamma(b))
        slope[:OWN] *= np.exp(place[:OWN])
        ends = np.bincount(self._to_age, -w * n * chance / at_end, size * size)
        ends += np.bincount(self._to_last, -w * n * gone / at_last, size * size)
        ends = ends.reshape(size, size)[:-1]
        pull = np.cumsum(ends[:, ::-1], axis=1)[:, ::-1][:, 1:] * speed  # by log speed of each cell
        by_age = pull.sum(axis=0) + self._by_age
        shape, fades = burst(1.0, np.exp(place[FADES]), self.clock.ages), np.exp(place[FADES])
        slope[HEIGHT] = by_age @ shape
        slope[FADES] = place[HEIGHT] * (by_age @ (shape * self.clock.ages)) / fades
        periods = np.bincount(self._cells.ravel(), pull.ravel(), self.clock.periods + 1)
        slope[EFFECTS:] = periods[:-1] + self._by_period
        value += float(self._by_period @ place[EFFECTS:] + place[HEIGHT] * (self._by_age @ shape))
        return value, slope

    def curvature(self, place: FloatArray) -> FloatArray:
        """Second derivatives of the negative log-likelihood, by differences of the gradient.

        Parameters
        ----------
        place : ndarray of float
            Parameters.

        Returns
        -------
        ndarray of float
            Symmetric.
        """
        here = self(place)[1]
        steps = FORWARD * np.eye(len(place))
        second = np.array([here - self(place + step)[1] for step in steps]) / FORWARD
        return np.asarray((second + second.T) / 2)

    def alive(self, place: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give P(alive) of each row, and its operational times.

        Parameters
        ----------
        place : ndarray of float
            Parameters.

        Returns
        -------
        ndarray of float
            Shares.
        ndarray of float
            To the end of observation, units.
        ndarray of float
            To the last purchase, units.
        """
        elapsed = self.elapsed(place).ravel()
        chance = self._there(place, elapsed)[1]
        return chance, elapsed[self._to_age], elapsed[self._to_last]

    def _speed(self, place: FloatArray) -> FloatArray:
        """Give operational time within each step of each possible first purchase."""
        factors = np.append(np.exp(place[EFFECTS:]), 0.0)[self._cells]
        rise = np.exp(burst(place[HEIGHT], np.exp(place[FADES]), self.clock.ages))
        return np.asarray(factors * (rise * self.clock.step))

    def _there(
        self, place: FloatArray, elapsed: FloatArray
    ) -> tuple[float, FloatArray, FloatArray, FloatArray]:
        """Give the value without the clock's own part, P(alive), alpha + T and alpha + t."""
        r, alpha, a, b = np.exp(place[:OWN])
        x, counts = self._x, np.arange(int(self._x.max(initial=0)) + 1)
        at_end, at_last = alpha + elapsed[self._to_age], alpha + elapsed[self._to_last]
        odds = np.log(a) - np.log(np.maximum(b + counts - 1, 1e-300))
        odds[0] = -np.inf  # who bought once has had no chance to leave
        waits = odds[x] + (r + x) * (np.log(at_end) - np.log(at_last))
        own = gammaln(r + counts) - gammaln(r) + r * np.log(alpha)
        own += betaln(a, b + counts) - betaln(a, b)
        value = self._w @ (own[x] - (r + x) * np.log(at_end) + np.logaddexp(0.0, waits))
        return float(value), np.exp(-np.logaddexp(0.0, waits)), at_end, at_last
