"""Survival beyond the data: said, drawn and listed, or why not."""

import re
import xml.etree.ElementTree as ET
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sample_editions import Target

from csa.analysis.churn import survival
from csa.analysis.churn.extrapolation import extrapolate
from csa.errors import InputError
from csa.present import narrate, plots, tables
from csa.present.narrate.extrapolation import ENGLISH, _action

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ("<script>alert(1)</script>", "A" * 200, "حساب تجريبي", "$x$ & \u202eco")


def spells(groups=("SMB",), *, n=240, seed=1):
    """Accounts that leave by a Weibull law, seen for at most three years."""
    rng = np.random.default_rng(seed)
    parts = []
    for i, group in enumerate(groups):
        life = np.ceil(900 * (1 + 0.5 * i) * rng.weibull(0.9, n)).astype(int)
        seen = rng.integers(30, 1096, n)
        parts.append(
            pd.DataFrame(
                {
                    "group": group,
                    "entry_days": 0,
                    "exit_days": np.minimum(life, seen),
                    "event": life <= seen,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def steps():
    """Accounts that all leave on one of three days: no smooth curve follows that."""
    days = np.repeat([30, 400, 800], 300)
    return pd.DataFrame({"group": "x", "entry_days": 0, "exit_days": days, "event": True})


TWO = ("SMB", "Enterprise")


@cache
def beyond(horizon=1461, groups=("SMB",)):
    return extrapolate(spells(groups), horizon_days=horizon)


@cache
def seen():
    return survival(spells())


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


# --- said ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_expected_lifetime_is_said_with_what_was_not_seen():
    finding = narrate.extrapolation(beyond())
    assert re.fullmatch(
        r"Of their first 48 months accounts are expected to stay \d\d(\.\d)? months; \d+% of that "
        "lies beyond what was seen.",
        finding.text,
    )
    assert finding.word == "No target"
    assert re.search(r"95% interval .* over the \d curves that fit", finding.evidence)
    assert "points of the observed one. 240 accounts" in finding.evidence
    assert "Nothing is said about the time after 48 months" in finding.action


@pytest.mark.slow
def test_the_interval_holds_all_curves_that_fit():
    result = beyond()
    row = result.lifetimes.iloc[0]
    measure = narrate.extrapolation(result).measure
    assert measure.low == min(row["ci_low"], row["among_low"])
    assert measure.high == max(row["ci_high"], row["among_high"])


@pytest.mark.slow
def test_a_target_is_judged():
    finding = narrate.extrapolation(beyond(), target=Target(900, None, "higher"))
    assert finding.status in {"good", "bad", "unclear"}
    assert finding.word != "No target"
    assert "target of" in finding.evidence


@pytest.mark.slow
def test_a_horizon_that_was_seen_is_said_to_be_seen():
    finding = narrate.extrapolation(beyond(730))
    assert finding.text.endswith("all of that was seen.")


def test_mostly_beyond_the_data_is_no_ground_for_a_decision():
    row = beyond().lifetimes.iloc[0].to_dict() | {"extrapolated_share": 0.6}
    assert _action(row, ENGLISH).startswith("Do not dec")


@pytest.mark.slow
def test_a_group_that_starts_late_is_said():
    late = spells().assign(entry_days=300).query("exit_days > 300")
    finding = narrate.extrapolation(extrapolate(late, horizon_days=1461))
    assert "accounts that reach 9.9 months are expected" in finding.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("frame", "horizon", "why"),
    [
        (steps(), 1000, "no smooth curve follows what was observed"),
        (spells(), 3650, "that is too far beyond what was seen"),
        (spells().head(12), 1000, "left"),
        (spells().head(0), 1000, "too few accounts were seen at the same age"),
        (spells().assign(event=False), 1000, "only 0 left"),
    ],
    ids=["steps", "far", "few", "none", "nobody"],
)
def test_what_cannot_be_told_says_why(frame, horizon, why):
    result = extrapolate(frame, horizon_days=horizon)
    finding = narrate.extrapolation(result)
    assert finding.status == "unclear"
    assert why in finding.text
    assert "Cause in full: " in finding.evidence
    assert tables.extrapolation(result).part()
    assert tables.expected_lifetime(result).note
    chart = plots.extrapolation(result, survival(frame))
    assert chart.svg.startswith("<svg ")


def test_a_group_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="there is no EMEA among those extrapolated: all"):
        narrate.extrapolation(beyond(), group="EMEA")


# --- drawn ---------------------------------------------------------------------------------------


def test_chart_marks_where_data_end():
    chart = plots.extrapolation(beyond(), seen())
    assert {"observed", "extrapolated →", "Accounts at risk"} <= set(texts(chart.svg))
    assert "extrapolated from here" in texts(chart.svg_narrow)
    assert "Nobody was seen beyond " in chart.caption
    assert ", extrapolated, after 48 months" in chart.alt
    assert set(chart.data["kind"]) == {"observed", "curve"}
    curve = chart.data[chart.data["kind"] == "curve"]
    last = beyond().lifetimes["seen_until_days"].iloc[0]
    assert (curve["extrapolated"] == (curve["age_days"] > last)).all()


def test_dashes_begin_where_data_end():
    """The solid and the dashed line meet at the border, so that no gap hides it."""
    svg = plots.extrapolation(beyond(), seen()).svg
    assert "stroke-dasharray: 5.6,3.08" in svg.replace(" 3.08", "3.08")


@pytest.mark.slow
def test_a_curve_within_the_data_has_no_border():
    chart = plots.extrapolation(beyond(730), seen())
    assert "extrapolated →" not in texts(chart.svg)
    assert "Nobody was seen" not in chart.caption


@pytest.mark.slow
def test_a_curve_stops_where_it_is_too_far():
    chart = plots.extrapolation(beyond(3650), seen())
    assert chart.data["age_days"].max() < 3650
    assert chart.caption.endswith("too far beyond the data.")


@pytest.mark.slow
def test_no_curve_that_fits_leaves_what_was_observed():
    chart = plots.extrapolation(extrapolate(steps(), horizon_days=1000), survival(steps()))
    assert set(chart.data["kind"]) == {"observed"}
    assert "No curve is drawn beyond the data: no distribution fits" in chart.caption


@pytest.mark.slow
def test_chart_repeats_its_bytes_and_holds_hostile_names():
    frame = spells(HOSTILE, n=70)
    result = extrapolate(frame, horizon_days=1461, distributions=("weibull",))
    curve = survival(frame)
    for group in HOSTILE[:2]:
        one, two = (plots.extrapolation(result, curve, group=group) for _ in range(2))
        assert (one.svg, one.svg_narrow) == (two.svg, two.svg_narrow)
        assert "<script" not in one.svg
        finding = narrate.extrapolation(result, group=group)
        assert "<script" not in finding._repr_mimebundle_()["text/html"]
        assert "\u202e" not in finding.text


# --- listed --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_table_of_fits_names_the_chosen():
    table = tables.extrapolation(beyond(groups=TWO))
    rows = table.cells()
    assert rows[-1][0] == "All accounts"
    assert {row[1] for row in rows} == {"Weibull", "log-normal", "log-logistic"}
    chosen = [row for row in rows if row[-1] == "chosen"]
    assert [row[0] for row in chosen] == ["Enterprise", "SMB", "All accounts"]


@pytest.mark.slow
def test_table_of_fits_says_what_does_not_fit():
    table = tables.extrapolation(extrapolate(steps(), horizon_days=1000))
    assert {row[-1] for row in table.cells()} == {"does not fit"}
    assert "more than 2 points outside the interval" in table.note


@pytest.mark.slow
def test_table_of_lifetimes_shows_how_much_was_not_seen():
    table = tables.expected_lifetime(beyond(groups=TWO), by="segment")
    assert table.title == "Expected lifetime within 48 months, by segment"
    assert [row[0] for row in table.cells()] == ["Enterprise", "SMB", "All accounts"]
    assert all(row[-1].endswith("%") for row in table.cells())
