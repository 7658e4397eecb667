"""Usage of 100 million events: roll-ups, a new day, cohort retention, exact rolling actives.

Each side runs in a process of its own; imports are not counted. The floors are what no way round
can save: a bare scan of the columns, and the distinct days of each user. The expansion is measured
at 10 million events, where it already takes long, and against ours at the same size.
"""
# ruff: noqa: PLC0415, S608  a side imports only what it uses; all SQL here is of our own

import json
import sys
from datetime import date, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Any

from benchmarks.events import LAST_DAY, events
from benchmarks.record import DATA, Measured, Record, measure
from benchmarks.survival import Clock

MODULE = "benchmarks.usage"
SIZE = 100  # million events
PEER_SIZE = 10
SCAN_TIMES, ROLL_UP_MB, DAY_SECONDS = 4, 4_000, 1.0
PANDAS_TIMES, PANDAS_MEMORY = 4, 10
EXPANSION_TIMES, EXPANSION_MEMORY = 10, 5
WINDOW = 28

EXPANDED = """
    select day + shift as day, count(distinct user_id) as actives
    from (select distinct user_id, occurred_at::date as day from '{files}'),
         (select unnest(range({window}))::integer as shift)
    group by 1
"""


def files(millions: int) -> str:
    """Pattern of the files of events."""
    return str(events(millions) / "usage_events" / "*.parquet")


def connected() -> Any:
    """DuckDB that draws no progress bar."""
    import duckdb

    engine = duckdb.connect()
    engine.execute("set enable_progress_bar = false")
    return engine


def asked(sql: str, millions: int) -> dict[str, float]:
    """Measure one query by hand; its first row is the answer."""
    engine = connected()
    clock = Clock()
    row = engine.sql(sql.format(files=files(millions), window=WINDOW)).fetchone()
    return clock.figures() | {"answer": float(row[0])}


def scan(millions: int) -> dict[str, float]:
    """Floor of cohorts: the time and the user of every event."""
    return asked("select sum(user_id), max(occurred_at) from '{files}'", millions)


def scan_all(millions: int) -> dict[str, float]:
    """Floor of roll-ups: every column that they use."""
    columns = "count(user_id), max(occurred_at), max(account_id), max(feature), sum(seconds)"
    return asked(f"select {columns} from '{{files}}'", millions)


def user_days(millions: int) -> dict[str, float]:
    """Floor of roll-ups: the distinct days of each user."""
    inner = "select distinct user_id, occurred_at::date as day from '{files}'"
    return asked(f"select count(*) from ({inner})", millions)


def expansion(millions: int) -> dict[str, float]:
    """Count rolling actives as is usual in SQL: each active day once per day of the window."""
    last = f"where day <= date '{LAST_DAY}'"
    return asked(f"select sum(actives)::bigint from ({EXPANDED}) {last}", millions)


def workspace(millions: int, as_of: date) -> Any:
    """Open a workspace over the files; its quality gate, which is not measured, stays open."""
    from csa.data.workspace import Workspace
    from csa.settings import from_mapping

    settings = {
        "name": "Benchmark",
        "currency": "EUR",
        "timezone": "Pacific/Auckland",
        "data": {"sources": {"files": {"path": "data"}}},
    }
    opened = Workspace(from_mapping(settings, root=workspace_root(millions)), as_of=as_of)
    opened._usable = lambda table: None  # type: ignore[method-assign]
    return opened


def roll_ups(millions: int) -> dict[str, float]:
    """Make both roll-ups from all but the last day."""
    folder = workspace_root(millions) / "data" / "usage_events"
    rmtree(workspace_root(millions), ignore_errors=True)
    folder.mkdir(parents=True)
    for path in events(millions).glob("usage_events/*.parquet"):
        if path.stem != LAST_DAY.isoformat():
            (folder / path.name).symlink_to(path)
    return _rolled_up(millions, LAST_DAY - timedelta(days=1))


