"""Tables of power users, of engaged accounts and of those that fell off, and of our readers."""

from typing import Final

import pandas as pd

from csa.analysis.adoption.engagement import Engagement
from csa.analysis.adoption.engagement_parts import PARTS
from csa.analysis.adoption.power import PowerUsers
from csa.analysis.adoption.readers import MONTHS_DAYS, Readers
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()
EXTERNAL: Final = "external"  # audience that is shown no account
MOST: Final = 20
NOT_STATED: Final = "not stated"


def power_users(result: PowerUsers, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Share of people who come often, and of the use that is theirs, by group.

    Parameters
    ----------
    result : PowerUsers
        From `csa.analysis.adoption.power.power_users`.
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
    rows = table.assign(group=group_names(table), ends=pairs(table, "ci_low", "ci_high"))
    return Table(
        id="power-users-by-group",
        title=f"People on {result.often} of 28 days or more, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("users", "People", "integer"),
            Column("power_users", "Come often", "integer"),
            Column("share", "Share", "share"),
            Column("ends", f"{words.share(result.confidence, 0)} interval", "interval", "share"),
            Column("change", "Change", "change", "share"),
            Column("events_share", "Of all use", "share"),
        ),
        rows=rows,
        note=reasons(rows),
        empty="No event names a person.",
        words=words,
    )


def engagement(result: Engagement, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Mean score and its parts, by group.

    Parameters
    ----------
    result : Engagement
        From `csa.analysis.adoption.engagement.engagement`.
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
    rows = table.assign(group=group_names(table), ends=pairs(table, "ci_low", "ci_high"))
    known = [part for part in PARTS if rows[part].notna().any() and result.weights[part] > 0]
    weights = ", ".join(f"{p} {words.share(result.weights[p], 0)}" for p in PARTS)
    return Table(
        id="engagement-by-group",
        title=f"Engagement score and its parts, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("n", "Accounts", "integer"),
            Column("score", "Score", "number", "one"),
            Column("ends", f"{words.share(result.confidence, 0)} interval", "interval", "one"),
            Column("change", "Change", "change", "one"),
            *(Column(part, capital(part), "number", "one") for part in known),
            Column("coverage", "Weights known", "share"),
        ),
        rows=rows,
        note=f"Weights: {weights}. " + reasons(rows),
        empty="No account has a score.",
        words=words,
    )


def accounts_fallen(
    result: Engagement, names: pd.DataFrame, *, audience: str = "all", words: Words = ENGLISH
) -> Table:
    """List the accounts that lost much of their engagement, largest revenue first.

    Parameters
    ----------
    result : Engagement
        From `csa.analysis.adoption.engagement.engagement`.
    names : DataFrame
        `account_id`, `name`, `owner` of its accounts.
    audience : str
        "external" is shown no single account.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Counts by group for readers outside.
    """
    ident, title = "accounts-fallen", "Accounts that fell off, largest first"
    if audience == EXTERNAL:
        return _fallen_by_group(result, ident, words)
    rows = result.fallen.merge(names[["account_id", "name", "owner"]], on="account_id", how="left")
    rows = rows.assign(
        account=rows["name"].where(rows["name"].notna(), rows["account_id"]),
        owner=rows["owner"].where(rows["owner"].notna(), NOT_STATED),
        mrr=rows["mrr_minor"].map(lambda minor: major(minor, words)),
    )
    more = len(rows) - MOST
    return Table(
        id=ident,
        title=title,
        columns=(
            Column("account", "Account"),
            Column("owner", "Owner"),
            Column("mrr", "MRR", "money"),
            Column("previous", "Score before", "number", "one"),
            Column("score", "Score", "number", "one"),
            Column("change", "Change", "change", "one"),
            Column("last_use", "Last use"),
        ),
        rows=rows.head(MOST).assign(
            last_use=[_ago(x, words) for x in rows["days_since_use"].head(MOST)]
        ),
        note=f"{words.number(more)} more with less revenue." if more > 0 else "",
        empty=f"No account lost {words.number(result.fall)} points or more.",
        words=words,
    )


def report_readers(result: Readers, *, words: Words = ENGLISH) -> Table:
    """List the roles that opened reports.

    Parameters
    ----------
    result : Readers
        From `csa.analysis.adoption.readers.readers`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Most opens first.
    """
    return Table(
        id="report-readers-by-role",
        title=f"Readers of our reports, last {MONTHS_DAYS} days",
        columns=(
            Column("role", "Role"),
            Column("readers", "Readers", "integer"),
            Column("opens", "Opens", "integer"),
            Column("editions", "Editions", "integer"),
        ),
        rows=result.table,
        empty="No opening of a report is recorded.",
        words=words,
    )


def _ago(days: float, words: Words) -> str:
    if not days >= 0:
        return "over 90 days ago"
    return "today" if days == 0 else f"{words.days(days)} ago"


def _fallen_by_group(result: Engagement, ident: str, words: Words) -> Table:
    rows = result.fallen.groupby("group", as_index=False).agg(
        accounts=("account_id", "size"), minor=("mrr_minor", "sum")
    )
    rows = rows.assign(mrr=rows["minor"].map(lambda minor: major(minor, words)))
    return Table(
        id=ident,
        title="Accounts that fell off, by group",
        columns=(
            Column("group", "Group"),
            Column("accounts", "Accounts", "integer"),
            Column("mrr", "Their MRR", "money"),
        ),
        rows=rows,
        empty="None.",
        words=words,
    )
