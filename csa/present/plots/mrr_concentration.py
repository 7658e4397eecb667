"""Whose revenue it is: the share of recurring revenue against the share of accounts."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csa.analysis.revenue.concentration import RevenueConcentration
from csa.present.canvas import NARROW, Size, drawn, figure, note, nothing
from csa.present.items import Chart
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
SHARES: Final = (0.01, 0.05, 0.1, 0.2, 0.5)
TOP: Final = 0.1


def revenue_concentration(
    result: RevenueConcentration,
    *,
    words: Words = ENGLISH,
    title: str = "Share of recurring revenue that the largest accounts pay",
    chart_id: str = "revenue-concentration-chart",
) -> Chart:
    """Draw the share of revenue against the share of accounts, largest first.

    Parameters
    ----------
    result : RevenueConcentration
        From `csa.analysis.revenue.concentration.revenue_concentration`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Without accounts that pay a drawing that says so.
    """
    if result.table.empty:
        return nothing(chart_id, title, "No account pays at the end of the period.")
    wide, narrow = drawn(lambda size: _curve(result, words, size), chart_id, [])
    told = [
        f"the largest {words.percent(p)} of accounts pay {words.percent(_held(result, p))}"
        for p in SHARES
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Accounts, largest first, and what they pay of all: {'; '.join(told)}.",
        caption=f"Band: {words.share(result.confidence, 0)} interval. Straight line: if all paid "
        "alike.",
        svg=wide,
        svg_narrow=narrow,
        data=result.table,
    )


def _held(result: RevenueConcentration, share: float) -> float:
    """Read the curve at a share of accounts."""
    x = np.r_[0.0, result.table["share_of_accounts"].to_numpy(float)]
    y = np.r_[0.0, result.table["share_of_revenue"].to_numpy(float)]
    return float(np.interp(share, x, y))


def _curve(result: RevenueConcentration, words: Words, size: Size) -> Figure:
    place = size._replace(left=0.55, right=0.25 if size is NARROW else 2.2)
    fig, (ax,) = figure(place, (0.3, 2.1, 0.5))
    zero = pd.DataFrame({name: [0.0] for name in result.table.columns})
    line = pd.concat([zero, result.table], ignore_index=True)
    x = line["share_of_accounts"]
    ax.fill_between(x, line["ci_low"], line["ci_high"], color=SERIES[0], alpha=0.15, linewidth=0)
    ax.plot([0, 1], [0, 1], color=LIGHT["rule"], linewidth=1)
    ax.plot(x, line["share_of_revenue"], color=SERIES[0])
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    ax.set(xlim=(0, 1), ylim=(0, 1.03), ylabel="")
    ax.set_xticks(ticks, [words.share(t, 0) for t in ticks])
    ax.set_yticks(ticks, [words.share(t, 0) for t in ticks])
    ax.grid(visible=True, axis="both")
    ax.set_xlabel("Accounts, largest first", loc="right")
    note(ax, "Of recurring revenue", (0, 1), (-26, 8))
    top = (TOP, _held(result, TOP))
    ax.scatter(*top, s=36, color=LIGHT["accent"], zorder=4)
    style: dict[str, Any] = {"xycoords": "data", "color": LIGHT["accent"], "va": "top"}
    told = f"{words.share(TOP, 0)} pay {words.share(top[1], 0)}"
    note(ax, told, top, (7, -2), ha="left", **style)
    return fig
