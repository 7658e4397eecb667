"""Finding on how growth of those who stay is carried on, and how that would have foretold."""

from typing import Final

from csa.analysis.clv.contract import ContractValue
from csa.analysis.clv.contract_trend import Trend
from csa.present.items import Finding
from csa.present.names import plural
from csa.present.words import Words

ENGLISH: Final = Words()
FEWEST: Final = 3  # days of the past that a forecast was made on
WIDE: Final = 0.1  # error beyond which growth is to be watched
MONTHS: Final = 12
WAYS: Final = {
    "none": "no growth",
    "damped": "growth that fades",
    "amount": "the same amount every month",
    "share": "the same share every month",
}


def growth_carried(value: ContractValue, *, words: Words = ENGLISH) -> Finding:
    """Say which way of carrying growth on has foretold the past best, and how well.

    Parameters
    ----------
    value : ContractValue
        From `csa.analysis.clv.contract.contract_value`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good where what stayers paid was foretold to a tenth; unclear with fewer than three days.
    """
    trend = value.trend
    ident, title = "growth-carried", "How growth goes on"
    if trend.origins < FEWEST:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="How growth of those who stay goes on cannot be told: the history is too short to "
            "foretell one part of it from another.",
            evidence="All ways count the same, so the interval of the value spans them. "
            f"{_carry(trend, value, words)}",
            action="Look ahead no further than back.",
            status="unclear",
        )
    rows = trend.table.set_index("way")
    best, error = trend.best, float(rows["error"].min())
    others = ", ".join(
        f"{WAYS[str(way)]} {words.share(row['error'], 0)}"
        for way, row in rows.iterrows()
        if way != best
    )
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"What those who stay pay was foretold best by {WAYS[best]}: wrong by "
        f"{words.share(error, 0)} over {trend.ahead} {plural(trend.ahead, 'month')}.",
        evidence=f"Forecasts from {words.number(trend.origins)} months of the past. The others: "
        f"{others}. {_carry(trend, value, words)}{_rise(trend)}",
        action="Nothing to do: each way counts by how it has held."
        if error <= WIDE
        else "Take values for what they are: growth here has been hard to foretell.",
        status="good" if error <= WIDE else "watch",
    )


def _carry(trend: Trend, value: ContractValue, words: Words) -> str:
    """Say how far growth goes, and what it comes to."""
    row = value.growth
    if row.empty:
        return ""
    low, high = float(row["at_end"].min()), float(row["at_end"].max())
    times = " to ".join(dict.fromkeys(words.number(x, 2) for x in (low, high)))
    ends = f"A stayer pays {times} times as much at the end."
    if trend.carry >= value.terms.horizon_months:
        return ends
    return f"Growth ends after {trend.carry} months, as many as were watched. {ends}"


def _rise(trend: Trend) -> str:
    """Name the month of a rise for everybody."""
    if not trend.left_out:
        return ""
    year, month = divmod(trend.left_out[0], MONTHS)
    return (
        f" The rise of all prices in {year:04d}-{month + 1:02d} is left out: another would come "
        "on top."
    )
