"""Average spend of customers with repeat purchases, and its Gamma-Gamma likelihood.

The likelihood of a customer depends on the total s = x × mean through ln(gamma + s) alone, and on x
through beta functions. So any number of customers becomes two tables, over x and over ln s, and a
step of the fit takes as long for ten million of them as for ten thousand.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma, expit

from csa.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DIRECT: Final = 20_000  # rows up to which each is a node of its own
STEP: Final = 5e-4  # of ln s; third order is dropped: 3e-13 per row
CHUNK: Final = 262_144  # rows at a time, so that they stay in the cache
LARGEST_TABLE: Final = 1 << 22  # of x, where it is counted by index


class Totals(NamedTuple):
    """Weights at values of ln s, with first and half second moment about them."""

    at: FloatArray
    weight: FloatArray
    first: FloatArray
    second: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpendRows:
    """Customers with at least one repeat purchase and a mean above zero, as tables.

    `counts` and `customers` tell how many customers made how many repeat purchases; `once` are
    the totals weighted by customers, `often` by their purchases. `without_repeat` and `refused`
    (a mean of zero or less) are customers left out; `refused_rows` the first rows of the latter.
    """

    counts: FloatArray
    customers: FloatArray
    once: Totals
    often: Totals
    n: float
    events: float
    sum_log_mean: float
    mean_log: float
    spread_log: float
    without_repeat: float
    refused: float
    refused_rows: tuple[int, ...]
    rows: int


def spend_rows(frequency: ArrayLike, mean: ArrayLike, weight: ArrayLike | None = None) -> SpendRows:
    """Reduce customers to the tables that the likelihood needs.

    Parameters
    ----------
    frequency : array of int
        Repeat purchases x of each customer; those with 0 are counted and left out.
    mean : array of float
        Mean spend per repeat purchase; what stands where x is 0 is not looked at.
    weight : array of float, optional
        Customers that a row stands for; 1 each by default.

    Returns
    -------
    SpendRows
        Tables, and who was left out.

    Raises
    ------
    InputError
        With all faults at once: lengths that differ, counts that are no counts, means that are
        not numbers, weights below zero.
    """
    x, m, w = _checked(frequency, mean, weight)
    repeat = x > 0
    if w is not None:
        repeat &= w > 0
    positive = m > 0
    kept = repeat & positive
    bad = repeat & ~positive
    total = float(len(x)) if w is None else float(w.sum())
    refused = _mass(bad, w)
    without = total - refused - _mass(kept, w)
    rows = tuple(int(i) for i in np.flatnonzero(bad)[:5])
    if not kept.all():
        x, m, w = x[kept], m[kept], None if w is None else w[kept]
    return _tables(x, m, w, (max(without, 0.0), refused, rows))


def log_likelihood(rows: SpendRows, theta: FloatArray) -> tuple[float, FloatArray]:
    """Log-likelihood of the means, and its gradient.

    Parameters
    ----------
    rows : SpendRows
        Customers.
    theta : ndarray of float
        ln p, ln q, ln gamma.

    Returns
    -------
    tuple of float and ndarray
        Sum over customers of ln f(mean | p, q, gamma; x), and its three derivatives.

    Notes
    -----
    With z = ln s - ln gamma and F(z) = 1 / (1 + exp(-z)) a customer's term is
    px ln F(z) + q ln(1 - F(z)) - ln B(px, q) - ln mean (Fader and Hardie 2013, equation 1a).
    """
    p, q = (float(v) for v in np.exp(theta[:2]))
    log_gamma = float(theta[2])
    fall, fall_slope = _softplus_sum(rows.once, log_gamma, 1.0)
    rise, rise_slope = _softplus_sum(rows.often, log_gamma, -1.0)
    beta, by_p, by_q = _beta_terms(rows, p, q)
    value = -beta - q * fall - p * rise - rows.sum_log_mean
    slope = np.array(
        [p * (by_p - rise), q * (by_q - fall), -q * fall_slope - p * rise_slope], dtype=float
    )
    return value, slope


def _softplus_sum(totals: Totals, log_gamma: float, sign: float) -> tuple[float, float]:
    """Sum of ln(1 + exp(sign × z)) over the rows, and its slope in ln gamma."""
    z = totals.at - log_gamma
    share = expit(z)
    product = share * (1 - share)
    level = np.logaddexp(0.0, sign * z)
    slope = share if sign > 0 else share - 1
    value = totals.weight @ level + totals.first @ slope + totals.second @ product
    third = totals.second @ (product * (1 - 2 * share))
    return float(value), -float(totals.weight @ slope + totals.first @ product + third)


def _beta_terms(rows: SpendRows, p: float, q: float) -> tuple[float, float, float]:
    """Sum of ln B(px, q) over customers; minus its derivatives in p and q."""
    a = p * rows.counts
    value = float(rows.customers @ log_beta(a, q))
    both = digamma(a + q)
    by_p = float(rows.customers @ (rows.counts * (both - digamma(a))))
    by_q = float(rows.customers @ (both - digamma(q)))
    return value, by_p, by_q


def log_beta(a: ArrayLike, b: float) -> FloatArray:
    """Logarithm of the beta function, without cancellation where both arguments are large.

    Parameters
    ----------
    a : array of float
        Above 0.
    b : float
        Above 0.

    Returns
    -------
    ndarray of float
        ln B(a, b).

    Notes
    -----
    From 10 on by Stirling's series, whose leading terms are taken together (Didonato and Morris
    1992).
    """
    first = np.atleast_1d(np.asarray(a, float))
    found = np.asarray(betaln(first, b), float)
    if b < 10:
        return found
    big = first >= 10
    x = first[big]
    corrections = _stirling(x) + _stirling(np.array(b)) - _stirling(x + b)
    leading = (x - 0.5) * np.log(x / (x + b)) - b * np.log1p(x / b)
    found[big] = 0.5 * np.log(2 * np.pi / b) + leading + corrections
    return found


def _stirling(x: FloatArray) -> FloatArray:
    """Remainder of Stirling's series of ln Gamma, from 10 on to 1e-16."""
    y = 1 / (x * x)
    inner = 1 / 1188 - y * (691 / 360360 - y * (1 / 156 - y * 3617 / 122400))
    series = 1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * inner)))
    return np.asarray(series / x)


