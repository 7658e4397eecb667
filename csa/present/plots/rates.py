"""Churn rates by group: a dot with its interval, the period before as a ring, the target a line."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.churn.rate import ChurnRateResult
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
from csa.present.judge import TargetLike
from csa.present.names import named, plural
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ALL: Final = "all"
EVERYBODY: Final = "All accounts"
MAX_ROWS: Final = 12
RATE: Final = 40  # points from the axes to the end of a rate
SPARE: Final = 1.2  # a notebook shows a drawing in whatever sans-serif is there, which may be wider
ENGLISH: Final = Words()
COLUMNS: Final = ("group", "at_start", "churned", "rate", "ci_low", "ci_high", "previous_rate")


def churn_rates(
    result: ChurnRateResult,
    *,
    target: TargetLike | None = None,
    words: Words = ENGLISH,
    title: str = "Churn rate of the period, by group",
    chart_id: str = "churn-rates",
) -> Chart:
    """Churn rate of the period by group with intervals, target and the period before.

    Parameters
    ----------
    result : ChurnRateResult
        From `csa.analysis.churn.churn_rate`.
    target : TargetLike, optional
        `targets: logo_churn_rate` of csa.yml.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Highest rate first, all accounts last; without a known rate a drawing that says so.
    """
    rows = _rows(result)
    if rows.empty:
        return nothing(chart_id, title, "No churn rate is known for this period.")
    goal = target.value if target else None
    wide, narrow = drawn(
        lambda size: _figure(rows, goal, words, size), chart_id, list(rows["label"])
    )
    return Chart(
        id=chart_id,
        title=title,
        alt=_alt(rows, goal, words),
        caption=_caption(result, rows, words),
        svg=wide,
        svg_narrow=narrow,
        data=rows[list(COLUMNS)],
    )


def _rows(result: ChurnRateResult) -> pd.DataFrame:
    """Known rates of the largest groups, highest first, and the total."""
    seen = result.table.loc[result.table["rate"].notna()]
    groups = seen.loc[seen["group"] != ALL].nlargest(MAX_ROWS, "at_start")
    rows = pd.concat(
        [groups.sort_values("rate", ascending=False), seen.loc[seen["group"] == ALL]],
        ignore_index=True,
    )
    return rows.assign(label=rows["group"].replace(ALL, EVERYBODY))


def _figure(rows: pd.DataFrame, goal: float | None, words: Words, size: Size) -> Figure:
    step = 0.27
    names = SPARE * max(text_width(name, SMALL + 0.5) for name in rows["label"])
    left = min(names + 0.15, 0.3 * size.width)
    right = (RATE + 4) / 72
    if size is WIDE:
        counts = [_counts(row, words) for row in _dicts(rows)]
        right = (RATE + 6) / 72 + SPARE * max(text_width(text, SMALL) for text in counts)
    place = size._replace(left=left, right=right + 0.05)
    fig, (ax,) = figure(place, (0.28, step * len(rows), 0.3))
    y = np.arange(len(rows))
    _marks(ax, rows, y)
    top = max(float(rows["ci_high"].max()), goal or 0.0) * 1.06
    ax.set(xlim=(0, top), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    ax.set_yticks(y, [fitted(name, left - 0.1, SMALL + 0.5) for name in rows["label"]])
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.tick_params(axis="y", labelcolor=LIGHT["ink"])
    ticks = share_ticks(top, 3 if size is NARROW else 5)
    digits = 0 if all(abs(t * 100 - round(t * 100)) < 1e-9 for t in ticks) else 1
    ax.set_xticks(ticks, [words.share(t, digits) for t in ticks])
    _values(ax, rows, words, narrow=size is NARROW)
    if goal is not None:
        _target(ax, goal, words)
    return fig


def share_ticks(top: float, most: int) -> list[float]:
    """Round shares from zero to the end of the axis.

    Parameters
    ----------
    top : float
        End of the axis, share.
    most : int
        How many steps there may be.

    Returns
    -------
    list of float
        Shares, the first of them zero.
    """
    steps = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
    step = next((s for s in steps if top / s <= most), 1.0)
    return [round(i * step, 6) for i in range(int(top / step + 1e-9) + 1)]


def _marks(ax: Axes, rows: pd.DataFrame, y: "np.ndarray[Any, Any]") -> None:
    total = rows["group"] == ALL
    colours = [LIGHT["ink"] if is_total else SERIES[0] for is_total in total]
    ax.hlines(y, rows["ci_low"], rows["ci_high"], color=colours, linewidth=5, alpha=0.2)
    ax.scatter(
        rows["previous_rate"].astype(float),
        y,
        s=26,
        facecolor=LIGHT["paper"],
        edgecolor=LIGHT["rule"],
        linewidth=1.2,
    )
    sns.scatterplot(
        data=rows.assign(y=y, kind=np.where(total, ALL, "group")),
        x="rate",
        y="y",
        hue="kind",
        palette={ALL: LIGHT["ink"], "group": SERIES[0]},
        s=44,
        legend=False,
        ax=ax,
        zorder=3,
    )


def _values(ax: Axes, rows: pd.DataFrame, words: Words, *, narrow: bool) -> None:
    """Write rates and their counts into the right margin."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for at, row in enumerate(_dicts(rows)):
        rate = words.share(row["rate"])
        note(ax, rate, (1, at), (RATE, 0), ha="right", weight=600, color=LIGHT["ink"], **place)
        if not narrow:
            note(ax, _counts(row, words), (1, at), (RATE + 6, 0), **place)


def _counts(row: dict[Hashable, Any], words: Words) -> str:
    return f"{words.number(row['churned'])} of {words.number(row['at_start'])}"


def _dicts(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    return rows.to_dict("records")


def _target(ax: Axes, goal: float, words: Words) -> None:
    ax.axvline(goal, color=LIGHT["accent"], linewidth=1.2, zorder=1)
    note(
        ax,
        f"Target {words.share(goal)}",
        (goal, 1),
        (0, 4),
        xycoords=("data", "axes fraction"),
        ha="center",
        color=LIGHT["accent"],
    )


def _alt(rows: pd.DataFrame, goal: float | None, words: Words) -> str:
    parts = [
        f"{named(row['label'])} {words.share(row['rate'])} "
        f"({words.interval(row['ci_low'], row['ci_high'], 'share')})"
        for row in _dicts(rows)
    ]
    aim = f" The target is {words.share(goal)}." if goal is not None else ""
    return f"Churn rate of the period by group with intervals: {'; '.join(parts)}.{aim}"


def _caption(result: ChurnRateResult, rows: pd.DataFrame, words: Words) -> str:
    level = words.share(result.confidence, 0)
    before = " Rings: the period before." if rows["previous_rate"].notna().any() else ""
    left_out = int((result.table["group"] != ALL).sum() - (rows["group"] != ALL).sum())
    rest = f" {left_out} further {plural(left_out, 'group')} not drawn." if left_out else ""
    return f"Bars: {level} intervals.{before}{rest}"
