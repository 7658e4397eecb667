"""A company at risk with known drivers, and all results of the chapter on risk made from it."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

from csa.analysis import risk
from csa.analysis.risk.backtests import backtest
from csa.analysis.risk.challenger import choose
from csa.analysis.risk.chosen import score_chosen
from csa.analysis.risk.evaluation import evaluate
from csa.analysis.risk.evaluation.verdict import verdict
from csa.analysis.risk.leaks import leak_audit
from csa.analysis.risk.revenue import revenue_at_risk
from csa.analysis.risk.trust import risk_trust
from csa.data.features import FEATURES
from csa.present.call_list import call_list, reasons_of

NAMES = ("usage_trend", "days_to_renewal", "yearly_billing", "plan")
DECLARED = tuple(f for f in FEATURES if f.name in NAMES)
FIRST = pd.Timestamp("2025-11-05")
STEP, LOOKS = 30, 13  # the last look is on 2026-10-31
HOSTILE = "<script>alert('x')</script> " + "W" * 80


def snapshots(accounts=300, *, seed=5, signal=1.2, level=-3.2, segments=("SMB", "Enterprise")):
    """Look at accounts whose monthly hazard rises where use falls and the renewal is near."""
    rng = np.random.default_rng(seed)
    trend = rng.normal(0, 0.5, accounts)
    yearly, plan = rng.random(accounts) < 0.5, rng.choice(["Team", "Pro"], accounts)
    segment = np.array(segments)[np.arange(accounts) % len(segments)]
    ends = np.full(accounts, STEP * LOOKS)
    for month in range(LOOKS):
        near = (np.arange(accounts) - month) % 12 < 2
        chance = 1 / (1 + np.exp(-(level - signal * (2 * trend - near))))
        gone = (ends == STEP * LOOKS) & (rng.random(accounts) < chance)
        ends[gone] = STEP * month + rng.integers(1, STEP + 1, gone.sum())
    rows = []
    for look in range(LOOKS):
        here = np.flatnonzero(ends > STEP * look)
        last = STEP * (LOOKS - 1)
        rows.append(
            pd.DataFrame(
                {
                    "account_id": [f"a{i:04d}" for i in here],
                    "cutoff_on": FIRST + pd.Timedelta(days=STEP * look),
                    "age_days": 100 + 7 * here % 900 + STEP * look,
                    "mrr_minor": 10_000 * (1 + here % 17),
                    "days_after": np.minimum(ends[here], last) - STEP * look,
                    "event": ends[here] <= last,
                    "group": segment[here],
                    "usage_trend": trend[here],
                    "days_to_renewal": 30.0 * ((here - look) % 12) + 15,
                    "yearly_billing": yearly[here].astype(float),
                    "plan": plan[here],
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


@cache
def made(accounts=300, signal=1.2, level=-3.2, segments=("SMB", "Enterprise")):
    """All results of the chapter, as the notebook makes them."""
    past = snapshots(accounts, signal=signal, level=level, segments=segments)
    today = past[past["cutoff_on"] == past["cutoff_on"].max()].reset_index(drop=True)
    asked = {"features": list(NAMES), "horizon_days": 90}
    model, choice = risk.fit_risk(past, **asked), choose(past, **asked)
    scores = score_chosen(choice, model, past, today)
    earlier = backtest(past, **asked)
    judged = evaluate(earlier.predictions, horizon_days=90, capacity=15)
    leaks = leak_audit(past, **asked)
    return SimpleNamespace(
        past=past,
        today=today,
        model=model,
        choice=choice,
        scores=scores,
        earlier=earlier,
        judged=judged,
        leaks=leaks,
        trust=risk_trust(scores, judged, leaks),
        revenue=revenue_at_risk(model, scores, today),
        verdict=verdict(judged),
    )


def listed(found=None, *, cost=2_000, names=None, audience="all", capacity=5, **trust):
    """Make the list of accounts to call."""
    found = found or made()
    calls = risk.worklist(
        found.scores, cost_per_action_minor=cost, save_rate=0.25, months=12, capacity=capacity
    )
    ids = calls.table["account_id"].head(1000)
    who = pd.DataFrame({"account_id": ids, "name": names, "owner": "Ann", "segment": "SMB"})
    reasons = reasons_of(found.model, DECLARED)
    sure = replace(found.trust, **trust)
    return call_list(calls, found.scores, who, reasons, trust=sure).shown_to(audience)


def summary(flagged, *, known=100, churned=5, expected=4.0, due="2026-10-29", made_on="2026-07-31"):
    """One row of `Matured.summary`."""
    over = due <= "2026-10-31"
    low, high = (churned / known * 0.4, churned / known * 2.0) if known else (np.nan, np.nan)
    return pd.DataFrame(
        {
            "model": ["churn risk, all"],
            "made_on": [pd.Timestamp(made_on)],
            "horizon_days": [90],
            "flagged": [flagged],
            "due_on": [pd.Timestamp(due)],
            "n": [known],
            "known": [known],
            "expected": [expected if over else np.nan],
            "churned": [churned],
            "share": [churned / known if known and over else np.nan],
            "ci_low": [low],
            "ci_high": [high],
            "status": ["ok" if over else "unclear"],
            "reason": ["" if over else f"not over until {due}"],
        }
    )
