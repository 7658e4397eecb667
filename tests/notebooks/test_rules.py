"""The house rules of notebooks, checked without running them."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from csa.report.interface import COMMON, parameters_of

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
ORDER = ["finding", "figure", "table", "method"]
TAGS = {"parameters", "setup", *ORDER}
FORBIDDEN = {
    "web address": r"https?://|www\.",
    "absolute path": r"""["'](?:/|~|[A-Za-z]:\\)""",
    "magic": r"(?m)^\s*[%!]",
    "credential": r"(?i)password|secret|api_?key|token",
    "warning filter": r"simplefilter|filterwarnings",
    "display by hand": r"\bprint\(|\bdisplay\(",
}

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def sections(path):
    """Cells by section; the first one is title, parameters and setup."""
    found = [[]]
    for cell in read(path).cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            found.append([])
        found[-1].append(cell)
    return found


def test_notebook_opens_with_title_and_question(path):
    title, _, question = read(path).cells[0].source.partition("\n")
    assert re.fullmatch(r"# [A-Z].*", title)
    assert question.strip().endswith("?")


def test_notebook_has_one_parameters_cell_with_help(path):
    parameters = parameters_of(read(path), name=path.name)
    assert set(COMMON) <= set(parameters)
    assert all(parameter.help for parameter in parameters.values())
    assert all(parameter.accepts(parameter.default) for parameter in parameters.values())
    assert all(parameters[name].type == "str" for name in COMMON)


def test_sections_ask_and_answer_in_order(path):
    assert len(sections(path)) > 1
    for heading, *cells in sections(path)[1:]:
        assert heading.source.splitlines()[0].endswith("?")
        tags = [tag for cell in cells for tag in cell.metadata.get("tags", [])]
        assert tags == sorted(tags, key=ORDER.index), heading.source
        assert tags[-1] == "method", heading.source
    findings = [c for c in code_cells(path) if "finding" in c.metadata.get("tags", [])]
    assert findings


def test_cells_are_short_and_define_nothing(path):
    for cell in code_cells(path):
        assert len(cell.source.splitlines()) <= 15
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(
                node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
            ), cell.source


def test_cells_show_one_item_where_tagged_and_nothing_else(path):
    for cell in code_cells(path):
        shown = [node for node in ast.parse(cell.source).body if isinstance(node, ast.Expr)]
        tags = set(cell.metadata.get("tags", []))
        assert len(shown) == len(tags & {"finding", "figure", "table"}), cell.source


def test_imports_stand_in_the_setup_cell(path):
    for cell in code_cells(path):
        if "setup" not in cell.metadata.get("tags", []):
            assert not any(
                isinstance(node, ast.Import | ast.ImportFrom)
                for node in ast.walk(ast.parse(cell.source))
            )


def test_tags_are_known_and_at_most_one(path):
    for cell in read(path).cells:
        tags = cell.metadata.get("tags", [])
        assert set(tags) <= TAGS
        assert len(tags) <= 1
        assert cell.cell_type == ("markdown" if tags == ["method"] else cell.cell_type)


def test_prose_holds_no_number_from_the_data(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\d", cell.source), cell.source


@pytest.mark.parametrize("what", FORBIDDEN)
def test_notebook_holds_nothing_that_ties_it_to_a_place(path, what):
    for cell in read(path).cells:
        assert not re.search(FORBIDDEN[what], cell.source), cell.source


def test_notebook_is_saved_without_outputs_for_the_shared_kernel(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert all(cell.outputs == [] for cell in code_cells(path))
    assert all(cell.execution_count is None for cell in code_cells(path))
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
