"""environment.yml, requirements.lock and pyproject.toml name the same packages."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "ibis-framework[duckdb]": "ibis-duckdb",
    "ibis-framework[postgres]": "ibis-postgres",
    "matplotlib": "matplotlib-base",
    "psycopg[binary]": "psycopg",
}


APART = "spark"  # the extra with a lock of its own, which only the tests install


def declared() -> dict[str, str]:
    """Every requirement of pyproject.toml with its bounds, but for those of Spark."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    lines = [
        *project["project"]["dependencies"],
        *(line for name, extra in extras.items() if name != APART for line in extra),
        *project["dependency-groups"]["dev"],
    ]
    found = [re.fullmatch(r"([\w.-]+(?:\[[\w,]+\])?)(.*)", line) for line in lines]
    return {match[1]: match[2] for match in found if match}


def test_environment_yml_names_the_same_packages():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    conda = [entry for entry in listed if isinstance(entry, str)]
    beside = {"pango", "pip", "python>=3.11,<3.14"}  # what no requirement names
    expected = {CONDA_NAMES.get(name, name) + bounds for name, bounds in declared().items()}
    assert (set(conda) - beside) | set(pip[:-1]) == expected
    assert pip[-1] == "--editable ."
    assert beside <= set(conda)


@pytest.mark.parametrize(
    ("file", "held"),
    [("requirements.lock", set(declared())), ("requirements-spark.lock", {"pyspark"})],
)
def test_lock_holds_every_requirement_with_hashes_and_no_address(file, held):
    text = (ROOT / file).read_text("utf-8")
    entries = re.split(r"\n(?=\S)", text.split("\n", 2)[2])
    locked = {re.split(r"[=\[; ]", entry, maxsplit=1)[0] for entry in entries}
    assert {re.sub(r"\[.*", "", name) for name in held} <= locked
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-spark.lock"])
def test_lock_resolves_for_every_supported_python(file):
    text = (ROOT / file).read_text("utf-8")
    assert "--universal" in text
    assert "--python-version 3.11" in text
