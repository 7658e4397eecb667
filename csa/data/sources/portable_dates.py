"""Dates in text on engines without a cast that survives a bad value.

The text is matched first; only what has the right shape and names a day that exists is taken
apart and put together as a timestamp, all within one CASE, which engines evaluate in order.
"""

import re

import ibis
import ibis.expr.types as ir

from csa.data.sources import formats
from csa.errors import InputError

_ISO = r"^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})([ T]([0-9]{1,2}):([0-9]{2})(:([0-9]{2}))?)?"
_ISO_GROUPS = {"Y": 1, "m": 2, "d": 3, "H": 5, "M": 6, "S": 8}
_DIGITS = {"Y": "[0-9]{4}", "y": "[0-9]{2}", "f": "[0-9]{1,9}", "M": "[0-9]{2}", "S": "[0-9]{2}"}


def parse_portable(text: ir.StringValue, form: str) -> ir.TimestampValue:
    """Return the time that a text spells, or missing.

    Parameters
    ----------
    text : ir.StringValue
        Trimmed text.
    form : str
        `formats.ISO`, a day format of `formats.DAYS` (a time may follow) or a strptime format of
        numbers only.

    Returns
    -------
    ir.TimestampValue
        To the second.

    Raises
    ------
    InputError
        If the format holds names of months, AM and PM or offsets.
    """
    if form == formats.ISO:
        rest = r"(\.[0-9]+)? ?(Z|UTC|[+-][0-9][0-9](:?[0-9][0-9])?)?$"
        shape, groups = _ISO + rest, _ISO_GROUPS
    else:
        shape, groups = _shape(form)
    parts = {
        letter: text.re_extract(shape, group).nullif("").cast("int64")
        for letter, group in groups.items()
    }
    return ibis.ifelse(_exists(text, shape, parts), _timestamp(parts), ibis.null("timestamp"))


def _shape(form: str) -> tuple[str, dict[str, int]]:
    """Pattern with one group per directive, and the number of each group."""
    groups: dict[str, int] = {}
    pieces = re.split(r"%-?(.)", form)
    shape = "^"
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            shape += re.escape(piece)
        elif piece in "YymdHMSf":
            groups[piece] = len(groups) + 1
            shape += f"({_DIGITS.get(piece, '[0-9]{1,2}')})"
        else:
            raise InputError(
                f'format "{form}": only numbers can be read from text in a database; '
                "make it a date with query: select to_date(...) ..."
            )
    if form in formats.DAYS:
        first = len(groups)
        shape += r"([ T]([0-9]{1,2}):([0-9]{2})(:([0-9]{2})(\.[0-9]+)?)?)?"
        groups |= {"H": first + 2, "M": first + 3, "S": first + 5}
    groups.pop("f", None)
    return shape + "$", groups


def _year(parts: dict[str, ir.IntegerValue]) -> ir.IntegerValue:
    if "Y" in parts:
        return parts["Y"]
    short = parts["y"]  # as POSIX: 69 to 99 are the last century
    return ibis.ifelse(short >= 69, short + 1900, short + 2000)


def _exists(text: ir.StringValue, shape: str, parts: dict[str, ir.IntegerValue]) -> ir.BooleanValue:
    year, month, day = _year(parts), parts["m"], parts["d"]
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    days = ibis.cases(
        (month.isin((4, 6, 9, 11)), 30),
        (month != 2, 31),
        (leap, 29),
        else_=28,
    )
    fine = text.re_search(shape) & (year >= 1000) & (month >= 1) & (month <= 12)
    fine = fine & (day >= 1) & (day <= days)
    for letter, largest in (("H", 23), ("M", 59), ("S", 59)):
        if letter in parts:
            fine = fine & (ibis.coalesce(parts[letter], 0) <= largest)
    return fine


def _timestamp(parts: dict[str, ir.IntegerValue]) -> ir.TimestampValue:
    """Put a time together as text: not every engine makes one of numbers."""
    day = ibis.literal("-").join([_year(parts).cast("string"), *_texts(parts, "md")])
    return (day + " " + ibis.literal(":").join(_texts(parts, "HMS"))).cast("timestamp")


def _texts(parts: dict[str, ir.IntegerValue], letters: str) -> list[ir.StringValue]:
    numbers = [ibis.coalesce(parts[x], 0) if x in parts else ibis.literal(0) for x in letters]
    return [number.cast("string") for number in numbers]
