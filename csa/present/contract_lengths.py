"""Lengths of contracts as words."""

from typing import Final

from csa.analysis.churn.spells import NOT_STATED
from csa.present.names import capital
from csa.present.words import known

WORDS: Final = {
    1: "monthly",
    3: "quarterly",
    6: "half-yearly",
    12: "yearly",
    24: "two-year",
    36: "three-year",
}


def contracts(months: float) -> str:
    """Name contracts of a length inside a sentence.

    Parameters
    ----------
    months : float
        Months between renewals; NaN: not stated.

    Returns
    -------
    str
        "yearly contracts", "contracts of 5 months".
    """
    if not known(months):
        return "contracts of unknown length"
    word = WORDS.get(int(months))
    return f"{word} contracts" if word else f"contracts of {int(months)} months"


def length_label(months: float | str) -> str:
    """Name a length at a line or in a table.

    Parameters
    ----------
    months : float or str
        Months between renewals, as text perhaps; NaN or other text: not stated.

    Returns
    -------
    str
        "Yearly", "5 months", "Not stated".
    """
    number = float(months) if not isinstance(months, str) or months.isdigit() else float("nan")
    if not known(number):
        return capital(NOT_STATED)
    return capital(WORDS.get(int(number), f"{int(number)} months"))
