"""Movements of recurring revenue by month: gains above zero, losses below, the net as a dot."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.revenue.movements import MovementsResult
from csa.present.canvas import SMALL, Size, drawn, figure, note, nothing, spread, text_width
from csa.present.items import Chart
from csa.present.money import amount, major
from csa.present.narrate.clv_change import signed
from csa.present.plots.mrr_months import name_months
from csa.present.plots.named_rows import even_steps
from csa.present.plots.rates import SPARE
from csa.present.table_rows import ALL
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
TALL: Final = 2.3  # inches
LINE: Final = 0.16  # inches between two labels
KINDS: Final = (  # from zero outwards
    ("expansion", "Expansion", 1, SERIES[2]),
    ("new", "New", 1, SERIES[0]),
    ("reactivation", "Came back", 1, SERIES[4]),
    ("contraction", "Contraction", -1, SERIES[3]),
    ("churn", "Churn", -1, SERIES[1]),
)


def mrr_movements(
    result: MovementsResult,
    *,
    words: Words = ENGLISH,
    title: str = "What was added and lost, by month",
    chart_id: str = "mrr-by-month-chart",
) -> Chart:
    """Draw the movements of all accounts by month.

    Parameters
    ----------
    result : MovementsResult
        From `csa.analysis.revenue.movements.movements`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Without any movement a drawing that says so.
    """
    rows = result.table.loc[result.table["group"] == ALL].reset_index(drop=True)
    kinds = [f"{kind}_minor" for kind, *_ in KINDS]
    if not rows[kinds].to_numpy().any():
        return nothing(chart_id, title, "Recurring revenue did not move in these months.")
    wide, narrow = drawn(lambda size: _figure(rows, words, size), chart_id, [])
    return Chart(
        id=chart_id,
        title=title,
        alt=_alt(rows, words),
        caption="Dots: the net of each month."
        + (" Without changes of exchange rates." if rows["currency_minor"].any() else ""),
        svg=wide,
        svg_narrow=narrow,
        data=rows[
            ["month_start", "start_minor", *kinds, "currency_minor", "end_minor", "net_new_minor"]
        ],
    )


def _figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    unit = major(1.0, words) or 1.0
    names = [name for _, name, *_ in KINDS]
    right = SPARE * max(text_width(name, SMALL, semibold=True) for name in names) + 0.12
    gains, losses = _ends(rows, unit)
    step = even_steps(max(gains.max() + losses.max(), 1.0), 4)[1]
    ticks = step * np.arange(-np.ceil(losses.max() / step), np.ceil(gains.max() / step) + 1)
    labels = [signed(t / unit, words) if t else "0" for t in ticks]
    left = SPARE * max(text_width(label, SMALL + 0.5) for label in labels) + 0.1
    fig, (ax,) = figure(size._replace(left=left, right=right), (0.1, TALL, 0.46))
    tops = _stack(ax, rows, unit)
    ax.axhline(0, color=LIGHT["rule"], linewidth=0.9)
    net = rows["net_new_minor"].to_numpy(float) * unit
    ax.scatter(range(len(rows)), net, s=26, color=LIGHT["ink"], edgecolor=LIGHT["paper"], zorder=4)
    ax.set(xlim=(-0.6, len(rows) - 0.4), ylim=(ticks[0] - 0.02 * step, ticks[-1] + 0.02 * step))
    ax.set(xlabel="", ylabel="")
    ax.set_yticks(ticks, labels)
    ax.grid(visible=False, axis="x")
    name_months(ax, list(rows["month_start"]), words, size.width - left - right)
    _names(ax, tops)
    return fig


def _ends(rows: pd.DataFrame, unit: float) -> tuple[Any, Any]:
    sums = []
    for side in (1, -1):
        kinds = [f"{kind}_minor" for kind, _, sign, _ in KINDS if sign == side]
        sums.append(rows[kinds].sum(axis=1).to_numpy(float) * unit)
    return sums[0], sums[1]


def _stack(ax: Axes, rows: pd.DataFrame, unit: float) -> list[float]:
    """Stack the bars; the middle of each part of the last month, where its name stands."""
    at = np.arange(len(rows))
    base = {1: np.zeros(len(rows)), -1: np.zeros(len(rows))}
    middles = []
    for kind, _, sign, colour in KINDS:
        height = sign * rows[f"{kind}_minor"].to_numpy(float) * unit
        ax.bar(at, height, bottom=base[sign], width=0.72, color=colour)
        middles.append(float(base[sign][-1] + height[-1] / 2))
        base[sign] = base[sign] + height
    return middles


def _names(ax: Axes, middles: list[float]) -> None:
    """Write the kinds beside the last month, apart from one another."""
    low, high = ax.get_ylim()
    gap = LINE * (high - low) / TALL
    places = spread(middles, gap, low, high)
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for (_, name, _, colour), place in zip(KINDS, places, strict=True):
        note(ax, name, (1, place), (5, 0), weight=600, color=colour, **style)


def _alt(rows: pd.DataFrame, words: Words) -> str:
    first, last = rows["month_start"].iloc[0], rows["month_start"].iloc[-1]
    parts = [
        f"{name.lower()} {amount(float(rows[f'{kind}_minor'].sum()), words)} in all, "
        f"{amount(float(rows[f'{kind}_minor'].iloc[-1]), words)} in the last month"
        for kind, name, *_ in KINDS
    ]
    return (
        f"Movements of recurring revenue by month from {words.day(first)} to the month of "
        f"{words.day(last)}: {'; '.join(parts)}."
    )
