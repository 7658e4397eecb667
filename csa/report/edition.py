"""What an edition stands on, and the edition made from it and its chapters."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from nbformat import NotebookNode

from csa.data.quality import Check, QualityReport
from csa.data.workspace import Workspace
from csa.periods import Period
from csa.report import code
from csa.report.assemble import (
    ChapterPage,
    Edition,
    LineageRow,
    QualitySummary,
    contents_of,
)
from csa.report.plan import Chapter
from csa.report.ranking import rank, scorecard_of, status_of
from csa.report.record import fingerprint
from csa.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Data, parameters and code of an edition, before any chapter has run."""

    settings: Settings
    name: str
    period: Period
    report: QualityReport
    lineage: tuple[LineageRow, ...]
    code_version: str
    fingerprint: str

    @property
    def edition(self) -> str:
        """Identity, for example `monthly/2026-10`."""
        return f"{self.name}/{self.period.name}"


def basis_of(
    workspace: Workspace,
    settings: Settings,
    name: str,
    chapters: Sequence[Chapter],
    period: Period,
    due: int = 0,
) -> Basis:
    """Check the data and settle what the edition is a function of.

    Parameters
    ----------
    workspace : Workspace
        Open as of the last day of the period.
    settings : Settings
        The workspace's settings.
    name : str
        Name of the report.
    chapters : sequence of Chapter
        Its chapters.
    period : Period
        Its period.
    due : int
        Earlier predictions that can be judged by now: pages may tell what became of them.

    Returns
    -------
    Basis
        With the quality report.
    """
    report = workspace.quality()
    lineage = tuple(_lineage_row(row) for row in workspace.lineage().to_dict("records"))
    version = code.version(chapter.notebook for chapter in chapters)
    # where data come from and who gets the report change no number
    content: dict[str, Any] = {
        "edition": f"{name}/{period.name}",
        "settings": settings.model_dump(mode="json", exclude={"reports", "data"}),
        "grace_days": settings.data.grace_days,
        "title": settings.reports[name].title,
        "chapters": {c.name: c.parameters(period) for c in chapters},
        "data": {row.table: row.fingerprint for row in lineage},
        "code": version,
        **({"predictions due": due} if due else {}),
    }
    return Basis(
        settings=settings,
        name=name,
        period=period,
        report=report,
        lineage=lineage,
        code_version=version,
        fingerprint=fingerprint(content),
    )


def _lineage_row(row: Mapping[Any, Any]) -> LineageRow:
    newest = row["newest"]
    return LineageRow(
        table=row["table"],
        origin=row["origin"],
        rows=int(row["rows"]),
        newest=None if newest is None or pd.isna(newest) else pd.Timestamp(newest).date(),
        fingerprint=row["fingerprint"],
    )


def edition_of(
    basis: Basis,
    pages: Sequence[ChapterPage],
    notebook: NotebookNode,
    *,
    revision: int,
    made_at: datetime,
    stages: Mapping[str, float],
) -> Edition:
    """Put the edition together.

    Parameters
    ----------
    basis : Basis
        From `basis_of`.
    pages : sequence of ChapterPage
        Chapters as they ran.
    notebook : NotebookNode
        The combined notebook, for the contents.
    revision : int
        From the ledger.
    made_at : datetime
        In the workspace's time zone.
    stages : mapping
        Seconds per stage so far; kept, not copied, so that later stages are in run.json.

    Returns
    -------
    Edition
        What the templates read.
    """
    settings, period = basis.settings, basis.period
    return Edition(
        report=basis.name,
        title=settings.reports[basis.name].title,
        workspace=settings.name,
        period=period.name,
        period_label=period.label,
        previous_label=period.previous().label,
        cadence=period.kind,
        start=period.start,
        end=period.end,
        as_of=period.as_of,
        data_until=_newest(basis.lineage),
        revision=revision,
        fingerprint=basis.fingerprint,
        code_version=basis.code_version,
        made_at=made_at,
        timezone=settings.timezone,
        currency=settings.currency,
        locale=settings.locale,
        status=status_of(pages),
        chapters=tuple(pages),
        findings=rank(pages),
        scorecard=scorecard_of(pages),
        contents=contents_of(notebook),
        quality=_summary(basis.report),
        lineage=basis.lineage,
        stages=stages,
    )


def _newest(lineage: Sequence[LineageRow]) -> date | None:
    return max((row.newest for row in lineage if row.newest), default=None)


def _summary(report: QualityReport) -> QualitySummary:
    failing = [check for check in report.checks if check.failing]
    errors = sum(check.severity == "error" for check in failing)
    return QualitySummary(
        checks=len(report.checks),
        errors=errors,
        warnings=len(failing) - errors,
        blocked=tuple(sorted(report.blocked)),
        failing=tuple(asdict(check) for check in sorted(failing, key=_severity)),
    )


def _severity(check: Check) -> bool:
    return check.severity != "error"
