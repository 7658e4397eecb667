"""Time as buyers feel it: faster while they are new, and in weeks when everybody buys more.

A customer's rate is his own rate times a burst that fades with the time since his first purchase,
times an effect of the period of the calendar that all share. Counting time by the sum of these
factors, "operational time", leaves the plain model: only the clock runs unevenly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The grid on which time is told, back from the end of observation.

    Attributes
    ----------
    longest : int
        Steps from the first of all first purchases to the end of observation.
    step : float
        Length of a step, units.
    width : int
        Steps in a period of the calendar; the last period ends with the observation, and the
        first may be cut short.
    """

    longest: int
    step: float
    width: int

    @property
    def periods(self) -> int:
        """Periods of the calendar."""
        return -(-self.longest // self.width)

    @property
    def ages(self) -> FloatArray:
        """Middle of each step since a first purchase, units."""
        return np.arange(0.5, self.longest, dtype=np.float64) * np.float64(self.step)

    def period(self, back: IntArray) -> IntArray:
        """Tell the period of a step.

        Parameters
        ----------
        back : ndarray of int
            Whole steps from its end to the end of observation.

        Returns
        -------
        ndarray of int
            0 for the oldest period.
        """
        return self.periods - 1 - back // self.width

    def cells(self) -> IntArray:
        """Tell the period of each step of each possible first purchase.

        Returns
        -------
        ndarray of int
            First purchase (0: the oldest) × step after it; `periods` after the end of observation.
        """
        begin, after = np.arange(self.longest)[:, None], np.arange(1, self.longest + 1)
        back = self.longest - begin - after
        return np.where(back >= 0, self.period(np.maximum(back, 0)), self.periods)

    def ahead(self, horizon: float) -> tuple[FloatArray, FloatArray]:
        """Cut a time to come into periods.

        Parameters
        ----------
        horizon : float
            Its length, units.

        Returns
        -------
        ndarray of float
            Length of each, units; the last may be cut short.
        ndarray of float
            Middle of each, units from the end of observation.
        """
        whole = self.width * self.step
        ends = np.minimum(np.arange(1, int(np.ceil(horizon / whole - 1e-9)) + 1) * whole, horizon)
        lengths = np.diff(ends, prepend=0.0)
        return lengths, ends - lengths / 2


def burst(height: float, fades: float, ages: FloatArray) -> FloatArray:
    """Give the logarithm of how much faster new customers buy.

    Parameters
    ----------
    height : float
        At the first purchase.
    fades : float
        Time in which it falls to 1/e, units.
    ages : ndarray of float
        Time since the first purchase, units.

    Returns
    -------
    ndarray of float
        height × exp(-age / fades).
    """
    return height * np.exp(-ages / fades)


@dataclass(frozen=True, slots=True)
class Calendar:
    """What weeks have in common: logarithms of their effects, a stationary AR(1) around 0.

    Attributes
    ----------
    persistence : float
        Correlation of an effect with that of the period before.
    spread : float
        Standard deviation of the effects.
    mean : float, optional
        Mean of the factors, where it is known better than from a normal distribution: of a week
        without any purchase that makes too much of very good weeks.
    """

    persistence: float
    spread: float
    mean: float | None = None

    def precision(self, periods: int) -> FloatArray:
        """Give the inverse of the covariance of the effects.

        Parameters
        ----------
        periods : int
            How many.

        Returns
        -------
        ndarray of float
            Periods × periods.
        """
        phi, size = self.persistence, np.arange(periods)
        matrix = np.diag(np.where((size == 0) | (size == periods - 1), 1.0, 1 + phi**2))
        if periods == 1:
            matrix[:] = 1 - phi**2
        matrix[size[1:], size[:-1]] = matrix[size[:-1], size[1:]] = -phi
        return matrix / (self.spread**2 * (1 - phi**2))

    def forecast(self, last: float, variance: float, ahead: int) -> FloatArray:
        """Expect the factors of the periods to come.

        Parameters
        ----------
        last, variance : float
            Effect of the last period seen, and how uncertain it is.
        ahead : int
            Periods.

        Returns
        -------
        ndarray of float
            Means of the factors, not of their logarithms.
        """
        fading = self.persistence ** np.arange(1, ahead + 1)
        known = fading * last + fading**2 * variance / 2
        factors: FloatArray = np.exp(known + (1 - fading**2) * self._middle)
        return factors

    def draw(self, last: float, ahead: int, rng: np.random.Generator) -> FloatArray:
        """Draw the factors of the periods to come.

        Parameters
        ----------
        last : float
            Effect of the last period seen.
        ahead : int
            Periods.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray of float
            Factors.
        """
        news = rng.standard_normal(ahead) * self.spread * np.sqrt(1 - self.persistence**2)
        effects, at = np.empty(ahead), last
        for k in range(ahead):
            at = self.persistence * at + news[k]
            effects[k] = at
        fading = self.persistence ** np.arange(1, ahead + 1)
        shift = (1 - fading**2) * (self._middle - self.spread**2 / 2)
        factors: FloatArray = np.exp(effects + shift)
        return factors

    @property
    def _middle(self) -> float:
        """Logarithm of the mean of the factors."""
        return self.spread**2 / 2 if self.mean is None else float(np.log(self.mean))
