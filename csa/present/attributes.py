"""Columns of accounts as words."""

from csa.present.names import named


def spoken(column: str) -> str:
    """Say the name of a column as a word.

    Parameters
    ----------
    column : str
        Column of accounts.

    Returns
    -------
    str
        "payment method".
    """
    return named(column.replace("_", " "))
