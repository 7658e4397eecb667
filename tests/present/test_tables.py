"""Tables of the chapters."""

from datetime import date

import pytest
import sample_editions as sample
from sample_editions import lifetimes, rate, spells

from csa.analysis.churn import churn_rate, survival
from csa.present import tables


def cells(table):
    return table.part()["cells"]


def labels(table):
    return [column.label for column in table.columns]


def test_churn_rate_has_groups_then_the_total():
    table = tables.churn_rate(rate())
    assert [row[0] for row in cells(table)] == ["Enterprise", "Mid-market", "SMB", "All accounts"]
    assert cells(table)[-1][1:5] == ["1,448", "21", "1.5%", "1.0% to 2.2%"]
    assert labels(table)[4:] == ["95% interval", "Change", "95% interval"]


def test_churn_rate_without_a_previous_period_has_no_change():
    table = tables.churn_rate(churn_rate(spells(), start=date(2026, 10, 1), end=date(2026, 11, 1)))
    assert labels(table) == ["Segment", "At start", "Left", "Rate", "95% interval"]


def test_survival_summary_explains_a_median_that_was_not_reached():
    table = tables.survival_summary(lifetimes(), by="plan")
    assert labels(table)[0] == "Plan"
    assert cells(table)[0][3] == "–"
    assert table.note.startswith("– median: fewer than half left")


def test_a_reason_shared_by_all_rows_is_said_once():
    table = tables.survival_summary(survival(spells().assign(event=False)))
    assert table.note.count("obody churned") == 1
    assert "100.0% to 100.0%" not in str(cells(table))


@pytest.mark.parametrize(
    "make",
    [
        lambda none: tables.churn_rate(
            churn_rate(none, start=date(2026, 10, 1), end=date(2026, 11, 1))
        ),
        lambda none: tables.survival_summary(survival(none)),
    ],
)
def test_tables_without_accounts_still_stand(make):
    table = make(spells().head(0))
    assert cells(table)[0][0] == "All accounts"
    assert table.part()["rows"][0]["group"] == "All accounts"


def test_checks_are_errors_first_with_a_way_out():
    table = tables.checks(sample.quality(3))
    assert [row[0] for row in cells(table)] == ["Error", "Warning", "Warning"]
    assert cells(table)[0][1] == "subscriptions.mrr"
    assert cells(table)[0][-1] == "write refunds as transactions, or filter with where"
    assert table.note == "9 further checks pass."


def test_checks_that_all_pass_say_so():
    table = tables.checks(sample.quality(0))
    assert cells(table) == []
    assert table.part()["empty"] == "Every check passes."


def test_freshness_and_lineage_name_origin_and_newest_row():
    fresh = cells(tables.freshness(sample.quality(0)))
    assert fresh[2] == ["usage_events", "1,203,344", "Oct 19, 2026", "warehouse: public.events"]
    line = cells(tables.lineage(sample.TABLES))
    assert line[0][-1] == "a" * 12
