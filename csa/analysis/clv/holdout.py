"""The scorecard of the holdout: every model beside the naive rules, on what really came.

Fitted to the calibration, asked for the holdout. No model is called good that does not beat both
naive rules: that everybody goes on buying at the rate so far (x/T), and that everybody does again
what he did in the last window as long as the holdout.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.clv.dated import log_gaps, repeat_days
from csa.analysis.clv.holdout_money import revenue_error, spend_of
from csa.analysis.clv.holdout_scores import by_frequency, scores, tenths
from csa.analysis.clv.models import MODELS, BuyerModel
from csa.analysis.clv.rfm import Rfm, rfm
from csa.errors import InputError
from csa.methods.btyd import dated, dated_predict, regular
from csa.methods.btyd.counts import BuyerCounts, FloatArray
from csa.methods.btyd.dated import DatedFit, fit_dated
from csa.methods.btyd.draws import predictive_totals
from csa.methods.btyd.model import Fit
from csa.methods.btyd.regular import RegularFit, fit_regular

AT_RATE = "same rate (x/T)"
AGAIN = "repeat the last window"
NAIVE = (AT_RATE, AGAIN)
ROWS = ("frequency", "recency", "age", "recent_frequency", "holdout_frequency")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scorecard:
    """What models and naive rules said of the holdout, and what came.

    Attributes
    ----------
    table : DataFrame
        One row per model or rule: `model`, `naive`, `customers`, `actual`, `predicted`,
        `total_error` (share), `revenue_error` (share: purchases expected times the spend that
        Gamma-Gamma expects of each), `mae`, `rmse`, `gini`, `beats_naive` (both MAE and RMSE below
        those of every naive rule), `reason` (why it has no prediction), with draws `low`, `high`
        (predictive interval of the total) and `covered` (whether the actual total lies in it).
    tenths : DataFrame
        `model`, `tenth`, `customers`, `predicted`, `actual` (means per customer).
    frequencies : DataFrame
        `frequency` (7: or more), `customers`, `actual` and a column per model: means.
    fits : dict of str to Fit
        Of the calibration.
    dated : DatedFit or None
        BG/NBD with a clock of its own, of the calibration; None where dates were not asked for.
    regular : RegularFit or None
        MBG/CNBD-k, likewise; its total has no interval.
    horizon : float
        Length of the holdout, units.
    calibration_end, as_of : date
        The borders of the holdout: after the first, up to the second.
    """

    table: pd.DataFrame
    tenths: pd.DataFrame
    frequencies: pd.DataFrame
    fits: dict[str, Fit]
    horizon: float
    calibration_end: date
    as_of: date
    dated: DatedFit | None = None
    regular: RegularFit | None = None


def scorecard(
    summary: Rfm,
    *,
    models: Sequence[BuyerModel] = MODELS,
    purchases: ir.Table | None = None,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Scorecard:
    """Fit models to the calibration and judge them, and naive rules, on the holdout.

    Parameters
    ----------
    summary : Rfm
        With a holdout.
    models : sequence of BuyerModel
        Models to judge.
    purchases : ir.Table, optional
        The roll-up the summary was made from; with it, "BG/NBD, dated" and "MBG/CNBD-k" are judged
        beside them. They are no candidates for values, which other parts of the kit take from the
        plain models.
    rng : numpy.random.Generator, optional
        Source of randomness for intervals of the totals; without it there are none.
    confidence : float
        Level of these intervals, share in (0, 1).

    Returns
    -------
    Scorecard
        A model that cannot be fitted has a row with its reason and no figures.

    Raises
    ------
    InputError
        If there is no holdout.
    """
    if summary.calibration_end >= summary.as_of:
        raise InputError("scorecard: there is no holdout; give rfm a calibration_end before as_of")
    rows = holdout_rows(summary)
    counts = _counts_of(rows, summary.unit_days)
    actual = rows["holdout_frequency"].to_numpy(dtype=np.float64)
    fits = {model.name: model.fit(counts) for model in models}
    said = {
        model.name: model.residual(fits[model.name], counts, summary.horizon)
        for model in models
        if fits[model.name].parameters
    }
    clocked, even = None, None
    reasons = {name: fit.reason for name, fit in fits.items()}
    if purchases is not None:
        clocked = fit_dated(summary.counts, *repeat_days(purchases, summary))
        even = fit_regular(summary.counts, log_gaps(purchases, summary))
        reasons |= {dated.MODEL: clocked.reason, regular.MODEL: even.fit.reason}
        said |= _said_by_dates(clocked, even, counts, summary.horizon)
    said |= naive_rules(rows, summary.horizon)
    table = _table(actual, said, counts.weight, reasons)
    spend = spend_of(summary, rows)
    money = {name: revenue_error(rows, expected, spend) for name, expected in said.items()}
    table["revenue_error"] = table["model"].map(money).astype("float64")
    if rng is not None:
        able = {name: fit for name, fit in fits.items() if name in said}
        totals = _totals(able, clocked, counts, summary.horizon, rng)
        table = _with_intervals(table, totals, confidence)
    return Scorecard(
        table=table,
        tenths=pd.concat(
            [tenths(actual, m, counts.weight).assign(model=name) for name, m in said.items()],
            ignore_index=True,
        ),
        frequencies=by_frequency(counts.frequency, {"actual": actual, **said}, counts.weight),
        fits=fits,
        horizon=summary.horizon,
        calibration_end=summary.calibration_end,
        as_of=summary.as_of,
        dated=clocked,
        regular=even,
    )


def holdout_rows(summary: Rfm) -> pd.DataFrame:
    """Count customers by what they did in the calibration and in the holdout.

    Parameters
    ----------
    summary : Rfm
        With a holdout.

    Returns
    -------
    DataFrame
        `frequency`, `recency`, `age`, `recent_frequency`, `holdout_frequency`, `weight`,
        `mean_minor` (mean of the customers' means), `holdout_minor` (their sum).
    """
    rows = summary.customers.group_by(list(ROWS)).agg(
        weight=lambda t: t.count(),
        mean_minor=lambda t: t.mean_minor.mean(),
        holdout_minor=lambda t: t.holdout_minor.sum().cast("float64"),
    )
    frame: pd.DataFrame = rows.to_pandas().sort_values(list(ROWS), ignore_index=True)
    return frame


def naive_rules(rows: pd.DataFrame, horizon: float) -> dict[str, FloatArray]:
    """Predict without a model.

    Parameters
    ----------
    rows : DataFrame
        As `holdout_rows` gives them.
    horizon : float
        Length of the holdout, units.

    Returns
    -------
    dict of str to ndarray
        Purchases per customer by the rate so far, and by repeating the last window.
    """
    x, age = rows["frequency"].to_numpy(dtype=np.float64), rows["age"].to_numpy()
    rate = np.divide(x, age, out=np.zeros_like(x), where=age > 0)
    return {AT_RATE: rate * horizon, AGAIN: rows["recent_frequency"].to_numpy(dtype=np.float64)}


def rolling(
    purchases: ir.Table,
    *,
    origins: Sequence[date],
    horizon_days: int,
    unit_days: float = 7.0,
    models: Sequence[BuyerModel] = MODELS,
) -> pd.DataFrame:
    """Judge models from several days, each with what was known then.

    Parameters
    ----------
    purchases : ir.Table
        The roll-up of purchases.
    origins : sequence of date
        Last days of calibration.
    horizon_days : int
        Length of each holdout, days, which must have passed.
    unit_days : float
        Length of the unit of time, days.
    models : sequence of BuyerModel
        Models to judge, beside "BG/NBD, dated" and "MBG/CNBD-k".

    Returns
    -------
    DataFrame
        The tables of the scorecards with `origin`.
    """
    cards = []
    for origin in origins:
        last = origin + timedelta(days=horizon_days)
        summary = rfm(purchases, as_of=last, calibration_end=origin, unit_days=unit_days)
        card = scorecard(summary, models=models, purchases=purchases)
        cards.append(card.table.assign(origin=origin))
    return pd.concat(cards, ignore_index=True)


def _said_by_dates(
    clocked: DatedFit, even: RegularFit, counts: BuyerCounts, horizon: float
) -> dict[str, FloatArray]:
    """Expect the purchases of the holdout by the models that need more than three figures."""
    said = {}
    if clocked.parameters:
        said[dated.MODEL] = dated_predict.residual_purchases(clocked, counts, horizon)
    if even.fit.parameters:
        said[regular.MODEL] = regular.residual_purchases(even, counts, horizon)
    return said


def _totals(
    fits: dict[str, Fit],
    clocked: DatedFit | None,
    counts: BuyerCounts,
    horizon: float,
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    """Draw the total of the holdout by each model."""
    totals = {name: predictive_totals(fit, counts, horizon, rng) for name, fit in fits.items()}
    if clocked is not None and clocked.parameters:
        totals[dated.MODEL] = dated_predict.predictive_totals(clocked, counts, horizon, rng)
    return totals


def _with_intervals(
    table: pd.DataFrame, totals: dict[str, FloatArray], confidence: float
) -> pd.DataFrame:
    """Add intervals from draws of the parameters and of the purchases that follow."""
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    table = table.assign(low=np.nan, high=np.nan)
    for name, drawn in totals.items():
        table.loc[table["model"] == name, ["low", "high"]] = np.quantile(drawn, tails)
    inside = (table["actual"] >= table["low"]) & (table["actual"] <= table["high"])
    return table.assign(covered=inside.astype("boolean").mask(table["low"].isna()))


def _counts_of(rows: pd.DataFrame, unit_days: float) -> BuyerCounts:
    """Rows as they are, one per set of figures, so that predictions keep their order."""
    return BuyerCounts(
        frequency=rows["frequency"].to_numpy(),
        recency=rows["recency"].to_numpy(),
        age=rows["age"].to_numpy(),
        weight=rows["weight"].to_numpy(dtype=np.float64),
        unit_days=unit_days,
        grid_days=1.0,
    )


def _table(
    actual: FloatArray, said: dict[str, FloatArray], weight: FloatArray, reasons: dict[str, str]
) -> pd.DataFrame:
    table = pd.DataFrame(
        [{"model": name, **scores(actual, m, weight)} for name, m in said.items()]
        + [{"model": name, "reason": why} for name, why in reasons.items() if name not in said]
    )
    if "reason" not in table:
        table["reason"] = ""
    table["reason"] = table["reason"].fillna("")
    table["naive"] = table["model"].isin(NAIVE)
    rules = table.loc[table["naive"]]
    better = (table["mae"] < rules["mae"].min()) & (table["rmse"] < rules["rmse"].min())
    return table.assign(beats_naive=better & ~table["naive"])
