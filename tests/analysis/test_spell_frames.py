"""Spells from an analyst's own dates, and groups that are joined on the way."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from csa.analysis.churn import survival
from csa.analysis.churn.spell_frames import landmark, spells_from, split_when_known
from csa.errors import InputError

AS_OF = date(2024, 12, 31)


def frame(*rows, columns=("account_id", "start_on", "end_on")):
    return pd.DataFrame(rows, columns=list(columns))


def made(rows, *, as_of=AS_OF, observed_from="always"):
    return spells_from(rows, as_of=as_of, observed_from=observed_from).execute()


def test_spells_from_counts_whole_days_and_knows_nothing_after_as_of():
    rows = frame(
        ("gone", "2024-01-01", "2024-02-01"),
        ("here", "2024-03-01", None),
        ("leaves later", "2024-12-31", "2025-01-01"),
        ("comes later", "2025-01-01", None),
    )
    got = made(rows).set_index("account_id")
    assert got["exit_days"].to_dict() == {"gone": 31, "here": 305, "leaves later": 0}
    assert got["event"].to_dict() == {"gone": True, "here": False, "leaves later": False}
    assert got.loc["leaves later", "censoring"] == "still a customer"
    assert got.loc["gone", "censoring"] is None


@pytest.mark.parametrize("window", [date(2024, 7, 1), "seen"])
def test_spells_from_enters_late_where_the_window_opens_later(window):
    rows = frame(("a", "2024-01-01", None)).assign(seen="2024-07-01")
    assert made(rows, observed_from=window)["entry_days"].tolist() == [182]


def test_spells_from_censors_accounts_that_went_out_of_sight():
    rows = frame(("a", "2024-01-01", "2024-03-01")).assign(censoring="merged")
    got = made(rows).iloc[0]
    assert (bool(got["event"]), got["censoring"], got["exit_days"]) == (False, "merged", 60)


def test_spells_from_names_all_faults_at_once():
    rows = frame(
        ("a", "2024-01-01", "2024-01-01"),
        ("b", "2024-01-01", None),
        ("b", "2024-02-01", None),
        ("c", "2024-01-01", "2024-02-01"),
        ("d", "2024-01-01", None),
    ).assign(cause=[None, None, None, "price", "voluntary"])
    rows["censoring"] = [None, None, None, "merged", None]
    with pytest.raises(InputError) as error:
        made(rows)
    text = str(error.value)
    assert text.count("spells: 1 rows") == 4
    for part in ("not after start_on", "overlap", "a cause and no end_on", "not censored"):
        assert part in text


def test_spells_from_takes_no_rows():
    assert made(frame(("a", "2025-01-01", None))).empty


def immortal(n=4000, seed=11):
    """Accounts of one hazard; those that live to a drawn day join the group on that day."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, n), unit="D")
    life = np.ceil(rng.exponential(400, n)).astype(int)
    end = start + pd.to_timedelta(life, unit="D")
    joins = np.ceil(rng.exponential(400, n)).astype(int)
    joined = joins < life
    return pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(n)],
            "start_on": start,
            "end_on": pd.Series(end).where(end <= pd.Timestamp(AS_OF)),
            "group": np.where(joined, "upgraded", "never"),
            "group_known_on": pd.Series(start + pd.to_timedelta(joins, unit="D")).where(joined),
        }
    )


def excess(spells):
    """Observed over expected events of the group that joined."""
    table = survival(spells).logrank.table.set_index("group")
    return table.loc["upgraded", "observed"] / table.loc["upgraded", "expected"]


def test_split_when_known_and_landmark_see_no_effect_where_there_is_none():
    """The truth is no effect; taken from the start, the group seems to halve the risk."""
    spells = spells_from(immortal(), as_of=AS_OF, observed_from="always")
    assert excess(spells.drop("group_known_on")) < 0.7
    assert excess(split_when_known(spells)) == pytest.approx(1, abs=0.08)
    assert excess(landmark(spells, at_days=200)) == pytest.approx(1, abs=0.08)


def test_split_when_known_keeps_every_event_and_day():
    spells = spells_from(immortal(300), as_of=AS_OF, observed_from=date(2021, 6, 1))
    whole, split = spells.execute(), split_when_known(spells).execute()
    seen = whole.loc[whole["exit_days"] > whole["entry_days"]]
    split = split.loc[split["exit_days"] > split["entry_days"]]
    assert split["event"].sum() == seen["event"].sum()
    days = [(t["exit_days"] - t["entry_days"]).sum() for t in (seen, split)]
    assert days[0] == days[1]
    assert len(split) > len(seen)


def test_estimators_refuse_a_group_that_was_joined_later():
    spells = spells_from(immortal(50), as_of=AS_OF, observed_from="always")
    with pytest.raises(InputError, match="split_when_known"):
        survival(spells.execute())
