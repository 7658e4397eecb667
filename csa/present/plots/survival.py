"""Survival curves: labels at the lines, intervals as light bands, numbers at risk below."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.churn.lifetimes import SurvivalResult
from csa.analysis.churn.readings import numbers_at_risk, survival_at
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
    quiet,
    spread,
    tick_step,
)
from csa.present.items import Chart
from csa.present.names import joined, named, plural
from csa.present.phrases import ends
from csa.present.theme import LIGHT, SERIES
from csa.present.words import DAYS_PER_MONTH, Words

ALL: Final = "all"
EVERYBODY: Final = "All accounts"
MAX_LINES: Final = len(SERIES)
STEPS: Final = {"wide": 260, "narrow": 130}  # points of a curve: more cannot be seen
ROW: Final = 0.19  # inches between rows of numbers
ENGLISH: Final = Words()


def survival_curves(
    result: SurvivalResult,
    *,
    words: Words = ENGLISH,
    title: str = "Share of accounts still customers, by months since start",
    chart_id: str = "churn-survival",
) -> Chart:
    """Survival by group with confidence bands, direct labels and numbers at risk.

    Parameters
    ----------
    result : SurvivalResult
        From `csa.analysis.churn.survival`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Where nobody is under observation, a drawing that says so.
    """
    shown = _shown_groups(result)
    curves = _trusted(result, shown)
    if curves.empty:
        return nothing(chart_id, title, "No account is under observation in this period.")
    palette = _palette(shown)
    wide, narrow = drawn(
        lambda size: _survival_figure(result, curves, palette, words, size),
        chart_id,
        [_label(g) for g in shown],
    )
    return Chart(
        id=chart_id,
        title=title,
        alt=_survival_alt(result, curves, shown, words),
        caption=_survival_caption(result, shown, words),
        svg=wide,
        svg_narrow=narrow,
        data=curves.drop(columns="months"),
    )


def _label(group: str) -> str:
    return EVERYBODY if group == ALL else str(group)


def _shown_groups(result: SurvivalResult) -> list[str]:
    """All accounts and the largest groups, in the order of the summary."""
    groups = result.summary.loc[result.summary["group"] != ALL]
    largest = set(groups.nlargest(MAX_LINES, "n")["group"])
    return [g for g in result.summary["group"] if g == ALL or g in largest]


def _palette(shown: Sequence[str]) -> dict[str, str]:
    """One colour per group; all accounts are grey beside groups, and the first colour alone."""
    groups = [g for g in shown if g != ALL]
    colours = dict(zip(groups, SERIES, strict=False))
    return colours | {ALL: LIGHT["soft"] if groups else SERIES[0]}


def _trusted(result: SurvivalResult, shown: Sequence[str]) -> pd.DataFrame:
    """Curves of the groups shown, up to the age where too few are at risk, thinned for drawing."""
    parts = []
    for group in shown:
        rows = result.curves.loc[result.curves["group"] == group]
        enough = rows.loc[rows["at_risk"] >= result.min_at_risk]
        kept = rows.loc[: enough.index[-1]] if len(enough) else rows
        parts.append(thinned(kept, STEPS["wide"]))
    table = pd.concat(parts, ignore_index=True) if parts else result.curves.head(0)
    columns = ["group", "time_days", "at_risk", "survival", "ci_low", "ci_high"]
    return table[columns].assign(months=table["time_days"] / DAYS_PER_MONTH)


def thinned(rows: pd.DataFrame, points: int) -> pd.DataFrame:
    """Keep the last row of each of `points` equal steps of age: exact values, fewer of them.

    Parameters
    ----------
    rows : DataFrame, one row per step of a curve
        `time_days`, ascending.
    points : int
        How many to keep at most, about.

    Returns
    -------
    DataFrame
        Rows of the input, the first and the last among them.
    """
    if len(rows) <= points:
        return rows
    age = rows["time_days"].to_numpy(dtype=float)
    step = np.floor((age - age[0]) / (age[-1] - age[0]) * points)
    last = np.append(step[1:] != step[:-1], True)
    last[0] = True
    return rows.loc[last]


def _survival_figure(
    result: SurvivalResult, curves: pd.DataFrame, palette: dict[str, str], words: Words, size: Size
) -> Figure:
    rows = len(palette)
    height = 2.35 if size is WIDE else 2.6  # with its heading and finding on half a page
    fig, (ax, under) = figure(size, (0.3, height, 0.52, ROW * rows, 0.06))
    if size is not WIDE:
        groups = [thinned(part, STEPS["narrow"]) for _, part in curves.groupby("group", sort=False)]
        curves = pd.concat(groups)
    sns.lineplot(
        data=curves,
        x="months",
        y="survival",
        hue="group",
        palette=palette,
        drawstyle="steps-post",
        estimator=None,
        errorbar=None,
        legend=False,
        ax=ax,
    )
    _bands(ax, curves, palette)
    for line in ax.lines:
        if line.get_color() == LIGHT["soft"]:  # all accounts: the background of the groups
            line.set(linewidth=1.2, zorder=1.5)
    order = _end_labels(ax, curves, palette, words, size)
    _survival_axes(ax, curves, words, size)
    _at_risk_rows(under, ax, result, order, (palette, words, size))
    return fig


def _bands(ax: Axes, curves: pd.DataFrame, palette: dict[str, str]) -> None:
    for group, rows in curves.groupby("group", sort=False):
        if group == ALL and len(palette) > 1:
            continue  # its band would only cover those of the groups
        ax.fill_between(
            rows["months"],
            rows["ci_low"].astype(float),
            rows["ci_high"].astype(float),
            step="post",
            color=palette[str(group)],
            alpha=0.12,
            linewidth=0,
        )


def _end_labels(
    ax: Axes, curves: pd.DataFrame, palette: dict[str, str], words: Words, size: Size
) -> list[str]:
    """Write name and last value beside each curve; return the groups from top to bottom."""
    ends = curves.groupby("group", sort=False).last().reset_index()
    longest, bottom = float(ends["months"].max()), _floor(curves)
    gap = (1 - bottom) * 0.062 * (1.2 if size is NARROW else 1)
    places = spread(list(ends["survival"]), gap, bottom + gap / 2, 1.0)
    room = size.right - (0.44 if size is WIDE else 0.12)
    rows = zip(ends["group"], ends["months"], ends["survival"], places, strict=True)
    for group, month, share, place in rows:
        name = fitted(_label(group), room, SMALL, semibold=True)
        colour = palette[group]
        _leader(ax, (month, share), (longest, place), colour)
        note(
            ax,
            f"{name} {words.percent(share)}" if size is WIDE else name,
            (1, place),
            (6, 0),
            xycoords=("axes fraction", "data"),
            va="center_baseline",
            fontweight=600,
            color=colour,
        )
    return [str(g) for _, g in sorted(zip(places, ends["group"], strict=True), reverse=True)]


def _leader(ax: Axes, end: tuple[float, float], label: tuple[float, float], colour: str) -> None:
    """Lead the eye from a curve that ends early to its label."""
    if end[0] < 0.97 * label[0]:
        ax.plot(*zip(end, label, strict=True), color=colour, linewidth=0.8, linestyle=(0, (1, 2.5)))


def _floor(curves: pd.DataFrame) -> float:
    """Lower end of the share axis: zero, or one half where all curves stay above it."""
    lowest = float(curves["ci_low"].fillna(curves["survival"]).min())
    return 0.0 if lowest < 0.55 else 0.5


def _survival_axes(ax: Axes, curves: pd.DataFrame, words: Words, size: Size) -> None:
    longest, bottom = max(float(curves["months"].max()), 1.0), _floor(curves)
    ax.set(xlim=(0, longest), ylim=(bottom, 1.0), xlabel="", ylabel="")
    ticks = np.arange(0, longest + 1e-6, tick_step(longest, size.ticks))
    ax.set_xticks(ticks, [words.number(t) for t in ticks])
    shares = np.arange(bottom, 1.001, 0.25 if bottom == 0 else 0.1)
    ax.set_yticks(shares, [words.share(s, 0) for s in shares])
    note(ax, "Still customers", (0, 1), (-4, 9))
    note(ax, "months since start" if size is WIDE else "months", (1, 0), (6, -6.5), va="top")


def _at_risk_rows(
    under: Axes,
    ax: Axes,
    result: SurvivalResult,
    order: Sequence[str],
    look: tuple[dict[str, str], Words, Size],
) -> None:
    """Numbers at risk, aligned with the ticks, one row per curve in the order of the labels."""
    palette, words, size = look
    quiet(under)
    under.set(xlim=ax.get_xlim(), ylim=(len(order), 0))
    note(under, "Accounts at risk", (0, 1), (-4, 6))
    ticks = [float(tick) for tick in ax.get_xticks()]
    table = numbers_at_risk(result, [tick * DAYS_PER_MONTH for tick in ticks])
    starts = result.summary.set_index("group")["starts_at_days"]
    for row, group in enumerate(order):
        style: dict[str, Any] = {"color": palette[group], "va": "center_baseline"}
        counts = table.loc[table["group"] == group, "at_risk"]
        for tick, count in zip(ticks, counts, strict=True):
            if tick * DAYS_PER_MONTH >= starts[group]:  # before that age nobody was watched
                text = words.number(int(count))
                under.text(tick, row + 0.5, text, ha="center", fontsize=SMALL, **style)
        name = fitted(_label(group), size.right - 0.12, SMALL)
        note(under, name, (1, row + 0.5), (6, 0), xycoords=("axes fraction", "data"), **style)


def _survival_alt(
    result: SurvivalResult, curves: pd.DataFrame, shown: Sequence[str], words: Words
) -> str:
    """Say what the curves show: their ends of trust, and the share left at a common age."""
    age = _common_age(curves)
    table = survival_at(result, [age])
    parts = [
        f"{named(_label(row['group']))} {words.share(row['survival'])} "
        f"({words.interval(*ends(row['ci_low'], row['ci_high']), 'share')})"
        for row in table.to_dict("records")
        if row["group"] in shown
    ]
    lines = plural(len(shown), "curve")
    return (
        f"Survival {lines}: share of accounts still customers by months since start. "
        f"After {words.days(age)}: {'; '.join(parts)}."
    )


def _common_age(curves: pd.DataFrame) -> float:
    """Greatest age that every curve reaches, in whole months where it is at least one."""
    reached = float(curves.groupby("group")["time_days"].max().min())
    months = np.floor(reached / DAYS_PER_MONTH)
    return float(months * DAYS_PER_MONTH) if months else reached


def _survival_caption(result: SurvivalResult, shown: Sequence[str], words: Words) -> str:
    left_out = len(result.summary) - len(shown)
    level = words.share(result.confidence, 0)
    least = result.min_at_risk
    parts = [f"Bands: {level} intervals. Curves end where fewer than {least} remain."]
    if result.curves["at_risk"].max() < least:
        parts = [f"Fewer than {least} accounts at any age: do not rely on this curve."]
    late = result.summary.loc[
        result.summary["group"].isin(shown) & (result.summary["starts_at_days"] > 0)
    ]
    if len(late):
        names = joined([named(_label(g)) for g in late["group"]])
        first = words.days(float(late["starts_at_days"].max()))
        parts.append(f"{names}: known from an age of {first} on, given alive then.")
    if left_out:
        parts.append(f"{left_out} smaller {plural(left_out, 'group')} not drawn.")
    return " ".join(parts)
