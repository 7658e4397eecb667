"""Tables from files: formats, mapping, what is known on a day, fingerprints."""

import gzip
import os
import sqlite3
from datetime import date, datetime
from decimal import Decimal

import ibis
import pytest

from csa.data.sources import Tables, faults
from csa.errors import ConfigError, InputError, NotAvailable

ACCOUNTS = "account_id,signed_up_on,segment\na,2024-01-05,small\nb,2024-02-01,\n"


def rows(tables, name, *columns):
    """Return rows as tuples, in the order of the first column."""
    table = tables.table(name)
    table = table.select(*columns).order_by(columns[0])
    return [tuple(r.values()) for r in tables.backend(name).to_pyarrow(table).to_pylist()]


def read(settings, name, *columns, as_of=None):
    with Tables(settings, as_of=as_of) as tables:
        assert tables.faults() == []
        return rows(tables, name, *columns)


# files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("accounts.csv", ACCOUNTS),
        ("accounts.csv", "\ufeff" + ACCOUNTS),
        ("accounts.csv", ACCOUNTS.replace("\n", "\r\n")),
        ("accounts.csv", ACCOUNTS.replace(",", ";")),
        ("accounts.tsv", ACCOUNTS.replace(",", "\t")),
        ("accounts.csv", ACCOUNTS.replace(",", "|")),
        ("accounts.csv", ACCOUNTS.encode("utf-16")),
        ("accounts.csv.gz", gzip.compress(ACCOUNTS.encode(), mtime=0)),
        ("accounts.csv", ACCOUNTS.replace("small", '"small"').replace("b,", '" b ",')),
        ("accounts.csv", ACCOUNTS.replace("account_id", "Account_ID").replace("seg", "Seg")),
    ],
    ids=["plain", "bom", "crlf", "semicolon", "tab", "pipe", "utf-16", "gzip", "quoted", "case"],
)
def test_csv_in_all_its_forms(workspace, name, content):
    found = read(workspace({name: content}), "accounts", "account_id", "signed_up_on", "segment")
    assert found == [("a", date(2024, 1, 5), "small"), ("b", date(2024, 2, 1), None)]


def test_latin_1_where_stated(workspace):
    text = "account_id,signed_up_on,name\na,2024-01-05,Müller\n".encode("latin-1")
    settings = workspace({"accounts.csv": text}, accounts={"encoding": "latin-1"})
    assert read(settings, "accounts", "account_id", "name") == [("a", "Müller")]


def test_delimiter_where_stated_and_values_over_lines(workspace):
    text = 'account_id~signed_up_on~name\na~2024-01-05~"Two\nlines ""quoted"""\n'
    settings = workspace({"accounts.csv": text}, accounts={"delimiter": "~"})
    assert read(settings, "accounts", "name") == [('Two\nlines "quoted"',)]


def test_parquet_keeps_its_types(workspace, tmp_path):
    (tmp_path / "data").mkdir()
    con = ibis.duckdb.connect()
    con.raw_sql(
        f"""COPY (SELECT 17850.0 AS account_id, DATE '2024-01-05' AS signed_up_on, 12.5 AS
        acquisition_cost, TIMESTAMPTZ '2024-01-31 23:30:00+00' AS converted_on, true AS vip)
        TO '{tmp_path}/data/accounts.parquet'"""
    )
    columns = ("account_id", "signed_up_on", "acquisition_cost", "converted_on", "vip")
    assert read(workspace(), "accounts", *columns) == [
        ("17850", date(2024, 1, 5), Decimal("12.5"), date(2024, 2, 1), True)
    ]


def test_parts_are_one_table(workspace):
    head = "account_id,occurred_at\n"
    parts = {
        "events/2024-01.csv": head + "a,2024-01-05\n",
        "events/2024-02.csv": head + "b,2024-02-05\n",
    }
    settings = workspace(parts, usage_events={"file": "events/*.csv"})
    assert len(read(settings, "usage_events", "account_id")) == 2
    settings = workspace(parts, usage_events={"file": "events"})
    assert len(read(settings, "usage_events", "account_id")) == 2
    settings = workspace({"events/2024-03.csv": "x\n"}, usage_events={"file": "events/*.csv"})
    assert "parts that differ in columns" in faults(settings)[0]


