"""What `make lint` checks also holds whenever the tests pass."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def tracked(*patterns: str) -> list[str]:
    """Files that git tracks, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of the environment in the project's folder."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports",),
    ],
    ids=" ".join,
)
def test_lint_passes(command):
    done = run(str(BIN / command[0]), *command[1:])
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.slow
def test_public_docstrings_match_their_signatures():
    done = run(
        sys.executable,
        "-m",
        "numpydoc.hooks.validate_docstrings",
        *tracked("csa/*.py", "csa/**/*.py"),
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_nothing_in_csa_imports_from_where_chapters_import():
    """Roots that only gather names start import cycles; inside csa, import from the module."""
    analyses = "adoption|churn|cohorts|revenue|risk"
    gathering = rf"analysis\.(?:{analyses})|present\.(?:plots|narrate|tables)"
    pattern = re.compile(rf"^\s*from csa\.(?:{gathering}) import", re.MULTILINE)
    files = [n for n in tracked("csa/**/*.py") if pattern.search((ROOT / n).read_text("utf-8"))]
    assert files == []


def test_modules_stay_one_topic_long():
    long = {
        name: lines
        for name in tracked("csa/*.py", "csa/**/*.py")
        if (lines := len((ROOT / name).read_text("utf-8").splitlines())) > 350
    }
    assert long == {}


@pytest.mark.slow
def test_notebooks_are_saved_without_outputs():
    notebooks = [name for name in tracked("notebooks/*.ipynb") if "scratch" not in name]
    done = run(str(BIN / "nbstripout"), "--verify", *notebooks)
    assert done.returncode == 0, done.stdout


def test_files_are_clean():
    names = [name for name in tracked() if (ROOT / name).suffix not in {".woff2", ".ttf", ".png"}]
    done = run(sys.executable, "tools/hygiene.py", *names)
    assert done.returncode == 0, done.stderr


def test_no_machine_path_in_the_repository():
    pattern = re.compile(r"(?<![\w.])/(?:root|home/\w+|work|Users/\w+)/")
    texts = [n for n in tracked() if (ROOT / n).suffix not in {".woff2", ".ttf", ".png"}]
    found = [
        f"{name}: {line.strip()[:100]}"
        for name in texts
        if name != "tests/test_house_rules.py"
        for line in (ROOT / name).read_text("utf-8").splitlines()
        if pattern.search(line)
    ]
    assert found == []


def test_make_lists_its_targets():
    text = run("make", "--no-print-directory").stdout
    listed = re.findall(r"^([a-z-]+)  ", text, flags=re.MULTILINE)
    expected = "setup lab lint fix test test-fast soak bench check demo monthly-report clean"
    assert set(expected.split()) <= set(listed)
