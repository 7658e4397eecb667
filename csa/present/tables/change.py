"""Tables of what moved the churn rate: by group, and by attribute."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from csa.analysis.churn.change import ChurnChangeResult
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.names import capital
from csa.present.narrate.change import NAME
from csa.present.table_rows import pairs, reasons
from csa.present.words import UNKNOWN, Words, known

ENGLISH: Final = Words()
ROUNDED: Final = "Points of the rate; before rounding the parts add up to the change"


def what_moved(change: ChurnChangeResult, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Parts of the change of the churn rate by group, the sum last.

    Parameters
    ----------
    change : ChurnChangeResult
        From `csa.analysis.churn.change.churn_change` or, by attribute, `what_moved`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, the largest part first.
    """
    groups = change.table
    rows = pd.DataFrame(
        {
            "group": groups["group"],
            "weights": _moves(groups["previous_weight"], groups["weight"], words),
            "rates": _moves(groups["previous_rate"], groups["rate"], words),
            "within": groups["within"],
            "mix": groups["mix"],
            "contribution": groups["contribution"],
            "interval": pairs(groups, "contribution_low", "contribution_high"),
            "reason": groups["reason"],
        }
    )
    if change.status == "ok":
        rows = pd.concat([rows, _total(change, words)], ignore_index=True)
    level = words.share(change.confidence, 0)
    of = "revenue" if change.of == "revenue" else "accounts"
    return Table(
        id="what-moved-revenue-churn-by-group" if change.of == "revenue" else "what-moved-by-group",
        title=f"What moved the {NAME[change.of]}, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("weights", f"Share of {of}, before and now"),
            Column("rates", "Rate, before and now"),
            Column("within", "By its rate", "change", "share"),
            Column("mix", "By its share", "change", "share"),
            Column("contribution", "Together", "change", "share"),
            Column("interval", f"{level} interval", "change_interval", "share"),
        ),
        rows=rows,
        note="; ".join(filter(None, [ROUNDED, reasons(rows)])) if len(rows) else "",
        empty=f"No change to split: {change.reason}." if change.reason else "No groups.",
        words=words,
    )


def _moves(before: pd.Series, now: pd.Series, words: Words) -> list[str]:
    return [f"{words.share(a)} → {words.share(b)}" for a, b in zip(before, now, strict=True)]


def _total(change: ChurnChangeResult, words: Words) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": "All accounts",
            "weights": UNKNOWN,
            "rates": f"{words.share(change.previous_rate)} → {words.share(change.rate)}",
            "within": change.within.value,
            "mix": change.mix.value,
            "contribution": change.change.value,
            "interval": pd.Series([(change.change.low, change.change.high)], dtype=object),
            "reason": "",
        }
    )


def what_moved_by(changes: Mapping[str, ChurnChangeResult], *, words: Words = ENGLISH) -> Table:
    """List the same change by several attributes: own rates, mix, and the largest part.

    Parameters
    ----------
    changes : mapping
        From `csa.analysis.churn.change.what_moved`, by attribute.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per attribute, in the order given.
    """
    first = next(iter(changes.values()))
    rows = pd.DataFrame([_row(by, change) for by, change in changes.items()])
    level = words.share(first.confidence, 0)
    ident = "what-moved-revenue-churn-by-attribute"
    return Table(
        id=ident if first.of == "revenue" else "what-moved-by-attribute",
        title=f"The change of the {NAME[first.of]} seen by each attribute",
        columns=(
            Column("group", "By"),
            Column("within", "Same kind of account", "change", "share"),
            Column("within_interval", f"{level} interval", "change_interval", "share"),
            Column("mix", "Changed mix", "change", "share"),
            Column("mix_interval", f"{level} interval", "change_interval", "share"),
            Column("largest", "Largest part"),
            Column("apart", "Moved apart from the others"),
        ),
        rows=rows,
        note=reasons(rows),
        words=words,
    )


def _row(by: str, change: ChurnChangeResult) -> dict[str, object]:
    table = change.table
    apart = next(iter(table.loc[table["stands_apart"].astype(bool), "group"]), "")  # largest part
    return {
        "group": capital(spoken(by)),
        "within": change.within.value,
        "within_interval": (change.within.low, change.within.high),
        "mix": change.mix.value,
        "mix_interval": (change.mix.low, change.mix.high),
        "largest": table["group"].iloc[0] if len(table) else UNKNOWN,
        "apart": apart or ("nobody" if known(change.mix.value) else UNKNOWN),
        "reason": change.reason,
    }
