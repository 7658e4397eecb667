"""Values of a frame as JSON and CSV: unknown is null or empty, and no text becomes a formula."""

import csv
import io
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd

from csa.present.words import known

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run text that starts so


def csv_text(frame: pd.DataFrame) -> str:
    """Write a frame as CSV that a spreadsheet opens without running anything.

    Parameters
    ----------
    frame : DataFrame
        The numbers behind a chart.

    Returns
    -------
    str
        Comma-separated, one header line, unrounded to ten digits; text that a spreadsheet would
        take for a formula starts with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_csv_cell(str(name)) for name in frame.columns)
    for row in frame.itertuples(index=False, name=None):
        writer.writerow(_csv_cell(value) for value in row)
    return out.getvalue()


def _csv_cell(value: Any) -> str:
    known_value = plain(value)
    if known_value is None:
        return ""
    if isinstance(known_value, float):
        return format(known_value, ".10g")
    if isinstance(known_value, str) and known_value.startswith(_FORMULA):
        return f"'{known_value}"
    return str(known_value)


def plain(value: Any) -> Any:
    """Make JSON's own types: numpy scalars unwrapped, dates as ISO text, unknown as None.

    Parameters
    ----------
    value : object
        A cell, or lists and mappings of cells.

    Returns
    -------
    object
        None, bool, int, float, str, list or dict.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    if not known(value):
        return None
    if isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
