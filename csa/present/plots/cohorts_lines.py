"""Lines of cohorts: how each goes down with age, and one age from cohort to cohort."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.cohorts.retention import COMPLETE, CohortRetention
from csa.analysis.cohorts.trend import CohortTrend, Side
from csa.present.canvas import SMALL, Size, drawn, figure, note, nothing, spread, text_width
from csa.present.cohort_words import CohortWords
from csa.present.items import Chart
from csa.present.names import joined
from csa.present.plots.mrr_months import name_months
from csa.present.plots.rates import SPARE
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words, known

ALL: Final = "all"
ENGLISH: Final = Words()
TALL: Final = 2.3  # inches
COHORTS: Final = 13  # newest that are drawn
LEAST: Final = 10  # units of a cohort that is named
POINTS: Final = 3  # complete ages from which on a cohort is named
YEAR: Final = {"month": 12, "week": 52, "tenure": 12}


def cohort_curves(
    result: CohortRetention,
    *,
    words: Words = ENGLISH,
    title: str = "",
    chart_id: str = "cohort-curves",
) -> Chart:
    """Draw the retention of cohorts by age: newest strong, one a year older, all pooled.

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
        Complete cells only; the other cohorts shown are thin and grey.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    head = title or f"Share {say.doing}, by {say.ages}"
    cells = result.cells.loc[(result.cells["group"] == ALL) & (result.cells["state"] == COMPLETE)]
    whole = result.pooled.loc[result.pooled["group"] == ALL]
    if len(whole) and whole["returned"].iloc[0] == whole["n"].iloc[0]:
        cells, whole = (rows.loc[rows["age"] > 0] for rows in (cells, whole))  # by definition
    if whole["age"].nunique() < 2:
        return nothing(chart_id, head, "No cohort has completed enough ages.")
    names = sorted(cells["cohort"].unique())
    strong = _strong(cells, say)
    shown = cells.loc[cells["cohort"].isin([*names[-COHORTS:], *strong])]
    wide, narrow = drawn(lambda s: _curves(shown, whole, strong, say, s), chart_id, [])
    told = [f"{_label(c, say)} {_last(shown.loc[shown['cohort'] == c], say)}" for c in strong]
    return Chart(
        id=chart_id,
        title=head,
        alt=f"Retention by age. All cohorts {_last(whole, say)}"
        f"{'; ' if told else ''}{'; '.join(told)}.",
        caption=f"Grey: other cohorts shown above.{_few(shown, strong, say)} Each line ends at its "
        "last complete age; behind the greater ages of all cohorts there are fewer and older ones.",
        svg=wide,
        svg_narrow=narrow,
        data=shown.drop(columns=["group", "state"]),
    )


def _few(cells: pd.DataFrame, strong: Sequence[pd.Timestamp], say: CohortWords) -> str:
    """Warn of named cohorts whose lines jump because they are small."""
    small = cells.loc[cells["cohort"].isin(strong) & cells["small"], "cohort"].unique()
    names = [_label(pd.Timestamp(c), say) for c in sorted(small)]
    return f" {joined(names)}: fewer than 30 {say.who()}, so the line jumps." if names else ""


def _strong(cells: pd.DataFrame, say: CohortWords) -> list[pd.Timestamp]:
    """Newest cohort with enough complete ages and units, and the one a year older."""
    large = cells.loc[(cells["n"] >= LEAST) & (cells["age"] > 0)]
    ages = large.groupby("cohort")["age"].nunique()
    ready = sorted(ages.index[ages >= POINTS])
    if not ready:
        return []
    newest = pd.Timestamp(ready[-1])
    back = YEAR[say.clock.kind]
    older = [pd.Timestamp(c) for c in ready[:-1] if _apart(c, newest, say) == back]
    return [newest, *older]


