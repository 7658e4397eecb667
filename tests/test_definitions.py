"""Definitions on which vendors disagree: every name has its words, presets set what they state."""

import pytest

from csa.definitions import CHOICES, HORIZON_MONTHS, KIT, PRESETS, VENDORS, chosen, used_by


def test_every_choice_has_words_and_every_preset_only_known_ones():
    assert set(KIT) == set(CHOICES)
    assert all(text.strip() for made in CHOICES.values() for text in made.values())
    for preset in PRESETS.values():
        assert all(choice in CHOICES[switch] for switch, choice in preset.items())
    assert set(VENDORS) == set(PRESETS)


@pytest.mark.parametrize(
    ("preset", "nrr", "quick_ratio", "discounts"),
    [
        ("csa", "cohort", "without_reactivation", "net"),
        ("chartmogul", "flow", "with_reactivation", "net"),
        ("baremetrics", "cohort", "without_reactivation", "net"),
        ("netsuite", "flow", "without_reactivation", "net"),
        ("paddle_billing", "cohort", "without_reactivation", "list"),
    ],
)
def test_chosen_presets_are_as_the_reference_states(preset, nrr, quick_ratio, discounts):
    """Help pages of the vendors, as collected in the project's reference, section 2.2."""
    made = chosen(preset)
    assert (made.nrr, made.quick_ratio, made.discounts) == (nrr, quick_ratio, discounts)
    assert made.horizon_months == HORIZON_MONTHS


def test_chosen_single_switch_beats_the_preset():
    made = chosen("chartmogul", {"nrr": "cohort"}, horizon_months=3)
    assert (made.nrr, made.quick_ratio) == ("cohort", "with_reactivation")
    assert made.words("nrr").startswith("cohort-locked: ")
    assert made.horizon_months == 3


def test_used_by_names_vendors():
    assert used_by("nrr", "flow") == ("ChartMogul", "NetSuite")
