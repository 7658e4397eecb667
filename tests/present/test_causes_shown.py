"""What is said and shown of groups that leave for different reasons."""

from dataclasses import replace

import churn_samples as churn
import numpy as np
import pytest
import sample_editions as sample

from csa.analysis.churn.causes import incidence
from csa.present import tables
from csa.present.narrate.causes import causes, groups_apart
from csa.present.words import Words


def differing(**columns):
    """Replace columns of the comparison of the three groups."""
    result = churn.reasons()
    return replace(result, differences=result.differences.assign(**columns))


def alike(groups=("a", "b")):
    spells = sample.spells(("one",))
    return incidence(churn.caused(spells.assign(group=list(groups) * (len(spells) // 2))))


def test_the_groups_furthest_apart_are_named_with_interval_and_p():
    said = groups_apart(churn.reasons())
    assert said == (
        "SMB accounts leave by their own decision more often than Enterprise accounts: 31.2% "
        "against 13.7% within 24 months, 17.5 points more (11.2 to 23.7; p < 0.001)."
    )


def test_the_figures_are_those_of_the_result():
    row = churn.reasons().differences.set_index("cause").loc["voluntary"]
    points = [f"{100 * row[name]:.1f}" for name in ("difference", "ci_low", "ci_high")]
    assert points == ["17.5", "11.2", "23.7"]


def test_the_sentence_stands_in_the_finding_before_the_last_month():
    finding = causes(churn.reasons(), over_time=churn.lately())
    assert groups_apart(churn.reasons()) in finding.evidence
    assert finding.evidence.index("SMB accounts") < finding.evidence.index("October 2026: ")


def test_the_gap_that_is_surest_is_told():
    said = groups_apart(differing(ci_low=[0.01, 0.02, 0.005]))
    assert said.startswith("Mid-market accounts leave because payment ended more often than ")


def test_groups_seen_from_an_age_on_are_said_so():
    assert " of those that reach 12 months within 24 months," in groups_apart(
        differing(from_days=365.0)
    )


def test_no_difference_beyond_chance_is_said():
    result = alike()
    assert (result.differences["p_adjusted"] > 0.05).all()
    p = result.differences["p_adjusted"].min()
    assert groups_apart(result) == (
        f"No reason takes more of one group than of another beyond chance (p = {p:.2f})."
    )


def test_a_difference_without_a_clear_pair_is_said():
    assert groups_apart(differing(ci_low=-0.01)) == (
        "Groups differ in how many leave by their own decision (p < 0.001), but no two of them "
        "clearly at one age."
    )
    assert "but no two" in groups_apart(differing(ci_low=np.nan))


@pytest.mark.parametrize(
    "spells",
    [
        churn.caused(sample.spells(("one",))),
        churn.caused().head(0),
        churn.caused().assign(event=False, cause=None),
    ],
    ids=["one group", "nobody", "nobody left"],
)
def test_without_a_comparison_nothing_is_said(spells):
    result = incidence(spells)
    assert groups_apart(result) == ""
    assert "Gray" not in tables.causes(result).note


def test_reasons_of_ones_own_and_hostile_names_stay_one_sentence():
    spells = churn.caused(sample.spells(sample.HOSTILE))
    spells = spells.replace({"cause": {"voluntary": sample.HOSTILE[0]}})
    result = incidence(spells, causes=(sample.HOSTILE[0], "involuntary", "downgrade"))
    said = groups_apart(result)
    assert said.count("\n") == 0
    assert "\u202e" not in said
    assert len(said) < 350


def test_the_table_gives_the_test_of_every_reason():
    note = tables.causes(churn.reasons()).note
    assert note.endswith(
        "Gray's test that groups are alike, over all reasons: voluntary p < 0.001, downgrade "
        "p = 0.002, involuntary p = 0.005"
    )


def test_figures_follow_the_locale():
    said = groups_apart(churn.reasons(), words=Words("de", "EUR")).replace("\xa0", " ")
    assert "31,2 % against 13,7 %" in said
    assert "p < 0,001" in said
