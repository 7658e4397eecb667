"""The triangle of cohorts: a cell per cohort and age, darker where more return."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.counted import Basis
from csa.analysis.cohorts.retention import COMPLETE, NOT_STARTED, OPEN, CohortRetention
from csa.analysis.cohorts.revenue import CohortRevenue
from csa.present.canvas import SMALL, Size, drawn, figure, note, nothing, text_width
from csa.present.cohort_words import CohortWords
from csa.present.items import Chart
from csa.present.names import joined, plural
from csa.present.plots.named_rows import dicts
from csa.present.plots.rates import SPARE
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

ALL: Final = "all"
ENGLISH: Final = Words()
COHORTS: Final = 13  # newest that are drawn
AGES: Final = {"wide": 13, "narrow": 6}  # columns that are drawn
TALL: Final = 0.25  # inches of a row
DEEPEST: Final = 0.45  # of the series colour: text stays readable on it, by day and by night
LIGHTEST: Final = 0.06
FEWEST: Final = 10  # units of a cohort that has a say in the shades
LEAST_RANGE: Final = 0.1  # shares closer than this are hardly told apart by their shade
GAP: Final = 0.03
MANY: Final = 4  # days of completion that are listed


Cell = dict[Hashable, Any]


class _Shade(NamedTuple):
    """Shares at which the shade is lightest and deepest."""

    low: float
    high: float

    def depth(self, share: float) -> float:
        """How much of the colour a share gets."""
        place = (share - self.low) / (self.high - self.low)
        return float(np.clip(LIGHTEST + place * (DEEPEST - LIGHTEST), LIGHTEST, DEEPEST))


def cohort_triangle(
    result: CohortRetention,
    *,
    words: Words = ENGLISH,
    title: str = "",
    chart_id: str = "cohort-triangle",
) -> Chart:
    """Draw the retention of the newest cohorts at each age, and that of all pooled.

    Parameters
    ----------
    result : CohortRetention
        From `csa.analysis.cohorts.retention.retention`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Oldest cohort on top, all cohorts last. Complete cells are filled, open ones outlined,
        those that have not begun blank. The narrow drawing has fewer ages; all cells of all
        cohorts are in the numbers behind it.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    head = title or f"Share of each cohort {say.doing}, by {say.ages}"
    cells = result.cells.loc[result.cells["group"] == ALL]
    whole = result.pooled.loc[result.pooled["group"] == ALL]
    if cells.empty:
        return nothing(chart_id, head, "No cohort has begun.")
    shown = cells.loc[cells["cohort"].isin(sorted(cells["cohort"].unique())[-COHORTS:])]
    wide, narrow = drawn(lambda s: _figure(shown, whole, say, s), chart_id, [])
    return Chart(
        id=chart_id,
        title=head,
        alt=_alt(shown, whole, say),
        caption=_caption(cells, shown, say),
        svg=wide,
        svg_narrow=narrow,
        data=cells.loc[cells["state"] != NOT_STARTED].drop(columns="group"),
    )


def cohort_revenue_triangle(
    result: CohortRevenue,
    *,
    words: Words = ENGLISH,
    title: str = "Net revenue of each cohort over that of its first month, by months since",
    chart_id: str = "cohort-revenue-triangle",
) -> Chart:
    """Draw the net revenue retention of the newest cohorts at each age, as `cohort_triangle`.

    Parameters
    ----------
    result : CohortRevenue
        From `csa.analysis.cohorts.revenue.revenue_retention`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Shares above the whole are what stayers pay more; gross is in the numbers behind it.
    """
    alike = CohortRetention(
        cells=result.cells.assign(group=ALL, retention=result.cells["net"]),
        pooled=result.pooled.assign(group=ALL, retention=result.pooled["net"]),
        basis=Basis(),
        clock=Clock(kind="month"),
        returned="bounded",
        as_of=result.as_of,
        confidence=result.confidence,
    )
    drawn_so = cohort_triangle(alike, words=words, title=title, chart_id=chart_id)
    return replace(drawn_so, data=result.cells)


