"""Names and counts inside a sentence."""

from typing import Any


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


def joined(names: list[str], last: str = "and") -> str:
    """Join names as in a sentence.

    Parameters
    ----------
    names : list of str
        The names.
    last : str
        Word before the last one.

    Returns
    -------
    str
        "A, B and C".
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def shortened(text: Any, limit: int = 40) -> str:
    """Cut a long name so that a sentence or an axis can carry it; tables keep the whole.

    Parameters
    ----------
    text : object
        A name from the data.
    limit : int
        Characters that stay.

    Returns
    -------
    str
        The name, at most `limit` characters, without line breaks.
    """
    flat = " ".join(str(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"
