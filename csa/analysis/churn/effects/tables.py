"""Tables of a Cox regression: effects, tests, effects per band of age."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.effects.bands import Banded, Piece
from csa.analysis.churn.effects.checks import Covariate
from csa.analysis.churn.effects.columns import Column, Columns, Empty, Fitted, upper_bound
from csa.analysis.churn.effects.rows import Rows
from csa.analysis.churn.spells import ALL
from csa.methods.cox import CoxFit
from csa.methods.cox.proportional import Proportionality
from csa.methods.logrank import chi_square_tail

BoolArray = NDArray[np.bool_]

FIGURES = [
    *("n", "events", "estimate", "std_error", "hazard_ratio", "ci_low", "ci_high", "p_value"),
    *("status", "reason"),
]
EFFECTS = ["term", "level", "reference", *FIGURES]
BANDS = ["term", "level", "reference", "from_days", "to_days", *FIGURES]
TESTS = ["term", "df", "chi2", "p_value", "ph_chi2", "ph_p_value", "proportional"]
ESTIMATES = ("estimate", "std_error", "hazard_ratio", "ci_low", "ci_high", "p_value")
NAN = float("nan")
SIGNIFICANCE = 0.05  # of the test of proportional hazards, over all terms together


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judged:
    """A regression with all that was asked of it."""

    rows: Rows
    asked: Sequence[Covariate]
    columns: Columns
    fitted: Fitted
    confidence: float
    least: int  # fewer events than this in a level are "unclear"


def effect_table(judged: Judged) -> pd.DataFrame:
    """Write effects, one row per number and per level of text.

    Parameters
    ----------
    judged : Judged
        The regression.

    Returns
    -------
    DataFrame
        Columns as `EFFECTS`, terms in the order asked for, the reference of each first.
    """
    rows, fitted = judged.rows, judged.fitted
    everybody = np.ones(len(rows.exit), bool)
    found: list[dict[str, object]] = []
    for name in [c.name for c in judged.asked]:
        if name in judged.columns.references:
            found.append(_reference_row(judged, name))
        for j, column in enumerate(judged.columns.columns):
            if column.term == name:
                inside = column.numbers != 0 if column.is_level else everybody
                figures = _figures(fitted.fit, fitted.places.get(j, -1), judged.confidence)
                reason = fitted.reasons.get(j, "")
                row = _names(column) | _counts(rows, inside)
                found.append(row | figures | _judgement(row, reason, judged.least))
        found += [_empty_row(judged, e) for e in judged.columns.empty if e.term == name]
    return pd.DataFrame(found, columns=EFFECTS)


def _names(of: Column | Empty | Piece) -> dict[str, object]:
    return {"term": of.term, "level": of.level, "reference": of.reference}


def _counts(rows: Rows, inside: BoolArray) -> dict[str, object]:
    return {
        "n": int(rows.count[inside].sum()),
        "events": int(rows.count[inside & rows.event].sum()),
    }


def _judgement(row: dict[str, object], reason: str, least: int) -> dict[str, object]:
    """Status of a row and why it is unclear."""
    if not reason and int(str(row["events"])) < least:
        reason = f"only {row['events']} events"
    return {"status": "unclear" if reason else "ok", "reason": reason}


def _figures(fit: CoxFit | None, place: int, confidence: float) -> dict[str, object]:
    """Estimate, error, ratio with limits and p-value; NaN where there is none."""
    if fit is None or place < 0:
        return dict.fromkeys(ESTIMATES, NAN)
    ratio, low, high = (float(x[place]) for x in fit.hazard_ratios(confidence))
    estimate, error = float(fit.effects[place]), float(fit.std_error[place])
    p_value = chi_square_tail((estimate / error) ** 2, 1)
    return dict(zip(ESTIMATES, (estimate, error, ratio, low, high, p_value), strict=True))


def _reference_row(judged: Judged, name: str) -> dict[str, object]:
    """Row of the level that the others are compared with."""
    classes, label = judged.rows.classes[name], judged.columns.references[name]
    inside = classes.codes == classes.levels.index(label)
    row = {"term": name, "level": label, "reference": label} | _counts(judged.rows, inside)
    reason = f"all spells are {label}: nothing to compare" if inside.all() else ""
    figures = {"estimate": 0.0, "hazard_ratio": 1.0} if not reason else {}
    blank = dict.fromkeys(ESTIMATES, NAN)
    return row | blank | figures | _judgement(row, reason, judged.least)


def _empty_row(judged: Judged, empty: Empty) -> dict[str, object]:
    """Row of a level in which nobody left."""
    given, places = judged.columns.columns, judged.fitted.places
    columns = [given[j] for j in places]
    figures, reason = _nobody(judged.fitted.fit, judged.rows, columns, empty, judged.confidence)
    row = _names(empty) | _counts(judged.rows, empty.rows)
    return row | figures | {"status": "unclear", "reason": reason}


def _nobody(
    fit: CoxFit | None,
    rows: Rows,
    columns: Sequence[Column],
    level: Empty | Piece,
    confidence: float,
) -> tuple[dict[str, object], str]:
    """Ratio of 0 with its upper limit where nobody left, and what was to be expected."""
    part = rows.take(level.rows)
    reason = f"nobody left of {part.n:,} spells"
    figures: dict[str, object] = dict.fromkeys(ESTIMATES, NAN)
    if fit is None:
        return figures, reason
    short = [c.take(level.rows) for c in columns]
    expected, high = upper_bound(fit, part, short, confidence)
    figures |= {"hazard_ratio": 0.0, "ci_low": 0.0, "ci_high": high}
    return figures, f"{reason}; {expected:,.1f} were expected at the hazard of {level.reference}"


def term_tests(fitted: Fitted, ph: Proportionality) -> pd.DataFrame:
    """Write the tests per term, and over all.

    Parameters
    ----------
    fitted : Fitted
        A regression with a fit.
    ph : Proportionality
        Tests that effects are the same at all ages.

    Returns
    -------
    DataFrame
        Columns as `TESTS`.
    """
    if fitted.fit is None:
        return pd.DataFrame(columns=TESTS)
    found, fit = [], fitted.fit
    for term, change in ph.terms.items():
        js = [j for j, column in enumerate(fitted.columns) if column.term == term]
        effect = fit.effects[js]
        chi2 = float(effect @ np.linalg.solve(fit.covariance[np.ix_(js, js)], effect))
        p_value = chi_square_tail(chi2, len(js))
        found.append([term, len(js), chi2, p_value, change.statistic, change.p_value])
    chi2, df, p_value = fit.likelihood_ratio_test
    found.append([ALL, df, chi2, p_value, ph.overall.statistic, ph.overall.p_value])
    table = pd.DataFrame(found, columns=TESTS[:-1])
    table["proportional"] = _proportional(table["ph_p_value"])
    return table


def _proportional(p_values: pd.Series) -> pd.Series:
    """Judge by Holm's rule over the terms; the last row, over all, by itself."""
    terms = p_values.iloc[:-1].dropna().sort_values()
    factor = np.arange(len(terms), 0, -1)
    adjusted = (terms * factor).cummax()
    adjusted[p_values.index[-1]] = p_values.iloc[-1]
    judged = adjusted.reindex(p_values.index)
    words = np.where(judged < SIGNIFICANCE, "rejected", "not rejected")
    return pd.Series(np.where(judged.isna(), "unclear", words), index=p_values.index)


