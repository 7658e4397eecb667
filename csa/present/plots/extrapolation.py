"""Survival beyond the data: what was observed, the curve that follows it, and where data end."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.churn.extrapolation import ExtrapolationResult
from csa.analysis.churn.lifetimes import SurvivalResult
from csa.analysis.churn.readings import numbers_at_risk
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
    tick_step,
)
from csa.present.items import Chart
from csa.present.names import named
from csa.present.narrate.extrapolation import NAMES, life_of
from csa.present.plots.survival import STEPS, thinned
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import DAYS_PER_MONTH, Words

ENGLISH: Final = Words()
SEEN, CURVE = SERIES[0], SERIES[1]
ROW: Final = 0.19
SPAN: Final = 1.04  # of the ages drawn: a horizon of whole years has a tick at its very end
COLUMNS: Final = (
    *("kind", "group", "age_days", "survival", "ci_low", "ci_high"),
    *("among_low", "among_high", "extrapolated"),
)


def extrapolation(
    result: ExtrapolationResult,
    survival: SurvivalResult,
    *,
    group: str = ALL,
    words: Words = ENGLISH,
    title: str = "Still customers: observed, and beyond what was seen",
    chart_id: str = "survival-extrapolated",
) -> Chart:
    """Observed survival with its band, and the chosen curve: solid as far as seen, then dashed.

    Parameters
    ----------
    result : ExtrapolationResult
        From `csa.analysis.churn.extrapolation.extrapolate`.
    survival : SurvivalResult
        From `csa.analysis.churn.survival` on the same spells.
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
        Where no curve fits, only what was observed, and the reason below.
    """
    seen = _seen(survival, group)
    if seen.empty:
        return nothing(chart_id, title, "No account is under observation in this period.")
    life = life_of(result, group)
    curve = result.curves.loc[(result.curves["group"] == group) & (result.curves["status"] == "ok")]
    curve = curve.assign(months=curve["age_days"] / DAYS_PER_MONTH)
    wide, narrow = drawn(
        lambda size: _figure(survival, (seen, curve), life, words, size),
        chart_id,
        [_label(group)],
    )
    return Chart(
        id=chart_id,
        title=title,
        alt=_alt(seen, curve, life, group, words),
        caption=_caption(result, curve, life, words),
        svg=wide,
        svg_narrow=narrow,
        data=_data(seen, curve),
    )


def _label(group: str) -> str:
    return EVERYBODY if group == ALL else str(group)


def _seen(survival: SurvivalResult, group: str) -> pd.DataFrame:
    """Observed curve as far as enough are at risk."""
    rows = survival.curves.loc[survival.curves["group"] == group]
    enough = rows.loc[rows["at_risk"] >= survival.min_at_risk]
    kept = rows.loc[: enough.index[-1]] if len(enough) else rows.head(0)
    thin = thinned(kept, STEPS["wide"]) if len(kept) else kept
    return thin.assign(months=thin["time_days"] / DAYS_PER_MONTH)


def _data(seen: pd.DataFrame, curve: pd.DataFrame) -> pd.DataFrame:
    observed = seen.rename(columns={"time_days": "age_days"}).assign(
        kind="observed", extrapolated=False, among_low=np.nan, among_high=np.nan
    )
    parts = [observed[list(COLUMNS)]]
    if len(curve):
        parts.append(curve.assign(kind="curve")[list(COLUMNS)])
    return pd.concat(parts, ignore_index=True)


def _figure(
    survival: SurvivalResult,
    curves: tuple[pd.DataFrame, pd.DataFrame],
    life: dict[Any, Any],
    words: Words,
    size: Size,
) -> Figure:
    seen, curve = curves
    fig, (ax, under) = figure(size, (0.34, 2.3, 0.52, ROW, 0.06))
    months = seen["months"]
    low, high = seen["ci_low"].astype(float), seen["ci_high"].astype(float)
    ax.fill_between(months, low, high, step="post", color=SEEN, alpha=0.14, linewidth=0)
    ax.step(months, seen["survival"].astype(float), where="post", color=SEEN, zorder=2)
    if len(curve):
        _curve(ax, curve, life["seen_until_days"] / DAYS_PER_MONTH)
    _axes(ax, seen, curve, words, size)
    _names(ax, seen, curve, words, size)
    if curve["extrapolated"].any():
        _border(ax, life["seen_until_days"] / DAYS_PER_MONTH, size)
    _at_risk(under, ax, survival, str(life["group"]), words, size)
    return fig


def _curve(ax: Axes, curve: pd.DataFrame, border: float) -> None:
    """Draw the curve solid up to the border and dashed from there, without a gap between."""
    ages, values = curve["months"].to_numpy(float), curve["survival"].to_numpy(float)
    at_border = float(np.interp(border, ages, values))
    look: dict[str, Any] = {"color": CURVE, "linewidth": 1.4}
    inside, beyond = ages <= border, ages > border
    ax.plot(np.append(ages[inside], border), np.append(values[inside], at_border), **look)
    if not beyond.any():
        return
    far = curve.loc[beyond]
    months = far["months"]
    low, high = far["ci_low"].astype(float), far["ci_high"].astype(float)
    ax.fill_between(months, low, high, color=CURVE, alpha=0.14, linewidth=0)
    for end in ("among_low", "among_high"):
        ax.plot(months, far[end].astype(float), color=CURVE, linewidth=0.9, linestyle=(0, (1, 2)))
    line = np.insert(values[beyond], 0, at_border)
    ax.plot(np.insert(ages[beyond], 0, border), line, linestyle=(0, (4, 2.2)), **look)


def _axes(ax: Axes, seen: pd.DataFrame, curve: pd.DataFrame, words: Words, size: Size) -> None:
    lows = [seen["ci_low"], *(curve[name] for name in ("ci_low", "among_low"))]
    lowest = float(pd.concat([x.astype(float) for x in lows]).min())
    bottom = 0.5 if lowest >= 0.55 else 0.0
    last = max(float(pd.concat([seen["months"], curve["months"]]).max()), 1.0)
    ax.set(xlim=(0, SPAN * last), ylim=(bottom, 1.0), xlabel="", ylabel="")
    ticks = np.arange(0, last + 1e-6, tick_step(last, size.ticks))
    ax.set_xticks(ticks, [words.number(t) for t in ticks])
    shares = np.arange(bottom, 1.001, 0.25 if bottom == 0 else 0.1)
    ax.set_yticks(shares, [words.share(s, 0) for s in shares])
    note(ax, "Still customers", (0, 1), (-4, 9))
    note(ax, "months since start" if size is WIDE else "months", (1, 0), (6, -6.5), va="top")


def _names(ax: Axes, seen: pd.DataFrame, curve: pd.DataFrame, words: Words, size: Size) -> None:
    """Name the observed curve above its band, the other one at its end."""
    middle = seen.iloc[(seen["months"] - 0.45 * seen["months"].max()).abs().argmin()]
    high = middle["ci_high"] if pd.notna(middle["ci_high"]) else middle["survival"]
    above = (float(middle["months"]), min(float(high), 0.94))
    note(ax, "observed", above, (0, 4), xycoords="data", weight=600, color=SEEN)
    if curve.empty:
        return
    last = curve.iloc[-1]
    name = NAMES.get(str(last["distribution"]), str(last["distribution"]))
    text = f"{name} {words.percent(last['survival'])}" if size is WIDE else name
    text = fitted(text, size.right - 0.12, SMALL, semibold=True)
    at: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    bottom = ax.get_ylim()[0]
    place = max(float(last["survival"]), bottom + 0.07 * (1 - bottom))  # clear of the axis's name
    note(ax, text, (1, place), (6, 0), weight=600, color=CURVE, **at)


def _border(ax: Axes, border: float, size: Size) -> None:
    """Draw a line where data end, and say on which side of it there are none."""
    right = ax.get_xlim()[1]
    ax.axvspan(border, right, color=LIGHT["wash"], zorder=0.3, linewidth=0)
    ax.axvline(border, color=LIGHT["ink"], linewidth=1.1, zorder=3)
    at: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "color": LIGHT["ink"]}
    if size is NARROW or right - border < 0.2 * right:  # too little room on its right side
        note(ax, "extrapolated from here", (right, 1), (0, 9), ha="right", **at)
    else:
        note(ax, "extrapolated →", (border, 1), (0, 9), **at)


def _at_risk(
    under: Axes, ax: Axes, survival: SurvivalResult, group: str, words: Words, size: Size
) -> None:
    quiet(under)
    under.set(xlim=ax.get_xlim(), ylim=(1, 0))
    note(under, "Accounts at risk", (0, 1), (-4, 6))
    ticks = [float(tick) for tick in ax.get_xticks()]
    table = numbers_at_risk(survival, [tick * DAYS_PER_MONTH for tick in ticks])
    counts = table.loc[table["group"] == group, "at_risk"]
    style: dict[str, Any] = {"color": SEEN, "va": "center_baseline"}
    for tick, count in zip(ticks, counts, strict=True):
        under.text(tick, 0.5, words.number(int(count)), ha="center", fontsize=SMALL, **style)
    name = fitted(_label(group), size.right - 0.12, SMALL)
    note(under, name, (1, 0.5), (6, 0), xycoords=("axes fraction", "data"), **style)


def _alt(
    seen: pd.DataFrame, curve: pd.DataFrame, life: dict[Any, Any], group: str, words: Words
) -> str:
    last = seen.iloc[-1]
    who = EVERYBODY if group == ALL else named(group)
    base = (
        f"{who}: share still customers by months since start. Observed up to "
        f"{words.days(last['time_days'])}: {words.share(last['survival'])} "
        f"({words.interval(last['ci_low'], last['ci_high'], 'share')})."
    )
    if curve.empty:
        return f"{base} No curve goes on from there: {life['reason']}."
    far = curve.iloc[-1]
    name = NAMES.get(str(far["distribution"]), str(far["distribution"]))
    beyond = ", extrapolated" if far["extrapolated"] else ""
    ends = words.interval(far["ci_low"], far["ci_high"], "share")
    return (
        f"{base} The {name} curve{beyond}, after {words.days(far['age_days'])}: "
        f"{words.share(far['survival'])} ({ends})."
    )


def _caption(
    result: ExtrapolationResult, curve: pd.DataFrame, life: dict[Any, Any], words: Words
) -> str:
    level = words.share(result.confidence, 0)
    if curve.empty:
        return f"Band: {level} interval. No curve is drawn beyond the data: {life['reason']}."
    parts = [f"Bands: {level} intervals."]
    if curve["extrapolated"].any():
        parts.append(
            f"Nobody was seen beyond {words.days(life['seen_until_days'])}: from there on the "
            "curve is a guess by its shape; dotted: the other shapes that fit."
        )
    if float(curve["age_days"].max()) < result.horizon_days:
        parts.append("No figure further on: too far beyond the data.")
    return " ".join(parts)
