"""Monthly movements of ten million account-months, against plain pandas.

Two starts: the finished roll-up of account-months (shuffled Parquet), and the subscriptions from
which it is made. Both sides read the same file, in integers, and must give the same movements.
pandas gets no grace and no group that the file does not need: subscriptions expanded to months,
summed, sorted and shifted, as tutorials do. Imports are not counted; CPU seconds are.
"""
# ruff: noqa: PLC0415  a side imports only what it uses, or its memory would hold both

import json
import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.record import DATA, Measured, Record, measure, peak_so_far_mb

MODULE = "benchmarks.mrr"
ACCOUNTS, FIRST, LAST = 620_000, date(2022, 1, 1), date(2023, 12, 31)
LAST_MONTH = 2023 * 12 + 11
GOAL = 5.0
KINDS = ("new", "expansion", "contraction", "churn", "reactivation")
# A price from the start, another after it, for some a pause of four months and a return.
SUBSCRIPTIONS = """
    copy (
        with account as (
            select 'A' || lpad(i::varchar, 7, '0') as account_id,
                   date '2022-01-01' + (hash(i, 1) % 300)::integer as begins,
                   30 + (hash(i, 2) % 400)::integer as days,
                   60 + (hash(i, 3) % 700)::integer as further,
                   10 + (hash(i, 4) % 200)::bigint as price, hash(i, 5) % 100 as luck
            from range({accounts}) as numbers(i)
        ), part as (
            select account_id, begins as start_on, begins + days as end_on, price as mrr
            from account
            union all by name
            select account_id, begins + days as start_on, begins + days + further as end_on,
                   price + (luck % 21)::bigint - 8 as mrr
            from account where luck >= 20
            union all by name
            select account_id, begins + days + 125 as start_on, null::date as end_on, price as mrr
            from account where luck < 10
        )
        select account_id, start_on, end_on, mrr from part where start_on <= date '{last}'
        order by hash(account_id, start_on)
    ) to '{path}' (format parquet)
"""


def subscriptions() -> str:
    """Path of a Parquet file of subscriptions, made once."""
    import duckdb

    path = DATA / "subscriptions_mrr.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        with duckdb.connect() as engine:
            engine.execute("set enable_progress_bar = false")
            engine.execute(SUBSCRIPTIONS.format(accounts=ACCOUNTS, last=LAST, path=aside))
        Path(aside).rename(path)
    return str(path)


def account_months() -> str:
    """Path of the finished roll-up of these subscriptions, shuffled, made once."""
    import ibis

    path = DATA / "account_months_10m.parquet"
    if not path.exists():
        source = subscriptions()
        engine = ibis.duckdb.connect()
        rows = _rolled_up(engine, source)
        shuffled = rows.order_by(rows.account_id.hash(), rows.month.hash())
        aside = path.with_suffix(".part")
        engine.to_parquet(shuffled, aside)
        aside.rename(path)
    return str(path)


def _rolled_up(engine: Any, path: str) -> Any:
    import ibis

    from csa.data.rollups import RollupContext
    from csa.data.rollups import account_months as roll_up

    made = roll_up(engine.read_parquet(path), RollupContext(as_of=LAST, grace_days=0))
    return made.mutate(group=ibis.literal("all accounts"), observed_from=ibis.null("date"))


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


def ours_rollup(path: str) -> dict[str, Any]:
    """Movements from the finished roll-up."""
    import ibis

    import csa.analysis.revenue.movements  # noqa: F401  not counted

    engine = ibis.duckdb.connect(threads=2)
    clock = Clock()
    return _ours(clock, engine.read_parquet(path))


def ours_subscriptions(path: str) -> dict[str, Any]:
    """Movements from subscriptions, through the roll-up, in one query."""
    import ibis

    import csa.analysis.revenue.movements
    import csa.data.rollups  # noqa: F401  not counted

    engine = ibis.duckdb.connect(threads=2)
    clock = Clock()
    return _ours(clock, engine.create_view("months", _rolled_up(engine, path)))


def _ours(clock: Clock, rows: Any) -> dict[str, Any]:
    from csa.analysis.revenue.months import span
    from csa.analysis.revenue.movements import movements

    month = span(start=date(2023, 12, 1), end=date(2024, 1, 1), as_of=LAST)
    table = movements(rows, span=month, history=24).table
    figures = clock.figures()
    money = {kind: int(table[f"{kind}_minor"].sum()) for kind in KINDS}
    return figures | money | {"end": int(table["end_minor"].sum())}


