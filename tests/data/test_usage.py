"""Roll-ups of usage against plain Python, and parts that are extended against full runs."""

import itertools
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.data import parts
from csa.data.parts import Span, spans
from csa.data.rolled_up import CACHE, RolledUp
from csa.data.rollups import RollupContext
from csa.data.usage import feature_months, user_days
from csa.data.workspace import Workspace
from csa.errors import InputError, NotAvailable
from csa.settings import from_mapping

SCHEMA = {
    "account_id": "string",
    "user_id": "string",
    "occurred_at": "timestamp",
    "feature": "string",
    "seconds": "float64",
    "session_id": "string",
}
ARROW = pa.schema(
    [
        ("account_id", pa.string()),
        ("user_id", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("feature", pa.string()),
        ("seconds", pa.float64()),
        ("session_id", pa.string()),
    ]
)
BUILD = {"user_days": user_days, "feature_months": feature_months}
KEYS = {
    "user_days": ("account_id", "user_id", "day"),
    "feature_months": ("account_id", "user_id", "feature", "month"),
}
DAY = timedelta(days=1)
FIRST = datetime(2023, 12, 30)  # noqa: DTZ001
AS_OF = date(2024, 3, 15)


@dataclass(frozen=True)
class Row:
    """A row of `usage_events`."""

    account_id: str | None
    user_id: str | None
    occurred_at: datetime | None
    feature: str | None = "f"
    seconds: float | None = 1.0
    session_id: str | None = "s"


def table(rows):
    return pa.table({f: [getattr(r, f) for r in rows] for f in SCHEMA}, schema=ARROW)


def in_order(name, rows):
    return sorted(rows, key=lambda r: tuple(str(r[k]) for k in KEYS[name]))


@lru_cache
def compiled(name, as_of):
    built = BUILD[name](ibis.table(SCHEMA, name="usage_events"), RollupContext(as_of=as_of))
    return str(ibis.to_sql(built, "duckdb"))


@pytest.fixture(scope="module")
def roll():
    """Run a roll-up on DuckDB: one dict per row, sorted."""
    con = duckdb.connect(config={"threads": 1})

    def run(name, rows, as_of=AS_OF):
        con.register("usage_events", table(rows))
        return in_order(name, con.sql(compiled(name, as_of)).to_arrow_table().to_pylist())

    yield run
    con.close()


# --- the oracle ---------------------------------------------------------------------------------


def oracle(name, rows, as_of=AS_OF):
    kept = [r for r in rows if r.account_id and r.occurred_at and r.occurred_at.date() <= as_of]
    if name == "feature_months":
        kept = [r for r in kept if r.feature is not None]
    groups = defaultdict(list)
    for r in kept:
        day = r.occurred_at.date()
        rest = (day,) if name == "user_days" else (r.feature, day.year * 12 + day.month - 1)
        groups[r.account_id, r.user_id, *rest].append(r)
    made = one_day if name == "user_days" else one_month
    return in_order(
        name, [dict(zip(KEYS[name], key, strict=True)) | made(own) for key, own in groups.items()]
    )


def one_day(own):
    stated = [r.seconds for r in own if r.seconds is not None and 0 <= r.seconds < 1e9]
    milli = sum(int(s * 1000 + 0.5) for s in stated)
    return {
        "events": len(own),
        "seconds": (milli + 500) // 1000 if stated else None,
        "sessions": len({r.session_id for r in own} - {None}),
    }


def one_month(own):
    days = {r.occurred_at.date() for r in own}
    return {"first_day": min(days), "days": len(days), "events": len(own)}


TIMES = st.one_of(
    st.integers(0, 24 * 80).map(lambda n: FIRST + timedelta(hours=n)),
    st.sampled_from(
        [
            datetime(2024, 1, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
            datetime(2024, 2, 1),  # noqa: DTZ001
            datetime(2024, 2, 29, 12),  # noqa: DTZ001
            datetime(2024, 2, 29, 23, 59, 59),  # noqa: DTZ001
            None,
        ]
    ),
)
ROWS = st.lists(
    st.builds(
        Row,
        account_id=st.sampled_from(["a", "a", "b", None]),
        user_id=st.sampled_from(["u", "v", None]),
        occurred_at=TIMES,
        feature=st.sampled_from(["f", "g", None]),
        seconds=st.sampled_from([None, 0.0, 0.4994, 0.5, 1.0005, 59.9, -3.0, 1e300]),
        session_id=st.sampled_from(["s", "t", None]),
    ),
    max_size=30,
)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(ROWS, st.sampled_from(list(BUILD)), st.sampled_from([AS_OF, date(2024, 2, 29)]))
def test_rollups_of_usage_equal_plain_python(roll, rows, name, as_of):
    assert roll(name, rows, as_of) == oracle(name, rows, as_of)


def crowd():
    """Draw 400 events by a rule, over a leap day and month ends."""
    return [
        Row(
            account_id=f"a{n % 7}" if n % 31 else None,
            user_id=f"u{n % 23}" if n % 11 else None,
            occurred_at=FIRST + timedelta(minutes=(n * 7919) % 110_000),
            feature=f"f{n % 5}" if n % 13 else None,
            seconds=None if n % 3 == 0 else n / 7,
            session_id=f"s{n % 60}" if n % 4 else None,
        )
        for n in range(400)
    ]


@pytest.mark.parametrize("name", BUILD)
def test_rollups_of_a_crowd_equal_plain_python(roll, name):
    assert roll(name, crowd()) == oracle(name, crowd())
    assert roll(name, []) == []


@pytest.mark.parametrize("name", BUILD)
def test_rollups_of_usage_do_without_optional_columns(name):
    bare = ibis.memtable(table(crowd())).select("account_id", "occurred_at", "feature")
    made = BUILD[name](bare, RollupContext(as_of=AS_OF)).to_pyarrow().to_pylist()
    rows = [Row(r.account_id, None, r.occurred_at, r.feature, None, None) for r in crowd()]
    assert in_order(name, made) == oracle(name, rows)


@pytest.mark.parametrize("name", BUILD)
def test_rollups_of_usage_are_the_same_on_postgres(roll, name, postgres_url):
    con = ibis.connect(postgres_url)
    columns = "account_id text, user_id text, occurred_at timestamp, feature text"
    con.raw_sql(f"CREATE TABLE usage_events ({columns}, seconds float8, session_id text)").close()
    with con.con.cursor() as cursor:
        values = [tuple(vars(r).values()) for r in crowd()]
        cursor.executemany("INSERT INTO usage_events VALUES (%s, %s, %s, %s, %s, %s)", values)
    con.con.commit()
    built = BUILD[name](con.table("usage_events"), RollupContext(as_of=AS_OF))
    found = in_order(name, built.to_pyarrow().to_pylist())
    expected = roll(name, crowd())
    assert found == expected
    assert [type(v) for v in found[0].values()] == [type(v) for v in expected[0].values()]
    con.disconnect()


# --- parts --------------------------------------------------------------------------------------


@given(
    st.dictionaries(
        st.integers(0, 900).map(lambda n: date(2022, 11, 20) + n * DAY),
        st.integers(1, 400_000),
        max_size=40,
    ),
    st.integers(0, 950).map(lambda n: date(2022, 11, 20) + n * DAY),
)
def test_spans_hold_every_day_once(events, as_of):
    found = spans(events, as_of)
    for day in events:
        assert sum(s.start <= day < s.end for s in found) == (day <= as_of)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert all(s.end <= as_of + DAY for s in found)
    single = [s for s in found if s.single]
    assert {s.start.replace(day=1) for s in single} <= {as_of.replace(day=1)}
    assert all(s.start.day == 1 for s in found if not s.single)


def test_spans_are_coarse_where_there_is_little():
    day = date(2026, 10, 15)
    assert spans({}, day) == [Span(date(2026, 1, 1), date(2026, 10, 16))]
    assert spans({date(2024, 5, 5): 9}, day) == [Span(date(2024, 1, 1), date(2026, 10, 16))]
    many = {date(2025, 3, 1): 10, date(2026, 9, 30): 700_000, day - DAY: 600_000, day: 600_000}
    assert spans(many, day) == [
        Span(date(2025, 1, 1), date(2026, 1, 1)),
        Span(date(2026, 9, 1), date(2026, 10, 1)),
        Span(day - DAY, day, single=True),
        Span(day, day + DAY, single=True),
    ]


def opened(root, as_of, **mapping):
    """Open a workspace over the files of a folder, its gate left open."""
    tables = {"usage_events": mapping} if mapping else {}
    raw = {
        "name": "Test",
        "currency": "EUR",
        "timezone": "Pacific/Auckland",
        "data": {"sources": {"files": {"path": "data"}}, "tables": tables},
    }
    return RolledUp(from_mapping(raw, root=root), as_of=as_of)


def put(root, name, rows):
    path = root / "data" / "usage_events" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(rows), path)


def made(workspace, name):
    return in_order(name, workspace.rollup(name).to_pyarrow().to_pylist())


def files(root, pattern="*.parquet"):
    return {p.name for p in (root / CACHE).glob(pattern)}


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(ROWS, min_size=1, max_size=3),
    st.lists(st.sampled_from(["file", "late", "day", "back"]), min_size=1, max_size=4),
    st.sampled_from([1, 12]),
)
def test_parts_that_are_extended_equal_a_full_run(tmp_path_factory, batches, steps, most):
    """After each new file, changed file, later or earlier last day."""
    root = tmp_path_factory.mktemp("usage")
    held = {"0": batches[0]}
    put(root, "0", batches[0])
    as_of = date(2024, 2, 28)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "MOST", most)
        for number, step in enumerate(steps, 1):
            more = batches[number % len(batches)]
            if step == "file":
                held[str(number)] = more
            elif step == "late":
                held["0"] = held["0"] + more
            as_of += {"day": DAY, "back": -3 * DAY}.get(step, 0 * DAY)
            for name, own in held.items():
                put(root, name, own)
            rows = [r for own in held.values() for r in own]
            workspace = opened(root, as_of)
            for name in BUILD:
                assert made(workspace, name) == oracle(name, rows, as_of)
            workspace.tables.close()


