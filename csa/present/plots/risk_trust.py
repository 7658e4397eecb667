"""Drawings of whether the risk can be trusted: calibration, and what calling from the top finds."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.risk.evaluation import Evaluation
from csa.present.canvas import NARROW, WIDE, Size, drawn, figure, note, nothing
from csa.present.items import Chart
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
TICKS: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
NOTHING: Final = "Nothing was held against the past."


def calibration(
    result: Evaluation,
    *,
    words: Words = ENGLISH,
    title: str = "Did as many leave as was foretold?",
    chart_id: str = "risk-calibration",
) -> Chart:
    """Draw the share that left against the risk foretold, in tenths of rising risk.

    Parameters
    ----------
    result : Evaluation
        From `csa.analysis.risk.evaluation.evaluate`, out of time.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Dots on the diagonal are right; without a past to judge by a drawing that says so.
    """
    rows = result.calibration
    if rows.empty or result.status != "ok":
        return nothing(chart_id, title, NOTHING)
    wide, narrow = drawn(lambda size: _calibration_figure(rows, words, size), chart_id, [])
    told = [
        f"foretold {words.share(row['predicted'])}, left {words.share(row['observed'])} "
        f"({words.interval(row['ci_low'], row['ci_high'], 'share')})"
        for row in _dicts(rows)
    ]
    level = words.share(result.confidence, 0)
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Accounts in tenths of rising risk: {'; '.join(told)}.",
        caption=f"Accounts in tenths of rising risk; bars: {level} intervals. Dots on the line: as "
        "many left as was foretold. Scales are stretched where risks are small.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _calibration_figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    place = size._replace(left=0.55, right=0.25 if size is NARROW else 2.2)
    fig, (ax,) = figure(place, (0.3, 2.4, 0.5))
    top = float(rows[["predicted", "observed", "ci_high"]].max().max()) * 1.08
    for scale in (ax.set_xscale, ax.set_yscale):
        scale("function", functions=(_root, np.square))
    ax.set(xlim=(0, top), ylim=(0, top), ylabel="")
    ax.plot([0, top], [0, top], color=LIGHT["rule"], linewidth=1)
    x, y = rows["predicted"], rows["observed"]
    ax.vlines(x, rows["ci_low"], rows["ci_high"], color=SERIES[0], linewidth=5, alpha=0.2)
    ax.scatter(x, y, s=36, color=SERIES[0], zorder=3)
    ax.grid(visible=True, axis="both")
    ticks = _apart([t for t in TICKS if t <= top], top, 5 if size is NARROW else 7)
    labels = [words.percent(t) for t in ticks]
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    ax.set_xlabel("Risk foretold", loc="right")
    note(ax, "Left within the horizon", (0, 1), (-26, 8))
    if size is WIDE:
        last = rows.iloc[-1]
        text = f"The tenth with the\nhighest risk: {words.share(last['observed'])} left,\n"
        text += f"{words.share(last['predicted'])} foretold"
        note(
            ax,
            text,
            (1, last["observed"] ** 0.5 / top**0.5),
            (12, 0),
            va="center",
            color=LIGHT["ink"],
        )
    return fig


def _root(x: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    return np.asarray(np.sqrt(np.maximum(x, 0.0)))


def _apart(ticks: list[float], top: float, most: int) -> list[float]:
    """Leave out ticks that stand too close on a scale of roots."""
    kept: list[float] = []
    for tick in ticks:
        if not kept or np.sqrt(tick / top) - np.sqrt(kept[-1] / top) > 1 / (2 * most):
            kept.append(tick)
    return kept


def gain(
    result: Evaluation,
    *,
    words: Words = ENGLISH,
    title: str = "How many of those who leave are found by calling from the top?",
    chart_id: str = "risk-gain",
) -> Chart:
    """Draw the share of leavers found against the share of accounts called, highest risk first.

    Parameters
    ----------
    result : Evaluation
        From `csa.analysis.risk.evaluation.evaluate`, out of time.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        With the capacity of the team as a line, and calling by lot as the diagonal.
    """
    rows = result.lift
    if rows.empty or result.status != "ok":
        return nothing(chart_id, title, NOTHING)
    wide, narrow = drawn(lambda size: _gain_figure(rows, words, size), chart_id, [])
    told = [
        f"{words.percent(row['share'])} called, {words.percent(row['recall'])} of those who leave "
        "found"
        for row in _dicts(rows)
    ]
    level = words.share(result.confidence, 0)
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Calling the accounts with the highest risk: {'; '.join(told)}.",
        caption=f"Band: {level} interval. Straight line: calling by lot.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _gain_figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    place = size._replace(left=0.55, right=0.25 if size is NARROW else 2.2)
    fig, (ax,) = figure(place, (0.3, 2.2, 0.5))
    zero = pd.DataFrame({"share": [0.0], "recall": 0.0, "recall_low": 0.0, "recall_high": 0.0})
    line = pd.concat([zero, rows[zero.columns]], ignore_index=True)
    known = line.dropna()
    band: dict[str, Any] = {"color": SERIES[0], "alpha": 0.15, "linewidth": 0}
    ax.fill_between(known["share"], known["recall_low"], known["recall_high"], **band)
    ax.plot([0, 1], [0, 1], color=LIGHT["rule"], linewidth=1)
    ax.plot(line["share"], line["recall"], color=SERIES[0], marker="o", markersize=4)
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    ax.set(xlim=(0, 1), ylim=(0, 1.03))
    ax.set_xticks(ticks, [words.share(t, 0) for t in ticks])
    ax.set_yticks(ticks, [words.share(t, 0) for t in ticks])
    ax.set_xlabel("Accounts called, highest risk first", loc="right")
    note(ax, "Of those who leave", (0, 1), (-26, 8))
    note(ax, "By lot", (0.86, 0.80), (0, 0), ha="left", va="top")
    _capacity(ax, rows, words)
    return fig


def _capacity(ax: Axes, rows: pd.DataFrame, words: Words) -> None:
    """Mark what the team can take on."""
    team = _dicts(rows.loc[rows["is_capacity"].astype(bool)])
    if not team:
        return
    row = team[0]
    ax.axvline(row["share"], color=LIGHT["accent"], linewidth=1.2)
    found = f"{words.percent(row['recall'])} found"
    called = f"This team: {words.number(row['accounts'])} calls,\n{found}"
    few = row["share"] < 0.4  # above the curve where it is steep, below it where it is flat
    note(
        ax,
        called,
        (row["share"], 0.98 if few else 0.06),
        (5 if few else -5, 0),
        ha="left" if few else "right",
        va="top" if few else "bottom",
        color=LIGHT["accent"],
    )


def _dicts(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    return rows.to_dict("records")
