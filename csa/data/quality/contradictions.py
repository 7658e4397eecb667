"""Contradictions: rows that cannot be true together with another table.

The tables are joined on one engine, and all rules over the same rows are counted in one scan.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from csa.data.quality.key_checks import meeting
from csa.data.quality.rules import Check, Rule, count, examples, label_of
from csa.data.quality.viewed import Viewed
from csa.data.schema import TABLES

_NEVER = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Met:
    """Rows joined with what they are compared with, on one engine, and the rules over them."""

    table: str
    rows: ir.Table
    backend: BaseBackend
    rules: tuple[Rule, ...]


def contradictions(tables: Viewed, name: str, total: int) -> Iterator[Check]:
    """Check a table against others that must agree with it.

    Parameters
    ----------
    tables : Viewed
        The tables.
    name : str
        The table whose rows are at fault where they do not agree.
    total : int
        Its number of rows.

    Yields
    ------
    Check
        One per contradiction for which all columns are there.
    """
    for meet in _MEETINGS.get(name, ()):
        met = meet(tables, name)
        if met is None:
            continue
        counts, _ = count(met.rows, met.rules, met.backend)
        for rule, failing in zip(met.rules, counts, strict=True):
            label = met.rows["label"]
            yield Check(
                table=name,
                column=rule.column,
                check="contradiction",
                severity="warning",
                failing=failing,
                rows=total,
                examples=examples(met.rows, rule, met.backend, label) if failing else (),
                message=rule.message,
                fix=rule.fix,
            )


def _has(tables: Viewed, name: str, *columns: str) -> bool:
    return name in tables and set(columns) <= set(tables.mapped(name))


def _signup(tables: Viewed) -> ir.Table:
    """First day of each account: signup, or the trial before it."""
    rows = tables.table("accounts")
    rows = rows.select(
        "account_id",
        since=ibis.least(
            rows.signed_up_on, ibis.coalesce(rows.trial_started_on, rows.signed_up_on)
        ),
    )
    known = rows.filter(rows.account_id.notnull())
    return known.group_by("account_id").agg(since=known.since.min())


def _labelled(tables: Viewed, name: str, day: str, *others: str) -> ir.Table:
    rows = tables.table(name)
    label = label_of(rows, tables.key(name)[:1] or ("account_id",))
    return rows.select("account_id", *others, label=label, day=rows[day].cast("date"))


def _before_signup(column: str, rows: ir.Table) -> Rule:
    return Rule(
        column=column,
        check="contradiction",
        bad=rows.day < rows.since,
        message=f"{column} is before the account signed up",
        fix="correct signed_up_on in accounts (take the first day with us), or the date here",
        shown=("day", "since"),
    )


def _early(tables: Viewed, name: str) -> Met | None:
    """Rows before their account signed up."""
    column = TABLES[name].appears
    if column is None or not _has(tables, name, column) or not _has(tables, "accounts"):
        return None
    pieces = {name: _labelled(tables, name, column), "accounts": _signup(tables)}
    (here, signup), backend = meeting(tables, pieces)
    rows = here.join(signup, "account_id")
    return Met(name, rows, backend, (_before_signup(column, rows),))


def _paid_until(tables: Viewed) -> ir.Table:
    """Day on which the last subscription of each account ended."""
    rows = tables.table("subscriptions")
    ends = ibis.coalesce(rows.end_on, ibis.literal(_NEVER))
    return rows.group_by("account_id").agg(until=ends.max())


def _used(tables: Viewed, name: str) -> Met | None:
    """Use of the product before signup, after the last subscription, or before the launch."""
    if not _has(tables, name, "account_id", "occurred_at"):
        return None
    pieces = {name: _labelled(tables, name, "occurred_at", "feature")}
    makers: dict[str, Callable[[Viewed], ir.Table]] = {
        "accounts": _signup,
        "subscriptions": _paid_until,
    }
    if _has(tables, name, "feature") and _has(tables, "features", "launched_on"):
        makers["features"] = _launch
    pieces |= {other: make(tables) for other, make in makers.items() if other in tables}
    found, backend = meeting(tables, pieces)
    joined = dict(zip(pieces, found, strict=True))
    rows = joined.pop(name)
    for other, with_it in joined.items():
        rows = rows.left_join(with_it, "feature" if other == "features" else "account_id")
        rows = rows.drop(*(c for c in rows.columns if c.endswith("_right")))
    made = {
        "accounts": lambda: _before_signup("occurred_at", rows),
        "subscriptions": lambda: _after_end(rows, tables.tables.settings.data.grace_days),
        "features": lambda: _before_launch(rows),
    }
    rules = tuple(made[other]() for other in joined)
    return Met(name, rows, backend, rules) if rules else None


def _launch(tables: Viewed) -> ir.Table:
    rows = tables.table("features")
    return rows.group_by("feature").agg(launched=rows.launched_on.min())


def _after_end(rows: ir.Table, grace_days: int) -> Rule:
    return Rule(
        column="occurred_at",
        check="contradiction",
        bad=rows.day.delta(rows.until, unit="day") > grace_days,
        message=f"use more than {grace_days} days after the account's last subscription had ended",
        fix="look for subscriptions that are missing or closed too early, or for free use",
        shown=("day", "until"),
    )


def _before_launch(rows: ir.Table) -> Rule:
    return Rule(
        column="feature",
        check="contradiction",
        bad=rows.day < rows.launched,
        message="a feature is used before its launch",
        fix="correct launched_on in features",
        shown=("feature", "day", "launched"),
    )


def _converted(tables: Viewed, name: str) -> Met | None:
    """Accounts said to have become customers that never had a subscription."""
    if not _has(tables, name, "converted_on") or "subscriptions" not in tables:
        return None
    paying = tables.table("subscriptions").group_by("account_id").agg(times=lambda t: t.count())
    pieces = {name: _labelled(tables, name, "converted_on"), "subscriptions": paying}
    (here, there), backend = meeting(tables, pieces)
    rows = here.left_join(there, "account_id")
    rule = Rule(
        column="converted_on",
        check="contradiction",
        bad=rows.day.notnull() & rows.times.isnull(),
        message="converted_on is set, but the account never had a subscription",
        fix="add the missing subscriptions, or empty converted_on",
        shown=("day",),
    )
    return Met(name, rows, backend, (rule,))


def _exposed(tables: Viewed, name: str) -> Met | None:
    """Exposure to a campaign that had not begun."""
    if not _has(tables, name, "exposed_at") or not _has(tables, "campaigns", "started_on"):
        return None
    campaigns = tables.table("campaigns")
    begun = campaigns.group_by("campaign_id").agg(begun=campaigns.started_on.min())
    here = _labelled(tables, name, "exposed_at", "campaign_id")
    (here, there), backend = meeting(tables, {name: here, "campaigns": begun})
    rows = here.join(there, "campaign_id")
    rule = Rule(
        column="exposed_at",
        check="contradiction",
        bad=rows.day < rows.begun,
        message="exposed_at is before the campaign started",
        fix="correct started_on in campaigns, or exposed_at",
        shown=("day", "begun"),
    )
    return Met(name, rows, backend, (rule,))


_Meet = Callable[[Viewed, str], Met | None]
_MEETINGS: Mapping[str, tuple[_Meet, ...]] = {
    "accounts": (_converted,),
    "subscriptions": (_early,),
    "transactions": (_early,),
    "usage_events": (_used,),
    "surveys": (_early,),
    "tickets": (_early,),
    "interventions": (_early,),
    "campaign_accounts": (_exposed,),
}