def on(day, user="u", hour=10):
    at = datetime.fromisoformat(day) + timedelta(hours=hour)
    return Row("a", user, at)


@pytest.fixture
def many(tmp_path, monkeypatch):
    """Make a folder with so many events that each day of the last month is a part."""
    monkeypatch.setattr(parts, "MOST", 2)
    put(tmp_path, "2024-02", [on(f"2024-02-{d:02}") for d in range(1, 30)])
    put(tmp_path, "2024-03", [on(f"2024-03-{d:02}") for d in range(10, 15)])
    workspace = opened(tmp_path, AS_OF - DAY)
    assert [len(made(workspace, name)) for name in BUILD] == [34, 2]
    return tmp_path


@pytest.mark.slow
def test_a_new_file_of_a_new_day_makes_one_part(many):
    before = files(many)
    put(many, "2024-03-15", [on("2024-03-15"), on("2024-03-15", "v")])
    workspace = opened(many, AS_OF)
    assert len(made(workspace, "user_days")) == 36
    (days, february) = (made(workspace, "feature_months")[n]["days"] for n in (1, 0))
    assert {days, february} == {29, 6}
    assert {n.split("-", 2)[2][:21] for n in files(many) - before} == {"2024-03-15-2024-03-15"}


@pytest.mark.slow
def test_a_new_day_reads_nothing_but_its_file(many, monkeypatch):
    put(many, "2024-03-15", [on("2024-03-15")])
    read = []
    between = parts.Pieces.between

    def watched(self, start, end, keys=()):
        read.append({p.stem for k in keys for p in self.files[k]})
        return between(self, start, end, keys)

    monkeypatch.setattr(parts.Pieces, "between", watched)
    keep = parts.cache.keep
    written = []

    def kept(file, write):
        written.extend([] if file.exists() else [file.name])
        return keep(file, write)

    monkeypatch.setattr(parts.cache, "keep", kept)
    opened(many, AS_OF).rollup("user_days")
    assert len(written) == 2  # what days the file has, and the part
    assert read[-1] == {"2024-03-15"}


