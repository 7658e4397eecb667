"""A survival result read at chosen ages: at risk, survival, the chance to stay, the window."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.churn.lifetimes import SurvivalResult, survival
from csa.analysis.churn.remaining import life_tables
from csa.analysis.churn.spells import ALL, as_spells
from csa.methods.intervals import most_unseen
from csa.methods.survival import SurvivalCurve, kaplan_meier

READ = ("ci_low", "ci_high", "status", "reason")


def numbers_at_risk(result: SurvivalResult, ages_days: Sequence[float]) -> pd.DataFrame:
    """Accounts at risk at given ages, for the rows under a survival plot.

    Parameters
    ----------
    result : SurvivalResult
        From `survival`.
    ages_days : sequence of float
        Ages, days.

    Returns
    -------
    DataFrame
        `group`, `age_days`, `at_risk`: came under observation before that age, not yet gone
        before it; at the age at which a curve starts, those at risk just after.
    """
    return pd.DataFrame(
        [
            {"group": name, "age_days": age, "at_risk": int(table.at_risk_at(age))}
            for name, table in life_tables(result)
            for age in ages_days
        ],
        columns=["group", "age_days", "at_risk"],
    )


def survival_at(result: SurvivalResult, ages_days: Sequence[float]) -> pd.DataFrame:
    """Survival at given ages, with the result's interval.

    Parameters
    ----------
    result : SurvivalResult
        From `survival`.
    ages_days : sequence of float
        Ages, days.

    Returns
    -------
    DataFrame
        `group`, `age_days`, `at_risk`, `survival`, `ci_low`, `ci_high`, `status`, `reason`; NaN
        and "unclear" at ages that were not seen. Where nobody left, the limit is exact.
    """
    found = []
    for name, table in life_tables(result):
        curve = kaplan_meier(table, confidence=result.confidence, interval=result.interval)
        for age in ages_days:
            at_risk = int(table.at_risk_at(age))
            row = {"group": name, "age_days": age, "at_risk": at_risk}
            found.append(row | _read(result, curve, age, at_risk, "survival"))
    return pd.DataFrame(found, columns=["group", "age_days", "at_risk", "survival", *READ])


def conditional_survival(
    result: SurvivalResult, *, ages_days: Sequence[float], ahead_days: Sequence[float]
) -> pd.DataFrame:
    """Chance to stay so many days longer, for an account that is still here at an age.

    Parameters
    ----------
    result : SurvivalResult
        From `survival`.
    ages_days : sequence of float
        Ages already reached, days.
    ahead_days : sequence of float
        How far to look ahead, days.

    Returns
    -------
    DataFrame
        `group`, `age_days`, `ahead_days`, `at_risk` (just after that age), `stay`, `ci_low`,
        `ci_high`, `status`, `reason`; one row per group, age and look ahead. NaN and "unclear"
        where the curve does not reach. Where nobody left, the limit is exact.

    Notes
    -----
    S(age + ahead) / S(age), which is Kaplan-Meier among those at risk after `age`, with
    Greenwood's variance over the ages in between only [1]_.

    References
    ----------
    .. [1] Klein, J. P., Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 4.6. Springer.
    """
    found = []
    for name, table in life_tables(result):
        for age in ages_days:
            rest = table.between(age if age >= table.start else np.inf)
            curve = kaplan_meier(rest, confidence=result.confidence, interval=result.interval)
            at_risk = int(rest.at_risk[0]) if len(rest.at_risk) else 0
            for ahead in ahead_days:
                row = {"group": name, "age_days": age, "ahead_days": ahead, "at_risk": at_risk}
                found.append(row | _read(result, curve, age + ahead, at_risk, "stay"))
    return pd.DataFrame(
        found, columns=["group", "age_days", "ahead_days", "at_risk", "stay", *READ]
    )


def window_effect(
    spells: ir.Table | pd.DataFrame, *, ages_days: Sequence[float], confidence: float = 0.95
) -> pd.DataFrame:
    """Compare survival with the window of observation to survival as if there were none.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        `entry_days`, `exit_days`, `event` as for `survival`.
    ages_days : sequence of float
        Ages, days.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    DataFrame
        `age_days`, `n`, `entered_late`, `at_risk`, `survival`, `ci_low`, `ci_high`, `status`,
        `reason`, and `ignoring`: the survival one would read if every account counted from its
        first day, although those that left before the window opened are not in the data.

    Notes
    -----
    Only the difference is of interest: `ignoring` is biased upwards [1]_ and has no interval.

    References
    ----------
    .. [1] Klein, J. P., Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 4.6. Springer.
    """
    pooled = as_spells(spells, "entry_days", "exit_days", "event").mutate(group=ibis.literal(ALL))
    seen = survival(pooled, confidence=confidence)
    # whole spells, those that ended before the window opened left out as the data leave them out
    blind = survival(pooled.filter(ibis._.exit_days > ibis._.entry_days).mutate(entry_days=0))
    table = survival_at(seen, ages_days)
    table["ignoring"] = survival_at(blind, ages_days)["survival"]
    table.insert(1, "n", int(seen.summary["n"].iloc[0]))
    table.insert(2, "entered_late", seen.entered_late)
    return table.drop(columns="group")


def _read(
    result: SurvivalResult, curve: SurvivalCurve, age: float, at_risk: int, name: str
) -> dict[str, object]:
    """Value of a curve with what can be said about it."""
    value, low, high = curve.at(age)
    status, reason = "ok", ""
    if np.isnan(value):
        status, reason = "unclear", "not under observation at these ages"
    elif at_risk < result.min_at_risk:
        status, reason = "unclear", f"only {at_risk} at risk"
    if value == 1 and age > curve.table.start:
        # the method's limits are both 1, like R's
        low = 1 - most_unseen(curve.table.fewest_at_risk(age), confidence=curve.confidence)
        reason = reason or "nobody left: the lower limit is what so few at risk allow"
    return {name: value, "ci_low": low, "ci_high": high, "status": status, "reason": reason}
