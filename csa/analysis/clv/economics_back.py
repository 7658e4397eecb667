"""Realised against predicted: what an old day would have foretold, and what came."""

import math
from dataclasses import dataclass, replace
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract import ContractValue, value_from
from csa.analysis.clv.contract_factors import Payments, factors_of
from csa.analysis.clv.contract_inputs import ALL, MONTHS, SPELLS, checked
from csa.analysis.clv.contract_terms import ContractTerms, cohort_label
from csa.analysis.clv.contract_trend import Trend
from csa.analysis.clv.economics_rows import known_on, realised_sums
from csa.errors import InputError

LEFT = "left_on"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Realised:
    """Margin that the customers of an old day brought until now, against what was foretold.

    `table` by `group` (`all` first) and `cohorts` by `cohort`: `accounts`, `mrr_minor` (then),
    `predicted_minor`, `ci_low`, `ci_high`, `outcome_low`, `outcome_high`, `realised_minor`,
    `error` (realised over predicted less 1), `staying` and `paying` (its parts: what came over
    what was foretold at the prices of the day, less 1, and the rest; 1 + error is the product),
    `covered` (realised within the outcome's limits), `status`, `reason`. Money is not discounted.
    `trend`: how growth was carried on then.
    """

    table: pd.DataFrame
    cohorts: pd.DataFrame
    cut: date
    ahead_months: int
    terms: ContractTerms
    trend: Trend


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
    came[["realised", "kept"]] *= terms.margin
    came["cohort"] = [cohort_label(int(n), terms.cohort) for n in came["cohort"]]
    flat = _flat(value, ahead)
    return Realised(
        table=_compared(value.table, came, flat, "group"),
        cohorts=_compared(value.cohorts, came, flat, "cohort"),
        cut=cut,
        ahead_months=ahead,
        terms=past,
        trend=value.trend,
    )


def _flat(value: ContractValue, ahead: int) -> pd.DataFrame:
    """Foretell what would be paid if nobody's price moved, by group and cohort."""
    cells, terms = value.cells, value.terms
    payments = np.append(0.0, np.ones(ahead))  # the first is due a month on
    kept = np.zeros(len(cells))
    for name, rows in cells.groupby("group", sort=False).indices.items():
        age = cells["age_months"].to_numpy()[rows]
        hazard = value.parts[str(name)].hazards.hazard
        factor = factors_of(hazard, payments, int(age.max()) + 1)
        kept[rows] = terms.margin * cells["mrr_minor"].to_numpy()[rows] * factor[age]
    labels = [cohort_label(int(n), terms.cohort) for n in cells["cohort"]]
    return pd.DataFrame({"group": cells["group"], "cohort": labels, "kept": kept})


def _compared(rows: pd.DataFrame, came: pd.DataFrame, flat: pd.DataFrame, by: str) -> pd.DataFrame:
    """Predictions of groups or cohorts beside what came."""
    found = rows[[by, "accounts", "mrr_minor"]].copy()
    found["predicted_minor"] = rows["value_minor"].astype("float64")
    limits = ["ci_low", "ci_high", "outcome_low", "outcome_high"]
    found[limits] = rows[limits]
    names = found[by].to_numpy()
    found["realised_minor"] = _sums(came, by, "realised", names)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = found["realised_minor"].to_numpy() / found["predicted_minor"].to_numpy()
        staying = _sums(came, by, "kept", names) / _sums(flat, by, "kept", names)
        paying = error / staying
    some = (found["predicted_minor"] > 0).to_numpy()
    for name, ratio in {"error": error, "staying": staying, "paying": paying}.items():
        found[name] = np.where(some & np.isfinite(ratio), ratio - 1, np.nan)
    found["covered"] = found["realised_minor"].between(found["outcome_low"], found["outcome_high"])
    return found.assign(status=rows["status"], reason=rows["reason"])


def _sums(
    table: pd.DataFrame, by: str, column: str, names: NDArray[np.object_]
) -> NDArray[np.float64]:
    """Add up a column by group or cohort; the total is that of all rows."""
    sums = table.groupby(by)[column].sum().reindex(names).fillna(0.0).to_numpy().copy()
    sums[names == ALL] = math.fsum(table[column])
    return np.asarray(sums, dtype=np.float64)
