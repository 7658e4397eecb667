"""Likelihood of BG/NBD and MBG/NBD with first and second derivatives, from tables over time.

Sums over a customer's purchases become sums over the purchase number weighted by the customers who
got so far; sums over ages become sums over the grid. Only the term of a possible leave is left for
each distinct (frequency, recency, age).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.exposure import exposure

FloatArray = NDArray[np.float64]

BLOCK = 1 << 14  # rows at once, so that their columns stay in the processor's cache
MOST_PURCHASES = 1 << 22  # of one customer
PARAMETERS = 4


@dataclass(slots=True)
class _Sums:
    """What a pass adds up: value, gradient and second derivatives of the log-likelihood."""

    value: float
    gradient: FloatArray
    second: FloatArray


class BgLikelihood:
    """Log-likelihood of BG/NBD (`extra` 0) or MBG/NBD (`extra` 1) at log (r, alpha, a, b).

    Parameters
    ----------
    counts : BuyerCounts
        Customers, compressed.
    extra : int
        Chances to leave beside those after each repeat purchase: MBG/NBD has one after the first
        purchase too.

    Notes
    -----
    With y = x + extra and times at risk t and T,

        L = Γ(r+x)/Γ(r) · α^r/(α+T)^(r+x) · B(a, b+y)/B(a, b) · (1 + exp δ),
        δ = (r+x) ln((α+T)/(α+t)) + ln(a/(b+y-1)),

    without the last factor where x + extra = 0. With Λ(t) = ln(1 + t/α) its logarithm is
    Σ_{j<x} ln(r+j) - x ln α - (r+x) Λ(T) - Σ_{j<y} ln(1 + a/(b+j)) + softplus(δ): nothing in it
    overflows and nothing large cancels.
    """

    def __init__(self, counts: BuyerCounts, extra: int) -> None:
        most = int(counts.frequency.max(initial=0))
        if most > MOST_PURCHASES:
            raise InputError(
                f"buyers: {most} repeat purchases of one customer; merge those of a day, or drop "
                "machines and resellers"
            )
        self.extra = extra
        table = exposure(counts)
        self._times, self._at = table.times, table.to_age
        self._frequency = counts.frequency
        rows = np.flatnonzero(counts.frequency + extra > 0)
        self._rows = rows
        self._x = counts.frequency[rows]
        self._to_age = table.to_age[rows].astype(np.int32)
        self._to_last = table.to_last[rows].astype(np.int32)
        self.weigh(counts.weight)

    def weigh(self, weight: FloatArray) -> None:
        """Give the rows other weights.

        Parameters
        ----------
        weight : ndarray of float
            Customers of each row.
        """
        x, size = self._frequency, len(self._times)
        self._last: tuple[bytes, int, _Sums] | None = None
        self._weight = weight[self._rows]
        self._customers = np.bincount(self._at, weight, size)
        self._purchases = np.bincount(self._at, weight * x, size)
        self._events = float(weight @ x)
        by_count = np.bincount(x, weight)
        beyond = by_count[::-1].cumsum()[::-1]  # customers with at least so many
        self._reached = beyond[1:]  # with more than j = 0, 1, ...
        self._asked = beyond if self.extra else beyond[1:]  # whether they leave, so often

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray]:
        """Negative log-likelihood and its gradient."""
        sums = self._at_point(log_parameters, order=1)
        return -sums.value, -sums.gradient

    def hessian(self, log_parameters: FloatArray) -> FloatArray:
        """Second derivatives of the negative log-likelihood.

        Parameters
        ----------
        log_parameters : ndarray of float
            Logarithms of r, alpha, a, b.

        Returns
        -------
        ndarray of float
            4 × 4.
        """
        return -self._at_point(log_parameters, order=2).second

    def _at_point(self, log_parameters: FloatArray, order: int) -> _Sums:
        place = log_parameters.tobytes()
        if self._last is not None and self._last[0] == place and self._last[1] >= order:
            return self._last[2]
        r, alpha, a, b = np.exp(log_parameters)
        sums = _Sums(0.0, np.zeros(PARAMETERS), np.zeros((PARAMETERS, PARAMETERS)))
        logs, shares = np.log1p(self._times / alpha), self._times / (alpha + self._times)
        self._add_rates(sums, (r, alpha), logs, shares)
        self._add_chances(sums, a, b)
        self._add_leaves(sums, (r, a, b), (logs, shares), order)
        sums.second += np.triu(sums.second, 1).T
        self._last = (place, order, sums)
        return sums

    def _add_rates(
        self, sums: _Sums, rate: tuple[float, float], logs: FloatArray, shares: FloatArray
    ) -> None:
        """Add the part of a customer who never leaves: r and alpha only."""
        r, alpha = rate
        number = np.arange(len(self._reached))
        parts = r / (r + number)
        risk = r * self._customers + self._purchases  # Σ (r + x) by time
        sums.value += float(self._reached @ np.log(r + number))
        sums.value -= self._events * np.log(alpha) + float(risk @ logs)
        waited = r * float(self._customers @ logs)
        sums.gradient[0] += float(self._reached @ parts) - waited
        sums.gradient[1] += float(risk @ shares) - self._events
        sums.second[0, 0] += float(self._reached @ (parts * (1 - parts))) - waited
        sums.second[0, 1] += r * float(self._customers @ shares)
        sums.second[1, 1] -= float(risk @ (shares * (1 - shares)))

    def _add_chances(self, sums: _Sums, a: float, b: float) -> None:
        """Add the chances to stay after each purchase: a and b only."""
        number = np.arange(len(self._asked))
        asked, total = self._asked, a + b + number
        leave, stay, every = a / total, b / (b + number), b / total
        sums.value -= float(asked @ np.log1p(a / (b + number)))
        sums.gradient[2] -= float(asked @ leave)
        sums.gradient[3] += float(asked @ (stay * leave))
        sums.second[2, 2] -= float(asked @ (leave * (1 - leave)))
        sums.second[2, 3] += float(asked @ (leave * every))
        sums.second[3, 3] += float(asked @ (stay * (1 - stay) - every * (1 - every)))

    def _add_leaves(
        self,
        sums: _Sums,
        values: tuple[float, float, float],
        tables: tuple[FloatArray, FloatArray],
        order: int,
    ) -> None:
        """Add the term of a leave after the last purchase, block by block of rows."""
        r, a, b = values
        before = b + np.arange(self.extra - 1, len(self._reached) + self.extra)  # b + y - 1
        before[0] = b if self.extra else 1.0  # without a chance to leave there is no row
        odds, pull = np.log(a / before), -b / before
        for begin in range(0, len(self._x), BLOCK):
            part = slice(begin, begin + BLOCK)
            x, end, last = self._x[part], self._to_age[part], self._to_last[part]
            exponent = r + x
            gap = tables[0][end] - tables[0][last]
            drift = tables[1][last] - tables[1][end]
            delta = exponent * gap + odds[x]
            small = np.exp(-np.abs(delta))
            weight = self._weight[part]
            sums.value += float(weight @ (np.maximum(delta, 0.0) + np.log1p(small)))
            gone = np.where(delta >= 0, 1.0, small) / (1.0 + small)
            weighed = weight * gone
            slopes = np.stack([r * gap, exponent * drift, np.ones(len(x)), pull[x]])
            sums.gradient += slopes @ weighed
            if order < 2:
                continue
            sums.second += (slopes * (weighed * (1 - gone))) @ slopes.T
            ends, lasts = tables[1][end], tables[1][last]
            curve = exponent * (ends * (1 - ends) - lasts * (1 - lasts))
            sums.second[0, 0] += float(weighed @ slopes[0])
            sums.second[0, 1] += r * float(weighed @ drift)
            sums.second[1, 1] += float(weighed @ curve)
            sums.second[3, 3] += float(weighed @ (slopes[3] * (1 + slopes[3])))
        sums.second[np.tril_indices(PARAMETERS, -1)] = 0.0
