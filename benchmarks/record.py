"""One measured comparison, and how a process is measured."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
RESULTS = ROOT / "results.json"
DATA = ROOT / "data"  # generated inputs, not committed
_PER_MB = 1024**2 if sys.platform == "darwin" else 1024  # of ru_maxrss


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


def peer_python(name: str) -> str | None:
    """Look up the Python of a peer that lives in an environment of its own.

    Its path is in the environment variable `CSA_PEER_` and the name in capitals.
    """
    return os.environ.get(f"CSA_PEER_{name.upper()}") or None


def measure(
    argv: Sequence[str], *, env: dict[str, str] | None = None, python: str | None = None
) -> Measured:
    """Run one process alone; CPU seconds include its children, the peak is that of the largest.

    `argv` starts with the script or with `-m module`; it runs under this Python, or the one given.
    A last line of its output that is a JSON object becomes `output`.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(
            [python or sys.executable, *argv],
            env={**os.environ, **(env or {})},
            stdout=out,
            text=True,
            cwd=ROOT.parent,
        )
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, [*argv])
        out.seek(0)
        lines = [line for line in out.read().splitlines() if line.strip()]
    output = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return Measured(
        seconds_wall=wall,
        seconds_cpu=used.ru_utime + used.ru_stime,
        peak_mb=used.ru_maxrss / _PER_MB,
        output=output,
    )


def peak_so_far_mb() -> float:
    """Peak resident memory of this process, megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_MB


def keep(records: Sequence[Record]) -> None:
    """Write records into `results.json`, replacing those of the same name and size."""
    held = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    fresh = {(record.name, record.size) for record in records}
    rows = [row for row in held if (row["name"], row["size"]) not in fresh]
    day = datetime.now(UTC).date().isoformat()
    rows += [{**asdict(record), "measured_on": day, "cores": os.cpu_count()} for record in records]
    rows.sort(key=lambda row: (row["name"], row["size"]))
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