def one_more_day(millions: int) -> dict[str, float]:
    """Let the last day arrive; the roll-ups of the days before are there."""
    path = events(millions) / "usage_events" / f"{LAST_DAY}.parquet"
    target = workspace_root(millions) / "data" / "usage_events" / path.name
    target.unlink(missing_ok=True)
    target.symlink_to(path)
    return _rolled_up(millions, LAST_DAY)


def _rolled_up(millions: int, as_of: date) -> dict[str, float]:
    opened = workspace(millions, as_of)
    clock = Clock()
    tables = [opened.rollup(name) for name in ("user_days", "feature_months")]
    figures = clock.figures()
    counted = [int(table.events.sum().execute()) for table in tables]
    return figures | {"answer": counted[0], "same": float(counted[0] == counted[1])}


def cohorts(millions: int) -> dict[str, float]:
    """Count monthly retention of users straight from the events."""
    import ibis

    from csa.analysis.cohorts.clock import Clock as Months
    from csa.analysis.cohorts.masks import cohort_counts

    table = ibis.duckdb.connect().read_parquet(files(millions))
    clock = Clock()
    rows = table.select("user_id", day=table.occurred_at)
    cells = cohort_counts(rows, unit="user_id", clock=Months(), as_of=LAST_DAY)
    return clock.figures() | {"answer": float(cells["active"].sum()), "rows": len(cells)}


def cohorts_in_pandas(millions: int) -> dict[str, float]:
    """Count the same cells in memory; reading is counted, as it is with ours."""
    import pandas as pd

    path = events(millions) / "usage_events"
    clock = Clock()
    frame = pd.read_parquet(path, columns=["user_id", "occurred_at"])
    at = frame.pop("occurred_at")
    frame["month"] = at.dt.year * 12 + at.dt.month - 1
    frame = frame.drop_duplicates()
    frame["cohort"] = frame.groupby("user_id")["month"].transform("min")
    frame["age"] = frame["month"] - frame["cohort"]
    cells = frame.groupby(["cohort", "age"])["user_id"].nunique()
    return clock.figures() | {"answer": float(cells.sum()), "rows": len(cells)}


def rolling(millions: int) -> dict[str, float]:
    """Count exact rolling actives straight from the events."""
    import ibis

    from csa.analysis.adoption.rolling import rolling_actives

    table = ibis.duckdb.connect().read_parquet(files(millions))
    clock = Clock()
    days = table.select("user_id", day=table.occurred_at.cast("date"))
    found = rolling_actives(days, unit="user_id", as_of=LAST_DAY, windows=(WINDOW,))
    return clock.figures() | {"answer": float(found["actives"].sum()), "rows": len(found)}


SIDES = {
    f.__name__: f
    for f in (
        *(scan, scan_all, user_days, expansion, roll_ups, one_more_day),
        *(cohorts, cohorts_in_pandas, rolling),
    )
}


def run() -> list[Record]:
    """Measure ours, the floors and pandas at full size, the expansion at a tenth."""
    for millions in (PEER_SIZE, SIZE):
        events(millions)
    return [*_roll_up_records(), *_cohort_records(), *_rolling_records()]


def side(name: str, millions: int) -> Measured:
    """Measure one side in a process of its own."""
    return measure(["-m", MODULE, name, str(millions)])


def _roll_up_records() -> list[Record]:
    scanned, distinct = side("scan_all", SIZE), side("user_days", SIZE)
    made, day = side("roll_ups", SIZE), side("one_more_day", SIZE)
    floor = scanned.output["cpu"] + distinct.output["cpu"]
    whole = SIZE * 1_000_000
    return [
        _times_floor(
            "usage roll-ups",
            made,
            floor,
            "scan of the columns + distinct user-days",
            most_mb=ROLL_UP_MB,
            note=f"user_days and feature_months, written as Parquet; floor {floor:.1f} s, of "
            f"which scan {scanned.output['cpu']:.1f}; elapsed {made.output['wall']:.0f} s",
        ),
        Record(
            name="usage roll-ups, one more day",
            size=_size(SIZE),
            ours=round(day.output["cpu"], 3),
            unit="s cpu",
            goal=f"under {DAY_SECONDS:g} s",
            holds=day.output["cpu"] < DAY_SECONDS and day.output["answer"] == whole,
            peak_mb=round(day.output["peak_mb"]),
            note=f"both roll-ups, from opening the workspace; elapsed {day.output['wall']:.2f} s; "
            f"events in them: {day.output['answer']:,.0f}",
        ),
    ]


