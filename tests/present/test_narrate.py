"""Findings as sentences: good, watch, bad, unclear, no data."""

import re
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
import sample_editions as sample
from sample_editions import Target, chances, lifetimes, rate, rate_finding, spells

from csa.analysis.churn import churn_rate, conditional_survival, survival, window_effect
from csa.present import narrate
from csa.present.items import Measure
from csa.present.judge import judged, moved, spans
from csa.present.phrases import ends
from csa.present.words import Words

WINDOW = {
    "start": date(2026, 10, 1),
    "end": date(2026, 11, 1),
    "previous_start": date(2026, 9, 1),
    "previous_end": date(2026, 10, 1),
}
LABELS = {"period_label": "October 2026", "previous_label": "September 2026"}


def make_measure(value=0.025, low=0.022, high=0.028, **changes):
    fields = {
        "metric_id": "x",
        "value": value,
        "low": low,
        "high": high,
        "n": 500,
        "unit": "share",
        "confidence": 0.95,
        "method": "",
        "target": 0.02,
        "warn": 0.03,
        "better": "lower",
    }
    return Measure(**fields | changes)


@pytest.mark.parametrize(
    ("measure", "status"),
    [
        (make_measure(0.015, 0.012, 0.018), "good"),
        (make_measure(), "watch"),
        (make_measure(0.04, 0.03, 0.05), "bad"),
        (make_measure(0.025, 0.022, 0.028, warn=None), "bad"),
        (make_measure(0.025, 0.019, 0.032), "unclear"),  # the interval spans the target
        (make_measure(0.015, 0.012, 0.018, n=29), "unclear"),
        (make_measure(target=None), "unclear"),
        (make_measure(None, None, None), "unclear"),
        (make_measure(0.015, None, None), "good"),  # nothing but a value: a count, say
        (make_measure(0.9, 0.85, 0.95, better="higher", target=0.8), "good"),
        (make_measure(0.7, 0.65, 0.75, better="higher", target=0.8, warn=0.6), "watch"),
        (make_measure(None, 900, None, better="higher", target=700, warn=None), "good"),
        (make_measure(None, 500, None, better="higher", target=700, warn=None), "unclear"),
    ],
)
def test_judged(measure, status):
    assert judged(measure) == status


def test_change_is_real_only_outside_of_its_interval():
    change = {"change": 0.01, "change_low": 0.002, "change_high": 0.02}
    assert moved(make_measure(**change)) is True
    assert moved(make_measure(**change | {"change_low": -0.002})) is False
    assert moved(make_measure()) is None
    assert not spans(make_measure(target=None))


@pytest.mark.parametrize(
    ("target", "status", "against", "action"),
    [
        (Target(0.05), "good", "below the target of 5.0%", "Keep going"),
        (Target(0.008, 0.02), "watch", "above the target of 0.8%", "Start with SMB"),
        (Target(0.005, 0.006), "bad", "above the target of 0.5%", "Start with SMB"),
        (Target(0.015), "unclear", "the target of 1.5% lies inside it", "Wait for more data"),
        (None, "unclear", "95% interval 1.0% to 2.2%.", "targets: logo_churn_rate in csa.yml"),
    ],
)
def test_churn_rate_is_judged_by_its_target(target, status, against, action):
    finding = rate_finding(target)
    assert finding.status == status
    assert against in finding.evidence
    assert action in finding.action
    assert finding.text.startswith("1.5% of accounts left in October 2026: 21 of 1,448, up 0.2")
    assert finding.measure.n == 1448


def test_churn_rate_tells_chance_from_change():
    assert "Change within chance (−0.7 to +1.1" in rate_finding().evidence


def test_churn_rate_without_a_previous_period_does_not_compare():
    result = churn_rate(spells(), start=WINDOW["start"], end=WINDOW["end"])
    finding = narrate.churn_rate(result, target=Target(0.02), **LABELS)
    assert finding.text == "1.5% of accounts left in October 2026: 21 of 1,448."
    assert "hange" not in finding.evidence


