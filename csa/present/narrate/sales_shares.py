"""What findings on shares of the sales side have in common, and what is said where a part lacks."""

from typing import Any, Final, Protocol

import pandas as pd

from csa.present.items import Finding, Measure
from csa.present.judge import TargetLike, aimed, moved
from csa.present.names import capital, named, plural
from csa.present.phrases import against, number
from csa.present.words import Words, known

ALL: Final = "all"
ENGLISH: Final = Words()
PARTS: Final = {
    "trials": ("sales-trials", "Trials"),
    "contracts": ("sales-renewals", "Renewals"),
    "opportunities": ("sales-opportunities", "Upsell and cross-sell"),
    "costs": ("sales-costs", "Cost of winning customers"),
}


class GapLike(Protocol):
    """Why a part is not there, and what to do about it."""

    @property
    def why(self) -> str: ...  # noqa: D102

    @property
    def way_out(self) -> str: ...  # noqa: D102


def sales_gap(part: str, gap: GapLike) -> Finding:
    """Say why a section is left out, and how to add what it needs.

    Parameters
    ----------
    part : str
        trials, contracts, opportunities or costs.
    gap : GapLike
        From `csa.data.sold.sold`.

    Returns
    -------
    Finding
        About the report itself, without a verdict.
    """
    ident, title = PARTS[part]
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"{title} cannot be told: {gap.why}.",
        evidence="Nothing is guessed in its place.",
        action=f"{capital(gap.way_out).rstrip('.')}.",
        status="unclear",
    )


def total(table: pd.DataFrame) -> "pd.Series[Any]":
    """Take the row of all accounts.

    Parameters
    ----------
    table : DataFrame
        With `group`.

    Returns
    -------
    Series
        The first one.
    """
    found: pd.Series[Any] = table.loc[table["group"] == ALL].iloc[0]
    return found


def share_measure(
    row: "pd.Series[Any]",
    metric_id: str,
    *,
    confidence: float,
    method: str,
    target: TargetLike | None,
) -> Measure:
    """Make the measure of a share with its change.

    Parameters
    ----------
    row : Series
        `rate`, `ci_low`, `ci_high`, `n`, `rate_previous`, `change`, `change_low`, `change_high`.
    metric_id : str
        Of the catalogue.
    confidence : float
        Level of the intervals.
    method : str
        How it was counted.
    target : TargetLike or None
        From csa.yml.

    Returns
    -------
    Measure
        Higher is better.
    """
    measure = Measure(
        metric_id=metric_id,
        value=number(row["rate"]),
        low=number(row["ci_low"]),
        high=number(row["ci_high"]),
        n=int(row["n"]),
        unit="share",
        confidence=confidence,
        method=method,
        better="higher",
        previous=number(row["rate_previous"]),
        change=number(row["change"]),
        change_low=number(row["change_low"]),
        change_high=number(row["change_high"]),
    )
    return aimed(measure, target)


def share_evidence(
    row: "pd.Series[Any]", measure: Measure, of: tuple[str, str | None], words: Words
) -> str:
    """Say how sure a share and its change are.

    Parameters
    ----------
    row : Series
        With `reason`.
    measure : Measure
        From `share_measure`.
    of : tuple of str
        What was counted: the word for one, and for many where an s does not do.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        Whole sentences.
    """
    level, n = words.share(measure.confidence, 0), measure.n
    parts = [
        f"{level} interval {words.interval(measure.low, measure.high, 'share')}"
        f"{against(measure, words)}; {words.number(n)} {plural(n, *of)}."
    ]
    real = moved(measure)
    if real is not None:
        ends = words.change_interval(measure.change_low, measure.change_high, "share")
        size = words.change(measure.change, "share")
        parts.append(
            f"{size} since the period before, {'more than' if real else 'within'} chance ({ends})."
        )
    if row["reason"]:
        parts.append(f"{capital(str(row['reason']))}.")
    return " ".join(parts)


def lowest(table: pd.DataFrame, words: Words) -> str:
    """Name the group with the lowest share among those that can be judged.

    Parameters
    ----------
    table : DataFrame
        `group`, `rate`, `status`.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "SMB (47.1%)"; empty where there is none.
    """
    sure = (table["status"] == "ok") & (table["group"] != ALL) & table["rate"].map(known)
    rows = table.loc[sure]
    if len(rows) < 2:  # one group alone is not the lowest of any
        return ""
    worst = rows.iloc[int(rows["rate"].argmin())]
    return f"{named(worst['group'])} ({words.share(worst['rate'])})"
