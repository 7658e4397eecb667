"""Curves that rise: the share to whom something has happened, by age and group."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.revenue.time_to import TimeTo
from csa.present.canvas import (
    NARROW,
    SMALL,
    WIDE,
    Size,
    drawn,
    figure,
    fitted,
    note,
    nothing,
    spread,
    tick_step,
)
from csa.present.items import Chart
from csa.present.names import named, plural
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
TALL: Final = 2.3  # inches
MOST: Final = 5  # curves beside that of all
TIMES: Final = 3  # curves are drawn up to so many times the age at which they are read
STEPS: Final = (0.05, 0.1, 0.2, 0.25)
DAY_STEPS: Final = (7, 14, 30, 60, 90, 180)


def trial_conversion(
    result: TimeTo, *, words: Words = ENGLISH, chart_id: str = "trial-conversion"
) -> Chart:
    """Draw the share of trials that became customers, by days since their start.

    Parameters
    ----------
    result : TimeTo
        From `csa.analysis.revenue.time_to.time_to_conversion`.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Without a trial a drawing that says so.
    """
    title = "Share of trials that became customers, by days since their start"
    return _curves(result, title, "No trial is under observation.", words, chart_id)


def first_expansion(
    result: TimeTo, *, words: Words = ENGLISH, chart_id: str = "first-expansion"
) -> Chart:
    """Draw the share of customers whose revenue has grown, by months since their start.

    Parameters
    ----------
    result : TimeTo
        From `csa.analysis.revenue.time_to.time_to_expansion`.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Without a customer a drawing that says so.
    """
    title = "Share of customers whose revenue has grown, by months since their start"
    return _curves(result, title, "No customer is under observation.", words, chart_id)


def _curves(result: TimeTo, title: str, empty: str, words: Words, chart_id: str) -> Chart:
    groups = result.table.loc[result.table["group"] != ALL].nlargest(MOST, "n")["group"]
    shown = [*groups, ALL]
    curves = result.curves.loc[result.curves["group"].isin(shown)]
    curves = curves.loc[curves["age"] <= TIMES * result.by_age]
    if curves.empty:
        return nothing(chart_id, title, empty)
    texts = [_label(group) for group in shown]
    wide, narrow = drawn(lambda size: _figure(result, curves, words, size), chart_id, texts)
    least, rest = result.min_at_risk, len(result.table) - 1 - len(groups)
    more = f" {rest} smaller {plural(rest, 'group')} not drawn." if rest else ""
    told = [
        f"{named(_label(row['group']))} {words.share(row['share'])} "
        f"({words.interval(row['ci_low'], row['ci_high'], 'share')}, "
        f"{words.number(int(row['n']))} in all)"
        for row in result.table.loc[result.table["group"].isin(shown)].to_dict("records")
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}. After {words.number(result.by_age)} {result.unit}: {'; '.join(told)}.",
        caption=f"Bands: {words.share(result.confidence, 0)} intervals. Curves end where fewer "
        f"than {least} remain.{more}",
        svg=wide,
        svg_narrow=narrow,
        data=curves.reset_index(drop=True),
    )


def _label(group: Any) -> str:
    return EVERYBODY if group == ALL else str(group)


def _figure(result: TimeTo, curves: pd.DataFrame, words: Words, size: Size) -> Figure:
    fig, (ax,) = figure(size, (0.3, TALL, 0.42))
    groups = [g for g in curves["group"].unique() if g != ALL]
    palette = dict(zip(groups, SERIES, strict=False)) | {
        ALL: LIGHT["soft"] if groups else SERIES[0]
    }
    ends = {}
    for group, rows in curves.groupby("group", sort=False):
        colour, behind = palette[str(group)], group == ALL and bool(groups)
        age = [0.0, *rows["age"]]
        share = [0.0, *rows["share"]]
        width = 1.2 if behind else 1.8
        ax.plot(age, share, drawstyle="steps-post", color=colour, linewidth=width)
        if not behind:
            low, high = (rows[end].fillna(rows["share"]) for end in ("ci_low", "ci_high"))
            style: dict[str, Any] = {"color": colour, "alpha": 0.12, "linewidth": 0}
            ax.fill_between(rows["age"], low, high, step="post", **style)
        ends[str(group)] = (age[-1], share[-1])
    _axes(ax, result, curves, words, size)
    _names(ax, ends, palette, words, size)
    return fig


def _axes(ax: Axes, result: TimeTo, curves: pd.DataFrame, words: Words, size: Size) -> None:
    longest = max(float(curves["age"].max()), 1.0)
    top = min(1.0, float(np.nanmax(curves[["share", "ci_high"]].to_numpy(float))) * 1.03)
    step = next((s for s in STEPS if top / s <= 5), STEPS[-1])
    top = min(1.0, step * np.ceil(top / step - 1e-9))
    ticks = [step * i for i in range(int(top / step + 1e-9) + 1)]
    ax.set(xlim=(0, longest), ylim=(0, max(top, step)), xlabel="", ylabel="")
    ax.set_yticks(ticks, [words.share(t, 0) for t in ticks])
    if result.unit == "months":
        every = tick_step(longest, size.ticks)
    else:
        every = next((s for s in DAY_STEPS if longest / s <= size.ticks), DAY_STEPS[-1] * 2)
    at = [every * i for i in range(int(longest / every + 1e-9) + 1)]
    ax.set_xticks(at, [words.number(t) for t in at])
    at_end = at[-1] > longest - 0.05 * every  # there the last number stands in the way
    note(ax, result.unit, (1, 0), (14 if at_end else 6, -6.5), va="top")


def _names(
    ax: Axes,
    ends: dict[str, tuple[float, float]],
    palette: dict[str, str],
    words: Words,
    size: Size,
) -> None:
    """Write name and last share beside each curve."""
    low, high = ax.get_ylim()
    longest = ax.get_xlim()[1]
    gap = 0.17 * (high - low) / TALL
    places = spread([share for _, share in ends.values()], gap, low + gap / 2, high)
    room = size.right - (0.46 if size is not NARROW else 0.12)
    for (group, (age, share)), place in zip(ends.items(), places, strict=True):
        name = fitted(_label(group), room, SMALL, semibold=True)
        if age < 0.97 * longest:
            line: dict[str, Any] = {"color": palette[group], "linewidth": 0.8, "linestyle": ":"}
            ax.plot([age, longest], [share, place], **line)
        text = f"{name} {words.percent(share)}" if size is WIDE else name
        style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
        note(ax, text, (1, place), (6, 0), fontweight=600, color=palette[group], **style)
