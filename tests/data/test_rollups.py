"""Roll-ups against a plain, day-by-day oracle, and the edges by hand."""

import itertools
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import duckdb
import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.data.rollups import RollupContext, account_months, accounts, spells

SCHEMA = {
    "account_id": "string",
    "start_on": "date",
    "end_on": "date",
    "mrr": "decimal(18,4)",
    "end_reason": "string",
    "seen_from": "date",
    "billing_months": "int64",
}
ARROW = pa.schema(
    [
        ("account_id", pa.string()),
        ("start_on", pa.date32()),
        ("end_on", pa.date32()),
        ("mrr", pa.decimal128(18, 4)),
        ("end_reason", pa.string()),
        ("seen_from", pa.date32()),
        ("billing_months", pa.int64()),
    ]
)
BUILD = {"spells": spells, "account_months": account_months}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """A row of `subscriptions`."""

    account_id: str
    start_on: date
    end_on: date | None
    mrr: Decimal
    end_reason: str | None = None
    seen_from: date | None = None
    billing_months: int | None = None


def row(account, start, end=None, mrr="10", reason=None, seen=None, *, billing=None):
    day = date.fromisoformat
    return Row(account, day(start), day(end) if end else None, Decimal(mrr), reason, seen, billing)


@lru_cache
def compiled(name, ctx):
    return str(ibis.to_sql(BUILD[name](ibis.table(SCHEMA, name="subscriptions"), ctx), "duckdb"))


@pytest.fixture(scope="module")
def roll():
    """Run a roll-up on DuckDB: one dict per row, sorted."""
    con = duckdb.connect(config={"threads": 1})

    def run(name, rows, ctx):
        columns = {f: [getattr(r, f) for r in rows] for f in SCHEMA}
        con.register("subscriptions", pa.table(columns, schema=ARROW))
        out = con.sql(compiled(name, ctx)).to_arrow_table().to_pylist()
        second = "spell" if name == "spells" else "month"
        return sorted(out, key=lambda r: (r["account_id"], r[second]))

    yield run
    con.close()


def context(as_of="2024-12-31", **others):
    return RollupContext(as_of=date.fromisoformat(as_of), **others)


# --- the oracle: every single day, no interval arithmetic ---------------------------------------


def daily(rows, ctx):
    """Amount and membership of one account on each day until `as_of`, gaps within grace filled."""
    paid = defaultdict(Decimal)
    for r in rows:
        day = r.start_on
        while r.mrr > 0 and day <= ctx.as_of and (r.end_on is None or day < r.end_on):
            paid[day] += r.mrr
            day += DAY
    days = sorted(paid)
    for before, after in itertools.pairwise(days):
        if 1 < (after - before).days <= ctx.grace_days + 1:
            for step in range(1, (after - before).days):
                paid[before + step * DAY] = paid[before]
    return dict(sorted(paid.items()))


def minor(amount, ctx):
    return int((amount * 10**ctx.exponent).quantize(Decimal(1), ROUND_HALF_UP))


def by_account(rows):
    groups = defaultdict(list)
    for r in rows:
        groups[r.account_id].append(r)
    return sorted(groups.items())


def oracle_spells(rows, ctx):
    out = []
    for account, own in by_account(rows):
        paid = daily(own, ctx)
        runs = []
        for day in paid:
            if runs and runs[-1][-1] == day - DAY:
                runs[-1].append(day)
            else:
                runs.append([day])
        out += [one_spell(account, n, run, own, paid, ctx) for n, run in enumerate(runs, 1)]
    return out


def one_spell(account, number, run, own, paid, ctx):
    start, last = run[0], run[-1]
    ended = last < ctx.as_of
    live = [r for r in own if r.mrr > 0 and (r.end_on is None or r.end_on > r.start_on)]
    reasons = {r.end_reason for r in live if r.end_on == last + DAY} - {None}
    seen = ctx.observed_from
    if seen == "always":
        seen = None
    elif seen == "seen_from":
        inside = [r.seen_from for r in live if start <= r.start_on <= last and r.seen_from]
        seen = max(inside, default=None)
    entry = max(0, (seen - start).days) if seen else 0
    begin = [r for r in live if r.start_on == start]
    highest = max(r.mrr for r in begin)
    lengths = [r.billing_months for r in begin if r.mrr == highest and r.billing_months]
    event = ended and not (reasons and reasons <= set(ctx.not_churn))
    reason = (reasons.pop() if len(reasons) == 1 else "several") if reasons else None
    return {
        "account_id": account,
        "spell": number,
        "start_on": start,
        "end_on": last + DAY if ended else None,
        "cause": reason if event else None,
        "censoring": None if event else reason if ended else "still a customer",
        "mrr_minor": minor(paid[last], ctx),
        "billing_months": max(lengths, default=None),
        "observed_from": seen,
        "entry_days": entry,
        "exit_days": len(run) if ended else len(run) - 1,
        "event": event,
    }


