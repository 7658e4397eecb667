"""Ways in which growth may be carried on: none, fading, the same amount, the same share.

They are the four trends of exponential smoothing. Which of them holds is read off the past
(`contract_trend`); a value averages over them, so that a doubt between a straight line and
compound interest is part of its interval.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WAYS: Final = ("none", "damped", "amount", "share")
FADE: Final = 0.9  # growth of a month over that of the month before, where it fades


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Path:
    """What a survivor pays k = 0, 1, ... months on, as a multiple of what it pays today."""

    value: FloatArray
    draws: FloatArray  # draws × months


def ways(share: FloatArray, amount: FloatArray, months: int, carry: int) -> FloatArray:
    """Carry growth on in each of the ways.

    Parameters
    ----------
    share : ndarray of float
        Growth of a month as a share of what was paid the month before.
    amount : ndarray of float
        The same as a share of what is paid today: it stays the same amount of money.
    months : int
        Months wanted, today included.
    carry : int
        Months after which nothing grows: as many as were watched.

    Returns
    -------
    ndarray of float
        Ways × rates × months: 1, Σ fading amounts, 1 + amount × k, (1 + share) ** k.

    Notes
    -----
    Trends none, damped, additive and multiplicative [1]_ [2]_. What shrinks by an amount would
    fall below nothing, so it shrinks by that share.

    References
    ----------
    .. [1] Gardner, E. S. (1985). Exponential smoothing: the state of the art. J. Forecast. 4,
       1-28.
    .. [2] Gardner, E. S., McKenzie, E. (1985). Forecasting trends in time series. Manage. Sci. 31,
       1237-1246.
    """
    k = np.minimum(np.arange(months), carry)
    faded = FADE * (1 - FADE**k) / (1 - FADE)
    rate = np.maximum(np.asarray(share, dtype=np.float64), -0.99)[:, None]
    slope = np.maximum(np.asarray(amount, dtype=np.float64), -0.99)[:, None]
    return np.stack(
        [np.ones((len(rate), months)), _line(slope, faded), _line(slope, k), (1 + rate) ** k]
    )


def _line(slope: FloatArray, steps: FloatArray) -> FloatArray:
    up, down = np.maximum(slope, 0.0), np.minimum(slope, 0.0)
    return np.asarray((1 + up * steps) * (1 + down) ** steps)


def averaged(each: FloatArray, weight: FloatArray) -> FloatArray:
    """Average the ways: a geometric mean, so that compound interest does not rule it.

    Parameters
    ----------
    each : ndarray of float
        Ways × ... × months.
    weight : ndarray of float
        One per way, adding up to 1.

    Returns
    -------
    ndarray of float
        ... × months.
    """
    return np.asarray(np.exp(np.tensordot(weight, np.log(each), axes=1)))
