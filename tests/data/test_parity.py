"""The same rows in DuckDB, PostgreSQL and Spark give the same roll-ups and the same checks."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from csa import settings
from csa.data import cache
from csa.data.quality import check_tables
from csa.data.rollups import ROLLUPS
from csa.data.sources import Tables

AS_OF = date(2024, 4, 30)
ZONE = "Pacific/Auckland"  # daylight saving ends on 7 April 2024, local dates are those of tomorrow
EDGES = (
    *(date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 31)),
    *(date(2024, 4, 1), date(2024, 4, 29), date(2024, 4, 30), date(2023, 12, 31)),
)
EVENINGS = (
    datetime(2024, 2, 28, 10, 59, 59, tzinfo=UTC),  # one second before the leap day in Auckland
    datetime(2024, 2, 28, 11, tzinfo=UTC),
    datetime(2024, 4, 6, 14, 30, tzinfo=UTC),  # half past two, which comes twice that night
    datetime(2024, 4, 6, 13, 30, tzinfo=UTC),
    datetime(2024, 4, 30, 11, 59, tzinfo=UTC),
    datetime(2024, 4, 30, 12, tzinfo=UTC),  # the first of May, not known yet
)
ACCOUNTS = [f"a{n}" for n in range(40)]
CODES = (None, "EUR", "usd", "USD", "GBP")
RATES = {
    "GBP": "1.17",
    "USD": {
        date(2021, 1, 1): "0.92345678",
        date(2024, 2, 29): "0.9",
        date(2024, 4, 1): "1.00000001",
    },
}
DEFINED = {"discounts": "list", "churn_at": "cancel"}
AS_DEFINED = ("account_months", "contract_rows")  # what reads the definitions
_MONEY = pa.decimal128(18, 4)
_INSTANT = pa.timestamp("us", tz="UTC")


def subscriptions(rng):
    def one(number):
        start = rng.choice(EDGES) - timedelta(days=rng.choice((0, 0, 1, 30, 365, 700)))
        end = start + timedelta(days=rng.choice((0, 1, 29, 30, 31, 90, 366)))
        return {
            "subscription_id": f"s{number}",
            "account_id": rng.choice(ACCOUNTS),
            "start_on": start,
            "end_on": rng.choice((None, end, end)),
            "mrr": rng.choice((None, *map(Decimal, ("0", "9.995", "10", "166.6667", "0.0049")))),
            "end_reason": rng.choice((None, "voluntary", "involuntary", "merged")),
            "billing_months": rng.choice((None, 1, 12)),
            "seats": rng.choice((None, 0, 1, 12)),
            "renews_on": rng.choice((None, end)),
            "list_mrr": rng.choice((None, *map(Decimal, ("12.5", "200")))),
            "currency": rng.choice(CODES),
            "cancelled_on": rng.choice((None, end - timedelta(days=rng.choice((0, 10, 40))))),
        }

    kinds = (pa.string(), pa.string(), pa.date32(), pa.date32(), _MONEY, pa.string(), pa.int32())
    kinds += (pa.int64(), pa.date32(), _MONEY, pa.string(), pa.date32())
    return table([one(n) for n in range(300)], kinds)


def transactions(rng):
    amounts = (None, *map(Decimal, ("10", "-10", "0", "9.995", "-4.25", "12.3456", "0.0001")))

    def one(number):
        return {
            "transaction_id": f"t{number}",
            "account_id": rng.choice([*ACCOUNTS, None]),
            "occurred_at": rng.choice(EVENINGS) - timedelta(days=rng.choice((0, 1, 30, 60))),
            "amount": rng.choice(amounts),
            "currency": rng.choice(CODES),
        }

    kinds = (pa.string(), pa.string(), _INSTANT, _MONEY, pa.string())
    return table([one(n) for n in range(400)], kinds)


def usage_events(rng):
    def one():
        return {
            "account_id": rng.choice(ACCOUNTS),
            "user_id": rng.choice(("u1", "u2", None)),
            "occurred_at": rng.choice(EVENINGS) - timedelta(days=rng.choice((0, 1, 27, 28))),
            "feature": rng.choice(("search", "export", "naïve 'quoted'", None)),
            "seconds": rng.choice((None, 0.0, 1.5, 60.25)),
            "session_id": rng.choice(("x", "y", None)),
        }

    kinds = (pa.string(), pa.string(), _INSTANT, pa.string(), pa.float64(), pa.string())
    return table([one() for _ in range(600)], kinds)


def opportunities(rng):
    def one(number):
        opened = rng.choice(EDGES) - timedelta(days=rng.choice((0, 1, 60)))
        return {
            "opportunity_id": f"o{number}",
            "account_id": rng.choice([*ACCOUNTS, None]),
            "kind": rng.choice(("upsell", "cross_sell", "renewal")),
            "opened_on": opened,
            "closed_on": rng.choice((None, opened, opened + timedelta(days=31))),
            "stage": rng.choice(("won", "lost", "talks", None)),
            "mrr": rng.choice((None, *map(Decimal, ("0", "9.995", "-3.5", "100")))),
        }

    kinds = (*3 * (pa.string(),), pa.date32(), pa.date32(), pa.string(), _MONEY)
    return table([one(n) for n in range(120)], kinds)


def accounts(_):
    rows = [
        {
            "account_id": name,
            "segment": (None, "small", "large")[n % 3],
            "signed_up_on": EDGES[n % len(EDGES)] - timedelta(days=800),
        }
        for n, name in enumerate(ACCOUNTS)
    ]
    return table(rows, (pa.string(), pa.string(), pa.date32()))


def table(rows, kinds):
    names = list(rows[0])
    return pa.table(
        {n: pa.array([r[n] for r in rows], k) for n, k in zip(names, kinds, strict=True)}
    )


@pytest.fixture(scope="module")
def company():
    makers = (accounts, subscriptions, transactions, usage_events, opportunities)
    return {make.__name__: make(random.Random(7)) for make in makers}  # noqa: S311


def rolled_up(source, root):
    """Return every roll-up of a workspace, and what the quality gate found."""
    raw = {
        "name": "Test",
        "currency": "EUR",
        "timezone": ZONE,
        "rates": RATES,
        "data": {
            "sources": {"warehouse": source},
            "not_churn": ["merged"],
            "tables": {
                "accounts": {"observed_from": "always"},
                "subscriptions": {"observed_from": date(2023, 1, 1)},
            },
        },
    }
    configured = settings.from_mapping(raw, root=root)
    with Tables(configured, AS_OF) as tables:
        found = {name: rows_of(tables, name, root) for name in ROLLUPS}
        report = check_tables(tables, configured, as_of=AS_OF)
    with Tables(settings.from_mapping(raw | {"definitions": DEFINED}, root=root), AS_OF) as tables:
        found |= {f"{name} as defined": rows_of(tables, name, root) for name in AS_DEFINED}
    return found, sorted((c.table, c.check, c.severity, c.failing) for c in report.checks)


def rows_of(tables, name, root):
    file = cache.materialise(tables, name, root / "made", as_of=AS_OF, grace_days=30)
    rows = pq.read_table(file)
    return rows.sort_by([(c, "ascending") for c in rows.column_names]).to_pylist()


@pytest.fixture(scope="module")
def wanted(company, tmp_path_factory):
    root = tmp_path_factory.mktemp("duckdb")
    con = ibis.duckdb.connect(root / "own.duckdb")
    for name, rows in company.items():
        con.create_table(name, rows)
    con.disconnect()
    return rolled_up({"database": "own.duckdb"}, root)


def same(found, wanted):
    for name, rows in wanted[0].items():
        assert found[0][name] == rows, name
        assert [type(v) for v in found[0][name][0].values()] == [type(v) for v in rows[0].values()]
    assert found[1] == wanted[1]


def test_postgres_gives_what_duckdb_gives(company, wanted, postgres_url, tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_DATABASE_URL", postgres_url)
    con = ibis.connect(postgres_url)
    for name, rows in company.items():
        con.create_table(name, rows)
    con.disconnect()
    same(rolled_up({"url_env": "TEST_DATABASE_URL"}, tmp_path), wanted)


def test_spark_gives_what_duckdb_gives(company, wanted, spark_url, tmp_path, monkeypatch):
    from pyspark.sql import SparkSession  # noqa: PLC0415 (an optional extra)

    monkeypatch.setenv("TEST_DATABASE_URL", spark_url)
    monkeypatch.setattr("csa.data.spark.PART_ROWS", 100)  # so that several parts come back
    session = SparkSession.getActiveSession()
    for name, rows in company.items():
        session.createDataFrame(rows).createOrReplaceTempView(name)
    same(rolled_up({"url_env": "TEST_DATABASE_URL"}, tmp_path), wanted)


def test_local_days_are_those_of_the_stated_zone(wanted):
    """UTC evenings from 11 or 12 o'clock on are tomorrow in Auckland; the last is not known."""
    days = {row["day"] for row in wanted[0]["purchases"]}
    assert {date(2024, 2, 28), date(2024, 2, 29)} <= days
    assert max(days) == AS_OF


def test_rates_by_day_and_definitions_are_at_work(wanted):
    """Else the engines would agree on nothing."""
    months = wanted[0]["account_months"]
    assert {row["month"] for row in months if row["currency_minor"]} >= {
        2024 * 12 + 1,
        2024 * 12 + 3,
    }
    assert any(r["currency_minor"] and r["movement"] == "none" for r in months)
    for name in AS_DEFINED:
        assert wanted[0][f"{name} as defined"] != wanted[0][name]
