"""Value under contract of a million customers in 50 segments, from Parquet files.

Everything that the chapter shows: value of groups and cohorts with intervals, CLV:CAC and payback
by segment, concentration. Imports are not counted, reading is. No peer computes this.
"""
# ruff: noqa: PLC0415  imports are not counted

import json
import sys
from pathlib import Path

from benchmarks.record import DATA, Record, measure
from benchmarks.survival import Clock

CUSTOMERS, SEGMENTS = 1_000_000, 50
GOAL_SECONDS, CLOSE = 10.0, 1e-9
MODULE = "benchmarks.contract_value"
TABLES = ("spells", "months", "accounts")

# Counter-based randomness: the same rows whatever the number of threads. Day 0 is 2021-11-01.
CUSTOMERS_SQL = """
    create table customer as
    with drawn as (
        select i, 'C' || lpad(i::varchar, 8, '0') as account_id,
               'segment ' || lpad((i % {segments})::varchar, 2, '0') as "group",
               (hash(i, 1) % 1800)::integer as born,
               1 + (-ln(((hash(i, 2) % 1000000) + 0.5) / 1e6) * 700
                    * (0.6 + (hash(i, 3) % 100) / 80.0) * (1 + (i % {segments}) / 40.0))::integer
                   as life,
               (2000 + hash(i, 4) % 48000)::bigint as mrr,
               ((hash(i, 5) % 1000) / 1000.0 - 0.4) * 0.02 as drift
        from range({customers}) as numbers(i)
    )
    select *, date '2021-11-01' + born as start_on, born + life <= 1825 as event,
           date '2021-11-01' + least(born + life, 1825) as last_on from drawn
"""
WRITE = {
    "spells": """
        select account_id, "group", start_on, if(event, last_on, null) as end_on,
               0 as entry_days, (last_on - start_on)::bigint as exit_days, event,
               mrr as mrr_minor from customer
    """,
    "months": """
        with each as (
            select *, unnest(range(year(start_on) * 12 + month(start_on) - 1,
                                   year(last_on) * 12 + month(last_on) - event::integer)) as month
            from customer
        ),
        paid as (
            select account_id, "group", month, event, last_on,
                   (mrr * (1 + drift * (month - year(start_on) * 12 - month(start_on) + 1) // 4))
                       ::bigint as mrr_minor,
                   coalesce(lag(mrr_minor) over (partition by account_id order by month), 0)
                       as previous_minor
            from each
        )
        select account_id, "group", month, mrr_minor, previous_minor from paid
        union all
        select account_id, "group", month + 1, 0, mrr_minor from paid
        where event and month = year(last_on) * 12 + month(last_on) - 2
    """,
    "accounts": """
        select account_id, "group" as segment, start_on as signed_up_on,
               (mrr * (2 + hash(i, 6) % 1600 / 100.0) / 100)::decimal(18, 4) as acquisition_cost
        from customer
    """,
}


def files() -> list[str]:
    """Paths of the roll-ups, made once."""
    import duckdb

    folder = DATA / "contract_1m"
    if not folder.exists():
        aside = folder.with_suffix(".part")
        aside.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as engine:
            engine.execute("set enable_progress_bar = false")
            engine.execute(CUSTOMERS_SQL.format(customers=CUSTOMERS, segments=SEGMENTS))
            for name, query in WRITE.items():
                engine.execute(f"copy ({query}) to '{aside / name}.parquet' (format parquet)")
        Path(aside).rename(folder)
    return [str(folder / f"{name}.parquet") for name in TABLES]


def ours(paths: list[str]) -> dict[str, float]:
    """Read, value, weigh against cost, rank."""
    import ibis
    import numpy as np

    from csa.analysis.clv.contract import contract_value
    from csa.analysis.clv.contract_terms import ContractTerms
    from csa.analysis.clv.economics import Acquisition, unit_economics
    from csa.analysis.clv.economics_concentration import concentration

    engine = ibis.duckdb.connect()
    clock = Clock()
    spells, months, accounts = (engine.read_parquet(path) for path in paths)
    value = contract_value(
        spells, months, terms=ContractTerms(margin=0.8), rng=np.random.default_rng(1)
    )
    valued = clock.figures()["wall"]
    economics = unit_economics(
        value,
        accounts,
        spells,
        months,
        acquisition=Acquisition(by="segment"),
        rng=np.random.default_rng(2),
    )
    weighed = clock.figures()["wall"]
    ranked = concentration(value)
    figures = clock.figures()
    rows = value.table
    whole = float(rows["value_minor"].iloc[0])
    parts = (rows["value_minor"].iloc[1:].sum(), value.cohorts["value_minor"].sum())
    single = float(value.accounts.value_minor.sum().execute())
    return figures | {
        "valued": valued,
        "weighed": weighed - valued,
        "groups": float(len(rows) - 1),
        "paid_back": float(economics.table["payback_months"].notna().sum()),
        "ranked": float(ranked.accounts),
        "gap": max(abs(float(part) / whole - 1) for part in (*parts, single)),
    }


def run() -> list[Record]:
    """Measure once."""
    mine = measure(["-m", MODULE, *files()])
    out = mine.output
    elapsed = out["valued"] + out["weighed"]  # what the goal is of; ranking comes on top
    return [
        Record(
            name="value under contract",
            size=f"{CUSTOMERS:,} customers, {SEGMENTS} segments",
            ours=round(elapsed, 2),
            unit="s elapsed",
            peak_mb=round(mine.peak_mb),
            goal="at most 10 s; segments, cohorts and accounts add up within 1e-9",
            holds=bool(elapsed <= GOAL_SECONDS and out["gap"] <= CLOSE and out["groups"] == 50),
            note=f"value with intervals {out['valued']:.1f} s, CLV:CAC and payback "
            f"{out['weighed']:.1f} s; with concentration {out['wall']:.1f} s, cpu {out['cpu']:.1f} "
            f"s; largest gap of the sums {out['gap']:.0e}",
        )
    ]


if __name__ == "__main__":
    print(json.dumps(ours(sys.argv[1:])))
