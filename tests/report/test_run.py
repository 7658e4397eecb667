"""From data to an edition in its place; whatever goes wrong, the earlier edition stays."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from csa import settings as csa_settings
from csa.data.sources import Tables
from csa.errors import ConfigError, InputError, RunError
from csa.report import run as runs
from csa.report.run import run_report

pytestmark = pytest.mark.slow

SETTINGS = """\
version: 1
name: Acme {{brace}}
currency: EUR
timezone: Europe/Berlin
data:
  sources:
    files: {{path: data}}
  tables:
    accounts: {{observed_from: always}}
    subscriptions: {{observed_from: always}}
reports:
  monthly: {{title: Monthly, chapters: [{chapters}], every: month, formats: [html]}}
"""
ACCOUNTS = "account_id,signed_up_on,segment\na,2026-01-05,small\nb,2026-02-01,large\n"
SUBSCRIPTIONS = (
    "subscription_id,account_id,start_on,end_on,mrr\n"
    "s1,a,2026-01-05,2026-10-11,10\n"
    "s2,b,2026-02-01,,20.50\n"
    "s3,b,2026-10-31,,5\n"
)
PARAMETERS = """\
as_of: str = "2000-01-31"  # last day included
word: str = "none"  # a word
"""
FINDING = """\
from csa.data.workspace import open_workspace
from csa.present.items import Finding
n = int(open_workspace(as_of=as_of).rollup("spells").count().to_pyarrow().as_py())
Finding(id="left", title="Left", text=f"{n} of them", evidence=as_of, action=word, status="bad")
"""
CHART = """\
import pandas as pd
from csa.present.items import Chart
Chart(id="curve", title="How long?", alt="a line", svg="<svg xmlns='http://www.w3.org/2000/svg'/>",
      svg_narrow="<svg xmlns='http://www.w3.org/2000/svg'/>", data=pd.DataFrame({"n": ["=1"]}))