def _apart(first: pd.Timestamp, last: pd.Timestamp, say: CohortWords) -> int:
    if say.clock.kind == "week":
        return int((last - first).days // 7)
    return 12 * (last.year - first.year) + last.month - first.month


def _label(cohort: pd.Timestamp, say: CohortWords) -> str:
    return say.cohort(cohort.date())


def _last(rows: pd.DataFrame, say: CohortWords) -> str:
    row = rows.iloc[int(rows["age"].argmax())]
    return f"{say.words.share(row['retention'], 0)} {say.at(int(row['age']))}"


def _curves(
    cells: pd.DataFrame,
    whole: pd.DataFrame,
    strong: Sequence[pd.Timestamp],
    say: CohortWords,
    size: Size,
) -> Figure:
    lines: list[tuple[str, pd.DataFrame, str]] = [("All cohorts", whole, LIGHT["ink"])]
    lines += [
        (_label(c, say), cells.loc[cells["cohort"] == c], SERIES[i]) for i, c in enumerate(strong)
    ]
    right = SPARE * max(text_width(name, SMALL, semibold=True) for name, *_ in lines) + 0.45
    fig, (ax,) = figure(size._replace(left=0.52, right=right), (0.14, TALL, 0.5))
    for cohort, rows in cells.groupby("cohort"):
        if cohort not in strong:
            ax.plot(rows["age"], rows["retention"], color=LIGHT["rule"], lw=0.8, alpha=0.55)
    for at, (_, rows, colour) in enumerate(lines):
        ax.plot(
            rows["age"],
            rows["retention"],
            color=colour,
            lw=2 if at else 3.2,
            zorder=4 - at,
            clip_on=False,
        )
    longest = float(max(whole["age"].max(), cells["age"].max()))
    _axes(ax, pd.concat([cells["retention"], whole["retention"]]), longest, say, size)
    ax.set_xlim(whole["age"].min(), longest)
    _name_ends(ax, lines, longest, say)
    return fig


def _axes(
    ax: Axes, shares: "pd.Series[float]", longest: float, say: CohortWords, size: Size
) -> None:
    words = say.words
    low, high = float(shares.min()), float(shares.loc[shares < 1].max())
    bottom = 0.0 if low < 0.5 else float(np.floor(low * 10 - 0.3) / 10)
    top = float(min(np.ceil(high * 10 + 0.3) / 10, 1.0)) if high < 1 else 1.0
    ax.set(xlim=(0, longest), ylim=(bottom, top), xlabel="", ylabel="")
    step = next(s for s in (0.05, 0.1, 0.2, 0.25) if (top - bottom) / s <= 5.01 or s == 0.25)
    marks = np.arange(bottom, top + 1e-9, step)
    ax.set_yticks(marks, [words.share(t, 0) for t in marks])
    mark_ages(ax, longest, words, size)
    ax.set_xlabel(f"{say.ages[0].upper()}{say.ages[1:]}", fontsize=SMALL, loc="right")


def mark_ages(ax: Axes, longest: float, words: Words, size: Size) -> None:
    """Mark whole ages below an axis.

    Parameters
    ----------
    ax : Axes
        Ages from 0.
    longest : float
        The greatest.
    words : Words
        Locale and currency.
    size : Size
        Wide or narrow.
    """
    steps = (1, 2, 3, 4, 6, 12, 26)
    step = next((s for s in steps if longest / s <= size.ticks + 5), 52)
    ticks = np.arange(0, longest + 0.5, step)
    ax.set_xticks(ticks, [words.number(t) for t in ticks])


def _name_ends(
    ax: Axes, lines: Sequence[tuple[str, pd.DataFrame, str]], longest: float, say: CohortWords
) -> None:
    """Name the lines in the margin, with a dotted lead to those that end early."""
    low, high = ax.get_ylim()
    gap = 0.17 * (high - low) / TALL
    ends = [rows.iloc[int(rows["age"].argmax())] for _, rows, _ in lines]
    places = spread([float(e["retention"]) for e in ends], gap, low + gap / 2, high)
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for (name, _, colour), end, place in zip(lines, ends, places, strict=True):
        if end["age"] < longest:
            across, down = [float(end["age"]), longest], [float(end["retention"]), place]
            ax.plot(across, down, color=colour, lw=0.8, linestyle=(0, (1, 2.5)))
        text = f"{name} {say.words.share(end['retention'], 0)}"
        note(ax, text, (1, place), (6, 0), weight=600, color=colour, **style)


def cohort_trend(
    result: CohortTrend,
    *,
    words: Words = ENGLISH,
    title: str = "",
    chart_id: str = "cohort-trend",
) -> Chart:
    """Draw the retention of each cohort at one age, the newest against those before.

    Parameters
    ----------
    result : CohortTrend
        From `csa.analysis.cohorts.trend.age_trend`.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Dots with intervals; level lines are the cohorts of each side together.
    """
    say = CohortWords(basis=result.basis, clock=result.clock, words=words)
    head = title or f"Share {say.doing} {say.at(result.age)}, by cohort"
    rows = result.table
    if rows.empty:
        return nothing(chart_id, head, "No cohort has completed that age.")
    wide, narrow = drawn(lambda s: _trend(result, say, s), chart_id, [])
    sides = [s for s in (result.older, result.newer) if s is not None]
    told = [f"{say.cohorts(s.first, s.last)} {words.share(s.retention)}" for s in sides]
    small = " Hollow: fewer than 30." if rows["small"].any() else ""
    return Chart(
        id=chart_id,
        title=head,
        alt=f"{len(rows)} cohorts at one age: {'; '.join(told)}.",
        caption=f"Bars: {words.share(result.confidence, 0)} intervals. Lines: cohorts of each "
        f"side together; their difference is {_verdict(result, words)}.{small}",
        svg=wide,
        svg_narrow=narrow,
        data=rows.drop(columns=["group", "state"]),
    )


def _verdict(result: CohortTrend, words: Words) -> str:
    if result.reason:
        return "not judged"
    ends = words.change_interval(result.low, result.high, "share")
    return f"{'within' if result.verdict == 'unclear' else 'more than'} chance ({ends})"


def _trend(result: CohortTrend, say: CohortWords, size: Size) -> Figure:
    rows, words = result.table, say.words
    sides = _sides(result)
    names = [f"{name} {words.share(side.retention, 0)}" for name, side, _ in sides]
    right = SPARE * max([text_width(n, SMALL, semibold=True) for n in names], default=0.3) + 0.14
    fig, (ax,) = figure(size._replace(left=0.52, right=right), (0.14, TALL - 0.4, 0.46))
    x = np.arange(len(rows))
    two = result.older is not None
    colours = [SERIES[1] if r and two else SERIES[0] for r in rows["recent"]]
    ax.vlines(x, rows["ci_low"], rows["ci_high"], color=colours, linewidth=3, alpha=0.28)
    faces = [LIGHT["paper"] if s else c for s, c in zip(rows["small"], colours, strict=True)]
    marks: dict[str, Any] = {"facecolors": faces, "edgecolors": colours, "clip_on": False}
    ax.scatter(x, rows["retention"], s=28, zorder=3, **marks)
    for _, side, colour in sides:
        mine = x[(rows["cohort"] >= pd.Timestamp(side.first)).to_numpy()]
        mine = mine[(rows["cohort"] <= pd.Timestamp(side.last)).to_numpy()[mine]]
        ax.hlines(side.retention, mine[0] - 0.4, mine[-1] + 0.4, color=colour, linewidth=1.6)
    low, high = float(rows["ci_low"].min()), float(rows["ci_high"].max())
    bottom = 0.0 if low < 0.3 else float(np.floor(low * 10) / 10)
    top = min(float(np.ceil(high * 10) / 10), 1.0)
    ax.set(xlim=(-0.6, len(rows) - 0.4), ylim=(bottom, top), xlabel="", ylabel="")
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.25) if (top - bottom) / s <= 5.01)
    ticks = np.arange(bottom, top + 1e-9, step)
    ax.set_yticks(ticks, [words.share(t, 0) for t in ticks])
    _name_cohorts(ax, [d.date() for d in rows["cohort"]], say, size.width - 0.52 - right)
    _name_sides(ax, sides, names)
    return fig


def _sides(result: CohortTrend) -> list[tuple[str, Side, str]]:
    found = [("Before", result.older, SERIES[0]), ("Newest", result.newer, SERIES[1])]
    both = [(name, side, colour) for name, side, colour in found if side is not None]
    return both if len(both) > 1 else []


def _name_cohorts(ax: Axes, days: list[date], say: CohortWords, inches: float) -> None:
    if say.clock.kind != "week":
        name_months(ax, days, say.words, inches)
        return
    step = int(np.ceil(len(days) * 0.62 / inches))
    at = list(range(len(days) - 1, -1, -step))[::-1]
    ax.set_xticks(at, [say.cohort(days[i])[:-5] for i in at])


def _name_sides(ax: Axes, sides: Sequence[tuple[str, Side, str]], names: Sequence[str]) -> None:
    low, high = ax.get_ylim()
    gap = 0.17 * (high - low) / (TALL - 0.4)
    places = spread([s.retention for _, s, _ in sides], gap, low + gap / 2, high)
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    for (_, side, colour), name, place in zip(sides, names, places, strict=True):
        if known(side.retention):
            note(ax, name, (1, place), (6, 0), weight=600, color=colour, **style)
