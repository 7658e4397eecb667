"""The ledger: rows are only added, and the last statement per key counts."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from csa.data.schema import TABLES
from csa.errors import RunError
from csa.report.ledger import Ledger

BERLIN = ZoneInfo("Europe/Berlin")
STARTED = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
LOCAL = datetime.fromisoformat("2026-11-01 07:00")  # the same moment in Berlin


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "reports" / "ledger.sqlite", BERLIN)


def run_row(**changes):
    row = {
        "edition": "monthly/2026-10",
        "revision": 1,
        "started_at": STARTED,
        "status": "running",
        "fingerprint": "aaa",
    }
    return {**row, **changes}


def test_ledger_returns_what_was_added_in_the_workspaces_zone(ledger):
    ledger.append("report_runs", [run_row(stages='{"read": 0.5}')])
    (row,) = ledger.read("report_runs")
    assert row["started_at"] == LOCAL
    assert row["stages"] == '{"read": 0.5}'
    assert row["finished_at"] is None


def test_ledger_last_statement_per_key_counts(ledger):
    ledger.append("report_runs", [run_row(), run_row(edition="monthly/2026-09")])
    ledger.append("report_runs", [run_row(status="ok", finished_at=STARTED)])
    assert [(r["edition"], r["status"]) for r in ledger.read("report_runs")] == [
        ("monthly/2026-09", "running"),
        ("monthly/2026-10", "ok"),
    ]


def test_ledger_tables_without_key_keep_every_row(ledger):
    check = {"checked_at": STARTED, "table": "accounts", "check": "schema", "severity": "error"}
    ledger.append("data_checks", [{**check, "failing": 0}, {**check, "failing": 0}])
    assert len(ledger.read("data_checks")) == 2


def test_ledger_refuses_changes(ledger):
    ledger.append("report_runs", [run_row()])
    with closing(sqlite3.connect(ledger.path)) as connection:
        for statement in ("UPDATE report_runs SET status = 'ok'", "DELETE FROM report_runs"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


@pytest.mark.parametrize("name", [t.name for t in TABLES.values() if t.ledger])
def test_ledger_keeps_every_kind_of_value(ledger, name):
    example = {
        "id": "a'1",
        "text": "ü <b>",
        "date": date(2026, 2, 28),
        "time": STARTED,
        "number": 0.25,
        "integer": 3,
        "flag": True,
    }
    row = {c.name: example[c.kind] for c in TABLES[name].columns}
    ledger.append(name, [row])
    local = {c.name for c in TABLES[name].columns if c.kind == "time"}
    expected = {k: LOCAL if k in local else v for k, v in row.items()}
    assert ledger.read(name) == [expected]


def test_ledger_is_empty_before_the_first_row(ledger):
    assert ledger.read("alerts") == []
    assert not ledger.path.exists()
    ledger.append("report_runs", [run_row()])
    assert ledger.read("alerts") == []


def test_revision_counts_changes_not_runs(ledger):
    assert ledger.revision("monthly/2026-10", "aaa") == 1
    ledger.append("report_runs", [run_row()])
    assert ledger.revision("monthly/2026-10", "aaa") == 1
    assert ledger.revision("monthly/2026-10", "bbb") == 2
    assert ledger.revision("monthly/2026-09", "bbb") == 1
    ledger.append("report_runs", [run_row(revision=2, fingerprint="bbb")])
    assert ledger.revision("monthly/2026-10", "aaa") == 1
    assert ledger.revision("monthly/2026-10", "ccc") == 3


def test_ledger_adds_columns_that_a_newer_version_declares(ledger):
    ledger.path.parent.mkdir()
    with closing(sqlite3.connect(ledger.path)) as connection, connection:
        connection.execute(
            "CREATE TABLE report_runs (seq INTEGER PRIMARY KEY, recorded_at TEXT NOT NULL,"
            " edition TEXT, revision INTEGER) STRICT"
        )
        connection.execute("INSERT INTO report_runs VALUES (1, '2026-01-01', 'daily/x', 1)")
    ledger.append("report_runs", [run_row()])
    assert [r["fingerprint"] for r in ledger.read("report_runs")] == [None, "aaa"]


def test_ledger_refuses_rows_that_do_not_fit(ledger):
    with pytest.raises(ValueError, match="missing"):
        ledger.append("report_runs", [{"edition": "monthly/2026-10"}])
    with pytest.raises(ValueError, match="unknown"):
        ledger.append("report_runs", [run_row(colour="red")])
    with pytest.raises(ValueError, match="no time zone"):
        ledger.append("report_runs", [run_row(started_at=LOCAL)])
    with pytest.raises(ValueError, match="no ledger table"):
        ledger.append("accounts", [])
    assert ledger.read("report_runs") == []


def test_ledger_that_is_no_database_is_one_clear_error(ledger):
    ledger.path.parent.mkdir()
    ledger.path.write_text("not a database" * 100)
    with pytest.raises(RunError, match=r"ledger\.sqlite: file is not a database"):
        ledger.append("report_runs", [run_row()])


def test_ledger_takes_rows_from_several_writers(ledger):
    def write(number):
        for revision in range(1, 11):
            ledger.append("report_runs", [run_row(edition=f"daily/{number}", revision=revision)])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.read("report_runs")) == 40
