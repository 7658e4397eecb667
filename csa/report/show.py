"""What the command line shows: progress, where an edition is, what checks found."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from csa.present.theme import STATUS
from csa.present.words import known
from csa.report.assemble import Edition
from csa.report.engine import Event
from csa.report.run import Made

_COLOURS = {"good": "green", "watch": "yellow", "bad": "red", "unclear": "dim"}


_PIPE_WIDTH = 160  # where no terminal has a width


def console() -> Console:
    """Give where results are shown.

    Returns
    -------
    Console
        Standard output, as wide as the terminal.
    """
    shown = Console(highlight=False)
    return shown if shown.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


@dataclass(slots=True)
class Watcher:
    """Shows stages and chapters while a report runs; silent where nobody watches."""

    progress: Progress | None = None
    stage: TaskID | None = None
    chapters: dict[str, TaskID] | None = None

    def on_stage(self, name: str) -> None:
        """Show which stage has started.

        Parameters
        ----------
        name : str
            Name of the stage.
        """
        if self.progress is not None and self.stage is not None:
            self.progress.update(self.stage, description=name)

    def on_chapter(self, event: Event, chapter: str, share: float) -> None:
        """Show how far a chapter is.

        Parameters
        ----------
        event : str
            started, cell or finished.
        chapter : str
            Name of the chapter.
        share : float
            Share of its cells that have run.
        """
        if self.progress is None or self.chapters is None:
            return
        if event == "started":
            self.chapters[chapter] = self.progress.add_task(f"  {chapter}", total=1.0)
        self.progress.update(self.chapters[chapter], completed=share)


@contextmanager
def watcher(console: Console) -> Iterator[Watcher]:
    """Show progress on a terminal.

    Parameters
    ----------
    console : Console
        Where to.

    Yields
    ------
    Watcher
        To be told of stages and chapters.
    """
    if not console.is_terminal:
        yield Watcher()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        stage = progress.add_task("start", total=None)
        yield Watcher(progress, stage, {})


def made(made: Made, console: Console) -> None:
    """Say where an edition is, how long each stage took and what it says.

    Parameters
    ----------
    made : Made
        From `run_report`.
    console : Console
        Where to.
    """
    edition = made.edition
    for page in edition.chapters:
        if page.status != "ok":
            _line(console, f"{page.name}: {page.status}: {page.problem[0]}", style="yellow")
    for path in (made.html, made.pdf):
        if path is not None:
            _line(console, str(_shown(path)))
    if made.html is None and made.pdf is None:
        _line(console, str(_shown(made.folder)))
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in edition.stages.items())
    _line(console, f"{stages}; total {sum(edition.stages.values()):.1f} s", style="dim")
    console.print(verdict(edition), soft_wrap=True)


def verdict(edition: Edition) -> Text:
    """Say in one line what the edition says first.

    Parameters
    ----------
    edition : Edition
        The edition.

    Returns
    -------
    Text
        Its most important finding, or that it has none.
    """
    start = f"{edition.title}, {edition.period_label}: "
    if not edition.findings:
        return Text(f"{start}no finding could be computed")
    finding = edition.findings[0].finding
    status = finding["status"]
    word = finding.get("word") or STATUS[status]["word"]
    mark = (f"{STATUS[status]['shape']} {word}", _COLOURS[status])
    return Text.assemble(start, mark, f" - {finding['text']}")


def checks(failing: Sequence[Any], console: Console) -> None:
    """List failing checks with keys and ways out, errors first.

    Parameters
    ----------
    failing : sequence of Check
        Failing checks.
    console : Console
        Where to.
    """
    for check in sorted(failing, key=lambda c: (c.severity != "error", c.table)):
        place = f"{check.table}.{check.column}" if check.column else check.table
        said = [f"{check.failing:,} of {check.rows:,} rows"] if check.rows else []
        said += [f"for example {', '.join(check.examples)}"] if check.examples else []
        facts = f" ({'; '.join(said)})" if said else ""
        style = "red" if check.severity == "error" else "yellow"
        _line(console, f"{check.severity}: {place}: {check.message}{facts}", style=style)
        _line(console, f"  {check.fix}")


def tables(rows: Sequence[Mapping[Any, Any]], console: Console) -> None:
    """List tables with their rows and newest row.

    Parameters
    ----------
    rows : sequence of mapping
        `table`, `rows`, `newest`, `origin`.
    console : Console
        Where to.
    """
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("table")
    shown.add_column("rows", justify="right")
    shown.add_column("newest")
    shown.add_column("from")
    for row in rows:
        newest = f"{row['newest']:%Y-%m-%d}" if known(row["newest"]) else "-"
        shown.add_row(Text(row["table"]), f"{row['rows']:,}", newest, Text(row["origin"]))
    console.print(shown)


def _line(console: Console, text: str, *, style: str | None = None) -> None:
    console.print(Text(text, style=style or ""), soft_wrap=True)


def _shown(path: Path) -> Path:
    """Shorten a path to what works from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
