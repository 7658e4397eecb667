"""Run the benchmarks: `make bench`, or `make bench ONLY=survival`."""

import importlib
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.record import Record, keep

MODULES = (
    "survival",
    "counted",
    "regression",
    "risk",
    "spend",
    "buyers",
    "pareto",
    "contract_value",
    "rfm",
    "mrr",
    "usage",
    "chapters",
    "report",
)


def show(records: list[Record]) -> None:
    """Print the table of all records of this run."""
    table = Table(title="ours against the named peer, one run")
    for heading in ("name", "size", "ours", "peer", "ratio", "peak MB", "peer MB", "goal", "holds"):
        table.add_column(heading, overflow="fold")
    for r in records:
        table.add_row(
            r.name,
            r.size,
            f"{r.ours:,.2f} {r.unit}",
            "" if r.peer is None else f"{r.peer:,.2f} {r.peer_name}",
            "" if r.ratio is None else f"{r.ratio:,.1f}x",
            "" if r.peak_mb is None else f"{r.peak_mb:,.0f}",
            "" if r.peer_peak_mb is None else f"{r.peer_peak_mb:,.0f}",
            r.goal,
            "yes" if r.holds else "NO",
        )
    Console().print(table)


def main(names: list[str]) -> int:
    """Run the named modules, or all; 1 when a goal is missed, 2 for an unknown name."""
    unknown = [name for name in names if name not in MODULES]
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are: {', '.join(MODULES)}\n")
        return 2
    records: list[Record] = []
    for name in names or MODULES:
        records += importlib.import_module(f"benchmarks.{name}").run()
        keep(records)
    show(records)
    return 0 if all(record.holds for record in records) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
