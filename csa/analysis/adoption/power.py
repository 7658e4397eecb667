"""Power users: on how many of the last 28 days people came, and what share comes often."""

from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.adoption.per_account import moments_by_group
from csa.analysis.adoption.windows import MIN_ACCOUNTS, WEEKS, Span, as_days
from csa.errors import InputError
from csa.methods.moments import Moments, ratio, ratio_change

OFTEN: Final = 4  # days of 28: a day in each week
FEWEST: Final = 30  # people


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerUsers:
    """People by the number of days on which they came, of the last 28.

    `curve`: `days` (1 to 28), `users`, `share`, `events_share` (of all uses), `previous_share`
    (28 days before; missing where not recorded). `table`: `group`, `share` of people who came on
    `often` days or more with `ci_low`, `ci_high`, `previous`, `change` with `change_low`,
    `change_high`, `power_users`, `users`, `events_share` (of all uses that is theirs), `status`,
    `reason`; `all` first.
    """

    curve: pd.DataFrame
    table: pd.DataFrame
    often: int
    span: Span
    confidence: float = 0.95


def power_users(
    days: ir.Table | pd.DataFrame, *, span: Span, often: int = OFTEN, confidence: float = 0.95
) -> PowerUsers:
    """Share of active people by the number of days of the last 28 on which they came.

    Parameters
    ----------
    days : ir.Table or DataFrame
        As the roll-up `user_days` has them.
    span : Span
        Its last day known ends the 28 days.
    often : int
        Days of 28 from which on a person is a power user.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    PowerUsers
        "unclear" with few people or accounts.

    Raises
    ------
    InputError
        If `often` is not between 1 and 28.

    Notes
    -----
    A person is one of an account: who works for two is two. Intervals over accounts (see
    `csa.methods.moments`): the people of an account are alike.
    """
    if not 1 <= often <= WEEKS:
        raise InputError(f"often: {often} of {WEEKS} days; write 1 to {WEEKS}")
    people = _people(days, span).cache()
    sums = moments_by_group(_by_account(people, often), _SUMS)
    known = span.covers(span.window(1)[0])
    rows = [_row(g, found, span, confidence, known=known) for g, found in sums.items()]
    return PowerUsers(
        curve=_curve(people, known=known),
        table=pd.DataFrame(rows, columns=_TABLE),
        often=often,
        span=span,
        confidence=confidence,
    )


_SUMS: Final = ("users_now", "power_now", "users_before", "power_before", "events", "power_events")
_TABLE: Final = [
    *("group", "share", "ci_low", "ci_high", "previous", "change", "change_low", "change_high"),
    *("power_users", "users", "events_share", "n", "status", "reason"),
]


def _people(days: ir.Table | pd.DataFrame, span: Span) -> ir.Table:
    """Days now and before of each person, and uses now."""
    rows = as_days(days)
    rows = rows.filter(rows.day >= span.window(1)[0], rows.day <= span.last, rows.user_id.notnull())  # noqa: PD004
    if "events" not in rows.columns:
        rows = rows.mutate(events=ibis.literal(1))
    now = rows.day >= span.window(0)[0]
    return rows.group_by("account_id", "group", "user_id").agg(
        now=rows.day.count(where=now),
        before=rows.day.count(where=~now),
        events=ibis.coalesce(rows.events.sum(where=now), 0).cast("float64"),
    )


def _by_account(people: ir.Table, often: int) -> ir.Table:
    return people.group_by("account_id", "group").agg(
        users_now=(people.now > 0).sum(),
        power_now=(people.now >= often).sum(),
        users_before=(people.before > 0).sum(),
        power_before=(people.before >= often).sum(),
        events=people.events.sum(),
        power_events=people.events.sum(where=people.now >= often),
    )


def _curve(people: ir.Table, *, known: bool) -> pd.DataFrame:
    counts = people.group_by("now").agg(users=people.count(), events=people.events.sum())
    now = counts.to_pandas().set_index("now").reindex(range(1, WEEKS + 1)).fillna(0.0)
    then = people.group_by("before").agg(users=people.count()).to_pandas().set_index("before")
    before = then["users"].reindex(range(1, WEEKS + 1)).fillna(0.0).to_numpy(float)
    users = now["users"].to_numpy(float)
    return pd.DataFrame(
        {
            "days": np.arange(1, WEEKS + 1),
            "users": users.astype("int64"),
            "share": _shares(users),
            "events_share": _shares(now["events"].to_numpy(float)),
            "previous_share": _shares(before) if known else np.full(WEEKS, np.nan),
        }
    )


def _shares(values: Any) -> Any:
    total = values.sum()
    return values / total if total > 0 else np.full(len(values), np.nan)


def _row(
    group: str, found: Moments, span: Span, confidence: float, *, known: bool
) -> dict[str, Any]:
    now, before = ("power_now", "users_now"), ("power_before", "users_before")
    value = ratio(found, *now, confidence=confidence)
    row: dict[str, Any] = {"group": group, "share": value.value}
    row |= {"ci_low": value.low, "ci_high": min(value.high, 1.0)}
    if known:
        change = ratio_change(found, now, before, confidence=confidence)
        row |= {"previous": value.value - change.value, "change": change.value}
        row |= {"change_low": change.low, "change_high": change.high}
    users = int(found.sum("users_now"))
    reason = span.reason
    if users < FEWEST:
        reason = reason or f"only {users} people in four weeks"
    elif found.n < MIN_ACCOUNTS:
        reason = reason or f"only {found.n} accounts"
    return row | {
        "power_users": int(found.sum("power_now")),
        "users": users,
        "events_share": ratio(found, "power_events", "events").value,
        "n": found.n,
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }
