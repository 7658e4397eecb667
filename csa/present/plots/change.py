"""What moved the churn rate: a mark per part with its interval, the change itself last."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.churn.change import ChurnChangeResult
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
from csa.present.items import Chart
from csa.present.names import named, plural
from csa.present.narrate.change import NAME
from csa.present.plots.rates import SPARE
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

MAX_GROUPS: Final = 8
STEP: Final = 0.27  # inches per row
VALUE: Final = 36  # points from the axes to the end of a value
ENGLISH: Final = Words()
COLOURS: Final = {"group": SERIES[0], "mix": SERIES[1], "change": LIGHT["ink"]}
COLUMNS: Final = ("part", "kind", "value", "ci_low", "ci_high", "rate", "previous_rate")


def what_moved(
    change: ChurnChangeResult,
    *,
    by: str = "segment",
    words: Words = ENGLISH,
    title: str = "",
    chart_id: str = "what-moved",
) -> Chart:
    """Show what each group's own rate and the mix of groups add to the change, with intervals.

    Parameters
    ----------
    change : ChurnChangeResult
        From `csa.analysis.churn.change.churn_change` or, by attribute, `what_moved`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.
    title : str
        A statement or a question; by default which change is split by what.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Largest part first, then the mix and the change; where there is no change to be split, a
        drawing that says so.
    """
    head = title or f"Points that each {spoken(by)} adds to the change of the {NAME[change.of]}"
    if change.status != "ok":
        return nothing(chart_id, head, "No change to split: compare two periods that are over.")
    rows = _rows(change, by)
    wide, narrow = drawn(lambda size: _figure(rows, words, size), chart_id, list(rows["part"]))
    return Chart(
        id=chart_id,
        title=head,
        alt=_alt(rows, change, words),
        caption=f"Bars: {words.share(change.confidence, 0)} intervals. {_reading(by)}",
        svg=wide,
        svg_narrow=narrow,
        data=rows[list(COLUMNS)],
    )


def _rows(change: ChurnChangeResult, by: str) -> pd.DataFrame:
    """Parts of the largest groups, all others as one, the mix, the change."""
    table = change.table.reindex(
        change.table["within"].abs().sort_values(ascending=False, kind="stable").index
    )
    ends = {"within": "value", "within_low": "ci_low", "within_high": "ci_high", "group": "part"}
    shown = table.rename(columns=ends).assign(kind="group").head(MAX_GROUPS)
    rows = [shown[list(COLUMNS)]]
    rest = table.iloc[MAX_GROUPS:]
    if len(rest):
        name = f"{len(rest)} other {plural(len(rest), 'group')}"
        rows.append(_row(name, "group", (float(rest["within"].sum()), np.nan, np.nan)))
    rows.append(_row(f"Mix by {spoken(by)}", "mix", tuple(change.mix)))
    total = _row("Change", "change", tuple(change.change))
    rates = {"rate": change.rate, "previous_rate": change.previous_rate}
    return pd.concat([*rows, total.assign(**rates)], ignore_index=True)


def _row(part: str, kind: str, found: tuple[float, ...]) -> pd.DataFrame:
    names = ("value", "ci_low", "ci_high")
    unknown = {"rate": np.nan, "previous_rate": np.nan}
    row = {"part": part, "kind": kind} | dict(zip(names, found, strict=True)) | unknown
    return pd.DataFrame([row])


def _figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    names = SPARE * max(text_width(name, SMALL + 0.5) for name in rows["part"])
    left = min(names + 0.15, 0.34 * size.width)
    right = (VALUE + 6) / 72 + 0.05
    if size is WIDE:
        right += SPARE * max(text_width(_rates(row, words), SMALL) for row in _dicts(rows))
    place = size._replace(left=left, right=right)
    fig, (ax,) = figure(place, (0.12, STEP * len(rows), 0.3))
    y = np.arange(len(rows))
    _marks(ax, rows, y)
    _axis(ax, rows, words, size)
    ax.set_yticks(y, [fitted(name, left - 0.1, SMALL + 0.5) for name in rows["part"]])
    ax.tick_params(axis="y", labelcolor=LIGHT["ink"])
    at: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for k, row in enumerate(_dicts(rows)):
        value, colour = words.points(row["value"], signed=True), COLOURS[row["kind"]]
        note(ax, value, (1, k), (VALUE, 0), ha="right", weight=600, color=colour, **at)
        if size is WIDE:
            note(ax, _rates(row, words), (1, k), (VALUE + 6, 0), **at)
    return fig


def _marks(ax: Axes, rows: pd.DataFrame, y: "np.ndarray[Any, Any]") -> None:
    colours = [COLOURS[kind] for kind in rows["kind"]]
    value, low, high = (rows[name].astype(float) for name in ("value", "ci_low", "ci_high"))
    ax.hlines(y, low, high, color=colours, linewidth=5, alpha=0.2)
    ax.hlines(y, np.zeros(len(y)), value, color=colours, linewidth=2.2)
    ax.scatter(value, y, s=44, color=colours, zorder=3)
    ax.axvline(0, color=LIGHT["rule"], linewidth=0.9, zorder=1)
    ax.axhline(len(rows) - 1.5, color=LIGHT["line"], linewidth=0.9)


def _axis(ax: Axes, rows: pd.DataFrame, words: Words, size: Size) -> None:
    """Points on both sides of zero, as far as the intervals reach."""
    reach = rows[["value", "ci_low", "ci_high"]].astype(float)
    low, high = min(float(reach.min().min()), 0.0), max(float(reach.max().max()), 0.0)
    span = max(high - low, 1e-4)
    ax.set(xlim=(low - 0.04 * span, high + 0.04 * span), ylim=(len(rows) - 0.5, -0.5))
    ax.set(xlabel="", ylabel="")
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    steps = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
    step = next((s for s in steps if span / s <= (4 if size is NARROW else 7)), 0.5)
    ticks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    digits = 0 if step >= 0.01 else 2 if step < 0.001 else 1
    ax.set_xticks(ticks, [words.points(t, digits, signed=bool(t)) for t in ticks])
    unit = "percentage points" if size is WIDE else "points"
    note(ax, unit, (1, 0), (6, -6.5), va="top")


def _rates(row: dict[Any, Any], words: Words) -> str:
    if pd.isna(row["rate"]) and pd.isna(row["previous_rate"]):
        return ""
    return f"{words.share(row['previous_rate'])} → {words.share(row['rate'])}"


def _dicts(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    return rows.to_dict("records")


def _alt(rows: pd.DataFrame, change: ChurnChangeResult, words: Words) -> str:
    parts = [
        f"{named(row['part'])} {words.points(row['value'], signed=True)} "
        f"({words.change_interval(row['ci_low'], row['ci_high'], 'share')})"
        for row in _dicts(rows)
    ]
    return (
        f"Change of the {NAME[change.of]} from {words.share(change.previous_rate)} to "
        f"{words.share(change.rate)} in percentage points, by part: {'; '.join(parts)}."
    )


def _reading(by: str) -> str:
    return (
        f"A group's mark is what its own rate adds; Mix by {spoken(by)} is what the shares of the "
        "groups add. All marks above the line add up to the change."
    )
