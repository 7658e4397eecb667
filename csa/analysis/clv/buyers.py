"""All models of buyers together: fitted, compared, judged on a holdout, and one chosen.

The likelihood tells which model describes the past best; the holdout tells which one predicts. A
reader of value cares for the second, so the holdout chooses and the likelihood is shown beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.clv.holdout import Scorecard, scorecard
from csa.analysis.clv.models import MODELS, BuyerModel
from csa.analysis.clv.rfm import Rfm, rfm
from csa.methods.btyd.model import Fit

TIED = 0.001  # holdout errors closer than this share of the smallest are no difference
HELD_BACK = 1 / 3  # of the history, where no end of calibration is given


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BuyersResult:
    """Models of buyers, compared, and the one to use.

    Attributes
    ----------
    table : DataFrame
        One row per model, the chosen one first: `model`, `log_likelihood`, `parameters`, `aic`,
        `bic` (of all data), `converged`, `starts`, `agreed`, `status`, `diagnosis`, and of the
        holdout `total_error`, `revenue_error`, `mae`, `rmse`, `gini`, `beats_naive`; `chosen`.
    chosen : str or None
        Name of the model to use; None where none could be fitted.
    why : str
        One sentence.
    status : str
        "ok", or "unclear" where no model beats the naive rules or the chosen one is unclear.
    fits : dict of str to Fit
        Of all data up to `as_of`, by name.
    summary : Rfm
        All data up to `as_of`.
    holdout : Scorecard or None
        None where the history is too short to hold any back.
    """

    table: pd.DataFrame
    chosen: str | None
    why: str
    status: str
    fits: dict[str, Fit]
    summary: Rfm
    holdout: Scorecard | None


def buyers(
    purchases: ir.Table,
    *,
    as_of: date,
    calibration_end: date | None = None,
    unit_days: float = 7.0,
    models: Sequence[BuyerModel] = MODELS,
) -> BuyersResult:
    """Fit every model, compare them and choose one by what came after the calibration.

    Parameters
    ----------
    purchases : ir.Table
        The roll-up of purchases.
    as_of : date
        Last day known.
    calibration_end : date, optional
        Last day of the calibration; default: the last third of the history is held back.
    unit_days : float
        Length of the unit of time, days.
    models : sequence of BuyerModel
        Models to compare.

    Returns
    -------
    BuyersResult
        Fits are of all data; the comparison on the holdout is of fits to the calibration.

    Raises
    ------
    InputError
        As for `rfm`.
    """
    summary = rfm(purchases, as_of=as_of, unit_days=unit_days)
    fits = {model.name: model.fit(summary.counts) for model in models}
    end = calibration_end or _default_end(summary)
    card = None
    if end < as_of:
        held = rfm(purchases, as_of=as_of, calibration_end=end, unit_days=unit_days)
        card = scorecard(held, models=models, purchases=purchases) if len(held.table) else None
    return judged(summary, fits, card)


def judged(summary: Rfm, fits: dict[str, Fit], card: Scorecard | None) -> BuyersResult:
    """Compare fits and choose one by the holdout.

    Parameters
    ----------
    summary : Rfm
        All data.
    fits : dict of str to Fit
        Of all data, by name of the model.
    card : Scorecard or None
        Of the same models; None where nothing could be held back.

    Returns
    -------
    BuyersResult
        The chosen model first.
    """
    table = _compared(fits, card)
    chosen, why, status = _choice(table, card)
    table["chosen"] = table["model"] == chosen
    return BuyersResult(
        table=table.sort_values("chosen", ascending=False, kind="stable", ignore_index=True),
        chosen=chosen,
        why=why,
        status=status,
        fits=fits,
        summary=summary,
        holdout=card,
    )


def _default_end(summary: Rfm) -> date:
    days = int(summary.table["age_days"].max()) if len(summary.table) else 0
    return summary.as_of - timedelta(days=int(days * HELD_BACK))


def _compared(fits: dict[str, Fit], card: Scorecard | None) -> pd.DataFrame:
    table = pd.DataFrame(
        [
            {
                "model": name,
                "log_likelihood": fit.log_likelihood if fit.parameters else np.nan,
                "parameters": len(fit.parameters),
                "aic": fit.aic if fit.parameters else np.nan,
                "bic": fit.bic if fit.parameters else np.nan,
                "converged": fit.converged,
                "starts": fit.starts[0],
                "agreed": fit.starts[1],
                "status": fit.status,
                "diagnosis": "; ".join(fit.diagnosis) or fit.reason,
            }
            for name, fit in fits.items()
        ]
    )
    figures = ["total_error", "revenue_error", "mae", "rmse", "gini", "beats_naive"]
    if card is None:
        return table.assign(**dict.fromkeys(figures[:-1], np.nan), beats_naive=False)
    return table.merge(card.table[["model", *figures]], on="model", how="left")


def _choice(table: pd.DataFrame, card: Scorecard | None) -> tuple[str | None, str, str]:
    """Choose a model, say why, and how sure that is."""
    able = table[table["parameters"] > 0]
    if able.empty:
        reason = table["diagnosis"].iloc[0] if len(table) else "no model was asked for"
        return None, f"No model could be fitted: {reason}.", "unclear"
    sound = able[able["status"] == "ok"]
    able = able if sound.empty else sound
    if card is None or able["rmse"].isna().all():
        best = able.sort_values("bic", kind="stable").iloc[0]
        why = f"{best['model']}: the best BIC; the history is too short to hold any of it back."
        return str(best["model"]), why, "unclear"
    close = able[able["rmse"] <= able["rmse"].min() * (1 + TIED)]
    best = close.sort_values("log_likelihood", ascending=False, kind="stable").iloc[0]
    why = f"{_reason(best, able)}{_against_naive(best, card)}."
    sure = bool(best["beats_naive"]) and best["status"] == "ok"
    return str(best["model"]), why, "ok" if sure else "unclear"


def _reason(best: pd.Series, able: pd.DataFrame) -> str:
    others = able[able["model"] != best["model"]]
    side = "low" if best["total_error"] < 0 else "high"
    missed = f"its total {abs(best['total_error']):.1%} too {side}"
    if others.empty:
        return f"{best['model']}: {missed} in the holdout"
    *first, last = (f"{r:.3f}" for r in others["rmse"])
    said = f"{', '.join(first)} and {last}" if first else last
    if (others["rmse"] - best["rmse"]).abs().max() <= TIED * best["rmse"]:
        return (
            f"{best['model']}: no model predicts better than another ({missed} in the holdout), "
            "and none describes the past better"
        )
    text = (
        f"{best['model']}: closest to the holdout, {best['rmse']:.3f} purchases a customer off "
        f"(RMSE) against {said}, {missed}"
    )
    fitter = others[others["log_likelihood"] > best["log_likelihood"]]
    if len(fitter):
        top = fitter.sort_values("log_likelihood", ascending=False).iloc[0]
        text += (
            f", although {top['model']} describes the past better (log-likelihood "
            f"{top['log_likelihood']:,.1f} against {best['log_likelihood']:,.1f})"
        )
    return text


def _against_naive(best: pd.Series, card: Scorecard) -> str:
    if best["beats_naive"]:
        return ", and it beats both naive rules"
    rules = card.table[card.table["naive"]]
    rule = rules.sort_values("mae").iloc[0]
    return (
        f"; yet it does not beat the naive rules (MAE {best['mae']:.3f} against {rule['mae']:.3f} "
        f'of "{rule["model"]}"), so take its figures with care'
    )
