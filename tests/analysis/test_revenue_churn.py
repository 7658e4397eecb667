"""Revenue churn of a period."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from csa.analysis.churn.revenue import revenue_churn
from csa.errors import InputError
from csa.methods.intervals import wilson

OCTOBER = {"start": date(2026, 10, 1), "end": date(2026, 11, 1)}
SEPTEMBER = {"previous_start": date(2026, 9, 1), "previous_end": date(2026, 10, 1)}
MONTH = 2026 * 12 + 9


def months(*rows):
    """Rows of (account, months since October, before, after), all in one group, always seen."""
    frame = pd.DataFrame(rows, columns=["account_id", "month", "previous_minor", "mrr_minor"])
    return frame.assign(month=frame["month"] + MONTH, group="SMB", observed_from=pd.NaT)


def stays(n, *, at=0, mrr=100):
    return [(f"s{i}", at, mrr, mrr) for i in range(n)]


def total(result):
    return result.table.set_index("group").loc["all"]


def test_rate_is_the_share_of_the_revenue_at_the_start():
    """990 of 1,990 left with one account; 50 more were lost by contraction, which is no churn."""
    rows = months(*stays(9), ("big", 0, 990, 0), ("less", 0, 100, 50), ("new", 0, 0, 500))
    row = total(revenue_churn(rows, **OCTOBER))
    assert (row["at_start"], row["churned"], row["mrr_minor"], row["churned_minor"]) == (
        11,
        1,
        1990,
        990,
    )
    assert row["rate"] == pytest.approx(990 / 1990)
    assert row["n_effective"] < 11 / 2
    assert row["ci_high"] - row["ci_low"] > wilson(5, 11).high - wilson(5, 11).low


def test_accounts_of_one_size_have_the_interval_of_logo_churn():
    rows = months(*stays(90), *[(f"g{i}", 0, 100, 0) for i in range(10)])
    row = total(revenue_churn(rows, **OCTOBER))
    assert row["n_effective"] == pytest.approx(100)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(wilson(10, 100))[1:])


def test_a_quarter_counts_who_is_gone_at_its_end():
    """Left in August and back in September is no churn of the quarter."""
    back = [("back", -2, 100, 100), ("back", -1, 100, 0), ("back", 0, 0, 80)]
    gone = [("gone", -2, 300, 300), ("gone", -1, 300, 0)]
    rows = months(*back, *gone, *(row for at in (-2, -1, 0) for row in stays(10, at=at)))
    row = total(revenue_churn(rows, start=date(2026, 8, 1), end=date(2026, 11, 1)))
    assert (row["at_start"], row["churned"], row["rate"]) == (12, 1, pytest.approx(300 / 1400))


def test_change_since_the_previous_period_carries_its_interval():
    before = [*stays(200, at=-1)]
    now = [*stays(150), *[(f"g{i}", 0, 100, 0) for i in range(50)]]
    row = total(revenue_churn(months(*before, *now), **OCTOBER, **SEPTEMBER))
    assert row["previous_rate"] == 0
    assert (row["difference"], row["moved"]) == (0.25, "up")
    assert 0 < row["difference_low"] < 0.25 < row["difference_high"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (months(), "no accounts"),
        (months(*stays(4)), "only 4 accounts at the start"),
        (months(*stays(30), ("big", 0, 10**6, 0)), "a few accounts hold nearly all of the revenue"),
    ],
)
def test_too_little_is_unclear(rows, reason):
    row = total(revenue_churn(rows, **OCTOBER))
    assert (row["status"], row["reason"]) == ("unclear", reason)


def test_accounts_nobody_watched_yet_are_left_out():
    rows = months(*stays(20), ("late", 0, 500, 0))
    rows.loc[rows["account_id"] == "late", "observed_from"] = pd.Timestamp("2026-10-01")
    row = total(revenue_churn(rows, **OCTOBER))
    assert (row["at_start"], row["rate"], row["not_observed"]) == (20, 0, 1)


def test_groups_add_up_to_all():
    rows = months(*stays(40), *[(f"g{i}", 0, 700, 0) for i in range(15)])
    rows["group"] = np.where(rows["previous_minor"] > 100, "Enterprise", "SMB")
    table = revenue_churn(rows, **OCTOBER).table.set_index("group")
    assert list(table.index) == ["all", "Enterprise", "SMB"]
    assert table["churned_minor"].iloc[0] == table["churned_minor"].iloc[1:].sum()


def test_part_of_a_month_is_unclear_and_no_day_is_refused():
    week = revenue_churn(months(*stays(20)), start=date(2026, 10, 5), end=date(2026, 10, 12))
    assert total(week)["status"] == "unclear"
    assert "whole months" in total(week)["reason"]
    assert np.isnan(total(week)["rate"])
    with pytest.raises(InputError, match="holds no day"):
        revenue_churn(months(), start=date(2026, 11, 1), end=date(2026, 11, 1))


def test_nobody_left_still_leaves_room_for_churn():
    row = total(revenue_churn(months(*stays(60), *stays(60, at=-1)), **OCTOBER, **SEPTEMBER))
    assert (row["rate"], row["ci_low"], row["difference"]) == (0, 0, 0)
    assert row["ci_high"] == pytest.approx(wilson(0, 60).high)
    assert row["difference_low"] == pytest.approx(-row["difference_high"])
    assert row["difference_high"] > 0.04


def test_all_has_the_same_rate_whatever_the_groups():
    rows = months(*stays(40), *[(f"g{i}", 0, 700, 0) for i in range(15)])
    apart = rows.assign(group=np.where(rows["previous_minor"] > 100, "Enterprise", "SMB"))
    one, two = (total(revenue_churn(each, **OCTOBER)) for each in (rows, apart))
    assert one["rate"] == pytest.approx(two["rate"])
    assert one["n_effective"] == pytest.approx(two["n_effective"])


def test_a_group_of_one_period_has_no_change_and_takes_part_in_that_of_all():
    rows = months(*stays(40), *stays(40, at=-1), ("new", 0, 4000, 0), *stays(30, at=0, mrr=50))
    rows["group"] = np.where(rows["previous_minor"] == 100, "old", "young")
    table = revenue_churn(rows, **OCTOBER, **SEPTEMBER).table.set_index("group")
    young = table.loc["young"]
    assert (young["previous_at_start"], young["moved"]) == (0, "unclear")
    assert np.isnan([young["previous_rate"], young["difference"], young["difference_low"]]).all()
    assert table.loc["all", "difference"] == pytest.approx(table.loc["all", "rate"])
    assert table.loc["all", "difference_low"] < table.loc["all", "difference"]
