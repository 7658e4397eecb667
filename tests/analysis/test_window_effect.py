"""What the window of observation does to the curve."""

import pandas as pd
import pytest

from csa.analysis.churn import window_effect
from csa.present import narrate, tables

# Forty accounts, all seen only from day 30 on. Twenty leave on day 60, the others stay on to 90.
LATE = pd.DataFrame(
    {"entry_days": 30, "exit_days": [60] * 20 + [90] * 20, "event": [True] * 20 + [False] * 20}
)
# Sixty more that left before day 30 would be needed to see how it was; sixty that were seen, stay.
WATCHED = pd.DataFrame({"entry_days": 0, "exit_days": [90] * 60, "event": [False] * 60})


def test_window_effect_counts_late_accounts_only_from_their_entry():
    # someone watched from the first day is lost on day 10, when ten were at risk, not fifty
    early = pd.DataFrame(
        {"entry_days": 0, "exit_days": [10] + [90] * 9, "event": [True] + [False] * 9}
    )
    table = window_effect(pd.concat([early, LATE], ignore_index=True), ages_days=[70])
    row = table.iloc[0]
    assert (row["n"], row["entered_late"]) == (50, 40)
    assert row["survival"] == pytest.approx(9 / 10 * 29 / 49)
    assert row["ignoring"] == pytest.approx(49 / 50 * 29 / 49)
    assert row["ci_low"] < row["survival"] < row["ci_high"]


def test_window_effect_is_nothing_where_all_were_watched_from_the_start():
    table = window_effect(WATCHED.assign(event=[True] * 6 + [False] * 54), ages_days=[30, 90])
    assert table["survival"].tolist() == table["ignoring"].tolist()
    found = narrate.window_effect(table)
    assert found.status == "good"
    assert "first day" in found.text


def test_window_effect_without_spells_is_unclear():
    empty = LATE.iloc[:0]
    table = window_effect(empty, ages_days=[365])
    assert table["survival"].isna().all()
    assert narrate.window_effect(table).status == "unclear"
    assert len(tables.window_effect(table).rows) == 0


def test_window_effect_finding_gives_both_figures_and_the_way_out():
    early = pd.DataFrame(
        {"entry_days": 0, "exit_days": [10] * 6 + [90] * 6, "event": [True] * 6 + [False] * 6}
    )
    table = window_effect(pd.concat([early, LATE], ignore_index=True), ages_days=[70])
    found = narrate.window_effect(table)
    assert found.status == "watch"
    assert "ignored" in found.text
    assert "40 of 52 accounts" in found.evidence
    assert "observed_from" in found.action
