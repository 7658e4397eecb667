"""The chapter on adoption in a real edition: its outline, planted facts, readers outside."""

import json
import os
from pathlib import Path

import pytest

from csa.present.items import CHART, FINDING, TABLE
from csa.report.assemble import chapters_of
from csa.report.engine import Task, run_chapters
from csa.report.environment import kernel_environment

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "adoption.ipynb"
PERIOD = {"as_of": "2026-10-31", "start": "2026-10-01", "end": "2026-11-01"}
SECONDS = 120  # as every chapter on sample data
OUTLINE = """\
## How many use it?
finding: active-users
chart: active-users-over-time
table: active-users-by-group
## How often do they come back?
finding: stickiness
finding: use-per-person
chart: stickiness-over-time
table: use-by-group
## Are licences used?
finding: licence-utilisation
finding: idle-licences
chart: licence-utilisation-by-month
table: licences-by-group
table: licences-by-use
## Which features are adopted, and how fast?
finding: feature-breadth
finding: feature-uptake
chart: features-used-by-accounts
chart: feature-uptake-curves
table: features-used
table: feature-uptake-by-feature
## Who are the power users?
finding: power-users
chart: power-user-curve
table: power-users-by-group
## Which accounts are engaged, and which fell off?
finding: engagement-score
finding: engagement-fallen
chart: engagement-spread
table: engagement-by-group
table: accounts-fallen
## Do readers read our reports?
finding: report-readers
table: report-readers-by-role
"""
KINDS = {FINDING: "finding", CHART: "chart", TABLE: "table"}

pytestmark = pytest.mark.slow


def ran(workspace, folder, **parameters):
    """Run the notebook as JupyterLab would."""
    task = Task(
        name="adoption",
        notebook=NOTEBOOK,
        parameters={**PERIOD, **parameters},
        output=folder / "adoption.ipynb",
    )
    (run,) = run_chapters([task], environment=kernel_environment(os.environ, workspace=workspace))
    return run


def by_hand(workspace, folder, **parameters):
    run = ran(workspace, folder, **parameters)
    assert (run.status, run.problem) == ("ok", ())
    assert run.seconds < SECONDS
    return chapters_of([run])[1]


def outline(notebook):
    """List what a reader of the page sees, in order."""
    lines = []
    for cell in notebook.cells:
        if cell.metadata.csa.get("level") == 3:
            lines.append(f"## {cell.metadata.csa['heading']}")
        for output in cell.get("outputs", []):
            lines += [f"{KINDS[m]}: {output.data[m]['id']}" for m in KINDS if m in output.data]
    return "\n".join(lines) + "\n"


def parts(notebook):
    """Machine-readable parts by id."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return {o.data[mime]["id"]: o.data[mime] for o in outputs for mime in KINDS if mime in o.data}


def test_chapter_reads_as_planned_and_finds_what_was_planted(edition, tmp_path):
    """Uptake of a new feature ends between the shares of its segments that ever use it."""
    notebook = by_hand(edition.workspace, tmp_path)
    assert outline(notebook) == OUTLINE
    shown = parts(notebook)
    truth = json.loads((edition.workspace.parent / "sample" / "truth.json").read_text())
    uptake = {row["feature"]: row for row in shown["feature-uptake-by-feature"]["rows"]}
    for name, told in truth["usage"]["new_features"].items():
        ever = told["ever_used_by"].values()
        read = uptake[name]["after_365"] or uptake[name]["after_180"]
        assert min(ever) - 0.05 < read < max(ever) + 0.02, name
    people = {
        (row["who"], row["group"]): row["monthly"] for row in shown["active-users-by-group"]["rows"]
    }
    groups = [n for (who, g), n in people.items() if who == "People" and g != "All accounts"]
    assert sum(groups) == people["People", "All accounts"]
    assert shown["report-readers"]["status"] == "unclear"


def test_outside_readers_see_no_account_and_a_week_by_region_runs(edition, tmp_path):
    notebook = by_hand(
        edition.workspace,
        tmp_path,
        audience="external",
        by="region",
        start="2026-10-19",
        end="2026-10-26",
        as_of="2026-10-25",
        reference_end="2026-03-31",
    )
    shown = parts(notebook)
    columns = [column["key"] for column in shown["accounts-fallen"]["columns"]]
    assert columns == ["group", "accounts", "mrr"]
    assert "Mar 31, 2026" in shown["engagement-score"]["text"]
    assert shown["stickiness"]["status"] == "unclear"  # a week is too short to judge


def test_without_usage_the_page_says_how_to_add_it(edition, tmp_path):
    data = tmp_path / "sample"
    data.mkdir()
    for file in (edition.workspace.parent / "sample").glob("*.parquet"):
        if file.stem != "usage_events":
            (data / file.name).symlink_to(file)
    (tmp_path / "csa.yml").write_text(edition.workspace.read_text("utf-8"), encoding="utf-8")
    run = ran(tmp_path / "csa.yml", tmp_path)
    assert run.status == "unavailable"
    assert "add usage_events.csv" in run.problem[0]
