"""Predicted survival curves held against what happened, at every age and not at one horizon."""

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.concordance import concordance
from csa.methods.d_calibration import DCalibration, d_calibration
from csa.methods.discrimination import auc
from csa.methods.intervals import Estimate
from csa.methods.outcomes import outcomes_along
from csa.methods.prediction_error import integrated_brier

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CurveEvaluation:
    """How well survival curves were predicted.

    `figures`: `metric`, `value`, `ci_low`, `ci_high`, `status`, `reason`, `n`, `events`;
    metrics `concordance`, `concordance_uno`, `integrated_brier`. `auc`: `time_days`, `auc`,
    `ci_low`, `ci_high`, `events` (by then), `base_rate`, `status`, `reason`. `brier`:
    `time_days`, `brier`, `reference` (that of Kaplan-Meier). `skill` is one less the integrated
    Brier score over that of Kaplan-Meier.
    """

    figures: pd.DataFrame
    auc: pd.DataFrame
    brier: pd.DataFrame
    skill: float
    d_calibration: DCalibration
    n: int
    events: int
    notes: tuple[str, ...]
    confidence: float


def evaluate_curves(
    rows: ir.Table | pd.DataFrame,
    survival: ArrayLike,
    *,
    times: ArrayLike,
    auc_times: ArrayLike | None = None,
    confidence: float = 0.95,
) -> CurveEvaluation:
    """Judge predicted survival curves.

    Parameters
    ----------
    rows : ir.Table or DataFrame, one row per spell
        `exit_days`, `event`, optional `entry_days`. Not those the curves were fitted to.
    survival : array_like
        Predicted S(t) of each row, rows × times, from the start of the spell.
    times : array_like
        Increasing ages above 0, days; the Brier score is averaged over them.
    auc_times : array_like, optional
        Ages at which the AUC is given, taken from `times`; default: all.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    CurveEvaluation
        Ages to which nobody is followed are left out, with a note; without rows or events
        figures are NaN and "unclear".

    Raises
    ------
    InputError
        If a column is missing, shapes differ, the times do not increase, survival is no share,
        or a row enters at or after its end.

    Notes
    -----
    Rows are ordered by the area under their curve for the concordance, and by S(t) for the AUC
    at t. A row that came late is judged given that it was alive at its entry, S(t) / S(entry).
    """
    frame = _columns(rows)
    grid, curves = np.asarray(times, dtype=float), np.asarray(survival, dtype=float)
    _refuse(grid, curves, len(frame))
    ends, died = frame["exit_days"].to_numpy(float), frame["event"].to_numpy(bool)
    entry = frame["entry_days"].to_numpy(float)
    given = _read(curves, grid, entry)
    conditional = np.divide(
        np.minimum(curves, given[:, None]),
        given[:, None],
        out=np.zeros_like(curves),
        where=given[:, None] > 0,
    )
    score = -np.trapezoid(curves, grid, axis=1) if len(grid) > 1 else -curves[:, 0]
    found = integrated_brier(conditional, grid, ends, died, entry=entry, confidence=confidence)
    last = min(float(grid[-1]), float(ends.max(initial=0.0)))
    figures = {}
    for name, weights in (("concordance", "n"), ("concordance_uno", "n/G2")):
        pairs = concordance(score, ends, died, entry=entry, weights=weights, until=last)  # type: ignore[arg-type]
        figures[name] = pairs.interval(confidence=confidence)
    figures["integrated_brier"] = found.integrated
    at = grid if auc_times is None else np.asarray(auc_times, dtype=float)
    return CurveEvaluation(
        figures=_frame(figures, len(ends), int(died.sum())),
        auc=_auc_table(conditional[:, _places(grid, at)], at, (ends, died, entry), confidence),
        brier=pd.DataFrame(
            {"time_days": found.time, "brier": found.brier, "reference": found.brier_reference}
        ),
        skill=found.skill,
        d_calibration=_d_calibration(curves, grid, (ends, died), given),
        n=len(ends),
        events=int(died.sum()),
        notes=(found.note,) if found.note else (),
        confidence=confidence,
    )