def test_folder_of_parquet_parts_is_found_by_name(workspace, tmp_path):
    folder = tmp_path / "data" / "features"
    folder.mkdir(parents=True)
    con = ibis.duckdb.connect()
    for name in ("a", "b"):
        con.raw_sql(f"COPY (SELECT '{name}' AS feature) TO '{folder}/{name}.parquet'")
    assert read(workspace(), "features", "feature") == [("a",), ("b",)]


def test_duckdb_file_is_read_only(workspace, tmp_path):
    con = ibis.duckdb.connect(tmp_path / "company.duckdb")
    con.raw_sql(
        "CREATE TABLE accounts AS SELECT 1 AS account_id, DATE '2024-01-05' AS signed_up_on;"
        "CREATE SCHEMA crm; CREATE TABLE crm.parts AS SELECT 'x' AS feature;"
    )
    con.disconnect()
    top = {"data": {"sources": {"company": {"database": "company.duckdb"}}}}
    settings = workspace(top=top)
    settings = workspace(
        top=top | {"data": top["data"] | {"tables": {"features": {"table": "crm.parts"}}}}
    )
    assert read(settings, "accounts", "account_id") == [("1",)]
    assert read(settings, "features", "feature") == [("x",)]
    with Tables(settings) as tables:
        assert tables.origin("features") == "company: crm.parts"
        with pytest.raises(Exception, match="read-only"):
            tables.backend("features").raw_sql("CREATE TABLE x (i int)")


def test_folder_from_a_variable(workspace, tmp_path, monkeypatch):
    workspace({"accounts.csv": ACCOUNTS})
    monkeypatch.setenv("TEST_DATA", str(tmp_path))
    top = {"data": {"sources": {"files": {"path_env": "TEST_DATA", "path": "data"}}}}
    assert len(read(workspace(top=top), "accounts", "account_id")) == 2


# mapping -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_mapping_renames_casts_and_sets_constants(workspace):
    text = "Kunde;Beginn;Preis;Testkonto\n7;05.01.2024;1.234,50 €;nein\n8;06.01.2024;1;ja\n"
    settings = workspace(
        {"kunden.csv": text},
        subscriptions={
            "file": "kunden.csv",
            "columns": {
                "subscription_id": "Kunde",
                "account_id": "Kunde",
                "start_on": "Beginn",
                "mrr": {"from": "Preis", "decimal": ","},
                "plan": {"value": "basic"},
                "seats": {"value": 3},
                "renews_on": {"value": date(2025, 1, 1)},
                "end_reason": {"value": None},
            },
            "where": "Testkonto = 'nein'",
        },
    )
    columns = ("subscription_id", "start_on", "mrr", "plan", "seats", "renews_on", "end_reason")
    assert read(settings, "subscriptions", *columns) == [
        ("7", date(2024, 1, 5), Decimal("1234.5"), "basic", 3, date(2025, 1, 1), None)
    ]
    with Tables(settings) as tables:
        assert tables.origin("subscriptions") == "kunden.csv"
        assert "end_reason" not in tables.mapped("subscriptions")
        assert {"plan", "mrr", "account_id"} <= set(tables.mapped("subscriptions"))


def test_absent_columns_are_missing_everywhere_and_typed(workspace):
    with Tables(workspace({"accounts.csv": ACCOUNTS})) as tables:
        table = tables.table("accounts")
        assert str(table.schema()["trial_ended_on"]) == "date"
        assert table.owner.count().execute() == 0
        assert tables.mapped("accounts") == ("account_id", "segment", "signed_up_on")


