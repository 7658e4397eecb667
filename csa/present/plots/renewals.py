"""Survival by length of contract, as modelled and as observed, months of renewal marked."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.churn.hazards import HazardResult
from csa.analysis.churn.hazards.curves import group_curves
from csa.analysis.churn.hazards.renewals import LENGTH, RenewalResult
from csa.present.canvas import (
    SMALL,
    WIDE,
    Size,
    drawn,
    figure,
    fitted,
    note,
    quiet,
    spread,
    tick_step,
)
from csa.present.contract_lengths import contracts, length_label
from csa.present.items import Chart
from csa.present.names import joined, named, plural
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import DAYS_PER_MONTH, Words

MOST_LINES: Final = 4  # each is a line, a band and dots
MIN_AT_RISK: Final = 10
RENEWAL: Final = "renewal"
ROW: Final = 0.19  # inches between rows of numbers
ENGLISH: Final = Words()
COLUMNS: Final = (
    *("group", "age_days", "at_risk", "events"),
    *("survival", "ci_low", "ci_high", "observed", "renewal"),
)


def renewals(result: RenewalResult, *, words: Words = ENGLISH) -> Chart | None:
    """Survival by length of contract, modelled with its band and observed; renewals marked.

    Parameters
    ----------
    result : RenewalResult
        From `csa.analysis.churn.hazards.renewals.renewals`.
    words : Words
        Locale and currency.

    Returns
    -------
    Chart or None
        Curves end where too few are at risk; None where nothing can be told of any length.
    """
    if result.hazard is None:
        return None
    every = group_curves(result.hazard, by=LENGTH)
    curves = _trusted(every, result.hazard)
    groups = list(curves["group"].unique())
    labels = {group: _label(group) for group in groups}
    wide, narrow = drawn(
        lambda size: _figure(curves, labels, words, size), "renewals", list(labels.values())
    )
    left_out = every["group"].nunique() - len(groups) - (ALL not in groups)
    return Chart(
        id="renewals",
        title="Still customers by length of contract: as modelled, and as observed",
        alt=_alt(curves, labels, words),
        caption=_caption(result.hazard, curves, left_out, words),
        svg=wide,
        svg_narrow=narrow,
        data=curves[list(COLUMNS)],
    )


def _label(group: str) -> str:
    return EVERYBODY if group == ALL else length_label(group)


def _trusted(every: pd.DataFrame, result: HazardResult) -> pd.DataFrame:
    """Curves of the largest groups as far as enough are at risk; the total only if it is alone."""
    size = every.groupby("group", sort=False)["at_risk"].sum()
    groups = size.drop(ALL).nlargest(MOST_LINES).index if len(size) > 1 else size.index
    parts = []
    for group in [g for g in size.index if g in set(groups)]:
        rows = every.loc[every["group"] == group].reset_index(drop=True)
        enough = rows.index[rows["at_risk"] >= MIN_AT_RISK]
        if len(enough):
            kept = rows.iloc[: enough[-1] + 1]
            parts.append(kept.assign(observed=_observed(kept, int(enough[0]))))
    curves: pd.DataFrame = pd.concat(parts, ignore_index=True) if parts else every.head(0)
    due = _renewals(result)
    renewal = [(g, age) in due or (ALL, age) in due for g, age in _keys(curves)]
    return curves.assign(renewal=renewal, months=curves["age_days"] / DAYS_PER_MONTH)


def _keys(curves: pd.DataFrame) -> Iterable[tuple[str, float]]:
    return zip(curves["group"], curves["age_days"], strict=True)


def _observed(rows: pd.DataFrame, first: int) -> "np.ndarray[Any, Any]":
    """Survival as observed from the first age at which enough are at risk.

    Where only few were watched at young ages, the product of their shares says nothing: there the
    dots begin later, at the height of the model, and show how it goes on from there.
    """
    begin = max(first - 1, 0)  # the row of an interval stands at its end
    n, k = rows["at_risk"].to_numpy(float), rows["events"].to_numpy(float)
    stays = np.divide(n - k, n, out=np.full_like(n, np.nan), where=n > 0)
    stays[: begin + 1] = 1.0
    found = float(rows["survival"].iloc[begin]) * np.cumprod(stays)
    found[:begin] = np.nan
    return np.asarray(found)


def _renewals(result: HazardResult) -> set[tuple[str, float]]:
    """Find the groups, or all, and the ends of the intervals in which their contracts renew."""
    if result.model is None:
        return set()
    terms = [t for t in result.model.terms.terms if t.covariate == RENEWAL]
    return {
        (term.label if term.column == LENGTH else ALL, (int(i) + 1.0) * result.interval_days)
        for term in terms
        for i in np.flatnonzero(term.ages)
    }


def _renewing(curves: pd.DataFrame) -> list[str]:
    """List the groups with months of renewal that are drawn."""
    return [str(g) for g in curves.loc[curves["renewal"], "group"].unique()]


def _figure(curves: pd.DataFrame, labels: dict[str, str], words: Words, size: Size) -> Figure:
    height = 2.3 if size is WIDE else 2.5
    fig, (ax, under) = figure(size, (0.34, height, 0.52, ROW * len(labels), 0.06))
    colours = dict(zip(labels, SERIES, strict=False))
    for group, rows in curves.groupby("group", sort=False):
        colour, months = colours[str(group)], rows["months"]
        low, high = rows["ci_low"].astype(float), rows["ci_high"].astype(float)
        ax.fill_between(months, low, high, color=colour, alpha=0.14, linewidth=0)
        ax.plot(months, rows["survival"].astype(float), color=colour, zorder=3)
        dots = rows if size is WIDE else rows.loc[rows["renewal"] | (np.arange(len(rows)) % 2 == 0)]
        fill = [colour if due else LIGHT["paper"] for due in dots["renewal"]]
        look: dict[str, Any] = {"facecolor": fill, "edgecolor": colour, "linewidth": 0.9}
        ax.scatter(dots["months"], dots["observed"].astype(float), s=11, zorder=4, **look)
    _axes(ax, curves, words, size)
    _shade(ax, curves, size)
    order = _names(ax, curves, (labels, colours), words, size)
    _at_risk(under, ax, curves, order, (labels, colours, words, size))
    return fig


def _axes(ax: Axes, curves: pd.DataFrame, words: Words, size: Size) -> None:
    lowest = float(curves[["ci_low", "observed"]].astype(float).min().min())
    bottom = 0.0 if not lowest >= 0.55 else 0.5
    last = max(float(curves["months"].max()), 1.0)
    ax.set(xlim=(0, last), ylim=(bottom, 1.0), xlabel="", ylabel="")
    ticks = np.arange(0, last + 1e-6, tick_step(last, size.ticks))
    ax.set_xticks(ticks, [words.number(t) for t in ticks])
    shares = np.arange(bottom, 1.001, 0.25 if bottom == 0 else 0.1)
    ax.set_yticks(shares, [words.share(s, 0) for s in shares])
    note(ax, "Still customers", (0, 1), (-4, 9))
    note(ax, "months since start" if size is WIDE else "months", (1, 0), (6, -6.5), va="top")


def _shade(ax: Axes, curves: pd.DataFrame, size: Size) -> None:
    """Shade the intervals of renewal of one group; write the word over one of them."""
    if not _shaded(curves):
        return
    ends = sorted(curves.loc[curves["renewal"], "months"].unique())
    ages = np.sort(curves["months"].unique())
    last, written = ax.get_xlim()[1], False
    for end in ends:
        start = ages[max(int(np.searchsorted(ages, end)) - 1, 0)]
        ax.axvspan(start, end, color=SERIES[1], alpha=0.16, linewidth=0, zorder=0.5)
        if not written and end > last * (0.2 if size is WIDE else 0.5):  # clear of the axis's name
            at: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "ha": "center"}
            note(ax, "renewal", ((start + end) / 2, 1), (0, 9), color=SERIES[1], **at)
            written = True


def _names(
    ax: Axes,
    curves: pd.DataFrame,
    look: tuple[dict[str, str], dict[str, str]],
    words: Words,
    size: Size,
) -> list[str]:
    """Write name and last modelled value beside each curve; return groups from top to bottom."""
    labels, colours = look
    ends = curves.groupby("group", sort=False).last().reset_index()
    bottom = ax.get_ylim()[0]
    gap = (1 - bottom) * (0.066 if size is WIDE else 0.075)
    places = spread(list(ends["survival"]), gap, bottom + gap / 2, 1.0)
    room = size.right - (0.44 if size is WIDE else 0.12)
    for row, place in zip(ends.to_dict("records"), places, strict=True):
        name = fitted(labels[row["group"]], room, SMALL, semibold=True)
        text = f"{name} {words.percent(row['survival'])}" if size is WIDE else name
        at: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
        note(ax, text, (1, place), (6, 0), fontweight=600, color=colours[row["group"]], **at)
    return [str(g) for _, g in sorted(zip(places, ends["group"], strict=True), reverse=True)]


def _at_risk(
    under: Axes,
    ax: Axes,
    curves: pd.DataFrame,
    order: list[str],
    look: tuple[dict[str, str], dict[str, str], Words, Size],
) -> None:
    """Accounts at risk in the interval that begins at each tick."""
    labels, colours, words, size = look
    quiet(under)
    under.set(xlim=ax.get_xlim(), ylim=(len(order), 0))
    note(under, "Accounts at risk", (0, 1), (-4, 6))
    for place, group in enumerate(order):
        rows = curves.loc[curves["group"] == group]
        ages, counts = rows["months"].to_numpy(float), rows["at_risk"].to_numpy(float)
        style: dict[str, Any] = {"color": colours[group], "va": "center_baseline"}
        for tick in ax.get_xticks():
            k = int(np.searchsorted(ages, float(tick), side="right"))
            if k < len(ages):  # the row of an interval stands at its end
                text = words.number(counts[k])
                under.text(float(tick), place + 0.5, text, ha="center", fontsize=SMALL, **style)
        name = fitted(labels[group], size.right - 0.12, SMALL)
        note(under, name, (1, place + 0.5), (6, 0), xycoords=("axes fraction", "data"), **style)


def _distance(rows: pd.DataFrame) -> float:
    """Largest distance between model and observation."""
    return float((rows["survival"] - rows["observed"]).astype(float).abs().max())


def _alt(curves: pd.DataFrame, labels: dict[str, str], words: Words) -> str:
    parts = []
    for group, rows in curves.groupby("group", sort=False):
        last = rows.iloc[-1]
        parts.append(
            f"{named(labels[str(group)])} after {words.days(last['age_days'])} "
            f"{words.share(last['survival'])} as modelled "
            f"({words.interval(last['ci_low'], last['ci_high'], 'share')}), "
            f"{words.share(last['observed'])} observed"
        )
    due = [words.days(age) for age in sorted(curves.loc[curves["renewal"], "age_days"].unique())]
    shaded = f" Months of renewal end at {', '.join(due)}." if due else ""
    return f"Share of accounts still customers by months since start: {'; '.join(parts)}.{shaded}"


def _marks(curves: pd.DataFrame) -> list[str]:
    """Say how months of renewal are marked."""
    groups = _renewing(curves)
    if not groups:
        return []
    if len(groups) == 1 and groups[0] != ALL:
        return [f"Shaded: months in which {contracts(float(groups[0]))} renew."]
    if _shaded(curves):
        return ["Shaded: months in which contracts renew."]
    return ["Filled dots: months in which contracts renew."]


def _shaded(curves: pd.DataFrame) -> bool:
    """Whether months of renewal are those of one group, or of all alike."""
    alike = curves.groupby("age_days")["renewal"].nunique().max() == 1
    return bool(alike) or len(_renewing(curves)) == 1


def _caption(result: HazardResult, curves: pd.DataFrame, left_out: int, words: Words) -> str:
    far = max(_distance(rows) for _, rows in curves.groupby("group"))
    parts = [
        f"Lines: the model, with {words.share(result.confidence, 0)} bands; dots: observed. "
        f"Largest distance {words.points(far)} points."
    ]
    late = [
        named(_label(str(g)))
        for g, rows in curves.groupby("group", sort=False)
        if rows["observed"].isna().iloc[0]
    ]
    if late:
        parts.append(f"{joined(late)}: observed only from an age with {MIN_AT_RISK} at risk on.")
    parts += _marks(curves)
    if left_out > 0:
        parts.append(f"{left_out} smaller {plural(left_out, 'group')} not drawn.")
    return " ".join(parts)
