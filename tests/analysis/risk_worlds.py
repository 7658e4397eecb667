"""Worlds for tests of risk: accounts with a known hazard, seen at cut-offs 30 days apart.

Every 30 days an account that is still here churns with a probability whose logit is the sum of
curves and levels below and of a curve of its tenure, on some day of the 30.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

STEP_DAYS = 30
FIRST = pd.Timestamp("2024-01-01")
FEATURES = ["usage", "seats", "guided", "plan"]


@dataclass(frozen=True)
class World:
    """Snapshots of all cut-offs; `chance(frame, steps)` is the true risk of their rows."""

    snapshots: pd.DataFrame
    level: np.ndarray
    effect: np.ndarray

    def chance(self, frame, steps=3):
        """Probability to churn within so many times 30 days."""
        number = frame["account_id"].str[1:].astype(int).to_numpy()
        stays = np.ones(len(frame))
        for step in range(steps):
            age = frame["age_days"].to_numpy() + STEP_DAYS * step
            stays *= 1 - hazard(self.level[number] + self.effect[number], age)
        return 1 - stays

    @property
    def now(self):
        """Snapshots of the last cut-off."""
        last = self.snapshots["cutoff_on"].max()
        return self.snapshots[self.snapshots["cutoff_on"] == last].reset_index(drop=True)


def hazard(predictor, age):
    """Chance to churn within the next 30 days at an age."""
    return 1 / (1 + np.exp(-(predictor - 0.5 * np.log1p(age / 60))))


def make_world(seed, *, accounts=1000, months=24, level=-2.6, noise=0, lost=0.0):
    """Draw accounts, their ends and their snapshots.

    `noise`: features that mean nothing. `lost`: monthly chance to be lost from sight otherwise.
    """
    rng = np.random.default_rng(seed)
    usage, seats = rng.normal(size=accounts), rng.gamma(2, 2, size=accounts)
    guided = (rng.random(accounts) < 0.3).astype(float)
    plan = rng.choice(["basic", "pro", "team"], accounts, p=[0.5, 0.35, 0.15])
    effect = -0.8 * usage - 0.25 * np.minimum(seats, 8) + 0.9 * guided
    effect += np.select([plan == "pro", plan == "team"], [-0.4, -0.9], 0.0)
    start = rng.integers(-36, months, accounts)
    ends, churned = _ends(rng, start, level + effect, months, lost)
    rows = []
    for month in range(months):
        here = np.flatnonzero((start <= month) & (ends > month * STEP_DAYS))
        rows.append(
            pd.DataFrame(
                {
                    "account_id": [f"a{i:05d}" for i in here],
                    "cutoff_on": FIRST + pd.Timedelta(days=STEP_DAYS * month),
                    "age_days": (month - start[here]) * STEP_DAYS,
                    "mrr_minor": 1000 * (1 + here % 50),
                    "days_after": ends[here] - STEP_DAYS * month,
                    "event": churned[here],
                    "usage": usage[here],
                    "seats": seats[here],
                    "guided": guided[here],
                    "plan": plan[here].astype(object),
                }
            )
        )
    table = pd.concat(rows, ignore_index=True)
    number = table["account_id"].str[1:].astype(int)
    for j in range(noise):
        table[f"noise {j}"] = rng.normal(size=accounts)[number]
    return World(table, np.full(accounts, level), effect)


def _ends(rng, start, predictor, months, lost):
    """Day of the end or last day known, and whether it is churn."""
    last = months * STEP_DAYS
    ends, churned = np.full(len(start), last), np.zeros(len(start), dtype=bool)
    alive = np.ones(len(start), dtype=bool)
    for month in range(months):
        here = alive & (start <= month)
        age = np.maximum(month - start, 0) * STEP_DAYS
        gone = here & (rng.random(len(start)) < hazard(predictor, age))
        away = here & ~gone & (rng.random(len(start)) < lost)
        day = month * STEP_DAYS + rng.integers(1, STEP_DAYS + 1, len(start))
        ends[gone | away] = day[gone | away]
        churned |= gone
        alive &= ~gone & ~away
    return ends, churned


def make_snapshots(size=400, *, seed=3, rate=0.2, **columns):
    """One cut-off: accounts with an outcome of its own, and features as given."""
    rng = np.random.default_rng(seed)
    event = rng.random(size) < rate
    return pd.DataFrame(
        {
            "account_id": [f"a{i:05d}" for i in range(size)],
            "cutoff_on": FIRST,
            "age_days": rng.integers(0, 900, size),
            "mrr_minor": rng.integers(1000, 90_000, size),
            "days_after": np.where(event, rng.integers(1, 91, size), 90),
            "event": event,
        }
        | columns
    )
