"""What single customers may bring: chance included, where `ci_low` is of what is expected."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.value_models import ValueModel, ValueTerms, histories
from csa.errors import InputError
from csa.methods.btyd.draws import parameter_draws, with_parameters
from csa.methods.btyd.model import Fit
from csa.methods.btyd.simulate import future_purchases

FloatArray = NDArray[np.float64]

DRAWS: Final = 1000
LEAST: Final = 1e-12  # of a shape or rate, so that random numbers exist


def with_outcomes(
    rows: pd.DataFrame,
    *,
    model: ValueModel,
    terms: ValueTerms,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Add the range of what each customer may bring within the horizon.

    Parameters
    ----------
    rows : DataFrame
        Customers, a few: `frequency`, `recency`, `age`, `mean_minor`, `expected_purchases`
        (discounted), `value`, as `csa.analysis.clv.value.next_best` gives them.
    model : ValueModel
        As they were valued.
    terms : ValueTerms
        As they were valued; the horizon is finite.
    rng : numpy.random.Generator
        Source of randomness.
    draws : int
        Futures per customer.

    Returns
    -------
    DataFrame
        The rows with `outcome_low` and `outcome_high`, quantiles of the discounted value widened
        to the expected `value` where that lies outside of them, and `outcome_none`, the chance
        that the customer buys nothing.

    Raises
    ------
    InputError
        If the horizon is endless, or the model cannot be simulated.

    Notes
    -----
    In each draw parameters of both fits come from their distributions, a customer's rate, time of
    leaving and mean spend from theirs given the history, and then purchases and what they cost.
    Purchases are discounted by the customer's average over the horizon. Where a customer has almost
    surely left, nearly all futures bring nothing and the few that do raise the mean above them: a
    mean may lie outside of the central quantiles, and a range without it would look like a fault.
    """
    if not np.isfinite(terms.horizon_days):
        raise InputError("outcomes: an endless horizon cannot be simulated; state one in days")
    if rows.empty:
        return rows.assign(outcome_low=[], outcome_high=[], outcome_none=[])
    x, last, age = (rows[name].to_numpy(dtype=float) for name in ("frequency", "recency", "age"))
    counts = histories(model, x, last, age)
    unit = model.purchases.unit_days or 1.0
    horizon = terms.horizon_days / unit
    spent = np.where(x > 0, x * rows["mean_minor"].fillna(0.0).to_numpy(dtype=float), 0.0)
    flat = model.discounted(
        model.purchases,
        counts,
        ValueTerms(annual_rate=0.0, horizon_days=terms.horizon_days),
    )
    worth = np.divide(
        rows["expected_purchases"].to_numpy(dtype=float),
        flat,
        out=np.ones_like(flat),
        where=flat > 0,
    )
    places = parameter_draws(model.purchases, rng, draws=draws)
    spends = parameter_draws(model.spend, rng, draws=draws)
    found = np.zeros((draws, len(rows)))
    for i, (place, spend) in enumerate(zip(places, spends, strict=True)):
        fit = with_parameters(model.purchases, place)
        row, number = future_purchases(fit, counts, horizon, rng)
        bought = np.bincount(row, number, minlength=len(rows)).astype(np.float64)
        found[i] = _paid(bought, (x, spent), with_parameters(model.spend, spend), rng)
    found *= worth * terms.margin
    tail = (1 - terms.confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail], axis=0)
    value = rows["value"].to_numpy(dtype=float)
    low, high = np.minimum(low, value), np.maximum(high, value)
    none = (found == 0).mean(axis=0)
    return rows.assign(outcome_low=low, outcome_high=high, outcome_none=none)


def _paid(
    bought: FloatArray, seen: tuple[FloatArray, FloatArray], spend: Fit, rng: np.random.Generator
) -> FloatArray:
    """Draw what the purchases of each customer cost together."""
    p, q, gamma = spend.values("p", "q", "gamma")
    x, spent = seen
    rate = np.maximum(rng.gamma(p * x + q) / (gamma + spent), LEAST)
    total = rng.gamma(np.maximum(p * bought, LEAST)) / rate
    return np.where(bought > 0, total, 0.0)
