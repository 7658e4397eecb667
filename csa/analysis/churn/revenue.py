"""Revenue churn of a period: the share of recurring revenue that left with its accounts."""

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.churn.spells import ALL, group_labels
from csa.errors import InputError
from csa.methods.intervals import effective_size, newcombe_difference, wilson

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
    at the end; contraction and expansion of those who stay are not churn. The interval is
    Wilson's with the effective number of accounts, since a few large ones may hold most of the
    revenue [1]_; the change since the previous period has Newcombe's.

    References
    ----------
    .. [1] Korn, E. L., Graubard, B. I. (1998). Surv. Methodol. 24, 193-201.
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
    groups = sorted(set().union(*(set(s.index) for s in sums.values())) - {ALL})
    names = [ALL, *groups] if len(groups) > 1 else [ALL]
    table = pd.DataFrame({"group": names})
    for prefix in (NOW, BEFORE):
        known = sums[prefix].reindex(names) if prefix in sums else pd.DataFrame(index=names)
        found = _rates(known, confidence)
        table = table.join(found.reset_index(drop=True).add_prefix(prefix))
    table = table.join(_difference(table, confidence))
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
    sums.loc[ALL] = sums.sum()
    return sums


def _rates(sums: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Rates of one period; NaN where there is none."""
    names = ("at_start", "churned", "weight", "square", "hit", "hit_square", "not_observed")
    known = pd.DataFrame({name: sums.get(name, np.nan) for name in names}, index=sums.index)
    known = known.fillna(0.0) if len(sums.columns) else known
    w, w2, h, h2 = (known[x].to_numpy() for x in ("weight", "square", "hit", "hit_square"))
    n = effective_size(w, w2, h, h2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = wilson(
            np.where(w > 0, n * h / w, 0.0), np.where(w > 0, n, 0.0), confidence=confidence
        )
    return pd.DataFrame(
        {
            "at_start": known["at_start"],
            "mrr_minor": known["weight"],
            "churned": known["churned"],
            "churned_minor": known["hit"],
            "rate": share.value,
            "ci_low": share.low,
            "ci_high": share.high,
            "n_effective": n,
            "not_observed": known["not_observed"],
        },
        index=sums.index,
    )


def _difference(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Change of the rate since the previous period, in effective accounts."""
    sizes, hits = [], []
    known = table["rate"].notna() & table[BEFORE + "rate"].notna()
    for prefix in (NOW, BEFORE):
        n = table[prefix + "n_effective"].where(known, 0.0)
        sizes.append(n)
        hits.append((n * table[prefix + "rate"]).where(known, 0.0))
    change = newcombe_difference((hits[0], hits[1]), (sizes[0], sizes[1]), confidence=confidence)
    moved = np.select([change.low > 0, change.high < 0], ["up", "down"], "unclear")
    columns = {"difference": change.value, "difference_low": change.low}
    return pd.DataFrame(
        {**columns, "difference_high": change.high, "moved": moved}, index=table.index
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
