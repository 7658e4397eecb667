"""Cohorts by group at one age, and the revenue that cohorts keep by age."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csa.analysis.cohorts.groups import GroupRetention
from csa.analysis.cohorts.revenue import CohortRevenue
from csa.present.attributes import spoken
from csa.present.canvas import NARROW, SMALL, Size, drawn, figure, note, nothing, spread, text_width
from csa.present.cohort_words import CohortWords
from csa.present.items import Chart
from csa.present.names import named, plural
from csa.present.plots.cohorts_lines import mark_ages
from csa.present.plots.named_rows import dicts, name_rows, rows_axes, write_rows
from csa.present.plots.rates import SPARE
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
MOST: Final = 10
TALL: Final = 2.1  # inches
LINES: Final = (("net", "Net", SERIES[0]), ("gross", "Gross", SERIES[1]))


def cohort_groups(
    result: GroupRetention,
    *,
    by: str = "segment",
    words: Words = ENGLISH,
    chart_id: str = "cohort-retention-by-group-chart",
) -> Chart:
    """Draw the retention of each group at one age with its interval.

    Parameters
    ----------
    result : GroupRetention
        From `csa.analysis.cohorts.groups.by_group`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Best group first, all last; the largest groups where there are many.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    title = f"Share {say.doing} {say.at(result.age)}, by {spoken(by)}"
    groups = result.table.loc[result.table["group"] != ALL]
    if result.table.empty:
        return nothing(chart_id, title, f"Nobody has completed {say.age(result.age)}.")
    shown = groups.nlargest(MOST, "n").sort_values("retention", ascending=False)
    rows = pd.concat([shown, result.table.loc[result.table["group"] == ALL]], ignore_index=True)
    everybody = EVERYBODY if say.who() == "accounts" else f"All {say.who()}"
    rows = rows.assign(label=rows["group"].replace(ALL, everybody))
    wide, narrow = drawn(lambda s: _by_group(rows, words, s), chart_id, list(rows["label"]))
    told = [
        f"{named(r['label'])} {words.share(r['retention'])} "
        f"({words.interval(r['ci_low'], r['ci_high'], 'share')})"
        for r in dicts(rows)
    ]
    rest = len(groups) - len(shown)
    more = f" {rest} smaller {plural(rest, 'group')} not drawn." if rest else ""
    hollow = " Hollow: fewer than 30." if (rows["n"] < 30).any() else ""
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {'; '.join(told)}.",
        caption=f"Bars: {words.share(result.confidence, 0)} intervals.{hollow}{more}",
        svg=wide,
        svg_narrow=narrow,
        data=result.table,
    )


def _by_group(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    texts = [_text(row, words, size) for row in dicts(rows)]
    fig, ax, left = rows_axes(list(rows["label"]), texts, size)
    y = np.arange(len(rows))
    colours = [LIGHT["soft"] if group == ALL else SERIES[0] for group in rows["group"]]
    ax.hlines(y, rows["ci_low"], rows["ci_high"], color=colours, linewidth=5, alpha=0.25)
    few = rows["n"] < 30
    faces = [LIGHT["paper"] if f else c for f, c in zip(few, colours, strict=True)]
    ax.scatter(rows["retention"], y, s=34, facecolors=faces, edgecolors=colours, zorder=3)
    lowest, highest = float(rows["ci_low"].min()), float(rows["ci_high"].max())
    low, high = np.floor(lowest * 10) / 10, np.ceil(highest * 10) / 10
    ax.set(xlim=(low - 0.01, min(high, 1.0) + 0.01), ylim=(len(rows) - 0.5, -0.5))
    ax.set(xlabel="", ylabel="")
    name_rows(ax, list(rows["label"]), left)
    steps = (0.05, 0.1, 0.2, 0.25, 0.5)
    step = next((s for s in steps if (high - low) / s <= (3.01 if size is NARROW else 5.01)), 0.5)
    ticks = np.arange(low, high + 1e-9, step)
    ax.set_xticks(ticks, [words.share(t, 0) for t in ticks])
    write_rows(ax, texts)
    return fig


def _text(row: dict[Hashable, Any], words: Words, size: Size) -> tuple[str, str]:
    share = words.share(row["retention"], 0 if size is NARROW else 1)
    return share, "" if size is NARROW else f"of {words.number(row['n'])}"


def cohort_revenue(
    result: CohortRevenue,
    *,
    words: Words = ENGLISH,
    title: str = "Revenue kept of that of the first month, by months since",
    chart_id: str = "cohort-revenue-chart",
) -> Chart:
    """Draw the revenue of all cohorts by age over that of their first month, net and gross.

    Parameters
    ----------
    result : CohortRevenue
        From `csa.analysis.cohorts.revenue.revenue_retention`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Light bands are intervals.
    """
    rows = result.pooled
    if len(rows) < 2:
        return nothing(chart_id, title, "No cohort has completed a month after its first.")
    wide, narrow = drawn(lambda s: _revenue(rows, words, s), chart_id, [])
    last = rows.iloc[-1]
    ends = [
        f"{name.lower()} {words.share(last[rate])} "
        f"({words.interval(last[f'{rate}_low'], last[f'{rate}_high'], 'share')})"
        for rate, name, _ in LINES
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"After {words.number(last['age'])} months: {', '.join(ends)}.",
        caption=f"Bands: {words.share(result.confidence, 0)} intervals. Complete cohorts only: "
        f"{words.number(rows['cohorts'].iloc[1])} after a month, "
        f"{words.number(last['cohorts'])} at the end.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _revenue(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    last = rows.iloc[-1]
    names = [f"{name} {words.share(last[rate], 0)}" for rate, name, _ in LINES]
    right = SPARE * max(text_width(name, SMALL, semibold=True) for name in names) + 0.14
    fig, (ax,) = figure(size._replace(left=0.52, right=right), (0.14, TALL, 0.5))
    ax.axhline(1, color=LIGHT["rule"], linewidth=0.9, zorder=1)
    columns = [f"{rate}{end}" for rate, *_ in LINES for end in ("", "_low", "_high")]
    values = rows[columns].to_numpy(dtype=float)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    step = next((s for s in (0.02, 0.05, 0.1, 0.2, 0.25, 0.5) if (high - low) / s <= 5), 1.0)
    bottom, top = np.floor(low / step + 1e-9) * step, np.ceil(high / step - 1e-9) * step
    for rate, _, colour in LINES:
        down, up = (rows[f"{rate}_{end}"].astype(float) for end in ("low", "high"))
        ax.fill_between(rows["age"], down, up, color=colour, alpha=0.14, linewidth=0)
        ax.plot(rows["age"], rows[rate], color=colour)
    ax.set(xlim=(0, rows["age"].max()), ylim=(bottom, max(top, bottom + step)), ylabel="")
    ticks = np.arange(bottom, top + 1e-9, step)
    ax.set_yticks(ticks, [words.share(t, 0) for t in ticks])
    mark_ages(ax, float(rows["age"].max()), words, size)
    gap = 0.17 * (top - bottom) / TALL
    places = spread([float(last[rate]) for rate, *_ in LINES], gap, bottom + gap / 2, top)
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for (_, _, colour), name, place in zip(LINES, names, places, strict=True):
        note(ax, name, (1, place), (6, 0), weight=600, color=colour, **style)
    ax.set_xlabel("Months since the first", fontsize=SMALL, loc="right")
    return fig