def chosen_ages(cells: pd.DataFrame, most: int) -> list[int]:
    """Choose the ages that have room: the first ones, then round ones.

    Parameters
    ----------
    cells : DataFrame
        `age`, `state` and `retention` of the cohorts shown.
    most : int
        Columns.

    Returns
    -------
    list of int
        Without age 0 where everybody is active in it by definition.
    """
    begun = cells.loc[cells["state"] != NOT_STARTED]
    first = begun.loc[begun["age"] == 0, "retention"]
    ages = sorted(begun["age"].unique())
    ages = [int(a) for a in ages if a > 0 or (first < 1).any() or len(ages) == 1]
    if len(ages) <= most:
        return ages
    if ages[0] == 0 and most < AGES["wide"]:
        ages = ages[1:]
    round_ones = [a for a in (1, 2, 3, 4, 6, 9, 12, 18, 24, 36) if a in ages]
    if most < AGES["wide"]:
        few = [a for a in round_ones if a != 4][:most]
        return few if len(few) >= min(most, 4) else ages[:most]
    return ages[:most]


def _figure(cells: pd.DataFrame, whole: pd.DataFrame, say: CohortWords, size: Size) -> Figure:
    ages = chosen_ages(cells, AGES[size.name])
    cohorts = sorted(cells["cohort"].unique())
    names = [say.cohort(pd.Timestamp(c).date()) for c in cohorts]
    sizes = cells.drop_duplicates("cohort").set_index("cohort")
    counts = [_count(int(sizes.loc[c, "n"]), bool(sizes.loc[c, "small"]), say) for c in cohorts]
    everybody = "All cohorts"
    room = SPARE * max(text_width(n, SMALL + 0.5) for n in [*names, everybody])
    beside = SPARE * max(text_width(c, SMALL) for c in counts)
    place = size._replace(left=room + beside + 0.2, right=0.06)
    rows = len(cohorts) + 1.35
    fig, (ax,) = figure(place, (0.42, TALL * rows, 0.1))
    ax.set(xlim=(0, len(ages)), ylim=(rows, 0))
    shade = _shade(cells.loc[cells["age"].isin(ages)], whole.loc[whole["age"].isin(ages)])
    for at, cohort in enumerate(cohorts):
        _row(ax, at, _by_age(cells.loc[cells["cohort"] == cohort], ages), shade, say)
    last = _by_age(whole.assign(state=COMPLETE), ages)
    _row(ax, len(cohorts) + 0.35, last, shade, say, strong=True)
    ax.axhline(len(cohorts) + 0.17, color=LIGHT["rule"], linewidth=0.8)
    _names(ax, [*names, everybody], counts, beside)
    _heads(ax, ages, say)
    return fig


def _by_age(rows: pd.DataFrame, ages: Sequence[int]) -> list[Cell | None]:
    """Find the cell of each column, where there is one."""
    found = {int(row["age"]): row for row in dicts(rows)}
    return [found.get(age) for age in ages]


def _count(n: int, small: bool, say: CohortWords) -> str:  # noqa: FBT001  of a row
    return f"{say.words.number(n)}{'*' if small else ''}"


