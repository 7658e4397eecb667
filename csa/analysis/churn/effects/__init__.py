"""What makes accounts leave sooner: hazard ratios of account attributes, and whether they last.

A Cox regression on spells with delayed entry. Each ratio comes with its interval; each term with
the exact test whether its effect is the same at all ages, and where it is not, with one ratio per
band of age instead of an average that describes no age.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd

from csa.analysis.churn.effects.bands import Banded, choose_cuts, fit_bands
from csa.analysis.churn.effects.checks import Covariate
from csa.analysis.churn.effects.columns import Column, Fitted, fit_columns, make_columns
from csa.analysis.churn.effects.rows import Rows, fetch_rows
from csa.analysis.churn.effects.tables import (
    BANDS,
    EFFECTS,
    TESTS,
    Judged,
    band_table,
    effect_table,
    left_out_table,
    term_tests,
    varying_terms,
)
from csa.errors import InputError
from csa.methods.cox import ChiSquare, CoxFit
from csa.methods.cox.proportional import Proportionality, proportionality
from csa.methods.intervals import normal_quantile
from csa.methods.logrank import chi_square_tail

__all__ = ["Covariate", "EffectsResult", "effects"]

MIN_EVENTS = 10  # fewer per estimated effect, or in all, is "unclear"
MOST_LEFT_OUT = 0.2  # share of the spells that may lack a number
UNKNOWN = ChiSquare(float("nan"), 0, float("nan"))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EffectsResult:
    """Hazard ratios of covariates.

    `table`: one row per number and per level of text, the reference first: `term`, `level`
    ("per 1" for a number), `reference`, `n` (spells), `events`, `estimate` (log hazard ratio),
    `std_error`, `hazard_ratio`, `ci_low`, `ci_high`, `p_value`, `status` ("ok" or "unclear"),
    `reason`. The reference has ratio 1 and no interval. Where nobody left, the ratio is 0 with an
    upper limit.
    `tests`: per term, `all` last: `term`, `df`, `chi2`, `p_value` (Wald's test of no effect; for
    `all` the likelihood ratio), `ph_chi2`, `ph_p_value` (the effect is the same at all ages),
    `proportional` ("rejected", "not rejected" or "unclear"; over the terms by Holm's rule).
    `bands`: for terms whose effect changes with age: `term`, `level`, `reference`, `from_days`
    (above), `to_days` (up to; NaN: open), then as `table`, with `n` spells at risk in the band.
    `left_out`: `term`, `n`, `reason`: spells that lack a number.
    """

    table: pd.DataFrame
    tests: pd.DataFrame
    bands: pd.DataFrame
    left_out: pd.DataFrame
    n: int
    events: int
    entered_late: int
    never_seen: int
    fit: CoxFit | None = None  # without the spells of levels in which nobody left
    bands_gain: ChiSquare = UNKNOWN  # likelihood ratio of an effect per band to one for all ages
    bands_reason: str = ""  # why there are no bands although an effect changes, or no sure ones
    robust: bool = False
    confidence: float = 0.95
    status: str = "ok"
    reason: str = ""


def effects(
    spells: ir.Table | pd.DataFrame,
    *,
    covariates: Sequence[str | Covariate],
    strata: Sequence[str] = (),
    bands_days: Sequence[int] | None = None,
    robust: bool | None = None,
    confidence: float = 0.95,
) -> EffectsResult:
    """Estimate how much each attribute of an account changes its hazard to leave.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        `entry_days`, `exit_days`, `event`, the covariates, and `account_id` (and `spell`) where
        accounts may return. An attribute must have been known at the start of the spell; one
        that changes is given by cutting the spell, the row after the change entering at its age.
    covariates : sequence of str or Covariate
        Numbers as they are (missing: the spell is left out and counted), text and flags as
        levels against a reference ("not stated" where missing).
    strata : sequence of str
        Text columns or flags whose levels have hazards of their own, without an effect: spells
        are compared within them only.
    bands_days : sequence of int, optional
        Ages at which the bands of a changing effect end; default 90 and 365 days where that
        divides the events well, else their thirds.
    robust : bool, optional
        Errors by Lin and Wei, with all spells of an account together. Default: where accounts
        have several spells.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    EffectsResult
        "unclear" with a reason, and without a fit, where nobody left or nothing can be compared.

    Raises
    ------
    InputError
        If columns are missing, of the wrong kind, outcomes themselves, or have too many levels;
        if ages are missing or negative.

    Notes
    -----
    Efron's partial likelihood [1]_, fitted on counts where all covariates are classes or whole
    numbers: equal spells are one row, and the estimates are those of the spells written out.
    Whether an effect changes with age is tested by the score test of its product with one minus
    Kaplan-Meier [2]_. With thousands of events the test finds changes that do not matter: look at
    the ratios per band. An effect is a difference between accounts that are alike in the other
    covariates; it is not what would happen if an attribute were changed.

    Fewer than ten events per effect make estimates too far from 1 and intervals unreliable [3]_:
    "unclear".

    References
    ----------
    .. [1] Efron, B. (1977). The efficiency of Cox's likelihood function for censored data.
       J. Am. Stat. Assoc. 72, 557-565.
    .. [2] Grambsch, P. M., Therneau, T. M. (1994). Proportional hazards tests and diagnostics
       based on weighted residuals. Biometrika 81, 515-526.
    .. [3] Peduzzi, P., Concato, J., Feinstein, A. R., Holford, T. R. (1995). Importance of events
       per independent variable in proportional hazards regression analysis II. J. Clin.
       Epidemiol. 48, 1503-1510.
    """
    normal_quantile(confidence)
    if bands_days is not None and any(c <= 0 for c in bands_days):
        raise InputError("bands_days: give ages above 0 at which a band ends")
    asked = [c if isinstance(c, Covariate) else Covariate(name=c) for c in covariates]
    rows = fetch_rows(spells, covariates=asked, strata=strata, robust=robust)
    if not rows.events:
        return _without_fit(rows, confidence)
    columns = make_columns(rows, asked)
    kept, short = rows, columns.columns
    if columns.kept is not None:
        kept = rows.take(columns.kept)
        short = [c.take(columns.kept) for c in short]
    fitted = fit_columns(kept, short)
    table = effect_table(
        Judged(
            rows=rows,
            asked=asked,
            columns=columns,
            fitted=fitted,
            confidence=confidence,
            least=MIN_EVENTS,
        )
    )
    if fitted.fit is None:
        return _without_fit(rows, confidence, table)
    tests = term_tests(fitted, _proportionality(fitted.fit, fitted.columns))
    bands, gain, reason = _bands(kept, fitted, varying_terms(tests), bands_days, confidence)
    status, why = _status(rows, fitted.fit)
    return EffectsResult(
        table=table,
        tests=tests,
        bands=bands,
        left_out=left_out_table(rows),
        n=rows.n,
        events=rows.events,
        entered_late=rows.entered_late,
        never_seen=rows.never_seen,
        fit=fitted.fit,
        bands_gain=gain,
        bands_reason=reason,
        robust=fitted.fit.robust,
        confidence=confidence,
        status=status,
        reason=why,
    )


def _proportionality(fit: CoxFit, columns: Sequence[Column]) -> Proportionality:
    """Test per term, with all its levels."""
    terms: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        terms.setdefault(column.term, []).append(place)
    return proportionality(fit, terms=terms)


def _bands(
    rows: Rows,
    fitted: Fitted,
    varying: list[str],
    cuts: Sequence[int] | None,
    confidence: float,
) -> tuple[pd.DataFrame, ChiSquare, str]:
    """Fit one effect per band of age for terms whose effect changes."""
    empty = pd.DataFrame(columns=BANDS)
    if not varying or fitted.fit is None:
        return empty, UNKNOWN, ""
    chosen = choose_cuts(rows, [c for c in fitted.columns if c.term in varying], cuts)
    if not chosen:
        return empty, UNKNOWN, "too few ages with events to cut into bands"
    found = fit_bands(rows, fitted.columns, varying, chosen)
    if found is None:
        return empty, UNKNOWN, "too many spells to cut them into bands; bin the covariates"
    fit = found.fitted.fit
    why = "" if fit is None or fit.converged else "the estimates per band did not settle"
    return band_table(found, MIN_EVENTS, confidence), _gain(fitted.fit, found), why


def _gain(plain: CoxFit, banded: Banded) -> ChiSquare:
    """Likelihood ratio test of bands against one effect for all ages."""
    fit = banded.fitted.fit
    if fit is None:
        return UNKNOWN
    limits = sum(p.column < 0 and bool(p.rows.any()) for p in banded.pieces)
    df = len(fit.effects) + limits - len(plain.effects)
    statistic = max(2 * (fit.log_likelihood - plain.log_likelihood), 0.0)
    return ChiSquare(statistic, df, chi_square_tail(statistic, df)) if df > 0 else UNKNOWN


def _status(rows: Rows, fit: CoxFit) -> tuple[str, str]:
    """Judge the whole regression."""
    faults = []
    if rows.events < MIN_EVENTS * len(fit.effects):
        faults.append(
            f"{rows.events} events for {len(fit.effects)} effects, fewer than {MIN_EVENTS} each"
        )
    if not fit.converged:
        faults.append("the estimates did not settle")
    if rows.lacking > MOST_LEFT_OUT * (rows.n + rows.lacking):
        faults.append(f"{rows.lacking:,} spells lack a number and are left out")
    return ("unclear" if faults else "ok"), "; ".join(faults)


def _without_fit(rows: Rows, confidence: float, table: pd.DataFrame | None = None) -> EffectsResult:
    """Say what was counted, and why there is no fit."""
    if not rows.n:
        reason = "no account under observation"
    elif not rows.events:
        reason = f"nobody left of {rows.n:,} spells"
    else:
        reason = "no covariate can be compared"
    return EffectsResult(
        table=pd.DataFrame(columns=EFFECTS) if table is None else table,
        tests=pd.DataFrame(columns=TESTS),
        bands=pd.DataFrame(columns=BANDS),
        left_out=left_out_table(rows),
        n=rows.n,
        events=rows.events,
        entered_late=rows.entered_late,
        never_seen=rows.never_seen,
        confidence=confidence,
        status="unclear",
        reason=reason,
    )
