"""Cohort retention: the published tables, its rules, its edges."""

import gzip
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import stored

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.counted import Basis, count
from csa.analysis.cohorts.groups import by_group
from csa.analysis.cohorts.retention import cohort_of, pooled, retention
from csa.analysis.cohorts.stretches import active_days
from csa.analysis.cohorts.trend import age_trend
from csa.analysis.cohorts.ways import ways
from csa.errors import InputError

MONTHS = Clock(kind="month")
BOUGHT = Basis(activity="purchased")
UCI_END = date(2011, 12, 9)
UCI = """\
2010-12 885 324 286 340 321 352 321 309 313 350 331 445 235
2011-01 417  92 111  96 134 120 103 101 125 136 152  49
2011-02 380  71  71 108 103  94  96 106  94 116  26
2011-03 452  68 114  90 101  76 121 104 126  39
2011-04 300  64  61  63  59  68  65  78  22
2011-05 284  54  49  49  59  66  75  27
2011-06 242  42  38  64  56  81  23
2011-07 188  34  39  42  51  21
2011-08 169  35  42  41  21
2011-09 299  70  90  34
2011-10 358  86  41
2011-11 323  36
2011-12  41
"""
WITH_PART = [0.2271, 0.2370, 0.2564, 0.2728, 0.2789, 0.2716, 0.2667, 0.2794, 0.3004, 0.3026, 0.3794]
WHOLE = [0.2365, 0.2492, 0.2692, 0.2808, 0.2895, 0.2873, 0.2868, 0.3083, 0.3579, 0.3710, 0.5028]


