"""Expected purchases of a buyer whose rate is gamma and whose chance to leave is beta."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln

FloatArray = NDArray[np.float64]

TINY = 1e-300
NODES = 480  # of the trapezoid rule, over the logit of the chance to leave
DROP = 40.0  # exponents below the peak at which the integrand ends: e^-40
SMALL = 0.5  # of a: below it the value at a chance of 0 is taken out
AT_ONCE = 2048  # integrals in memory together


def expected_of_buyer(
    rate: tuple[ArrayLike, ArrayLike], leave: tuple[ArrayLike, ArrayLike], time: ArrayLike
) -> FloatArray:
    """Give the expected purchases within a time of a buyer who is there at its begin.

    Parameters
    ----------
    rate : tuple of array_like
        Shape and rate (per unit of time) of the gamma distribution of the purchase rate.
    leave : tuple of array_like
        Parameters a and b of the beta distribution of the chance to leave after a purchase.
    time : array_like of float
        Length of time, units.

    Returns
    -------
    ndarray of float
        Of the shape of all arguments together; relative error below 1e-9.

    Notes
    -----
    Given chance p and rate λ the expectation is (1 - exp(-λpt))/p; over λ it is
    f(p) = (1 - (1 + pt/α)^-r)/p, a smooth falling function, which is integrated over p by the
    trapezoid rule over logit(p): it converges geometrically. Where a or b is small, so that much
    of the chance lies at 0 or 1, f is first taken apart into its value there and a rest that
    vanishes. The textbook form with a Gauss hypergeometric function is undefined at a = 1 and loses
    all digits for heavy buyers.
    """
    arrays = np.broadcast_arrays(*rate, *leave, time)
    shape = arrays[0].shape
    flat = [np.asarray(values, dtype=np.float64).ravel() for values in arrays]
    parts = [
        _integral(*(values[begin : begin + AT_ONCE, None] for values in flat))
        for begin in range(0, len(flat[0]), AT_ONCE)
    ]
    return np.concatenate(parts).reshape(shape) if parts else np.zeros(shape)


def _integral(
    r: FloatArray, alpha: FloatArray, a: FloatArray, b: FloatArray, time: FloatArray
) -> FloatArray:
    """Integrate one row per buyer."""
    span = time / alpha
    at_zero, at_one = r * span, -np.expm1(-r * np.log1p(span))
    low, high = _ends(r, (a, b), span, at_zero / np.maximum(at_one, TINY))
    step = (high - low) / (NODES - 1)
    logit = low + step * np.arange(NODES)
    stay = -np.logaddexp(0.0, logit)  # ln(1 - p)
    leave = logit + stay
    chance = np.maximum(np.exp(leave), TINY)
    out = np.where(a < SMALL, at_zero, 0.0)
    middle = -np.expm1(-r * np.log1p(chance * span)) / chance
    rest = middle - out * np.exp(stay) - at_one * chance
    density = np.exp(a * leave + b * stay - betaln(a, b))
    line = (out * b + at_one * a) / (a + b)
    total = line[:, 0] + step[:, 0] * np.sum(density * rest, axis=1)
    inside: FloatArray = np.clip(total, at_one[:, 0], at_zero[:, 0])  # f falls from p = 0 to 1
    return inside


def _ends(
    r: FloatArray, leave: tuple[FloatArray, FloatArray], span: FloatArray, fall: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give the logits between which all but e^-40 of the integral lies; `fall` is f(0)/f(1)."""
    a, b = leave
    peak = np.log(a) - np.log(b)
    drop = DROP + np.log(np.maximum(fall, 1.0))
    power = np.where(a < SMALL, a + 1, a)  # of p in the integrand below `turn`
    turn = np.minimum(-np.log1p((r + 1) * span), np.log(power / b))
    first = turn - (DROP + b * np.log1p(np.exp(turn))) / power
    low = np.maximum(first, peak - np.sqrt(2 * drop * (a + b) / (a * b)) - drop / a)
    back = np.maximum(0.0, np.log(a / (b + 1)))
    last = back + (DROP + (a + b + 1) * np.log1p(np.exp(-back))) / (b + 1)
    high = np.minimum(last, peak + np.sqrt(2 * DROP * (a + b) / (a * b)) + DROP / b)
    return low, high
