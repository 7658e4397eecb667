"""Who was active when, by what a workspace knows: what cohorts are counted from."""

from dataclasses import dataclass
from typing import Literal, get_args

import ibis
import ibis.expr.types as ir

from csa.data.sources.absent import missing
from csa.data.workspace import Workspace
from csa.errors import InputError, NotAvailable

ActivityKind = Literal["paid", "purchased", "used"]
Begins = Literal["first", "signup"]
Asked = Literal["paid", "purchased", "used", "users"]
OTHERS = {"paid": "purchases", "purchased": "spells"}  # who is active in that way alone is left out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Activity:
    """Who was active when.

    `rows`: `account_id`, `user_id` (of "used"), `group`, `day` (missing: known, never active);
    of "paid" also `until` (first day no longer paid; missing while running); `start` where the
    start is not the first of these days. `unit` is the column of who is counted, `start` that of
    its start, or None. `left_out` counts accounts that began before we would have seen them leave.
    """

    rows: ir.Table
    kind: ActivityKind
    unit: str
    begins: Begins
    start: str | None
    left_out: int


def activity(
    workspace: Workspace,
    *,
    kind: Asked = "paid",
    by: str = "segment",
    begins: Begins = "first",
) -> Activity:
    """Collect activity of a workspace.

    Parameters
    ----------
    workspace : Workspace
        Its segment limits the accounts.
    kind : {"paid", "purchased", "used", "users"}
        What counts as active: a subscription in force, a purchase of which money is left, a use
        of the product by an account, or by a person ("users"). Without any subscriptions, "paid"
        is what was purchased.
    by : str
        Column of accounts by which rows are grouped.
    begins : {"first", "signup"}
        What puts an account into its cohort: its first activity, or its signup.

    Returns
    -------
    Activity
        Accounts that began before the day from which leaving accounts were recorded are left out:
        of those who began with them, only the ones that stayed are in the data.

    Raises
    ------
    NotAvailable
        If the table that it needs is missing or cannot be used; of "paid", if there are no
        purchases either.
    InputError
        If a choice does not exist, or accounts have no such column or segment.
    """
    _check(kind, begins)
    unit = "user_id" if kind == "users" else "account_id"
    way: ActivityKind = "used" if kind == "users" else kind
    if way == "paid" and "subscriptions" not in workspace.tables:
        if "transactions" not in workspace.tables:
            raise NotAvailable(missing("subscriptions"), missing("transactions"))
        way = "purchased"
    rows, start = _rows(workspace, way, by)
    signups = _signups(workspace, by)
    late = _late(rows, signups)
    if begins == "signup":
        if signups is None:
            raise NotAvailable(
                "cohorts by signup need the table accounts with signed_up_on; add it to csa.yml, "
                "or count from the first activity (begins: first)"
            )
        rows, start = _from_signup(workspace, rows, signups, way), "start"
    count = int(late.count().to_pyarrow().as_py())
    rows = rows.anti_join(late, "account_id") if count else rows
    keep = [
        c for c in ("account_id", "user_id", "group", "start", "day", "until") if c in rows.columns
    ]
    return Activity(
        rows=rows.select(*keep),
        kind=way,
        unit=unit,
        begins=begins,
        start=start,
        left_out=count,
    )


def _check(kind: str, begins: str) -> None:
    """Refuse choices that do not exist, all at once."""
    faults = [
        f'{name} "{given}" is not one of {", ".join(known)}'
        for name, given, known in (
            ("activity", kind, get_args(Asked)),
            ("begins", begins, get_args(Begins)),
        )
        if given not in known
    ]
    if kind == "users" and begins == "signup":
        faults.append("users: only accounts sign up; let users begin with their first activity")
    if faults:
        raise InputError(*faults)


def _rows(workspace: Workspace, kind: ActivityKind, by: str) -> tuple[ir.Table, str | None]:
    """Days of activity with group and start of observation; of what is paid, stretches."""
    if kind == "paid":
        spells = workspace.spells(by=by)
        first = spells.start_on.min().over(group_by="account_id")
        spells = spells.mutate(
            start=first, day=spells.start_on, until=spells.end_on, seen=spells.observed_from
        )
        return spells, "start"
    if kind == "purchased":
        bought = workspace.purchases(by=by)
        bought = bought.filter(bought.kind == "purchase")
        return bought.mutate(seen=bought.observed_from), None
    used = workspace.user_days(by=by)
    return used.mutate(seen=used.observed_from), None


def _signups(workspace: Workspace, by: str) -> ir.Table | None:
    """Accounts of the segment with group, day of signup and start of observation."""
    if "accounts" not in workspace.tables:
        return None
    known = workspace.signups(by=by)
    start = known.signed_up_on.cast("date")
    return known.select("account_id", "group", start=start, seen="observed_from").drop_null("start")


def _late(rows: ir.Table, signups: ir.Table | None) -> ir.Table:
    """Accounts that began before leaving accounts were recorded."""
    if "start" in rows.columns:
        return rows.filter(rows.start < rows.seen).select("account_id").distinct()
    if signups is None:
        return rows.filter(ibis.literal(value=False)).select("account_id").distinct()
    late = signups.filter(signups.start < signups.seen).select("account_id").distinct()
    return late.semi_join(rows.select("account_id"), "account_id")


def _from_signup(
    workspace: Workspace, rows: ir.Table, signups: ir.Table, kind: ActivityKind
) -> ir.Table:
    """Start every account at its signup, whether it was ever active or not."""
    keep = [c for c in ("account_id", "user_id", "day", "until") if c in rows.columns]
    joined = signups.left_join(rows.select(*keep), "account_id")
    joined = joined.drop("account_id_right")
    other = OTHERS.get(kind)
    if other is None:
        return joined
    try:
        elsewhere = workspace.rollup(other)
    except NotAvailable:
        return joined
    alone = elsewhere.select("account_id").anti_join(rows, "account_id")
    return joined.anti_join(alone, "account_id")