def _checked(
    frequency: ArrayLike, mean: ArrayLike, weight: ArrayLike | None
) -> tuple[IntArray, FloatArray, FloatArray | None]:
    """Arrays of the right kind, or every fault at once."""
    x, m = np.asarray(frequency), np.asarray(mean, float)
    w = None if weight is None else np.asarray(weight, float)
    lengths = {len(part) for part in (x, m, w) if part is not None}
    if len(lengths) > 1:
        raise InputError(
            f"spend: frequency, mean and weight have {sorted(lengths)} rows; they must match"
        )
    faults = []
    if x.dtype.kind not in "iu":
        whole = np.isfinite(x) & (x == np.floor(x))
        if not whole.all():
            faults.append(f"spend: frequency of {int((~whole).sum())} rows is no whole number")
        x = np.where(whole, x, 1)
    if (below := int((x < 0).sum())) > 0:
        faults.append(f"spend: frequency of {below} rows is below 0; count repeat purchases")
    unknown = int((~np.isfinite(m) & (x > 0)).sum())
    if unknown:
        faults.append(
            f"spend: mean of {unknown} rows with repeat purchases is missing or infinite; "
            "compute it from the same purchases as the frequency"
        )
    if w is not None and (wrong := int((~np.isfinite(w) | (w < 0)).sum())) > 0:
        faults.append(f"spend: weight of {wrong} rows is missing, infinite or below 0")
    if faults:
        raise InputError(*faults)
    return x.astype(np.int64, copy=False), m, w


