"""An edition: everything that page, print, mail and index say about one report and one period.

The templates read an `Edition` and the combined notebook made from its chapters. Findings,
charts and tables are the machine-readable parts of the chapters' outputs (see
`csa.present.items`), so nothing on page one is written by hand.

Combined notebook: every cell carries `metadata.csa` with

- `chapter`: name of the chapter it belongs to;
- on Markdown cells that open with a heading: `heading` (plain text), `level` (2 for the chapter's
  title, 3 for its sections) and `anchor` (unique id on the page). The heading line is taken out
  of the cell's source; the template prints it. No cell has more than one heading;
- on code cells: `item`, one of finding, chart, table, problem, and `anchor`; one output holds its
  MIME part, for a chart with `metadata.csa.csv`: the link to its numbers. A `PROBLEM`
  part stands where a chapter could not be computed.

Code cells that show nothing to a reader (parameters, setup, computations) are left out.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from csa.errors import RunError
from csa.present.items import CHART
from csa.report import outputs
from csa.report.engine import Run
from csa.report.outputs import PROBLEM, Part, Shown

__all__ = [
    "PROBLEM",
    "ChapterPage",
    "Edition",
    "Heading",
    "LineageRow",
    "QualitySummary",
    "RankedFinding",
    "ScoreRow",
    "chapters_of",
    "charts_data",
    "contents_of",
]

PAGE_ONE = 6  # findings in the executive summary

ChapterStatus = Literal["ok", "unavailable", "failed"]
EditionStatus = Literal["ok", "chapter failed", "failed"]  # failed: no chapter could be made


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterPage:
    """One chapter of an edition; `findings`, `charts` and `tables` are machine-readable parts."""

    name: str  # "churn"
    title: str  # the notebook's heading
    question: str  # the line below it
    anchor: str  # id of its heading on the page
    status: ChapterStatus
    seconds: float
    notebook: str  # executed notebook, relative to report.html
    findings: tuple[Part, ...] = ()
    charts: tuple[Part, ...] = ()
    tables: tuple[Part, ...] = ()
    problem: tuple[str, ...] = ()  # what is missing or failed and the way out, one line each


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedFinding:
    """A finding with the chapter it leads to; `finding` has the keys of `items.Finding`."""

    chapter: str
    chapter_title: str
    anchor: str
    finding: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """One row of the scorecard; `measure` has the keys of `items.Measure`."""

    title: str
    chapter: str
    anchor: str
    status: str
    measure: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A line of the contents."""

    level: int  # 2 chapter, 3 section
    text: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageRow:
    """Where a table came from; a fingerprint changes whenever what was read changes."""

    table: str
    origin: str
    rows: int
    newest: date | None
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySummary:
    """What the quality gate found; `failing` are its failing checks, errors first."""

    checks: int
    errors: int
    warnings: int
    blocked: tuple[str, ...]  # tables whose numbers are withheld
    failing: tuple[Part, ...]  # table, column, check, severity, failing, rows, examples, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One report for one period. `start` is included, `end` is not; `as_of` is included."""

    report: str  # "monthly"
    title: str  # "Monthly customer success report"
    workspace: str  # "Acme Cloud"
    period: str  # "2026-10"
    period_label: str  # "October 2026"
    previous_label: str  # "September 2026"
    cadence: str  # day, week, month, quarter, year
    start: date
    end: date
    as_of: date
    data_until: date | None  # newest day in the data
    revision: int
    fingerprint: str  # of data, parameters and code
    code_version: str
    made_at: datetime  # in the workspace's time zone
    timezone: str
    currency: str
    locale: str
    status: EditionStatus
    chapters: tuple[ChapterPage, ...]
    findings: tuple[RankedFinding, ...]  # all of them, most important first
    scorecard: tuple[ScoreRow, ...]
    contents: tuple[Heading, ...]
    quality: QualitySummary
    lineage: tuple[LineageRow, ...]
    stages: Mapping[str, float] = field(default_factory=dict)  # seconds, known so far

    @property
    def id(self) -> str:
        """Identity of the edition, for example `monthly/2026-10`."""
        return f"{self.report}/{self.period}"

    @property
    def page_one(self) -> tuple[RankedFinding, ...]:
        """Findings of the executive summary."""
        return self.findings[:PAGE_ONE]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chapter:
    page: ChapterPage
    shown: tuple[Shown, ...]


def chapters_of(runs: Sequence[Run]) -> tuple[tuple[ChapterPage, ...], NotebookNode]:
    """Turn executed chapters into pages and one combined notebook.

    Parameters
    ----------
    runs : sequence of Run
        In the order of the report.

    Returns
    -------
    tuple
        The chapters, and the notebook that the templates render.
    """
    chapters = [_chapter(run) for run in runs]
    links = _csv_links(chapters)
    numbers = itertools.count()
    cells = [c for chapter in chapters for c in _cells(chapter, numbers, links)]
    notebook: NotebookNode = new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    return tuple(chapter.page for chapter in chapters), notebook


