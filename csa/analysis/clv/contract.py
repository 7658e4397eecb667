"""What customers under contract are worth: margin × revenue × survival, discounted.

    value = margin × MRR × Σ v ** (k / 12) G(k) S(a + k | alive at a),  k = 0 ... H - 1

over the customers of today. S and G, what a survivor pays k months on as a multiple of today, are
of the group of an account; the horizon H and the annual effective discount rate are stated, never
endless. How growth is carried on is weighed by the past (`contract_trend`). Values of accounts,
cohorts and groups are all sums of the same products, so that they add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.clv.contract_curves import curve_rows, growth_rows
from csa.analysis.clv.contract_factors import GroupPart, Payments, factors
from csa.analysis.clv.contract_growth import Growth, growth, stayers
from csa.analysis.clv.contract_inputs import (
    ALL,
    MONTHS,
    SPELLS,
    cells,
    checked,
    life_tables,
    refuse_spells,
)
from csa.analysis.clv.contract_paths import Path
from csa.analysis.clv.contract_rows import running
from csa.analysis.clv.contract_survival import GroupHazards, group_hazards
from csa.analysis.clv.contract_tables import (
    account_values,
    cohort_rows,
    group_rows,
    valued,
    with_shortcut,
)
from csa.analysis.clv.contract_terms import ContractTerms
from csa.analysis.clv.contract_trend import History, Trend, carried, history, price_rises, trend


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ContractValue:
    """Value of the customers of a day per group and over all (`all`, first).

    `table`: `group`, `accounts`, `mrr_minor`, `value_minor`, `ci_low`, `ci_high` (of the value
    expected: what is not known of survival and growth), `outcome_low`, `outcome_high` (of what
    will come: chance included), `per_account_minor`, `months_of_margin` (value in months of
    margin), `beyond` (share of the value at ages nobody was seen at), `shortcut_minor` (ARPA ×
    margin / churn times the accounts: a rule of thumb without age, horizon or discount),
    `shortcut_times` (that over the value), `monthly_churn`, `status`, `reason`.
    `cohorts`: the same up to `beyond` by `cohort` of the first start.
    `cells`: by `group`, `cohort`, `age_months`: `accounts`, `mrr_minor`, `value_minor`.
    `curves`: `group`, `age_months`, `survival`, `ci_low`, `ci_high`, `seen`.
    `growth`: `group`, `expansion`, `contraction`, `own`, `rate`, `ci_low`, `ci_high` (a month),
    `weight` (of the group's own figure; the rest is that of the whole), `at_end` (what a survivor
    pays at the horizon, as a multiple of today) with `at_end_low`, `at_end_high`.
    `trend`: how growth is carried on, and how that would have foretold the past.
    `accounts`: an expression with a row per account, `value_minor` with its limits.
    Money is in minor units, before rounding.
    """

    table: pd.DataFrame
    cohorts: pd.DataFrame
    cells: pd.DataFrame
    curves: pd.DataFrame
    growth: pd.DataFrame
    accounts: ir.Table
    parts: Mapping[str, GroupPart]
    trend: Trend
    terms: ContractTerms


def contract_value(
    spells: ir.Table | pd.DataFrame,
    months: ir.Table | pd.DataFrame,
    *,
    terms: ContractTerms,
    rng: np.random.Generator,
) -> ContractValue:
    """Value the customers of today, by account, group and signup cohort.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        Roll-up `spells`: `account_id`, `group`, `start_on`, `end_on` (missing while running),
        `entry_days`, `exit_days`, `event`, `mrr_minor`.
    months : ir.Table or DataFrame, one row per account and month
        Roll-up `account_months`: `account_id`, `group`, `month`, `mrr_minor`, `previous_minor`.
    terms : ContractTerms
        Margin, discount, horizon.
    rng : numpy.random.Generator
        Source of randomness of the draws.

    Returns
    -------
    ContractValue
        Only `all` in the table where nobody is a customer. "unclear" with a reason where fewer
        than 10 accounts are valued or fewer than 20 have left.

    Raises
    ------
    InputError
        If a column is missing, or an age, event or price is missing or impossible.

    Notes
    -----
    The first payment is due now and counts in full. Ages are whole months of 30.4375 days. Limits
    are those between which the middle of the draws lies, so that the expected value and its
    interval hold for the accounts there are; `outcome` adds the chance of each account to leave
    sooner or later and to be moved to another price. Draws of groups are independent given the
    whole; the way in which growth is carried on is the same for all groups in a draw.
    """
    return value_from(spells, months, terms, Payments(discount=terms.discount()), rng)


def value_from(
    spells: ir.Table | pd.DataFrame,
    months: ir.Table | pd.DataFrame,
    terms: ContractTerms,
    payments: Payments,
    rng: np.random.Generator,
) -> ContractValue:
    """Value customers for stated payments; `contract_value` has the parameters.

    Parameters
    ----------
    spells, months : ir.Table or DataFrame
        Roll-ups.
    terms : ContractTerms
        Margin, horizon, level.
    payments : Payments
        Discounts, and months to the first payment.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ContractValue
        As by `contract_value`.
    """
    seen = checked(spells, "spells", SPELLS)
    paid = checked(months, "months", MONTHS)
    refuse_spells(seen)
    base = running(seen, terms.cohort)
    found = cells(base)
    tables = life_tables(seen)
    oldest = int(found["age_months"].max()) if len(found) else 0
    length = oldest + payments.first + terms.horizon_months
    hazards = group_hazards(tables, length, terms.draws, rng)
    names = [n for n in hazards if n != ALL]
    past = history(paid, seen, int(found["accounts"].sum()))
    stayed = stayers(paid, terms.growth_months, price_rises(past))
    moves = growth(stayed, names, terms, rng)
    paths, way = _paths(past, moves, terms, payments, rng)
    parts = {
        name: _part(hazards[name], paths[name], float(shock), terms, payments)
        for name, shock in zip(names, moves.shock, strict=True)
    }
    cell = valued(found, parts, terms)
    table = group_rows(cell, parts, terms)
    return ContractValue(
        table=with_shortcut(table, stayed, terms, parts),
        cohorts=cohort_rows(cell, parts, terms),
        cells=cell.drop(columns="mrr_square").rename(columns={"mrr": "mrr_minor"}),
        curves=curve_rows(hazards, terms),
        growth=growth_rows(moves, paths, terms),
        accounts=account_values(base, parts, terms),
        parts=parts,
        trend=way,
        terms=terms,
    )


def _paths(
    past: History,
    moves: Growth,
    terms: ContractTerms,
    payments: Payments,
    rng: np.random.Generator,
) -> tuple[dict[str, Path], Trend]:
    """Carry the growth of every group on."""
    length = payments.first + terms.horizon_months
    way = trend(past, terms=terms, noise=moves.noise)
    noise = np.column_stack([rng.random(terms.draws), rng.standard_normal(terms.draws)])
    rates = zip(moves.group, moves.rate, moves.draws.T, strict=True)
    return {name: carried(way, float(r), drawn, length, noise) for name, r, drawn in rates}, way


def _part(
    hazards: GroupHazards, growing: Path, shock: float, terms: ContractTerms, payments: Payments
) -> GroupPart:
    return GroupPart(
        hazards=hazards,
        factors=factors(
            hazards,
            growing=growing,
            shock=shock,
            payments=payments,
            confidence=terms.confidence,
        ),
        path=growing,
    )
