"""Tables of active people and accounts, of how often they come, and of licences."""

from typing import Final

import pandas as pd

from csa.analysis.adoption.actives import MEASURES, Actives
from csa.analysis.adoption.depth import Depth
from csa.analysis.adoption.stickiness import Stickiness
from csa.analysis.adoption.utilisation import Utilisation
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.names import capital
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()
UNITS: Final = {"users": "People", "accounts": "Accounts"}


def active_users(result: Actives, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Active people and accounts by group: on a day, in a week, in four weeks.

    Parameters
    ----------
    result : Actives
        From `csa.analysis.adoption.actives.actives`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        People first, all accounts last in each.
    """
    parts = []
    for unit, name in UNITS.items():
        own = result.table.loc[result.table["unit"] == unit]
        wide = own.pivot_table(index="group", columns="measure", values="value", sort=False)
        month = own.loc[own["measure"] == "monthly"].set_index("group")
        columns = ["previous", "change", "ci_low", "ci_high", "reason"]
        both = wide.join(month[columns]).reset_index().assign(who=name)
        parts.append(total_last(both))
    table = pd.concat(parts, ignore_index=True)
    rows = table.assign(group=group_names(table), ends=pairs(table, "ci_low", "ci_high"))
    rows = rows.reindex(columns=[*rows.columns, *{*MEASURES} - set(rows.columns)])
    level = words.share(result.confidence, 0)
    return Table(
        id="active-users-by-group",
        title=f"Active people and accounts, by {spoken(by)}",
        columns=(
            Column("who", "Who"),
            Column("group", capital(spoken(by))),
            Column("daily", "A day", "integer"),
            Column("weekly", "A week", "integer"),
            Column("monthly", "28 days", "integer"),
            Column("previous", "Before", "integer"),
            Column("change", "Change", "share"),
            Column("ends", f"{level} interval", "interval", "share"),
        ),
        rows=rows,
        note="A day and a week: means of the last four weeks. Change and interval: of 28 days. "
        + reasons(rows),
        empty="No use is recorded.",
        words=words,
    )


def use_by_group(
    sticky: Stickiness, used: Depth, *, by: str = "segment", words: Words = ENGLISH
) -> Table:
    """Stickiness and use per person, by group.

    Parameters
    ----------
    sticky : Stickiness
        From `csa.analysis.adoption.stickiness.stickiness`.
    used : Depth
        From `csa.analysis.adoption.depth.depth`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        All accounts last.
    """
    rows = total_last(sticky.table)
    wide = used.table.pivot_table(index="group", columns="measure", values="value")
    wide = wide.reindex(columns=["days", "sessions", "events", "seconds"])
    rows = rows.drop(columns="days").merge(wide.reset_index(), on="group", how="left")
    rows = rows.assign(
        group=group_names(rows),
        ends=pairs(rows, "ci_low", "ci_high"),
        minutes=rows["seconds"] / 60,
    )
    level = words.share(sticky.confidence, 0)
    optional = {"sessions": "Sessions", "events": "Uses", "minutes": "Minutes a day of use"}
    return Table(
        id="use-by-group",
        title=f"How often people come, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("users", "People", "integer"),
            Column("value", "Stickiness", "share"),
            Column("ends", f"{level} interval", "interval", "share"),
            Column("change", "Change", "change", "share"),
            Column("days", "Days", "number", "one"),
            *(
                Column(key, label, "number", "one")
                for key, label in optional.items()
                if rows[key].notna().any()
            ),
        ),
        rows=rows,
        note="Days, sessions and uses: per active person in 28 days. " + reasons(rows),
        empty="No event names a person.",
        words=words,
    )


def licences_by_group(
    result: Utilisation | None, *, by: str = "segment", words: Words = ENGLISH
) -> Table:
    """Licence utilisation by group.

    Parameters
    ----------
    result : Utilisation or None
        From `csa.analysis.adoption.utilisation.utilisation`; None without subscriptions.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        All accounts last.
    """
    empty = ["group", "users", "seats", "value", "ends", "previous", "change", "n", "reason"]
    rows = pd.DataFrame(columns=empty)
    level = "95%"
    if result is not None and len(result.table):
        table = total_last(result.table)
        rows = table.assign(group=group_names(table), ends=pairs(table, "ci_low", "ci_high"))
        level = words.share(result.confidence, 0)
    return Table(
        id="licences-by-group",
        title=f"Licence utilisation, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("n", "Accounts", "integer"),
            Column("seats", "Licences", "integer"),
            Column("users", "People a day", "integer"),
            Column("value", "Used", "share"),
            Column("ends", f"{level} interval", "interval", "share"),
            Column("change", "Change", "change", "share"),
        ),
        rows=rows,
        note=reasons(rows),
        empty="No subscription states its seats.",
        words=words,
    )


def licences_by_use(result: Utilisation | None, *, words: Words = ENGLISH) -> Table:
    """Accounts and licences by how much of an account's licences is used.

    Parameters
    ----------
    result : Utilisation or None
        As for `licences_by_group`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        From none used to more people than licences.
    """
    rows = pd.DataFrame(columns=["band", "accounts", "seats", "share"])
    if result is not None and result.bands["accounts"].sum():
        names = {"none": "none", "more": "more than all"}
        rows = result.bands.assign(band=[capital(names.get(b, b)) for b in result.bands["band"]])
    return Table(
        id="licences-by-use",
        title="Accounts by the share of their licences that is used",
        columns=(
            Column("band", "Used on a business day"),
            Column("accounts", "Accounts", "integer"),
            Column("seats", "Licences", "integer"),
            Column("share", "Of all licences", "share"),
        ),
        rows=rows,
        empty="No subscription states its seats.",
        words=words,
    )
