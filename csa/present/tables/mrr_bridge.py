"""Tables of what moved a rate of revenue, and of the accounts that pay most."""

from collections.abc import Callable
from typing import Final

import pandas as pd

from csa.analysis.revenue.bridge import Bridge
from csa.analysis.revenue.concentration import RevenueConcentration
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import amount, major
from csa.present.names import capital
from csa.present.narrate.clv_change import signed
from csa.present.narrate.mrr_bridge import NAMES
from csa.present.words import UNKNOWN, Words, known

ENGLISH: Final = Words()


def mrr_bridge(result: Bridge, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Parts of the change of a rate of revenue by group, the sum last.

    Parameters
    ----------
    result : Bridge
        From `csa.analysis.revenue.bridge.bridge`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Largest contribution first.
    """
    money = result.of == "arpa"

    def value(x: float) -> str:
        return amount(x, words) if money else words.share(x)

    def part(x: float) -> str:
        return signed(x, words) if money else words.change(x, "share")

    rows = [
        {
            "group": row["group"],
            "weights": f"{words.share(row['previous_weight'])} → {words.share(row['weight'])}",
            "rates": f"{value(row['previous_rate'])} → {value(row['rate'])}",
            "within": part(row["within"]),
            "mix": part(row["mix"]),
            "contribution": part(row["contribution"]),
            "interval": _between(part, row["contribution_low"], row["contribution_high"]),
        }
        for row in result.table.to_dict("records")
    ]
    if rows:
        rows.append(
            {
                "group": "All accounts",
                "weights": UNKNOWN,
                "rates": f"{value(result.previous_rate)} → {value(result.rate)}",
                "within": part(result.within.value),
                "mix": part(result.mix.value),
                "contribution": part(result.change.value),
                "interval": _between(part, result.change.low, result.change.high),
            }
        )
    of = "accounts" if money else "revenue"
    labels = {
        "group": capital(spoken(by)),
        "weights": f"Share of {of}, before and now",
        "rates": "Rate, before and now",
        "within": "By its rate",
        "mix": "By its share",
        "contribution": "Together",
        "interval": f"{words.share(result.confidence, 0)} interval",
    }
    return Table(
        id=f"mrr-bridge-{result.of}-by-group",
        title=f"What moved the {NAMES[result.of]}, by {spoken(by)}",
        columns=tuple(Column(key, label) for key, label in labels.items()),
        rows=pd.DataFrame(rows, columns=list(labels)),
        note="Before rounding the parts add up to the change" if rows else "",
        empty=f"No change to split: {result.reason}.",
        words=words,
    )


def _between(part: Callable[[float], str], low: float, high: float) -> str:
    return f"{part(low)} to {part(high)}" if known(low) and known(high) else UNKNOWN


def largest_accounts(
    result: RevenueConcentration,
    *,
    names: pd.DataFrame,
    audience: str = "all",
    words: Words = ENGLISH,
) -> Table:
    """List the accounts that pay most.

    Parameters
    ----------
    result : RevenueConcentration
        From `csa.analysis.revenue.concentration.revenue_concentration`.
    names : DataFrame
        `result.largest` with names in place of keys, as by `csa.data.account_names.by_name`.
    audience : str
        "external" is shown no single account.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Largest first.
    """
    outside = audience == "external"
    rows = names.iloc[:0] if outside else names
    empty = "No account pays at the end of the period."
    return Table(
        id="largest-accounts",
        title="The accounts that pay most",
        columns=(
            Column("account_id", "Account"),
            Column("group", "Group"),
            Column("mrr", "A month", "money"),
            Column("share", "Share", "share"),
            Column("cumulative_share", "With those above", "share"),
        ),
        rows=rows.assign(mrr=rows["mrr_minor"].map(lambda minor: major(minor, words))),
        empty="Single accounts are not shown to readers outside." if outside else empty,
        words=words,
    )
