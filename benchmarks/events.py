"""Usage events for the benchmarks: a folder of Parquet files, one per month, sorted by time.

50 events a user over two years, one day of use per 1.4 events, users that come all the time and
stay for one to twenty-four months; who would stay past the end has come back from the first day
on, so that all days are alike. The last day has a file of its own, so that it can arrive.
Counter-based randomness: the same rows whatever the number of threads.
"""

from datetime import date, timedelta
from pathlib import Path
from shutil import rmtree

from benchmarks.record import DATA

LAST_DAY = date(2026, 10, 15)
DAYS = 731
FIRST_DAY = LAST_DAY - timedelta(days=DAYS - 1)
EVENTS_PER_USER = 50
USERS_PER_ACCOUNT = 20
PARTS = 20  # of the users, to bound memory

DRAWN = """
    copy (
        with drawn as (
            select u, j - (hash(u, j, 1) % 7 < 2)::bigint as pick,
                   hash(u, 2) % {days} as start, 30 + hash(u, 3) % 700 as life,
                   hash(u, j, 4) as noise
            from range({low}, {high}) as users(u), range({per_user}) as events(j)
        ),
        dated as (
            select *, (start + life * ((hash(u, pick, 5) % 1000000) / 1e6)::float)::bigint
                       % {days} as day
            from drawn
        )
        select 'a' || (u // {per_account})::varchar as account_id, u as user_id,
               timestamp '{first}' + to_days(day::integer)
                   + to_seconds((25200 + noise % 54000)::bigint) as occurred_at,
               'feature ' || ((noise >> 20) % 12)::varchar as feature,
               (1 + (noise >> 30) % 600)::integer as seconds,
               if(occurred_at::date = date '{last}', '{last}', strftime(occurred_at, '%Y-%m'))
                   as file
        from dated
    ) to '{folder}' (format parquet, compression zstd, partition_by (file),
                     filename_pattern 'part-{low}-{{i}}', overwrite_or_ignore)
"""
SORTED = """
    copy (
        select account_id, user_id, occurred_at, feature, seconds
        from read_parquet('{folder}/file={name}/*.parquet', hive_partitioning = false)
        order by occurred_at, user_id
    ) to '{path}' (format parquet, compression zstd)
"""


def events(millions: int) -> Path:
    """Folder with `usage_events/*.parquet`, made once; the last file is that of the last day."""
    import duckdb  # noqa: PLC0415  a side imports only what it uses

    folder = DATA / f"usage_{millions}m"
    if folder.exists():
        return folder
    aside = folder.with_name(f".{folder.name}")
    rmtree(aside, ignore_errors=True)
    (aside / "usage_events").mkdir(parents=True)
    users = millions * 1_000_000 // EVENTS_PER_USER
    with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as engine:
        engine.execute("set enable_progress_bar = false; set preserve_insertion_order = false")
        for part in range(PARTS):
            engine.execute(
                DRAWN.format(
                    low=part * users // PARTS,
                    high=(part + 1) * users // PARTS,
                    days=DAYS,
                    per_user=EVENTS_PER_USER,
                    per_account=USERS_PER_ACCOUNT,
                    first=FIRST_DAY,
                    last=LAST_DAY,
                    folder=aside / "drawn",
                )
            )
        for found in sorted((aside / "drawn").iterdir()):
            name = found.name.removeprefix("file=")
            path = aside / "usage_events" / f"{name}.parquet"
            engine.execute(SORTED.format(folder=aside / "drawn", name=name, path=path))
    rmtree(aside / "drawn")
    aside.rename(folder)
    return folder
