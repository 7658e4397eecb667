"""The figures of an evaluation: each metric with its interval and how that was made."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csa.analysis.risk.evaluation.rows import JudgedRows
from csa.analysis.risk.evaluation.thresholds import Costs
from csa.methods.calibration import calibration_error, calibration_line, equal_groups
from csa.methods.concordance import Weights, concordance
from csa.methods.discrimination import auc, flagged
from csa.methods.intervals import Estimate, normal_quantile
from csa.methods.mann_whitney import clustered_error
from csa.methods.prediction_error import brier_score
from csa.methods.ranking import average_precision, ranking
from csa.methods.resampling import Resampler, percentile_interval

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))
BINS = 1000  # of the risk, in which rows are resampled
WILSON = "Wilson, by account"
LINEAR = "linearised, by account"
BOOTSTRAP = "bootstrap by account"
CONCORDANCES: tuple[tuple[str, Weights], ...] = (("concordance", "n"), ("concordance_uno", "n/G2"))
PROBABILITY = (
    "brier",
    "brier_skill",
    "calibration_intercept",
    "calibration_slope",
    "calibration_error",
)


class Cumulated(NamedTuple):
    """Weights flagged and caught from the top down, in bins of the risk: replicates × bins."""

    flagged: FloatArray
    caught: FloatArray


class Figure(NamedTuple):
    """A metric; `method` says how its limits were made, `reason` why a value is missing."""

    estimate: Estimate
    method: str
    reason: str = ""


def discrimination_figures(
    rows: JudgedRows, drawn: Cumulated, confidence: float
) -> dict[str, Figure]:
    """Judge the order of the risks.

    Parameters
    ----------
    rows : JudgedRows
        Predictions.
    drawn : Cumulated
        From `cumulated`, in every draw of accounts.
    confidence : float
        Level of the intervals.

    Returns
    -------
    dict of Figure
        `auc`, `concordance`, `concordance_uno`, `average_precision`.
    """
    found = auc(rows.risk, rows.outcomes, clusters=rows.clusters, confidence=confidence)
    figures = {"auc": Figure(found, "DeLong, by account")}
    for name, weights in CONCORDANCES:
        pairs = concordance(
            rows.risk, rows.days_after, rows.event, weights=weights, until=rows.outcomes.horizon
        )
        estimate = pairs.interval(confidence=confidence, clusters=rows.clusters)
        figures[name] = Figure(estimate, "infinitesimal jackknife, by account")
    order = ranking(rows.risk, rows.outcomes)
    estimate = percentile_interval(
        float(average_precision(order.flagged, order.caught)),
        average_precision(*drawn),
        centre=float(average_precision(*cumulated(rows))[0]),
        confidence=confidence,
    )
    return figures | {"average_precision": Figure(estimate, BOOTSTRAP)}


def probability_figures(rows: JudgedRows, draws: Resampler, confidence: float) -> dict[str, Figure]:
    """Judge the risks as probabilities.

    Parameters
    ----------
    rows : JudgedRows
        Predictions.
    draws : Resampler
        Draws of accounts.
    confidence : float
        Level of the intervals.

    Returns
    -------
    dict of Figure
        `brier`, `brier_skill`, `calibration_intercept`, `calibration_slope`,
        `calibration_error`; unknown where the horizon was cut, since a risk for 90 days cannot
        be held against what happened in 60.
    """
    outcomes = rows.outcomes
    if outcomes.note:
        why = f"risks are for {outcomes.asked:g} days, and {outcomes.note}"
        return {name: Figure(UNKNOWN, "", why) for name in PROBABILITY}
    error = brier_score(rows.risk, outcomes, clusters=rows.clusters, confidence=confidence)
    line = calibration_line(rows.risk, outcomes, clusters=rows.clusters, confidence=confidence)
    index = calibration_error(rows.risk, outcomes, draws, confidence=confidence)
    figures = (
        Figure(error.brier, LINEAR),
        Figure(error.skill, LINEAR),
        Figure(line.intercept, LINEAR, line.reason),
        Figure(line.slope, LINEAR, line.reason),
        Figure(index.mean, BOOTSTRAP),
    )
    return dict(zip(PROBABILITY, figures, strict=True))


def flag_figures(rows: JudgedRows, picked: BoolArray, confidence: float) -> dict[str, Figure]:
    """Judge a rule that flags accounts.

    Parameters
    ----------
    rows : JudgedRows
        Predictions.
    picked : ndarray of bool
        Rows that are flagged.
    confidence : float
        Level of the intervals.

    Returns
    -------
    dict of Figure
        `flagged_share`, `precision`, `recall`, `f1`, `specificity`.
    """
    found = flagged(picked, rows.outcomes, clusters=rows.clusters, confidence=confidence)
    names = ("flagged_share", "precision", "recall", "f1", "specificity")
    return {name: Figure(x, WILSON) for name, x in zip(names, found, strict=True)}


def net_value(rows: JudgedRows, picked: BoolArray, costs: Costs, confidence: float) -> Estimate:
    """Mean net value of acting on the flagged, per account and cut-off.

    Parameters
    ----------
    rows : JudgedRows
        Predictions.
    picked : ndarray of bool
        Rows that are flagged.
    costs : Costs
        Cost, save rate and value.
    confidence : float
        Level of the interval.

    Returns
    -------
    Estimate
        NaN where nothing is known; no limits where all rows are alike.

    Notes
    -----
    Mean of 1{flagged} (1{churned} × save rate × value - cost) over all rows, acting on none
    being 0.
    """
    weight, total = rows.outcomes.weight, float(rows.outcomes.weight.sum())
    if not total > 0:
        return UNKNOWN
    gain = picked * (rows.outcomes.event * costs.save_rate * costs.worth(rows) - costs.cost)
    value = float(weight @ gain) / total
    error = clustered_error(weight * (gain - value) / total, rows.clusters)
    half = normal_quantile(confidence) * error if error > 0 else float("nan")
    return Estimate(value, value - half, value + half)


def cumulated(rows: JudgedRows, draws: Resampler | None = None) -> Cumulated:
    """Sum weights flagged and caught from the top down, in bins of the risk.

    Parameters
    ----------
    rows : JudgedRows
        Predictions.
    draws : Resampler, optional
        Draws of accounts; without them all rows once.

    Returns
    -------
    Cumulated
        Replicates × bins; one bin per distinct risk where there are no more than 1,000.
    """
    place, bins = equal_groups(rows.risk, rows.outcomes.weight, BINS)
    found = []
    for values in (rows.outcomes.weight, rows.outcomes.weight * rows.outcomes.event):
        if draws is None:
            sums = np.bincount(place, weights=values, minlength=bins)[None, :].astype(float)
        else:
            sums = draws.totals(place, bins, values)
        found.append(np.cumsum(sums[:, ::-1], axis=1))
    return Cumulated(found[0], found[1])
