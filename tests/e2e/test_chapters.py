"""Every chapter runs on the sample company, for another segment and period as well."""

import os
from pathlib import Path

import pytest

from csa.report.assemble import chapters_of
from csa.report.engine import Task, run_chapters
from csa.report.environment import kernel_environment
from csa.report.outputs import PROBLEM

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
PERIODS = {
    "everybody": {"as_of": "2026-10-31", "start": "2026-10-01", "end": "2026-11-01"},
    "a segment": {
        "as_of": "2025-03-31",
        "start": "2025-01-01",
        "end": "2025-04-01",
        "segment": "SMB",
    },
}
SECONDS = 120  # a chapter on sample data, at most

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("slice_", PERIODS)
def test_chapters_run_for_any_slice(edition, tmp_path, slice_):
    environment = kernel_environment(os.environ, workspace=edition.workspace)
    tasks = [
        Task(
            name=path.stem,
            notebook=path,
            parameters=PERIODS[slice_],
            output=tmp_path / path.name,
        )
        for path in NOTEBOOKS
    ]
    runs = run_chapters(tasks, environment=environment)
    pages, notebook = chapters_of(runs)
    assert {page.name: (page.status, page.problem) for page in pages} == {
        path.stem: ("ok", ()) for path in NOTEBOOKS
    }
    assert all(page.findings and page.tables for page in pages)
    assert all(run.seconds < SECONDS for run in runs)
    assert not any(PROBLEM in o.data for c in notebook.cells for o in c.get("outputs", []))
