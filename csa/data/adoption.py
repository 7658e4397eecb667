"""What the chapter on adoption reads of a workspace: use, and what else there is beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.data.sources.absent import missing
from csa.data.workspace import Workspace
from csa.errors import NotAvailable

Since = Literal["contract", "signup", "first use"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adoption:
    """Use of the product by accounts of a segment, and what it can be compared with.

    `recorded`: all days of use, of whatever segment. `days`, `features`: roll-ups `user_days` and
    `feature_months`. `customers`: times as a
    customer (`account_id`, `group`, `start_on`, `end_on`, `mrr_minor`, `observed_from`), which
    begin with what `since` says. `licences`: roll-up, None without subscriptions. `launched`:
    `feature`, `area`, `launched_on`, None without the table features. `opens`, `runs`, `readers`:
    of the kit's own reports, None where nothing is recorded. `why`: what is missing, by table.
    """

    recorded: ir.Table
    days: ir.Table
    features: ir.Table
    customers: ir.Table
    since: Since
    licences: ir.Table | None
    launched: pd.DataFrame | None
    opens: pd.DataFrame | None
    runs: pd.DataFrame | None
    readers: pd.DataFrame | None
    why: Mapping[str, str]


def adoption(workspace: Workspace, *, by: str = "segment") -> Adoption:
    """Open what a workspace knows of the use of the product.

    Parameters
    ----------
    workspace : Workspace
        Its segment limits the accounts.
    by : str
        Column of accounts by which rows are grouped.

    Returns
    -------
    Adoption
        All but the use itself may be missing.

    Raises
    ------
    NotAvailable
        If there are no usage events.
    InputError
        If accounts have no such column or segment.
    """
    days = workspace.user_days(by=by)
    why: dict[str, str] = {}
    customers, since = _customers(workspace, days, by, why)
    licences = None
    if "subscriptions" not in why:
        licences = workspace.licences(by=by)
    return Adoption(
        recorded=workspace.rollup("user_days"),
        days=days,
        features=workspace.feature_months(by=by),
        customers=customers,
        since=since,
        licences=licences,
        launched=_rows(workspace, "features", ("feature", "area", "launched_on"), why),
        opens=_rows(workspace, "report_opens", ("edition", "person", "opened_at"), why),
        runs=_rows(workspace, "report_runs", ("edition", "finished_at", "status"), why),
        readers=_rows(workspace, "staff", ("person_id", "role"), why),
        why=why,
    )


def _customers(
    workspace: Workspace, days: ir.Table, by: str, why: dict[str, str]
) -> tuple[ir.Table, Since]:
    """Tell times as a customer: by contract, else since the signup, else since the first use."""
    nothing = {"end_on": ibis.null("date"), "mrr_minor": ibis.null("int64")}
    try:
        spells = workspace.spells(by=by)
    except NotAvailable as error:
        why["subscriptions"] = str(error.faults[0])
    else:
        names = ("account_id", "group", "start_on", "end_on", "mrr_minor", "observed_from")
        return spells.select(*names), "contract"
    first = days.group_by("account_id", "group", "observed_from").agg(start_on=days.day.min())
    if "accounts" not in workspace.tables:
        return first.mutate(**nothing), "first use"
    accounts = workspace.rollup("accounts")
    accounts = accounts.select("account_id", signed_up_on=accounts.signed_up_on.cast("date"))
    joined = first.inner_join(accounts, "account_id")
    start = ibis.coalesce(joined.signed_up_on, joined.start_on)
    return joined.mutate(start_on=start, **nothing).drop("signed_up_on"), "signup"


def _rows(
    workspace: Workspace,
    table: str,
    columns: tuple[str, ...],
    why: dict[str, str],
) -> pd.DataFrame | None:
    """Rows of a small table, None where it is not there."""
    if table not in workspace.tables:
        why[table] = missing(table)
        return None
    rows = workspace.tables.table(table)
    there = [name for name in columns if name in rows.columns]
    found: pd.DataFrame = rows.select(*there).to_pandas()
    return found.reindex(columns=list(columns))
