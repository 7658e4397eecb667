"""What a reader sees of an executed notebook: headings, prose, findings, charts, tables.

Reads the machine-readable parts back from the outputs and turns a chapter into the cells of the
combined notebook, see `csa.report.assemble`. Outputs of any other kind stay in the executed
notebook and are not shown.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from csa.errors import RunError
from csa.present.items import CHART, FINDING, TABLE

PROBLEM = "application/vnd.csa.problem+json"  # {"kind": unavailable|failed, "lines": [...], ...}
Part = Mapping[str, Any]  # the JSON of a finding, chart or table

_KINDS = {FINDING: "finding", CHART: "chart", TABLE: "table", PROBLEM: "problem"}
_NEEDED = {
    FINDING: ("id", "title", "text", "evidence", "action", "status", "measure", "weight"),
    CHART: ("id", "title", "alt", "csv"),
    TABLE: ("id", "title", "columns", "rows"),
}
_SHOWS = {"finding", "figure", "table"}  # tags of cells from which a reader expects something
_HEADING = re.compile(r"(?P<marks>#{1,5}) +(?P<text>.*?)#* *")
_SAFE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One cell of a chapter as shown: prose under a heading, or an item."""

    kind: str  # prose, finding, chart, table, problem
    level: int = 0  # of the heading in the chapter: 1 its title, 2 a section; 0 none
    heading: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    data: Mapping[str, Any] | None = None  # MIME bundle of an item
    part: Part | None = None  # its machine-readable part


def shown(notebook: NotebookNode, *, name: str) -> tuple[Shown, ...]:
    """List what a reader sees of an executed notebook, up to the cell that raised.

    A section whose cells ran and had nothing to show is left out with its heading and its prose:
    that is how a chapter leaves out what a workspace has no data for, after saying so once.

    Parameters
    ----------
    notebook : NotebookNode
        Executed notebook.
    name : str
        What to call it in errors.

    Returns
    -------
    tuple of Shown
        In the order of the page.

    Raises
    ------
    RunError
        If an output claims to be an item and lacks what one needs.
    """
    found: list[Shown] = []
    for cell in _spoken(notebook.cells):
        if cell.cell_type == "markdown":
            found += _prose(cell)
        elif cell.cell_type == "code":
            found += _items(cell, name)
            if any(output.output_type == "error" for output in cell.outputs):
                break
    return tuple(found)


def _spoken(cells: Sequence[NotebookNode]) -> Iterator[NotebookNode]:
    """Cells without the sections that were to show something and have nothing to show."""
    section: list[NotebookNode] = []
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            yield from () if _silent(section) else section
            section = []
        section.append(cell)
    yield from () if _silent(section) else section


def _silent(section: Sequence[NotebookNode]) -> bool:
    code = [cell for cell in section if cell.cell_type == "code"]
    asked = any(_SHOWS & set(cell.metadata.get("tags", [])) for cell in code)
    return asked and not any(cell.outputs for cell in code)


def _prose(cell: NotebookNode) -> Iterator[Shown]:
    tags = tuple(cell.metadata.get("tags", []))
    for level, heading, source in split_headings(cell.source):
        if heading or source:
            yield Shown(kind="prose", level=level, heading=heading, source=source, tags=tags)


def split_headings(text: str) -> list[tuple[int, str, str]]:
    """Cut Markdown at its headings.

    Parameters
    ----------
    text : str
        Source of a Markdown cell.

    Returns
    -------
    list of tuple
        (level, heading, text below it); level 0 and no heading for text before the first one.
    """
    blocks: list[tuple[int, str, list[str]]] = [(0, "", [])]
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        match = None if fenced else _HEADING.fullmatch(line)
        if match:
            blocks.append((len(match["marks"]), match["text"].strip(), []))
        else:
            blocks[-1][2].append(line)
    return [(level, heading, "\n".join(lines).strip()) for level, heading, lines in blocks]


def _items(cell: NotebookNode, name: str) -> Iterator[Shown]:
    tags = tuple(cell.metadata.get("tags", []))
    for output in cell.outputs:
        data = output.get("data", {})
        for mime in _NEEDED:
            if mime in data:
                part = data[mime]
                _check(mime, part, name)
                yield Shown(
                    kind=_KINDS[mime],
                    data=data,
                    part=part,
                    tags=tags,
                )


def _check(mime: str, part: Part, name: str) -> None:
    kind = _KINDS[mime]
    missing = [key for key in _NEEDED[mime] if key not in part]
    if missing:
        raise RunError(f"{name}: shows a {kind} without {', '.join(missing)}; use csa.present")
    if not _SAFE_ID.fullmatch(part["id"]):
        raise RunError(f'{name}: {kind} id "{part["id"]}" is not in lower case, digits and hyphens')


def problem(kind: str, lines: tuple[str, ...], *, title: str, notebook: str) -> Shown:
    """Make what stands where a chapter could not be computed.

    Parameters
    ----------
    kind : str
        unavailable or failed.
    lines : tuple of str
        What is missing or failed and the way out.
    title : str
        Title of the chapter.
    notebook : str
        Link to the executed notebook.

    Returns
    -------
    Shown
        With a `PROBLEM` part: `kind`, `lines`, `title`, `notebook`.
    """
    part = {"kind": kind, "lines": list(lines), "title": title, "notebook": notebook}
    return Shown(kind="problem", data={"text/plain": "\n".join(lines), PROBLEM: part}, part=part)


def slug(text: str) -> str:
    """Make an id of a heading.

    Parameters
    ----------
    text : str
        Heading.

    Returns
    -------
    str
        Lower-case words joined by hyphens; empty if there is no letter or digit.
    """
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def to_cell(item: Shown, *, number: int, meta: Mapping[str, Any]) -> NotebookNode:
    """Make a cell of the combined notebook.

    Parameters
    ----------
    item : Shown
        Prose or item.
    number : int
        Position in the edition; makes ids the same in every run.
    meta : mapping
        Content of `metadata.csa`.

    Returns
    -------
    NotebookNode
        Markdown or code cell.
    """
    metadata = {"tags": list(item.tags), "csa": dict(meta)}
    key = f"cell-{number:04d}"
    if item.kind == "prose":
        cell = new_markdown_cell(item.source, id=key, metadata=metadata)  # type: ignore[no-untyped-call]
    else:
        output = new_output("display_data", data=dict(item.data or {}))  # type: ignore[no-untyped-call]
        cell = new_code_cell("", id=key, metadata=metadata, outputs=[output])  # type: ignore[no-untyped-call]
    made: NotebookNode = cell
    return made
