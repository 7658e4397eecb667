"""Revenue churn of a period: the share of recurring revenue that left with its accounts."""

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.spells import ALL, group_labels
from csa.errors import InputError
from csa.methods.score_sums import WeightedShares, score_interval, weighted_shares

FloatArray = NDArray[np.float64]

MIN_AT_START = 10  # fewer accounts than this at the start make a rate "unclear"
MIN_EFFECTIVE = 5  # fewer accounts of equal size than this: a rate of one or two customers
KINDS = {
    "group": "string",
    "account_id": "string",
    "month": "int64",
    "mrr_minor": "int64",
    "previous_minor": "int64",
    "observed_from": "date",
}
SUMS = ("churned", "at_start", "hit", "weight", "hit_square", "square", "not_observed")
NOW, BEFORE = "", "previous_"
BY_MONTH = "revenue is known at the ends of months, and the period is not one of whole months"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RevenueChurnResult:
    """Revenue churn of the months [start, end) per group and over all (`all`, first).

    `table`: `group`, `at_start` (accounts), `mrr_minor` (theirs at the start, minor units),
    `churned` (accounts that pay nothing at the end), `churned_minor` (what they paid at the
    start), `rate`, `ci_low`, `ci_high` (shares of revenue), `n_effective`, `not_observed`
    (accounts nobody watched yet: left out), `status`, `reason`; the same with `previous_` for
    the period before; `difference`, `difference_low`, `difference_high`, `moved`.
    """

    table: pd.DataFrame
    start: date
    end: date
    previous_start: date | None = None
    previous_end: date | None = None
    confidence: float = 0.95


def revenue_churn(
    months: ir.Table | pd.DataFrame,
    *,
    start: date,
    end: date,
    previous_start: date | None = None,
    previous_end: date | None = None,
    confidence: float = 0.95,
) -> RevenueChurnResult:
    """Share of the recurring revenue at the start of a period whose accounts are gone at its end.

    Parameters
    ----------
    months : ir.Table or DataFrame, one row per account and month
        `group`, `account_id`, `month` (year x 12 + month - 1), `mrr_minor` (at its end),
        `previous_minor` (at the end of the month before), `observed_from` (date or missing).
    start, end : date
        Whole months [start, end).
    previous_start, previous_end : date, optional
        Whole months to compare with, over by `start`.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    RevenueChurnResult
        Only `all` where there is at most one group; "unclear" where the period does not begin
        and end with a month.

    Raises
    ------
    InputError
        If a column is missing or a period is empty.

    Notes
    -----
    R = Σ m y / Σ m over accounts at the start, m what they paid then, y whether they pay nothing
    at the end; contraction and expansion of those who stay are not churn. Score intervals [1]_
    with the effective number of accounts of each group, since a few large ones may hold most of
    the revenue: Wilson's of a group, Mee's of its change; those of `all` sum over the groups,
    which differ in how often accounts leave and in what they pay. An account of both periods is
    no reason to pair them: given who is there at its start, a period owes nothing to the last.

    References
    ----------
    .. [1] Martín Andrés, A., Álvarez Hernández, M., Herranz Tejedor, I. (2011). Inferences about
       a linear combination of proportions. Stat. Methods Med. Res. 20(4), 369-387.
    """
    windows = {NOW: _window(start, end)}
    if previous_start is not None and previous_end is not None:
        windows[BEFORE] = _window(previous_start, previous_end)
    whole = windows[NOW] is not None
    rows = ibis.memtable(months) if isinstance(months, pd.DataFrame) else months
    if absent := [name for name in KINDS if name not in rows.columns]:
        raise InputError(*(f"months: column {name} is missing" for name in absent))
    rows = rows.select(**{name: rows[name].cast(kind) for name, kind in KINDS.items()})
    sums = {prefix: _sums(rows, *window) for prefix, window in windows.items() if window}
    groups = sorted(set().union(*(set(s.index) for s in sums.values()))) or [ALL]
    names = [ALL, *groups] if len(groups) > 1 else [ALL]
    parts = np.eye(len(groups)) if len(groups) > 1 else np.empty((0, len(groups)))
    parts = np.vstack([np.ones(len(groups)), parts])  # a row per name, a column per group
    both = {p: _filled(sums.get(p), groups) for p in (NOW, BEFORE)}
    rates = [_rates(known, parts, confidence).add_prefix(p) for p, known in both.items()]
    table = pd.concat([pd.DataFrame({"group": names}), *rates], axis=1)
    table = table.join(_difference(both[NOW], both[BEFORE], parts, confidence))
    table["status"], table["reason"] = _judgements(table) if whole else ("unclear", BY_MONTH)
    return RevenueChurnResult(
        table=table,
        start=start,
        end=end,
        previous_start=previous_start,
        previous_end=previous_end,
        confidence=confidence,
    )


