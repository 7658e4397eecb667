"""Models judged on days they could not know: which one to use, and how it would have done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.backtests import Backtest, ModelKind, backtest, between, cutoffs_over
from csa.analysis.risk.boosting import BoostingModel, boosting_risk, fit_boosting
from csa.analysis.risk.model import MIN_CHURNED, RiskModel, Tuning, fit_risk
from csa.analysis.risk.rows import as_snapshots, last_known, whole_accounts
from csa.analysis.risk.scores import score
from csa.methods.intervals import Estimate, normal_quantile

__all__ = ["Backtest", "Choice", "ModelKind", "backtest", "choose"]

FloatArray = NDArray[np.float64]

TEST_SHARE = 1 / 3  # of the cut-offs whose horizon is over, the latest
MOST_JUDGED = 200_000  # snapshots that predictions are made for
CONFIDENCE = 0.95
SURE = 1e-6  # a risk is held this far from 0 and 1 in the log loss


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Choice:
    """Which model to use, and why.

    `table`, one row per `loss` ("Brier score", "log loss"): `hazard`, `boosting` (means over the
    test), `difference` (hazard - boosting: above 0 where boosting is better), `ci_low`,
    `ci_high`. The models learned from cut-offs up to `train_to` and were judged on those from
    `test_from` to `test_to`; between them lies at least the horizon. `lost`: test snapshots
    whose outcome is not known, left out.
    """

    chosen: ModelKind
    reason: str
    status: str
    table: pd.DataFrame
    horizon_days: int
    train_to: date | None
    test_from: date | None
    test_to: date | None
    n_train: int
    n_test: int
    accounts: int
    churned: int
    lost: int
    confidence: float
    notes: tuple[str, ...]


def choose(
    snapshots: ir.Table | pd.DataFrame,
    *,
    features: Sequence[str],
    horizon_days: int = 90,
    interval_days: int = 30,
    as_of: date | None = None,
    tuning: Tuning | None = None,
) -> Choice:
    """Compare boosting with the default model out of time, and take it only if it wins clearly.

    Parameters
    ----------
    snapshots : ir.Table or DataFrame, one row per account and cut-off
        As for `fit_risk`.
    features : sequence of str
        Columns to predict from.
    horizon_days, interval_days : int
        As for `fit_risk`.
    as_of : date, optional
        Last day that may be used; default: the last day on which the snapshots know anything.
    tuning : Tuning, optional
        As for `fit_risk`.

    Returns
    -------
    Choice
        "hazard" unless boosting has the lower Brier score by more than the interval and no
        higher log loss; "unclear" where there is too little to compare.

    Raises
    ------
    InputError
        As for `fit_risk`.

    Notes
    -----
    The test is the latest third of the cut-offs whose horizon is over; training uses cut-offs
    whose horizon was over when the test begins, so that no outcome is in both. The loss of each
    snapshot is paired; the standard error of the mean difference sums by account, because an
    account is tested at several cut-offs [1]_.

    References
    ----------
    .. [1] Diebold, F. X., Mariano, R. S. (1995). Comparing predictive accuracy. J. Bus. Econ.
       Stat. 13(3), 253-263.
    """
    raw = ibis.memtable(snapshots) if isinstance(snapshots, pd.DataFrame) else snapshots
    table = as_snapshots(raw, features, outcome=True)
    ripe = cutoffs_over(table, as_of or last_known(table), horizon_days)
    test = ripe[-max(round(len(ripe) * TEST_SHARE), 1) :]
    train = [day for day in ripe if test and day + timedelta(days=horizon_days) <= test[0]]
    if not train:
        words = f"no two cut-offs {horizon_days} days apart, both over, to learn from and to test"
        return _unclear(words, horizon_days)
    past = between(raw, train[0], train[-1])
    hazard = fit_risk(
        past,
        features=features,
        horizon_days=horizon_days,
        interval_days=interval_days,
        as_of=test[0],
        tuning=tuning,
    )
    trees = fit_boosting(
        past,
        features=features,
        horizon_days=horizon_days,
        interval_days=interval_days,
        as_of=test[0],
        tuning=tuning,
    )
    rows, note = whole_accounts(between(table, test[0], test[-1]), MOST_JUDGED)
    found = _judged(hazard, trees, rows)
    chosen, status, reason = _verdict(found)
    return Choice(
        chosen=chosen,
        reason=reason,
        status=status,
        table=found.table,
        horizon_days=horizon_days,
        train_to=train[-1],
        test_from=test[0],
        test_to=test[-1],
        n_train=hazard.n,
        n_test=found.n,
        accounts=found.accounts,
        churned=found.churned,
        lost=len(rows) - found.n,
        confidence=CONFIDENCE,
        notes=tuple(filter(None, (*hazard.notes, note))),
    )


class _Judged(NamedTuple):
    """Losses of both models on the test."""

    table: pd.DataFrame
    n: int
    accounts: int
    churned: int  # accounts
    doubt: str  # why a model could not be fitted


def _judged(hazard: RiskModel, trees: BoostingModel, rows: pd.DataFrame) -> _Judged:
    """Compare the losses of each snapshot whose outcome is known."""
    after = rows["days_after"].to_numpy(dtype=float)
    gone = rows["event"].to_numpy(dtype=bool) & (after <= hazard.horizon_days)
    known = gone | (after >= hazard.horizon_days)
    rows, gone = rows[known].reset_index(drop=True), gone[known]
    risks = {
        "hazard": score(hazard, rows).table["risk"].to_numpy(),
        "boosting": boosting_risk(trees, rows),
    }
    account = pd.factorize(rows["account_id"])[0]
    losses = {"Brier score": _brier, "log loss": _log_loss}
    found = []
    for name, loss in losses.items():
        each = {model: loss(risk, gone.astype(float)) for model, risk in risks.items()}
        change = _mean_by_account(each["hazard"] - each["boosting"], account)
        means = {model: float(values.mean()) for model, values in each.items() if len(values)}
        limits = {"difference": change.value, "ci_low": change.low, "ci_high": change.high}
        found.append({"loss": name, "hazard": np.nan, "boosting": np.nan} | means | limits)
    return _Judged(
        table=pd.DataFrame(found),
        n=len(rows),
        accounts=len(np.unique(account)),
        churned=len(np.unique(account[gone])),
        doubt=hazard.reason or trees.reason,
    )


def _brier(risk: FloatArray, gone: FloatArray) -> FloatArray:
    return np.asarray((risk - gone) ** 2)


def _log_loss(risk: FloatArray, gone: FloatArray) -> FloatArray:
    held = np.clip(risk, SURE, 1 - SURE)
    return np.asarray(-gone * np.log(held) - (1 - gone) * np.log1p(-held))


def _mean_by_account(values: FloatArray, account: NDArray[np.int64]) -> Estimate:
    """Mean with an interval that takes the rows of an account together."""
    many = len(np.unique(account))
    if many < 2:
        return Estimate(np.nan, np.nan, np.nan)
    mean = float(values.mean())
    total = np.bincount(account, weights=values - mean)
    error = np.sqrt(many / (many - 1) * total @ total) / len(values)
    half = normal_quantile(CONFIDENCE) * float(error)
    return Estimate(mean, mean - half, mean + half)


def _verdict(found: _Judged) -> tuple[ModelKind, str, str]:
    """Which model, how sure, and in words why."""
    if found.doubt:
        return "hazard", "unclear", f"no comparison: {found.doubt} to learn from"
    if found.churned < MIN_CHURNED:
        few = f"only {found.churned} accounts churned in the test"
        return "hazard", "unclear", f"no comparison: {few}"
    brier, log = found.table.to_dict("records")
    words = (
        f"difference in Brier score {brier['difference']:.5f} "
        f"[{brier['ci_low']:.5f}, {brier['ci_high']:.5f}] out of time"
    )
    if brier["ci_low"] > 0 and log["difference"] >= 0:
        return "boosting", "ok", f"boosting wins by more than the interval: {words}"
    if brier["ci_low"] > 0:
        return "hazard", "ok", f"boosting wins by Brier score, but its log loss is higher: {words}"
    return "hazard", "ok", f"boosting does not win by more than the interval: {words}"


def _unclear(reason: str, horizon_days: int) -> Choice:
    """Keep the default model where nothing could be compared."""
    columns = ["loss", "hazard", "boosting", "difference", "ci_low", "ci_high"]
    return Choice(
        chosen="hazard",
        reason=f"no comparison: {reason}",
        status="unclear",
        table=pd.DataFrame(columns=columns),
        horizon_days=horizon_days,
        train_to=None,
        test_from=None,
        test_to=None,
        n_train=0,
        n_test=0,
        accounts=0,
        churned=0,
        lost=0,
        confidence=CONFIDENCE,
        notes=(),
    )
