"""Finding about the window of observation: what delayed entry does to the curve."""

from typing import Final

import pandas as pd

from csa.present.items import Finding
from csa.present.words import Words

ENGLISH: Final = Words()
YEAR: Final = 365  # days; the age that most published curves are quoted at
RESTS: Final = 0.1  # from so many points of survival on, every lifetime rests on the stated window


def window_effect(
    table: pd.DataFrame, *, confidence: float = 0.95, words: Words = ENGLISH
) -> Finding:
    """Say how much better survival would look if the window of observation were ignored.

    Parameters
    ----------
    table : DataFrame
        From `csa.analysis.churn.window_effect`.
    confidence : float
        Level of its intervals.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch where the window changes survival by a tenth or more: then every lifetime rests on
        the date that was stated. Unclear where no age was seen.
    """
    title, ident = "Window of observation", "window-of-observation"
    n, late = int(table["n"].iloc[0]), int(table["entered_late"].iloc[0])
    of = f"{words.number(late)} of {words.number(n)} accounts came under observation late"
    if n and not late:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="Every account was watched from its first day: there is nothing to correct.",
            evidence=f"{of}.",
            action="Nothing to do.",
            status="good",
        )
    seen = table.loc[(table["status"] == "ok") & table["ci_low"].notna()]
    if seen.empty:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="What the window does to the curve is not known: no age was seen well enough.",
            evidence=f"{of}.",
            action="Come back when accounts have been under observation for longer.",
            status="unclear",
        )
    row = seen.iloc[int((seen["age_days"] - YEAR).abs().argmin())].to_dict()
    gap = abs(float(row["ignoring"] - row["survival"]))
    level = words.share(confidence, 0)
    ends = words.interval(row["ci_low"], row["ci_high"], "share")
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"After {words.days(row['age_days'])} {words.share(row['survival'])} are still "
        f"customers; with the window ignored it would look like {words.share(row['ignoring'])}.",
        evidence=f"{level} interval {ends}. {of} and count only from then on.",
        action="Make sure of observed_from in csa.yml: every lifetime here rests on it."
        if gap >= RESTS
        else "Nothing to do: the curves count it in.",
        status="watch" if gap >= RESTS else "good",
        weight=min(1.0, gap),
    )
