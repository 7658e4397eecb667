"""Accounts that left by reason and month: a row of bars per reason, all on one scale."""

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.churn.causes_over_time import CausesOverTime
from csa.present.canvas import SMALL, WIDE, Size, drawn, figure, fitted, note, nothing, text_width
from csa.present.items import Chart
from csa.present.names import capital, named, plural
from csa.present.narrate.causes import NOT_STATED, period_name
from csa.present.plots.causes import MOST_CAUSES, colours_of
from csa.present.plots.rates import SPARE
from csa.present.table_rows import ALL
from csa.present.theme import LIGHT
from csa.present.words import Words

ENGLISH: Final = Words()
TALL: Final = 0.7  # inches of the highest bar
HEAD: Final = 0.2  # inches above the bars of a row, for their numbers
EVERY: Final = "All"
FEWEST: Final = 6  # periods that a drawing leaves room for, so that one bar is not a block
OPEN: Final = 0.4  # opacity of a period that is not over


class _Row(NamedTuple):
    """Bars of one reason."""

    label: str
    counts: "np.ndarray[Any, Any]"
    colour: str


def causes_by_month(
    result: CausesOverTime,
    *,
    words: Words = ENGLISH,
    title: str = "Accounts that left, by reason and month",
    chart_id: str = "reasons-by-month",
) -> Chart:
    """Accounts that left in each period: all of them, and a row of bars per reason.

    Parameters
    ----------
    result : CausesOverTime
        From `csa.analysis.churn.causes_over_time.causes_over_time`; 12 or 24 months read best.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Every row on the same scale, so that bars compare up and down; where nobody left, a
        drawing that says so.
    """
    whole = result.table.loc[result.table["group"] == ALL].sort_values("start", kind="stable")
    data = whole[["period", "start", "end", "cause", "events", "status", "reason"]]
    if not whole["events"].sum():
        return nothing(chart_id, title, "No account left in these periods.")
    if not whole.loc[whole["cause"] != NOT_STATED, "events"].sum():
        return nothing(chart_id, title, "No reason is recorded for the accounts that left.")
    rows = _rows(whole)
    months = whole.drop_duplicates("period").reset_index(drop=True)
    wide, narrow = drawn(
        lambda size: _figure(rows, months, words, size), chart_id, [row.label for row in rows]
    )
    return Chart(
        id=chart_id,
        title=title,
        alt=_alt(rows, months, words),
        caption=_caption(whole, months, words),
        svg=wide,
        svg_narrow=narrow,
        data=data.reset_index(drop=True),
    )


def _rows(whole: pd.DataFrame) -> list[_Row]:
    """All reasons, then each that took anybody, most first."""
    counts = whole.pivot_table("events", "start", "cause", sort=False).sort_index()
    total = counts.sum().sort_values(ascending=False, kind="stable")
    kept = [str(cause) for cause in total.loc[total > 0].index][:MOST_CAUSES]
    colours = colours_of(list(dict.fromkeys(whole["cause"])))
    every = _Row(EVERY, counts.sum(axis=1).to_numpy(), LIGHT["ink"])
    return [
        every,
        *(_Row(capital(c), counts[c].to_numpy(), colours.get(c, LIGHT["soft"])) for c in kept),
    ]


def _figure(rows: list[_Row], months: pd.DataFrame, words: Words, size: Size) -> Figure:
    tallest = max(row.counts.max() for row in rows)
    heights = [0.06]
    for row in rows:
        heights += [HEAD + TALL * row.counts.max() / tallest, 0.06]
    names = [f"{row.label} {words.number(row.counts.sum())}" for row in rows]
    widest = SPARE * max(text_width(name, SMALL, semibold=True) for name in names) + 0.12
    right = min(widest, 1.7 if size is WIDE else 1.15)
    place = size._replace(left=0.08, right=right)
    fig, axes = figure(place, (*heights[:-1], 0.46))
    numbered = (size.width - right) / max(len(months), FEWEST) > 1.3 * text_width(
        words.number(tallest), SMALL
    )
    for ax, row in zip(axes, rows, strict=True):
        _bars(ax, row, months, words if numbered else None)
        ax.set(xlim=(min(len(months) - FEWEST, 0) - 0.6, len(months) - 0.4))
        ax.set_ylim(0, row.counts.max() + tallest * HEAD / TALL)
        _name(ax, row, words, right)
    for ax in axes[:-1]:
        ax.tick_params(bottom=False, labelbottom=False)
    _months(axes[-1], months, words, size.width - right)
    return fig


def _bars(ax: Axes, row: _Row, months: pd.DataFrame, words: Words | None) -> None:
    at = np.arange(len(months))
    bars = ax.bar(at, row.counts, width=0.72, color=row.colour)
    for bar, reason in zip(bars, months["reason"], strict=True):
        if "not over" in reason:
            bar.set_alpha(OPEN)
    ax.grid(visible=False)
    ax.set_yticks([])
    for x, count in zip(at.tolist(), row.counts.tolist(), strict=True):
        if words is not None and count:
            style: dict[str, Any] = {"xycoords": "data", "ha": "center", "va": "bottom"}
            note(ax, words.number(count), (x, count), (0, 1.5), color=row.colour, **style)


def _name(ax: Axes, row: _Row, words: Words, right: float) -> None:
    """Write reason and number in all beside a row, at the foot of its bars."""
    count = words.number(row.counts.sum())
    room = right - 0.12 - SPARE * text_width(f" {count}", SMALL, semibold=True)
    name = fitted(row.label, room / SPARE, SMALL, semibold=True)
    note(ax, f"{name} {count}", (1, 0), (6, 2), fontweight=600, color=row.colour)


def _months(ax: Axes, months: pd.DataFrame, words: Words, inches: float) -> None:
    """Name as many periods as have room, the last one always; the year where it begins."""
    records = months.to_dict("records")
    monthly = all(row["period"] == f"{row['start']:%Y-%m}" for row in records)
    names = [period_name(row, words, form="MMM") for row in records]
    room = 1.25 * max(text_width(name, SMALL + 1) for name in names)
    step = next(
        (s for s in (1, 2, 3, 6, 12) if inches * s / max(len(names), FEWEST) > room), len(names)
    )
    at = list(range(len(names) - 1, -1, -step))[::-1]
    labels, year = [], None
    for i in at:
        begins = monthly and records[i]["start"].year != year
        year = records[i]["start"].year
        labels.append(f"{names[i]}\n{year}" if begins else names[i])
    ax.set_xticks(at, labels)


def _alt(rows: list[_Row], months: pd.DataFrame, words: Words) -> str:
    first, *_, last = [period_name(row, words) for row in months.to_dict("records")] * 2
    parts = [
        f"{named(row.label)} {words.number(row.counts.sum())}, {words.number(row.counts[-1])} of "
        "them in the last"
        for row in rows
    ]
    span = f"from {first} to {last}" if len(months) > 1 else f"in {last}"
    return f"Accounts that left {span}, by reason: {'; '.join(parts)}."


def _caption(whole: pd.DataFrame, months: pd.DataFrame, words: Words) -> str:
    running = months.loc[months["reason"].str.contains("not over")]
    names = [period_name(row, words) for row in running.to_dict("records")]
    parts = [f"Not over in the data: {', '.join(names)}."] if names else []
    taken = int((whole.groupby("cause")["events"].sum() > 0).sum())
    if (rest := taken - MOST_CAUSES) > 0:
        parts.append(f"{rest} smaller {plural(rest, 'reason')} not drawn.")
    return " ".join(["Bars count accounts, all on the same scale.", *parts])