def test_churn_rate_of_nobody_is_unclear():
    finding = narrate.churn_rate(churn_rate(spells().head(0), **WINDOW), **LABELS)
    assert finding.status == "unclear"
    assert finding.word == "Unclear"
    assert finding.text == "The churn rate of October 2026 is not known: no accounts."


def test_numbers_are_in_the_locale():
    finding = rate_finding(words=Words("de", "EUR"))
    assert finding.text.startswith("1,5\N{NO-BREAK SPACE}% of accounts left in October 2026: 21 of")
    assert "1.448" in finding.text


def test_lifetime_gives_median_interval_and_n():
    finding = narrate.lifetime(lifetimes(), target=Target(700, None, "higher"))
    assert finding.status == "good"
    assert finding.text == "Half of all accounts stay at least 48.6 months."
    assert finding.evidence.startswith("95% interval ")
    assert "above the target of 23 months" in finding.evidence
    assert finding.evidence.endswith("2,160 accounts, 726 left.")


def test_lifetime_beyond_sight_says_how_many_are_left():
    result = survival(spells(("one",)))
    finding = narrate.lifetime(result, target=Target(700, None, "higher"))
    assert finding.text.startswith("More than half of all accounts outlast what was seen: 58.")
    assert finding.status == "good"
    assert "beyond the target of 23 months" in finding.evidence
    far = narrate.lifetime(result, target=Target(5000, None, "higher"))
    assert far.status == "unclear"
    assert "cannot be judged yet" in far.evidence


def test_lifetime_says_who_came_late():
    late = spells().assign(entry_days=300).query("exit_days > 300")
    finding = narrate.lifetime(survival(late))
    assert "those that reach 9.9 months" in finding.text
    assert "came under observation late and count from then on" in finding.evidence


@pytest.mark.parametrize("accounts", [spells().head(0), spells().head(4)], ids=["none", "four"])
def test_lifetime_of_few_is_unclear(accounts):
    finding = narrate.lifetime(survival(accounts), target=Target(700, None, "higher"))
    assert finding.status == "unclear"
    assert "is not known" in finding.text


def test_groups_that_differ_are_watched():
    finding = narrate.groups(lifetimes())
    assert finding.status == "watch"
    assert finding.text.startswith("Lifetimes differ by segment: after 36 months 7")
    assert "p < 0.001" in finding.evidence
    assert finding.action.startswith("Look at SMB first: ")
    assert 0 < finding.weight <= 1


