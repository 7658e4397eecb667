"""Shares and months by group: a dot with its interval, the figure on the right."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csa.analysis.revenue.expansion import SalesSuccess
from csa.analysis.revenue.unit_costs import UnitCosts
from csa.present.attributes import spoken
from csa.present.canvas import NARROW, Size, drawn, nothing
from csa.present.items import Chart
from csa.present.names import named
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
from csa.present.words import Words, known

ENGLISH: Final = Words()
MOST: Final = 8
KINDS: Final = (("upsell", "Upsell", SERIES[0], "o"), ("cross_sell", "Cross-sell", SERIES[1], "D"))
APART: Final = 0.17  # of a row between its middle and each mark


def sales_success(
    result: SalesSuccess,
    *,
    by: str = "segment",
    words: Words = ENGLISH,
    chart_id: str = "sales-success",
) -> Chart:
    """Draw the share of opportunities won over twelve months, by group and kind.

    Parameters
    ----------
    result : SalesSuccess
        From `csa.analysis.revenue.expansion.sales_success`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Dots: upsells; diamonds: cross-sells.
    """
    title = f"Share of closed opportunities that was won in twelve months, by {spoken(by)}"
    year = result.table.loc[result.table["window"] == "year"]
    both = year.loc[year["kind"] == ALL]
    shown = [*both.loc[both["group"] != ALL].nlargest(MOST, "n")["group"], ALL]
    rows = year.loc[year["group"].isin(shown) & (year["kind"] != ALL) & (year["n"] > 0)]
    if rows.empty:
        return nothing(chart_id, title, "No upsell or cross-sell was closed in twelve months.")
    names = [EVERYBODY if g == ALL else str(g) for g in shown]
    wide, narrow = drawn(lambda s: _success(rows, shown, names, words, s), chart_id, names)
    told = [
        f"{named(EVERYBODY if r['group'] == ALL else r['group'])} "
        f"{r['kind'].replace('_', '-')} {words.share(r['rate'])} of {r['n']}"
        for r in dicts(rows)
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {'; '.join(told)}.",
        caption=f"Dots: upsells; diamonds: cross-sells. Bars: {words.share(result.confidence, 0)} "
        "intervals; hollow: unclear.",
        svg=wide,
        svg_narrow=narrow,
        data=rows.reset_index(drop=True),
    )


def _success(
    rows: pd.DataFrame, shown: list[str], names: list[str], words: Words, size: Size
) -> Figure:
    texts = [_both(rows.loc[rows["group"] == group], words) for group in shown]
    fig, ax, left = rows_axes(names, [(text, "") for text in texts], size)
    for (kind, _, colour, shape), side in zip(KINDS, (-APART, APART), strict=True):
        mine = rows.loc[rows["kind"] == kind]
        y = np.array([shown.index(group) for group in mine["group"]]) + side
        ax.hlines(y, mine["ci_low"], mine["ci_high"], color=colour, linewidth=4, alpha=0.25)
        faces = [colour if s == "ok" else LIGHT["paper"] for s in mine["status"]]
        marks: dict[str, Any] = {"marker": shape, "facecolors": faces, "edgecolors": colour}
        ax.scatter(mine["rate"], y, s=30, zorder=3, **marks)
    ticks = [0.0, 0.5, 1.0] if size is NARROW else [0.0, 0.25, 0.5, 0.75, 1.0]
    ax.set(xlim=(-0.02, 1.02), ylim=(len(shown) - 0.5, -0.5), xlabel="", ylabel="")
    ax.set_xticks(ticks, [words.share(t, 0) for t in ticks])
    name_rows(ax, names, left)
    write_rows(ax, [(text, "") for text in texts])
    return fig


def _both(rows: pd.DataFrame, words: Words) -> str:
    found = [rows.loc[rows["kind"] == kind, "rate"] for kind, *_ in KINDS]
    return " · ".join(words.share(r.iloc[0] if len(r) else None, 0) for r in found)


def cost_payback(
    result: UnitCosts,
    *,
    target: float | None = None,
    by: str = "segment",
    words: Words = ENGLISH,
    chart_id: str = "cost-payback-chart",
) -> Chart:
    """Draw the months until a new customer has paid back what it cost, by group.

    Parameters
    ----------
    result : UnitCosts
        From `csa.analysis.revenue.unit_costs.unit_costs`.
    target : float, optional
        Months not to be exceeded.
    by : str
        What the groups are.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        All accounts last.
    """
    title = f"Months of margin that pay for winning a customer, by {spoken(by)}"
    found = result.table.loc[result.table["payback_months"].map(known)]
    if found.empty:
        return nothing(chart_id, title, "No customer was won whose cost is known.")
    groups = found.loc[found["group"] != ALL].nlargest(MOST, "won")
    rows = pd.concat([groups, found.loc[found["group"] == ALL]], ignore_index=True)
    names = [EVERYBODY if g == ALL else str(g) for g in rows["group"]]
    wide, narrow = drawn(lambda s: _payback(rows, names, target, words, s), chart_id, names)
    told = [f"{named(n)} {_months(r, words)}" for n, r in zip(names, dicts(rows), strict=True)]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {'; '.join(told)}.",
        caption=f"Bars: {words.share(result.confidence, 0)} intervals; hollow: unclear.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _months(row: dict[Hashable, Any], words: Words) -> str:
    return f"{words.number(row['payback_months'], 1)} of {words.number(row['won'])} won"


def _payback(
    rows: pd.DataFrame, names: list[str], target: float | None, words: Words, size: Size
) -> Figure:
    texts = [
        (words.number(r["payback_months"], 1), "" if size is NARROW else "months")
        for r in dicts(rows)
    ]
    fig, ax, left = rows_axes(names, texts, size)
    y = np.arange(len(rows))
    value = rows["payback_months"].to_numpy(float)
    low = rows["payback_months_low"].fillna(rows["payback_months"]).to_numpy(float)
    high = rows["payback_months_high"].fillna(rows["payback_months"]).to_numpy(float)
    last = 1.05 * max(high.max(), target or 0.0)
    ax.hlines(y, low, high, color=SERIES[0], linewidth=4, alpha=0.25)
    faces = [SERIES[0] if s == "ok" else LIGHT["paper"] for s in rows["status"]]
    ax.scatter(value, y, s=30, zorder=3, facecolors=faces, edgecolors=SERIES[0])
    ticks = even_steps(last, size.ticks)
    ax.set(xlim=(0, last), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    ax.set_xticks(ticks, [words.number(t) for t in ticks])
    if target is not None:
        side = "right" if target > last / 2 else "left"
        upright(ax, target, f"Target {words.number(target)}", align=side)
    name_rows(ax, names, left)
    write_rows(ax, texts)
    return fig
