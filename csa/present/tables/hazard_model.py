"""Table of the discrete-time hazard: how much each level changes the chance to leave."""

from typing import Any, Final

import pandas as pd

from csa.analysis.churn.hazards import HazardResult
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.effect_rows import ratio, ratio_interval
from csa.present.items import Table
from csa.present.names import capital, shortened
from csa.present.narrate.lifetimes import p_value
from csa.present.table_rows import reasons
from csa.present.words import UNKNOWN, Words, known

ENGLISH: Final = Words()
KEYS: Final = [
    *("attribute", "level", "against", "phase", "n", "events", "ratio", "interval", "p"),
    *("group", "reason"),
]


def hazard_model(result: HazardResult, *, words: Words = ENGLISH) -> Table:
    """List what goes into the modelled chance to leave in an interval, and by how much.

    Parameters
    ----------
    result : HazardResult
        From `csa.analysis.churn.hazards.discrete_hazard`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per level that is compared, or per level and phase of age.
    """
    found = [_row(row, words) for row in result.coefficients.to_dict("records")]
    rows = pd.DataFrame(found, columns=KEYS)
    columns = [
        Column("attribute", "Attribute"),
        Column("level", "Level"),
        Column("against", "Compared with"),
    ]
    if (result.coefficients["phase"] != "").any():
        columns.append(Column("phase", "Age"))
    columns += [
        Column("n", f"Times {result.interval_days} days at risk", "integer"),
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
    term, level = capital(spoken(row["term"])), str(row["level"])
    return {
        "attribute": term,
        "level": level,
        "against": row["reference"],
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
