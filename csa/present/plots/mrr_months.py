"""Names of months under an axis."""

from collections.abc import Sequence
from datetime import date

from babel.dates import format_date
from matplotlib.axes import Axes

from csa.present.canvas import SMALL, text_width
from csa.present.words import Words

ROOM = 1.25  # times the widest name


def name_months(ax: Axes, months: Sequence[date], words: Words, inches: float) -> None:
    """Name as many months as have room, the last one always; the year where it begins.

    Parameters
    ----------
    ax : Axes
        Months stand at 0, 1, 2, ...
    months : sequence of date
        Their first days, ascending.
    words : Words
        Locale and currency.
    inches : float
        Width of the axes.
    """
    names = [format_date(day, "MMM", locale=words.locale.replace("-", "_")) for day in months]
    room = ROOM * max(text_width(name, SMALL + 1) for name in names)
    step = next((s for s in (1, 2, 3, 6, 12) if inches * s / len(names) > room), len(names))
    at = list(range(len(names) - 1, -1, -step))[::-1]
    labels, year = [], None
    for i in at:
        labels.append(f"{names[i]}\n{months[i].year}" if months[i].year != year else names[i])
        year = months[i].year
    ax.set_xticks(at, labels)