@pytest.mark.slow
def test_a_later_day_of_the_same_files_makes_one_part(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "MOST", 2)
    put(tmp_path, "all", [on(f"2024-03-{d:02}") for d in range(1, 20)])
    opened(tmp_path, AS_OF).rollup("user_days")
    before = files(tmp_path)
    made(opened(tmp_path, AS_OF + DAY), "user_days")
    (new,) = files(tmp_path) - before
    assert "2024-03-16-2024-03-16" in new


@pytest.mark.slow
def test_a_late_event_makes_the_parts_of_its_days_anew(many):
    before = files(many, "user_days-*")
    put(many, "late", [on("2024-02-10", "late"), on("2024-03-12", "late")])
    assert len(made(opened(many, AS_OF - DAY), "user_days")) == 36
    new = {n.split("-", 2)[2][:21] for n in files(many, "user_days-*") - before}
    assert new == {"2024-02-01-2024-02-29", "2024-03-12-2024-03-12"}


@pytest.mark.slow
def test_a_changed_file_makes_its_parts_anew(many):
    put(many, "2024-03", [on(f"2024-03-{d:02}", "w") for d in range(10, 15)])
    rows = made(opened(many, AS_OF - DAY), "user_days")
    assert {r["user_id"] for r in rows if r["day"] >= date(2024, 3, 1)} == {"w"}
    assert len(rows) == 34