@pytest.fixture(scope="module")
def invoices():
    """UCI Online Retail, cleaned as the published notebook does."""
    path = stored("CSA_DATA", "online_retail", "online_retail_2010_2011.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = pd.read_csv(file, dtype={"CustomerID": "string", "InvoiceNo": "string"})
    rows = rows.dropna(subset="CustomerID").drop_duplicates()
    rows = rows.loc[(rows["Quantity"] > 0) & (rows["UnitPrice"] > 0)]
    assert (len(rows), rows["CustomerID"].nunique()) == (392_692, 4_338)
    day = pd.to_datetime(rows["InvoiceDate"].str[:10])
    return pd.DataFrame({"account_id": rows["CustomerID"], "day": day}).drop_duplicates()


@pytest.mark.slow
def test_retention_reproduces_the_published_table_of_online_retail(invoices):
    """Published: HarshTanwar001/Cohort-Analysis, 91 cells, counts; reference section 4.2."""
    result = retention(count(invoices, clock=MONTHS, as_of=UCI_END, basis=BOUGHT))
    cells = result.cells
    begun = cells.loc[cells["state"] != "not started"]
    expected = [(m, [int(x) for x in rest]) for m, *rest in map(str.split, UCI.splitlines())]
    assert len(begun) == sum(len(row) for _, row in expected) == 91
    for month, row in expected:
        mine = begun.loc[begun["cohort"] == pd.Timestamp(f"{month}-01")]
        assert list(mine["returned"]) == row
        assert list(mine["age"]) == list(range(len(row)))
        assert list(mine["state"]) == ["complete"] * (len(row) - 1) + ["open"]
    open_cells = cells.loc[cells["state"] == "open"]
    assert len(open_cells) == 13
    assert set(open_cells["completes_on"]) == {pd.Timestamp("2011-12-31")}
    assert open_cells[["ci_low", "ci_high"]].isna().all(axis=None)
    unseen = cells.loc[cells["state"] == "not started"]
    assert len(unseen) == 13 * 13 - 91
    assert unseen[["returned", "retention", "ci_low", "ci_high"]].isna().all(axis=None)


@pytest.mark.slow
def test_pooled_retention_of_online_retail_with_and_without_the_part_month(invoices):
    """Reference section 4.2, printed to 4 decimals; month 12 has no complete cell."""
    counted = count(invoices, clock=MONTHS, as_of=UCI_END, basis=BOUGHT)
    whole = retention(counted).pooled
    assert list(whole["age"]) == list(range(12))
    assert list(whole["cohorts"]) == list(range(12, 0, -1))
    assert list(whole["retention"][1:]) == pytest.approx(WHOLE, abs=5e-5)
    everything = counted.table.assign(returned=counted.table["active"], complete=True)
    with_part = pooled(everything)
    assert list(with_part["retention"][1:12]) == pytest.approx(WITH_PART, abs=5e-5)
    six = retention(counted, returned="unbounded").pooled
    assert (six["retention"] >= whole["retention"]).all()


@pytest.mark.slow
def test_tenure_of_30_days_counts_eligible_customers_of_online_retail_only(invoices):
    """Reference section 4.2: 30-day clock, returned / eligible, printed to 4 decimals."""
    tenure = Clock(kind="tenure", window_days=30)
    counted = count(invoices, clock=tenure, as_of=UCI_END, basis=BOUGHT)
    bounded = retention(counted).pooled.set_index("age")
    unbounded = retention(counted, returned="unbounded").pooled.set_index("age")
    for age, (back, eligible, share, later) in {
        1: (953, 3754, 0.2539, 0.6809),
        6: (739, 2580, 0.2864, 0.6217),
        11: (394, 756, 0.5212, 0.5688),
    }.items():
        assert (bounded.loc[age, "returned"], bounded.loc[age, "n"]) == (back, eligible)
        assert bounded.loc[age, "retention"] == pytest.approx(share, abs=5e-5)
        assert unbounded.loc[age, "retention"] == pytest.approx(later, abs=5e-5)
    assert 12 not in bounded.index


def days_of(units):
    """Frame of a dict of unit to days."""
    rows = [(u, d) for u, days in units.items() for d in days]
    frame = pd.DataFrame(rows, columns=["account_id", "day"])
    return frame.assign(day=pd.to_datetime(frame["day"]))


DAY = st.dates(date(2023, 12, 20), date(2024, 6, 20))
WORLD = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3), st.lists(DAY, min_size=1, max_size=6), max_size=12
)
CLOCKS = st.sampled_from(
    [
        MONTHS,
        Clock(kind="week"),
        Clock(kind="week", week_start="sunday"),
        Clock(kind="tenure", window_days=30),
        Clock(kind="tenure", window_days=1, last_age=40),
    ]
)


def by_hand(units, clock, as_of):
    """Count in plain Python who returned, and of whom, by age; units with the whole age only."""
    found = {}
    for days in units.values():
        known = sorted(d for d in days if d <= as_of)
        if not known:
            continue
        ages = {_age(d, known[0], clock) for d in known}
        age = 0
        while _end(known[0], age, clock) <= as_of and age <= 200:
            back, n = found.get(age, (0, 0))
            found[age] = (back + (age in ages), n + 1)
            age += 1
    return found


def _age(day, start, clock):
    if clock.kind == "tenure":
        return (day - start).days // clock.window_days
    return clock.number_of(day) - clock.number_of(start)


def _end(start, age, clock):
    if clock.kind == "tenure":
        return start + timedelta(days=(age + 1) * clock.window_days - 1)
    return clock.first_day(clock.number_of(start) + age + 1) - timedelta(days=1)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(WORLD, CLOCKS, st.dates(date(2024, 2, 1), date(2024, 7, 31)))
