"""Findings of the churn chapter as sentences: revenue, reasons, risk by age, who leaves next."""

import re

import churn_samples as churn
import numpy as np
import pandas as pd
import pytest
import sample_editions as sample
from sample_editions import Target

from csa.analysis.churn import conditional_survival, survival
from csa.analysis.churn.causes import incidence
from csa.analysis.churn.censoring import censoring_bounds
from csa.analysis.churn.hazard_rates import hazard_by_age
from csa.analysis.churn.revenue import revenue_churn
from csa.present.money import amount, major
from csa.present.narrate.causes import causes
from csa.present.narrate.hazard import age_band, hazard
from csa.present.narrate.leaving import chance_to_leave
from csa.present.narrate.lost_sight import lost_sight
from csa.present.narrate.months import months_apart
from csa.present.narrate.remaining import remaining
from csa.present.narrate.revenue import revenue_churn as say_revenue
from csa.present.words import Words

ENGLISH = Words()
NOBODY = sample.spells().head(0)


def revenue_finding(target=None, result=None, **options):
    result = churn.revenue() if result is None else result
    return say_revenue(result, target=target, **churn.LABELS, **options)


# revenue ---------------------------------------------------------------------------------------


def test_revenue_is_said_in_money_and_share():
    finding = revenue_finding()
    assert finding.text == (
        "1.7% of recurring revenue left with its accounts in October 2026: €22,000 of €1.3M a "
        "month, down 0.8 points from 2.5% in September 2026."
    )
    assert "The 13 that left paid €1,692 a month on average, accounts on the whole €5,500." in (
        finding.evidence
    )
    assert (finding.measure.metric_id, finding.measure.n) == ("revenue_churn_rate", 240)
    assert finding.word == "No target"


@pytest.mark.parametrize(
    ("target", "status", "action"),
    [
        (Target(0.2), "good", "Keep going; most was lost in SMB: €12,000 of €120,000, 10.0%."),
        (Target(0.0001, 0.5), "watch", "Start with SMB"),
        (Target(0.0001), "bad", "Start with SMB"),
        (Target(0.017), "unclear", "Wait for more data before acting; watch SMB"),
    ],
)
def test_revenue_is_judged_by_its_target(target, status, action):
    finding = revenue_finding(target)
    assert finding.status == status
    assert finding.action.startswith(action)


def test_revenue_of_a_few_large_accounts_is_unclear():
    rows = churn.revenue_rows(("one",))
    rows.loc[rows["account_id"] == "0-5", ["previous_minor", "mrr_minor"]] *= 10**6
    finding = revenue_finding(Target(0.02), churn.revenue(rows))
    assert finding.status == "unclear"
    assert finding.action.startswith("A few accounts hold nearly all of the revenue: look at")
    assert "the 120 say as much as 1 alike would" in finding.evidence


def test_revenue_of_nobody_is_unclear():
    finding = revenue_finding(result=churn.revenue(churn.revenue_rows().head(0)))
    assert (finding.status, finding.word) == ("unclear", "Unclear")
    assert finding.text == "The revenue churn of October 2026 is not known: no accounts."


def test_revenue_that_nobody_took_names_no_group():
    stays = churn.revenue_rows(("one",), gone=0).assign(mrr_minor=lambda t: t["previous_minor"])
    finding = revenue_finding(Target(0.2), churn.revenue(stays))
    assert (finding.status, finding.action) == ("good", "Keep going.")
    assert "the same rate as in September 2026" in finding.text
    alone = revenue_churn(stays, **churn.OCTOBER)
    assert revenue_finding(result=alone).text.endswith("€0.00 of €1.2M a month.")


def test_money_follows_the_currency_and_the_locale():
    assert major(1250, Words("en", "JPY")) == 1250
    assert major(1250, ENGLISH) == 12.5
    assert [amount(v, ENGLISH) for v in (950, 73_906, 123_456_789, None, float("nan"))] == [
        "€9.50",
        "€739",
        "€1.2M",
        "–",
        "–",
    ]
    german = amount(123_456_700, Words("de", "EUR")).replace("\N{NO-BREAK SPACE}", " ")
    assert german == "1,2 Mio. €"


