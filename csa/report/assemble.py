"""An edition: everything that page, print, mail and index say about one report and one period.

The templates read an `Edition` and the combined notebook made from its chapters. Findings,
charts and tables are the machine-readable parts of the chapters' outputs (see
`csa.present.items`), so nothing on page one is written by hand.

Combined notebook: every cell carries `metadata.csa` with

- `chapter`: name of the chapter it belongs to;
- on Markdown cells that open with a heading: `heading` (plain text), `level` (2 for the chapter's
  title, 3 for its sections) and `anchor` (unique id on the page). The heading line is taken out
  of the cell's source; the template prints it;
- on code cells: `item`, one of finding, chart, table, problem, and the output with its MIME part.
  A `PROBLEM` part stands where a chapter could not be computed.

Code cells that show nothing to a reader (parameters, setup, computations) are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

PROBLEM = "application/vnd.csa.problem+json"  # {"kind": unavailable|failed, "lines": [...], ...}
PAGE_ONE = 7  # findings in the executive summary

ChapterStatus = Literal["ok", "unavailable", "failed"]
EditionStatus = Literal["ok", "partial", "failed"]
Part = Mapping[str, Any]  # the JSON of a finding, chart or table


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
