"""Hazard ratios as a reader sees them: per level, or per band of age where an effect changes."""

from typing import Any, Final

import pandas as pd

from csa.analysis.churn.effects import EffectsResult
from csa.analysis.churn.spells import ALL
from csa.present.attributes import spoken
from csa.present.names import joined
from csa.present.words import UNKNOWN, Words, known

COLUMNS: Final = (
    *("term", "level", "reference", "from_days", "to_days", "n", "events"),
    *("hazard_ratio", "ci_low", "ci_high", "p_value", "status", "reason"),
)
CHANGES: Final = "rejected"


def effect_rows(result: EffectsResult) -> pd.DataFrame:
    """Put bands of age in the place of an effect that changes with age.

    Parameters
    ----------
    result : EffectsResult
        From `csa.analysis.churn.effects.effects`.

    Returns
    -------
    DataFrame
        `term`, `level`, `reference`, `from_days`, `to_days` (NaN: all ages, or open), `n`,
        `events`, `hazard_ratio`, `ci_low`, `ci_high`, `p_value`, `status`, `reason`; levels in
        their order, the reference of each term first.
    """
    found = []
    for row in result.table.to_dict("records"):
        bands = result.bands.loc[
            (result.bands["term"] == row["term"]) & (result.bands["level"] == row["level"])
        ]
        if len(bands):
            found += bands[list(COLUMNS)].to_dict("records")
        else:
            found.append(row | {"from_days": float("nan"), "to_days": float("nan")})
    return pd.DataFrame(found, columns=list(COLUMNS))


def changing_terms(result: EffectsResult) -> list[str]:
    """List the terms whose effect changes with age.

    Parameters
    ----------
    result : EffectsResult
        From `csa.analysis.churn.effects.effects`.

    Returns
    -------
    list of str
        Without the test over all terms.
    """
    rejected = result.tests["proportional"] == CHANGES
    return result.tests.loc[rejected & (result.tests["term"] != ALL), "term"].tolist()


def where_not_proportional(result: EffectsResult) -> str:
    """Say for which attributes one ratio for all ages would be wrong, and what is shown.

    Parameters
    ----------
    result : EffectsResult
        From `csa.analysis.churn.effects.effects`.

    Returns
    -------
    str
        One sentence.
    """
    changing = [spoken(term) for term in changing_terms(result)]
    if result.tests.empty:
        return "Whether effects are the same at all ages was not tested."
    if not changing:
        whole = result.tests.loc[result.tests["term"] == ALL, "proportional"]
        if (whole == CHANGES).any():
            return "Taken together the effects change with age, but no single one is shown to."
        return "No effect is shown to change with the age of an account."
    who = (
        f"The effect of {joined(changing)} changes"
        if len(changing) == 1
        else (f"The effects of {joined(changing)} change")
    )
    if result.bands.empty:
        why = result.bands_reason or "ages cannot be cut into bands"
        return f"{who} with age, so one figure is an average that holds at no age: {why}."
    return f"{who} with age and {'is' if len(changing) == 1 else 'are'} given by age instead."


def age_band(from_days: Any, to_days: Any, words: Words) -> str:
    """Name a band of age.

    Parameters
    ----------
    from_days, to_days : object
        Its ends; unknown: open.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "up to 3 months", "3 to 12 months", "after 12 months", "all ages".
    """
    starts, ends = known(from_days) and from_days > 0, known(to_days)
    if starts and ends:
        return words.interval(float(from_days), float(to_days), "days")
    if ends:
        return f"up to {words.days(float(to_days))}"
    return f"after {words.days(float(from_days))}" if starts else "all ages"


def ratio(value: Any, words: Words) -> str:
    """Format a ratio to as many digits as it has a meaning.

    Parameters
    ----------
    value : object
        The ratio.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "0.64", "1.56", "12", "< 0.01", a dash where it is not known.
    """
    if not known(value):
        return UNKNOWN
    if 0 < value < 0.005:
        return f"< {words.number(0.01, 2)}"
    return words.number(float(value), 2 if 0 < value < 10 else 0)


def ratio_interval(low: Any, high: Any, words: Words) -> str:
    """Format the interval of a ratio.

    Parameters
    ----------
    low, high : object
        Its ends.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "0.49 to 0.83"; "up to 0.3" where nobody left.
    """
    if not known(high):
        return UNKNOWN
    if not known(low) or low == 0:
        return f"up to {ratio(high, words)}"
    return f"{ratio(low, words)} to {ratio(high, words)}"