def _cohort_records() -> list[Record]:
    floor, mine = side("scan", SIZE), side("cohorts", SIZE)
    other = side("cohorts_in_pandas", SIZE)
    return [
        _times_floor(
            "usage cohorts",
            mine,
            floor.output["cpu"],
            "scan of time and user",
            note=f"months x months of users, {mine.output['rows']:.0f} cells; elapsed "
            f"{mine.output['wall']:.0f} s",
        ),
        _against(
            "usage cohorts", mine, other, f"{_size(SIZE)}, pandas", PANDAS_TIMES, PANDAS_MEMORY
        ),
    ]


def _rolling_records() -> list[Record]:
    mine, other = side("rolling", PEER_SIZE), side("expansion", PEER_SIZE)
    large = side("rolling", SIZE)
    return [
        _against(
            "usage rolling actives",
            mine,
            other,
            f"{_size(PEER_SIZE)}, expansion",
            EXPANSION_TIMES,
            EXPANSION_MEMORY,
        ),
        Record(
            name="usage rolling actives",
            size=_size(SIZE),
            ours=round(large.output["cpu"], 3),
            unit="s cpu",
            goal="",
            holds=True,
            peak_mb=round(large.output["peak_mb"]),
            note=f"{WINDOW} days, exact; elapsed {large.output['wall']:.0f} s; the expansion is "
            f"measured at {_size(PEER_SIZE)}",
        ),
    ]


def _times_floor(
    name: str,
    mine: Measured,
    floor: float,
    what: str,
    *,
    note: str,
    most_mb: float | None = None,
) -> Record:
    ours = mine.output["cpu"]
    return Record(
        name=name,
        size=_size(SIZE),
        ours=round(ours, 3),
        peer=round(floor, 3),
        peer_name=what,
        unit="s cpu",
        ratio=round(floor / ours, 2),
        goal=f"at most {SCAN_TIMES} times the {what}" + (f", {most_mb:,} MB" if most_mb else ""),
        peak_mb=round(mine.output["peak_mb"]),
        holds=ours <= SCAN_TIMES * floor
        and mine.output["peak_mb"] <= (most_mb or mine.output["peak_mb"]),
        note=note,
    )


def _against(
    name: str, mine: Measured, other: Measured, size: str, times: int, memory: int
) -> Record:
    ours, theirs = mine.output, other.output
    same = ours["answer"] == theirs["answer"]
    cheaper = theirs["cpu"] >= times * ours["cpu"]
    smaller = theirs["peak_mb"] >= memory * ours["peak_mb"]
    return Record(
        name=name,
        size=size,
        ours=round(ours["cpu"], 3),
        peer=round(theirs["cpu"], 3),
        peer_name=size.rpartition(", ")[2],
        unit="s cpu",
        ratio=round(theirs["cpu"] / ours["cpu"], 1),
        goal=f"at least {times} times less CPU, {memory} times less memory",
        peak_mb=round(ours["peak_mb"]),
        peer_peak_mb=round(theirs["peak_mb"]),
        holds=bool(same and cheaper and smaller),
        note=f"same answer: {'yes' if same else 'NO'}; memory "
        f"{theirs['peak_mb'] / ours['peak_mb']:.1f} times less",
    )


def _size(millions: int) -> str:
    return f"{millions * 1_000_000:,} events"


def workspace_root(millions: int) -> Path:
    """Folder of the workspace over the files; its roll-ups stay for `benchmarks.chapters`."""
    return DATA / f"usage_workspace_{millions}m"


if __name__ == "__main__":
    print(json.dumps(SIDES[sys.argv[1]](int(sys.argv[2]))))
