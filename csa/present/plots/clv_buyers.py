"""Drawings of customers without a contract: do models of purchases hold, and who is still there."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.clv.holdout import Scorecard
from csa.analysis.clv.tracking import Tracking
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
)
from csa.present.items import Chart
from csa.present.plots.named_rows import dicts, even_steps
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
CAME, SAID = SERIES[0], SERIES[1]
UNITS: Final = {1.0: "day", 7.0: "week", 365.25 / 12: "month", 365.25: "year"}
NO_HOLDOUT: Final = "The history is too short to hold any of it back."
BEFORE: Final = ("Repeat purchases before", "Repeat purchases before")  # wide, narrow
TENTHS: Final = ("Tenths of customers, most expected first", "Tenths, most expected first")
FEW: Final = 30  # customers, below which a mean of purchases tells little


def unit_word(unit_days: float) -> str:
    """Name a unit of time.

    Parameters
    ----------
    unit_days : float
        Its length, days.

    Returns
    -------
    str
        day, week, month, year, or period.
    """
    return next((word for days, word in UNITS.items() if abs(days - unit_days) < 1e-9), "period")


def purchases_tracked(
    result: Tracking,
    model: str,
    *,
    words: Words = ENGLISH,
    title: str = "Purchases that came, and those the model expected",
    chart_id: str = "purchases-tracked",
) -> Chart:
    """Draw purchases per period above and added up below, calibration and holdout.

    Parameters
    ----------
    result : Tracking
        From `csa.analysis.clv.tracking.tracking`.
    model : str
        Name of the model to draw.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Without customers, or where the model could not be fitted, a drawing that says so.
    """
    if result.table.empty:
        return nothing(chart_id, title, "No customer has bought yet.")
    if model not in result.table:
        return nothing(chart_id, title, f"{model} could not be fitted.")
    rows = result.table
    unit = unit_word(result.unit_days)
    wide, narrow = drawn(
        lambda size: _tracked_figure(rows, model, unit, words, size), chart_id, [model]
    )
    last = rows.iloc[-1]
    came, said = words.number(last["actual_total"]), words.number(last[f"{model} total"])
    held = rows.loc[rows["holdout"]]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Repeat purchases per {unit} and added up over {words.number(len(rows))} {unit}s: in "
        f"all {came} came and {said} were expected by {model}. {_held(held, model, words)}",
        caption=f"Repeat purchases of the customers of the calibration. Grey: {unit}s held back, "
        "which the model had not seen.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _held(held: pd.DataFrame, model: str, words: Words) -> str:
    if held.empty:
        return "Nothing was held back."
    came, said = float(held["actual"].sum()), float(held[model].sum())
    return f"Of the time held back: {words.number(came)} came, {words.number(said)} expected."


def _tracked_figure(rows: pd.DataFrame, model: str, unit: str, words: Words, size: Size) -> Figure:
    place = size._replace(left=0.62)
    fig, (each, total) = figure(place, (0.34, 1.35, 0.56, 1.35, 0.5))
    whole = rows.loc[rows["complete"]] if rows["complete"].any() else rows
    _pair(each, whole, ("actual", model), words, size)
    _pair(total, rows, ("actual_total", f"{model} total"), words, size)
    note(each, f"Purchases per {unit}", (0, 1), (-30, 8))
    note(total, "Added up", (0, 1), (-30, 8))
    end = float(rows["ends_after"].max())
    seen = rows.loc[~rows["holdout"].astype(bool), "ends_after"]
    for ax in (each, total):
        ax.set_xlim(0, end * 1.01)
        ticks = even_steps(end, size.ticks)
        ax.set_xticks(ticks, [words.number(t) for t in ticks])
        if len(seen) < len(rows):
            border = float(seen.max()) if len(seen) else 0.0
            ax.axvspan(border, end * 1.01, color=LIGHT["wash"], zorder=0.3, linewidth=0)
            ax.axvline(border, color=LIGHT["ink"], linewidth=1.0, zorder=3)
    if len(seen) < len(rows):
        note(each, "held back", (1, 1), (0, 8), ha="right", color=LIGHT["ink"])
    total.set_xlabel(f"{unit}s since the first purchase of all", loc="right")
    _line_names(total, rows.iloc[-1], model, words, size)
    return fig


def _pair(ax: Axes, rows: pd.DataFrame, columns: tuple[str, str], words: Words, size: Size) -> None:
    """Draw what came as a line, what was said as another, from zero on."""
    x = rows["ends_after"].to_numpy(float)
    ax.plot(x, rows[columns[0]].astype(float), color=CAME, linewidth=1.4, zorder=2)
    ax.plot(x, rows[columns[1]].astype(float), color=SAID, linewidth=1.6, zorder=2.5)
    _from_zero(ax, float(rows[list(columns)].max().max()), words, 3 if size is NARROW else 4)


def _from_zero(ax: Axes, top: float, words: Words, most: int) -> None:
    end = max(top, 1e-9) * 1.06
    ticks = even_steps(end, most)
    digits = 0 if ticks[-1] >= len(ticks) - 1 else 2
    ax.set(ylim=(0, end))
    ax.set_yticks(ticks, [words.number(t, digits) for t in ticks])


def _line_names(ax: Axes, last: pd.Series, model: str, words: Words, size: Size) -> None:
    """Name both lines at their ends, apart from each other."""
    values = [float(last["actual_total"]), float(last[f"{model} total"])]
    top = ax.get_ylim()[1]
    places = spread(values, 0.16 * top, 0.0, top)
    names = ("came", model)
    for name, value, at, color in zip(names, values, places, (CAME, SAID), strict=True):
        text = f"{name} {words.number(value)}" if size is WIDE else name
        text = fitted(text, size.right - 0.12, SMALL, semibold=True)
        style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
        note(ax, text, (1, at), (6, 0), weight=600, color=color, **style)


def purchases_by_frequency(
    card: Scorecard | None,
    model: str,
    *,
    words: Words = ENGLISH,
    title: str = "Do those buy on who were expected to?",
    chart_id: str = "purchases-by-frequency",
) -> Chart:
    """Draw purchases held back against purchases before: what came, and what was expected.

    Parameters
    ----------
    card : Scorecard or None
        From `csa.analysis.clv.holdout.scorecard`.
    model : str
        Name of the model to draw.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Means per customer, with the number of customers below.
    """
    if card is None or card.frequencies.empty or model not in card.frequencies:
        return nothing(chart_id, title, NO_HOLDOUT)
    rows = card.frequencies
    names = [_frequency(row, rows) for row in dicts(rows)]
    told = [
        f"{name} before: {words.number(row['actual'], 2)} came, "
        f"{words.number(row[model], 2)} expected ({words.number(row['customers'])} customers)"
        for name, row in zip(names, dicts(rows), strict=True)
    ]
    said = (
        f"Mean purchases per customer in the time held back, by {model}: {'; '.join(told)}.",
        "Means per customer in the time held back. Below: customers; pale where there are "
        f"fewer than {FEW}.",
    )
    return _means(rows, names, (model, BEFORE), words, (chart_id, title, *said))


def purchases_calibration(
    card: Scorecard | None,
    model: str,
    *,
    words: Words = ENGLISH,
    title: str = "Are the best tenth as good as expected?",
    chart_id: str = "purchases-calibration",
) -> Chart:
    """Draw purchases held back in tenths of customers, those of whom most was expected first.

    Parameters
    ----------
    card : Scorecard or None
        From `csa.analysis.clv.holdout.scorecard`.
    model : str
        Name of the model to draw.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Means per customer.
    """
    rows = pd.DataFrame() if card is None else card.tenths.query("model == @model")
    if rows.empty:
        return nothing(chart_id, title, NO_HOLDOUT)
    rows = rows.rename(columns={"predicted": model}).reset_index(drop=True)
    names = [str(tenth) for tenth in rows["tenth"]]
    first = rows.iloc[0]
    share = first["actual"] / rows["actual"].sum() if rows["actual"].sum() else 0.0
    said = (
        f"Mean purchases per customer in the time held back. Of the first tenth "
        f"{words.number(first[model], 2)} were expected by {model} and "
        f"{words.number(first['actual'], 2)} came: {words.percent(share)} of all that came.",
        "Means per customer in the time held back; customers in tenths by what was expected of "
        "them.",
    )
    return _means(rows, names, (model, TENTHS), words, (chart_id, title, *said))


def _means(
    rows: pd.DataFrame,
    names: list[str],
    said: tuple[str, tuple[str, str]],
    words: Words,
    texts: tuple[str, str, str, str],
) -> Chart:
    """Chart of means by group; the texts are id, title, alternative and caption."""
    chart_id, title, alt, caption = texts
    wide, narrow = drawn(
        lambda size: _means_figure(rows, names, said, words, size), chart_id, [said[0]]
    )
    return Chart(
        id=chart_id,
        title=title,
        alt=alt,
        caption=caption,
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _frequency(row: dict[Any, Any], rows: pd.DataFrame) -> str:
    last = row["frequency"] == rows["frequency"].max() and row["frequency"] >= 7
    return f"{row['frequency']}{'+' if last else ''}"


def _means_figure(
    rows: pd.DataFrame,
    names: list[str],
    said: tuple[str, tuple[str, str]],
    words: Words,
    size: Size,
) -> Figure:
    """Draw dots for what came, a line with rings for what was expected."""
    model, axis = said
    fig, (ax,) = figure(size._replace(left=0.55), (0.34, 2.1, 0.5 if size is NARROW else 0.72))
    x = np.arange(len(rows))
    few = (rows["customers"] < FEW).to_numpy()
    ax.plot(x, rows[model].astype(float), color=SAID, marker="o", markersize=4, zorder=2)
    came = rows["actual"].to_numpy(float)
    ax.scatter(x[~few], came[~few], s=34, color=CAME, zorder=3)
    ax.scatter(x[few], came[few], s=34, color=CAME, alpha=0.35, zorder=3)
    _from_zero(ax, float(rows[["actual", model]].max().max()), words, 4)
    ax.set(xlim=(-0.5, len(rows) - 0.5))
    brief = ["" if size is NARROW and i % 2 and len(rows) > 8 else n for i, n in enumerate(names)]
    ax.set_xticks(x, brief)
    ax.set_xlabel(axis[size is NARROW], loc="right", labelpad=4 if size is NARROW else 17)
    note(ax, "Purchases per customer, held back", (0, 1), (-26, 8))
    values = [float(came[-1]), float(rows[model].iloc[-1])]
    places = spread(values, 0.1 * ax.get_ylim()[1], 0.0, ax.get_ylim()[1])
    for name, at, color in zip(("came", model), places, (CAME, SAID), strict=True):
        text = fitted(name, size.right - 0.12, SMALL, semibold=True)
        style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
        note(ax, text, (1, at), (6, 0), weight=600, color=color, **style)
    if size is WIDE:
        for i, count in enumerate(rows["customers"]):
            place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "ha": "center"}
            note(ax, words.number(count), (i, 0), (0, -29), **place)
    return fig
