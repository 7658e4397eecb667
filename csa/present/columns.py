"""Columns of a table, and one cell as text."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from csa.present.names import shortened
from csa.present.theme import STATUS
from csa.present.words import UNKNOWN, Words, known

Kind = Literal[
    "text",
    "integer",
    "number",
    "share",
    "days",
    "age",  # days since the start; 0 is new
    "money",
    "date",
    "status",
    "interval",  # a pair (low, high)
    "change",
    "change_interval",
]


SHORT, LONG_WORD = 16, 24  # characters: texts never broken, words broken where need be
LONGEST = 240  # characters of a text in a cell; more is nothing that a reader wants


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: `unit` says what the numbers of an interval or change are."""

    key: str
    label: str
    kind: Kind = "text"
    unit: str = ""

    @property
    def numeric(self) -> bool:
        """Whether the column is set flush right."""
        return self.kind not in {"text", "status", "date"}


def cell_text(value: Any, column: Column, words: Words) -> str:
    """Format one cell of a table.

    Parameters
    ----------
    value : object
        Raw value; for an interval a pair (low, high).
    column : Column
        Its kind and unit.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        Text as shown; a dash where the value is unknown.
    """
    if column.kind in {"interval", "change_interval"}:
        low, high = value
        between = words.interval if column.kind == "interval" else words.change_interval
        return between(low, high, column.unit)
    if not known(value):
        return UNKNOWN
    formats = {
        "integer": lambda: words.number(value),
        "number": lambda: words.measure(value, column.unit),
        "share": lambda: words.share(value),
        "days": lambda: words.days(value),
        "age": lambda: words.days(value) if value else "new",
        "money": lambda: words.money(value),
        "change": lambda: words.change(value, column.unit),
        "date": lambda: words.day(value),
        "status": lambda: STATUS[value]["word"] if value in STATUS else str(value),
    }
    return formats[column.kind]() if column.kind in formats else shortened(value, LONGEST)


def line_breaks(texts: Iterable[str]) -> Literal["never", "words", "anywhere"]:
    """Say where the lines of a column's texts may break.

    Parameters
    ----------
    texts : iterable of str
        Its cells.

    Returns
    -------
    str
        never: all are short; anywhere: a word is longer than a column is wide.
    """
    seen = list(texts)
    if all(len(text) <= SHORT for text in seen):
        return "never"
    longest = max(len(word) for text in seen for word in text.split() or [""])
    return "anywhere" if longest > LONG_WORD else "words"
