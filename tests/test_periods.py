"""Periods: names, windows, neighbours, and what is refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csa.errors import InputError
from csa.periods import Period, containing, day, last_complete, parse


@pytest.mark.parametrize(
    ("name", "kind", "start", "end", "label"),
    [
        ("2026-10-31", "day", date(2026, 10, 31), date(2026, 11, 1), "31 October 2026"),
        (
            "2026-W44",
            "week",
            date(2026, 10, 26),
            date(2026, 11, 2),
            "week 44 of 2026, from 26 October 2026",
        ),
        ("2026-W53", "week", date(2026, 12, 28), date(2027, 1, 4), None),
        ("2026-10", "month", date(2026, 10, 1), date(2026, 11, 1), "October 2026"),
        ("2026-12", "month", date(2026, 12, 1), date(2027, 1, 1), "December 2026"),
        ("2024-02", "month", date(2024, 2, 1), date(2024, 3, 1), "February 2024"),
        ("2026-Q3", "quarter", date(2026, 7, 1), date(2026, 10, 1), "Q3 2026"),
        ("2026", "year", date(2026, 1, 1), date(2027, 1, 1), "2026"),
    ],
)
def test_parse_gives_window_name_and_label(name, kind, start, end, label):
    period = parse(name)
    assert (period.kind, period.start, period.end, period.name) == (kind, start, end, name)
    assert period.as_of == end - timedelta(days=1)
    if label:
        assert period.label == label


def test_fiscal_periods_are_named_after_the_year_in_which_they_end():
    quarter = parse("FY2026-Q3", fiscal_year_start=4)
    assert (quarter.start, quarter.end) == (date(2025, 10, 1), date(2026, 1, 1))
    assert quarter.label == "Q3 FY2026"
    assert parse("FY2026", fiscal_year_start=4).start == date(2025, 4, 1)
    assert parse("FY2026", fiscal_year_start=4).label == "fiscal year 2026"
    assert parse("2026-Q3", fiscal_year_start=4).start == date(2026, 7, 1)  # calendar, as written
    assert parse("FY2026-Q3", fiscal_year_start=1).name == "2026-Q3"  # one name for one period


def test_fiscal_neighbours_keep_the_fiscal_year():
    quarter = parse("FY2026-Q1", fiscal_year_start=4)
    assert quarter.previous().name == "FY2025-Q4"
    assert quarter.next().name == "FY2026-Q2"
    assert parse("FY2026", fiscal_year_start=4).next().name == "FY2027"


def test_sunday_weeks_start_a_day_before_the_iso_week():
    week = parse("2026-W44", week_start="sunday")
    assert (week.start, week.end) == (date(2026, 10, 25), date(2026, 11, 1))
    assert week.previous().name == "2026-W43"
    assert week.previous().end == week.start
    assert containing("week", date(2026, 10, 31), week_start="sunday") == week


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("2026-13", "does not exist"),
        ("2026-02-30", "does not exist"),
        ("2025-W53", "does not exist"),
        ("2026-Q5", "is not a period"),
        ("October 2026", "is not a period"),
        ("2026-1", "is not a period"),
        ("", "is not a period"),
        ("FY2026-10", "only quarters and years can be fiscal"),
        ("1026-10", "is not a period"),
    ],
)
def test_parse_refuses_with_examples(name, fault):
    with pytest.raises(InputError, match=fault) as caught:
        parse(name)
    assert "2026-W44" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "last_day", "name"),
    [
        ("month", date(2026, 10, 31), "2026-10"),
        ("month", date(2026, 10, 30), "2026-09"),
        ("month", date(2026, 1, 30), "2025-12"),
        ("day", date(2026, 10, 31), "2026-10-31"),
        ("week", date(2026, 11, 1), "2026-W44"),
        ("week", date(2026, 10, 31), "2026-W43"),
        ("quarter", date(2026, 10, 31), "2026-Q3"),
        ("year", date(2026, 12, 31), "2026"),
    ],
)
def test_last_complete_ends_by_the_last_day(kind, last_day, name):
    assert last_complete(kind, last_day).name == name


def test_last_complete_fiscal_and_unknown_kind():
    assert last_complete("quarter", date(2026, 10, 31), fiscal_year_start=2).name == "FY2027-Q3"
    with pytest.raises(InputError, match="fortnight"):
        last_complete("fortnight", date(2026, 10, 31))


@pytest.mark.parametrize("text", ["31.10.2026", "2026-10-32", "2026/10/31", "20261031", ""])
def test_day_refuses_everything_but_iso(text):
    with pytest.raises(InputError):
        day(text)


def test_day_reads_iso():
    assert day("2024-02-29") == date(2024, 2, 29)


_DAYS = st.dates(min_value=date(1901, 1, 1), max_value=date(2900, 12, 31))
_KINDS = st.sampled_from(["day", "week", "month", "quarter", "year"])


@given(_KINDS, _DAYS, st.integers(1, 12), st.sampled_from(["monday", "sunday"]))
def test_periods_tile_the_calendar(kind, on, first_month, week_start):
    options = {"fiscal_year_start": first_month, "week_start": week_start}
    period = containing(kind, on, **options)
    assert period.start <= on < period.end
    assert parse(period.name, **options) == period
    assert period.next().start == period.end
    assert period.previous().end == period.start
    assert period.next().previous() == period
    newest = last_complete(kind, on, **options)
    assert newest.end <= on + timedelta(days=1) < newest.next().end + timedelta(days=1)
    assert isinstance(newest, Period)
