"""Tables of revenue retention: by horizon and group, and under each definition."""

from typing import Any, Final

import pandas as pd

from csa.analysis.revenue.by_definition import ByDefinition
from csa.analysis.revenue.rates import RetentionResult
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital
from csa.present.narrate.mrr_retention import span_of
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import UNKNOWN, Words, known

ENGLISH: Final = Words()
METRICS: Final = {
    "nrr": "Net revenue retention",
    "grr": "Gross revenue retention",
    "quick_ratio": "Quick ratio",
}


def revenue_retention(
    result: RetentionResult, *, by: str = "segment", words: Words = ENGLISH
) -> Table:
    """Net and gross revenue retention and logo churn, by horizon and group.

    Parameters
    ----------
    result : RetentionResult
        From `csa.analysis.revenue.rates.retention`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Horizons as they are, within each all accounts last.
    """
    parts = [
        total_last(result.table.loc[result.table["horizon_months"] == h]) for h in result.horizons
    ]
    table = pd.concat(parts, ignore_index=True)
    rows = table.assign(
        group=group_names(table),
        horizon=[capital(span_of(int(h), words)) for h in table["horizon_months"]],
        start=table["start_minor"].map(lambda minor: major(minor, words)),
        nrr_ends=pairs(table, "nrr_low", "nrr_high"),
        grr_ends=pairs(table, "grr_low", "grr_high"),
        logo_ends=pairs(table, "logo_churn_low", "logo_churn_high"),
    )
    level = words.share(result.confidence, 0)
    told = rows.assign(group=rows["horizon"] + ", " + rows["group"])
    return Table(
        id="revenue-retention-by-group",
        title=f"Revenue retention, by {spoken(by)} and time",
        columns=(
            Column("horizon", "Over"),
            Column("group", capital(spoken(by))),
            Column("n", "Accounts", "integer"),
            Column("start", "Paid a month", "money"),
            Column("nrr", "Net", "share"),
            Column("nrr_ends", f"{level} interval", "interval", "share"),
            Column("nrr_change", "Change", "change", "share"),
            Column("grr", "Gross", "share"),
            Column("grr_ends", f"{level} interval", "interval", "share"),
            Column("logo_churn", "Accounts lost", "share"),
            Column("logo_ends", f"{level} interval", "interval", "share"),
        ),
        rows=rows,
        note=reasons(told),
        words=words,
    )


def mrr_definitions(result: ByDefinition, *, words: Words = ENGLISH) -> Table:
    """List the same month under each definition, the chosen ones marked.

    Parameters
    ----------
    result : ByDefinition
        From `csa.analysis.revenue.by_definition.by_definition`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per metric and definition, then the other switches as chosen.
    """
    rows = [
        {
            "metric": METRICS[row["metric"]],
            "words": row["words"],
            "vendors": row["vendors"] or UNKNOWN,
            "value": _value(row, words),
            "interval": _limits(row, words),
            "chosen": "yes" if row["chosen"] else "",
        }
        for row in result.table.to_dict("records")
    ]
    chosen = result.definitions
    for switch, name in (("churn_at", "Day of leaving"), ("discounts", "Discounts")):
        rows.append(
            {"metric": name, "words": chosen.words(switch), "vendors": UNKNOWN}
            | {"value": UNKNOWN, "interval": UNKNOWN, "chosen": "yes"}
        )
    return Table(
        id="mrr-definitions",
        title=f"The same {result.horizon_months} months under each definition",
        columns=(
            Column("metric", "Figure"),
            Column("value", "Value"),
            Column("interval", "Interval"),
            Column("chosen", "Used here"),
            Column("words", "Definition"),
            Column("vendors", "Stated by"),
        ),
        rows=pd.DataFrame(rows),
        note=f"definitions in csa.yml: preset {chosen.preset}, horizon {chosen.horizon_months} "
        "months; the quick ratio is that of the period",
        words=words,
    )


def _value(row: dict[Any, Any], words: Words) -> str:
    if row["metric"] != "quick_ratio":
        return words.share(row["value"])
    return "no loss" if row["no_loss"] else words.number(row["value"], 2)


def _limits(row: dict[Any, Any], words: Words) -> str:
    low, high = row["ci_low"], row["ci_high"]
    if row["metric"] != "quick_ratio":
        return words.interval(low, high, "share")
    if not known(low):
        return UNKNOWN
    top = words.number(high, 1)
    return f"{words.number(low, 1)} to {top}" if known(high) else f"{words.number(low, 1)} or more"
