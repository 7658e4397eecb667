"""Breadth of features and their uptake: small worlds by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from adoption_worlds import DAY, LAST, customers_of, days_of, months_of, october

from csa.analysis.adoption.breadth import breadth, last_month
from csa.analysis.adoption.uptake import uptake
from csa.errors import InputError
from csa.methods.intervals import wilson

FIRST = date(2025, 1, 1)
ABOUT = october(days_of([("z", None, FIRST), ("z", "u", LAST)]))
LAUNCHED = pd.DataFrame(
    {
        "feature": ["old", "new", "next", "plain"],
        "area": ["A", "A", "B", None],
        "launched_on": [date(2020, 1, 1), date(2026, 9, 15), date(2026, 11, 5), None],
    }
)


def test_breadth_counts_features_launched_by_then_and_accounts_with_any_use():
    uses = [("a", "u", "old", date(2026, 8, 1)), ("a", "u", "new", date(2026, 9, 20))]
    uses += [("b", None, "old", LAST), ("c", "v", "no feature", LAST)]
    uses += [("d", "w", "old", date(2026, 7, 31)), ("a", "u", "next", date(2026, 10, 1))]
    result = breadth(months_of(uses), LAUNCHED, span=ABOUT)
    row = result.table.iloc[0]
    assert (row["n"], row["launched"]) == (3, 3)  # what is not launched yet is absent
    assert row["value"] == pytest.approx((2 + 1 + 0) / 3)
    assert row["previous"] == pytest.approx(1.0)  # d alone, with one
    assert row["share"] == pytest.approx(1 / 3)
    assert (result.first, result.last) == (date(2026, 8, 1), LAST)
    assert result.spread.to_numpy().tolist() == [[0, 1], [1, 1], [2, 1]]
    features = result.features.set_index("feature")
    assert list(features["accounts"][["old", "new", "plain"]]) == [2, 1, 0]
    assert "next" not in features.index
    known = wilson(2, 3)
    assert features.loc["old", ["share", "ci_low", "ci_high"]].tolist() == pytest.approx(
        [known.value, known.low, known.high]
    )
    assert features.loc["old", "previous"] == pytest.approx(1.0)
    assert np.isnan(features.loc["new", "change"])  # not launched in the months before
    assert features.loc["old", "days"] == 1


def test_a_share_that_every_account_keeps_has_not_changed():
    """Twelve accounts, eight of them with the feature in both stretches of months."""
    uses = [(f"a{k}", "u", "plain", d) for k in range(12) for d in (LAST, date(2026, 6, 1))]
    uses += [(f"a{k}", "u", "old", d) for k in range(8) for d in (LAST, date(2026, 6, 1))]
    row = breadth(months_of(uses), LAUNCHED, span=ABOUT).features.set_index("feature").loc["old"]
    assert (row["share"], row["change"]) == (pytest.approx(8 / 12), 0)
    assert np.isnan(row["change_low"])
    worse = [u for u in uses if u[2] == "plain" or u[3] < LAST or u[0] == "a1"]
    row = breadth(months_of(worse), LAUNCHED, span=ABOUT).features.set_index("feature").loc["old"]
    assert row["change"] == pytest.approx(-7 / 12)
    assert row["change_high"] < 0


def test_without_a_list_every_feature_ever_used_was_launched():
    uses = [("a", "u", "f", date(2026, 1, 1)), ("a", "u", "g", LAST)]
    result = breadth(months_of(uses), None, span=ABOUT)
    assert (result.table["launched"].iloc[0], result.table["value"].iloc[0]) == (2, 1)
    assert set(result.features["feature"]) == {"f", "g"}


def test_no_use_of_a_feature_has_no_breadth():
    result = breadth(months_of([]), LAUNCHED, span=ABOUT)
    assert result.table.empty
    assert (result.features["accounts"] == 0).all()
    assert last_month(date(2026, 10, 30)) == 2026 * 12 + 8
    assert last_month(LAST) == 2026 * 12 + 9


def test_a_list_without_days_of_launch_is_refused():
    with pytest.raises(InputError, match="launched_on is missing"):
        breadth(months_of([]), LAUNCHED[["feature"]], span=ABOUT)


def after(result, feature, days):
    rows = result.table.query("feature == @feature and days == @days")
    return rows.iloc[0]


def test_uptake_is_the_product_limit_from_the_day_an_account_could():
    """Twenty accounts since long, ten since 15 May; launch on 1 May 2026, day 1.

    Five of the old use it on day 10, one of them leaves on day 20, five of the young on their
    day 31: S = (1 - 5/30) (1 - 5/24).
    """
    launch = date(2026, 5, 1)
    table = pd.DataFrame({"feature": ["f"], "launched_on": [launch]})
    starts = {f"a{k}": date(2025, 6, 1) for k in range(20)}
    starts |= {f"b{k}": date(2026, 5, 15) for k in range(10)}
    uses = [(f"a{k}", "u", "f", launch + 9 * DAY) for k in range(5)]
    uses += [(f"b{k}", "u", "f", date(2026, 5, 15) + 30 * DAY) for k in range(5)]
    gone = {"a9": launch + 19 * DAY}
    result = uptake(months_of(uses), customers_of(starts, ends=gone), table, span=ABOUT)
    row = after(result, "f", 90)
    assert (row["accounts"], row["used"], row["left_out"]) == (30, 10, 0)
    assert after(result, "f", 30)["share"] == pytest.approx(5 / 30)
    assert row["share"] == pytest.approx(1 - (1 - 5 / 30) * (1 - 5 / 24))
    assert row["ci_low"] < row["share"] < row["ci_high"]
    assert np.isnan(row["median_days"])
    assert np.isnan(after(result, "f", 365)["share"])  # nobody was watched for a year
    assert result.curves["share"].is_monotonic_increasing


def test_accounts_under_observation_only_later_enter_late():
    """Ten accounts seen from day 21 on: those that used it before are not told by them."""
    launch = date(2026, 5, 1)
    table = pd.DataFrame({"feature": ["f"], "launched_on": [launch]})
    starts = {f"a{k}": date(2025, 6, 1) for k in range(24)}
    seen = {f"a{k}": launch + 20 * DAY for k in range(12)}
    uses = [(f"a{k}", "u", "f", launch + 4 * DAY) for k in (0, 12, 13, 14)]  # day 5
    uses += [(f"a{k}", "u", "f", launch + 39 * DAY) for k in (1, 15)]  # day 40
    result = uptake(months_of(uses), customers_of(starts, seen=seen), table, span=ABOUT)
    row = after(result, "f", 90)
    assert row["accounts"] == 23  # the first had used it before anybody looked
    assert row["share"] == pytest.approx(1 - (1 - 3 / 12) * (1 - 2 / 20))


def test_what_came_before_use_was_recorded_is_left_out():
    starts = {f"a{k}": date(2024, 6, 1) for k in range(4)}
    starts |= {f"b{k}": date(2026, 1, 1) for k in range(12)}
    uses = [(f"b{k}", "u", "old", date(2026, 1, 1)) for k in range(6)]
    result = uptake(months_of(uses), customers_of(starts), LAUNCHED.head(2), span=ABOUT)
    row = after(result, "old", 30)
    assert (row["accounts"], row["left_out"], row["share"]) == (12, 4, pytest.approx(0.5))
    assert after(result, "new", 30)["accounts"] == 16
    old = customers_of(dict(list(starts.items())[:4]))
    none = uptake(months_of(uses), old, LAUNCHED.head(1), span=ABOUT)
    assert none.untimed == ("old",)
    assert none.table.empty


@pytest.mark.parametrize("launched", [None, LAUNCHED.tail(2)], ids=["no list", "none known"])
def test_without_a_day_of_launch_there_is_no_uptake(launched):
    result = uptake(months_of([]), customers_of({"a": FIRST}), launched, span=ABOUT)
    assert result.table.empty
    assert result.curves.empty
