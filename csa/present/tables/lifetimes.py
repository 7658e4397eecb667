"""Tables for accounts that are here today, and for accounts that went out of sight."""

from typing import Final

import pandas as pd

from csa.present.columns import Column
from csa.present.items import Table
from csa.present.narrate.leaving import ahead
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()


def chance_to_leave(
    chances: pd.DataFrame, *, confidence: float, by: str = "segment", words: Words = ENGLISH
) -> Table:
    """Chance to leave within some days, for accounts that have reached an age.

    Parameters
    ----------
    chances : DataFrame
        From `csa.analysis.churn.conditional_survival`, with a few looks ahead.
    confidence : float
        Level of its intervals.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group and age that was seen, two columns per look ahead; all accounts last.
    """
    seen = total_last(chances.loc[chances["stay"].notna()])
    seen = seen.assign(
        group=group_names(seen),
        leave=1 - seen["stay"].astype(float),
        low=1 - seen["ci_high"].astype(float),
        high=1 - seen["ci_low"].astype(float),
    )
    rows = seen.drop_duplicates(["group", "age_days"]).reset_index(drop=True)
    level = words.share(confidence, 0)
    columns = [
        Column("group", by.capitalize()),
        Column("age_days", "Has stayed", "age"),
        Column("at_risk", "Accounts", "integer"),
    ]
    for place, days in enumerate(sorted(seen["ahead_days"].unique())):
        one = seen.loc[seen["ahead_days"] == days, ["group", "age_days", "leave", "low", "high"]]
        one = rows[["group", "age_days"]].merge(one, how="left", on=["group", "age_days"])
        share, interval = f"leave{place}", f"interval{place}"
        rows = rows.assign(**{share: one["leave"], interval: pairs(one, "low", "high")})
        columns += [
            Column(share, f"In {ahead(days, words)}", "share"),
            Column(interval, f"{level} interval", "interval", "share"),
        ]
    return Table(
        id="chance-to-leave",
        title="Chance to leave, given the age reached",
        columns=tuple(columns),
        rows=rows,
        note=_age_reasons(seen, words),
        empty="No age was seen long enough.",
        words=words,
    )


def _age_reasons(rows: pd.DataFrame, words: Words) -> str:
    """Say what limits single rows, with the age that each is about."""
    ages = ["new" if not age else words.days(age) for age in rows["age_days"]]
    names = [f"{group} ({age})" for group, age in zip(rows["group"], ages, strict=True)]
    return reasons(rows.assign(group=names))


def remaining(
    table: pd.DataFrame, *, confidence: float, by: str = "segment", words: Words = ENGLISH
) -> Table:
    """Time that accounts of an age are expected to stay, of the time ahead.

    Parameters
    ----------
    table : DataFrame
        From `csa.analysis.churn.remaining.remaining_lifetime`.
    confidence : float
        Level of its intervals.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, age and look ahead that was seen; all accounts last.
    """
    seen = total_last(table.loc[table["remaining_days"].notna()])
    rows = seen.assign(
        group=group_names(seen),
        interval=pairs(seen, "ci_low", "ci_high"),
    )
    return Table(
        id="remaining-lifetime",
        title="Time that accounts will stay, given the age reached",
        columns=(
            Column("group", by.capitalize()),
            Column("age_days", "Has stayed", "age"),
            Column("at_risk", "Accounts", "integer"),
            Column("ahead_days", "Of the next", "days"),
            Column("remaining_days", "Will stay", "days"),
            Column("interval", f"{words.share(confidence, 0)} interval", "interval", "days"),
        ),
        rows=rows,
        note=_age_reasons(rows, words),
        empty="No age was seen long enough.",
        words=words,
    )


def lost_sight(
    bounds: pd.DataFrame, *, confidence: float = 0.95, words: Words = ENGLISH
) -> Table | None:
    """Survival if all accounts that went out of sight had left, and if none had.

    Parameters
    ----------
    bounds : DataFrame
        From `csa.analysis.churn.censoring.censoring_bounds`.
    confidence : float
        Level of its interval.
    words : Words
        Locale and currency.

    Returns
    -------
    Table or None
        One row per age that was seen; None where no account went out of sight.
    """
    if bounds.empty or not int(bounds["lost_sight"].iloc[0]):
        return None
    rows = bounds.loc[bounds["survival"].notna()].assign(group="")
    return Table(
        id="accounts-out-of-sight",
        title="Still customers at an age, whatever became of accounts out of sight",
        columns=(
            Column("age_days", "Age", "age"),
            Column("at_risk", "Watched at that age", "integer"),
            Column("survival", "Still customers", "share"),
            Column("interval", f"{words.share(confidence, 0)} interval", "interval", "share"),
            Column("if_all_left", "If all had left", "share"),
            Column("if_none_left", "If none had left", "share"),
        ),
        rows=rows.assign(interval=pairs(rows, "ci_low", "ci_high")),
        empty="No age was seen long enough.",
        words=words,
    )
