"""Sections that were to show something and have nothing to show are left out of a page."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from csa.present.items import Finding
from csa.report.outputs import shown


def finding():
    said = Finding(id="one", title="One", text="One.", evidence="", action="", status="unclear")
    return new_output("execute_result", data=said._repr_mimebundle_(), execution_count=1)


def section(title, *outputs, tag="finding"):
    return [
        new_markdown_cell(f"## {title}"),
        new_code_cell("x = compute()"),
        new_code_cell("x", outputs=list(outputs), metadata={"tags": [tag]}),
        new_markdown_cell(f"How {title} is made.", metadata={"tags": ["method"]}),
    ]


def read(*cells):
    title = new_markdown_cell("# Chapter\nWhat?")
    notebook = nbformat.from_dict(new_notebook(cells=[title, *cells]))
    return [(s.heading, s.source) for s in shown(notebook, name="x.ipynb") if s.kind == "prose"]


def test_a_silent_section_goes_with_its_heading_and_method():
    told = read(*section("First", finding()), *section("Silent"), *section("Last", finding()))
    assert [heading for heading, _ in told if heading] == ["Chapter", "First", "Last"]
    assert not any("Silent" in source for _, source in told)


def test_sections_of_prose_and_sections_that_failed_stay():
    failed = new_output("error", ename="ValueError", evalue="boom", traceback=[])
    prose = [new_markdown_cell("## Words only"), new_markdown_cell("Some words.")]
    told = read(*prose, *section("Broken", failed), *section("Never reached", finding()))
    assert [heading for heading, _ in told if heading] == ["Chapter", "Words only", "Broken"]
