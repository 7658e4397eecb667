"""What tells one state of a table from another, rows that were changed in place included.

Files are digested by content. A database is asked for sums over all columns, because a
subscription that is closed, or an account that changes its segment, adds no row.
"""

import hashlib
import json
from typing import Any

import ibis.expr.types as ir

from csa.data.sources import Tables

APPENDED = ("usage_events",)  # rows that only ever come; too many to be summed up each time


def fingerprint(tables: Tables, name: str) -> str:
    """Digest everything that a table is made from.

    Parameters
    ----------
    tables : Tables
        The tables as known on a day.
    name : str
        One of them.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    known = tables.fingerprint(name)
    backend = tables.backend(name)
    if backend is tables.engine or name in APPENDED:
        return known
    rows = tables.table(name)
    sums = {column: _sum(rows[column]) for column in tables.mapped(name)}
    found = backend.to_pyarrow(rows.aggregate(**sums)).to_pylist()[0]
    return digest({"known": known, **{column: str(value) for column, value in found.items()}})


def _sum(value: ir.Value) -> ir.Value:
    """Sum the hashes of a column: the same in any order of rows."""
    return value.cast("string").hash().cast("decimal(38, 0)").sum()


def digest(parts: dict[str, Any]) -> str:
    """Digest what something was made from.

    Parameters
    ----------
    parts : dict
        JSON values by name.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
