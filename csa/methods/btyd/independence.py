"""Do customers who buy more often also spend more each time? The models take it that they do not.

The value of a customer is expected purchases × expected spend only if the two are independent.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from csa.errors import InputError

FloatArray = NDArray[np.float64]
Verdict = Literal["independent", "slight", "related", "unclear"]

FEWEST: Final = 30  # customers; below, an interval for a correlation says nothing
SLIGHT: Final = 0.05  # change of spend per doubling of purchases that moves no decision


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendIndependence:
    """How spend goes with frequency, among customers with repeat purchases.

    `correlation` is Pearson's, between repeat purchases and mean spend; `per_doubling` the change
    of mean spend, as a share, between customers and those who buy twice as often. None where they
    cannot be told. `verdict`: "independent" (the interval of the change holds 0), "slight" (it is
    surely there but below 5 %), "related", "unclear" (fewer than 30 customers, or all alike).
    """

    correlation: float | None
    ci_low: float | None
    ci_high: float | None
    per_doubling: float | None
    per_doubling_low: float | None
    per_doubling_high: float | None
    confidence: float
    n: float
    verdict: Verdict

    @property
    def said(self) -> str:
        """The verdict in a sentence, without figures from the interval."""
        direction = "more" if (self.per_doubling or 0.0) > 0 else "less"
        risk = "too low" if direction == "more" else "too high"
        return {
            "independent": "Customers who buy more often do not spend surely more or less each "
            "time; multiplying purchases by spend is sound.",
            "slight": f"Customers who buy more often spend slightly {direction} each time; too "
            "little to move a decision.",
            "related": f"Customers who buy more often spend {direction} each time; the value of "
            f"frequent buyers comes out {risk}, so fit segments of similar frequency apart.",
            "unclear": "Whether spend goes with frequency cannot be told: too few customers with "
            "repeat purchases, or all alike.",
        }[self.verdict]


def spend_independence(
    frequency: ArrayLike,
    mean: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> SpendIndependence:
    """Measure how mean spend goes with the number of repeat purchases.

    Parameters
    ----------
    frequency : array of int
        Repeat purchases; rows with 0 are left out.
    mean : array of float
        Mean spend per repeat purchase.
    weight : array of float, optional
        Customers that a row stands for; 1 each by default.
    confidence : float
        Level of the intervals.

    Returns
    -------
    SpendIndependence
        Correlation and change per doubling, each with an interval that supposes no distribution.

    Raises
    ------
    InputError
        If lengths differ.

    Notes
    -----
    The mean of few purchases scatters more than that of many, so ranks would be correlated even
    under independence; means are not, which is why the correlation is Pearson's. Its variance is
    that of its influence function, on Fisher's scale; the change per doubling is a least squares
    slope in log2 of the purchases with White's variance, over the mean spend.
    """
    x, m = np.asarray(frequency, float), np.asarray(mean, float)
    w = np.ones(len(x)) if weight is None else np.asarray(weight, float)
    if not len(x) == len(m) == len(w):
        raise InputError(
            f"spend: {len(x)} frequencies, {len(m)} means, {len(w)} weights; match them"
        )
    kept = (x > 0) & (w > 0) & np.isfinite(m)
    x, m, w = x[kept], m[kept], w[kept]
    n = float(w.sum())
    level = float(np.average(m, weights=w)) if n else 0.0
    if n < FEWEST or np.ptp(x) == 0 or np.ptp(m) <= 1e-12 * abs(level) or level <= 0:
        nothing = (None, None, None)
        return _result(nothing, nothing, confidence, n, "unclear")
    z = float(norm.ppf((1 + confidence) / 2))
    change = _per_doubling(x, m, w / n, n, z)
    verdict: Verdict = "related"
    if change[1] <= 0 <= change[2]:
        verdict = "independent"
    elif abs(change[0]) < SLIGHT:
        verdict = "slight"
    return _result(_pearson(x, m, w / n, n, z), change, confidence, n, verdict)


def _pearson(
    x: FloatArray, m: FloatArray, share: FloatArray, n: float, z: float
) -> tuple[float, float, float]:
    a, b = _standard(x, share), _standard(m, share)
    r = float(share @ (a * b))
    influence = a * b - r / 2 * (a * a + b * b)
    r = float(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    half = z * np.sqrt(float(share @ influence**2) / n) / (1 - r * r)
    centre = np.arctanh(r)
    return r, float(np.tanh(centre - half)), float(np.tanh(centre + half))


def _per_doubling(
    x: FloatArray, m: FloatArray, share: FloatArray, n: float, z: float
) -> tuple[float, float, float]:
    level = float(share @ m)
    log = np.log2(x)
    centred = log - share @ log
    spread = float(share @ centred**2)
    slope = float(share @ (centred * m)) / spread
    rest = m - level - slope * centred
    # the level is estimated too: the slope over it has the influence of both
    influence = centred * rest / spread / level - slope / level**2 * (m - level)
    half = z * np.sqrt(float(share @ influence**2) / n)
    value = slope / level
    return value, float(value - half), float(value + half)


def _standard(values: FloatArray, share: FloatArray) -> FloatArray:
    centred = values - share @ values
    return np.asarray(centred / np.sqrt(share @ centred**2))


def _result(
    correlation: tuple[float | None, float | None, float | None],
    change: tuple[float | None, float | None, float | None],
    confidence: float,
    n: float,
    verdict: Verdict,
) -> SpendIndependence:
    return SpendIndependence(
        correlation=correlation[0],
        ci_low=correlation[1],
        ci_high=correlation[2],
        per_doubling=change[0],
        per_doubling_low=change[1],
        per_doubling_high=change[2],
        confidence=confidence,
        n=n,
        verdict=verdict,
    )