def _columns(rows: ir.Table | pd.DataFrame) -> pd.DataFrame:
    wanted = [c for c in ("exit_days", "event", "entry_days") if c in rows.columns]
    if missing := {"exit_days", "event"} - set(wanted):
        raise InputError(*(f"rows: column {c} is missing" for c in sorted(missing)))
    frame = rows[wanted]
    if not isinstance(frame, pd.DataFrame):
        frame = frame.to_pandas()
    return frame if "entry_days" in frame else frame.assign(entry_days=0)


def _refuse(grid: FloatArray, curves: FloatArray, n: int) -> None:
    faults = []
    if not len(grid) or not (np.diff(grid, prepend=0.0) > 0).all():
        faults.append("times: ages above 0 in increasing order are asked for")
    if curves.shape != (n, len(grid)):
        faults.append(f"survival: {curves.shape} is not {n} rows × {len(grid)} times")
    if wrong := int((~((curves >= 0) & (curves <= 1))).sum()):
        faults.append(f"survival: {wrong} values are missing or not within [0, 1]")
    if faults:
        raise InputError(*faults)


def _read(curves: FloatArray, grid: FloatArray, ages: FloatArray) -> FloatArray:
    """Read each curve at one age, straight between times; 1 at the start."""
    full, at = np.hstack([np.ones((len(curves), 1)), curves]), np.append(0.0, grid)
    i = np.clip(np.searchsorted(at, ages, side="right") - 1, 0, len(at) - 2)
    part = np.clip((ages - at[i]) / (at[i + 1] - at[i]), 0.0, 1.0)
    rows = np.arange(len(curves))
    return np.asarray(full[rows, i] * (1 - part) + full[rows, i + 1] * part)


def _places(grid: FloatArray, at: FloatArray) -> NDArray[np.intp]:
    places = np.searchsorted(grid, at)
    known = (places < len(grid)) & (grid[np.minimum(places, len(grid) - 1)] == at)
    if not known.all():
        raise InputError(f"auc_times: {at[~known].tolist()} are not among the times")
    return places


def _auc_table(
    survival: FloatArray,
    at: FloatArray,
    rows: tuple[FloatArray, NDArray[np.bool_], FloatArray],
    confidence: float,
) -> pd.DataFrame:
    ends, died, entry = rows
    table = []
    for i, outcomes in enumerate(outcomes_along(at, ends, died, entry=entry)):
        found = Estimate(np.nan, np.nan, np.nan)
        reason = outcomes.note
        if not reason:
            found = auc(-survival[:, i], outcomes, confidence=confidence)
            reason = "all known outcomes are alike" if np.isnan(found.low) else ""
        events = int((outcomes.event & outcomes.known).sum())
        status = "unclear" if reason else "ok"
        table.append((at[i], *found, events, outcomes.base_rate, status, reason))
    names = ["auc", "ci_low", "ci_high", "events", "base_rate", "status", "reason"]
    return pd.DataFrame(table, columns=["time_days", *names])


def _d_calibration(
    curves: FloatArray,
    grid: FloatArray,
    rows: tuple[FloatArray, NDArray[np.bool_]],
    given: FloatArray,
) -> DCalibration:
    """Test survival at the end of each row, cut at the last time."""
    ends, died = rows
    at_end = np.minimum(_read(curves, grid, ends), given)
    share = np.divide(at_end, given, out=np.zeros_like(given), where=given > 0)
    return d_calibration(share, died & (ends <= grid[-1]))


def _frame(figures: dict[str, Estimate], n: int, events: int) -> pd.DataFrame:
    table = []
    for metric, found in figures.items():
        known = np.isfinite(found).all()
        reason = "" if known else "too few rows or events to judge"
        table.append((metric, *found, "ok" if known else "unclear", reason, n, events))
    names = ["metric", "value", "ci_low", "ci_high", "status", "reason", "n", "events"]
    return pd.DataFrame(table, columns=names)
