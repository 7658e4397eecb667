"""Purchases against a plain oracle that keeps a pile of what each account bought."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import duckdb
import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import stored

from csa.data.purchases import PURCHASES, purchases
from csa.data.rollups import RollupContext
from csa.data.workspace import Workspace
from csa.errors import NotAvailable

SCHEMA = {"account_id": "string", "occurred_at": "timestamp", "amount": "decimal(18,4)"}
ARROW = pa.schema(
    [
        ("account_id", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("amount", pa.decimal128(18, 4)),
    ]
)
AS_OF = date(2024, 12, 31)


@dataclass(frozen=True)
class Row:
    """A row of `transactions`."""

    account_id: str | None
    occurred_at: datetime
    amount: Decimal | None


def row(account, day, amount):
    return Row(account, datetime.fromisoformat(day), Decimal(amount))


@lru_cache
def compiled(ctx):
    return str(ibis.to_sql(purchases(ibis.table(SCHEMA, name="transactions"), ctx), "duckdb"))


@pytest.fixture(scope="module")
def roll():
    """Run the roll-up on DuckDB: one dict per row, sorted."""
    con = duckdb.connect(config={"threads": 1})

    def run(rows, *, as_of=AS_OF, exponent=2):
        columns = {f: [getattr(r, f) for r in rows] for f in SCHEMA}
        con.register("transactions", pa.table(columns, schema=ARROW))
        ctx = RollupContext(as_of=as_of, exponent=exponent)
        return in_order(con.sql(compiled(ctx)).to_arrow_table().to_pylist())

    yield run
    con.close()


def in_order(rows):
    return sorted(rows, key=lambda r: (r["account_id"] or "", r["day"]))


# --- the oracle: a pile per account, from which refunds take the newest first -------------------


def minor(amount, exponent):
    return int((Decimal(amount) * 10**exponent).quantize(Decimal(1), ROUND_HALF_UP))


def by_day(rows, as_of):
    days = defaultdict(lambda: defaultdict(list))
    for r in rows:
        if r.amount is not None and r.occurred_at.date() <= as_of:
            days[r.account_id][r.occurred_at.date()].append(r.amount)
    return days


def netted(pile, day, net):
    """Put a day's money on the pile, or take it from the top; what finds nothing is returned."""
    if net > 0:
        pile.append([day, net])
    owed = max(-net, 0)
    while owed and pile:
        taken = min(owed, pile[-1][1])
        pile[-1][1] -= taken
        owed -= taken
        if not pile[-1][1]:
            pile.pop()
    return owed


def kind_of(r, amounts):
    if r["account_id"] is None:
        return "no account"
    if r["net_minor"] < 0:
        return "refund"
    nothing = r["net_minor"] == 0 and min(amounts) >= 0
    if r["amount_minor"] > 0 or (nothing and sum(amounts) > 0):
        return "purchase"
    return "free" if nothing else "returned"


def oracle_days(account, own, exponent):
    refunding = account is not None and min(min(amounts) for amounts in own.values()) < 0
    pile, made = [], []
    for day, amounts in sorted(own.items()):
        net = minor(sum(amounts), exponent)
        owed = 0 if account is None else netted(pile, day, net)
        made.append(
            {
                "account_id": account,
                "day": day,
                "net_minor": net,
                "refund_minor": minor(-sum(a for a in amounts if a < 0), exponent),
                "unmatched_minor": owed,
                "balance_minor": sum(p[1] for p in pile) if refunding else None,
                "rest_units": int(sum(amounts) * 10**4) - net * 10 ** (4 - exponent),
                "rows": len(amounts),
                "refunds": sum(a < 0 for a in amounts),
            }
        )
    left = dict(map(tuple, pile))
    for r in made:
        r["amount_minor"] = left.get(r["day"], 0)
        r["kind"] = kind_of(r, own[r["day"]])
    return [{name: r[name] for name in PURCHASES} for r in made]


def oracle(rows, *, as_of=AS_OF, exponent=2):
    accounts = by_day(rows, as_of).items()
    return in_order(r for account, own in accounts for r in oracle_days(account, own, exponent))


AMOUNTS = st.sampled_from(
    ["0", "10", "10", "25.5", "0.0049", "9.995", "-10", "-4.25", "-25.5", "-100", "-0.005"]
)