def _chapter(run: Run) -> _Chapter:
    status, problem = run.status, run.problem
    link = f"notebooks/{run.name}.ipynb"
    try:
        everything = outputs.shown(run.notebook, name=f"{run.name}.ipynb")
    except RunError as error:
        status, problem, everything = "failed", error.faults, _prose_only(run)
    if status == "ok" and not any(s.part for s in everything):
        status, problem = "failed", ("The chapter shows no finding, chart or table.",)
    head = next((s for s in everything if s.level == 1), None)
    title = head.heading if head else run.name.replace("_", " ").capitalize()
    if head is None:
        head = Shown(kind="prose", level=1, heading=title)
    body = tuple(s for s in everything if s is not head)
    if status == "failed":
        body = ()  # numbers of a chapter that broke are not to be trusted
    if status != "ok":
        body = (*body, outputs.problem(status, problem, title=title, notebook=link))
    page = ChapterPage(
        name=run.name,
        title=title,
        question=head.source.partition("\n\n")[0].replace("\n", " "),
        anchor=f"chapter-{outputs.slug(run.name)}",
        status=status,
        seconds=run.seconds,
        notebook=link,
        findings=_parts(body, "finding"),
        charts=_parts(body, "chart"),
        tables=_parts(body, "table"),
        problem=problem,
    )
    return _Chapter(page=page, shown=(head, *body))


def _prose_only(run: Run) -> tuple[Shown, ...]:
    prose: NotebookNode = new_notebook(  # type: ignore[no-untyped-call]
        cells=[cell for cell in run.notebook.cells if cell.cell_type == "markdown"]
    )
    return outputs.shown(prose, name=run.name)


def _parts(body: Sequence[Shown], kind: str) -> tuple[Part, ...]:
    return tuple(s.part for s in body if s.kind == kind and s.part is not None)


def _cells(
    chapter: _Chapter, numbers: Iterator[int], links: Mapping[tuple[str, str], str]
) -> Iterator[NotebookNode]:
    page, used = chapter.page, {chapter.page.anchor}
    for item in chapter.shown:
        meta: dict[str, Any] = {"chapter": page.name}
        if item is chapter.shown[0]:
            meta |= {"heading": page.title, "level": 2, "anchor": page.anchor}
        elif item.heading:
            anchor = _unused(f"{page.name}-{outputs.slug(item.heading)}", used)
            meta |= {"heading": item.heading, "level": max(3, item.level + 1), "anchor": anchor}
        elif item.part is not None:
            meta["item"] = item.kind
            meta["anchor"] = _unused(f"{page.name}-{item.part.get('id', item.kind)}", used)
        if item.kind == "chart" and item.part is not None:
            meta["csv"] = links[page.name, item.part["id"]]
        yield outputs.to_cell(item, number=next(numbers), meta=meta)


def _unused(anchor: str, used: set[str]) -> str:
    tries = itertools.chain([anchor], (f"{anchor}-{n}" for n in itertools.count(2)))
    free = next(name for name in tries if name not in used)
    used.add(free)
    return free


def _csv_links(chapters: Sequence[_Chapter]) -> dict[tuple[str, str], str]:
    """Name the file behind every chart, by its id, and by its chapter too where two share one."""
    pairs = [(c.page.name, chart["id"]) for c in chapters for chart in c.page.charts]
    ids = [chart for _, chart in pairs]
    return {
        (name, chart): f"data/{chart if ids.count(chart) == 1 else f'{name}-{chart}'}.csv"
        for name, chart in pairs
    }


def charts_data(notebook: NotebookNode) -> dict[str, str]:
    """Collect the numbers behind the charts.

    Parameters
    ----------
    notebook : NotebookNode
        The combined notebook.

    Returns
    -------
    dict of str
        CSV text by path relative to report.html.
    """
    return {
        cell.metadata.csa["csv"]: cell.outputs[0].data[CHART]["csv"]
        for cell in notebook.cells
        if "csv" in cell.metadata.csa
    }


def contents_of(notebook: NotebookNode) -> tuple[Heading, ...]:
    """List chapters and sections of the combined notebook.

    Parameters
    ----------
    notebook : NotebookNode
        The combined notebook.

    Returns
    -------
    tuple of Heading
        Levels 2 and 3.
    """
    metas = [cell.metadata.csa for cell in notebook.cells]
    return tuple(
        Heading(level=meta["level"], text=meta["heading"], anchor=meta["anchor"])
        for meta in metas
        if meta.get("level") in {2, 3}
    )
