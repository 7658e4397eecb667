"""What a workspace knows of its sales side, each part where there are data for it.

A chapter must not fail as a whole because a workspace has no trials or no opportunities. Here a
part is there or None, with the reason in words, so that a notebook can write
`part and analysis(...)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import ibis.expr.types as ir

from csa.data.workspace import Workspace
from csa.errors import NotAvailable
from csa.settings import FILE

TRIALS: Final = (
    "no account states the first day of a trial",
    f"Map accounts.trial_started_on and accounts.converted_on in {FILE}; where nobody can try the "
    "product for free there is nothing to do.",
)
RENEWALS: Final = (
    "no subscription states its day of renewal",
    f"Map subscriptions.renews_on (and billing_months) in {FILE}; contracts from month to month "
    "have none.",
)
SALES: Final = (
    "there is no opportunity of these accounts up to this day",
    "Nothing to do if that is so.",
)
COSTS: Final = (
    "no account states what it cost to win",
    f"Map accounts.acquisition_cost in {FILE}: marketing and sales spent on the account.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Why a part is not there, and what to do about it."""

    why: str
    way_out: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sold:
    """The sales side; of a part that is None, `gaps` tells why, by name of the part.

    `trials`: accounts, some with a trial. `contracts`: paid subscription rows, some with a day of
    renewal. `opportunities`. `costs`: accounts, some with what they cost to win; those that
    merely buy without a contract are left out.
    """

    trials: ir.Table | None
    contracts: ir.Table | None
    opportunities: ir.Table | None
    costs: ir.Table | None
    gaps: Mapping[str, Gap]


def sold(workspace: Workspace, *, by: str = "segment") -> Sold:
    """Open the sales side of a workspace.

    Parameters
    ----------
    workspace : Workspace
        Its segment limits all parts.
    by : str
        Column of accounts by which rows are grouped.

    Returns
    -------
    Sold
        A part whose table is missing, refused, blocked by a failing check or without the days and
        amounts that it needs is None.
    """
    gaps: dict[str, Gap] = {}
    signups = trials = costs = None
    try:
        signups = workspace.signups(by=by)
        trials = _with(signups, "trial_started_on", gaps, ("trials", *TRIALS))
        costs = _with(signups, "acquisition_cost", gaps, ("costs", *COSTS))
    except NotAvailable as error:
        gaps |= dict.fromkeys(("trials", "costs"), _refused(error))
    contracts = opportunities = None
    try:
        contracts = workspace.contract_rows(by=by)
        contracts = _with(contracts, "renews_on", gaps, ("contracts", *RENEWALS))
    except NotAvailable as error:
        gaps["contracts"] = _refused(error)
    try:
        opportunities = workspace.opportunities(by=by)
        sale = ("opportunities", *SALES)
        opportunities = _with(opportunities, "account_id", gaps, sale)
    except NotAvailable as error:
        gaps["opportunities"] = _refused(error)
    return Sold(
        trials=trials,
        contracts=contracts,
        opportunities=opportunities,
        costs=None if costs is None else _under_contract(workspace, costs),
        gaps=gaps,
    )


def _with(
    rows: ir.Table, column: str, gaps: dict[str, Gap], told: tuple[str, str, str]
) -> ir.Table | None:
    """Keep rows of which at least one states a column; else note the gap."""
    if rows.drop_null(column).limit(1).count().to_pyarrow().as_py():
        return rows
    part, why, way_out = told
    gaps[part] = Gap(why=why, way_out=way_out)
    return None


def _refused(error: NotAvailable) -> Gap:
    first, *rest = error.faults
    why, _, way_out = first.partition("; ")
    rest = [way_out[:1].upper() + way_out[1:], *rest] if way_out else rest
    return Gap(why=why.rstrip("."), way_out=" ".join(rest) or "See the data quality chapter.")


def _under_contract(workspace: Workspace, accounts: ir.Table) -> ir.Table:
    """Leave out accounts that have bought but never had a contract."""
    try:
        bought = workspace.rollup("purchases").select("account_id").distinct()
        paid = workspace.rollup("contract_rows").select("account_id").distinct()
    except NotAvailable:
        return accounts
    return accounts.anti_join(bought.anti_join(paid, "account_id"), "account_id")
