"""Renewals: known effects found, the right months compared, every state without an answer said."""

import calendar
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from companies import Maker

from benchmarks.studies import Study, keep_study
from csa.analysis.churn.hazards import AgeEffect, discrete_hazard
from csa.analysis.churn.hazards.renewals import (
    MIN_EVENTS,
    MOST_LENGTHS,
    _calendar_days,
    _month_days,
    renewals,
)
from csa.data.sample import model, write_sample
from csa.data.workspace import open_workspace

SETTINGS = Path(__file__).resolve().parents[2] / "csa.yml"
AFTER = ("due_events", "other_events")


def contracts(n, lengths, *, due=0.2, other=0.01, months=60, seed=1, groups=("a", "b")):
    """Contracts that leave with `due` in months of renewal and with `other` in the others."""
    rng = np.random.default_rng(seed)
    length = rng.choice(lengths, n)
    month = np.arange(months)
    renews = (month > 0) & (month % np.maximum(length, 1)[:, None] == 0) & (length > 1)[:, None]
    gone = rng.random((n, months)) < np.where(renews, due, other)
    first = np.where(gone.any(axis=1), gone.argmax(axis=1), months)
    life = first * 30 + rng.integers(1, 31, n)
    seen = rng.integers(200, months * 30, n)
    return pd.DataFrame(
        {
            "entry_days": 0,
            "exit_days": np.minimum(life, seen),
            "event": life <= seen,
            "group": np.array(groups, dtype=object)[rng.integers(0, len(groups), n)],
            "billing_months": length.astype("int64"),
        }
    )


def row_of(result, months):
    return result.table.set_index("billing_months").loc[months]


# --- figures -------------------------------------------------------------------------------------


def test_counts_are_those_of_the_months_in_which_contracts_renew():
    """Three yearly contracts by hand, in months of 30 days: month 12 is days 361 to 390."""
    frame = pd.DataFrame(
        {
            "entry_days": [0, 0, 360],
            "exit_days": [365, 400, 375],
            "event": [True, True, False],
            "billing_months": [12, 12, 12],
        }
    )
    row = renewals(frame).table.iloc[0]
    assert (row["n"], row["due_events"], row["other_events"]) == (3, 1, 1)
    assert row["due"] == pytest.approx(1 + 1 + 15 / 30)
    assert row["other"] == pytest.approx(12 + 12 + 1)
    assert row["due_share"] == pytest.approx(1 / 2.5)
    assert (row["status"], row["reason"]) == (
        "unclear",
        "1 left in 2 months of renewal, too few to tell",
    )


def test_times_are_the_share_over_what_it_would_have_been():
    """Known shares 20 % and 1 %: 20 times, and 1 - (1 - p)^(1/r) without a renewal."""
    result = renewals(contracts(6000, [1, 12]))
    row = row_of(result, 12)
    assert row["ci_low"] < 20 < row["ci_high"]
    term = result.hazard.coefficients.query("term == 'renewal'").iloc[0]
    without = 1 - (1 - row["due_share"]) ** (1 / term["ratio"])
    assert row["times"] == pytest.approx(row["due_share"] / without, rel=1e-9)
    assert row["times"] < term["ratio"]
    assert row["p_value"] < 1e-10
    assert (result.status, result.reason, result.interval_days) == ("ok", "", 30)
    assert np.isnan(row_of(result, 1)["due"])


def test_the_model_is_the_discrete_time_hazard_with_group_and_length():
    frame = contracts(2000, [1, 12])
    result = renewals(frame)
    assert not result.compared  # fewer than 100 left at these ages without a renewal
    peer = discrete_hazard(
        frame,
        covariates=["group", "billing_months"],
        link="cloglog",
        age=AgeEffect(spline_knots=4, renewal="billing_months"),
    )
    pd.testing.assert_frame_equal(result.hazard.coefficients, peer.coefficients)


def test_what_happens_to_everybody_at_that_age_is_not_a_renewal():
    """Monthly contracts leave in months 12, 24, ... as often: with enough of them it shows."""
    frame = contracts(9000, [12], due=0.1)
    frame["billing_months"] = np.where(np.arange(len(frame)) % 2, 12, 1)
    result = renewals(frame)
    assert result.compared
    row = row_of(result, 12)
    assert row["ci_low"] < 1 < row["ci_high"]


def test_contracts_that_all_renew_yearly_are_held_against_a_curve():
    result = renewals(contracts(4000, [12]))
    assert not result.compared
    row = row_of(result, 12)
    assert row["ci_low"] < 20 < row["ci_high"]


