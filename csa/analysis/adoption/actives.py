"""Active people and accounts: on a day, within a week and within four weeks, and their change."""

from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.analysis.adoption.per_account import moments_by_group
from csa.analysis.adoption.rolling import rolling_actives
from csa.analysis.adoption.windows import ALL, DAY, MIN_ACCOUNTS, WEEKS, Span, as_days
from csa.methods.moments import Moments, relative_change

HISTORY: Final = 395  # days drawn: 13 months
WEEK: Final = 7
MEASURES: Final = ("daily", "weekly", "monthly")
LENGTHS: Final = {"daily": 1, "weekly": WEEK, "monthly": WEEKS}
STEPS: Final = {"daily": range(WEEKS), "weekly": range(0, WEEKS, WEEK), "monthly": range(1)}
UNITS: Final = {"users": "user_id", "accounts": "account_id"}
SHORT: Final = f"use is recorded for fewer than {WEEKS} days"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Actives:
    """Active people and accounts.

    `table`: `group`, `unit` (users, accounts), `measure` (daily: mean over the last 28 days;
    weekly: mean of the last four whole weeks; monthly: within the last 28 days), `value`,
    `previous` (28 days before; missing where use was not recorded so far back), `change` (share of
    it) with `ci_low`, `ci_high`, `n` (accounts that were active in either), `status`, `reason`.
    `trend`: `unit`, `day`, `window_days`, `actives` of all, only days whose window is known whole.
    `daily`: the same by `group`, people, over both periods, for `stickiness`.
    """

    table: pd.DataFrame
    trend: pd.DataFrame
    daily: pd.DataFrame
    span: Span
    confidence: float = 0.95