def _shade(cells: pd.DataFrame, whole: pd.DataFrame) -> _Shade:
    """Spread the shades over what is shown, cells of very few units aside."""
    seen = cells.loc[(cells["state"] == COMPLETE) & (cells["n"] >= FEWEST), "retention"]
    values = pd.concat([seen, whole["retention"]]).dropna()
    if values.empty:
        return _Shade(0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if high - low < LEAST_RANGE:
        low = max(min(low, 1 - LEAST_RANGE) - LEAST_RANGE / 2, 0.0)
        high = low + 2 * LEAST_RANGE
    return _Shade(low, high)


def _row(
    ax: Axes,
    at: float,
    cells: Sequence[Cell | None],
    shade: _Shade,
    say: CohortWords,
    *,
    strong: bool = False,
) -> None:
    """Draw the cells of a cohort; what has not begun stays blank."""
    for place, cell in enumerate(cells):
        if cell is None or cell["state"] == NOT_STARTED:
            continue
        corner, side = (place + GAP, at + 2 * GAP), (1 - 2 * GAP, 1 - 4 * GAP)
        if cell["state"] == OPEN:
            line: dict[str, Any] = {"edgecolor": LIGHT["rule"], "linestyle": (0, (2.5, 1.5))}
            ax.add_patch(Rectangle(corner, *side, fill=False, linewidth=0.8, **line))
        else:
            depth = shade.depth(float(cell["retention"]))
            ax.add_patch(Rectangle(corner, *side, color=SERIES[0], alpha=depth, linewidth=0))
        note(
            ax,
            say.words.share(cell["retention"], 0),
            (place + 0.5, at + 0.5),
            (0, 0),
            xycoords="data",
            ha="center",
            va="center_baseline",
            color=LIGHT["soft"] if cell["state"] == OPEN else LIGHT["ink"],
            weight=600 if strong else 400,
        )


def _names(ax: Axes, names: Sequence[str], counts: Sequence[str], beside: float) -> None:
    """Write cohorts and their sizes to the left."""
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for at, name in enumerate(names):
        total = at == len(names) - 1
        y = at + 0.5 + (0.35 if total else 0)
        gap = -(72 * beside + 12) if not total else -6
        look: dict[str, Any] = {"weight": 600 if total else 400, "color": LIGHT["ink"]}
        note(ax, name, (0, y), (gap, 0), ha="right", fontsize=SMALL + 0.5, **look, **style)
        if not total:
            note(ax, counts[at], (0, y), (-6, 0), ha="right", **style)


def _heads(ax: Axes, ages: Sequence[int], say: CohortWords) -> None:
    """Write the ages above the columns, and say what the numbers are."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    for place, age in enumerate(ages):
        at = (place + 0.5, 0)
        note(ax, say.words.number(age), at, (0, 4), xycoords="data", ha="center", weight=600)
    note(ax, f"{say.ages[0].upper()}{say.ages[1:]}", (0, 1), (2, 17))
    note(ax, "n", (0, 1), (-6, 4), ha="right")


def _alt(cells: pd.DataFrame, whole: pd.DataFrame, say: CohortWords) -> str:
    """Say the pooled shares, and those of the newest cohort."""
    words = say.words
    ages = chosen_ages(cells, AGES["narrow"])
    told = [
        f"{say.age(int(r['age']))} {words.share(r['retention'], 0)}"
        for r in dicts(whole.loc[whole["age"].isin(ages)])
    ]
    done = cells.loc[(cells["state"] == COMPLETE) & cells["age"].isin(ages[:3])]
    newest = [
        f"{say.cohort(row['cohort'].date())} {words.share(row['retention'], 0)} "
        f"{say.at(int(row['age']))}"
        for row in dicts(done.groupby("age").tail(1).sort_values("age"))
    ]
    parts = [f"{cells['cohort'].nunique()} cohorts by age"]
    parts += [f"all cohorts: {', '.join(told)}"] if told else []
    parts += [f"newest complete: {', '.join(newest)}"] if newest else []
    return "; ".join(parts) + "."


def _caption(cells: pd.DataFrame, shown: pd.DataFrame, say: CohortWords) -> str:
    words = say.words
    parts = [f"n: {say.who()} that {say.began}; darker: a larger share."]
    opened = shown.loc[shown["state"] == OPEN]
    if len(opened):
        days = sorted(opened["completes_on"].unique())
        named = [words.day(pd.Timestamp(d).date()) for d in days]
        when = joined(named) if len(named) <= MANY else f"{named[0]} to {named[-1]}"
        parts.append(f"Outlined: open, the share so far; complete on {when}.")
    if shown["small"].any():
        parts.append("*: fewer than 30, its shares jump.")
    earlier = cells["cohort"].nunique() - shown["cohort"].nunique()
    if earlier:
        parts.append(f"All cohorts: with {earlier} earlier {plural(earlier, 'one')} not drawn.")
    parts.append("Narrow screens show fewer ages; the numbers behind the drawing have them all.")
    return " ".join(parts)
