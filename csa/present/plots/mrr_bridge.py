"""What moved a rate of revenue: a bar per group, the mix, and the change they add up to."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csa.analysis.revenue.bridge import Bridge
from csa.present.attributes import spoken
from csa.present.canvas import NARROW, Size, drawn, nothing
from csa.present.items import Chart
from csa.present.money import amount, major
from csa.present.names import named, plural
from csa.present.narrate.clv_change import signed
from csa.present.narrate.mrr_bridge import NAMES
from csa.present.plots.named_rows import dicts, even_steps, name_rows, rows_axes, write_rows
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
MOST: Final = 8
COLOURS: Final = {"group": SERIES[0], "mix": SERIES[1], "change": LIGHT["ink"]}
NAN: Final = float("nan")


def mrr_bridge(
    result: Bridge, *, by: str = "segment", words: Words = ENGLISH, chart_id: str = ""
) -> Chart:
    """Draw the parts of a change of NRR, GRR or revenue per account.

    Parameters
    ----------
    result : Bridge
        From `csa.analysis.revenue.bridge.bridge`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page; by default after what has changed.

    Returns
    -------
    Chart
        What groups did by themselves, the largest first, then the mix, then the change.
    """
    ident = chart_id or f"mrr-bridge-{result.of}-chart"
    title = f"What each {spoken(by)} added to the change of the {NAMES[result.of]}"
    if result.table.empty:
        return nothing(ident, title, f"No change to split: {result.reason}.")
    rows = _rows(result, by)
    wide, narrow = drawn(lambda size: _figure(result, rows, words, size), ident, list(rows["part"]))
    told = [f"{named(r['part'])} {_said(result, r['value'], words)}" for r in dicts(rows)]
    return Chart(
        id=ident,
        title=title,
        alt=f"{title}: {'; '.join(told)}.",
        caption=f"Thin lines: {words.share(result.confidence, 0)} intervals. What a group did by "
        f"itself, and the mix of all; the marks above the line add up to the change.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _rows(result: Bridge, by: str) -> pd.DataFrame:
    names = {"within": "value", "within_low": "low", "within_high": "high", "group": "part"}
    order = result.table["within"].abs().sort_values(ascending=False, kind="stable").index
    table = result.table.loc[order].rename(columns=names).assign(kind="group")
    parts = [table.head(MOST)[["part", "kind", "value", "low", "high"]]]
    rest = table.iloc[MOST:]
    if len(rest):
        label = f"{len(rest)} other {plural(len(rest), 'group')}"
        parts.append(_row(label, "group", (float(rest["value"].sum()), NAN, NAN)))
    parts.append(_row(f"Mix by {spoken(by)}", "mix", tuple(result.mix)))
    parts.append(_row("Change", "change", tuple(result.change)))
    return pd.concat(parts, ignore_index=True)


def _row(part: str, kind: str, found: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [{"part": part, "kind": kind, "value": found[0], "low": found[1], "high": found[2]}]
    )


def _said(result: Bridge, value: float, words: Words) -> str:
    return signed(value, words) if result.of == "arpa" else words.points(value, signed=True)


def _figure(result: Bridge, rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    texts = [
        (_said(result, r["value"], words), _rates(result, r, words, size)) for r in dicts(rows)
    ]
    fig, ax, left = rows_axes(list(rows["part"]), texts, size)
    y = np.arange(len(rows))
    scale = (major(1.0, words) or 1.0) if result.of == "arpa" else 100.0
    value, low, high = (rows[c].to_numpy(float) * scale for c in ("value", "low", "high"))
    colours = [COLOURS[kind] for kind in rows["kind"]]
    ax.barh(y, value, height=0.5, color=colours)
    ax.hlines(y, low, high, color=LIGHT["soft"], linewidth=1.1, zorder=3)
    ax.axvline(0, color=LIGHT["rule"], linewidth=0.9)
    ax.axhline(len(rows) - 1.5, color=LIGHT["line"], linewidth=0.9)
    every = np.concatenate([value, low, high, [0.0]])
    first, last = float(np.nanmin(every)), float(np.nanmax(every))
    span = max(last - first, 1e-3)
    ax.set(xlim=(first - 0.04 * span, last + 0.04 * span), ylim=(len(rows) - 0.5, -0.5))
    ax.set(xlabel="", ylabel="")
    name_rows(ax, list(rows["part"]), left)
    step = even_steps(span, 3 if size is NARROW else 5)[1]
    ticks = step * np.arange(np.ceil(first / step), np.floor(last / step) + 1)
    ax.set_xticks(ticks, [_tick(result, t / scale, step, words) for t in ticks])
    write_rows(ax, texts)
    return fig


def _tick(result: Bridge, value: float, step: float, words: Words) -> str:
    if abs(value) < 1e-12:
        return "0"
    if result.of == "arpa":
        return signed(value, words)
    return words.points(value, 0 if step >= 1 else 1, signed=True)


def _rates(result: Bridge, row: dict[Any, Any], words: Words, size: Size) -> str:
    if size is NARROW or row["kind"] == "mix":
        return ""
    if row["kind"] == "change":
        before, now = result.previous_rate, result.rate
    else:
        mine = result.table.loc[result.table["group"] == row["part"]]
        if mine.empty:
            return ""
        before, now = mine["previous_rate"].iloc[0], mine["rate"].iloc[0]
    if result.of == "arpa":
        return f"{amount(before, words)} → {amount(now, words)}"
    return f"{words.share(before)} → {words.share(now)}"
