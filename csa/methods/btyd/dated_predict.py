"""What buyers will still bring by BG/NBD in operational time, and how sure that is."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.btyd.bg_expected import expected_of_buyer
from csa.methods.btyd.bg_fit import BG_NBD
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.dated import MODEL, DatedFit, calendar_of, limits_of_fading
from csa.methods.btyd.dated_likelihood import FADES, HEIGHT, OWN, DatedLikelihood
from csa.methods.btyd.dated_time import Clock, burst
from csa.methods.btyd.model import Fit
from csa.methods.btyd.simulate import future_purchases

FloatArray = NDArray[np.float64]

DRAWS: Final = 400
FOLLOWED: Final = 150  # customers in whom a draw of the parameters is felt
FUTURES: Final = 40  # of the customers, for the part of chance
MOST: Final = 20_000  # customers in a future; the variance of more is scaled
TINY: Final = 1e-300


def residual_purchases(fit: DatedFit, counts: BuyerCounts, time: float) -> FloatArray:
    """Give the expected purchases of each customer in a time after the end of observation.

    Parameters
    ----------
    fit : DatedFit
        Of all customers observed to that day.
    counts : BuyerCounts
        Some or all of them, in the same unit.
    time : float
        Length of time, units.

    Returns
    -------
    ndarray of float
        One per row.

    Raises
    ------
    InputError
        If nothing was fitted.
    """
    lengths, _ = _fitted(fit).clock.ahead(time)
    last, variance = float(fit.place[-1]), float(fit.covariance[-1, -1])
    factors = fit.calendar.forecast(last, variance, len(lengths))
    rows = _Rows(counts, fit.clock, time)
    return rows.expected(fit.place, factors)


def predictive_totals(
    fit: DatedFit, counts: BuyerCounts, time: float, rng: np.random.Generator, *, draws: int = DRAWS
) -> FloatArray:
    """Draw what all customers together buy in a time after the end of observation.

    Parameters
    ----------
    fit : DatedFit
        Of all customers observed to that day.
    counts : BuyerCounts
        They, in the same unit.
    time : float
        Length of time, units.
    rng : numpy.random.Generator
        Source of randomness.
    draws : int
        How many.

    Returns
    -------
    ndarray of float
        One total per draw; their quantiles are the bounds of a predictive interval.

    Notes
    -----
    Each draw has its own parameters, its own ways of the calendar and its own weeks to come. What
    it does to the total is felt in 150 customers, drawn as often as they are expected to buy; the
    chance of single purchases, alike for all draws, comes from simulated futures.
    """
    known = _fitted(fit).counts if counts is fit.counts else counts.compressed()
    said = residual_purchases(fit, known, time) * known.weight
    total = float(said.sum())
    if not total:
        return np.zeros(draws)
    places = (np.arange(FOLLOWED) + rng.random()) / FOLLOWED
    picked = np.minimum(np.searchsorted(np.cumsum(said) / total, places), len(said) - 1)
    rows = _Rows(_part(known, picked), fit.clock, time)
    usual = said[picked] / known.weight[picked]
    sizes, directions = np.linalg.eigh(fit.covariance)
    root = directions * np.sqrt(np.maximum(sizes, 0.0))
    ahead = len(fit.clock.ahead(time)[0])
    felt = np.empty(draws)
    for i in range(draws):
        place = fit.place + root @ rng.standard_normal(len(fit.place))
        place[FADES] = np.clip(place[FADES], *limits_of_fading(fit.clock))
        calendar = fit.of_calendar(calendar_of(int(rng.choice(len(fit.weights), p=fit.weights))))
        factors = calendar.draw(float(place[-1]), ahead, rng)
        felt[i] = float(np.mean(rows.expected(place, factors) / usual))
    chance = np.sqrt(_variance(fit, known, time, rng)) * rng.standard_normal(draws)
    totals: FloatArray = np.maximum(total * felt + chance, 0.0)
    return totals


class _Rows:
    """Customers whose future is asked for more than once."""

    def __init__(self, counts: BuyerCounts, clock: Clock, time: float) -> None:
        on = _on_grid(counts, clock)
        nothing = np.zeros(clock.longest + 1)
        self._likelihood = DatedLikelihood(on, nothing, nothing, clock)
        age, self._x = on.steps(on.age), on.frequency
        key = self._x * (clock.longest + 1) + age
        _, self._first, self._place = np.unique(key, return_index=True, return_inverse=True)
        lengths, middles = clock.ahead(time)
        self._lengths = lengths
        self._ages = on.age[self._first][:, None] + middles

    def ahead(self, place: FloatArray, factors: FloatArray) -> FloatArray:
        """Give the operational time to come of each row."""
        rise = np.exp(burst(place[HEIGHT], np.exp(place[FADES]), self._ages))
        return np.asarray((rise @ (self._lengths * factors))[self._place])

    def standing(self, place: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give P(alive), and operational times to the end and to the last purchase."""
        return self._likelihood.alive(place)

    def expected(self, place: FloatArray, factors: FloatArray) -> FloatArray:
        """Give the purchases to come of each row, the weeks to come given."""
        r, alpha, a, b = np.exp(place[:OWN])
        alive, age, _ = self.standing(place)
        x, first = self._x[self._first], self._first
        time = self.ahead(place, factors)[first]
        there = expected_of_buyer((r + x, alpha + age[first]), (np.full(len(x), a), b + x), time)
        expected: FloatArray = alive * there[self._place]
        return expected