def pandas_rollup(path: str) -> dict[str, Any]:
    """Movements from the finished roll-up with group by."""
    import pandas as pd
    import pyarrow.parquet  # noqa: F401

    clock = Clock()
    columns = ["month", "mrr_minor", "previous_minor", "movement"]
    return _grouped(clock, pd.read_parquet(path, columns=columns))


def pandas_subscriptions(path: str) -> dict[str, Any]:
    """Movements from subscriptions: one row per month, summed, sorted, shifted."""
    import numpy as np
    import pandas as pd
    import pyarrow.parquet  # noqa: F401

    clock = Clock()
    rows = pd.read_parquet(path)
    ends = pd.to_datetime(rows["end_on"])
    starts = pd.to_datetime(rows["start_on"])
    first = starts.dt.year * 12 + starts.dt.month - 1
    known = ends.notna() & (ends <= pd.Timestamp(LAST))
    stop = (ends.dt.year * 12 + ends.dt.month - 1).where(known, LAST_MONTH + 1).astype("int64")
    each = rows.loc[rows.index.repeat((stop - first).clip(lower=0)), ["account_id", "mrr"]]
    at = first.loc[each.index]
    each["month"] = at + at.groupby(level=0).cumcount()
    state = each.groupby(["account_id", "month"], sort=True)["mrr"].sum().mul(100).reset_index()
    before = state.groupby("account_id")["month"].shift()
    adjacent = before == state["month"] - 1
    state["previous_minor"] = state["mrr"].shift().where(adjacent, 0).astype("int64")
    after = state.groupby("account_id")["month"].shift(-1)
    leaves = (after != state["month"] + 1) & (state["month"] < LAST_MONTH)
    gone = pd.DataFrame(
        {
            "month": state.loc[leaves, "month"] + 1,
            "mrr_minor": 0,
            "previous_minor": state.loc[leaves, "mrr"],
            "movement": "churn",
        }
    )
    now, was = state["mrr"], state["previous_minor"]
    state["movement"] = np.select(
        [now == was, (was == 0) & before.notna(), was == 0, now > was],
        ["none", "reactivation", "new", "expansion"],
        "contraction",
    )
    state = state.rename(columns={"mrr": "mrr_minor"})
    kept = ["month", "mrr_minor", "previous_minor", "movement"]
    return _grouped(clock, pd.concat([state[kept], gone], ignore_index=True))


def _grouped(clock: Clock, rows: Any) -> dict[str, Any]:
    rows["change"] = (rows["mrr_minor"] - rows["previous_minor"]).abs()
    table = rows.pivot_table("change", "month", "movement", aggfunc="sum", fill_value=0)
    ends = rows.groupby("month")["mrr_minor"].sum()
    figures = clock.figures()
    money = {kind: int(table[kind].sum()) for kind in KINDS}
    return figures | money | {"end": int(ends.sum()), "rows": len(rows)}


def run() -> list[Record]:
    """Measure both starts, each side in a process of its own."""
    return [
        _record("account-months", "rollup", account_months()),
        _record("subscriptions", "subscriptions", subscriptions()),
    ]


def _record(name: str, side: str, path: str) -> Record:
    mine: Measured = measure(["-m", MODULE, f"ours_{side}", path])
    other: Measured = measure(["-m", MODULE, f"pandas_{side}", path])
    same = all(mine.output[key] == other.output[key] for key in (*KINDS, "end"))
    ratio = other.output["cpu"] / mine.output["cpu"]
    return Record(
        name=f"monthly movements from {name}",
        size=f"{other.output['rows']:,} account-months, {ACCOUNTS:,} accounts",
        ours=round(mine.output["cpu"], 2),
        unit="s cpu",
        peer=round(other.output["cpu"], 2),
        peer_name="pandas",
        ratio=round(ratio, 1),
        peak_mb=round(mine.peak_mb),
        peer_peak_mb=round(other.peak_mb),
        goal=f"at least {GOAL:.0f} times less CPU",
        holds=bool(same and ratio >= GOAL),
        note=f"elapsed {mine.output['wall']:.1f} s against {other.output['wall']:.1f} s; load of "
        f"the machine {os.getloadavg()[0]:.1f}; same movements: {'yes' if same else 'NO'}",
    )


if __name__ == "__main__":
    sides = {
        "ours_rollup": ours_rollup,
        "ours_subscriptions": ours_subscriptions,
        "pandas_rollup": pandas_rollup,
        "pandas_subscriptions": pandas_subscriptions,
    }
    print(json.dumps(sides[sys.argv[1]](sys.argv[2])))
