"""Tables of the churn chapter: revenue, reasons, chances, time ahead, accounts out of sight."""

import churn_samples as churn
import numpy as np
import pytest
import sample_editions as sample

from csa.analysis.churn.causes import incidence
from csa.analysis.churn.censoring import censoring_bounds
from csa.analysis.churn.revenue import revenue_churn
from csa.present import tables
from csa.present.table_rows import group_names, pairs, reasons, total_last
from csa.present.tables.revenue import revenue_churn as revenue_table
from csa.present.words import Words


def cells(table):
    return table.part()["cells"]


def labels(table):
    return [column.label for column in table.columns]


def test_revenue_has_groups_then_the_total():
    table = revenue_table(churn.revenue())
    assert [row[0] for row in cells(table)] == ["Enterprise", "SMB", "All accounts"]
    assert cells(table)[1][1:5] == ["€120,000", "12", "€12,000", "10.0%"]
    assert labels(table)[-2:] == ["Change", "95% interval"]


def test_revenue_without_a_previous_period_has_no_change():
    table = revenue_table(revenue_churn(churn.revenue_rows(), **churn.OCTOBER), by="plan")
    assert labels(table)[0] == "Plan"
    assert labels(table)[-1] == "95% interval"
    assert len(labels(table)) == 6


def test_revenue_follows_the_currency():
    table = revenue_table(churn.revenue(), words=Words("en", "JPY"))
    assert cells(table)[1][1] == "¥12,000,000"


def test_reasons_by_group_end_with_all_accounts():
    table = tables.causes(churn.reasons())
    assert labels(table)[1:4] == ["Reason", "Left", "Of those that left"]
    assert labels(table)[5] == "Of all, within 24 months"
    assert [row[1] for row in cells(table)[-3:]] == ["Voluntary", "Involuntary", "Downgrade"]
    assert cells(table)[-1][0] == "All accounts"


def test_reasons_that_took_nobody_have_no_rows():
    table = tables.causes(incidence(sample.spells().assign(cause=None)))
    assert {row[1] for row in cells(table)} == {"Not stated"}


def test_chance_to_leave_has_a_column_per_look_ahead():
    table = tables.chance_to_leave(churn.soon(), confidence=0.95)
    assert labels(table)[3::2] == ["In 30 days", "In 90 days", "In 180 days"]
    assert cells(table)[0][:3] == ["Enterprise", "new", "900"]
    assert cells(table)[-1][:2] == ["All accounts", "12 months"]
    shares = [float(cells(table)[0][i].rstrip("%")) for i in (3, 5, 7)]
    assert shares == sorted(shares)


def test_chance_to_leave_is_what_is_not_staying():
    chances = churn.soon()
    table = tables.chance_to_leave(chances, confidence=0.95)
    row = chances.query("group == 'SMB' and age_days == 0 and ahead_days == 90").iloc[0]
    shown = table.rows.query("group == 'SMB' and age_days == 0").iloc[0]
    assert shown["leave1"] == pytest.approx(1 - row["stay"])
    assert shown["interval1"] == pytest.approx((1 - row["ci_high"], 1 - row["ci_low"]))


def test_chance_to_leave_says_at_which_age_few_were_seen():
    table = tables.chance_to_leave(churn.soon(sample.spells().head(5)), confidence=0.95)
    assert "100.0%" not in str(cells(table))
    assert "(new)" in table.note or table.note.startswith("Only 5 at risk")


def test_remaining_is_days_of_the_days_ahead():
    table = tables.remaining(churn.time_ahead(), confidence=0.95)
    assert cells(table)[-2][:5] == ["All accounts", "new", "2,160", "12 months", "10.9 months"]


def test_time_ahead_where_nobody_left_gives_the_reason():
    loyal = churn.time_ahead(sample.spells(("one",)).assign(event=False))
    table = tables.remaining(loyal, confidence=0.95)
    assert table.note == "Nobody left in these days"
    assert cells(table)[0][-1] == "12 months"


def test_out_of_sight_has_both_bounds_around_the_estimate():
    bounds = censoring_bounds(churn.out_of_sight(), ages_days=[90, 365, 9000])
    table = tables.lost_sight(bounds)
    assert len(cells(table)) == 2
    assert (table.rows["if_all_left"] <= table.rows["survival"]).all()
    assert (table.rows["survival"] <= table.rows["if_none_left"]).all()
    none = sample.spells().assign(
        censoring=lambda t: np.where(t["event"], None, "still a customer")
    )
    assert tables.lost_sight(censoring_bounds(none, ages_days=[365])) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: revenue_table(churn.revenue(churn.revenue_rows().head(0))),
        lambda: tables.causes(incidence(churn.caused().head(0))),
        lambda: tables.chance_to_leave(churn.soon(sample.spells().head(0)), confidence=0.95),
        lambda: tables.remaining(churn.time_ahead(sample.spells().head(0)), confidence=0.95),
    ],
)
def test_tables_without_accounts_still_stand(make):
    table = make()
    assert table.part()["columns"]
    assert table._repr_mimebundle_()["text/plain"]


def test_rows_of_groups_are_put_in_order():
    rows = total_last(churn.revenue().table)
    assert list(group_names(rows)) == ["Enterprise", "SMB", "All accounts"]
    assert pairs(rows, "ci_low", "ci_high").iloc[0] == pytest.approx(
        (rows["ci_low"].iloc[0], rows["ci_high"].iloc[0])
    )
    assert reasons(rows.assign(reason="")) == ""
    assert reasons(rows.assign(reason=["", "few", ""])) == "SMB: few"
    assert reasons(rows.assign(reason="few")) == "Few"
