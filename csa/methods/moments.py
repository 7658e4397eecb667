"""Ratios of sums over units (accounts), and their changes, from sums and sums of products.

Whatever many accounts add up to, its spread over accounts needs no more than these sums, which any
engine can make: no account has to be held in memory, and no draw to be taken.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from csa.errors import InputError
from csa.methods.intervals import Estimate

FloatArray = NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Moments:
    """Sums over `n` units of some columns, and of the products of any two of them."""

    n: int
    names: tuple[str, ...]
    total: FloatArray
    product: FloatArray

    def sum(self, name: str) -> float:
        """Sum of a column.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        float
            Over all units.
        """
        return float(self.total[self.names.index(name)])

    def __add__(self, other: "Moments") -> "Moments":
        """Put two sets of units together.

        Parameters
        ----------
        other : Moments
            Of other units, the same columns.

        Returns
        -------
        Moments
            Of all of them.
        """
        return Moments(
            n=self.n + other.n,
            names=self.names,
            total=self.total + other.total,
            product=self.product + other.product,
        )


def ratio(moments: Moments, above: str, below: str, *, confidence: float = 0.95) -> Estimate:
    """Ratio of two sums over units, with the interval of a sample of units.

    Parameters
    ----------
    moments : Moments
        Sums.
    above, below : str
        Columns, neither negative.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Estimate
        NaN where nothing is below the line; limits NaN with one unit or without any spread.

    Notes
    -----
    R = Σy / Σx has the linearised variance n / (n - 1) Σ (y - R x)² / (Σx)² [1]_; limits on the
    log scale, R exp(± t se / R), with Student's t of n - 1 degrees.

    References
    ----------
    .. [1] Cochran, W. G. (1977). Sampling Techniques, 3rd ed., 6.4. Wiley.
    """
    y, x = moments.sum(above), moments.sum(below)
    if not x > 0:
        return Estimate(NAN, NAN, NAN)
    value = y / x
    error = _error(moments, {above: 1 / x, below: -value / x})
    if not error > 0 or not value > 0:
        return Estimate(value, NAN, NAN)
    spread = float(np.exp(student(moments.n - 1, confidence) * error / value))
    return Estimate(value, value / spread, value * spread)


def ratio_change(
    moments: Moments,
    now: tuple[str, str],
    before: tuple[str, str],
    *,
    confidence: float = 0.95,
) -> Estimate:
    """Change of a ratio of sums between two periods in which mostly the same units count.

    Parameters
    ----------
    moments : Moments
        Sums of both periods, unit by unit: 0 where a unit does not count in a period.
    now, before : tuple of str
        Columns above and below the line.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Estimate
        Now less before; NaN where either ratio is.

    Notes
    -----
    As `ratio`, with the residuals of both periods of a unit taken together, so that what stays the
    same in a unit does not blur the change; limits on the plain scale.
    """
    gradient: dict[str, float] = {}
    values = []
    for (above, below), sign in ((now, 1.0), (before, -1.0)):
        x = moments.sum(below)
        if not x > 0:
            return Estimate(NAN, NAN, NAN)
        value = moments.sum(above) / x
        values.append(value)
        gradient[above] = gradient.get(above, 0.0) + sign / x
        gradient[below] = gradient.get(below, 0.0) - sign * value / x
    change = values[0] - values[1]
    error = _error(moments, gradient)
    half = student(moments.n - 1, confidence) * error if error > 0 else NAN
    return Estimate(change, change - half, change + half)


def relative_change(
    moments: Moments, now: str, before: str, *, confidence: float = 0.95
) -> Estimate:
    """Change of a total over units as a share of what it was.

    Parameters
    ----------
    moments : Moments
        Sums of both periods, unit by unit.
    now, before : str
        Columns of the totals.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Estimate
        Σy / Σx - 1; not below -1.
    """
    found = ratio(moments, now, before, confidence=confidence)
    return Estimate(found.value - 1, found.low - 1, found.high - 1)


def student(degrees: int, confidence: float) -> float:
    """Half-width of a two-sided interval of Student's t, in standard errors.

    Parameters
    ----------
    degrees : int
        Degrees of freedom.
    confidence : float
        Level, share in (0, 1).

    Returns
    -------
    float
        2.262157 for 9 and 0.95; NaN without a degree.

    Raises
    ------
    InputError
        If the level is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence: {confidence} is not between 0 and 1; write 0.95 for 95 %")
    return float(stdtrit(degrees, (1 + confidence) / 2)) if degrees > 0 else NAN


def _error(moments: Moments, gradient: dict[str, float]) -> float:
    """Give the standard error of a function of the sums, 0 where there is no spread."""
    if moments.n < 2:
        return 0.0
    g = np.array([gradient.get(name, 0.0) for name in moments.names])
    size = float(np.abs(g) @ np.abs(moments.product) @ np.abs(g))
    variance = float(g @ moments.product @ g) * moments.n / (moments.n - 1)
    return float(np.sqrt(variance)) if variance > 1e-13 * size else 0.0
