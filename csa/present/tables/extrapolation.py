"""Tables of survival beyond the data: how curves fit, and expected lifetimes by group."""

from typing import Final

from csa.analysis.churn.extrapolation import ExtrapolationResult
from csa.analysis.churn.extrapolation_fits import MISS
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.names import capital
from csa.present.narrate.extrapolation import NAMES
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.words import Words

ENGLISH: Final = Words()
MISSES: Final = (
    f"Does not fit: somewhere more than {100 * MISS:g} points outside the interval of the observed "
    "curve, or no best curve was found"
)


def extrapolation(
    result: ExtrapolationResult, *, by: str = "segment", words: Words = ENGLISH
) -> Table:
    """List the curves tried, how they fit what was observed, and which one was chosen.

    Parameters
    ----------
    result : ExtrapolationResult
        From `csa.analysis.churn.extrapolation.extrapolate`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group and curve, the best first; all accounts last.
    """
    rows = total_last(result.fits)
    rows = rows.assign(
        group=group_names(rows),
        distribution=[NAMES.get(name, name) for name in rows["distribution"]],
        distance=100 * rows["largest_distance"],
        verdict=[_verdict(row.fits, row.chosen) for row in rows.itertuples()],
    )
    return Table(
        id="extrapolation-fits",
        title="Curves held against what was observed",
        columns=(
            Column("group", capital(spoken(by))),
            Column("distribution", "Curve"),
            Column("events", "Left", "integer"),
            Column("aic", "AIC", "number"),
            Column("distance", "Largest distance, points", "number"),
            Column("share_within", "Days inside the interval", "share"),
            Column("verdict", "Verdict"),
        ),
        rows=rows,
        note=MISSES if not rows["fits"].astype(bool).all() else "",
        empty=_nothing(result),
        words=words,
    )


def _verdict(fits: object, chosen: object) -> str:
    return "chosen" if chosen else "fits" if fits else "does not fit"


def _nothing(result: ExtrapolationResult) -> str:
    told = dict.fromkeys(r for r in result.lifetimes["reason"] if r)
    return f"No curve was tried: {'; '.join(told)}." if told else "No curve was tried."


def expected_lifetime(
    result: ExtrapolationResult, *, by: str = "segment", words: Words = ENGLISH
) -> Table:
    """List the expected time as a customer up to the horizon, and how much was not seen.

    Parameters
    ----------
    result : ExtrapolationResult
        From `csa.analysis.churn.extrapolation.extrapolate`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, all accounts last.
    """
    rows = total_last(result.lifetimes)
    rows = rows.assign(
        group=group_names(rows),
        curve=[NAMES.get(name, "–") for name in rows["distribution"]],
        interval=pairs(rows, "ci_low", "ci_high"),
        among=pairs(rows, "among_low", "among_high"),
    )
    level = words.share(result.confidence, 0)
    return Table(
        id="expected-lifetime-by-group",
        title=f"Expected lifetime within {words.days(result.horizon_days)}, by {spoken(by)}",
        columns=(
            Column("group", capital(spoken(by))),
            Column("n", "Accounts", "integer"),
            Column("seen_until_days", "Seen up to", "days"),
            Column("curve", "Curve"),
            Column("lifetime_days", "Expected", "days"),
            Column("interval", f"{level} interval", "interval", "days"),
            Column("among", "By all curves that fit", "interval", "days"),
            Column("extrapolated_share", "Not seen", "share"),
        ),
        rows=rows,
        note=reasons(rows),
        empty="No account was under observation.",
        words=words,
    )
