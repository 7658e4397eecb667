"""The two ways of being a customer, with and without a contract, each where there are data for it.

A chapter with two halves must not fail as a whole because a workspace has one of them. Here a half
is there or None, with the reason in words, so that a notebook can write `half and analysis(...)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from csa.data.groups import ALL
from csa.data.workspace import Workspace
from csa.errors import NotAvailable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contracts:
    """What is known of customers under contract; `accounts` are those that do not merely buy."""

    spells: ir.Table
    months: ir.Table
    accounts: ir.Table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Buyers:
    """What is known of customers without a contract."""

    purchases: ir.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Why a half is not there: its table, and the lines of the refusal, none where it is missing.

    `found` says whether the table is there, `lines` why it cannot be used; without any lines it
    has no row of the accounts asked for.
    """

    table: str
    found: bool
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Halves:
    """Customers with and without a contract; of a half that is None, `why` tells why, by table."""

    contracts: Contracts | None
    buyers: Buyers | None
    why: Mapping[str, Absent]


def halves(workspace: Workspace, *, by: str = "segment", needed: bool = True) -> Halves:
    """Open both halves of a workspace.

    Parameters
    ----------
    workspace : Workspace
        Its segment limits both.
    by : str
        Column of accounts by which rows are grouped.
    needed : bool
        Whether to refuse where neither half is there.

    Returns
    -------
    Halves
        A half whose table is missing, refused, blocked by a failing check or without a row of
        the segment is None.

    Raises
    ------
    NotAvailable
        If neither half is there, with both reasons.
    """
    why: list[Absent] = []
    found: list[str] = []
    contracts: Contracts | None = None
    buyers: Buyers | None = None
    try:
        purchases = workspace.purchases(by=by)
        if _some(purchases):
            buyers = Buyers(purchases=purchases)
        else:
            why.append(Absent(table="transactions", found=True))
    except NotAvailable as error:
        found += error.faults
        why.append(_absent(workspace, "transactions", error))
    try:
        spells = workspace.spells(by=by)
        if _some(spells):
            contracts = _contracts(workspace, by, spells, buyers)
        else:
            why.append(Absent(table="subscriptions", found=True))
    except NotAvailable as error:
        found += error.faults
        why.append(_absent(workspace, "subscriptions", error))
    if needed and contracts is None and buyers is None:
        raise NotAvailable(*(found or ["nobody has bought or subscribed to anything yet"]))
    return Halves(contracts=contracts, buyers=buyers, why={absent.table: absent for absent in why})


def _some(rows: ir.Table) -> bool:
    return bool(rows.limit(1).count().to_pyarrow().as_py())


def _contracts(workspace: Workspace, by: str, spells: ir.Table, buyers: Buyers | None) -> Contracts:
    months = workspace.months(by=by)
    accounts = _accounts(workspace, spells)
    if buyers is not None:
        merely = buyers.purchases.anti_join(spells, "account_id")
        accounts = accounts.anti_join(merely, "account_id")
    return Contracts(spells=spells, months=months, accounts=accounts)


def _accounts(workspace: Workspace, spells: ir.Table) -> ir.Table:
    """Accounts of the segment; without the table, those that have a subscription."""
    if "accounts" not in workspace.tables:
        started = spells.group_by("account_id").agg(signed_up_on=spells.start_on.min())
        return started.mutate(acquisition_cost=ibis.null("float64"))
    accounts = workspace.rollup("accounts")
    if workspace.segment == ALL:
        return accounts
    return accounts.filter(accounts.segment == workspace.segment)


def _absent(workspace: Workspace, table: str, error: NotAvailable) -> Absent:
    there = table in workspace.tables
    return Absent(table=table, found=there, lines=tuple(error.faults) if there else ())
