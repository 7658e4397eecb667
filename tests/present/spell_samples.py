"""Spells with attributes for tests of what goes with leaving: invented, with known effects."""

from functools import cache

import numpy as np
import pandas as pd

from csa.analysis.churn.effects import Covariate, effects
from csa.analysis.churn.hazards import AgeEffect, discrete_hazard
from csa.analysis.churn.hazards.renewals import renewals

HOSTILE = ("<script>alert(1)</script>", "A" * 200, "حساب تجريبي", "$x$ & \u202eco")


def attributed(n=3000, *, seed=1, levels=("none", "guided", "self-serve")):
    """Accounts whose onboarding matters, whose channel does not, and whose plan does for a year.

    Hazards by month: onboarding 2, 0.8, 1 times; plan Basic 3 times up to an age of 12 months and
    as Pro later; yearly contracts leave ten times as often in months 12, 24, 36, else 0.5 times.
    """
    rng = np.random.default_rng(seed)
    onboarding, channel = rng.integers(0, len(levels), n), rng.integers(0, 3, n)
    basic, yearly = rng.random(n) < 0.5, rng.random(n) < 0.5
    base = 0.012 * np.resize([2.0, 0.8, 1.0], len(levels))[onboarding]
    month = np.arange(60)
    due = np.isin(month, (12, 24, 36, 48))
    hazard = base[:, None] * np.where(basic[:, None] & (month < 12), 3.0, 1.0)
    hazard *= np.where(yearly[:, None], np.where(due, 10.0, 0.5), 1.0)
    gone = rng.random((n, 60)) < np.minimum(hazard, 0.9)
    first = np.where(gone.any(axis=1), gone.argmax(axis=1), 60)
    life = first * 30 + rng.integers(1, 31, n)
    seen = rng.integers(200, 1500, n)
    entry = np.where(rng.random(n) < 0.2, rng.integers(0, 200, n), 0)
    frame = pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(n)],
            "entry_days": entry,
            "exit_days": np.minimum(life, seen),
            "event": life <= seen,
            "onboarding": np.array(levels, dtype=object)[onboarding],
            "sales_channel": np.array(["ads", "partner", "referral"], dtype=object)[channel],
            "plan": np.where(basic, "Basic", "Pro"),
            "seats": rng.integers(1, 30, n),
            "billing_months": np.where(yearly, 12, 1),
            "group": np.where(yearly, "Yearly", "Monthly"),
        }
    )
    return frame.loc[frame["exit_days"] > frame["entry_days"]].reset_index(drop=True)


@cache
def effects_of(*names, n=3000, levels=("none", "guided", "self-serve")):
    return effects(attributed(n, levels=levels), covariates=list(names))


@cache
def seats_effect():
    frame = attributed()
    leaves = np.random.default_rng(3).random(len(frame)) < 0.03 * frame["seats"]
    return effects(frame.assign(event=leaves), covariates=[Covariate(name="seats", per=10)])


@cache
def hazard_of(*names, n=3000, renewal="billing_months", **options):
    age = AgeEffect(renewal=renewal) if renewal else None
    return discrete_hazard(attributed(n), covariates=list(names), age=age, **options)


@cache
def renewals_of(n=3000, lengths=(1, 12)):
    """Half of the contracts yearly, the others of the other length; groups that differ."""
    frame = attributed(n).assign(group=lambda t: t["plan"])
    return renewals(frame.replace({"billing_months": {1: lengths[0], 12: lengths[1]}}))