@pytest.mark.slow
def test_accounts_keep_further_columns(workspace):
    text = "account_id,signed_up_on,Churn Flag,tier\na,2024-01-05,TRUE,gold\n"
    settings = workspace({"accounts.csv": text}, accounts={"columns": {"plan": "tier"}})
    found = read(settings, "accounts", "account_id", "plan", "Churn Flag")
    assert found == [("a", "gold", "TRUE")]
    with Tables(settings) as tables:
        assert "tier" not in tables.table("accounts").columns
    stated = workspace(accounts={"columns": {"level": "tier", "churned": "Churn Flag"}})
    assert read(stated, "accounts", "level", "churned") == [("gold", "TRUE")]


def test_query_sees_files_as_tables(workspace):
    settings = workspace(
        {
            "lines.csv": "customer,day,price\na,2024-01-05,2\na,2024-01-07,3\n,2024-01-07,9\n",
            "my people.csv": "id,name\na,Ann\n",
        },
        accounts={
            "query": """
                -- first purchase
                WITH lines AS (SELECT * FROM lines WHERE customer IS NOT NULL)
                SELECT customer AS account_id, min(day) AS signed_up_on, any_value(p.name) AS name
                FROM lines JOIN "my people" p ON p.id = customer GROUP BY 1; """
        },
    )
    assert read(settings, "accounts", "account_id", "signed_up_on", "name") == [
        ("a", date(2024, 1, 5), "Ann")
    ]
    with Tables(settings) as tables:
        assert tables.origin("accounts") == "query over lines.csv, my people.csv"


def test_ignored_files_are_no_tables(workspace):
    settings = workspace(
        {"accounts.csv": ACCOUNTS, "features.csv": "x\n1\n"}, features={"ignore": True}
    )
    assert faults(settings) == []
    with Tables(settings) as tables:
        assert tables.names() == ["accounts"]


# time ----------------------------------------------------------------------------------------

MOMENTS = "account_id,occurred_at\na,{}\n"


@pytest.mark.parametrize(
    ("written", "mapping", "zone", "local"),
    [
        ("2024-01-05 10:00", {}, "Europe/Berlin", "2024-01-05 10:00"),  # naive: already local
        ("2024-01-05T10:00:00Z", {}, "Europe/Berlin", "2024-01-05 11:00"),
        ("2024-07-05T10:00:00.5Z", {}, "Europe/Berlin", "2024-07-05 12:00:00.5"),
        ("2024-01-05 10:00:00+05:30", {}, "UTC", "2024-01-05 04:30"),
        ("2024-01-05 10:00", {"timezone": "UTC"}, "Pacific/Auckland", "2024-01-05 23:00"),
        ("2024-01-05 12:00", {"timezone": "UTC"}, "Pacific/Auckland", "2024-01-06 01:00"),
        ("2024-07-05 12:00Z", {}, "Pacific/Auckland", "2024-07-06 00:00"),  # no daylight saving
        ("2024-04-06 13:30Z", {}, "Pacific/Auckland", "2024-04-07 02:30"),  # first of two
        ("2024-04-06 14:30Z", {}, "Pacific/Auckland", "2024-04-07 02:30"),  # second of two
        ("2024-03-31 01:30", {"timezone": "UTC"}, "Europe/Berlin", "2024-03-31 03:30"),
        ("2024-03-31 02:30", {}, "Europe/Berlin", "2024-03-31 02:30"),  # skipped hour: as written
        ("2024-03-31 02:30", {"timezone": "Europe/Berlin"}, "UTC", "2024-03-31 01:30"),
        ("2024-10-27 00:30", {"timezone": "UTC"}, "Europe/Berlin", "2024-10-27 02:30"),
        ("05.01.2024 10:00", {}, "Europe/Berlin", "2024-01-05 10:00"),
        ("01/13/2024 10:05 PM", {}, "Europe/Berlin", "2024-01-13 22:05"),
        ("13/01/2024", {}, "Europe/Berlin", "2024-01-13 00:00"),
        ("20240113", {}, "Europe/Berlin", "2024-01-13 00:00"),
        ("5 Jan 2024 10:00", {}, "Europe/Berlin", "2024-01-05 10:00"),
        ("1704449400", {"format": "epoch"}, "Europe/Berlin", "2024-01-05 11:10"),
        ("1704449400500", {"format": "epoch_ms"}, "UTC", "2024-01-05 10:10:00.5"),
        ("10h 2024/5/1", {"format": "%Hh %Y/%d/%m"}, "UTC", "2024-01-05 10:00"),
        (
            "2024-01-05T10:00:00+0200",
            {"format": "%Y-%m-%dT%H:%M:%S%z"},
            "UTC",
            "2024-01-05 08:00",
        ),
        (
            "05-01-2024 10:00",
            {"format": "%d-%m-%Y", "timezone": "America/New_York"},
            "UTC",
            "2024-01-05 15:00",
        ),
    ],
)
def test_times_arrive_in_the_workspace_s_zone(workspace, written, mapping, zone, local):
    columns = {"occurred_at": {"from": "occurred_at", **mapping}}
    settings = workspace(
        {"usage_events.csv": MOMENTS.format(written)},
        top={"timezone": zone},
        usage_events={"columns": columns},
    )
    assert read(settings, "usage_events", "occurred_at") == [(datetime.fromisoformat(local),)]


