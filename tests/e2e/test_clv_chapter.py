"""The chapter on customer value in a real edition: its outline, its halves, its readers outside."""

import json
import os
import re
from pathlib import Path

import nbformat
import pytest

from csa.present.items import CHART, FINDING, TABLE
from csa.report.assemble import chapters_of
from csa.report.engine import Task, run_chapters
from csa.report.environment import kernel_environment

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "clv.ipynb"
PERIOD = {"as_of": "2026-10-31", "start": "2026-10-01", "end": "2026-11-01"}
SECONDS = 120  # as every chapter on sample data
CONTRACTS = """\
## What is a customer worth?
finding: customer-value
chart: customer-value-chart
table: customer-value-by-group
table: customer-value-by-signup
## Whose value is it?
finding: customer-concentration
chart: customer-concentration-chart
table: most-valuable-customers
## Does acquisition pay?
finding: clv-cac
finding: cac-payback
chart: clv-cac-chart
table: unit-economics
## What moved the value since the last period?
finding: value-moved
chart: value-moved-chart
table: value-moved-by-group
## Did earlier predictions come true?
finding: value-realised
finding: growth-carried
chart: value-realised-chart
table: value-realised-by-group
table: growth-ways
"""
BUYERS = """\
## What will buyers without a contract still bring?
finding: buyer-value
finding: newcomer-value
chart: newcomer-values
chart: buyer-concentration-chart
table: buyer-values
table: newcomer-values
## How much will buyers buy?
finding: buyer-models
chart: purchases-tracked
chart: purchases-by-frequency
## Who is still a customer?
finding: alive-calibration
chart: customers-alive
chart: alive-calibration
## Which groups of buyers leave sooner?
finding: buyer-groups
chart: buyer-groups-chart
table: buyer-groups
## Who will buy most next?
finding: next-best-customers
chart: frequency-recency
table: next-best-customers-list
## Which model is trusted, and why?
finding: spend-and-frequency
chart: purchases-calibration
table: buyer-models-compared
"""
NO_CONTRACTS = "## What is a customer worth?\nfinding: without-subscriptions\n"
NO_BUYERS = "## What will buyers without a contract still bring?\nfinding: without-transactions\n"
KINDS = {FINDING: "finding", CHART: "chart", TABLE: "table"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def executed(edition):
    return nbformat.read(edition.folder / "notebooks" / "clv.ipynb", as_version=4)


def parts(notebook):
    """Machine-readable parts by kind and id."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for mime, kind in KINDS.items():
                if mime in output.get("data", {}):
                    found[kind, output.data[mime]["id"]] = output.data[mime]
    return found


def by_hand(workspace, folder, **parameters):
    """Run the notebook as JupyterLab would."""
    task = Task(
        name="clv",
        notebook=NOTEBOOK,
        parameters={**PERIOD, **parameters},
        output=folder / "clv.ipynb",
    )
    environment = kernel_environment(os.environ, workspace=workspace)
    (run,) = run_chapters([task], environment=environment)
    assert (run.status, run.problem) == ("ok", ())
    assert run.seconds < SECONDS
    return run


def outline(run):
    """List what a reader of the page sees, in order."""
    _, notebook = chapters_of([run])
    lines = []
    for cell in notebook.cells:
        if cell.metadata.csa.get("level") == 3:
            lines.append(f"## {cell.metadata.csa['heading']}")
        for output in cell.get("outputs", []):
            lines += [f"{KINDS[m]}: {output.data[m]['id']}" for m in KINDS if m in output.data]
    return "\n".join(lines) + "\n"


def without(edition, folder, table):
    """Make the same workspace without a table."""
    (folder / "sample").mkdir()
    for path in (edition.workspace.parent / "sample").glob("*.parquet"):
        if path.stem != table:
            (folder / "sample" / path.name).symlink_to(path)
    text = re.sub(rf"(?m)^    {table}:.*\n", "", edition.workspace.read_text("utf-8"))
    (folder / "csa.yml").write_text(text, encoding="utf-8")
    return folder / "csa.yml"


def test_outline_is_what_readers_are_used_to(edition, tmp_path):
    assert outline(by_hand(edition.workspace, tmp_path)) == CONTRACTS + BUYERS


def test_groups_signups_and_causes_add_up_to_the_value(executed):
    shown = parts(executed)
    groups = shown["table", "customer-value-by-group"]["rows"]
    total = groups[-1]["value"]
    assert sum(row["value"] for row in groups[:-1]) == pytest.approx(total, rel=1e-9)
    signups = shown["table", "customer-value-by-signup"]["rows"]
    assert sum(row["value"] for row in signups) == pytest.approx(total, rel=1e-9)
    moved = shown["table", "value-moved-by-group"]["rows"][-1]
    assert moved["now"] == pytest.approx(total, rel=1e-9)
    change = shown["finding", "value-moved"]["measure"]["change"]
    assert change == pytest.approx(moved["now"] - moved["before"], rel=1e-6)


def test_targets_of_the_report_are_judged(executed):
    shown = parts(executed)
    for ident in ("clv-cac", "cac-payback"):
        assert shown["finding", ident]["measure"]["target"] is not None
        assert shown["finding", ident]["status"] == "good"


@pytest.mark.parametrize(
    ("table", "expected"),
    [("subscriptions", NO_CONTRACTS + BUYERS), ("transactions", CONTRACTS + NO_BUYERS)],
)
def test_a_missing_half_is_one_sentence(edition, tmp_path, table, expected):
    run = by_hand(without(edition, tmp_path, table), tmp_path)
    assert outline(run) == expected
    said = parts(run.notebook)["finding", f"without-{table}"]
    assert said["word"] == "Unclear"
    assert f"add the table {table} to csa.yml" in said["action"]


def test_readers_outside_see_no_account(executed, edition, tmp_path):
    shown = parts(executed)
    names = [row["account"] for row in shown["table", "most-valuable-customers"]["rows"]]
    names += [row["account_id"] for row in shown["table", "next-best-customers-list"]["rows"]]
    assert len(names) == 20
    said = json.dumps(by_hand(edition.workspace, tmp_path, audience="external").notebook)
    assert not any(name in said for name in names)
    assert not re.search(r"\bA\d{8}\b|CSM \d", said)


def test_a_young_company_is_a_page_that_says_so(edition, tmp_path):
    early = {"as_of": "2022-01-31", "start": "2022-01-01", "end": "2022-02-01"}
    shown = parts(by_hand(edition.workspace, tmp_path, **early).notebook)
    value = shown["finding", "customer-value"]
    assert value["status"] == "unclear"
    assert "cannot be told" in value["text"]
    assert value["measure"]["value"] is None
