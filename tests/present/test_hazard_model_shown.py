"""The model of the hazard: renewals said, survival drawn, effects listed."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from spell_samples import attributed, hazard_of, renewals_of

from csa.analysis.churn.hazards import AgeEffect, discrete_hazard
from csa.analysis.churn.hazards.renewals import renewals
from csa.present import narrate, plots, tables
from csa.present.contract_lengths import contracts, length_label
from csa.present.plots.renewals import MOST_LINES

SVG = "{http://www.w3.org/2000/svg}"
FULL = ("onboarding", "plan", "billing_months")


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


# --- renewals ------------------------------------------------------------------------------------


def test_renewals_are_said_as_times_as_often():
    result = renewals_of()
    finding = narrate.renewal(result)
    row = result.table.set_index("billing_months").loc[12]
    assert finding.status == "watch"
    assert finding.text == (
        f"In the month of their renewal yearly contracts end {row['times']:.0f} times as often as "
        "in other months, all else alike."
    )
    assert re.search(
        r"253 of the 1,183 that left did so in 1,862 months of renewal \(13.6%, ag",
        finding.evidence,
    )
    assert finding.action.startswith("Talk to yearly contracts well before they renew")
    assert finding.weight == pytest.approx(253 / 1183)
    assert (finding.kind, "Also" in finding.evidence) == ("standing", False)


def test_several_lengths_are_told():
    finding = narrate.renewal(renewals_of(lengths=(3, 12)))
    assert "yearly contracts" in finding.text
    assert "Also quarterly contracts" in finding.evidence


def told(**changed):
    """Tell of yearly contracts with other figures."""
    table = renewals_of().table
    yearly = table["billing_months"] == 12
    changed = {name: np.where(yearly, x, table[name]) for name, x in changed.items()}
    return narrate.renewal(replace(renewals_of(), table=table.assign(**changed)))


def test_renewals_that_are_not_shown_to_matter_have_no_weight():
    wide = told(times=1.1, ci_low=0.6, ci_high=1.9)
    assert (wide.status, wide.weight) == ("unclear", 0)
    assert wide.text == (
        "Contracts are not shown to end more often when they renew: yearly contracts 1.1 times as "
        "often as in other months."
    )
    assert wide.action.startswith("Come back when more contracts")
    narrow = told(times=1.1, ci_low=0.9, ci_high=1.3)
    assert narrow.action.startswith("Spread the care")
    assert told(times=0.5, ci_low=0.4, ci_high=0.6).action.startswith("Spread the care")


def test_contracts_of_unknown_length_say_what_to_add():
    frame = attributed(300).drop(columns="billing_months")
    result = renewals(frame)
    finding = narrate.renewal(result)
    assert (finding.status, finding.kind) == ("unclear", "report")
    assert "no subscription states its billing_months" in finding.text
    assert "csa.yml: data.tables.subscriptions.columns.billing_months" in finding.action
    assert plots.renewals(result) is None
    assert tables.renewals(result) is None
    assert tables.hazard_model(result.hazard) is None


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (attributed().query("billing_months == 1"), "all contracts renew every month"),
        (attributed().head(0), "no account under observation"),
        (attributed().head(40), "too few to tell"),
    ],
    ids=["monthly", "nobody", "few"],
)
def test_unknown_renewals_say_why_without_a_chart(frame, why):
    result = renewals(frame)
    finding = narrate.renewal(result)
    assert finding.status == "unclear"
    assert why in finding.text
    assert plots.renewals(result) is None


def test_few_renewals_are_still_counted():
    table = tables.renewals(renewals(attributed().head(40)))
    assert "too few to tell" in table.note
    assert {row[0] for row in table.cells()} == {"Monthly", "Yearly"}


@pytest.mark.parametrize(
    ("months", "label", "name"),
    [
        (12, "Yearly", "yearly contracts"),
        ("24", "Two-year", "two-year contracts"),
        (5, "5 months", "contracts of 5 months"),
        (float("nan"), "Not stated", "contracts of unknown length"),
    ],
)
def test_lengths_have_names(months, label, name):
    assert length_label(months) == label
    assert contracts(float(months)) == name


def test_length_that_is_not_stated_has_a_label():
    assert length_label("not stated") == "Not stated"


# --- the curves ----------------------------------------------------------------------------------


def shown(frame, *, covariates=("billing_months",)):
    """Draw a model of other accounts, or with other attributes, than those of `renewals_of`."""
    model = discrete_hazard(
        frame, covariates=list(covariates), age=AgeEffect(renewal="billing_months")
    )
    return plots.renewals(replace(renewals_of(), hazard=model))


def test_chart_shows_model_observation_and_renewals():
    chart = shown(attributed(), covariates=FULL)
    said = texts(chart.svg)
    assert {"renewal", "Still customers", "Accounts at risk", "Yearly"} <= set(said)
    assert "Shaded: months in which yearly contracts renew." in chart.caption
    assert "Months of renewal end at 12.8 months, 24.6 months" in chart.alt
    rows = chart.data[chart.data["group"] == "12"]
    assert rows.loc[rows["renewal"], "age_days"].tolist()[:3] == [390, 750, 1110]
    near = (rows["survival"] - rows["observed"]).abs().max()
    assert near < 0.06


def test_chart_of_renewals_is_by_length():
    chart = plots.renewals(renewals_of())
    assert chart.id == "renewals"
    assert chart.data["group"].unique().tolist() == ["1", "12"]
    assert not chart.data.loc[chart.data["group"] == "1", "renewal"].any()
    assert any(text.startswith("Monthly") for text in texts(chart.svg))


def test_months_of_several_lengths_are_filled_dots():
    chart = plots.renewals(renewals_of(lengths=(3, 12)))
    assert "Filled dots: months in which contracts renew." in chart.caption
    assert "renewal" not in texts(chart.svg)


@pytest.mark.slow
def test_chart_repeats_its_bytes():
    one, two = (plots.renewals(renewals_of()) for _ in range(2))
    assert (one.svg, one.svg_narrow) == (two.svg, two.svg_narrow)


def test_observation_begins_where_enough_are_at_risk():
    frame = attributed()
    late = frame.assign(
        entry_days=np.where(frame.index < 4, 0, np.maximum(frame["entry_days"], 200))
    )
    late = late[late["exit_days"] > late["entry_days"]]
    chart = shown(late)
    rows = chart.data[chart.data["group"] == "12"]
    first = rows["observed"].first_valid_index()
    assert rows.loc[first, "age_days"] == 180
    assert rows.loc[first, "observed"] == pytest.approx(rows.loc[first, "survival"])
    assert "observed only from an age with 10 at risk on" in chart.caption


@pytest.mark.slow
def test_many_lengths_are_limited_and_counted():
    frame = attributed().assign(billing_months=lambda t: np.resize([1, 2, 3, 6, 12, 24], len(t)))
    chart = shown(frame)
    assert chart.data["group"].nunique() == MOST_LINES
    assert "2 smaller groups not drawn" in chart.caption


# --- the table -----------------------------------------------------------------------------------


def test_table_lists_effects_and_renewals():
    table = tables.hazard_model(hazard_of(*FULL))
    rows = {(row[0], row[1]): row for row in table.cells()}
    assert rows["Renewal", "every 12 months"][2] == "no renewal due"
    assert rows["Contract", "Yearly"][-1] == "< 0.001"
    assert [c.label for c in table.columns][3:6] == ["Months at risk", "Left", "Odds ratio"]
    assert "2,962 accounts, 1,183 left" in table.note


def test_table_names_other_intervals_and_the_group():
    table = tables.hazard_model(hazard_of("billing_months", interval_days=90))
    assert "Times 90 days at risk" in [c.label for c in table.columns]
    table = tables.hazard_model(renewals_of().hazard, by="plan_tier")
    assert "Plan tier" in [row[0] for row in table.cells()]


def test_table_of_renewals_counts_by_length():
    table = tables.renewals(renewals_of())
    rows = {row[0]: row for row in table.cells()}
    assert rows["Yearly"][2:5] == ["1,862", "253", "13.6%"]
    assert set(rows["Monthly"][2:5]) == {"–"}
    assert "For contracts that renew every month, the share of all months" in table.note


def test_table_has_phases_where_effects_vary():
    frame = attributed()
    result = discrete_hazard(frame, covariates=["plan"], age=AgeEffect(varies=["plan"]))
    table = tables.hazard_model(result)
    assert "Age" in [c.label for c in table.columns]
    assert any("1-90 days" in row for row in table.cells())


def test_table_of_nobody_says_so():
    table = tables.hazard_model(discrete_hazard(attributed().head(0), covariates=["plan"]))
    assert table.cells() == []
    assert table.empty == "Nothing to compare: no account under observation."
    assert table.note == ""


def test_table_of_age_alone_says_so():
    assert tables.hazard_model(hazard_of(renewal=None)).empty == "Age alone."


def test_table_says_which_levels_have_no_estimate():
    frame = attributed()
    frame["event"] &= frame["onboarding"] != "guided"
    table = tables.hazard_model(discrete_hazard(frame, covariates=["onboarding"]))
    assert "Onboarding guided: nobody left in" in table.note
    assert "–" in table.cells()[0]
