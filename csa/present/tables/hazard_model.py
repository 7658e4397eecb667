"""Table of the discrete-time hazard: how much each level changes the chance to leave."""

from typing import Any, Final

import pandas as pd

from csa.analysis.churn.hazards import HazardResult
from csa.analysis.churn.hazards.renewals import LENGTH, RenewalResult
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.contract_lengths import length_label
from csa.present.effect_rows import ratio, ratio_interval
from csa.present.items import Table
from csa.present.names import capital, shortened
from csa.present.phrases import p_value
from csa.present.table_rows import reasons
from csa.present.words import UNKNOWN, Words, known

ENGLISH: Final = Words()
MONTH: Final = (28, 31)  # days of an interval that may be called a month
KEYS: Final = [
    *("attribute", "level", "against", "phase", "n", "events", "ratio", "interval", "p"),
    *("group", "reason"),
]


def renewals(result: RenewalResult, *, words: Words = ENGLISH) -> Table | None:
    """Who left in months of renewal and in other months, by length of contract.

    Parameters
    ----------
    result : RenewalResult
        From `csa.analysis.churn.hazards.renewals.renewals`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table or None
        One row per length; None where no month of renewal is under observation.
    """
    if not (result.table["due"] > 0).any():
        return None
    rows = result.table.assign(
        group=[length_label(float(x)) for x in result.table["billing_months"]],
        due_events=result.table["due_events"].where(result.table["due"].notna()),
        times=[ratio(x, words) for x in result.table["times"]],
        interval=[
            ratio_interval(low, high, words)
            for low, high in zip(result.table["ci_low"], result.table["ci_high"], strict=True)
        ],
    )
    always = bool((rows["due"].isna() & rows["billing_months"].notna()).any())
    left_out = f"{words.number(result.left_out)} accounts with rarer lengths are left out"
    return Table(
        id="renewals",
        title="Who left when contracts renewed",
        columns=(
            Column("group", "Contracts"),
            Column("n", "Accounts", "integer"),
            Column("due", "Months of renewal", "integer"),
            Column("due_events", "Left in them", "integer"),
            Column("due_share", "Share", "share"),
            Column("other_share", "Share in other months", "share"),
            Column("times", "Times as often"),
            Column("interval", f"{words.share(result.confidence, 0)} interval"),
        ),
        rows=rows,
        note="; ".join(
            filter(
                None,
                [
                    "For contracts that renew every month, the share of all months" * always,
                    left_out * bool(result.left_out),
                    reasons(rows),
                ],
            )
        ),
        words=words,
    )


def hazard_model(
    result: HazardResult | None, *, by: str = "group", words: Words = ENGLISH
) -> Table | None:
    """List what goes into the modelled chance to leave in an interval, and by how much.

    Parameters
    ----------
    result : HazardResult or None
        From `csa.analysis.churn.hazards.discrete_hazard`.
    by : str
        Column of accounts that made the groups.
    words : Words
        Locale and currency.

    Returns
    -------
    Table or None
        One row per level that is compared, or per level and phase of age; None without a result.
    """
    if result is None:
        return None
    named = result.coefficients.replace({"term": {"group": by}})
    found = [_row(row, words) for row in named.to_dict("records")]
    rows = pd.DataFrame(found, columns=KEYS)
    columns = [
        Column("attribute", "Attribute"),
        Column("level", "Level"),
        Column("against", "Compared with"),
    ]
    if (result.coefficients["phase"] != "").any():
        columns.append(Column("phase", "Age"))
    columns += [
        Column("n", _at_risk(result), "integer"),
        Column("events", "Left", "integer"),
        Column("ratio", capital(result.ratio_kind)),
        Column("interval", f"{words.share(result.confidence, 0)} interval"),
        Column("p", "p"),
    ]
    why = f"Nothing to compare: {result.reason}." if result.reason else "Age alone."
    return Table(
        id="hazard-model",
        title="What changes the chance to leave",
        columns=tuple(columns),
        rows=rows,
        note="; ".join(filter(None, [_fit(result, words), *_limits(result), reasons(rows)])),
        empty=why,
        words=words,
    )


def _row(row: dict[Any, Any], words: Words) -> dict[str, object]:
    term, level, against = capital(spoken(row["term"])), str(row["level"]), str(row["reference"])
    if row["term"] == LENGTH:
        term, level, against = "Contract", length_label(level), length_label(against)
    return {
        "attribute": term,
        "level": level,
        "against": against,
        "phase": row["phase"] or "all ages",
        "n": row["n"],
        "events": row["events"],
        "ratio": ratio(row["ratio"], words),
        "interval": ratio_interval(row["ci_low"], row["ci_high"], words),
        "p": p_value(row["p_value"], words).removeprefix("= ")
        if known(row["p_value"])
        else UNKNOWN,
        "group": f"{term} {shortened(level)}",
        "reason": row["reason"],
    }


def _at_risk(result: HazardResult) -> str:
    """Name the intervals that are counted."""
    short, long = MONTH
    days = result.interval_days
    return "Months at risk" if short <= days <= long else f"Times {days} days at risk"


def _limits(result: HazardResult) -> list[str]:
    """Say what limits the whole model; an empty table says it in the place of its rows."""
    return [capital(result.reason)] if result.model is not None else []


def _fit(result: HazardResult, words: Words) -> str:
    """Say what was fitted on what."""
    if result.model is None:
        return ""
    return (
        f"{words.number(result.n)} accounts, {words.number(result.events)} left, "
        f"{words.number(result.parameters)} parameters, AIC {words.number(result.aic, 1)}"
    )
