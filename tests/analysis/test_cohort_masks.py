"""Cohort counts against brute force over plain Python sets, for every clock."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.analysis.cohorts import masks
from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.masks import cohort_counts
from csa.analysis.cohorts.pairs import bracket_counts
from csa.errors import InputError

FIRST = date(2023, 12, 25)  # a Monday; a leap day and month ends lie ahead
DAY = timedelta(days=1)
AS_OF = date(2024, 4, 10)


def frame(rows):
    """Make activity of (group, user, moment, start)."""
    made = pd.DataFrame(rows, columns=["group", "user_id", "day", "signed_up_on"])
    made = made.astype({"group": "string", "user_id": "string"})
    return made.assign(
        day=pd.to_datetime(made["day"]), signed_up_on=pd.to_datetime(made["signed_up_on"])
    )


def period(clock, day):
    """First day of the period of a day, by the calendar itself."""
    if clock.kind == "month":
        return day.replace(day=1)
    back = (day.weekday() + (clock.week_start == "sunday")) % 7
    return day if clock.kind == "tenure" else day - back * DAY


def following(clock, start, length):
    """First day of the next period."""
    if clock.kind == "month":
        return (start + 31 * DAY).replace(day=1)
    return start + (7 if clock.kind == "week" else length) * DAY


def age_of(clock, begin, moment):
    if clock.kind == "tenure":
        return (moment - begin) // timedelta(days=clock.window_days)
    age, start = 0, period(clock, begin.date())
    while following(clock, start, 0) <= moment.date():
        age, start = age + 1, following(clock, start, 0)
    return age if moment.date() >= period(clock, begin.date()) else -1


def brute(rows, clock, as_of, *, stated):
    """Follow every unit through every age."""
    units = defaultdict(list)
    begins = defaultdict(list)
    for group, user, moment, start in rows:
        key = (group or "not stated", user)
        if user and moment and moment.date() <= as_of:
            units[key].append(moment)
        if user and start and start.date() <= as_of:
            begins[key].append(start)
    cohorts = defaultdict(list)
    for key in begins if stated else units:
        begin = min(begins[key] if stated else units[key])
        days = defaultdict(set)
        for moment in units[key]:
            days[age_of(clock, begin, moment)].add(moment.date())
        active = {age for age, own in days.items() if age >= 0 and len(own) >= clock.least_days}
        cohorts[key[0], period(clock, begin.date())].append(active)
    out = []
    for (group, start), own in sorted(cohorts.items()):
        age, begins_on = 0, start
        while begins_on <= as_of and (clock.last_age is None or age <= clock.last_age):
            now = sum(age in active for active in own)
            later = sum(max(active, default=-1) >= age for active in own)
            out.append((group, pd.Timestamp(start), age, len(own), now, later))
            begins_on = following(clock, begins_on, clock.window_days)
            age += 1
    return out


def counted(rows, clock, as_of, start=None):
    made = cohort_counts(frame(rows), unit="user_id", clock=clock, as_of=as_of, start=start)
    made = made.sort_values(["group", "cohort", "age"])
    return [tuple(r) for r in made.drop(columns="completes_on").itertuples(index=False)]


MOMENTS = st.integers(0, 24 * 120).map(
    lambda n: datetime.combine(FIRST, time()) + timedelta(hours=n)
)
DAYS = MOMENTS.map(lambda moment: datetime.combine(moment.date(), time()))
CLOCKS = st.builds(
    Clock,
    kind=st.sampled_from(["month", "week", "tenure"]),
    week_start=st.sampled_from(["monday", "sunday"]),
    window_days=st.sampled_from([1, 7, 30]),
    least_days=st.sampled_from([1, 1, 2]),
    last_age=st.sampled_from([None, 0, 3]),
)


@st.composite
def histories(draw):
    moments = draw(st.sampled_from([MOMENTS, DAYS]))
    size = draw(st.integers(0, 20))
    one = st.tuples(
        st.sampled_from(["x", "y", None]),
        st.sampled_from(["u", "v", "w", None]),
        st.one_of(moments, moments, st.none()),
        st.one_of(moments, moments, st.none()),
    )
    return draw(st.lists(one, min_size=size, max_size=size))


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(histories(), CLOCKS, st.booleans(), st.sampled_from([AS_OF, date(2024, 2, 29)]))
def test_cohort_counts_equal_following_every_unit(rows, clock, stated, as_of):
    start = "signed_up_on" if stated else None
    assert counted(rows, clock, as_of, start) == brute(rows, clock, as_of, stated=stated)


def crowd():
    """Draw 60 users over ten years, by a rule."""
    base = datetime(2014, 1, 31)  # noqa: DTZ001
    return [
        (None, f"u{n % 60}", base + timedelta(days=(n * 7919 + n % 60 * 61) % 3700), base)
        for n in range(900)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["month", "week"])
def test_cohort_counts_of_ten_years_take_several_words_or_pairs(monkeypatch, kind):
    clock, last = Clock(kind=kind), date(2024, 3, 31)
    several = counted(crowd(), clock, last)
    monkeypatch.setattr(masks, "MOST_WORDS", 0)
    assert several == counted(crowd(), clock, last)
    assert max(r[2] for r in several) > 63


@pytest.mark.parametrize(
    ("clock", "ends"),
    [
        (Clock(), ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]),
        (Clock(kind="tenure", window_days=30), ["2024-02-28", "2024-03-29", "2024-04-28"]),
    ],
)
def test_cells_tell_when_they_are_complete_and_true_zeros_stay(clock, ends):
    rows = [("x", "u", datetime(2024, 1, 30), None)]  # noqa: DTZ001
    made = cohort_counts(frame(rows), unit="user_id", clock=clock, as_of=AS_OF)
    assert made["completes_on"].dt.strftime("%Y-%m-%d").tolist() == ends
    assert made["active"].tolist() == [1, *[0] * (len(ends) - 1)]


def test_windows_of_24_hours_run_from_the_very_moment():
    at = datetime(2024, 1, 30, 15)  # noqa: DTZ001
    rows = [("x", "u", at, None), ("x", "u", at + timedelta(hours=24, seconds=-1), None)]
    made = counted(rows, Clock(kind="tenure", window_days=1, last_age=1), AS_OF)
    assert [r[4] for r in made] == [1, 0]
    rows[1] = ("x", "u", at + timedelta(hours=24), None)
    made = counted(rows, Clock(kind="tenure", window_days=1, last_age=1), AS_OF)
    assert [r[4] for r in made] == [1, 1]


def test_brackets_count_a_unit_once_and_its_active_days_together():
    day = [datetime(2024, 1, 5) + timedelta(days=n) for n in (0, 30, 60)]  # noqa: DTZ001
    rows = [("x", "u", d, None) for d in day] + [("x", "v", day[0], None)]
    for least, returned in ((1, 1), (2, 1), (3, 0)):
        clock = Clock(least_days=least)
        made = bracket_counts(
            frame(rows), unit="user_id", clock=clock, as_of=AS_OF, brackets=[(1, 2), (4, 6)]
        )
        assert made[["first_age", "n", "returned"]].to_numpy().tolist() == [[1, 2, returned]]
        assert made["completes_on"].dt.strftime("%Y-%m-%d").tolist() == ["2024-03-31"]


def test_cohort_counts_of_nobody_have_no_rows():
    assert cohort_counts(frame([]), unit="user_id", clock=Clock(), as_of=AS_OF).empty


def test_cohort_counts_refuse_what_cannot_be_counted():
    with pytest.raises(InputError, match="column account_id is missing"):
        cohort_counts(frame([]), unit="account_id", clock=Clock(), as_of=AS_OF)
    with pytest.raises(InputError, match="day is string"):
        cohort_counts(
            frame([]).assign(day="x").astype({"day": "string"}),
            unit="user_id",
            clock=Clock(),
            as_of=AS_OF,
        )
    with pytest.raises(InputError, match="window_days is 0") as refusal:
        Clock(window_days=0, least_days=0, last_age=-1)
    assert len(refusal.value.faults) == 3
    with pytest.raises(InputError, match="first age, last age"):
        bracket_counts(frame([]), unit="user_id", clock=Clock(), as_of=AS_OF, brackets=[(2, 1)])
