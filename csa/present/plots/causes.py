"""Share of accounts that have left for each reason by an age: lines with bands."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.churn.causes import IncidenceResult
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
    tick_step,
)
from csa.present.items import Chart
from csa.present.names import capital, named, plural
from csa.present.narrate.causes import NOT_STATED
from csa.present.phrases import ends
from csa.present.plots.survival import STEPS, thinned
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import DAYS_PER_MONTH, Words

MOST_CAUSES: Final = len(SERIES)
ENGLISH: Final = Words()


def incidence(
    result: IncidenceResult,
    *,
    group: str = ALL,
    words: Words = ENGLISH,
    title: str = "Accounts that have left, by reason and months since start",
    chart_id: str = "churn-by-reason",
) -> Chart:
    """Share of accounts that have left for each reason by an age, with bands.

    Parameters
    ----------
    result : IncidenceResult
        From `csa.analysis.churn.causes.incidence`.
    group : str
        Group to draw.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Where nobody left, a drawing that says so.
    """
    curves = _trusted(result, group)
    if missing := _missing(result, curves, group):
        return nothing(chart_id, title, missing)
    wide, narrow = drawn(
        lambda size: _incidence_figure(curves, words, size),
        chart_id,
        list(curves["cause"].unique()),
    )
    return Chart(
        id=chart_id,
        title=title,
        alt=_incidence_alt(curves, group, words),
        caption=_incidence_caption(result, curves, group, words),
        svg=wide,
        svg_narrow=narrow,
        data=curves.drop(columns="months"),
    )


def _missing(result: IncidenceResult, curves: pd.DataFrame, group: str) -> str:
    """Say why there is nothing to draw; empty where there is something."""
    if curves.empty:
        return "No account has left while it was under observation."
    row = result.summary.loc[result.summary["group"] == group].iloc[0]
    if row["status"] != "ok":
        return f"Too little to draw: {row['reason']}."
    if set(curves["cause"]) == {NOT_STATED}:
        return "No reason is recorded for the accounts that left."
    return ""


def _trusted(result: IncidenceResult, group: str) -> pd.DataFrame:
    """Curves of the causes that took anybody, up to the age where too few are at risk."""
    rows = result.curves.loc[result.curves["group"] == group]
    rows = rows.loc[(rows["at_risk"] >= result.min_at_risk) | (rows["time_days"] == 0)]
    total = rows.groupby("cause", sort=False)["incidence"].max()
    kept = total.loc[total > 0].nlargest(MOST_CAUSES).index
    parts = [thinned(rows.loc[rows["cause"] == cause], STEPS["wide"]) for cause in kept]
    table = pd.concat(parts, ignore_index=True) if parts else rows.head(0)
    columns = [
        "group",
        "cause",
        "time_days",
        "at_risk",
        "incidence",
        "ci_low",
        "ci_high",
        "survival",
    ]
    return table[columns].assign(months=table["time_days"] / DAYS_PER_MONTH)


def colours_of(causes: Sequence[str]) -> dict[str, str]:
    """Choose one colour per cause; reasons that nobody stated are grey.

    Parameters
    ----------
    causes : sequence of str
        Causes in their order.

    Returns
    -------
    dict
        Colour by cause.
    """
    stated = [cause for cause in causes if cause != NOT_STATED]
    return dict(zip(stated, SERIES, strict=False)) | {NOT_STATED: LIGHT["soft"]}


def _incidence_figure(curves: pd.DataFrame, words: Words, size: Size) -> Figure:
    fig, (ax,) = figure(size, (0.3, 1.75, 0.4))
    colours = colours_of(list(curves["cause"].unique()))
    for cause, rows in curves.groupby("cause", sort=False):
        if size is NARROW:
            rows = thinned(rows, STEPS["narrow"])  # noqa: PLW2901
        colour, months = colours[str(cause)], rows["months"]
        ax.step(months, rows["incidence"], where="post", color=colour)
        low, high = rows["ci_low"].astype(float), rows["ci_high"].astype(float)
        ax.fill_between(months, low, high, step="post", color=colour, alpha=0.14, linewidth=0)
    _incidence_axes(ax, curves, words, size)
    _labels(ax, curves, colours, words, size)
    return fig


def _incidence_axes(ax: Axes, curves: pd.DataFrame, words: Words, size: Size) -> None:
    last = max(float(curves["months"].max()), 1.0)
    top = min(1.0, 1.06 * max(float(curves["ci_high"].max()), float(curves["incidence"].max())))
    ax.set(xlim=(0, last), ylim=(0, top), xlabel="", ylabel="")
    ticks = np.arange(0, last + 1e-6, tick_step(last, size.ticks))
    ax.set_xticks(ticks, [words.number(t) for t in ticks])
    step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if top / s <= 5), 0.25)
    shares = np.arange(0, top + 1e-9, step)
    ax.set_yticks(shares, [words.share(s, 0) for s in shares])
    note(ax, "Have left", (0, 1), (-4, 9))
    note(ax, "months since start" if size is WIDE else "months", (1, 0), (6, -6.5), va="top")


def _labels(
    ax: Axes, curves: pd.DataFrame, colours: dict[str, str], words: Words, size: Size
) -> None:
    """Write cause and last value beside each curve."""
    last = curves.groupby("cause", sort=False).last().reset_index()
    top = ax.get_ylim()[1]
    gap = top * (0.082 if size is WIDE else 0.088)
    places = spread(list(last["incidence"]), gap, gap / 3, top)
    room = size.right - (0.52 if size is WIDE else 0.12)
    for row, place in zip(last.to_dict("records"), places, strict=True):
        name = fitted(capital(row["cause"]), room, SMALL, semibold=True)
        note(
            ax,
            f"{name} {words.percent(row['incidence'])}" if size is WIDE else name,
            (1, place),
            (6, 0),
            xycoords=("axes fraction", "data"),
            va="center_baseline",
            fontweight=600,
            color=colours[row["cause"]],
        )


def _incidence_alt(curves: pd.DataFrame, group: str, words: Words) -> str:
    last = curves.groupby("cause", sort=False).last().reset_index()
    parts = [
        f"{named(row['cause'])} {words.share(row['incidence'])} "
        f"({words.interval(*ends(row['ci_low'], row['ci_high']), 'share')})"
        for row in last.to_dict("records")
    ]
    who = EVERYBODY if group == ALL else named(group)
    age = words.days(float(last["time_days"].max()))
    stay = words.share(float(last["survival"].iloc[0]))
    return (
        f"{who}: share that has left for each reason by months since start. After {age}: "
        f"{'; '.join(parts)}; still customers {stay}."
    )


def _incidence_caption(
    result: IncidenceResult, curves: pd.DataFrame, group: str, words: Words
) -> str:
    last = curves.iloc[-1]
    parts = [
        f"Bands: {words.share(result.confidence, 0)} intervals.",
        f"With the {words.percent(last['survival'])} that are still customers the reasons add "
        f"up to 100% at {words.days(last['time_days'])}.",
    ]
    every = result.curves.loc[(result.curves["group"] == group) & (result.curves["events"] > 0)]
    rest = every["cause"].nunique() - curves["cause"].nunique()
    if rest > 0:
        parts.append(f"{rest} smaller {plural(rest, 'reason')} not drawn.")
    return " ".join(parts)