# reasons ---------------------------------------------------------------------------------------


def test_the_cause_that_takes_most_is_named_with_what_to_do():
    finding = causes(churn.reasons(), over_time=churn.lately())
    assert finding.text.startswith("67% of the accounts that left did so by their own decision: ")
    assert "; within 24 months that takes 21% of all accounts." in finding.text
    assert finding.evidence.startswith("Voluntary 63.")
    assert "October 2026: " in finding.evidence
    assert finding.action.startswith("Ask those that decide to leave why")
    assert (finding.status, finding.word) == ("unclear", "No target")


@pytest.mark.parametrize(
    ("cause", "text", "action"),
    [
        ("involuntary", "because payment ended", "Follow up failed payments"),
        ("downgrade", "by going down to nothing", "Act on the first seat"),
        ("acquired", "for a reason that is none of the usual", "Sort the other reasons"),
        (
            None,
            "was not recorded for any of the 726 that left",
            "Record a reason for every account that leaves",
        ),
    ],
)
def test_each_cause_has_its_own_way_out(cause, text, action):
    spells = sample.spells()
    finding = causes(incidence(spells.assign(cause=np.where(spells["event"], cause, None))))
    assert text in finding.text
    assert finding.action.startswith(action)


def test_a_cause_that_most_accounts_lack_leads_and_is_said_so():
    spells = churn.caused(shares=(1.0, 0.0, 0.0))
    known = np.arange(len(spells)) % 4 == 0
    finding = causes(incidence(spells.assign(cause=spells["cause"].where(known))))
    assert re.fullmatch(r"Why 7\d% of the accounts .* recorded: \d+ of 726\.", finding.text)


def test_causes_of_ones_own_are_told():
    spells = churn.caused().replace({"cause": {"voluntary": "price"}})
    finding = causes(incidence(spells, causes=("price", "involuntary")))
    assert "did so for the reason price: " in finding.text
    assert finding.action.startswith("Ask those that leave for price why")


def test_causes_that_cannot_be_told_apart_both_get_a_way_out():
    finding = causes(incidence(churn.caused(shares=(0.45, 0.45, 0.1))))
    assert finding.text.startswith("No reason for leaving leads: ")
    assert "Ask those that decide" in finding.action
    assert "Follow up failed payments" in finding.action
    assert finding.weight == 0


def test_many_without_a_reason_are_told_although_another_leads():
    spells = churn.caused()
    unknown = np.random.default_rng(1).random(len(spells)) < 0.3
    finding = causes(incidence(spells.assign(cause=spells["cause"].mask(unknown))))
    assert finding.action.startswith("Record a reason for every account that leaves, so that")
    assert "% are without one)" in finding.action
    assert "Ask those that decide" in finding.action


@pytest.mark.parametrize("n", [0, 1, 8])
def test_causes_of_few_are_unclear(n):
    finding = causes(incidence(churn.caused().head(n)))
    assert (finding.status, finding.word) == ("unclear", "Unclear")
    assert finding.text.startswith("Why accounts leave is not known: ")


def test_a_month_without_churn_says_nobody_left():
    finding = causes(churn.reasons(), over_time=churn.lately(count=1, last="2020-01"))
    assert finding.evidence.endswith("January 2020: nobody left.")


# risk by age -----------------------------------------------------------------------------------


def test_the_month_after_a_year_stands_out():
    finding = hazard(churn.hazards())
    assert finding.status == "watch"
    assert finding.text.startswith(
        "Accounts are most likely to leave in month 13, when a year is over: 1"
    )
    assert "p < 0.001 among" in finding.evidence
    assert finding.action.startswith("Speak to every account two or three months before")
    assert 0 < finding.weight < 1


@pytest.mark.parametrize(
    ("age", "text", "action"),
    [
        (50, "in month 2: ", "Look at what happens in the first weeks"),
        (200, "in month 7: ", "Find out what happens in month 7"),
    ],
)
def test_other_ages_stand_out_too(age, text, action):
    spells = sample.spells(("one",))
    leaves = (np.arange(len(spells)) % 7 == 0) & (spells["exit_days"] > age)
    spells = spells.assign(
        exit_days=spells["exit_days"].where(~leaves, age), event=spells["event"] | leaves
    )
    finding = hazard(hazard_by_age(spells))
    assert text in finding.text
    assert finding.action.startswith(action)


