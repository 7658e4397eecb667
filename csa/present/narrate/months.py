"""How far groups are apart, in months as a customer."""

from typing import Final

from csa.analysis.churn.lifetimes import SurvivalResult
from csa.methods.restricted_mean import RestrictedMean, mean_difference
from csa.present.names import named
from csa.present.words import Words

ENGLISH: Final = Words()
REAL: Final = 0.05  # p-value below which groups are said to differ, as in `narrate.groups`
YEAR_DAYS: Final = 365


def months_apart(result: SurvivalResult, *, words: Words = ENGLISH) -> str:
    """Say how much less time the group that loses most stays than the one that loses least.

    Parameters
    ----------
    result : SurvivalResult
        From `csa.analysis.churn.survival`.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        A sentence for the evidence of `narrate.groups`; empty where groups do not differ, or
        their curves start at different ages or do not reach the horizon.
    """
    test = result.logrank
    if test is None or not test.p_value < REAL:
        return ""
    excess = test.table["observed"] - test.table["expected"]
    names = [test.table["group"].iloc[int(at)] for at in (excess.argmin(), excess.argmax())]
    rows = result.summary.set_index("group").loc[names]
    best, worst = rows.iloc[0], rows.iloc[1]
    apart = mean_difference(
        *(
            RestrictedMean(*(float(row[f"rmst_{part}"]) for part in ("days", "low", "high", "se")))
            for row in (best, worst)
        )
    )
    if best["starts_at_days"] != worst["starts_at_days"] or not apart.low > 0:
        return ""
    between = words.interval(apart.low, apart.high, "days")
    first, second = named(worst.name), named(best.name)
    return (
        f"Within the first {_span(result.horizon_days, words)} {first} accounts stay "
        f"{words.days(apart.value)} less than {second} accounts ({between})."
    )


def _span(days: float, words: Words) -> str:
    """Name a horizon: whole years where it is some."""
    years = days / YEAR_DAYS
    if years >= 2 and years.is_integer():
        return f"{words.number(years)} years"
    return words.days(days)
