"""What is not there: words for a missing table, and names in csa.yml that mean none."""

from csa.data.schema import TABLES
from csa.settings import FILE, Settings
from csa.settings_rules import did_you_mean


def missing(name: str) -> str:
    """Say that a table is missing and how to add it.

    Parameters
    ----------
    name : str
        Canonical table.

    Returns
    -------
    str
        One sentence for a page or an error.
    """
    declared = TABLES[name]
    if declared.ledger:
        return f"the table {name} is empty; the kit writes it itself when it runs"
    columns = ", ".join(declared.required)
    return (
        f"the table {name} is missing; add {name}.csv or {name}.parquet with {columns} to the "
        f"data, or map yours in {FILE} under data.tables.{name} (docs/tables.md has all columns)"
    )


def unknown_names(settings: Settings) -> list[str]:
    """Return the tables that csa.yml names but that do not exist.

    Parameters
    ----------
    settings : Settings
        Of the workspace.

    Returns
    -------
    list of str
        One line each, with its path in csa.yml.
    """
    lines = []
    for name in settings.data.tables:
        if name not in TABLES:
            hint = did_you_mean(name, TABLES) or "; docs/tables.md lists the tables"
            lines.append(f"{FILE}: data.tables.{name}: no such table{hint}")
        elif TABLES[name].ledger:
            lines.append(f"{FILE}: data.tables.{name}: comes from the ledger; remove it")
    for number, check in enumerate(settings.checks, 1):
        if check.table not in TABLES:
            hint = did_you_mean(check.table, TABLES) or "; docs/tables.md lists the tables"
            lines.append(f'{FILE}: checks[{number}].table: no table "{check.table}"{hint}')
        if check.source is not None and check.source not in settings.data.sources:
            hint = did_you_mean(check.source, settings.data.sources)
            lines.append(f'{FILE}: checks[{number}].source: no source "{check.source}"{hint}')
    return lines


def nothing_found(files: list[str]) -> str:
    """Say that no source holds a canonical table.

    Parameters
    ----------
    files : list of str
        Stems of files and names of tables that are there.

    Returns
    -------
    str
        With its path in csa.yml.
    """
    there = f" (there are {', '.join(files[:8])})" if files else ""
    return (
        f"{FILE}: data.sources: no canonical table found{there}; name files like the tables, as "
        "accounts.csv, or map yours under data.tables; `csa init FOLDER` proposes a mapping"
    )


def undated() -> str:
    """Say that nothing tells how far the data reach.

    Returns
    -------
    str
        With two ways out.
    """
    return (
        "no table says how far the data reach; add a table with dates, such as "
        f"subscriptions, or state data.last_day in {FILE}"
    )
