"""Checks of one table by itself: schema, missing values, ranges, order, freshness."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis.expr.types as ir

from csa.data.quality.row_rules import rules_of
from csa.data.quality.rules import Check, Rule, count, examples, label_of, severity
from csa.data.quality.viewed import Viewed
from csa.data.schema import TABLES
from csa.data.sources.faulty import Uncast
from csa.data.visible import moment

# Tables in which something happens all the time; others may rest for years.
FLOWING = ("accounts", "subscriptions", "transactions", "usage_events", "surveys", "tickets")
_WORDS = {
    "date": "a day",
    "time": "a time",
    "money": "an amount",
    "number": "a number",
    "integer": "a whole number",
    "flag": "true or false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What one scan of a table tells."""

    table: str
    rows: int
    newest: date | None
    missing: Mapping[str, int]  # rows without a value, by mapped column
    checks: tuple[Check, ...]


def scan(tables: Viewed, name: str, *, as_of: date) -> Scanned:
    """Count rows, missing values and faults of single rows, in one scan.

    Parameters
    ----------
    tables : Viewed
        The tables as known on `as_of`.
    name : str
        One of them.
    as_of : date
        Last day that is known.

    Returns
    -------
    Scanned
        With examples where a check fails, which cost a query each.
    """
    rows, backend, mapped = tables.table(name), tables.backend(name), tables.mapped(name)
    rules = rules_of(TABLES[name], rows, mapped)
    others: dict[str, ir.Scalar] = {
        f"null_{i}": rows.count(where=rows[c].isnull()) for i, c in enumerate(mapped)
    }
    others["total"] = rows.count()
    appears = moment(rows, TABLES[name])
    if appears is not None:
        known = appears.cast("date")  # plans may lie ahead
        others["newest"] = known.max(where=known <= as_of)
    counts, found = count(rows, rules, backend, **others)
    total = found["total"]
    uncast = {u.column: u for u in tables.tables.uncast(name)}
    judged = (
        _judged(tables, name, r, n, total, uncast) for r, n in zip(rules, counts, strict=True)
    )
    return Scanned(
        table=name,
        rows=total,
        newest=found.get("newest"),
        missing={c: found[f"null_{i}"] for i, c in enumerate(mapped)},
        checks=(_presence(name, total, as_of), *_schema(tables, name, uncast, total), *judged),
    )


def freshness(scanned: Scanned, *, as_of: date, longest: int) -> tuple[Check, ...]:
    """Check that a table in which something happens all the time reaches the last days.

    Parameters
    ----------
    scanned : Scanned
        The table.
    as_of : date
        Last day that is known.
    longest : int
        Days without a new row after which it is stale.

    Returns
    -------
    tuple of Check
        Empty for tables that may rest.
    """
    name, newest = scanned.table, scanned.newest
    if name not in FLOWING or newest is None:
        return ()
    stale = (as_of - newest).days >= longest
    due = as_of - timedelta(days=longest - 1)
    check = Check(
        table=name,
        column=TABLES[name].appears or "",
        check="freshness",
        severity="warning",
        failing=int(stale),
        rows=scanned.rows,
        examples=(newest.isoformat(),) if stale else (),
        message=f"the newest row is of {newest}, but one since {due} is due",
        fix="check that the export ran to the end of the period",
    )
    return (check,)


def _presence(name: str, total: int, as_of: date) -> Check:
    return Check(
        table=name,
        column="",
        check="missing",
        severity="error",
        failing=int(not total),
        rows=total,
        examples=(),
        message=f"there is no row on or before {as_of}",
        fix="check the export and where; choose a later period if the data start later",
    )


def _schema(tables: Viewed, name: str, uncast: Mapping[str, Uncast], total: int) -> list[Check]:
    checks = []
    for column in TABLES[name].columns:
        if column.name not in tables.mapped(name) or column.kind not in _WORDS:
            continue
        found = uncast.get(column.name)
        failing = found.failing if found else 0
        check = Check(
            table=name,
            column=column.name,
            check="schema",
            severity=severity(name, column.name, failing, total, TABLES[name].required),
            failing=failing,
            rows=total,
            examples=found.examples if found else (),
            message=f"{column.name} holds what is not {_WORDS[column.kind]}",
            fix=f"correct the values in the source; until then {column.name} is missing there",
        )
        checks.append(check)
    return checks


def _judged(
    tables: Viewed, name: str, rule: Rule, failing: int, total: int, uncast: Mapping[str, Uncast]
) -> Check:
    rows = tables.table(name)
    if rule.check == "missing" and rule.column in uncast:  # what is unreadable is not missing
        failing -= uncast[rule.column].failing
        rows = tables.tables.raw(name)
        rule = replace(rule, bad=rows[rule.column].isnull())
    first: tuple[str, ...] = ()
    if failing:
        label = label_of(rows, _identity(tables, name, rule.column))
        first = examples(rows, rule, tables.backend(name), label)
    worst = severity(name, rule.column, failing, total, TABLES[name].required)
    return Check(
        table=name,
        column=rule.column,
        check=rule.check,
        severity="warning" if rule.warning else worst,
        failing=failing,
        rows=total,
        examples=first,
        message=rule.message,
        fix=rule.fix,
    )


def _identity(tables: Viewed, name: str, besides: str) -> tuple[str, ...]:
    """Columns that tell a reader which row is meant, other than the one at fault."""
    mapped = tables.mapped(name)
    key = tuple(c for c in tables.key(name) if c != besides)
    others = dict.fromkeys(("account_id", *TABLES[name].required, *mapped))
    usable = tuple(c for c in others if c in mapped and c != besides)
    return key or usable[:1] or (besides,)
