"""Discrete-time hazard: who leaves in the next interval, given age and covariates.

A regression for the share that leaves in each interval of age among those at risk, fitted on
counts. It takes delayed entry and covariates that change over time as they come, says how much
each covariate changes the hazard, and gives survival for any pattern (`hazard_curves`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.churn.hazards.cells import Cells, count_cells
from csa.analysis.churn.hazards.tables import (
    BASELINE,
    COEFFICIENTS,
    TESTS,
    FittedHazard,
    baseline_table,
    coefficient_table,
    wald_table,
)
from csa.analysis.churn.hazards.terms import (
    AgeEffect,
    check_age_effect,
    make_terms,
    merged_intervals,
)
from csa.methods.binomial import Counts, fit_counts
from csa.methods.designs import ProductDesign
from csa.methods.intervals import normal_quantile
from csa.methods.links import Link, check_link

__all__ = ["AgeEffect", "FittedHazard", "HazardResult", "discrete_hazard"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HazardResult:
    """A discrete-time hazard model.

    `coefficients`: one row per term and level: `term`, `level`, `reference`, `phase` (ages in
    which it applies, empty: all), `estimate` (log ratio), `std_error`, `ratio` with `ci_low`,
    `ci_high` (`ratio_kind`), `p_value`, `n` (intervals at risk with that level), `events`,
    `status`, `reason`.
    `baseline`: hazard of the reference pattern, one row per interval: `from_days`, `to_days`,
    `estimated_over` (ages that share the estimate), `n` and `events` (of all patterns), `hazard`,
    `ci_low`, `ci_high`, `status`, `reason`.
    `tests`: Wald tests per covariate: `term`, `question`, `chi2`, `df`, `p_value`.
    """

    coefficients: pd.DataFrame
    baseline: pd.DataFrame
    tests: pd.DataFrame
    model: FittedHazard | None
    link: Link
    interval_days: int
    confidence: float
    n: int  # spells
    events: int
    person_intervals: float  # a partly observed one counts as a part
    entered_late: int
    never_seen: int
    parameters: int = 0
    log_likelihood: float = float("nan")
    aic: float = float("nan")
    iterations: int = 0
    converged: bool = False
    status: str = "ok"
    reason: str = ""

    @property
    def ratio_kind(self) -> str:
        """What `ratio` is."""
        return "odds ratio" if self.link == "logit" else "hazard ratio"


def discrete_hazard(
    spells: ir.Table | pd.DataFrame,
    *,
    covariates: Sequence[str] = (),
    interval_days: int = 30,
    link: Link = "logit",
    age: AgeEffect | None = None,
    confidence: float = 0.95,
) -> HazardResult:
    """Fit the hazard of each interval of age on covariates, from counts.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        One row per spell, or several where a covariate changes: `entry_days`, `exit_days` (whole
        days since the start of the spell; at risk at age t: entry_days < t <= exit_days, from
        the very start where entry_days is 0), `event`, and the covariates. A spell whose
        covariate changes at age c is cut in two: the row before ends at exit_days = c without
        event, the row after has entry_days = c.
    covariates : sequence of str
        Columns of text, flags or whole numbers with few values; numbers with many are binned by
        the caller. Empty: age alone.
    interval_days : int
        Length of an interval of age.
    link : {"logit", "cloglog"}
        Logit: odds ratios of leaving within an interval. Cloglog: hazard ratios, the same for
        any length of interval if hazards are proportional.
    age : AgeEffect, optional
        How the hazard depends on age; default one parameter per interval, the same effects at
        all ages, no renewals.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    HazardResult
        "unclear" with a reason, and without a model, where there are no rows, or nobody or
        everybody left. A level in which nobody or everybody left is "unclear" in its row.

    Raises
    ------
    InputError
        If a column is missing, of the wrong kind or has too many values, an age is missing or
        negative, or terms are combinations of others; these are named.

    Notes
    -----
    With h_j(x) the probability to leave in interval j given there at its beginning, link(h_j(x))
    = α_j + xβ, and the likelihood is that of independent trials, one per spell and interval [1]_
    [2]_: exactly, since a spell's likelihood is the product over its intervals; late entry only
    leaves out factors. Sums over (pattern, interval) are sufficient, so the estimates are those
    of the regression on one row per spell and interval.

    A row counts in an interval by the share of the interval's days from its entry to its exit, or
    with the event to the interval's end, as in the actuarial life table [3]_. Intervals seen from
    beginning to end are one trial and need no assumption: when within them accounts leave does
    not matter. Cutting rows in two changes nothing. Intervals seen in part are unbiased to first
    order if the hazard is even within an interval: relative to the hazard h, the part after a
    late entry is h/6 too high and the part before a last sight h/6 too low (0.5 % with h = 3 %;
    of the parts only). With interval_days = 1 there are no parts and no assumption. A covariate
    must be known by the beginning of the days to which it is given; "will upgrade some day" given
    to all days is immortal time.

    Intervals without events share the estimate of the next (`estimated_over`). Reactivated
    accounts have several spells; they are taken as independent.

    References
    ----------
    .. [1] Singer, J. D., Willett, J. B. (1993). It's about time: using discrete-time survival
       analysis to study duration and the timing of events. J. Educ. Stat. 18, 155-195.
    .. [2] Prentice, R. L., Gloeckler, L. A. (1978). Regression analysis of grouped survival data
       with application to breast cancer data. Biometrics 34, 57-67.
    .. [3] Cutler, S. J., Ederer, F. (1958). Maximum utilization of the life table method in
       analyzing survival. J. Chronic Dis. 8, 699-712.
    """
    effect = age or AgeEffect()
    check_link(link)
    z = normal_quantile(confidence)
    check_age_effect(effect, covariates)
    compared = tuple(dict.fromkeys(covariates))
    used = dict.fromkeys([*compared, *filter(None, [effect.renewal])])
    cells = count_cells(spells, covariates=list(used), interval_days=interval_days)
    base = _without_model(cells, link=link, confidence=confidence)
    if base.status == "unclear":
        return base
    terms = make_terms(cells, compared, effect)
    columns = ProductDesign(terms.blocks)
    counts = Counts(cells.events, cells.trials, link, np.zeros(len(columns.names)))
    fit = fit_counts(columns, counts)
    model = FittedHazard(cells=cells, terms=terms, covariates=compared, fit=fit)
    return replace(
        base,
        coefficients=coefficient_table(model, z),
        baseline=baseline_table(model, z),
        tests=wald_table(model),
        model=model,
        parameters=len(fit.coefficients),
        log_likelihood=fit.log_likelihood,
        aic=fit.aic,
        iterations=fit.iterations,
        converged=fit.converged,
        status="ok" if fit.converged or fit.separated else "unclear",
        reason="; ".join(filter(None, [*terms.notes, fit.reason])),
    )


def _without_model(cells: Cells, *, link: Link, confidence: float) -> HazardResult:
    """Say what was counted, and why there can be no model, before one is fitted."""
    trials, events = float(cells.trials.sum()), int(cells.events.sum())
    reason = ""
    if not trials > 0:
        reason = "no account under observation"
    elif events == 0:
        reason = f"nobody churned in {trials:,.0f} intervals at risk: the hazard has no lower end"
    elif not merged_intervals(cells.trials.sum(axis=0), cells.events.sum(axis=0)):
        reason = f"all {events} accounts churned in the first interval that was seen"
    return HazardResult(
        coefficients=pd.DataFrame(columns=COEFFICIENTS),
        baseline=pd.DataFrame(columns=BASELINE),
        tests=pd.DataFrame(columns=TESTS),
        model=None,
        link=link,
        interval_days=cells.interval_days,
        confidence=confidence,
        n=int(cells.spells.sum()),
        events=events,
        person_intervals=trials,
        entered_late=cells.entered_late,
        never_seen=cells.never_seen,
        status="unclear" if reason else "ok",
        reason=reason,
    )