@st.composite
def histories(draw):
    rows = []
    for _ in range(draw(st.integers(0, 25))):
        account = draw(st.sampled_from(["a", "a", "b", "c", None]))
        at = datetime(2024, 1, 1) + timedelta(hours=draw(st.integers(0, 240)))  # noqa: DTZ001
        amount = draw(st.one_of(AMOUNTS, st.none() if draw(st.booleans()) else AMOUNTS))
        rows.append(Row(account, at, None if amount is None else Decimal(amount)))
    return rows


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(histories(), st.sampled_from([0, 2, 3, 4]), st.sampled_from([AS_OF, date(2024, 1, 6)]))
def test_purchases_equal_a_pile_per_account(roll, rows, exponent, as_of):
    made = roll(rows, exponent=exponent, as_of=as_of)
    assert made == oracle(rows, exponent=exponent, as_of=as_of)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(histories(), st.sampled_from([0, 2, 4]))
def test_purchases_reconcile_to_the_last_digit(roll, rows, exponent):
    """Net money, what was lost in rounding, and refunds without a purchase leave nothing over."""
    made = roll(rows, exponent=exponent)
    raw = sum(int(r.amount * 10**4) for r in rows if r.amount is not None)
    step = 10 ** (4 - exponent)
    assert sum(r["net_minor"] * step + r["rest_units"] for r in made) == raw
    assert sum(r["rows"] for r in made) == sum(r.amount is not None for r in rows)
    named = [r for r in made if r["account_id"] is not None]
    kept = sum(r["amount_minor"] for r in named)
    assert kept == sum(r["net_minor"] + r["unmatched_minor"] for r in named)


def kinds(made):
    return [(str(r["day"])[5:], r["kind"], r["amount_minor"]) for r in made]


def test_purchases_of_a_crowd_equal_the_oracle(roll):
    assert roll(crowd()) == oracle(crowd())


def test_purchases_take_refunds_from_the_latest_earlier_purchase(roll):
    rows = [
        row("a", "2024-01-01", "100"),
        row("a", "2024-01-05", "30"),
        row("a", "2024-01-09", "-40"),
        row("a", "2024-01-12", "20"),
    ]
    assert kinds(roll(rows)) == [
        ("01-01", "purchase", 9000),
        ("01-05", "returned", 0),
        ("01-09", "refund", 0),
        ("01-12", "purchase", 2000),
    ]


def test_purchases_merge_a_day_before_anything_is_netted(roll):
    rows = [row("a", "2024-01-01T09:00", "-30"), row("a", "2024-01-01T23:59:59", "50")]
    (one,) = roll(rows)
    assert (one["kind"], one["amount_minor"], one["unmatched_minor"]) == ("purchase", 2000, 0)


def test_purchases_count_refunds_without_an_earlier_purchase(roll):
    rows = [
        row("a", "2024-01-01", "-30"),
        row("a", "2024-01-02", "10"),
        row("a", "2024-01-03", "-25"),
    ]
    made = roll(rows)
    assert kinds(made) == [
        ("01-01", "refund", 0),
        ("01-02", "returned", 0),
        ("01-03", "refund", 0),
    ]
    assert [r["unmatched_minor"] for r in made] == [3000, 0, 1500]


def test_purchases_tell_free_orders_from_days_that_cancel_out(roll):
    rows = [row("a", "2024-01-01", "0"), row("b", "2024-01-01", "5"), row("b", "2024-01-01", "-5")]
    assert [kind for _, kind, _ in kinds(roll(rows))] == ["free", "returned"]


def test_purchases_know_nothing_after_as_of(roll):
    rows = [row("a", "2024-01-01", "100"), row("a", "2024-02-01", "-100")]
    assert kinds(roll(rows, as_of=date(2024, 1, 31))) == [("01-01", "purchase", 10000)]


def test_purchases_are_the_same_on_postgresql(postgres_url, roll):
    backend = ibis.connect(postgres_url)
    rows = crowd()
    columns = {f: [getattr(r, f) for r in rows] for f in SCHEMA}
    table = backend.create_table("transactions", pa.table(columns, schema=ARROW))
    ctx = RollupContext(as_of=AS_OF)
    made = backend.to_pyarrow(purchases(table, ctx)).to_pylist()
    backend.disconnect()
    assert in_order(made) == roll(rows) == oracle(rows)


