"""Names and counts inside a sentence; names come from data and may hold anything."""

import unicodedata
from collections.abc import Sequence
from typing import Any

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_UNSHOWN = frozenset({"Cc", "Cs", "Co"})  # controls, halves of pairs, private use
_TURNS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
FIRST_STRONG, POP = "\u2068", "\u2069"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Choose the word for a count.

    Parameters
    ----------
    count : int
        How many.
    one : str
        Word for one.
    many : str, optional
        Word for all other counts; `one` + "s" by default.

    Returns
    -------
    str
        The word without the number.
    """
    return one if count == 1 else many or f"{one}s"


def joined(names: Sequence[str], last: str = "and") -> str:
    """Join names as in a sentence.

    Parameters
    ----------
    names : sequence of str
        At least one.
    last : str
        Word before the last one.

    Returns
    -------
    str
        "A, B and C".
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def capital(text: str) -> str:
    """Begin a sentence.

    Parameters
    ----------
    text : str
        Words, from a message perhaps.

    Returns
    -------
    str
        The same with a capital letter.
    """
    return text[:1].upper() + text[1:]


def clean(text: Any) -> str:
    """Take out of a text what is not seen but turns or breaks a page.

    Parameters
    ----------
    text : object
        Text from the data.

    Returns
    -------
    str
        One line without control characters and without marks that turn the writing direction.
    """
    flat = " ".join(str(text).split())
    return "".join(
        letter
        for letter in flat
        if letter not in _TURNS and unicodedata.category(letter) not in _UNSHOWN
    )


def shortened(text: Any, limit: int = 40) -> str:
    """Cut a long name so that a label can carry it; tables keep the whole.

    Parameters
    ----------
    text : object
        A name from the data.
    limit : int
        Characters that stay.

    Returns
    -------
    str
        The name, at most `limit` characters.
    """
    flat = clean(text)
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def is_right_to_left(text: str) -> bool:
    """Say whether any letter is written from right to left.

    Parameters
    ----------
    text : str
        A name.

    Returns
    -------
    bool
        True for Arabic, Hebrew and the like.
    """
    return any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text)


def named(text: Any, limit: int = 40) -> str:
    """Prepare a name for the middle of a sentence.

    Parameters
    ----------
    text : object
        A name from the data.
    limit : int
        Characters that stay.

    Returns
    -------
    str
        The name shortened; one written from right to left is set apart, so that the numbers
        beside it keep their places.
    """
    short = shortened(text, limit)
    return f"{FIRST_STRONG}{short}{POP}" if is_right_to_left(short) else short
