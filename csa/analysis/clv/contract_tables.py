"""Rows of the value under contract: groups, cohorts, single accounts."""

import math
from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract_factors import GroupPart
from csa.analysis.clv.contract_inputs import ALL
from csa.analysis.clv.contract_shortcut import shortcut
from csa.analysis.clv.contract_terms import ContractTerms, cohort_label
from csa.methods.intervals import normal_quantile

FloatArray = NDArray[np.float64]

FEWEST = 10  # accounts below which a figure is "unclear"
MOST_BEYOND = 0.5  # share of a value beyond which the same holds


def valued(
    found: pd.DataFrame, parts: Mapping[str, GroupPart], terms: ContractTerms
) -> pd.DataFrame:
    """Value cells, in all and beyond the ages seen.

    Parameters
    ----------
    found : DataFrame
        `group`, `age_months`, `mrr`.
    parts : mapping of str to GroupPart
        Factors of the groups.
    terms : ContractTerms
        Margin.

    Returns
    -------
    DataFrame
        With `value_minor` and `beyond_minor`.
    """
    value, beyond = np.zeros(len(found)), np.zeros(len(found))
    for name, rows in found.groupby("group", sort=False).indices.items():
        age = found["age_months"].to_numpy()[rows]
        one = parts[str(name)].factors
        value[rows] = terms.margin * found["mrr"].to_numpy()[rows] * one.value[age]
        beyond[rows] = value[rows] * one.beyond[age]
    return found.assign(value_minor=value, beyond_minor=beyond)


def drawn_values(cell: pd.DataFrame, parts: Mapping[str, GroupPart], margin: float) -> FloatArray:
    """Values of all cells together in every draw.

    Parameters
    ----------
    cell : DataFrame
        `group`, `age_months`, `mrr`.
    parts : mapping of str to GroupPart
        Factors of the groups.
    margin : float
        Gross margin.

    Returns
    -------
    ndarray of float
        One total per draw, minor units.
    """
    draws = len(next(iter(parts.values())).factors.draws) if parts else 0
    total = np.zeros(draws)
    for name, rows in cell.groupby("group", sort=False):
        ages = rows["age_months"].to_numpy()
        total += parts[str(name)].factors.draws[:, ages] @ rows["mrr"].to_numpy()
    return margin * total


def _variance(cell: pd.DataFrame, parts: Mapping[str, GroupPart], margin: float) -> float:
    """Variance of what will come, given survival and growth."""
    return margin**2 * math.fsum(
        float(parts[str(name)].factors.variance[rows["age_months"]] @ rows["mrr_square"])
        for name, rows in cell.groupby("group", sort=False)
    )


def _summed(
    cell: pd.DataFrame, parts: Mapping[str, GroupPart], terms: ContractTerms
) -> dict[str, Any]:
    """Sum up some cells, with limits."""
    accounts, mrr = int(cell["accounts"].sum()), math.fsum(cell["mrr"])
    value = math.fsum(cell["value_minor"])
    row: dict[str, Any] = {"accounts": accounts, "mrr_minor": mrr, "value_minor": value}
    limits = dict.fromkeys(("ci_low", "ci_high", "outcome_low", "outcome_high"), float("nan"))
    if accounts:
        drawn = drawn_values(cell, parts, terms.margin)
        limits = _limits(value, drawn, _variance(cell, parts, terms.margin), terms.confidence)
    nan = float("nan")
    return (
        row
        | limits
        | {
            "per_account_minor": value / accounts if accounts else nan,
            "months_of_margin": value / (terms.margin * mrr) if mrr else nan,
            "beyond": math.fsum(cell["beyond_minor"]) / value if value else nan,
        }
    )


def _limits(
    value: float, drawn: FloatArray, variance: float, confidence: float
) -> dict[str, float]:
    """Limits of the value expected, and of what will come.

    Chance of single accounts is added to the distance of each limit in quadrature.
    """
    tail = (1 - confidence) / 2
    low, high = (float(q) for q in np.quantile(drawn, [tail, 1 - tail]))
    low, high = min(low, value), max(high, value)
    chance = normal_quantile(confidence) * math.sqrt(variance)
    return {
        "ci_low": low,
        "ci_high": high,
        "outcome_low": max(value - math.hypot(value - low, chance), 0.0),
        "outcome_high": value + math.hypot(high - value, chance),
    }


def _judged(row: dict[str, Any], unclear: str, note: str = "") -> dict[str, Any]:
    """Add status and reason; a note alone leaves a figure as it is."""
    reasons = [unclear]
    if not row["accounts"]:
        reasons, note = ["no customers"], ""
    elif row["accounts"] < FEWEST:
        reasons.append(f"only {row['accounts']} accounts")
    elif row["beyond"] > MOST_BEYOND:
        reasons.append("more than half of the value lies at ages nobody was seen at")
    status = "unclear" if any(reasons) else "ok"
    return row | {"status": status, "reason": "; ".join(filter(None, [*reasons, note]))}


