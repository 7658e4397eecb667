"""Chapters run in parallel, each in its own kernel; nothing that goes wrong is lost."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from csa.report.engine import Limits, Task, run_chapters
from csa.report.environment import kernel_environment

pytestmark = [
    pytest.mark.slow,
]
PARAMETERS = 'as_of: str = "2000-01-01"  # last day included\nword: str = "none"  # a word'


def write(folder: Path, name: str, *sources: str) -> Path:
    cells = [
        new_markdown_cell("# Title"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        *(new_code_cell(source) for source in sources),
    ]
    path = folder / f"{name}.ipynb"
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), path)
    return path


def task(folder: Path, name: str, *sources: str, **parameters: object) -> Task:
    return Task(
        name=name,
        notebook=write(folder, name, *sources),
        parameters=parameters,
        output=folder / "executed" / f"{name}.ipynb",
    )


def run(folder: Path, *tasks: Task, limits: Limits | None = None):
    environment = kernel_environment(os.environ, workspace=folder / "csa.yml")
    return run_chapters(tasks, environment=environment, limits=limits)


def text_of(notebook) -> str:
    return "".join(o.text for c in notebook.cells for o in c.get("outputs", []) if "text" in o)


def test_run_chapters_gives_each_its_own_kernel_folder_and_environment(tmp_path, monkeypatch):
    """A path with braces is nothing special, though papermill formats paths."""
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2")
    folder = tmp_path / "a {brace}"
    folder.mkdir()
    show = (
        "import os, pathlib; print(word, as_of, os.getcwd(), os.environ.get('SMTP_PASSWORD'),"
        " os.environ['CSA_WORKSPACE'], os.environ['OMP_NUM_THREADS'])"
    )
    before = Path.cwd()
    runs = run(
        folder,
        *(task(folder, n, show, word=n, as_of="2026-10-31") for n in ("one", "two", "three")),
    )
    assert [r.name for r in runs] == ["one", "two", "three"]
    assert [r.status for r in runs] == ["ok"] * 3
    for ran in runs:
        expected = f"{ran.name} 2026-10-31 {folder} None {folder / 'csa.yml'} 1\n"
        assert text_of(ran.notebook) == expected
    assert Path.cwd() == before


def test_run_chapters_keeps_the_executed_notebook_without_machine_paths(tmp_path):
    ran = run(tmp_path, task(tmp_path, "one", "print(word)", word="kept"))[0]
    kept = (tmp_path / "executed" / "one.ipynb").read_text()
    assert "kept" in kept
    assert str(tmp_path) not in kept
    assert ran.notebook.metadata.papermill.parameters == {"word": "kept"}


def test_run_chapters_tells_a_missing_table_from_a_failure(tmp_path):
    missing = "from csa.errors import NotAvailable\nraise NotAvailable('no surveys', 'add them')"
    ok, unavailable, failed, left = run(
        tmp_path,
        task(tmp_path, "ok", "1 + 1"),
        task(tmp_path, "missing", missing),
        task(tmp_path, "broken", "1 / 0", "print('never')"),
        task(tmp_path, "left", "import sys; sys.exit(0)", "print('never')"),
    )
    assert (ok.status, ok.problem) == ("ok", ())
    assert (unavailable.status, unavailable.problem) == ("unavailable", ("no surveys", "add them"))
    assert (failed.status, failed.problem) == (
        "failed",
        ('In "Title": ZeroDivisionError: division by zero',),
    )
    assert left.status == "failed"
    kept = nbformat.read(tmp_path / "executed" / "broken.ipynb", as_version=4)
    assert [o.ename for c in kept.cells for o in c.get("outputs", [])] == ["ZeroDivisionError"]
    assert not any("papermill-error" in c.source for c in kept.cells)


def test_run_chapters_stops_a_hung_cell_and_survives_a_dead_kernel(tmp_path):
    before = psutil.Process().children(recursive=True)  # other tests' servers among them
    died, hung = run(
        tmp_path,
        task(tmp_path, "died", "import os\nos.kill(os.getpid(), 9)"),
        task(tmp_path, "hung", "print('so far')", "import time\ntime.sleep(600)"),
        limits=Limits(cell=2, chapter=60, workers=2),
    )
    assert died.status == "failed"
    assert "the kernel died" in died.problem[0]
    assert hung.status == "failed"
    assert "2 s per cell" in hung.problem[0]
    assert "so far" in text_of(hung.notebook)
    assert set(psutil.Process().children(recursive=True)) <= set(before)


def test_run_chapters_leaves_no_kernel_when_stopped(tmp_path):
    write(tmp_path, "hung", "import pathlib, time\npathlib.Path('up').touch()\ntime.sleep(600)")
    script = textwrap.dedent(f"""
        from pathlib import Path
        import signal
        from csa.report.engine import Task, run_chapters
        from csa.report.environment import kernel_environment
        import os
        folder = Path({str(tmp_path)!r})
        one = Task(name="hung", notebook=folder / "hung.ipynb", parameters={{}},
                   output=folder / "out.ipynb")
        run_chapters([one],
                     environment=kernel_environment(os.environ, workspace=folder / "csa.yml"))
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "up").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    kernels = psutil.Process(process.pid).children(recursive=True)
    assert kernels
    process.send_signal(signal.SIGINT)
    assert process.wait(30) != 0
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert alive == []


def test_run_chapters_takes_our_kernel_whatever_the_notebook_names(tmp_path):
    strange, bare = (task(tmp_path, name, "print(word)") for name in ("strange", "bare"))
    for one, spec in ((strange, {"name": "none-such", "display_name": "?"}), (bare, None)):
        notebook = nbformat.read(one.notebook, as_version=4)
        notebook.metadata = {"kernelspec": spec} if spec else {}
        nbformat.write(notebook, one.notebook)
    assert [ran.status for ran in run(tmp_path, strange, bare)] == ["ok", "ok"]


def test_kernel_environment_holds_only_what_is_allowed(tmp_path):
    given = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "CSA_DATA": "/data"}
    kept = kernel_environment(given, workspace=tmp_path / "csa.yml", also=["CSA_DATA"])
    assert kept.keys() >= {"PATH", "CSA_DATA", "CSA_WORKSPACE"}
    assert "AWS_SECRET_ACCESS_KEY" not in kept
