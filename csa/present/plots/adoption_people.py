"""People by how often they come, accounts by how engaged they are: bars, and where they were."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csa.analysis.adoption.engagement import STEP, Engagement
from csa.analysis.adoption.power import PowerUsers
from csa.present.canvas import Size, drawn, figure, note, nothing
from csa.present.items import Chart
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ENGLISH: Final = Words()
TALL: Final = 1.9  # inches


def power_users(
    result: PowerUsers, *, words: Words = ENGLISH, chart_id: str = "power-user-curve"
) -> Chart:
    """Draw the share of active people by the number of days of 28 on which they came.

    Parameters
    ----------
    result : PowerUsers
        From `csa.analysis.adoption.power.power_users`.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Bars, and dots for the 28 days before.
    """
    title = "Active people by days of use in 28 days"
    rows = result.curve
    if not rows["users"].sum():
        return nothing(chart_id, title, "No event of the last 28 days names a person.")
    shown = rows.rename(columns={"days": "at", "previous_share": "before"})
    often = rows["days"] >= result.often
    look = (1.0, "days", result.often)
    wide, narrow = drawn(lambda size: _bars(shown, look, words, size), chart_id, [])
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {words.share(rows['share'].iloc[0])} on one day, "
        f"{words.share(rows.loc[often, 'share'].sum())} on {result.often} or more.",
        caption=f"Orange: {result.often} days or more. Dots: the 28 days before.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def engagement_spread(
    result: Engagement, *, words: Words = ENGLISH, chart_id: str = "engagement-spread"
) -> Chart:
    """Draw the share of accounts by engagement score, beside the frozen reference.

    Parameters
    ----------
    result : Engagement
        From `csa.analysis.adoption.engagement.engagement`.
    words : Words
        Locale and currency.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Bars of ten points; dots for the customers of the day of reference.
    """
    title = "Accounts by engagement score"
    rows = result.spread
    if not rows["share"].notna().any():
        return nothing(chart_id, title, "No account has a score.")
    shown = rows.rename(columns={"points": "at", "reference": "before"})
    look = (float(STEP), "points", None)
    wide, narrow = drawn(lambda size: _bars(shown, look, words, size), chart_id, [])
    low, high = (rows.loc[m, "share"].sum() for m in (rows["points"] < 30, rows["points"] >= 70))
    return Chart(
        id=chart_id,
        title=title,
        alt=f"{title}: {words.share(low)} below 30 points, {words.share(high)} from 70 on.",
        caption=f"Bars of ten points. Dots: the {words.number(result.reference_n)} customers of "
        f"{words.day(result.reference_end)}, who are the scale.",
        svg=wide,
        svg_narrow=narrow,
        data=rows,
    )


def _bars(
    rows: pd.DataFrame, look: tuple[float, str, int | None], words: Words, size: Size
) -> Figure:
    """Draw bars of shares at `at`, and dots where they were."""
    step, unit, marked = look
    fig, (ax,) = figure(size._replace(left=0.48, right=0.62), (0.12, TALL, 0.42))
    x = rows["at"].to_numpy(float) + (0.0 if step == 1 else step / 2)
    colours = [SERIES[1] if marked and at >= marked else SERIES[0] for at in rows["at"]]
    ax.bar(x, rows["share"], width=0.8 * step, color=colours)
    before = rows["before"].astype(float)
    dots: dict[str, Any] = {"facecolors": LIGHT["paper"], "edgecolors": LIGHT["ink"], "zorder": 3}
    some = (before > 0).to_numpy()
    ax.scatter(x[some], before[some], s=16, **dots)
    top = float(np.nanmax([rows["share"].max(), before.max()]))
    high = next(s for s in (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0) if s >= top - 1e-9)
    shares = np.linspace(0, high, 5 if high in {0.2, 0.4, 0.8} else 3 if high == 0.1 else 6)
    shares = np.linspace(0, high, 4) if high in {0.3, 0.6} else shares
    ax.set(ylim=(0, high * 1.03), xlabel="", ylabel="")
    ax.set_xlim((0.3, 28.7) if step == 1 else (0, 100))
    ax.set_yticks(shares, [words.share(t, 0) for t in shares])
    ticks = [1, 4, 8, 12, 16, 20, 24, 28] if step == 1 else [0, 20, 40, 60, 80, 100]
    ax.set_xticks(ticks, [words.number(t) for t in ticks])
    ax.grid(visible=False, axis="x")
    note(ax, unit, (1, 0), (6 if step == 1 else 12, -6.5), va="top")
    return fig
