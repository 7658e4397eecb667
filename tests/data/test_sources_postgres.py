"""Tables from a database: PostgreSQL gives what files give."""

from datetime import date, datetime
from decimal import Decimal

import ibis
import pandas as pd
import pytest

from csa import settings
from csa.data.sources import Tables, faults
from csa.errors import ConfigError

BASE = {
    "name": "Test",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "data": {"sources": {"warehouse": {"url_env": "TEST_DATABASE_URL"}}},
}


def workspace(tmp_path, **data):
    raw = BASE | {"data": BASE["data"] | data}
    return settings.from_mapping(raw, root=tmp_path)


@pytest.fixture
def database(postgres_url, monkeypatch):
    """Connect to an empty database whose URL is in TEST_DATABASE_URL."""
    monkeypatch.setenv("TEST_DATABASE_URL", postgres_url)
    con = ibis.connect(postgres_url)
    yield con
    con.disconnect()


def test_typed_tables_are_read_where_they_are(database, tmp_path):
    database.raw_sql(
        """
        CREATE TABLE accounts (account_id integer, signed_up_on date, "Segment" text, seats int);
        INSERT INTO accounts VALUES (1, '2024-01-05', 'small', 3), (2, '2024-03-01', '', NULL);
        CREATE TABLE usage_events (account_id int, occurred_at timestamptz, quantity numeric);
        INSERT INTO usage_events VALUES (1, '2024-01-31 23:30:00+00', 2), (1, '2024-02-05Z', 1);
        """
    ).close()
    where = workspace(tmp_path)
    assert faults(where) == []
    with Tables(where, as_of=date(2024, 2, 1)) as tables:
        assert tables.names() == ["accounts", "usage_events"]
        accounts = tables.table("accounts").to_pandas()
        assert accounts.account_id.tolist() == ["1"]
        assert accounts.segment.tolist() == ["small"]
        assert accounts.seats.tolist() == [3]  # a further attribute
        events = tables.table("usage_events").to_pandas()
        assert events.occurred_at.tolist() == [datetime(2024, 2, 1, 0, 30)]  # noqa: DTZ001
        assert tables.origin("accounts") == "warehouse: accounts"
        assert tables.backend("accounts").name == "postgres"
        assert tables.last_day() == date(2024, 2, 1)


def test_query_where_and_schema(database, tmp_path):
    database.raw_sql(
        """
        CREATE SCHEMA crm;
        CREATE TABLE crm.customers (id text, since date, test boolean);
        INSERT INTO crm.customers VALUES ('a', '2024-01-05', false), ('b', '2024-01-06', true);
        CREATE TABLE contracts (id int, customer text, start timestamp, price float8);
        INSERT INTO contracts VALUES (7, 'a', '2024-01-05 10:00', 12.5);
        """
    ).close()
    where = workspace(
        tmp_path,
        tables={
            "accounts": {
                "table": "crm.customers",
                "columns": {"account_id": "id", "signed_up_on": "since"},
                "where": "not test",
            },
            "subscriptions": {
                "query": "select id, customer, start, price * 2 as mrr from contracts;",
                "columns": {
                    "subscription_id": "id",
                    "account_id": "customer",
                    "start_on": "start",
                },
                "observed_from": "always",
            },
        },
    )
    assert faults(where) == []
    with Tables(where) as tables:
        assert tables.table("accounts").account_id.execute().tolist() == ["a"]
        assert tables.table("subscriptions").mrr.execute().tolist() == [Decimal(25)]
        assert tables.origin("subscriptions") == "query on warehouse"
        joined = tables.sql(
            "select a.account_id from accounts a join subscriptions s using (account_id)"
        )
        assert tables.backend("accounts").to_pyarrow(joined).num_rows == 1


