"""Names and owners of the accounts that a page shows."""

from collections.abc import Sequence
from typing import Final

import ibis
import pandas as pd

from csa.data.workspace import Workspace
from csa.errors import NotAvailable

SHOWN: Final = ("name", "owner", "segment")


def account_names(workspace: Workspace, account_ids: Sequence[str]) -> pd.DataFrame:
    """Return what readers call some accounts, and who looks after them.

    Parameters
    ----------
    workspace : Workspace
        With or without the table accounts.
    account_ids : sequence of str
        Few enough to be shown.

    Returns
    -------
    DataFrame
        `account_id`, `name`, `owner`, `segment`, in the order given; missing where not known.
    """
    asked = pd.DataFrame({"account_id": pd.Series(list(account_ids), dtype=object)})
    try:
        accounts = workspace.rollup("accounts")
    except NotAvailable:
        return asked.assign(**dict.fromkeys(SHOWN))
    wanted = ibis.memtable(asked, schema={"account_id": "string"})
    found = accounts.semi_join(wanted, "account_id").select("account_id", *SHOWN).to_pandas()
    return asked.merge(found.drop_duplicates("account_id"), on="account_id", how="left")


def by_name(workspace: Workspace, rows: pd.DataFrame) -> pd.DataFrame:
    """Write what readers call accounts in place of their keys.

    Parameters
    ----------
    workspace : Workspace
        With or without the table accounts.
    rows : DataFrame
        With `account_id`, few enough to be shown.

    Returns
    -------
    DataFrame
        The same rows; accounts without a name keep their key.
    """
    names = account_names(workspace, list(rows["account_id"]))["name"]
    return rows.assign(account_id=names.set_axis(rows.index).fillna(rows["account_id"]))