def test_pooled_cells_are_what_plain_counting_gives(units, clock, as_of):
    result = retention(count(days_of(units), clock=clock, as_of=as_of, basis=BOUGHT))
    expected = by_hand(units, clock, as_of)
    if clock.last_age is not None:
        expected = {a: v for a, v in expected.items() if a <= clock.last_age}
    found = {
        int(r["age"]): (int(r["returned"]), int(r["n"])) for r in result.pooled.to_dict("records")
    }
    assert found == expected


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(WORLD, CLOCKS, st.dates(date(2024, 2, 1), date(2024, 7, 31)), st.randoms())
def test_cells_are_shares_whatever_the_order_and_the_future(units, clock, as_of, shuffle):
    frame = days_of(units)
    counted = count(frame, clock=clock, as_of=as_of, basis=BOUGHT)
    result, later = retention(counted), retention(counted, returned="unbounded")
    known = result.cells.loc[result.cells["state"] != "not started"]
    assert known["retention"].between(0, 1).all()
    complete = known.loc[known["state"] == "complete"]
    assert (complete["ci_low"] <= complete["retention"]).all()
    assert (complete["retention"] <= complete["ci_high"]).all()
    assert (complete["completes_on"] <= pd.Timestamp(as_of)).all()
    assert (known.loc[known["state"] == "open", "completes_on"] > pd.Timestamp(as_of)).all()
    both = later.cells.loc[known.index, "retention"]
    assert (both >= known["retention"]).all()
    if clock.calendar:
        for age, rows in complete.groupby("age"):
            share = result.pooled.set_index("age").loc[age, "retention"]
            assert rows["retention"].min() - 1e-12 <= share <= rows["retention"].max() + 1e-12
    order = list(range(len(frame)))
    shuffle.shuffle(order)
    future = pd.DataFrame({"account_id": ["a", "new"], "day": [pd.Timestamp("2025-01-01")] * 2})
    other = pd.concat([frame.iloc[order], future]).assign(more=1)
    again = retention(count(other, clock=clock, as_of=as_of, basis=BOUGHT))
    pd.testing.assert_frame_equal(again.cells, result.cells)
    pd.testing.assert_frame_equal(again.pooled, result.pooled)


def test_a_cohort_of_true_zeros_stays_in_the_average():
    units = {f"a{i}": ["2024-01-05", "2024-02-05"] for i in range(40)}
    units |= {f"b{i}": ["2024-02-05"] for i in range(60)}
    result = retention(count(days_of(units), clock=MONTHS, as_of=date(2024, 4, 30), basis=BOUGHT))
    cell = result.cells.loc[(result.cells["cohort"] == "2024-02-01") & (result.cells["age"] == 1)]
    assert cell[["returned", "retention", "state"]].to_numpy().tolist() == [[0, 0.0, "complete"]]
    row = result.pooled.set_index("age").loc[1]
    assert (row["returned"], row["n"], row["cohorts"]) == (40, 100, 2)


def test_no_rows_make_an_empty_result():
    empty = days_of({})
    for clock in (MONTHS, Clock(kind="tenure", window_days=30)):
        result = retention(count(empty, clock=clock, as_of=date(2024, 4, 30), basis=BOUGHT))
        assert result.cells.empty
        assert result.pooled.empty
        trend = age_trend(result, age=1)
        assert (trend.verdict, trend.reason) == ("unclear", "no cohort has completed that age")
        assert by_group(result, age=1).table.empty


def test_one_account_is_a_small_cohort_and_unclear():
    one = days_of({"a": ["2024-02-29", "2024-03-31"]})
    result = retention(count(one, clock=MONTHS, as_of=date(2024, 3, 31), basis=BOUGHT))
    assert list(result.cells["retention"]) == [1.0, 1.0]
    assert result.cells["small"].all()
    assert list(result.cells["completes_on"].dt.day) == [29, 31]
    assert list(result.pooled["status"]) == ["unclear", "unclear"]
    assert result.pooled["reason"].iloc[0] == "only 1 completed this age"


def test_first_day_of_the_week_decides_what_a_week_is():
    units = days_of({"a": ["2024-03-02", "2024-03-03"]})  # a Saturday and a Sunday
    as_of = date(2024, 3, 16)
    monday = retention(count(units, clock=Clock(kind="week"), as_of=as_of, basis=BOUGHT))
    sunday = Clock(kind="week", week_start="sunday")
    other = retention(count(units, clock=sunday, as_of=as_of, basis=BOUGHT))
    assert list(monday.cells["returned"])[:2] == [1, 0]
    assert list(other.cells["returned"])[:2] == [1, 1]