def test_groups_that_cannot_be_told_apart_are_unclear():
    alike = spells(("one",)).assign(group=lambda t: ["a", "b"] * (len(t) // 2))
    finding = narrate.groups(survival(alike), by="plan")
    assert finding.status == "unclear"
    assert finding.text.startswith("No difference by plan can be shown")


def test_one_group_cannot_be_compared():
    finding = narrate.groups(survival(spells(("one",))))
    assert finding.status == "unclear"
    assert "there is only one group" in finding.text
    assert "Map an attribute" in finding.action


def test_first_year_compares_new_and_older_accounts():
    finding = narrate.first_year(chances(), confidence=0.95, target=Target(0.9, 0.85, "higher"))
    assert finding.status == "bad"
    assert re.match(r"8\d% of new accounts stay 12 months; ", finding.text)
    assert "of those here for 24 months stay another 12 months." in finding.text
    assert finding.measure.metric_id == "survival_12_months"


def test_first_year_is_not_certain_where_nobody_left():
    loyal = survival(spells().assign(event=False))
    table = conditional_survival(loyal, ages_days=[0, 365], ahead_days=[365])
    finding = narrate.first_year(table, confidence=0.95)
    assert finding.evidence.startswith("95% interval 99.7% to 100.0% (2,160 accounts)")
    assert finding.measure.low == pytest.approx(0.025 ** (1 / 1440))  # at the end of the year


@pytest.mark.parametrize("accounts", [spells().head(0), spells().head(1)], ids=["none", "one"])
def test_first_year_of_few_is_unclear(accounts):
    table = conditional_survival(survival(accounts), ages_days=[0, 365], ahead_days=[365])
    finding = narrate.first_year(table, confidence=0.95)
    assert (finding.status, finding.word) == ("unclear", "Unclear")
    assert finding.action.startswith("Come back when")


@pytest.mark.parametrize(
    ("failing", "status", "text"),
    [
        (0, "good", "All 9 checks of 3 tables pass."),
        (1, "watch", "1 of 10 checks fails: 1 warning, in accounts."),
        (2, "bad", "2 of 11 checks fail: 1 error and 1 warning, in subscriptions and accounts."),
    ],
)
def test_data_quality_counts_what_fails(failing, status, text):
    finding = narrate.data_quality(sample.quality(failing))
    assert (finding.status, finding.text) == (status, text)


def test_data_quality_names_the_worst_and_the_way_out():
    finding = narrate.data_quality(sample.quality(2))
    assert finding.evidence == "subscriptions: mrr is negative (3 of 2,400 rows)."
    assert finding.action == (
        "Write refunds as transactions, or filter with where. "
        "Until then numbers from subscriptions are withheld."
    )


def test_own_checks_may_count_more_rows_than_the_table_has():
    check = replace(sample.FAILING[0], failing=135_080, rows=21_269)
    finding = narrate.data_quality(replace(sample.quality(0), checks=(check,)))
    assert finding.evidence.endswith("(135,080 rows).")


def test_data_quality_without_tables_is_unclear():
    finding = narrate.data_quality(sample.Quality((), tables=sample.TABLES.head(0)))
    assert finding.status == "unclear"
    assert "there is no table" in finding.text


def test_freshness_by_the_newest_row():
    finding = narrate.freshness(sample.quality(0), as_of=sample.AS_OF)
    assert finding.status == "good"
    assert (
        finding.text == "The newest row is of Oct 31, 2026: the data reach the end of the period."
    )
    early = narrate.freshness(sample.quality(0), as_of=date(2026, 11, 2))
    assert early.text == "The newest row is of Oct 31, 2026, 2 days before the period ends."


def test_freshness_names_tables_older_than_due():
    finding = narrate.freshness(sample.quality(3), as_of=sample.AS_OF)
    assert finding.status == "watch"
    assert finding.text.startswith("Older than due: usage_events;")
    assert finding.action == "Load the missing days."


def test_freshness_without_dates_is_unclear():
    report = replace(sample.quality(0), tables=sample.TABLES.assign(newest=pd.NaT))
    assert narrate.freshness(report, as_of=sample.AS_OF).status == "unclear"


@pytest.mark.slow
def test_hostile_names_stay_one_sentence():
    finding = narrate.groups(lifetimes(sample.HOSTILE))
    assert "\n" not in finding.text
    assert len(finding.text) < 250
    assert (
        "\u202e" not in finding.text + finding.action + rate_finding(groups=sample.HOSTILE).action
    )


def test_intervals_without_width_are_none():
    assert ends(1.0, 1.0) == (None, None)
    assert ends(0.1, float("nan")) == (0.1, None)
    assert ends(0.1, 0.2) == (0.1, 0.2)
    assert ends(30, 30) == (30, 30)  # a median that is sure


def test_rates_used_here_are_what_they_are():
    total = rate().table.iloc[0]
    assert (total["churned"], total["at_start"]) == (21, 1448)


def test_window_that_bends_the_curve_is_watched():
    late = spells().assign(entry_days=lambda t: (t["exit_days"] - 200).clip(lower=0))
    finding = narrate.window_effect(window_effect(late, ages_days=[90, 365]))
    assert finding.status == "watch"
    assert "with the window ignored it would look like" in finding.text
    assert "came under observation late" in finding.evidence


def test_window_without_late_accounts_corrects_nothing():
    finding = narrate.window_effect(window_effect(spells(), ages_days=[365]))
    assert (finding.status, finding.action) == ("good", "Nothing to do.")


def test_window_of_nobody_is_unclear():
    finding = narrate.window_effect(window_effect(spells().head(0), ages_days=[365]))
    assert finding.status == "unclear"
