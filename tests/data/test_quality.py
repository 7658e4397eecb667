"""The data quality gate: what it finds, how it judges it, and what it leaves alone."""

from datetime import date

import duckdb
import pandas as pd
import pytest

from csa.data import engine
from csa.data.quality import QualityReport, check_tables, default_cadence
from csa.data.quality.rules import TOLERATED, severity
from csa.data.sources import Tables
from csa.errors import InputError

pytestmark = pytest.mark.slow  # over a second each; make test-fast leaves them out

AS_OF = date(2024, 3, 31)
CLEAN = {
    "accounts": """account_id,segment,signed_up_on,trial_started_on,converted_on
A1,small,2024-01-01,,2024-01-01
A2,large,2024-01-10,2024-01-02,2024-01-10
A3,small,2024-03-05,,
""",
    "subscriptions": """subscription_id,account_id,start_on,end_on,mrr,list_mrr
S1,A1,2024-01-01,2024-02-01,10.50,12
S2,A1,2024-02-01,,20,20
S3,A2,2024-03-10,,99.99,120
""",
    "usage_events": """account_id,user_id,occurred_at,feature,quantity
A1,u1,2024-01-01 10:00,login,1
A1,u1,2024-03-20 10:00,export,2
A2,u2,2024-01-02 23:59,login,1
""",
    "features": """feature,launched_on
login,2020-01-01
export,2024-03-01
""",
    "surveys": """response_id,account_id,kind,sent_at,answered_at,score,campaign_id
R1,A1,nps,2024-03-01 09:00,2024-03-02 09:00,10,C1
R2,A2,csat,2024-03-01 09:00,,,
""",
    "tickets": """ticket_id,account_id,opened_at,resolved_at
T1,A1,2024-03-01 09:00,2024-03-02 09:00
""",
    "campaigns": """campaign_id,started_on
C1,2024-03-01
""",
    "campaign_accounts": """campaign_id,account_id,exposed_at
C1,A1,2024-03-01 08:00
""",
}


@pytest.fixture
def checked(workspace):
    """Run the gate on CSV files: the clean company with some files replaced."""

    def run(as_of=AS_OF, cadence=None, top=None, only=None, tables=None, **changed):
        texts = {n: t for n, t in (CLEAN | changed).items() if only is None or n in only}
        files = {f"{name}.csv": text for name, text in texts.items()}
        settings = workspace(files, top=top, **(tables or {}))
        with Tables(settings, as_of) as known:
            return check_tables(known, settings, as_of=as_of, cadence=cadence)

    return run


def failing(report):
    return [
        (c.table, c.column, c.check, c.severity, c.failing, c.examples)
        for c in report.checks
        if c.failing
    ]


def plus(table, *lines):
    return CLEAN[table] + "".join(f"{line}\n" for line in lines)


def test_a_clean_company_passes_every_check(checked):
    report = checked()
    assert failing(report) == []
    assert report.blocked == frozenset()
    assert {c.check for c in report.checks} == {
        *("schema", "uniqueness", "reference", "range", "order", "duplicate"),
        *("contradiction", "missing", "freshness"),
    }
    assert report.table["passed"].all()


def test_tables_tell_rows_newest_row_and_origin(checked):
    tables = checked().tables.set_index("table")
    assert tables.loc["subscriptions", ["rows", "origin"]].tolist() == [3, "subscriptions.csv"]
    assert tables.loc["subscriptions", "newest"] == pd.Timestamp("2024-03-10")
    assert tables["fingerprint"].str.fullmatch("[0-9a-f]{16}").all()


def test_missing_counts_every_mapped_column(checked):
    missing = checked().missing.set_index(["table", "column"])
    assert missing.loc[("accounts", "trial_started_on")].tolist() == [2, 2 / 3]
    assert missing.loc[("accounts", "account_id")].tolist() == [0, 0]
    assert ("accounts", "industry") not in missing.index  # not in the source


