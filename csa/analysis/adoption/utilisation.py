"""Licence utilisation: people active on a business day over the seats that are paid for."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.adoption.per_account import moments_by_group
from csa.analysis.adoption.windows import DAY, MIN_ACCOUNTS, Span, as_days
from csa.methods.moments import Moments, ratio, ratio_change

MONTHS: Final = 7  # drawn
FRIDAY: Final = 4  # Monday is 0
MONDAY: Final = date(1899, 1, 2)  # before any day here
BANDS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, float("inf"))  # upper ends, each included
NAMES: Final = (
    "none",
    "up to a quarter",
    "up to half",
    "up to three quarters",
    "up to all",
    "more",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Utilisation:
    """Use of licences in a period, per group; `all` first.

    `table`: `group`, `value` (share; above 1 where more people work than seats are paid for) with
    `ci_low`, `ci_high`, `previous`, `change` with `change_low`, `change_high`, `users`, `seats`
    (means of a business day), `n` (accounts with seats), `status`, `reason`. `bands`: `band` (of
    the utilisation of single accounts), `accounts`, `seats`, `share` (of all seats). `trend`:
    `month_start`, `value`, `users`, `seats` of all, whole months only. `business_days` of the
    period so far; `unstated`: accounts left out because their seats are not, or not all, stated.
    """

    table: pd.DataFrame
    bands: pd.DataFrame
    trend: pd.DataFrame
    span: Span
    business_days: int
    unstated: int
    confidence: float = 0.95


def utilisation(
    days: ir.Table | pd.DataFrame,
    licences: ir.Table | pd.DataFrame,
    *,
    span: Span,
    confidence: float = 0.95,
) -> Utilisation:
    """Mean people active on a business day over the seats in force on that day.

    Parameters
    ----------
    days : ir.Table or DataFrame
        As the roll-up `user_days` has them.
    licences : ir.Table or DataFrame
        As the roll-up `licences` has them, with `group`.
    span : Span
        The period, up to the last day known.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    Utilisation
        "unclear" with few accounts or where the period is not over.

    Notes
    -----
    U = Σ users / Σ seats, both summed over the business days d and the accounts with seats in
    force on d; people of other accounts (trials) do not count. Business days are Monday to Friday:
    holidays are not known and lower the share, as do people who are away. Intervals over accounts,
    the change with both periods of an account taken together.
    """
    held = _held(licences)
    sure = held.filter(held.unstated == 0)
    now, before = (span.start, span.last), (span.previous_start, span.start - DAY)
    one = people_and_seats(days, licences, {"now": now, "before": before}).cache()
    found = moments_by_group(one, [f"{c}_{e}" for c in ("users", "seats") for e in _ENDS])
    business = business_days(*now)
    table = pd.DataFrame(
        [_row(g, m, span, confidence, business) for g, m in found.items()], columns=_TABLE
    )
    silent = held.filter(
        (held.unstated > 0)
        & (held.start_on <= span.last)
        & (held.end_on.isnull() | (held.end_on > span.start))  # noqa: PD003
    )
    return Utilisation(
        table=table,
        bands=_bands(one, business),
        trend=_trend(as_days(days), sure, span),
        span=span,
        business_days=business,
        unstated=int(silent.account_id.nunique().execute()),
        confidence=confidence,
    )


def people_and_seats(
    days: ir.Table | pd.DataFrame,
    licences: ir.Table | pd.DataFrame,
    periods: dict[str, tuple[date, date]],
) -> ir.Table:
    """Sum people and seats over the business days of some periods, by account.

    Parameters
    ----------
    days, licences : ir.Table or DataFrame
        As for `utilisation`.
    periods : dict of tuple of date
        First and last day, both included, by name.

    Returns
    -------
    ir.Table
        One row per account with stated seats in any of them: `account_id`, `group`, and
        `users_` and `seats_` with the name of each period.
    """
    held = _held(licences)
    held = held.filter(held.unstated == 0)
    first, last = min(p[0] for p in periods.values()), max(p[1] for p in periods.values())
    return _by_account(_users(as_days(days), held, first, last), held, periods)


def business_days(first: date, last: date) -> int:
    """Count the days from Monday to Friday.

    Parameters
    ----------
    first, last : date
        Both included.

    Returns
    -------
    int
        0 for a weekend.
    """
    return int(np.busday_count(first, last + DAY))


_ENDS: Final = ("now", "before")
_TABLE: Final = [
    *("group", "value", "ci_low", "ci_high", "previous", "change", "change_low", "change_high"),
    *("users", "seats", "n", "status", "reason"),
]


def _held(licences: ir.Table | pd.DataFrame) -> ir.Table:
    rows = ibis.memtable(licences) if isinstance(licences, pd.DataFrame) else licences
    return rows.select(
        "account_id",
        "group",
        start_on=rows.start_on.cast("date"),
        end_on=rows.end_on.cast("date"),
        seats=rows.seats.cast("int64"),
        unstated=rows.unstated.cast("int64"),
    )


def _users(days: ir.Table, held: ir.Table, first: date, last: date) -> ir.Table:
    """People per account and business day on which it has seats."""
    rows = days.filter(days.day >= first, days.day <= last, days.user_id.notnull())  # noqa: PD004
    rows = rows.filter(rows.day.day_of_week.index() <= FRIDAY)
    per_day = rows.group_by("account_id", "day").agg(users=rows.count())
    within = [
        per_day.account_id == held.account_id,
        per_day.day >= held.start_on,
        held.end_on.isnull() | (per_day.day < held.end_on),  # noqa: PD003
    ]
    seats = held.filter(held.seats > 0)
    return per_day.inner_join(seats, within).select("account_id", "group", "day", "users")


def _by_account(users: ir.Table, held: ir.Table, periods: dict[str, tuple[date, date]]) -> ir.Table:
    """Sum people and seats over the business days of each period, one row per account."""
    came = users.group_by("account_id").agg(
        **{
            f"users_{name}": ibis.coalesce(
                users.users.sum(where=(users.day >= first) & (users.day <= last)), 0
            )
            for name, (first, last) in periods.items()
        }
    )
    paid = held.group_by("account_id", "group").agg(
        **{
            f"seats_{name}": (held.seats * _weekdays_in_force(held, first, last)).sum()
            for name, (first, last) in periods.items()
        }
    )
    paid = paid.filter(ibis.or_(*(paid[f"seats_{name}"] > 0 for name in periods)))
    return paid.left_join(came, "account_id").drop("account_id_right")


def _weekdays_in_force(held: ir.Table, first: date, last: date) -> ir.IntegerValue:
    """Count the business days of [first, last] on which a row is in force."""
    after = ibis.literal(last + DAY)
    begin = ibis.greatest(held.start_on, ibis.literal(first))
    end = ibis.least(ibis.coalesce(held.end_on, after), after)
    return ibis.greatest(weekdays_before(end) - weekdays_before(begin), 0)


def weekdays_before(day: ir.DateValue) -> ir.IntegerValue:
    """Count the days from Monday to Friday before a day, from a Monday long ago on.

    Parameters
    ----------
    day : ir.DateValue
        Any day after 1900.

    Returns
    -------
    ir.IntegerValue
        Two of them differ by the business days between.
    """
    since = day.delta(ibis.literal(MONDAY), unit="day")
    return since // 7 * 5 + ibis.least(since % 7, 5)


def _row(
    group: str, found: Moments, span: Span, confidence: float, business: int
) -> dict[str, Any]:
    value = ratio(found, "users_now", "seats_now", confidence=confidence)
    row: dict[str, Any] = {"group": group, "value": value.value}
    row |= {"ci_low": value.low, "ci_high": value.high}
    if span.covers(span.previous_start):
        change = ratio_change(
            found,
            ("users_now", "seats_now"),
            ("users_before", "seats_before"),
            confidence=confidence,
        )
        row |= {"previous": value.value - change.value, "change": change.value}
        row |= {"change_low": change.low, "change_high": change.high}
    reason = span.reason
    if not span.covers(span.start):
        reason = reason or "use was not recorded from the first day of the period on"
    if found.n < MIN_ACCOUNTS:
        reason = reason or f"only {found.n} accounts with licences"
    if not business:
        reason = reason or "no business day in the period"
    return row | {
        "users": found.sum("users_now") / business if business else float("nan"),
        "seats": found.sum("seats_now") / business if business else float("nan"),
        "n": found.n,
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }


def _bands(one: ir.Table, business: int) -> pd.DataFrame:
    """Accounts and seats by how much of the seats of an account is used."""
    rows = one.filter(one.seats_now > 0)
    share = rows.users_now.fill_null(0) / rows.seats_now
    place = ibis.cases(*((share <= end, at) for at, end in enumerate(BANDS)), else_=len(BANDS))
    rows = rows.mutate(place=place)
    counted = rows.group_by("place").agg(accounts=rows.count(), seats=rows.seats_now.sum())
    found = (
        counted.to_pandas().set_index("place").reindex(range(len(NAMES))).astype(float).fillna(0.0)
    )
    seats = found["seats"].astype(float) / max(business, 1)
    total = float(seats.sum())
    return pd.DataFrame(
        {
            "band": NAMES,
            "accounts": found["accounts"].astype("int64").to_numpy(),
            "seats": seats.to_numpy(),
            "share": (seats / total if total else seats * float("nan")).to_numpy(),
        }
    )


def _trend(days: ir.Table, held: ir.Table, span: Span) -> pd.DataFrame:
    """Utilisation by whole month, of all accounts with seats."""
    over = (
        pd.Period(span.last, "M") if (span.last + DAY).day == 1 else pd.Period(span.last, "M") - 1
    )
    ends = pd.period_range(end=over, periods=MONTHS, freq="M")
    months = [m for m in ends if span.covers(m.start_time.date())]
    if not months:
        return pd.DataFrame(columns=["month_start", "value", "users", "seats"])
    first, last = months[0].start_time.date(), months[-1].end_time.date()
    users = _users(days, held, first, last)
    users = users.mutate(month=users.day.year() * 12 + users.day.month() - 1)
    came = users.group_by("month").agg(users=users.users.sum()).to_pandas()
    paid = held.agg(
        **{
            str(m): (
                held.seats * _weekdays_in_force(held, m.start_time.date(), m.end_time.date())
            ).sum()
            for m in months
        }
    ).to_pandas()
    count = came.set_index("month")["users"]
    rows = []
    for m in months:
        work = business_days(m.start_time.date(), m.end_time.date())
        here = float(count.get(m.year * 12 + m.month - 1, 0)) / work
        seats = float(paid[str(m)].astype(float).fillna(0.0).iloc[0]) / work
        share = here / seats if seats else float("nan")
        rows.append((m.start_time.date(), share, here, seats))
    return pd.DataFrame(rows, columns=["month_start", "value", "users", "seats"])
