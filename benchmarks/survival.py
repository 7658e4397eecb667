"""Survival of 10 million accounts in 20 segments against lifelines, from one Parquet file.

Each side runs in its own process: curves with intervals for every segment, and the log-rank test
between them. Ours reads the file in the engine and also gives the total, Nelson-Aalen, medians
and restricted means; lifelines gets the same file through pandas. It is slow with text as group, so
it is timed once more with integer codes, its best case, which the note states. Imports are not
counted. With delayed entry only ours is measured: lifelines' log-rank test knows no entry.
"""
# ruff: noqa: PLC0415  a side imports only what it uses, or its memory would hold both

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.record import DATA, Record, measure, peak_so_far_mb

if TYPE_CHECKING:
    import pandas as pd

ACCOUNTS, SEGMENTS = 10_000_000, 20
GOAL_RATIO, GOAL_MEMORY = 10, 0.2
MODULE = "benchmarks.survival"

# Counter-based randomness: the same rows whatever the number of threads.
SPELLS = """
    copy (
        with drawn as (
            select 'segment ' || lpad((i % {segments})::varchar, 2, '0') as "group",
                   1 + (-ln(((hash(i, 1) % 1000000) + 0.5) / 1e6)
                        * 900 * (1 + (i % {segments}) / 40))::integer as life,
                   1 + (hash(i, 2) % 1825)::integer as followed,
                   if(hash(i, 3) % 3 = 0, (hash(i, 4) % 1500)::integer, 0) as late
            from range({accounts}) as numbers(i)
        )
        select "group", {entry} as entry_days, least(life, followed) as exit_days,
               life <= followed as event
        from drawn
    ) to '{path}' (format parquet)
"""
FROM_THE_START = "0"
LATE = "least(late, life - 1, followed - 1)"  # every spell is seen at least on its last day


def spells(name: str, entry: str) -> str:
    """Path of a Parquet file of spells, made once; `entry` is the SQL of the age at entry."""
    import duckdb

    path = DATA / f"{name}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        with duckdb.connect() as engine:
            engine.execute("set enable_progress_bar = false")
            engine.execute(
                SPELLS.format(accounts=ACCOUNTS, segments=SEGMENTS, entry=entry, path=aside)
            )
        Path(aside).rename(path)
    return str(path)


class Clock:
    """CPU and elapsed seconds since it was made."""

    def __init__(self) -> None:
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def figures(self) -> dict[str, float]:
        """Seconds so far, and peak memory in megabytes."""
        return {
            "cpu": time.process_time() - self.cpu,
            "wall": time.perf_counter() - self.wall,
            "peak_mb": peak_so_far_mb(),
        }


def ours(path: str) -> dict[str, float]:
    """Read, count and estimate."""
    import ibis

    from csa.analysis.churn import survival

    engine = ibis.duckdb.connect()
    clock = Clock()
    result = survival(engine.read_parquet(path))
    figures = clock.figures()
    statistic = result.logrank.statistic if result.logrank else float("nan")
    return figures | {"statistic": statistic, "rows": len(result.curves)}


def peer(path: str) -> dict[str, float]:
    """Read through pandas, then fit every segment and test between them."""
    import lifelines.statistics  # noqa: F401
    import pandas as pd
    import pyarrow.parquet  # noqa: F401  else these are imported while the clock runs

    clock = Clock()
    frame = pd.read_parquet(path, columns=["group", "exit_days", "event"])
    reading = clock.figures()["cpu"]
    statistic = fitted_and_tested(frame)
    figures = clock.figures()
    fit = figures["cpu"] - reading
    clock = Clock()
    frame["group"] = pd.factorize(frame["group"])[0]
    fitted_and_tested(frame)
    best = reading + clock.figures()["cpu"]
    return figures | {"fit_cpu": fit, "best_cpu": best, "statistic": statistic}


def fitted_and_tested(frame: "pd.DataFrame") -> float:
    """Fit a curve with its interval to every segment and return the log-rank statistic."""
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test

    for _, part in frame.groupby("group"):
        KaplanMeierFitter().fit(part["exit_days"], part["event"])
    test = multivariate_logrank_test(frame["exit_days"], frame["group"], frame["event"])
    return float(test.test_statistic)


def run() -> list[Record]:
    """Measure both sides, and ours once more with delayed entry."""
    path = spells("spells_10m", FROM_THE_START)
    mine = measure(["-m", MODULE, "ours", path])
    other = measure(["-m", MODULE, "lifelines", path])
    late = measure(["-m", MODULE, "ours", spells("spells_10m_late", LATE)])
    same = abs(mine.output["statistic"] / other.output["statistic"] - 1) < 1e-9
    ratio = other.output["cpu"] / mine.output["cpu"]
    memory = mine.peak_mb / other.peak_mb
    seconds = {name: other.output[name] for name in ("fit_cpu", "best_cpu", "wall")}
    note = (
        f"elapsed {mine.output['wall']:.2f} s against {seconds['wall']:.2f} s; lifelines without "
        f"reading {seconds['fit_cpu']:.2f} s cpu, with reading and segments as integer codes "
        f"{seconds['best_cpu']:.2f} s cpu ({seconds['best_cpu'] / mine.output['cpu']:.1f} times "
        f"ours); same log-rank statistic: {'yes' if same else 'NO'}; ours with delayed entry "
        f"{late.output['cpu']:.2f} s cpu, {late.output['wall']:.2f} s, {late.peak_mb:.0f} MB"
    )
    return [
        Record(
            name="survival",
            size=f"{ACCOUNTS:,} accounts, {SEGMENTS} segments",
            ours=round(mine.output["cpu"], 3),
            peer=round(other.output["cpu"], 3),
            peer_name="lifelines",
            unit="s cpu",
            ratio=round(ratio, 1),
            goal=f"at least {GOAL_RATIO} times faster, at most a fifth of the memory",
            peak_mb=round(mine.peak_mb),
            peer_peak_mb=round(other.peak_mb),
            holds=bool(same and ratio >= GOAL_RATIO and memory <= GOAL_MEMORY),
            note=note,
        )
    ]


if __name__ == "__main__":
    print(json.dumps({"ours": ours, "lifelines": peer}[sys.argv[1]](sys.argv[2])))