# One line per fault, all in one company, and what must be found: nothing more, nothing less.
WRONG = {
    "accounts": ("A1,large,2024-01-01,,", "A4,large,2024-03-01,,2024-03-02"),
    "subscriptions": (
        "N1,A1,2024-03-01,,-5,",
        "N2,A1,2024-03-01,,n/k,",
        "N3,A1,2024-03-01,,,",
        "N4,A1,,,5,",
        "N5,,2024-03-01,,5,",
        "S1,A1,2024-03-01,,5,",
        "N6,A1,2024-03-01,2024-02-01,5,",
        "N7,A1,2024-03-01,2024-03-01,5,",
        "N8,A1,2024-03-01,,0,",
        "N9,A1,2024-03-01,,5,4",
        "O1,A1,1970-01-01,2024-02-01,5,",
        "O2,A9,2024-03-01,,5,",
        "O3,A3,2024-03-01,,5,",
    ),
    "usage_events": (
        "A3,u1,2024-03-20 10:00,export,2",
        "A3,u1,2024-03-20 10:00,export,2",
        "A2,u1,2024-01-01 23:59,login,2",
        "A1,u1,2024-02-29 10:00,export,2",
    ),
    "surveys": (
        "R3,A1,csat,2024-03-01 09:00,2024-03-02 09:00,7,",
        "R4,A1,nps,2024-03-01 09:00,2024-03-02 09:00,9.5,",
        "R5,A1,nps,2024-03-01 09:00,,7,",
        "R6,A1,other,2024-03-01 09:00,,,C9",
    ),
    "tickets": ("T2,A1,2024-03-02 09:00,2024-03-02 08:59",),
    "campaign_accounts": ("C1,A2,2024-02-29 09:00",),
}
FOUND = """
accounts          account_id      uniqueness    error    2 A1
accounts          converted_on    contradiction warning  1 A4 (2024-03-02)
subscriptions     mrr             range         error    1 N1 (-5)
subscriptions     mrr             range         warning  1 N8
subscriptions     mrr             schema        error    1 N2 ("n/k")
subscriptions     mrr             missing       error    1 N3
subscriptions     start_on        missing       error    1 N4
subscriptions     account_id      missing       error    1 N5
subscriptions     subscription_id uniqueness    error    2 S1
subscriptions     end_on          order         error    1 N6 (2024-03-01, 2024-02-01)
subscriptions     end_on          order         warning  1 N7 (2024-03-01)
subscriptions     list_mrr        order         warning  1 N9 (4, 5)
subscriptions     start_on        range         error    1 O1 (1970-01-01)
subscriptions     account_id      reference     warning  1 A9
subscriptions     start_on        contradiction warning  2 O1 (1970-01-01, 2024-01-01); \
O3 (2024-03-01, 2024-03-05)
usage_events      -               duplicate     warning  2 A3
usage_events      occurred_at     contradiction warning  1 A2 (2024-01-01, 2024-01-02)
usage_events      feature         contradiction warning  1 A1 (export, 2024-02-29, 2024-03-01)
surveys           score           range         error    2 R3 (csat, 7); R4 (nps, 9.5)
surveys           answered_at     contradiction warning  1 R5
surveys           kind            range         error    1 R6 (other)
surveys           campaign_id     reference     warning  1 C9
tickets           resolved_at     order         warning  1 T2 (2024-03-02 09:00, 2024-03-02 08:59)
campaign_accounts exposed_at      contradiction warning  1 C1 (2024-02-29, 2024-03-01)
""".replace("\\\n", "")


def test_faults_are_found_with_key_and_severity(checked):
    report = checked(**{table: plus(table, *lines) for table, lines in WRONG.items()})
    found = [
        f"{table} {column or '-'} {check} {severity} {count} {'; '.join(examples)}"
        for table, column, check, severity, count, examples in failing(report)
    ]
    assert sorted(found) == sorted(" ".join(line.split()) for line in FOUND.strip().splitlines())
    assert report.blocked == {"accounts", "subscriptions", "surveys"}
    assert all(c.message and c.fix for c in report.checks)


def test_three_examples_are_shown_in_order(checked):
    lines = [f"S{n},A1,2024-03-01,,-{n}," for n in (9, 7, 8, 6)]
    text = plus("subscriptions", *lines)
    (found,) = failing(checked(subscriptions=text, only=("accounts", "subscriptions")))
    assert found[-2:] == (4, ("S6 (-6)", "S7 (-7)", "S8 (-8)"))


def test_use_after_the_last_subscription_needs_more_than_the_grace(checked):
    ended = CLEAN["subscriptions"].replace("S2,A1,2024-02-01,,", "S2,A1,2024-02-01,2024-02-19,")
    only = ("subscriptions", "usage_events")
    assert failing(checked(subscriptions=ended, only=only)) == []  # 30 days
    ended = ended.replace("2024-02-19", "2024-02-18")
    (found,) = failing(checked(subscriptions=ended, only=only))
    assert found[:3] == ("usage_events", "occurred_at", "contradiction")
    assert found[-1] == ("A1 (2024-03-20, 2024-02-18)",)


def test_what_comes_after_as_of_is_not_seen(checked):
    later = plus("subscriptions", "S4,A1,2024-04-01,,-5,", "S1,A1,2024-04-02,,5,")
    assert failing(checked(subscriptions=later, only=("accounts", "subscriptions"))) == []


