"""Unit economics: what a new customer is worth against what it cost to win, with intervals."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract import ContractValue
from csa.analysis.clv.contract_factors import GroupPart
from csa.analysis.clv.contract_inputs import ALL, MONTHS, NOT_STATED, SPELLS, checked
from csa.analysis.clv.contract_terms import ContractTerms, cohort_label
from csa.analysis.clv.economics_rows import acquired, new_customers, observed_since
from csa.errors import InputError

FloatArray = NDArray[np.float64]

TARGET_RATIO = 3.0
FEWEST = 10  # customers below which a figure is "unclear"
SUMS = ("signups", "customers", "without_cost", "cost", "cost_square", "won_cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """How accounts are summed up, and the money of `acquisition_cost`.

    Parameters
    ----------
    by : str
        Column of accounts, such as segment or channel, or "cohort" (period of signup).
    exponent : int
        Decimals of the currency: cost × 10 ** exponent is in minor units.
    since : date, optional
        First day of signup that counts; default: the day from which leavers were recorded.
    target : float
        Ratio to be exceeded.
    """

    by: str = "segment"
    exponent: int = 2
    since: date | None = None
    target: float = TARGET_RATIO


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UnitEconomics:
    """Value of new customers against the cost to win them; over all (`all`) first.

    `table`: `name`, `signups`, `customers`, `without_cost` (accounts left out), `cac_minor` (cost
    of all that signed up per customer won), `start_mrr_minor`, `clv_minor` (per new customer),
    `ratio` (CLV:CAC), each with `_low` and `_high`; `p_above` (probability that the ratio exceeds
    the target), `payback_months` (payments until margin × survival covers the cost, not
    discounted; NaN: not within the horizon) with limits, `share_paid_back` (of the draws, within
    the horizon), `status`, `reason`.
    """

    table: pd.DataFrame
    by: str
    since: date | None
    target: float
    terms: ContractTerms


def unit_economics(
    value: ContractValue,
    accounts: ir.Table | pd.DataFrame,
    spells: ir.Table | pd.DataFrame,
    months: ir.Table | pd.DataFrame,
    *,
    acquisition: Acquisition,
    rng: np.random.Generator,
) -> UnitEconomics:
    """CLV:CAC and payback of new customers, by any column of accounts or signup cohort.

    Parameters
    ----------
    value : ContractValue
        Survival and growth of the groups, with their draws.
    accounts : ir.Table or DataFrame, one row per account
        `account_id`, `signed_up_on`, `acquisition_cost` and the column named by `acquisition`; only
        those that could come under contract: the cost of customers who merely buy is not ours.
    spells, months : ir.Table or DataFrame
        Roll-ups with the groups of `value`.
    acquisition : Acquisition
        How accounts are summed up.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    UnitEconomics
        "unclear" for fewer than 10 customers, or where no cost is known.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    CLV is that of the customers won at their first price: margin × Σ MRR × factor of their group
    at age 0, over the customers. CAC is the cost of all accounts that signed up, those never won
    included, over the customers won; accounts without a known cost count on neither side. Draws
    of survival and growth are joined by draws of the totals of price, cost and customers won, with
    their covariance over signups on the log scale. Young signups that may yet be won make CAC
    look high.
    """
    rows = ibis.memtable(accounts) if isinstance(accounts, pd.DataFrame) else accounts
    by = acquisition.by
    needed = ["account_id", "signed_up_on", "acquisition_cost", *([] if by == "cohort" else [by])]
    if absent := [c for c in needed if c not in rows.columns]:
        raise InputError(*(f"accounts: column {c} is missing; map it in csa.yml" for c in absent))
    seen, paid = checked(spells, "spells", SPELLS), checked(months, "months", MONTHS)
    since = acquisition.since or _since(seen)
    sums = acquired(
        rows, new_customers(seen, paid), by=by, since=since, cohort=value.terms.cohort
    ).to_pandas()
    sums["name"] = _names(sums["name"], by, value.terms)
    minor = 10.0**acquisition.exponent
    scaled = {"cost": minor, "cost_square": minor**2, "cross": minor, "won_cost": minor}
    sums = sums.assign(**{c: sums[c].astype("float64") * f for c, f in scaled.items()})
    names = sorted(sums["name"].unique())
    found = [_row(ALL, sums, value, acquisition, rng)]
    found += [_row(n, sums[sums["name"] == n], value, acquisition, rng) for n in names]
    return UnitEconomics(
        table=pd.DataFrame(found),
        by=by,
        since=since,
        target=acquisition.target,
        terms=value.terms,
    )


def _since(spells: ir.Table) -> date | None:
    found = observed_since(spells).execute()
    return None if found is None or pd.isna(found) else pd.Timestamp(found).date()


def _names(names: pd.Series, by: str, terms: ContractTerms) -> pd.Series:
    """Write names as text that cannot be taken for the total."""
    if by == "cohort":
        return names.map(
            lambda n: NOT_STATED if pd.isna(n) else cohort_label(int(n), terms.cohort)
        ).astype(object)
    return names.astype(object).where(names.notna(), NOT_STATED).replace(ALL, f'"{ALL}"')


def _row(
    name: str,
    sums: pd.DataFrame,
    value: ContractValue,
    acquisition: Acquisition,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Figures of some accounts."""
    totals = {c: float(sums[c].sum()) for c in SUMS}
    row: dict[str, Any] = {"name": name} | {c: int(totals[c]) for c in SUMS[:3]}
    won = sums.loc[sums["group"].isin(list(value.parts)) & (sums["mrr"] > 0)]
    won = won.groupby("group")[["customers", "mrr", "mrr_square", "cross"]].sum()
    reason = ""
    if not row["customers"] or not len(won):
        reason = "nobody of them became a customer whose cost is known"
    elif not totals["cost"] > 0:
        reason = "no acquisition cost is known"
    if reason:
        blank = [f"{n}{end}" for n in _columns() for end in ("", "_low", "_high")]
        none = dict.fromkeys([*blank, "p_above", "share_paid_back"], float("nan"))
        return row | none | {"status": "unclear", "reason": reason}
    drawn = _totals(won, totals, value.terms.draws, rng)
    figures = _figures(won, totals["cost"], totals["customers"], value.parts, value.terms)
    spread = _drawn(drawn, won.index.to_list(), value)
    few = row["customers"] < FEWEST
    return (
        row
        | _with_limits(figures, spread, value.terms)
        | {
            "p_above": float((spread["ratio"] > acquisition.target).mean()),
            "share_paid_back": float(np.isfinite(spread["payback_months"]).mean()),
            "status": "unclear" if few else "ok",
            "reason": f"only {row['customers']} customers" if few else "",
        }
    )


