"""Cost of winning customers, how soon it comes back, and what they are worth against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.revenue.drawn import Drawn, FloatArray, asked_for, draw, with_bins
from csa.analysis.revenue.months import Span, as_months
from csa.errors import InputError
from csa.methods.bootstrap import effective_terms, percentile_limits
from csa.methods.intervals import Estimate
from csa.methods.multiplied import ratio_of_estimates

FEWEST: Final = 10
YEAR_MONTHS: Final = 12
STEP: Final = 1e-6  # by which a sum is moved to see how a figure follows
COSTS: Final = {
    "group": "string",
    "account_id": "string",
    "signed_up_on": "date",
    "acquisition_cost": "float64",
}
SUMS: Final = (
    *("signups", "without_cost", "cost", "won", "new_mrr"),
    *("start_n", "gone", "start_mrr", "end_n", "end_mrr"),
)
FIGURES: Final = (
    *("cac_minor", "payback_months", "ltv_shortcut_minor", "shortcut_ratio", "magic_number"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTerms:
    """What unit economics rest on besides the data.

    Parameters
    ----------
    margin : float
        Gross margin of a payment, share in (0, 1].
    lag_months : int
        The cost is that of accounts that signed up so many months before: what was spent to win.
    exponent : int
        Decimals of the currency: cost × 10 ** exponent is in minor units.
    """

    margin: float
    lag_months: int = 0
    exponent: int = 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UnitCosts:
    """Cost and worth of the customers won in a period; `all` first.

    `table`: `group`, the sums of the period (`signups`, `without_cost`, `cost` in minor units,
    `won`, `new_mrr`: what they pay at the end of their first month, `start_n`, `gone`,
    `start_mrr`, `end_n`, `end_mrr`), then with `_low`, `_high` and `_previous`: `cac_minor`,
    `payback_months`, `ltv_shortcut_minor` (ARPA × margin / churn, a rule of thumb),
    `shortcut_ratio` (that over CAC), `magic_number` (net new annual revenue over cost), and
    `ltv_minor`, `ltv_ratio` where a survival-based value was passed; `status`, `reason`.
    """

    table: pd.DataFrame
    terms: CostTerms
    span: Span
    confidence: float = 0.95


def unit_costs(
    signups: ir.Table | pd.DataFrame,
    months: ir.Table | pd.DataFrame,
    *,
    span: Span,
    terms: CostTerms,
    worth: Mapping[str, Estimate] | None = None,
    confidence: float = 0.95,
) -> UnitCosts:
    """Compute CAC, payback, LTV:CAC and net new revenue per cost of a period.

    Parameters
    ----------
    signups : ir.Table or DataFrame, one row per account
        `group`, `account_id`, `signed_up_on`, `acquisition_cost` (missing: not known).
    months : ir.Table or DataFrame
        See `csa.analysis.revenue.months.as_months`, with the groups of `signups`.
    span : Span
        The period.
    terms : CostTerms
        Margin, lag and currency.
    worth : mapping of str to Estimate, optional
        Value of a new customer in minor units with limits, by group and `all`: margin, survival
        and horizon are in it (`csa.analysis.clv.economics`).
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    UnitCosts
        "unclear" where fewer than 10 customers were won or no cost is known.

    Raises
    ------
    InputError
        If a column is missing, or the margin or lag makes no sense.

    Notes
    -----
    CAC = acquisition cost of all accounts that signed up (lagged), won or not, over the customers
    won: accounts that first pay in the period. Payback = CAC / (their ARPA × margin); the rule of
    thumb = ARPA of all × margin / monthly churn of the period; net new annual revenue = 12 ×
    (end - start). Limits: expanded percentiles of a Poisson bootstrap over accounts
    (`csa.methods.bootstrap.percentile_limits`); the ratio to a value that was passed combines both
    intervals on the log scale, as if they were independent. In worlds of 30 to 200 sign-ups of
    unequal size (log-normal, spread 1 to 1.5) 95 % limits of CAC hold in 92 to 97 of 100, those of
    payback in 97 to 99; plain percentiles in 87 to 91 and 91 to 94.
    """
    if not 0 < terms.margin <= 1 or terms.lag_months < 0:
        raise InputError("unit economics: give a margin between 0 and 1 and a lag of 0 or more")
    rows = ibis.memtable(signups) if isinstance(signups, pd.DataFrame) else signups
    if absent := [name for name in COSTS if name not in rows.columns]:
        raise InputError(*(f"accounts: column {name} is missing" for name in absent))
    typed = rows.select(**{name: rows[name].cast(kind) for name, kind in COSTS.items()})
    windows = [(span.first, span.last), (span.previous_first, span.previous_last)]
    sums = _sums(typed, as_months(months), windows, terms)
    drawn = draw(sums, len(windows))
    return UnitCosts(
        table=_table(drawn, span, terms, worth or {}, confidence),
        terms=terms,
        span=span,
        confidence=confidence,
    )


def worth_of(table: pd.DataFrame) -> dict[str, Estimate]:
    """Read what a new customer is worth from a table of groups.

    Parameters
    ----------
    table : DataFrame
        `name` (group, or `all`), `clv_minor`, `clv_minor_low`, `clv_minor_high`: as in
        `csa.analysis.clv.economics.UnitEconomics`, split by the same groups.

    Returns
    -------
    dict of str to Estimate
        Minor units; groups without a value are left out.
    """
    known = table.loc[table["clv_minor"].notna()]
    limits = known[["clv_minor", "clv_minor_low", "clv_minor_high"]].to_numpy(float)
    return {name: Estimate(*row) for name, row in zip(known["name"], limits, strict=True)}


def _sums(
    signups: ir.Table, months: ir.Table, windows: list[tuple[int, int]], terms: CostTerms
) -> pd.DataFrame:
    """Add up by group, bin and window what accounts cost and what they pay."""
    asked = asked_for(windows)
    month = signups.signed_up_on.year().cast("int64") * 12 + signups.signed_up_on.month() - 1
    came = signups.mutate(month=month.cast("int64") + terms.lag_months)
    came = came.join(asked, [came.month >= asked.first, came.month <= asked["last"]])
    zero = ibis.literal(0.0)
    spent = came.select(
        *("group", "account_id", "window"),
        signups=ibis.literal(1),
        without_cost=ibis.coalesce((came.acquisition_cost >= 0).ifelse(0, 1), 1),
        cost=ibis.coalesce(came.acquisition_cost, 0.0) * 10.0**terms.exponent,
        **dict.fromkeys(("won", "new_mrr", "start_n", "gone", "start_mrr"), zero),
        **dict.fromkeys(("end_n", "end_mrr"), zero),
    )
    at = months.join(asked, [months.month >= asked.first, months.month <= asked["last"]])
    new, last, first = at.movement == "new", at.month == at["last"], at.month == at.first
    now, before = at.mrr_minor.cast("float64"), at.previous_minor.cast("float64")
    paid = at.group_by("group", "account_id", "window").agg(
        won=new.cast("float64").max(),
        new_mrr=ibis.coalesce(now.max(where=new), 0.0),
        start_n=(first & (before > 0)).cast("float64").max(),
        gone=(at.movement == "churn").cast("float64").max(),
        start_mrr=ibis.coalesce(before.max(where=first), 0.0),
        end_n=(last & (now > 0)).cast("float64").max(),
        end_mrr=ibis.coalesce(now.max(where=last), 0.0),
    )
    keys = {"group": "string", "account_id": "string", "window": "int64"}
    kinds = keys | dict.fromkeys(SUMS, "float64")
    paid = paid.mutate(**dict.fromkeys(("signups", "without_cost", "cost"), zero))
    both = ibis.union(
        *(part.select(**{n: part[n].cast(k) for n, k in kinds.items()}) for part in (spent, paid))
    )
    binned = with_bins(both, both)
    found: pd.DataFrame = (
        binned.group_by("group", "bin", "window")
        .agg(**{name: binned[name].sum() for name in SUMS})
        .to_pandas()
    )
    return found


def _table(
    drawn: Drawn,
    span: Span,
    terms: CostTerms,
    worth: Mapping[str, Estimate],
    confidence: float,
) -> pd.DataFrame:
    sums = {name: drawn.stat(name) for name in SUMS}
    point = _figures(sums, span, terms)
    spread = _figures({name: drawn.drawn(name) for name in SUMS}, span, terms)
    held: dict[str, Any] = {"group": list(drawn.groups)}
    held |= {name: sums[name][:, 0] for name in SUMS}
    few = _effective(drawn, span, terms)
    for name in FIGURES:
        value = np.where(np.isfinite(point[name]), point[name], np.nan)
        limits = percentile_limits(
            value[:, 0], spread[name][..., 0], confidence=confidence, effective=few[name]
        )
        held |= {
            name: value[:, 0],
            f"{name}_low": limits.low,
            f"{name}_high": limits.high,
            f"{name}_previous": value[:, 1],
        }
    table = pd.DataFrame(held)
    reasons = [
        span.reason or _reason(int(won), float(cost))
        for won, cost in zip(table["won"], table["cost"], strict=True)
    ]
    table = _with_worth(table, worth)
    return table.assign(reason=reasons, status=["unclear" if told else "ok" for told in reasons])


def _effective(drawn: Drawn, span: Span, terms: CostTerms) -> dict[str, FloatArray]:
    """Count the accounts of one weight that would make each figure vary as much, per group."""
    base = {name: drawn.stat(name)[:, 0] for name in SUMS}
    point = _figures(base, span, terms)
    slopes = {name: np.zeros((len(drawn.groups), len(SUMS))) for name in FIGURES}
    for at, moved in enumerate(SUMS):
        step = STEP * np.maximum(base[moved], 1.0)
        beside = _figures(base | {moved: base[moved] + step}, span, terms)
        for name in FIGURES:
            known = np.isfinite(beside[name]) & np.isfinite(point[name])
            change = np.subtract(beside[name], point[name], where=known, out=np.zeros_like(step))
            slopes[name][:, at] = change / step
    order = [drawn.stats.index(name) for name in SUMS]
    found = {name: np.full(len(drawn.groups), np.nan) for name in FIGURES}
    for place in range(len(drawn.groups)):
        units = drawn.units if place == 0 else drawn.units[place - 1 : place]
        each = np.concatenate(units)[:, 0][:, order] if units else np.zeros((0, len(SUMS)))
        for name in FIGURES:
            shares = each @ slopes[name][place]
            found[name][place] = effective_terms(shares[:, None])[0]
    return found


def _figures(sums: Mapping[str, FloatArray], span: Span, terms: CostTerms) -> dict[str, FloatArray]:
    with np.errstate(invalid="ignore", divide="ignore"):
        cac = np.where(sums["cost"] > 0, sums["cost"] / sums["won"], np.nan)
        churn = sums["gone"] / sums["start_n"] / span.months
        shortcut = sums["end_mrr"] / sums["end_n"] * terms.margin / churn
        grown = YEAR_MONTHS * (sums["end_mrr"] - sums["start_mrr"])
        return {
            "cac_minor": cac,
            "payback_months": cac / (sums["new_mrr"] / sums["won"] * terms.margin),
            "ltv_shortcut_minor": shortcut,
            "shortcut_ratio": shortcut / cac,
            "magic_number": np.where(sums["cost"] > 0, grown / sums["cost"], np.nan),
        }


def _with_worth(table: pd.DataFrame, worth: Mapping[str, Estimate]) -> pd.DataFrame:
    none = Estimate(float("nan"), float("nan"), float("nan"))
    values = [worth.get(group, none) for group in table["group"]]
    cac = table[["cac_minor", "cac_minor_low", "cac_minor_high"]].to_numpy(float)
    ratios = [ratio_of_estimates(v, Estimate(*c)) for v, c in zip(values, cac, strict=True)]
    found = {}
    for name, many in (("ltv_minor", values), ("ltv_ratio", ratios)):
        for at, end in enumerate(("", "_low", "_high")):
            found[f"{name}{end}"] = [float(one[at]) for one in many]
    return table.assign(**found)


def _reason(won: int, cost: float) -> str:
    if not cost > 0:
        return "no acquisition cost is known of who signed up"
    if won >= FEWEST:
        return ""
    return (
        f"only {won} {'customer was' if won == 1 else 'customers were'} won"
        if won
        else ("no customer was won")
    )
