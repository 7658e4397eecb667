"""Evaluation of predictions: figures against peers, what is left out, edges, thresholds."""

import re
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from csa.analysis.risk.evaluation import CROSSED, evaluate
from csa.analysis.risk.evaluation.thresholds import (
    Costs,
    given_threshold,
    threshold_by_cost,
    threshold_by_f1,
    threshold_by_precision,
    threshold_by_recall,
)
from csa.errors import InputError
from csa.methods.intervals import Estimate, wilson

HORIZON = 90


def predicted(n=600, seed=0, *, days=120, stretch=1.0, prefix="a"):
    """Draw true risks for 90 days of accounts followed for some days, all from one cut-off."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1.5, 1.2, n)
    risk = 1 / (1 + np.exp(-odds))
    with np.errstate(divide="ignore"):
        life = np.ceil(HORIZON * np.log(rng.random(n)) / np.log(1 - risk))
    return pd.DataFrame(
        {
            "account_id": [f"{prefix}{i}" for i in range(n)],
            "risk": 1 / (1 + np.exp(-stretch * odds)),
            "days_after": np.minimum(life, days),
            "event": life <= days,
        }
    )


def at_cutoffs(frame, *days):
    """Repeat the predictions at several cut-offs; everybody is known until the same day."""
    first, last = date.fromisoformat(days[0]), frame["days_after"].max()
    parts = []
    for day in days:
        gone = (date.fromisoformat(day) - first).days
        left = frame.assign(cutoff_on=pd.Timestamp(day), days_after=frame["days_after"] - gone)
        parts.append(left[left["days_after"] > 0].assign(last=last - gone))
    return pd.concat(parts, ignore_index=True)


def figures_of(result):
    return result.figures.set_index("metric")


# --- figures -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_figures_equal_scikit_learn_where_everybody_is_followed():
    frame = predicted()
    rule = given_threshold(0.3, chosen_on="an earlier year", independent=True)
    result = evaluate(frame, horizon_days=HORIZON, threshold_rule=rule)
    y = frame["event"] & (frame["days_after"] <= HORIZON)
    p, flag = frame["risk"], frame["risk"] >= 0.3
    expected = {
        "base_rate": y.mean(),
        "auc": metrics.roc_auc_score(y, p),
        "average_precision": metrics.average_precision_score(y, p),
        "brier": metrics.brier_score_loss(y, p),
        "brier_skill": 1 - metrics.brier_score_loss(y, p) / (y.mean() * (1 - y.mean())),
        "flagged_share": flag.mean(),
        "precision": metrics.precision_score(y, flag),
        "recall": metrics.recall_score(y, flag),
        "f1": metrics.f1_score(y, flag),
        "specificity": metrics.recall_score(~y, ~flag),
    }
    for metric, value in expected.items():
        found = result.figure(metric)
        assert found.value == pytest.approx(value, abs=1e-12)
        assert found.low < found.value < found.high
    assert (result.n, result.events, result.churned_accounts) == (600, y.sum(), y.sum())
    assert (result.status, result.signal, result.notes) == ("ok", "signal", ())
    recall = [float(x) for x in wilson((y & flag).sum(), y.sum())]
    assert list(result.figure("recall")) == pytest.approx(recall, abs=1e-12)


def test_every_figure_carries_horizon_base_rate_events_and_interval():
    table = evaluate(predicted(), horizon_days=HORIZON).figures
    assert (table["horizon_days"] == HORIZON).all()
    assert (table["events"] > 0).all()
    assert table["base_rate"].between(0.1, 0.4).all()
    assert table[["value", "ci_low", "ci_high"]].notna().all(axis=None)
    assert (table["interval"] != "").all()
    assert (table["status"] == "ok").all()


@pytest.mark.slow
def test_true_risks_are_calibrated_and_stretched_ones_are_not():
    right = figures_of(evaluate(predicted(3000), horizon_days=HORIZON))
    assert right.loc["calibration_slope", "ci_low"] < 1 < right.loc["calibration_slope", "ci_high"]
    assert right.loc["calibration_error", "ci_low"] == 0
    assert right.loc["calibration_error", "value"] < 0.02
    wrong = figures_of(evaluate(predicted(3000, stretch=2.0), horizon_days=HORIZON))
    assert wrong.loc["calibration_slope", "ci_high"] < 0.7
    assert wrong.loc["calibration_error", "ci_low"] > 0.02
    assert wrong.loc["brier_skill", "value"] < right.loc["brier_skill", "value"]


@pytest.mark.slow
def test_accounts_lost_from_sight_are_weighted_for():
    """A third leaves observation before 90 days; base rate and AUC stay within their limits."""
    whole = predicted(6000, 3)
    rng = np.random.default_rng(4)
    leave = np.ceil(rng.exponential(200, 6000))
    cut = whole.assign(
        days_after=np.minimum(whole["days_after"], leave),
        event=whole["event"] & (whole["days_after"] <= leave),
    )
    one, other = (evaluate(x, horizon_days=HORIZON) for x in (whole, cut))
    assert len(other.notes) == 1
    assert re.match(r"\d+ rows leave observation before the horizon", other.notes[0])
    for metric in ("base_rate", "auc", "brier", "recall"):
        found = other.figure(metric)
        assert found.low <= one.figure(metric).value <= found.high
    naive = (cut["event"] & (cut["days_after"] <= HORIZON)).mean()
    assert naive < other.base_rate.low


@pytest.mark.slow
def test_the_same_rows_give_the_same_figures_in_any_order_and_nothing_is_changed():
    frame = predicted(300)
    before = frame.copy()
    one = evaluate(frame, horizon_days=HORIZON, rng=np.random.default_rng(5))
    rule = given_threshold(0.25, chosen_on="elsewhere", independent=True)
    two = evaluate(frame, horizon_days=HORIZON, rng=np.random.default_rng(5))
    pd.testing.assert_frame_equal(one.figures, two.figures)
    pd.testing.assert_frame_equal(frame, before)
    mixed = frame.sample(frac=1, random_state=1)
    ours, theirs = (evaluate(x, horizon_days=HORIZON, threshold_rule=rule) for x in (frame, mixed))
    pd.testing.assert_series_equal(ours.figures["value"], theirs.figures["value"])


def test_a_table_of_the_engine_is_read_like_a_frame():
    frame = predicted(200)
    one = evaluate(ibis.memtable(frame), horizon_days=HORIZON)
    pd.testing.assert_frame_equal(one.figures, evaluate(frame, horizon_days=HORIZON).figures)


def test_there_is_no_metric_of_an_unknown_name():
    with pytest.raises(InputError, match='no metric "gini"; there are base_rate, auc'):
        evaluate(predicted(50), horizon_days=HORIZON).figure("gini")


# --- cut-offs and accounts -----------------------------------------------------------------------


def test_cutoffs_whose_horizon_is_not_over_are_left_out():
    frame = at_cutoffs(predicted(400, days=200), "2026-01-01", "2026-02-01", "2026-06-01")
    result = evaluate(frame, horizon_days=HORIZON)
    assert result.cutoff_days == (date(2026, 1, 1), date(2026, 2, 1))
    assert result.notes == (
        "1 cut-offs from 2026-06-01 on are left out: their 90 days are not over (2026-07-20)",
    )
    assert result.n == (frame["cutoff_on"] < "2026-06-01").sum()
    assert result.horizon_days == result.horizon_asked == HORIZON


@pytest.mark.slow
def test_copies_of_accounts_at_other_cutoffs_are_no_further_evidence():
    """Four cut-offs of the same outcomes: the interval of the base rate stays as wide."""
    once = predicted(400)
    hours = pd.to_timedelta(np.repeat(range(4), 400), unit="h")
    copies = pd.concat([once] * 4).assign(cutoff_on=pd.Timestamp(2026, 1, 1) + hours)
    rule = given_threshold(0.3, chosen_on="elsewhere", independent=True)
    one, four = (evaluate(x, horizon_days=HORIZON, threshold_rule=rule) for x in (once, copies))
    assert (four.n, four.accounts, four.churned_accounts) == (1600, 400, one.churned_accounts)
    for metric in ("base_rate", "precision", "recall", "auc", "brier"):
        widths = [x.figure(metric).high - x.figure(metric).low for x in (one, four)]
        assert widths[1] == pytest.approx(widths[0], rel=0.02)


def test_capacity_is_that_of_every_cutoff():
    """50 accounts at each of two cut-offs, 300 and 100 strong: the riskiest 50 of each."""
    one, two = predicted(300, 1, prefix="a"), predicted(100, 2, prefix="b")
    frame = pd.concat([one.assign(cutoff_on="2026-01-01"), two.assign(cutoff_on="2026-01-02")])
    result = evaluate(frame, horizon_days=HORIZON, capacity=50)
    row = result.lift[result.lift["is_capacity"]].iloc[0]
    top = pd.concat([x.nlargest(50, "risk") for x in (one, two)])
    hits = (top["event"] & (top["days_after"] <= HORIZON)).sum()
    assert row["precision"] == pytest.approx(hits / 100)
    assert row["recall"] == pytest.approx(hits / result.events)
    assert row["lift"] == pytest.approx(hits / 100 / result.base_rate.value)
    assert (row["share"], row["accounts"]) == (0.25, 50)
    assert row["lift_low"] < row["lift"] < row["lift_high"]
    assert row["risk_from"] == top["risk"].min()


def test_lift_of_constant_risks_is_one():
    result = evaluate(predicted(500).assign(risk=0.2), horizon_days=HORIZON, capacity=1000)
    assert result.lift["lift"].to_numpy() == pytest.approx(1.0)
    assert result.lift.loc[result.lift["is_capacity"], "share"].tolist() == [1.0]
    assert result.signal == "no signal"
    assert result.figures.set_index("metric").loc["calibration_slope", "reason"] == (
        "all risks are alike"
    )


# --- thresholds ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_without_a_rule_each_half_of_the_accounts_is_judged_by_the_other():
    result = evaluate(predicted(1000), horizon_days=HORIZON)
    assert result.threshold.rule == CROSSED
    assert result.seen == 0
    assert 0.1 < result.threshold.threshold < 0.6
    best = evaluate(
        predicted(1000),
        horizon_days=HORIZON,
        threshold_rule=threshold_by_f1(predicted(1000), horizon_days=HORIZON),
    )
    assert result.figure("f1").value <= best.figure("f1").value
    assert best.seen == 1000  # chosen on the very rows: no verdict can rest on it


@pytest.mark.slow
def test_rules_are_chosen_on_other_accounts():
    past, now = predicted(2000, 1, prefix="past"), predicted(2000, 2)
    y = past["event"] & (past["days_after"] <= HORIZON)
    by_recall = threshold_by_recall(past, 0.8, horizon_days=HORIZON)
    assert metrics.recall_score(y, past["risk"] >= by_recall.threshold) >= 0.8
    by_precision = threshold_by_precision(past, 0.6, horizon_days=HORIZON)
    assert metrics.precision_score(y, past["risk"] >= by_precision.threshold) >= 0.6
    assert (by_recall.rule, by_recall.chosen_on) == ("recall of 80%", "2000 accounts")
    assert (by_recall.n, by_recall.events) == (2000, y.sum())
    result = evaluate(now, horizon_days=HORIZON, threshold_rule=by_recall)
    assert result.seen == 0
    assert result.figure("recall").value == pytest.approx(0.8, abs=0.06)
    impossible = threshold_by_precision(past, 1.1, horizon_days=HORIZON)
    assert np.isnan(impossible.threshold)
    nobody = evaluate(now, horizon_days=HORIZON, threshold_rule=impossible)
    assert nobody.figure("flagged_share").value == 0
    assert figures_of(nobody).loc["precision", "status"] == "unclear"


def test_rows_seen_are_counted_by_account_and_cutoff():
    past = predicted(100).assign(cutoff_on=date(2026, 1, 1))
    rule = threshold_by_f1(past, horizon_days=HORIZON)
    assert rule.chosen_on == "100 accounts at cut-offs 2026-01-01 to 2026-01-01"
    later = past.assign(cutoff_on=pd.Timestamp("2026-05-01"))
    assert evaluate(later, horizon_days=HORIZON, threshold_rule=rule).seen == 0
    half = pd.concat([past.head(50), later.tail(50)])
    assert evaluate(half, horizon_days=60, threshold_rule=rule).seen == 50


@pytest.mark.slow
def test_net_value_is_that_of_the_flagged():
    frame = predicted(800, 6)
    costs = Costs(cost=20, save_rate=0.3, value=400)
    result = evaluate(frame, horizon_days=HORIZON, threshold_rule=threshold_by_cost(costs))
    assert result.threshold.threshold == pytest.approx(1 / 6)
    y = (frame["event"] & (frame["days_after"] <= HORIZON)).to_numpy()
    net = result.net.set_index("rule")
    gain = (frame["risk"] >= 1 / 6) * (120 * y - 20)
    assert net.loc["cost", "net_value"] == pytest.approx(gain.mean())
    half = 1.959964 * gain.std(ddof=0) / np.sqrt(800)
    assert net.loc["cost", "ci_high"] - net.loc["cost", "net_value"] == pytest.approx(
        half, rel=1e-5
    )
    assert net.loc["everybody", "net_value"] == pytest.approx(120 * y.mean() - 20)
    assert evaluate(frame, horizon_days=HORIZON).net.empty


def test_costs_by_account_flag_whoever_is_worth_it():
    frame = predicted(400).assign(value=lambda x: np.where(x.index % 2, 10.0, 1000.0))
    frame.loc[0, "value"] = np.nan
    rule = threshold_by_cost(Costs(cost=60, save_rate=0.5))
    assert rule.threshold is None
    result = evaluate(frame, horizon_days=HORIZON, threshold_rule=rule)
    worth = frame["risk"] * 0.5 * frame["value"].fillna(0) * 12
    assert result.figure("flagged_share").value == pytest.approx((worth >= 60).mean())
    with pytest.raises(InputError, match="column value is missing"):
        evaluate(frame.drop(columns="value"), horizon_days=HORIZON, threshold_rule=rule)


def test_costs_and_thresholds_refuse_the_impossible():
    with pytest.raises(InputError) as caught:
        Costs(cost=-1, save_rate=0, value=0, months=0)
    assert len(caught.value.faults) == 4
    with pytest.raises(InputError, match=r"write 0\.3 for 30 %"):
        given_threshold(30, chosen_on="", independent=True)


# --- tables --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_reachable_is_the_best_of_the_precision_recall_curve():
    frame = predicted(1500, 8)
    result = evaluate(frame, horizon_days=HORIZON)
    y = frame["event"] & (frame["days_after"] <= HORIZON)
    precision, recall, _ = metrics.precision_recall_curve(y, frame["risk"])
    table = result.reachable.set_index(["aim", "at"])
    for at in (0.2, 0.8):
        row = table.loc[("recall", at)]
        assert row["value"] == pytest.approx(precision[recall >= at].max())
        assert 0 <= row["ci_low"] < row["value"] < row["ci_high"] <= 1
    assert table.loc[("precision", 0.5), "value"] == pytest.approx(recall[precision >= 0.5].max())
    falling = table.loc["recall", "value"].to_numpy()
    assert (np.diff(falling) <= 0).all()


@pytest.mark.slow
def test_limits_of_the_best_precision_hold_the_best_of_many():
    """100 worlds of 500 rows: 95 % limits hold the precision at recall 80 % of 200,000."""
    y = predicted(200_000, 1)
    happened = y["event"] & (y["days_after"] <= HORIZON)
    precision, recall, _ = metrics.precision_recall_curve(happened, y["risk"])
    truth, hits = precision[recall >= 0.8].max(), 0
    from csa.analysis.risk.evaluation.figures import cumulated  # noqa: PLC0415
    from csa.analysis.risk.evaluation.rows import judged_rows  # noqa: PLC0415
    from csa.methods.ranking import best_precision  # noqa: PLC0415
    from csa.methods.resampling import Resampler, percentile_interval  # noqa: PLC0415

    for seed in range(2, 102):
        rows = judged_rows(predicted(500, seed), HORIZON)
        draws = Resampler(rows.account, np.random.default_rng(seed), replicates=200)
        value = float(best_precision(*cumulated(rows), 0.8)[0])
        found = percentile_interval(value, best_precision(*cumulated(rows, draws), 0.8))
        hits += found.low <= truth <= found.high
    assert hits >= 88


def test_trade_off_runs_from_few_flagged_to_all():
    table = evaluate(predicted(700), horizon_days=HORIZON).trade_off
    assert (table["threshold"].diff().dropna() < 0).all()
    assert (table["recall"].diff().dropna() >= 0).all()
    assert table["flagged_share"].iloc[-1] == pytest.approx(1)
    assert len(table) <= 25
    assert (table["precision_low"] <= table["precision"]).all()


def test_calibration_comes_in_tenths():
    table = evaluate(predicted(1000), horizon_days=HORIZON).calibration
    assert table["group"].tolist() == list(range(1, 11))
    assert (table["n"] == 100).all()
    inside = (table["ci_low"] <= table["predicted"]) & (table["predicted"] <= table["ci_high"])
    assert inside.sum() >= 8


# --- edges ---------------------------------------------------------------------------------------


def edge(risk, days, event, **more):
    rows = {"account_id": [f"a{i}" for i in range(len(risk))], "risk": risk, "days_after": days}
    return pd.DataFrame(rows | {"event": event} | more)


EDGES = {
    "no rows": (edge([], [], []), "no prediction that can be judged"),
    "one row that stays": (edge([0.5], [90], [False]), "nobody churned within 90 days"),
    "one row that churns": (edge([0.5], [9], [True]), "everybody churned within 90 days"),
    "no events": (edge([0.1] * 60, [95] * 60, [False] * 60), "nobody churned within 90 days"),
    "all events": (edge([0.1] * 60, [5] * 60, [True] * 60), "everybody churned within 90 days"),
    "few events": (
        edge(np.linspace(0.1, 0.9, 60), [95] * 57 + [8] * 3, [False] * 57 + [True] * 3),
        "only 3 accounts churned within 90 days",
    ),
    "few that stay": (
        edge(np.linspace(0.1, 0.9, 60), [95] * 3 + [8] * 57, [False] * 3 + [True] * 57),
        "only 3 accounts stayed 90 days",
    ),
    "all censored before the horizon": (
        edge([0.1, 0.4] * 30, [50] * 60, [False] * 60),
        "nobody churned within 50 days",
    ),
    "censored on the first day": (
        edge([0.1, 0.4], [0, 0], [False, False]),
        "nobody's outcome is known at 0 days",
    ),
    "nobody followed so far": (
        edge(np.linspace(0.1, 0.9, 60), [60] * 40 + [30] * 20, [False] * 40 + [True] * 20),
        "nobody is followed to 90: judged at 60, where the data end",
    ),
    "risks of nothing but 0 and 1": (
        edge([0.0, 1.0] * 3, [95, 5] * 3, [False, True] * 3),
        "only 3 accounts churned within 90 days",
    ),
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("costs", [None, Costs(cost=1, save_rate=0.5, value=10)])
def test_edges_are_a_result_with_a_reason(name, costs):
    frame, reason = EDGES[name]
    rule = threshold_by_cost(costs) if costs else None
    result = evaluate(frame, horizon_days=HORIZON, capacity=5, threshold_rule=rule)
    assert (result.status, result.reason) == ("unclear", reason)
    assert (result.figures["status"] == "unclear").all()
    assert (result.figures["reason"] != "").all()
    assert result.n == len(frame)
    assert isinstance(result.base_rate, Estimate)


def test_where_the_horizon_is_cut_risks_are_not_held_against_what_happened_before():
    frame, _ = EDGES["nobody followed so far"]
    result = evaluate(frame, horizon_days=HORIZON)
    assert (result.horizon_days, result.horizon_asked) == (60, 90)
    table = figures_of(result)
    for metric in ("brier", "brier_skill", "calibration_slope", "calibration_error"):
        assert np.isnan(table.loc[metric, "value"])
        assert table.loc[metric, "reason"].startswith("risks are for 90 days, and nobody")
    assert table.loc["auc", "value"] == result.figure("auc").value == 1
    assert result.calibration.empty


def test_perfect_risks_have_honest_limits():
    frame = edge(
        np.repeat([0.9, 0.1], [20, 80]), np.repeat([5, 95], [20, 80]), [True] * 20 + [False] * 80
    )
    result = evaluate(frame, horizon_days=HORIZON)
    assert result.figure("auc").value == 1
    assert result.figure("auc").low < 0.97
    assert result.figure("precision").value == result.figure("f1").value == 1
    assert result.figure("recall").low < 0.9


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.1, 0.5, 0.5, 0.9, 1.0]),
            st.integers(0, 120),
            st.booleans(),
            st.integers(0, 3),
        ),
        max_size=25,
    )
)
@pytest.mark.slow
def test_nothing_that_can_be_read_raises(rows):
    frame = pd.DataFrame(rows, columns=["risk", "days_after", "event", "cut"])
    frame["account_id"] = [f"a{i % 7}" for i in range(len(frame))]
    frame["cutoff_on"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["cut"] * 40, unit="D")
    frame = frame.drop_duplicates(["account_id", "cutoff_on"])
    result = evaluate(frame, horizon_days=HORIZON, capacity=3)
    table = result.figures
    known = table[table["metric"] != "calibration_intercept"].dropna(subset=["ci_low"])
    assert (known["ci_low"] <= known["value"] + 1e-9).all()
    assert (known["value"] <= known["ci_high"] + 1e-9).all()
    assert ((table["status"] == "ok") | (table["reason"] != "")).all()


def test_rows_that_cannot_be_judged_are_left_out_and_counted():
    frame = predicted(100)
    frame.loc[:4, "risk"] = np.nan
    frame.loc[10:12, "days_after"] = np.nan
    frame["event"] = frame["event"].astype("boolean")
    frame.loc[10:12, "event"] = pd.NA
    result = evaluate(frame, horizon_days=HORIZON)
    assert result.n == 92
    assert result.notes == (
        "5 rows without a risk are left out",
        "3 rows whose account was not found afterwards are left out",
    )


def test_faults_are_named_all_at_once():
    with pytest.raises(
        InputError, match=r"column days_after is missing\n.*column event is missing"
    ):
        evaluate(pd.DataFrame({"account_id": [], "risk": []}), horizon_days=HORIZON)
    frame = predicted(20).assign(cutoff_on="2026-01-01")
    frame["account_id"] = frame["account_id"].where(frame.index != 3, "a2")
    frame.loc[4, "risk"] = 1.5
    frame.loc[5, "days_after"] = -1
    frame["event"] = frame["event"].astype("boolean").where(frame.index != 6)
    frame.loc[7, "cutoff_on"] = None
    frame.loc[8, "account_id"] = None
    with pytest.raises(InputError) as caught:
        evaluate(frame, horizon_days=HORIZON)
    assert [fault.split(": ")[1] for fault in caught.value.faults] == [
        "account_id is missing in 1 rows; drop them",
        "risk is not within [0, 1] in 1 rows; a share is asked for",
        "days_after is negative in 1 rows; count from the cut-off",
        "event is missing in 1 rows; it is true or false",
        "cutoff_on is missing in 1 rows; drop them",
        "1 rows repeat an account at its cut-off; keep one of each",
    ]
    text = predicted(5).assign(risk=["0.1", "0.2", "high", "0.3", "0.4"])
    with pytest.raises(InputError, match="risk is no number in 1 rows"):
        evaluate(text, horizon_days=HORIZON)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"horizon_days": 0}, "0 is not above 0"),
        ({"horizon_days": 90, "capacity": 0}, "0 accounts are fewer than 1"),
        ({"horizon_days": 90, "confidence": 95}, r"write 0\.95 for 95 %"),
    ],
)
def test_impossible_arguments_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        evaluate(predicted(10), **wrong)