def _fitted(fit: DatedFit) -> DatedFit:
    if not fit.parameters:
        raise InputError(f"{MODEL}: nothing was fitted ({fit.reason}); predict nothing")
    return fit


def _on_grid(counts: BuyerCounts, clock: Clock) -> BuyerCounts:
    """Tell times on the grid of a clock, row by row."""
    last = np.rint(counts.recency / clock.step)
    last = np.where(counts.frequency > 0, np.maximum(last, 1.0), 0.0)
    age = np.clip(np.rint(counts.age / clock.step), last, clock.longest)
    return replace(
        counts,
        recency=np.minimum(last, age) * clock.step,
        age=age * clock.step,
        grid_days=clock.step * counts.unit_days,
    )


def _part(counts: BuyerCounts, rows: NDArray[np.intp]) -> BuyerCounts:
    """Take single customers of some rows."""
    return replace(
        counts,
        frequency=counts.frequency[rows],
        recency=counts.recency[rows],
        age=counts.age[rows],
        weight=np.ones(len(rows)),
    )


def _variance(fit: DatedFit, counts: BuyerCounts, time: float, rng: np.random.Generator) -> float:
    """Estimate the variance of the total, parameters and weeks given."""
    rows = _Rows(counts, fit.clock, time)
    _, age, last = rows.standing(fit.place)
    lengths, _ = fit.clock.ahead(time)
    factors = fit.calendar.forecast(float(fit.place[-1]), 0.0, len(lengths))
    weight, scale = counts.weight, 1.0
    if counts.n > MOST:
        weight, scale = rng.multinomial(MOST, weight / counts.n).astype(float), counts.n / MOST
    own = Fit(
        model=BG_NBD,
        parameters={name: fit.parameters[name] for name in ("r", "alpha", "a", "b")},
        log_parameters=fit.place[:OWN],
        covariance=fit.covariance[:OWN, :OWN],
        standard_errors={},
        log_likelihood=fit.log_likelihood,
        n=counts.n,
        events=counts.events,
        converged=True,
        starts=(1, 1),
        unit_days=counts.unit_days,
    )
    told = BuyerCounts(
        counts.frequency,
        np.where(counts.frequency > 0, np.maximum(last, TINY), 0.0),
        np.maximum(age, last),
        weight,
        unit_days=counts.unit_days,
        grid_days=0.0,
    )
    span = float(weight @ rows.ahead(fit.place, factors) / weight.sum())
    futures = [float(future_purchases(own, told, span, rng)[1].sum()) for _ in range(FUTURES)]
    return float(np.var(futures, ddof=1)) * scale
