"""Records of studies that take minutes: what was promised, and what many simulated worlds said."""

import fcntl
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

STUDIES = Path(__file__).resolve().parent / "studies.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One line of `studies.json`: `figures` are shares, by what they are shares of."""

    name: str
    what: str
    size: str
    result: str
    goal: str
    holds: bool
    seed: int  # the first of them
    figures: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def keep_study(study: Study, path: Path = STUDIES) -> None:
    """Write a study into the record, replacing the one of the same name; print its result."""
    day = datetime.now(UTC).date().isoformat()
    path.touch()
    with path.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # studies run beside each other
        text = file.read()
        rows = [row for row in json.loads(text or "[]") if row["name"] != study.name]
        rows += [{**asdict(study), "measured_on": day}]
        rows.sort(key=lambda row: row["name"])
        file.seek(0)
        file.truncate()
        file.write(json.dumps(rows, indent=1) + "\n")
    said = "yes" if study.holds else "NO"
    # the workers of `pytest -n` have no other way out
    sys.stderr.write(f"{study.name}: {study.result} ({study.goal}: {said})\n")
