"""Licence utilisation: by hand, and against a count of every business day."""

from datetime import date

import numpy as np
import pytest
from adoption_worlds import DAY, LAST, days_of, every, licences_of, october
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.analysis.adoption.utilisation import business_days, utilisation

FIRST = date(2026, 8, 1)
SEPTEMBER = date(2026, 9, 1)
OCTOBER = date(2026, 10, 1)
LONG_AGO = date(2024, 2, 29)


def used(uses, stretches, *, groups=None, as_of=LAST):
    days = days_of([("z", None, FIRST), *uses], groups=groups)
    return utilisation(days, licences_of(stretches, groups=groups), span=october(days, as_of=as_of))


def working(first, last):
    return [d for d in every(first, last) if d.weekday() < 5]


def brute(uses, stretches, first, last):
    """People and seats of each business day, one account after the other."""
    people = seats = 0
    for day in working(first, last):
        for account, start, end, number in stretches:
            if start <= day and (end is None or day < end) and number:
                seats += number
                people += len({u for a, u, d in uses if a == account and d == day and u})
    return people, seats


DAYS = st.dates(date(2026, 8, 25), LAST)
STRETCHES = st.lists(
    st.tuples(st.sampled_from("abc"), DAYS, st.integers(1, 40), st.integers(0, 4)), max_size=3
).map(
    lambda rows: [
        (a, s, s + n * DAY, seats) for k, (a, s, n, seats) in enumerate(rows) if a == "abc"[k]
    ]
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    uses=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["u", "v", None]), DAYS), max_size=25
    ),
    stretches=STRETCHES,
)
def test_utilisation_is_that_of_every_business_day(uses, stretches):
    result = used(uses, stretches)
    people, seats = brute(uses, stretches, OCTOBER, LAST)
    before = brute(uses, stretches, SEPTEMBER, OCTOBER - DAY)
    if not seats and not before[1]:
        assert result.table.empty
        return
    row = result.table.iloc[0]
    if seats:
        assert row["value"] == pytest.approx(people / seats)
        assert row["seats"] == pytest.approx(seats / 22)
    else:
        assert np.isnan(row["value"])
    if seats and before[1]:
        assert row["previous"] == pytest.approx(before[0] / before[1])
    month = result.trend.set_index("month_start")["value"]
    if seats:
        assert month[OCTOBER] == pytest.approx(people / seats)
    assert date(2026, 7, 1) not in month.index


def test_more_people_than_licences_are_above_the_whole():
    """Two people on each business day of October over one seat; September is not over it."""
    uses = [("a", u, d) for d in every(SEPTEMBER, LAST) for u in ("u", "v")]
    result = used(uses, [("a", LONG_AGO, OCTOBER, 4), ("a", OCTOBER, None, 1)])
    row = result.table.iloc[0]
    assert (row["value"], row["previous"]) == pytest.approx((2.0, 0.5))
    assert (row["users"], row["seats"], row["n"]) == (2, 1, 1)
    assert (row["status"], row["reason"]) == ("unclear", "only 1 accounts with licences")
    bands = result.bands.set_index("band")
    assert bands["accounts"].sum() == bands.loc["more", "accounts"] == 1
    assert result.business_days == business_days(OCTOBER, LAST) == 22


def test_accounts_without_people_count_with_their_seats():
    uses = [("a", "u", d) for d in every(OCTOBER, LAST)]
    stretches = [(f"b{k}", LONG_AGO, None, 1) for k in range(9)] + [("a", LONG_AGO, None, 1)]
    result = used(uses, stretches)
    row = result.table.iloc[0]
    assert (row["value"], row["n"], row["status"]) == (pytest.approx(0.1), 10, "ok")
    bands = result.bands.set_index("band")
    assert list(bands.loc[["none", "up to all"], "accounts"]) == [9, 1]
    assert bands["share"].sum() == pytest.approx(1)


def test_people_without_seats_and_weekends_do_not_count():
    weekend = [("a", "u", date(2026, 10, 3)), ("a", "u", date(2026, 10, 4))]
    trial = [("t", "v", d) for d in every(OCTOBER, LAST)]
    row = used([*weekend, *trial], [("a", LONG_AGO, None, 2)]).table.iloc[0]
    assert row["value"] == 0
    assert np.isnan(row["ci_low"])


def test_accounts_that_do_not_state_their_seats_are_left_out_and_counted():
    uses = [(a, "u", d) for d in every(OCTOBER, LAST) for a in "ab"]
    result = used(uses, [("a", LONG_AGO, None, 2), ("b", LONG_AGO, None, None)])
    assert result.unstated == 1
    assert result.table.iloc[0]["value"] == pytest.approx(0.5)
    assert used(uses, []).table.empty


def test_a_part_of_a_month_is_not_in_the_trend():
    uses = [("a", "u", d) for d in every(date(2026, 8, 1), date(2026, 10, 20))]
    result = used(uses, [("a", LONG_AGO, None, 1)], as_of=date(2026, 10, 20))
    assert list(result.trend["month_start"]) == [date(2026, 8, 1), SEPTEMBER]
    assert result.table["reason"].iloc[0].endswith("is not over in the data")
    assert result.business_days == 14
