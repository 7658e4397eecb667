"""The models of buyers behind one face, so that a scorecard need not know which is which."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.methods.btyd import bg_bb, bg_nbd, pareto_nbd
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.model import Fit

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerModel:
    """What a scorecard asks of a model; times are in the unit of the counts it was fitted to.

    `fit` (counts) gives a fit; `residual` (fit, counts, time) the purchases expected of each
    customer in a time to come; `expected` (fit, time) those of a new customer; `alive` (fit,
    counts) the chance that each is still one.
    """

    name: str
    fit: Callable[[BuyerCounts], Fit]
    residual: Callable[[Fit, BuyerCounts, ArrayLike], FloatArray]
    expected: Callable[[Fit, ArrayLike], FloatArray]
    alive: Callable[[Fit, BuyerCounts], FloatArray]


BG_NBD = BuyerModel(
    name=bg_nbd.BG_NBD,
    fit=bg_nbd.fit_bg_nbd,
    residual=bg_nbd.residual_purchases,
    expected=bg_nbd.expected_purchases,
    alive=bg_nbd.probability_alive,
)
MBG_NBD = BuyerModel(
    name=bg_nbd.MBG_NBD,
    fit=bg_nbd.fit_mbg_nbd,
    residual=bg_nbd.residual_purchases,
    expected=bg_nbd.expected_purchases,
    alive=bg_nbd.probability_alive,
)
PARETO_NBD = BuyerModel(
    name=pareto_nbd.PARETO_NBD,
    fit=pareto_nbd.fit_pareto_nbd,
    residual=pareto_nbd.residual_purchases,
    expected=pareto_nbd.expected_purchases,
    alive=pareto_nbd.probability_alive,
)
BG_BB = BuyerModel(  # times are whole opportunities
    name=bg_bb.BG_BB,
    fit=bg_bb.fit_bg_bb,
    residual=bg_bb.residual_purchases,
    expected=bg_bb.expected_purchases,
    alive=bg_bb.probability_alive,
)
MODELS = (BG_NBD, MBG_NBD, PARETO_NBD)
