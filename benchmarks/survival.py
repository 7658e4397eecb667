"""Survival of 10 million accounts in 20 segments against lifelines, from one Parquet file.

Each side runs in its own process: curves with intervals for every segment, and the log-rank test
between them. Ours reads the file in the engine and also gives the total, Nelson-Aalen, medians
and restricted means; lifelines works on a frame in memory, and its reading is not counted. It is
slow with text as group, so it is timed once more with integer codes, its best case. Imports are
not counted. With delayed entry only ours is measured: lifelines' log-rank test knows no entry.
"""
# ruff: noqa: PLC0415  a side imports only what it uses, or its memory would hold both

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.record import DATA, Measured, Record, measure, peak_so_far_mb

if TYPE_CHECKING:
    import pandas as pd

ACCOUNTS, SEGMENTS = 10_000_000, 20
GOAL_RATIO, GOAL_MB = 10, 300
GOAL_SECONDS, GOAL_LATE_SECONDS = 1.0, 1.5
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
    """Fit every segment and test between them, segments as text and then as integers."""
    import lifelines.statistics  # noqa: F401
    import pandas as pd

    frame = pd.read_parquet(path, columns=["group", "exit_days", "event"])
    clock = Clock()
    statistic = fitted_and_tested(frame)
    figures = clock.figures()
    frame["group"] = pd.factorize(frame["group"])[0]
    clock = Clock()
    fitted_and_tested(frame)
    return figures | {"codes_cpu": clock.figures()["cpu"], "statistic": statistic}


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
    mine = side("ours", spells("spells_10m", FROM_THE_START))
    other = side("lifelines", spells("spells_10m", FROM_THE_START))
    late = side("ours", spells("spells_10m_late", LATE))
    same = abs(mine.output["statistic"] / other.output["statistic"] - 1) < 1e-9
    return [
        *(
            _against(mine, other, seconds, name, same=same)
            for name, seconds in (
                ("lifelines in memory", other.output["cpu"]),
                ("lifelines in memory, segments as integers", other.output["codes_cpu"]),
            )
        ),
        _alone(mine, "", GOAL_SECONDS),
        _alone(late, ", with delayed entry", GOAL_LATE_SECONDS),
    ]


def side(name: str, path: str) -> Measured:
    """Measure one side in a process of its own."""
    return measure(["-m", MODULE, name, path])


def _against(mine: Measured, other: Measured, theirs: float, name: str, *, same: bool) -> Record:
    ours = mine.output["cpu"]
    return Record(
        name="survival",
        size=f"{ACCOUNTS:,} accounts, {SEGMENTS} segments, {name}",
        ours=round(ours, 3),
        peer=round(theirs, 3),
        peer_name=name,
        unit="s cpu",
        ratio=round(theirs / ours, 1),
        goal=f"at least {GOAL_RATIO} times faster",
        peak_mb=round(mine.peak_mb),
        peer_peak_mb=round(other.peak_mb),
        holds=bool(same and theirs >= GOAL_RATIO * ours),
        note="ours reads the file, lifelines does not; same log-rank statistic: "
        f"{'yes' if same else 'NO'}",
    )


def _alone(mine: Measured, how: str, seconds: float) -> Record:
    ours = mine.output["cpu"]
    return Record(
        name="survival",
        size=f"{ACCOUNTS:,} accounts, {SEGMENTS} segments{how}",
        ours=round(ours, 3),
        unit="s cpu",
        goal=f"at most {seconds} s and {GOAL_MB} MB",
        peak_mb=round(mine.peak_mb),
        holds=ours <= seconds and mine.peak_mb <= GOAL_MB,
        note=f"elapsed {mine.output['wall']:.2f} s, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}; curves, intervals, Nelson-Aalen, restricted means, log-rank",
    )


if __name__ == "__main__":
    print(json.dumps({"ours": ours, "lifelines": peer}[sys.argv[1]](sys.argv[2])))
