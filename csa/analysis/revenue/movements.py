"""Movements of recurring revenue by month: what came, grew, shrank, left and came back."""

from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.revenue.months import ALL, NOT_STATED, Span, as_months, exact, first_day
from csa.errors import InputError

KINDS: Final = ("new", "expansion", "contraction", "churn", "reactivation")
HISTORY: Final = 13  # months shown: a year, and the same month a year before
MONEY: Final = ("start_minor", *(f"{kind}_minor" for kind in KINDS), "currency_minor", "end_minor")
COUNTS: Final = ("accounts_start", *(f"{kind}_accounts" for kind in KINDS), "accounts_end")
TABLE: Final = (
    *("group", "month", "month_start", *MONEY, "net_new_minor", "arr_minor", "arpa_minor"),
    *(*COUNTS, "quick_ratio", "quick_ratio_with_reactivation", "no_loss", "not_observed"),
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MovementsResult:
    """Movements per group and month; `all` first, months ascending.

    `table`: `group`, `month` (year x 12 + month - 1), `month_start` (date), and in minor units
    `start_minor`, `new_minor`, `expansion_minor`, `contraction_minor`, `churn_minor`,
    `reactivation_minor` (all not negative), `currency_minor`, `end_minor`, `net_new_minor` (end -
    start - currency), `arr_minor` (12 x end), `arpa_minor` (end per account that pays then; NaN
    without any); accounts: `accounts_start`, `new_accounts`, ..., `accounts_end`; `quick_ratio`
    and `quick_ratio_with_reactivation` (NaN where nothing was lost: `no_loss`), `not_observed`
    (accounts at the start that nobody watched yet). Months without a row are there, with zeros.
    `period` and `previous`: the same per group over the months of the span and of the one before.
    """

    table: pd.DataFrame
    period: pd.DataFrame
    previous: pd.DataFrame
    span: Span
    status: str = "ok"
    reason: str = ""


def movements(
    months: ir.Table | pd.DataFrame, *, span: Span, history: int = HISTORY
) -> MovementsResult:
    """Add up what moved recurring revenue, by group and month.

    Parameters
    ----------
    months : ir.Table or DataFrame, one row per account and month
        See `csa.analysis.revenue.months.as_months`.
    span : Span
        The period; the one before it is added up as well.
    history : int
        Months up to the end of the period, at least 1.

    Returns
    -------
    MovementsResult
        Only `all` where there is at most one group; "unclear" where the span has a reason.

    Raises
    ------
    InputError
        If a column is missing, or no month is asked for.

    Notes
    -----
    A movement is the change of the **total** recurring revenue of an account between two month
    ends: a second subscription is expansion, the end of one of several contraction. Exactly, per
    group and month and over any span of months,

        start + new + reactivation + expansion - contraction - churn + currency = end

    and the end of a month is the start of the next. All money is in the workspace's currency. Where
    a currency has one stated rate, exchange rates move nothing. Where it has rates by day, a month
    counts at the rate of its last day, and what is there at both of its ends gains or loses in the
    currency row alone: no movement comes from exchange rates. An account that comes and goes
    between two month ends moves nothing.
    """
    if history < 1:
        raise InputError(f"history: {history} is no number of months; write 13 for a year and one")
    begins = min(span.last - history + 1, span.previous_first)
    rows = as_months(months)
    rows = rows.filter(rows.month.between(begins, span.last))
    sums = _sums(rows)
    every = range(begins, span.last + 1)
    long = pd.concat([_whole(sums, every), sums], ignore_index=True)
    groups = sorted(set(sums["group"]))
    names = [ALL, *groups] if len(groups) > 1 else [ALL]
    grid = pd.MultiIndex.from_product([names, every], names=["group", "month"])
    known = long.set_index(["group", "month"]).reindex(grid, fill_value=0).reset_index()
    table = _measured(known)
    shown = table["month"] > span.last - history
    return MovementsResult(
        table=table.loc[shown].reset_index(drop=True),
        period=_over(known, span.first, span.last),
        previous=_over(known, span.previous_first, span.previous_last),
        span=span,
        status="unclear" if span.reason else "ok",
        reason=span.reason,
    )


def compounded(result: MovementsResult, *, horizon_months: int) -> pd.DataFrame:
    """Multiply the monthly retention of the last months of a result.

    Parameters
    ----------
    result : MovementsResult
        With at least so many months.
    horizon_months : int
        Months, at least 1.

    Returns
    -------
    DataFrame
        `group`, `nrr`, `grr`: products of the monthly rates (start + expansion - contraction -
        churn) / start and (start - contraction - churn) / start. NaN where a month begins with
        nothing, or the months are not all there.

    Notes
    -----
    Each month locks another cohort, so this is not what one cohort kept: a customer that joined
    a month ago counts like one of a year ago.
    """
    last = result.table["month"] > result.span.last - horizon_months
    rows = result.table.loc[last]
    lost = rows["contraction_minor"] + rows["churn_minor"]
    start = rows["start_minor"].where(rows["start_minor"] > 0).astype(float)
    monthly = rows[["group"]].assign(
        nrr=(start - lost + rows["expansion_minor"]) / start, grr=(start - lost) / start
    )
    known = monthly.groupby("group", sort=False)[["nrr", "grr"]]
    product = known.prod().where(known.count() == horizon_months, np.nan)
    made: pd.DataFrame = product.reset_index()
    return made


def _sums(rows: ir.Table) -> pd.DataFrame:
    """Add up accounts and money by group, month and kind of movement, kinds side by side."""
    first = ibis.date(
        (rows.month // 12).cast("int32"), (rows.month % 12 + 1).cast("int32"), ibis.literal(1)
    )
    unseen = (rows.previous_minor > 0) & ibis.coalesce(rows.observed_from >= first, False)
    by_kind = (
        rows.group_by("group", "month", "movement")
        .agg(
            n=rows.count(),
            start=exact(rows.previous_minor.sum()),
            end=exact(rows.mrr_minor.sum()),
            currency_minor=exact(rows.currency_minor.sum()),
            accounts_start=(rows.previous_minor > 0).sum(),
            accounts_end=(rows.mrr_minor > 0).sum(),
            not_observed=unseen.sum(),
        )
        .to_pandas()
    )
    by_kind["group"] = by_kind["group"].fillna(NOT_STATED).astype(object)
    numbers = ["start", "end", "currency_minor", "accounts_start", "accounts_end", "not_observed"]
    keys = ["group", "month"]
    found = by_kind.groupby(keys)[numbers].sum()
    change = (by_kind["end"] - by_kind["start"] - by_kind["currency_minor"]).abs()
    for kind in KINDS:
        mine = by_kind["movement"] == kind
        for name, values in (("minor", change), ("accounts", by_kind["n"])):
            sums = values.where(mine, 0).groupby([by_kind[k] for k in keys]).sum()
            found[f"{kind}_{name}"] = sums
    made: pd.DataFrame = found.rename(columns={"start": "start_minor", "end": "end_minor"})
    return made.astype("int64").reset_index()


def _whole(sums: pd.DataFrame, every: range) -> pd.DataFrame:
    total = sums.drop(columns="group").groupby("month").sum().reindex(every, fill_value=0)
    total.index.name = "month"
    return total.reset_index().assign(group=ALL)


def _over(known: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """Add movements up over months; states are those before the first and after the last."""
    inside = known.loc[known["month"].between(first, last)]
    by = inside.groupby("group", sort=False)
    added = by.sum(numeric_only=True)
    for name in ("start_minor", "accounts_start", "month", "not_observed"):
        added[name] = by[name].first()
    for name in ("end_minor", "accounts_end"):
        added[name] = by[name].last()
    return _measured(added.reset_index())


def _measured(known: pd.DataFrame) -> pd.DataFrame:
    """Add what follows from the sums."""
    paying = known["accounts_end"].where(known["accounts_end"] > 0).astype(float)
    lost = (known["contraction_minor"] + known["churn_minor"]).astype(float)
    below = lost.where(lost > 0)
    gained = known["new_minor"] + known["expansion_minor"]
    made = known.assign(
        month_start=[first_day(int(m)) for m in known["month"]],
        net_new_minor=known["end_minor"] - known["start_minor"] - known["currency_minor"],
        arr_minor=12 * known["end_minor"],
        arpa_minor=known["end_minor"] / paying,
        quick_ratio=gained / below,
        quick_ratio_with_reactivation=(gained + known["reactivation_minor"]) / below,
        no_loss=lost == 0,
    )
    return made[list(TABLE)].reset_index(drop=True)
