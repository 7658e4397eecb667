"""Cohorts: said, drawn and listed, or why not."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import cohort_samples as samples
import pytest
from sample_editions import Target

from csa.analysis.cohorts.counted import Basis
from csa.analysis.cohorts.trend import age_trend
from csa.present import narrate, plots, tables
from csa.present.cohort_words import CohortWords
from csa.present.plots.cohorts_triangle import chosen_ages
from csa.present.words import Words

SVG = "{http://www.w3.org/2000/svg}"
ENGLISH = Words("en", "EUR")
PART = date(2026, 10, 12)

pytestmark = pytest.mark.slow


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


def findings(have, words=ENGLISH):
    return [
        narrate.cohort_retention(have["kept"], ages=[1, 3, 12], words=words),
        narrate.cohort_basis(have["kept"], asked="purchased", left_out=3, words=words),
        narrate.cohort_change(have["trend"], words=words),
        narrate.cohort_groups(have["groups"], words=words),
        narrate.cohort_revenue(have["revenue"], age=12, words=words),
        narrate.cohort_ways(have["ways"], age=3, words=words),
    ]


def charts(have, words=ENGLISH):
    return [
        plots.cohort_triangle(have["kept"], words=words),
        plots.cohort_trend(have["trend"], words=words),
        plots.cohort_curves(have["kept"], words=words),
        plots.cohort_groups(have["groups"], words=words),
        plots.cohort_revenue(have["revenue"], words=words),
        plots.cohort_revenue_triangle(have["revenue"], words=words),
    ]


def listed(have, words=ENGLISH):
    return [
        tables.cohort_ages(have["kept"], have["later"], words=words),
        tables.cohort_trend(have["trend"], words=words),
        tables.cohort_groups(have["groups"], words=words),
        tables.cohort_ways(have["ways"], words=words),
        tables.cohort_revenue(have["revenue"], words=words),
    ]


@pytest.mark.parametrize("clock", ["month", "week", "tenure"])
@pytest.mark.parametrize("groups", [samples.PLAIN, samples.HOSTILE])
def test_every_item_shows_cohorts_of_every_clock(clock, groups):
    have = samples.made(groups=groups, clock=clock)
    for item in findings(have):
        assert item.part()["text"]
        assert "nan" not in f"{item.text}{item.evidence}{item.action}"
    for item in charts(have):
        for drawing in (item.svg, item.svg_narrow):
            assert texts(drawing) or "<path" in drawing  # names from right to left are outlines
            assert "<script" not in drawing
        assert "nan" not in f"{item.alt}{item.caption}"
        assert len(item.data)
    for item in listed(have):
        assert item.cells()
        assert "nan" not in str(item.cells())


def test_nobody_is_a_page_that_says_so():
    have = samples.nobody()
    for item in findings(have):
        assert item.status == "unclear"
    for item in charts(have):
        assert item.alt.endswith(".")
    for item in listed(have):
        assert item.cells() == []
        assert item.empty


def test_triangle_writes_each_cell_once_and_marks_what_is_open():
    have = samples.made(as_of=PART)
    chart = plots.cohort_triangle(have["kept"], words=ENGLISH)
    cells = have["kept"].cells
    mine = cells.loc[(cells["group"] == "all") & (cells["state"] == "open")]
    assert len(mine) == 13  # ages 0 to 12 of the newest cohorts
    assert "Outlined: open, the share so far; complete on Oct 31, 2026." in chart.caption
    assert "*: fewer than 30" in chart.caption
    assert "9*" in texts(chart.svg)
    newest = sorted(cells["cohort"].unique())[-13:]
    drawn = cells.loc[
        (cells["group"] == "all")
        & cells["cohort"].isin(newest)
        & (cells["age"] > 0)
        & (cells["state"] != "not started")
    ]
    whole = have["kept"].pooled
    pooled = whole.loc[(whole["group"] == "all") & (whole["age"] > 0)]
    shares = [t for t in texts(chart.svg) if t.endswith("%")]
    assert len(shares) == len(drawn) + len(pooled)
    assert len([t for t in texts(chart.svg_narrow) if t.endswith("%")]) < len(shares)
    assert chart.svg.count("stroke-dasharray") >= len(drawn.loc[drawn["state"] == "open"])
    assert set(chart.data["state"]) == {"complete", "open"}


def test_ages_with_room_are_the_first_and_round_ones():
    cells = samples.made()["kept"].cells
    cells = cells.loc[cells["group"] == "all"]
    assert chosen_ages(cells, 13) == list(range(1, 13))
    assert chosen_ages(cells, 6) == [1, 2, 3, 6, 9, 12]


def test_standing_tells_the_shares_and_is_judged_by_its_target():
    kept = samples.made()["kept"]
    pooled = kept.pooled.loc[kept.pooled["group"] == "all"].set_index("age")["retention"]
    said = narrate.cohort_retention(kept, ages=[1, 3, 12], words=ENGLISH)
    for age in (1, 3, 12):
        assert f"{ENGLISH.share(pooled[age])}" in said.text
    assert "bought again in month 1" in said.text
    assert (said.measure.metric_id, said.word) == ("retention_month_12", "No target")
    low, high = said.measure.low, said.measure.high
    for target, status in ((low - 0.05, "good"), (high + 0.05, "bad"), (pooled[12], "unclear")):
        goal = Target(target, None, "higher")
        found = narrate.cohort_retention(kept, ages=[1, 3, 12], target=goal, words=ENGLISH)
        assert found.status in ({status, "good"} if status == "unclear" else {status})
    far = narrate.cohort_retention(kept, ages=[3, 40], target=Target(0.9, None, "higher"))
    assert far.measure.target is None  # the target is that of an age which nobody has completed


@pytest.mark.parametrize(
    ("better", "status", "words"),
    [(0.2, "good", "more than"), (-0.2, "bad", "fewer than"), (0.0, "unclear", "than of")],
)
def test_change_is_told_with_its_verdict(better, status, words):
    kept = samples.made(better=better)["kept"]
    said = narrate.cohort_change(age_trend(kept, age=1), words=ENGLISH)
    assert said.status == status
    assert words in said.text
    assert said.kind == "change"
    assert ("More than chance" in said.evidence) == (status != "unclear")
    assert "Trend over these" in said.evidence
    assert (said.weight > 0) == (status != "unclear")


def test_group_that_stays_less_is_named():
    said = narrate.cohort_groups(samples.made()["groups"], by="sales_channel", words=ENGLISH)
    assert said.status == "watch"
    assert said.text.startswith("Of Retail") or said.text.startswith("Of Trade")
    assert "fewer than of all others" in said.text
    assert said.title == "Retention by sales channel"


def test_basis_says_who_is_left_out_and_what_is_followed_instead():
    kept = samples.made()["kept"]
    said = narrate.cohort_basis(kept, asked="paid", left_out=232, words=ENGLISH)
    assert "There are no subscriptions in the data" in said.evidence
    assert "Left out: 232 accounts" in said.evidence
    assert "569 customers in 15 cohorts" in said.text
    plain = narrate.cohort_basis(kept, asked="purchased", words=ENGLISH)
    assert "Left out" not in plain.evidence


def test_ways_are_good_only_where_none_lies_outside_the_interval():
    have = samples.made()["ways"]
    assert narrate.cohort_ways(have, age=3, words=ENGLISH).status == "watch"
    alike = have.table.assign(retention=0.5, ci_low=0.4, ci_high=0.6)
    assert narrate.cohort_ways(replace(have, table=alike), age=3).status == "good"
    assert narrate.cohort_ways(have, age=40).status == "unclear"


@pytest.mark.parametrize(
    ("clock", "age", "said"),
    [("month", 3, "month 3"), ("week", 4, "week 4"), ("tenure", 3, "days 90 to 119")],
)
def test_ages_are_called_by_their_clock(clock, age, said):
    kept = samples.made(clock=clock)["kept"]
    say = CohortWords(basis=kept.basis, clock=kept.clock, words=ENGLISH)
    assert say.age(age) == said
    assert say.at(age) == f"in {said}"
    paid = CohortWords(basis=Basis(), clock=kept.clock, words=ENGLISH)
    assert paid.at(age) == f"at the end of {said}"
    assert paid.who(1) == "account"
    users = Basis(unit="user_id", activity="used")
    assert CohortWords(basis=users, clock=kept.clock, words=ENGLISH).who() == "users"


def test_names_follow_the_locale():
    kept = samples.made()["kept"]
    say = CohortWords(basis=kept.basis, clock=kept.clock, words=Words("de", "EUR"))
    assert say.cohort(date(2026, 10, 1)) == "Okt. 2026"
    assert say.cohorts(date(2026, 10, 1), date(2026, 10, 1)) == "Okt. 2026"