@pytest.mark.slow
def test_another_reading_of_the_same_files_makes_all_parts_anew(many):
    mapping = {"columns": {"user_id": {"from": "session_id"}}}
    rows = made(opened(many, AS_OF - DAY, **mapping), "user_days")
    assert {r["user_id"] for r in rows} == {"s"}


@pytest.mark.slow
def test_the_same_file_twice_counts_twice(tmp_path):
    for folder in ("x", "y"):
        put(tmp_path / "data" / folder, "part", [on("2024-03-01")])
    mapping = {"file": "*/data/usage_events/part.parquet"}
    (row,) = made(opened(tmp_path, AS_OF, **mapping), "user_days")
    assert row["events"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("mapping", [{"where": "user_id <> 'v'"}, {"query": "FROM usage_events"}])
def test_filters_and_queries_of_files_are_extended_too(many, mapping):
    put(many, "2024-03-15", [on("2024-03-15"), on("2024-03-15", "v")])
    rows = made(opened(many, AS_OF, **mapping), "user_days")
    assert len(rows) == (35 if "where" in mapping else 36)


@pytest.mark.slow
def test_files_with_other_columns_are_read_alone(many):
    put(many, "2024-03-15", [on("2024-03-15")])
    path = many / "data" / "usage_events" / "2024-03-15.parquet"
    pq.write_table(pq.read_table(path).drop(["seconds"]), path)
    rows = made(opened(many, AS_OF), "user_days")
    assert [r["seconds"] for r in rows if r["day"] == AS_OF] == [None]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_local_days_are_those_of_auckland(tmp_path, monkeypatch, kind):
    """Instants around midnight in Auckland, at the end of its summer time and at a month's end."""
    monkeypatch.setattr(parts, "MOST", 1)
    instants = [datetime(2024, 3, 30, 10, tzinfo=UTC) + timedelta(hours=n) for n in range(60)]
    if kind == "csv":
        lines = [f"a,u,{at.isoformat()}" for at in instants]
        (tmp_path / "data").mkdir()
        text = "\n".join(["account_id,user_id,occurred_at", *lines])
        (tmp_path / "data" / "usage_events.csv").write_text(text)
    else:
        rows = pa.table(
            {
                "account_id": ["a"] * 60,
                "user_id": ["u"] * 60,
                "occurred_at": pa.array(instants, pa.timestamp("us", tz="UTC")),
            }
        )
        (tmp_path / "data").mkdir()
        pq.write_table(rows, tmp_path / "data" / "usage_events.parquet")
    expected = defaultdict(int)
    for at in instants:
        expected[at.astimezone(ZoneInfo("Pacific/Auckland")).date()] += 1
    found = made(opened(tmp_path, date(2024, 4, 1)), "user_days")
    assert {r["day"]: r["events"] for r in found} == {
        day: n for day, n in expected.items() if day <= date(2024, 4, 1)
    }
    assert len(found) == 3


@pytest.mark.slow
def test_parts_notice_rows_added_to_a_database(tmp_path):
    def run(sql):
        with duckdb.connect(tmp_path / "own.duckdb") as con:
            con.execute(sql)

    run("CREATE TABLE usage_events (account_id text, user_id text, occurred_at timestamp)")
    found = []
    for day in ("2024-03-01", "2024-03-02", "2024-02-01"):
        run(f"INSERT INTO usage_events VALUES ('a', 'u', '{day} 10:00')")  # noqa: S608
        raw = {
            "name": "Test",
            "currency": "EUR",
            "timezone": "Pacific/Auckland",
            "data": {"sources": {"own": {"database": "own.duckdb"}}},
        }
        workspace = RolledUp(from_mapping(raw, root=tmp_path), as_of=AS_OF)
        found.append(len(made(workspace, "user_days")))
        workspace.tables.close()
    assert found == [1, 2, 3]


# --- in a workspace -----------------------------------------------------------------------------

ACCOUNTS = "account_id,segment,signed_up_on\nA1,small,2023-01-01\nA2,large,2023-06-01\n"
EVENTS = """account_id,user_id,occurred_at,feature
A1,u,2024-01-31 10:00,f
A1,u,2024-01-31 11:00,g
A2,,2024-02-29 10:00,f
A9,x,2024-03-01 10:00,f
"""


@pytest.fixture
def usage(workspace):
    """Open a workspace over accounts and events; its tables are not checked."""

    def make(files, segment="all"):
        always = {"observed_from": "always"}
        settings = workspace(files, **({"accounts": always} if "accounts.csv" in files else {}))
        opened = Workspace(settings, as_of=AS_OF, segment=segment)
        opened._usable = lambda table: None
        return opened

    return make


def groups(rows):
    return sorted(tuple(r.values()) for r in rows.to_pyarrow().to_pylist())


@pytest.mark.slow
def test_user_days_and_feature_months_carry_the_group_of_their_account(usage):
    both = {"accounts.csv": ACCOUNTS, "usage_events.csv": EVENTS}
    days = usage(both).user_days().select("account_id", "group", "events")
    assert groups(days) == [("A1", "small", 2), ("A2", "large", 1), ("A9", "not stated", 1)]
    years = usage(both).feature_months(by="signup_year").select("account_id", "feature", "group")
    assert groups(years)[0] == ("A1", "f", "2023")
    assert groups(usage(both, "large").user_days().select("account_id")) == [("A2",)]
    with pytest.raises(InputError, match='no column "segmnt"'):
        usage(both).user_days(by="segmnt")


@pytest.mark.slow
def test_user_days_without_accounts_have_one_group(usage):
    days = usage({"usage_events.csv": EVENTS}).user_days().select("group").distinct()
    assert groups(days) == [("not stated",)]


@pytest.mark.slow
def test_user_days_without_events_say_how_to_add_them(workspace):
    settings = workspace({"accounts.csv": ACCOUNTS}, accounts={"observed_from": "always"})
    opened = Workspace(settings, as_of=AS_OF)
    with pytest.raises(NotAvailable, match=r"usage_events is missing"):
        opened.user_days()
    assert "user_days" not in opened.lineage().set_index("table").loc["accounts", "rollups"]


@pytest.mark.slow
def test_lineage_names_the_parts_by_what_they_have_in_common(usage):
    workspace = usage({"usage_events.csv": EVENTS})
    workspace.user_days()
    first, second = workspace._files_of("usage_events").split(", ")
    assert len(files(workspace.settings.root, first)) == 1
    assert second.startswith("feature_months-")


@pytest.mark.parametrize(
    "dates", [range(1, 32), [1, 31], [31], range(2, 32, 2), [1, 2, 4, 8, 16], [7, 15, 23, 30, 31]]
)
def test_feature_months_count_every_date_of_a_month_once(dates):
    rows = [Row("a", "u", datetime(2024, 1, day, hour)) for day in dates for hour in (3, 4)]  # noqa: DTZ001
    made = feature_months(ibis.memtable(table(rows)), RollupContext(as_of=AS_OF))
    [found] = made.to_pyarrow().to_pylist()
    assert found["days"] == len(dates)
    assert found["events"] == 2 * len(dates)
    assert found["first_day"] == date(2024, 1, min(dates))
