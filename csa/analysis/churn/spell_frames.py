"""Spells from an analyst's own dates, and the two honest ways to compare groups joined later.

A spell is more than a tenure and a flag: it has a start, an end with its cause, a day since which
a leaving account would have been recorded, and a last known day. Each of these, left out, changes
the curve; each fault is refused with what it would have done.
"""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from csa.analysis.churn.spells import NOT_STATED
from csa.data.columns import STILL_HERE
from csa.errors import InputError

ALWAYS = "always"
NOT_YET = "not yet"
DATES = ("start_on", "end_on", "group_known_on")
TEXTS = ("group", "cause", "censoring")


def spells_from(frame: pd.DataFrame, *, as_of: date, observed_from: date | str) -> ir.Table:
    """Make spells of a frame with one row per uninterrupted time as a customer.

    Parameters
    ----------
    frame : DataFrame, one row per spell
        `account_id`, `start_on`, `end_on` (first day no longer a customer; missing while one);
        optional `cause` of churn, `censoring` (why the account went out of sight without churn:
        merged, paused, migrated), `group`, `group_known_on` (day on which the group was joined).
    as_of : date
        Last known day. Later starts are left out, later ends are not known yet.
    observed_from : date or str
        Day since which a leaving account would have been recorded: a date, the name of a column
        of dates, or "always".

    Returns
    -------
    ir.Table
        `account_id`, `start_on`, `end_on`, `cause`, `censoring`, `observed_from`, `entry_days`,
        `exit_days`, `event`, `group`, and `group_known_on` where given; whole days.

    Raises
    ------
    InputError
        With all faults at once: no dates, no window of observation, an end that is no later than
        its start, overlapping spells of an account, a cause without an end, an end that is both
        churn and censoring.

    Examples
    --------
    >>> rows = pd.DataFrame({"account_id": ["a"], "start_on": ["2024-01-01"], "end_on": [None]})
    >>> spells = spells_from(rows, as_of=date(2024, 12, 31), observed_from=date(2024, 7, 1))
    >>> spells.select("entry_days", "exit_days", "event").execute().values.tolist()
    [[182, 365, False]]
    """
    _require(frame, observed_from)
    rows = pd.DataFrame({"account_id": frame["account_id"].astype("string")})
    for name in DATES:
        if name in frame:
            rows[name] = pd.to_datetime(frame[name]).astype("datetime64[ns]")
    for name in TEXTS:
        text = frame[name] if name in frame else pd.Series(None, index=frame.index)
        rows[name] = text.astype("string")
    rows["observed_from"] = _window(frame, observed_from)
    last = pd.Timestamp(as_of)
    rows = rows.loc[rows["start_on"] <= last]
    later = rows["end_on"] > last
    for name in ("end_on", "cause", "censoring"):
        rows[name] = rows[name].mask(later)
    _refuse(rows)
    leaves = rows["end_on"].fillna(last)  # the last day on which leaving could have been seen
    late = (rows["observed_from"] - rows["start_on"]).dt.days
    rows["entry_days"] = late.clip(lower=0).fillna(0).astype("int64")
    rows["exit_days"] = (leaves - rows["start_on"]).dt.days.astype("int64")
    rows["event"] = (rows["end_on"].notna() & rows["censoring"].isna()).astype(bool)
    rows["censoring"] = rows["censoring"].mask(rows["end_on"].isna(), STILL_HERE)
    rows["group"] = rows["group"].fillna(NOT_STATED)
    return _table(rows)


def landmark(spells: ir.Table | pd.DataFrame, *, at_days: int) -> ir.Table:
    """Compare groups as they were known at an age, among the accounts still here at that age.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        Spells with `group_known_on`.
    at_days : int
        Age of the landmark, days.

    Returns
    -------
    ir.Table
        Spells that are under observation past that age, entering at it at the earliest; who
        joined the group later is in group "not yet". Without `group_known_on`.

    Notes
    -----
    Who joins a group must live to do so: counting the time before as time in the group makes any
    group look safe ("immortal time": a hazard ratio of 0.28 where the truth is 1) [1]_.

    References
    ----------
    .. [1] Suissa, S. (2008). Immortal time bias in pharmacoepidemiology. Am. J. Epidemiol. 167.
    """
    table = _wrapped(spells)
    day = table.start_on.cast("date") + ibis.interval(days=at_days)
    known = ibis.coalesce(table.group_known_on.cast("date") <= day, True)
    entry = ibis.greatest(table.entry_days, at_days)
    kept = table.mutate(group=ibis.ifelse(known, table.group, NOT_YET), entry_days=entry)
    return kept.filter(kept.exit_days > kept.entry_days).drop("group_known_on")


