"""Drawings of value against cost, of what moved the value, and of what came true."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csa.analysis.clv.economics import UnitEconomics
from csa.analysis.clv.economics_back import Realised
from csa.analysis.clv.economics_change import ValueChange
from csa.present.attributes import spoken
from csa.present.canvas import NARROW, WIDE, Size, drawn, nothing
from csa.present.items import Chart
from csa.present.money import amount, major
from csa.present.names import capital, named
from csa.present.narrate.clv_change import signed
from csa.present.plots.named_rows import (
    dicts,
    even_steps,
    name_rows,
    rows_axes,
    upright,
    write_rows,
)
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words, known

ENGLISH: Final = Words()
MOST: Final = 10
CAUSES: Final = {
    "accounts": "Customers",
    "mix": "Mix",
    "price": "Prices",
    "retention": "Staying",
    "expansion": "Expansion",
}


def clv_cac(
    result: UnitEconomics,
    *,
    words: Words = ENGLISH,
    title: str = "",
    chart_id: str = "clv-cac-chart",
) -> Chart:
    """Draw the ratio of value to cost with its interval, and the target as a line.

    Parameters
    ----------
    result : UnitEconomics
        From `csa.analysis.clv.economics.unit_economics`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question; by default by what the ratio is split.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Lowest ratio last; without known costs a drawing that says so.
    """
    head = title or f"Times its cost that a new customer brings, by {spoken(result.by)}"
    table = result.table.loc[result.table["ratio"].notna()]
    if table.empty:
        return nothing(chart_id, head, "Nothing to draw: no acquisition cost is known.")
    groups = table.loc[table["name"] != ALL].nlargest(MOST, "customers")
    parts = [groups.sort_values("ratio", ascending=False)] if len(groups) > 1 else []
    rows = pd.concat([*parts, table.loc[table["name"] == ALL]], ignore_index=True)
    rows = rows.assign(label=rows["name"].replace(ALL, EVERYBODY))
    wide, narrow = drawn(
        lambda s: _ratio_figure(rows, result.target, words, s), chart_id, list(rows["label"])
    )
    return Chart(
        id=chart_id,
        title=head,
        alt=_ratio_alt(rows, words),
        caption=f"Bars: {words.share(result.terms.confidence, 0)} intervals. Cost: that of all "
        "signups, those never won included.",
        svg=wide,
        svg_narrow=narrow,
        data=rows.drop(columns="label"),
    )


def _ratio_figure(rows: pd.DataFrame, target: float, words: Words, size: Size) -> Figure:
    texts = [_ratio_text(row, words, size) for row in dicts(rows)]
    fig, ax, left = rows_axes(list(rows["label"]), texts, size)
    y = np.arange(len(rows))
    colours = [LIGHT["ink"] if name == ALL else SERIES[0] for name in rows["name"]]
    ax.hlines(y, rows["ratio_low"], rows["ratio_high"], color=colours, linewidth=6, alpha=0.25)
    ax.scatter(rows["ratio"], y, s=40, color=colours, zorder=3, clip_on=False)
    last = max(float(rows[["ratio", "ratio_high"]].max().max()), target) * 1.05
    ax.set(xlim=(0, last), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    name_rows(ax, list(rows["label"]), left)
    ticks = even_steps(last, 3 if size is NARROW else 6)
    ax.set_xticks(ticks, [words.measure(tick, "ratio") for tick in ticks])
    write_rows(ax, texts)
    upright(ax, target, f"{words.number(target)} times", align="left")
    return fig


def _ratio_text(row: dict[Hashable, Any], words: Words, size: Size) -> tuple[str, str]:
    told = words.number(row["ratio"], 1)
    if size is NARROW:
        return told, ""
    months = row["payback_months"]
    back = f"paid back with {words.number(months)} payments" if known(months) else "not paid back"
    return told, back


def _ratio_alt(rows: pd.DataFrame, words: Words) -> str:
    parts = [
        f"{named(row['label'])} {words.number(row['ratio'], 1)} "
        f"({words.number(row['ratio_low'], 1)} to {words.number(row['ratio_high'], 1)})"
        for row in dicts(rows)
    ]
    return f"Value of a new customer as a multiple of its cost: {'; '.join(parts)}."


def value_moved(
    change: ValueChange,
    *,
    words: Words = ENGLISH,
    title: str = "What each cause added to the value of all customers",
    chart_id: str = "value-moved-chart",
) -> Chart:
    """Draw the parts of a change of value, which add up to it.

    Parameters
    ----------
    change : ValueChange
        From `csa.analysis.clv.economics_change.what_moved`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        The change itself last; without customers before a drawing that says so.
    """
    if not change.previous_minor > 0:
        return nothing(chart_id, title, "Nothing to draw: nobody was a customer before.")
    total = pd.DataFrame([{"cause": "change", "amount_minor": change.change_minor}])
    rows = pd.concat([change.table, total], ignore_index=True)
    rows["share"] = rows["amount_minor"] / change.previous_minor
    rows["label"] = [CAUSES.get(cause, "Change") for cause in rows["cause"]]
    wide, narrow = drawn(lambda size: _moved_figure(rows, words, size), chart_id, [])
    told = [f"{row['label']} {signed(row['amount_minor'], words)}" for row in dicts(rows)]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Parts of the change of value: {'; '.join(told)}.",
        caption="Mix: of groups and ages; prices: within groups; staying and expansion are "
        "estimates. The parts above the line add up to the change.",
        svg=wide,
        svg_narrow=narrow,
        data=rows[["cause", "amount_minor", "share"]],
    )


def _moved_figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    texts = [
        (signed(row["amount_minor"], words), "" if size is NARROW else _percent(row, words))
        for row in dicts(rows)
    ]
    fig, ax, left = rows_axes(list(rows["label"]), texts, size)
    y = np.arange(len(rows))
    amounts = rows["amount_minor"].to_numpy(dtype=float) * (major(1.0, words) or 1.0)
    colours = [LIGHT["ink"] if c == "change" else SERIES[0] for c in rows["cause"]]
    ax.barh(y, amounts, height=0.5, color=colours)
    ax.axvline(0, color=LIGHT["rule"], linewidth=0.9)
    ax.axhline(len(rows) - 1.5, color=LIGHT["line"], linewidth=0.9)
    low, high = min(amounts.min(), 0.0), max(amounts.max(), 0.0)
    span = max(high - low, 1.0)
    ax.set(xlim=(low - 0.04 * span, high + 0.04 * span), ylim=(len(rows) - 0.5, -0.5))
    ax.set(xlabel="", ylabel="")
    name_rows(ax, list(rows["label"]), left)
    step = even_steps(span, 2 if size is NARROW else 4)[1]
    ticks = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    one = major(1.0, words) or 1.0
    ax.set_xticks(ticks, [signed(tick / one, words) if tick else "0" for tick in ticks])
    write_rows(ax, texts)
    return fig


def _percent(row: dict[Hashable, Any], words: Words) -> str:
    return f"{words.points(row['share'], signed=True)}%"


def value_realised(
    result: Realised,
    *,
    words: Words = ENGLISH,
    title: str = "What came of what was foretold",
    chart_id: str = "value-realised-chart",
) -> Chart:
    """Draw what came as a share of what was foretold, by signup cohort, with limits of chance.

    Parameters
    ----------
    result : Realised
        From `csa.analysis.clv.economics_back.realised_against_predicted`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        All customers last; without any a drawing that says so.
    """
    rows = _realised_rows(result)
    if rows.empty:
        return nothing(chart_id, title, "Nothing to draw: nobody was a customer on that day.")
    wide, narrow = drawn(lambda size: _realised_figure(rows, words, size), chart_id, [])
    told = [
        f"{row['label']} {words.share(row['realised_minor'] / row['predicted_minor'], 0)}"
        for row in dicts(rows)
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Margin that came as a share of what was foretold: {'; '.join(told)}.",
        caption=f"Dots: margin of the {result.ahead_months} months since {words.day(result.cut)}, "
        "by period of signup, as a share of what was foretold. Bars: "
        f"{words.share(result.terms.confidence, 0)} limits of what could come. Hollow: outside.",
        svg=wide,
        svg_narrow=narrow,
        data=rows.drop(columns="all"),
    )


def _realised_rows(result: Realised) -> pd.DataFrame:
    """Cohorts, and all customers last."""
    total = result.table.loc[result.table["group"] == ALL].rename(columns={"group": "label"})
    parts = [
        result.cohorts.rename(columns={"cohort": "label"}).assign(all=False),
        total.assign(label=EVERYBODY, all=True),
    ]
    kept = [part.loc[part["predicted_minor"] > 0] for part in parts]
    filled = [part for part in kept if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else kept[0]


def _realised_figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    texts = [_realised_text(row, words, size) for row in dicts(rows)]
    fig, ax, left = rows_axes(list(rows["label"]), texts, size)
    y = np.arange(len(rows))
    colours = [LIGHT["ink"] if whole else SERIES[0] for whole in rows["all"]]
    base = rows["predicted_minor"]
    low, high, at = (rows[c] / base for c in ("outcome_low", "outcome_high", "realised_minor"))
    ax.hlines(y, low, high, color=colours, linewidth=6, alpha=0.25)
    pairs = zip(rows["covered"], colours, strict=True)
    faces = [colour if covered else LIGHT["paper"] for covered, colour in pairs]
    ax.scatter(at, y, s=40, facecolors=faces, edgecolors=colours, zorder=3)
    first, last = min(float(pd.concat([low, at]).min()), 1.0), float(pd.concat([high, at]).max())
    span = max(last, 1.0) - first
    ax.set(xlim=(max(first - 0.05 * span, 0), max(last, 1.0) + 0.05 * span))
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    name_rows(ax, list(rows["label"]), left)
    step = 0.25 if span < 1.2 and size is WIDE else 0.5
    ticks = [t for t in step * np.arange(0, 20) if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [words.share(t, 0) for t in ticks])
    write_rows(ax, texts)
    upright(ax, 1.0, capital("as foretold"), align="center")
    return fig


def _realised_text(row: dict[Hashable, Any], words: Words, size: Size) -> tuple[str, str]:
    told = words.share(row["realised_minor"] / row["predicted_minor"], 0)
    came, said = amount(row["realised_minor"], words), amount(row["predicted_minor"], words)
    return told, "" if size is NARROW else f"{came} of {said}"
