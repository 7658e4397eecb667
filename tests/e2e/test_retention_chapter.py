"""The chapter on retention in real editions: its outline, its ways of counting, what it lacks."""

import os
import re
from pathlib import Path

import pytest
from stored import stored

from csa.present.items import CHART, FINDING, TABLE
from csa.report.assemble import chapters_of
from csa.report.engine import Task, run_chapters
from csa.report.environment import kernel_environment

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "retention.ipynb"
PERIOD = {"as_of": "2026-10-31", "start": "2026-10-01", "end": "2026-11-01"}
SECONDS = 120  # as every chapter on sample data
STAYING = """\
## How many stay, and for how long?
finding: cohort-retention
finding: cohort-basis
chart: cohort-triangle
table: cohort-ages
## Do newer ones stay longer?
finding: cohort-change
chart: cohort-trend
chart: cohort-curves
table: cohort-trend-table
## Which groups stay?
finding: cohort-retention-by-group
chart: cohort-retention-by-group-chart
table: cohort-groups
"""
REVENUE = """\
## How much of their revenue is left?
finding: cohort-revenue
chart: cohort-revenue-chart
chart: cohort-revenue-triangle
table: cohort-revenue-by-age
"""
WAYS = """\
## Would another way of counting tell another story?
finding: cohort-ways
table: cohort-ways-table
"""
KINDS = {FINDING: "finding", CHART: "chart", TABLE: "table"}

pytestmark = pytest.mark.slow


def by_hand(workspace, folder, status="ok", **parameters):
    """Run the notebook as JupyterLab would."""
    task = Task(
        name="retention",
        notebook=NOTEBOOK,
        parameters={**PERIOD, **parameters},
        output=folder / "retention.ipynb",
    )
    environment = kernel_environment(os.environ, workspace=workspace, also=["CSA_DATA"])
    (run,) = run_chapters([task], environment=environment)
    assert run.status == status, run.problem
    assert run.seconds < SECONDS
    return run


def parts(run):
    """Machine-readable parts by kind and id."""
    found = {}
    for cell in run.notebook.cells:
        for output in cell.get("outputs", []):
            for mime, kind in KINDS.items():
                if mime in output.get("data", {}):
                    found[kind, output.data[mime]["id"]] = output.data[mime]
    return found


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


def without(edition, folder, *tables):
    """Make the same workspace without some tables."""
    (folder / "sample").mkdir()
    for path in (edition.workspace.parent / "sample").glob("*.parquet"):
        if path.stem not in tables:
            (folder / "sample" / path.name).symlink_to(path)
    text = edition.workspace.read_text("utf-8")
    for table in tables:
        text = re.sub(rf"(?m)^    {table}:.*\n", "", text)
    (folder / "csa.yml").write_text(text, encoding="utf-8")
    return folder / "csa.yml"


def test_outline_is_what_readers_are_used_to(edition, tmp_path):
    run = by_hand(edition.workspace, tmp_path)
    assert outline(run) == STAYING + REVENUE + WAYS
    shown = parts(run)
    ages = shown["table", "cohort-ages"]["rows"]
    said = shown["finding", "cohort-retention"]["measure"]
    assert said["value"] == ages[-1]["retention"]
    assert said["metric_id"] == "retention_month_12"
    groups = shown["table", "cohort-groups"]["rows"]
    assert sum(row["n"] for row in groups[:-1]) == groups[-1]["n"]
    assert groups[-1]["retention"] == ages[3]["retention"]
    assert (
        "accounts that began before leaving was recorded"
        in (shown["finding", "cohort-basis"]["evidence"])
    )


@pytest.mark.parametrize(
    ("parameters", "who"),
    [
        ({"activity": "users", "clock": "week", "compared_age": 4}, "users"),
        ({"begins": "signup", "clock": "30 days", "by": "plan"}, "accounts"),
        ({"activity": "used", "least_days": 3, "returned": "unbounded"}, "accounts"),
    ],
)
def test_other_parameters_give_a_whole_chapter(edition, tmp_path, parameters, who):
    run = by_hand(edition.workspace, tmp_path, **parameters)
    paid = parameters.get("activity", "paid") == "paid"
    assert outline(run) == STAYING + (REVENUE if paid else "") + WAYS
    assert who in parts(run)["finding", "cohort-retention"]["text"]


def test_purchases_are_followed_where_there_are_no_subscriptions(edition, tmp_path):
    run = by_hand(without(edition, tmp_path, "subscriptions"), tmp_path)
    assert outline(run) == STAYING + WAYS
    shown = parts(run)
    assert "bought again" in shown["finding", "cohort-retention"]["text"]
    assert "no subscriptions" in shown["finding", "cohort-basis"]["evidence"]


def test_with_neither_the_page_says_what_to_add(edition, tmp_path):
    workspace = without(edition, tmp_path, "subscriptions", "transactions")
    run = by_hand(workspace, tmp_path, status="unavailable")
    assert [re.search("the table (\\w+) is missing", line)[1] for line in run.problem] == [
        "subscriptions",
        "transactions",
    ]


def test_a_young_company_is_a_page_that_says_so(edition, tmp_path):
    early = {"as_of": "2021-12-31", "start": "2021-12-01", "end": "2022-01-01"}
    shown = parts(by_hand(edition.workspace, tmp_path, **early))
    assert shown["finding", "cohort-change"]["status"] == "unclear"
    assert "cannot be told" in shown["finding", "cohort-change"]["text"]
    assert shown["finding", "cohort-ways"]["status"] == "unclear"


def test_a_shop_without_contracts_has_cohorts_of_purchases(tmp_path, monkeypatch):
    data = stored("CSA_DATA", "online_retail").parent
    monkeypatch.setenv("CSA_DATA", str(data))
    (tmp_path / "csa.yml").write_bytes((ROOT / "examples/online_retail/csa.yml").read_bytes())
    part = {"as_of": "2011-12-09", "start": "2011-11-01", "end": "2011-12-01"}
    run = by_hand(tmp_path / "csa.yml", tmp_path, **part)
    assert outline(run) == STAYING + WAYS
    triangle = parts(run)["chart", "cohort-triangle"]
    assert "complete on Dec 31, 2011" in triangle["caption"]
    assert triangle["csv"].count(",open,") == 13
