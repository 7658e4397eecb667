"""What is written down of an edition: its fingerprint and run.json."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from csa.report.assemble import ChapterPage, Edition

SCHEMA = 1  # of run.json


def fingerprint(content: Mapping[str, Any]) -> str:
    """Digest what an edition is a function of.

    Parameters
    ----------
    content : mapping
        Data, parameters and code, in plain values.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_record(
    edition: Edition, *, parameters: Mapping[str, Any], started: datetime, files: list[str]
) -> str:
    """Write run.json: what ran, on which data, what came out.

    Parameters
    ----------
    edition : Edition
        The edition.
    parameters : mapping
        Parameters by chapter.
    started : datetime
        Start of the run.
    files : list of str
        Files of the edition, relative to its folder.

    Returns
    -------
    str
        JSON.
    """
    record = {
        "schema": SCHEMA,
        "edition": edition.id,
        "report": edition.report,
        "title": edition.title,
        "workspace": edition.workspace,
        "period": _period(edition),
        "revision": edition.revision,
        "fingerprint": edition.fingerprint,
        "code_version": edition.code_version,
        "started_at": started,
        "made_at": edition.made_at,
        "timezone": edition.timezone,
        "status": edition.status,
        "data_until": edition.data_until,
        "data": [asdict(row) for row in edition.lineage],
        "quality": asdict(edition.quality),
        "parameters": parameters,
        "chapters": [_chapter(page) for page in edition.chapters],
        "findings": [{"chapter": f.chapter, **f.finding} for f in edition.findings],
        "stages": {name: round(seconds, 3) for name, seconds in edition.stages.items()},
        "files": sorted(files),
    }
    return json.dumps(record, indent=2, ensure_ascii=False, default=_plain) + "\n"


def _period(edition: Edition) -> dict[str, Any]:
    return {
        "name": edition.period,
        "label": edition.period_label,
        "kind": edition.cadence,
        "start": edition.start,
        "end": edition.end,
        "as_of": edition.as_of,
    }


def _chapter(page: ChapterPage) -> dict[str, Any]:
    return {
        "name": page.name,
        "title": page.title,
        "status": page.status,
        "seconds": round(page.seconds, 3),
        "notebook": page.notebook,
        "problem": list(page.problem),
    }


def _plain(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)
