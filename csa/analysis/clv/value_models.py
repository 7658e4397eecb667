"""Two fits that together give the value of a buyer, and how that moves with their parameters."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.btyd import bg_nbd, pareto_nbd_predict
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.discounting import (
    discounted_transactions,
    discounted_value,
    rate_per_unit,
)
from csa.methods.btyd.model import Fit

FloatArray = NDArray[np.float64]

STEP: Final = 2e-3  # of a log-parameter, for slopes by differences
TOLERANCE: Final = 1e-6  # of the discounting, as a share of the purchases expected
NODES: Final = 9  # ages per frequency at which purchases to come are worked out
SAME: Final = 1e-13
TINY: Final = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTerms:
    """What a value means: the discount, how far it looks, what of the spend is earned.

    `annual_rate` is an annual effective rate, a share; `horizon_days` may be infinite (all that is
    still to come); `margin` a share of the spend; `confidence` the level of all intervals.
    """

    annual_rate: float = 0.10
    horizon_days: float = 3 * 365.25
    margin: float = 1.0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        faults = []
        for check in (
            lambda: rate_per_unit(self.annual_rate, 1.0),
            lambda: discounted_value(0.0, 0.0, margin=self.margin),
        ):
            try:
                check()
            except InputError as error:
                faults += list(error.faults)
        if not self.horizon_days > 0:
            faults.append(f"horizon: {self.horizon_days} days is not above 0")
        if not 0 < self.confidence < 1:
            faults.append(f"confidence: {self.confidence} is not between 0 and 1")
        if faults:
            raise InputError(*faults)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ValueModel:
    """A fit of purchases with its predictions, and a fit of spend.

    `expected(fit, times)`: purchases of a new customer up to times, E[X(t)]. `discounted(fit,
    counts, terms)`: purchases to come of customers with a history, discounted (DERT, DET).
    `alive(fit, counts)`: P(alive). Times are in the unit of the fit; those of histories lie on a
    grid of `grid_days`, 0 for exact times.
    """

    purchases: Fit
    spend: Fit
    expected: Callable[[Fit, FloatArray], FloatArray]
    discounted: Callable[[Fit, BuyerCounts, ValueTerms], FloatArray]
    alive: Callable[[Fit, BuyerCounts], FloatArray]
    grid_days: float = 1.0

    @property
    def usable(self) -> bool:
        """Whether both models were fitted at all."""
        return bool(self.purchases.parameters and self.spend.parameters)

    @property
    def status(self) -> str:
        """Whether the figures can be trusted: ok or unclear."""
        both = (self.purchases.status, self.spend.status)
        return "ok" if both == ("ok", "ok") else "unclear"

    @property
    def reason(self) -> str:
        """Why they cannot, empty where they can."""
        said = ((fit.model, fit.reason) for fit in (self.purchases, self.spend))
        return "; ".join(f"{model}: {reason}" for model, reason in said if reason)


def value_model(purchases: Fit, spend: Fit, *, grid_days: float = 1.0) -> ValueModel:
    """Join a fit of purchases to a fit of spend, with the predictions of its model.

    Parameters
    ----------
    purchases : Fit
        BG/NBD, MBG/NBD or Pareto/NBD.
    spend : Fit
        Gamma-Gamma.
    grid_days : float
        Step on which times of histories were recorded, days; 0 for exact times.

    Returns
    -------
    ValueModel
        Ready for `csa.analysis.clv.value.buyer_value`.

    Raises
    ------
    InputError
        If the model has no predictions in continuous time.
    """
    if purchases.model not in PREDICTIONS:
        known = ", ".join(PREDICTIONS)
        raise InputError(f"{purchases.model}: not a model that values histories; there are {known}")
    expected, discounted, alive = PREDICTIONS[purchases.model]
    return ValueModel(
        purchases=purchases,
        spend=spend,
        expected=expected,
        discounted=discounted,
        alive=alive,
        grid_days=grid_days,
    )


def histories(
    model: ValueModel, frequency: FloatArray, recency: FloatArray, age: FloatArray
) -> BuyerCounts:
    """Make counts that the fit understands, one row per history.

    Parameters
    ----------
    model : ValueModel
        Whose unit, grid and way of merging purchases hold.
    frequency, recency, age : ndarray of float
        Histories, in the unit of the fit.

    Returns
    -------
    BuyerCounts
        In the order given.
    """
    return BuyerCounts(
        frequency.astype(np.int64),
        recency,
        age,
        unit_days=_unit(model.purchases),
        grid_days=model.grid_days,
        merged_days=model.purchases.merged_days,
    )


def discounted_new(model: ValueModel, fit: Fit, terms: ValueTerms) -> float:
    """Count repeat purchases of a new customer, discounted, within the horizon.

    Parameters
    ----------
    model : ValueModel
        Predictions.
    fit : Fit
        Parameters, of `model` or near it.
    terms : ValueTerms
        Discount and horizon.

    Returns
    -------
    float
        Without the first purchase.
    """
    found = discounted_transactions(
        lambda time: model.expected(fit, np.array([time])),
        annual_rate=terms.annual_rate,
        unit_days=_unit(fit),
        horizon_days=terms.horizon_days,
        tolerance=TOLERANCE,
    )
    return float(found.transactions[0])


def log_slopes(fit: Fit, figures: Callable[[Fit], FloatArray], at: FloatArray) -> FloatArray:
    """Slopes of the logarithm of figures in the log-parameters of a fit.

    Parameters
    ----------
    fit : Fit
        Where.
    figures : callable
        Of a fit: one figure per row, above 0.
    at : ndarray of float
        The figures of `fit`.

    Returns
    -------
    ndarray of float
        Rows × parameters; 0 where the figure is 0, and for a parameter without variance.
    """
    names = list(fit.parameters)
    slopes = np.zeros((len(at), len(names)))
    positive = at > 0
    for j in np.flatnonzero(np.diag(fit.covariance) > 0):
        moved = figures(_moved(fit, names, int(j), STEP))
        slopes[positive, j] = np.log(np.maximum(moved, TINY)[positive] / at[positive]) / STEP
    return slopes


def _moved(fit: Fit, names: list[str], which: int, step: float) -> Fit:
    """Shift one log-parameter."""
    theta = fit.log_parameters.copy()
    theta[which] += step
    values = dict(zip(names, map(float, np.exp(theta)), strict=True))
    return replace(fit, parameters=values, log_parameters=theta)


def _unit(fit: Fit) -> float:
    if fit.unit_days is None:
        raise InputError(f"{fit.model}: the fit states no unit of time; fit it from counts")
    return fit.unit_days


def _pareto_discounted(fit: Fit, counts: BuyerCounts, terms: ValueTerms) -> FloatArray:
    return pareto_nbd_predict.discounted_residual(
        fit, counts, annual_rate=terms.annual_rate, horizon_days=terms.horizon_days
    )


def _bg_discounted(fit: Fit, counts: BuyerCounts, terms: ValueTerms) -> FloatArray:
    """Discount purchases to come of who is there, which moves smoothly with age; × P(alive)."""
    nodes, place, mix = _between_ages(fit, counts)

    def there(time: float) -> FloatArray:
        return bg_nbd.residual_purchases(fit, nodes, time)

    found = discounted_transactions(
        there,
        annual_rate=terms.annual_rate,
        unit_days=_unit(fit),
        horizon_days=terms.horizon_days,
        tolerance=TOLERANCE,
    ).transactions
    logs = np.log(np.maximum(found / bg_nbd.probability_alive(fit, nodes), TINY))
    here = np.exp(np.einsum("rk,rk->r", mix, logs[place]))
    return np.asarray(here * bg_nbd.probability_alive(fit, counts))


def _between_ages(
    fit: Fit, counts: BuyerCounts
) -> tuple[BuyerCounts, NDArray[np.intp], FloatArray]:
    """Place a few ages per frequency, and tell how each row lies between them.

    Chebyshev's nodes in the logarithm of alpha + age; the customers at them bought last today.
    """
    distinct, of = np.unique(counts.frequency, return_inverse=True)
    low, high = np.full(len(distinct), np.inf), np.zeros(len(distinct))
    np.minimum.at(low, of, counts.age)
    np.maximum.at(high, of, counts.age)
    alpha = fit.parameters["alpha"]
    left, right = np.log(alpha + low), np.log(alpha + high)
    angles = np.pi * np.arange(NODES) / (NODES - 1)
    spots = -np.cos(angles)
    at = (left + right)[:, None] / 2 + (right - left)[:, None] / 2 * spots
    ages = np.clip(np.exp(at) - alpha, low[:, None], high[:, None])
    nodes = replace(
        counts,
        frequency=np.repeat(distinct, NODES),
        recency=np.where(distinct[:, None] > 0, ages, 0.0).ravel(),
        age=ages.ravel(),
        weight=np.ones(ages.size),
        grid_days=0.0,
    )
    width = np.where(right > left, right - left, 1.0)
    where = 2 * (np.log(alpha + counts.age) - left[of]) / width[of] - 1
    mix = _lagrange(np.where((right > left)[of], where, -1.0), spots)
    return nodes, of[:, None] * NODES + np.arange(NODES), mix


def _lagrange(at: FloatArray, spots: FloatArray) -> FloatArray:
    """Weights of the values at Chebyshev's nodes, by the barycentric formula."""
    signs = np.where(np.arange(len(spots)) % 2, -1.0, 1.0)
    signs[[0, -1]] /= 2
    distance = at[:, None] - spots
    exact = np.abs(distance) < SAME
    weight = signs / np.where(exact, 1.0, distance)
    hit = np.asarray(exact.any(axis=1))
    weight = np.where(hit[:, None], exact, weight)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


_BG: Final = (bg_nbd.expected_purchases, _bg_discounted, bg_nbd.probability_alive)
PREDICTIONS: Final = {
    "BG/NBD": _BG,
    "MBG/NBD": _BG,
    "Pareto/NBD": (
        pareto_nbd_predict.expected_purchases,
        _pareto_discounted,
        pareto_nbd_predict.probability_alive,
    ),
}
