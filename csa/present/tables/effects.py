"""Table of what makes accounts leave sooner: the tests behind the ratios."""

from typing import Any, Final

import pandas as pd

from csa.analysis.churn.effects import EffectsResult
from csa.analysis.churn.spells import ALL
from csa.present.attributes import spoken
from csa.present.columns import Column
from csa.present.effect_rows import changing_terms
from csa.present.items import Table
from csa.present.names import capital
from csa.present.phrases import p_value
from csa.present.words import UNKNOWN, Words, known

ENGLISH: Final = Words()
SAME: Final = {"rejected": "no", "not rejected": "not refuted", "unclear": "not tested"}


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
    said = [
        f"{words.number(row['n'])} accounts without {spoken(row['term'])} are left out"
        for row in result.left_out.to_dict("records")
    ]
    if known(gain.p_value):
        said.append(
            "Bands of age against one ratio for all ages: chi-square "
            f"{words.number(gain.statistic, 1)}, df {gain.df}, p {p_value(gain.p_value, words)}"
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
        note="; ".join(said),
        empty=f"Nothing was tested: {result.reason}." if result.reason else "No attribute.",
        words=words,
    )


def _p(value: Any, words: Words) -> str:
    return p_value(value, words).removeprefix("= ") if known(value) else UNKNOWN


def _shown(term: str, changing: list[str], bands: str) -> str:
    if term == ALL:
        return UNKNOWN
    return bands if term in changing else "one ratio for all ages"
