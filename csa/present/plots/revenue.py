"""Accounts and revenue that left, side by side: a dot and a diamond per group, with intervals."""

from collections.abc import Hashable
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csa.analysis.churn.rate import ChurnRateResult
from csa.analysis.churn.revenue import RevenueChurnResult
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
    text_width,
)
from csa.present.items import Chart
from csa.present.money import amount
from csa.present.names import named, plural
from csa.present.phrases import ends
from csa.present.plots.rates import SPARE, share_ticks
from csa.present.table_rows import ALL, EVERYBODY
from csa.present.theme import LIGHT, SERIES
from csa.present.words import Words

MAX_ROWS: Final = 8
STEP: Final = 0.44  # inches per group
APART: Final = 0.2  # of a group's room between its middle and each mark
RATE: Final = 40  # points from the axes to the end of a rate
ENGLISH: Final = Words()
COLUMNS: Final = (
    *("group", "accounts_at_start", "accounts_left", "account_rate"),
    *("account_ci_low", "account_ci_high", "mrr_at_start_minor", "mrr_left_minor"),
    *("revenue_rate", "revenue_ci_low", "revenue_ci_high"),
)


class _Kind(NamedTuple):
    """What one of the two marks of a group stands for."""

    rate: str
    low: str
    high: str
    shape: str
    colour: str
    offset: float


KINDS: Final = (
    _Kind("account_rate", "account_ci_low", "account_ci_high", "o", SERIES[0], -APART),
    _Kind("revenue_rate", "revenue_ci_low", "revenue_ci_high", "D", SERIES[1], APART),
)


def accounts_and_revenue(
    accounts: ChurnRateResult,
    revenue: RevenueChurnResult,
    *,
    words: Words = ENGLISH,
    title: str = "Accounts and revenue that left in the period",
    chart_id: str = "accounts-and-revenue-left",
) -> Chart:
    """Show whether large or small accounts left: shares of accounts and of revenue, by group.

    Parameters
    ----------
    accounts : ChurnRateResult
        From `csa.analysis.churn.churn_rate`.
    revenue : RevenueChurnResult
        From `csa.analysis.churn.revenue.revenue_churn`, of the same groups and period.
    words : Words
        Locale and currency.
    title : str
        A statement or a question.
    chart_id : str
        Id of the chart on the page.

    Returns
    -------
    Chart
        Groups with the most revenue first, all accounts last; without a known rate a drawing
        that says so.
    """
    every = _both(accounts, revenue)
    rows = _shown(every)
    if rows.empty:
        return nothing(chart_id, title, "No rate is known for this period.")
    wide, narrow = drawn(lambda size: _figure(rows, words, size), chart_id, list(rows["label"]))
    left_out = len(every) - len(rows)
    rest = f" {left_out} further {plural(left_out, 'group')} not drawn." if left_out else ""
    return Chart(
        id=chart_id,
        title=title,
        alt=_alt(rows, words),
        caption=f"Bars: {words.share(revenue.confidence, 0)} intervals.{rest}",
        svg=wide,
        svg_narrow=narrow,
        data=rows[list(COLUMNS)],
    )


def _both(accounts: ChurnRateResult, revenue: RevenueChurnResult) -> pd.DataFrame:
    names = {"at_start": "accounts_at_start", "churned": "accounts_left", "rate": "account_rate"}
    names |= {"ci_low": "account_ci_low", "ci_high": "account_ci_high"}
    logos = accounts.table[["group", *names]].rename(columns=names)
    names = {"mrr_minor": "mrr_at_start_minor", "churned_minor": "mrr_left_minor"}
    names |= {"rate": "revenue_rate", "ci_low": "revenue_ci_low", "ci_high": "revenue_ci_high"}
    money = revenue.table[["group", *names]].rename(columns=names)
    both = logos.merge(money, on="group", how="outer")
    return both.loc[both["account_rate"].notna() | both["revenue_rate"].notna()]


