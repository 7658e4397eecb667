"""The command line: help with examples, one line per fault, the stated exit codes."""

import os
import subprocess
import sys

import pytest

COMMANDS = ["init", "check", "sample", "run", "version"]
SETTINGS = """\
version: 1
name: Acme
currency: EUR
timezone: Europe/Berlin
data:
  sources:
    files: {path: data}
  tables:
    accounts: {observed_from: always}
    subscriptions: {observed_from: always}
reports:
  monthly: {title: Monthly, chapters: [churn, data_quality], every: month}
"""
ACCOUNTS = "account_id,signed_up_on,segment\na,2026-01-05,small\nb,2026-02-01,large\n"
SUBSCRIPTIONS = (
    "subscription_id,account_id,start_on,end_on,mrr\n"
    "s1,a,2026-01-05,2026-10-11,10\n"
    "s2,b,2026-02-01,,20.50\n"
    "s3,b,2026-10-31,,5\n"
)


def csa(*arguments, cwd=None, **environment):
    kept = {k: v for k, v in os.environ.items() if k != "CSA_WORKSPACE"}
    return subprocess.run(
        [sys.executable, "-m", "csa", *map(str, arguments)],
        cwd=cwd,
        env={**kept, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "csa.yml").write_text(SETTINGS)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "data" / "subscriptions.csv").write_text(SUBSCRIPTIONS)
    return tmp_path


def refused(done, *lines, code=2):
    """One line per fault on stderr, nothing else, no traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr.splitlines() == list(lines)
    assert done.stdout == ""


def test_help_lists_commands():
    done = csa("--help")
    assert done.returncode == 0
    assert all(f"\n  {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", ["init", "check", "sample", "run"])
def test_help_of_each_command_has_examples(command):
    done = csa(command, "--help")
    assert done.returncode == 0
    assert f"Examples:\n    csa {command}" in done.stdout


def test_version_is_told():
    assert csa("version").stdout.startswith("csa 0.")


def test_run_without_settings_says_how_to_start(tmp_path):
    done = csa("run", "monthly", cwd=tmp_path)
    assert done.returncode == 2
    assert "`csa init FOLDER`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_run_says_every_fault_of_the_settings_at_once(workspace):
    text = SETTINGS.replace("Europe/Berlin", "Europe/Berln").replace("every", "evry")
    (workspace / "csa.yml").write_text(text)
    done = csa("run", "monthly", cwd=workspace)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3
    assert all(line.startswith("csa.yml: ") for line in done.stderr.splitlines())
    assert 'did you mean "every"' in done.stderr
    assert "Traceback" in csa("run", "monthly", "--debug", cwd=workspace).stderr


@pytest.mark.slow
def test_run_refuses_a_report_that_is_not_there(workspace):
    refused(
        csa("run", "montly", cwd=workspace),
        'csa.yml: reports: no report "montly"; did you mean "monthly"?; there are: monthly',
    )


@pytest.mark.slow
def test_run_refuses_a_period_that_is_not_over(workspace):
    done = csa("run", "monthly", "--period", "2126-01", "--workspace", workspace)
    assert done.returncode == 2
    assert "has not come yet; the newest complete one is 2026-10" in done.stderr
    assert not (workspace / "reports").exists()


@pytest.mark.slow
def test_run_refuses_wrong_parameters_before_anything_runs(workspace):
    text = SETTINGS.replace("every: month", "every: month, parameters: {churn: {bye: plan}}")
    (workspace / "csa.yml").write_text(text)
    refused(
        csa("run", "monthly", cwd=workspace),
        "csa.yml: reports.monthly.parameters.churn.bye: churn.ipynb has no such parameter;"
        ' did you mean "by"?',
    )
    assert not (workspace / "reports").exists()


@pytest.mark.slow
def test_check_says_all_that_cannot_be_read_at_once(workspace):
    (workspace / "data" / "accounts.csv").write_text("")
    (workspace / "data" / "subscriptions.csv").write_text("start_on\n2026-01-01\n")
    done = csa("check", cwd=workspace)
    assert done.returncode == 2
    assert "accounts" in done.stderr
    assert "subscriptions" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_check_tells_errors_by_its_exit_code(workspace):
    done = csa("check", cwd=workspace)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "subscriptions.csv" in done.stdout
    assert (workspace / "reports" / "ledger.sqlite").exists()
    (workspace / "data" / "accounts.csv").write_text(ACCOUNTS + "a,2026-03-01,small\n")
    done = csa("check", cwd=workspace)
    assert done.returncode == 1
    assert "error: accounts" in done.stdout
    assert "of 3 rows; for example a" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_sample_writes_a_company(tmp_path):
    done = csa("sample", "--accounts", "500", "--to", tmp_path / "new" / "sample")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new" / "sample" / "accounts.parquet").exists()
    assert csa("sample", "--accounts", "3", "--to", tmp_path).returncode == 2


@pytest.mark.slow
def test_init_proposes_settings_that_check_accepts(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "accounts.csv").write_text(ACCOUNTS)
    (folder / "subscriptions.csv").write_text(SUBSCRIPTIONS)
    done = csa("init", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "csa.yml").exists()
    again = csa("init", "mine", cwd=tmp_path)
    assert again.returncode == 2
    checked = csa("check", cwd=tmp_path)
    assert checked.returncode in {0, 1}, checked.stderr
    assert "lines are marked guess" in checked.stdout
    assert "data.tables.subscriptions: state observed_from" in checked.stdout


INTERRUPTED_FINALIZER = """
import signal, sys, time
from csa import __main__ as line

class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

@line.app.command()
def swallow():
    Finalized()
    time.sleep(30)

sys.argv = ["csa", "swallow"]
line.main()
"""


def test_a_stop_that_a_finalizer_swallows_stops_all_the_same():
    """Python drops what a finalizer raises, an interruption included."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_FINALIZER],
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
