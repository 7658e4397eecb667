"""Drawing of buyers by how often they bought and how long they have been quiet."""

from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from csa.analysis.clv.value_matrix import OFTEN
from csa.present.canvas import NARROW, Size, drawn, figure, note, nothing
from csa.present.items import Chart
from csa.present.plots.named_rows import dicts
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
NO_VALUE: Final = "There is no value to show: the models could not be fitted."
DEEPEST: Final = 0.45  # of the series colour: text stays readable on it, by day and by night
GAP: Final = 0.025  # around a cell, share of it
TALL: Final = 0.46  # inches of a row
DAYS: Final = ("under 30", "30–89", "90–179", "180–364", "365+")


def frequency_recency(
    rows: pd.DataFrame,
    *,
    words: Words = ENGLISH,
    title: str = "Who is likely to come back?",
    chart_id: str = "frequency-recency",
) -> Chart:
    """Draw purchases expected by purchases before and days since the last one.

    Parameters
    ----------
    rows : DataFrame
        From `csa.analysis.clv.value_matrix.frequency_recency`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        One cell per group: chance to be a customer still, purchases expected; darker: more.
    """
    if rows.empty:
        return nothing(chart_id, title, NO_VALUE)
    wide, narrow = drawn(lambda size: _matrix_figure(rows, words, size), chart_id, [])
    told = [
        f"{_often(row['often'])} repeat purchases, {DAYS[row['quiet']]} days quiet: "
        f"{words.percent(row['alive'])} still customers, {_coming(row, words)} purchases each "
        f"({words.number(row['customers'])} customers)"
        for row in dicts(rows)
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Chance to be a customer still and purchases to come per customer: {'; '.join(told)}.",
        caption="In each cell: the mean chance to be a customer still and, below it, the purchases "
        "expected of each (discounted); darker: more purchases.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _often(place: int) -> str:
    start, after = OFTEN[place], OFTEN[place + 1] if place + 1 < len(OFTEN) else None
    if after is None:
        return f"{start}+"
    return str(start) if after == start + 1 else f"{start}–{after - 1}"


def _coming(row: dict[Any, Any], words: Words) -> str:
    return words.number(row["purchases"], 1 if row["purchases"] < 99.95 else 0)


def _matrix_figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    right = 0.08 if size is NARROW else 0.3
    high = TALL * len(OFTEN)
    fig, (ax,) = figure(size._replace(left=0.5, right=right), (0.34, high, 0.52))
    steps = int(rows["quiet"].max()) + 1  # nobody may have been quiet for long
    ax.set(xlim=(0, steps), ylim=(len(OFTEN), 0))
    most = max(float(rows["purchases"].max()), 1e-9)
    for row in dicts(rows):
        depth = max(DEEPEST * (row["purchases"] / most) ** 0.5, 0.03)
        corner = (row["quiet"] + GAP, row["often"] + GAP)
        ax.add_patch(
            Rectangle(corner, 1 - 2 * GAP, 1 - 2 * GAP, color=SERIES[0], alpha=depth, lw=0)
        )
        style: dict[str, Any] = {"xycoords": "data", "ha": "center", "color": LIGHT["ink"]}
        middle = (row["quiet"] + 0.5, row["often"] + 0.5)
        note(ax, words.share(row["alive"], 0), middle, (0, 2), weight=600, va="bottom", **style)
        note(ax, _coming(row, words), middle, (0, -1), va="top", **style)
    ax.set_xticks([place + 0.5 for place in range(steps)], DAYS[:steps])
    ax.set_yticks([place + 0.5 for place in range(len(OFTEN))], map(_often, range(len(OFTEN))))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xlabel("Days since the last purchase", loc="right")
    note(ax, "Repeat purchases", (0, 1), (-30, 8))
    return fig
