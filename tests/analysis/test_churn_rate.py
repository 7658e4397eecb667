"""Logo churn of a period: who counts, borders of periods, intervals and their coverage."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from stored import stored

from csa.analysis.churn import churn_rate
from csa.errors import InputError
from csa.methods.intervals import newcombe_difference, wilson

LAST_DAY = date(2026, 10, 31)
OCTOBER = {"start": date(2026, 10, 1), "end": date(2026, 11, 1)}
SEPTEMBER = {"previous_start": date(2026, 9, 1), "previous_end": date(2026, 10, 1)}


def spell(start_on, end_on=None, *, group="a", observed_from=None, last_day=LAST_DAY):
    """One spell as the roll-up makes it; dates as ISO text, `end_on` None while running."""
    start = date.fromisoformat(start_on)
    end = date.fromisoformat(end_on) if end_on else last_day + timedelta(days=1)
    seen = date.fromisoformat(observed_from) if observed_from else start
    return {
        "group": group,
        "start_on": start,
        "entry_days": max(0, (seen - start).days),
        "exit_days": (end - start).days,
        "event": end_on is not None,
    }


def frame(*spells):
    columns = ["group", "start_on", "entry_days", "exit_days", "event"]
    return pd.DataFrame(list(spells), columns=columns)


def first(result):
    return result.table.iloc[0]


def test_logo_churn_matches_the_mrr_playbook():
    """Match dbt Labs' MRR playbook, August 2019: 26 customers at the start, 11.54 % lost."""
    path = stored("CSA_DATA", "mrr_playbook", "subscription_periods.csv")
    rows = pd.read_csv(path, parse_dates=["start_date", "end_date"])
    rows = rows.sort_values(["customer_id", "start_date"])
    fresh = rows["start_date"] != rows.groupby("customer_id")["end_date"].shift()
    merged = rows.groupby(["customer_id", fresh.cumsum().rename("spell")])
    spells = merged.agg(start_on=("start_date", "min"), end_on=("end_date", "max"))
    days = (spells["end_on"] - spells["start_on"]).dt.days
    table = spells.assign(group="all", entry_days=0, exit_days=days, event=True)
    row = first(churn_rate(table, start=date(2019, 8, 1), end=date(2019, 9, 1)))
    assert (row["at_start"], row["churned"]) == (26, 3)
    assert row["rate"] == pytest.approx(0.1154, abs=5e-5)


def test_rate_interval_and_difference_come_from_the_counts():
    stay = [spell("2025-01-15") for _ in range(30)]
    left = [spell("2025-02-01", "2026-10-10") for _ in range(4)]
    before = [spell("2025-02-01", "2026-09-10") for _ in range(2)]
    row = first(churn_rate(frame(*stay, *left, *before), **OCTOBER, **SEPTEMBER))
    counts = ["at_start", "churned", "previous_at_start", "previous_churned"]
    assert row[counts].tolist() == [34, 4, 36, 2]
    share, change = wilson(4, 34), newcombe_difference((4, 2), (34, 36))
    assert row[["rate", "ci_low", "ci_high"]].tolist() == pytest.approx(list(share))
    assert row[["difference", "difference_low", "difference_high"]].tolist() == pytest.approx(
        list(change)
    )
    assert (row["moved"], row["status"], row["reason"]) == ("unclear", "ok", "")
    assert row["previous_rate"] == pytest.approx(2 / 36)


@pytest.mark.parametrize(
    ("september", "october", "moved"), [(1, 30, "up"), (30, 1, "down"), (9, 10, "unclear")]
)
def test_moved_says_whether_the_interval_of_the_difference_leaves_zero(september, october, moved):
    spells = [spell("2025-01-01") for _ in range(100)]
    spells += [spell("2025-01-01", "2026-09-09") for _ in range(september)]
    spells += [spell("2025-01-01", "2026-10-09") for _ in range(october)]
    row = first(churn_rate(frame(*spells), **OCTOBER, **SEPTEMBER))
    assert row["moved"] == moved


