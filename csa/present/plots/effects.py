"""How fast accounts leave by level of each attribute, on a scale where half mirrors double."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.churn.effects import EffectsResult
from csa.present.attributes import spoken
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
    text_width,
)
from csa.present.effect_rows import (
    COLUMNS,
    age_band,
    effect_rows,
    ratio,
    ratio_interval,
    where_not_proportional,
)
from csa.present.items import Chart
from csa.present.names import capital, named, plural
from csa.present.plots.rates import SPARE
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words, known

MOST_LEVELS: Final = 6  # of an attribute, those with most churn
MOST_MARKS: Final = 30
STEP: Final = {"head": 0.3, "level": 0.23, "band": 0.2}  # inches per line
VALUE: Final = 34  # points from the axes to the end of a ratio
FURTHEST: Final = 20.0  # ratios beyond it, or below its inverse, run out of the drawing
TICKS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
ENGLISH: Final = Words()
MARKS: Final = ("level", "band")


class _Line(NamedTuple):
    """A line of the drawing: the head of an attribute, a level or band with its mark, a name."""

    kind: str  # head; level; name of a level, and a band of it
    label: str
    y: float  # inches from the top
    row: dict[Any, Any]


def effects(
    result: EffectsResult,
    *,
    words: Words = ENGLISH,
    title: str = "How fast accounts leave, compared with a reference, all else alike",
    chart_id: str = "effects-on-leaving",
) -> Chart:
    """Hazard ratios with intervals by level, and by age where an effect changes with it.

    Parameters
    ----------
    result : EffectsResult
        From `csa.analysis.churn.effects.effects`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        One line per level, references named in the heads; where nothing can be compared, a
        drawing that says so.
    """
    every = effect_rows(result)
    every = every.loc[(every["level"] != every["reference"]) & every["hazard_ratio"].notna()]
    rows = _shown(every)
    if rows.empty:
        return nothing(chart_id, title, "No attribute can be compared here.")
    wide, narrow = drawn(
        lambda size: _figure(rows, words, size),
        chart_id,
        [str(x) for name in ("term", "level", "reference") for x in rows[name].unique()],
    )
    return Chart(
        id=chart_id,
        title=title,
        alt=_alt(rows, words),
        caption=_caption(result, len(every) - len(rows), words),
        svg=wide,
        svg_narrow=narrow,
        data=rows[list(COLUMNS)],
    )


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Levels with most churn, as many as a page can carry, in their order."""
    if rows.empty:
        return rows
    churn = rows.groupby(["term", "level"], sort=False)["events"].sum().reset_index()
    rank = churn.groupby("term")["events"].rank(ascending=False, method="first")
    kept = churn.loc[rank <= MOST_LEVELS, ["term", "level"]]
    found = rows.merge(kept, on=["term", "level"])
    return found.head(MOST_MARKS)


def _lines(rows: pd.DataFrame, words: Words) -> Iterator[_Line]:
    """Lay out the lines: a head per attribute, then its levels, bands closer together."""
    y, before = 0.0, (None, None)
    for row in rows.to_dict("records"):
        term, level = row["term"], row["level"]
        banded = known(row["from_days"]) or known(row["to_days"])
        if term != before[0]:
            y += STEP["head"] if y else 0.2
            against = f", against {row['reference']}" if row["reference"] else ""
            yield _Line("head", f"{capital(spoken(term))}{against}", y - 0.12, row)
        if banded and (term, level) != before:
            y += STEP["level"]
            yield _Line("name", str(level), y - 0.11, row)
        kind = "band" if banded else "level"
        y += STEP[kind]
        label = age_band(row["from_days"], row["to_days"], words) if banded else str(level)
        yield _Line(kind, label, y - STEP[kind] / 2, row)
        before = (term, level)


