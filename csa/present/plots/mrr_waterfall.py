"""Waterfall of a period: from recurring revenue at the start, by movements, to the end."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csa.analysis.revenue.movements import MovementsResult
from csa.present.canvas import NARROW, Size, drawn, nothing
from csa.present.items import Chart
from csa.present.money import major
from csa.present.names import plural
from csa.present.narrate.clv_change import signed
from csa.present.plots.named_rows import dicts, even_steps, name_rows, rows_axes, write_rows
from csa.present.table_rows import ALL
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

FloatArray = NDArray[np.float64]

ENGLISH: Final = Words()
STEPS: Final = {
    "new": ("New", 1),
    "reactivation": ("Came back", 1),
    "expansion": ("Expansion", 1),
    "contraction": ("Contraction", -1),
    "churn": ("Churn", -1),
}
RATES: Final = "Currency: what changed exchange rates did to revenue that stayed."
GAIN, LOSS = SERIES[2], SERIES[1]
ROOM: Final = 0.12  # of the span, beside the outermost level


def mrr_waterfall(
    result: MovementsResult,
    *,
    words: Words = ENGLISH,
    title: str = "From the revenue at the start to that at the end of the period",
    chart_id: str = "mrr-waterfall",
) -> Chart:
    """Draw what each movement added to recurring revenue in the period.

    Parameters
    ----------
    result : MovementsResult
        From `csa.analysis.revenue.movements.movements`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Steps from top to bottom; without any revenue a drawing that says so.
    """
    row = result.period.loc[result.period["group"] == ALL].iloc[0].to_dict()
    if not row["start_minor"] and not row["end_minor"]:
        return nothing(chart_id, title, "Nobody paid at either end of the period.")
    steps = _steps(row)
    wide, narrow = drawn(lambda size: _figure(steps, words, size), chart_id, [])
    told = [f"{s['label']} {_said(s, words)}" for s in dicts(steps)]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Recurring revenue a month: {'; '.join(told)}.",
        caption="Bars: what a movement adds or takes away. The axis does not begin at zero."
        + (f" {RATES}" if row["currency_minor"] else "")
        + (f" {result.reason.capitalize()}." if result.reason else ""),
        svg=wide,
        svg_narrow=narrow,
        data=steps.drop(columns="label"),
    )


def _steps(row: dict[Hashable, Any]) -> pd.DataFrame:
    """Start, movements, end: level before and after each."""
    level = float(row["start_minor"])
    steps = [_step("start", "Start", (level, level), row["accounts_start"])]
    for kind, (label, sign) in STEPS.items():
        after = level + sign * float(row[f"{kind}_minor"])
        steps.append(_step(kind, label, (level, after), row[f"{kind}_accounts"]))
        level = after
    if row["currency_minor"]:
        after = level + float(row["currency_minor"])
        steps.append(_step("currency", "Currency", (level, after), 0))
        level = after
    steps.append(_step("end", "End", (level, level), row["accounts_end"]))
    return pd.DataFrame(steps)


def _step(kind: str, label: str, levels: tuple[float, float], accounts: float) -> dict[str, object]:
    before, after = levels
    return {
        "step": kind,
        "label": label,
        "before_minor": before,
        "after_minor": after,
        "accounts": int(accounts),
    }


def _said(step: dict[Hashable, Any], words: Words) -> str:
    before, after = (float(step[f"{x}_minor"]) for x in ("before", "after"))
    if step["step"] in {"start", "end"}:
        return words.money(major(after, words))
    return signed(after - before, words)


def _figure(steps: pd.DataFrame, words: Words, size: Size) -> Figure:
    rows = dicts(steps)
    texts = [
        (
            _said(row, words),
            ""
            if size is NARROW or row["step"] == "currency"
            else f"{words.number(row['accounts'])} {plural(row['accounts'], 'account')}",
        )
        for row in rows
    ]
    fig, ax, left = rows_axes(list(steps["label"]), texts, size)
    unit = major(1.0, words) or 1.0
    before, after = (steps[f"{x}_minor"].to_numpy(float) * unit for x in ("before", "after"))
    _bars(ax, before, after, list(steps["step"]))
    low, high = min(before.min(), after.min()), max(before.max(), after.max())
    span = max(high - low, 0.02 * high, 1.0)
    first = max(low - ROOM * span, 0.0)
    ax.set(xlim=(first, high + ROOM * span), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    name_rows(ax, list(steps["label"]), left)
    step = even_steps(high + ROOM * span - first, 2 if size is NARROW else 4)[1]
    ticks = step * np.arange(np.ceil(first / step), np.floor((high + ROOM * span) / step) + 1)
    ax.set_xticks(ticks, [words.money(t) for t in ticks])
    write_rows(ax, texts)
    return fig


def _bars(ax: Axes, before: FloatArray, after: FloatArray, kinds: list[str]) -> None:
    for y, (a, b, kind) in enumerate(zip(before, after, kinds, strict=True)):
        if kind in {"start", "end"}:
            ax.plot([a, a], [y - 0.38, y + 0.38], color=LIGHT["ink"], linewidth=3)
            ax.scatter([a], [y], s=44, color=LIGHT["ink"], zorder=3)
        else:
            ax.barh(y, b - a, left=a, height=0.56, color=GAIN if b >= a else LOSS)
        if y:
            ax.plot([a, a], [y - 1, y], color=LIGHT["rule"], linewidth=0.8, zorder=1)
