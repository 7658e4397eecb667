"""Renewals: which contracts came up, what came of them, and which come up next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.revenue.months import ALL, NOT_STATED, Span, first_day, number_of
from csa.errors import InputError
from csa.methods.bootstrap import effective_terms, percentile_limits, poisson_sums
from csa.methods.intervals import newcombe_difference, wilson

GRACE_DAYS: Final = 30
AHEAD_DAYS: Final = 90
FEWEST: Final = 10
SEED: Final = 20_500
SETTLED: Final = ("expanded", "renewed", "contracted", "lost")
CONTRACTS: Final = {
    "group": "string",
    "account_id": "string",
    "start_on": "date",
    "end_on": "date",
    "mrr_minor": "int64",
    "renews_on": "date",
    "period_months": "int64",
    "observed_from": "date",
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Renewals:
    """What came of the renewals that were settled in a period; `all` first.

    `each`: one row per account and day of the history: `group`, `account_id`, `due_on`,
    `settled_on`, `due_minor` (a month), `renewed_minor` (paid at the end of the grace, or now),
    `outcome` (expanded, renewed, contracted, lost; "open" while the grace runs). `table`: `group`,
    `n` (settled), the count of each outcome, `open` (now), `rate` (not lost) with `ci_low`,
    `ci_high`, `change`, `change_low`, `change_high` (to the period before), `due_minor`,
    `renewed_minor`, `revenue_rate` (renewed up to what was due, over what was due) with
    `revenue_low`, `revenue_high`, `status`, `reason`. `months`: counts and money due by outcome
    and month of the day of renewal, with `month_start`.
    """

    each: pd.DataFrame
    table: pd.DataFrame
    months: pd.DataFrame
    span: Span
    grace_days: int
    confidence: float = 0.95


def renewals(
    contracts: ir.Table | pd.DataFrame,
    *,
    span: Span,
    as_of: date,
    grace_days: int = GRACE_DAYS,
    history: int = 12,
    confidence: float = 0.95,
) -> Renewals:
    """Find what came of the contracts whose renewal was settled in a period.

    Parameters
    ----------
    contracts : ir.Table or DataFrame, one row per paid subscription row
        `group`, `account_id`, `start_on`, `end_on` (missing while running), `mrr_minor`,
        `renews_on` (missing: none), `period_months`, `observed_from`.
    span : Span
        The period.
    as_of : date
        Last day that is known.
    grace_days : int
        A renewal is settled so many days after its day; one that ended so shortly before it
        was due as well.
    history : int
        Months counted back from the end of the period.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    Renewals
        "unclear" where fewer than 10 renewals are settled.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    A row is due on `renews_on` and every `period_months` before and after, while it is in force:
    the column may name the next renewal or an earlier one. All rows of an account due on a day
    are one contract, at what they pay on the day before; a contract that ended within the grace
    before its day counts at what it paid then. It is settled when the grace is over: by what its
    rows, and rows begun since the day (or since the grace before it), pay then. What else
    the account pays is another contract. Nobody is counted as renewed, or as lost, before that.
    Intervals: Wilson (contracts), change by Newcombe's method 10, revenue by a Poisson bootstrap.
    """
    rows = _as_contracts(contracts)
    first = min(span.last - history + 1, span.previous_first - 1 - grace_days // 28)
    start, end = first_day(first), min(first_day(span.last + 1), as_of + timedelta(days=1))
    due = _due(rows, start, end, early_days=grace_days)
    each = _settled(rows, due, as_of=as_of, grace_days=grace_days)
    month = each["settled_on"].map(number_of)
    now = each.loc[(month >= span.first) & (month <= span.last) & (each["outcome"] != "open")]
    before = each.loc[(month >= span.previous_first) & (month <= span.previous_last)]
    table = _by_group(now, before, span, confidence)
    waiting = each.loc[each["outcome"] == "open"]
    here = [
        len(waiting) if g == ALL else int((waiting["group"] == g).sum()) for g in table["group"]
    ]
    return Renewals(
        each=each.reset_index(drop=True),
        table=table.assign(open=here),
        months=_by_month(each, range(first, span.last + 1)),
        span=span,
        grace_days=grace_days,
        confidence=confidence,
    )


def due_next(
    contracts: ir.Table | pd.DataFrame, *, as_of: date, ahead_days: int = AHEAD_DAYS
) -> pd.DataFrame:
    """Contracts that come up for renewal in the next days.

    Parameters
    ----------
    contracts : ir.Table or DataFrame
        As for `renewals`.
    as_of : date
        Last day that is known.
    ahead_days : int
        How far to look ahead, days.

    Returns
    -------
    DataFrame
        `group`, `account_id`, `due_on`, `due_minor`; in order of the day, the largest first.

    Raises
    ------
    InputError
        If a column is missing.
    """
    rows = _as_contracts(contracts)
    day = timedelta(days=1)
    found = _frame(_due(rows, as_of + day, as_of + (ahead_days + 1) * day))
    keys = ["group", "account_id", "due_on"]
    one: pd.DataFrame = found.groupby(keys)["due_minor"].sum().reset_index()
    order = one.sort_values(["due_on", "due_minor", "account_id"], ascending=[True, False, True])
    return order.reset_index(drop=True)


def _as_contracts(contracts: ir.Table | pd.DataFrame) -> ir.Table:
    rows = ibis.memtable(contracts) if isinstance(contracts, pd.DataFrame) else contracts
    if absent := [name for name in CONTRACTS if name not in rows.columns]:
        raise InputError(*(f"contracts: column {name} is missing" for name in absent))
    typed = rows.select(**{name: rows[name].cast(kind) for name, kind in CONTRACTS.items()})
    return typed.mutate(
        group=typed.group.fill_null(NOT_STATED),
        row=ibis.row_number().over(order_by=["account_id", "start_on", "end_on", "mrr_minor"]),
    )


def _due(rows: ir.Table, start: date, end: date, *, early_days: int = 0) -> ir.Table:
    """Rows with each of their days of renewal in [start, end), in force until or shortly before."""
    numbers = range(number_of(start), number_of(end) + 1)
    months = ibis.memtable(
        pd.DataFrame(
            {
                "month": list(numbers),
                "opens": [first_day(m) for m in numbers],
                "length": [(first_day(m + 1) - first_day(m)).days for m in numbers],
            }
        ),
        schema={"month": "int64", "opens": "date", "length": "int64"},
    )
    stated = rows.drop_null("renews_on").filter(rows.period_months > 0)
    anchor = stated.renews_on.year() * 12 + stated.renews_on.month() - 1
    joined = stated.mutate(anchor=anchor.cast("int64")).cross_join(months)
    joined = joined.filter((joined.month - joined.anchor) % joined.period_months == 0)
    day = ibis.least(joined.renews_on.day().cast("int64"), joined.length) - 1
    joined = joined.mutate(due_on=(joined.opens + day.as_interval("D")).cast("date"))
    seen = joined.due_on >= ibis.coalesce(joined.observed_from, joined.due_on)
    early = (joined.due_on - ibis.interval(days=early_days)).cast("date")
    running = ibis.coalesce(joined.end_on, joined.due_on) >= early
    inside = (joined.due_on >= start) & (joined.due_on < end) & (joined.start_on < joined.due_on)
    return joined.filter(inside, running, seen).select(
        "group", "account_id", "due_on", "row", due_minor="mrr_minor"
    )


def _settled(rows: ir.Table, due: ir.Table, *, as_of: date, grace_days: int) -> pd.DataFrame:
    """One row per account and day, with what was paid before and afterwards."""
    grace, day = ibis.interval(days=grace_days), ibis.interval(days=1)
    each = due.group_by("account_id", "due_on").agg(group=due["group"].max())
    each = each.mutate(
        eve_on=(each.due_on - day).cast("date"),
        early_on=(each.due_on - grace).cast("date"),
        late_on=ibis.least((each.due_on + grace).cast("date"), ibis.literal(as_of)),
    )
    paid = rows.select(
        account="account_id", other="row", begins="start_on", ends="end_on", mrr="mrr_minor"
    )
    ours = due.select(our_account="account_id", our_day="due_on", our_row="row")
    both = each.left_join(paid, each.account_id == paid.account)
    own = [
        both.account_id == ours.our_account,
        both.due_on == ours.our_day,
        both.other == ours.our_row,
    ]
    both = both.left_join(ours, own)
    mine = ibis.coalesce(both.other == both.our_row, False)

    def at(day: ir.Value, counts: ir.BooleanValue) -> ir.IntegerValue:
        inside = (both.begins <= day) & ibis.coalesce(both.ends > day, True) & counts
        return ibis.coalesce(both.mrr.sum(where=inside), 0).cast("int64")

    found = both.group_by("group", "account_id", "due_on").agg(
        eve=at(both.eve_on, mine),
        early=at(both.early_on, mine),
        later=at(both.late_on, mine | (both.begins >= both.due_on)),
        sooner=at(both.late_on, mine | (both.begins >= both.early_on)),
    )
    return _outcomes(_frame(found), as_of, grace_days)


def _frame(rows: ir.Table) -> pd.DataFrame:
    found: pd.DataFrame = rows.to_pandas()
    return found.assign(due_on=pd.to_datetime(found["due_on"]).dt.date.astype(object))


def _outcomes(found: pd.DataFrame, as_of: date, grace_days: int) -> pd.DataFrame:
    stayed = found["eve"] > 0
    due = found["early"].where(~stayed, found["eve"])
    renewed = found["sooner"].where(~stayed, found["later"])
    settled = [day + timedelta(days=grace_days) for day in found["due_on"]]
    waits = np.array([day > as_of for day in settled], dtype=bool)
    outcome = np.select(
        [waits, renewed == 0, renewed > due, renewed < due],
        ["open", "lost", "expanded", "contracted"],
        default="renewed",
    )
    made = found.assign(
        settled_on=pd.Series(settled, index=found.index, dtype=object),
        due_minor=due,
        renewed_minor=renewed,
        outcome=outcome,
    )
    made = made.loc[due > 0].sort_values(["due_on", "account_id"])
    columns = ["group", "account_id", "due_on", "settled_on"]
    result: pd.DataFrame = made[[*columns, "due_minor", "renewed_minor", "outcome"]]
    return result


def _by_group(
    now: pd.DataFrame, before: pd.DataFrame, span: Span, confidence: float
) -> pd.DataFrame:
    names = sorted(set(now["group"]) | set(before["group"]))
    groups = [ALL, *(names if len(names) > 1 else [])]
    rows = []
    for group in groups:
        mine, earlier = (
            each if group == ALL else each.loc[each["group"] == group] for each in (now, before)
        )
        rows.append({"group": group} | _counts(mine) | _revenue(mine, confidence))
        old = _counts(earlier)
        rows[-1] |= {"n_previous": old["n"], "kept_previous": old["n"] - old["lost"]}
    table = pd.DataFrame(rows)
    n, n0 = table["n"].to_numpy(float), table["n_previous"].to_numpy(float)
    kept, kept0 = n - table["lost"].to_numpy(float), table["kept_previous"].to_numpy(float)
    share = wilson(kept, n, confidence=confidence)
    moved = newcombe_difference((kept, kept0), (n, n0), confidence=confidence)
    reason = [span.reason or _few(int(k)) for k in n]
    return table.assign(
        rate=share.value,
        ci_low=share.low,
        ci_high=share.high,
        rate_previous=wilson(kept0, n0, confidence=confidence).value,
        change=moved.value,
        change_low=moved.low,
        change_high=moved.high,
        status=["unclear" if told else "ok" for told in reason],
        reason=reason,
    )


def _few(n: int) -> str:
    if n >= FEWEST:
        return ""
    return f"only {n} settled {'renewal' if n == 1 else 'renewals'}" if n else "none is settled"


def _counts(each: pd.DataFrame) -> dict[str, int]:
    found = {name: int((each["outcome"] == name).sum()) for name in SETTLED}
    return {"n": sum(found.values())} | found


def _revenue(each: pd.DataFrame, confidence: float) -> dict[str, Any]:
    due = each["due_minor"].to_numpy(float)
    kept = np.minimum(each["renewed_minor"].to_numpy(float), due)
    sums = poisson_sums(np.column_stack([kept, due]), np.random.default_rng(SEED))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.array([kept.sum() / due.sum()]) if len(due) else np.array([np.nan])
        few = effective_terms((kept - value * due)[:, None])
        ratio = sums[:, :1] / sums[:, 1:]
        limits = percentile_limits(value, ratio, confidence=confidence, effective=few)
    return {
        "due_minor": int(due.sum()),
        "renewed_minor": int(each["renewed_minor"].sum()),
        "revenue_rate": float(limits.value[0]),
        "revenue_low": float(limits.low[0]),
        "revenue_high": float(limits.high[0]),
    }


def _by_month(each: pd.DataFrame, months: Sequence[int]) -> pd.DataFrame:
    rows = []
    number = each["due_on"].map(number_of)
    for month in months:
        mine = each.loc[number == month]
        money = {
            f"{name}_minor": int(mine.loc[mine["outcome"] == name, "due_minor"].sum())
            for name in (*SETTLED, "open")
        }
        counts = _counts(mine) | {"open": int((mine["outcome"] == "open").sum())}
        rows.append({"month_start": first_day(month), **counts, **money})
    return pd.DataFrame(rows)
