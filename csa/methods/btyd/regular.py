"""MBG/CNBD-k: buyers who buy at regular intervals, and may leave after each purchase.

Gaps between purchases are Erlang: a purchase comes with every k-th beat of a Poisson process, so
that the more beats, the more even the gaps. A regular buyer who is overdue is sooner seen to have
left. With k = 1 it is MBG/NBD.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, digamma, expit, gammaln, logsumexp

from csa.errors import InputError
from csa.methods.btyd.bg_fit import NAMES, search_box
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import maximise, spread_starts
from csa.methods.btyd.model import Fit, fitted_to, not_to_be_fitted, times_ahead

FloatArray = NDArray[np.float64]

MODEL: Final = "MBG/CNBD-k"
BEATS: Final = (1, 2, 3, 4)  # that a purchase may take
STARTS: Final = 4
MANY_ROWS: Final = 60_000  # beyond, times (not counts) are rounded to
COARSER: Final = 7  # steps, which moves parameters by about 1 %
AT_ONCE: Final = 32  # purchases to come that are added up together
STOP: Final = 1e-13  # of the sum; terms fall, so what follows is less


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegularFit:
    """A fit with the number of beats that describes the gaps best.

    Attributes
    ----------
    fit : Fit
        Parameters r, alpha (units; of beats), a, b; without any where nothing could be fitted.
    k : int
        Beats a purchase.
    log_likelihoods : dict of int to float
        By number of beats, all with the gaps in them, so that they can be compared.
    """

    fit: Fit
    k: int
    log_likelihoods: dict[int, float]


def fit_regular(
    counts: BuyerCounts, log_gaps: float, *, beats: tuple[int, ...] = BEATS
) -> RegularFit:
    """Fit MBG/CNBD-k for each number of beats, and take the likeliest.

    Parameters
    ----------
    counts : BuyerCounts
        Customers; purchases as they are, not merged.
    log_gaps : float
        Sum over all customers of the logarithms of the times from purchase to purchase, units.
    beats : tuple of int
        Numbers to try.

    Returns
    -------
    RegularFit
        "unclear" without repeat purchases, and with very few repeat buyers.

    Raises
    ------
    InputError
        If purchases are merged.

    Notes
    -----
    Gaps say nothing of the parameters, only of k, so their logarithms are needed as one sum [1]_.
    Gaps counted in whole days look a little more even than they are where they are of a few days.
    No printed table was at hand: k = 1 is held against MBG/NBD, other k against simulation.

    References
    ----------
    .. [1] Platzer, M., Reutterer, T. (2016). Ticking away the moments: timing regularity helps to
       better predict customer activity. Marketing Science 35(5), 779-799.
    """
    if counts.merged_days:
        raise InputError(f"{MODEL}: gaps are those of single purchases; set merged_days to 0")
    known = counts.compressed()
    if (nothing := not_to_be_fitted(MODEL, known)) is not None:
        return RegularFit(fit=nothing, k=1, log_likelihoods={})
    if len(known) > MANY_ROWS and known.grid_days:
        known = known.rounded(COARSER * known.grid_days)
    fits = {k: _fit(known, k, log_gaps) for k in beats}
    best = max(fits, key=lambda k: fits[k].log_likelihood)
    told = {k: fit.log_likelihood for k, fit in fits.items()}
    return RegularFit(fit=fits[best], k=best, log_likelihoods=told)


def _fit(known: BuyerCounts, k: int, log_gaps: float) -> Fit:
    """Fit one number of beats."""
    centre, box = search_box(known)
    shift = np.array([0.0, np.log(k), 0.0, 0.0])  # k times as many beats as purchases
    likelihood = RegularLikelihood(known, k)
    found = maximise(likelihood, spread_starts(centre - shift, count=STARTS), box - shift[:, None])
    gaps = (k - 1) * log_gaps - float(gammaln(k)) * known.events
    return fitted_to(known, MODEL, NAMES, found, constant=gaps)


class RegularLikelihood:
    """Negative log-likelihood of MBG/CNBD-k at log (r, alpha, a, b), but for the gaps.

    Parameters
    ----------
    counts : BuyerCounts
        Customers.
    k : int
        Beats a purchase.

    Notes
    -----
    With n = r + kx and w = (T - t)/(α + T) the likelihood of a customer is

        Γ(n)/Γ(r) · α^r/(α+T)^n · B(a, b+x+1)/B(a, b) · (Σ_{j<k} C_j w^j + exp δ),
        C_j = Γ(n+j)/(Γ(n) j!), δ = n ln((α+T)/(α+t)) + ln(a/(b+x)):

    a customer who is there has had j < k beats since the last purchase.
    """

    def __init__(self, counts: BuyerCounts, k: int) -> None:
        self._x = counts.frequency.astype(np.float64)
        self._age, self._last, self._weight = counts.age, counts.recency, counts.weight
        self._k = k

    def beats(self, r: float, alpha: float) -> FloatArray:
        """Give the logarithm of C_j w^j.

        Parameters
        ----------
        r, alpha : float
            Of the rate of beats.

        Returns
        -------
        ndarray of float
            Rows × k; minus infinity where there was no time for a beat.
        """
        number = np.arange(self._k)
        n = (r + self._k * self._x)[:, None]
        with np.errstate(divide="ignore"):
            waited = np.log((self._age - self._last) / (alpha + self._age))[:, None]
        powers = np.where(number > 0, number * np.where(number > 0, waited, 0.0), 0.0)
        told: FloatArray = gammaln(n + number) - gammaln(n) - gammaln(number + 1) + powers
        return told

    def leave(self, r: float, alpha: float, a: float, b: float) -> FloatArray:
        """Give δ, the logarithm of the chance to have left, beside that of the beats.

        Parameters
        ----------
        r, alpha, a, b : float
            Parameters.

        Returns
        -------
        ndarray of float
            One per row.
        """
        n = r + self._k * self._x
        gap = np.log1p((self._age - self._last) / (alpha + self._last))
        told: FloatArray = n * gap + np.log(a) - np.log(b + self._x)
        return told

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray]:
        """Negative log-likelihood and its gradient."""
        r, alpha, a, b = (float(value) for value in np.exp(log_parameters))
        x, n = self._x, r + self._k * self._x
        beats, leave = self.beats(r, alpha), self.leave(r, alpha, a, b)
        both = np.logaddexp(logsumexp(beats, axis=1), leave)
        logs = np.log1p(self._age / alpha)
        value = gammaln(n) - gammaln(r) - n * logs + both + betaln(a, b + x + 1) - betaln(a, b)
        gone, part = np.exp(leave - both), np.exp(beats - both[:, None])
        of_rate = self._rate_slopes((r, alpha), gone, part)
        every = digamma(a + b) - digamma(a + b + x + 1)
        of_a = every + gone / a
        of_b = digamma(b + x + 1) - digamma(b) + every - gone / (b + x)
        gradient = np.stack([*of_rate, of_a, of_b]) @ self._weight * np.array([r, alpha, a, b])
        total = self._weight @ value - self._k * (self._weight @ x) * np.log(alpha)
        return -float(total), -gradient

    def _rate_slopes(
        self, rate: tuple[float, float], gone: FloatArray, part: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Slopes of each row in r and alpha; `part` is the share of each number of beats."""
        r, alpha = rate
        n, number = r + self._k * self._x, np.arange(self._k)
        more = digamma(n[:, None] + number) - digamma(n)[:, None]
        since = np.log1p((self._age - self._last) / (alpha + self._last))
        of_r = digamma(n) - digamma(r) - np.log1p(self._age / alpha)
        end, last = 1 / (alpha + self._age), 1 / (alpha + self._last)
        of_alpha = r / alpha - n * end - end * (part @ number) + gone * n * (end - last)
        return of_r + (part * more).sum(axis=1) + gone * since, of_alpha