@pytest.mark.parametrize(
    ("start_on", "end_on", "counts"),
    [
        ("2026-09-30", None, (1, 0, 0)),  # customer on the eve
        ("2026-10-01", None, (0, 0, 0)),  # new on the first day
        ("2026-05-01", "2026-09-30", (0, 0, 0)),  # last day paid was 29 September
        ("2026-05-01", "2026-10-01", (1, 1, 0)),  # paid to the end of September, gone in October
        ("2026-05-01", "2026-10-31", (1, 1, 0)),
        ("2026-05-01", "2026-11-01", (1, 0, 0)),  # paid all October, gone in November
        ("2026-10-01", "2026-10-01", (0, 0, 1)),
        ("2026-10-05", "2026-10-20", (0, 0, 1)),  # came and went
    ],
)
def test_borders_of_a_period(start_on, end_on, counts):
    row = first(churn_rate(frame(spell(start_on, end_on)), **OCTOBER))
    assert tuple(row[["at_start", "churned", "churned_new"]]) == counts


def test_every_churn_falls_into_exactly_one_month():
    """Over a leap year, with ends on month ends, first days and 29 February."""
    ends = pd.date_range("2024-01-01", "2024-12-31", freq="D")
    spells = frame(*(spell("2023-06-30", day.date().isoformat()) for day in ends))
    borders = [date(2024, m, 1) for m in range(1, 13)] + [date(2025, 1, 1)]
    rows = [first(churn_rate(spells, start=a, end=b)) for a, b in pairwise(borders)]
    assert sum(r["churned"] for r in rows) == len(ends) == 366
    assert [r["churned"] for r in rows][1] == 29
    assert all(a["at_start"] - a["churned"] == b["at_start"] for a, b in pairwise(rows))


def test_accounts_nobody_watched_yet_are_left_out():
    watched = [spell("2025-01-01", observed_from="2026-09-30") for _ in range(12)]
    late = [spell("2025-01-01", "2026-10-20", observed_from="2026-10-01") for _ in range(3)]
    row = first(churn_rate(frame(*watched, *late), **OCTOBER))
    assert tuple(row[["at_start", "churned", "not_observed"]]) == (12, 0, 3)
    assert (row["status"], row["reason"]) == (
        "ok",
        "left out: 3 not yet under observation",
    )


def test_accounts_that_went_out_of_sight_are_left_out():
    here = [spell("2025-01-01") for _ in range(20)]
    merged = [spell("2025-01-01", "2026-10-20") for _ in range(2)]
    rows = frame(*here, *merged).assign(
        event=False, censoring=["still a customer"] * 20 + ["merged"] * 2
    )
    row = first(churn_rate(rows, **OCTOBER))
    assert tuple(row[["at_start", "churned", "lost_sight", "status"]]) == (20, 0, 2, "ok")
    assert row["reason"] == "left out: 2 that went out of sight without churn"


def test_period_before_observation_is_unclear():
    row = first(churn_rate(frame(spell("2025-01-01", observed_from="2026-10-15")), **OCTOBER))
    assert np.isnan(row["rate"])
    assert (row["status"], row["reason"]) == ("unclear", "observation begins only after 2026-10-01")


def test_period_that_is_not_over_is_unclear():
    spells = [spell("2025-01-01", last_day=date(2026, 10, 20)) for _ in range(20)]
    spells += [spell("2025-01-01", "2026-10-10")]
    row = first(churn_rate(frame(*spells), **OCTOBER, **SEPTEMBER))
    assert (row["at_start"], row["churned"], row["status"]) == (21, 1, "unclear")
    assert row["reason"] == "the period to 2026-11-01 is not over in the data"
    assert row[["rate", "ci_low", "ci_high", "difference", "difference_low"]].isna().all()
    assert (row["moved"], row["previous_rate"]) == ("unclear", 0)


@pytest.mark.parametrize(
    ("spells", "reason"),
    [
        ([], "no accounts"),
        ([spell("2026-10-05")], "no accounts"),
        ([spell("2026-01-05")], "only 1"),
    ],
)
def test_few_or_no_accounts_are_unclear(spells, reason):
    result = churn_rate(frame(*spells), **OCTOBER, **SEPTEMBER)
    row = first(result)
    assert result.table["group"].tolist() == ["all"]
    assert row["status"] == "unclear"
    assert row["reason"].startswith(reason)
    assert np.isnan(row["rate"]) == (row["at_start"] == 0)


