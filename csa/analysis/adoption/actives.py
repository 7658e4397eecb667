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

HISTORY: Final = 184  # days drawn: half a year; a year would take most of the time
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
    `trend`: `unit` (people where events name any), `day`, `window_days`, `actives` of all, only
    days whose window is known whole.
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
    first, last = span.window(1)[0], span.last
    rows = as_days(days)
    rows = rows.filter(rows.day >= first, rows.day <= last)
    ago = ibis.literal(last).delta(rows.day, unit="day").cast("int64")
    rows = rows.mutate(ago=ago, bit=ibis.literal(1, "int64") << ago)
    for name in ("sessions", "events", "seconds"):
        if name not in rows.columns:
            rows = rows.mutate(**{name: ibis.null("int64")})
    person = rows.group_by("account_id", "group", "user_id").agg(
        days=rows.bit.bit_or(),
        **{
            f"{name}_{ending}": rows[name].sum(where=when)
            for name in ("sessions", "events", "seconds")
            for ending, when in (("now", rows.ago < WEEKS), ("before", rows.ago >= WEEKS))
        },
        timed_now=rows.seconds.count(where=rows.ago < WEEKS),
        timed_before=rows.seconds.count(where=rows.ago >= WEEKS),
    )
    return _by_account(person)


def _by_account(person: ir.Table) -> ir.Table:
    """Add people up; a person is a row without days that repeat, so nothing is made distinct."""
    named = person.user_id.notnull()  # noqa: PD004
    sums: dict[str, ir.Value] = {}
    for ending, shift in (("now", 0), ("before", WEEKS)):
        of_person = _days(person.days, shift)
        of_account = _days(person.days.bit_or(), shift)
        sums |= {
            f"accounts_{ending}": of_account > 0,
            f"users_{ending}": (of_person > 0).sum(where=named),
            f"user_days_{ending}": of_person.sum(where=named),
            f"week_users_{ending}": _weeks(person.days, shift).sum(where=named),
            f"days_{ending}": of_account,
            f"week_count_{ending}": _weeks(person.days.bit_or(), shift),
            **{
                f"{name}_{ending}": person[f"{name}_{ending}"].sum(where=named)
                for name in ("sessions", "events", "seconds", "timed")
            },
        }
    whole = {name: value.cast("float64") for name, value in sums.items()}
    return person.group_by("account_id", "group").agg(**whole)


@ibis.udf.scalar.builtin(name="bit_count", signature=(("int64",), "int64"))
def _ones(value):  # type: ignore[no-untyped-def]  # of the engine
    """Count the bits that are set."""


def _days(bits: ir.IntegerValue, shift: int) -> ir.IntegerValue:
    """Count the days of four weeks, of a mask of days ago."""
    within = ((1 << WEEKS) - 1) << shift
    return _ones(bits & ibis.literal(within, "int64"))


def _weeks(bits: ir.IntegerValue, shift: int) -> ir.IntegerValue:
    """Count the weeks with a day, of a mask of days ago."""
    weeks = [((1 << WEEK) - 1) << (shift + n) for n in range(0, WEEKS, WEEK)]
    hit = [((bits & ibis.literal(w, "int64")) > 0).cast("int64") for w in weeks]
    return hit[0] + hit[1] + hit[2] + hit[3]


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
    history = rows.filter(rows.day > span.last - max(back, HISTORY + WEEKS) * DAY)
    several = near.group.nunique().execute() > 1
    drawn = "users" if near.user_id.count().execute() else "accounts"
    counted = []
    for unit, column in UNITS.items():
        far = history if unit == drawn else near
        total = rolling_actives(far.drop("group"), unit=column, as_of=span.last)
        counted.append(total.assign(unit=unit))
        if several:
            split = rolling_actives(near, unit=column, as_of=span.last)
            counted.append(split.assign(unit=unit))
    some = [part for part in counted if len(part)]
    both = _whole(pd.concat(some, ignore_index=True) if some else counted[0], span)
    sums = moments_by_group(use, [f"{c}_{e}" for c in _COLUMNS for e in ("now", "before")])
    table = _table(both, sums, span, confidence)
    past = pd.Timestamp(span.last - HISTORY * DAY)
    shown = both.loc[(both["group"] == ALL) & both["whole"].astype(bool)]
    shown = shown.loc[shown["unit"] == drawn]
    shown = shown.loc[shown["day"] > past].reset_index(drop=True)
    return Actives(
        table=table,
        trend=shown[["unit", "day", "window_days", "actives"]],
        daily=both.loc[both["unit"] == "users"].reset_index(drop=True),
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