def crowd():
    amounts = ["10", "0", "25.5", "9.995", "-10", "-4.25", "-30", None, "12.3456"]
    rows = []
    for n in range(400):
        at = datetime(2024, 1, 1) + timedelta(hours=(n * 37) % 900)  # noqa: DTZ001
        amount = amounts[(n * n + n // 7) % len(amounts)]
        account = None if n % 31 == 0 else f"a{n * 7 % 23}"
        rows.append(Row(account, at, None if amount is None else Decimal(amount)))
    return rows


# --- in a workspace -----------------------------------------------------------------------------

TRANSACTIONS = """transaction_id,account_id,occurred_at,amount,currency
1,a,2024-01-01T23:30:00Z,10,EUR
2,a,2024-01-02T08:00:00Z,5,USD
3,b,2024-01-03T08:00:00Z,7,EUR
4,b,2024-01-09T08:00:00Z,-7,EUR
"""
ACCOUNTS = """account_id,segment,signed_up_on
a,North,2024-01-01
b,South,2024-01-01
"""


def opened(workspace, files, *, segment="all", **top):
    made = workspace(files, top={"rates": {"USD": "0.5"}, **top})
    return Workspace(made, as_of=date(2024, 1, 31), segment=segment)


@pytest.mark.slow
def test_workspace_purchases_are_local_days_in_one_currency(workspace):
    """23:30 in Greenwich is the next day in Berlin, and merges with it; two dollars are a euro."""
    here = opened(workspace, {"transactions.csv": TRANSACTIONS, "accounts.csv": ACCOUNTS})
    rows = here.purchases().order_by("account_id", "day").to_pyarrow().to_pylist()
    told = [(r["account_id"], str(r["day"]), r["kind"], r["amount_minor"]) for r in rows]
    assert told == [
        ("a", "2024-01-02", "purchase", 1250),
        ("b", "2024-01-03", "returned", 0),
        ("b", "2024-01-09", "refund", 0),
    ]
    assert [r["group"] for r in rows] == ["North", "South", "South"]


@pytest.mark.slow
def test_workspace_purchases_are_limited_to_a_segment(workspace):
    files = {"transactions.csv": TRANSACTIONS, "accounts.csv": ACCOUNTS}
    here = opened(workspace, files, segment="North")
    assert set(here.purchases().to_pyarrow()["account_id"].to_pylist()) == {"a"}


def test_workspace_purchases_need_no_accounts(workspace):
    here = opened(workspace, {"transactions.csv": TRANSACTIONS})
    assert set(here.purchases().to_pyarrow()["group"].to_pylist()) == {"not stated"}


def test_workspace_purchases_without_transactions_say_what_to_add(workspace):
    here = opened(workspace, {"accounts.csv": ACCOUNTS})
    with pytest.raises(NotAvailable, match=r"transactions\.csv"):
        here.purchases()


# --- UCI Online Retail, line by line ------------------------------------------------------------


@pytest.mark.slow
def test_purchases_of_online_retail_reconcile_with_the_raw_lines():
    """All 541,909 lines of UCI data set 352, of them 9,288 cancellations and 135,080 nameless.

    The raw totals come from the file by plain SQL; 8,905 cancellations name a customer.
    """
    file = stored("CSA_DATA", "online_retail", "online_retail_2010_2011.csv.gz")
    con = ibis.duckdb.connect(threads=1)
    raw = con.sql(
        f"""SELECT CAST(CustomerID AS VARCHAR) AS account_id,
        CAST(InvoiceDate AS TIMESTAMP) AS occurred_at, InvoiceNo AS invoice,
        CAST(CAST(Quantity AS DECIMAL(9, 0)) * CAST(UnitPrice AS DECIMAL(9, 4)) AS DECIMAL(18, 4))
          AS amount
        FROM read_csv('{file}', types={{'InvoiceNo': 'VARCHAR'}}, nullstr=['', 'NA'])"""  # noqa: S608
    ).cache()
    total = raw.amount.sum().execute()
    cancelled = raw.invoice.startswith("C")
    asked = raw.agg(
        cancelled=cancelled.sum(),
        named=(cancelled & raw.account_id.notnull()).sum(),
        nameless=raw.account_id.isnull().sum(),
    ).to_pyarrow().to_pylist()[0]  # fmt: skip
    assert asked == {"cancelled": 9288, "named": 8905, "nameless": 135_080}

    days = con.create_table("days", purchases(raw, RollupContext(as_of=date(2011, 12, 9))))
    sums = {
        kind: days.filter(days.kind == kind)
        for kind in ("purchase", "free", "returned", "refund", "no account")
    }
    assert days.rows.sum().execute() == 541_909
    assert sums["no account"].rows.sum().execute() == 135_080
    made = days.mutate(units=days.net_minor * 100 + days.rest_units)
    assert Decimal(made.units.sum().execute()) / 10**4 == total
    named = days.filter(days.account_id.notnull())
    assert named.refunds.sum().execute() == 8905
    kept, net, unmatched = named.agg(
        a=named.amount_minor.sum(), b=named.net_minor.sum(), c=named.unmatched_minor.sum()
    ).to_pyarrow().to_pylist()[0].values()  # fmt: skip
    assert kept == net + unmatched
    assert unmatched > 0
