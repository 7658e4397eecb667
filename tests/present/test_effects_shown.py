"""What goes with leaving sooner: said, drawn and listed."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from spell_samples import HOSTILE, attributed, effects_of, seats_effect

from csa.analysis.churn.effects import effects
from csa.present import narrate, plots, tables
from csa.present.effect_rows import (
    age_band,
    effect_rows,
    ratio,
    ratio_interval,
    where_not_proportional,
)
from csa.present.narrate.effects import _faster as faster
from csa.present.plots.effects import MOST_LEVELS
from csa.present.words import Words

SVG = "{http://www.w3.org/2000/svg}"
THREE = ("onboarding", "sales_channel", "plan")
WORDS = Words()


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


# --- said ----------------------------------------------------------------------------------------


def test_strongest_difference_is_said_plainly():
    finding = narrate.effects(effects_of(*THREE))
    assert finding.status == "watch"
    assert re.fullmatch(
        r"Accounts whose onboarding is none leave 2\.\d times as fast as those where it is guided, "
        "all else alike.",
        finding.text,
    )
    assert "for all pairs of onboarding at once; p < 0.001" in finding.evidence
    assert re.search(r"\d+ of \d+ left with none, \d+ of 1,001 with guided", finding.evidence)
    assert "A difference is no proof of a cause" in finding.action
    assert 0 < finding.weight < 1


def test_where_an_effect_changes_with_age_words_say_so():
    evidence = narrate.effects(effects_of(*THREE)).evidence
    assert "For onboarding nothing speaks against the same effect at all ages (p = " in evidence
    assert "The effect of plan changes with age and is given by age instead." in evidence


def test_a_change_that_no_attribute_can_be_named_for_is_told():
    result = effects_of("onboarding", "sales_channel")
    tests = result.tests.assign(proportional=["not rejected", "not rejected", "rejected"])
    odd = replace(result, tests=tests)
    told = "Taken together the effects change with age, but no single one is shown to."
    assert told in narrate.effects(odd).evidence


def test_bands_that_could_not_be_made_are_told():
    bare = replace(
        effects_of(*THREE), bands=effects_of(*THREE).bands.head(0), bands_reason="too few"
    )
    assert where_not_proportional(bare) == (
        "The effect of plan changes with age, so one figure is an average that holds at no age: "
        "too few."
    )
    assert "an average over ages" in str(tables.effect_tests(bare).cells())


def test_an_effect_that_changes_is_said_by_age():
    finding = narrate.effects(effects_of("plan"))
    assert re.fullmatch(
        r"Accounts whose plan is Basic leave 3\.\d times as fast as those where it is Pro up to 3 "
        r"months after their start, 2\.\d times from 3 to 12 months and 1\.\d times after 12 "
        "months, all else alike.",
        finding.text,
    )
    assert "By age 2." in finding.evidence
    assert "nothing speaks against" not in finding.evidence


def test_no_difference_is_unclear():
    finding = narrate.effects(effects_of("sales_channel"))
    assert finding.status == "unclear"
    assert "sales channel makes no difference beyond chance" in finding.text
    assert finding.evidence.startswith("All together: p = ")


def test_a_number_is_said_by_its_step():
    finding = narrate.effects(seats_effect())
    assert finding.text.startswith("Accounts with 10 more of seats leave ")
    assert "accounts, 1,350 left." in finding.evidence


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (attributed().head(60), "fewer than 10 each"),
        (attributed().assign(event=False), "nobody left of 2,962 spells"),
        (attributed().head(0), "no account under observation"),
        (attributed().assign(plan="Pro"), "no covariate can be compared"),
    ],
    ids=["few", "nobody", "none", "one level"],
)
def test_too_little_is_unclear_with_its_reason(frame, why):
    result = effects(frame, covariates=["plan"] if (frame["plan"] == "Pro").all() else THREE)
    finding = narrate.effects(result)
    assert finding.status == "unclear"
    assert why in finding.text
    assert tables.effect_tests(result).part()
    assert plots.effects(result).svg.startswith("<svg ")


def test_factor_and_percentage():
    assert faster(2.0, WORDS) == "2.0 times as fast"
    assert faster(1.2, WORDS) == "20% faster"
    assert faster(0.4, WORDS) == "60% more slowly"


# --- drawn ---------------------------------------------------------------------------------------


def test_chart_names_references_levels_and_ages():
    chart = plots.effects(effects_of(*THREE))
    for svg in (chart.svg, chart.svg_narrow):
        said = texts(svg)
        assert "Onboarding, against self-serve" in said
        assert {"guided", "none", "up to 3 months", "after 12 months", "leave sooner"} <= set(said)
    assert "0.82" in texts(chart.svg)
    assert "0.70 to 0.95" in texts(chart.svg)
    assert "0.70 to 0.95" not in texts(chart.svg_narrow)
    assert "onboarding none against self-serve 2." in chart.alt
    assert "The effect of plan changes with age" in chart.caption


def test_chart_carries_its_numbers():
    chart = plots.effects(effects_of(*THREE))
    plan = chart.data[chart.data["term"] == "plan"]
    assert plan["to_days"].tolist()[:2] == [90, 365]
    assert np.isnan(plan["to_days"].iloc[2])
    assert (chart.data["level"] != chart.data["reference"]).all()


@pytest.mark.slow
def test_chart_repeats_its_bytes():
    one, two = (plots.effects(effects_of(*THREE)) for _ in range(2))
    assert (one.svg, one.svg_narrow) == (two.svg, two.svg_narrow)


@pytest.mark.slow
def test_many_levels_are_limited_and_counted():
    names = tuple(f"Partner with a rather long name {i:02d}" for i in range(40))
    chart = plots.effects(effects_of("onboarding", levels=names))
    assert len(chart.data) == MOST_LEVELS
    assert "33 further lines not drawn" in chart.caption


def test_hostile_names_stay_names():
    result = effects_of("onboarding", levels=HOSTILE)
    chart = plots.effects(result)
    assert "<script>" not in chart.svg
    assert "\u202e" not in chart.alt
    html = narrate.effects(result)._repr_mimebundle_()["text/html"]
    assert "<script>" not in html


def test_a_level_in_which_nobody_left_runs_out_of_the_drawing():
    frame = attributed()
    frame["event"] &= frame["onboarding"] != "guided"
    result = effects(frame, covariates=["onboarding"])
    chart = plots.effects(result)
    row = chart.data[chart.data["level"] == "guided"].iloc[0]
    assert row["hazard_ratio"] == 0
    assert "up to 0.0" in chart.alt
    assert texts(chart.svg).count("0") == 1


# --- listed --------------------------------------------------------------------------------------


def test_table_counts_what_was_left_out():
    frame = attributed().assign(seats=lambda t: t["seats"].where(t.index % 10 > 0))
    table = tables.effect_tests(effects(frame, covariates=["seats"]))
    assert re.search(r"29\d accounts without seats are left out", table.note)


def test_tests_say_what_is_shown():
    table = tables.effect_tests(effects_of(*THREE))
    rows = {row[0]: row for row in table.cells()}
    assert rows["Plan"][3:] == ["no", "< 0.001", "a ratio per band of age"]
    assert rows["Onboarding"][3] == "not refuted"
    assert rows["Onboarding"][5] == "one ratio for all ages"
    assert rows["All together"][5] == "–"
    assert "Bands of age against one ratio for all ages" in table.note


def test_rows_of_the_plain_and_of_the_banded_effect_are_not_both_there():
    rows = effect_rows(effects_of(*THREE))
    assert (rows[rows["level"] == "Basic"]["to_days"].isna().sum(), len(rows)) == (1, 10)


@pytest.mark.parametrize(
    ("ends", "name"),
    [
        ((0, 90), "up to 3 months"),
        ((90, 365), "3 to 12 months"),
        ((365, np.nan), "after 12 months"),
        ((0, np.nan), "all ages"),
        ((np.nan, np.nan), "all ages"),
        ((0, 30), "up to 30 days"),
    ],
)
def test_bands_have_names(ends, name):
    assert age_band(*ends, WORDS) == name


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.634, "0.63"), (1.0, "1.00"), (12.4, "12"), (0.001, "< 0.01"), (np.nan, "–"), (0, "0")],
)
def test_ratios_are_short(value, text):
    assert ratio(value, WORDS) == text


def test_intervals_of_ratios():
    assert ratio_interval(0.5, 2, WORDS) == "0.50 to 2.00"
    assert ratio_interval(0, 0.3, WORDS) == "up to 0.30"
    assert ratio_interval(np.nan, np.nan, WORDS) == "–"
