"""The tables of an evaluation: lift by capacity, what can be reached, thresholds, calibration."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.evaluation.figures import Cumulated, cumulated, net_value
from csa.analysis.risk.evaluation.rows import JudgedRows
from csa.analysis.risk.evaluation.thresholds import Costs
from csa.methods.calibration import calibration_table
from csa.methods.discrimination import flagged
from csa.methods.intervals import Estimate
from csa.methods.ranking import best_precision, best_recall, ranking
from csa.methods.resampling import percentile_interval
from csa.methods.weighted_share import weighted_share

FloatArray = NDArray[np.float64]

AIMS = np.arange(1, 100) / 100  # recalls and precisions for which is said what can be reached
SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30, 0.50, 1.0)  # of the accounts at a cut-off
TINY = 1e-300  # keeps a division by nothing finite
POINTS = 25  # thresholds of the trade-off
SHOWN = ("precision", "recall", "lift")
LIFT = [
    "share",
    "accounts",
    "risk_from",
    *(f"{name}{end}" for name in SHOWN for end in ("", "_low", "_high")),
    "is_capacity",
]
TRADE_OFF = [
    "threshold",
    *(
        f"{name}{end}"
        for name in ("flagged_share", "precision", "recall", "f1")
        for end in ("", "_low", "_high")
    ),
]
NET = ["rule", "net_value", "ci_low", "ci_high"]
CALIBRATION = ["group", "n", "events", "predicted", "observed", "ci_low", "ci_high"]


def reachable_table(rows: JudgedRows, drawn: Cumulated, confidence: float) -> pd.DataFrame:
    """Say what precision can be reached at each recall, and the reverse, with any threshold.

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
    DataFrame
        `aim` ("recall" or "precision"), `at` (1 % to 99 %), `value` (the best of the other),
        `ci_low`, `ci_high`. The best threshold is picked with hindsight on these very rows, so
        no rule can be expected to do better.
    """
    order, whole = ranking(rows.risk, rows.outcomes), cumulated(rows)
    table = []
    for aim, best in (("recall", best_precision), ("precision", best_recall)):
        values, centres = best(order.flagged, order.caught, AIMS), best(*whole, AIMS)[0]
        replicates = best(*drawn, AIMS)
        for i, at in enumerate(AIMS.tolist()):
            estimate = percentile_interval(
                float(values[i]),
                replicates[:, i],
                centre=float(centres[i]),
                confidence=confidence,
            )
            low, high = np.clip(estimate[1:], 0.0, 1.0)
            table.append((aim, at, estimate.value, low, high))
    return pd.DataFrame(table, columns=["aim", "at", "value", "ci_low", "ci_high"])


def lift_table(rows: JudgedRows, capacity: int | None, confidence: float) -> pd.DataFrame:
    """Say what flagging a share of the accounts from the top catches, at every cut-off alike.

    Parameters
    ----------
    rows : JudgedRows
        Predictions.
    capacity : int or None
        Accounts the team can act on at a cut-off.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        `share` (of the accounts at a cut-off), `accounts` (per cut-off, on average), `risk_from`
        (lowest risk flagged), `precision`, `recall` (the gain), `lift` (precision over base
        rate, which is recall over share), each with `_low` and `_high`; `is_capacity`.
    """
    if not len(rows.risk):
        return pd.DataFrame(columns=LIFT)
    top, bottom, size = _places(rows)
    per_cutoff = float(np.mean(np.bincount(rows.cutoff)))
    cuts = [(share, np.full(len(size), share), False) for share in SHARES]
    if capacity is not None:
        cuts.append((min(capacity / per_cutoff, 1.0), np.minimum(capacity / size, 1.0), True))
    table = []
    for share, wanted, is_capacity in sorted(cuts, key=lambda cut: (cut[0], cut[2])):
        # accounts of equal risk at the border are flagged in part: any of them may be picked
        part = np.clip((wanted - top) / (bottom - top), 0.0, 1.0)
        row = {"share": share, "accounts": share * per_cutoff, "is_capacity": is_capacity}
        table.append(row | _caught(rows, part, confidence))
    return pd.DataFrame(table, columns=LIFT)


def _places(rows: JudgedRows) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where each risk begins and ends among those of its cut-off, from the top, as shares."""
    frame = pd.DataFrame({"cutoff": rows.cutoff, "risk": -rows.risk})
    within = frame.groupby("cutoff")["risk"]
    size = within.transform("size").to_numpy(float)
    first, last = within.rank(method="min"), within.rank(method="max")
    return (first.to_numpy() - 1) / size, last.to_numpy() / size, size


