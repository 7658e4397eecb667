"""Tables of renewals: what came of them, which come next, and what was forecast."""

from typing import Final

import pandas as pd

from csa.analysis.revenue.foretold import Foretold
from csa.analysis.revenue.renewals import Renewals
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()
SHOWN: Final = 15


def renewals_by_group(result: Renewals, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """List what came of the renewals settled in the period, by group.

    Parameters
    ----------
    result : Renewals
        From `csa.analysis.revenue.renewals.renewals`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        All accounts last.
    """
    table = total_last(result.table)
    rows = table.assign(
        group=group_names(table),
        ends=pairs(table, "ci_low", "ci_high"),
        revenue_ends=pairs(table, "revenue_low", "revenue_high"),
        due=table["due_minor"].map(lambda m: major(m, words)),
    )
    level = words.share(result.confidence, 0)
    return Table(
        id="renewals-by-group",
        title=f"Renewals settled in the period, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("n", "Settled", "integer"),
            Column("expanded", "Grew", "integer"),
            Column("renewed", "Same", "integer"),
            Column("contracted", "Shrank", "integer"),
            Column("lost", "Lost", "integer"),
            Column("rate", "Renewed", "share"),
            Column("ends", f"{level} interval", "interval", "share"),
            Column("due", "Due", "money"),
            Column("revenue_rate", "Kept of it", "share"),
            Column("revenue_ends", f"{level} interval", "interval", "share"),
            Column("open", "Open", "integer"),
        ),
        rows=rows,
        note="; ".join(t for t in ("due: a month", reasons(rows)) if t),
        words=words,
    )


def renewals_next(
    due: pd.DataFrame,
    *,
    names: pd.DataFrame,
    audience: str = "all",
    words: Words = ENGLISH,
) -> Table:
    """List the contracts that come up for renewal, with their owners.

    Parameters
    ----------
    due : DataFrame
        From `csa.analysis.revenue.foretold.with_risk`.
    names : DataFrame
        `account_id`, `name`, `owner`.
    audience : str
        "external" is shown no single account.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        The largest first, at most 15.
    """
    outside = audience == "external"
    by = "at_risk_minor" if due["risk"].notna().any() else "due_minor"
    order = due.sort_values([by, "due_on", "account_id"], ascending=[False, True, True])
    rows = order.iloc[:0] if outside else order.head(SHOWN)
    who = names.drop_duplicates("account_id")[["account_id", "name", "owner"]]
    rows = rows.merge(who, on="account_id", how="left")
    rows = rows.assign(
        account=rows["name"].fillna(rows["account_id"]),
        due=rows["due_minor"].map(lambda m: major(m, words)),
        loss=rows["at_risk_minor"].map(lambda m: major(m, words)),
    )
    rest = 0 if outside else len(due) - len(rows)
    risky = (
        (Column("risk", "Chance to leave", "share"), Column("loss", "At risk", "money"))
        if by == "at_risk_minor"
        else ()
    )
    empty = "No contract comes up for renewal."
    return Table(
        id="renewals-next",
        title="The next renewals, those with most at stake first",
        columns=(
            Column("account", "Account"),
            Column("owner", "Owner"),
            Column("group", "Group"),
            Column("due_on", "Due on", "date"),
            Column("due", "A month", "money"),
            *risky,
        ),
        rows=rows,
        note=f"{words.number(rest)} more are not shown" if rest > 0 else "",
        empty="Single accounts are not shown to readers outside." if outside else empty,
        words=words,
    )


def renewal_register(result: Foretold, *, words: Words = ENGLISH) -> Table:
    """List by month what was forecast of renewals and what came.

    Parameters
    ----------
    result : Foretold
        From `csa.analysis.revenue.foretold.foretold`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        The latest last.
    """
    table = result.months
    told = table["forecast_minor"] > 0
    rows = table.assign(
        period=[f"{day:%Y-%m}" for day in table["month_start"]],
        forecast=table["forecast_minor"].where(told).map(lambda m: major(m, words)),
        came=table["came_minor"].where(told).map(lambda m: major(m, words)),
        share=(table["came_minor"] / table["forecast_minor"].where(told)),
    )
    return Table(
        id="renewal-register",
        title="Renewals: what was forecast before the day, and what came",
        columns=(
            Column("period", "Due in"),
            Column("due", "Settled", "integer"),
            Column("with_forecast", "With a forecast", "integer"),
            Column("forecast", "Forecast, a month", "money"),
            Column("came", "Came, a month", "money"),
            Column("share", "Came of it", "share"),
        ),
        rows=rows,
        empty="No renewal has been settled yet.",
        words=words,
    )
