"""Tables of trials, and of what was sold to customers."""

from typing import Final

import pandas as pd

from csa.analysis.revenue.expansion import SalesSuccess
from csa.analysis.revenue.trial_return import TrialReturn
from csa.analysis.revenue.trials import TrialRate
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital
from csa.present.table_rows import EVERYBODY, group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()
KINDS: Final = {"all": "Both", "upsell": "Upsell", "cross_sell": "Cross-sell"}


def trials_by_group(
    result: TrialRate,
    returns: TrialReturn,
    *,
    by: str = "segment",
    words: Words = ENGLISH,
) -> Table:
    """Trials that came of age in the period, and what they return, by group.

    Parameters
    ----------
    result : TrialRate
        From `csa.analysis.revenue.trials.trial_to_paid`.
    returns : TrialReturn
        From `csa.analysis.revenue.trial_return.trial_return`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        All accounts last.
    """
    money = ["group", "worth_minor", "net_minor", "net_minor_low", "net_minor_high"]
    table = total_last(result.table.merge(returns.table[money], on="group"))
    net = table[["net_minor_low", "net_minor_high"]].map(lambda m: major(m, words))
    rows = table.assign(
        group=group_names(table),
        ends=pairs(table, "ci_low", "ci_high"),
        worth=table["worth_minor"].map(lambda m: major(m, words)),
        net=table["net_minor"].map(lambda m: major(m, words)),
        net_ends=pairs(net, "net_minor_low", "net_minor_high"),
    )
    level = words.share(result.confidence, 0)
    net_columns = (
        Column("net", "Net per trial", "money"),
        Column("net_ends", f"{level} interval", "interval", "money"),
    )
    return Table(
        id="trials-by-group",
        title=f"Trials that came to an age of {result.within_days} days, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("n", "Trials", "integer"),
            Column("converted", "Became customers", "integer"),
            Column("rate", "Share", "share"),
            Column("ends", f"{level} interval", "interval", "share"),
            Column("change", "Change", "change", "share"),
            Column("worth", "A customer is worth", "money"),
            *(net_columns if returns.cost_per_trial_minor is not None else ()),
        ),
        rows=rows,
        note=reasons(rows),
        words=words,
    )


def trials_by_month(result: TrialRate, *, words: Words = ENGLISH) -> Table:
    """Trials by month of start: mature ones, and what a count of all would make of them.

    Parameters
    ----------
    result : TrialRate
        From `csa.analysis.revenue.trials.trial_to_paid`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        The latest last.
    """
    table = result.months
    rows = table.assign(
        month=[f"{day:%Y-%m}" for day in table["month_start"]],
        ends=pairs(table, "ci_low", "ci_high"),
        known=[
            "complete" if row["state"] == "complete" else f"{row['state']}, complete {row['on']}"
            for row in table.assign(on=[words.day(d) for d in table["completes_on"]]).to_dict(
                "records"
            )
        ],
    )
    return Table(
        id="trials-by-month",
        title="Trials by month of start, under two definitions",
        columns=(
            Column("month", "Started in"),
            Column("n", "Trials", "integer"),
            Column("mature", "Of age", "integer"),
            Column("converted", "Became customers", "integer"),
            Column("rate", "Share of those of age", "share"),
            Column("ends", f"{words.share(result.confidence, 0)} interval", "interval", "share"),
            Column("naive", "Share of all so far", "share"),
            Column("known", "State"),
        ),
        rows=rows,
        note="used here: the share of those of age; the share of all so far, as some vendors "
        "count, falls in the latest months because they are young",
        words=words,
    )


def sales_by_kind(result: SalesSuccess, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Upsells and cross-sells of the twelve months up to the end of the period.

    Parameters
    ----------
    result : SalesSuccess
        From `csa.analysis.revenue.expansion.sales_success`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Each kind, all accounts last.
    """
    year = result.table.loc[result.table["window"] == "year"]
    parts = [total_last(year.loc[year["kind"] == kind]) for kind in ("upsell", "cross_sell", "all")]
    table = pd.concat(parts, ignore_index=True)
    rows = table.assign(
        kind=table["kind"].map(KINDS),
        group=group_names(table),
        ends=pairs(table, "ci_low", "ci_high"),
        won_money=table["won_minor"].map(lambda m: major(m, words)),
        open_money=table["open_minor"].map(lambda m: major(m, words)),
    )
    told = rows.assign(group=rows["kind"] + ", " + rows["group"].replace(EVERYBODY, "all"))
    return Table(
        id="sales-by-kind",
        title=f"Upsells and cross-sells closed in twelve months, by {spoken(by)}",
        columns=(
            Column("kind", "Kind"),
            Column("group", capital(spoken(by))),
            Column("n", "Closed", "integer"),
            Column("won", "Won", "integer"),
            Column("rate", "Share", "share"),
            Column("ends", f"{words.share(result.confidence, 0)} interval", "interval", "share"),
            Column("change", "Change", "change", "share"),
            Column("won_money", "Won, a month", "money"),
            Column("open", "Open now", "integer"),
            Column("open_money", "Open, a month", "money"),
        ),
        rows=rows,
        note=reasons(told),
        words=words,
    )
