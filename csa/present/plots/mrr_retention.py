"""Revenue retention: net and gross over time, and by group, each with its interval."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.revenue.rates import RetentionResult, RetentionTrend
from csa.present.attributes import spoken
from csa.present.canvas import (
    NARROW,
    SMALL,
    Size,
    drawn,
    figure,
    note,
    nothing,
    spread,
    text_width,
)
from csa.present.items import Chart
from csa.present.money import major
from csa.present.names import named, plural
from csa.present.narrate.mrr_retention import span_of
from csa.present.plots.mrr_months import name_months
from csa.present.plots.named_rows import dicts, name_rows, rows_axes, write_rows
from csa.present.plots.rates import SPARE
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words, known

ENGLISH: Final = Words()
TALL: Final = 2.1  # inches
MOST: Final = 8
APART: Final = 0.17  # of a row between its middle and each mark
RATES: Final = (("nrr", "Net", SERIES[0], "o"), ("grr", "Gross", SERIES[1], "D"))
NOBODY: Final = "No account paid at the start."


def retention_over_time(
    result: RetentionTrend,
    *,
    words: Words = ENGLISH,
    title: str = "",
    chart_id: str = "retention-over-time",
) -> Chart:
    """Draw net and gross revenue retention up to the end of each of the last months.

    Parameters
    ----------
    result : RetentionTrend
        From `csa.analysis.revenue.rates.retention_over_time`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Light bands are intervals; where nobody paid at a start, the lines begin later.
    """
    head = title or f"Revenue retention over {span_of(result.horizon_months, words)}, by last month"
    rows = result.table
    if not rows["nrr"].notna().any():
        return nothing(chart_id, head, NOBODY)
    wide, narrow = drawn(lambda size: _trend(rows, words, size), chart_id, [])
    last = rows.iloc[-1]
    unclear = rows.loc[(rows["status"] != "ok") & rows["nrr"].notna()]
    told = f" Hollow: {len(unclear)} unclear." if len(unclear) else ""
    return Chart(
        id=chart_id,
        title=head,
        alt=f"{head}: net {_of(last, 'nrr', words)}, gross {_of(last, 'grr', words)} in the last "
        f"of {len(rows)} months; net was {_of(rows.loc[rows['nrr'].notna()].iloc[0], 'nrr', words)}"
        " in the first known.",
        caption=f"Bands: {words.share(result.confidence, 0)} intervals.{told}",
        svg=wide,
        svg_narrow=narrow,
        data=rows[
            [
                *("month_start", "n", "start_minor", "end_minor", "nrr", "nrr_low", "nrr_high"),
                *("grr", "grr_low", "grr_high", "status", "reason"),
            ]
        ],
    )


def _of(row: "pd.Series[Any]", rate: str, words: Words) -> str:
    between = words.interval(row[f"{rate}_low"], row[f"{rate}_high"], "share")
    return f"{words.share(row[rate])} ({between})"


def _trend(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    last = rows.iloc[-1]
    names = [f"{name} {words.share(last[rate])}" for rate, name, *_ in RATES]
    right = SPARE * max(text_width(name, SMALL, semibold=True) for name in names) + 0.14
    place = size._replace(left=0.52, right=right)
    fig, (ax,) = figure(place, (0.12, TALL, 0.46))
    x = np.arange(len(rows))
    ax.axhline(1, color=LIGHT["rule"], linewidth=0.9, zorder=1)
    for rate, _, colour, _ in RATES:
        ax.fill_between(
            x,
            rows[f"{rate}_low"].astype(float),
            rows[f"{rate}_high"].astype(float),
            color=colour,
            alpha=0.14,
            linewidth=0,
        )
        sure = (rows["status"] == "ok").to_numpy()
        ax.plot(x, rows[rate], color=colour)
        faces = [colour if ok else LIGHT["paper"] for ok in sure]
        ax.scatter(x, rows[rate], s=16, facecolors=faces, edgecolors=colour, zorder=3)
    ax.set(xlim=(-0.4, len(rows) - 0.6), xlabel="", ylabel="")
    ticks, digits = _share_axis(rows)
    ax.set_ylim(ticks[0], ticks[-1])
    ax.set_yticks(ticks, [words.share(t, digits) for t in ticks])
    name_months(ax, list(rows["month_start"]), words, size.width - 0.52 - right)
    _name_lines(ax, [float(last[rate]) for rate, *_ in RATES], names)
    return fig


def _share_axis(rows: pd.DataFrame) -> tuple[list[float], int]:
    """Round shares around all lines and bands, with 100 % among them."""
    ends = rows[[f"{r}{e}" for r, *_ in RATES for e in ("", "_low", "_high")]].to_numpy(float)
    low, high = min(np.nanmin(ends), 1.0), max(np.nanmax(ends), 1.0)
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
    step = next((s for s in steps if (high - low) / s <= 5), 2.0)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return [float(step * k) for k in np.arange(first, last + 1)], 0


def _name_lines(ax: Axes, values: list[float], names: list[str]) -> None:
    low, high = ax.get_ylim()
    known_places = [v if known(v) else low for v in values]
    places = spread(known_places, 0.17 * (high - low) / TALL, low, high)
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for (_, _, colour, _), name, place in zip(RATES, names, places, strict=True):
        note(ax, name, (1, place), (6, 0), weight=600, color=colour, **style)


def revenue_retention(
    result: RetentionResult,
    *,
    horizon_months: int,
    by: str = "segment",
    words: Words = ENGLISH,
    chart_id: str = "revenue-retention-by-group-chart",
) -> Chart:
    """Draw net and gross revenue retention by group: a dot and a diamond with intervals.

    Parameters
    ----------
    result : RetentionResult
        From `csa.analysis.revenue.rates.retention`.
    horizon_months : int
        One of its horizons.
    by : str
        What the groups are.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Groups with the most revenue first, all accounts last.
    """
    title = f"Revenue retention over {span_of(horizon_months, words)}, by {spoken(by)}"
    table = result.table.loc[
        (result.table["horizon_months"] == horizon_months) & result.table["nrr"].notna()
    ]
    if table.empty:
        return nothing(chart_id, title, NOBODY)
    groups = table.loc[table["group"] != ALL]
    shown = groups.nlargest(MOST, "start_minor")
    rows = pd.concat([shown, table.loc[table["group"] == ALL]], ignore_index=True)
    rows = rows.assign(label=rows["group"].replace(ALL, EVERYBODY))
    wide, narrow = drawn(lambda s: _by_group(rows, words, s), chart_id, list(rows["label"]))
    rest = len(groups) - len(shown)
    more = f" {rest} further {plural(rest, 'group')} not drawn." if rest else ""
    told = [
        f"{named(r['label'])} net {words.share(r['nrr'])}, gross {words.share(r['grr'])}"
        for r in dicts(rows)
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {'; '.join(told)}.",
        caption=f"Dots: net; diamonds: gross. Bars: {words.share(result.confidence, 0)} intervals; "
        f"hollow: unclear.{more}",
        svg=wide,
        svg_narrow=narrow,
        data=rows.drop(columns="label"),
    )


def _by_group(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    texts = [_text(row, words, size) for row in dicts(rows)]
    fig, ax, left = rows_axes(list(rows["label"]), texts, size)
    y = np.arange(len(rows))
    ax.axvline(1, color=LIGHT["rule"], linewidth=0.9, zorder=1)
    for (rate, _, colour, shape), side in zip(RATES, (-APART, APART), strict=True):
        low, high = (rows[f"{rate}_{end}"].astype(float) for end in ("low", "high"))
        ax.hlines(y + side, low, high, color=colour, linewidth=4, alpha=0.25)
        faces = [colour if s == "ok" else LIGHT["paper"] for s in rows["status"]]
        marks: dict[str, Any] = {"marker": shape, "facecolors": faces, "edgecolors": colour}
        ax.scatter(rows[rate], y + side, s=30, zorder=3, **marks)
    ticks, digits = _share_axis(rows)
    spare = 0.03 * (ticks[-1] - ticks[0])
    ax.set(xlim=(ticks[0] - spare, ticks[-1] + spare), ylim=(len(rows) - 0.5, -0.5))
    ax.set(xlabel="", ylabel="")
    name_rows(ax, list(rows["label"]), left)
    few = ticks if size is not NARROW or len(ticks) < 5 else ticks[::2]
    ax.set_xticks(few, [words.share(t, digits) for t in few])
    write_rows(ax, texts)
    return fig


def _text(row: dict[Hashable, Any], words: Words, size: Size) -> tuple[str, str]:
    both = f"{words.share(row['nrr'], 0)} · {words.share(row['grr'], 0)}"
    return both, "" if size is NARROW else f"of {words.money(major(row['start_minor'], words))}"
