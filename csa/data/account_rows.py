"""Roll-up of accounts: the dimension of every breakdown."""

from typing import TYPE_CHECKING

import ibis.expr.types as ir

if TYPE_CHECKING:
    from csa.data.rollups import RollupContext


def accounts(table: ir.Table, ctx: "RollupContext") -> ir.Table:
    """Accounts with their attributes as they are: the dimension of every breakdown.

    Parameters
    ----------
    table : ir.Table
        The table `accounts`.
    ctx : RollupContext
        Accounts that signed up after `as_of` are left out; those without a day of signup stay.

    Returns
    -------
    ir.Table
        One row per account, with `signup_year` (text), its cohort, unless there is one already.
    """
    later = table.signed_up_on > ctx.as_of
    known = table.filter(table.account_id.notnull(), ~later | table.signed_up_on.isnull())
    if "signup_year" in table.columns:
        return known
    return known.mutate(signup_year=known.signed_up_on.year().cast("string"))