def test_groups_that_are_the_lengths_are_left_out():
    frame = contracts(2000, [1, 12])
    frame["group"] = np.where(frame["billing_months"] == 12, "Yearly", "Monthly")
    result = renewals(frame)
    assert set(result.hazard.coefficients["term"]) == {"billing_months", "renewal"}
    assert row_of(result, 12)["status"] == "ok"


def test_too_many_groups_are_left_out():
    frame = contracts(1500, [1, 12])
    frame["group"] = [f"g{i % 60}" for i in range(len(frame))]
    assert "group" not in set(renewals(frame).hazard.coefficients["term"])


def test_several_lengths_share_the_level():
    """Two lengths at 95 %: each interval is one of 97.5 %, and p doubles."""
    frame = contracts(5000, [6, 12, 1])
    result = renewals(frame)
    terms = result.hazard.coefficients.query("term == 'renewal'").set_index("level")
    for months in (6, 12):
        row, term = row_of(result, months), terms.loc[f"every {months} months"]
        assert row["p_value"] == pytest.approx(min(1, 2 * term["p_value"]))
        hazard = np.log1p(-row["due_share"]) / np.log1p(-row["due_share"] / row["ci_low"])
        z = (term["estimate"] - np.log(hazard)) / term["std_error"]
        assert z == pytest.approx(2.2414, abs=1e-3)


# --- months of life ------------------------------------------------------------------------------


def test_days_of_calendar_months_hold_all_contracts():
    """Fewest and most days of 1 to 60 months from each day of four years."""
    days = [date(2021, 1, 1) + timedelta(days=i) for i in range(1461)]
    for months in (1, 2, 3, 6, 12, 13, 24, 36, 47, 60):
        found = set()
        for day in days:
            years, month = divmod(day.month - 1 + months, 12)
            last = calendar.monthrange(day.year + years, month + 1)[1]
            end = date(day.year + years, month + 1, min(day.day, last))
            found.add((end - day).days)
        low, high = _calendar_days(months)
        assert low <= min(found) <= low + 1
        assert high == max(found)


@pytest.mark.parametrize(
    ("lengths", "years", "days"),
    [([12], 8, 30), ([3], 3, 28), ([3, 12], 8, 28), ([2], 3, 31), ([6], 3, 30), ([1], 8, 30)],
)
def test_months_of_life_keep_renewals_clear_of_their_borders(lengths, years, days):
    assert _month_days(lengths, years * 365.25) == days


def test_quarterly_contracts_that_end_on_calendar_days_are_found():
    """All leave on the very day of a renewal, 89 to 92 days after the last: none in between."""
    rng = np.random.default_rng(4)
    starts = [date(2021, 1, 1) + timedelta(days=int(i)) for i in rng.integers(0, 700, 800)]
    exits = []
    for start in starts:
        quarters = int(rng.geometric(0.2))
        years, month = divmod(start.month - 1 + 3 * quarters, 12)
        end = date(start.year + years, month + 1, min(start.day, 28))
        exits.append((end - start.replace(day=min(start.day, 28))).days)
    frame = pd.DataFrame({"entry_days": 0, "exit_days": exits, "event": True})
    frame["event"] &= frame["exit_days"] < 1000
    frame["exit_days"] = np.minimum(frame["exit_days"], 1000)
    stray = contracts(400, [3], due=0.05, other=0.05, months=30)
    result = renewals(pd.concat([frame.assign(billing_months=3, group="a"), stray]))
    row = row_of(result, 3)
    assert result.interval_days == 28
    assert row["due_events"] >= frame["event"].sum()
    assert row["ci_low"] > 3


# --- no answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["no column", "missing"])
def test_lengths_that_nobody_states_are_said(how):
    frame = contracts(300, [12])
    frame = (
        frame.drop(columns="billing_months")
        if how == "no column"
        else frame.assign(billing_months=pd.array([None] * 300, dtype="Int64"))
    )
    result = renewals(frame)
    assert (result.stated, result.n, result.hazard, result.status) == (0, 300, None, "unclear")
    assert result.reason == "no subscription states billing_months"
    assert result.table["n"].tolist() == [300]


