"""Accounts with the group, the segment and the start of observation that other rows join."""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from csa.data.refusals import require_column, require_segment
from csa.data.sources import Tables

ALL = "all"
NOT_STATED = "not stated"
TAKEN = ("account_key", "account_group", "account_segment", "account_seen")


def account_groups(
    accounts: ir.Table, tables: Tables, *, segment: str, by: str, attributes: Sequence[str] = ()
) -> ir.Table:
    """Return what other rows take over from their account.

    Parameters
    ----------
    accounts : ir.Table
        The roll-up `accounts`.
    tables : Tables
        They tell which columns are mapped, and since when accounts have been observed.
    segment : str
        A segment that must exist, or "all".
    by : str
        Column of accounts to group by.
    attributes : sequence of str
        Further columns to carry along.

    Returns
    -------
    ir.Table
        `account_key`, `account_group` (text), `account_segment`, `account_seen` and attributes.

    Raises
    ------
    InputError
        If accounts have no such column or segment.
    """
    for name in (by, *attributes):
        require_column(name, accounts.columns, tables.mapped("accounts"))
    if segment != ALL:
        require_segment(segment, accounts)
    stated = tables.observed_from("accounts")
    seen = ibis.literal(stated) if isinstance(stated, date) else accounts.observed_from
    return accounts.select(
        account_key="account_id",
        account_group=accounts[by].cast("string"),
        account_segment="segment",
        account_seen=seen,
        **{name: accounts[name] for name in attributes},
    )


def grouped(rows: ir.Table, accounts: ir.Table | None, *, segment: str) -> ir.Table:
    """Join rows of accounts with their groups, and limit them to a segment.

    Parameters
    ----------
    rows : ir.Table
        With `account_id`.
    accounts : ir.Table or None
        As `account_groups` gives them; None where there are none.
    segment : str
        Segment to limit to, or "all".

    Returns
    -------
    ir.Table
        The rows with `group` ("not stated" where missing) and `observed_from` of the account.
    """
    if accounts is None:
        return rows.mutate(group=ibis.literal(NOT_STATED), observed_from=ibis.null("date"))
    joined = _joined(rows, accounts, segment)
    return joined.mutate(
        group=joined.account_group.fill_null(NOT_STATED),
        observed_from=joined.account_seen.cast("date"),
    ).drop(*TAKEN)


def spells_of_groups(spells: ir.Table, accounts: ir.Table, *, segment: str) -> ir.Table:
    """Join spells with the groups of their accounts, under observation since the later day.

    Parameters
    ----------
    spells : ir.Table
        The roll-up `spells`.
    accounts : ir.Table
        As `account_groups` gives them.
    segment : str
        Segment to limit to, or "all".

    Returns
    -------
    ir.Table
        The spells with `group`; `observed_from` and `entry_days` count from the later of what
        accounts and subscriptions state.
    """
    joined = _joined(spells, accounts, segment)
    seen = ibis.greatest(
        ibis.coalesce(joined.observed_from, joined.account_seen),
        ibis.coalesce(joined.account_seen, joined.observed_from),
    )
    late = seen.delta(joined.start_on, unit="day")
    return joined.mutate(
        observed_from=seen,
        entry_days=ibis.ifelse(late > 0, late, 0).cast("int64"),
        group=joined.account_group.fill_null(NOT_STATED),
    ).drop(*TAKEN)


def _joined(rows: ir.Table, accounts: ir.Table, segment: str) -> ir.Table:
    joined = rows.left_join(accounts, rows.account_id == accounts.account_key)
    return joined if segment == ALL else joined.filter(joined.account_segment == segment)