def test_days_have_no_zone_but_times_do(workspace):
    text = "account_id,signed_up_on\na,2024-01-05\nb,2024-01-05 23:30\nc,2024-01-05T23:30Z\n"
    settings = workspace(
        {"accounts.csv": text},
        top={"timezone": "Pacific/Auckland"},
        accounts={"columns": {"signed_up_on": {"from": "signed_up_on", "timezone": "UTC"}}},
    )
    assert read(settings, "accounts", "account_id", "signed_up_on") == [
        ("a", date(2024, 1, 5)),
        ("b", date(2024, 1, 6)),
        ("c", date(2024, 1, 6)),
    ]


def test_day_and_month_are_told_apart_by_any_row_or_column(workspace):
    many = "".join(f"x{i},05/04/2024\n" for i in range(3000))  # the first 2,000 rows tell nothing
    text = f"account_id,signed_up_on\n{many}y,25/04/2024\n"
    settings = workspace({"accounts.csv": text})
    assert read(settings, "accounts", "signed_up_on")[0] == (date(2024, 4, 5),)
    text = "account_id,signed_up_on,converted_on\na,05/04/2024,05/25/2024\n"
    settings = workspace({"accounts.csv": text})
    assert read(settings, "accounts", "signed_up_on") == [(date(2024, 5, 4),)]


@pytest.mark.slow
def test_rows_and_facts_after_the_day_are_unknown(workspace):
    settings = workspace(
        {
            "subscriptions.csv": "subscription_id,account_id,start_on,end_on,end_reason,mrr\n"
            "1,a,2024-01-01,2024-03-01,voluntary,10\n"
            "2,a,2024-02-29,,,10\n"
            "3,a,2024-03-01,,,10\n",
            "surveys.csv": "response_id,account_id,kind,sent_at,answered_at,score\n"
            "1,a,nps,2024-02-29 23:59,2024-03-01 00:00,9\n"
            "2,a,nps,2024-03-01 00:00,,\n"
            "3,a,nps,,2024-03-02 10:00,9\n"
            "4,a,nps,2024-02-01 10:00,,7\n",
            "cash_flows.csv": "initiative,kind,category,occurs_on,amount,basis\n"
            "x,cost,licence,2025-01-01,5,plan\nx,cost,licence,2025-01-01,6,actual\n",
        }
    )
    leap_day = date(2024, 2, 29)
    assert read(settings, "subscriptions", "subscription_id", "end_on", as_of=leap_day) == [
        ("1", None),
        ("2", None),
    ]
    next_day = date(2024, 3, 1)
    found = read(settings, "subscriptions", "subscription_id", "end_reason", as_of=next_day)
    assert found == [("1", "voluntary"), ("2", None), ("3", None)]
    columns = ("response_id", "answered_at", "score")
    assert read(settings, "surveys", *columns, as_of=leap_day) == [
        ("1", None, None),
        ("4", None, 7),
    ]
    assert len(read(settings, "surveys", *columns)) == 4
    found = read(settings, "cash_flows", "amount", as_of=leap_day)
    assert found == [(Decimal(5),)]  # plans lie ahead


