"""How fast groups of buyers buy and how soon they leave, on a scale where half mirrors double."""

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.clv.buyer_groups import FIGURES, BuyerGroups
from csa.present.canvas import NARROW, Size, drawn, note, nothing
from csa.present.effect_rows import ratio, ratio_interval
from csa.present.items import Chart
from csa.present.names import named
from csa.present.plots.named_rows import dicts, name_rows, rows_axes, write_rows
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words, known

ENGLISH: Final = Words()
MOST: Final = 10  # groups, those with most customers
ENDS: Final = ("", "_low", "_high")
FURTHEST: Final = 20.0  # ratios beyond it, or below its inverse, run out of the drawing
TICKS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
FEW_TICKS: Final = (0.1, 0.5, 1.0, 2.0, 10.0)


class _Head(NamedTuple):
    """A rate, how it is called, and what it means to lie below or above the average."""

    name: str
    label: str
    below: str
    above: str


HEADS: Final = (
    _Head("buys", "Buys", "slower", "faster"),
    _Head("leaves", "Leaves", "later", "sooner"),
)


def buyer_groups(
    result: BuyerGroups,
    *,
    words: Words = ENGLISH,
    title: str = "Who buys faster, and who leaves sooner?",
    chart_id: str = "buyer-groups-chart",
) -> Chart:
    """Draw rates of buying and of leaving by group, with intervals.

    Parameters
    ----------
    result : BuyerGroups
        From `csa.analysis.clv.buyer_groups.buyer_groups`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Groups of most customers, the largest first; where none can be compared, a drawing that
        says so.
    """
    told = result.table.loc[result.table["buys"].notna()]
    if told.empty:
        return nothing(chart_id, title, "No groups can be compared here.")
    rows = told.head(MOST)
    names = [named(group) for group in rows["group"]]
    wide, narrow = drawn(lambda size: _figure(rows, names, words, size), chart_id, names)
    level = words.share(result.confidence, 0)
    return Chart(
        id=chart_id,
        title=title,
        alt=_alt(rows, names, words),
        caption=f"Rates as multiples of those of an average customer; bars: {level} intervals; "
        "hollow: not more than chance."
        f"{_more(len(told) - len(rows), words)}",
        svg=wide,
        svg_narrow=narrow,
        data=told[["group", "customers", *FIGURES]],
    )


def _more(left_out: int, words: Words) -> str:
    return f" {words.number(left_out)} smaller groups are not drawn." if left_out else ""


def _figure(rows: pd.DataFrame, names: list[str], words: Words, size: Size) -> Figure:
    heads = [head for head in HEADS if rows[head.name].notna().any()]
    lines = [(head, row) for head in heads for row in [None, *dicts(rows)]]
    texts = [_text(row, head.name, words, size) if row else ("", "") for head, row in lines]
    every = [label for head in heads for label in (head.label, *names)]
    fig, ax, left = rows_axes(every, texts, size)
    limits = _limits(rows)
    ax.set_xscale("log")
    ax.set(xlim=limits, ylim=(len(lines) - 0.5, -0.5))
    ticks = [t for t in TICKS if limits[0] <= t <= limits[1]]
    if size is NARROW and len(ticks) > len(FEW_TICKS):
        ticks = [t for t in ticks if t in FEW_TICKS]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_xticks([], minor=True)
    ax.axvline(1.0, color=LIGHT["rule"], linewidth=1.2, zorder=1)
    name_rows(ax, every, left)
    for y, (head, row) in enumerate(lines):
        if row is None:
            _write_head(ax, y, head)
        elif known(row[head.name]):
            _mark(ax, y, [float(row[f"{head.name}{end}"]) for end in ENDS], limits)
    write_rows(ax, texts)
    return fig


def _text(row: dict[Any, Any], name: str, words: Words, size: Size) -> tuple[str, str]:
    interval = ratio_interval(row[f"{name}_low"], row[f"{name}_high"], words)
    return ratio(row[name], words), "" if size is NARROW else interval


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Choose a scale that holds the intervals, no further than can be read."""
    columns = [f"{head.name}{end}" for head in HEADS for end in ENDS]
    figures = rows[columns].astype(float)
    figures = figures.where((figures > 0) & np.isfinite(figures))
    low, high = min(figures.min().min(), 0.5), max(figures.max().max(), 2.0)
    return max(float(low), 1 / FURTHEST) / 1.12, min(float(high), FURTHEST) * 1.12


def _mark(ax: Axes, y: int, figures: list[float], limits: tuple[float, float]) -> None:
    """Draw a rate and its interval; hollow where the interval holds the average."""
    value, low, high = figures
    sure = np.isfinite([low, high]).all() and not low <= 1 <= high
    ax.hlines(y, *np.clip([low, high], *limits), color=SERIES[0], linewidth=5, alpha=0.2)
    look: dict[str, Any] = {"edgecolor": SERIES[0], "linewidth": 1.3, "zorder": 3}
    at = float(np.clip(value, *limits))
    ax.scatter(at, y, s=36, facecolor=SERIES[0] if sure else LIGHT["paper"], **look)


def _write_head(ax: Axes, y: int, head: _Head) -> None:
    """Set a head apart from the groups, and say what either side means."""
    ax.get_yticklabels()[y].set(fontweight=600, color=LIGHT["brand"])
    look: dict[str, Any] = {"xycoords": "data", "va": "center_baseline", "color": LIGHT["soft"]}
    note(ax, head.below, (1.0, y), (-7, 0), ha="right", **look)
    note(ax, head.above, (1.0, y), (7, 0), **look)


def _alt(rows: pd.DataFrame, names: list[str], words: Words) -> str:
    told = [
        f"{name} buys {_times(row, 'buys', words)} as fast as the average, leaves "
        f"{_times(row, 'leaves', words)} as soon"
        for name, row in zip(names, dicts(rows), strict=True)
    ]
    return f"Groups of customers against the average customer: {'; '.join(told)}."


def _times(row: dict[Any, Any], name: str, words: Words) -> str:
    if not known(row[name]):
        return "an unknown number of times"
    interval = ratio_interval(row[f"{name}_low"], row[f"{name}_high"], words)
    return f"{ratio(row[name], words)} times ({interval})"
