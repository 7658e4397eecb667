"""Ten million raw transactions to recency, frequency and money of every customer.

Ours reads the Parquet file in the engine, nets refunds by the rule of the roll-up, merges days and
counts customers; the peers get the same file through pandas and know nothing of refunds, so the
file holds none. Each peer lives in an
environment of its own, whose Python is in `CSA_PEER_LIFETIMES` (`pip install lifetimes==0.11.3
"numpy<2" "pandas<2.3" "setuptools<80" "pyarrow<20"`) and `CSA_PEER_PYMC_MARKETING` (`pip install
pymc-marketing==0.19.2 pyarrow`; later ones need Python 3.12). Imports are not counted.
"""
# ruff: noqa: PLC0415  a side imports only what it uses, or its memory would hold both

import json
import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from benchmarks.record import DATA, Measured, Record, measure, peak_so_far_mb, peer_python

MODULE = "benchmarks.rfm"
ROWS, ACCOUNTS, DAYS = 10_000_000, 3_447_563, 730
SECONDS, MOST_MB = 6.0, 1_000
GOALS = {"lifetimes": 3.0, "pymc_marketing": 2.0}
END = date(2024, 12, 31)
ENGINE_MEMORY = "600MiB"  # what does not fit is spilled

# Counter-based randomness: the same rows whatever the number of threads. Positive amounts only.
RAW = """
    copy (
        select 'C' || lpad((hash(i, 1) % {accounts})::varchar, 8, '0') as account_id,
               timestamp '2023-01-02' + to_seconds((hash(i, 2) % ({days} * 86400))::bigint)
                   as occurred_at,
               ((100 + hash(i, 3) % 20000)::bigint / 100.0)::decimal(18, 4) as amount
        from range({rows}) as numbers(i)
    ) to '{path}' (format parquet)
"""


def transactions() -> str:
    """Path of a Parquet file of purchases, made once."""
    import duckdb

    path = DATA / "transactions_10m.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        with duckdb.connect() as engine:
            engine.execute("set enable_progress_bar = false")
            engine.execute(RAW.format(accounts=ACCOUNTS, days=DAYS, rows=ROWS, path=aside))
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
    """Roll up and summarise in one query."""
    import ibis

    with tempfile.TemporaryDirectory() as spill:
        engine = ibis.duckdb.connect(memory_limit=ENGINE_MEMORY, temp_directory=spill, threads=2)
        return _ours(engine, path)


def _ours(engine, path: str) -> dict[str, float]:  # type: ignore[no-untyped-def]
    from csa.analysis.clv.rfm import rfm
    from csa.data.purchases import purchases
    from csa.data.rollups import RollupContext

    clock = Clock()
    rows = purchases(engine.read_parquet(path), RollupContext(as_of=END))
    made = rfm(engine.create_view("purchases", rows), as_of=END)  # nothing is stored in between
    figures = clock.figures()
    money = float(made.spend["mean_minor"] * made.spend["frequency"] @ made.spend["weight"]) / 100
    return figures | {
        "customers": made.counts.n,
        "repeats": made.counts.events,
        "repeat_money": money,
    }


def lifetimes(path: str) -> dict[str, float]:
    """Summarise with summary_data_from_transaction_data."""
    import lifetimes.utils
    import pandas as pd
    import pyarrow.parquet  # noqa: F401

    clock = Clock()
    frame = pd.read_parquet(path)
    frame["amount"] = frame["amount"].astype(float)
    made = lifetimes.utils.summary_data_from_transaction_data(
        frame,
        "account_id",
        "occurred_at",
        monetary_value_col="amount",
        observation_period_end=END.isoformat(),
    )
    return _told(clock, made)


def pymc_marketing(path: str) -> dict[str, float]:
    """Summarise with rfm_summary."""
    import pandas as pd
    import pyarrow.parquet  # noqa: F401
    from pymc_marketing.clv.utils import rfm_summary

    clock = Clock()
    frame = pd.read_parquet(path)
    frame["amount"] = frame["amount"].astype(float)
    made = rfm_summary(
        frame,
        "account_id",
        "occurred_at",
        monetary_value_col="amount",
        observation_period_end=END.isoformat(),
    )
    return _told(clock, made)


def _told(clock, made) -> dict[str, float]:  # type: ignore[no-untyped-def]  # a peer's frame
    figures = clock.figures()
    return figures | {
        "customers": float(len(made)),
        "repeats": float(made["frequency"].sum()),
        "repeat_money": float((made["frequency"] * made["monetary_value"]).sum()),
    }


def run() -> list[Record]:
    """Measure ours and each peer that is there; a goal without its peer is missed."""
    path = transactions()
    mine = measure(["-m", MODULE, "ours", path])
    return [_record(path, mine, name) for name in GOALS]


def _record(path: str, mine: Measured, name: str) -> Record:
    python = peer_python(name)
    common = {
        "name": f"transactions to rfm against {name.replace('_', '-')}",
        "size": f"{ROWS:,} transactions, {ACCOUNTS:,} accounts",
        "ours": round(mine.output["wall"], 2),
        "unit": "s",
        "peak_mb": round(mine.peak_mb),
        "goal": f"at most {SECONDS:.0f} s and {MOST_MB:,} MB; {GOALS[name]:.0f} times faster",
    }
    if python is None:
        said = f"{name} was not found: set CSA_PEER_{name.upper()}"
        return Record(**common, holds=False, note=said)  # type: ignore[arg-type]
    other = measure(["-m", MODULE, name, path], python=python)
    same = all(
        abs(mine.output[k] / other.output[k] - 1) < 1e-9
        for k in ("customers", "repeats", "repeat_money")
    )
    ratio = other.output["wall"] / mine.output["wall"]
    within = mine.output["wall"] <= SECONDS and mine.peak_mb <= MOST_MB
    return Record(
        **common,  # type: ignore[arg-type]
        peer=round(other.output["wall"], 2),
        peer_name=name.replace("_", "-"),
        peer_peak_mb=round(other.peak_mb),
        ratio=round(ratio, 1),
        holds=bool(same and within and ratio >= GOALS[name]),
        note=f"cpu {mine.output['cpu']:.1f} s against {other.output['cpu']:.1f} s; load of the "
        f"machine {os.getloadavg()[0]:.1f}; same customers, repeat purchases and money: "
        f"{'yes' if same else 'NO'}",
    )


if __name__ == "__main__":
    sides = {"ours": ours, "lifetimes": lifetimes, "pymc_marketing": pymc_marketing}
    print(json.dumps(sides[sys.argv[1]](sys.argv[2])))
