"""Roll-ups as Parquet files that are made once: a file's name tells what it was made from.

Another input, last day, grace, currency, start of observation or code makes another file. Files
are written aside and renamed, so that a reader sees a whole file or none, and processes that want
the same one at the same time wait for the first.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import lru_cache
from pathlib import Path

from babel.numbers import get_currency_precision
from filelock import FileLock, Timeout

from csa.data.engine import engine_errors, first_line
from csa.data.recurring import require
from csa.data.rollups import ROLLUPS, RollupContext
from csa.data.sources import Tables
from csa.data.sources.fingerprint import digest
from csa.errors import InputError, RunError

WAIT_SECONDS = 3600  # for another process that makes the same file


def context(tables: Tables, name: str, *, as_of: date, grace_days: int) -> RollupContext:
    """Return what a roll-up depends on besides its rows.

    Parameters
    ----------
    tables : Tables
        The tables; their settings tell the currency.
    name : str
        One of `ROLLUPS`.
    as_of : date
        Last day that is known.
    grace_days : int
        Gaps up to this many days are not churn.

    Returns
    -------
    RollupContext
        With the start of observation that csa.yml states for the table.
    """
    return RollupContext(
        as_of=as_of,
        grace_days=grace_days,
        not_churn=tables.settings.data.not_churn,
        definitions=tables.settings.definitions.chosen,
        rates=tables.settings.dated_rates,
        exponent=get_currency_precision(tables.settings.currency),
        observed_from=tables.observed_from(ROLLUPS[name].needs),
    )


def file_of(tables: Tables, name: str, ctx: RollupContext) -> str:
    """Name the file of a roll-up.

    Parameters
    ----------
    tables : Tables
        The tables.
    name : str
        One of `ROLLUPS`.
    ctx : RollupContext
        What it depends on besides its rows.

    Returns
    -------
    str
        As in spells-0a1b2c3d4e5f6789.parquet.
    """
    needs = ROLLUPS[name].needs
    key = digest(
        {
            "table": needs,
            "input": tables.fingerprint(needs),
            "as_of": ctx.as_of.isoformat(),
            "grace_days": ctx.grace_days,
            "not_churn": ctx.not_churn,
            "revenue": (ctx.definitions.discounts, ctx.definitions.churn_at),
            "exponent": ctx.exponent,
            "observed_from": str(ctx.observed_from),
            "code": code_version(),
        }
    )
    return f"{name}-{key}.parquet"


def materialise(tables: Tables, name: str, folder: Path, *, as_of: date, grace_days: int) -> Path:
    """Return the file of a roll-up, made if it is not there yet.

    Parameters
    ----------
    tables : Tables
        The tables as known on `as_of`.
    name : str
        One of `ROLLUPS`.
    folder : Path
        Where the files are kept.
    as_of : date
        Last day that is known.
    grace_days : int
        Gaps up to this many days are not churn.

    Returns
    -------
    Path
        Parquet.

    Raises
    ------
    NotAvailable
        If its table is absent, or a column that the definitions of csa.yml need.
    InputError
        If its table cannot be read to the end.
    """
    rollup = ROLLUPS[name]
    ctx = context(tables, name, as_of=as_of, grace_days=grace_days)
    if name == "account_months":
        require(ctx.definitions, tables.mapped(rollup.needs))
    table = tables.native(rollup.needs) if rollup.native else tables.table(rollup.needs)
    rows = rollup.build(table, ctx)
    backend = tables.backend(rollup.needs)

    def write(target: Path) -> None:
        try:
            backend.to_parquet(rows, target)
        except engine_errors() as error:
            raise InputError(f"{rollup.needs} cannot be rolled up: {first_line(error)}") from error

    return keep(folder / file_of(tables, name, ctx), write)


def keep(file: Path, write: Callable[[Path], None]) -> Path:
    """Return a file, made by `write` if it is not there yet.

    Parameters
    ----------
    file : Path
        Where it is kept.
    write : callable
        Makes it at the path it is given.

    Returns
    -------
    Path
        The file, whole.

    Raises
    ------
    RunError
        If it cannot be written, or another process does not finish it.
    """
    if file.exists():
        return file
    aside = file.with_name(f".{file.stem}-{os.getpid()}-{secrets.token_hex(4)}{file.suffix}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f".{file.name}.lock"), timeout=WAIT_SECONDS):
            if not file.exists():
                write(aside)
                aside.replace(file)
    except Timeout as error:
        raise RunError(f"{file.name}: another process has not finished it; try again") from error
    except OSError as error:
        raise RunError(f"{file.name}: cannot be written to .csa: {error.strerror}") from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    return file


@lru_cache(maxsize=1)
def code_version() -> str:
    """Digest the code that reads, checks and rolls up data.

    Returns
    -------
    str
        16 hexadecimal digits; another version makes other files.
    """
    here = Path(__file__).parent
    files = sorted(here.rglob("*.py"))
    return digest(
        {str(f.relative_to(here)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    )
