"""Summaries of purchases against a plain oracle, published counts and real refunds."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import stored

from csa.analysis.clv.netting import netting
from csa.analysis.clv.rfm import rfm
from csa.data.purchases import purchases
from csa.data.rollups import RollupContext
from csa.errors import InputError

REFERENCE = Path(__file__).parent.parent / "reference"
AS_OF, END = date(2024, 3, 31), date(2024, 2, 15)
SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("amount", pa.decimal128(18, 4)),
    ]
)


def rolled(rows, as_of=AS_OF):
    columns = list(zip(*rows, strict=True)) or [[], [], []]
    table = ibis.memtable(pa.table([list(c) for c in columns], schema=SCHEMA))
    return purchases(table, RollupContext(as_of=as_of))


def bought(account, day, amount):
    return (account, datetime.fromisoformat(day), Decimal(str(amount)))


# --- the oracle ----------------------------------------------------------------------------------


def kept(own, until):
    """Money left of each day of one account, as known on a day: {day: cents}."""
    pile = []
    for day, cents, free in sorted(own):
        if day > until:
            break
        if cents > 0 or free:
            pile.append([day, cents])
        owed = max(-cents, 0)
        for layer in reversed(pile):
            taken = min(owed, layer[1])
            layer[1] -= taken
            owed -= taken
        pile = [layer for layer in pile if layer[1] or (layer[0], 0, True) in own]
    return dict(map(tuple, pile))


def oracle(rows, end, as_of):
    days = defaultdict(lambda: defaultdict(list))
    for account, at, amount in rows:
        if at.date() <= as_of:
            days[account][at.date()].append(int(amount * 100))
    out = {}
    for account, own in days.items():
        netted = [(d, sum(cents), set(cents) == {0}) for d, cents in own.items()]
        then, now = kept(netted, end), kept(netted, as_of)
        if then:
            first, last, x = min(then), max(then), len(then) - 1
            later = {d: cents for d, cents in now.items() if d > end}
            mean = (sum(then.values()) - then[first]) / x if x else None
            told = (x, (last - first).days / 7, (end - first).days / 7, mean)
            out[account] = (*told, len(later), sum(later.values()))
    return out


COLUMNS = ["frequency", "recency", "age", "mean_minor", "holdout_frequency", "holdout_minor"]


def told(result):
    rows = result.customers.to_pyarrow().to_pylist()
    return {r["account_id"]: tuple(r[name] for name in COLUMNS) for r in rows}


@st.composite
def logs(draw):
    amounts = st.sampled_from([10, 10, 25.5, 0, -10, -4, -30, -200])
    rows = []
    for _ in range(draw(st.integers(1, 30))):
        at = datetime(2024, 1, 1) + timedelta(hours=draw(st.integers(0, 2150)))  # noqa: DTZ001
        amount = Decimal(str(draw(amounts)))
        rows.append((draw(st.sampled_from("aabc")), at, amount))
    return rows


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(logs())
def test_rfm_equals_a_pile_per_account(rows):
    made = told(rfm(rolled(rows), as_of=AS_OF, calibration_end=END))
    expected = oracle(rows, END, AS_OF)
    assert made.keys() == expected.keys()
    for account, figures in expected.items():
        assert (made[account][3] is None) == (figures[3] is None)
        numbers = [[value or 0 for value in row] for row in (made[account], figures)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-12)


def test_rfm_counts_repeat_days_and_leaves_the_first_out_of_the_mean():
    rows = [
        bought("a", "2024-01-01", 100),
        bought("a", "2024-01-08", 20),
        bought("a", "2024-01-08", 10),
        bought("a", "2024-01-15", 40),
        bought("a", "2024-02-20", 7),
        bought("b", "2024-02-20", 5),
    ]
    made = rfm(rolled(rows), as_of=AS_OF, calibration_end=END)
    assert told(made) == {"a": (2, 2.0, 45 / 7, 3500.0, 1, 700)}
    assert made.newcomers.to_dict("records") == [{"customers": 1, "purchases": 1, "minor": 500}]
    assert made.horizon == pytest.approx(45 / 7)


@pytest.mark.slow
def test_rfm_calibration_does_not_know_refunds_of_the_holdout():
    before = [bought("a", "2024-01-01", 100), bought("a", "2024-01-20", 60)]
    later = [*before, bought("a", "2024-03-01", -160), bought("a", "2024-03-05", 9)]
    made = told(rfm(rolled(later), as_of=AS_OF, calibration_end=END))
    assert made == {"a": (1, 19 / 7, 45 / 7, 6000.0, 1, 900)}
    assert made["a"][:4] == told(rfm(rolled(before), as_of=AS_OF, calibration_end=END))["a"][:4]


@pytest.mark.slow
def test_rfm_as_of_an_earlier_day_forgets_what_came_later():
    rows = [bought("a", "2024-01-01", 100), bought("a", "2024-03-01", -100)]
    now = rfm(rolled(rows), as_of=AS_OF)
    then = rfm(rolled(rows), as_of=END)
    assert (len(now.table), then.table["weight"].tolist()) == (0, [1])


@pytest.mark.parametrize("unit_days", [1.0, 7.0, 1 / 24, 365.25 / 12])
@pytest.mark.slow
def test_rfm_in_any_unit_says_the_same(unit_days):
    rows = [
        bought("a", "2024-01-01", 1),
        bought("a", "2024-01-20", 1),
        bought("b", "2024-01-03", 1),
    ]
    made = rfm(rolled(rows), as_of=AS_OF, unit_days=unit_days).counts
    assert made.unit_days == unit_days
    assert made.recency * unit_days == pytest.approx([0, 19])
    assert made.age * unit_days == pytest.approx([88, 90])


def test_rfm_by_group_adds_up_to_the_whole():
    rows = rolled([bought(f"a{n}", f"2024-01-{n + 1:02}", 5) for n in range(20)])
    rows = rows.mutate(group=ibis.ifelse(rows.account_id < "a15", "low", "high"))
    made = rfm(rows, as_of=AS_OF, by=["group"])
    parts = [made.counts_of(part).n for _, part in made.table.groupby("group")]
    assert sum(parts) == made.counts.n == 20
    assert len(parts) == 2


def test_rfm_figures_are_wide_enough_to_be_multiplied():
    """DuckDB keeps a product of 32 bits and a decimal literal in 18 digits, which overflows."""
    rows = [bought("a", f"2024-01-{n + 1:02}", 1) for n in range(31)]
    customers = rfm(rolled(rows), as_of=AS_OF, calibration_end=END).customers
    for name in ("frequency", "recent_frequency", "holdout_frequency"):
        assert customers[name].type().is_int64()
    product = customers.select(p=customers.frequency * 0.98765432109876543).to_pyarrow()
    assert product["p"].to_pylist() == [pytest.approx(30 * 0.98765432109876543)]


def test_rfm_takes_a_frame_of_days():
    frame = pd.DataFrame(
        {
            "account_id": ["a", "a"],
            "day": pd.to_datetime(["2024-01-01", "2024-01-08"]),
            "amount_minor": [100, 300],
        }
    )
    assert rfm(frame, as_of=AS_OF).table["recency_days"].tolist() == [7]


@pytest.mark.slow
def test_rfm_of_nothing_is_empty_and_says_so():
    made = rfm(rolled([]), as_of=AS_OF, calibration_end=END)
    assert (len(made.counts), len(made.spend)) == (0, 0)
    assert made.notes == ("no account has bought anything yet",)


def test_rfm_of_one_customer_without_money():
    made = rfm(rolled([bought("a", "2024-01-01", 0), bought("a", "2024-01-02", 0)]), as_of=AS_OF)
    assert made.spend[["frequency", "mean_minor"]].to_numpy().tolist() == [[1, 0.0]]


def test_rfm_names_all_faults_at_once():
    with pytest.raises(InputError) as caught:
        rfm(pd.DataFrame({"day": []}), as_of=END, calibration_end=AS_OF, unit_days=0)
    assert len(caught.value.faults) == 4


@pytest.mark.slow
def test_rfm_says_that_a_log_was_cut_off():
    old = [bought(f"old{n}", f"2024-01-{n % 28 + 1:02}", 5) for n in range(90)]
    new = [bought(f"new{n}", f"2024-0{n % 2 + 2}-{n % 28 + 1:02}", 5) for n in range(40)]
    (note,) = rfm(rolled(old + new), as_of=AS_OF).notes
    assert "older customers" in note
    assert rfm(rolled(old), as_of=AS_OF).notes == ()  # a cohort


# --- real data -----------------------------------------------------------------------------------


def cdnow():
    names = ["account_id", "day", "discs", "amount"]
    file = stored("CSA_DATA", "cdnow", "CDNOW_master.txt")
    text = {"account_id": "string", "day": "string"}
    frame = pd.read_csv(file, sep=r"\s+", skiprows=1, names=names, dtype=text)
    at = pd.to_datetime(frame["day"], format="%Y%m%d")
    amounts = [Decimal(f"{a:.2f}") for a in frame["amount"]]
    return pa.table([frame["account_id"], at, amounts], schema=SCHEMA)


@pytest.mark.slow
def test_rfm_of_cdnow_gives_the_published_counts():
    """Fader and Hardie: 23,570 customers, 24,337 repeat days to 1997-09-30, 19,684 after."""
    rows = purchases(ibis.memtable(cdnow()), RollupContext(as_of=date(1998, 6, 30)))
    made = rfm(rows, as_of=date(1998, 6, 30), calibration_end=date(1997, 9, 30))
    counts, later = made.counts, made.customers.holdout_frequency.sum().execute()
    assert (counts.n, counts.events, later) == (23_570, 24_337, 19_684)
    assert len(counts) == 8_685
    assert made.horizon == 39
    assert made.newcomers["customers"].item() == 0
    assert made.notes == ()  # one cohort, complete
    sums = netting(rows)
    assert (sums.rows, sums.before_minor, sums.refunds) == (69_659, 250_031_563, 0)
    assert (sums.after_minor, sums.free_days) == (250_031_563, 80)


@pytest.mark.slow
def test_rfm_of_the_cdnow_sample_is_the_published_one():
    """2,357 customers, 2,457 repeat days, 1,411 without; 1,882 in the holdout, row by row."""
    known = pd.read_csv(REFERENCE / "cdnow_sample_rfm.csv")
    assert known["customers"].sum() == 2357
    rows = purchases(ibis.memtable(cdnow()), RollupContext(as_of=date(1998, 6, 30)))
    made = rfm(rows, as_of=date(1998, 6, 30), calibration_end=date(1997, 9, 30))
    whole = made.table.rename(columns={"frequency": "x", "recency_days": "t_x", "age_days": "T"})
    both = known.merge(whole, on=["x", "t_x", "T"], how="left")
    assert (both["weight"] >= both["customers"]).all()  # each of them is among the 23,570


@pytest.mark.slow
def test_rfm_of_online_retail_states_revenue_before_and_after_returns():
    """UCI 352, invoices per customer: totals by plain SQL on the raw file."""
    file = stored("CSA_DATA", "online_retail", "online_retail_2010_2011.csv.gz")
    con = ibis.duckdb.connect(threads=1)
    con.raw_sql("SET TimeZone = 'UTC'")
    lines = con.sql(
        f"""SELECT InvoiceNo, CAST(CustomerID AS VARCHAR) AS account_id,
        CAST(min(InvoiceDate) AS TIMESTAMP) AS occurred_at, sum(CAST(Quantity AS DECIMAL(9, 0))
        * CAST(UnitPrice AS DECIMAL(9, 4)))::DECIMAL(18, 4) AS amount
        FROM read_csv('{file}', types={{'InvoiceNo': 'VARCHAR'}}, nullstr=['', 'NA'])
        WHERE CustomerID IS NOT NULL GROUP BY ALL"""  # noqa: S608
    ).cache()
    bills = lines.filter(lines.amount > 0).amount.sum().execute()
    backs = -lines.filter(lines.amount < 0).amount.sum().execute()
    rows = con.create_table("days", purchases(lines, RollupContext(as_of=date(2011, 12, 9))))
    sums = netting(rows)
    rest = rows.rest_units.sum().execute()
    assert Decimal(int(sums.net_minor * 100 + rest)) / 10**4 == bills - backs
    assert sums.before_minor - sums.refunds_minor == sums.net_minor
    assert sums.after_minor == sums.net_minor + sums.unmatched_minor
    assert sums.refunds == lines.filter(lines.amount < 0).count().execute()
    made = rfm(rows, as_of=date(2011, 12, 9), calibration_end=date(2011, 9, 10))
    left = made.customers.holdout_minor.sum().execute() + made.newcomers["minor"].item()
    assert 0 < left < sums.after_minor
    assert "older customers" in made.notes[0]
    assert np.isfinite(made.counts.events)