def _columns() -> list[str]:
    return ["cac_minor", "start_mrr_minor", "clv_minor", "ratio", "payback_months"]


def _figures(
    won: pd.DataFrame,
    cost: float,
    customers: float,
    parts: Mapping[str, GroupPart],
    terms: ContractTerms,
) -> dict[str, float]:
    """Point figures."""
    mrr = won["mrr"].to_numpy()
    factor = np.array([parts[g].factors.value[0] for g in won.index])
    value = terms.margin * float(mrr @ factor)
    paths = np.array(
        [
            _path(parts[g].hazards.hazard[None], parts[g].path.value[None], terms)[0]
            for g in won.index
        ]
    )
    cumulative = terms.margin * np.cumsum(mrr @ paths)
    return {
        "cac_minor": cost / customers,
        "start_mrr_minor": float(mrr.sum()) / customers,
        "clv_minor": value / customers,
        "ratio": value / cost,
        "payback_months": float(_first(cumulative[None], np.array([cost]))[0]),
    }


def _drawn(totals: FloatArray, groups: list[str], value: ContractValue) -> dict[str, FloatArray]:
    """Figures of every draw; the last columns of totals are cost and customers won."""
    mrr, cost, customers = totals[:, :-2], totals[:, -2], totals[:, -1]
    terms = value.terms
    factor = np.array([value.parts[g].factors.draws[:, 0] for g in groups]).T
    worth = terms.margin * (mrr * factor).sum(axis=1)
    paid = np.zeros((len(mrr), terms.horizon_months))
    for i, g in enumerate(groups):
        part = value.parts[g]
        paid += mrr[:, [i]] * _path(part.hazards.draws, part.path.draws, terms)
    return {
        "cac_minor": cost / customers,
        "start_mrr_minor": mrr.sum(axis=1) / customers,
        "clv_minor": worth / customers,
        "ratio": worth / cost,
        "payback_months": _first(terms.margin * np.cumsum(paid, axis=1), cost),
    }


def _path(hazard: FloatArray, growing: FloatArray, terms: ContractTerms) -> FloatArray:
    """Payments per unit of first price: survival from age 0 times growth."""
    alive = np.cumprod(1 - hazard[:, : terms.horizon_months - 1], axis=1)
    alive = np.concatenate([np.ones((len(hazard), 1)), alive], axis=1)
    return np.asarray(alive * growing)


def _first(cumulative: FloatArray, cost: FloatArray) -> FloatArray:
    """Payments until the cost is covered; infinite where the horizon does not do."""
    reached = cumulative >= cost[:, None]
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.inf)


def _totals(
    won: pd.DataFrame, totals: dict[str, float], draws: int, rng: np.random.Generator
) -> FloatArray:
    """Totals of price by group, of cost and of customers won, drawn as over other signups.

    A signup adds its first price (0 where it was not won), its cost, and whether it was won; the
    totals of n of them have the covariance Σ x y - Σ x Σ y / n.
    """
    mrr, mean = (
        won["mrr"].to_numpy(),
        np.append(won["mrr"].to_numpy(), [totals["cost"], totals["customers"]]),
    )
    square = np.append(won["mrr_square"].to_numpy(), [totals["cost_square"], totals["customers"]])
    product = np.diag(square)
    product[-2, :-2] = product[:-2, -2] = won["cross"].to_numpy()
    product[-1, :-2] = product[:-2, -1] = mrr
    product[-1, -2] = product[-2, -1] = totals["won_cost"]
    signups = max(totals["signups"] - totals["without_cost"], 1.0)
    relative = product / np.outer(mean, mean) - 1 / signups
    spread = np.log1p(np.maximum(relative, -0.9))
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = rng.standard_normal((draws, len(mean))) @ root.T
    return np.asarray(mean * np.exp(noise - np.diag(spread) / 2))


def _with_limits(
    figures: dict[str, float], spread: dict[str, FloatArray], terms: ContractTerms
) -> dict[str, float]:
    """Figures beside the limits of their draws; NaN where a month is not within the horizon."""
    tail = (1 - terms.confidence) / 2
    row: dict[str, float] = {}
    for name, figure in figures.items():
        ranks = np.sort(spread[name])
        low = float(ranks[math.floor(tail * (len(ranks) - 1))])
        high = float(ranks[math.ceil((1 - tail) * (len(ranks) - 1))])
        limits = (figure, min(low, figure), max(high, figure))
        shown = (x if math.isfinite(x) else float("nan") for x in limits)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), shown, strict=True))
    return row
