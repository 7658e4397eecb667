"""Drawings of what drives risk: how strong each sign is, and from where on it raises the risk."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from csa.analysis.risk.drivers import effect_curve
from csa.analysis.risk.model import RiskModel
from csa.present.canvas import SMALL, WIDE, Size, drawn, figure, fitted, note, nothing, text_width
from csa.present.driver_words import FeatureLike, feature_value, meaning
from csa.present.items import Chart
from csa.present.names import capital, joined, named, shortened
from csa.present.plots.rates import SPARE
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words, known

ENGLISH: Final = Words()
REAL: Final = 0.05  # p-value below which a sign is drawn as one
MOST_SIGNS: Final = 10
PANELS: Final = 4
MOST_LEVELS: Final = 6
STEP: Final = 0.27  # inches per row
FACTORS: Final = (0.1, 0.2, 0.25, 1 / 3, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0)


def risk_signs(
    model: RiskModel,
    features: Sequence[FeatureLike],
    *,
    words: Words = ENGLISH,
    title: str = "How much each sign changes the odds of leaving",
    chart_id: str = "risk-signs",
) -> Chart:
    """Draw the strength of the strongest signs.

    Parameters
    ----------
    model : RiskModel
        From `csa.analysis.risk.fit_risk`.
    features : sequence of FeatureLike
        Declarations of the features.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Filled where the effect is more than chance; without a model a drawing that says so.
    """
    table = model.table.head(MOST_SIGNS)
    if model.status != "ok" or table.empty:
        return nothing(chart_id, title, "There is no model to draw.")
    declared = {f.name: f for f in features}
    rows = table.assign(
        sign=[capital(meaning(declared.get(name), name)) for name in table["feature"]],
        factor=np.exp(table["spread"]),
        real=table["p_value"] < REAL,
    )
    wide, narrow = drawn(lambda size: _signs_figure(rows, words, size), chart_id, [])
    told = [
        f"{row['sign']} {words.number(row['factor'], 2)}{'' if row['real'] else ' (within chance)'}"
        for row in _dicts(rows)
    ]
    return Chart(
        id=chart_id,
        title=title,
        alt=f"Typical factor on the odds of leaving, by sign: {'; '.join(told)}.",
        caption="A factor of one changes nothing; that of an account one standard deviation of "
        "effects away from the average is drawn. Hollow: may be chance.",
        svg=wide,
        svg_narrow=narrow,
        data=rows[["feature", "sign", "factor", "chi_square", "df", "p_value"]],
    )


def _signs_figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    room = 0.42 if size is WIDE else 0.5
    longest = max(text_width(name, SMALL + 0.5) for name in rows["sign"])
    left = min(SPARE * longest + 0.15, room * size.width)
    fig, (ax,) = figure(size._replace(left=left, right=0.62), (0.08, STEP * len(rows), 0.3))
    y = np.arange(len(rows))
    fill = [SERIES[0] if real else LIGHT["paper"] for real in rows["real"]]
    ax.hlines(y, 1.0, rows["factor"], color=LIGHT["line"], linewidth=2)
    ax.scatter(rows["factor"], y, s=44, color=fill, edgecolor=SERIES[0], linewidth=1.3, zorder=3)
    last = max(float(rows["factor"].max()) * 1.05, 1.1)
    ax.set(xlim=(1.0, last), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    ax.set_yticks(y, [fitted(name, left - 0.1, SMALL + 0.5) for name in rows["sign"]])
    ax.tick_params(axis="y", labelcolor=LIGHT["ink"])
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    most = 5 if size is WIDE else 2
    step = next(s for s in (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 1000.0) if (last - 1) / s <= most)
    ticks = np.arange(1.0, last + 1e-9, step)
    digits = 2 if step == 0.25 else 1
    ax.set_xticks(ticks, [f"×{words.number(tick, digits)}" for tick in ticks])
    for at, row in enumerate(_dicts(rows)):
        place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
        note(
            ax,
            f"×{words.number(row['factor'], 2)}",
            (1, at),
            (38, 0),
            ha="right",
            weight=600,
            color=LIGHT["ink"],
            **place,
        )
    return fig


class _Panel(NamedTuple):
    """One sign: its title, its declaration, and its curve as factors on the odds."""

    name: str
    title: str
    feature: FeatureLike | None
    curve: pd.DataFrame


def risk_effects(
    model: RiskModel,
    features: Sequence[FeatureLike],
    *,
    words: Words = ENGLISH,
    title: str = "From where on the strongest signs raise the risk",
    chart_id: str = "risk-effects",
) -> Chart:
    """Draw how the strongest signs act on the odds of leaving, all else equal.

    Parameters
    ----------
    model : RiskModel
        From `csa.analysis.risk.fit_risk`.
    features : sequence of FeatureLike
        Declarations of the features.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        One panel per sign that is more than chance, four at most; else a drawing that says so.
    """
    panels = _panels(model, {f.name: f for f in features}) if model.status == "ok" else []
    if not panels:
        return nothing(chart_id, title, "No sign goes with leaving by more than chance.")
    wide, narrow = drawn(
        lambda size: _effects_figure(panels, words, size),
        chart_id,
        [str(v) for panel in panels for v in panel.curve["value"]],
    )
    data = [p.curve.assign(feature=p.name)[["feature", *p.curve.columns]] for p in panels]
    return Chart(
        id=chart_id,
        title=title,
        alt=" ".join(_told(panel, words) for panel in panels),
        caption="Factor on the odds of leaving against the average account, all else equal; bands "
        "and bars: 95% intervals.",
        svg=wide,
        svg_narrow=narrow,
        data=pd.concat(data, ignore_index=True),
    )


def _panels(model: RiskModel, declared: Mapping[str, FeatureLike]) -> list[_Panel]:
    real = model.table.loc[model.table["p_value"] < REAL, "feature"].head(PANELS)
    panels = []
    for name in real:
        curve = effect_curve(model, name)
        shown = pd.DataFrame(
            {
                "value": curve["value"],
                "factor": np.exp(curve["log_odds"]),
                "ci_low": np.exp(curve["ci_low"]),
                "ci_high": np.exp(curve["ci_high"]),
            }
        )
        title = capital(meaning(declared.get(name), name))
        panels.append(
            _Panel(name, title, declared.get(name), _yes_or_no(shown, declared.get(name)))
        )
    return panels


def _yes_or_no(shown: pd.DataFrame, feature: FeatureLike | None) -> pd.DataFrame:
    """Keep of a flag, which has no values in between, only these two."""
    flag = feature is not None and not feature.unit and feature.kind == "number"
    ends = shown.loc[shown["value"].isin([0.0, 1.0])]
    if not flag or len(ends) != 2 or shown["value"].max() > 1:
        return shown
    return ends.assign(value=["no", "yes"])


def _effects_figure(panels: Sequence[_Panel], words: Words, size: Size) -> Figure:
    """Two panels beside one another, or all below one another on a phone."""
    across = min(2, len(panels)) if size is WIDE else 1
    down = -(-len(panels) // across)
    height, above, below, left, gap = 1.45, 0.34, 0.36, 0.5, 0.62
    total = down * (above + height + below)
    width = (size.width - left - 0.2 - gap * (across - 1)) / across
    fig = Figure(figsize=(size.width, total))
    FigureCanvasSVG(fig)
    limits = _limits(panels)
    for i, panel in enumerate(panels):
        x = left + (i % across) * (width + gap)
        y = total - (i // across + 1) * (above + height + below) + below
        aside = _aside(panel, width)
        at = (x + aside) / size.width, y / total
        ax = fig.add_axes((*at, (width - aside) / size.width, height / total))
        _panel(ax, panel, limits, words, aside)
        title = fitted(panel.title, width / SPARE + 0.3, SMALL + 0.5, semibold=True)
        place = (-24 - 72 * aside, 10)
        note(ax, title, (0, 1), place, color=LIGHT["ink"], weight=600, fontsize=SMALL + 0.5)
    return fig


def _aside(panel: _Panel, width: float) -> float:
    """Room for the names of levels, left of their panel; inches."""
    if _numbers(panel).any():
        return 0.0
    names = [shortened(value) for value in panel.curve["value"].head(MOST_LEVELS)]
    return min(SPARE * max(text_width(name, SMALL) for name in names) - 0.25, 0.4 * width)


def _numbers(panel: _Panel) -> "pd.Series[bool]":
    return panel.curve["value"].map(lambda v: isinstance(v, int | float) and known(v)).astype(bool)


def _limits(panels: Sequence[_Panel]) -> tuple[float, float]:
    """Choose one scale for all panels, so that effects can be compared; bands may leave it."""
    every = pd.concat([panel.curve for panel in panels])
    low, high = float(every["factor"].min()), float(every["factor"].max())
    inner = every[["ci_low", "ci_high"]].quantile([0.1, 0.9])
    low = min(low, float(inner["ci_low"].iloc[0]), 1 / 1.5)
    high = max(high, float(inner["ci_high"].iloc[1]), 1.5)
    return low / 1.1, high * 1.1


def _panel(
    ax: Axes, panel: _Panel, limits: tuple[float, float], words: Words, aside: float
) -> None:
    """Draw a curve of a number, or the levels of a category below one another."""
    numbers = _numbers(panel)
    if numbers.any():
        _factors(ax, "y", limits, words)
        ax.axhline(1.0, color=LIGHT["rule"], linewidth=0.9)
        _curve(ax, panel, numbers, words)
    else:
        _factors(ax, "x", limits, words)
        ax.axvline(1.0, color=LIGHT["rule"], linewidth=0.9)
        ax.grid(visible=True, axis="x")
        ax.grid(visible=False, axis="y")
        _levels(ax, panel, aside)


def _factors(ax: Axes, which: Literal["x", "y"], limits: tuple[float, float], words: Words) -> None:
    ticks = [t for t in FACTORS if limits[0] <= t <= limits[1]]
    if len(ticks) > 6:
        ticks = [t for t in ticks if t in {0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0}]
    scale = {f"{which}scale": "log", f"{which}lim": limits, f"{which}ticks": ticks}
    ax.set(**scale)
    ax.set(**{f"{which}ticklabels": [f"×{_factor(t, words)}" for t in ticks]})
    getattr(ax, f"{which}axis").set_ticks([], minor=True)


def _factor(value: float, words: Words) -> str:
    if abs(value - 1 / 3) < 1e-9:
        return "⅓"
    return words.number(value, 0 if value >= 1 else 2 if value == 0.25 else 1)


def _curve(ax: Axes, panel: _Panel, numbers: "pd.Series[bool]", words: Words) -> None:
    rows = panel.curve.loc[numbers]
    x = rows["value"].astype(float)
    ax.fill_between(x, rows["ci_low"], rows["ci_high"], color=SERIES[0], alpha=0.15, linewidth=0)
    ax.plot(x, rows["factor"], color=SERIES[0])
    ends = (float(x.min()), float(x.max()))
    ticks = np.linspace(*ends, 3)
    texts = [feature_value(panel.feature, panel.name, float(t), words) for t in ticks]
    ax.set_xticks(ticks, texts)
    labels = ax.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")
    ax.set_xlim(ends)


def _levels(ax: Axes, panel: _Panel, aside: float) -> None:
    rows = panel.curve.sort_values("factor", ascending=False).head(MOST_LEVELS)
    y = np.arange(len(rows))
    ax.hlines(y, rows["ci_low"], rows["ci_high"], color=SERIES[0], linewidth=5, alpha=0.2)
    ax.scatter(rows["factor"], y, s=36, color=SERIES[0], zorder=3)
    ax.set_yticks(y, [fitted(str(v), aside + 0.3, SMALL) for v in rows["value"]])
    ax.set_ylim(len(rows) - 0.5, -0.5)


def _told(panel: _Panel, words: Words) -> str:
    """Give the ends of a curve, or every level."""
    rows = panel.curve.loc[panel.curve["value"].map(known)]
    if len(rows) > MOST_LEVELS:
        rows = rows.iloc[[0, len(rows) // 2, -1]]
    parts = [
        f"{named(shortened(feature_value(panel.feature, panel.name, row['value'], words)))} "
        f"×{words.number(row['factor'], 2)}"
        for row in _dicts(rows)
    ]
    return f"{panel.title}: {joined(parts)}."


def _dicts(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    return rows.to_dict("records")
