"""Recurring revenue in two currencies with rates by day, against a plain, day-by-day oracle."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import pairwise

import duckdb
import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.data.rolled_up import RolledUp
from csa.data.rollups import RollupContext, account_months, contract_rows, spells
from csa.data.sources import Tables

DAY = timedelta(days=1)
FIRST = date(2023, 12, 20)
BUILD = {"spells": spells, "account_months": account_months, "contract_rows": contract_rows}
MONEY = "decimal(18,4)"
SCHEMA = {"account_id": "string", "start_on": "date", "end_on": "date", "mrr": MONEY}
SCHEMA |= {"currency": "string"}
ARROW = pa.schema(
    [
        *(("account_id", pa.string()), ("start_on", pa.date32()), ("end_on", pa.date32())),
        *(("mrr", pa.decimal128(18, 4)), ("currency", pa.string())),
    ]
)


@dataclass(frozen=True)
class Row:
    """A row of `subscriptions`, in its own currency."""

    account_id: str
    start_on: date
    end_on: date | None
    mrr: Decimal
    currency: str = "EUR"


@pytest.fixture(scope="module")
def roll():
    """Run a roll-up on DuckDB: one dict per row, sorted."""
    con = duckdb.connect(config={"threads": 1})

    @lru_cache
    def compiled(name, ctx):
        return str(ibis.to_sql(BUILD[name](ibis.table(SCHEMA, name="subscriptions"), ctx)))

    def run(name, rows, ctx):
        columns = {f: [getattr(r, f) for r in rows] for f in SCHEMA}
        con.register("subscriptions", pa.table(columns, schema=ARROW))
        out = con.sql(compiled(name, ctx)).to_arrow_table().to_pylist()
        second = {"spells": "spell", "account_months": "month", "contract_rows": "start_on"}[name]
        return sorted(out, key=lambda r: (r["account_id"], r[second]))

    yield run
    con.close()


# --- the oracle: every single day, in its own currency -------------------------------------------


def daily(rows, ctx):
    """Amounts by currency of one account on each day, gaps within grace filled."""
    paid = defaultdict(lambda: defaultdict(Decimal))
    for r in rows:
        day = r.start_on
        while r.mrr > 0 and day <= ctx.as_of and (r.end_on is None or day < r.end_on):
            paid[day][r.currency] += r.mrr
            day += DAY
    for before, after in list(pairwise(sorted(paid))):
        if 1 < (after - before).days <= ctx.grace_days + 1:
            for step in range(1, (after - before).days):
                paid[before + step * DAY] = paid[before]
    return dict(sorted(paid.items()))


def value(amounts, day, ctx):
    """Value amounts at the rates of a day, rounded once."""
    total = Decimal()
    for code, amount in amounts.items():
        known = [r for d, r in dict(ctx.rates).get(code, ()) if d <= day]
        total += amount * (Decimal(1) if code == "EUR" else known[-1] if known else 0)
    return int((total * 10**ctx.exponent).quantize(Decimal(1), ROUND_HALF_UP))


def month_ends(first, as_of):
    day = first
    while day <= as_of:
        if (day + DAY).month != day.month or day == as_of:
            yield day
        day += DAY


def oracle_months(rows, ctx):
    out = []
    groups = defaultdict(list)
    for r in rows:
        groups[r.account_id].append(r)
    for account, own in sorted(groups.items()):
        paid = daily(own, ctx)
        before, was, ever = {}, 0, False
        day_before = date(2000, 1, 1)
        for day in month_ends(min(paid, default=ctx.as_of), ctx.as_of):
            amounts = paid.get(day, {})
            now = value(amounts, day, ctx)
            both = {c: min(a, before.get(c, 0)) for c, a in amounts.items()}
            currency = value(both, day, ctx) - value(both, day_before, ctx)
            if now or was:
                out.append(
                    {
                        "account_id": account,
                        "month": day.year * 12 + day.month - 1,
                        "mrr_minor": now,
                        "previous_minor": was,
                        "currency_minor": currency,
                        "movement": movement_of(was, now, now - was - currency, ever),
                    }
                )
            before, was, ever, day_before = amounts, now, ever or now > 0, day
    return out


def movement_of(before, now, moved, ever):
    if not moved:
        return "none"
    if not now:
        return "churn"
    if not before:
        return "reactivation" if ever else "new"
    return "expansion" if moved > 0 else "contraction"


DAYS = st.one_of(
    st.integers(0, 430),
    st.sampled_from([11, 12, 42, 43, 70, 71, 72, 102, 103]).map(int),  # month ends, leap day
).map(lambda n: FIRST + n * DAY)
AMOUNTS = st.sampled_from(["0", "9.995", "10", "33.3333", "1200.5"])
# An account that was never worth a minor unit has not paid: left to one value per state.
RATES = st.one_of(
    st.decimals("0.06", "9999999", places=8), st.sampled_from(["0.92", "1", "149.37"])
).map(Decimal)


@st.composite
def histories(draw):
    """Rows of a few accounts in both currencies, overlapping, touching and apart."""
    rows = []
    for n in range(draw(st.integers(0, 6))):
        day = draw(DAYS)
        for _ in range(draw(st.integers(1, 6))):
            length = draw(st.one_of(st.just(1), st.integers(0, 200)))
            end = None if draw(st.integers(0, 5)) == 0 else day + length * DAY
            code = draw(st.sampled_from(["EUR", "USD"]))
            rows.append(Row(f"a{n}", day, end, Decimal(draw(AMOUNTS)), code))
            step = draw(st.sampled_from([0, 1, 7, 29, 30, 31, 60, None]))
            day = draw(DAYS) if step is None or end is None else end + step * DAY
    return draw(st.permutations(rows))


@st.composite
def contexts(draw):
    """Last days, grace, and rates of the dollar from before the first row on."""
    later = draw(st.lists(st.tuples(DAYS, RATES), max_size=5, unique_by=lambda x: x[0]))
    steps = sorted([(FIRST - DAY, draw(RATES)), *later])
    return RollupContext(
        as_of=draw(st.sampled_from([date(2024, 2, 29), date(2024, 7, 31), date(2024, 12, 15)])),
        grace_days=draw(st.sampled_from([0, 1, 30])),
        exponent=draw(st.sampled_from([0, 2, 3, 4])),
        rates=(("USD", tuple(steps)),),
    )


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(histories(), contexts())
def test_account_months_equal_the_daily_oracle(roll, rows, ctx):
    assert roll("account_months", rows, ctx) == oracle_months(rows, ctx)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(histories(), contexts())
def test_previous_movement_and_currency_add_up_to_the_cent(roll, rows, ctx):
    """For every account and month, and in total."""
    months = defaultdict(dict)
    for r in roll("account_months", rows, ctx):
        months[r["account_id"]][r["month"]] = r
    last = ctx.as_of.year * 12 + ctx.as_of.month - 1
    total = 0
    for own in months.values():
        for number, r in own.items():
            assert r["previous_minor"] == own.get(number - 1, {"mrr_minor": 0})["mrr_minor"]
            moved = r["mrr_minor"] - r["previous_minor"] - r["currency_minor"]
            assert (moved == 0) == (r["movement"] == "none")
            total += r["currency_minor"] + moved
    assert total == sum(own[last]["mrr_minor"] for own in months.values() if last in own)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(histories(), contexts(), st.sampled_from(list(BUILD)))
def test_a_rate_of_one_that_never_changes_gives_what_one_currency_gives(roll, rows, ctx, name):
    plain = [Row(**{**vars(r), "currency": "EUR"}) for r in rows]
    one = (("USD", ((FIRST - DAY, Decimal(1)), (date(2024, 3, 1), Decimal(1)))),)
    as_one = RollupContext(
        as_of=ctx.as_of, grace_days=ctx.grace_days, exponent=ctx.exponent, rates=one
    )
    home = RollupContext(as_of=ctx.as_of, grace_days=ctx.grace_days, exponent=ctx.exponent)
    assert roll(name, rows, as_one) == roll(name, plain, home)


# --- by hand -------------------------------------------------------------------------------------

CENTS = RollupContext(
    as_of=date(2024, 4, 30),
    grace_days=0,
    rates=(("USD", ((date(2024, 1, 1), Decimal("0.90")), (date(2024, 3, 31), Decimal("0.80")))),),
)
YEAR = 2024 * 12


def rows_of(*given):
    """Rows of one account from (start, end, amount, currency)."""
    day = date.fromisoformat
    return [Row("a", day(s), day(e) if e else None, Decimal(m), c) for s, e, m, c in given]


def shown(found):
    keys = ("previous_minor", "currency_minor", "mrr_minor", "movement")
    return {r["month"] - YEAR + 1: tuple(r[k] for k in keys) for r in found}


@pytest.mark.slow
def test_an_account_that_changes_nothing_has_only_currency(roll):
    rows = rows_of(("2024-01-15", None, "100", "USD"), ("2024-01-15", None, "50", "EUR"))
    assert shown(roll("account_months", rows, CENTS)) == {
        1: (0, 0, 14_000, "new"),  # at the rate of its month
        2: (14_000, 0, 14_000, "none"),
        3: (14_000, -1000, 13_000, "none"),  # 100 dollars from 90 to 80 euros
        4: (13_000, 0, 13_000, "none"),
    }


@pytest.mark.slow
def test_what_goes_counts_as_before_and_what_comes_as_now(roll):
    """March: 40 of 100 dollars go at 0.90, 60 stay and lose 0.10 each."""
    less = rows_of(("2024-01-15", "2024-03-10", "40", "USD"), ("2024-01-15", None, "60", "USD"))
    assert shown(roll("account_months", less, CENTS))[3] == (9000, -600, 4800, "contraction")
    more = rows_of(("2024-01-15", None, "60", "USD"), ("2024-03-10", None, "40", "USD"))
    assert shown(roll("account_months", more, CENTS))[3] == (5400, -600, 8000, "expansion")
    gone = rows_of(("2024-01-15", "2024-03-10", "40", "USD"))
    assert shown(roll("account_months", gone, CENTS))[3] == (3600, 0, 0, "churn")
    came = rows_of(("2024-03-10", None, "40", "USD"))
    assert shown(roll("account_months", came, CENTS))[3] == (0, 0, 3200, "new")


@pytest.mark.slow
def test_spells_and_contracts_are_valued_on_their_last_day(roll):
    """The last day before 31 March is the 30th; what runs on is valued on the last known day."""
    for end, paid in (("2024-03-31", 9000), ("2024-04-01", 8000), (None, 8000)):
        rows = rows_of(("2024-01-15", end, "100", "USD"))
        for name in ("spells", "contract_rows"):
            (row,) = roll(name, rows, CENTS)
            assert row["mrr_minor"] == paid, (name, end)


@pytest.mark.slow
def test_a_rate_after_the_last_day_is_not_known(roll):
    rows = rows_of(("2024-01-15", None, "100", "USD"))
    early = RollupContext(as_of=date(2024, 3, 30), grace_days=0, rates=CENTS.rates)
    assert shown(roll("account_months", rows, early))[3] == (9000, 0, 9000, "none")
    assert roll("spells", rows, early)[0]["mrr_minor"] == 9000


FILE = """subscription_id,account_id,start_on,end_on,mrr,currency
S1,a,2024-01-15,,100,usd
S2,a,2024-01-15,,50,
S3,b,2024-01-20,2024-04-02,10,GBP
"""


@pytest.mark.slow
def test_rates_of_csa_yml_reach_the_roll_up_and_its_file(workspace):
    """Beside a number for another currency; other rates make another file."""

    def months(dollar):
        made = workspace(
            {"subscriptions.csv": FILE},
            top={"rates": {"USD": dollar, "GBP": "1.2"}},
            subscriptions={"observed_from": "always"},
        )
        rolled = RolledUp(made, as_of=date(2024, 4, 30))
        rows = rolled.rollup("account_months").to_pandas().sort_values(["account_id", "month"])
        return [(r.account_id, r.mrr_minor, r.currency_minor) for r in rows.itertuples()]

    british = [("b", 1200, 0), ("b", 1200, 0), ("b", 1200, 0), ("b", 0, 0)]
    dated = months({"2024-01-01": "0.9", "2024-03-31": "0.8"})
    assert dated[:4] == [("a", 14_000, 0), ("a", 14_000, 0), ("a", 13_000, -1000), ("a", 13_000, 0)]
    assert dated[4:] == british
    assert months({"2024-01-01": "0.9"}) == months("0.9") == [("a", 14_000, 0)] * 4 + british


@pytest.mark.slow
def test_other_tables_read_subscriptions_at_the_rate_of_their_first_day(workspace):
    rates = {"USD": {"2024-01-01": "0.9", "2024-03-31": "0.8"}, "GBP": "1.2"}
    made = workspace({"subscriptions.csv": FILE}, top={"rates": rates})
    with Tables(made) as tables:
        found = {n: getattr(tables, n)("subscriptions").to_pandas() for n in ("table", "native")}
    assert [float(m) for m in found["table"]["mrr"]] == [90, 50, 12]
    assert list(found["table"]["currency"]) == ["EUR"] * 3
    assert [float(m) for m in found["native"]["mrr"]] == [100, 50, 12]
    assert list(found["native"]["currency"]) == ["USD", "EUR", "EUR"]