# The same texts, read by DuckDB from a CSV and by PostgreSQL from text columns.
TEXTS = {
    "signed_up_on": ["05-01-2024", "31-01-2024", "31-02-2024", "29-02-2024", " 1-3-2024 ", "x"],
    "acquisition_cost": ["1", "2.50", "1e2", "abc", "NA", ""],
    "converted_on": [
        "2024-01-05T23:30:00Z",
        "2024-07-01 23:30+02:00",
        "2024-02-30",
        "2023-02-29",
        "9999-12-31",
        "2024-01-05 25:00",
    ],
    "trial_started_on": ["5/1/24", "31/12/99", "1/1/69", "32/1/24", "1/13/24", "-"],
}


def test_text_is_cast_as_duckdb_casts_it(database, tmp_path, monkeypatch):
    ids = [f"A{i}" for i in range(6)]
    rows = list(zip(ids, *TEXTS.values(), strict=True))
    columns = ["account_id", *TEXTS]
    lines = [",".join(columns), *(",".join(row) for row in rows)]
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "accounts.csv").write_text("\n".join(lines))
    database.create_table("accounts", obj=pd.DataFrame(rows, columns=columns))
    mapping = {
        "columns": {
            "signed_up_on": {"format": "%d-%m-%Y"},
            "trial_started_on": {"format": "%d/%m/%y"},
        }
    }
    read = []
    for sources in ({"files": {"path": "files"}}, {"db": {"url_env": "TEST_DATABASE_URL"}}):
        with Tables(workspace(tmp_path, sources=sources, tables={"accounts": mapping})) as tables:
            table = tables.table("accounts").order_by("account_id")
            frame = tables.backend("accounts").to_pyarrow(table).to_pydict()
            read.append((frame, tables.uncast("accounts")))
    assert read[0] == read[1]
    frame, uncast = read[0]
    assert frame["signed_up_on"][2] is None
    assert frame["converted_on"][:2] == [date(2024, 1, 6), date(2024, 7, 1)]
    assert {u.column: u.failing for u in uncast} == {
        "signed_up_on": 2,
        "acquisition_cost": 1,
        "converted_on": 3,
        "trial_started_on": 2,
    }


def test_own_sql_joins_tables_of_two_sources(database, tmp_path):
    database.raw_sql(
        "CREATE TABLE accounts (account_id text, signed_up_on date);"
        "INSERT INTO accounts VALUES ('a', '2024-01-05'), ('b', '2024-01-05')"
    ).close()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "features.csv").write_text("feature\na\n")
    sources = BASE["data"]["sources"] | {"files": {"path": "files"}}
    with Tables(workspace(tmp_path, sources=sources)) as tables:
        found = tables.sql("select account_id from accounts, features where feature = account_id")
        assert tables.engine.to_pyarrow(found).to_pylist() == [{"account_id": "a"}]


def test_fingerprint_follows_the_rows(database, tmp_path):
    database.raw_sql(
        "CREATE TABLE features (feature text, launched_on date);"
        "INSERT INTO features VALUES ('a', '2024-01-05')"
    ).close()

    def fingerprint():
        with Tables(workspace(tmp_path), as_of=date(2023, 1, 1)) as tables:
            return tables.fingerprint("features")

    before = fingerprint()
    assert fingerprint() == before
    database.raw_sql("INSERT INTO features VALUES ('b', '2024-01-06')").close()
    assert fingerprint() != before


def test_password_is_in_no_message(postgres_url, tmp_path, monkeypatch):
    where = workspace(tmp_path)
    password = postgres_url.split("@")[0].split(":")[-1]
    monkeypatch.setenv("TEST_DATABASE_URL", postgres_url.replace(password, "s3cret%2Fpass"))
    (line,) = faults(where)
    assert line.startswith("csa.yml: data.sources.warehouse.url_env: postgresql://127.0.0.1:")
    assert "cannot be reached" in line
    for secret in ("s3cret", "pass", "csa:"):
        assert secret not in line.replace("password", "").replace("csa.yml:", "")
    assert "s3cret" not in repr(where)
    with Tables(where) as tables, pytest.raises(ConfigError) as caught:
        tables.names()
    assert "s3cret" not in str(caught.value)
    monkeypatch.setenv("TEST_DATABASE_URL", postgres_url)
    with Tables(where) as tables:
        assert password not in repr(tables) + repr(vars(tables))