def month_ends(first, as_of):
    day = first
    while day <= as_of:
        following = day + DAY
        if following.month != day.month or day == as_of:
            yield day
        day = following


def oracle_months(rows, ctx):
    out = []
    for account, own in by_account(rows):
        paid = daily(own, ctx)
        before, ever = 0, False
        for day in month_ends(min(paid, default=ctx.as_of), ctx.as_of):
            now = minor(paid.get(day, Decimal()), ctx)
            if now or before:
                movement = movement_of(before, now, ever)
                month = day.year * 12 + day.month - 1
                out.append(
                    {
                        "account_id": account,
                        "month": month,
                        "mrr_minor": now,
                        "previous_minor": before,
                        "currency_minor": 0,
                        "movement": movement,
                    }
                )
            before, ever = now, ever or now > 0
    return out


def movement_of(before, now, ever):
    if now == before:
        return "none"
    if before == 0:
        return "reactivation" if ever else "new"
    if now == 0:
        return "churn"
    return "expansion" if now > before else "contraction"


# --- a seeded crowd, then hypothesis -----------------------------------------------------------

FIRST = date(2023, 12, 20)
DAYS = st.one_of(
    st.integers(0, 430),
    st.sampled_from([11, 12, 42, 43, 70, 71, 72, 102, 103]).map(int),  # month ends, leap day
).map(lambda n: FIRST + n * DAY)
AMOUNTS = st.sampled_from(["0", "0.0049", "0.005", "9.995", "10", "10.0050", "33.3333", "1200.5"])


@st.composite
def histories(draw):
    """Rows of a few accounts, overlapping, touching and apart, in any order."""
    rows = []
    for n in range(draw(st.integers(0, 6))):
        day = draw(DAYS)
        for _ in range(draw(st.integers(1, 6))):
            length = draw(st.one_of(st.just(1), st.integers(0, 200)))
            end = None if draw(st.integers(0, 5)) == 0 else day + length * DAY
            reason = draw(st.sampled_from([None, "voluntary", "involuntary", "merged"]))
            seen = draw(st.sampled_from([None, date(2024, 2, 29), date(2024, 7, 1)]))
            billing = draw(st.sampled_from([None, 1, 3, 12]))
            rows.append(Row(f"a{n}", day, end, Decimal(draw(AMOUNTS)), reason, seen, billing))
            step = draw(st.sampled_from([0, 1, 7, 29, 30, 31, 60, None]))
            day = draw(DAYS) if step is None or end is None else end + step * DAY
    return draw(st.permutations(rows))


CONTEXTS = st.builds(
    RollupContext,
    as_of=st.sampled_from([date(2024, 2, 29), date(2024, 7, 31), date(2024, 12, 15)]),
    grace_days=st.sampled_from([0, 1, 30]),
    exponent=st.sampled_from([0, 2, 3, 4]),
    observed_from=st.sampled_from([None, "always", "seen_from", date(2024, 3, 1)]),
    not_churn=st.sampled_from([(), ("merged",), ("merged", "involuntary")]),
)


def crowd(seed, accounts):
    """Draw as `histories` does, many accounts at once."""
    rng, rows = random.Random(seed), []  # noqa: S311
    for n in range(accounts):
        day = FIRST + rng.randrange(430) * DAY
        for _ in range(rng.randint(1, 6)):
            length = rng.choice([0, 1, 30, rng.randrange(200)])
            end = None if rng.random() < 0.15 else day + length * DAY
            reason = rng.choice([None, "voluntary", "involuntary", "merged"])
            mrr = Decimal(rng.choice(["0", "0.005", "9.995", "10", "33.3333"]))
            seen, billing = rng.choice([None, date(2024, 7, 1)]), rng.choice([None, 1, 3, 12])
            rows.append(Row(f"a{n:04}", day, end, mrr, reason, seen, billing))
            step = rng.choice([0, 1, 29, 30, 31, 60, rng.randrange(-200, 200)])
            day = (end or day) + step * DAY
    rng.shuffle(rows)
    return rows


