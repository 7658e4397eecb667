"""Actives, stickiness and use per person: by hand, and against sets of people."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from adoption_worlds import DAY, LAST, days_of, every, october
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.analysis.adoption.actives import account_use, actives
from csa.analysis.adoption.depth import depth
from csa.analysis.adoption.stickiness import stickiness
from csa.analysis.adoption.windows import span
from csa.errors import InputError

FIRST = date(2026, 8, 1)  # long enough for all windows of October and September


def computed(uses, *, groups=None, as_of=LAST, **common):
    days = days_of(uses, groups=groups, **common)
    about = october(days, as_of=as_of)
    use = account_use(days, span=about).cache()
    return actives(days, use, span=about), use, about


def cell(result, measure, unit="users", group="all"):
    rows = result.table.query("group == @group and unit == @unit and measure == @measure")
    return rows.iloc[0]


def people(uses, first, last, *, at=1):
    return {use[at] for use in uses if first <= use[2] <= last and use[at]}


USES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["u", "v", "w", None]),
        st.dates(date(2026, 7, 30), LAST),
    ),
    min_size=1,
    max_size=40,
).map(lambda uses: [(a, u and f"{a}{u}", d) for a, u, d in uses])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(uses=USES)
def test_actives_and_stickiness_are_those_of_sets_of_people(uses):
    uses = [("z", None, FIRST), *uses]  # recorded from the first day on
    groups = {"a": "x", "b": "x", "c": "y", "z": "z"}
    result, _, _ = computed(uses, groups=groups)
    if result.table.empty:
        assert not people(uses, LAST - 55 * DAY, LAST, at=0)
        return
    month = [len(people(uses, last - 27 * DAY, last)) for last in (LAST, LAST - 28 * DAY)]
    assert [cell(result, "monthly")[c] for c in ("value", "previous")] == month or not any(month)
    if not any(month):
        return
    weeks = [len(people(uses, LAST - (7 * k + 6) * DAY, LAST - 7 * k * DAY)) for k in range(4)]
    assert cell(result, "weekly")["value"] == pytest.approx(np.mean(weeks))
    daily = [len(people(uses, LAST - k * DAY, LAST - k * DAY)) for k in range(28)]
    assert cell(result, "daily")["value"] == pytest.approx(np.mean(daily))
    accounts = len({a for a, _, d in uses if d > LAST - 28 * DAY})
    assert cell(result, "monthly", "accounts")["value"] == accounts
    sticky = stickiness(result)
    shares = [
        len(people(uses, d, d)) / held
        for d in every(date(2026, 10, 1), LAST)
        if (held := len(people(uses, d - 27 * DAY, d)))
    ]
    if shares:
        value = sticky.table.set_index("group").loc["all", "value"]
        assert value == pytest.approx(np.mean(shares))


def test_change_compares_four_weeks_with_the_four_before_and_knows_accounts():
    """Ten accounts of two; in five of them one person no longer comes."""
    uses = [("z", None, FIRST)]
    for k in range(10):
        uses += [(f"a{k}", f"u{k}", LAST), (f"a{k}", f"u{k}", LAST - 30 * DAY)]
        uses += [(f"a{k}", f"v{k}", LAST - 30 * DAY)]
        uses += [(f"a{k}", f"v{k}", LAST - DAY)] if k < 5 else []
    result, use, _ = computed(uses)
    row = cell(result, "monthly")
    assert (row["value"], row["previous"], row["n"]) == (15, 20, 10)
    assert row["change"] == pytest.approx(-0.25)
    assert row["ci_low"] < -0.25 < row["ci_high"] < 0
    assert row["status"] == "ok"
    assert use.count().execute() == 10


def test_a_day_before_its_window_is_recorded_whole_is_no_count():
    uses = [("a", "u", d) for d in every(LAST - 40 * DAY, LAST)]
    result, _, about = computed(uses)
    assert np.isnan(cell(result, "monthly")["previous"])
    assert result.trend.query("window_days == 28")["day"].min().date() == LAST - 13 * DAY
    sticky = stickiness(result).table.iloc[0]
    assert sticky["status"] == "unclear"
    assert "28 days before" in sticky["reason"]
    assert not about.covers(about.window(1)[0])


def test_stickiness_of_one_who_comes_every_other_day_is_a_half():
    uses = [("a", "u", d) for d in every(date(2026, 7, 1), LAST) if d.toordinal() % 2]
    result, _, _ = computed(uses)
    row = stickiness(result).table.iloc[0]
    assert row["value"] == pytest.approx(0.5, abs=0.02)
    assert row["users"] == 1
    assert row["reason"] == "only 1 people within 28 days"


def test_people_of_two_accounts_count_once_and_accounts_without_people_count():
    uses = [("z", None, FIRST), ("a", "u", LAST), ("b", "u", LAST), ("c", None, LAST)]
    result, _, _ = computed(uses, groups={"a": "x", "b": "y", "c": "y", "z": "y"})
    assert cell(result, "monthly")["value"] == 1
    assert cell(result, "monthly", group="y")["value"] == 1
    assert cell(result, "monthly", "accounts")["value"] == 3


def test_use_per_person_is_a_ratio_of_sums():
    uses = [("z", None, FIRST)]
    uses += [("a", "u", LAST - k * DAY) for k in range(6)] + [("b", "v", LAST)] * 3
    _, use, about = computed(uses)
    table = depth(use, span=about).table.set_index("measure")
    assert table.loc["days", "value"] == pytest.approx(7 / 2)
    assert table.loc["events", "value"] == pytest.approx(9 / 2)
    assert table.loc["seconds", "value"] == pytest.approx(540 / 7)
    assert table.loc["days", "reason"] == "only 2 accounts"


def test_measures_that_no_event_states_are_absent():
    uses = [("z", None, FIRST), ("a", "u", LAST)]
    _, use, about = computed(uses, sessions=0, seconds=None)
    assert set(depth(use, span=about).table["measure"]) == {"days", "events"}
    _, use, about = computed([("z", None, FIRST), ("a", None, LAST)])
    assert depth(use, span=about).table.empty


@pytest.mark.parametrize(
    ("as_of", "uses", "reason"),
    [
        (date(2026, 10, 20), [("a", "u", date(2026, 10, 19))], "not over in the data"),
        (LAST, [("a", "u", date(2026, 10, 2))], "after 2026-10-02"),
        (LAST, [], "no use is recorded"),
        (LAST, [("a", "u", LAST - 3 * DAY)], ""),
    ],
)
def test_a_period_that_is_not_known_to_its_end_says_so(as_of, uses, reason):
    about = october(days_of(uses), as_of=as_of)
    assert reason in about.reason
    assert bool(about.reason) == bool(reason)
    assert about.last == min(as_of, LAST)
    result, use, _ = computed(uses, as_of=as_of)
    assert (result.table["status"] == "unclear").all()
    assert stickiness(result).table["status"].eq("unclear").all()
    assert depth(use, span=about).table["status"].eq("unclear").all()


def test_a_period_without_a_day_is_refused():
    days = days_of([("a", "u", LAST)])
    with pytest.raises(InputError, match="holds no day"):
        span(days, start=LAST, end=LAST, previous_start=FIRST, as_of=LAST)
    with pytest.raises(InputError, match="after the last day known"):
        span(days, start=LAST, end=LAST + DAY, previous_start=FIRST, as_of=FIRST)
    with pytest.raises(InputError, match="column user_id is missing"):
        october(pd.DataFrame({"account_id": ["a"], "day": [LAST]}))


@pytest.mark.slow
def test_stickiness_intervals_hold_the_truth_with_four_weeks():
    """400 months whose weeks (from Monday, 31 August) scatter around 0.3."""
    rng = np.random.default_rng(5)
    held = 0
    days = every(date(2026, 9, 1), LAST)
    about = october(days_of([("a", "u", FIRST), ("a", "u", LAST)]))
    base = computed([("a", "u", FIRST), ("a", "u", LAST)])[0]
    for _ in range(400):
        level = 0.3 + np.repeat(rng.normal(0, 0.03, 10), 7)[1 : len(days) + 1]
        rows = pd.DataFrame({"group": "all", "day": pd.to_datetime(days), "whole": True})
        daily = pd.concat(
            [
                rows.assign(window_days=1, actives=1000 * level),
                rows.assign(window_days=28, actives=1000.0),
            ]
        )
        made = type(base)(table=base.table, trend=base.trend, daily=daily, span=about)
        row = stickiness(made).table.iloc[0]
        held += row["ci_low"] <= 0.3 <= row["ci_high"]
    assert 0.92 <= held / 400 <= 0.985
