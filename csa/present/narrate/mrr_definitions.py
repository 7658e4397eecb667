"""The finding about the definition under which revenue is reported."""

from typing import Final

from csa.analysis.revenue.by_definition import ByDefinition
from csa.present.items import Finding, Status
from csa.present.names import capital
from csa.present.words import Words, known

ENGLISH: Final = Words()


def mrr_definitions(result: ByDefinition, *, period_label: str, words: Words = ENGLISH) -> Finding:
    """Say which definition of net retention is used, and how far the others lie apart.

    Parameters
    ----------
    result : ByDefinition
        From `csa.analysis.revenue.by_definition.by_definition`.
    period_label : str
        "October 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good where all definitions lie within the interval of the chosen one, else watch.
    """
    ident, title = "mrr-definitions", "Definition of net retention"
    rows = result.table.loc[(result.table["metric"] == "nrr") & result.table["value"].notna()]
    chosen = rows.loc[rows["chosen"]]
    if chosen.empty:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text=f"No definition gives a net retention up to {period_label}: {result.reason}.",
            evidence=capital(f"{result.definitions.words('nrr')}."),
            action="See the data quality chapter: do the data reach back so far?",
            status="unclear",
        )
    mine, apart = chosen.iloc[0], result.spread("nrr")
    others = rows.loc[~rows["chosen"]]
    told = [f"{words.share(r['value'])} {_called(str(r['choice']))}" for _, r in others.iterrows()]
    inside = (
        known(mine["ci_low"]) and others["value"].between(mine["ci_low"], mine["ci_high"]).all()
    )
    status: Status = "good" if inside else "watch"
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"Net retention over {result.horizon_months} months up to {period_label} is "
        f"{words.share(mine['value'])} as defined here, {' and '.join(told)}"
        f"{f': {words.points(apart)} points apart' if known(apart) else ''}.",
        evidence=f"{capital(str(mine['words']))}.",
        action="Compare with figures of others only under one definition; csa.yml chooses it "
        "(definitions: preset, or single switches).",
        status=status,
    )


def _called(choice: str) -> str:
    names = {"cohort": "cohort-locked", "flow": "by flows", "compounded": "compounded monthly"}
    return names[choice]
