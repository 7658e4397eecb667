"""Is "still a customer" true? Nobody can look it up, but who has left does not buy again.

So the chance to buy again in the time held back, which follows from the chance to be alive, is held
against the share that did, in steps of the latter.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.holdout import holdout_rows
from csa.analysis.clv.rfm import Rfm
from csa.errors import InputError
from csa.methods.btyd import bg_nbd, pareto_nbd
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.model import Fit
from csa.methods.btyd.simulate import future_purchases
from csa.methods.intervals import wilson

FloatArray = NDArray[np.float64]

FUTURES: Final = 200_000  # drawn in all, within these limits per customer
FEWEST, MOST = 100, 2000


def alive_calibration(
    summary: Rfm,
    fit: Fit,
    rng: np.random.Generator,
    *,
    bins: int = 10,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Hold the chance to be a customer still against who bought again.

    Parameters
    ----------
    summary : Rfm
        With a holdout.
    fit : Fit
        BG/NBD, MBG/NBD or Pareto/NBD of its calibration.
    rng : numpy.random.Generator
        Source of randomness.
    bins : int
        Equal steps of P(alive).
    confidence : float
        Level of the interval.

    Returns
    -------
    DataFrame
        Per step with customers: `low`, `high`, `customers`, `alive` (mean P(alive)), `expected`
        (share expected to buy in the holdout), `bought` (share that did), `ci_low`, `ci_high`
        (Wilson's interval of the latter). Empty where nothing was fitted.

    Raises
    ------
    InputError
        If there is no holdout.
    """
    columns = ["low", "high", "customers", "alive", "expected", "bought", "ci_low", "ci_high"]
    if summary.calibration_end >= summary.as_of:
        raise InputError("alive: there is no holdout; give rfm a calibration_end before as_of")
    rows = holdout_rows(summary)
    if rows.empty or not fit.parameters:
        return pd.DataFrame(columns=columns)
    counts = BuyerCounts(
        rows["frequency"].to_numpy(),
        rows["recency"].to_numpy(),
        rows["age"].to_numpy(),
        rows["weight"].to_numpy(dtype=np.float64),
        unit_days=summary.unit_days,
        grid_days=1.0,
        merged_days=fit.merged_days,
    )
    module = pareto_nbd if fit.model == pareto_nbd.PARETO_NBD else bg_nbd
    alive = np.clip(module.probability_alive(fit, counts), 0.0, 1.0)
    weight = counts.weight
    bought = weight * (rows["holdout_frequency"].to_numpy() > 0)
    frame = pd.DataFrame(
        {
            "step": np.minimum((alive * bins).astype(int), bins - 1),
            "customers": weight,
            "alive": weight * alive,
            "expected": _buying(fit, counts, summary.horizon, rng),
            "bought": bought,
        }
    )
    sums = frame.groupby("step").sum().reset_index()
    ends = wilson(sums["bought"], sums["customers"], confidence=confidence)
    shares = {name: sums[name] / sums["customers"] for name in ("alive", "expected", "bought")}
    low = sums["step"] / bins
    return sums.assign(low=low, high=low + 1 / bins, ci_low=ends.low, ci_high=ends.high, **shares)[
        columns
    ]


def _buying(fit: Fit, counts: BuyerCounts, horizon: float, rng: np.random.Generator) -> FloatArray:
    """Draw futures: how many customers of each row are expected to buy at all within a time."""
    futures = int(np.clip(FUTURES / max(counts.n, 1.0), FEWEST, MOST))
    total = np.zeros(len(counts))
    for _ in range(futures):
        row, number = future_purchases(fit, counts, horizon, rng)
        total += np.bincount(row[number > 0], minlength=len(counts))
    return total / futures