def probability_alive(found: RegularFit, counts: BuyerCounts) -> FloatArray:
    """Give P(alive): the chance that a customer has not left by the end of observation.

    Parameters
    ----------
    found : RegularFit
        The fit.
    counts : BuyerCounts
        Customers, in its unit.

    Returns
    -------
    ndarray of float
        One share per row.
    """
    r, alpha, a, b = found.fit.values(*NAMES)
    rows = RegularLikelihood(counts, found.k)
    alive: FloatArray = expit(logsumexp(rows.beats(r, alpha), 1) - rows.leave(r, alpha, a, b))
    return alive


def residual_purchases(found: RegularFit, counts: BuyerCounts, time: float) -> FloatArray:
    """Give the expected purchases of each customer in a time after the end of observation.

    Parameters
    ----------
    found : RegularFit
        The fit.
    counts : BuyerCounts
        Customers, in its unit.
    time : float
        Length of time, units.

    Returns
    -------
    ndarray of float
        One per row.

    Notes
    -----
    Who is there after j beats has a rate of shape r + kx + j, and buys the m-th time with the
    (km - j)-th beat to come, if he stayed after the m - 1 purchases before: an exact sum over m
    for each j, weighed by the chance of j.
    """
    r, alpha, a, b = found.fit.values(*NAMES)
    rows = RegularLikelihood(counts, found.k)
    beats = rows.beats(r, alpha)
    had = np.exp(beats - logsumexp(beats, axis=1, keepdims=True))
    keys = np.column_stack([counts.frequency.astype(np.float64), counts.age])
    distinct, place = np.unique(keys, axis=0, return_inverse=True)
    x, age = distinct.T
    share = times_ahead(time) / (alpha + age + time)
    there = np.zeros(len(counts))
    for j in range(found.k):
        to_come = _purchases(r + found.k * x + j, share, (a, b + x + 1), found.k, j)
        there += had[:, j] * to_come[place.ravel()]
    return probability_alive(found, counts) * there


def expected_purchases(found: RegularFit, time: ArrayLike) -> FloatArray:
    """Give E[X(t)]: repeat purchases of a new customer within a time of the first.

    Parameters
    ----------
    found : RegularFit
        The fit.
    time : array_like of float
        Time, in the unit of the fit.

    Returns
    -------
    ndarray of float
        Purchases.
    """
    r, alpha, a, b = found.fit.values(*NAMES)
    times = times_ahead(time)
    flat = np.ravel(times)
    full = np.full(len(flat), r)
    leave = (a, np.full(len(flat), b + 1))
    said = b / (a + b) * _purchases(full, flat / (alpha + flat), leave, found.k, 0)
    return said.reshape(times.shape)


def _purchases(
    shape: FloatArray, share: FloatArray, leave: tuple[float, FloatArray], k: int, had: int
) -> FloatArray:
    """Add up the chances that the first, second, ... purchase comes within the time."""
    a, b = leave
    total, stay = np.zeros(len(shape)), np.ones(len(shape))
    left, first = np.arange(len(shape)), 1
    while len(left):
        m = np.arange(first, first + AT_ONCE)
        odds = a / (b[left, None] + m - 1)
        stays = stay[left, None] * np.cumprod(1 / (1 + odds), axis=1)
        before = np.column_stack([stay[left], stays[:, :-1]])
        come = betainc(k * m - had, shape[left, None], share[left, None])
        total[left] += (before * come).sum(axis=1)
        stay[left] = stays[:, -1]
        left = left[before[:, -1] * come[:, -1] > STOP * total[left]]
        first += AT_ONCE
    return total
