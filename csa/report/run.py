"""`csa run`: from data to an edition in its place, or to one clear error and nothing changed.

Period, input and quality first; then chapters in parallel, page and print, all written aside and
put in place in one step, recorded in the ledger.
"""

import importlib
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from nbformat import NotebookNode

from csa.data.rollups import ROLLUPS
from csa.data.sources import Tables
from csa.data.sources.ledger_rows import LEDGER
from csa.data.workspace import Workspace, open_workspace
from csa.errors import InputError, NotAvailable, RunError
from csa.periods import Period
from csa.report import assemble, engine, gallery, predictions, record, store
from csa.report.assemble import Edition
from csa.report.edition import Basis, basis_of, edition_of
from csa.report.environment import kernel_environment
from csa.report.ledger import Ledger
from csa.report.plan import Chapter, chapters_of, environment_names, period_of, report_of
from csa.settings import FILE, Settings

REPORTS = "reports"
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a run leaves: the edition, its folder and files, and what a user should know."""

    edition: Edition
    folder: Path
    html: Path | None
    pdf: Path | None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Stopwatch:
    """Seconds per stage, in the order in which they were first entered."""

    seconds: dict[str, float] = field(default_factory=dict)
    on_stage: Callable[[str], None] | None = None

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Measure a stage.

        Parameters
        ----------
        stage : str
            Its name.

        Yields
        ------
        None
        """
        if self.on_stage:
            self.on_stage(stage)
        begun = time.monotonic()
        try:
            yield
        finally:
            passed = time.monotonic() - begun
            self.seconds[stage] = self.seconds.get(stage, 0.0) + passed


def now() -> datetime:
    """Return the moment that goes onto the page: SOURCE_DATE_EPOCH, or now.

    Returns
    -------
    datetime
        With a time zone.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(fixed), UTC) if fixed else datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What all steps of one run share."""

    settings: Settings
    name: str
    chapters: Sequence[Chapter]
    period: Period
    ledger: Ledger
    watch: Stopwatch
    clock: Clock
    started: datetime
    listener: engine.Listener | None
    private: Path  # gone when the run is over


def run_report(
    settings: Settings,
    name: str,
    *,
    period: str | None = None,
    listener: engine.Listener | None = None,
    on_stage: Callable[[str], None] | None = None,
    clock: Clock = now,
) -> Made:
    """Make one edition of a report.

    Parameters
    ----------
    settings : Settings
        The workspace.
    name : str
        Name of the report in csa.yml.
    period : str, optional
        For example `2026-10`; default: the last one that the data cover.
    listener : callable, optional
        Told of every start, cell and end of a chapter.
    on_stage : callable, optional
        Told of every stage that starts.
    clock : callable
        Gives the time, with a zone.

    Returns
    -------
    Made
        Where it is, and how it went; `edition.status` tells whether a chapter failed.

    Raises
    ------
    ConfigError
        If csa.yml names no such report, or its chapters or parameters are wrong.
    InputError
        If data cannot be read or mapped, or the period is not over. Nothing is made.
    RunError
        If page or ledger cannot be written, or another run makes the same edition.
    """
    started, watch = clock(), Stopwatch(on_stage=on_stage)
    with watch("check"):
        report = report_of(settings, name)
        chapters = chapters_of(settings, name)
        zone = ZoneInfo(settings.timezone)
        today = started.astimezone(zone).date()
        chosen = period_of(settings, report, period, last_day=_last_day(settings), today=today)
    place = store.Place(settings.root / REPORTS, name, chosen.name)
    with store.making(place) as folder, tempfile.TemporaryDirectory(prefix="csa-") as private:
        run = _Run(
            settings=settings,
            name=name,
            chapters=chapters,
            period=chosen,
            ledger=Ledger(settings.root / LEDGER, zone, clock=clock),
            watch=watch,
            clock=clock,
            started=started,
            listener=listener,
            private=Path(private),
        )
        return _make(run, place, folder)


def _last_day(settings: Settings) -> date:
    with Tables(settings) as tables:
        faults = tables.faults()
        if faults:
            raise InputError(*faults)
        return tables.last_day()


