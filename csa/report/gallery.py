"""`reports/index.html`: all editions, newest first, in one file that works from disk."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from csa.present.theme import BRAND
from csa.report.code import shipped

_WORDS = {"ok": "complete", "chapter failed": "a chapter failed", "failed": "not made"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One edition in the list."""

    record: Mapping[str, Any]  # its run.json
    folder: str  # relative to index.html
    pages: tuple[str, ...]  # files to open
    headline: Mapping[str, Any] | None  # its most important finding

    @property
    def status(self) -> str:
        """How it went, in words."""
        return _WORDS.get(self.record["status"], str(self.record["status"]))


def write(reports: Path, *, workspace: str) -> Path:
    """Write the index of all editions that stand below a folder.

    Parameters
    ----------
    reports : Path
        Folder of the editions.
    workspace : str
        Name of the workspace, for the title.

    Returns
    -------
    Path
        `index.html`.
    """
    environment = Environment(
        loader=FileSystemLoader(shipped("templates")), autoescape=True, undefined=StrictUndefined
    )
    cards = sorted(_cards(reports), key=_newest_first)
    page = environment.get_template("csa-index/index.html.j2").render(
        workspace=workspace, cards=cards, brand=BRAND
    )
    target, draft = reports / "index.html", reports / ".work" / f"index-{os.getpid()}.html"
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_text(page, encoding="utf-8")
    os.replace(draft, target)  # noqa: PTH105 - one step, like the editions
    return target


def _newest_first(card: Card) -> tuple[int, str]:
    days = int(card.record["period"]["end"].replace("-", ""))
    return -days, card.folder


def _cards(reports: Path) -> Iterator[Card]:
    for path in sorted(reports.glob("*/*/run.json")):
        if path.relative_to(reports).parts[0].startswith("."):
            continue
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            there = set(record["files"])
            yield Card(
                record=record,
                folder=path.parent.relative_to(reports).as_posix(),
                pages=tuple(name for name in ("report.html", "report.pdf") if name in there),
                headline=next(iter(record["findings"]), None),
            )
        except (ValueError, KeyError, TypeError):
            continue  # not ours, or of another time: the list goes on without it