def test_a_row_without_its_day_stays_visible(workspace):
    text = "account_id,signed_up_on\na,\nb,2024-01-05\nc,2030-01-01\n"
    found = read(
        workspace({"accounts.csv": text}), "accounts", "account_id", as_of=date(2024, 6, 1)
    )
    assert found == [("a",), ("b",)]


# money ---------------------------------------------------------------------------------------

MONEY = (
    "account_id,occurred_at,amount,currency\n"
    "a,2024-01-05,10,usd\nb,2024-01-05,10,\nc,2024-01-05,10,EUR\n"
)


def test_money_is_converted_by_the_stated_rate(workspace):
    settings = workspace({"transactions.csv": MONEY}, top={"rates": {"USD": "0.92345678"}})
    assert read(settings, "transactions", "account_id", "amount", "currency") == [
        ("a", Decimal("9.2346"), "EUR"),
        ("b", Decimal(10), "EUR"),
        ("c", Decimal(10), "EUR"),
    ]


def test_money_without_a_rate_is_refused(workspace):
    (line,) = faults(workspace({"transactions.csv": MONEY}))
    assert line.startswith("csa.yml: rates: transactions holds money in USD (1 rows of trans")
    assert "state rates: {USD: EUR for 1 USD}" in line


DATED = {"rates": {"USD": {"2024-01-01": "0.9", "2024-02-01": "0.8"}}}
MONTHS = (
    "account_id,occurred_at,amount,currency\n"
    "a,2024-01-31 23:59,10,USD\nb,2024-02-01 00:00,10,usd\nc,2025-01-05,10,\nd,,10,USD\n"
)


@pytest.mark.slow
def test_money_is_converted_by_the_rate_of_its_day(workspace):
    settings = workspace({"transactions.csv": MONTHS}, top=DATED)
    assert read(settings, "transactions", "account_id", "amount", "currency") == [
        ("a", Decimal(9), "EUR"),
        ("b", Decimal(8), "EUR"),
        ("c", Decimal(10), "EUR"),
        ("d", None, "EUR"),  # without a day there is no rate
    ]


def test_money_before_the_first_rate_is_refused_with_all_other_faults(workspace):
    early = MONTHS + "e,2023-12-30,10,USD\nf,2023-12-31,10,USD\ng,2024-01-01,1,GBP\n"
    gbp, usd = faults(workspace({"transactions.csv": early}, top=DATED))
    assert "transactions holds money in GBP (1 rows of" in gbp
    assert usd.startswith("csa.yml: rates.USD: transactions holds money in USD from 2023-12-30 on")
    assert "the first rate is of 2024-01-01 (2 rows of transactions.csv come before it)" in usd
    assert "add 2023-12-30: EUR for 1 USD or leave the rows out with where" in usd


def test_a_whole_table_in_another_currency(workspace):
    settings = workspace(
        {"transactions.csv": MONEY.replace("currency", "other")},
        top={"rates": {"JPY": 0.006}},
        transactions={"columns": {"currency": {"value": "JPY"}}},
    )
    assert read(settings, "transactions", "amount")[0] == (Decimal("0.06"),)


# rows at fault -------------------------------------------------------------------------------


