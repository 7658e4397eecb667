"""Tables of cohorts: pooled ages, one age over cohorts, groups, ways of counting, revenue."""

from typing import Any, Final

import pandas as pd

from csa.analysis.cohorts.groups import GroupRetention
from csa.analysis.cohorts.retention import CohortRetention
from csa.analysis.cohorts.revenue import CohortRevenue
from csa.analysis.cohorts.trend import CohortTrend
from csa.analysis.cohorts.ways import Ways
from csa.present.attributes import spoken
from csa.present.cohort_words import CohortWords
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital, plural
from csa.present.table_rows import ALL, group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()
MOST: Final = 12  # groups that are listed
NONE: Final = "No cohort has completed an age."


def cohort_ages(
    result: CohortRetention, later: CohortRetention, *, words: Words = ENGLISH
) -> Table:
    """List the pooled retention of each age, and on how many cohorts it rests.

    Parameters
    ----------
    result : CohortRetention
        Bounded, from `csa.analysis.cohorts.retention.retention`.
    later : CohortRetention
        The same, unbounded.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per age that any cohort has completed.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    rows = result.pooled.loc[result.pooled["group"] == ALL]
    rows = rows.loc[(rows["age"] > 0) | (rows["returned"] < rows["n"])]  # else so by definition
    after = later.pooled.loc[later.pooled["group"] == ALL].set_index("age")["retention"]
    rows = rows.assign(
        label=[capital(say.age(int(a))) for a in rows["age"]],
        ends=pairs(rows, "ci_low", "ci_high"),
        later=rows["age"].map(after),
    )
    return Table(
        id="cohort-ages",
        title=f"Share {say.doing}, all cohorts together",
        columns=(
            Column("label", "Age"),
            Column("cohorts", "Cohorts", "integer"),
            Column("n", capital(say.who()), "integer"),
            Column("retention", "In it", "share"),
            Column("ends", f"{words.share(result.confidence, 0)} interval", "interval", "share"),
            Column("later", "In it or later", "share"),
        ),
        rows=rows,
        empty=NONE,
        note="Complete cells only, those where nobody returned included: greater ages rest on "
        "fewer and older cohorts",
        words=words,
    )


def cohort_trend(result: CohortTrend, *, words: Words = ENGLISH) -> Table:
    """List the cohorts that have completed one age, newest first.

    Parameters
    ----------
    result : CohortTrend
        From `csa.analysis.cohorts.trend.age_trend`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per cohort.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    rows = result.table.iloc[::-1]
    rows = rows.assign(
        label=[say.cohort(day.date()) for day in rows["cohort"]],
        ends=pairs(rows, "ci_low", "ci_high"),
        side=rows["recent"].map({True: "newest", False: "before"}),
    )
    return Table(
        id="cohort-trend-table",
        title=f"Share {say.doing} {say.at(result.age)}, by cohort",
        columns=(
            Column("label", "Cohort"),
            Column("side", "Compared as"),
            Column("n", capital(say.who()), "integer"),
            Column("returned", capital(say.did), "integer"),
            Column("retention", "Share", "share"),
            Column("ends", f"{words.share(result.confidence, 0)} interval", "interval", "share"),
        ),
        rows=rows,
        empty="No cohort has completed that age.",
        words=words,
    )


