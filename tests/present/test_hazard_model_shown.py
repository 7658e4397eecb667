"""The model of the hazard: renewals said, survival drawn, effects listed."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from spell_samples import HOSTILE, attributed, hazard_of

from csa.analysis.churn.hazards import AgeEffect, discrete_hazard
from csa.present import narrate, plots, tables
from csa.present.narrate.renewal import ENGLISH, _action, _text, _times
from csa.present.plots.hazard_model import MOST_LINES

SVG = "{http://www.w3.org/2000/svg}"
FULL = ("onboarding", "plan", "billing_months")


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


# --- renewals ------------------------------------------------------------------------------------


def test_renewals_are_said_as_times_as_often():
    finding = narrate.renewal(hazard_of(*FULL))
    assert finding.status == "watch"
    assert finding.text == (
        "In the month of their renewal yearly contracts end 15 times as often as in other months, "
        "all else alike."
    )
    assert re.search(
        r"253 of the 1,183 that left did so in 1,862 months of renewal",
        finding.text + finding.evidence,
    )
    assert "Compared with all other contracts" not in finding.evidence
    assert finding.action.startswith("Talk to yearly contracts well before they renew")
    assert finding.weight == pytest.approx(253 / 1183)


def test_odds_are_turned_into_how_often():
    """With the share p that left, times as often = OR - p (OR - 1): p = 253 / 1,862, OR 17.3."""
    logit, cloglog = hazard_of(*FULL), hazard_of(*FULL, link="cloglog")
    row = logit.coefficients.query("term == 'renewal'").iloc[0]
    share = row["events"] / row["n"]
    here = share / (1 - share)
    elsewhere = here / row["ratio"]
    often = share / (elsewhere / (1 + elsewhere))
    times = _times(row.to_dict(), logit, ENGLISH)["value"]
    assert times == pytest.approx(often)
    hazard = cloglog.coefficients.query("term == 'renewal'").iloc[0]
    same = _times(hazard.to_dict(), cloglog, ENGLISH)["value"]
    assert same == hazard["ratio"]


def test_renewals_without_their_own_other_months_say_so():
    evidence = narrate.renewal(hazard_of("onboarding")).evidence
    assert evidence.endswith("add the length to the covariates.")


def test_several_lengths_are_told():
    frame = attributed()
    frame["billing_months"] = np.where(frame["billing_months"] == 12, 12, 3)
    result = discrete_hazard(
        frame, covariates=["billing_months"], age=AgeEffect(renewal="billing_months")
    )
    finding = narrate.renewal(result)
    assert "yearly contracts" in finding.text
    assert "All lengths: quarterly contracts" in finding.evidence


def test_renewals_that_do_not_matter_are_unclear():
    frame = attributed().assign(billing_months=lambda t: np.where(t.index % 2, 24, 1))
    result = discrete_hazard(
        frame, covariates=["billing_months"], age=AgeEffect(renewal="billing_months")
    )
    finding = narrate.renewal(result)
    row = result.coefficients.query("term == 'renewal'").iloc[0]
    if row["p_value"] > 0.05:
        assert finding.status == "unclear"
        assert finding.text.startswith("Contracts are not shown to end more often when they renew")
        assert finding.action.startswith("Spread the care")


def test_renewals_that_do_not_matter_have_no_weight():
    row = hazard_of(*FULL).coefficients.query("term == 'renewal'").iloc[0].to_dict()
    told = _times(
        row | {"ratio": 1.1, "ci_low": 0.7, "ci_high": 1.6},
        hazard_of(*FULL),
        ENGLISH,
    )
    assert not told["real"]
    text = _text(told, hazard_of(*FULL), ENGLISH)
    assert text.startswith("Contracts are not shown to end more often when they renew: yearly")
    assert _action(told).startswith("Spread the care")


def test_other_intervals_are_named_by_their_days():
    result = hazard_of("billing_months", interval_days=90)
    assert narrate.renewal(result).text.startswith("In the 90 days of their renewal")


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (hazard_of("onboarding", renewal=None), "no contract renews in the data"),
        (
            discrete_hazard(
                attributed().query("billing_months == 1"),
                covariates=["plan"],
                age=AgeEffect(renewal="billing_months"),
            ),
            "no renewal by billing_months is under observation",
        ),
        (discrete_hazard(attributed().head(0), covariates=["plan"]), "no account under observ"),
    ],
    ids=["no column", "monthly", "nobody"],
)
def test_unknown_renewals_say_why(result, why):
    finding = narrate.renewal(result)
    assert finding.status == "unclear"
    assert why in finding.text


# --- the curves ----------------------------------------------------------------------------------


def test_chart_shows_model_observation_and_renewals():
    chart = plots.hazard_model(hazard_of(*FULL), by="billing_months")
    said = texts(chart.svg)
    assert {"renewal", "Still customers", "Accounts at risk", "12 billing months"} <= set(said)
    assert "Shaded: months in which contracts renew." in chart.caption
    assert "Months of renewal end at 12.8 months, 24.6 months" in chart.alt
    rows = chart.data[chart.data["group"] == "12"]
    assert rows.loc[rows["renewal"], "age_days"].tolist()[:3] == [390, 750, 1110]
    near = (rows["survival"] - rows["observed"]).abs().max()
    assert near < 0.06


def test_chart_of_all_together_has_one_curve():
    chart = plots.hazard_model(hazard_of("onboarding", renewal=None))
    assert chart.data["group"].unique().tolist() == ["all"]
    assert "All accounts" in " ".join(texts(chart.svg_narrow))
    assert "Shaded" not in chart.caption


@pytest.mark.slow
def test_chart_repeats_its_bytes():
    one, two = (plots.hazard_model(hazard_of(*FULL), by="plan") for _ in range(2))
    assert (one.svg, one.svg_narrow) == (two.svg, two.svg_narrow)


def test_observation_begins_where_enough_are_at_risk():
    frame = attributed()
    late = frame.assign(
        entry_days=np.where(frame.index < 4, 0, np.maximum(frame["entry_days"], 200))
    )
    late = late[late["exit_days"] > late["entry_days"]]
    chart = plots.hazard_model(discrete_hazard(late, covariates=["plan"]), by="plan")
    rows = chart.data[chart.data["group"] == "Pro"]
    first = rows["observed"].first_valid_index()
    assert rows.loc[first, "age_days"] == 180
    assert rows.loc[first, "observed"] == pytest.approx(rows.loc[first, "survival"])
    assert "observed only from an age with 10 at risk on" in chart.caption


@pytest.mark.parametrize("rows", [0, 1, 12])
def test_too_few_for_a_model_say_so(rows):
    chart = plots.hazard_model(
        discrete_hazard(attributed().head(rows), covariates=["plan"]), by="plan"
    )
    assert chart.alt.startswith("There is no model") or len(chart.data)


@pytest.mark.slow
def test_hostile_and_many_groups():
    frame = attributed(levels=HOSTILE + tuple(f"Group {i}" for i in range(20)))
    chart = plots.hazard_model(discrete_hazard(frame, covariates=["onboarding"]), by="onboarding")
    assert chart.data["group"].nunique() == MOST_LINES
    assert "20 smaller groups not drawn" in chart.caption
    assert "<script" not in chart.svg


# --- the table -----------------------------------------------------------------------------------


def test_table_lists_effects_and_renewals():
    table = tables.hazard_model(hazard_of(*FULL))
    rows = {(row[0], row[1]): row for row in table.cells()}
    assert rows["Renewal", "every 12 months"][2] == "no renewal due"
    assert rows["Billing months", "12"][-1] == "< 0.001"
    assert [c.label for c in table.columns][3:6] == ["Times 30 days at risk", "Left", "Odds ratio"]
    assert "2,962 accounts, 1,183 left" in table.note


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