def _make(run: _Run, place: store.Place, folder: Path) -> Made:
    with run.watch("quality"):
        workspace = open_workspace(
            as_of=run.period.as_of.isoformat(), path=run.settings.root / FILE
        )
        due = run.ledger.due(run.period.as_of)
        basis = basis_of(workspace, run.settings, run.name, run.chapters, run.period, due)
        revision = run.ledger.revision(basis.edition, basis.fingerprint)
        _record(run, basis, revision, "running")
        run.ledger.append_checks(basis.report.checks, edition=basis.edition)
    try:
        edition, notes, told = _write(run, workspace, basis, revision, folder)
        failed = edition.status == "failed"
        at = place.failed if failed else place.edition
        with run.watch("write"):
            store.put(place, at=at)
    except BaseException:  # stopped or broken: the ledger says so, the previous edition stays
        with suppress(RunError):
            _record(run, basis, revision, "failed")
        raise
    _record(run, basis, revision, edition.status, told)
    gallery.write(run.settings.root / REPORTS, workspace=run.settings.name)
    return Made(
        edition=edition,
        folder=at,
        html=_there(at / "report.html"),
        pdf=_there(at / "report.pdf"),
        notes=notes,
    )


def _write(
    run: _Run, workspace: Workspace, basis: Basis, revision: int, folder: Path
) -> tuple[Edition, tuple[str, ...], tuple[pa.Table, ...]]:
    with run.watch("roll-ups"):
        _roll_up(workspace)
    with run.watch("chapters"):
        runs = _run_chapters(run, folder)
    with run.watch("assemble"):
        pages, notebook = assemble.chapters_of(runs)
        edition = edition_of(
            basis,
            pages,
            notebook,
            revision=revision,
            made_at=run.clock().astimezone(ZoneInfo(run.settings.timezone)),
            stages=run.watch.seconds,
        )
        _write_data(notebook, folder)
    notes = _render(run, notebook, edition, folder)
    text = record.run_record(
        edition,
        parameters={c.name: c.parameters(run.period) for c in run.chapters},
        started=run.started,
        files=[p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()],
    )
    (folder / "run.json").write_text(text, encoding="utf-8")
    told = [predictions.left_by(run.private / p.name) for p in pages if p.status == "ok"]
    return edition, notes, tuple(itertools.chain.from_iterable(told))


def _roll_up(workspace: Workspace) -> None:
    for name in ROLLUPS:
        with suppress(NotAvailable):  # the chapters that need it say what is missing
            workspace.rollup(name)


def _run_chapters(run: _Run, folder: Path) -> tuple[engine.Run, ...]:
    tasks = []
    for chapter in run.chapters:
        own = run.private / chapter.name
        own.mkdir(exist_ok=True)
        tasks.append(
            engine.Task(
                name=chapter.name,
                notebook=chapter.notebook,
                parameters=chapter.parameters(run.period),
                output=folder / "notebooks" / f"{chapter.name}.ipynb",
                environment={predictions.FOLDER: str(own)},
            )
        )
    return engine.run_chapters(
        tasks,
        environment=kernel_environment(
            os.environ,
            workspace=run.settings.root / FILE,
            also=environment_names(run.settings),
        ),
        listener=run.listener,
        # the page's own libraries load while the kernels do
        meanwhile=lambda: importlib.import_module("csa.report.render"),
    )


def _write_data(notebook: NotebookNode, folder: Path) -> None:
    for path, text in assemble.charts_data(notebook).items():
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _render(run: _Run, notebook: NotebookNode, edition: Edition, folder: Path) -> tuple[str, ...]:
    render = importlib.import_module("csa.report.render")
    formats = run.settings.reports[run.name].formats
    if "html" in formats:
        with run.watch("html"):
            render.render_html(notebook, edition, folder / "report.html")
    if "pdf" not in formats:
        return ()
    try:
        with run.watch("pdf"):
            render.render_pdf(notebook, edition, folder / "report.pdf")
    except RunError as error:  # no Pango on this machine: the page is made all the same
        (folder / "report.pdf").unlink(missing_ok=True)
        if "html" not in formats:
            raise
        return error.faults
    return ()


def _there(path: Path) -> Path | None:
    return path if path.exists() else None


def _record(
    run: _Run, basis: Basis, revision: int, status: str, told: Sequence[pa.Table] = ()
) -> None:
    ended = status != "running"
    stages = {stage: round(seconds, 3) for stage, seconds in run.watch.seconds.items()}
    row = {
        "edition": basis.edition,
        "revision": revision,
        "started_at": run.started,
        "finished_at": run.clock() if ended else None,
        "stages": json.dumps(stages) if ended else None,
        "status": status,
        "fingerprint": basis.fingerprint,
    }
    rows: dict[str, Iterable[Mapping[str, Any]]] = {"report_runs": [row]}
    if told:
        rows[predictions.TABLE] = predictions.ledger_rows(told)
    run.ledger.append_together(rows, once=[predictions.TABLE])
