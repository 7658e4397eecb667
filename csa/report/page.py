"""What a page says about an edition as a whole: verdict, notices, record, notes at the end.

The templates only place these; every sentence and every choice is made here, where it is tested.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pandas as pd
from nbformat import NotebookNode

from csa.present.columns import Column
from csa.present.items import Table, status_word
from csa.present.names import capital, clean, joined, plural, shortened
from csa.present.words import Words
from csa.report.assemble import ChapterPage, Edition, ScoreRow
from csa.report.outputs import Part
from csa.report.remedy import remedy, split_settings

LINE: Final = 600  # characters of an error that a page shows
CHECKS_SHOWN: Final = 20  # in the appendix, where no chapter shows them


class Entry(NamedTuple):
    """A line of the contents, or a notice."""

    text: str
    anchor: str
    level: int = 2


class Method(NamedTuple):
    """A method note, gathered in the appendix."""

    cell: str  # id of its cell
    title: str
    anchor: str
    text: str


class Said(NamedTuple):
    """What stands where a chapter could not be computed."""

    head: str
    lines: tuple[str, ...]
    how: str
    add: str  # lines for csa.yml


@dataclass(frozen=True, slots=True)
class Page:
    """An edition as the templates read it."""

    edition: Edition
    notebook: NotebookNode
    words: Words

    @property
    def title(self) -> str:
        """Title of the document."""
        e = self.edition
        return f"{e.title}, {e.period_label}, {e.workspace}"

    @property
    def facts(self) -> str:
        """Line under the title: how far the data reach, when the page was made."""
        e, words = self.edition, self.words
        until = f"Data until {words.day(e.data_until)}" if e.data_until else "No dated data"
        made = f"made {words.day(e.made_at)}, {e.made_at:%H:%M} {e.timezone}"
        return f"{until} · {made} · revision {e.revision}"

    @property
    def running(self) -> str:
        """Head of every printed page."""
        e = self.edition
        names = (shortened(e.workspace, 34), shortened(e.title, 40), e.period_label)
        return " · ".join(names)

    @property
    def imprint(self) -> str:
        """Last line of the page."""
        e = self.edition
        return f"{e.id} · revision {e.revision} · csa {e.code_version}"

    @property
    def chapters(self) -> tuple[ChapterPage, ...]:
        """Chapters in the order of the report."""
        return self.edition.chapters

    @property
    def verdict(self) -> str:
        """Count the findings by what they ask of the reader."""
        counts = Counter(
            ranked.finding.get("word") or ranked.finding["status"].capitalize()
            for ranked in self.edition.findings
        )
        if not counts:
            return "Nothing can be judged for this period."
        said = [f"{counts[word]} {phrase}" for word, phrase in _ASKS.items() if counts[word]]
        total, first = sum(counts.values()), len(self.edition.page_one)
        rest = f"; the {first} to read first:" if first < total else "."
        return f"{total} {plural(total, 'finding')}: {joined(said)}{rest}"

    @property
    def notices(self) -> list[Entry]:
        """What a reader must know before trusting the page."""
        notices = [
            Entry(f"{chapter.title} {_STATE[chapter.status]}.", chapter.anchor)
            for chapter in self.chapters
            if chapter.status != "ok"
        ]
        if blocked := self.edition.quality.blocked:
            names = joined([clean(name) for name in blocked])
            text = f"Numbers from {names} are withheld: their data fail checks."
            notices.append(Entry(text, self._chapter_with("failing-checks") or "data-checked"))
        return notices

    @property
    def contents(self) -> list[Entry]:
        """Lines of the contents, the page's own parts included."""
        own = [Entry("Executive summary", "summary")]
        if self.edition.scorecard:
            own.append(Entry("Scorecard", "scorecard"))
        chapters = [Entry(h.text, h.anchor, h.level) for h in self.edition.contents]
        return [*own, *chapters, Entry("Appendix", "appendix")]

    @property
    def scorecard(self) -> list[dict[str, str]]:
        """Rows of the scorecard as text."""
        return [self._score(row) for row in self.edition.scorecard]

    def _score(self, row: ScoreRow) -> dict[str, str]:
        words, m = self.words, row.measure
        unit = m["unit"]
        return {
            "title": row.title,
            "anchor": row.anchor,
            "status": row.status,
            "word": status_word(row.status, m),
            "value": words.measure(m["value"], unit),
            "interval": words.interval(m["low"], m["high"], unit),
            "target": words.measure(m["target"], unit),
            "change": words.change(m["change"], unit),
            "n": words.number(m["n"]),
        }

    @property
    def methods(self) -> list[Method]:
        """Method notes of all chapters, each under the heading it belongs to."""
        return list(_methods(self.notebook, {c.name: c.title for c in self.chapters}))

    def method_of(self, cell: NotebookNode) -> Method | None:
        """Find the note in the appendix that a cell became.

        Parameters
        ----------
        cell : NotebookNode
            Cell tagged method.

        Returns
        -------
        Method or None
            None where the cell is empty.
        """
        return next((m for m in self.methods if m.cell == cell["id"]), None)

    def problem(self, part: Part) -> Said:
        """Say why a chapter is not there, apart from the lines that go into csa.yml.

        Parameters
        ----------
        part : mapping
            A `PROBLEM` part.

        Returns
        -------
        Said
            Head, sentences, and what to add.
        """
        text, add = split_settings(part["lines"])
        if part["kind"] == "unavailable":
            add = add or remedy(text)
        return Said(
            head=f"{part['title']} {_STATE[part['kind']]}",
            lines=tuple(capital(shortened(line, LINE)) for line in text),
            how="" if text and text[-1].endswith(":") else "Add it to csa.yml like this:",
            add="\n".join(add),
        )

    @property
    def data_note(self) -> str:
        """Sentence about freshness and lineage."""
        e, words = self.edition, self.words
        known = f"Everything is as known on {words.day(e.as_of)}"
        until = f"; the newest row is of {words.day(e.data_until)}" if e.data_until else ""
        return f"{known}{until}.{self._see('lineage')}"

    @property
    def quality_note(self) -> str:
        """Sentence about the quality gate."""
        q, words = self.edition.quality, self.words
        ran = f"{words.number(q.checks)} {plural(q.checks, 'check')}"
        if not q.errors + q.warnings:
            return f"{ran}, none of which fails." if q.checks else "Nothing could be checked."
        kinds = [(q.errors, "error"), (q.warnings, "warning")]
        found = joined([f"{words.number(n)} {plural(n, kind)}" for n, kind in kinds if n])
        return f"{ran}: {found}.{self._see('failing-checks')}"

    def _see(self, table: str) -> str:
        chapter = next((c for c in self.chapters if _shows(c, table)), None)
        return f" The chapter “{chapter.title}” has the table." if chapter else ""

    def _chapter_with(self, table: str) -> str | None:
        return next((c.anchor for c in self.chapters if _shows(c, table)), None)

    @property
    def lineage(self) -> Part | None:
        """Where the tables came from, unless a chapter shows it."""
        if self._chapter_with("lineage") or not self.edition.lineage:
            return None
        rows = pd.DataFrame(
            [
                (r.table, r.origin, r.rows, r.newest, r.fingerprint[:12])
                for r in self.edition.lineage
            ],
            columns=["table", "origin", "rows", "newest", "fingerprint"],
        )
        columns = (
            Column("table", "Table"),
            Column("origin", "Read from"),
            Column("rows", "Rows", "integer"),
            Column("newest", "Newest row", "date"),
            Column("fingerprint", "Fingerprint"),
        )
        return self._part("lineage", "Tables", columns, rows)

    @property
    def checks(self) -> Part | None:
        """Failing checks, unless a chapter shows them."""
        failing = self.edition.quality.failing
        if self._chapter_with("failing-checks") or not failing:
            return None
        rows = pd.DataFrame(
            [
                {
                    "severity": check["severity"].capitalize(),
                    "table": check["table"],
                    "message": check["message"],
                    "failing": check["failing"],
                    "fix": check["fix"],
                }
                for check in failing
            ]
        )
        columns = (
            Column("severity", "Severity"),
            Column("table", "Table"),
            Column("message", "What is wrong"),
            Column("failing", "Rows", "integer"),
            Column("fix", "Way out"),
        )
        return self._part("checks", "Checks that fail", columns, rows, limit=CHECKS_SHOWN)

    @property
    def record(self) -> list[tuple[str, str]]:
        """What identifies the edition."""
        e, words = self.edition, self.words
        return [
            ("Edition", f"{e.id}, revision {e.revision}"),
            ("Period", f"{words.day(e.start)} to {words.day(e.as_of)}"),
            ("Made", f"{words.day(e.made_at)}, {e.made_at:%H:%M} {e.timezone}"),
            ("Fingerprint of data, parameters and code", e.fingerprint),
            ("Code", f"csa {e.code_version}"),
            ("Currency, number format", f"{e.currency}, {e.locale}"),
        ]

    def _part(
        self,
        name: str,
        title: str,
        columns: tuple[Column, ...],
        rows: pd.DataFrame,
        *,
        limit: int = 200,
    ) -> Part:
        return Table(
            id=name, title=title, columns=columns, rows=rows, words=self.words, limit=limit
        ).part()


_ASKS: Final[Mapping[str, str]] = {  # in the order in which a reader should see them
    "Bad": "bad",
    "Watch": "to watch",
    "Unclear": "unclear",
    "No target": "without a target",
    "Good": "good",
}
_STATE: Final[Mapping[str, str]] = {
    "ok": "is complete",
    "unavailable": "is not available",
    "failed": "failed",
}


def _shows(chapter: ChapterPage, table: str) -> bool:
    return any(part["id"] == table for part in chapter.tables)


def _methods(notebook: NotebookNode, titles: Mapping[str, str]) -> Iterator[Method]:
    section: dict[str, str] = {}
    for cell in notebook.cells:
        meta: Mapping[str, Any] = cell.metadata.csa
        chapter = meta["chapter"]
        if meta.get("heading"):
            section[chapter] = meta["heading"]
        if "method" in cell.metadata.get("tags", []) and cell.source.strip():
            title = titles.get(chapter, chapter)
            part = section.get(chapter, title)
            yield Method(
                cell=cell["id"],
                title=title if part == title else f"{title}: {part}",
                anchor=f"method-{cell['id']}",
                text=cell.source,
            )
