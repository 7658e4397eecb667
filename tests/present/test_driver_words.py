"""Reasons in words: every feature of the kit, features of one's own, what is not known."""

import re
from types import SimpleNamespace

import pytest

from csa.data.features import FEATURES
from csa.present.driver_words import (
    _PHRASES,
    _STEPS,
    ASK,
    driver_phrase,
    feature_value,
    meaning,
    next_step,
)
from csa.present.words import Words

KIT = {f.name: f for f in FEATURES if not f.step}
ENGLISH = Words()


def said(name, value, typical=None):
    return driver_phrase(KIT.get(name), name, value, typical, ENGLISH)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("usage_trend", -0.5108, "use fell by 40% in 30 days"),
        ("usage_trend", 0.4055, "use rose by 50% in 30 days"),
        ("usage_trend", 0.001, "use unchanged in 30 days"),
        ("days_to_renewal", 12.0, "renews in 12 days"),
        ("days_to_renewal", 0.2, "renews today"),
        ("days_to_renewal", None, "no renewal on record"),
        ("days_since_use", 11.0, "not used for 11 days"),
        ("days_since_use", 0.0, "used on the last day"),
        ("seats", 1.0, "1 seat"),
        ("seats_change_90", -0.25, "seats fell by 25% in 90 days"),
        ("price_change_180", 0.1, "price per seat rose by 10% in 180 days"),
        ("discount_ends_90", 1.0, "a discount ends within 90 days"),
        ("yearly_billing", 0.0, "billed for less than a year"),
        ("short_gaps", 2.0, "2 short gaps in payment so far"),
        ("short_gaps", 0.0, "no short gaps in payment so far"),
        ("plan", "Team", "plan Team"),
        ("region", "North\u202eAmerica", "region NorthAmerica"),
        ("active_users_per_seat", 0.17, "17% of the seats used in 30 days"),
        ("open_tickets", 1.0, "1 open support case"),
        ("nps_score", 3.0, "3 of 10 on recommending us"),
        ("nps_score", None, "no answer to the recommendation question for a year"),
        ("owner_change_180", 1.0, "another owner within 180 days"),
        ("owner_change_180", float("nan"), "no owner on record"),
        ("age_days", 45, "a customer for 45 days"),
        ("mrr", 1200.0, "pays €1,200 a month"),
        ("spell_number", 2.0, "came back after leaving"),
    ],
)
def test_driver_phrase_says_what_is_the_matter(name, value, expected):
    assert said(name, value) == expected


def test_rates_stand_beside_the_usual_one():
    assert said("usage_per_day_30", 0.13, 0.63) == "0.13 uses a day (usual: 0.63)"
    assert said("usage_per_day_30", 12.0, 20.4) == "12 uses a day (usual: 20)"
    assert said("usage_per_day_30", 0.13) == "0.13 uses a day"


@pytest.mark.parametrize("name", KIT)
@pytest.mark.parametrize("value", [0.0, 1.0, -0.4, 3.75, None])
def test_every_feature_of_the_kit_is_told(name, value):
    text = said(name, value, 2.0)
    assert text
    assert not re.search(r"\bnan\b|None", text)


def test_words_of_the_kit_are_about_features_that_there_are():
    assert set(_PHRASES) | set(_STEPS) <= {*KIT, "age_days"}


def own(unit="", kind="number", raises=None):
    return SimpleNamespace(
        name="logins", meaning="logins (last week)", unit=unit, kind=kind, raises=raises
    )


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("days", 45.0, "logins: 45 days"),
        ("share", 0.4, "logins: 40%"),
        ("money per month", 1500.0, "logins: €1,500"),
        ("log ratio", 0.4055, "logins: +50%"),
        ("log ratio", -0.5108, "logins: −40%"),
        ("logins", 2.5, "logins: 2.5"),
        ("", 1.0, "logins: yes"),
        ("", 0.25, "logins: 25%"),
        ("", None, "logins: not known"),
        ("", "a", "logins a"),
    ],
)
def test_a_feature_of_ones_own_is_told_from_its_declaration(unit, value, expected):
    assert driver_phrase(own(unit), "logins", value, 1.0, ENGLISH) == expected


def test_meaning_leaves_out_how_it_is_counted():
    assert meaning(KIT["days_since_use"], "days_since_use") == "days since the last use"
    assert meaning(KIT["region"], "region") == "region"
    assert meaning(KIT["usage_trend"], "usage_trend").endswith("against the 90 before")
    assert meaning(None, "age_days") == "days as a customer"
    assert meaning(None, "my_own") == "my own"
    assert feature_value(None, "age_days", 45, ENGLISH) == "45 days"


def test_next_step_follows_the_strongest_reason_that_can_be_acted_on():
    values = {"region": ("EU", "US"), "days_to_renewal": (12.0, 100.0), "nps_score": (None, 8.0)}
    assert next_step(values, KIT, values).startswith("Open the renewal talk")
    assert next_step(["region", "nps_score"], KIT, values).startswith("Ask what is behind")
    assert next_step(["region"], KIT, values) == ASK
    assert next_step([], KIT, {}) == ASK


def test_next_step_passes_over_what_stands_the_other_way_round_than_expected():
    values = {"usage_trend": (0.4, 0.0), "days_since_use": (20.0, 4.0)}
    assert next_step(["usage_trend"], KIT, values) == ASK
    assert next_step(values, KIT, values).startswith("Call the people who use it")
