"""Why a risk is high, whom to act on, and what became of earlier predictions."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from risk_worlds import FEATURES, make_snapshots, make_world

from csa.analysis.risk import (
    as_predictions,
    drivers,
    effect_curve,
    fit_risk,
    matured,
    score,
    worklist,
)
from csa.errors import InputError


@pytest.fixture(scope="module")
def world():
    return make_world(1, accounts=500)


@pytest.fixture(scope="module")
def model(world):
    return fit_risk(world.snapshots, features=FEATURES)


@pytest.fixture(scope="module")
def scores(world, model):
    return score(model, world.now)


# --- drivers -------------------------------------------------------------------------------------


def test_drivers_are_the_largest_contributions_in_order(world, scores):
    table = drivers(scores, top=2)
    assert (table.groupby("account_id")["rank"].max() == 2).all()
    first = scores.contributions[0]
    order = np.argsort(-np.abs(first), kind="stable")
    rows = table[table["account_id"] == scores.table["account_id"].iloc[0]]
    assert rows["feature"].tolist() == [scores.features[i] for i in order[:2]]
    assert rows["contribution"].tolist() == first[order[:2]].tolist()
    for row in rows.to_dict("records"):
        assert row["value"] == world.now[row["feature"]].iloc[0]
    assert (table["direction"].eq("raises") == (table["contribution"] > 0)).all()


def test_all_drivers_sum_to_the_score(scores):
    total = drivers(scores, top=99).groupby("account_id")["contribution"].sum()
    expected = scores.table.set_index("account_id")["linear_predictor"] - scores.baseline
    assert np.abs(total - expected).max() < 1e-9


def test_drivers_of_one_direction_and_of_some_accounts(scores):
    few = scores.table["account_id"].iloc[[4, 2]].tolist()
    table = drivers(scores, direction="raises", account_ids=few)
    assert set(table["account_id"]) <= set(few)
    assert table["direction"].eq("raises").all()
    assert drivers(scores, direction="lowers")["contribution"].max() < 0
    assert len(drivers(scores, account_ids=[])) == 0


def test_drivers_state_what_is_missing_as_none_and_what_is_typical(world, model):
    now = world.now.head(3).assign(plan=["team", None, "team"])
    table = drivers(score(model, now), top=9)
    plan = table[table["feature"] == "plan"].set_index("account_id")
    assert plan["value"].iloc[0] == "team"
    assert plan["typical"].eq("basic").all()
    assert len(plan) == 2  # a level never seen moves nothing
    assert drivers(score(model, world.now.assign(seats=np.nan)), top=9)["feature"].ne("seats").all()


def test_effect_curve_reads_the_effects_behind_the_contributions(world, model, scores):
    curve = effect_curve(model, "plan").set_index("value")["log_odds"]
    place = scores.features.index("plan")
    expected = curve.loc[world.now["plan"]].to_numpy()
    assert scores.contributions[:, place] == pytest.approx(expected)
    usage = effect_curve(model, "usage", points=11)
    assert len(usage) == 11
    assert (usage["ci_low"] < usage["log_odds"]).all()
    assert usage["log_odds"].is_monotonic_decreasing
    tenure = effect_curve(model, "age_days")["log_odds"]
    assert tenure.iloc[0] > tenure.iloc[-1]
    with pytest.raises(InputError, match="not in the model, which uses age_days, usage"):
        effect_curve(model, "colour")


def test_effect_curve_of_what_is_missing_and_merged():
    rng = np.random.default_rng(2)
    x = np.where(rng.random(400) < 0.3, np.nan, rng.normal(size=400))
    plan = rng.choice(["basic", "pro"], 400).astype(object)
    plan[:30] = [f"special {i % 6}" for i in range(30)]
    known = np.where(rng.random(400) < 0.3, np.nan, 4.0)
    model = fit_risk(make_snapshots(x=x, plan=plan, known=known), features=["x", "plan", "known"])
    assert effect_curve(model, "x")["value"].iloc[-1] is None
    assert set(effect_curve(model, "plan")["value"]) == {"basic", "pro", "other"}
    assert effect_curve(model, "known")["value"].tolist() == [None]


# --- worklist ------------------------------------------------------------------------------------


def ranked(**columns):
    table = pd.DataFrame(
        {
            "account_id": ["b", "a", "c", "d"],
            "risk": [0.2, 0.2, 0.5, 0.1],
            "mrr_minor": [10_000, 10_000, 500, 40_000],
        }
        | columns
    )
    return worklist(table, cost_per_action_minor=3000, save_rate=0.25, months=12)


def test_worklist_ranks_by_expected_gain():
    """Gain = 12 × MRR × risk × 0.25 - 3000; ties by account."""
    found = ranked()
    assert found.table["account_id"].tolist() == ["d", "a", "b", "c"]
    assert found.table["gain_minor"].tolist() == pytest.approx([9000, 3000, 3000, -2250])
    assert found.table["line_risk"].tolist() == pytest.approx([0.025, 0.1, 0.1, 2.0])
    assert found.table["act"].tolist() == [True, True, True, False]
    assert (found.n_above, found.gain_minor) == (3, pytest.approx(15_000))
    assert found.table["rank"].tolist() == [1, 2, 3, 4]


def test_worklist_keeps_to_the_capacity_and_to_the_interval():
    table = pd.DataFrame(
        {
            "account_id": list("abc"),
            "risk": [0.3, 0.2, 0.1],
            "ci_low": [0.2, 0.01, 0.01],
            "ci_high": [0.4, 0.5, 0.3],
            "mrr_minor": 10_000,
        }
    )
    found = worklist(table, cost_per_action_minor=2000, save_rate=0.25, capacity=1)
    assert found.table["act"].tolist() == [True, False, False]
    assert found.table["sure"].tolist() == [True, False, False]
    assert found.n_above == 3


def test_worklist_puts_unknown_values_last():
    found = ranked(mrr_minor=[10_000, None, 500, 0])
    assert found.table["account_id"].tolist() == ["b", "c", "d", "a"]
    assert not found.table["act"].iloc[-1]
    assert found.notes == ("1 accounts without a risk or value stand last",)
    assert found.table["line_risk"].isna().tolist() == [False, False, True, True]


def test_worklist_takes_scores(scores):
    found = worklist(scores, cost_per_action_minor=1000, save_rate=0.3)
    assert len(found.table) == len(scores.table)
    assert found.table["gain_minor"].is_monotonic_decreasing
    assert "cutoff_on" in found.table


def test_worklist_refuses_what_cannot_be():
    with pytest.raises(InputError) as fault:
        worklist(
            pd.DataFrame({"account_id": ["a"]}),
            cost_per_action_minor=-1,
            save_rate=30,
            months=0,
        )
    assert len(fault.value.faults) == 5


# --- what became of predictions ------------------------------------------------------------------

PREDICTIONS = pd.DataFrame(
    {
        "model": "risk 1",
        "account_id": list("abcdefg"),
        "made_on": pd.to_datetime(["2026-01-31"] * 6 + ["2026-06-30"]),
        "horizon_days": 90,
        "value": [0.5, 0.1, 0.2, 0.3, 0.2, 0.4, 0.1],
    }
)
SPELLS = pd.DataFrame(
    {
        "account_id": list("aabcefg"),
        "start_on": pd.to_datetime(
            [f"{2025 + (i in {1, 6})}-0{1 + 2 * (i == 1) + 5 * (i == 4)}-01" for i in range(7)]
        ),
        "end_on": pd.to_datetime(
            ["2026-02-10", None, "2026-05-30", "2026-03-01", None, "2026-05-01", "2026-08-20"]
        ),
        "event": [True, False, True, False, False, True, True],
    }
)


@pytest.mark.parametrize("wrap", [lambda t: t, ibis.memtable])
def test_matured_predictions_say_what_happened(wrap):
    found = matured(wrap(PREDICTIONS), wrap(SPELLS), as_of=date(2026, 7, 31))
    rows = found.outcomes.to_pandas().set_index("account_id")
    assert rows["state"].to_dict() == {
        "a": "churned",
        "b": "stayed",  # churned after the horizon
        "c": "lost",  # ended otherwise within it
        "d": "not found",
        "e": "stayed",
        "f": "churned",  # on the last day of the horizon
        "g": "open",  # its end on 20 August is not known yet
    }
    assert rows["days_after"].drop("d").tolist() == [
        {"a": 10, "b": 119, "c": 29, "e": 181, "f": 90, "g": 31}[i] for i in rows.index.drop("d")
    ]
    assert pd.isna(rows.loc["d", "days_after"])
    assert not rows.loc["g", "event"]
    first, second = found.summary.to_dict("records")
    assert (first["n"], first["known"], first["churned"], first["status"]) == (6, 4, 2, "ok")
    assert first["expected"] == pytest.approx(0.5 + 0.1 + 0.2 + 0.4)
    assert first["ci_low"] < first["share"] == 0.5 < first["ci_high"]
    assert (second["status"], second["reason"]) == ("unclear", "not over until 2026-09-28")
    assert np.isnan(second["share"])
    assert np.isnan(second["expected"])


def test_matured_predictions_by_flag():
    found = matured(PREDICTIONS, SPELLS, as_of=date(2026, 12, 31), threshold=0.25)
    table = found.summary.set_index(["made_on", "flagged"])
    assert table["n"].tolist() == [3, 3, 1]
    assert table["churned"].tolist() == [0, 2, 1]
    assert table["status"].eq("ok").all()


def test_matured_without_an_outcome_is_unclear():
    found = matured(PREDICTIONS.iloc[3:4], SPELLS, as_of=date(2026, 12, 31))
    assert found.summary["reason"].tolist() == ["no outcome is known"]
    empty = matured(PREDICTIONS.iloc[:0], SPELLS, as_of=date(2026, 12, 31))
    assert len(empty.summary) == 0
    with pytest.raises(InputError, match="predictions: column value is missing"):
        matured(PREDICTIONS.drop(columns="value"), SPELLS, as_of=date(2026, 12, 31))


def test_scores_become_predictions_that_can_mature(world, model, scores):
    table = as_predictions(scores, model="risk 1")
    assert len(table) == len(scores.table)
    spells = pd.DataFrame(
        {
            "account_id": table["account_id"],
            "start_on": pd.Timestamp("2023-01-01"),
            "end_on": pd.NaT,
            "event": False,
        }
    )
    found = matured(table, spells, as_of=date(2027, 1, 1)).summary.iloc[0]
    assert (found["known"], found["churned"]) == (len(table), 0)
    assert found["expected"] == pytest.approx(scores.table["risk"].sum())
