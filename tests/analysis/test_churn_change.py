"""What moved a churn rate: exact parts, planted causes, periods and groups that cannot be told."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from csa.analysis.churn import churn_rate
from csa.analysis.churn.change import churn_change, what_moved
from csa.analysis.churn.revenue import revenue_churn
from csa.errors import InputError

PERIODS = {
    "start": date(2026, 10, 1),
    "end": date(2026, 11, 1),
    "previous_start": date(2026, 9, 1),
    "previous_end": date(2026, 10, 1),
}


def spells(**groups):
    """Accounts by group: (left in September, left in October, here at the end, came in between)."""
    rows = []
    for name, (before, now, stay, came) in groups.items():
        days = [(-900, 15, 1)] * before + [(-900, 45, 1)] * now
        days += [(-900, 61, 0)] * stay + [(20, 61, 0)] * came
        rows += [(name.replace("_", " "), *d) for d in days]
    frame = pd.DataFrame(rows, columns=["group", "start", "until", "event"])
    first = pd.Timestamp("2026-09-01")
    return pd.DataFrame(
        {
            "group": frame["group"],
            "start_on": first + pd.to_timedelta(frame["start"], "D"),
            "entry_days": 0,
            "exit_days": frame["until"] - frame["start"],
            "event": frame["event"] == 1,
        }
    )


def rates(**groups):
    return churn_rate(spells(**groups), **PERIODS)


THREE = {"Large": (2, 3, 195, 5), "Middle": (5, 4, 291, 20), "Small": (10, 60, 430, 200)}


def test_parts_add_up_to_the_change_of_the_rate():
    rate = rates(**THREE)
    found = churn_change(rate)
    total = rate.table.iloc[0]
    assert (found.status, found.of, found.moved) == ("ok", "accounts", "up")
    assert found.change.value == total["difference"]
    assert abs(found.table["contribution"].sum() - total["difference"]) < 1e-12
    assert abs(found.within.value + found.mix.value - total["difference"]) < 1e-12
    assert found.table[["weight", "previous_weight"]].sum().tolist() == pytest.approx([1, 1])
    assert (found.change.low, found.change.high) == (
        total["difference_low"],
        total["difference_high"],
    )


def test_the_group_that_moved_comes_first_and_stands_apart():
    table = churn_change(rates(**THREE)).table
    assert table["group"].tolist()[0] == "Small"
    assert table.set_index("group")["stands_apart"].to_dict()["Small"]
    assert table.loc[0, "contribution_low"] > 0
    assert (table["contribution"].abs().diff().dropna() <= 0).all()


def test_a_change_of_mix_alone_is_seen_as_such():
    """Nobody leaves more often; the accounts that came are of the kind that does."""
    found = churn_change(rates(Good=(10, 10, 980, 0), Bad=(20, 36, 164, 180)))
    by_group = found.table.set_index("group")
    assert by_group.loc["Bad", "rate"] < by_group.loc["Bad", "previous_rate"] + 0.02
    assert found.mix.value > abs(found.within.value)
    assert found.mix.low > 0
    assert by_group.loc["Bad", "mix"] > 0


def test_many_comparisons_widen_what_it_takes_to_stand_apart():
    few, many = (churn_change(rates(**THREE), comparisons=c).table for c in (3, 300))
    assert (many["apart_high"] - many["apart_low"] > few["apart_high"] - few["apart_low"]).all()
    assert many["contribution_low"].equals(few["contribution_low"])


def revenue(seed=0, *, lost=0.1):
    rng = np.random.default_rng(seed)
    n, month = 300, 2026 * 12 + 9
    rows = []
    for at in (month - 1, month):
        gone = rng.random(n) < np.where(np.arange(n) % 3 == 0, lost if at == month else 0.02, 0.02)
        paid = rng.integers(1_000, 90_000, n)
        rows.append(
            pd.DataFrame(
                {
                    "group": np.array(["A", "B", "C"])[np.arange(n) % 3],
                    "account_id": [f"{at}-{i}" for i in range(n)],
                    "month": at,
                    "previous_minor": paid,
                    "mrr_minor": np.where(gone, 0, paid),
                    "observed_from": pd.NaT,
                }
            )
        )
    return revenue_churn(pd.concat(rows), **PERIODS)


def test_revenue_is_split_by_its_own_weights():
    rate = revenue()
    found = churn_change(rate)
    assert found.of == "revenue"
    assert abs(found.table["contribution"].sum() - rate.table.loc[0, "difference"]) < 1e-12
    assert found.table.loc[0, "group"] == "A"
    weights = found.table.set_index("group")["weight"]
    shares = rate.table.set_index("group")["mrr_minor"] / rate.table.loc[0, "mrr_minor"]
    assert weights["B"] == pytest.approx(shares["B"])


def test_a_group_that_is_new_is_all_mix():
    frame = spells(**THREE)
    fresh = spells(New=(0, 9, 40, 0)).assign(start_on=pd.Timestamp("2026-09-20"))
    fresh["exit_days"] = np.where(fresh["event"], 25, 42)
    found = churn_change(churn_rate(pd.concat([frame, fresh]), **PERIODS))
    new = found.table.set_index("group").loc["New"]
    assert new["within"] == 0
    assert np.isnan(new["previous_rate"])
    assert new["mix"] > 0
    assert not new["stands_apart"]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (rates(One=(2, 3, 60, 0)), "there is only one group"),
        (
            churn_rate(spells(**THREE), start=date(2026, 10, 1), end=date(2026, 11, 1)),
            "no previous",
        ),
        (churn_rate(spells(**THREE).head(0), **PERIODS), "no accounts"),
        (
            churn_rate(
                spells(**THREE),
                **PERIODS | {"start": date(2026, 10, 15), "end": date(2026, 12, 1)},
            ),
            "is not over in the data",
        ),
        (
            churn_rate(spells(A=(0, 2, 30, 0), B=(0, 2, 30, 0)).assign(entry_days=920), **PERIODS),
            "the rate of the period before is not known",
        ),
    ],
)
def test_without_a_change_nothing_is_explained(result, reason):
    found = churn_change(result)
    assert (found.status, found.moved) == ("unclear", "unclear")
    assert reason in found.reason
    assert found.table.empty
    assert np.isnan(found.within.value)


def test_several_attributes_share_one_level():
    one, other = rates(**THREE), rates(**{f"Region_{i}": (3, 4, 90 + i, 9) for i in range(9)})
    found = what_moved({"segment": one, "region": other})
    assert list(found) == ["segment", "region"]
    alone = churn_change(one)
    strict = found["segment"].table
    assert strict.loc[0, "apart_high"] > alone.table.loc[0, "apart_high"]
    assert strict.loc[0, "contribution"] == alone.table.loc[0, "contribution"]


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({}, "at least one attribute"),
        ({"segment": rates(**THREE), "plan": revenue()}, "plan: not of the same periods"),
        (
            {"segment": rates(**THREE), "plan": replace(rates(**THREE), confidence=0.9)},
            "plan: not of the same periods, level and kind of rate as segment",
        ),
    ],
)
def test_changes_that_cannot_be_compared_are_refused(results, message):
    with pytest.raises(InputError, match=message):
        what_moved(results)
