"""What buyers are worth by the model that was chosen, and how it followed them."""

from dataclasses import dataclass, replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.clv.alive import alive_calibration
from csa.analysis.clv.buyers import BuyersResult
from csa.analysis.clv.dated_total import DatedTotal, dated_total
from csa.analysis.clv.economics_concentration import Concentration
from csa.analysis.clv.newcomers import NewcomerValue, newcomer_value
from csa.analysis.clv.rfm import rfm
from csa.analysis.clv.tracking import Tracking, tracking
from csa.analysis.clv.value import BuyerValue, buyer_value
from csa.analysis.clv.value_models import ValueModel, ValueTerms, value_model
from csa.analysis.clv.value_shapes import buyer_concentration
from csa.methods.btyd.gamma_gamma import fit_gamma_gamma
from csa.methods.btyd.independence import SpendIndependence, spend_independence

DOUBT = "the model did not hold in the days held back"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ValuedBuyers:
    """Value of the buyers of today and of a new one, whose it is, and how spend goes with it."""

    model: ValueModel
    value: BuyerValue
    concentration: Concentration
    newcomers: NewcomerValue
    spend: SpendIndependence


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """Purchases followed through the holdout, and whether those taken for gone stayed away.

    `dated` is the total by a model that knows bursts and weeks; None where there is none.
    """

    track: Tracking
    alive: pd.DataFrame
    dated: DatedTotal | None = None


def value_buyers(
    found: BuyersResult, purchases: ir.Table, *, terms: ValueTerms, by: str = "group"
) -> ValuedBuyers:
    """Value buyers by the chosen model of purchases and Gamma-Gamma.

    Parameters
    ----------
    found : BuyersResult
        From `csa.analysis.clv.buyers.buyers`.
    purchases : ir.Table
        The roll-up it was made from, with the column `by`.
    terms : ValueTerms
        Discount, horizon, margin, level.
    by : str
        Column of groups.

    Returns
    -------
    ValuedBuyers
        "unclear" where the chosen model does not hold in the holdout; without figures where none
        could be fitted.
    """
    summary = rfm(purchases, as_of=found.summary.as_of, unit_days=found.summary.unit_days, by=(by,))
    spend = found.summary.spend
    columns = [spend[name].to_numpy() for name in ("frequency", "mean_minor", "weight")]
    frequency, mean, weight = (np.asarray(column, dtype=np.float64) for column in columns)
    chosen = found.chosen or next(iter(found.fits))
    model = value_model(found.fits[chosen], fit_gamma_gamma(frequency, mean, weight))
    value = buyer_value(summary.customers, model=model, terms=terms, by=by)
    if found.status != "ok" and value.status == "ok":
        value = replace(value, status="unclear", reason=DOUBT)
    return ValuedBuyers(
        model=model,
        value=value,
        concentration=buyer_concentration(value),
        newcomers=newcomer_value(summary.customers, model=model, terms=terms, by=by),
        spend=spend_independence(frequency, mean, weight, confidence=terms.confidence),
    )


def followed(found: BuyersResult, purchases: ir.Table, *, rng: np.random.Generator) -> Followed:
    """Hold the fits to the calibration against the days held back.

    Parameters
    ----------
    found : BuyersResult
        From `csa.analysis.clv.buyers.buyers`.
    purchases : ir.Table
        The roll-up it was made from.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Followed
        Without a holdout the track is of the whole history and `alive` is empty.
    """
    card = found.holdout
    if card is None or found.chosen is None:
        return Followed(track=tracking(purchases, found.summary, found.fits), alive=pd.DataFrame())
    unit = found.summary.unit_days
    held = rfm(purchases, as_of=card.as_of, calibration_end=card.calibration_end, unit_days=unit)
    return Followed(
        track=tracking(purchases, held, card.fits),
        alive=alive_calibration(held, card.fits[found.chosen], rng),
        dated=dated_total(found, purchases, rng=rng),
    )
