"""Charts of the churn chapter: the same bytes for the same input, direct labels, no data."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache

import churn_samples as churn
import numpy as np
import pytest
import sample_editions as sample

from csa.analysis.churn.causes import incidence
from csa.analysis.churn.hazard_rates import hazard_by_age as rates_by_age
from csa.present.canvas import text_width
from csa.present.plots.causes import colours_of
from csa.present.plots.causes import incidence as incidence_chart
from csa.present.plots.causes_by_month import causes_by_month
from csa.present.plots.hazard import hazard_by_age
from csa.present.plots.revenue import accounts_and_revenue
from csa.present.words import Words

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>alert(1)</script>" + "W" * 60


def both(rows=None):
    found = churn.revenue(rows)
    return churn.accounts_of(found), found


def nasty():
    return churn.caused().replace({"cause": {"voluntary": NASTY}})


PLAIN = {
    "revenue": cache(lambda: accounts_and_revenue(*both())),
    "reasons": cache(lambda: incidence_chart(churn.reasons())),
    "months": cache(lambda: causes_by_month(churn.lately())),
    "hazard": cache(lambda: hazard_by_age(churn.hazards())),
}
HOSTILE = {
    "revenue": cache(lambda: accounts_and_revenue(*both(churn.revenue_rows((NASTY, "b"))))),
    "reasons": cache(lambda: incidence_chart(incidence(nasty(), causes=(NASTY, "involuntary")))),
    "months": cache(lambda: causes_by_month(churn.lately(nasty(), causes=(NASTY, "involuntary")))),
    "hazard": cache(lambda: hazard_by_age(rates_by_age(churn.renewing(groups=(NASTY, "b"))))),
}
EMPTY = {
    "revenue": lambda: accounts_and_revenue(*both(churn.revenue_rows().head(0))),
    "reasons": lambda: incidence_chart(incidence(churn.caused().head(0))),
    "months": lambda: causes_by_month(churn.lately(churn.caused().head(0))),
    "hazard": lambda: hazard_by_age(rates_by_age(sample.spells().head(0))),
}
SAID = {
    "revenue": {"of 240 accounts", "of €1.3M", "SMB", "10.0%"},
    "reasons": {"Have left", "months since start"},
    "months": {"Oct", "Nov"},
    "hazard": {"Leave per month", "All accounts", "SMB", "Enterprise", "month 13: 12.9%"},
}


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


@pytest.mark.slow
@pytest.mark.parametrize("name", PLAIN)
def test_bytes_repeat(name):
    first, second = PLAIN[name](), PLAIN[name].__wrapped__()
    assert (first.svg, first.svg_narrow) == (second.svg, second.svg_narrow)
    assert first.part() == second.part()


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.slow
def test_labels_are_real_texts(name):
    chart = PLAIN[name]()
    assert set(texts(chart.svg)) >= SAID[name]
    assert 'viewBox="0 0 518.4 ' in chart.svg
    assert 'viewBox="0 0 259.2 ' in chart.svg_narrow


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_drawings_hold_nothing_that_loads_or_runs(name):
    for svg in (HOSTILE[name]().svg, HOSTILE[name]().svg_narrow):
        assert svg.startswith("<svg ")
        for bad in ("<script", "<style", "<metadata", "<?xml"):
            assert bad not in svg
        assert set(re.findall(r'href="(.)', svg)) <= {"#"}


@pytest.mark.parametrize("charts", [PLAIN, HOSTILE], ids=["plain", "hostile"])
@pytest.mark.parametrize("name", PLAIN)
def test_labels_stay_inside_and_are_large_enough(name, charts):
    for svg in (charts[name]().svg, charts[name]().svg_narrow):
        width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
        for node in ET.fromstring(svg).iter(f"{SVG}text"):  # noqa: S314
            points = float(re.search(r"([\d.]+)px", node.get("style"))[1])
            assert points >= 8.5
            long = text_width(node.text, points, semibold="600" in node.get("style")) * 72
            anchor = re.search(r"text-anchor: (\w+)", node.get("style"))
            share = {"middle": 0.5, "end": 1.0}.get(anchor[1] if anchor else "start", 0.0)
            if node.get("x") is None:  # one of several lines, placed with the others
                continue
            start = float(node.get("x")) - share * long
            assert start >= -1
            assert start + long <= width + 1


@pytest.mark.parametrize("name", EMPTY)
def test_without_data_a_drawing_says_so(name):
    chart = EMPTY[name]()
    assert chart.svg.startswith("<svg ")
    assert texts(chart.svg) == [chart.alt]


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.slow
def test_alt_and_caption_say_what_is_drawn(name):
    chart = PLAIN[name]()
    assert "%" in chart.alt or "of them in the last" in chart.alt
    assert chart.caption.endswith(".")
    assert chart.part()["csv"].count("\n") == len(chart.data) + 1


def test_reasons_that_nobody_recorded_are_not_drawn():
    spells = sample.spells().assign(cause=None)
    for chart in (incidence_chart(incidence(spells)), causes_by_month(churn.lately(spells))):
        assert chart.alt == "No reason is recorded for the accounts that left."
    few = incidence_chart(incidence(churn.caused().head(12)))
    assert few.alt.startswith("Too little to draw: only ")


def test_groups_with_the_most_revenue_come_first():
    said = texts(PLAIN["revenue"]().svg)
    assert said.index("Enterprise") < said.index("SMB") < said.index("All accounts")


def test_smaller_groups_are_counted_not_drawn():
    chart = accounts_and_revenue(*both(churn.revenue_rows(tuple(f"R{i}" for i in range(11)))))
    assert chart.caption.endswith("3 further groups not drawn.")
    assert "R9" not in texts(chart.svg)


def test_accounts_without_known_revenue_still_stand():
    accounts, revenue = both()
    half = replace(revenue, table=revenue.table.assign(rate=np.nan, ci_low=np.nan, ci_high=np.nan))
    chart = accounts_and_revenue(accounts, half)
    assert "–" in texts(chart.svg)


def test_curves_end_with_what_the_reasons_took():
    chart = PLAIN["reasons"]()
    last = chart.data.groupby("cause", sort=False).last()
    assert set(texts(chart.svg)) >= {
        f"{cause.capitalize()} {Words().percent(row['incidence'])}"
        for cause, row in last.iterrows()
    }
    total = last["incidence"].sum() + last["survival"].iloc[0]
    assert total == pytest.approx(1)
    assert "the reasons add up to 100% at" in chart.caption


def test_a_group_may_be_drawn_alone():
    chart = incidence_chart(churn.reasons(), group="SMB")
    assert chart.alt.startswith("SMB: share that has left for each reason")
    assert set(chart.data["group"]) == {"SMB"}


@pytest.mark.slow
def test_reasons_beyond_the_colours_are_counted_not_drawn():
    spells = churn.caused()
    many = spells.assign(cause=[f"r{i % 8}" for i in range(len(spells))])
    many["cause"] = many["cause"].where(many["event"])
    causes = tuple(f"r{i}" for i in range(8))
    assert incidence_chart(incidence(many, causes=causes)).caption.endswith(
        "2 smaller reasons not drawn."
    )
    assert causes_by_month(churn.lately(many, causes=causes)).caption.endswith(
        "2 smaller reasons not drawn."
    )


def test_reasons_that_nobody_stated_are_grey():
    assert colours_of(["a", "not stated"])["not stated"] != colours_of(["a", "not stated"])["a"]
    assert colours_of(["not stated", "a"])["a"] == colours_of(["a"])["a"]


def test_months_add_up_and_are_numbered():
    chart = PLAIN["months"]()
    data = chart.data
    assert f"All {data['events'].sum()}" in texts(chart.svg)
    for cause, rows in data.groupby("cause"):
        assert f"{cause.capitalize()} {rows['events'].sum()}" in texts(chart.svg)
    assert "2025" in " ".join(texts(chart.svg))


@pytest.mark.slow
def test_many_months_lose_their_numbers_not_their_names():
    chart = causes_by_month(churn.lately(count=30))
    assert "numbered" not in chart.caption
    assert any(text.startswith("Voluntary ") for text in texts(chart.svg_narrow))
    assert len(texts(chart.svg_narrow)) < 20


@pytest.mark.slow
def test_one_month_and_quarters_are_drawn():
    one = causes_by_month(churn.lately(count=1))
    assert one.alt.startswith("Accounts that left in Oct 2026, by reason: ")
    quarters = causes_by_month(churn.lately(count=4, last="2026-Q3"))
    assert "2026-Q3" in texts(quarters.svg)


def test_a_month_that_is_not_over_is_lighter_and_named():
    chart = causes_by_month(churn.lately(last="2026-11"))
    assert "Not over in the data: Nov 2026." in chart.caption
    assert "opacity: 0.4" in chart.svg


def test_groups_get_a_row_each_only_when_few_with_enough_that_left():
    many = rates_by_age(churn.renewing(groups=tuple("abcdef"), accounts=200))
    chart = hazard_by_age(many)
    assert set(chart.data["group"]) == {"all"}
    assert "6 groups not drawn: too many, or fewer than 30 left." in chart.caption
    assert set(PLAIN["hazard"]().data["group"]) == {"all", "SMB", "Enterprise"}


def test_rates_are_drawn_up_to_an_age():
    chart = hazard_by_age(churn.hazards(), until_days=300)
    assert chart.data["to_days"].max() == 300
    assert "month 13" not in " ".join(texts(chart.svg))
    assert "Highest in month 13" in chart.alt


def test_drawings_stay_small():
    for name, make in PLAIN.items():
        assert len(make().svg) < 150_000, name
