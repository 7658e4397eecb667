"""Tables of features: who uses them, how fast they are taken up."""

from typing import Final

import pandas as pd

from csa.analysis.adoption.breadth import Breadth
from csa.analysis.adoption.uptake import Uptake
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.table_rows import pairs
from csa.present.words import Words

ENGLISH: Final = Words()


def features_used(result: Breadth, *, words: Words = ENGLISH) -> Table:
    """List launched features with the share of accounts that use them, most used first.

    Parameters
    ----------
    result : Breadth
        From `csa.analysis.adoption.breadth.breadth`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per feature, those that nobody uses too.
    """
    rows = result.features
    rows = rows.assign(ends=pairs(rows, "ci_low", "ci_high"), area=rows["area"].fillna(""))
    shown = [
        Column("feature", "Feature"),
        Column("area", "Area"),
        Column("launched_on", "Launched", "date"),
        Column("accounts", "Accounts", "integer"),
        Column("share", "Of those active", "share"),
        Column("ends", f"{words.share(result.confidence, 0)} interval", "interval", "share"),
        Column("change", "Change", "change", "share"),
        Column("days", "Days a month", "number", "one"),
    ]
    told = [c for c in shown if c.key not in {"area", "launched_on"} or _any(rows, c.key)]
    n = words.number(int(rows["n"].iloc[0])) if len(rows) else ""
    period = f"{words.day(result.first)} to {words.day(result.last)}"
    return Table(
        id="features-used",
        title=f"Features used by accounts, {period}",
        columns=tuple(told),
        rows=rows,
        note=f"Of {n} accounts that used the product; days a month: per person who used the "
        "feature in it. Change: since the three months before."
        if len(rows)
        else "",
        empty="No use of a feature is recorded.",
        words=words,
    )


def _any(rows: pd.DataFrame, key: str) -> bool:
    return bool((rows[key].notna() & (rows[key].astype(str) != "")).any())


def feature_uptake(result: Uptake, *, words: Words = ENGLISH) -> Table:
    """List features with the share of accounts that used them some time after their launch.

    Parameters
    ----------
    result : Uptake
        From `csa.analysis.adoption.uptake.uptake`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Newest first; blank where it was not watched so long.
    """
    keys = ["feature", "launched_on", "accounts", "used", "median_days"]
    table = result.table
    rows = table.drop_duplicates("feature")[keys].reset_index(drop=True)
    for age in result.ages:
        own = table.loc[table["days"] == age].set_index("feature")["share"]
        rows[f"after_{age}"] = rows["feature"].map(own)
    at = [f"after_{age}" for age in result.ages]
    left = int(table.drop_duplicates("feature")["left_out"].max()) if len(table) else 0
    notes = ["Share of the accounts that could use it, after so many days; blank: not known yet."]
    if left:
        notes.append(
            f"Of features launched before use was recorded, up to {words.number(left)} older "
            "accounts are left out."
        )
    if result.untimed:
        notes.append(f"Not timed, since launched before: {', '.join(result.untimed)}.")
    return Table(
        id="feature-uptake-by-feature",
        title="Uptake of features, newest first",
        columns=(
            Column("feature", "Feature"),
            Column("launched_on", "Launched", "date"),
            Column("accounts", "Accounts", "integer"),
            *(
                Column(key, f"{age} days", "share")
                for key, age in zip(at, result.ages, strict=True)
            ),
            Column("median_days", "Half by day", "integer"),
        ),
        rows=rows,
        note=" ".join(notes) if len(rows) else "",
        empty="No feature states the day of its launch.",
        words=words,
    )
