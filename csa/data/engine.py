"""Connections: DuckDB in the process, DuckDB files, any database that Ibis reaches by URL."""

import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import ibis
from ibis.backends import BaseBackend
from ibis.common.exceptions import IbisError
from sqlglot.errors import SqlglotError

from csa.data.spark import SCHEME, open_spark
from csa.errors import ConfigError

MEMORY_SHARE = 0.4  # of the machine's memory per process: chapters run two at a time
CONNECT_SECONDS = 10
# Drivers raise their own errors; where they are depends on what is installed and in use.
_DRIVER_ERRORS = (
    ("duckdb", "Error"),
    ("psycopg", "Error"),
    ("sqlite3", "Error"),
    ("pymysql", "Error"),
    ("MySQLdb", "Error"),
    ("pyodbc", "Error"),
    ("oracledb", "Error"),
    ("snowflake.connector", "Error"),
    ("trino.exceptions", "Error"),
    ("pyspark.errors", "PySparkException"),
    ("google.api_core.exceptions", "GoogleAPIError"),
)


def engine_errors(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """Return the exceptions with which engines refuse a query.

    Parameters
    ----------
    *more : exception type
        Further ones to expect.

    Returns
    -------
    tuple of exception types
        Of Ibis, sqlglot and every driver that has been imported.
    """
    drivers = [
        getattr(sys.modules[module], name)
        for module, name in _DRIVER_ERRORS
        if module in sys.modules and hasattr(sys.modules[module], name)
    ]
    return (IbisError, SqlglotError, *drivers, *more)


def open_engine(root: Path | None = None) -> BaseBackend:
    """Open DuckDB in this process.

    Parameters
    ----------
    root : Path, optional
        Folder of the workspace; what does not fit into memory is spilled below its `.csa`.

    Returns
    -------
    BaseBackend
        Ibis backend without any table.
    """
    return ibis.duckdb.connect(**_limits(root))


def open_file(path: Path, root: Path) -> BaseBackend:
    """Open a DuckDB file, read-only.

    Parameters
    ----------
    path : Path
        The file.
    root : Path
        Folder of the workspace.

    Returns
    -------
    BaseBackend
        Ibis backend.
    """
    return ibis.duckdb.connect(path, read_only=True, **_limits(root))


def open_url(url: str) -> BaseBackend:
    """Connect to a database.

    Parameters
    ----------
    url : str
        As in postgresql://user:password@host:5432/database; for Spark see `csa.data.spark`.

    Returns
    -------
    BaseBackend
        Ibis backend.

    Raises
    ------
    ConfigError
        If it cannot be reached; the message holds neither user nor password.
    """
    options: dict[str, Any] = {}
    if urlsplit(url).scheme.startswith("postgres") and "connect_timeout" not in url:
        options["connect_timeout"] = CONNECT_SECONDS
    import_drivers(url)
    try:
        if urlsplit(url).scheme == SCHEME:
            return open_spark(url)
        return ibis.connect(url, **options)
    except engine_errors(OSError, ImportError, ValueError) as error:
        fault = scrub(first_line(error), url)
        raise ConfigError(f"{shown_url(url)} cannot be reached: {fault}") from None


def import_drivers(url: str) -> None:
    """Import the driver early, so that its errors are known before it connects.

    Parameters
    ----------
    url : str
        Database URL; only its scheme is read.
    """
    if urlsplit(url).scheme.startswith("postgres"):
        try:
            import psycopg  # noqa: F401, PLC0415 (an optional extra)
        except ImportError:
            raise ConfigError(
                "the driver for PostgreSQL is not installed; install csa[postgres]"
            ) from None


def shown_url(url: str) -> str:
    """Return a URL as it may be shown: without user, password and options.

    Parameters
    ----------
    url : str
        Database URL.

    Returns
    -------
    str
        As in postgresql://host:5432/database.
    """
    parts = urlsplit(url)
    if "://" not in url:
        return "what it holds is no URL and"
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # not a number
        port = ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def scrub(text: str, url: str) -> str:
    """Remove everything secret about a URL from a text.

    Parameters
    ----------
    text : str
        For example an error message of a driver.
    url : str
        Database URL.

    Returns
    -------
    str
        The text with the URL, its user, password and options masked.
    """
    parts = urlsplit(url)
    secrets = {url, parts.netloc.rpartition("@")[0], parts.query, parts.password, parts.username}
    secrets |= {unquote(s) for s in secrets if s}
    for secret in sorted((s for s in secrets if s), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def first_line(error: BaseException) -> str:
    """Return the essence of an engine's error message.

    Parameters
    ----------
    error : BaseException
        From DuckDB, a driver or Ibis.

    Returns
    -------
    str
        One line, at most 300 characters, without the engine's own advice.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    text = re.sub(r"^(?:Invalid Input|Binder|Catalog|Parser|Conversion|IO) Error: ", "", text)
    return text if len(text) <= 300 else text[:297] + "..."


def _limits(root: Path | None) -> dict[str, Any]:
    limits: dict[str, Any] = {"autoinstall_known_extensions": False}  # nothing is fetched unasked
    if hasattr(os, "sysconf"):  # elsewhere DuckDB's own limits hold
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        limits["memory_limit"] = f"{int(memory * MEMORY_SHARE / 2**20)}MiB"
    if hasattr(os, "sched_getaffinity"):
        limits["threads"] = len(os.sched_getaffinity(0))
    if root is None:
        return limits | {"temp_directory": ""}
    spill = root / ".csa"
    try:
        spill.mkdir(exist_ok=True)
    except OSError:  # a workspace that cannot be written to: nothing is spilled
        return limits | {"temp_directory": ""}
    return limits | {"temp_directory": str(spill / f"spill-{os.getpid()}")}