def _mass(chosen: NDArray[np.bool_], weight: FloatArray | None) -> float:
    return float(np.count_nonzero(chosen) if weight is None else weight[chosen].sum())


def _tables(
    x: IntArray, m: FloatArray, w: FloatArray | None, left: tuple[float, float, tuple[int, ...]]
) -> SpendRows:
    counts, customers = _by_count(x, w)
    once, often, squares = _by_total(x, m, w)
    n, events = float(customers.sum()), float(customers @ counts)
    log_total = float(once.weight @ once.at + once.first.sum())
    sum_log_mean = log_total - float(customers @ np.log(counts))
    mean_log = sum_log_mean / n if n else 0.0
    return SpendRows(
        counts=counts,
        customers=customers,
        once=once,
        often=often,
        n=n,
        events=events,
        sum_log_mean=sum_log_mean,
        mean_log=mean_log,
        spread_log=squares,
        without_repeat=left[0],
        refused=left[1],
        refused_rows=left[2],
        rows=len(x),
    )


def _by_count(x: IntArray, w: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Distinct numbers of purchases and the customers who made them."""
    if not len(x):
        return np.empty(0), np.empty(0)
    if x.max() < max(LARGEST_TABLE, len(x)):
        table = np.bincount(x, weights=w)
        counts = np.flatnonzero(table)
        return counts.astype(float), table[counts].astype(float)
    counts, place = np.unique(x, return_inverse=True)
    return counts.astype(float), np.bincount(place, weights=w).astype(float)


def _by_total(x: IntArray, m: FloatArray, w: FloatArray | None) -> tuple[Totals, Totals, float]:
    """Totals by customers and by purchases; largest difference of two logarithms of a mean."""
    if len(x) <= DIRECT:
        once = np.ones(len(x)) if w is None else w
        at: FloatArray = np.log(m) + np.log(x.astype(float))
        nothing = np.zeros(len(x))
        spread = float(np.ptp(np.log(m))) if len(x) else 0.0
        return Totals(at, once, nothing, nothing), Totals(at, once * x, nothing, nothing), spread
    low, high = _range(x, m)
    size = int((high - low) / STEP) + 1
    sums = np.zeros((6, size))
    for begin in range(0, len(x), CHUNK):
        part = slice(begin, begin + CHUNK)
        _add(sums, x[part], m[part], None if w is None else w[part], low)
    used = (sums[0] > 0) | (sums[3] > 0)
    at = np.asarray(low + STEP * (np.flatnonzero(used) + 0.5), dtype=np.float64)
    sums = sums[:, used]
    return Totals(at, *sums[:3]), Totals(at, *sums[3:]), float(np.log(m.max() / m.min()))


def _range(x: IntArray, m: FloatArray) -> tuple[float, float]:
    ends = []
    for begin in range(0, len(x), CHUNK):
        total = x[begin : begin + CHUNK] * m[begin : begin + CHUNK]
        ends.append((total.min(), total.max()))
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return float(np.log(low)) - 1e-9, float(np.log(high)) + 1e-9


def _add(sums: FloatArray, x: IntArray, m: FloatArray, w: FloatArray | None, low: float) -> None:
    """Add rows to the table: weight, first and half second moment, by customers and purchases."""
    at = (np.log(x * m) - low) / STEP
    cell = at.astype(np.intp)
    at -= cell
    at -= 0.5
    at *= STEP
    half = 0.5 * at * at
    size = sums.shape[1]
    once = w
    sums[0] += np.bincount(cell, weights=once, minlength=size)
    sums[1] += np.bincount(cell, weights=at if once is None else at * once, minlength=size)
    sums[2] += np.bincount(cell, weights=half if once is None else half * once, minlength=size)
    often = x if once is None else x * once
    sums[3] += np.bincount(cell, weights=often, minlength=size)
    sums[4] += np.bincount(cell, weights=at * often, minlength=size)
    sums[5] += np.bincount(cell, weights=half * often, minlength=size)
