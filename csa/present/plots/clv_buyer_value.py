"""Drawings of the value of buyers: who is still a customer, and what a new one is worth."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csa.analysis.clv.newcomers import NewcomerValue
from csa.analysis.clv.value import ALL, BuyerValue
from csa.analysis.clv.value_shapes import alive_shares
from csa.present.canvas import NARROW, WIDE, Size, drawn, figure, note, nothing
from csa.present.items import Chart
from csa.present.money import amount, major
from csa.present.names import named
from csa.present.plots.named_rows import dicts, even_steps, name_rows, rows_axes, write_rows
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
MOST_GROUPS: Final = 10
ONCE: Final = " BG/NBD takes everybody who bought only once for a customer still."
NO_VALUE: Final = "There is no value to show: the models could not be fitted."


def alive_histogram(
    result: BuyerValue,
    *,
    words: Words = ENGLISH,
    title: str = "How many are still customers?",
    chart_id: str = "customers-alive",
) -> Chart:
    """Draw customers by the chance that they are still customers.

    Parameters
    ----------
    result : BuyerValue
        From `csa.analysis.clv.value.buyer_value`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Ten bars; without values a drawing that says so.
    """
    rows = alive_shares(result)
    if rows.empty or not rows["customers"].sum():
        return nothing(chart_id, title, NO_VALUE)
    wide, narrow = drawn(lambda size: _alive_figure(rows, words, size), chart_id, [])
    n, there = float(rows["customers"].sum()), float(rows["alive"].sum())
    sure = float(rows.loc[rows["low"] >= 0.9, "customers"].sum())
    gone = float(rows.loc[rows["high"] <= 0.1 + 1e-9, "customers"].sum())
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Of {words.number(n)} customers {words.number(there)} are expected to be customers "
        f"still: {words.number(sure)} with a chance of 90% or more, {words.number(gone)} with "
        "one below 10%.",
        caption="Nobody says goodbye here: the chance comes from how long ago a customer last "
        f"bought, seen against how often before.{_once(result.model)}",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _once(model: str) -> str:
    return ONCE if model.startswith("BG/NBD") else ""


def _alive_figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    place = size._replace(left=0.62, right=0.25 if size is NARROW else 2.2)
    fig, (ax,) = figure(place, (0.34, 1.8, 0.5))
    middle = (rows["low"] + rows["high"]) / 2
    ax.bar(middle, rows["customers"].astype(float), width=0.088, color=SERIES[0], zorder=2)
    end = float(rows["customers"].max()) * 1.06
    ticks = even_steps(end, 4)
    ax.set(xlim=(0, 1), ylim=(0, end))
    ax.set_yticks(ticks, [words.number(t) for t in ticks])
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]
    ax.set_xticks(shares, [words.share(s, 0) for s in shares])
    ax.set_xlabel("Chance to be a customer still", loc="right")
    note(ax, "Customers", (0, 1), (-30, 8))
    if size is WIDE:
        there, n = float(rows["alive"].sum()), float(rows["customers"].sum())
        text = f"{words.number(there)} of {words.number(n)}\nexpected to be\ncustomers still"
        note(ax, text, (1, 0.5), (12, 0), va="center", color=LIGHT["ink"])
    return fig


def alive_calibration(
    rows: pd.DataFrame,
    model: str,
    *,
    words: Words = ENGLISH,
    title: str = "Do those said to have left stay away?",
    chart_id: str = "alive-calibration",
) -> Chart:
    """Draw who bought in the time held back against who was expected to, by chance to be there.

    Parameters
    ----------
    rows : DataFrame
        From `csa.analysis.clv.alive.alive_calibration`.
    model : str
        Name of the model.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Dots with intervals for what came, a line for what was expected.
    """
    if rows.empty:
        return nothing(chart_id, title, "Nothing was held against the past.")
    wide, narrow = drawn(lambda size: _again_figure(rows, model, words, size), chart_id, [model])
    told = [
        f"chance {words.percent(row['low'])} to {words.percent(row['high'])}: "
        f"{words.percent(row['bought'])} bought, {words.percent(row['expected'])} expected "
        f"({words.number(row['customers'])} customers)"
        for row in dicts(rows)
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Share of customers who bought in the time held back, by the chance that {model} gave "
        f"them to be customers still: {'; '.join(told)}.",
        caption="Dots: share that bought, with 95% intervals; line: share expected to. Also who "
        f"is still a customer may happen not to buy.{_once(model)}",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _again_figure(rows: pd.DataFrame, model: str, words: Words, size: Size) -> Figure:
    place = size._replace(left=0.55, right=0.25 if size is NARROW else 2.2)
    fig, (ax,) = figure(place, (0.34, 2.1, 0.5))
    x = rows["alive"].to_numpy(float)
    low, high = rows["ci_low"].astype(float), rows["ci_high"].astype(float)
    ax.vlines(x, low, high, color=SERIES[0], linewidth=5, alpha=0.2)
    ax.scatter(x, rows["bought"].astype(float), s=34, color=SERIES[0], zorder=3)
    ax.plot(x, rows["expected"].astype(float), color=SERIES[1], marker="o", markersize=3.5)
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    ax.set(xlim=(0, 1.02), ylim=(0, 1.03))
    for axis in (ax.set_xticks, ax.set_yticks):
        axis(ticks, [words.share(t, 0) for t in ticks])
    ax.set_xlabel("Chance to be a customer still", loc="right")
    note(ax, "Bought in the time held back", (0, 1), (-26, 8))
    ink = {"weight": 600, "va": "top"}
    note(ax, "bought", (0.03, 0.97), (0, 0), color=SERIES[0], **ink)
    note(ax, f"expected by {model}", (0.03, 0.97), (0, -13), color=SERIES[1], **ink)
    return fig


def newcomer_values(
    result: NewcomerValue,
    *,
    words: Words = ENGLISH,
    title: str = "What is a new customer worth?",
    chart_id: str = "newcomer-values",
) -> Chart:
    """Draw the value of a new customer by segment, with intervals.

    Parameters
    ----------
    result : NewcomerValue
        From `csa.analysis.clv.newcomers.newcomer_value`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Most valuable segments first, the value over all as a line; of many segments, those with
        most customers.
    """
    rows = result.table.loc[result.table["value"].notna()]
    if rows.empty:
        return nothing(chart_id, title, NO_VALUE)
    whole = dicts(rows.loc[rows["group"] == ALL])[0]
    segments = rows.loc[rows["group"] != ALL]
    shown = segments.nlargest(MOST_GROUPS, "customers").sort_values("value", ascending=False)
    few = f" Shown: the {MOST_GROUPS} of most customers." if len(shown) < len(segments) else ""
    shown = pd.concat([rows.loc[rows["group"] == ALL], shown], ignore_index=True)
    names = ["All customers", *(named(group) for group in shown["group"].iloc[1:])]
    wide, narrow = drawn(lambda size: _newcomer_figure(shown, names, words, size), chart_id, names)
    level = words.share(result.terms.confidence, 0)
    told = [
        f"{name} {amount(row['value'], words)} ({_interval(row, words)})"
        for name, row in zip(names, dicts(shown), strict=True)
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Value of a new customer at the first purchase: {'; '.join(told)}.",
        caption=f"Bars: {level} intervals. Segments of few customers are drawn in to the value "
        f"over all, {amount(whole['value'], words)} (line).{few}",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _interval(row: dict[Any, Any], words: Words) -> str:
    return f"{amount(row['ci_low'], words)} to {amount(row['ci_high'], words)}"


def _newcomer_figure(rows: pd.DataFrame, names: list[str], words: Words, size: Size) -> Figure:
    texts = [
        (
            amount(row["value"], words),
            "" if size is NARROW else f"n {words.number(row['customers'])}",
        )
        for row in dicts(rows)
    ]
    fig, ax, left = rows_axes(names, texts, size)
    place = np.arange(len(rows))
    low, value, high = (
        np.array([major(cell, words) or 0.0 for cell in rows[c]])
        for c in ("ci_low", "value", "ci_high")
    )
    ax.hlines(place, low, high, color=SERIES[0], linewidth=5, alpha=0.2)
    ax.scatter(value, place, s=36, color=SERIES[0], zorder=3)
    ax.axvline(float(value[0]), color=LIGHT["rule"], linewidth=1, zorder=1)
    end = float(high.max()) * 1.04
    ticks = even_steps(end, 3 if size is NARROW else 5)
    ax.set(xlim=(0, end), ylim=(len(rows) - 0.5, -0.5))
    ax.set_xticks(ticks, [words.money(t) for t in ticks])
    name_rows(ax, names, left)
    write_rows(ax, texts)
    return fig
