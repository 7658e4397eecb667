"""What a chapter displays: findings, charts and tables, each with a machine-readable part.

In JupyterLab an item shows as HTML or SVG; in an edition the templates read only the
machine-readable part, so summary, page, print and e-mail are made from the same numbers.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import pandas as pd
from markupsafe import Markup

from csa.present.columns import Column, cell_text, line_breaks
from csa.present.names import shortened
from csa.present.plain import csv_text, plain
from csa.present.theme import NO_TARGET, STATUS
from csa.present.words import Words

Status = Literal["good", "watch", "bad", "unclear"]
Kind = Literal["change", "action", "standing", "report"]

FINDING = "application/vnd.csa.finding+json"
CHART = "application/vnd.csa.chart+json"
TABLE = "application/vnd.csa.table+json"
SCHEMA_VERSION = 1

Json = dict[str, Any]
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A metric's value with what makes it trustworthy; shares are 0 to 1, unknown is None."""

    metric_id: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str  # share, days, months, money, count, points
    confidence: float
    method: str
    target: float | None = None
    warn: float | None = None
    better: Literal["higher", "lower"] | None = None
    previous: float | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A computed sentence that a reader remembers.

    `text` answers what changed (figure with unit), `evidence` whether it is real (interval, n,
    test), `action` what to do. `weight` is the size of the matter, 0 to 1, for ranking. `kind`
    says what it is about: a "change" of the period, an "action" that is due, the "standing" of
    the customers, or the "report" itself (its data, its models).
    """

    id: str
    title: str  # short name for the scorecard
    text: str
    evidence: str
    action: str
    status: Status
    measure: Measure | None = None
    weight: float = 0.0
    kind: Kind = "standing"

    def __post_init__(self) -> None:
        _check_id(self.id)
        _check_filled("finding", self.id, title=self.title, text=self.text)
        if self.kind not in get_args(Kind):
            raise ValueError(f"finding {self.id}: kind {self.kind!r} is not {get_args(Kind)}")
        if self.status not in get_args(Status):
            raise ValueError(f"finding {self.id}: status {self.status!r} is not {STATUS.keys()}")

    @property
    def word(self) -> str:
        """The status as shown: a finding that only lacks a target says so."""
        return status_word(self.status, asdict(self.measure) if self.measure else None)

    def part(self) -> Json:
        """Make the machine-readable part.

        Returns
        -------
        dict
            All fields, `word` and `schema`; JSON without NaN.
        """
        return {**plain(asdict(self)), "word": self.word, "schema": SCHEMA_VERSION}

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> Json:
        lines = [f"[{self.word.upper()}] {self.title}: {self.text}"]
        lines += [f"  {label}: {line}" for label, line in self._answers() if line]
        answers = Markup("").join(
            Markup("<br><small><b>{}</b> {}</small>").format(label, line)
            for label, line in self._answers()
            if line
        )
        shape = STATUS[self.status]["shape"]
        page = Markup("<p><b>{} {}</b> · {}<br>{}{}</p>").format(
            shape, self.word, self.title, self.text, answers
        )
        bundle = {"text/plain": "\n".join(lines), "text/html": str(page), FINDING: self.part()}
        return _chosen(bundle, include, exclude)

    def _answers(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return ("Is it real?", self.evidence), ("What to do", self.action)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """A drawing in two widths with the words that replace it and the numbers behind it."""

    id: str
    title: str  # a statement or a question, shown above the drawing
    alt: str  # what the drawing says to who cannot see it; required
    svg: str  # about 7.2 inches wide
    svg_narrow: str  # about 3.6 inches wide: the same for a phone
    data: pd.DataFrame
    caption: str = ""

    def __post_init__(self) -> None:
        _check_id(self.id)
        _check_filled("chart", self.id, title=self.title, alt=self.alt, svg=self.svg)
        _check_filled("chart", self.id, svg_narrow=self.svg_narrow)

    def part(self) -> Json:
        """Make the machine-readable part.

        Returns
        -------
        dict
            `id`, `title`, `alt`, `caption`, `svg_narrow`, `columns`, `csv` and `schema`. The wide
            drawing is the output's own image/svg+xml.
        """
        return {
            "schema": SCHEMA_VERSION,
            "id": self.id,
            "title": self.title,
            "alt": self.alt,
            "caption": self.caption,
            "svg_narrow": self.svg_narrow,
            "columns": [str(name) for name in self.data.columns],
            "csv": csv_text(self.data),
        }

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> Json:
        bundle = {
            "text/plain": f"{self.title}\n  {self.alt}",
            "image/svg+xml": self.svg,
            CHART: self.part(),
        }
        return _chosen(bundle, include, exclude)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A table as a reader sees it: chosen columns, formatted cells, a caption, a note.

    An interval is a pair (low, high) in one cell. Rows past `limit` are counted, not shown.
    """

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: pd.DataFrame
    caption: str = ""
    note: str = ""
    empty: str = "No rows."
    limit: int = 200
    words: Words = field(default_factory=Words)

    def __post_init__(self) -> None:
        _check_id(self.id)
        _check_filled("table", self.id, title=self.title)
        missing = [c.key for c in self.columns if c.key not in self.rows.columns]
        if missing:
            raise ValueError(f"table {self.id}: rows have no column {', '.join(missing)}")

    def cells(self) -> list[list[str]]:
        """Format the cells.

        Returns
        -------
        list of lists of str
            Shown rows, one text per column.
        """
        return [
            [
                cell_text(value, column, self.words)
                for value, column in zip(row, self.columns, strict=True)
            ]
            for row in self._shown()
        ]

    def part(self) -> Json:
        """Make the machine-readable part.

        Returns
        -------
        dict
            `id`, `title`, `caption`, `note`, `empty`, `columns` (key, label, kind, unit, numeric,
            breaks: where its lines may break),
            `rows` (raw values per key), `cells` (formatted texts), `more` (rows not shown) and
            `schema`; JSON without NaN.
        """
        keys, cells = [column.key for column in self.columns], self.cells()
        breaks = [line_breaks(line[i] for line in cells) for i in range(len(keys))]
        return {
            "schema": SCHEMA_VERSION,
            "id": self.id,
            "title": self.title,
            "caption": self.caption,
            "note": self.note,
            "empty": self.empty,
            "columns": [
                {**asdict(column), "numeric": column.numeric, "breaks": where}
                for column, where in zip(self.columns, breaks, strict=True)
            ],
            "rows": [dict(zip(keys, plain(list(row)), strict=True)) for row in self._shown()],
            "cells": cells,
            "more": max(0, len(self.rows) - self.limit),
        }

    def _shown(self) -> Iterable[tuple[Any, ...]]:
        keys = [column.key for column in self.columns]
        return self.rows[keys].head(self.limit).itertuples(index=False, name=None)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> Json:
        bundle = {"text/plain": self._text(), "text/html": self._html(), TABLE: self.part()}
        return _chosen(bundle, include, exclude)

    def _text(self) -> str:
        lines = [[column.label for column in self.columns], *self.cells()]
        lines = [[shortened(text) for text in line] for line in lines]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        aligned = [
            "  ".join(
                text.rjust(width) if column.numeric else text.ljust(width)
                for text, width, column in zip(line, widths, self.columns, strict=True)
            ).rstrip()
            for line in lines
        ]
        tail = [self.empty] if len(lines) == 1 else []
        return "\n".join([self.title, *aligned, *tail, *filter(None, [self.note])])

    def _html(self) -> str:
        def row(cell: Markup, texts: Iterable[str]) -> Markup:
            cells = (
                cell.format("right" if column.numeric else "left", text)
                for text, column in zip(texts, self.columns, strict=True)
            )
            return Markup("<tr>{}</tr>").format(Markup("").join(cells))

        head = row(
            Markup('<th scope="col" style="text-align:{}">{}</th>'),
            (column.label for column in self.columns),
        )
        cell = Markup('<td style="text-align:{}">{}</td>')
        body = Markup("").join(row(cell, texts) for texts in self.cells())
        return str(
            Markup("<table><caption>{}</caption><thead>{}</thead><tbody>{}</tbody></table>").format(
                self.title, head, body
            )
        )


def status_word(status: str, measure: Mapping[str, Any] | None) -> str:
    """Say a status in a word.

    Parameters
    ----------
    status : str
        good, watch, bad or unclear.
    measure : mapping or None
        Fields of the measure that was judged.

    Returns
    -------
    str
        "No target" where nothing but a target is missing for a verdict.
    """
    measured = (
        measure is not None
        and measure["n"] > 0
        and (measure["value"] is not None or measure["low"] is not None)
    )
    if status == "unclear" and measured and measure is not None and measure["target"] is None:
        return NO_TARGET
    return STATUS[status]["word"]


def _check_id(text: str) -> None:
    if not _ID.fullmatch(text):
        raise ValueError(f"id {text!r}: lower case letters, digits and single hyphens only")


def _check_filled(kind: str, name: str, **texts: str) -> None:
    for label, text in texts.items():
        if not text or not text.strip():
            raise ValueError(f"{kind} {name}: {label} is required")


def _chosen(bundle: Json, include: Collection[str] | None, exclude: Collection[str] | None) -> Json:
    return {
        kind: part
        for kind, part in bundle.items()
        if (not include or kind in include) and kind not in (exclude or ())
    }
