"""What moved a churn rate: which groups account for its change, by their own rate or their share.

A rate can rise because accounts leave more often, or because the kind of account that always left
more often has become more common; the two call for different people. The parts add up exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from csa.analysis.churn.rate import ChurnRateResult
from csa.analysis.churn.revenue import RevenueChurnResult
from csa.analysis.churn.spells import ALL
from csa.errors import InputError
from csa.methods.decompose import PartIntervals, RatioChange, decompose_ratio, part_intervals
from csa.methods.intervals import Estimate, Estimates, wilson

RateResult = ChurnRateResult | RevenueChurnResult
NAN = float("nan")
UNKNOWN = Estimate(NAN, NAN, NAN)
BEFORE = "previous_"
PARTS = ("within", "mix", "contribution", "apart")
TABLE = [
    *("group", "weight", "previous_weight", "rate", "previous_rate"),
    *(f"{part}{end}" for part in PARTS for end in ("", "_low", "_high")),
    *("stands_apart", "status", "reason"),
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChurnChangeResult:
    """The change of a churn rate between two periods and its parts.

    `table`: one row per group, the largest contribution first, whatever its sign: `group`,
    `weight`, `previous_weight` (its share of the accounts or of the revenue at the start),
    `rate`, `previous_rate`, and with `_low` and `_high` each: `within` (what the change of its
    own rate adds), `mix` (what the change of its share adds), `contribution` (both), `apart` (how
    much more its rate changed than that of all others; limits at a level for all comparisons
    together); `stands_apart` (that interval leaves out 0), `status`, `reason`. The column
    `contribution` adds up to `change.value`, `within` and `mix` to those totals.
    """

    table: pd.DataFrame
    of: Literal["accounts", "revenue"]
    rate: float
    previous_rate: float
    change: Estimate
    within: Estimate
    mix: Estimate
    moved: str  # up, down, or unclear where the interval of the change holds 0
    start: date
    end: date
    previous_start: date | None
    previous_end: date | None
    confidence: float
    status: str = "ok"
    reason: str = ""


def churn_change(result: RateResult, *, comparisons: int | None = None) -> ChurnChangeResult:
    """Split the change of a churn rate into the parts of its groups.

    Parameters
    ----------
    result : ChurnRateResult or RevenueChurnResult
        With a previous period and at least two groups.
    comparisons : int, optional
        How many groups are compared with their others in all, where several attributes are
        looked at (see `what_moved`); default: the groups of this one.

    Returns
    -------
    ChurnChangeResult
        "unclear" with a reason and an empty table where there is no change to be explained: no
        previous period, a period that is not over, nobody at a start, fewer than two groups.

    Notes
    -----
    See `csa.methods.decompose.decompose_ratio`. Groups are those of today: an account that moved
    from one to another counts in its new one in both periods. That a group stands apart is told
    at the level 1 - (1 - confidence) / comparisons (Bonferroni), since whoever looks at many
    groups finds one that moved by chance. It is told in points: where all rates double, a group
    whose rate was higher stands apart.
    """
    total = result.table.loc[result.table["group"] == ALL].iloc[0]
    groups = result.table.loc[result.table["group"] != ALL].reset_index(drop=True)
    reason = _nothing(result, total, groups)
    if reason:
        return _result(result, total, reason=reason)
    hits, sizes = _counts(result, groups)
    parts = decompose_ratio((hits[0], hits[1]), (sizes[0], sizes[1]))
    limits = part_intervals(parts, *_rates(result, groups, result.confidence))
    level = 1 - (1 - result.confidence) / max(comparisons or len(groups), 1)
    strict = part_intervals(parts, *_rates(result, groups, level))
    table = _table(groups, parts, limits, strict.apart)
    order = table["contribution"].abs().sort_values(ascending=False, kind="stable").index
    return _result(result, total, table=table.loc[order].reset_index(drop=True), limits=limits)


def what_moved(results: Mapping[str, RateResult]) -> dict[str, ChurnChangeResult]:
    """Split one change by several attributes, with a level for all their groups together.

    Parameters
    ----------
    results : mapping
        Attribute (segment, region, channel, ...) to the rates by it, all of the same periods.

    Returns
    -------
    dict
        Attribute to `churn_change` of its rates, in the order given.

    Raises
    ------
    InputError
        If there is no attribute, or the results are not of the same periods, level and kind.
    """
    if not results:
        raise InputError("what_moved: give the rates by at least one attribute")
    first = next(iter(results.values()))
    strange = [name for name, r in results.items() if _of_what(r) != _of_what(first)]
    if strange:
        raise InputError(
            f"what_moved: {', '.join(strange)}: not of the same periods, level and kind of rate "
            f"as {next(iter(results))}"
        )
    groups = sum(int((r.table["group"] != ALL).sum()) for r in results.values())
    return {name: churn_change(r, comparisons=groups) for name, r in results.items()}


def _of_what(result: RateResult) -> tuple[object, ...]:
    periods = (result.start, result.end, result.previous_start, result.previous_end)
    return (type(result), result.confidence, *periods)


def _nothing(result: RateResult, total: pd.Series, groups: pd.DataFrame) -> str:
    """Say why there is no change to be explained, if so."""
    if result.previous_start is None:
        return "no previous period to compare with"
    rates = total[["rate", f"{BEFORE}rate"]].astype(float)
    if rates.isna().any():
        which = "this period" if np.isnan(rates["rate"]) else "the period before"
        return str(total["reason"] or f"the rate of {which} is not known")
    return "" if len(groups) > 1 else "there is only one group"


def _counts(result: RateResult, groups: pd.DataFrame) -> tuple[list[pd.Series], list[pd.Series]]:
    """Numerators and denominators of the rates, now and before."""
    revenue = isinstance(result, RevenueChurnResult)
    hit, size = ("churned_minor", "mrr_minor") if revenue else ("churned", "at_start")
    found = [[groups[p + name].astype(float) for p in ("", BEFORE)] for name in (hit, size)]
    return found[0], found[1]


def _rates(result: RateResult, groups: pd.DataFrame, level: float) -> list[Estimates]:
    """Rates with their limits, now and before; of revenue by the effective number of accounts."""
    found = []
    for prefix in ("", BEFORE):
        if isinstance(result, RevenueChurnResult):
            size = groups[f"{prefix}n_effective"].astype(float).fillna(0.0)
            hits = (size * groups[f"{prefix}rate"].astype(float).fillna(0.0)).clip(upper=size)
        else:
            size, hits = groups[f"{prefix}at_start"], groups[f"{prefix}churned"]
        found.append(wilson(hits.astype(float), size.astype(float), confidence=level))
    return found


def _table(
    groups: pd.DataFrame, parts: RatioChange, limits: PartIntervals, apart: Estimates
) -> pd.DataFrame:
    """Write the parts, one row per group."""
    table = pd.DataFrame(
        {
            "group": groups["group"],
            "weight": parts.weight,
            "previous_weight": parts.previous_weight,
            "rate": parts.rate,
            "previous_rate": parts.previous_rate,
        }
    )
    ends = {"within": limits.within, "mix": limits.mix, "contribution": limits.contribution}
    for name, found in (ends | {"apart": apart}).items():
        exact = found.value if name == "apart" else getattr(parts, name)
        table[name], table[f"{name}_low"], table[f"{name}_high"] = exact, found.low, found.high
    table["stands_apart"] = (apart.low > 0) | (apart.high < 0)
    return table.assign(status=groups["status"], reason=groups["reason"])[TABLE]


def _result(
    result: RateResult,
    total: pd.Series,
    *,
    table: pd.DataFrame | None = None,
    limits: PartIntervals | None = None,
    reason: str = "",
) -> ChurnChangeResult:
    """Put a result together; without limits, one that says why there are none."""
    change = Estimate(*(float(total[f"difference{end}"]) for end in ("", "_low", "_high")))
    known = limits is not None
    return ChurnChangeResult(
        table=pd.DataFrame(columns=TABLE) if table is None else table,
        of="revenue" if isinstance(result, RevenueChurnResult) else "accounts",
        rate=float(total["rate"]),
        previous_rate=float(total[f"{BEFORE}rate"]),
        change=change,
        within=_estimate(limits.total_within) if limits else UNKNOWN,
        mix=_estimate(limits.total_mix) if limits else UNKNOWN,
        moved=str(total["moved"]) if known else "unclear",
        start=result.start,
        end=result.end,
        previous_start=result.previous_start,
        previous_end=result.previous_end,
        confidence=result.confidence,
        status="ok" if known else "unclear",
        reason=reason,
    )


def _estimate(found: Estimates) -> Estimate:
    return Estimate(*(float(x) for x in found))
