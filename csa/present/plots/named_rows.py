"""Rows with a name on the left, marks in the middle and a figure on the right."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.present.canvas import SMALL, Size, figure, fitted, note, text_width
from csa.present.plots.rates import SPARE
from csa.present.theme import LIGHT

STEP: Final = 0.27  # inches per row


def rows_axes(
    names: Sequence[str], texts: Sequence[tuple[str, str]], size: Size
) -> tuple[Figure, Axes, float]:
    """Open axes with room for names on the left and a pair of texts on the right.

    Parameters
    ----------
    names : sequence of str
        One per row.
    texts : sequence of tuple of str
        The figure of a row, and what it is.
    size : Size
        Wide or narrow.

    Returns
    -------
    tuple
        Figure, axes, and the room of the names, inches.
    """
    left = min(SPARE * max(text_width(n, SMALL + 0.5) for n in names) + 0.15, 0.33 * size.width)
    right = SPARE * (_widest(texts, 0) + _widest(texts, 1)) + 0.18
    place = size._replace(left=left, right=right + 0.05)
    fig, (ax,) = figure(place, (0.28, STEP * len(names), 0.3))
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    return fig, ax, left


def _widest(texts: Sequence[tuple[str, str]], part: int) -> float:
    weight: Callable[[str], float] = lambda t: text_width(t, SMALL, semibold=part == 0)  # noqa: E731
    return max(weight(pair[part]) if pair[part] else 0.0 for pair in texts)


def name_rows(ax: Axes, names: Sequence[str], left: float) -> None:
    """Write the names, cut to their room.

    Parameters
    ----------
    ax : Axes
        From `rows_axes`.
    names : sequence of str
        One per row, from the top.
    left : float
        Room, inches.
    """
    ax.set_yticks(np.arange(len(names)), [fitted(n, left - 0.1, SMALL + 0.5) for n in names])
    ax.tick_params(axis="y", labelcolor=LIGHT["ink"])


def write_rows(ax: Axes, texts: Sequence[tuple[str, str]]) -> None:
    """Write a figure and what it is into the right margin.

    Parameters
    ----------
    ax : Axes
        From `rows_axes`.
    texts : sequence of tuple of str
        As given to `rows_axes`.
    """
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    gap = 72 * SPARE * _widest(texts, 0) + 8
    for at, (value, rest) in enumerate(texts):
        note(ax, value, (1, at), (gap, 0), ha="right", weight=600, color=LIGHT["ink"], **place)
        if rest:
            note(ax, rest, (1, at), (gap + 4, 0), **place)


def upright(ax: Axes, at: float, text: str, *, align: str) -> None:
    """Draw a line that a mark should pass, with its meaning above.

    Parameters
    ----------
    ax : Axes
        From `rows_axes`.
    at : float
        Place on the x axis.
    text : str
        What the line means.
    align : str
        left, center or right of the line.
    """
    ax.axvline(at, color=LIGHT["accent"], linewidth=1.2, zorder=1)
    place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "color": LIGHT["accent"]}
    note(ax, text, (at, 1), (0, 4), ha=align, **place)


def even_steps(last: float, most: int) -> list[float]:
    """Choose round amounts from zero to the end of an axis.

    Parameters
    ----------
    last : float
        End of the axis, above 0.
    most : int
        Most steps.

    Returns
    -------
    list of float
        0 and its multiples.
    """
    raw = last / most
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw)
    return [step * i for i in range(int(last / step + 1e-9) + 1)]


def dicts(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Take rows one by one.

    Parameters
    ----------
    rows : DataFrame
        Any.

    Returns
    -------
    list of dict
        One per row.
    """
    return rows.to_dict("records")
