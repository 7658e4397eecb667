"""The chapter on revenue in a real edition: its outline, its sums, readers outside, definitions."""

import os
from pathlib import Path

import pytest

from csa.present.items import CHART, FINDING, TABLE
from csa.report.assemble import chapters_of
from csa.report.engine import Task, run_chapters
from csa.report.environment import kernel_environment

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "revenue.ipynb"
PERIOD = {"as_of": "2026-10-31", "start": "2026-10-01", "end": "2026-11-01"}
SECONDS = 120  # as every chapter on sample data
OUTLINE = """\
## How did recurring revenue move?
finding: mrr-movements
finding: quick-ratio
chart: mrr-waterfall
chart: mrr-by-month-chart
table: mrr-by-group
table: mrr-by-month
## How much of our revenue do we keep?
finding: net-revenue-retention
finding: gross-revenue-retention
chart: retention-over-time
chart: revenue-retention-by-group-chart
table: revenue-retention-by-group
## Would other definitions tell another story?
finding: mrr-definitions
table: mrr-definitions
## What moved retention?
finding: mrr-bridge-nrr
finding: mrr-bridge-grr
chart: mrr-bridge-nrr-chart
table: mrr-bridge-nrr-by-group
table: mrr-bridge-grr-by-group
## What moved the revenue per account?
finding: mrr-bridge-arpa
chart: mrr-bridge-arpa-chart
table: mrr-bridge-arpa-by-group
## Whose revenue is it?
finding: revenue-concentration
chart: revenue-concentration-chart
table: largest-accounts
"""
KINDS = {FINDING: "finding", CHART: "chart", TABLE: "table"}

pytestmark = pytest.mark.slow


def by_hand(workspace, folder, **parameters):
    """Run the notebook as JupyterLab would."""
    task = Task(
        name="revenue",
        notebook=NOTEBOOK,
        parameters={**PERIOD, **parameters},
        output=folder / "revenue.ipynb",
    )
    environment = kernel_environment(os.environ, workspace=workspace)
    (run,) = run_chapters([task], environment=environment)
    assert (run.status, run.problem) == ("ok", ())
    assert run.seconds < SECONDS
    _, notebook = chapters_of([run])
    return notebook


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
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for mime in KINDS:
                if mime in output.get("data", {}):
                    found[output.data[mime]["id"]] = output.data[mime]
    return found


def test_chapter_begins_as_readers_are_used_to_and_its_sums_agree(edition, tmp_path):
    notebook = by_hand(edition.workspace, tmp_path)
    assert outline(notebook).startswith(OUTLINE)
    shown = parts(notebook)
    groups = shown["mrr-by-group"]["rows"]
    by_month = shown["mrr-by-month"]["rows"][-1]
    for step in ("start_minor", "new_minor", "churn_minor", "end_minor"):
        total = groups[-1][step]
        assert sum(row[step] for row in groups[:-1]) == pytest.approx(total, abs=0.01)
        assert by_month[step] == pytest.approx(total, abs=0.005)
    net = shown["net-revenue-retention"]["measure"]
    last = [r for r in shown["revenue-retention-by-group"]["rows"] if r["group"] == "All accounts"]
    assert net["value"] == pytest.approx(last[-1]["nrr"])


def test_outside_readers_see_no_account_and_a_quarter_by_region_runs(edition, tmp_path):
    notebook = by_hand(
        edition.workspace,
        tmp_path,
        audience="external",
        by="region",
        start="2026-08-01",
        horizon_months=6,
    )
    shown = parts(notebook)
    assert shown["largest-accounts"]["rows"] == []
    assert shown["mrr-definitions"]["title"].startswith("The same 6 months")
    assert outline(notebook).startswith(OUTLINE)


def test_definitions_of_csa_yml_reach_the_page(edition, tmp_path):
    sample = edition.workspace.parent / "sample"
    (tmp_path / "sample").symlink_to(sample)
    text = edition.workspace.read_text("utf-8")
    text += "\ndefinitions: {preset: chartmogul, discounts: list, horizon_months: 3}\n"
    (tmp_path / "csa.yml").write_text(text, encoding="utf-8")
    shown = parts(by_hand(tmp_path / "csa.yml", tmp_path))
    plain = parts(by_hand(edition.workspace, tmp_path))
    assert "by flows" in shown["net-revenue-retention"]["text"]
    assert "preset chartmogul, horizon 3 months" in shown["mrr-definitions"]["note"]
    listed = shown["mrr-movements"]["measure"]["value"]
    assert listed > plain["mrr-movements"]["measure"]["value"]  # at list price
