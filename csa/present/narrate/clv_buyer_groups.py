"""Finding on groups of customers without a contract: who buys faster, who leaves sooner."""

from typing import Final

import pandas as pd

from csa.analysis.clv.buyer_groups import BuyerGroups
from csa.present.items import Finding, Measure, Status
from csa.present.names import capital, named
from csa.present.phrases import number, p_value
from csa.present.words import Words

ENGLISH: Final = Words()
SURE: Final = 0.05  # p-value below which groups differ


def buyer_groups(result: BuyerGroups, *, by: str = "segment", words: Words = ENGLISH) -> Finding:
    """Say which group of customers leaves soonest and which buys fastest.

    Parameters
    ----------
    result : BuyerGroups
        From `csa.analysis.clv.buyer_groups.buyer_groups`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch: a group leaves sooner than the average customer; good: groups are held against each
        other and none does; unclear: they cannot be, or no difference is seen.
    """
    if result.fit is None:
        return Finding(
            id="buyer-groups",
            title=f"Buyers by {by}",
            text=f"Whether customers of one {by} buy faster or leave sooner cannot be told: "
            f"{result.reason}.",
            evidence="",
            action="Look again when more customers have bought twice.",
            status="unclear",
        )
    leaves = _furthest(result, "leaves", result.p_leaves)
    buys = _furthest(result, "buys", result.p_buys)
    status: Status = "watch" if leaves is not None else "good" if buys is not None else "unclear"
    told = leaves if leaves is not None else buys
    name = "leaves" if leaves is not None else "buys"
    return Finding(
        id="buyer-groups",
        title=f"Buyers by {by}",
        text=_text(leaves, buys, words) or _no_difference(result, by),
        evidence=_evidence(result, leaves, buys, words),
        action=_action(leaves, buys),
        status=status,
        measure=None if told is None else _measure(result, told, name),
        weight=0.0 if leaves is None else min(1.0, float(leaves["leaves"]) - 1.0),
    )


def _furthest(result: BuyerGroups, name: str, p: float | None) -> pd.Series | None:
    """Find the group above the average by most, where groups differ and its interval does."""
    above = result.table.loc[result.table[f"{name}_low"] > 1]
    if p is None or p >= SURE or above.empty:
        return None
    return above.sort_values([name, "group"], ascending=[False, True]).iloc[0]


def _no_difference(result: BuyerGroups, by: str) -> str:
    if result.p_leaves is None:
        return (
            f"No {by} is seen whose customers buy faster than the average; who leaves sooner "
            "cannot be told."
        )
    return f"No {by} is seen whose customers buy faster or leave sooner than the average."


def _text(leaves: pd.Series | None, buys: pd.Series | None, words: Words) -> str:
    said = []
    if leaves is not None:
        stays = number(leaves["stays"])
        still = f" ({words.percent(stays)} are still there after a year)" if stays else ""
        said.append(
            f"customers of {named(leaves['group'])} leave {words.number(leaves['leaves'], 1)} "
            f"times as soon as the average{still}"
        )
    if buys is not None:
        said.append(
            f"customers of {named(buys['group'])} buy {words.number(buys['buys'], 1)} times as "
            f"fast as the average ({words.number(buys['first_year'], 1)} repeat purchases in a "
            "first year)"
        )
    return f"{capital('; '.join(said))}." if said else ""


def _evidence(
    result: BuyerGroups, leaves: pd.Series | None, buys: pd.Series | None, words: Words
) -> str:
    level = words.share(result.confidence, 0)
    parts = []
    for row, name in ((leaves, "leaves"), (buys, "buys")):
        if row is not None:
            between = words.interval(row[f"{name}_low"], row[f"{name}_high"], "ratio")
            parts.append(f"{named(row['group'])} {name} {between} times ({level} interval)")
    for what, p in (("leave", result.p_leaves), ("buy", result.p_buys)):
        if p is not None:
            parts.append(f"that all {what} alike has p {p_value(p, words)}")
    return f"{capital('; '.join(parts))}."


def _action(leaves: pd.Series | None, buys: pd.Series | None) -> str:
    if leaves is not None:
        return f"Ask customers of {named(leaves['group'])} early, before their usual gap is over."
    if buys is not None:
        return f"Win more customers like those of {named(buys['group'])}, if they pay as much."
    return "Nothing to do."


def _measure(result: BuyerGroups, row: pd.Series, name: str) -> Measure:
    return Measure(
        metric_id=f"buyers_{name}_ratio",
        value=float(row[name]),
        low=number(row[f"{name}_low"]),
        high=number(row[f"{name}_high"]),
        n=int(row["customers"]),
        unit="ratio",
        confidence=result.confidence,
        method="Pareto/NBD with the group as covariate",
    )
