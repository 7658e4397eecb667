"""Drawings of the value of customers under contract: what one is worth, and whose it is."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.clv.contract import ContractValue
from csa.analysis.clv.economics_concentration import Concentration
from csa.present.canvas import NARROW, Size, drawn, figure, note, nothing
from csa.present.items import Chart
from csa.present.money import amount, major
from csa.present.names import named, plural
from csa.present.narrate.clv_contract import HALF, TOP, held, holders
from csa.present.plots.named_rows import dicts, name_rows, rows_axes, write_rows
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words, known

ENGLISH: Final = Words()
MOST_GROUPS: Final = 10
SHORTCUT: Final = SERIES[1]
VALUES: Final = (
    *("group", "accounts", "mrr_minor", "value_minor", "ci_low", "ci_high", "outcome_low"),
    *("outcome_high", "per_account_minor", "months_of_margin", "beyond", "shortcut_minor"),
    *("shortcut_times", "monthly_churn"),
)


def customer_value(
    value: ContractValue,
    *,
    words: Words = ENGLISH,
    title: str = "What a customer is worth, and what the rule of thumb says",
    chart_id: str = "customer-value-chart",
) -> Chart:
    """Draw the value of a customer per group with its interval, and the shortcut beside it.

    Parameters
    ----------
    value : ContractValue
        From `csa.analysis.clv.contract.contract_value`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        On a log scale; without customers a drawing that says so.
    """
    rows = _value_rows(value, words)
    if rows.empty:
        return nothing(chart_id, title, "Nobody is a customer on the last day.")
    wide, narrow = drawn(lambda s: _value_figure(rows, words, s), chart_id, list(rows["label"]))
    level = words.share(value.terms.confidence, 0)
    return Chart(
        id=chart_id,
        title=title,
        alt=_value_alt(rows, words),
        caption=f"Dots: margin of a customer in the next {value.terms.horizon_months} months, "
        f"today's money; bars: {level} intervals. Diamonds: ARPA × margin / churn, which has "
        "neither horizon nor discount. Log scale.",
        svg=wide,
        svg_narrow=narrow,
        data=rows[list(VALUES)],
    )


def _value_rows(value: ContractValue, words: Words) -> pd.DataFrame:
    """Choose the most valuable groups and the total; money per customer."""
    table = value.table.loc[(value.table["accounts"] > 0) & (value.table["value_minor"] > 0)]
    groups = table.loc[table["group"] != ALL].nlargest(MOST_GROUPS, "value_minor")
    total = table.loc[table["group"] == ALL]
    parts = [groups, total] if len(groups) > 1 else [total]
    rows = pd.concat(parts, ignore_index=True)
    scale = (major(1.0, words) or 1.0) / rows["accounts"]
    return rows.assign(
        label=rows["group"].replace(ALL, EVERYBODY),
        at=rows["value_minor"] * scale,
        low=rows["ci_low"] * scale,
        high=rows["ci_high"] * scale,
        thumb=rows["shortcut_minor"] * scale,
    )


def _value_figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    texts = [_value_text(row, words, size) for row in dicts(rows)]
    fig, ax, left = rows_axes(list(rows["label"]), texts, size)
    y = np.arange(len(rows))
    colours = [LIGHT["ink"] if group == ALL else SERIES[0] for group in rows["group"]]
    ax.hlines(y, rows["low"], rows["high"], color=colours, linewidth=6, alpha=0.25)
    ax.scatter(rows["at"], y, s=40, color=colours, zorder=3)
    told = rows["thumb"].notna().to_numpy()
    if told.any():
        thumb: dict[str, Any] = {
            "marker": "D",
            "s": 30,
            "facecolors": "none",
            "edgecolors": SHORTCUT,
        }
        ax.scatter(rows["thumb"][told], y[told], linewidth=1.3, zorder=2, **thumb)
    ends = rows[["low", "high", "at", "thumb"]].to_numpy(dtype=float)
    ends = ends[np.isfinite(ends) & (ends > 0)]
    first, last = float(ends.min()) / 1.5, float(ends.max()) * 1.5
    ax.set_xscale("log")
    ax.set(xlim=(first, last), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    name_rows(ax, list(rows["label"]), left)
    ticks = _decades(first, last, 3 if size is NARROW else 5)
    ax.set_xticks(ticks, [_money(tick, words) for tick in ticks])
    ax.set_xticks([], minor=True)
    write_rows(ax, texts)
    return fig


def _value_text(row: dict[Hashable, Any], words: Words, size: Size) -> tuple[str, str]:
    told = _money(row["at"], words)
    if size is NARROW or not known(row["shortcut_times"]):
        return told, ""
    return told, f"rule of thumb × {words.number(row['shortcut_times'], 1)}"


def _decades(low: float, high: float, most: int) -> list[float]:
    """Round amounts on a log axis: powers of ten, with steps between where there is room."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        ticks = [s * 10.0**p for p in powers for s in steps if low <= s * 10.0**p <= high]
        if len(ticks) <= most:
            return ticks
    return ticks[:: len(ticks) // most + 1]


def _money(value: float, words: Words) -> str:
    one = major(1.0, words) or 1.0
    return amount(value / one, words)


def _value_alt(rows: pd.DataFrame, words: Words) -> str:
    parts = []
    for row in dicts(rows):
        thumb = f"; rule of thumb {_money(row['thumb'], words)}" if known(row["thumb"]) else ""
        between = f"{_money(row['low'], words)} to {_money(row['high'], words)}"
        parts.append(f"{named(row['label'])} {_money(row['at'], words)} ({between}{thumb})")
    return f"Value of a customer by group: {'; '.join(parts)}."


def customer_concentration(
    result: Concentration,
    *,
    words: Words = ENGLISH,
    title: str = "Who holds the value?",
    chart_id: str = "customer-concentration-chart",
) -> Chart:
    """Draw the share of value against the share of customers, most valuable first.

    Parameters
    ----------
    result : Concentration
        From `csa.analysis.clv.economics_concentration.concentration`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Without customers a drawing that says so.
    """
    if result.table.empty:
        return nothing(chart_id, title, f"Nothing to draw: {result.reason}.")
    wide, narrow = drawn(lambda size: _curve(result, words, size), chart_id, [])
    shares = (0.01, 0.05, 0.1, 0.2, 0.5)
    told = [f"{words.percent(p)} hold {words.percent(held(result, p))}" for p in shares]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Customers, most valuable first, and the share of the value: {'; '.join(told)}.",
        caption=f"Band: {words.share(result.confidence, 0)} interval. Straight line: if all were "
        "worth the same.",
        svg=wide,
        svg_narrow=narrow,
        data=result.table,
    )


