"""The chapter on risk in a real edition: its outline, its predictions, its readers outside."""

import csv
import json
import os
import re
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import nbformat
import pytest

from csa.data.workspace import open_workspace
from csa.present.items import CHART, FINDING, TABLE
from csa.report.engine import Task, run_chapters
from csa.report.environment import kernel_environment
from csa.report.predictions import earlier_predictions

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "risk.ipynb"
PERIOD = {"as_of": "2026-10-31", "start": "2026-10-01", "end": "2026-11-01"}
SECONDS = 120  # as every chapter on sample data
OUTLINE = """\
## Who should be called this week?
finding: accounts-to-call
chart: accounts-to-call-chart
table: accounts-to-call-list
## How much revenue is at risk?
finding: revenue-at-risk
chart: revenue-at-risk-chart
table: revenue-at-risk-by-group
## What drives the risk?
finding: risk-drivers
chart: risk-signs
chart: risk-effects
table: risk-drivers-list
## Can the risk be trusted?
finding: risk-trust
finding: risk-leaks
chart: risk-calibration
table: risk-figures
table: risk-leaks-list
## How many of those who leave does the list find?
finding: risk-targets
chart: risk-gain
table: risk-targets-list
table: risk-lift
## Which model makes the risk?
finding: risk-model
table: risk-models
## What became of those flagged earlier?
finding: flagged-earlier
table: flagged-earlier-list
"""
KINDS = {FINDING: "finding", CHART: "chart", TABLE: "table"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def executed(edition):
    return nbformat.read(edition.folder / "notebooks" / "risk.ipynb", as_version=4)


def parts(notebook):
    """Machine-readable parts by id."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for mime in KINDS:
                if mime in output.get("data", {}):
                    found[output.data[mime]["id"]] = output.data[mime]
    return found


def test_outline_is_what_readers_are_used_to(executed):
    lines = []
    for cell in executed.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            lines.append(cell.source)
        for output in cell.get("outputs", []):
            lines += [f"{KINDS[m]}: {output.data[m]['id']}" for m in KINDS if m in output.data]
    assert "\n".join(lines) + "\n" == OUTLINE


def test_the_list_tells_who_why_what_to_do_and_who_owns_it(executed, edition):
    shown = parts(executed)
    rows = shown["accounts-to-call-list"]["rows"]
    assert 0 < len(rows) <= 20
    for row in rows:
        assert row["account"]
        assert 0 < row["risk"] < 1
        assert row["mrr"] > 0
        assert row["why"]
        assert row["next_step"].endswith((".", "?"))
        assert re.fullmatch(r"CSM \d+", row["owner"])
    with (edition.folder / "data" / "accounts-to-call-chart.csv").open(encoding="utf-8") as file:
        exported = list(csv.DictReader(file))
    assert [row["account"] for row in exported[: len(rows)]] == [row["account"] for row in rows]
    assert len(exported) == shown["accounts-to-call"]["measure"]["value"]


def test_the_verdict_says_what_can_be_reached(executed):
    finding = parts(executed)["risk-targets"]
    assert finding["status"] == "bad"
    assert re.search(r"not reachable on these data: .* at best \d+% of the", finding["text"])
    assert "base rate" in finding["evidence"]
    assert "months" in finding["evidence"]


def test_predictions_are_kept_with_the_edition_and_not_by_hand(executed, edition, tmp_path):
    ledger = edition.workspace.parent / "reports" / "ledger.sqlite"
    counted = "SELECT model, made_on, count(*), sum(flagged) FROM predictions GROUP BY 1, 2"
    with closing(sqlite3.connect(ledger)) as connection:
        rows = connection.execute(counted).fetchall()
    ((model, day, many, flagged),) = [r for r in rows if r[1] == "2026-10-31"]
    assert model == "churn risk, all"
    shown = parts(executed)
    assert many == shown["accounts-to-call"]["measure"]["n"]
    assert flagged == len(shown["accounts-to-call-list"]["rows"])
    workspace = open_workspace(as_of="2026-11-01", path=edition.workspace)
    found = earlier_predictions(workspace, model=model, before=date(2026, 11, 1))
    assert found.count().to_pyarrow().as_py() == many
    by_hand(edition, tmp_path)
    with closing(sqlite3.connect(ledger)) as connection:
        assert connection.execute(counted).fetchall() == rows
    assert day == PERIOD["as_of"]


def by_hand(edition, folder, **parameters):
    """Run the notebook as JupyterLab would, without a run around it."""
    task = Task(
        name="risk",
        notebook=NOTEBOOK,
        parameters={**PERIOD, **parameters},
        output=folder / "risk.ipynb",
    )
    environment = kernel_environment(os.environ, workspace=edition.workspace)
    (run,) = run_chapters([task], environment=environment)
    assert (run.status, run.problem) == ("ok", ())
    assert run.seconds < SECONDS
    return run.notebook


def test_readers_outside_see_no_account(executed, edition, tmp_path):
    rows = parts(executed)["accounts-to-call-list"]["rows"]
    notebook = by_hand(edition, tmp_path, audience="external")
    said = json.dumps(notebook)
    for row in rows:
        assert row["account"] not in said
    assert not re.search(r"\bA\d{8}\b|CSM \d", said)
    assert "by segment" in parts(notebook)["accounts-to-call-list"]["title"]


def test_without_use_its_signs_are_left_out_and_said(edition, tmp_path):
    base = edition.workspace.parent
    (tmp_path / "sample").mkdir()
    for path in (base / "sample").glob("*.parquet"):
        if path.stem not in {"usage_events", "accounts"}:
            (tmp_path / "sample" / path.name).symlink_to(path)
    text = re.sub(r"(?m)^    accounts:.*\n", "", edition.workspace.read_text("utf-8"))
    (tmp_path / "csa.yml").write_text(text, encoding="utf-8")
    less = type(edition)(tmp_path / "csa.yml", tmp_path, "")
    found = parts(by_hand(less, tmp_path))
    note = found["risk-drivers-list"]["note"]
    assert re.search(r"Not in the model: .*\d signs, since the table usage_events is missing", note)
    for row in found["accounts-to-call-list"]["rows"]:
        assert row["owner"] == "not stated"
        assert re.fullmatch(r"A\d{8}", row["account"])


def test_too_few_events_are_a_page_that_says_so(edition, tmp_path):
    early = {"as_of": "2022-03-31", "start": "2022-03-01", "end": "2022-04-01"}
    found = parts(by_hand(edition, tmp_path, **early))
    assert found["accounts-to-call"]["status"] == "unclear"
    assert "no list of accounts is made" in found["accounts-to-call"]["text"]
    assert found["accounts-to-call-list"]["cells"] == []
    assert found["revenue-at-risk"]["status"] == "unclear"
    assert found["flagged-earlier"]["text"] == "No earlier prediction has matured yet."
