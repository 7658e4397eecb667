"""The finding about accounts that went out of sight without churn."""

from typing import Any, Final

import pandas as pd

from csa.present.items import Finding
from csa.present.names import plural
from csa.present.phrases import ends
from csa.present.words import DAYS_PER_YEAR, Words

ENGLISH: Final = Words()


def lost_sight(
    bounds: pd.DataFrame, *, confidence: float = 0.95, words: Words = ENGLISH
) -> Finding | None:
    """Say how far survival depends on what became of accounts that went out of sight.

    Parameters
    ----------
    bounds : DataFrame
        From `csa.analysis.churn.censoring.censoring_bounds`.
    confidence : float
        Level of its interval.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding or None
        Watch where what they may have done reaches beyond the interval of the curve. None where
        no account went out of sight: there is nothing to say.
    """
    if bounds.empty or not int(bounds["lost_sight"].iloc[0]):
        return None
    lost, n = int(bounds["lost_sight"].iloc[0]), int(bounds["n"].iloc[0])
    of = f"{words.number(lost)} of {words.number(n)} accounts"
    title, ident = "Accounts out of sight", "accounts-out-of-sight"
    seen = bounds.loc[(bounds["status"] == "ok") & bounds["if_all_left"].notna()]
    if seen.empty:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text=f"{of} went out of sight without leaving; what that changes is not known.",
            evidence="No age was seen well enough.",
            action="Come back when accounts have been under observation for longer.",
            status="unclear",
        )
    row = seen.iloc[int((seen["age_days"] - DAYS_PER_YEAR).abs().argmin())].to_dict()
    matters = _beyond(row)
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"{of} went out of sight without leaving: had they all left or all stayed, "
        f"{words.share(row['if_all_left'])} to {words.share(row['if_none_left'])} would still be "
        f"customers after {words.days(row['age_days'])}.",
        evidence=_evidence(row, confidence, words),
        action=f"Find out what became of the {words.number(lost)} {plural(lost, 'account')}."
        if matters
        else "Nothing to do: the curves hardly depend on them.",
        status="watch" if matters else "good",
        weight=min(1.0, float(row["if_none_left"] - row["if_all_left"])),
    )


def _beyond(row: dict[Any, Any]) -> bool:
    """Whether the bounds reach beyond the interval of the curve; so too where it has none."""
    low, high = ends(row["ci_low"], row["ci_high"])
    if low is None or high is None:
        return bool(row["if_none_left"] > row["if_all_left"])
    return bool(row["if_all_left"] < low or row["if_none_left"] > high)


def _evidence(row: dict[Any, Any], confidence: float, words: Words) -> str:
    between = words.interval(*ends(row["ci_low"], row["ci_high"]), "share")
    return (
        f"As estimated: {words.share(row['survival'])}, {words.share(confidence, 0)} interval "
        f"{between}. It takes them to be like the accounts that stayed in sight."
    )