def _curve(result: Concentration, words: Words, size: Size) -> Figure:
    place = size._replace(left=0.55, right=0.25 if size is NARROW else 2.2)
    fig, (ax,) = figure(place, (0.3, 2.2, 0.5))
    zero = pd.DataFrame({name: [0.0] for name in result.table.columns})
    line = pd.concat([zero, result.table], ignore_index=True)
    x = line["share_of_accounts"]
    band: dict[str, Any] = {"color": SERIES[0], "alpha": 0.15, "linewidth": 0}
    ax.fill_between(x, line["ci_low"], line["ci_high"], **band)
    ax.plot([0, 1], [0, 1], color=LIGHT["rule"], linewidth=1)
    ax.plot(x, line["share_of_value"], color=SERIES[0])
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    ax.set(xlim=(0, 1), ylim=(0, 1.03), ylabel="")
    ax.set_xticks(ticks, [words.share(t, 0) for t in ticks])
    ax.set_yticks(ticks, [words.share(t, 0) for t in ticks])
    ax.grid(visible=True, axis="both")
    ax.set_xlabel("Customers, most valuable first", loc="right")
    note(ax, "Of the value", (0, 1), (-26, 8))
    _marked(ax, result, words)
    return fig


POINTS_HIGH: Final = 2.2 * 72 / 1.03  # of the whole value, in `_curve`
LINE_HIGH: Final = 13  # points between two labels


def _marked(ax: Axes, result: Concentration, words: Words) -> None:
    """Mark the top tenth, and those who hold half."""
    many = holders(result, HALF)
    at = {
        TOP: f"{words.share(TOP, 0)} hold {words.share(held(result, TOP), 0)}",
        many / result.accounts: f"{words.number(many)} {plural(many, 'customer')} "
        f"{plural(many, 'holds', 'hold')} half",
    }
    style: dict[str, Any] = {"xycoords": "data", "color": LIGHT["accent"], "va": "top"}
    heights = [held(result, share) * POINTS_HIGH for share in sorted(at)]
    down = max(0.0, LINE_HIGH - (heights[-1] - heights[0])) if len(at) > 1 else 0.0
    for share, text in at.items():
        place = (share, held(result, share))
        ax.scatter(*place, s=36, color=LIGHT["accent"], zorder=4)
        note(ax, text, place, (7, -2 - (down if share == min(at) else 0)), ha="left", **style)
