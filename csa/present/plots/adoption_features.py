"""Features: the share of accounts that use each, and how it grows after a launch."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csa.analysis.adoption.breadth import Breadth
from csa.analysis.adoption.uptake import Uptake
from csa.present.canvas import (
    NARROW,
    SMALL,
    Size,
    drawn,
    figure,
    fitted,
    note,
    nothing,
    spread,
    text_width,
)
from csa.present.items import Chart
from csa.present.names import named, plural
from csa.present.plots.named_rows import dicts, name_rows, rows_axes, write_rows
from csa.present.plots.rates import SPARE
from csa.present.plots.survival import thinned
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words, known

ENGLISH: Final = Words()
MOST: Final = 15  # features in a drawing of rows
CURVES: Final = 5
LONGEST: Final = 365  # days drawn
POINTS: Final = 200
TALL: Final = 2.2  # inches


def features_used(
    result: Breadth, *, words: Words = ENGLISH, chart_id: str = "features-used-by-accounts"
) -> Chart:
    """Draw the share of accounts that use each feature, with where it was before.

    Parameters
    ----------
    result : Breadth
        From `csa.analysis.adoption.breadth.breadth`.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Most used first.
    """
    title = "Share of accounts that use each feature"
    rows = result.features.loc[result.features["share"].notna()].head(MOST)
    if rows.empty:
        return nothing(chart_id, title, "No use of a feature is recorded.")
    wide, narrow = drawn(lambda s: _rows(rows, words, s), chart_id, list(rows["feature"]))
    rest = len(result.features) - len(rows)
    more = f" {rest} further {plural(rest, 'feature')} not drawn." if rest else ""
    told = [f"{named(r['feature'])} {words.share(r['share'])}" for r in dicts(rows)]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {'; '.join(told)}.",
        caption=f"Dots: three months to {words.day(result.last)}; bars: "
        f"{words.share(result.confidence, 0)} intervals; lines: the three months before.{more}",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def feature_uptake(
    result: Uptake, *, words: Words = ENGLISH, chart_id: str = "feature-uptake-curves"
) -> Chart:
    """Draw the share of accounts that used a feature, by days since they could.

    Parameters
    ----------
    result : Uptake
        From `csa.analysis.adoption.uptake.uptake`.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        The five features that were launched last.
    """
    title = "Share of accounts that used a feature, by days since they could"
    order = list(dict.fromkeys(result.table["feature"]))[:CURVES]
    curves = result.curves.loc[
        result.curves["feature"].isin(order) & (result.curves["time_days"] <= LONGEST)
    ]
    if curves.empty:
        return nothing(chart_id, title, "No feature was launched while use was recorded.")
    order = [f for f in order if (curves["feature"] == f).any()]
    wide, narrow = drawn(lambda s: _curves(curves, order, words, s), chart_id, order)
    last = curves.groupby("feature", sort=False).last()
    told = [
        f"{named(f)} {words.share(last.loc[f, 'share'])} by day "
        f"{words.number(last.loc[f, 'time_days'])}"
        for f in order
    ]
    left = result.table["feature"].nunique() - len(order)
    more = f" {left} older {plural(left, 'feature')} not drawn." if left else ""
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {'; '.join(told)}.",
        caption="Day 1: the launch, or the account's first day where that came later. Bands: "
        f"{words.share(result.confidence, 0)} intervals. Curves end where few are watched.{more}",
        svg=wide,
        svg_narrow=narrow,
        data=curves,
    )


def _rows(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    texts = [_text(row, words, size) for row in dicts(rows)]
    names = [str(f) for f in rows["feature"]]
    fig, ax, left = rows_axes(names, texts, size)
    y = np.arange(len(rows))
    ax.hlines(y, rows["ci_low"], rows["ci_high"], color=SERIES[0], linewidth=4, alpha=0.25)
    ax.scatter(rows["share"], y, s=30, color=SERIES[0], zorder=3)
    before = rows["previous"].astype(float)
    ax.vlines(before, y - 0.3, y + 0.3, color=LIGHT["accent"], linewidth=1.4, zorder=2)
    ax.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    name_rows(ax, names, left)
    ticks = [0, 0.5, 1] if size is NARROW else [0, 0.25, 0.5, 0.75, 1]
    ax.set_xticks(ticks, [words.share(t, 0) for t in ticks])
    write_rows(ax, texts)
    return fig


def _text(row: dict[Hashable, Any], words: Words, size: Size) -> tuple[str, str]:
    change = words.change(row["change"], "share") if known(row["change"]) else "new"
    return words.share(row["share"], 0), "" if size is NARROW else change


def _curves(curves: pd.DataFrame, order: list[str], words: Words, size: Size) -> Figure:
    ends = curves.groupby("feature", sort=False)["share"].last()[order].astype(float)
    room = 0.34 * size.width
    names = [fitted(f"{f} {words.percent(float(ends[f]))}", room, SMALL) for f in order]
    right = SPARE * max(text_width(n, SMALL, semibold=True) for n in names) + 0.14
    place = size._replace(left=0.48, right=right)
    fig, (ax,) = figure(place, (0.12, TALL, 0.42))
    for feature, colour in zip(order, SERIES, strict=False):
        own = thinned(curves.loc[curves["feature"] == feature], POINTS)
        x = np.r_[0.0, own["time_days"]]
        style: dict[str, Any] = {"color": colour}
        ax.step(x, np.r_[0.0, own["share"]], where="post", **style)
        low, high = (np.r_[0.0, own[e].fillna(own["share"])] for e in ("ci_low", "ci_high"))
        ax.fill_between(x, low, high, step="post", alpha=0.1, linewidth=0, **style)
    longest = float(curves["time_days"].max())
    top = 1.0 if float(curves["share"].max()) > 0.6 else 0.6
    ticks = np.arange(0, top + 0.01, 0.2)
    ax.set(xlim=(0, longest), ylim=(0, top), xlabel="", ylabel="")
    ax.set_yticks(ticks, [words.share(t, 0) for t in ticks])
    step = next(s for s in (10, 30, 60, 90) if longest / s <= size.ticks or s == 90)
    days = np.arange(0, longest + 1, step)
    ax.set_xticks(days, [words.number(d) for d in days])
    note(ax, "days", (1, 0), (12, -6.5), va="top")
    places = spread(list(ends), 0.17 * top / TALL, 0, top)
    text: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for name, at, colour in zip(names, places, SERIES, strict=False):
        note(ax, name, (1, at), (6, 0), weight=600, color=colour, **text)
    return fig