def _window(start: date, end: date) -> tuple[int, int] | None:
    """First and last month of a period of whole months."""
    if start >= end:
        raise InputError(f"period: {start} to {end} holds no day; the end is exclusive")
    if start.day != 1 or end.day != 1:
        return None
    return start.year * 12 + start.month - 1, end.year * 12 + end.month - 2


def _sums(rows: ir.Table, first: int, last: int) -> pd.DataFrame:
    """Sum up the accounts that paid at the start, per group and over all."""
    inside = rows.filter(rows.month.between(first, last))
    opens = date(first // 12, first % 12 + 1, 1)
    each = inside.group_by("account_id").agg(
        group=inside.group.max(),
        paid=inside.previous_minor.sum(where=inside.month == first).fill_null(0).cast("float64"),
        after=inside.mrr_minor.sum(where=inside.month == last).fill_null(0),
        watched=inside.observed_from.max(),
    )
    each = each.filter(each.paid > 0)
    seen = ibis.coalesce(each.watched < opens, True)
    gone = seen & (each.after <= 0)
    found = (
        each.group_by("group")
        .agg(
            at_start=seen.sum(),
            churned=gone.sum(),
            weight=each.paid.sum(where=seen),
            square=(each.paid**2).sum(where=seen),
            hit=each.paid.sum(where=gone),
            hit_square=(each.paid**2).sum(where=gone),
            not_observed=(~seen).sum(),
        )
        .to_pandas()
    )
    found["group"] = group_labels(found["group"])
    sums: pd.DataFrame = found.set_index("group").astype("float64").fillna(0.0)
    return sums


def _filled(sums: pd.DataFrame | None, groups: list[str]) -> pd.DataFrame:
    """Put 0 where a group had no account, NaN where there is no such period."""
    if sums is None:
        return pd.DataFrame(np.nan, index=groups, columns=list(SUMS))
    return sums.reindex(groups)[list(SUMS)].fillna(0.0)


def _rates(sums: pd.DataFrame, parts: FloatArray, confidence: float) -> pd.DataFrame:
    """Rates of one period, of each sum of groups; NaN where there is none."""
    of = pd.DataFrame(parts @ sums.to_numpy(), columns=list(SUMS))
    shares, weights = _shares(sums), _weights(sums, parts)
    rate = score_interval(weights, shares, confidence=confidence)
    return pd.DataFrame(
        {
            "at_start": of["at_start"],
            "mrr_minor": of["weight"],
            "churned": of["churned"],
            "churned_minor": of["hit"],
            "rate": rate.value,
            "ci_low": rate.low,
            "ci_high": rate.high,
            "n_effective": _shares(of).size,
            "not_observed": of["not_observed"],
        }
    )


def _shares(sums: pd.DataFrame) -> WeightedShares:
    return weighted_shares(*(sums[name].to_numpy() for name in SUMS[:-1]))


def _weights(sums: pd.DataFrame, parts: FloatArray) -> FloatArray:
    """Share of each group in the revenue of each sum of groups; 0 where there is none."""
    weight = parts * sums["weight"].to_numpy()
    total = weight.sum(axis=1, keepdims=True)
    found: FloatArray = weight / np.where(total == 0, 1.0, total)
    return found


def _difference(
    now: pd.DataFrame, before: pd.DataFrame, parts: FloatArray, confidence: float
) -> pd.DataFrame:
    """Change of the rate since the previous period, where both are known."""
    both = [_weights(now, parts), _weights(before, parts)]
    known = [np.nan_to_num(w).any(axis=1, keepdims=True) for w in both]
    numbers = np.hstack([both[0], -both[1]]) * (known[0] & known[1])
    shares = (np.concatenate(x) for x in zip(_shares(now), _shares(before), strict=True))
    change = score_interval(numbers, WeightedShares(*shares), confidence=confidence)
    moved = np.select([change.low > 0, change.high < 0], ["up", "down"], "unclear")
    return pd.DataFrame(
        {
            "difference": change.value,
            "difference_low": change.low,
            "difference_high": change.high,
            "moved": moved,
        }
    )


def _judgements(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Status and reason per group."""
    judged = []
    for row in table.to_dict("records"):
        n, effective = int(row["at_start"]), row["n_effective"]
        if n < MIN_AT_START:
            judged.append(("unclear", f"only {n} accounts at the start" if n else "no accounts"))
        elif effective < MIN_EFFECTIVE:
            judged.append(("unclear", "a few accounts hold nearly all of the revenue"))
        elif row["not_observed"]:
            left_out = f"left out: {row['not_observed']:g} not yet under observation"
            judged.append(("ok", left_out))
        else:
            judged.append(("ok", ""))
    return [status for status, _ in judged], [reason for _, reason in judged]
