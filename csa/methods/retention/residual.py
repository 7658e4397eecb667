"""Discounted expected lifetime of a curve: at acquisition (DEL) and of a customer (DERL)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]
Curve = Callable[[FloatArray], FloatArray]

NEGLIGIBLE = 40.0  # payments discounted by more than exp(-40) are left out
MOST_PERIODS = 1_000_000


def expected_lifetime(
    survival: Curve, *, discount_rate: float, horizon: int | None = None
) -> float:
    """Discounted expected lifetime at acquisition (DEL), in payments.

    Parameters
    ----------
    survival : callable
        S(t) for an array of ages in periods.
    discount_rate : float
        Effective rate per period, above 0 where there is no horizon.
    horizon : int, optional
        Number of payments counted; default: all.

    Returns
    -------
    float
        Σ S(t) / (1 + d) ** t from t = 0, the first payment undiscounted.

    Raises
    ------
    InputError
        If the sum has no end.
    """
    t = _periods(discount_rate, horizon)
    return float(survival(t) @ (1 + discount_rate) ** -t)


def residual_lifetime(
    survival: Curve, *, age: int, discount_rate: float, horizon: int | None = None
) -> float:
    """Discounted expected residual lifetime (DERL) of a customer, in payments.

    Parameters
    ----------
    survival : callable
        S(t) for an array of ages in periods.
    age : int
        Period in which the customer is, from 1: he has renewed `age` - 1 times.
    discount_rate : float
        Effective rate per period, above 0 where there is no horizon.
    horizon : int, optional
        Number of renewals counted; default: all.

    Returns
    -------
    float
        Σ S(t) / S(age - 1) / (1 + d) ** (t - age) from t = age: the next renewal, if it happens,
        counts in full [1]_.

    Raises
    ------
    InputError
        If the age is below 1, or the sum has no end.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. (2010). Customer-base valuation in a contractual
       setting: the perils of ignoring heterogeneity. Mark. Sci. 29(1), 85-93.
    """
    if age < 1:
        raise InputError(f"age: {age} is not a period; the first is 1")
    t = _periods(discount_rate, horizon)
    alive = float(survival(np.array([age - 1.0]))[0])
    if not alive > 0:
        return 0.0
    return float(survival(t + age) @ (1 + discount_rate) ** -t) / alive


def _periods(rate: float, horizon: int | None) -> FloatArray:
    """Ages that count."""
    if horizon is not None:
        if horizon < 1:
            raise InputError(f"horizon: {horizon} is not at least 1 payment")
        if not rate > -1:
            raise InputError(f"discount_rate: {rate} is not above -1")
        return np.arange(float(horizon))
    needed = NEGLIGIBLE / np.log1p(rate) if rate > 0 else np.inf
    if not needed <= MOST_PERIODS:
        raise InputError(
            f"discount_rate: {rate} without a horizon: the sum has no end; state a horizon"
        )
    return np.arange(np.ceil(needed) + 1)
