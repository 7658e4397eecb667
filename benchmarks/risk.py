"""Risk of the next 90 days: a million accounts scored at once, and one account on a busy machine.

The model has the tenure, ten numbers and two texts, as curves and levels. A million accounts are
read from one Parquet file; intervals and the contribution of every feature are part of the work.
One account is scored again and again, without a table around it, while as many other processes as
the machine has cores do nothing but count. Threads are pinned to one on both.
"""
# ruff: noqa: PLC0415  a side imports only what it uses

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.record import DATA, Record, measure
from benchmarks.survival import Clock

if TYPE_CHECKING:
    from csa.analysis.risk import RiskModel

MODULE = "benchmarks.risk"
ACCOUNTS, LEARNED, CALLS = 1_000_000, 20_000, 2_000
GOAL_SECONDS, GOAL_MILLISECONDS = 5, 50
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
NUMBERS = [f"number_{k}" for k in range(10)]
TEXTS = ["plan", "region"]

# Counter-based randomness: the same rows whatever the number of threads.
SNAPSHOTS = """
    copy (
        with drawn as (
            select i, {numbers}, (hash(i, 20) % 1500)::integer as age_days,
                   'plan ' || (hash(i, 21) % 4)::varchar as plan,
                   'region ' || (hash(i, 22) % 12)::varchar as region,
                   ((hash(i, 23) % 1000000) + 0.5) / 1e6 as chance
            from range({accounts}) as numbers(i)
        )
        select 'a' || i::varchar as account_id, date '2026-07-31' as cutoff_on,
               1000 + (i % 977) * 50 as mrr_minor, * exclude (i, chance),
               chance < 0.3 / (1 + exp(number_0 - number_1 / 2)) as event,
               if(event, 1 + (hash(i, 24) % 90)::integer, 90) as days_after
        from drawn
    ) to '{path}' (format parquet)
"""


def snapshots() -> str:
    """Path of a Parquet file of a million accounts at one cut-off, made once."""
    import duckdb

    path = DATA / f"snapshots_{ACCOUNTS}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        numbers = ", ".join(
            f"-ln(((hash(i, {k}) % 1000000) + 0.5) / 1e6) as {name}"
            for k, name in enumerate(NUMBERS)
        )
        with duckdb.connect() as engine:
            engine.execute("set enable_progress_bar = false")
            engine.execute(SNAPSHOTS.format(accounts=ACCOUNTS, numbers=numbers, path=aside))
        Path(aside).rename(path)
    return str(path)


def model_of(path: str) -> "tuple[Any, RiskModel]":
    """Accounts, and a model learned from some of them."""
    import ibis

    from csa.analysis.risk import fit_risk

    table = ibis.duckdb.connect().read_parquet(path)
    some = table.limit(LEARNED).to_pandas()
    return table, fit_risk(some, features=[*NUMBERS, *TEXTS])


def million(path: str) -> dict[str, float]:
    """Read and score all accounts."""
    from csa.analysis.risk import score

    table, model = model_of(path)
    clock = Clock()
    scores = score(model, table)
    figures = clock.figures()
    return figures | {"rows": len(scores.table), "mean": float(scores.table["risk"].mean())}


def count_forever() -> None:
    """Keep a core busy."""
    n = 0
    while True:
        n += 1


def one(path: str) -> dict[str, float]:
    """Score one account many times while every core is busy; milliseconds."""
    import numpy as np

    from csa.analysis.risk import score_account

    table, model = model_of(path)
    row = table.limit(1).to_pandas().iloc[0].to_dict()
    spawn = multiprocessing.get_context("spawn")
    busy = [spawn.Process(target=count_forever, daemon=True) for _ in range(os.cpu_count() or 1)]
    for process in busy:
        process.start()
    time.sleep(2)  # until all are counting
    spent = []
    try:
        for _ in range(CALLS):
            start = time.perf_counter()
            score_account(model, row)
            spent.append(1000 * (time.perf_counter() - start))
    finally:
        for process in busy:
            process.terminate()
    return {"middle": float(np.median(spent)), "p99": float(np.quantile(spent, 0.99))}


SIDES = {"million": million, "one": one}


def run() -> list[Record]:
    """Measure both."""
    path = snapshots()
    many = measure(["-m", MODULE, "million", path], env=ONE_THREAD)
    single = measure(["-m", MODULE, "one", path], env=ONE_THREAD)
    return [
        Record(
            name="risk of accounts",
            size=f"{ACCOUNTS:,} accounts, {len(NUMBERS) + len(TEXTS) + 1} features",
            ours=round(many.output["cpu"], 3),
            unit="s cpu",
            peak_mb=round(many.peak_mb),
            goal=f"at most {GOAL_SECONDS} s",
            holds=many.output["cpu"] <= GOAL_SECONDS,
            note=f"elapsed {many.output['wall']:.2f} s; from Parquet, with intervals and the "
            "contribution of every feature",
        ),
        Record(
            name="risk of one account",
            size=f"{CALLS:,} calls, {os.cpu_count()} cores kept busy by others",
            ours=round(single.output["p99"], 2),
            unit="ms, 99th percentile",
            goal=f"under {GOAL_MILLISECONDS} ms",
            holds=single.output["p99"] < GOAL_MILLISECONDS,
            note=f"median {single.output['middle']:.2f} ms; one thread",
        ),
    ]


if __name__ == "__main__":
    print(json.dumps(SIDES[sys.argv[1]](sys.argv[2])))