@pytest.mark.slow
def test_single_values_at_fault_are_missing_and_counted(workspace):
    lines = [f"S{i},a,2024-01-{i:02d},{i}.5,{i}" for i in range(1, 29)]
    lines[16] = "S17,a,2024-01-17,n/a yet,17"
    lines[4] = "S5,a,soon,NaN,5.5"
    text = "subscription_id,account_id,start_on,mrr,seats\n" + "\n".join(lines)
    settings = workspace({"subscriptions.csv": text})
    assert faults(settings) == []
    with Tables(settings) as tables:
        found = {u.column: u for u in tables.uncast("subscriptions")}
        assert set(found) == {"start_on", "mrr", "seats"}
        assert (found["mrr"].failing, found["mrr"].present) == (1, 27)  # NaN is missing, no fault
        assert found["mrr"].examples == ('S17 ("n/a yet")',)
        assert found["seats"].examples == ('S5 ("5.5")',)
        table = tables.table("subscriptions")
        assert table.count().execute() == 28
        assert table.mrr.count().execute() == 26
        raw = tables.raw("subscriptions")
        assert raw.filter(raw.subscription_id == "S17").mrr.execute().tolist() == ["n/a yet"]
        assert raw.columns == table.columns


def test_examples_without_a_key_are_row_numbers(workspace):
    text = "account_id,occurred_at\n" + "a,2024-01-05\n" * 16 + "a,broken\n"
    with Tables(workspace({"usage_events.csv": text})) as tables:
        (found,) = tables.uncast("usage_events")
        assert found.examples == ('row 17 ("broken")',)


# facts about tables --------------------------------------------------------------------------


@pytest.mark.slow
def test_fingerprint_follows_content_and_mapping_only(workspace, tmp_path):
    def fingerprint(settings, as_of=None):
        with Tables(settings, as_of=as_of) as tables:
            return tables.fingerprint("accounts")

    first = fingerprint(workspace({"accounts.csv": ACCOUNTS}))
    os.utime(tmp_path / "data" / "accounts.csv", (1, 1))
    assert fingerprint(workspace(), date(2024, 1, 1)) == first
    assert fingerprint(workspace(accounts={"columns": {"plan": "segment"}})) != first
    assert fingerprint(workspace(top={"timezone": "UTC"})) != first
    changed = fingerprint(workspace({"accounts.csv": ACCOUNTS.replace("small", "large")}))
    assert changed != first
    assert len(first) == 16


def test_last_day_is_the_newest_event_up_to_today(workspace):
    files = {
        "accounts.csv": ACCOUNTS,
        "usage_events.csv": "account_id,occurred_at\na,2024-05-06 23:00\na,2999-01-01\n",
    }
    with Tables(workspace(files)) as tables:
        assert tables.last_day() == date(2024, 5, 6)
    with Tables(workspace(top={"data": {"last_day": "2024-04-30"}})) as tables:
        assert tables.last_day() == date(2024, 4, 30)
    empty = workspace({"f/x": ""}, top={"data": {"sources": {"f": {"path": "data/f"}}}})
    with Tables(empty) as none, pytest.raises(NotAvailable, match="how far the data reach"):
        none.last_day()


def test_observed_from_is_stated_or_unknown(workspace):
    text = "account_id,signed_up_on,seen,b\na,2024-01-05,2024-02-01,2\n"
    cases = [
        ("always", "always"),
        (date(2022, 1, 1), date(2022, 1, 1)),
        ("seen", "observed_from"),
        (None, None),
    ]
    for stated, expected in cases:
        settings = workspace({"accounts.csv": text}, accounts={"observed_from": stated})
        with Tables(settings) as tables:
            assert tables.observed_from("accounts") == expected
    settings = workspace(accounts={"observed_from": "seen"})
    assert read(settings, "accounts", "observed_from") == [(date(2024, 2, 1),)]


def test_missing_and_unknown_tables(workspace):
    with Tables(workspace({"accounts.csv": ACCOUNTS})) as tables:
        assert "accounts" in tables
        assert "surveys" not in tables
        with pytest.raises(
            NotAvailable, match=r"add surveys\.csv .* response_id, account_id, kind"
        ):
            tables.table("surveys")
        with pytest.raises(InputError, match='no table "acounts"; did you mean "accounts"'):
            tables.table("acounts")
        with pytest.raises(NotAvailable, match="the kit writes it itself"):
            tables.table("alerts")