"""


def chapter(root, name, *sources):
    folder = root / "notebooks"
    folder.mkdir(exist_ok=True)
    cells = [
        new_markdown_cell(f"# {name.capitalize()}\nWhat of {name}?"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        *(new_code_cell(source) for source in sources),
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": spec})
    nbformat.write(notebook, folder / f"{name}.ipynb")


def configure(root, *chapters):
    (root / "csa.yml").write_text(SETTINGS.format(chapters=", ".join(chapters)))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "data" / "subscriptions.csv").write_text(SUBSCRIPTIONS)
    chapter(tmp_path, "good", FINDING, CHART)
    chapter(tmp_path, "broken", FINDING, "1 / 0")
    chapter(tmp_path, "nps", "open_nothing = 1", NO_TABLE)
    configure(tmp_path, "good")
    return tmp_path


NO_TABLE = """\
from csa.data.workspace import open_workspace
open_workspace(as_of=as_of).tables.table("surveys")
"""


def make(root, **kwargs):
    return run_report(csa_settings.load(root / "csa.yml"), "monthly", **kwargs)


def earlier(root):
    """Put an earlier edition into its place; returns what must stay there."""
    folder = root / "reports" / "monthly" / "2026-10"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("earlier")
    return contents(folder)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def ledger(root, table="report_runs"):
    with Tables(csa_settings.load(root / "csa.yml")) as tables:
        return tables.table(table).to_pyarrow().to_pylist()


def test_run_report_puts_an_edition_in_its_place(root):
    made = make(root)
    folder = root / "reports" / "monthly" / "2026-10"
    assert made.folder == folder
    assert (made.html, made.pdf) == (folder / "report.html", None)
    assert sorted(str(p) for p in contents(folder)) == [
        "data/curve.csv",
        "notebooks/good.ipynb",
        "report.html",
        "run.json",
    ]
    assert (folder / "data" / "curve.csv").read_text() == "n\n'=1\n"
    record = json.loads((folder / "run.json").read_text())
    assert record["edition"] == "monthly/2026-10"
    assert record["period"]["as_of"] == "2026-10-31"
    assert record["parameters"] == {"good": {"as_of": "2026-10-31"}}
    assert record["status"] == "ok"
    assert [f["text"] for f in record["findings"]] == ["2 of them"]
    assert record["findings"][0]["evidence"] == "2026-10-31"
    assert {row["table"]: row["rows"] for row in record["data"]} == {
        "accounts": 2,
        "subscriptions": 3,
    }
    assert {"check", "quality", "roll-ups", "chapters", "html"} <= set(record["stages"])
    assert "2 of them" in made.html.read_text("utf-8")
    assert "monthly/2026-10/report.html" in (root / "reports" / "index.html").read_text("utf-8")
    assert str(root) not in (folder / "notebooks" / "good.ipynb").read_text()


def test_run_report_records_runs_and_checks_as_tables(root):
    make(root, clock=lambda: datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    (row,) = ledger(root)
    assert (row["edition"], row["revision"], row["status"]) == ("monthly/2026-10", 1, "ok")
    assert str(row["started_at"]) == "2026-11-22 13:00:00"
    assert json.loads(row["stages"]).keys() >= {"chapters", "write"}
    checks = ledger(root, "data_checks")
    assert {check["table"] for check in checks} == {"accounts", "subscriptions"}
    assert {check["edition"] for check in checks} == {"monthly/2026-10"}


def test_run_report_numbers_revisions_by_what_changed(root):
    first = make(root).edition
    again = make(root).edition
    assert (first.revision, again.revision) == (1, 1)
    assert first.fingerprint == again.fingerprint
    (root / "data" / "subscriptions.csv").write_text(SUBSCRIPTIONS + "s4,a,2026-10-30,,7\n")
    assert make(root).edition.revision == 2
    chapter(root, "good", FINDING)
    third = make(root).edition
    assert third.revision == 3
    assert len(ledger(root)) == 3
    record = json.loads((root / "reports/monthly/2026-10/run.json").read_text())
    assert record["revision"] == 3
    assert not (root / "reports/monthly/2026-10/data").exists()


def test_run_report_goes_on_without_what_is_missing_or_fails(root):
    configure(root, "good", "nps", "broken")
    made = make(root)
    pages = {page.name: page for page in made.edition.chapters}
    assert {name: page.status for name, page in pages.items()} == {
        "good": "ok",
        "nps": "unavailable",
        "broken": "failed",
    }
    assert made.edition.status == "chapter failed"
    assert "surveys" in pages["nps"].problem[0]
    assert "ZeroDivisionError" in pages["broken"].problem[0]
    assert [f.chapter for f in made.edition.findings] == ["good"]
    kept = (made.folder / "notebooks" / "broken.ipynb").read_text()
    assert "ZeroDivisionError" in kept
    assert ledger(root)[0]["status"] == "chapter failed"


def test_a_failed_chapter_is_told_by_the_exit_code(root):
    configure(root, "good", "broken")
    done = subprocess.run(
        [sys.executable, "-m", "csa", "run", "monthly", "--workspace", str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == ""
    failed, page, stages, verdict = done.stdout.splitlines()
    assert failed == 'broken: failed: In "Broken": ZeroDivisionError: division by zero'
    assert page.endswith("reports/monthly/2026-10/report.html")
    assert re.search(r"check \d+\.\d s, .*; total \d+\.\d s$", stages)
    assert verdict == "Monthly, October 2026: ◆ Bad - 2 of them"


def test_run_report_keeps_the_last_good_edition_when_everything_fails(root):
    before = earlier(root)
    configure(root, "broken")
    made = make(root)
    assert made.edition.status == "failed"
    assert made.folder == root / "reports" / "monthly" / "2026-10.failed"
    assert (made.folder / "notebooks" / "broken.ipynb").exists()
    assert contents(root / "reports" / "monthly" / "2026-10") == before
    assert [row["status"] for row in ledger(root)] == ["failed"]
    configure(root, "good")
    make(root)
    assert not made.folder.exists()


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda root: (root / "data/accounts.csv").write_text(""), InputError),
        (lambda root: (root / "data/accounts.csv").write_text("x\n1\n"), InputError),
        (lambda root: (root / "csa.yml").write_text("name: x"), ConfigError),
        (lambda root: configure(root, "good", "nothing"), ConfigError),
        (lambda root: (root / "notebooks/good.ipynb").write_text("no notebook"), ConfigError),
    ],
    ids=["empty file", "missing column", "csa.yml", "no such chapter", "no notebook"],
)
def test_run_report_changes_nothing_when_input_is_wrong(root, spoil, error):
    before = earlier(root)
    spoil(root)
    with pytest.raises(error):
        make(root)
    assert contents(root / "reports" / "monthly" / "2026-10") == before


def test_run_report_makes_nothing_for_a_period_that_is_not_over(root):
    with pytest.raises(InputError, match="has not come yet"):
        make(root, period="2126-01")
    with pytest.raises(InputError, match="the data end on 2026-10-31"):
        make(
            root,
            period="2026-11",
            clock=lambda: datetime(2026, 12, 24, tzinfo=UTC),
        )
    assert not (root / "reports").exists()


def test_run_report_shows_a_period_without_data(root):
    made = make(root, period="2025-03")
    (page,) = made.edition.chapters
    assert page.status == "unavailable"
    assert "there is no row on or before 2025-03-31" in "".join(page.problem)
    assert made.edition.status == "ok"


def test_run_report_leaves_the_edition_when_the_page_cannot_be_made(root, monkeypatch):
    before = earlier(root)

    def fail(*_):
        raise RunError("disk full")

    monkeypatch.setattr("csa.report.render.render_html", fail)
    with pytest.raises(RunError, match="disk full"):
        make(root)
    assert contents(root / "reports" / "monthly" / "2026-10") == before
    assert [row["status"] for row in ledger(root)] == ["failed"]
    assert not (root / "reports" / ".work" / "monthly" / "2026-10.new").exists()


def test_run_report_makes_the_page_where_print_cannot_be_made(root, monkeypatch):
    text = (root / "csa.yml").read_text().replace("formats: [html]", "formats: [html, pdf]")
    (root / "csa.yml").write_text(text)

    def fail(*_):
        raise RunError("no PDF: the Pango library is missing")

    monkeypatch.setattr("csa.report.render.render_pdf", fail)
    made = make(root)
    assert (made.html is not None, made.pdf) == (True, None)
    assert made.notes == ("no PDF: the Pango library is missing",)
    assert made.edition.status == "ok"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_run_report_can_be_stopped_and_run_again(root, number):
    before = earlier(root)
    chapter(root, "good", "import pathlib, time\npathlib.Path('up').touch()\ntime.sleep(600)")
    process = subprocess.Popen(
        [sys.executable, "-m", "csa", "run", "monthly", "--workspace", str(root)],
        env={k: v for k, v in os.environ.items() if k != "CSA_WORKSPACE"},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (root / "notebooks" / "up").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    kernels = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-9 if number == signal.SIGKILL else 130), said
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(kernels, timeout=30)
    assert alive == []
    assert contents(root / "reports" / "monthly" / "2026-10") == before
    chapter(root, "good", FINDING)
    assert make(root).edition.status == "ok"
    assert not list((root / "reports" / ".work").rglob("*.new"))


def test_now_can_be_fixed_for_files_that_are_the_same(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    assert runs.now() == datetime.fromtimestamp(1790000000, UTC)
