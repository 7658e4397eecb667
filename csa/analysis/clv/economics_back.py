"""Realised against predicted: what an old day would have foretold, and what came."""

import math
from dataclasses import dataclass, replace
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.clv.contract import ContractValue, value_from
from csa.analysis.clv.contract_factors import Payments
from csa.analysis.clv.contract_inputs import ALL, MONTHS, SPELLS, checked
from csa.analysis.clv.contract_terms import ContractTerms, cohort_label
from csa.analysis.clv.economics_rows import known_on, realised_sums
from csa.errors import InputError

LEFT = "left_on"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Realised:
    """Margin that the customers of an old day brought until now, against what was foretold.

    `table` by `group` (`all` first) and `cohorts` by `cohort`: `accounts`, `mrr_minor` (then),
    `predicted_minor`, `ci_low`, `ci_high`, `outcome_low`, `outcome_high`, `realised_minor`,
    `error` (realised over predicted less 1), `covered` (realised within the outcome's limits),
    `status`, `reason`. Money is not discounted.
    """

    table: pd.DataFrame
    cohorts: pd.DataFrame
    cut: date
    ahead_months: int
    terms: ContractTerms


def realised_against_predicted(
    spells: ir.Table | pd.DataFrame,
    months: ir.Table | pd.DataFrame,
    *,
    cut: date,
    terms: ContractTerms,
    rng: np.random.Generator,
) -> Realised:
    """Value the customers of an old day with what was known then, and compare.

    Parameters
    ----------
    spells, months : ir.Table or DataFrame
        Roll-ups of today, as for `contract_value`.
    cut : date
        Last day known then; the last of a month.
    terms : ContractTerms
        Margin, months of growth, level; the horizon is the months from `cut` until now, at most
        `horizon_months`, and nothing is discounted.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Realised
        Later starts, ends, prices and returns are unknown to the prediction. A gap that was open
        on the day and was closed within the grace later counts as none.

    Raises
    ------
    InputError
        If `cut` is not the last day of a month, or no month has gone by since.
    """
    if (pd.Timestamp(cut) + pd.Timedelta(days=1)).day != 1:
        raise InputError(
            f"cut: {cut} is not the last day of a month; months are known at their end"
        )
    seen, paid = checked(spells, "spells", SPELLS), checked(months, "months", MONTHS)
    last, month = paid.month.max().execute(), cut.year * 12 + cut.month - 1
    ahead = 0 if last is None or pd.isna(last) else min(int(last) - month, terms.horizon_months)
    if ahead < 1:
        raise InputError(f"cut: no month has gone by since {cut}; take an earlier day")
    then = known_on(seen, paid, cut).cache()
    past = replace(terms, horizon_months=ahead, discount_rate_annual=0.0)
    value = value_from(
        then.drop(LEFT),
        paid.filter(paid.month <= month),
        past,
        Payments(discount=np.ones(ahead), first=1),
        rng,
    )
    came = realised_sums(then, paid, cut=cut, ahead=ahead, cohort=terms.cohort).to_pandas()
    came["realised"] *= terms.margin
    came["cohort"] = [cohort_label(int(n), terms.cohort) for n in came["cohort"]]
    return Realised(
        table=_compared(value, came.groupby("group")["realised"].sum(), "group"),
        cohorts=_compared(value, came.groupby("cohort")["realised"].sum(), "cohort"),
        cut=cut,
        ahead_months=ahead,
        terms=past,
    )


def _compared(value: ContractValue, realised: "pd.Series[float]", by: str) -> pd.DataFrame:
    """Predictions of groups or cohorts beside what came."""
    rows = value.table if by == "group" else value.cohorts
    found = rows[[by, "accounts", "mrr_minor"]].copy()
    found["predicted_minor"] = rows["value_minor"]
    limits = ["ci_low", "ci_high", "outcome_low", "outcome_high"]
    found[limits] = rows[limits]
    came = realised.reindex(found[by]).fillna(0.0).to_numpy().copy()
    came[(found[by] == ALL).to_numpy()] = math.fsum(realised)
    found["realised_minor"] = came
    with np.errstate(divide="ignore", invalid="ignore"):
        error = came / found["predicted_minor"].to_numpy() - 1
    found["error"] = np.where(found["predicted_minor"] > 0, error, np.nan)
    found["covered"] = found["realised_minor"].between(found["outcome_low"], found["outcome_high"])
    return found.assign(status=rows["status"], reason=rows["reason"])
