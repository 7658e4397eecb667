"""Checks of one's own: SQL in csa.yml that returns the keys of rows at fault."""

from collections.abc import Mapping, Sequence

from csa.data.engine import engine_errors, first_line
from csa.data.rules import EXAMPLES, Check, spelled
from csa.data.sources import Tables
from csa.errors import InputError, NotAvailable
from csa.settings import FILE, OwnCheck


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


def _run(tables: Tables, check: OwnCheck, total: int) -> Check:
    rows = tables.sql(check.sql)
    backend = rows.get_backend()
    failing = int(backend.to_pyarrow(rows.count()).as_py())
    key = rows.columns[0]
    first: tuple[str, ...] = ()
    if failing:
        keys = rows.select(key=key).distinct().order_by("key").limit(EXAMPLES)
        first = tuple(spelled(v) for v in backend.to_pyarrow(keys)["key"].to_pylist())
    return Check(
        table=check.table,
        column=key,
        check="own",
        severity=check.severity,
        failing=failing,
        rows=total,
        examples=first,
        message=check.name,
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
