"""Adoption: said, drawn and listed, or why not."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest
from adoption_worlds import (
    DAY,
    LAST,
    customers_of,
    days_of,
    licences_of,
    months_of,
    october,
)
from sample_editions import Target

from csa.analysis.adoption.actives import account_use, actives
from csa.analysis.adoption.breadth import breadth
from csa.analysis.adoption.depth import depth
from csa.analysis.adoption.engagement import engagement
from csa.analysis.adoption.engagement_parts import Sources
from csa.analysis.adoption.power import power_users
from csa.analysis.adoption.readers import readers
from csa.analysis.adoption.stickiness import stickiness
from csa.analysis.adoption.uptake import uptake
from csa.analysis.adoption.utilisation import utilisation
from csa.present import narrate, plots, tables

SVG = "{http://www.w3.org/2000/svg}"
LABELS = {"period_label": "October 2026", "previous_label": "September 2026"}
GOAL = Target(0.4, 0.3, "higher")
HOSTILE = {0: "<script>alert(1)</script>", 1: "حساب تجريبي"}
FIRST = date(2025, 9, 1)
LAUNCHED = pd.DataFrame(
    {
        "feature": ["Old", "<b>New</b>"],
        "area": ["A", None],
        "launched_on": [date(2020, 1, 1), date(2026, 6, 1)],
    }
)

pytestmark = pytest.mark.slow


@cache
def made(*, empty=False):
    """Everything that the chapter shows, of forty accounts in two groups or of none."""
    rng = np.random.default_rng(3)
    groups = {f"a{k}": HOSTILE[k % 2] for k in range(40)}
    uses, features = [], []
    for k in range(0 if empty else 40):
        for person in range(2):
            for n in np.flatnonzero(rng.random(420) < 0.15 + 0.1 * (k % 2)):
                day = LAST - int(n) * DAY
                if k < 3 and day > date(2026, 10, 3):
                    continue
                uses.append((f"a{k}", f"u{k}-{person}", day))
                new = day >= date(2026, 6, 1) and k % 3 == 0
                features.append((f"a{k}", f"u{k}-{person}", "<b>New</b>" if new else "Old", day))
    days = days_of(uses, groups=groups)
    about = october(days)
    use = account_use(days, span=about).cache()
    active = actives(days, use, span=about)
    starts = dict.fromkeys(groups, FIRST)
    customers, months = customers_of(starts, groups=groups), months_of(features, groups=groups)
    seats = [(a, FIRST, None, 1 + k % 3) for k, a in enumerate(groups)]
    licences = licences_of(seats, groups=groups)
    sources = Sources(
        days=days, features=months, customers=customers, licences=licences, launched=LAUNCHED
    )
    return {
        "active": active,
        "sticky": stickiness(active),
        "deep": depth(use, span=about),
        "used": utilisation(days, licences, span=about),
        "broad": breadth(months, LAUNCHED, span=about),
        "taken": uptake(months, customers, LAUNCHED, span=about),
        "power": power_users(days, span=about),
        "engaged": engagement(sources, span=about, reference_end=date(2025, 11, 30)),
        "seen": readers(None, None, None, span=about),
    }


def findings(shown):
    return [
        narrate.active_users(shown["active"]),
        narrate.stickiness(shown["sticky"], target=GOAL, **LABELS),
        narrate.use_per_person(shown["deep"]),
        narrate.licence_utilisation(shown["used"], target=GOAL, **LABELS),
        narrate.idle_licences(shown["used"]),
        narrate.feature_breadth(shown["broad"]),
        narrate.feature_uptake(shown["taken"], target=GOAL),
        narrate.power_users(shown["power"]),
        narrate.engagement(shown["engaged"]),
        narrate.fell_off(shown["engaged"]),
        narrate.report_readers(shown["seen"]),
    ]


def charts(shown):
    return [
        plots.active_users(shown["active"]),
        plots.stickiness(shown["sticky"]),
        plots.licence_utilisation(shown["used"], target=GOAL),
        plots.features_used(shown["broad"]),
        plots.feature_uptake(shown["taken"]),
        plots.power_users(shown["power"]),
        plots.engagement_spread(shown["engaged"]),
    ]


def listed(shown, audience="all"):
    names = pd.DataFrame(columns=["account_id", "name", "owner"], dtype=object)
    return [
        tables.active_users(shown["active"]),
        tables.use_by_group(shown["sticky"], shown["deep"]),
        tables.licences_by_group(shown["used"]),
        tables.licences_by_use(shown["used"]),
        tables.features_used(shown["broad"]),
        tables.feature_uptake(shown["taken"]),
        tables.power_users(shown["power"]),
        tables.engagement(shown["engaged"]),
        tables.accounts_fallen(shown["engaged"], names, audience=audience),
        tables.report_readers(shown["seen"]),
    ]


def test_findings_tell_figures_and_are_judged_by_targets():
    told = {f.id: f for f in findings(made())}
    assert len(told) == 11
    month = made()["active"].table.query("group == 'all' and measure == 'monthly'")
    people, accounts = month.set_index("unit")["value"].astype(int)[["users", "accounts"]]
    assert told["active-users"].text.startswith(f"{people} people of {accounts} accounts")
    assert told["stickiness"].status in {"bad", "watch", "unclear"}
    assert told["licence-utilisation"].measure.target == 0.4
    assert {f.kind for f in told.values()} == {"change", "action", "standing", "report"}
    many = len(made()["engaged"].fallen)
    assert many >= 3
    assert told["engagement-fallen"].text.startswith(f"{many} of 40 accounts lost 20 points")
    assert told["report-readers"].status == "unclear"
    assert "nan" not in " ".join(f.text + f.evidence + f.action for f in told.values()).lower()


def test_drawings_say_what_they_show_and_escape_names():
    for chart in charts(made()):
        assert chart.alt
        for svg in (chart.svg, chart.svg_narrow):
            ET.fromstring(svg)  # noqa: S314  of our own making
            assert "<script>" not in svg
            assert "<b>" not in svg
        assert len(chart.data)


def test_tables_list_groups_and_hide_accounts_from_readers_outside():
    inside, outside = listed(made()), listed(made(), audience="external")
    assert len(inside[0].rows) == 6
    assert {"a0", "a1", "a2"} <= set(inside[-2].rows["account"])
    assert "account" not in outside[-2].rows.columns
    for table in inside:
        assert "<script>" not in table._repr_mimebundle_()["text/html"]
        assert "nan" not in str(table.cells()).lower()


def test_no_use_at_all_is_said_drawn_and_listed_as_such():
    shown = made(empty=True)
    for finding in findings(shown)[:3] + findings(shown)[5:]:
        assert finding.status == "unclear"
        assert "nan" not in finding.text.lower()
    assert all(chart.svg for chart in charts(shown))
    assert all(table.part() for table in listed(shown))


def test_without_licences_the_page_says_how_to_add_them():
    finding = narrate.licence_utilisation(None, **LABELS)
    assert "docs/tables.md" in finding.action
    assert narrate.idle_licences(None).status == "unclear"
    assert plots.licence_utilisation(None).alt.startswith("No whole month")
    assert tables.licences_by_group(None).empty == "No subscription states its seats."
    assert tables.licences_by_use(None).rows.empty


def test_more_people_than_licences_are_said_as_such():
    used = made()["used"]
    table = used.table.assign(value=1.2, ci_low=1.1, ci_high=1.3)
    told = narrate.licence_utilisation(replace(used, table=table), target=GOAL, **LABELS)
    assert "120.0%" in told.text
    assert "More people work than seats are paid for" in told.text
    assert told.status == "good"