def test_a_table_without_rows_is_blocked(checked):
    report = checked(as_of=date(2024, 1, 5), only=("accounts", "subscriptions", "tickets"))
    assert report.blocked == {"tickets"}
    (found,) = (c for c in report.checks if c.failing)
    assert found.message == "there is no row on or before 2024-01-05"


@pytest.mark.parametrize(("cadence", "stale"), [("month", []), ("week", ["tickets"])])
def test_freshness_follows_the_cadence(checked, cadence, stale):
    report = checked(only=("tickets", "features"), cadence=cadence)
    assert [c.table for c in report.checks if c.failing] == stale


def test_freshness_defaults_to_the_most_frequent_report(workspace):
    report = {"title": "R", "chapters": ["churn"]}
    reports = {"a": report | {"every": "quarter"}, "b": report | {"every": "week"}}
    assert default_cadence(workspace(top={"reports": reports})) == "week"
    assert default_cadence(workspace()) == "month"


@pytest.mark.parametrize(
    ("table", "column", "failing", "rows", "expected"),
    [
        ("subscriptions", "mrr", 1, 10**6, "error"),
        ("subscriptions", "seats", 10**6, 10**6, "warning"),
        ("usage_events", "account_id", TOLERATED * 10**6, 10**6, "warning"),
        ("usage_events", "account_id", TOLERATED * 10**6 + 1, 10**6, "error"),
        ("usage_events", "account_id", 0, 10**6, "error"),  # what a failure can mean
        ("usage_events", "device", 10**6, 10**6, "warning"),
    ],
)
def test_severity_tolerates_few_faults_only_in_large_tables(table, column, failing, rows, expected):
    assert severity(table, column, failing, rows, ("account_id",)) == expected


def test_a_table_without_its_key_is_checked_for_equal_rows(checked):
    text = "account_id,occurred_at,amount\n" + "A1,2024-03-01 10:00,5\n" * 2
    report = checked(only=("accounts",), transactions=text, tables={"accounts": {}})
    assert failing(report) == []  # only accounts are read
    report = checked(only=("accounts", "transactions"), transactions=text)
    assert failing(report) == [("transactions", "", "duplicate", "warning", 2, ("A1",))]


# checks of one's own ---------------------------------------------------------------------------


def own(**others):
    check = {"name": "no large account", "table": "accounts", "severity": "warning", "fix": "none"}
    return {"checks": [check | others]}


def test_own_checks_return_offending_keys(checked):
    sql = "SELECT account_id FROM accounts WHERE segment = 'large'"
    report = checked(top=own(sql=sql), only=("accounts",))
    (found,) = (c for c in report.checks if c.failing)
    assert (found.table, found.column, found.check) == ("accounts", "account_id", "own")
    assert (found.severity, found.failing, found.rows) == ("warning", 1, 3)
    assert found.examples == ("A2",)
    assert "no large account" in found.message


def test_own_checks_that_return_nothing_pass(checked):
    sql = "SELECT account_id FROM accounts WHERE segment = 'none'"
    report = checked(top=own(sql=sql), only=("accounts",))
    assert [c.failing for c in report.checks if c.check == "own"] == [0]


def test_own_checks_can_query_files_as_they_are(checked):
    sql = "SELECT ticket_id FROM tickets WHERE resolved_at LIKE '%09:00'"
    report = checked(top=own(sql=sql, source="files"), only=("accounts", "tickets"))
    (found,) = (c for c in report.checks if c.failing)
    assert found.examples == ("T1",)


def test_own_checks_of_an_absent_table_are_a_warning(checked):
    report = checked(top=own(sql="SELECT person_id FROM staff"), only=("accounts",))
    (found,) = (c for c in report.checks if c.failing)
    assert (found.check, found.severity) == ("own", "warning")
    assert "could not be checked, because the table staff is missing" in found.message


def test_own_checks_that_an_engine_refuses_are_faults_all_at_once(checked):
    checks = [*own(sql="SELECT x FROM accounts")["checks"], *own(sql="SELEC 1")["checks"]]
    with pytest.raises(InputError) as error:
        checked(top={"checks": checks}, only=("accounts",))
    first, second = error.value.faults
    assert first.startswith("csa.yml: checks[1].sql: ")
    assert second.startswith("csa.yml: checks[2].sql: ")


# engines and forms -----------------------------------------------------------------------------