def group_rows(
    cell: pd.DataFrame, parts: Mapping[str, GroupPart], terms: ContractTerms
) -> pd.DataFrame:
    """Sum up the groups; the total is the sum of their values.

    Parameters
    ----------
    cell : DataFrame
        Cells with their values.
    parts : mapping of str to GroupPart
        Factors of the groups.
    terms : ContractTerms
        Margin and level.

    Returns
    -------
    DataFrame
        `all` first.
    """
    rows = []
    for name, part in parts.items():
        row = {"group": name} | _summed(cell[cell["group"] == name], parts, terms)
        told = part.hazards.reason
        weak = part.hazards.status != "ok"
        rows.append(_judged(row, told if weak else "", "" if weak else told))
    few = [r["group"] for r in rows if r["status"] != "ok" and r["accounts"]]
    whole = {"group": ALL} | _summed(cell, parts, terms)
    whole["value_minor"] = math.fsum(r["value_minor"] for r in rows)
    unclear = math.fsum(r["value_minor"] for r in rows if r["group"] in few)
    most = unclear > MOST_BEYOND * whole["value_minor"]
    names = "a group" if len(few) == 1 else f"{len(few)} groups"
    reason = f"more than half of the value lies in {names} that cannot be told" if most else ""
    return pd.DataFrame([_judged(whole, reason), *rows])


def cohort_rows(
    cell: pd.DataFrame, parts: Mapping[str, GroupPart], terms: ContractTerms
) -> pd.DataFrame:
    """Sum up the signup cohorts, oldest first.

    Parameters
    ----------
    cell : DataFrame
        Cells with their values.
    parts : mapping of str to GroupPart
        Factors of the groups.
    terms : ContractTerms
        Margin and level.

    Returns
    -------
    DataFrame
        One row per cohort.
    """
    rows = []
    for number, some in cell.groupby("cohort"):
        row = {"cohort": cohort_label(int(str(number)), terms.cohort)}
        weak = [n for n in some["group"].unique() if parts[n].hazards.status != "ok"]
        reason = parts[weak[0]].hazards.reason if len(weak) == some["group"].nunique() else ""
        rows.append(_judged(row | _summed(some, parts, terms), reason))
    columns = ["cohort", *_summed(cell.iloc[:0], parts, terms), "status", "reason"]
    return pd.DataFrame(rows, columns=columns)


def with_shortcut(
    table: pd.DataFrame, stayed: pd.DataFrame, terms: ContractTerms, parts: Mapping[str, GroupPart]
) -> pd.DataFrame:
    """Add the rule of thumb beside the value.

    Parameters
    ----------
    table : DataFrame
        From `group_rows`; it is changed.
    stayed : DataFrame
        Payers and leavers of the last months.
    terms : ContractTerms
        Margin.
    parts : mapping of str to GroupPart
        Groups, in the order of the table.

    Returns
    -------
    DataFrame
        The table.
    """
    churn = shortcut(stayed, [ALL, *parts])
    with np.errstate(divide="ignore", invalid="ignore"):
        thumb = terms.margin * table["mrr_minor"].to_numpy() / churn
        thumb = np.where(churn > 0, thumb, np.nan)
        times = thumb / table["value_minor"].to_numpy()
    at = list(table.columns).index("status")
    table.insert(at, "shortcut_minor", thumb)
    table.insert(at + 1, "shortcut_times", times)
    table.insert(at + 2, "monthly_churn", churn)
    return table


def account_values(
    base: ir.Table, parts: Mapping[str, GroupPart], terms: ContractTerms
) -> ir.Table:
    """Value single accounts, in the engine when asked for.

    Parameters
    ----------
    base : ir.Table
        From `running`.
    parts : mapping of str to GroupPart
        Factors of the groups.
    terms : ContractTerms
        Margin and level.

    Returns
    -------
    ir.Table
        One row per account.
    """
    tail = (1 - terms.confidence) / 2
    rows = []
    for name, part in parts.items():
        one = part.factors
        low, high = np.quantile(one.draws, [tail, 1 - tail], axis=0)
        columns = {"factor": one.value, "f_low": np.minimum(low, one.value)}
        columns |= {"f_high": np.maximum(high, one.value)}
        columns |= {"o_low": one.outcome_low, "o_high": one.outcome_high}
        ages = np.arange(len(one.value))
        rows.append(pd.DataFrame({"group": name, "age_months": ages} | columns))
    names = ["group", "age_months", "factor", "f_low", "f_high", "o_low", "o_high"]
    table = pd.concat(rows) if rows else pd.DataFrame(columns=names)
    typed = {"group": "str"} | dict.fromkeys(names[2:], "float64")
    table = table.astype({"age_months": "int64"} | typed)
    both = base.join(ibis.memtable(table), ["group", "age_months"])
    margin = terms.margin * both.mrr_minor.cast("float64")
    return both.select(
        "account_id",
        "group",
        "cohort",
        "age_months",
        "mrr_minor",
        value_minor=margin * both.factor,
        ci_low=margin * both.f_low,
        ci_high=margin * both.f_high,
        outcome_low=margin * both.o_low,
        outcome_high=margin * both.o_high,
    )