def test_own_sql_sees_the_tables_of_the_day(workspace):
    settings = workspace({"accounts.csv": ACCOUNTS})
    with Tables(settings, as_of=date(2024, 1, 31)) as tables:
        found = tables.sql("WITH x AS (SELECT * FROM accounts) SELECT account_id FROM x -- all\n;")
        assert found.execute().account_id.tolist() == ["a"]
        with pytest.raises(NotAvailable, match="surveys is missing"):
            tables.sql("SELECT account_id FROM surveys")
        with pytest.raises(InputError, match="foo"):
            tables.sql("SELECT foo FROM accounts")


def test_the_ledger_gives_tables(workspace, tmp_path):
    (tmp_path / "reports").mkdir()
    ledger = sqlite3.connect(tmp_path / "reports" / "ledger.sqlite")
    ledger.executescript(
        """CREATE TABLE report_runs (seq INTEGER PRIMARY KEY, recorded_at TEXT, edition TEXT,
        revision INTEGER, started_at TEXT, finished_at TEXT, status TEXT);
        INSERT INTO report_runs VALUES
          (1, '', 'monthly/2024-01', 1, '2024-02-01 06:00:00', NULL, 'running'),
          (2, '', 'monthly/2024-01', 1, '2024-02-01 06:00:00', '2024-02-01 23:30:00', 'ok'),
          (3, '', 'monthly/2024-02', 1, '2024-03-01 06:00:00', NULL, 'running');"""
    )
    ledger.close()
    settings = workspace({"accounts.csv": ACCOUNTS})
    columns = ("edition", "revision", "started_at", "finished_at", "status", "stages")
    found = read(settings, "report_runs", *columns, as_of=date(2024, 2, 1))
    started = datetime(2024, 2, 1, 7)  # noqa: DTZ001 (local)
    assert found == [("monthly/2024-01", 1, started, None, "ok", None)]
    with Tables(settings) as tables:
        assert tables.names() == ["accounts", "report_runs"]
        assert tables.origin("report_runs") == "ledger"
        assert tables.uncast("report_runs") == ()
        assert tables.observed_from("report_runs") is None
        assert tables.fingerprint("report_runs")
        assert tables.raw("report_runs").count().execute() == 2


def test_a_broken_source_is_no_missing_table(workspace):
    top = {"data": {"sources": {"files": {"path": "data"}, "gone": {"path": "gone"}}}}
    settings = workspace({"accounts.csv": ACCOUNTS}, top=top)
    with Tables(settings) as tables, pytest.raises(ConfigError, match=r'gone\.path: no folder "go'):
        tables.names()


@pytest.mark.slow
def test_ten_million_events_stay_out_of_pandas(workspace, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    con = ibis.duckdb.connect()
    con.raw_sql(
        f"""-- a day has 86,400 events
        COPY (SELECT (i % 50000)::VARCHAR AS account_id, TIMESTAMP '2024-01-01' +
        INTERVAL (i) SECOND AS occurred_at, 'f' || (i % 20) AS feature FROM range(10_000_000) t(i))
        TO '{tmp_path}/data/usage_events.parquet'"""  # noqa: S608
    )
    con.disconnect()
    monkeypatch.setattr("pandas.DataFrame.__init__", None)
    settings = workspace()
    assert faults(settings) == []
    with Tables(settings, as_of=date(2024, 3, 31)) as tables:
        events = tables.table("usage_events")
        users = events.group_by("account_id").agg(n=events.count())
        total = users.aggregate(accounts=users.count(), n=users.n.sum())
        found = tables.engine.to_pyarrow(total).to_pylist()
    assert found == [{"accounts": 50_000, "n": 91 * 86_400}]


def test_own_sql_may_ask_a_source_for_its_own_files(workspace):
    files = {"accounts.csv": ACCOUNTS, "churned.csv": "who\na\n"}
    with Tables(workspace(files), as_of=date(2023, 1, 1)) as tables:
        query = "SELECT account_id FROM accounts ANTI JOIN churned ON who = account_id;"
        assert tables.sql(query, source="files").execute().account_id.tolist() == ["b"]
        with pytest.raises(InputError, match="nothing"):
            tables.sql("SELECT * FROM nothing", source="files")