def _figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    lines = list(_lines(rows, words))
    marks = [line for line in lines if line.kind in MARKS]
    names = SPARE * max(text_width(f"  {x.label}", SMALL + 0.5) for x in lines if x.kind != "head")
    left = min(names + 0.15, 0.36 * size.width)
    right = (VALUE + 6) / 72 + 0.05
    if size is WIDE:
        right += SPARE * max(text_width(_interval(x.row, words), SMALL) for x in marks)
    height = marks[-1].y + 0.14
    fig, (ax,) = figure(size._replace(left=left, right=right), (0.24, height, 0.3))
    low, high = _limits(rows)
    ax.set_xscale("log")
    ax.set(xlim=(low, high), ylim=(height, 0), xlabel="", ylabel="")
    _axis(ax, (low, high), words, size)
    for line in lines:
        if line.kind in MARKS:
            _mark(ax, line, (low, high))
            _value(ax, line, words, size)
        _label(ax, line, left, size)
    return fig


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Choose a scale that holds the sure intervals, no further than can be read."""
    sure = rows.loc[rows["status"] == "ok"]
    seen = sure if len(sure) else rows
    figures = seen[["ci_low", "ci_high", "hazard_ratio"]].astype(float)
    figures = figures.where((figures > 0) & np.isfinite(figures))
    low, high = np.nanmin([figures.min().min(), 0.5]), np.nanmax([figures.max().max(), 2.0])
    return max(float(low), 1 / FURTHEST) / 1.12, min(float(high), FURTHEST) * 1.12


def _axis(ax: Axes, limits: tuple[float, float], words: Words, size: Size) -> None:
    ticks = [t for t in TICKS if limits[0] <= t <= limits[1]]
    if size is NARROW and len(ticks) > 5:
        ticks = [t for t in ticks if t in {0.1, 0.5, 1.0, 2.0, 10.0}]
    ax.set_xticks(ticks, [words.number(t, 0 if t >= 1 else 2 if t < 0.1 else 1) for t in ticks])
    ax.set_xticks([], minor=True)
    ax.set_yticks([])
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.axvline(1.0, color=LIGHT["rule"], linewidth=1.2, zorder=1)
    place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "color": LIGHT["soft"]}
    note(ax, "stay longer", (1.0, 1), (-7, 5), ha="right", **place)
    note(ax, "leave sooner", (1.0, 1), (7, 5), **place)
    note(ax, "times as fast" if size is WIDE else "times", (1, 0), (6, -6.5), va="top")


def _mark(ax: Axes, line: _Line, limits: tuple[float, float]) -> None:
    """Draw ratio and interval; hollow where the interval holds 1 or the figure is not sure."""
    value, low, high = (line.row[name] for name in ("hazard_ratio", "ci_low", "ci_high"))
    first = max(low, limits[0]) if known(low) else limits[0]
    last = min(high, limits[1]) if known(high) else limits[1]
    ax.hlines(line.y, first, last, color=SERIES[0], linewidth=5, alpha=0.2)
    sure = line.row["status"] == "ok" and not low <= 1 <= high
    for end, inside, shape in ((limits[0], low, "<"), (limits[1], high, ">")):
        if not known(inside) or not limits[0] <= inside <= limits[1]:
            ax.scatter(end, line.y, s=22, marker=shape, color=SERIES[0], clip_on=False, zorder=3)
    if limits[0] <= value <= limits[1]:
        face = SERIES[0] if sure else LIGHT["paper"]
        look: dict[str, Any] = {"facecolor": face, "edgecolor": SERIES[0], "linewidth": 1.3}
        ax.scatter(value, line.y, s=36 if line.kind == "level" else 26, zorder=4, **look)


def _value(ax: Axes, line: _Line, words: Words, size: Size) -> None:
    at: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    text, ink = ratio(line.row["hazard_ratio"], words), LIGHT["ink"]
    note(ax, text, (1, line.y), (VALUE, 0), ha="right", weight=600, color=ink, **at)
    if size is WIDE:
        note(ax, _interval(line.row, words), (1, line.y), (VALUE + 6, 0), **at)


def _interval(row: dict[Any, Any], words: Words) -> str:
    return ratio_interval(row["ci_low"], row["ci_high"], words)


def _label(ax: Axes, line: _Line, left: float, size: Size) -> None:
    """Write heads over the whole width, names of levels and bands beside their marks."""
    at: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    style = {
        "color": LIGHT["soft"] if line.kind == "band" else LIGHT["ink"],
        "fontsize": SMALL + 0.5,
    }
    edge = -(left - 0.06) * 72
    indent = {"head": 0.0, "level": 8.0, "name": 8.0, "band": 16.0}[line.kind]
    room = left - 0.1 - indent / 72
    if line.kind not in MARKS:  # no mark beside it, so it may go on over the drawing
        room = size.width - size.right if size is NARROW else left + 2.4
    head = line.kind == "head"
    look = {"weight": 600, "color": LIGHT["brand"]} if head else {}
    text = fitted(line.label, room, SMALL + 0.5, semibold=head)
    note(ax, text, (0, line.y), (edge + indent, 0), **at, **style | look)


def _alt(rows: pd.DataFrame, words: Words) -> str:
    parts = []
    for row in rows.to_dict("records"):
        banded = known(row["from_days"]) or known(row["to_days"])
        age = f" {age_band(row['from_days'], row['to_days'], words)}" if banded else ""
        against = f" against {named(row['reference'])}" if row["reference"] else ""
        parts.append(
            f"{spoken(row['term'])} {named(row['level'])}{against}{age} "
            f"{ratio(row['hazard_ratio'], words)} ({_interval(row, words)})"
        )
    return f"How many times as fast accounts leave, with intervals: {'; '.join(parts)}."


def _caption(result: EffectsResult, left_out: int, words: Words) -> str:
    parts = [
        f"Bars: {words.share(result.confidence, 0)} intervals; hollow: not more than chance, or "
        "too few left.",
        where_not_proportional(result),
    ]
    if left_out:
        parts.append(f"{left_out} further {plural(left_out, 'line')} not drawn.")
    return " ".join(parts)
