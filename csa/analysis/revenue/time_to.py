"""Time until something happens for the first time: Kaplan-Meier by group, read upwards."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.revenue.months import ALL, NOT_STATED, as_months, number_of
from csa.analysis.revenue.trials import as_trials
from csa.errors import InputError
from csa.methods.lifetable import tabulate_counts
from csa.methods.survival import kaplan_meier

MIN_AT_RISK: Final = 5  # a curve ends where fewer remain
FEWEST: Final = 10
SPELLS: Final = {
    "account_id": "string",
    "group": "string",
    "start_on": "date",
    "end_on": "date",
    "entry_days": "int64",
    "observed_from": "date",
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TimeTo:
    """Share to whom it has happened, by age; `all` first.

    `curves`: `group`, `age`, `at_risk`, `share`, `ci_low`, `ci_high`, up to the age at which fewer
    than `min_at_risk` remain. `table`: `group`, `n`, `events`, `by_age` (read at), `share`,
    `ci_low`, `ci_high`, `median` (NaN: not reached), `status`, `reason`. Ages in `unit`.
    """

    curves: pd.DataFrame
    table: pd.DataFrame
    unit: Literal["days", "months"]
    by_age: int
    min_at_risk: int = MIN_AT_RISK
    confidence: float = 0.95


def time_to_conversion(
    signups: ir.Table | pd.DataFrame,
    *,
    since: date,
    as_of: date,
    by_age: int = 60,
    confidence: float = 0.95,
) -> TimeTo:
    """Days from the start of a trial to the first paid day, by group.

    Parameters
    ----------
    signups : ir.Table or DataFrame, one row per account
        As for `csa.analysis.revenue.trials.trial_to_paid`.
    since : date
        First day of start that counts.
    as_of : date
        Last day that is known.
    by_age : int
        Age at which shares are read, days.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    TimeTo
        In days; a trial that has not converted is censored on `as_of`, also after its end: it may
        still convert.

    Raises
    ------
    InputError
        If a column is missing.
    """
    rows = as_trials(signups)
    rows = rows.filter(rows.trial_started_on >= since, rows.trial_started_on <= as_of)
    event = (rows.converted_on <= as_of).fill_null(ibis.literal(value=False))
    last = ibis.ifelse(event, rows.converted_on, ibis.literal(as_of))
    age = last.delta(rows.trial_started_on, unit="day").cast("int64")
    # who pays on the very first day was under observation for it
    ages = rows.select("group", event=event, age=ibis.ifelse(event & (age < 1), 1, age))
    return _curves(ages, "days", by_age, confidence)


def time_to_expansion(
    spells: ir.Table | pd.DataFrame,
    months: ir.Table | pd.DataFrame,
    won: ir.Table | pd.DataFrame | None = None,
    *,
    as_of: date,
    by_age: int = 12,
    confidence: float = 0.95,
) -> TimeTo:
    """Months from the start as a customer to the first expansion, by group.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per time as a customer
        `account_id`, `group`, `start_on`, `end_on` (missing while running), `entry_days`,
        `observed_from`.
    months : ir.Table or DataFrame
        See `csa.analysis.revenue.months.as_months`.
    won : ir.Table or DataFrame, optional
        Opportunities: `account_id`, `kind`, `closed_on`, `outcome`.
    as_of : date
        Last day that is known.
    by_age : int
        Age at which shares are read, months.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    TimeTo
        In months. The first of an expansion of recurring revenue and of an upsell or cross-sell
        won counts; who leaves before is censored, so the share is that of customers who stay.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    Revenue is known at the ends of months, so a spell is compared from the end of its first month
    on. Spells that began before their account was under observation are left out.
    """
    held = ibis.memtable(spells) if isinstance(spells, pd.DataFrame) else spells
    if absent := [name for name in SPELLS if name not in held.columns]:
        raise InputError(*(f"spells: column {name} is missing" for name in absent))
    held = held.select(**{name: held[name].cast(kind) for name, kind in SPELLS.items()})
    held = held.filter(held.entry_days == 0, held.start_on <= as_of)
    moved = as_months(months)
    found = moved.filter(moved.movement == "expansion").select("account_id", at="month")
    if won is not None:
        found = found.union(_won(won, as_of))
    ended = ibis.ifelse(held.end_on <= as_of, held.end_on, ibis.literal(as_of))
    spans = held.select(
        "account_id", "group", first=_month(held.start_on), last=_month(ended)
    ).mutate(spell=ibis.row_number().over(order_by=["account_id", "first"]))
    joined = spans.left_join(found, "account_id")
    inside = (joined["at"] > joined["first"]) & (joined["at"] <= joined["last"])
    one = joined.group_by("spell").agg(
        group=joined["group"].max(),
        first=joined["first"].max(),
        last=joined["last"].max(),
        at=joined["at"].min(where=inside),
    )
    event = ibis.coalesce(one["at"] >= one["first"], False)
    age = ibis.coalesce(one["at"], one["last"]) - one["first"]
    ages = one.select("group", event=event, age=age.cast("int64"))
    return _curves(ages, "months", by_age, confidence)


def _won(won: ir.Table | pd.DataFrame, as_of: date) -> ir.Table:
    rows = ibis.memtable(won) if isinstance(won, pd.DataFrame) else won
    sold = rows.filter(
        rows.outcome == "won", rows.kind != "renewal", rows.closed_on.cast("date") <= as_of
    )
    return sold.select("account_id", at=_month(sold.closed_on.cast("date")))


def _month(day: ir.Value) -> ir.IntegerValue:
    number: ir.IntegerValue = day.year().cast("int64") * 12 + day.month().cast("int64") - 1
    return number


def _curves(
    ages: ir.Table, unit: Literal["days", "months"], by_age: int, confidence: float
) -> TimeTo:
    sums = (
        ages.mutate(group=ages["group"].fill_null(NOT_STATED))
        .group_by("group", "age")
        .agg(events=lambda t: t.event.sum(), censored=lambda t: (~t.event).sum())
        .to_pandas()
    )
    names = sorted(sums["group"].unique())
    parts = [(ALL, sums), *((g, sums.loc[sums["group"] == g]) for g in names if len(names) > 1)]
    made = [_one(name, rows, by_age, confidence) for name, rows in parts]
    return TimeTo(
        curves=pd.concat([curve for curve, _ in made], ignore_index=True),
        table=pd.DataFrame([row for _, row in made]),
        unit=unit,
        by_age=by_age,
        confidence=confidence,
    )


def _one(
    name: str, rows: pd.DataFrame, by_age: int, confidence: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    curve = kaplan_meier(
        tabulate_counts(rows["age"], events=rows["events"], censored=rows["censored"]),
        confidence=confidence,
    )
    at_risk = np.asarray(curve.table.at_risk)
    drawn = pd.DataFrame(
        {
            "group": name,
            "age": curve.table.time,
            "at_risk": at_risk,
            "share": 1 - curve.survival,
            "ci_low": 1 - curve.ci_high,
            "ci_high": 1 - curve.ci_low,
        }
    )
    enough = drawn.loc[at_risk >= MIN_AT_RISK]
    n = int(rows["events"].sum() + rows["censored"].sum())
    gone = enough.loc[enough["share"] >= 0.5, "age"]
    stays = curve.at(by_age)
    few = f"only {n} under observation" if n else "none under observation"
    short = f"none was watched for {by_age}"
    reason = few if n < FEWEST else short if np.isnan(stays.value) else ""
    row = {
        "group": name,
        "n": n,
        "events": int(rows["events"].sum()),
        "by_age": by_age,
        "share": 1 - stays.value,
        "ci_low": 1 - stays.high,
        "ci_high": 1 - stays.low,
        "median": float(gone.iloc[0]) if len(gone) else np.nan,
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }
    return enough, row


def months_back(as_of: date, months: int) -> date:
    """First day of the month so many months before that of a day.

    Parameters
    ----------
    as_of : date
        A day.
    months : int
        How many.

    Returns
    -------
    date
        24 months before 31 October 2026: 1 October 2024.
    """
    number = number_of(as_of) - months
    return date(number // 12, number % 12 + 1, 1)