def test_contracts_without_a_length_are_kept_apart():
    frame = contracts(3000, [1, 12])
    known = np.arange(3000) % 3 > 0
    frame["billing_months"] = frame["billing_months"].astype("Int64").where(known)
    result = renewals(frame)
    assert (result.n, result.stated) == (3000, 2000)
    unknown = result.table[result.table["billing_months"].isna()].iloc[0]
    assert (unknown["n"], unknown["status"]) == (1000, "unclear")
    assert row_of(result, 12)["n"] == (frame["billing_months"] == 12).sum()


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (contracts(200, [1]), "no month of renewal is under observation"),
        (contracts(200, [12]).head(0), "no account under observation"),
        (contracts(200, [12]).assign(event=False), "0 left in"),
        (contracts(40, [12], due=0.02), "months of renewal, too few to tell"),
        (contracts(200, [12], other=0.0), "0 left in other months, too few to tell"),
        (
            contracts(900, [2], other=0.05).assign(
                event=lambda t: t["event"] & (t["exit_days"] <= 62),
                exit_days=lambda t: t["exit_days"].clip(upper=62),
            ),
            "too few months of life were watched",
        ),
    ],
    ids=["monthly", "nobody", "nobody left", "few", "few others", "too short"],
)
def test_states_without_an_answer_say_why(frame, reason):
    result = renewals(frame)
    assert (result.status, result.hazard) == ("unclear", None)
    assert reason in result.reason
    assert (result.table["status"] == "unclear").all()


def test_few_that_left_are_never_told_of():
    for n in (30, 60, 120, 240):
        table = renewals(contracts(n, [1, 12], due=0.1, seed=n)).table
        told = table[table["status"] == "ok"]
        assert (told[list(AFTER)] >= MIN_EVENTS).all(axis=None)
        assert told["times"].notna().all()


def test_rare_lengths_are_left_out_and_counted():
    often = contracts(3000, [1, 3, 6, 12, 24, 36])
    rare = contracts(50, [5, 7], seed=2)
    result = renewals(pd.concat([often, rare], ignore_index=True))
    assert (result.left_out, result.stated, result.n) == (50, 3050, 3050)
    assert len(result.table) == MOST_LENGTHS


def test_the_input_is_unchanged_and_its_order_does_not_matter():
    frame = contracts(800, [1, 12])
    before = frame.copy()
    one = renewals(frame).table
    pd.testing.assert_frame_equal(frame, before)
    other = renewals(frame.sample(frac=1, random_state=1)).table
    pd.testing.assert_frame_equal(one, other, rtol=1e-6)


# --- the sample company --------------------------------------------------------------------------


def company(folder, seed):
    """Spells of a fresh company and the true hazard ratio of its renewals."""
    folder.mkdir()
    (folder / "csa.yml").write_text(SETTINGS.read_text(encoding="utf-8"), encoding="utf-8")
    write_sample(folder / "sample", accounts=2000, seed=seed)
    truth = json.loads((folder / "sample" / "truth.json").read_text(encoding="utf-8"))
    ratio = truth["hazard"]["billing_ratio"]
    workspace = open_workspace(as_of=truth["last_day"], path=folder)
    names = ["group", "billing_months", "entry_days", "exit_days", "event"]
    frame = workspace.spells().select(*names).to_pandas()
    return frame, ratio["yearly, blocks in which a year of 365 days ends"] / ratio["yearly"]


def covers(frame, truth):
    term = renewals(frame).hazard.coefficients.query("term == 'renewal'").iloc[0]
    return bool(term["ci_low"] < truth < term["ci_high"])


@pytest.mark.slow
def test_the_interval_covers_the_truth_of_a_fresh_company(tmp_path):
    frame, truth = company(tmp_path / "one", 2024)
    assert truth == pytest.approx(18.75)
    assert covers(frame, truth)
    times = row_of(renewals(frame), 12)
    assert 8 < times["ci_low"] < times["times"] < times["ci_high"] < 40
    placebo = frame.assign(billing_months=frame["billing_months"].replace({12: 10}))
    assert not covers(placebo, truth)  # renewals looked for in the wrong months


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_intervals_cover_the_truth_of_a_hundred_and_twenty_companies():
    """95 % intervals: 108 or fewer of 120 have a chance of 1.7 %."""
    truth, names = model.YEARLY_DUE / model.YEARLY_OFF, ["group", "billing_months"]
    names += ["entry_days", "exit_days", "event"]
    with Maker(2000) as maker:
        frames = (maker.company(seed).spells.select(*names).to_pandas() for seed in range(300, 420))
        inside = sum(covers(frame, truth) for frame in frames)
    keep_study(
        Study(
            name="coverage of the hazard ratio of a renewal",
            what="95 % intervals of the ratio in months of renewal that hold the stated one",
            size="120 companies of 2,000 accounts",
            result=f"{inside / 120:.1%} hold the truth",
            goal="109 of 120 or more",
            holds=inside >= 109,
            seed=300,
            figures={"yearly contracts": round(inside / 120, 3)},
        )
    )
    assert inside >= 109
