"""Fixtures for all tests: a PostgreSQL server of one's own."""

import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_START_SECONDS = 30
_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Let children be interrupted: a shell's background jobs inherit SIGINT switched off."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a database as slow, and let them share one server in one worker."""
    for item in items:
        if "postgres_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("postgres"))
        if "spark_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("spark"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a throw-away PostgreSQL server, without the name of a database."""
    pytest.importorskip("psycopg", reason="the driver for PostgreSQL (csa[postgres]) is missing")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    user = _user()
    if user == "":
        pytest.skip("PostgreSQL does not run as root and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="csa-postgres-"))
    try:
        with _running(programs, folder, user) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL, with password, of an empty PostgreSQL database that is dropped afterwards."""
    import psycopg  # noqa: PLC0415 (an optional extra)

    name = f"csa_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield f"{postgres_server}/{name}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def spark_url() -> Iterator[str]:
    """URL of a Spark of one's own in this process; its session runs until the end."""
    pytest.importorskip("pyspark", reason="Spark (csa[spark]) is not installed")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed (Debian: openjdk-17-jre-headless)")
    from pyspark.sql import SparkSession  # noqa: PLC0415 (an optional extra)

    from csa.data.spark import open_spark  # noqa: PLC0415

    folder = Path(tempfile.mkdtemp(prefix="csa-spark-"))
    here = "spark.driver.host=127.0.0.1&spark.driver.bindAddress=127.0.0.1"
    url = f"pyspark://{folder}?spark.master=local[2]&spark.sql.shuffle.partitions=2&{here}"
    try:
        open_spark(url)
        yield url
    finally:
        SparkSession.getActiveSession().stop()
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Folder of initdb and postgres, which Debian keeps out of the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda p: int(p.parent.name), default=None)


def _user() -> str | None:
    """User to run the server as: None for oneself, "" where there is none."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return ""


@contextmanager
def _running(programs: Path, folder: Path, user: str | None) -> Iterator[str]:
    identity = {"user": user, "group": user, "extra_groups": []} if user else {}
    password = secrets.token_urlsafe(12)
    secret = folder / "password"
    secret.write_text(password, encoding="utf-8")
    if user:
        for path in (folder, secret):
            shutil.chown(path, user, user)
    data = folder / "data"
    subprocess.run(
        [
            *(programs / "initdb", "--pgdata", data, "--username", "csa", "--pwfile", secret),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"),
        ],
        check=True,
        capture_output=True,
        cwd=folder,
        **identity,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [
            *(programs / "postgres", "-D", data, "-p", str(port), "-k", folder),
            *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"),
        ],
        stdout=log,
        stderr=log,
        cwd=folder,
        **identity,
    )
    try:
        url = f"postgresql://csa:{password}@127.0.0.1:{port}"
        _wait(url, server, folder / "log")
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown
        server.wait(timeout=_START_SECONDS)
        log.close()


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg  # noqa: PLC0415 (an optional extra)

    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