def two_rates(first, later):
    """Accounts that leave at one rate in their first year and at another one afterwards."""
    ages = np.random.default_rng(2).exponential(1.0, 3000)
    days = np.where(ages < 365 * first, ages / first, 365 + (ages - 365 * first) / later)
    days = np.ceil(days).astype(int)
    rows = {"group": "a", "entry_days": 0, "exit_days": np.minimum(days, 1500)}
    return pd.DataFrame(rows | {"event": days <= 1500})


@pytest.mark.parametrize(
    ("first", "later", "text", "action"),
    [
        (0.0010, 0.0006, "The first year is the riskiest: ", "Put effort into the first year"),
        (0.0005, 0.0008, "The first year is the safest: ", "Look at what older accounts lose"),
    ],
)
def test_the_first_year_may_be_riskier_or_safer(first, later, text, action):
    finding = hazard(hazard_by_age(two_rates(first, later), width_days=91))
    assert finding.text.startswith(text)
    assert "of accounts leave in 91 days, later " in finding.text
    assert finding.action.startswith(action)


def test_a_constant_risk_has_no_age():
    finding = hazard(hazard_by_age(two_rates(0.0006, 0.0006)))
    assert finding.text.startswith("No age stands out: about 1.8% of accounts leave a month")
    assert "within chance among 50 ages" in finding.evidence
    assert finding.status == "unclear"


@pytest.mark.parametrize("n", [0, 1, 5])
def test_risk_of_few_is_unclear(n):
    finding = hazard(hazard_by_age(sample.spells().head(n)))
    assert (finding.status, finding.word) == ("unclear", "Unclear")


def test_bands_of_age_are_named():
    assert age_band(0, 30, ENGLISH) == "month 1"
    assert age_band(1050, 1080, ENGLISH) == "month 35"
    assert age_band(0, 7, ENGLISH) == "the age of 0 to 7 days"
    assert age_band(182, 273, ENGLISH) == "the age of 6 to 9 months"


# who leaves next -------------------------------------------------------------------------------


def test_those_most_likely_to_leave_are_named():
    finding = chance_to_leave(churn.soon(), confidence=0.95)
    assert finding.status == "watch"
    assert finding.text.startswith("8.1% of new SMB accounts leave within 90 days, 2.2% of Ent")
    assert "more than chance among 6 groups and ages" in finding.evidence
    assert finding.action == "Speak to new SMB accounts first."