def test_tenure_cells_are_open_until_the_last_of_the_month_has_had_the_window():
    units = days_of({"a": ["2024-01-01", "2024-02-05"], "b": ["2024-01-31"]})
    tenure = Clock(kind="tenure", window_days=30)
    result = retention(count(units, clock=tenure, as_of=date(2024, 3, 10), basis=BOUGHT))
    cells = result.cells.set_index("age")
    assert list(cells["state"]) == ["complete", "open", "open"]
    assert list(cells["completes_on"].dt.date) == [
        date(2024, 2, 29),
        date(2024, 3, 30),
        date(2024, 4, 29),
    ]
    assert list(cells["n"]) == [2, 2, 2]
    assert list(result.pooled["n"]) == [2, 1]  # of age 1 only "a" has had all of it
    assert list(result.pooled["returned"]) == [2, 1]


def spell(account, start, end, group="EU"):
    return {
        "account_id": account,
        "group": group,
        "start": pd.Timestamp(start),
        "day": pd.Timestamp(start),
        "until": pd.Timestamp(end) if end else pd.NaT,
    }


def test_stretches_are_active_where_they_last_at_the_end_of_the_period():
    spells = pd.DataFrame(
        [
            spell("stays", "2024-01-10", None),
            spell("leaves", "2024-01-10", "2024-03-05"),
            spell("within", "2024-01-10", "2024-01-20"),
            spell("later", "2024-01-10", "2024-06-01"),  # not known yet
        ]
    )
    basis = Basis(start="start")
    as_of = date(2024, 3, 15)
    counted = count(spells, clock=MONTHS, as_of=as_of, basis=basis)
    result = retention(counted).cells
    assert list(result["n"]) == [4, 4, 4]
    assert list(result["returned"]) == [3, 3, 2]
    assert list(result["state"]) == ["complete", "complete", "open"]
    tenure = Clock(kind="tenure", window_days=30)  # windows end on 8 February, 9 March, 8 April
    aged = retention(count(spells, clock=tenure, as_of=as_of, basis=basis)).cells
    assert list(aged["returned"]) == [3, 2, 2]
    weekly = retention(count(spells, clock=Clock(kind="week"), as_of=as_of, basis=basis)).cells
    assert list(weekly["returned"]) == [4, 3, 3, 3, 3, 3, 3, 3, 2, 2]


def test_stretches_that_come_back_count_again():
    spells = pd.DataFrame(
        [
            spell("a", "2024-01-10", "2024-02-10"),
            {**spell("a", "2024-01-10", None), "day": pd.Timestamp("2024-04-20")},
        ]
    )
    result = retention(
        count(spells, clock=MONTHS, as_of=date(2024, 5, 31), basis=Basis(start="start"))
    )
    assert list(result.cells["returned"]) == [1, 0, 0, 1, 1]


def test_active_days_leave_days_alone():
    days = days_of({"a": ["2024-01-01"]})
    assert active_days(days, clock=MONTHS, as_of=date(2024, 1, 31)) is days


def test_users_in_two_groups_count_once_in_all():
    rows = pd.DataFrame(
        {
            "account_id": ["x", "y", "x"],
            "user_id": ["u", "u", "v"],
            "group": ["EU", "US", "EU"],
            "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]),
        }
    )
    basis = Basis(unit="user_id", activity="used")
    table = count(rows, clock=MONTHS, as_of=date(2024, 1, 31), basis=basis).table
    assert dict(zip(table["group"], table["n"], strict=True)) == {"all": 2, "EU": 2, "US": 1}