def _shown(both: pd.DataFrame) -> pd.DataFrame:
    """Choose groups that hold most of the revenue, largest first, and the total."""
    total = both["group"] == ALL
    size = both["mrr_at_start_minor"].fillna(0)
    groups = both.assign(size=size).loc[~total].nlargest(MAX_ROWS, ["size", "accounts_at_start"])
    rows = pd.concat([groups.drop(columns="size"), both.loc[total]], ignore_index=True)
    return rows.assign(label=rows["group"].replace(ALL, EVERYBODY))


def _figure(rows: pd.DataFrame, words: Words, size: Size) -> Figure:
    names = SPARE * max(text_width(name, SMALL + 0.5) for name in rows["label"])
    left = min(names + 0.2, 0.3 * size.width)
    said = [(_accounts(row, words, size), _revenue(row, words, size)) for row in _dicts(rows)]
    widest = max(text_width(text, SMALL) for pair in said for text in pair)
    right = (RATE + 6) / 72 + SPARE * widest + 0.05
    fig, (ax,) = figure(size._replace(left=left, right=right), (0.08, STEP * len(rows), 0.3))
    y = np.arange(len(rows))
    for kind in KINDS:
        _marks(ax, rows, y, kind)
    top = float(rows[[kind.high for kind in KINDS]].max().max()) * 1.06
    ax.set(xlim=(0, top), ylim=(len(rows) - 0.5, -0.5), xlabel="", ylabel="")
    ax.set_yticks(y, [fitted(name, left - 0.15, SMALL + 0.5) for name in rows["label"]])
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.tick_params(axis="y", labelcolor=LIGHT["ink"], pad=7)  # a mark at zero reaches out
    for border in y[1:] - 0.5:
        ax.axhline(border, color=LIGHT["line"], linewidth=0.7)
    ticks = share_ticks(top, 3 if size is NARROW else 5)
    digits = 0 if all(abs(t * 100 - round(t * 100)) < 1e-9 for t in ticks) else 1
    ax.set_xticks(ticks, [words.share(t, digits) for t in ticks])
    for at, (row, texts) in enumerate(zip(_dicts(rows), said, strict=True)):
        for kind, text in zip(KINDS, texts, strict=True):
            _value(ax, (words.share(row[kind.rate]), text), at + kind.offset, kind.colour)
    return fig


def _marks(ax: Axes, rows: pd.DataFrame, y: "np.ndarray[Any, Any]", kind: _Kind) -> None:
    at = y + kind.offset
    bars: dict[str, Any] = {"color": kind.colour, "linewidth": 5, "alpha": 0.2}
    ax.hlines(at, rows[kind.low].astype(float), rows[kind.high].astype(float), **bars)
    size = 40 if kind.shape == "o" else 30
    ax.scatter(
        rows[kind.rate].astype(float),
        at,
        s=size,
        marker=kind.shape,
        color=kind.colour,
        zorder=3,
        clip_on=False,  # a mark at zero is a whole mark
    )


def _value(ax: Axes, texts: tuple[str, str], at: float, colour: str) -> None:
    """Write a rate and what it is a share of into the right margin."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
    note(ax, texts[0], (1, at), (RATE, 0), ha="right", weight=600, color=colour, **place)
    note(ax, texts[1], (1, at), (RATE + 4, 0), color=colour, **place)


def _accounts(row: dict[Hashable, Any], words: Words, size: Size) -> str:
    n = row["accounts_at_start"]
    return f"of {words.number(n)} accounts" if size is WIDE else "accounts"


def _revenue(row: dict[Hashable, Any], words: Words, size: Size) -> str:
    return f"of {amount(row['mrr_at_start_minor'], words)}" if size is WIDE else "revenue"


def _dicts(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    return rows.to_dict("records")


def _alt(rows: pd.DataFrame, words: Words) -> str:
    parts = [
        f"{named(row['label'])} {_said(row, KINDS[0], words)} of accounts, "
        f"{_said(row, KINDS[1], words)} of revenue"
        for row in _dicts(rows)
    ]
    return f"Share of accounts and of recurring revenue that left, by group: {'; '.join(parts)}."


def _said(row: dict[Hashable, Any], kind: _Kind, words: Words) -> str:
    between = words.interval(*ends(row[kind.low], row[kind.high]), "share")
    return f"{words.share(row[kind.rate])} ({between})"