def test_report_survives_json(checked):
    text = plus("subscriptions", "S4,A9,2024-03-01,,-5,")
    report = checked(subscriptions=text, only=("accounts", "subscriptions", "features"))
    again = QualityReport.from_json(report.to_json())
    assert again.checks == report.checks
    pd.testing.assert_frame_equal(again.tables, report.tables)
    pd.testing.assert_frame_equal(again.missing, report.missing)
    assert again.blocked == report.blocked


def test_report_without_tables_survives_json():
    report = QualityReport.from_json('{"checks": [], "tables": [], "missing": []}')
    assert QualityReport.from_json(report.to_json()).table.empty


def same_findings(one, two):
    assert [c for c in one.checks if c.check != "own"] == [
        c for c in two.checks if c.check != "own"
    ]


MET = ("accounts", "subscriptions", "usage_events")
BROKEN = {
    "subscriptions": plus(
        "subscriptions",
        "S4,A9,2024-03-01,2024-02-01,-5,",
        "S4,A3,2024-03-01,,0,",
        "S5,A1,2024-03-01,,n/k,1",
    ),
    "usage_events": plus(
        "usage_events",
        "A2,u1,2024-01-01 23:59,export,2",
        "A2,u1,2024-01-01 23:59,export,2",
        "A8,u1,2024-01-01 23:59,none,-2",
    ),
}


def test_tables_of_several_engines_meet(checked, workspace, tmp_path):
    """Subscriptions in a DuckDB file, all else in CSV: the same findings as all in CSV."""
    expected = checked(**BROKEN, only=MET)
    with duckdb.connect(tmp_path / "own.duckdb") as con:
        file = tmp_path / "data" / "subscriptions.csv"
        con.execute(f"CREATE TABLE subscriptions AS FROM read_csv('{file}', all_varchar = true)")
    (tmp_path / "data" / "subscriptions.csv").unlink()
    sources = {"files": {"path": "data"}, "own": {"database": "own.duckdb"}}
    settings = workspace(top={"data": {"sources": sources}})
    with Tables(settings, AS_OF) as known:
        assert known.backend("subscriptions") is not known.engine
        found = check_tables(known, settings, as_of=AS_OF)
    same_findings(found, expected)


TYPES = {"_on": "date", "_at": "timestamp", "ity": "integer"}  # by the end of a column's name


def test_postgres_finds_what_files_find(checked, workspace, tmp_path, postgres_url, monkeypatch):
    import psycopg  # noqa: PLC0415 (an optional extra)

    expected = checked(**BROKEN, only=MET)
    with psycopg.connect(postgres_url) as con:
        for name in MET:
            text = (CLEAN | BROKEN)[name]
            head, *lines = text.splitlines()
            columns = head.split(",")
            kinds = ", ".join(f'"{c}" {TYPES.get(c[-3:], "text")}' for c in columns)
            con.execute(f'CREATE TABLE "{name}" ({kinds})')
            places = ", ".join(["%s"] * len(columns))
            with con.cursor() as cursor:
                rows = [[v or None for v in line.split(",")] for line in lines]
                cursor.executemany(f'INSERT INTO "{name}" VALUES ({places})', rows)  # noqa: S608
    monkeypatch.setenv("TEST_DATABASE_URL", postgres_url)
    sources = {"warehouse": {"url_env": "TEST_DATABASE_URL"}}
    settings = workspace(top={"data": {"sources": sources}})
    for file in (tmp_path / "data").iterdir():
        file.unlink()
    with Tables(settings, AS_OF) as known:
        found = check_tables(known, settings, as_of=AS_OF)
    assert set(found.tables["origin"]) >= {"warehouse: accounts"}
    same_findings(found, expected)


@pytest.mark.slow
def test_memory_stays_bounded(workspace, tmp_path, monkeypatch):
    """Two million events, about 250 MB as values, pass through 150 MB of DuckDB."""
    settings = workspace({"accounts.csv": CLEAN["accounts"]})
    duckdb.execute(
        """COPY (SELECT 'A' || (1 + i % 3) AS account_id, 'user' || i % 99991 AS user_id,
            'session' || i AS session_id, 'feature' || i % 50 AS feature, 1.0 AS quantity,
            TIMESTAMP '2024-03-06' + to_seconds((i % 2000000)::BIGINT) AS occurred_at
            FROM range(2000000) AS t(i)) TO $file""",
        {"file": str(tmp_path / "data" / "usage_events.parquet")},
    )
    limits = engine._limits
    monkeypatch.setattr(engine, "_limits", lambda root: limits(root) | {"memory_limit": "150MB"})
    with Tables(settings, AS_OF) as known:
        found = check_tables(known, settings, as_of=AS_OF)
    assert failing(found) == []
    assert found.tables.set_index("table").loc["usage_events", "rows"] == 2_000_000