def cohorts_of(shares, n=200):
    """Monthly cohorts from 2023 on, of which a share returns in the month after the first."""
    units = {}
    for place, share in enumerate(shares):
        first = MONTHS.first_day(2023 * 12 + place)
        after = MONTHS.first_day(2023 * 12 + place + 1)
        for k in range(n):
            units[f"{place}-{k}"] = [first, after] if k < share * n else [first]
    as_of = MONTHS.first_day(2023 * 12 + len(shares) + 1) - timedelta(days=1)
    return retention(count(days_of(units), clock=MONTHS, as_of=as_of, basis=BOUGHT))


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ([0.5] * 9 + [0.7] * 3, "better"),
        ([0.5] * 9 + [0.3] * 3, "worse"),
        ([0.5] * 12, "unclear"),
        ([0.2, 0.8] * 5 + [0.8, 0.8, 0.2], "unclear"),  # cohorts differ wildly anyway
    ],
)
def test_newer_cohorts_are_compared_with_older_ones(shares, verdict):
    trend = age_trend(cohorts_of(shares), age=1)
    assert trend.verdict == verdict
    assert trend.newer.cohorts == 3
    assert trend.low <= trend.difference <= trend.high
    assert trend.table["recent"].sum() == 3


def test_few_cohorts_or_accounts_are_not_compared():
    two = age_trend(cohorts_of([0.5, 0.9]), age=1)
    assert (two.verdict, two.reason) == ("unclear", "only 2 cohorts have completed that age")
    few = age_trend(cohorts_of([0.1] * 4 + [1.0] * 3, n=8), age=1)
    assert (few.verdict, few.reason) == ("unclear", "only 24 began on one side")


def test_groups_are_compared_with_all_others():
    rng = np.random.default_rng(1)
    rows = [
        (f"{g}{k}", g, day)
        for g, share in (("EU", 0.8), ("US", 0.4), ("tiny", 1.0))
        for k in range(5 if g == "tiny" else 150)
        for day in ["2024-01-05", *(["2024-02-05"] if rng.random() < share else [])]
    ]
    frame = pd.DataFrame(rows, columns=["account_id", "group", "day"])
    frame["day"] = pd.to_datetime(frame["day"])
    result = retention(count(frame, clock=MONTHS, as_of=date(2024, 2, 29), basis=BOUGHT))
    found = by_group(result, age=1)
    table = found.table.set_index("group")
    assert table.index[0] == "all"
    assert table.loc["all", "n"] == 305
    assert table.loc["EU", "low"] > 0 > table.loc["US", "high"]
    assert np.isnan(table.loc["all", "difference"])
    assert table.loc["tiny", "status"] == "unclear"
    assert found.p_equal < 0.001


def test_other_ways_of_counting_rest_on_complete_windows():
    units = {f"a{i}": ["2024-01-01", "2024-03-15"] for i in range(50)}
    units |= {f"b{i}": ["2024-01-20"] for i in range(50)}
    rows = ibis.memtable(days_of(units))
    counted = count(rows, clock=MONTHS, as_of=date(2024, 4, 30), basis=BOUGHT)
    table = ways(counted, rows, ages=[1, 3], brackets=[(1, 3), (4, 6)]).table
    at = table.set_index(["way", "last_age"])["retention"]
    assert at["bounded", 1] == 0
    assert at["unbounded", 1] == 0.5
    assert at["bracket", 3] == 0.5
    assert ("bracket", 6) not in at.index
    assert at["tenure", 1] == 0
    assert list(table.loc[table["way"] == "tenure", "n"]) == [100, 50]


def test_cohorts_of_a_tenure_clock_are_months():
    days = pd.Series(pd.to_datetime(["2024-02-29", "2024-03-01"]))
    months = cohort_of(days, Clock(kind="tenure"))
    assert list(months.dt.strftime("%Y-%m-%d")) == ["2024-02-01", "2024-03-01"]


def test_unknown_way_of_returning_is_refused():
    counted = count(days_of({}), clock=MONTHS, as_of=date(2024, 1, 31))
    with pytest.raises(InputError, match="not one of bounded, unbounded"):
        retention(counted, returned="sometimes")