def split_when_known(spells: ir.Table | pd.DataFrame) -> ir.Table:
    """Count each account in its group only from the day on which it joined.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        Spells with `group_known_on`.

    Returns
    -------
    ir.Table
        Two rows for a spell that joined its group on the way: until then "not yet", censored at
        the age of joining; from then on its group, entering at that age. Every estimator here
        knows delayed entry, so the rows need nothing else. Without `group_known_on`.
    """
    table = _wrapped(spells)
    joined = table.group_known_on.cast("date").delta(table.start_on.cast("date"), unit="day")
    table = table.mutate(joined=ibis.coalesce(joined, 0).cast("int64"))
    before = table.filter(table.joined > table.entry_days)
    cut = before.joined < before.exit_days
    before = before.mutate(
        group=ibis.literal(NOT_YET),
        exit_days=ibis.least(before.joined, before.exit_days),
        event=before.event & ~cut,
    )
    after = table.mutate(entry_days=ibis.greatest(table.entry_days, table.joined))
    after = after.filter(after.exit_days > after.entry_days)
    return ibis.union(before, after.select(before.columns)).drop("joined", "group_known_on")


def _wrapped(spells: ir.Table | pd.DataFrame) -> ir.Table:
    table = ibis.memtable(spells) if isinstance(spells, pd.DataFrame) else spells
    needed = ("group", "group_known_on", "start_on", "entry_days", "exit_days", "event")
    absent = [name for name in needed if name not in table.columns]
    if absent:
        raise InputError(*(f"spells: column {name} is missing; see spells_from" for name in absent))
    return table


def _require(frame: pd.DataFrame, observed_from: date | str | None) -> None:
    faults = []
    for name in ("account_id", "start_on", "end_on"):
        if name not in frame:
            faults.append(
                f"spells: column {name} is missing. A tenure and a churn flag say neither when an "
                "account was first seen nor which leavers the file leaves out; give dates"
            )
    if observed_from is None:
        faults.append(
            "observed_from: since when would a leaving account have been recorded? Give a date, a "
            'column, or "always". Accounts that left earlier are missing from the data; ignoring '
            "that can turn a survival of 0.1 % into 84 %"
        )
    elif isinstance(observed_from, str) and observed_from not in {ALWAYS, *frame.columns}:
        faults.append(f'observed_from: there is no column "{observed_from}"; give a date or one')
    if faults:
        raise InputError(*faults)


def _window(frame: pd.DataFrame, observed_from: date | str) -> "pd.Series[pd.Timestamp]":
    if isinstance(observed_from, date):
        return pd.Series(pd.Timestamp(observed_from), index=frame.index)
    if observed_from == ALWAYS:
        return pd.Series(pd.NaT, index=frame.index).astype("datetime64[ns]")
    return pd.to_datetime(frame[observed_from]).astype("datetime64[ns]")


def _refuse(rows: pd.DataFrame) -> None:
    """Raise for spells that cannot be, all faults at once."""
    ended = rows["end_on"].notna()
    order = rows.sort_values(["account_id", "start_on"])
    until = order["end_on"].fillna(pd.Timestamp.max).groupby(order["account_id"]).shift()
    wrong = {
        "account_id or start_on is missing; correct or drop them": (
            rows["account_id"].isna() | rows["start_on"].isna()
        ),
        "end_on is not after start_on; correct or drop them": rows["end_on"] <= rows["start_on"],
        "overlap with another spell of the same account; a return is a spell of its own that "
        "begins when the one before is over": order["start_on"] < until,
        "have a cause and no end_on; what has not ended has no cause": (
            rows["cause"].notna() & ~ended
        ),
        "have both a cause of churn and a reason of censoring; an account that churned is not "
        "censored, whatever the cause: use causes.incidence to tell causes apart": (
            rows["cause"].notna() & rows["censoring"].notna() & ended
        ),
    }
    faults = [f"spells: {int(bad.sum())} rows {text}" for text, bad in wrong.items() if bad.any()]
    if faults:
        raise InputError(*faults)


def _table(rows: pd.DataFrame) -> ir.Table:
    table = ibis.memtable(pa.Table.from_pandas(rows, preserve_index=False))
    days = [name for name in (*DATES, "observed_from") if name in rows]
    return table.mutate(**{name: table[name].cast("date") for name in days})
