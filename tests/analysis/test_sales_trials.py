"""Trials: published intervals, worlds made by hand, and what must hold in any."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sales_worlds import AS_OF, DAY, OCTOBER, trials

from csa.analysis.revenue.time_to import time_to_conversion
from csa.analysis.revenue.trial_return import trial_return
from csa.analysis.revenue.trials import trial_to_paid
from csa.errors import InputError
from csa.methods.intervals import Estimate

MATURE = date(2026, 8, 20)  # comes to 60 days on 19 October


def rate(rows, **more):
    return trial_to_paid(trials(rows), span=OCTOBER, as_of=AS_OF, **more)


def of_all(result):
    return result.table.iloc[0]


@pytest.mark.parametrize(
    ("converted", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_of_trials_are_those_newcombe_printed(converted, n, low, high):
    """Newcombe (1998), Stat. Med. 17, 857-872, Table I, method 3 (score), to 4 decimals."""
    row = of_all(rate([(MATURE, 10 if k < converted else None) for k in range(n)]))
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([low, high], abs=5e-5)


def test_only_trials_that_came_of_age_in_the_period_count():
    rows = [(MATURE, 5)] * 6 + [(MATURE, None)] * 6  # of age in October
    rows += [(date(2026, 10, 15), 3)] * 40  # too young, though they have converted
    rows += [(date(2026, 7, 20), 5)] * 8 + [(date(2026, 7, 20), None)] * 2  # in September
    result = rate(rows)
    row = of_all(result)
    assert (row["n"], row["converted"], row["status"]) == (12, 6, "ok")
    assert row["rate_previous"] == pytest.approx(0.8)
    assert row["change"] == pytest.approx(-0.3)
    october = result.months.iloc[-1]
    assert (october["n"], october["mature"], october["state"]) == (40, 0, "not started")
    assert pd.isna(october["rate"])
    assert october["naive"] == 1.0


def test_conversion_after_the_age_is_none_and_on_the_day_is_one():
    row = of_all(rate([(MATURE, 60), (MATURE, 61), (MATURE, 60), (MATURE, None)]))
    assert (row["n"], row["converted"]) == (4, 2)
    assert row["status"] == "unclear"
    assert row["reason"] == "only 4 trials came to an age of 60 days"


def test_month_is_open_while_its_last_trials_are_young():
    result = rate([(date(2026, 8, 2), 5), (date(2026, 9, 1), 5), (date(2026, 9, 30), None)])
    august, september = result.months.iloc[-3], result.months.iloc[-2]
    assert (august["state"], august["completes_on"]) == ("complete", date(2026, 10, 30))
    assert (september["state"], september["mature"], september["rate"]) == ("open", 1, 1.0)


def test_trials_before_observation_are_left_out():
    rows = trials([(MATURE, 5)] * 3)
    rows["observed_from"] = [MATURE, MATURE + DAY, None]
    result = trial_to_paid(rows, span=OCTOBER, as_of=AS_OF)
    assert of_all(result)["n"] == 2


def test_no_trial_is_a_result():
    row = of_all(rate([]))
    assert (row["n"], row["status"]) == (0, "unclear")
    assert pd.isna(row["rate"])


def test_a_missing_column_and_no_age_are_refused():
    with pytest.raises(InputError, match="column converted_on is missing"):
        trial_to_paid(trials([]).drop(columns="converted_on"), span=OCTOBER, as_of=AS_OF)
    with pytest.raises(InputError, match="1 or more"):
        rate([], within_days=0)


STARTS = st.dates(date(2026, 6, 1), AS_OF)
WORLDS = st.lists(st.tuples(STARTS, st.none() | st.integers(0, 150)), max_size=25)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(rows=WORLDS, within=st.integers(1, 90))
def test_immature_trials_never_count_and_nothing_after_as_of_is_seen(rows, within):
    """Against plain Python; the day on which the world is cut off must not matter."""
    result = rate(rows, within_days=within)
    of_age = [(s, k) for s, k in rows if date(2026, 10, 1) <= s + within * DAY <= AS_OF]
    row = of_all(result)
    assert row["n"] == len(of_age)
    assert row["converted"] == sum(k is not None and k <= within for _, k in of_age)
    known = [(s, k if k is not None and s + k * DAY <= AS_OF else None) for s, k in rows]
    again = rate(known, within_days=within)
    pd.testing.assert_frame_equal(result.table, again.table)
    pd.testing.assert_frame_equal(result.months, again.months)
    assert (result.months["mature"] <= result.months["n"]).all()


def test_curve_of_trials_all_decided_is_the_share_itself():
    rows = [(date(2026, 1, 5), k) for k in (1, 5, 5, 20, *[None] * 16)]
    found = time_to_conversion(trials(rows), since=date(2026, 1, 1), as_of=AS_OF, by_age=60)
    at = found.curves.set_index("age")["share"]
    assert at[1] == pytest.approx(0.05)
    assert at[5] == pytest.approx(0.15)
    assert found.table.iloc[0]["share"] == pytest.approx(0.2)
    assert pd.isna(found.table.iloc[0]["median"])


def test_running_trials_are_censored_not_lost():
    """Half of ten convert on day 5; ten more have run 3 days only and say nothing of day 5."""
    old = [(date(2026, 1, 5), 5)] * 5 + [(date(2026, 1, 5), None)] * 5
    young = [(AS_OF - 3 * DAY, None)] * 10
    since = date(2026, 1, 1)
    found = time_to_conversion(trials(old + young), since=since, as_of=AS_OF, by_age=60)
    assert found.table.iloc[0]["share"] == pytest.approx(0.5)
    assert found.table.iloc[0]["n"] == 20


def test_curve_knows_nothing_beyond_the_oldest_trial():
    rows = [(AS_OF - 20 * DAY, None)] * 15
    found = time_to_conversion(trials(rows), since=date(2026, 1, 1), as_of=AS_OF, by_age=60)
    row = found.table.iloc[0]
    assert (row["status"], row["reason"]) == ("unclear", "none was watched for 60")
    assert pd.isna(row["share"])


def test_return_is_share_times_worth_less_cost():
    found = rate([(MATURE, 5)] * 20 + [(MATURE, None)] * 20)
    worth = {"all": Estimate(1000_00.0, 800_00.0, 1250_00.0)}
    row = trial_return(found, cost_per_trial_minor=100_00, worth=worth).table.iloc[0]
    assert row["per_trial_minor"] == pytest.approx(500_00)
    assert row["net_minor"] == pytest.approx(400_00)
    assert row["total_minor"] == pytest.approx(40 * 400_00)
    assert row["net_minor_low"] < 400_00 < row["net_minor_high"]
    assert row["status"] == "ok"


@pytest.mark.parametrize(
    ("cost", "worth", "reason"),
    [
        (None, {"all": Estimate(1.0, 1.0, 1.0)}, "the cost of a trial is not stated"),
        (5.0, {}, "what a new customer is worth is not known"),
    ],
)
def test_return_is_blank_without_cost_or_worth(cost, worth, reason):
    found = rate([(MATURE, 5)] * 20)
    row = trial_return(found, cost_per_trial_minor=cost, worth=worth).table.iloc[0]
    assert (row["status"], row["reason"]) == ("unclear", reason)
    assert pd.isna(row["net_minor"])


def test_groups_are_split_and_add_up():
    rows = pd.concat(
        [trials([(MATURE, 5)] * 4, group="A"), trials([(MATURE, None)] * 3, group="B")]
    )
    table = trial_to_paid(rows, span=OCTOBER, as_of=AS_OF).table.set_index("group")
    assert list(table["n"]) == [7, 4, 3]
    assert list(table["converted"]) == [4, 4, 0]
