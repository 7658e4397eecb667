"""Rows of a table of groups: the total last, pairs for intervals, reasons as a note."""

from typing import Any, Final

import pandas as pd

from csa.present.names import capital
from csa.present.phrases import ends

ALL: Final = "all"
EVERYBODY: Final = "All accounts"


def total_last(table: pd.DataFrame) -> pd.DataFrame:
    """Keep groups in their order, the total at the end, where a reader looks for it.

    Parameters
    ----------
    table : DataFrame
        With a column `group`.

    Returns
    -------
    DataFrame
        The same rows, numbered anew.
    """
    total = table["group"] == ALL
    return pd.concat([table.loc[~total], table.loc[total]], ignore_index=True)


def group_names(rows: pd.DataFrame) -> pd.Series:
    """Name the groups as a reader knows them.

    Parameters
    ----------
    rows : DataFrame
        With a column `group`.

    Returns
    -------
    Series
        "All accounts" for the total.
    """
    return rows["group"].replace(ALL, EVERYBODY)


def pairs(rows: pd.DataFrame, low: str, high: str) -> "pd.Series[Any]":
    """Put the ends of intervals into one column.

    Parameters
    ----------
    rows : DataFrame
        With the two columns.
    low, high : str
        Their names.

    Returns
    -------
    Series
        A pair per row; unknown where an interval has no width although nothing is certain.
    """
    found = [ends(*pair) for pair in zip(rows[low], rows[high], strict=True)]
    return pd.Series(found, index=rows.index, dtype=object)


def reasons(rows: pd.DataFrame) -> str:
    """Say what limits single rows, each reason once: "EU: only 7 accounts at the start".

    Parameters
    ----------
    rows : DataFrame
        With `group` as shown and `reason`.

    Returns
    -------
    str
        Empty where nothing does.
    """
    told = rows.loc[rows["reason"].fillna("") != ""]
    if len(rows) and len(told) == len(rows) and (told["reason"] == told["reason"].iloc[0]).all():
        return capital(str(told["reason"].iloc[0]))
    by_reason = told.groupby("reason", sort=False)["group"].agg(
        lambda g: ", ".join(dict.fromkeys(g))
    )
    return "; ".join(f"{names}: {reason}" for reason, names in by_reason.items())
