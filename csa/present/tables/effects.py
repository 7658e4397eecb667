"""Tables of what makes accounts leave sooner: ratios per level, and the tests behind them."""

from typing import Any, Final

import pandas as pd

from csa.analysis.churn.effects import EffectsResult
from csa.analysis.churn.spells import ALL
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.effect_rows import (
    age_band,
    changing_terms,
    effect_rows,
    ratio,
    ratio_interval,
    where_not_proportional,
)
from csa.present.items import Table
from csa.present.names import capital, shortened
from csa.present.phrases import p_value
from csa.present.table_rows import reasons
from csa.present.words import UNKNOWN, Words, known

ENGLISH: Final = Words()
SAME: Final = {"rejected": "no", "not rejected": "not refuted", "unclear": "not tested"}
LIMIT: Final = 60


def effects(result: EffectsResult, *, words: Words = ENGLISH) -> Table:
    """How fast accounts of each level leave, compared with the reference, all else alike.

    Parameters
    ----------
    result : EffectsResult
        From `csa.analysis.churn.effects.effects`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per level, or per level and band of age; references first.
    """
    found = effect_rows(result)
    rows = pd.DataFrame([_row(row, words) for row in found.to_dict("records")], columns=_KEYS)
    columns = [
        Column("attribute", "Attribute"),
        Column("level", "Level"),
        Column("against", "Compared with"),
    ]
    if len(result.bands):
        columns.append(Column("age", "Age"))
    columns += [
        Column("n", "Accounts", "integer"),
        Column("events", "Left", "integer"),
        Column("ratio", "Leave times as fast"),
        Column("interval", f"{words.share(result.confidence, 0)} interval"),
    ]
    lacking = [
        f"{words.number(row['n'])} accounts without {spoken(row['term'])} are left out"
        for row in result.left_out.to_dict("records")
    ]
    said = [result.reason, where_not_proportional(result).rstrip("."), reasons(rows), *lacking]
    return Table(
        id="effects-on-leaving",
        title="How fast accounts leave, all else alike",
        columns=tuple(columns),
        rows=rows,
        note="; ".join(filter(None, map(capital, said))) if len(rows) else "",
        empty=f"Nothing to compare: {result.reason}." if result.reason else "No attribute.",
        limit=LIMIT,
        words=words,
    )


_KEYS: Final = [
    *("attribute", "level", "against", "age", "n", "events", "ratio", "interval"),
    *("group", "reason"),
]


def _row(row: dict[Any, Any], words: Words) -> dict[str, object]:
    term, level = capital(spoken(row["term"])), str(row["level"])
    own = level == row["reference"]
    return {
        "attribute": term,
        "level": level,
        "against": "(reference)" if own else row["reference"] or UNKNOWN,
        "age": age_band(row["from_days"], row["to_days"], words),
        "n": row["n"],
        "events": row["events"],
        "ratio": "1" if own else ratio(row["hazard_ratio"], words),
        "interval": UNKNOWN if own else ratio_interval(row["ci_low"], row["ci_high"], words),
        "group": f"{term} {shortened(level)}",
        "reason": row["reason"],
    }


def effect_tests(result: EffectsResult, *, words: Words = ENGLISH) -> Table:
    """Whether each attribute matters, whether its effect is the same at all ages, what is shown.

    Parameters
    ----------
    result : EffectsResult
        From `csa.analysis.churn.effects.effects`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per attribute, all together last.
    """
    changing = changing_terms(result)
    shown = "a ratio per band of age" if len(result.bands) else "an average over ages"
    rows = pd.DataFrame(
        [
            {
                "attribute": "All together" if row["term"] == ALL else capital(spoken(row["term"])),
                "df": row["df"],
                "p": _p(row["p_value"], words),
                "same": SAME[str(row["proportional"])],
                "ph": _p(row["ph_p_value"], words),
                "shown": _shown(str(row["term"]), changing, shown),
            }
            for row in result.tests.to_dict("records")
        ],
        columns=["attribute", "df", "p", "same", "ph", "shown"],
    )
    gain = result.bands_gain
    note = (
        f"Bands of age against one ratio for all ages: chi-square {words.number(gain.statistic, 1)}"
        f", df {gain.df}, p {p_value(gain.p_value, words)}"
        if known(gain.p_value)
        else ""
    )
    return Table(
        id="effects-on-leaving-tests",
        title="Does the effect last?",
        columns=(
            Column("attribute", "Attribute"),
            Column("df", "df", "integer"),
            Column("p", "No effect: p"),
            Column("same", "Same at all ages"),
            Column("ph", "Same at all ages: p"),
            Column("shown", "Shown as"),
        ),
        rows=rows,
        note=note,
        empty=f"Nothing was tested: {result.reason}." if result.reason else "No attribute.",
        words=words,
    )


def _p(value: Any, words: Words) -> str:
    return p_value(value, words).removeprefix("= ") if known(value) else UNKNOWN


def _shown(term: str, changing: list[str], bands: str) -> str:
    if term == ALL:
        return UNKNOWN
    return bands if term in changing else "one ratio for all ages"
