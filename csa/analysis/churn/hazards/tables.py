"""Tables of a fitted discrete-time hazard: effects, baseline, tests."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.hazards.cells import Cells
from csa.analysis.churn.hazards.terms import Terms, days
from csa.methods.binomial import BinomialFit
from csa.methods.links import probability
from csa.methods.logrank import chi_square_tail

FloatArray = NDArray[np.float64]

COEFFICIENTS = [
    "term",
    "level",
    "reference",
    "phase",
    "estimate",
    "std_error",
    "ratio",
    "ci_low",
    "ci_high",
    "p_value",
    "n",
    "events",
    "status",
    "reason",
]
BASELINE = [
    "from_days",
    "to_days",
    "estimated_over",
    "n",
    "events",
    "hazard",
    "ci_low",
    "ci_high",
    "status",
    "reason",
]
TESTS = ["term", "question", "chi2", "df", "p_value"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FittedHazard:
    """What predictions need: counts, terms and the regression."""

    cells: Cells
    terms: Terms
    covariates: tuple[str, ...]
    fit: BinomialFit


def coefficient_table(model: FittedHazard, z: float) -> pd.DataFrame:
    """Effects, one row per level that is compared.

    Parameters
    ----------
    model : FittedHazard
        Counts, terms and regression.
    z : float
        Half-width of intervals in standard errors.

    Returns
    -------
    DataFrame
        Columns as `COEFFICIENTS`; a level without a finite estimate is "unclear".
    """
    fit, cells = model.fit, model.cells
    first = len(fit.names) - len(model.terms.terms)
    rows = []
    for column, term in enumerate(model.terms.terms, start=first):
        estimate, error = float(fit.coefficients[column]), float(fit.std_error[column])
        n = float(term.patterns @ cells.trials @ term.ages)
        events = int(term.patterns @ cells.events @ term.ages)
        reason = ""
        if column in fit.separated:
            estimate = error = float("nan")
            reason = _no_estimate(n, events)
        rows.append(
            {
                "term": term.covariate,
                "level": term.level,
                "reference": term.reference,
                "phase": term.phase,
                "estimate": estimate,
                "std_error": error,
                "ratio": math.exp(estimate),
                "ci_low": math.exp(estimate - z * error),
                "ci_high": _exp(estimate + z * error),
                "p_value": math.erfc(abs(estimate / error) / math.sqrt(2)),
                "n": n,
                "events": events,
                "status": "unclear" if reason else "ok",
                "reason": reason,
            }
        )
    return pd.DataFrame(rows, columns=COEFFICIENTS)


def _exp(value: float) -> float:
    """Exponential of a limit that may be far out."""
    return math.exp(value) if not value > 700 else math.inf


def _no_estimate(n: float, events: int) -> str:
    """Say why a level has no finite estimate."""
    if events == 0:
        return f"nobody left in {n:,.0f} intervals at risk"
    if events >= n:
        return f"all {events} left as soon as they were seen"
    return "who left and who stayed is divided by this and other terms without exception"


def baseline_table(model: FittedHazard, z: float) -> pd.DataFrame:
    """Hazard of the reference pattern, one row per interval.

    Parameters
    ----------
    model : FittedHazard
        Counts, terms and regression.
    z : float
        Half-width of intervals in standard errors.

    Returns
    -------
    DataFrame
        Columns as `BASELINE`; limits are made on the scale of the link.
    """
    cells, terms, fit = model.cells, model.terms, model.fit
    columns = terms.blocks[0].ages
    width = columns.shape[1]
    predictor = columns @ fit.coefficients[:width]
    part = fit.covariance[:width, :width]
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", columns, part, columns), 0.0))
    lost = np.array([i for i in fit.separated if i < width], dtype=int)
    unknown = (columns[:, lost] != 0).any(axis=1)
    intervals = np.arange(len(columns))
    spans = [_shared(terms.spans, i) for i in range(len(columns))]
    limits = {
        "hazard": probability(predictor, fit.link),
        "ci_low": probability(predictor - z * error, fit.link),
        "ci_high": probability(predictor + z * error, fit.link),
    }
    return pd.DataFrame(
        {
            "from_days": intervals * cells.interval_days,
            "to_days": (intervals + 1) * cells.interval_days,
            "estimated_over": [days(span, cells.interval_days) for span in spans],
            "n": cells.trials.sum(axis=0),
            "events": cells.events.sum(axis=0).astype(int),
            **{name: np.where(unknown, np.nan, values) for name, values in limits.items()},
            "status": np.where(unknown, "unclear", "ok"),
            "reason": np.where(unknown, "nobody, or everybody, of the reference left", ""),
        },
        columns=BASELINE,
    )


def _shared(spans: list[tuple[int, int]], interval: int) -> tuple[int, int]:
    """Run of intervals with which an interval shares its estimate."""
    return next((span for span in spans if span[0] <= interval <= span[1]), (interval, interval))


def wald_table(model: FittedHazard) -> pd.DataFrame:
    """Wald tests of each covariate: no effect at all, and the same effect in all phases.

    Parameters
    ----------
    model : FittedHazard
        Counts, terms and regression.

    Returns
    -------
    DataFrame
        Columns as `TESTS`. Levels without a finite estimate take no part.
    """
    terms, fit = model.terms.terms, model.fit
    first = len(fit.names) - len(terms)
    rows = []
    for name in dict.fromkeys(term.covariate for term in terms):
        own = [
            (column, term)
            for column, term in enumerate(terms, start=first)
            if term.covariate == name and column not in fit.separated
        ]
        contrasts = np.zeros((len(own), len(fit.names)))
        contrasts[range(len(own)), [column for column, _ in own]] = 1.0
        rows.append({"term": name, "question": "no effect"} | _wald(contrasts, fit))
        if any(term.phase for _, term in own):
            changes = _changes([(column, term.level) for column, term in own], len(fit.names))
            rows.append({"term": name, "question": "same effect at all ages"} | _wald(changes, fit))
    return pd.DataFrame(rows, columns=TESTS)


def _changes(own: list[tuple[int, str]], width: int) -> FloatArray:
    """Contrasts between the phases of each level, each with the first phase that has it."""
    rows = []
    for level in dict.fromkeys(level for _, level in own):
        start, *later = [column for column, other in own if other == level]
        for column in later:
            row = np.zeros(width)
            row[start], row[column] = -1.0, 1.0
            rows.append(row)
    return np.array(rows).reshape(len(rows), width)


def _wald(contrasts: FloatArray, fit: BinomialFit) -> dict[str, float]:
    """Chi-square statistic of contrasts that are all 0; NaN with 0 degrees of freedom if none."""
    if not len(contrasts):
        return {"chi2": float("nan"), "df": 0, "p_value": float("nan")}
    values = contrasts @ fit.coefficients
    spread = contrasts @ fit.covariance @ contrasts.T
    chi2 = float(values @ np.linalg.solve(spread, values))
    return {"chi2": chi2, "df": len(values), "p_value": chi_square_tail(chi2, len(values))}
