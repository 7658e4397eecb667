"""Checks of one's own: SQL in csa.yml that returns the keys of rows at fault."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from csa.data.engine import engine_errors, first_line
from csa.data.quality.rules import EXAMPLES, Check, spelled
from csa.data.sources import Tables
from csa.errors import InputError, NotAvailable
from csa.settings import FILE, OwnCheck, Settings


def run_own(tables: Tables, checks: Sequence[OwnCheck], sizes: Mapping[str, int]) -> list[Check]:
    """Run the checks of csa.yml.

    Parameters
    ----------
    tables : Tables
        The tables as known on a day.
    checks : sequence of OwnCheck
        From csa.yml.
    sizes : mapping of str to int
        Rows by table.

    Returns
    -------
    list of Check
        Rows that a query returns are at fault; a check whose table is absent is a warning.

    Raises
    ------
    InputError
        With all checks whose SQL an engine refuses.
    """
    found: list[Check] = []
    faults: list[str] = []
    for number, check in enumerate(checks, 1):
        place = f"{FILE}: checks[{number}].sql"
        try:
            found.append(_run(tables, check, sizes.get(check.table, 0)))
        except NotAvailable as error:
            found.append(_not_run(check, error))
        except InputError as error:
            faults += [f"{place}: {line}" for line in error.faults]
        except engine_errors() as error:
            faults.append(f"{place}: {first_line(error)}")
    if faults:
        raise InputError(*faults)
    return found


def extent(settings: Settings) -> list[str]:
    """Tell one state of the sources that own checks query as they are from another.

    Parameters
    ----------
    settings : Settings
        Of the workspace.

    Returns
    -------
    list of str
        Size and age of their files; a database by URL is taken to stay as it is.
    """
    found = []
    for name in sorted({c.source for c in settings.checks if c.source is not None}):
        source = settings.data.sources.get(name)
        if source is None or source.url_env is not None:
            continue
        base = os.environ.get(source.path_env, "") if source.path_env else ""
        place = settings.root / base / (source.database or source.path or ".")
        found += [f"{name}/{state}" for state in _files(place)]
    return found


def _files(place: Path) -> list[str]:
    paths = [place] if place.is_file() else place.glob("*") if place.is_dir() else []
    stats = ((p.name, p.stat()) for p in paths if p.is_file())
    return sorted(f"{name}:{stat.st_size}:{stat.st_mtime_ns}" for name, stat in stats)


def _run(tables: Tables, check: OwnCheck, total: int) -> Check:
    rows = tables.sql(check.sql, source=check.source)
    backend = rows.get_backend()
    key = rows.columns[0]
    keys = rows.select(key=key).group_by("key").agg(times=lambda t: t.count())
    keys = keys.mutate(total=keys.times.sum().over()).order_by("key").limit(EXAMPLES)
    first = backend.to_pyarrow(keys).to_pylist()  # one query: it may be slow
    return Check(
        table=check.table,
        column=key,
        check="own",
        severity=check.severity,
        failing=int(first[0]["total"]) if first else 0,
        rows=total,
        examples=tuple(spelled(row["key"]) for row in first),
        message=f"own check fails: {check.name}",
        fix=check.fix,
    )


def _not_run(check: OwnCheck, error: NotAvailable) -> Check:
    reason = error.faults[0].partition(";")[0]
    return Check(
        table=check.table,
        column="",
        check="own",
        severity="warning",
        failing=1,
        rows=0,
        examples=(),
        message=f"{check.name}: could not be checked, because {reason}",
        fix=f"add the table, or remove the check from {FILE}",
    )
