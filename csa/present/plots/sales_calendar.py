"""The calendar of renewals: what came of past months, and what the next ones bring."""

from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.revenue.renewals import Renewals
from csa.present.canvas import SMALL, Size, drawn, figure, note, nothing, spread, text_width
from csa.present.items import Chart
from csa.present.money import amount, major
from csa.present.plots.mrr_months import name_months
from csa.present.plots.named_rows import even_steps
from csa.present.plots.rates import SPARE
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
TALL: Final = 2.2  # inches
LINE: Final = 0.16  # inches between two labels
KINDS: Final = (  # from zero upwards
    ("lost", "Lost", SERIES[1]),
    ("contracted", "Shrank", SERIES[3]),
    ("renewed", "Unchanged", SERIES[0]),
    ("expanded", "Grew", SERIES[2]),
    ("open", "Open", LIGHT["rule"]),
    ("due", "To come", LIGHT["line"]),
)


def renewal_calendar(
    result: Renewals,
    due: pd.DataFrame,
    *,
    words: Words = ENGLISH,
    chart_id: str = "renewal-calendar",
) -> Chart:
    """Draw what came up for renewal by month: what came of it, and what is to come.

    Parameters
    ----------
    result : Renewals
        From `csa.analysis.revenue.renewals.renewals`.
    due : DataFrame
        From `csa.analysis.revenue.renewals.due_next`.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Without a renewal a drawing that says so.
    """
    title = "Recurring revenue that came up for renewal, by month"
    rows = _rows(result.months, due)
    columns = [f"{kind}_minor" for kind, *_ in KINDS]
    if not rows[columns].to_numpy().any():
        return nothing(chart_id, title, "No contract came up for renewal in these months.")
    wide, narrow = drawn(lambda size: _figure(rows, words, size), chart_id, [])
    told = [
        f"{name.lower()} {amount(float(rows[f'{kind}_minor'].sum()), words)}"
        for kind, name, _ in KINDS
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}, {len(rows)} months, in all a month: {', '.join(told)}.",
        caption="What each contract paid a month when it came up. Open: the grace still runs.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _rows(months: pd.DataFrame, due: pd.DataFrame) -> pd.DataFrame:
    """Past months and those to come, one row each."""
    past = months.assign(due_minor=0)
    start = [date(day.year, day.month, 1) for day in due["due_on"]]
    ahead = due.assign(month_start=start).groupby("month_start")["due_minor"].sum().reset_index()
    both = pd.concat([past, ahead], ignore_index=True).fillna(0)
    columns = [f"{kind}_minor" for kind, *_ in KINDS]
    found = both.groupby("month_start")[columns].sum().sort_index()
    return found.reset_index()


def _figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    unit = major(1.0, words) or 1.0
    heights = {kind: rows[f"{kind}_minor"].to_numpy(float) * unit for kind, *_ in KINDS}
    shown = [(kind, name, colour) for kind, name, colour in KINDS if heights[kind].any()]
    right = SPARE * max(text_width(name, SMALL, semibold=True) for _, name, _ in shown) + 0.12
    top = max(float(sum(heights.values()).max()), 1.0)  # type: ignore[union-attr]
    step = even_steps(top, 4)[1]
    ticks = step * np.arange(np.ceil(top / step) + 1)
    labels = [amount(t / unit, words) if t else "0" for t in ticks]
    left = SPARE * max(text_width(label, SMALL + 0.5) for label in labels) + 0.1
    fig, (ax,) = figure(size._replace(left=left, right=right), (0.1, TALL, 0.46))
    base = np.zeros(len(rows))
    middles = []
    for kind, _, colour in shown:
        edge: dict[str, Any] = {"edgecolor": LIGHT["rule"], "linewidth": 0.6}
        ax.bar(
            np.arange(len(rows)),
            heights[kind],
            bottom=base,
            width=0.72,
            color=colour,
            **(edge if kind == "due" else {}),
        )
        last = int(np.flatnonzero(heights[kind])[-1])
        middles.append(float(base[last] + heights[kind][last] / 2))
        base = base + heights[kind]
    ax.set(xlim=(-0.6, len(rows) - 0.4), ylim=(0, ticks[-1]), xlabel="", ylabel="")
    ax.set_yticks(ticks, labels)
    ax.grid(visible=False, axis="x")
    name_months(ax, list(rows["month_start"]), words, size.width - left - right)
    _names(ax, middles, shown)
    return fig


def _names(ax: Axes, middles: list[float], shown: list[tuple[str, str, str]]) -> None:
    low, high = ax.get_ylim()
    # in the order of the stack, whatever the months to which the last parts belong
    order = sorted(spread(middles, LINE * (high - low) / TALL, low, high))
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for (kind, name, colour), place in zip(shown, order, strict=True):
        ink = LIGHT["soft"] if kind in {"open", "due"} else colour
        note(ax, name, (1, place), (5, 0), weight=600, color=ink, **style)
