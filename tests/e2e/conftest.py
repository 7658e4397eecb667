"""One real edition of the sample company, made once and shared by all tests that look at it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class MadeEdition:
    """A workspace with the sample company and its monthly report for October 2026."""

    workspace: Path  # csa.yml
    folder: Path  # report.html, report.pdf, run.json, notebooks/, data/
    output: str  # what the command said


def csa(*arguments, workspace=None, timeout=300):
    """Run the command line in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k != "CSA_WORKSPACE"}
    if workspace is not None:
        environment["CSA_WORKSPACE"] = str(workspace)
    return subprocess.run(
        [sys.executable, "-m", "csa", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="session")
def edition(tmp_path_factory):
    """Make the monthly report on the repository's csa.yml, with a company of 1,000 accounts."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "edition"
    made = folder / "reports" / "monthly" / "2026-10"
    with FileLock(shared / "edition.lock"):
        if not (folder / "done.txt").exists():
            folder.mkdir()
            shutil.copy(ROOT / "csa.yml", folder)
            for command in (
                ("sample", "--accounts", "1000", "--to", folder / "sample"),
                ("run", "monthly", "--period", "2026-10"),
            ):
                done = csa(*command, workspace=folder / "csa.yml")
                assert done.returncode == 0, done.stdout + done.stderr
            (folder / "done.txt").write_text(done.stdout)
    return MadeEdition(folder / "csa.yml", made, (folder / "done.txt").read_text())
