"""Predictions held against what happened: every figure with horizon, base rate and interval."""

from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.evaluation.figures import (
    Figure,
    cumulated,
    discrimination_figures,
    flag_figures,
    probability_figures,
)
from csa.analysis.risk.evaluation.rows import JudgedRows, judged_rows
from csa.analysis.risk.evaluation.tables import (
    calibration_frame,
    lift_table,
    net_table,
    reachable_table,
    trade_off_table,
)
from csa.analysis.risk.evaluation.thresholds import ThresholdRule
from csa.errors import InputError
from csa.methods.intervals import Estimate, normal_quantile
from csa.methods.ranking import best_f1, ranking
from csa.methods.resampling import Resampler
from csa.methods.weighted_share import weighted_share

BoolArray = NDArray[np.bool_]

SEED = 2_026  # of the draws where no generator is given
MIN_EVENTS = 10  # fewer accounts that churned, or that stayed, make every figure "unclear"
CROSSED = "highest F1, each half of the accounts by the other"
COLUMNS = [
    *("metric", "value", "ci_low", "ci_high", "status", "reason", "interval"),
    *("horizon_days", "n", "events", "base_rate"),
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Evaluation:
    """Predictions held against what happened.

    `figures`: `metric`, `value`, `ci_low`, `ci_high`, `status` ("ok" or "unclear"), `reason`,
    `interval` (how the limits were made), `horizon_days`, `n`, `events`, `base_rate`. Metrics:
    `base_rate`, `auc`, `concordance`, `concordance_uno`, `average_precision`, `brier`,
    `brier_skill`, `calibration_intercept`, `calibration_slope`, `calibration_error` (mean
    absolute difference of risk and observed rate), `flagged_share`, `precision`, `recall`, `f1`,
    `specificity`. `calibration`, `lift`, `reachable`, `trade_off`, `net`: see
    `csa.analysis.risk.evaluation.tables`.

    `signal`: "signal" (the AUC's interval lies above 0.5), "no signal" (it holds 0.5),
    "reversed" (below) or "unclear" (there is none). `seen` counts the judged rows that the
    threshold was chosen on. `notes` say what was left out and why.
    """

    figures: pd.DataFrame
    calibration: pd.DataFrame
    lift: pd.DataFrame
    reachable: pd.DataFrame
    trade_off: pd.DataFrame
    net: pd.DataFrame
    horizon_days: float
    horizon_asked: float
    n: int
    events: int
    accounts: int
    churned_accounts: int
    base_rate: Estimate
    cutoff_days: tuple[date, ...]
    threshold: ThresholdRule
    seen: int
    capacity: int | None
    signal: str
    status: str
    reason: str
    notes: tuple[str, ...]
    confidence: float

    def figure(self, metric: str) -> Estimate:
        """Value of a metric with its interval.

        Parameters
        ----------
        metric : str
            Name, as in `figures`.

        Returns
        -------
        Estimate
            NaN where it is not known.

        Raises
        ------
        InputError
            If there is no such metric.
        """
        row = self.figures.loc[self.figures["metric"] == metric]
        if row.empty:
            known = ", ".join(self.figures["metric"])
            raise InputError(f'evaluation: there is no metric "{metric}"; there are {known}')
        return Estimate(*(float(row[c].iloc[0]) for c in ("value", "ci_low", "ci_high")))


def evaluate(
    predictions: ir.Table | pd.DataFrame,
    *,
    horizon_days: float,
    confidence: float = 0.95,
    capacity: int | None = None,
    threshold_rule: ThresholdRule | None = None,
    rng: np.random.Generator | None = None,
) -> Evaluation:
    """Judge predictions by what happened up to their horizon.

    Parameters
    ----------
    predictions : ir.Table or DataFrame, one row per account and cut-off
        `account_id`, `risk` (P(event within the horizon), known at the cut-off), `days_after`
        (days from the cut-off to the end of the spell or the last day known), `event` (it ended
        in churn then); optional `cutoff_on` and `value` (for costs by account). Made before what
        they are judged by; a risk of training rows says nothing.
    horizon_days : float
        Horizon of the risks, days.
    confidence : float
        Level of all intervals, share in (0, 1).
    capacity : int, optional
        Accounts the team can act on at a cut-off: a line of the lift table.
    threshold_rule : ThresholdRule, optional
        Which accounts are flagged, from `csa.analysis.risk.evaluation.thresholds`. Default: the
        threshold with the highest F1, for each half chosen on the other half of the accounts.
    rng : numpy.random.Generator, optional
        For the draws of accounts; default: one with a fixed seed.

    Returns
    -------
    Evaluation
        Always: without rows, events or anything else to judge, figures are NaN and "unclear",
        and the reason is stated.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, a risk is no share, an account stands twice
        at a cut-off, the horizon is not above 0 or the capacity below 1.

    Notes
    -----
    Only cut-offs whose horizon is over are judged, if there are any. Accounts lost from sight
    before the horizon are weighted for by those that are not (inverse probability of censoring);
    where nobody is followed so far, the horizon is cut to where somebody is, and figures that
    read the risk as a probability are not given. All intervals take the rows of an account
    together; weights for censoring are taken as known.
    """
    if capacity is not None and capacity < 1:
        raise InputError(f"capacity: {capacity} accounts are fewer than 1")
    normal_quantile(confidence)  # refuses what is no level
    rows = judged_rows(predictions, horizon_days)
    rng = np.random.default_rng(SEED) if rng is None else rng
    halves = rng.permutation(rows.accounts) % 2
    draws = Resampler(rows.account, rng)
    drawn = cumulated(rows, draws)
    rule, picked = _flagged(rows, threshold_rule, halves)
    figures = {"base_rate": _base_rate(rows, confidence)}
    figures |= discrimination_figures(rows, drawn, confidence)
    figures |= probability_figures(rows, draws, confidence)
    figures |= flag_figures(rows, picked, confidence)
    status, reason = _judgement(rows)
    return Evaluation(
        figures=_frame(figures, rows, (status, reason)),
        calibration=calibration_frame(rows, confidence),
        lift=lift_table(rows, capacity, confidence),
        reachable=reachable_table(rows, drawn, confidence),
        trade_off=trade_off_table(rows, confidence),
        net=net_table(rows, {rule.rule: picked}, rule.costs, confidence),
        horizon_days=rows.outcomes.horizon,
        horizon_asked=rows.outcomes.asked,
        n=len(rows.risk),
        events=int(rows.churned.sum()),
        accounts=rows.accounts,
        churned_accounts=rows.churned_accounts,
        base_rate=figures["base_rate"].estimate,
        cutoff_days=rows.cutoff_days,
        threshold=rule,
        seen=rule.seen(rows),
        capacity=capacity,
        signal=_signal(figures["auc"].estimate),
        status=status,
        reason=reason,
        notes=rows.notes,
        confidence=confidence,
    )


def _flagged(
    rows: JudgedRows, rule: ThresholdRule | None, halves: NDArray[np.int64]
) -> tuple[ThresholdRule, BoolArray]:
    """Rule and rows flagged; by default each half of the accounts by the other half."""
    if rule is not None:
        return rule, rule.flags(rows)
    half = halves[rows.account]
    picked, thresholds = np.zeros(len(rows.risk), bool), []
    for side in (0, 1):
        other = half != side
        found = best_f1(ranking(rows.risk[other], rows.outcomes.part(other)))
        thresholds.append(found.threshold)
        picked |= (half == side) & (rows.risk >= found.threshold)
    crossed = ThresholdRule(
        rule=CROSSED,
        threshold=float(np.mean(thresholds)),
        chosen_on="the other half of the accounts",
        n=len(rows.risk),
        events=int(rows.churned.sum()),
    )
    return crossed, picked


def _base_rate(rows: JudgedRows, confidence: float) -> Figure:
    outcomes = rows.outcomes
    found = weighted_share(
        outcomes.event,
        outcomes.known,
        outcomes.weight,
        clusters=rows.clusters,
        confidence=confidence,
    )
    return Figure(found, "Wilson, by account")


def _signal(auc: Estimate) -> str:
    if np.isnan(auc.low):
        return "unclear"
    if auc.low > 0.5:
        return "signal"
    return "reversed" if auc.high < 0.5 else "no signal"


def _judgement(rows: JudgedRows) -> tuple[str, str]:
    """Status of all figures, and what limits them: the first that holds."""
    outcomes = rows.outcomes
    stayed = len(np.unique(rows.account[outcomes.known & ~outcomes.event]))
    churned, days = rows.churned_accounts, f"{outcomes.horizon:g} days"
    limits = {
        "no prediction that can be judged": not len(rows.risk),
        f"nobody's outcome is known at {days}": not outcomes.known.any(),
        f"nobody churned within {days}": not churned,
        f"everybody churned within {days}": not stayed,
        f"only {churned} accounts churned within {days}": churned < MIN_EVENTS,
        f"only {stayed} accounts stayed {days}": stayed < MIN_EVENTS,
        outcomes.note: bool(outcomes.note),
    }
    found = [reason for reason, holds in limits.items() if holds]
    return ("unclear", found[0]) if found else ("ok", "")


def _frame(figures: dict[str, Figure], rows: JudgedRows, judged: tuple[str, str]) -> pd.DataFrame:
    """One row per metric, each with what it must never be read without."""
    table = []
    for metric, (estimate, method, why) in figures.items():
        status, reason = judged
        if np.isnan(estimate.value) or np.isnan(estimate.low):
            status, reason = "unclear", why or reason or "too few rows to judge"
        table.append((metric, *estimate, status, reason, method))
    frame = pd.DataFrame(table, columns=COLUMNS[:7])
    rate = figures["base_rate"].estimate.value
    about = {"horizon_days": rows.outcomes.horizon, "n": len(rows.risk)}
    return frame.assign(**about, events=int(rows.churned.sum()), base_rate=rate)