def varying_terms(tests: pd.DataFrame) -> list[str]:
    """List the terms whose effect changes with age.

    Parameters
    ----------
    tests : DataFrame
        From `term_tests`.

    Returns
    -------
    list of str
        Without the row over all.
    """
    terms = tests.iloc[:-1]
    return terms.loc[terms["proportional"] == "rejected", "term"].tolist()


def band_table(banded: Banded, least: int, confidence: float) -> pd.DataFrame:
    """Write effects per band of age.

    Parameters
    ----------
    banded : Banded
        The regression on pieces of spells.
    least : int
        Fewer events than this in a level and band are "unclear".
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    DataFrame
        Columns as `BANDS`.
    """
    found = []
    for piece in banded.pieces:
        band = {"from_days": piece.band.start, "to_days": piece.band.end}
        row = _names(piece) | band | _counts(banded.rows, piece.rows)
        figures = _figures(banded.fitted.fit, piece.column, confidence)
        reason = piece.reason
        if piece.rows.any() and not row["events"]:
            figures, reason = _nobody(
                banded.fitted.fit, banded.rows, banded.columns, piece, confidence
            )
        found.append(row | figures | _judgement(row, reason, least))
    table = pd.DataFrame(found, columns=BANDS)
    table["to_days"] = table["to_days"].replace(np.inf, np.nan)  # open
    return table


def left_out_table(rows: Rows) -> pd.DataFrame:
    """Write how many spells lack which number.

    Parameters
    ----------
    rows : Rows
        Spells.

    Returns
    -------
    DataFrame
        `term`, `n`, `reason`; a spell that lacks two numbers counts in both.
    """
    found = [(name, n, "the number is missing") for name, n in rows.left_out.items()]
    return pd.DataFrame(found, columns=["term", "n", "reason"])