def cohort_groups(result: GroupRetention, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """List the retention of each group at one age, against all others.

    Parameters
    ----------
    result : GroupRetention
        From `csa.analysis.cohorts.groups.by_group`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        The largest groups; all together last.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    groups = result.table.loc[result.table["group"] != ALL]
    listed = groups.nlargest(MOST, "n")["group"]
    table = total_last(result.table.loc[result.table["group"].isin([ALL, *listed])])
    rest = len(groups) - len(listed)
    rows = table.assign(
        label=group_names(table) if say.who() == "accounts" else _everybody(table, say),
        ends=pairs(table, "ci_low", "ci_high"),
        gap=pairs(table, "low", "high"),
    )
    level = words.share(result.confidence, 0)
    return Table(
        id="cohort-groups",
        title=f"Share {say.doing} {say.at(result.age)}, by {spoken(by)}",
        columns=(
            Column("label", capital(spoken(by))),
            Column("n", capital(say.who()), "integer"),
            Column("retention", "Share", "share"),
            Column("ends", f"{level} interval", "interval", "share"),
            Column("difference", "Against others", "change", "share"),
            Column("gap", f"{level} of all groups", "change_interval", "share"),
        ),
        rows=rows,
        empty="Nobody has completed that age.",
        note="; ".join(
            [
                *filter(None, [reasons(rows.assign(group=rows["label"]))]),
                *([f"{rest} smaller {plural(rest, 'group')} not listed"] if rest else []),
            ]
        ),
        words=words,
    )


def _everybody(table: pd.DataFrame, say: CohortWords) -> "pd.Series[Any]":
    return table["group"].replace(ALL, f"All {say.who()}")


def cohort_ways(result: Ways, *, words: Words = ENGLISH) -> Table:
    """List the same ages under each way of counting a return.

    Parameters
    ----------
    result : Ways
        From `csa.analysis.cohorts.ways.ways`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per way and age or bracket.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    apart = CohortWords(basis=result.basis, clock=result.tenure, words=words)
    rows = result.table.assign(
        label=[_way(row, say, apart) for row in result.table.to_dict("records")],
        ends=pairs(result.table, "ci_low", "ci_high"),
    )
    return Table(
        id="cohort-ways-table",
        title="The same customers under other ways of counting",
        columns=(
            Column("label", "Active"),
            Column("cohorts", "Cohorts", "integer"),
            Column("n", capital(say.who()), "integer"),
            Column("retention", "Share", "share"),
            Column("ends", f"{words.share(result.confidence, 0)} interval", "interval", "share"),
        ),
        rows=rows,
        empty=NONE,
        note="Periods count from the first, which is 0; windows of days from each start, whose "
        "cohorts are months of the start",
        words=words,
    )


def _way(row: dict[Any, Any], say: CohortWords, apart: CohortWords) -> str:
    age, first = int(row["last_age"]), int(row["first_age"])
    if row["way"] == "bracket":
        span = say.age(first) if first == age else f"{say.clock.kind}s {first} to {age}"
        if say.clock.kind == "tenure":
            span = f"windows {first} to {age}"
        return f"at least once in {span}"
    if row["way"] == "tenure":
        return apart.at(age)
    return f"{say.at(age)}{' or later' if row['way'] == 'unbounded' else ''}"


def cohort_revenue(result: CohortRevenue, *, words: Words = ENGLISH) -> Table:
    """List what is left of the first month's revenue, by age.

    Parameters
    ----------
    result : CohortRevenue
        From `csa.analysis.cohorts.revenue.revenue_retention`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per age that any cohort has completed.
    """
    rows = result.pooled
    rows = rows.assign(
        label=[f"Month {words.number(a)}" for a in rows["age"]],
        start=rows["start_minor"].map(lambda minor: major(minor, words)),
        now=rows["mrr_minor"].map(lambda minor: major(minor, words)),
        net_ends=pairs(rows, "net_low", "net_high"),
        gross_ends=pairs(rows, "gross_low", "gross_high"),
    )
    level = words.share(result.confidence, 0)
    return Table(
        id="cohort-revenue-by-age",
        title="Revenue of cohorts by months since the first",
        columns=(
            Column("label", "Age"),
            Column("cohorts", "Cohorts", "integer"),
            Column("n", "Accounts", "integer"),
            Column("start", "First paid a month", "money"),
            Column("now", "Paid now", "money"),
            Column("net", "Net", "share"),
            Column("net_ends", f"{level} interval", "interval", "share"),
            Column("gross", "Gross", "share"),
            Column("gross_ends", f"{level} interval", "interval", "share"),
        ),
        rows=rows,
        empty=NONE,
        note=reasons(rows.assign(group=rows["label"])),
        words=words,
    )