def _caught(rows: JudgedRows, part: FloatArray, confidence: float) -> dict[str, float]:
    """Precision, recall and lift of rows flagged in part."""
    weight, event, keys = rows.outcomes.weight, rows.outcomes.event, rows.clusters
    precision = weighted_share(event, part > 0, weight * part, clusters=keys, confidence=confidence)
    recall = weighted_share(part, event, weight, clusters=keys, confidence=confidence)
    share = float((weight * part).sum() / max(weight.sum(), TINY))
    lift = Estimate(*(x / share if share > 0 else float("nan") for x in recall))
    row = {"risk_from": float(rows.risk[part > 0].min(initial=1.0))}
    for name, found in zip(SHOWN, (precision, recall, lift), strict=True):
        row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    return row


def trade_off_table(rows: JudgedRows, confidence: float) -> pd.DataFrame:
    """Say what thresholds from high to low give.

    Parameters
    ----------
    rows : JudgedRows
        Predictions.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        `threshold`, `flagged_share`, `precision`, `recall`, `f1`, each with `_low` and `_high`,
        at about 25 risks of the data.
    """
    order = ranking(rows.risk, rows.outcomes)
    steps = np.linspace(0, order.total, POINTS + 1)[1:]
    at = np.unique(np.minimum(np.searchsorted(order.flagged, steps), len(order.flagged) - 1))
    table = []
    for threshold in order.threshold[at].tolist() if len(order.flagged) else []:
        picked = rows.risk >= threshold
        found = flagged(picked, rows.outcomes, clusters=rows.clusters, confidence=confidence)
        limits = [x for estimate in found[:4] for x in estimate]
        table.append((threshold, *limits))
    return pd.DataFrame(table, columns=TRADE_OFF)


def net_table(
    rows: JudgedRows, picks: dict[str, NDArray[np.bool_]], costs: Costs | None, confidence: float
) -> pd.DataFrame:
    """Compare what rules earn per account.

    Parameters
    ----------
    rows : JudgedRows
        Predictions.
    picks : dict of ndarray of bool
        Rows flagged, by the name of the rule.
    costs : Costs or None
        Cost, save rate and value.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        `rule`, `net_value` (per account and cut-off, in the unit of the costs), `ci_low`,
        `ci_high`; empty without costs. Acting on nobody is worth 0.
    """
    if costs is None:
        return pd.DataFrame(columns=NET)
    everybody = {"everybody": np.ones(len(rows.risk), bool)}
    table = [
        (rule, *net_value(rows, picked, costs, confidence))
        for rule, picked in (picks | everybody).items()
    ]
    return pd.DataFrame(table, columns=NET)


def calibration_frame(rows: JudgedRows, confidence: float) -> pd.DataFrame:
    """Compare risk and observed share in tenths of rising risk.

    Parameters
    ----------
    rows : JudgedRows
        Predictions.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        `group` (1 and on), `n`, `events`, `predicted`, `observed`, `ci_low`, `ci_high`; empty
        where the horizon was cut.
    """
    if rows.outcomes.note:
        return pd.DataFrame(columns=CALIBRATION)
    found = calibration_table(
        rows.risk, rows.outcomes, clusters=rows.clusters, confidence=confidence
    )
    columns = {name: getattr(found, name) for name in CALIBRATION[1:]}
    return pd.DataFrame({"group": np.arange(1, len(found.n) + 1)} | columns)
