"""Survival curves held against what happened: true curves, late entry, peers and edges."""

import numpy as np
import pandas as pd
import pytest
from surpyval.metrics import auc_td, integrated_brier_score

from csa.analysis.risk.evaluation.curves import evaluate_curves
from csa.errors import InputError
from csa.methods.concordance import concordance

TIMES = np.arange(10.0, 101.0, 10.0)


def world(seed=0, n=1500, *, late=False):
    """Exponential lives whose hazard depends on x, and their true curves."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(size=n)) / 80
    life, leave = rng.exponential(1 / rate), rng.exponential(150, n)
    entry = np.where(rng.random(n) < 0.5, rng.uniform(1, 60, n), 0.0) * late
    frame = pd.DataFrame(
        {"exit_days": np.minimum(life, leave), "event": life <= leave, "entry_days": entry}
    )
    seen = (frame["entry_days"] < frame["exit_days"]).to_numpy()
    return frame[seen], np.exp(-np.outer(rate[seen], TIMES))


def test_curves_equal_surpyval_without_entry():
    """SurPyval 0.25: integrated Brier score and AUC at three ages, to 1e-12."""
    frame, curves = world()
    found = evaluate_curves(
        frame.drop(columns="entry_days"), curves, times=TIMES, auc_times=[20, 50, 80]
    )
    ends, censored = frame["exit_days"].to_numpy(), 1 - frame["event"].to_numpy().astype(int)
    peer = integrated_brier_score(ends, censored, curves, TIMES)
    values = found.figures.set_index("metric")["value"]
    assert values["integrated_brier"] == pytest.approx(peer, abs=1e-12)
    _, theirs = auc_td(ends, censored, 1 - curves[:, [1, 4, 7]], [20, 50, 80])
    assert found.auc["auc"].to_numpy() == pytest.approx(theirs, abs=1e-12)
    harrell = concordance(-curves[:, 4], ends, frame["event"], until=100)
    assert values["concordance"] == pytest.approx(harrell.value, abs=1e-12)
    assert (found.figures["status"] == "ok").all()
    assert (found.n, found.events, found.notes) == (1500, frame["event"].sum(), ())


@pytest.mark.parametrize("late", [False, True])
def test_true_curves_are_calibrated_and_have_skill(late):
    frame, curves = world(1, 4000, late=late)
    found = evaluate_curves(frame, curves, times=TIMES)
    assert found.d_calibration.p_value > 0.01
    assert found.skill > 0.1
    assert (found.brier["brier"] < found.brier["reference"]).all()
    wrong = evaluate_curves(frame, curves**3, times=TIMES)
    assert wrong.d_calibration.p_value < 1e-6
    assert wrong.skill < found.skill
    order = ["concordance", "concordance_uno"]
    pairs = [x.figures.set_index("metric").loc[order, "value"] for x in (found, wrong)]
    assert pairs[0].to_numpy() == pytest.approx(pairs[1].to_numpy(), abs=0.02)


def test_ages_nobody_reaches_are_left_out_with_a_note():
    frame, curves = world(2, 300)
    frame = frame.assign(
        exit_days=np.minimum(frame["exit_days"], 55.0),
        event=frame["event"] & (frame["exit_days"] <= 55),
    )
    found = evaluate_curves(frame, curves, times=TIMES)
    assert found.notes == ("5 of 10 times left out: nobody is followed past 50",)
    late = found.auc[found.auc["time_days"] > 55]
    assert late["auc"].isna().all()
    assert (late["status"] == "unclear").all()
    assert late["reason"].str.startswith("nobody is followed to").all()


@pytest.mark.parametrize(
    ("exit_days", "event"),
    [([], []), ([30.0], [True]), ([30.0] * 4, [False] * 4), ([0.0, 0.0], [False, False])],
    ids=["no rows", "one row", "nobody churned", "nobody seen"],
)
def test_edges_are_unclear_and_never_raise(exit_days, event):
    frame = pd.DataFrame({"exit_days": exit_days, "event": event})
    curves = np.full((len(frame), len(TIMES)), 0.5)
    found = evaluate_curves(frame, curves, times=TIMES)
    pairs = found.figures[found.figures["metric"] != "integrated_brier"]
    assert (pairs["status"] == "unclear").all()
    assert (pairs["reason"] != "").all()
    assert (found.auc["status"] == "unclear").all()
    assert found.d_calibration.reason != ""


def test_faults_are_named():
    frame, curves = world(0, 20)
    with pytest.raises(InputError, match="column event is missing"):
        evaluate_curves(frame.drop(columns="event"), curves, times=TIMES)
    with pytest.raises(InputError) as caught:
        evaluate_curves(frame, curves[:, :3] + 1, times=TIMES[::-1])
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError, match=r"\[15\.0\] are not among the times"):
        evaluate_curves(frame, curves, times=TIMES, auc_times=[10, 15])
