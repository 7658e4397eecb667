"""One measured comparison, and how a process is measured."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
RESULTS = ROOT / "results.json"
DATA = ROOT / "data"  # generated inputs, not committed


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one process took; `output` is its last line, as JSON."""

    seconds_wall: float
    seconds_cpu: float
    peak_mb: float
    output: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of `results.json`. `ratio` is peer / ours: above 1 we are cheaper."""

    name: str
    size: str
    ours: float
    unit: str
    goal: str
    holds: bool
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None
    peak_mb: float | None = None
    peer_peak_mb: float | None = None
    note: str = ""


def measure(argv: Sequence[str], *, env: dict[str, str] | None = None) -> Measured:
    """Run one process alone; CPU seconds and peak memory include its children.

    `argv` starts with the script or with `-m module`; it runs under this Python.
    """
    begin = time.perf_counter()
    watched = (
        "import json,resource,runpy,sys;"
        "sys.argv=sys.argv[1:];m=sys.argv[0]=='-m';"
        "name=sys.argv[1] if m else sys.argv[0];sys.argv=sys.argv[1:] if m else sys.argv;"
        "runpy.run_module(name,run_name='__main__',alter_sys=True) if m"
        " else runpy.run_path(name,run_name='__main__');"
        "s,c=resource.getrusage(resource.RUSAGE_SELF),resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print();print(json.dumps([s.ru_utime+s.ru_stime+c.ru_utime+c.ru_stime,"
        "max(s.ru_maxrss,c.ru_maxrss)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", watched, *argv],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT.parent,
    )
    wall = time.perf_counter() - begin
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    cpu, peak = json.loads(lines[-1])
    output = json.loads(lines[-2]) if len(lines) > 1 and lines[-2].startswith("{") else {}
    per_mb = 1024 if sys.platform != "darwin" else 1024**2
    return Measured(seconds_wall=wall, seconds_cpu=cpu, peak_mb=peak / per_mb, output=output)


def peak_so_far_mb() -> float:
    """Peak resident memory of this process, megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform != "darwin" else 1024**2)


def keep(records: Sequence[Record]) -> None:
    """Write records into `results.json`, replacing those of the same name and size."""
    held = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    fresh = {(record.name, record.size) for record in records}
    rows = [row for row in held if (row["name"], row["size"]) not in fresh]
    day = datetime.now(UTC).date().isoformat()
    rows += [{**asdict(record), "measured_on": day, "cores": os.cpu_count()} for record in records]
    rows.sort(key=lambda row: (row["name"], row["size"]))
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