@pytest.mark.parametrize(
    ("as_of", "grace"), [("2024-02-29", 0), ("2024-07-31", 30), ("2024-12-15", 30)]
)
def test_rollups_of_400_accounts_equal_the_daily_oracle(roll, as_of, grace):
    rows = crowd(seed=grace, accounts=400)
    ctx = context(as_of, grace_days=grace, observed_from="seen_from", not_churn=("merged",))
    assert roll("spells", rows, ctx) == oracle_spells(rows, ctx)
    assert roll("account_months", rows, ctx) == oracle_months(rows, ctx)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(histories(), CONTEXTS)
def test_spells_equal_the_daily_oracle(roll, rows, ctx):
    assert roll("spells", rows, ctx) == oracle_spells(rows, ctx)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(histories(), CONTEXTS)
def test_account_months_equal_the_daily_oracle(roll, rows, ctx):
    assert roll("account_months", rows, ctx) == oracle_months(rows, ctx)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(histories(), CONTEXTS)
def test_account_months_movements_add_up_to_the_cent(roll, rows, ctx):
    """Start + movements = end for every account and month, and in total."""
    months = defaultdict(dict)
    for r in roll("account_months", rows, ctx):
        months[r["account_id"]][r["month"]] = r
    for own in months.values():
        for number, r in own.items():
            assert r["previous_minor"] == own.get(number - 1, {"mrr_minor": 0})["mrr_minor"]
            following = own.get(number + 1)
            last = number == ctx.as_of.year * 12 + ctx.as_of.month - 1
            assert r["mrr_minor"] == 0 or following or last
    every = [r for own in months.values() for r in own.values()]
    total = sum(r["mrr_minor"] - r["previous_minor"] for r in every if r["movement"] != "none")
    end = sum(
        r["mrr_minor"] for r in every if r["month"] == ctx.as_of.year * 12 + ctx.as_of.month - 1
    )
    assert total == end


def erased(rows, as_of):
    """Give the table as somebody would have seen it on `as_of`."""
    return [
        r
        if r.end_on is None or r.end_on <= as_of
        else Row(**{**vars(r), "end_on": None, "end_reason": None})
        for r in rows
        if r.start_on <= as_of
    ]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(histories(), CONTEXTS, st.sampled_from(list(BUILD)))
def test_rollups_know_nothing_after_as_of(roll, rows, ctx, name):
    assert roll(name, rows, ctx) == roll(name, erased(rows, ctx.as_of), ctx)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(histories(), CONTEXTS, st.sampled_from(list(BUILD)), st.randoms(use_true_random=False))
def test_rollups_do_not_depend_on_row_order(roll, rows, ctx, name, rng):
    shuffled = rng.sample(rows, len(rows))
    assert roll(name, rows, ctx) == roll(name, shuffled, ctx)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(histories(), CONTEXTS)
def test_spells_and_account_months_agree_on_who_is_a_customer(roll, rows, ctx):
    """On `as_of`, the accounts with a running spell are those with revenue (in tiny units)."""
    fine = RollupContext(as_of=ctx.as_of, grace_days=ctx.grace_days, exponent=4)
    running = {r["account_id"] for r in roll("spells", rows, fine) if not r["event"]}
    last = ctx.as_of.year * 12 + ctx.as_of.month - 1
    months = roll("account_months", rows, fine)
    assert running == {r["account_id"] for r in months if r["month"] == last and r["mrr_minor"] > 0}


# --- edges by hand ------------------------------------------------------------------------------


def spans(roll, rows, ctx):
    return [
        (str(r["start_on"]), r["end_on"] and str(r["end_on"])) for r in roll("spells", rows, ctx)
    ]


def movements(roll, rows, ctx):
    kept = [r for r in roll("account_months", rows, ctx) if r["movement"] != "none"]
    return [(divmod(r["month"], 12)[1] + 1, r["movement"], r["mrr_minor"]) for r in kept]


@pytest.mark.parametrize("name", BUILD)
def test_rollups_of_no_rows_are_empty(roll, name):
    assert roll(name, [], context()) == []


def test_spells_count_the_leap_day(roll):
    (one,) = roll("spells", [row("a", "2024-02-28", "2024-03-01")], context())
    assert one["exit_days"] == 2