def test_chances_that_differ_by_chance_are_not_told_apart():
    alike = sample.spells(("one",)).assign(group=lambda t: ["a", "b"] * (len(t) // 2))
    finding = chance_to_leave(churn.soon(alike), confidence=0.95)
    assert finding.text.startswith("Who leaves within 90 days cannot be told by group or age: ")
    assert "within chance" in finding.evidence


def test_one_group_of_one_age_has_nothing_to_compare():
    table = conditional_survival(survival(sample.spells(("one",))), ages_days=[0], ahead_days=[90])
    finding = chance_to_leave(table, confidence=0.95)
    assert finding.text == "2.6% of new accounts leave within 90 days."
    assert finding.status == "unclear"
    assert "chance among" not in finding.evidence


def test_a_chance_is_compared_with_a_group_that_nobody_left():
    few = sample.spells(("a", "b")).assign(event=lambda t: t["event"] & (t["group"] == "a"))
    table = conditional_survival(survival(few), ages_days=[0], ahead_days=[90])
    finding = chance_to_leave(table, confidence=0.95)
    assert finding.text.startswith("2.6% of new a accounts leave within 90 days, 0.0% of new b")
    assert "The difference is more than chance" in finding.evidence


def test_nobody_that_left_is_no_certainty():
    loyal = churn.soon(sample.spells().assign(event=False))
    finding = chance_to_leave(loyal, confidence=0.95)
    assert finding.text == "Nobody left within 90 days, whatever the group and age."
    assert finding.evidence.startswith("95% intervals: 0.0% to 0.4% (900 accounts); 0.0% to")
    assert finding.status == "unclear"


def test_a_year_ahead_is_said_in_months():
    table = conditional_survival(churn.curve(), ages_days=[0, 730], ahead_days=[365])
    text = chance_to_leave(table, confidence=0.95, ahead_days=365).text
    assert "leave within 12 months" in text
    assert "accounts here for 24 months" in text


@pytest.mark.parametrize("n", [0, 1, 5])
def test_chances_of_few_are_unclear(n):
    finding = chance_to_leave(churn.soon(sample.spells().head(n)), confidence=0.95)
    assert (finding.status, finding.word) == ("unclear", "Unclear")


def test_hostile_names_stay_one_sentence():
    finding = chance_to_leave(churn.soon(sample.spells(sample.HOSTILE)), confidence=0.95)
    assert "\n" not in finding.text
    assert "\u202e" not in finding.text + finding.action
    assert len(finding.text) < 250


# time ahead, months apart ----------------------------------------------------------------------


def test_time_ahead_of_new_and_older_accounts():
    finding = remaining(churn.time_ahead(), confidence=0.95)
    assert finding.text == (
        "New accounts stay 10.9 of the next 12 months on average, accounts here for 12 months "
        "11 months."
    )
    assert finding.measure.metric_id == "remaining_days_of_365"
    assert finding.word == "No target"
    aimed = remaining(churn.time_ahead(), confidence=0.95, target=Target(300, None, "higher"))
    assert (aimed.status, "above the target of 9.9 months" in aimed.evidence) == ("good", True)


def test_time_ahead_of_one_age_is_not_compared():
    table = churn.time_ahead().query("age_days == 0")
    assert remaining(table, confidence=0.95).text.endswith("of the next 12 months on average.")


@pytest.mark.parametrize("spells", [NOBODY, sample.spells().assign(event=False)])
def test_time_ahead_without_churn_is_unclear(spells):
    finding = remaining(churn.time_ahead(spells), confidence=0.95)
    assert (finding.status, finding.word) == ("unclear", "Unclear")


def test_groups_are_months_apart():
    said = months_apart(churn.curve())
    assert said.startswith("Within the first 4 years SMB accounts stay ")
    assert said.endswith(" months).")
    assert "less than Enterprise accounts (" in said


def test_groups_that_do_not_differ_are_not_months_apart():
    alike = sample.spells(("one",)).assign(group=lambda t: ["a", "b"] * (len(t) // 2))
    assert months_apart(survival(alike)) == ""
    assert months_apart(survival(sample.spells(("one",)))) == ""


def test_groups_known_from_different_ages_are_not_subtracted():
    late = sample.spells().assign(entry_days=lambda t: np.where(t["group"] == "SMB", 100, 0))
    assert months_apart(survival(late.query("exit_days > entry_days"))) == ""


def test_a_short_horizon_is_said_in_days():
    short = survival(sample.spells(accounts=4000), horizon_days=300)
    assert months_apart(short).startswith("Within the first 9.9 months SMB accounts stay ")


# out of sight ----------------------------------------------------------------------------------


def test_accounts_out_of_sight_bound_the_answer():
    bounds = censoring_bounds(churn.out_of_sight(), ages_days=[90, 365])
    finding = lost_sight(bounds)
    assert finding.status == "watch"
    assert "accounts went out of sight without leaving: had they all left or all" in finding.text
    assert finding.text.endswith("would still be customers after 12 months.")
    assert finding.action.startswith("Find out what became of the ")


def test_few_accounts_out_of_sight_change_nothing():
    finding = lost_sight(censoring_bounds(churn.out_of_sight(0.005), ages_days=[365]))
    assert (finding.status, finding.action[:13]) == ("good", "Nothing to do")


def test_without_accounts_out_of_sight_nothing_is_said():
    spells = sample.spells().assign(
        censoring=lambda t: np.where(t["event"], None, "still a customer")
    )
    assert lost_sight(censoring_bounds(spells, ages_days=[365])) is None


def test_ages_that_were_not_seen_are_unclear():
    bounds = censoring_bounds(churn.out_of_sight(), ages_days=[9000])
    assert lost_sight(bounds).status == "unclear"
