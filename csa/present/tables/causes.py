"""Table of why accounts leave."""

from typing import Final

from csa.analysis.churn.causes import IncidenceResult
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.names import capital, named, shortened
from csa.present.phrases import p_value
from csa.present.table_rows import ALL, group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()


def causes(result: IncidenceResult, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Reasons for leaving, by group: share of those that left, and of all accounts by an age.

    Parameters
    ----------
    result : IncidenceResult
        From `csa.analysis.churn.causes.incidence`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group and cause, all accounts last.
    """
    taken = result.summary.loc[(result.summary["group"] == ALL) & (result.summary["events"] > 0)]
    rows = total_last(result.summary.loc[result.summary["cause"].isin(taken["cause"])])
    age = _last_age(result)
    at_age = result.at_ages.loc[result.at_ages["age_days"] == age]
    at_age = at_age.drop(columns=["status", "reason", "at_risk"])
    rows = rows.merge(at_age, on=["group", "cause"], how="left")
    rows = rows.assign(
        group=group_names(rows),
        cause=[capital(shortened(name)) for name in rows["cause"]],
        interval=pairs(rows, "share_low", "share_high"),
        age_interval=pairs(rows, "ci_low", "ci_high"),
    )
    level = words.share(result.confidence, 0)
    columns = [
        Column("group", by.capitalize()),
        Column("cause", "Reason"),
        Column("events", "Left", "integer"),
        Column("share", "Of those that left", "share"),
        Column("interval", f"{level} interval", "interval", "share"),
    ]
    if age is not None:
        columns += [
            Column("incidence", f"Of all, within {words.days(age)}", "share"),
            Column("age_interval", f"{level} interval", "interval", "share"),
        ]
    return Table(
        id="reasons-by-group",
        title=f"Reasons for leaving, by {by}",
        columns=tuple(columns),
        rows=rows,
        note="; ".join(filter(None, [reasons(rows), _tested(result, words)])),
        empty="No account has left while it was under observation.",
        words=words,
    )


def _tested(result: IncidenceResult, words: Words) -> str:
    """Give the p-value of each reason for no difference between the groups."""
    tested = result.differences.loc[result.differences["p_adjusted"].notna()]
    if tested.empty:
        return ""
    found = [
        f"{named(row['cause'])} p {p_value(row['p_adjusted'], words)}"
        for row in tested.sort_values("p_adjusted", kind="stable").to_dict("records")
    ]
    return f"Gray's test that groups are alike, over all reasons: {', '.join(found)}"


def _last_age(result: IncidenceResult) -> float | None:
    """Last age at which all accounts were seen well."""
    seen = result.at_ages.loc[(result.at_ages["group"] == ALL) & (result.at_ages["status"] == "ok")]
    return float(seen["age_days"].max()) if len(seen) else None
