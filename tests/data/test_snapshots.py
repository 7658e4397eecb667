"""Snapshots against plain Python, nothing from after the cut-off, and the edges by hand."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshot_oracle import expected
from snapshot_worlds import (
    DAY,
    FIRST,
    LAST,
    NAMES,
    OUTCOME,
    Engine,
    arrow,
    context,
    future,
    world,
)

from csa.data.features import FEATURES, Feature
from csa.data.rollups import spells
from csa.data.snapshots import cutoffs, snapshots, usable_features
from csa.errors import InputError

CUTOFFS = (date(2023, 5, 2), date(2023, 12, 31), date(2024, 5, 31), LAST)


@pytest.fixture(scope="module")
def engine():
    made = Engine()
    yield made
    made.close()


def spells_of(tables, ctx):
    table = ibis.memtable(arrow("subscriptions", tables["subscriptions"]))
    return spells(table, ctx).to_pyarrow().to_pylist()


def same(found, wanted):
    assert [(r["cutoff_on"], r["account_id"]) for r in found] == [
        (r["cutoff_on"], r["account_id"]) for r in wanted
    ]
    for one, other in zip(found, wanted, strict=True):
        assert one.keys() == other.keys()
        for name, value in other.items():
            number = isinstance(value, float)
            near = pytest.approx(value, rel=1e-12, abs=1e-9) if number else value
            assert one[name] == near, (name, one)


@pytest.mark.slow
def test_snapshots_equal_plain_python(engine):
    tables = world(10, accounts=50)
    found = engine.run(tables, CUTOFFS)
    assert len(found) > 50
    same(found, expected(tables, spells_of(tables, context()), CUTOFFS))
    columns = {name for row in found for name, value in row.items() if value not in {None, 0}}
    assert columns >= {f.name for f in FEATURES if not f.step} - {"channel"}  # nothing untried


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_snapshots_of_any_company_equal_plain_python(engine, seed):
    tables = world(seed)
    found = engine.run(tables, CUTOFFS)
    same(found, expected(tables, spells_of(tables, context()), CUTOFFS))


# --- nothing from after the cut-off -------------------------------------------------------------


def known(found, cutoff):
    """Give all but the outcome of the snapshots of a day and those before it."""
    return [
        {c: v for c, v in row.items() if c not in OUTCOME}
        for row in found
        if row["cutoff_on"] <= cutoff
    ]


def check_future(engine, seed):
    rng = random.Random(seed)  # noqa: S311
    tables, cutoff = world(seed), rng.choice(CUTOFFS[:3])
    before = known(engine.run(tables, CUTOFFS), cutoff)
    for _ in range(2):
        after = known(engine.run(future(tables, cutoff, rng), CUTOFFS), cutoff)
        assert after == before


@pytest.mark.slow
def test_snapshots_know_nothing_after_the_cutoff(engine):
    for seed in range(3):
        check_future(engine, seed)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_snapshots_of_any_company_know_nothing_after_the_cutoff(engine, seed):
    """Rows added, changed or deleted after the cut-off, and values known only later."""
    check_future(engine, seed)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_snapshots_as_seen_on_the_day_itself_are_the_same(engine, seed):
    """A cut-off in the past gives what a run on that very day would have given."""
    tables, cutoff = world(seed), CUTOFFS[1]
    that_day = engine.run(future(tables, cutoff, random.Random(seed)), [cutoff], context(cutoff))  # noqa: S311
    later = [r for r in engine.run(tables, CUTOFFS) if r["cutoff_on"] == cutoff]
    assert known(that_day, cutoff) == known(later, cutoff)
    assert all((r["days_after"], r["event"]) == (0, False) for r in that_day)


# --- outcome and population ---------------------------------------------------------------------


def company(**tables):
    return {name: [] for name in NAMES} | tables


def paid(account, start, end=None, **others):
    day = date.fromisoformat
    row = {"account_id": account, "start_on": day(start), "end_on": day(end) if end else None}
    return {"mrr": Decimal(10), **row, **others}


def on_last(engine, tables):
    """Give the snapshots of the last day; the query is that of the other tests."""
    return [r for r in engine.run(tables, CUTOFFS) if r["cutoff_on"] == LAST]


def outcomes(found):
    return [(str(r["cutoff_on"]), r["age_days"], r["days_after"], r["event"]) for r in found]


@pytest.mark.slow
def test_snapshots_tell_what_became_of_the_account(engine):
    tables = company(subscriptions=[paid("a", "2023-01-01", "2024-06-01", end_reason="voluntary")])
    found = engine.run(tables, CUTOFFS)
    assert outcomes(found) == [
        ("2023-05-02", 121, 396, True),
        ("2023-12-31", 364, 153, True),
        ("2024-05-31", 516, 1, True),  # its last paid day
    ]
    assert {r["cause"] for r in found} == {"voluntary"}


@pytest.mark.slow
def test_snapshots_on_the_last_day_are_of_those_who_are_still_there(engine):
    tables = company(
        subscriptions=[
            paid("left", "2023-01-01", "2024-06-30"),
            paid("here", "2023-01-01"),
            paid("new", "2024-06-30"),  # not a customer before the cut-off
        ]
    )
    (row,) = on_last(engine, tables)
    assert (row["account_id"], row["days_after"], row["event"]) == ("here", 0, False)


@pytest.mark.slow
def test_snapshots_leave_out_an_account_within_a_gap_that_it_will_close(engine):
    """On the day nobody can know that it returns; to count it would say that silence is safe."""
    rows = [paid("a", "2023-01-01", "2024-05-20"), paid("a", "2024-06-10")]
    found = engine.run(company(subscriptions=rows), CUTOFFS)
    assert [str(r["cutoff_on"]) for r in found] == ["2023-05-02", "2023-12-31", "2024-06-30"]
    assert [r["short_gaps"] for r in found] == [0, 0, 1]
    assert {r["event"] for r in found} == {False}


def test_snapshots_begin_with_the_observation(engine):
    ctx = context(observed_from=date(2023, 12, 30))
    tables = company(subscriptions=[paid("a", "2023-01-01")])
    found = engine.run(tables, CUTOFFS, ctx, features=("age_days",))
    assert [str(r["cutoff_on"]) for r in found] == ["2023-12-31", "2024-05-31", "2024-06-30"]


def test_snapshots_pay_what_was_paid_then(engine):
    rows = [paid("a", "2023-01-01", "2024-01-01", seats=2), paid("a", "2024-01-01", seats=1)]
    rows[1]["mrr"] = Decimal("99.995")
    found = engine.run(company(subscriptions=rows), CUTOFFS)
    assert [r["mrr_minor"] for r in found] == [1000, 1000, 10000, 10000]
    assert [r["price_change_180"] for r in found] == [0, 0, pytest.approx(18.999), 0]


def test_snapshots_of_a_return_count_from_its_start(engine):
    rows = [paid("a", "2023-01-01", "2023-06-01"), paid("a", "2024-01-01")]
    row = engine.run(company(subscriptions=rows), CUTOFFS)[1]
    assert (row["age_days"], row["spell_number"]) == (151, 2)


def test_snapshots_of_no_rows_are_none(engine):
    assert engine.run(company(), CUTOFFS) == []


def test_snapshots_with_empty_tables_say_not_known_rather_than_none(engine):
    """A table that does not reach back over the window tells nothing about it."""
    (row,) = on_last(engine, company(subscriptions=[paid("a", "2023-01-01")]))
    whole = [f.name for f in FEATURES if f.whole and not f.step]
    assert {row[name] for name in whole} == {None}
    assert row["open_tickets"] == 0


@pytest.mark.parametrize(("days", "uses"), [(29, 1 / 30), (28, None)])
def test_snapshots_need_a_table_that_covers_the_window(engine, days, uses):
    use = {
        "account_id": "a",
        "occurred_at": datetime.combine(LAST - days * DAY, datetime.min.time()),
    }
    tables = company(subscriptions=[paid("a", "2023-01-01")], usage_events=[use])
    (row,) = on_last(engine, tables)
    assert row["usage_per_day_30"] == (uses and pytest.approx(uses))


def test_snapshots_include_the_evening_of_the_cutoff(engine):
    evening = datetime.combine(LAST, datetime.max.time())
    old = datetime.combine(FIRST, datetime.min.time())
    tickets = [
        {"ticket_id": str(n), "account_id": "a", "opened_at": old, "resolved_at": t}
        for n, t in enumerate([evening, evening + timedelta(microseconds=1), None])
    ]
    tables = company(subscriptions=[paid("a", "2023-01-01")], tickets=tickets)
    (row,) = on_last(engine, tables)
    assert row["open_tickets"] == 2


def test_snapshots_do_not_believe_a_renewal_that_was_overwritten(engine):
    """Sources that keep only the newest renewal would tell at once who stayed for years."""
    rows = [
        paid("stayed", "2023-01-01", renews_on=date(2026, 1, 1), billing_months=12),
        paid("left", "2023-01-01", "2024-01-01", renews_on=date(2024, 1, 1), billing_months=12),
        paid("silent", "2023-01-01", billing_months=12),
    ]
    found = engine.run(company(subscriptions=rows), CUTOFFS)
    days = {r["account_id"]: r["days_to_renewal"] for r in found if r["cutoff_on"] == CUTOFFS[1]}
    assert days == {n: pytest.approx(1, abs=1) for n in ("left", "silent", "stayed")}


# --- features that are left out or refused ------------------------------------------------------


def run_some(tables, *features, drop=()):
    """Give snapshots of one account from some tables, without some columns."""
    held = {n: ibis.memtable(arrow(n, rows)).drop(*drop) for n, rows in tables.items()}
    ctx = context()
    one = spells(ibis.memtable(arrow("subscriptions", tables["subscriptions"])), ctx)
    return snapshots(held, one, cutoffs=[LAST], ctx=ctx, features=features or None)


def test_features_without_their_table_or_column_are_left_out_and_said():
    tables = {"subscriptions": [paid("a", "2023-01-01", plan="Pro")]}
    held = {
        n: ibis.memtable(arrow(n, r)).drop("seats", "end_on", "renews_on", "billing_months")
        for n, r in tables.items()
    }
    told = usable_features(held, refused={"tickets": "tickets have rows at fault"}).left_out
    assert told["open_tickets"] == "tickets have rows at fault"
    assert told["nps_score"] == "the table surveys is missing"
    assert told["seats"] == "subscriptions has no seats"
    assert told["active_users_per_seat"] == "the table usage_events is missing"
    assert told["days_to_renewal"] == "subscriptions has neither renews_on nor billing_months"
    made = run_some(tables, drop=("seats", "end_on", "renews_on", "billing_months"))
    (row,) = made.to_pyarrow().to_pylist()
    assert row["plan"] == "Pro"
    assert told.keys().isdisjoint(made.columns)
    assert {f.name for f in FEATURES if not f.step} == told.keys() | {
        n for n in made.columns if n in {f.name for f in FEATURES}
    }


def test_features_may_be_chosen_by_name_with_what_they_are_made_of():
    tables = company(subscriptions=[paid("a", "2023-01-01", seats=2)])
    made = run_some(tables, "active_users_per_seat", "nps_score")
    assert made.columns[8:] == ("nps_score", "active_users_per_seat")


def own(column, **others):
    table = others.pop("table", "accounts")
    stated = {"name": "mine", "table": table, "meaning": "mine", "columns": (column,)}
    return Feature(**(stated | {"value": lambda k: k[column].max()} | others))


@pytest.mark.parametrize(
    ("feature", "taught"),
    [
        (own("owner"), r"accounts.owner, which holds today's value.*interventions for the owner"),
        (own("owner", undated=True), "allowed only for segment, industry, region, channel"),
        (own("plan"), "subscriptions for the plan"),
        (own("health"), "accounts.health, which holds today's value"),  # an attribute of one's own
        (own("segment"), "declare the feature undated=True"),
        (own("acquisition_cost"), "today's value"),
        (own("role", table="staff"), "rows of staff have no date"),
        (own("chanel", table="tickets"), 'tickets has no column "chanel"'),
        (own("x", table="ticket"), 'no table "ticket"; did you mean "tickets"'),
        (own("score", table="surveys", by=("score",), window_days=9), "becomes known later"),
        (own("user_id", table="usage_events", by=("user_id",)), "give it window_days"),
        (own("category", table="tickets", name="event"), 'every snapshot has a column "event"'),
        (own("x", of=("nothing",)), 'made of "nothing", which is no feature'),
    ],
)
def test_features_that_could_know_what_came_later_are_refused(feature, taught):
    with pytest.raises(InputError, match=taught):
        run_some(company(), feature)


@pytest.mark.parametrize(
    ("feature", "taught"),
    [
        (own("category", table="tickets", columns=()), "does not declare; add it to its columns"),
        (own("owner", columns=("signed_up_on",)), "today's value"),
        (own("event", table="spells"), "how the time as a customer went on after the cut-off"),
        (own("end_on", table="spells"), "only age_days and spell were known"),
        (own("mrr", table="subscriptions", of=("seats",)), "name it in its `of`"),
    ],
)
def test_expressions_that_reach_for_more_than_declared_are_refused(feature, taught):
    with pytest.raises(InputError, match=taught):
        run_some(company(), feature)


def test_features_twice_and_unknown_ones_are_refused_all_at_once():
    with pytest.raises(InputError, match="two features are called") as refusal:
        run_some(company(), own("owner"), own("industry"))
    assert len(refusal.value.faults) == 3
    with pytest.raises(InputError, match='no feature "seat"; did you mean "seats"'):
        run_some(company(), "seat")


def test_cutoffs_after_the_last_day_and_what_is_missing_are_refused_all_at_once():
    with pytest.raises(InputError) as refusal:
        snapshots({}, ibis.table({"account_id": "string"}), cutoffs=[LAST + DAY], ctx=context())
    told = str(refusal.value)
    assert "cut-off 2024-07-01 lies after the last known day" in told
    assert "spells: column exit_days is missing" in told
    assert "subscriptions are missing" in told
    with pytest.raises(InputError, match="no cut-off is given"):
        snapshots({}, ibis.table({"account_id": "string"}), cutoffs=[], ctx=context())


def test_cutoffs_step_back_until_enough_horizons_have_elapsed():
    found = cutoffs(LAST, horizon_days=90, every_days=30, count=12)
    assert (found[-1], len(found), len(set(found))) == (LAST, 15, 15)
    assert sum((LAST - day).days >= 90 for day in found) == 12
    assert list(found) == sorted(found)
    with pytest.raises(InputError, match=r"horizon_days is 0.*\ncount is -1"):
        cutoffs(LAST, horizon_days=0, count=-1)


# --- other engines ------------------------------------------------------------------------------


def test_snapshots_are_the_same_on_postgres(engine, postgres_url):
    tables, ctx = world(10, accounts=40), context()
    con = ibis.connect(postgres_url)
    for name in NAMES:
        con.create_table(name, arrow(name, tables[name]))
    held = {name: con.table(name) for name in NAMES}
    made = spells(held["subscriptions"], ctx).mutate(group=ibis.literal("all"))
    built = snapshots(held, made, cutoffs=CUTOFFS, ctx=ctx)
    found = built.to_pyarrow().to_pylist()
    wanted = engine.run(tables, CUTOFFS, ctx)
    found.sort(key=lambda r: (r["cutoff_on"], r["account_id"]))
    same(found, wanted)
    assert [type(v) for v in found[0].values()] == [type(v) for v in wanted[0].values()]
    con.disconnect()
