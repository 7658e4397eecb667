"""Months as numbers, the same on every engine."""

import ibis.expr.types as ir


def month_number(day: ir.DateValue) -> ir.IntegerValue:
    """Give a month its number, year x 12 + month - 1, in which months are counted.

    Parameters
    ----------
    day : ir.DateValue
        Any day of the month.

    Returns
    -------
    ir.IntegerValue
        For example 24321 for October 2026.
    """
    return (day.year().cast("int64") * 12 + day.month().cast("int64") - 1).cast("int64")