def test_spells_of_one_day(roll):
    (one,) = roll("spells", [row("a", "2024-12-31")], context())
    assert (one["exit_days"], one["event"]) == (0, False)  # leaving is first seen the day after
    (one,) = roll("spells", [row("a", "2024-05-01", "2024-05-02")], context())
    assert (one["exit_days"], one["event"]) == (1, True)


def test_spells_end_on_as_of_is_an_event(roll):
    (one,) = roll("spells", [row("a", "2024-01-01", "2024-12-31")], context())
    assert (one["exit_days"], one["event"]) == (365, True)


def test_spells_merge_touching_and_overlapping_rows(roll):
    rows = [
        row("a", "2024-01-01", "2024-02-01"),
        row("a", "2024-02-01", "2024-03-01"),
        row("a", "2024-01-15", "2024-04-01", reason="voluntary"),
    ]
    assert spans(roll, rows, context(grace_days=0)) == [("2024-01-01", "2024-04-01")]


def test_spells_bridge_a_gap_of_exactly_the_grace(roll):
    rows = [row("a", "2024-01-01", "2024-02-01"), row("a", "2024-03-02")]  # 30 days apart
    assert spans(roll, rows, context(grace_days=30)) == [("2024-01-01", None)]
    assert spans(roll, rows, context(grace_days=29)) == [
        ("2024-01-01", "2024-02-01"),
        ("2024-03-02", None),
    ]


def test_spells_number_every_return(roll):
    rows = [row("a", f"2024-{m:02}-01", f"2024-{m:02}-02") for m in (9, 1, 5, 3, 7)]
    numbers = [r["spell"] for r in roll("spells", rows, context(grace_days=30))]
    assert numbers == [1, 2, 3, 4, 5]


def test_spells_inside_the_grace_are_churn_until_the_return_is_known(roll):
    rows = [row("a", "2024-01-01", "2024-02-01", reason="voluntary"), row("a", "2024-02-20")]
    (before,) = roll("spells", rows, context("2024-02-19"))
    assert (before["event"], before["cause"], str(before["end_on"])) == (
        True,
        "voluntary",
        "2024-02-01",
    )
    (after,) = roll("spells", rows, context("2024-02-20"))
    assert (after["event"], after["cause"], after["exit_days"]) == (False, None, 50)


def test_spells_that_end_for_a_reason_that_is_no_churn_are_censored(roll):
    rows = [row("a", "2024-01-01", "2024-02-01", reason="merged")]
    (one,) = roll("spells", rows, context(not_churn=("merged",)))
    assert (one["event"], one["cause"], one["censoring"]) == (False, None, "merged")
    assert (str(one["end_on"]), one["exit_days"]) == ("2024-02-01", 31)


def test_spells_that_could_never_be_seen_leave_when_they_enter(roll):
    rows = [
        row("gone", "2024-01-01", "2024-03-01"),
        row("last day", "2024-01-01", "2024-03-02"),
        row("late", "2024-04-01", "2024-04-02"),
    ]
    ctx = context(observed_from=date(2024, 3, 1))
    out = roll("spells", rows, ctx)
    assert [(r["entry_days"], r["exit_days"]) for r in out] == [(60, 60), (60, 61), (0, 1)]


def test_spells_observed_only_after_as_of_are_never_seen(roll):
    out = roll("spells", [row("a", "2024-01-01")], context(observed_from=date(2025, 1, 1)))
    assert [(r["entry_days"], r["exit_days"]) for r in out] == [(366, 365)]


def test_spells_leave_out_days_that_are_not_paid(roll):
    rows = [row("free", "2024-01-01", mrr="0"), row("empty", "2024-05-01", "2024-05-01")]
    assert roll("spells", rows, context()) == []


def lengths(roll, *rows, **others):
    return [r["billing_months"] for r in roll("spells", list(rows), context(**others))]


def test_spells_have_the_billing_of_their_first_subscription(roll):
    first = row("a", "2024-01-01", "2024-02-01", billing=12)
    second = row("a", "2024-02-01", "2024-06-01", mrr="900", billing=1)
    back = row("a", "2024-09-01", billing=3)
    assert lengths(roll, first, second, back) == [12, 3]
    bridged = row("a", "2024-06-20", "2024-07-01", mrr="99", billing=6)
    assert lengths(roll, first, second, bridged, back) == [12, 3]


