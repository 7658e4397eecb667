"""The canonical tables, declared once: the only place that knows their names and columns.

`python -m csa.data.schema > docs/tables.md` writes the documentation of the tables.
"""

import hashlib
import sys

from csa.data.columns import IBIS_TYPES, Column, Kind, Table
from csa.data.company_tables import COMPANY_TABLES
from csa.data.own_tables import LEDGER_TABLES, OWN_TABLES

__all__ = ["IBIS_TYPES", "TABLES", "Column", "Kind", "Table", "documentation", "version"]

TABLES: dict[str, Table] = {t.name: t for t in (*COMPANY_TABLES, *OWN_TABLES, *LEDGER_TABLES)}

_KINDS = {
    "id": "identifier, text",
    "text": "text",
    "date": "day",
    "time": "local time in the workspace's zone",
    "money": "exact amount in the workspace's currency",
    "number": "number",
    "integer": "whole number",
    "flag": "true or false",
}

_INTRODUCTION = """# Tables

Every table is optional; a chapter that needs a missing one says how to add it. Columns marked
`*` are required. All other columns of a table may be absent: they are then missing in every row.
A table named in `csa.yml` under `data.tables` is mapped from your own files or database; a file
called like the table, with these column names, needs no mapping.

What is known on a day: a row becomes visible on the day in its *appears* column. A column *known
by* another is missing until that day has come, so that no number can use what came later.

This page is generated from `csa/data/schema.py`; change it there, then run
`python -m csa.data.schema > docs/tables.md`.
"""


def version() -> str:
    """Digest of all declarations, part of every fingerprint.

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    return hashlib.sha256(repr(TABLES).encode()).hexdigest()[:12]


def documentation() -> str:
    """Markdown page on all tables.

    Returns
    -------
    str
        The text of `docs/tables.md`.
    """
    parts = [_INTRODUCTION, _kinds()]
    parts += [_section(t) for t in TABLES.values() if not t.ledger]
    parts.append(
        "## From the ledger\n\nThe kit writes these itself and reads them back as tables; they "
        "need no mapping.\n"
    )
    parts += [_section(t) for t in TABLES.values() if t.ledger]
    return "\n".join(parts)


def _kinds() -> str:
    lines = ["| kind | meaning | type in Ibis |", "| --- | --- | --- |"]
    lines += [f"| {kind} | {words} | `{IBIS_TYPES[kind]}` |" for kind, words in _KINDS.items()]
    return "\n".join(lines) + "\n"


def _section(table: Table) -> str:
    level = "###" if table.ledger else "##"
    lines = [f"{level} {table.name}", "", f"One row is {table.row}.{_facts(table)}", ""]
    lines += ["| column | kind | meaning | unit | allowed | known by |", "| --- " * 6 + "|"]
    lines += [_row(c) for c in table.columns]
    return "\n".join(lines) + "\n"


def _facts(table: Table) -> str:
    facts = []
    if table.key:
        facts.append("Key: " + ", ".join(f"`{k}`" for k in table.key) + ".")
    if table.appears:
        only = ""
        if table.appears_when:
            only = " (rows whose `{}` is {})".format(*table.appears_when)
        facts.append(f"Appears: `{table.appears}`{only}.")
    if table.references:
        pairs = ", ".join(f"`{c}` in `{t}`" for c, t in table.references.items())
        facts.append(f"Refers to: {pairs}.")
    if table.open:
        facts.append("Further columns are kept as attributes to split by.")
    return "".join(" " + f for f in facts)


def _row(column: Column) -> str:
    name = f"`{column.name}`" + (" *" if column.required else "")
    known = f"`{column.known_by}`" if column.known_by else ""
    if column.planned:
        known = "may lie ahead"
    cells = (name, column.kind, column.meaning, column.unit, _allowed(column), known)
    return "| " + " | ".join(cells) + " |"


def _allowed(column: Column) -> str:
    if column.choices:
        return ", ".join(column.choices)
    low, high = column.low, column.high
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"from {low:g}" if low is not None else ""


if __name__ == "__main__":
    sys.stdout.write(documentation())
