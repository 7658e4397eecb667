"""Churn rate by age: known hazards, delayed entry, edges."""

import numpy as np
import pandas as pd
import pytest

from csa.analysis.churn.hazard_rates import PER_DAYS, hazard_by_age
from csa.errors import InputError


def make_spells(exit_days, event=1, *, entry_days=0, group="a"):
    size = len(exit_days)
    return pd.DataFrame(
        {
            "group": np.broadcast_to(np.asarray(group, dtype=object), size),
            "entry_days": np.broadcast_to(np.asarray(entry_days, dtype=int), size),
            "exit_days": np.asarray(exit_days, dtype=int),
            "event": np.broadcast_to(np.asarray(event, dtype=bool), size),
        }
    )


def test_rates_by_age_of_a_small_company():
    """Ten accounts, two leave on day 10, one on day 40: 2 in 260 account-days, then 1 in 220."""
    spells = make_spells([10, 10, 40, *[60] * 7], [1, 1, 1, *[0] * 7])
    table = hazard_by_age(spells, min_at_risk=5).table
    assert table["from_days"].tolist() == [0, 30]
    assert table["at_risk"].tolist() == [10, 8]
    assert table["exposure_days"].tolist() == [260, 220]
    assert table["events"].tolist() == [2, 1]
    assert table["rate"].tolist() == pytest.approx([2 / 260 * PER_DAYS, 1 / 220 * PER_DAYS])
    assert table["status"].eq("ok").all()


def test_rates_with_delayed_entry_find_the_true_hazard():
    """Hazard 0.002 a day to day 90, then 0.001; two in five of 60,000 accounts are seen late."""
    rng = np.random.default_rng(2)
    first, then = rng.exponential(500, 60_000), 90 + rng.exponential(1000, 60_000)
    life = np.ceil(np.where(first < 90, first, then)).astype(int)
    cut = rng.integers(1, 400, 60_000)
    entry = np.where(rng.random(60_000) < 0.4, rng.integers(1, 200, 60_000), 0)
    spells = make_spells(np.minimum(life, cut), life <= cut, entry_days=entry)
    table = hazard_by_age(spells, width_days=90, until_days=270, confidence=0.999).table
    truth = np.array([0.002, 0.001, 0.001]) * PER_DAYS
    assert (table["ci_low"] < truth).all()
    assert (truth < table["ci_high"]).all()


def test_all_groups_have_the_same_bands():
    spells = make_spells([20, 100], group=["a", "b"])
    result = hazard_by_age(spells)
    table = result.table
    assert table.groupby("group").size().to_dict() == {"a": 4, "all": 4, "b": 4}
    unseen = table[(table["group"] == "a") & (table["from_days"] >= 30)]
    assert unseen["rate"].isna().all()
    assert unseen["reason"].eq("not under observation at these ages").all()
    total = table.pivot_table(index="from_days", columns="group", values="exposure_days")
    assert (total["a"] + total["b"]).tolist() == total["all"].tolist()


def test_few_at_risk_is_unclear_and_still_has_its_interval():
    row = hazard_by_age(make_spells([25] * 8)).table.iloc[0]
    assert row["reason"] == "fewer than 10 at risk on average"
    assert 0 < row["ci_low"] < row["rate"] < row["ci_high"]


def test_nobody_churned_has_an_upper_limit():
    row = hazard_by_age(make_spells([30] * 20, 0)).table.iloc[0]
    assert (row["rate"], row["ci_low"]) == (0, 0)
    assert row["ci_high"] == pytest.approx(3.689 / 20, abs=1e-4)


def test_no_spells_give_no_bands_and_day_0_gives_one_without_a_rate():
    assert hazard_by_age(make_spells([])).table.empty
    row = hazard_by_age(make_spells([0, 0])).table.iloc[0]
    assert (row["events"], row["status"]) == (2, "unclear")
    assert np.isnan(row["rate"])


def test_late_and_unseen_spells_are_counted():
    result = hazard_by_age(make_spells([40, 40, 9], entry_days=[0, 10, 20]))
    assert (result.entered_late, result.never_seen) == (1, 1)
    assert result.table["exposure_days"].tolist() == [50, 20]


@pytest.mark.parametrize("wrong", [{"width_days": 0}, {"until_days": -5}])
def test_widths_must_be_above_0(wrong):
    with pytest.raises(InputError, match="must be above 0"):
        hazard_by_age(make_spells([5]), **wrong)
