"""What to write into csa.yml where a chapter lacks a table, made from the schema."""

import re
from collections.abc import Sequence

from csa.data.schema import TABLES

_PLACE = re.compile(r"\bdata\.tables\.(?P<table>\w+)(?:\.(?P<setting>\w+))?")
_YAML = re.compile(r"\s+\S|[\w-]+:(\s*$|\s+[\[{\"'])|- ")
OBSERVED = "observed_from: 2024-01-01  # since when a leaving account would have been recorded"


def split_settings(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part sentences from lines of YAML.

    Parameters
    ----------
    lines : sequence of str
        Of a `NotAvailable` error.

    Returns
    -------
    tuple of lists
        Sentences, and the YAML below them.
    """
    text = [line.strip() for line in lines if not _YAML.match(line)]
    return text, [line.rstrip() for line in lines if _YAML.match(line)]


def remedy(lines: Sequence[str]) -> list[str]:
    """Write the lines for csa.yml that an error only points to.

    Parameters
    ----------
    lines : sequence of str
        Sentences that name places as `data.tables.subscriptions`.

    Returns
    -------
    list of str
        Lines of YAML with the required columns of each table named; empty if none is.
    """
    wanted: dict[str, set[str]] = {}
    for line in lines:
        for place in _PLACE.finditer(line):
            if place["table"] in TABLES:
                wanted.setdefault(place["table"], set()).add(place["setting"] or "")
    if not wanted:
        return []
    found = ["data:", "  tables:"]
    for table, settings in wanted.items():
        found += [f"    {table}:", *_lines(table, settings)]
    return found


def _lines(table: str, settings: set[str]) -> list[str]:
    if settings == {"observed_from"}:
        return [f"      {OBSERVED}"]
    required = [column.name for column in TABLES[table].columns if column.required]
    lines = [f"      file: your_{table}.csv", "      columns:"]
    lines += [f"        {name}: your_{name}" for name in required]
    return [*lines, f"      {OBSERVED}"] if "observed_from" in settings else lines
