"""Bounds on survival for accounts that went out of sight."""

import numpy as np
import pandas as pd
import pytest

from csa.analysis.churn.censoring import censoring_bounds

START = pd.Timestamp("2024-01-01")


def spells(*rows):
    """Spells of (exit_days, event, censoring), all begun on one day."""
    frame = pd.DataFrame(rows, columns=["exit_days", "event", "censoring"])
    return frame.assign(start_on=START, entry_days=0)


def test_bounds_are_the_two_extremes_counted_by_hand():
    """Of 20, five leave on day 10, five are merged on day 20, ten are seen to day 40."""
    rows = spells(
        *[(10, True, None)] * 5,
        *[(20, False, "merged")] * 5,
        *[(40, False, "still a customer")] * 10,
    )
    row = censoring_bounds(rows, ages_days=[30]).iloc[0]
    assert (row["n"], row["lost_sight"]) == (20, 5)
    assert row[["if_all_left", "survival", "if_none_left"]].tolist() == pytest.approx(
        [0.5, 0.75, 0.75]
    )


def test_bounds_hold_the_curve_at_every_age():
    rng = np.random.default_rng(3)
    exits = rng.integers(1, 300, 500)
    kind = rng.integers(0, 3, 500)
    reasons = np.array([None, "paused", "still a customer"], dtype=object)[kind]
    rows = spells(*zip(exits, kind == 0, reasons, strict=True))
    table = censoring_bounds(rows, ages_days=[30, 90, 200])
    assert (table["if_all_left"] < table["survival"]).all()
    assert (table["survival"] < table["if_none_left"]).all()


def test_without_lost_accounts_the_bounds_meet():
    rows = spells(*[(10, True, None)] * 5, *[(40, False, "still a customer")] * 15)
    row = censoring_bounds(rows, ages_days=[30]).iloc[0]
    assert row["if_all_left"] == row["survival"] == row["if_none_left"]


def test_no_spells_are_unclear():
    table = censoring_bounds(spells(), ages_days=[30])
    assert table["status"].tolist() == ["unclear"]
