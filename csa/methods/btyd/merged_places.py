"""Places at which the likelihood of merged purchases is weighed: where customers may lie."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

FloatArray = NDArray[np.float64]

POINTS = 5  # of Gauss and Legendre in each panel
PANEL = 1.25  # widest panel of a logarithm or logit
WIDTHS = 2.0  # of the narrowest peak in a panel
BEYOND = 5.0  # e-folds below one purchase, or leave, in all time; from there panels double
DOUBLED = 9  # panels of the tails
LAST = 60.0  # exponent at which a gamma density has ended


class Places(NamedTuple):
    """Places of the integral: logarithms of rate, of leaving and of staying, and of the widths."""

    rate: FloatArray
    leave: FloatArray
    stay: FloatArray
    width: FloatArray


def places(
    log_parameters: FloatArray, step: float, longest: tuple[int, int], *, beta: bool
) -> Places:
    """Lay the places where customers may lie, near enough for the narrowest peak.

    Parameters
    ----------
    log_parameters : ndarray of float
        Four, about the maximum.
    step : float
        Within which purchases were merged, units.
    longest : tuple of int
        Most purchases, and most steps, of a customer.
    beta : bool
        Whether a chance to leave is beta, or a rate gamma.

    Returns
    -------
    Places
        Of rate and leaving, crossed.
    """
    r, alpha, one, two = np.exp(log_parameters)
    most, steps = longest
    low = -np.log(max(steps, 1)) - BEYOND
    rate, width = _panels(low, np.log(LAST * step / alpha) + 1, WIDTHS / np.sqrt(r + most))
    if beta:
        sides = np.log(max(most, 1)) + BEYOND
        leave, other = _panels(-sides, sides, WIDTHS * np.sqrt(1 / one + 1 / two), both=True)
    else:
        leave, other = _panels(low, np.log(LAST * step / two) + 1, WIDTHS / np.sqrt(one))
    of_rate, of_leave = (part.ravel() for part in np.meshgrid(rate, leave))
    widths = np.log(np.outer(other, width)).ravel()
    if beta:
        return Places(of_rate, log_expit(of_leave), log_expit(-of_leave), widths)
    return Places(of_rate, of_leave, np.zeros_like(of_leave), widths)


def _panels(
    low: float, high: float, narrow: float, *, both: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Lay panels of even width, and panels that double beyond the low end, or both."""
    width = min(PANEL, narrow)
    high = max(high, low + width)
    inner = np.linspace(low, high, int(np.ceil((high - low) / width)) + 1)
    tail = np.cumsum(width * 2.0 ** np.arange(1, DOUBLED + 1))
    edges = np.concatenate([low - tail[::-1], inner, high + tail if both else []])
    places, weights = np.polynomial.legendre.leggauss(POINTS)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + places)).ravel(), (half * weights).ravel()
