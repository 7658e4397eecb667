"""Notebooks as files: reading, writing, and what an executed one says about itself."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import nbformat
from nbformat import NotebookNode
from nbformat.warnings import DuplicateCellId, MissingIDFieldWarning

from csa.errors import ConfigError, NotAvailable

Status = Literal["ok", "unavailable", "failed"]


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook; call it from the main thread, as it quietens warnings for a moment.

    Parameters
    ----------
    path : Path
        An `.ipynb` file.

    Returns
    -------
    NotebookNode
        The notebook, in format 4.

    Raises
    ------
    ConfigError
        If the file is no notebook.
    """
    try:
        text = path.read_text(encoding="utf-8")
        with warnings.catch_warnings():  # nbformat repairs these as it reads
            warnings.simplefilter("ignore", MissingIDFieldWarning)
            warnings.simplefilter("ignore", DuplicateCellId)
            notebook: NotebookNode = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise ConfigError(f"{path.name}: not a notebook: {error}") from error
    return notebook


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook.

    Parameters
    ----------
    notebook : NotebookNode
        What to write.
    path : Path
        Where to.
    """
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def error_output(name: str, text: str) -> NotebookNode:
    """Make the output of a cell that failed, for a fault outside of the kernel.

    Parameters
    ----------
    name : str
        Stands where the exception's class would.
    text : str
        What happened and the way out.

    Returns
    -------
    NotebookNode
        Output of type error.
    """
    output: NotebookNode = nbformat.v4.new_output(  # type: ignore[no-untyped-call]
        "error", ename=name, evalue=text, traceback=[text]
    )
    return output


def judge(notebook: NotebookNode) -> tuple[Status, tuple[str, ...]]:
    """Tell from an executed notebook whether its chapter can be shown.

    Parameters
    ----------
    notebook : NotebookNode
        Executed notebook; papermill's own verdict misses a cell that leaves the kernel early.

    Returns
    -------
    tuple
        Status, and what is missing or failed, one line each.
    """
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = _heading(cell.source) or section
            continue
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return _verdict(output, section)
        if cell.cell_type == "code" and cell.source.strip() and not cell.execution_count:
            return "failed", (f"{_in(section)}the notebook stopped before its end",)
    return "ok", ()


def _verdict(error: NotebookNode, section: str) -> tuple[Status, tuple[str, ...]]:
    lines = tuple(line for line in error.evalue.splitlines() if line.strip())
    if error.ename == NotAvailable.__name__:
        return "unavailable", lines
    first, *rest = lines or ("no message",)
    return "failed", (f"{_in(section)}{error.ename}: {first}", *rest)


def _in(section: str) -> str:
    return f'In "{section}": ' if section else ""


def _heading(source: str) -> str:
    lines = [line for line in source.splitlines() if line.startswith("#")]
    return lines[-1].lstrip("# ").strip() if lines else ""


def clean(notebook: NotebookNode, *, hide: Sequence[Path] = ()) -> None:
    """Take machine paths and papermill's error banners out of an executed notebook.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    hide : sequence of Path
        Folders whose names are cut from tracebacks.
    """
    paths = [str(path) for path in hide if len(path.parts) > 1]
    record = notebook.metadata.get("papermill", {})
    kept = ("parameters", "duration", "exception", "version")
    notebook.metadata["papermill"] = {key: record[key] for key in kept if key in record}
    notebook.cells = [c for c in notebook.cells if not _is_banner(c)]
    for cell in notebook.cells:
        record = cell.metadata.pop("papermill", {})
        cell.metadata["papermill"] = {"duration": record.get("duration")}
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = [_without(paths, line) for line in output.traceback]
                output.evalue = _without(paths, output.evalue)


def _is_banner(cell: NotebookNode) -> bool:
    return "papermill-error-cell-tag" in cell.metadata.get("tags", [])


def _without(paths: Sequence[str], text: str) -> str:
    for path in paths:
        text = text.replace(path, "…")
    return text
