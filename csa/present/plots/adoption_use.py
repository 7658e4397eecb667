"""Active people over time, and the share of them that comes on a day."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csa.analysis.adoption.actives import Actives
from csa.analysis.adoption.stickiness import Stickiness
from csa.analysis.adoption.utilisation import Utilisation
from csa.present.canvas import SMALL, Size, drawn, figure, note, nothing, spread, text_width
from csa.present.items import Chart
from csa.present.plots.mrr_months import name_months
from csa.present.plots.named_rows import even_steps
from csa.present.plots.rates import SPARE
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
TALL: Final = 2.1  # inches
LINE: Final = 0.17  # inches between two labels
LENGTHS: Final = ((28, "in 28 days"), (7, "in 7 days"), (1, "on the day"))
WEEK: Final = 7
NONE: Final = "No use is recorded for 28 days or more."


def active_users(
    result: Actives, *, words: Words = ENGLISH, chart_id: str = "active-users-over-time"
) -> Chart:
    """Draw the distinct people of the last 28, 7 and 1 days, day by day.

    Parameters
    ----------
    result : Actives
        From `csa.analysis.adoption.actives.actives`.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Accounts where no event names a person.
    """
    trend = result.trend
    people = bool((trend["unit"] == "users").any())
    who = "People" if people else "Accounts"
    title = f"{who} who use the product" if people else "Accounts that use the product"
    own = trend.loc[trend["unit"] == ("users" if people else "accounts")]
    wide = own.pivot_table(index="day", columns="window_days", values="actives")
    if wide.empty or 28 not in wide.columns:
        return nothing(chart_id, title, NONE)
    wide_svg, narrow = drawn(lambda size: _lines(wide, words, size), chart_id, [])
    last = wide.iloc[-1]
    told = [f"{words.number(last[n])} {name}" for n, name in LENGTHS]
    first = wide[28].dropna()
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {', '.join(told)} on {words.day(wide.index[-1])}; within 28 days "
        f"{words.number(first.iloc[0])} on {words.day(first.index[0])}.",
        caption="Distinct within the days up to each day, counted exactly; on the day: mean of "
        "the week.",
        svg=wide_svg,
        svg_narrow=narrow,
        data=wide.reset_index().rename(columns={n: f"active_{n}_days" for n, _ in LENGTHS}),
    )


def stickiness(
    result: Stickiness, *, words: Words = ENGLISH, chart_id: str = "stickiness-over-time"
) -> Chart:
    """Draw the share of the people of 28 days that comes on a day, over both periods.

    Parameters
    ----------
    result : Stickiness
        From `csa.analysis.adoption.stickiness.stickiness`.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Days as dots, the mean of the week up to each day as a line.
    """
    title = "Share of the people of 28 days who came on the day"
    trend = result.trend.dropna()
    rows = trend.loc[trend["day"] >= pd.Timestamp(result.span.previous_start)]
    if len(rows) < WEEK:
        return nothing(chart_id, title, NONE)
    rows = rows.assign(week=rows["stickiness"].rolling(WEEK).mean())
    wide, narrow = drawn(lambda size: _dots(rows, words, size), chart_id, [])
    row = result.table.iloc[0]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {words.share(row['value'])} on average in the period, "
        f"{words.share(row['previous'])} in the one before.",
        caption="Dots: days (hollow: weekends). Line: mean of the week up to the day.",
        svg=wide,
        svg_narrow=narrow,
        data=rows.rename(columns={"week": "mean_of_week"}),
    )


def licence_utilisation(
    result: Utilisation | None,
    *,
    target: Any = None,
    words: Words = ENGLISH,
    chart_id: str = "licence-utilisation-by-month",
) -> Chart:
    """Draw licence utilisation by whole month.

    Parameters
    ----------
    result : Utilisation or None
        From `csa.analysis.adoption.utilisation.utilisation`.
    target : TargetLike, optional
        Its value is drawn as a line.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Without seats a drawing that says so.
    """
    title = "Licences used on a business day, by month"
    if result is None or not result.trend["value"].notna().any():
        return nothing(chart_id, title, "No whole month with licences and use is known.")
    rows = result.trend
    goal = None if target is None else float(target.value)
    wide, narrow = drawn(lambda size: _months(rows, goal, words, size), chart_id, [])
    last = rows.iloc[-1]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {words.share(last['value'])} in the last of {len(rows)} months "
        f"({words.number(last['users'])} people, {words.number(last['seats'])} licences), "
        f"{words.share(rows['value'].iloc[0])} in the first.",
        caption="People active on a day from Monday to Friday over the seats in force; holidays "
        "lower it.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _lines(wide: pd.DataFrame, words: Words, size: Size) -> Figure:
    shown = wide.assign(**{"day": wide[1].rolling(WEEK).mean()})
    columns = [28, 7, "day"]
    last = [float(shown[c].iloc[-1]) for c in columns]
    names = [f"{words.number(v)} {name}" for v, (_, name) in zip(last, LENGTHS, strict=True)]
    top = float(np.nanmax(shown[28]))
    ticks = even_steps(max(top, 1.0) * 1.02, 4)
    ticks = [*ticks, ticks[-1] + ticks[1]] if ticks[-1] < top else ticks
    left = SPARE * max(text_width(words.number(t), SMALL + 0.5) for t in ticks) + 0.12
    right = SPARE * max(text_width(n, SMALL, semibold=True) for n in names) + 0.14
    fig, (ax,) = figure(size._replace(left=left, right=right), (0.12, TALL, 0.46))
    x = _places(pd.DatetimeIndex(wide.index))
    for column, colour in zip(columns, SERIES, strict=False):
        ax.plot(x, shown[column], color=colour)
    ax.set(xlim=(x[0], x[-1]), ylim=(0, ticks[-1]), xlabel="", ylabel="")
    ax.set_yticks(ticks, [words.number(t) for t in ticks])
    _months_axis(ax, pd.DatetimeIndex(wide.index), words, size.width - left - right)
    places = spread(last, LINE * ticks[-1] / TALL, 0, ticks[-1])
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for name, place, colour in zip(names, places, SERIES, strict=False):
        note(ax, name, (1, place), (6, 0), weight=600, color=colour, **style)
    return fig


def _dots(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    top = float(rows["stickiness"].max())
    ticks, digits = _share_ticks(top)
    text = words.share(float(rows["week"].iloc[-1]))
    right = SPARE * text_width(text, SMALL, semibold=True) + 0.14
    fig, (ax,) = figure(size._replace(left=0.52, right=right), (0.12, 1.7, 0.46))
    days = pd.DatetimeIndex(rows["day"])
    x = _places(days)
    faces = [LIGHT["paper"] if d.weekday() > 4 else LIGHT["rule"] for d in days]
    ax.scatter(x, rows["stickiness"], s=12, facecolors=faces, edgecolors=LIGHT["rule"])
    ax.plot(x, rows["week"], color=SERIES[0])
    ax.set(xlim=(x[0], x[-1] + 0.03), ylim=(0, ticks[-1]), xlabel="", ylabel="")
    ax.set_yticks(ticks, [words.share(t, digits) for t in ticks])
    _months_axis(ax, days, words, size.width - 0.52 - right)
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    note(ax, text, (1, rows["week"].iloc[-1]), (6, 0), weight=600, color=SERIES[0], **style)
    return fig


def _months(rows: pd.DataFrame, goal: float | None, words: Words, size: Size) -> Figure:
    top = max(float(rows["value"].max()), goal or 0.0)
    ticks, digits = _share_ticks(top)
    text = words.share(float(rows["value"].iloc[-1]))
    right = SPARE * text_width(text, SMALL, semibold=True) + 0.14
    fig, (ax,) = figure(size._replace(left=0.52, right=right), (0.16, 1.7, 0.46))
    x = np.arange(len(rows))
    ax.plot(x, rows["value"], color=SERIES[0])
    ax.scatter(x, rows["value"], s=16, color=SERIES[0], zorder=3)
    if goal is not None:
        ax.axhline(goal, color=LIGHT["accent"], linewidth=1.2)
        note(ax, "target", (0, goal), (2, 3), xycoords=("axes fraction", "data"))
    ax.set(xlim=(-0.4, len(rows) - 0.6), ylim=(0, ticks[-1]), xlabel="", ylabel="")
    ax.set_yticks(ticks, [words.share(t, digits) for t in ticks])
    name_months(ax, list(rows["month_start"]), words, size.width - 0.52 - right)
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    note(ax, text, (1, rows["value"].iloc[-1]), (6, 0), weight=600, color=SERIES[0], **style)
    return fig


def _share_ticks(top: float) -> tuple[list[float], int]:
    """Round shares from 0 to above the top, and the digits that tell them apart."""
    steps = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
    step = next((s for s in steps if top / s <= 4.5), 1.0)
    count = int(np.ceil(top / step - 1e-9)) or 1
    return [step * k for k in range(count + 1)], 1 if step < 0.01 else 0


def _places(days: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Place days on an axis of months, on which the first of a month is a whole number."""
    months = days.year * 12 + days.month - 1
    return np.asarray(months + (days.day - 1) / days.days_in_month, dtype=float)


def _months_axis(ax: Axes, days: pd.DatetimeIndex, words: Words, inches: float) -> None:
    """Name the months whose first day is drawn."""
    first = days[days.day == 1]
    if not len(first):
        ax.set_xticks([])
        return
    low, high = ax.get_xlim()
    share = (len(first) / max(high - low, 1e-9)) if high > low else 1.0
    name_months(ax, [d.date() for d in first], words, inches * min(share, 1.0))
    start = first[0].year * 12 + first[0].month - 1
    ticks = [t + start for t in ax.get_xticks()]
    labels = [t.get_text() for t in ax.get_xticklabels()]
    ax.set_xticks(ticks, labels)
    ax.set_xlim(low, high)
