"""Expected remaining lifetime: how many of the next days an account stays that is here today."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from csa.analysis.churn.lifetimes import SurvivalResult
from csa.errors import InputError
from csa.methods.lifetable import LifeTable
from csa.methods.restricted_mean import restricted_mean_limits
from csa.methods.survival import kaplan_meier

COLUMNS = [
    "group",
    "age_days",
    "ahead_days",
    "at_risk",
    "remaining_days",
    "std_error",
    "ci_low",
    "ci_high",
    "status",
    "reason",
]


def remaining_lifetime(
    result: SurvivalResult, *, ages_days: Sequence[float], ahead_days: Sequence[float] = (365,)
) -> pd.DataFrame:
    """Days an account is expected to stay of so many days ahead, if it is here at an age.

    Parameters
    ----------
    result : SurvivalResult
        From `survival`.
    ages_days : sequence of float
        Ages already reached, days.
    ahead_days : sequence of float
        How far to look ahead, days: what lies beyond does not count.

    Returns
    -------
    DataFrame
        `group`, `age_days`, `ahead_days`, `at_risk` (just after that age), `remaining_days`,
        `std_error`, `ci_low`, `ci_high` (within 0 and `ahead_days`), `status`, `reason`; one row
        per group, age and look ahead. NaN and "unclear" where the curve does not reach; "unclear"
        where nobody left, or all at one age, with the limits that those at risk allow.

    Raises
    ------
    InputError
        If a look ahead is not above 0.

    Notes
    -----
    ∫ S(age + u) / S(age) du for u from 0 to the days ahead: the restricted mean of Kaplan-Meier
    among those at risk after the age, with its variance over the ages in between [1]_, and the
    limits of `restricted_mean_limits`. It is cut on purpose: the mean without a horizon hangs on
    ages that nobody has reached [2]_.

    References
    ----------
    .. [1] Klein, J. P., Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 4.5-4.6.
       Springer.
    .. [2] Royston, P., Parmar, M. K. B. (2013). Restricted mean survival time: an alternative to
       the hazard ratio. BMC Med. Res. Methodol. 13, 152.
    """
    if bad := [ahead for ahead in ahead_days if not ahead > 0]:
        raise InputError(f"ahead_days: {bad[0]} is not above 0")
    found = [
        {"group": name, "age_days": age, "ahead_days": ahead} | _row(result, table, age, ahead)
        for name, table in life_tables(result)
        for age in ages_days
        for ahead in ahead_days
    ]
    return pd.DataFrame(found, columns=COLUMNS)


def life_tables(result: SurvivalResult) -> Iterator[tuple[str, LifeTable]]:
    """Life tables back from the rows of a survival result.

    Parameters
    ----------
    result : SurvivalResult
        From `survival`.

    Yields
    ------
    tuple of str and LifeTable
        Group and the part of its table on which its curve stands; empty where it has none.
    """
    rows_of = dict(tuple(result.curves.groupby("group", sort=False)))
    for name in result.summary["group"]:
        rows = rows_of.get(name, result.curves.iloc[:0])
        columns = {c: rows[c].to_numpy() for c in ("at_risk", "events", "censored", "entered")}
        time = rows["time_days"].to_numpy(dtype=float)
        yield name, LifeTable(time=time, start=float(time[0]) if len(time) else np.inf, **columns)


def _row(result: SurvivalResult, table: LifeTable, age: float, ahead: float) -> dict[str, object]:
    """Mean of the days ahead with what can be said about it."""
    rest = table.between(age if age >= table.start else np.inf)
    curve = kaplan_meier(rest, confidence=result.confidence, interval=result.interval)
    at_risk = int(rest.at_risk[0]) if len(rest.at_risk) else 0
    until = restricted_mean_limits(curve, age + ahead)
    status, reason = "ok", ""
    if np.isnan(until.value):
        status, reason = "unclear", "not under observation at these ages"
    elif at_risk < result.min_at_risk:
        status, reason = "unclear", f"only {at_risk} at risk"
    elif until.std_error == 0:
        status, reason = "unclear", _no_spread(rest, age + ahead)
    return {
        "at_risk": at_risk,
        "remaining_days": until.value - age,
        "std_error": until.std_error,
        "ci_low": until.low - age,
        "ci_high": until.high - age,
        "status": status,
        "reason": reason,
    }


def _no_spread(rest: LifeTable, until: float) -> str:
    """Say why a mean has no standard error."""
    gone = int(rest.between(None, until).events.sum())
    return "nobody left in these days" if gone == 0 else "all left on the same day"
