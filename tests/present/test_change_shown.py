"""What moved the churn rate: said, drawn and listed."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from csa.analysis.churn import churn_rate
from csa.analysis.churn.change import churn_change, what_moved
from csa.analysis.churn.revenue import revenue_churn
from csa.present import narrate, plots, tables
from csa.present.plots.change import MAX_GROUPS

SVG = "{http://www.w3.org/2000/svg}"
PERIODS = {
    "start": date(2026, 10, 1),
    "end": date(2026, 11, 1),
    "previous_start": date(2026, 9, 1),
    "previous_end": date(2026, 10, 1),
}
LABELS = {"period_label": "October 2026", "previous_label": "September 2026"}
ONE_MOVED = {"Large": (2, 3, 195, 5), "Middle": (5, 4, 291, 20), "Small": (10, 60, 430, 200)}
ALIKE = {"Large": (5, 15, 280, 0), "Middle": (5, 16, 280, 0), "Small": (5, 14, 280, 0)}
MIXED = {"Good": (30, 30, 2940, 0), "Bad": (120, 207, 843, 960)}
QUIET = {"Large": (2, 3, 195, 5), "Middle": (5, 4, 291, 0)}
HOSTILE = ("<script>alert(1)</script>", "A" * 200, "حساب تجريبي", "$x$ & \u202eco")


def rates(groups):
    """Rates of groups by accounts (left in September, in October, here at the end, came late)."""
    rows = []
    for name, (before, now, stay, came) in groups.items():
        rows += [(name, -900, 15, True)] * before + [(name, -900, 45, True)] * now
        rows += [(name, -900, 61, False)] * stay + [(name, 20, 61, False)] * came
    frame = pd.DataFrame(rows, columns=["group", "start", "until", "event"])
    start = pd.Timestamp("2026-09-01") + pd.to_timedelta(frame["start"], "D")
    lasts = frame["until"] - frame["start"]
    frame = frame.assign(start_on=start, entry_days=0, exit_days=lasts)
    return churn_rate(frame, **PERIODS)


def changes(**attributes):
    return what_moved({by: rates(groups) for by, groups in attributes.items()})


def said(**attributes):
    return narrate.what_moved(changes(**attributes), **LABELS)


def revenue():
    rows = []
    for month, lost in ((2026 * 12 + 8, 2), (2026 * 12 + 9, 60)):
        for group in ("A", "B"):
            gone = lost if group == "A" else 2
            rows += [
                (group, f"{group}{month}{i}", month, 1000, 0 if i < gone else 1000, pd.NaT)
                for i in range(300)
            ]
    names = ["group", "account_id", "month", "previous_minor", "mrr_minor", "observed_from"]
    return revenue_churn(pd.DataFrame(rows, columns=names), **PERIODS)


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


# --- said ----------------------------------------------------------------------------------------


def test_a_group_that_moved_alone_is_named():
    finding = said(segment=ONE_MOVED)
    assert finding.status == "watch"
    assert finding.text == (
        "The churn rate rose 3.8 points to 5.5% in October 2026: +3.6 because accounts of the same "
        "segment leave more often, +0.3 because the mix of accounts by segment changed; Small "
        "moved apart from the others (8.7% after 2.0%) and makes +3.7 of it."
    )
    assert finding.evidence.startswith("95% intervals: change +2.3 to +5.4")
    assert "Before rounding the parts add up exactly." in finding.evidence
    assert finding.action == (
        "Look at Small first: what has changed for these accounts since September 2026?"
    )
    assert finding.weight == 1.0


def test_groups_that_moved_alike_have_a_cause_in_common():
    finding = said(segment=ALIKE)
    assert "; the largest part, +1." in finding.text
    assert "all of it because accounts of the same segment leave more often" in finding.text
    assert "None of 3 groups by segment moved apart" in finding.evidence
    assert finding.action.startswith("Look for a cause that all groups share first")


def test_a_fall_is_good():
    back = {name: (now, before, stay, 0) for name, (before, now, stay, _) in ALIKE.items()}
    finding = said(segment=back)
    assert finding.status == "good"
    assert "The churn rate fell" in finding.text
    assert "leave less often" in finding.text
    assert finding.action.startswith("Find out what all groups")


def test_a_mix_that_moved_the_rate_is_told():
    finding = said(plan=MIXED)
    assert "all of it because the mix of accounts by plan changed" in finding.text
    assert finding.action.startswith("Look at which accounts are won and kept rather than at serv")
    assert "Bad was " in finding.action


def test_the_attribute_that_explains_most_is_told():
    regions = {f"Region {i}": (4, 17, 185, 25) for i in range(4)}
    finding = said(region=regions, segment=ONE_MOVED)
    assert "Small moved apart from the others" in finding.text
    assert "7 groups by region and segment" in finding.evidence


def test_a_change_within_chance_gets_no_explanation():
    finding = said(segment=QUIET, sales_channel=QUIET)
    assert (finding.status, finding.word, finding.weight) == ("unclear", "Unclear", 0.0)
    assert finding.text.endswith("There is nothing to explain.")
    assert "4 groups by segment and sales channel" in finding.evidence
    assert finding.action.startswith("Do not look for reasons")


def test_a_group_may_move_against_a_still_whole():
    opposite = {"Up": (5, 60, 500, 0), "Down": (60, 5, 500, 0)}
    finding = said(segment=opposite)
    assert finding.status == "unclear"
    assert "moved no more than by chance" in finding.text
    assert "; but " in finding.text
    assert "moved apart from the others" in finding.text


def test_a_mix_may_be_sure_where_the_whole_is_not():
    finding = said(plan={"Good": (10, 10, 980, 0), "Bad": (20, 36, 164, 180)})
    assert finding.status == "unclear"
    assert "; the mix of accounts by plan alone makes +0.8 points." in finding.text


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (rates({"One": (2, 3, 60, 0)}), "there is only one group"),
        (rates({"One": (2, 3, 0, 0)}), "there is only one group"),
    ],
)
def test_nothing_to_split_says_why(result, why):
    found = what_moved({"segment": result})
    finding = narrate.what_moved(found, **LABELS)
    assert finding.status == "unclear"
    assert why in finding.text
    assert "Compare two periods" in finding.action
    chart = plots.what_moved(found["segment"])
    assert chart.alt.startswith("No change to split")
    table = tables.what_moved(found["segment"])
    assert table.cells() == []
    assert why in table.empty
    assert tables.what_moved_by(found).cells()[0][-1] == "–"


def test_revenue_has_its_own_words():
    found = what_moved({"segment": revenue()})
    finding = narrate.what_moved(found, **LABELS)
    assert finding.id == "what-moved-revenue-churn"
    assert finding.text.startswith("The revenue churn rate rose 9.7 points")
    assert "revenue" in tables.what_moved(found["segment"]).title
    assert tables.what_moved_by(found).id == "what-moved-revenue-churn-by-attribute"


def test_parts_that_round_to_nothing_are_not_told():
    change = changes(segment=ALIKE)["segment"]
    nearly = replace(change, within=change.within._replace(value=0.0), mix=change.change)
    finding = narrate.what_moved({"segment": nearly}, **LABELS)
    assert "all of it because the mix of accounts by segment changed" in finding.text


# --- drawn and listed ----------------------------------------------------------------------------


@pytest.mark.slow
def test_chart_shows_parts_mix_and_change():
    chart = plots.what_moved(changes(segment=ONE_MOVED)["segment"])
    for svg in (chart.svg, chart.svg_narrow):
        assert {"Small", "Mix by segment", "Change", "+3.6", "+0.3", "+3.8"} <= set(texts(svg))
    assert "2.0% → 8.7%" in texts(chart.svg)
    parts = chart.data[chart.data["kind"] != "change"]
    assert parts["value"].sum() == pytest.approx(chart.data["value"].iloc[-1], abs=1e-12)
    assert "Change of the churn rate from 1.7% to 5.5%" in chart.alt


def test_many_groups_are_joined_in_one():
    groups = {f"Region with a long name {i}": (3, 4, 90 + i, 9) for i in range(40)}
    chart = plots.what_moved(churn_change(rates(groups)), by="sales_region")
    assert "32 other groups" in texts(chart.svg)
    assert "Mix by sales region" in texts(chart.svg)
    assert len(chart.data) == MAX_GROUPS + 3


@pytest.mark.slow
def test_chart_repeats_its_bytes_and_holds_hostile_names():
    groups = {name: (3 + i, 9, 90, 9) for i, name in enumerate(HOSTILE)}
    change = churn_change(rates(groups))
    one, two = plots.what_moved(change), plots.what_moved(change)
    assert (one.svg, one.svg_narrow) == (two.svg, two.svg_narrow)
    assert "<script" not in one.svg
    assert "\u202e" not in one.alt
    found = what_moved({"segment": rates(groups)})
    for item in (
        narrate.what_moved(found, **LABELS),
        tables.what_moved(change),
        tables.what_moved_by(found),
    ):
        assert "<script" not in item._repr_mimebundle_()["text/html"]


def test_table_adds_up_to_the_change():
    change = changes(segment=ONE_MOVED)["segment"]
    table = tables.what_moved(change)
    last = table.cells()[-1]
    assert last[0] == "All accounts"
    assert last[2] == "1.7% → 5.5%"
    assert table.rows["contribution"].iloc[:-1].sum() == pytest.approx(change.change.value)
    assert [row[0] for row in table.cells()][:1] == ["Small"]
    assert "add up to the change" in table.note


def test_table_by_attribute_names_who_moved_apart():
    found = changes(segment=ONE_MOVED, sales_channel={k: ALIKE[k] for k in ("Large", "Middle")})
    rows = tables.what_moved_by(found).cells()
    assert [row[0] for row in rows] == ["Segment", "Sales channel"]
    assert [row[-1] for row in rows] == ["Small", "nobody"]


def test_table_says_which_groups_are_small():
    groups = {**ONE_MOVED, "Tiny": (0, 1, 4, 0)}
    table = tables.what_moved(churn_change(rates(groups)))
    assert "Tiny: only 5 accounts at the start" in table.note
