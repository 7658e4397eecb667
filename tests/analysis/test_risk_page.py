"""Revenue at risk, risks by the model that was chosen, and whether they may be acted on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_worlds import FEATURES, make_snapshots, make_world

from csa.analysis.risk import fit_risk, score, segment_risk
from csa.analysis.risk.backtests import backtest
from csa.analysis.risk.boosting import boosting_risk, fit_boosting
from csa.analysis.risk.challenger import choose
from csa.analysis.risk.chosen import BY_BOOSTING, score_chosen
from csa.analysis.risk.evaluation import evaluate
from csa.analysis.risk.leaks import leak_audit
from csa.analysis.risk.revenue import revenue_at_risk
from csa.analysis.risk.trust import risk_trust
from csa.errors import InputError


@pytest.fixture(scope="module")
def world():
    return make_world(1, accounts=500)


@pytest.fixture(scope="module")
def model(world):
    return fit_risk(world.snapshots, features=FEATURES)


@pytest.fixture(scope="module")
def now(world):
    frame = world.now
    size = np.random.default_rng(2).lognormal(10, 1.5, len(frame)).round()
    return frame.assign(mrr_minor=size, group=np.where(np.arange(len(frame)) % 3, "SMB", "Big"))


@pytest.fixture(scope="module")
def scores(model, now):
    return score(model, now)


# --- revenue at risk -----------------------------------------------------------------------------


def test_revenue_at_risk_is_the_sum_of_risk_times_revenue(model, scores, now):
    table = revenue_at_risk(model, scores, now).table.set_index("group")
    risk = scores.table["risk"].to_numpy()
    for name, row in table.iterrows():
        here = np.ones(len(now), bool) if name == "all" else (now["group"] == name).to_numpy()
        assert row["n"] == here.sum()
        assert row["at_risk_minor"] == pytest.approx((risk * now["mrr_minor"])[here].sum())
        assert row["expected_churn"] == pytest.approx(risk[here].sum())
        assert row["share"] == pytest.approx(row["at_risk_minor"] / row["mrr_minor"])
        assert row["range_low"] < row["ci_low"] < row["at_risk_minor"]
        assert row["at_risk_minor"] < row["ci_high"] < row["range_high"]
    assert table.loc[["Big", "SMB"], "at_risk_minor"].sum() == pytest.approx(
        table.loc["all", "at_risk_minor"]
    )


def test_revenue_at_risk_of_equal_accounts_is_the_mean_risk(model, now):
    alike = now.assign(mrr_minor=100)
    found = revenue_at_risk(model, score(model, alike), alike).table
    expected = segment_risk(model, alike, by="group")
    for column in ("risk", "ci_low", "ci_high"):
        other = {"risk": "at_risk_minor"}.get(column, column)
        assert (found[other] / found["mrr_minor"]).to_numpy() == pytest.approx(
            expected[column].to_numpy()
        )


def test_revenue_that_leaves_in_the_end_lies_in_the_range(model, scores, now):
    """Without errors of the model the range is that of chance alone."""
    sure = replace(model, covariance=np.zeros_like(model.covariance))
    row = revenue_at_risk(sure, scores, now).table.iloc[0]
    rng = np.random.default_rng(3)
    risk, mrr = scores.table["risk"].to_numpy(), now["mrr_minor"].to_numpy()
    left = (rng.random((4000, len(now))) < risk) @ mrr
    inside = (left >= row["range_low"]) & (left <= row["range_high"])
    assert 0.93 <= inside.mean() <= 0.97


def test_few_accounts_hold_half_of_what_is_at_risk(model, scores, now):
    result = revenue_at_risk(model, scores, now)
    stake = np.sort(scores.table["risk"] * now["mrr_minor"])[::-1]
    assert stake[: result.half].sum() >= stake.sum() / 2 > stake[: result.half - 1].sum()


def test_revenue_at_risk_without_risks_is_unclear(model, scores, now):
    unclear = replace(scores, status="unclear", reason="too few")
    result = revenue_at_risk(model, unclear, now)
    assert result.table["at_risk_minor"].isna().all()
    assert result.table["mrr_minor"].notna().all()
    assert set(result.table["reason"]) == {"too few"}
    assert result.half == 0
    nobody = revenue_at_risk(model, score(model, now.head(0)), now.head(0)).table
    assert nobody["group"].tolist() == ["all"]
    assert nobody["status"].tolist() == ["unclear"]


def test_revenue_at_risk_of_groups_that_pay_nothing(model, now):
    free = now.assign(mrr_minor=np.where(now["group"] == "Big", 0, 100), group=now["group"])
    found = revenue_at_risk(model, score(model, free), free).table.set_index("group")
    assert found.loc["Big", "at_risk_minor"] == 0
    assert np.isnan(found.loc["Big", "share"])
    missing = now.assign(group=None)
    assert revenue_at_risk(model, score(model, missing), missing).table["group"].tolist() == [
        "all",
        "not stated",
    ]


def test_revenue_at_risk_needs_a_revenue(model, scores, now):
    with pytest.raises(InputError, match="mrr_minor is missing"):
        revenue_at_risk(model, scores, now.drop(columns="mrr_minor"))


# --- the model that was chosen -------------------------------------------------------------------


@pytest.mark.slow
def test_score_chosen_takes_the_risks_of_the_model_that_won(world, model, now):
    choice = choose(world.snapshots, features=FEATURES)
    default = score_chosen(replace(choice, chosen="hazard"), model, world.snapshots, now)
    pd.testing.assert_frame_equal(default.table, score(model, now).table)
    other = score_chosen(replace(choice, chosen="boosting"), model, world.snapshots, now)
    trees = fit_boosting(world.snapshots, features=FEATURES, as_of=model.as_of)
    assert other.table["risk"].tolist() == boosting_risk(trees, now).tolist()
    assert other.table[["ci_low", "ci_high"]].isna().all(axis=None)
    assert other.notes[-1] == BY_BOOSTING
    assert (other.contributions == default.contributions).all()
    revenue = revenue_at_risk(model, other, now).table
    assert revenue["ci_low"].isna().all()
    assert revenue["range_high"].notna().all()


# --- trust ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judged(world):
    made = backtest(world.snapshots, features=FEATURES)
    return evaluate(made.predictions, horizon_days=90)


@pytest.fixture(scope="module")
def leaks(world):
    return leak_audit(world.snapshots, features=FEATURES)


@pytest.mark.slow
def test_risks_that_told_who_leaves_are_usable(scores, judged, leaks):
    found = risk_trust(scores, judged, leaks)
    assert (found.level, found.usable, found.reason) == ("judged", True, "")


@pytest.mark.slow
def test_risks_without_a_past_are_usable_but_not_judged(scores, judged, leaks):
    new = replace(judged, status="unclear", reason="no prediction that can be judged")
    found = risk_trust(scores, new, leaks)
    assert (found.level, found.usable) == ("not judged", True)
    assert found.reason == "no prediction that can be judged"


@pytest.mark.parametrize("signal", ["no signal", "reversed"])
@pytest.mark.slow
def test_risks_without_a_signal_are_not(scores, judged, leaks, signal):
    found = risk_trust(scores, replace(judged, signal=signal), leaks)
    assert (found.level, found.usable) == ("no signal", False)
    assert found.reason.startswith("AUC 0.")


def test_risks_of_no_model_are_not(scores, judged, leaks):
    found = risk_trust(replace(scores, status="unclear", reason="few"), judged, leaks)
    assert (found.level, found.usable, found.reason) == ("no risk", False, "few")
    nobody = risk_trust(replace(scores, table=scores.table.head(0)), judged, leaks)
    assert nobody.reason == "no account is a customer on the last day"


def test_alarms_are_passed_on(scores, judged):
    rows = make_snapshots(2000)
    told = rows.assign(closing_fee=np.where(rows["event"], rows["days_after"], 400.0))
    assert "closing_fee" in risk_trust(scores, judged, leak_audit(told)).warning
