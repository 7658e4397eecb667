"""Present value of purchases to come: annual rates made rates per unit, and counts discounted.

A discount rate is always an annual effective rate, and a length of time always carries the days of
its unit, so that the same model on days, weeks or hours gives the same value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad_vec

from csa.errors import InputError

FloatArray = NDArray[np.float64]

DAYS_PER_YEAR: Final = 365.25
FAR: Final = 40.0  # rate × time at which an endless horizon is cut: exp(-40) is 4e-18
NEAR: Final = 1e-4  # share of the horizon below which time is counted evenly, not by its logarithm
TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Discounted:
    """Transactions to come in today's terms, per row of the curve.

    `transactions` lie at most `tail_bound` below the truth (what comes after `cut_days`, where an
    endless horizon is cut) and within `error` (of the quadrature) of it. `horizon_days` is
    infinite for an endless one.
    """

    transactions: FloatArray
    tail_bound: FloatArray
    error: float
    horizon_days: float
    cut_days: float
    annual_rate: float


def rate_per_unit(annual_rate: float, unit_days: float) -> float:
    """Continuous discount rate per unit of time, from an annual effective rate.

    Parameters
    ----------
    annual_rate : float
        Annual effective rate, a share: 0.1 makes 1.00 in a year worth 1 / 1.1 today.
    unit_days : float
        Length of the unit, days.

    Returns
    -------
    float
        ln(1 + annual rate) × unit / 365.25 days.

    Raises
    ------
    InputError
        If the rate is negative or not finite, or the unit has no length.

    Examples
    --------
    >>> round(rate_per_unit(0.15, 7.0), 4)
    0.0027
    """
    faults = []
    if not (np.isfinite(annual_rate) and annual_rate >= 0):
        faults.append(
            f"annual rate: {annual_rate} is not a share of at least 0; 10 percent a year is 0.1"
        )
    if not (np.isfinite(unit_days) and unit_days > 0):
        faults.append(f"unit: {unit_days} days is no length of time; a week is 7.0")
    if faults:
        raise InputError(*faults)
    return float(np.log1p(annual_rate) * unit_days / DAYS_PER_YEAR)


def rate_per_period(annual_rate: float, period_days: float) -> float:
    """Effective discount rate of a period, for models with one opportunity per period.

    Parameters
    ----------
    annual_rate : float
        Annual effective rate, a share.
    period_days : float
        Length of the period, days; a calendar year has 365.25.

    Returns
    -------
    float
        (1 + annual rate) ** (period / 365.25 days) - 1.
    """
    return float(np.expm1(rate_per_unit(annual_rate, period_days)))


def discounted_transactions(
    expected: Callable[[float], ArrayLike],
    *,
    annual_rate: float,
    unit_days: float,
    horizon_days: float = np.inf,
    tolerance: float = TOLERANCE,
) -> Discounted:
    """Discounted expected transactions of a curve, up to a horizon or for ever.

    Parameters
    ----------
    expected : callable
        Of a time in units: transactions expected up to then, one number or one per row; 0 at 0,
        never falling, and rising ever more slowly (all models of this package do). E[X(t)] gives
        the value of a new customer, E[Y(T, T + t) | history] the residual value.
    annual_rate : float
        Annual effective rate, a share.
    unit_days : float
        Length of the unit of time of `expected`, days.
    horizon_days : float
        Days from now; infinite for residual lifetime.
    tolerance : float
        Accepted error, as a share of the transactions expected undiscounted.

    Returns
    -------
    Discounted
        Transactions, and how far they may be off.

    Raises
    ------
    InputError
        If the rate is out of range, the horizon negative, endless without a rate, or the curve
        falls or is not finite.

    Notes
    -----
    Of the curve m(t) only its values are needed: integration by parts turns the integral of
    exp(-dt) m'(t) over [0, H] into exp(-dH) m(H) + d × integral of exp(-dt) m(t). As m' falls,
    m'(t) <= m(H) / H beyond H, so the tail is at most exp(-dH) m(H) / (d H).
    """
    rate = rate_per_unit(annual_rate, unit_days)
    if np.isnan(horizon_days) or horizon_days < 0:
        raise InputError(f"horizon: {horizon_days} days is not a length of time from now")
    if rate == 0.0 and np.isinf(horizon_days):
        raise InputError(
            "horizon: without a discount rate an endless horizon has no value; "
            "give a horizon in days or an annual rate above 0"
        )
    cut = min(horizon_days / unit_days, FAR / rate if rate else np.inf)
    at_cut = _counts(expected, cut)
    within, error = (np.zeros_like(at_cut), 0.0)
    if rate and cut:
        within, error = _quadrature(expected, at_cut, rate, cut, tolerance)
    left = float(np.exp(-rate * cut))
    endless = cut < horizon_days / unit_days
    return Discounted(
        transactions=left * at_cut + within,
        tail_bound=left * at_cut / (rate * cut) if endless else np.zeros_like(at_cut),
        error=error,
        horizon_days=float(horizon_days),
        cut_days=float(cut * unit_days),
        annual_rate=float(annual_rate),
    )


def discounted_value(
    transactions: ArrayLike, spend: ArrayLike, *, margin: float = 1.0
) -> FloatArray:
    """Value in money: discounted transactions × expected spend of each × margin.

    Parameters
    ----------
    transactions : array of float
        Discounted expected transactions, per customer.
    spend : array of float
        Expected spend per transaction, per customer or one for all.
    margin : float
        Share of the spend that is earned, above 0 and at most 1.

    Returns
    -------
    ndarray of float
        Value per customer, in the unit of the spend.

    Raises
    ------
    InputError
        If the margin is no such share; a margin in percent is the usual slip.
    """
    if not (np.isfinite(margin) and 0 < margin <= 1):
        raise InputError(f"margin: {margin} is not a share above 0 and at most 1; 30 % is 0.3")
    value = np.asarray(transactions, float) * np.asarray(spend, float) * margin
    return np.asarray(value, dtype=np.float64)


def _counts(expected: Callable[[float], ArrayLike], at: float) -> FloatArray:
    """Evaluate the curve and refuse what is no count."""
    found = np.asarray(expected(at), float)
    bad = int((~np.isfinite(found) | (found < 0)).sum())
    if bad:
        raise InputError(
            f"expected transactions: {bad} of {found.size} rows are negative or not finite after "
            f"{at:g} units; the fit behind them does not hold"
        )
    return found


def _quadrature(
    expected: Callable[[float], ArrayLike],
    at_cut: FloatArray,
    rate: float,
    cut: float,
    tolerance: float,
) -> tuple[FloatArray, float]:
    """Integrate rate × exp(-rate t) m(t), each row as a share of its m(cut), over log time."""
    scale = np.where(at_cut > 0, at_cut, 1.0)
    step = cut * NEAR

    def share(v: float) -> FloatArray:
        at = step * np.expm1(v)
        weight = rate * np.exp(-rate * at) * (at + step)
        return np.asarray(weight * np.asarray(expected(at), float) / scale)

    end = float(np.log1p(1 / NEAR))
    turns = [v for v in np.log1p(np.array([0.1, 1.0, 5.0]) / (rate * step)) if 0 < v < end]
    found, error = quad_vec(
        share, 0.0, end, epsabs=tolerance, epsrel=0.0, norm="max", points=turns, quadrature="gk15"
    )
    return np.asarray(found * scale, dtype=np.float64), float(error)