def account_use(days: ir.Table | pd.DataFrame, *, span: Span) -> ir.Table:
    """Sum use by account over the last four weeks and the four before.

    Parameters
    ----------
    days : ir.Table or DataFrame
        As the roll-up `user_days` has them.
    span : Span
        Its last day known ends the weeks.

    Returns
    -------
    ir.Table
        One row per account with use in either: `group`, and with the endings `_now` and `_before`
        `accounts` (1 or 0), `users`, `user_days`, `week_users` (sum over the weeks), `days` (of
        the account), `week_count` (weeks with use), `sessions`, `events`, `seconds` (of the
        people's days that state any), `timed` (how many these are).
    """
    rows = as_days(days)
    first, last = span.window(1)[0], span.last
    rows = rows.filter(rows.day >= first, rows.day <= last)
    rows = rows.mutate(ago=ibis.literal(last).delta(rows.day, unit="day"))
    for name in ("sessions", "events", "seconds"):
        if name not in rows.columns:
            rows = rows.mutate(**{name: ibis.null("int64")})
    person = rows.user_id.notnull()  # noqa: PD004
    sums: dict[str, ir.Value] = {}
    for ending, when in (("now", rows.ago < WEEKS), ("before", rows.ago >= WEEKS)):
        week = rows.ago // WEEK
        sums |= {
            f"accounts_{ending}": rows.day.count(where=when) > 0,
            f"users_{ending}": rows.user_id.nunique(where=when),
            f"user_days_{ending}": rows.day.count(where=when & person),
            f"days_{ending}": rows.day.nunique(where=when),
            f"week_count_{ending}": week.nunique(where=when),
            f"sessions_{ending}": rows.sessions.sum(where=when & person),
            f"events_{ending}": rows.events.sum(where=when & person),
            f"seconds_{ending}": rows.seconds.sum(where=when & person),
            f"timed_{ending}": rows.seconds.count(where=when & person),
        }
    people = rows.filter(person).select("account_id", "user_id", week=rows.ago // WEEK).distinct()
    by_week = people.group_by("account_id").agg(
        week_users_now=people.week.count(where=people.week < WEEKS // WEEK),
        week_users_before=people.week.count(where=people.week >= WEEKS // WEEK),
    )
    whole = {name: value.cast("float64") for name, value in sums.items()}
    one = rows.group_by("account_id", "group").agg(**whole)
    return one.left_join(by_week, "account_id").drop("account_id_right")


def actives(
    days: ir.Table | pd.DataFrame, use: ir.Table, *, span: Span, confidence: float = 0.95
) -> Actives:
    """Count active people and accounts, exactly, and judge the change of four weeks.

    Parameters
    ----------
    days : ir.Table or DataFrame
        As the roll-up `user_days` has them.
    use : ir.Table
        From `account_use`.
    span : Span
        The period; the last day known ends the weeks.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    Actives
        Groups only where there is more than one.

    Notes
    -----
    A count of everybody has no error of sampling. The interval of the change says what the same
    change would be, had other accounts of the same kind been our customers: accounts come and go
    as one, with all of their people, and each counts as a unit (see `csa.methods.moments`). Four
    weeks hold every weekday equally often, so no weekend is compared with a working day.
    """
    rows = as_days(days)
    back = (span.last - span.previous_start).days + WEEKS
    near = rows.filter(rows.day > span.last - max(back, 3 * WEEKS) * DAY)
    history = rows.filter(rows.day > span.last - (HISTORY + WEEKS) * DAY)
    several = near.group.nunique().execute() > 1
    trend, counted, daily = [], [], []
    for unit, column in UNITS.items():
        total = rolling_actives(history.drop("group"), unit=column, as_of=span.last)
        split = [total]
        if several:
            split.append(rolling_actives(near, unit=column, as_of=span.last))
        both = _whole(pd.concat(split, ignore_index=True), span).assign(unit=unit)
        trend.append(both.loc[(both["group"] == ALL) & both["whole"]])
        counted.append(both)
        daily.append(both.loc[both["unit"] == "users"])
    sums = moments_by_group(use, [f"{c}_{e}" for c in _COLUMNS for e in ("now", "before")])
    table = _table(pd.concat(counted, ignore_index=True), sums, span, confidence)
    past = pd.Timestamp(span.last - HISTORY * DAY)
    shown = pd.concat(trend, ignore_index=True)
    return Actives(
        table=table,
        trend=shown.loc[shown["day"] > past, ["unit", "day", "window_days", "actives"]],
        daily=pd.concat(daily, ignore_index=True),
        span=span,
        confidence=confidence,
    )


_COLUMNS: Final = ("users", "user_days", "week_users", "accounts", "days", "week_count")
_SUM_OF: Final = {
    ("users", "daily"): "user_days",
    ("users", "weekly"): "week_users",
    ("users", "monthly"): "users",
    ("accounts", "daily"): "days",
    ("accounts", "weekly"): "week_count",
    ("accounts", "monthly"): "accounts",
}


def _whole(counts: pd.DataFrame, span: Span) -> pd.DataFrame:
    """Mark the days whose window was recorded from its first day on."""
    if counts.empty or span.first_used is None:
        return counts.assign(whole=pd.Series(dtype=bool))
    known = (counts["day"] - pd.Timestamp(span.first_used)).dt.days + 1
    return counts.assign(whole=known >= counts["window_days"])


def _table(
    counts: pd.DataFrame, sums: dict[str, Moments], span: Span, confidence: float
) -> pd.DataFrame:
    columns = ["group", "unit", "measure", "value", "previous", "change", "ci_low", "ci_high"]
    keys = ["group", "unit", "window_days", "day"]
    at = counts.loc[counts["whole"].astype(bool)].set_index(keys)["actives"].sort_index()
    made: list[dict[str, Any]] = []
    known = span.covers(span.window(0)[0])
    for group, found in sums.items():
        for (unit, measure), column in _SUM_OF.items():
            value, previous = (
                _mean(at, (group, unit, LENGTHS[measure]), measure, span, ending)
                for ending in (0, 1)
            )
            drawn = relative_change(
                found, f"{column}_now", f"{column}_before", confidence=confidence
            )
            change = value / previous - 1 if previous > 0 else float("nan")
            shift = change - drawn.value  # of people who are active for several accounts
            n = int(found.n)
            few = f"only {n} account{'s' * (n > 1)}" if n < MIN_ACCOUNTS else ""
            reason = span.reason or ("" if known else SHORT) or few
            made.append(
                {"group": group, "unit": unit, "measure": measure, "value": value}
                | {"previous": previous, "change": change, "n": n}
                | {"ci_low": drawn.low + shift, "ci_high": drawn.high + shift}
                | {"status": "unclear" if reason else "ok", "reason": reason}
            )
    return pd.DataFrame(made, columns=[*columns, "n", "status", "reason"])


def _mean(
    at: "pd.Series[Any]", key: tuple[str, str, int], measure: str, span: Span, number: int
) -> float:
    """Mean of the counts of a measure over four weeks; unknown where they are not known whole."""
    last = span.window(number)[1]
    first = span.window(number)[0]
    if not span.covers(first):
        return float("nan")
    wanted = [(*key, pd.Timestamp(last - n * DAY)) for n in STEPS[measure]]
    return float(at.reindex(pd.MultiIndex.from_tuples(wanted)).fillna(0).mean())
