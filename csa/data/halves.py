"""The two ways of being a customer, with and without a contract, each where there are data for it.

A chapter with two halves must not fail as a whole because a workspace has one of them. Here a half
is there or None, with the reason in words, so that a notebook can write `half and analysis(...)`.
"""

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
    """Why a half is not there: its table, whether it is missing, and the lines of the refusal."""

    table: str
    missing: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Halves:
    """Customers with and without a contract; of a half that is None, `why` has the reason."""

    contracts: Contracts | None
    buyers: Buyers | None
    why: tuple[Absent, ...]


def halves(workspace: Workspace, *, by: str = "segment") -> Halves:
    """Open both halves of a workspace.

    Parameters
    ----------
    workspace : Workspace
        Its segment limits both.
    by : str
        Column of accounts by which rows are grouped.

    Returns
    -------
    Halves
        A half whose table is missing, refused or blocked by a failing check is None.

    Raises
    ------
    NotAvailable
        If neither half is there, with both reasons.
    """
    why: list[Absent] = []
    contracts: Contracts | None = None
    buyers: Buyers | None = None
    try:
        buyers = Buyers(purchases=workspace.purchases(by=by))
    except NotAvailable as error:
        why.append(_absent(workspace, "transactions", error))
    try:
        contracts = _contracts(workspace, by, buyers)
    except NotAvailable as error:
        why.append(_absent(workspace, "subscriptions", error))
    if contracts is None and buyers is None:
        raise NotAvailable(*(line for absent in why for line in absent.lines))
    return Halves(contracts=contracts, buyers=buyers, why=tuple(why))


def _contracts(workspace: Workspace, by: str, buyers: Buyers | None) -> Contracts:
    spells, months = workspace.spells(by=by), workspace.months(by=by)
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
    return Absent(table=table, missing=table not in workspace.tables, lines=tuple(error.faults))
