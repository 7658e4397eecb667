"""Snapshots: what was known of every customer on many days, and what became of it.

One expression makes them all, without a loop over accounts or days: spells x cut-offs give the
customers; each table, reduced where it lies, is joined to them in `csa.data.known` and aggregated.

Who is in a snapshot: an account that pays on the cut-off, under observation since before it. One
that does not pay just then is left out, even where it returns within the grace and so never left:
on the day itself nobody could know that it would. The cut-off is the last day known, so that
`age_days` + `days_after` is the age at which the account left.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from csa.data.exchange import SCALE
from csa.data.features import Feature, Usable, choose, usable
from csa.data.features.contract import in_force
from csa.data.features.rules import BASE, SPELL_FACTS, SPELLS, refusal
from csa.data.known import (
    ACCOUNT,
    CUTOFF,
    Known,
    Reading,
    begins,
    known_rows,
    names_in,
    reduced,
)
from csa.data.rollups import RollupContext, minor_units
from csa.data.schema import TABLES
from csa.errors import InputError

CONTRACTS = "subscriptions"
_KEYS = (ACCOUNT, CUTOFF)
_SPELL = ("account_id", "spell", "start_on", "end_on", "entry_days", "exit_days", "event")
_UNITS = "units"  # paid in force, in ten-thousandths


PAID = Feature(  # not what the spell pays at its end, which came later
    name=_UNITS,
    table=CONTRACTS,
    meaning="paid on the cut-off, in ten-thousandths",
    columns=("start_on", "end_on", "mrr"),
    value=lambda k: (k["mrr"] * 10**SCALE).cast("int64").sum(where=in_force(k)),
    step=True,
)


def cutoffs(
    as_of: date, *, horizon_days: int, every_days: int = 30, count: int = 12
) -> tuple[date, ...]:
    """Return days to look at accounts from, the last one for scoring.

    Parameters
    ----------
    as_of : date
        Last day that is known.
    horizon_days : int
        How far a prediction looks ahead.
    every_days : int
        Days between two cut-offs.
    count : int
        Cut-offs whose horizon has elapsed, so that the outcome is known.

    Returns
    -------
    tuple of date
        Ascending: `count` with known outcome, those too late for it, and `as_of`.

    Raises
    ------
    InputError
        If a number is below 1.

    Examples
    --------
    >>> [str(d) for d in cutoffs(date(2024, 6, 30), horizon_days=45, count=2)]
    ['2024-04-01', '2024-05-01', '2024-05-31', '2024-06-30']
    """
    stated = {"horizon_days": horizon_days, "every_days": every_days, "count": count}
    if faults := [f"{k} is {v}; it has to be at least 1" for k, v in stated.items() if v < 1]:
        raise InputError(*faults)
    steps = count + math.ceil(horizon_days / every_days)
    return tuple(as_of - timedelta(days=every_days * k) for k in reversed(range(steps)))


def snapshots(
    tables: Mapping[str, ir.Table],
    spells: ir.Table,
    *,
    cutoffs: Sequence[date],
    ctx: RollupContext,
    features: Sequence[Feature | str] | None = None,
    fetch: Callable[[ir.Table, str], ir.Table] | None = None,
) -> ir.Table:
    """Build one row per cut-off and account that is a customer under observation on it.

    Parameters
    ----------
    tables : mapping of str to ir.Table
        Canonical tables that are there, without columns that cannot hold a value; subscriptions
        are needed.
    spells : ir.Table
        The roll-up, with `cause` and `group` where known.
    cutoffs : sequence of date
        Last days known; none after `ctx.as_of`.
    ctx : RollupContext
        Last day, grace and currency with which the spells were made.
    features : sequence of Feature or str, optional
        Default: all. Those whose table or column is absent are left out; `usable_features` says
        which and why.
    fetch : callable, optional
        Brings what was made of a table, given with its name, to the engine of the spells.

    Returns
    -------
    ir.Table
        Sorted by cut-off and account: `account_id`, `cutoff_on`, `age_days` (since the start of
        the spell), `mrr_minor` (paid on the cut-off), `days_after` (to the end of the spell, else
        to `as_of`), `event`, `cause`, `group`, then the features: numbers as float (yes or no as
        1 or 0), categories as text, missing where not known.

    Raises
    ------
    InputError
        If a feature could know what came later, a cut-off is after `as_of`, or a column of the
        spells or the subscriptions are missing.
    """
    days = _checked(cutoffs, ctx, spells, tables)
    made = usable_features(tables, features).features
    moments = _moments(spells, days, ctx)
    move = fetch or (lambda table, _: table)
    parts = []
    for reading, read in _readings((PAID, *made)):
        rows = move(reduced(_source(tables, reading), reading, days), reading.table.name)
        parts.append(_aggregated(moments, rows, reading, read, ctx))
    joined = moments
    for part in parts:
        keys = [k for k in _KEYS if k in part.columns]
        joined = joined.left_join(part, keys).drop(*(f"{k}_right" for k in keys))
    joined = joined.filter(joined[_UNITS] > 0)
    joined = joined.mutate(mrr_minor=minor_units(joined[_UNITS], ctx))
    for name in dict.fromkeys(f.table for f in made if f.whole):
        joined = _whole(joined, made, name, move(begins(tables[name], TABLES[name]), name))
    joined = _combined(joined, made, ctx)
    names = [f.name for f in made if not f.step and f.name not in BASE]
    return joined.select(*BASE, *names).order_by(CUTOFF, ACCOUNT)


def usable_features(
    tables: Mapping[str, ir.Table],
    features: Sequence[Feature | str] | None = None,
    refused: Mapping[str, str] | None = None,
) -> Usable:
    """Tell features that can be made of these tables from those that are left out.

    Parameters
    ----------
    tables : mapping of str to ir.Table
        Canonical tables that are there, without columns that cannot hold a value.
    features : sequence of Feature or str, optional
        Default: all.
    refused : mapping of str to str, optional
        Why other tables are not there.

    Returns
    -------
    Usable
        The features, and the reason for each one left out.

    Raises
    ------
    InputError
        If a feature could know what came later.
    """
    have = {name: {*table.columns} for name, table in tables.items()}
    if CONTRACTS in have:
        have[CONTRACTS] |= {"end_on"}  # nobody has left, if there is none
    return usable(choose(features), have, refused)


def _checked(
    cutoffs: Sequence[date],
    ctx: RollupContext,
    spells: ir.Table,
    tables: Mapping[str, ir.Table],
) -> list[date]:
    faults = [
        f"cut-off {day} lies after the last known day, {ctx.as_of}; what happened until then is "
        "not known"
        for day in sorted(set(cutoffs))
        if day > ctx.as_of
    ]
    if not cutoffs:
        faults.append("no cut-off is given; csa.data.snapshots.cutoffs proposes some")
    faults += [
        f"spells: column {name} is missing; take the spells roll-up"
        for name in _SPELL
        if name not in spells.columns
    ]
    if CONTRACTS not in tables:
        faults.append("subscriptions are missing; only a contract tells who is a customer")
    if faults:
        raise InputError(*faults)
    return sorted(set(cutoffs))


def _moments(spells: ir.Table, days: Sequence[date], ctx: RollupContext) -> ir.Table:
    """Accounts on the cut-offs at which they are customers under observation."""
    absent = {n: ibis.null("string") for n in ("cause", "group") if n not in spells.columns}
    every = spells.mutate(
        **absent, **{CUTOFF: ibis.array([ibis.literal(d) for d in days]).unnest()}
    )
    every = every.mutate(age_days=every[CUTOFF].delta(every.start_on, unit="day").cast("int64"))
    until = ibis.coalesce(every.end_on, ibis.literal(ctx.as_of))
    every = every.mutate(days_after=until.delta(every[CUTOFF], unit="day").cast("int64"))
    every = every.filter(
        every.account_id.notnull(),
        every.age_days > every.entry_days,
        (every.age_days < every.exit_days) | every.end_on.isnull(),
        every.end_on.isnull() | (every.days_after > 0),
    )
    outcome = ("days_after", "event", "cause", "group")
    return every.select(*_KEYS, "start_on", *SPELL_FACTS, *outcome)


def _readings(features: Sequence[Feature]) -> list[tuple[Reading, list[Feature]]]:
    """Group features that can be made from one pass over a table."""
    groups: dict[tuple[str, tuple[str, ...] | None], list[Feature]] = {}
    for feature in features:
        if not feature.of and feature.table != SPELLS:
            groups.setdefault((feature.table, feature.by), []).append(feature)
    return [(_reading(table, by, read), read) for (table, by), read in groups.items()]


def _reading(table: str, by: tuple[str, ...] | None, features: Sequence[Feature]) -> Reading:
    columns = tuple(dict.fromkeys(c for f in features for c in f.reads))
    windows = [f.window_days or 0 for f in features if f.bounded or f.by is not None]
    return Reading(
        table=TABLES[table],
        columns=columns,
        by=by,
        lookback_days=max(windows) if len(windows) == len(features) else None,
        paid=table == CONTRACTS,
    )


def _source(tables: Mapping[str, ir.Table], reading: Reading) -> ir.Table:
    """Return the table with every column that may be reached, missing where it is absent."""
    rows = tables[reading.table.name]
    absent = {c.name: ibis.null(c.ibis_type) for c in reading.table.columns if c.name not in rows}
    return rows.mutate(**absent) if absent else rows


def _aggregated(
    moments: ir.Table,
    rows: ir.Table,
    reading: Reading,
    features: Sequence[Feature],
    ctx: RollupContext,
) -> ir.Table:
    """Make the features of one reading: a row per account and cut-off, or per cut-off."""
    if ACCOUNT not in rows.columns:  # of the company, not of an account
        moments = moments.select(CUTOFF).distinct()
    joined, used = known_rows(moments, rows, reading)
    names = names_in(used)
    for mark in dict.fromkeys(m for f in features for m in f.marks):
        own = {n: names[n] for n in names if n in mark.columns}
        known = Known(joined, own, refusal(features[0]), ctx.grace_days)
        joined = joined.mutate(**{f"mark_{mark.name}": mark.value(known)})
    values = {f.name: _value(f, joined, names, ctx) for f in features}
    keys = [k for k in _KEYS if k in moments.columns]
    return joined.group_by(*keys).agg(**values)


def _value(
    feature: Feature, rows: ir.Table, names: Mapping[str, str], ctx: RollupContext
) -> ir.Value:
    reach = {n: names[n] for n in names if n in feature.reads or feature.by is not None}
    reach |= {m.name: f"mark_{m.name}" for m in feature.marks}
    value = feature.value(Known(rows, reach, refusal(feature), ctx.grace_days))
    return value if feature.name == _UNITS else _typed(feature, value)


def _whole(joined: ir.Table, features: Sequence[Feature], table: str, first: ir.Table) -> ir.Table:
    """Erase features whose window begins before their table does."""
    whole = {f.name: f.window_days for f in features if f.whole and f.table == table}
    joined = joined.cross_join(first)
    reach = joined[CUTOFF].delta(joined.begins_on, unit="day") + 1
    empty = ibis.null("float64")
    seen = {n: ibis.ifelse(reach >= days, joined[n], empty) for n, days in whole.items()}
    return joined.mutate(**seen).drop("begins_on")


def _combined(joined: ir.Table, features: Sequence[Feature], ctx: RollupContext) -> ir.Table:
    """Add what is known of the spell, then the features that are made of others."""
    for kind in (False, True):
        made = {}
        for feature in features:
            if bool(feature.of) is kind and (feature.of or feature.table == SPELLS):
                reach = feature.of or SPELL_FACTS
                known = Known(joined, {n: n for n in reach}, refusal(feature), ctx.grace_days)
                made[feature.name] = _typed(feature, feature.value(known))
        made.pop("age_days", None)  # every snapshot has it
        joined = joined.mutate(**made) if made else joined
    return joined


def _typed(feature: Feature, value: ir.Value) -> ir.Value:
    if feature.kind == "text":
        return value.cast("string")
    if value.type().is_boolean():  # not every engine casts truth to a number
        value = ibis.cases((value, 1), (~value, 0))
    return value.cast("float64")
