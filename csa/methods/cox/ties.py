"""Sums over tied events after Efron or Breslow, without a step per event.

With m events at an age, S the sum of relative risks of all at risk and E that of the m, Efron's
terms are d_j = S - (j/m) E for j = 0 ... m-1. What a fit needs are sums over j of 1/d, (j/m)/d,
1/d² and so on. Where E/S is small they are power series in E/S whose coefficients are sums of
powers of j/m, known once and for all; elsewhere, at the few ages where nearly all at risk go,
they are written out.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Ties = Literal["efron", "breslow"]

STEEP = 0.1  # E/S above which terms are written out
TERMS = 18  # 0.1 ** 18 is below the last bit of a float
WRITTEN_OUT = 64  # sums of powers of so few numbers are summed, else Faulhaber's formula is
BERNOULLI = {1: -1 / 2, 2: 1 / 6, 4: -1 / 30, 6: 1 / 42, 8: -1 / 30, 10: 5 / 66}
TINY = 1e-300  # for risk sets whose relative risks all vanish beside the largest elsewhere


class TieSums(NamedTuple):
    """Sums over the tied events of each slot, with f = j/m and d = S - f E."""

    log: float  # of log d, over all slots
    whole: FloatArray  # S
    hazard: FloatArray  # of 1/d: the increment of the cumulative hazard
    shared: FloatArray  # of f/d: the part that those who go do not bear
    square: FloatArray  # of S²/d²; without S² it could be too large for a float
    cross: FloatArray  # of f S²/d²
    shared_square: FloatArray  # of f² S²/d²


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TieRule:
    """How ties are broken on a given grid of event ages."""

    deaths: FloatArray
    tied: NDArray[np.int64]  # slots with more than one event, for Efron
    powers: FloatArray  # sums of f**n over the tied events, n = 0, 1, ...

    def sums(self, at_risk: FloatArray, going: FloatArray) -> TieSums:
        """Sum over the tied events of every slot.

        Parameters
        ----------
        at_risk, going : ndarray
            Sums of relative risks over all at risk, and over those that go.

        Returns
        -------
        TieSums
            Zero in slots without events.
        """
        m = self.deaths
        # subtracting what enters later can lose the last bits of a small risk set
        whole = np.maximum(np.maximum(at_risk, going), TINY)
        # one event at an age, or Breslow's rule: every f is 0
        sums = np.zeros((6, len(m)))
        sums[1], sums[3] = m, m
        if len(self.tied):
            sums[:, self.tied] = self._tied(going[self.tied] / whole[self.tied])
        log, hazard, shared, square, cross, shared_square = sums
        return TieSums(
            log=float((log + m * np.log(whole)).sum()),
            whole=whole,
            hazard=hazard / whole,
            shared=shared / whole,
            square=square,
            cross=cross,
            shared_square=shared_square,
        )

    def _tied(self, ratio: FloatArray) -> FloatArray:
        """Sum log d, 1/d, f/d, 1/d², f/d² and f²/d² for S = 1, one row each."""
        found = _series(self.powers, np.minimum(ratio, STEEP))
        steep = np.flatnonzero(ratio > STEEP)
        if len(steep):
            found[:, steep] = _written_out(self.deaths[self.tied[steep]], ratio[steep])
        return found


def tie_rule(deaths: FloatArray, ties: Ties) -> TieRule:
    """Prepare the sums over tied events.

    Parameters
    ----------
    deaths : ndarray
        Events per slot, with multiplicity.
    ties : {"efron", "breslow"}
        Efron [1]_, or Breslow, who lets all tied events share one risk set.

    Returns
    -------
    TieRule
        For any relative risks on the same slots.

    References
    ----------
    .. [1] Efron, B. (1977). The efficiency of Cox's likelihood function for censored data.
       J. Am. Stat. Assoc. 72, 557-565.
    """
    tied = np.flatnonzero(deaths > 1) if ties == "efron" else np.empty(0, np.int64)
    sizes, place = np.unique(deaths[tied], return_inverse=True)
    powers = np.array([_power_sums(int(m)) for m in sizes]).reshape(len(sizes), TERMS + 2)
    return TieRule(deaths=deaths, tied=tied, powers=powers[place].T)


def _power_sums(m: int) -> list[float]:
    """Sum (j/m)**n over j = 0 ... m-1, for n = 0 ... TERMS + 1."""
    if m < WRITTEN_OUT:
        share = np.arange(m) / m
        return [float((share**n).sum()) for n in range(TERMS + 2)]
    return [float(m), *(_faulhaber(m, n) for n in range(1, TERMS + 2))]


def _faulhaber(m: int, n: int) -> float:
    """Sum (j/m)**n over j = 0 ... m-1 by Bernoulli numbers; exact for m from 64 on."""
    total, binomial = 1.0, 1.0  # binomial: (n + 1 over k)
    for k in range(1, min(n, max(BERNOULLI)) + 1):
        binomial *= (n + 2 - k) / k
        total += BERNOULLI.get(k, 0.0) * binomial / m**k
    return m * total / (n + 1)


def _series(powers: FloatArray, ratio: FloatArray) -> FloatArray:
    """Sum for S = 1 as power series in E/S, by Horner's rule."""
    log, sums = np.zeros_like(ratio), np.zeros((5, len(ratio)))
    for n in range(TERMS - 1, -1, -1):
        log = log * ratio - powers[n + 1] / (n + 1)
        # 1/d = Σ q**n f**n and 1/d² = Σ (n + 1) q**n f**n; each further f shifts the power
        sums *= ratio
        sums[:2] += powers[n : n + 2]
        sums[2:] += (n + 1) * powers[n : n + 3]
    return np.vstack([log * ratio, sums])


def _written_out(deaths: FloatArray, ratio: FloatArray) -> FloatArray:
    """Sum for S = 1, term by term."""
    m = deaths.astype(np.int64)
    first = np.concatenate([[0], np.cumsum(m)[:-1]])
    share = (np.arange(int(m.sum())) - np.repeat(first, m)) / np.repeat(deaths, m)
    rest = 1 - share * np.repeat(ratio, m)
    inverse = 1 / rest
    square = inverse**2
    terms = (np.log(rest), inverse, share * inverse, square, share * square, share**2 * square)
    return np.array([np.add.reduceat(x, first) for x in terms])