def test_nobody_and_everybody_churned_have_intervals():
    stay = [spell("2025-01-01", group="loyal") for _ in range(20)]
    gone = [spell("2025-01-01", "2026-10-02", group="gone") for _ in range(20)]
    table = churn_rate(frame(*stay, *gone), **OCTOBER).table.set_index("group")
    assert table.index.tolist() == ["all", "gone", "loyal"]
    assert table.loc["loyal", ["rate", "ci_low"]].tolist() == [0, 0]
    assert table.loc["loyal", "ci_high"] == pytest.approx(0.1611, abs=5e-5)
    assert table.loc["gone", ["rate", "ci_high"]].tolist() == [1, 1]
    assert table.loc["all", "rate"] == 0.5


def test_without_a_previous_period_its_columns_are_unknown():
    result = churn_rate(frame(spell("2025-01-01")), **OCTOBER)
    row = first(result)
    assert row[["previous_at_start", "previous_rate", "difference"]].isna().all()
    assert (row["moved"], result.previous_start) == ("unclear", None)


def test_input_is_unchanged_and_other_columns_do_not_matter():
    spells = frame(*(spell("2025-01-01", group=g) for g in ("b", None, "all")))
    wide = spells.assign(account_id="x", mrr_minor=5)
    before = wide.copy()
    one, other = (churn_rate(s, **OCTOBER).table for s in (spells, wide))
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(wide, before)
    assert one["group"].tolist() == ["all", '"all"', "b", "not stated"]


@pytest.mark.parametrize(
    ("periods", "words"),
    [
        ({"start": date(2026, 10, 1), "end": date(2026, 10, 1)}, "holds no day"),
        (OCTOBER | {"previous_start": date(2026, 9, 1)}, "give both"),
        (OCTOBER | {"previous_end": date(2026, 9, 1)}, "give both"),
        (OCTOBER | SEPTEMBER | {"previous_end": date(2026, 9, 1)}, "is empty"),
        (OCTOBER | SEPTEMBER | {"previous_end": date(2026, 10, 2)}, "not over by 2026-10-01"),
    ],
)
def test_impossible_periods_are_refused(periods, words):
    with pytest.raises(InputError, match=words):
        churn_rate(frame(), **periods)


def test_wrong_columns_are_refused():
    with pytest.raises(InputError, match="column start_on is string, not date"):
        churn_rate(frame(spell("2025-01-01")).assign(start_on="2025-01-01"), **OCTOBER)


@pytest.mark.parametrize("frailty", [False, True])
def test_newcombe_covers_the_change_between_periods_that_share_most_accounts(frailty):
    """Snapshot of our own: 4,000 companies of 300 accounts, 60 of them new in the second month.

    True rates 4 % and 6 %, or spread over accounts by a factor of nine (then the truth is the
    mean risk of those at the start). The interval for independent samples covers at least 95 %
    less three standard errors of the simulation, although four in five accounts are in both.
    """
    rng = np.random.default_rng(3)
    worlds, old, new = 4000, 300, 60
    spread = (
        rng.choice([0.2, 1.8], (worlds, old + new)) if frailty else np.ones((worlds, old + new))
    )
    risk = np.stack([0.04 * spread, 0.06 * spread])
    gone = rng.random(risk.shape) < risk
    here = np.ones((worlds, old + new), dtype=bool)
    first_month = here & (np.arange(old + new) < old)
    second_month = here & ~(gone[0] & first_month)
    months = [first_month, second_month]
    churned = [(gone[i] & m).sum(axis=1) for i, m in enumerate(months)]
    size = [m.sum(axis=1) for m in months]
    truth = [np.where(m, risk[i], 0).sum(axis=1) / m.sum(axis=1) for i, m in enumerate(months)]
    change = newcombe_difference((churned[1], churned[0]), (size[1], size[0]))
    covered = (change.low <= truth[1] - truth[0]) & (truth[1] - truth[0] <= change.high)
    assert covered.mean() > 0.95 - 3 * np.sqrt(0.05 * 0.95 / worlds)