@pytest.mark.parametrize(
    ("prices", "billing", "expected"),
    [
        (("10", "20"), (12, 1), 1),  # the highest price leads, however short
        (("20", "20"), (1, 12), 12),  # of equal prices the longest
        (("20", "20"), (None, 3), 3),
        (("10", "20"), (12, None), None),  # missing where the leading one states none
        (("0", "0.0001"), (12, 1), 1),  # what is not paid is no subscription
    ],
)
def test_spells_that_begin_with_several_subscriptions_take_the_leading_one(
    roll, prices, billing, expected
):
    rows = [
        row("a", "2024-01-01", mrr=mrr, billing=n) for mrr, n in zip(prices, billing, strict=True)
    ]
    assert lengths(roll, *rows) == [expected]
    assert lengths(roll, *rows[::-1]) == [expected]


def test_spells_do_not_take_the_billing_of_a_row_without_a_day(roll):
    empty = row("a", "2024-01-01", "2024-01-01", mrr="900", billing=12)
    later = row("a", "2024-06-01", mrr="900", billing=12)
    assert lengths(roll, empty, row("a", "2024-01-01", billing=1), later) == [1]


def test_spells_of_a_table_without_billing_have_none():
    table = ibis.memtable(pa.table({f: [] for f in SCHEMA}, schema=ARROW)).drop("billing_months")
    built = spells(table, context())
    assert built.schema()["billing_months"].is_integer()
    assert built.execute().empty


def test_account_months_name_every_movement(roll):
    rows = [
        row("a", "2024-01-31", "2024-02-29", "10"),
        row("a", "2024-02-29", "2024-04-30", "15"),
        row("a", "2024-04-30", "2024-05-31", "5"),
        row("a", "2024-09-01", "2024-12-31", "7.005"),
    ]
    assert movements(roll, rows, context("2024-12-31")) == [
        (1, "new", 1000),
        (2, "expansion", 1500),
        (4, "contraction", 500),
        (5, "churn", 0),
        (9, "reactivation", 701),
        (12, "churn", 0),
    ]


def test_account_months_hold_the_price_through_a_bridged_gap(roll):
    rows = [
        row("a", "2024-01-01", "2024-01-20", "10"),
        row("a", "2024-01-01", "2024-01-10", "99"),
        row("a", "2024-02-10", None, "12"),
    ]
    ctx = context("2024-02-29")
    assert [r["mrr_minor"] for r in roll("account_months", rows, ctx)] == [1000, 1200]
    assert movements(roll, rows, ctx) == [(1, "new", 1000), (2, "expansion", 1200)]


def test_account_months_of_a_currency_without_cents(roll):
    (one,) = roll("account_months", [row("a", "2024-12-01", mrr="980.5")], context(exponent=0))
    assert one["mrr_minor"] == 981


def test_accounts_are_those_signed_up_by_as_of():
    table = ibis.memtable(
        {
            "account_id": ["a", "b", None, "d"],
            "signed_up_on": [date(2024, 12, 31), date(2025, 1, 1), date(2024, 1, 1), None],
        }
    )
    kept = accounts(table, context()).order_by("account_id").execute()
    assert list(kept["account_id"]) == ["a", "d"]


# --- other engines ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILD)
def test_rollups_are_the_same_on_postgres(roll, name, postgres_url):
    """As dates, whole numbers and text, whatever the engine's own types of sums are."""
    rows = crowd(seed=5, accounts=200)
    con = ibis.connect(postgres_url)
    columns = "account_id text, start_on date, end_on date, mrr numeric(18, 4), end_reason text"
    more = "seen_from date, billing_months bigint"
    con.raw_sql(f"CREATE TABLE subscriptions ({columns}, {more})").close()
    with con.con.cursor() as cursor:
        values = [tuple(vars(r).values()) for r in rows]
        cursor.executemany("INSERT INTO subscriptions VALUES (%s, %s, %s, %s, %s, %s, %s)", values)
    con.con.commit()
    for ctx in (
        context("2024-07-31", observed_from="seen_from", not_churn=("merged", "moved")),
        context("2024-12-15", grace_days=0, exponent=0, observed_from=date(2024, 3, 1)),
    ):
        built = BUILD[name](con.table("subscriptions"), ctx)
        found = built.order_by(built.columns[:2]).to_pyarrow().to_pylist()
        expected = roll(name, rows, ctx)
        assert sorted(found, key=lambda r: (r["account_id"], r[built.columns[1]])) == expected
        assert [type(v) for v in found[0].values()] == [type(v) for v in expected[0].values()]
    con.disconnect()
