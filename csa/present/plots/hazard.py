"""When accounts leave: the rate per month of age, all accounts large, groups small below."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csa.analysis.churn.hazard_rates import HazardRates
from csa.analysis.churn.riskiest_age import MIN_EVENTS, riskiest_age
from csa.present.canvas import (
    SMALL,
    WIDE,
    Size,
    drawn,
    figure,
    fitted,
    note,
    nothing,
    tick_step,
)
from csa.present.items import Chart
from csa.present.names import plural
from csa.present.narrate.hazard import age_band
from csa.present.phrases import REAL
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import DAYS_PER_MONTH, Words

Array = NDArray[np.float64]

FEW: Final = 4  # groups at most, for a row each
MIN_LEFT: Final = 30  # fewer that left give a group no shape by age
MIN_AT_RISK: Final = 30  # with fewer, one account that leaves is a tower
ROOM: Final = {"wide": 1.35, "narrow": 1.02}  # inches beside the axes
FIVE_YEARS: Final = 1830  # days
ENGLISH: Final = Words()
COLUMNS: Final = (
    *("group", "from_days", "to_days", "at_risk", "exposure_days", "events"),
    *("rate", "ci_low", "ci_high"),
)


def hazard_by_age(
    rates: HazardRates,
    *,
    until_days: int = FIVE_YEARS,
    words: Words = ENGLISH,
    title: str = "Accounts that leave per month, by months since start",
    chart_id: str = "churn-by-age",
) -> Chart:
    """Churn rate per month of age with intervals: all accounts, and each group if few.

    Parameters
    ----------
    rates : HazardRates
        From `csa.analysis.churn.hazard_rates.hazard_by_age`.
    until_days : int
        Last age that is drawn.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Where too few accounts left, a drawing that says so.
    """
    table = _seen(rates, until_days)
    whole = table.loc[table["group"] == ALL]
    if whole["events"].sum() < MIN_EVENTS:
        return nothing(chart_id, title, "Too few accounts have left to say when they do.")
    groups = _groups(table)
    rows = table.loc[table["group"].isin([ALL, *groups])]
    wide, narrow = drawn(lambda size: _figure(rates, rows, groups, words, size), chart_id, groups)
    left_out = rates.table["group"].nunique() - 1 - len(groups)
    return Chart(
        id=chart_id,
        title=title,
        alt=_alt(rates, whole, words),
        caption=_caption(rates, left_out, words),
        svg=wide,
        svg_narrow=narrow,
        data=rows[list(COLUMNS)].reset_index(drop=True),
    )


def _seen(rates: HazardRates, until: int) -> pd.DataFrame:
    """Bands with enough at risk, on average, for their rates to be looked at."""
    table = rates.table
    enough = table["exposure_days"] >= MIN_AT_RISK * (table["to_days"] - table["from_days"])
    seen = table.loc[(table["status"] == "ok") & enough & (table["to_days"] <= until)]
    chances = {"chance": "rate", "chance_low": "ci_low", "chance_high": "ci_high"}
    return seen.assign(**{name: -np.expm1(-seen[rate]) for name, rate in chances.items()})


def _groups(table: pd.DataFrame) -> list[str]:
    """Choose groups with enough accounts that left, most first; none where they are many."""
    left = table.loc[table["group"] != ALL].groupby("group")["events"].sum()
    if len(left) > FEW:
        return []
    return [str(name) for name in left.loc[left >= MIN_LEFT].sort_values(ascending=False).index]


def _figure(
    rates: HazardRates, rows: pd.DataFrame, groups: list[str], words: Words, size: Size
) -> Figure:
    small = [height for _ in groups for height in (0.22, 0.75)]
    fig, axes = figure(size._replace(right=ROOM[size.name]), (0.3, 1.5, *small, 0.4))
    last = float(rows["to_days"].max()) / DAYS_PER_MONTH
    for i, (ax, group) in enumerate(zip(axes, [ALL, *groups], strict=True)):
        colour = SERIES[0] if group == ALL else LIGHT["soft"]
        part = rows.loc[rows["group"] == group]
        _bars(ax, part, colour)
        alike = part if group == ALL else rows.loc[rows["group"] != ALL]  # groups share a scale
        _axes(ax, alike, last, words, size)
        label = EVERYBODY if group == ALL else group
        _name(ax, label, size, colour)
        if i < len(groups):
            ax.tick_params(labelbottom=False)
    _peak(axes[0], rates, rows.loc[rows["group"] == ALL], words)
    note(axes[0], "Leave per month", (0, 1), (-4, 9))
    note(axes[-1], "months since start" if size is WIDE else "months", (1, 0), (6, -6.5), va="top")
    return fig


def _bars(ax: Axes, part: pd.DataFrame, colour: str) -> None:
    """Rates as bars, their intervals as a light band behind."""
    edges = [part[name].to_numpy(dtype=float) / DAYS_PER_MONTH for name in ("from_days", "to_days")]
    low, high, chance = (
        part[name].to_numpy(dtype=float) for name in ("chance_low", "chance_high", "chance")
    )
    _boxes(ax, edges[0], edges[1], (low, high), color=colour, alpha=0.16)
    until = edges[0] + 0.75 * (edges[1] - edges[0])
    _boxes(ax, edges[0], until, (np.zeros_like(chance), chance), color=colour)


def _boxes(ax: Axes, left: Array, right: Array, ends: tuple[Array, Array], **style: Any) -> None:
    """Draw all boxes at once: one by one takes several times as long."""
    low, high = ends
    corners = [(left, low), (left, high), (right, high), (right, low)]
    boxes = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)
    ax.add_collection(
        PolyCollection(list(boxes), linewidth=0, antialiased=False, **style), autolim=False
    )


def _axes(ax: Axes, part: pd.DataFrame, last: float, words: Words, size: Size) -> None:
    sure = float(part["chance_high"].quantile(0.75))
    top = 1.12 * max(float(part["chance"].max()), sure)
    ax.set(xlim=(0, last), ylim=(0, top), xlabel="", ylabel="")
    ticks = np.arange(0, last + 1e-6, tick_step(last, size.ticks))
    ax.set_xticks(ticks, [words.number(t) for t in ticks])
    most = 4 if part["group"].iloc[0] == ALL else 2
    step = next((s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if top / s <= most), 0.5)
    shares = np.arange(0, top, step)
    ax.set_yticks(shares, [words.share(s, 0 if step >= 0.01 else 1) for s in shares])


def _name(ax: Axes, label: str, size: Size, colour: str) -> None:
    name = fitted(label, ROOM[size.name] - 0.12, SMALL, semibold=True)
    note(ax, name, (1, 0.5), (6, 0), va="center_baseline", fontweight=600, color=colour)


def _peak(ax: Axes, rates: HazardRates, part: pd.DataFrame, words: Words) -> None:
    """Name the age that stands out."""
    found = riskiest_age(rates)
    if not found.peak_p < REAL:
        return
    row = found.table.iloc[0]
    if row["from_days"] not in set(part["from_days"]):
        return  # later than what is drawn
    middle = (row["from_days"] + row["to_days"]) / 2 / DAYS_PER_MONTH
    chance = float(part.loc[part["from_days"] == row["from_days"], "chance"].iloc[0])
    text = f"{age_band(row['from_days'], row['to_days'], words)}: {words.share(chance)}"
    note(ax, text, (middle, chance), (4, 0), xycoords="data", va="top", color=LIGHT["ink"])


def _alt(rates: HazardRates, whole: pd.DataFrame, words: Words) -> str:
    found = riskiest_age(rates)
    low, high = whole["chance"].min(), whole["chance"].max()
    parts = [
        "Accounts that leave per month by months since start: between "
        f"{words.share(low)} and {words.share(high)} up to {words.days(whole['to_days'].max())}."
    ]
    if found.peak_p < REAL:
        row = found.table.iloc[0]
        between = words.interval(row["ci_low"], row["ci_high"], "share")
        when = age_band(row["from_days"], row["to_days"], words)
        parts.append(f"Highest in {when}: {words.share(row['chance'])} leave in it ({between}).")
    return " ".join(parts)


def _caption(rates: HazardRates, left_out: int, words: Words) -> str:
    parts = [f"Bars: accounts that leave per {rates.per_days} days, of those that reach the age."]
    parts.append(f"Light: {words.share(rates.confidence, 0)} intervals.")
    if left_out:
        parts.append(
            f"{left_out} {plural(left_out, 'group')} not drawn: too many, or fewer than "
            f"{MIN_LEFT} left."
        )
    return " ".join(parts)
