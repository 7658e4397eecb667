"""Expected remaining lifetime against lifelines, R, simulation and at the edges."""

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_lung, load_rossi

from csa.analysis.churn import conditional_survival, survival
from csa.analysis.churn.remaining import remaining_lifetime
from csa.errors import InputError
from csa.methods.lifetable import tabulate
from csa.methods.restricted_mean import restricted_mean_limits
from csa.methods.survival import kaplan_meier, restricted_mean


def make_spells(exit_days, event=1, *, entry_days=0, group="a"):
    """Spells with scalars spread over all rows."""
    size = len(exit_days)
    given = {"group": group, "entry_days": entry_days, "exit_days": exit_days, "event": event}
    frame = pd.DataFrame({name: np.broadcast_to(x, size) for name, x in given.items()})
    return frame.astype({"entry_days": int, "exit_days": int, "event": bool})


def test_from_the_start_it_is_the_restricted_mean_of_r():
    """R print(survfit(...), rmean = 52) of rossi: 45.8542, se 0.608509; lung at 1,022 days."""
    rossi, lung = load_rossi(), load_lung()
    weeks = remaining_lifetime(
        survival(make_spells(rossi["week"], rossi["arrest"])), ages_days=[0], ahead_days=[52]
    ).iloc[0]
    assert weeks["remaining_days"] == pytest.approx(45.8542, abs=5e-5)
    assert weeks["std_error"] == pytest.approx(0.608509, abs=5e-7)
    days = remaining_lifetime(
        survival(make_spells(lung["time"], lung["status"] == 1)), ages_days=[0], ahead_days=[1022]
    ).iloc[0]
    assert days["remaining_days"] == pytest.approx(376.275, abs=5e-4)
    assert days["std_error"] == pytest.approx(19.7078, abs=5e-5)


def test_given_alive_it_is_the_restricted_mean_of_those_at_risk():
    rossi = load_rossi()
    row = remaining_lifetime(
        survival(make_spells(rossi["week"], rossi["arrest"])), ages_days=[20], ahead_days=[26]
    ).iloc[0]
    later = rossi[rossi["week"] > 20]
    mean, error = restricted_mean(kaplan_meier(tabulate(later["week"] - 20, later["arrest"])), 26)
    assert (row["remaining_days"], row["std_error"]) == (
        pytest.approx(mean),
        pytest.approx(error),
    )
    assert row["at_risk"] == len(later)
    fresh = restricted_mean_limits(kaplan_meier(tabulate(later["week"] - 20, later["arrest"])), 26)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((fresh.low, fresh.high))


def test_it_is_the_sum_of_the_chances_to_stay():
    rng = np.random.default_rng(1)
    life = np.ceil(rng.exponential(90, 800)).astype(int)
    late = rng.integers(0, 40, 800)
    spells = make_spells(life, rng.random(800) < 0.7, entry_days=late)
    result = survival(spells[spells["exit_days"] > spells["entry_days"]])
    row = remaining_lifetime(result, ages_days=[50], ahead_days=[60]).iloc[0]
    stays = conditional_survival(result, ages_days=[50], ahead_days=range(60))["stay"]
    assert row["remaining_days"] == pytest.approx(stays.sum())


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Exponential lives of 200 days: 200 (1 - e^-0.5) of the next 100 at any age."""
    truth, inside = 200 * (1 - np.exp(-0.5)), 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        life = rng.exponential(200, 500)
        until = rng.integers(100, 500, 500)
        spells = make_spells(np.minimum(np.ceil(life), until), life <= until)
        row = remaining_lifetime(survival(spells), ages_days=[60], ahead_days=[100]).iloc[0]
        inside += row["ci_low"] - 0.5 <= truth <= row["ci_high"] + 0.5  # whole days
    assert inside >= 34  # 38 expected; fewer than 34 has a chance of 1 %


def test_one_row_per_group_age_and_look_ahead():
    spells = pd.concat([make_spells(range(1, 40), group="a"), make_spells([60] * 30, 0, group="b")])
    table = remaining_lifetime(survival(spells), ages_days=[0, 10], ahead_days=[5, 20])
    assert len(table) == 3 * 2 * 2
    assert table["group"].unique().tolist() == ["all", "a", "b"]
    stays = table[table["group"] == "b"]
    assert set(stays["reason"]) == {"nobody left in these days"}
    assert set(stays["status"]) == {"unclear"}
    assert stays["remaining_days"].tolist() == [5, 20, 5, 20]
    least = (1 + 0.05 ** (1 / 30)) / 2  # a straight line down to what 30 at risk allow
    assert stays["ci_low"].tolist() == pytest.approx([5 * least, 20 * least] * 2, rel=1e-3)
    assert stays["ci_high"].tolist() == pytest.approx([5, 20, 5, 20])


@pytest.mark.parametrize(
    ("spells", "age", "ahead", "reason"),
    [
        (make_spells([]), 0, 30, "not under observation"),
        (make_spells([50] * 40, 0), 30, 30, "not under observation"),
        (make_spells(range(1, 40)), 35, 2, "only 4 at risk"),
        (make_spells([9] * 40), 3, 30, "all left on the same day"),
    ],
)
def test_too_little_is_unclear_with_a_reason(spells, age, ahead, reason):
    row = remaining_lifetime(survival(spells), ages_days=[age], ahead_days=[ahead]).iloc[0]
    assert row["status"] == "unclear"
    assert reason in row["reason"]


def test_looking_back_is_refused():
    with pytest.raises(InputError, match="ahead_days: 0 is not above 0"):
        remaining_lifetime(survival(make_spells([5])), ages_days=[1], ahead_days=[30, 0])
