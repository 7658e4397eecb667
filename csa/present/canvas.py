"""Figures without pyplot, and the SVG made from them: real text, own ids, same input same bytes."""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from csa.present.items import Chart
from csa.present.names import is_right_to_left, shortened
from csa.present.theme import FONTS, LIGHT, drawing

_PROLOGUE = re.compile(r"^.*?(?=<svg )", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_STYLE = re.compile(r"\s*<defs>\s*<style[^>]*>.*?</style>\s*</defs>", re.DOTALL)
_PLACE = re.compile(r'(?<= )(?:d|x|y)="[^"]*"')  # not in transforms: there digits are scale
_LONG_NUMBER = re.compile(r"(\d+\.\d{2})\d+")
_TURN_BY_NOTHING = re.compile(r' transform="rotate\(-?0 [^)]*\)"')
_EMPTY_PATH = re.compile(r'<path d="[^"]*" style="fill: none"/>\s*')


class Size(NamedTuple):
    """How a drawing is laid out, inches; `name` is wide or narrow."""

    name: str
    width: float
    left: float
    right: float
    ticks: int  # most ticks on the x axis


SMALL: Final = 8.5  # points; labels in a drawing are never smaller
WIDE: Final = Size("wide", 7.2, 0.5, 1.55, 7)
NARROW: Final = Size("narrow", 3.6, 0.44, 1.02, 4)


def figure(size: Size, heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """Open a figure with axes stacked from top to bottom.

    Parameters
    ----------
    size : Size
        Width and margins.
    heights : sequence of float
        Inches: space above, first axes, gap, second axes, gap, ..., space below.

    Returns
    -------
    tuple
        The figure and its axes.
    """
    total = sum(heights)
    fig = Figure(figsize=(size.width, total))
    FigureCanvasSVG(fig)
    span = (size.width - size.left - size.right) / size.width
    axes, top = [], total
    for index, height in enumerate(heights):
        top -= height
        if index % 2:
            axes.append(fig.add_axes((size.left / size.width, top / total, span, height / total)))
    return fig, axes


def svg(fig: Figure, name: str) -> str:
    """Write a figure as SVG that can stand inside a page.

    Parameters
    ----------
    fig : Figure
        What was drawn.
    name : str
        Prefix of all ids, so that several drawings can share a page.

    Returns
    -------
    str
        An `<svg>` element: no prologue, no date, no style rule that would leak into the page.
    """
    out = io.StringIO()
    fig.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = _PROLOGUE.sub("", out.getvalue(), count=1)
    text = _STYLE.sub("", _METADATA.sub("", text, count=1), count=1)
    text = text.replace("<svg ", '<svg style="stroke-linejoin: round; stroke-linecap: butt" ', 1)
    text = _EMPTY_PATH.sub("", _TURN_BY_NOTHING.sub("", text))
    text = _PLACE.sub(lambda place: _LONG_NUMBER.sub(r"\1", place[0]), text)
    text = re.sub(r' id="([^"]+)"', rf' id="{name}-\1"', text)
    text = re.sub(r'xlink:href="#', f'xlink:href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    return re.sub(r"\s*\n\s*", "\n", text).strip()


def settings(texts: Iterable[str]) -> Any:
    """Choose the settings that depend on the words in a drawing.

    Parameters
    ----------
    texts : iterable of str
        All names from the data.

    Returns
    -------
    dict
        For `matplotlib.rc_context`: names written from right to left are drawn as outlines,
        because print engines set the letters of a drawing one by one from left to right.
    """
    return {"svg.fonttype": "path"} if any(map(is_right_to_left, texts)) else {}


def text_width(text: str, points: float, *, semibold: bool = False) -> float:
    """Measure a text in the theme's font.

    Parameters
    ----------
    text : str
        One line.
    points : float
        Size of type.
    semibold : bool
        Weight.

    Returns
    -------
    float
        Inches.
    """
    face = "CsaSans-Semibold" if semibold else "CsaSans-Regular"
    font = font_manager.get_font(FONTS / f"{face}.ttf")
    font.set_size(points, 72)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64 / 72


def fitted(text: str, inches: float, points: float, *, semibold: bool = False) -> str:
    """Cut a name to the room it has.

    Parameters
    ----------
    text : str
        Name from the data.
    inches : float
        Room.
    points : float
        Size of type.
    semibold : bool
        Weight.

    Returns
    -------
    str
        The name, with an ellipsis where it was cut.
    """
    kept = shortened(text, 60)
    while len(kept) > 2 and text_width(kept, points, semibold=semibold) > inches:
        kept = kept.rstrip("…")[:-1].rstrip() + "…"
    return kept


def spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move labels apart so that none covers another, each as near to its place as can be.

    Parameters
    ----------
    values : sequence of float
        Wanted places, any order.
    gap : float
        Least distance.
    low, high : float
        Ends that should not be passed.

    Returns
    -------
    list of float
        Places in the order of `values`.
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    placed: list[float] = []
    for i in order:
        floor = placed[-1] + gap if placed else low
        placed.append(max(values[i], floor))
    ceiling = high
    for k in range(len(placed) - 1, -1, -1):
        placed[k] = min(placed[k], ceiling)
        ceiling = placed[k] - gap
    found = [0.0] * len(values)
    for i, place in zip(order, placed, strict=True):
        found[i] = place
    return found


def tick_step(span: float, most: int) -> float:
    """Choose a step of whole months that gives few ticks.

    Parameters
    ----------
    span : float
        Length of the axis, months.
    most : int
        Most ticks besides zero.

    Returns
    -------
    float
        1, 2, 3, 6, 12, 24, 36, 60 or 120 months.
    """
    steps = (1, 2, 3, 6, 12, 24, 36, 60)
    return next((float(step) for step in steps if span / step <= most), 120.0)


def note(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    offset: tuple[float, float],
    **style: Any,
) -> None:
    """Write a small text beside a place.

    Parameters
    ----------
    axes : Axes
        Where to.
    text : str
        One line.
    at : tuple of float
        The place, as fractions of the axes unless `xycoords` says otherwise.
    offset : tuple of float
        Distance from it, points.
    **style : object
        Settings of the text.
    """
    plain: dict[str, Any] = {"xycoords": "axes fraction", "fontsize": SMALL, "color": LIGHT["soft"]}
    axes.annotate(text, at, offset, textcoords="offset points", **plain | style)


def quiet(axes: Axes) -> None:
    """Take everything but its texts from axes that only carry numbers.

    Parameters
    ----------
    axes : Axes
        Axes under the drawing.
    """
    axes.set_axis_off()
    axes.patch.set_visible(False)


def drawn(draw: Callable[[Size], Figure], name: str, texts: Sequence[str]) -> tuple[str, str]:
    """Draw a chart in both widths with the theme.

    Parameters
    ----------
    draw : callable
        Makes the figure for a size.
    name : str
        Id of the chart.
    texts : sequence of str
        Names from the data that stand in the drawing.

    Returns
    -------
    tuple of str
        Wide and narrow SVG.
    """
    both = []
    for size in (WIDE, NARROW):
        with drawing(), mpl.rc_context(settings(texts)):
            both.append(svg(draw(size), f"{name}-{size.name}"))
    return both[0], both[1]


def nothing(chart_id: str, title: str, message: str) -> Chart:
    """Draw the state of a chart without data.

    Parameters
    ----------
    chart_id, title : str
        As for the chart that would stand here.
    message : str
        What is missing.

    Returns
    -------
    Chart
        The message instead of a drawing.
    """

    def draw(size: Size) -> Figure:
        fig, (ax,) = figure(size, (0.1, 0.9, 0.1))
        quiet(ax)
        ax.text(0.5, 0.5, message, ha="center", va="center", color=LIGHT["soft"])
        return fig

    wide, narrow = drawn(draw, chart_id, [])
    return Chart(
        id=chart_id, title=title, alt=message, svg=wide, svg_narrow=narrow, data=pd.DataFrame()
    )
