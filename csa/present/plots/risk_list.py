"""Drawings of who to call, on a money axis with the cost as a line, and of revenue at risk."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csa.analysis.risk.revenue import RevenueAtRisk
from csa.present.call_list import CallList
from csa.present.canvas import (
    NARROW,
    WIDE,
    Size,
    drawn,
    nothing,
)
from csa.present.items import Chart
from csa.present.money import amount, major
from csa.present.names import named, plural
from csa.present.plots.named_rows import (
    dicts,
    even_steps,
    name_rows,
    rows_axes,
    upright,
    write_rows,
)
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
MOST_CALLS: Final = 15
MOST_GROUPS: Final = 10
LEAST_DECADE: Final = 1.0  # of the log axis
CALLS: Final = (
    *("account_id", "account", "owner", "segment", "mrr", "risk", "ci_low", "ci_high"),
    *("stake", "stake_low", "stake_high", "act", "why", "next_step"),
)
REVENUE: Final = (
    *("group", "n", "mrr_minor", "expected_churn", "at_risk_minor", "ci_low", "ci_high"),
    *("range_low", "range_high", "share"),
)


def accounts_to_call(
    listed: CallList,
    *,
    words: Words = ENGLISH,
    title: str = "What a call is expected to keep, against what it costs",
    chart_id: str = "accounts-to-call-chart",
) -> Chart:
    """Draw what calls are expected to keep, with intervals, and the cost as a line.

    Parameters
    ----------
    listed : CallList
        From `csa.present.call_list.call_list`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        The first accounts; its numbers are those of all that are worth a call. Without accounts,
        or for readers outside, a drawing that says so.
    """
    if listed.external:
        return nothing(chart_id, title, "Single accounts are not shown in this edition.")
    rows = listed.to_call.head(MOST_CALLS)
    if rows.empty:
        told = "No list is made." if listed.withheld else "No account is worth a call."
        return nothing(chart_id, title, told)
    cost = major(listed.calls.cost_per_action_minor, words) or 0.0
    wide, narrow = drawn(
        lambda size: _calls_figure(rows, cost, words, size), chart_id, list(rows["account"])
    )
    return Chart(
        id=chart_id,
        title=title,
        alt=_calls_alt(rows, cost, words),
        caption=_calls_caption(listed, rows, words),
        svg=wide,
        svg_narrow=narrow,
        data=listed.rows[list(CALLS)],
    )


def _calls_figure(rows: pd.DataFrame, cost: float, words: Words, size: Size) -> Figure:
    texts = [_call_text(row, words, size) for row in dicts(rows)]
    fig, ax, left = rows_axes(list(rows["account"]), texts, size)
    y = np.arange(len(rows))
    stake = rows["stake"].astype(float)
    low = rows["stake_low"].astype(float).fillna(stake)
    high = rows["stake_high"].astype(float).fillna(stake)
    first = min(float(stake.min()), cost or float(stake.min())) / 3
    ax.hlines(y, low.clip(lower=first), high, color=SERIES[0], linewidth=5, alpha=0.2, zorder=2)
    ax.scatter(stake, y, s=40, color=SERIES[0], zorder=3)
    last = max(float(high.max()), first * 10**LEAST_DECADE) * 1.1
    ax.set_xscale("log")
    ax.set(xlim=(first, last), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    name_rows(ax, list(rows["account"]), left)
    ticks = _decades(first, last, 3 if size is NARROW else 5)
    ax.set_xticks(ticks, [_money(tick, words) for tick in ticks])
    ax.set_xticks([], minor=True)
    write_rows(ax, texts)
    if cost:
        align = "left" if cost < np.sqrt(np.prod(ax.get_xlim())) else "center"
        upright(ax, cost, f"A call costs {_money(cost, words)}", align=align)
    return fig


def _call_text(row: dict[Hashable, Any], words: Words, size: Size) -> tuple[str, str]:
    rest = f"risk, {words.money(row['mrr'])} a month" if size is WIDE else "risk"
    return words.share(row["risk"]), rest


def _decades(low: float, high: float, most: int) -> list[float]:
    """Round amounts on a log axis: powers of ten, with their halves where there is room."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        ticks = [s * 10.0**p for p in powers for s in steps if low <= s * 10.0**p <= high]
        if len(ticks) <= most:
            return ticks
    return ticks[:: len(ticks) // most + 1]


def _money(value: float, words: Words) -> str:
    """Write an amount in units of the currency as short as it can be."""
    one = major(1.0, words) or 1.0
    return amount(value / one, words)


def _calls_alt(rows: pd.DataFrame, cost: float, words: Words) -> str:
    parts = [
        f"{named(row['account'])} {_money(row['stake'], words)} (risk {words.share(row['risk'])}, "
        f"{words.money(row['mrr'])} a month)"
        for row in dicts(rows)
    ]
    return (
        f"What a call is expected to keep, by account: {'; '.join(parts)}. A call costs "
        f"{_money(cost, words)}."
    )


def _calls_caption(listed: CallList, rows: pd.DataFrame, words: Words) -> str:
    calls = listed.calls
    level = words.share(listed.confidence, 0)
    bars = f"Bars: {level} intervals of the risk. " if rows["stake_low"].notna().any() else ""
    beyond = len(listed.to_call) - len(rows)
    more = f" {beyond} further {plural(beyond, 'account')} not drawn." if beyond else ""
    return (
        f"Risk × {words.number(calls.months)} months of revenue × save rate of "
        f"{words.percent(calls.save_rate)}, an assumption. {bars}Log scale.{more}"
    )


def revenue_at_risk(
    result: RevenueAtRisk,
    *,
    words: Words = ENGLISH,
    title: str = "Recurring revenue expected to leave, by group",
    chart_id: str = "revenue-at-risk-chart",
) -> Chart:
    """Draw the recurring revenue that is expected to leave, and what chance adds.

    Parameters
    ----------
    result : RevenueAtRisk
        From `csa.analysis.risk.revenue.revenue_at_risk`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Groups with the most at risk first, all accounts last; without risks a drawing that says
        so.
    """
    rows = _revenue_rows(result, words)
    if rows.empty:
        return nothing(chart_id, title, "No revenue at risk can be told.")
    wide, narrow = drawn(
        lambda size: _revenue_figure(rows, words, size), chart_id, list(rows["label"])
    )
    level = words.share(result.confidence, 0)
    left_out = int((result.table["group"] != ALL).sum() - (rows["group"] != ALL).sum())
    rest = f" {left_out} further {plural(left_out, 'group')} not drawn." if left_out else ""
    return Chart(
        id=chart_id,
        title=title,
        alt=_revenue_alt(rows, words),
        caption=f"Bars: {level} intervals of what is expected. Thin lines: what may leave in the "
        f"end, since chance decides on single accounts.{rest}",
        svg=wide,
        svg_narrow=narrow,
        data=rows[list(REVENUE)],
    )


def _revenue_rows(result: RevenueAtRisk, words: Words) -> pd.DataFrame:
    """Choose the groups with the most at risk, and the total; money in units of the currency."""
    table = result.table.loc[result.table["at_risk_minor"].notna() & (result.table["n"] > 0)]
    total = table["group"] == ALL
    groups = table.loc[~total].nlargest(MOST_GROUPS, ["at_risk_minor", "mrr_minor"])
    parts = [groups, table.loc[total]] if len(groups) > 1 else [table.loc[total]]
    rows = pd.concat(parts, ignore_index=True)
    scale = major(1.0, words) or 1.0
    return rows.assign(
        label=rows["group"].replace(ALL, EVERYBODY),
        at=rows["at_risk_minor"] * scale,
        low=rows["ci_low"] * scale,
        high=rows["ci_high"] * scale,
        first=rows["range_low"] * scale,
        last=rows["range_high"] * scale,
    )


def _revenue_figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    texts = [_revenue_text(row, words, size) for row in dicts(rows)]
    fig, ax, left = rows_axes(list(rows["label"]), texts, size)
    y = np.arange(len(rows))
    colours = [LIGHT["ink"] if group == ALL else SERIES[0] for group in rows["group"]]
    ax.hlines(y, rows["first"], rows["last"], color=colours, linewidth=1)
    ax.hlines(y, rows["low"], rows["high"], color=colours, linewidth=6, alpha=0.25)
    ax.scatter(rows["at"], y, s=40, color=colours, zorder=3, clip_on=False)
    last = float(rows[["last", "high", "at"]].max().max()) * 1.05 or 1.0
    ax.set(xlim=(0, last), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    name_rows(ax, list(rows["label"]), left)
    ticks = even_steps(last, 3 if size is NARROW else 5)
    ax.set_xticks(ticks, [_money(tick, words) if tick else "0" for tick in ticks])
    write_rows(ax, texts)
    return fig


def _revenue_text(row: dict[Hashable, Any], words: Words, size: Size) -> tuple[str, str]:
    rest = "" if size is NARROW else f"{words.share(row['share'])} of its MRR"
    return amount(row["at_risk_minor"], words), rest


def _revenue_alt(rows: pd.DataFrame, words: Words) -> str:
    parts = [
        f"{named(row['label'])} {amount(row['at_risk_minor'], words)}"
        f"{_limits(row, words)}, {words.share(row['share'])} of its MRR"
        for row in dicts(rows)
    ]
    return f"Recurring revenue a month expected to leave, by group: {'; '.join(parts)}."


def _limits(row: dict[Hashable, Any], words: Words) -> str:
    if pd.isna(row["ci_low"]):
        return ""
    return f" ({amount(row['ci_low'], words)} to {amount(row['ci_high'], words)})"
