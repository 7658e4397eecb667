"""A company under contract with known survival and growth, as the roll-ups would show it."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

AS_OF = date(2026, 10, 31)
MONTH_DAYS = 30.4375
ORIGIN = np.datetime64("1970-01-01")


@dataclass(frozen=True)
class Law:
    """Gamma frailty with mean 1 on a constant monthly hazard; monthly growth of survivors.

    Growth is a share of what was paid the month before, or (`way` "amount") of the first price.
    """

    hazard: float = 0.03
    shape: float = 2.0
    growth: float = 0.0
    shock: float = 0.0  # standard deviation of an account's relative change in a month
    price: float = 10_000.0
    way: str = "share"

    def price_at(self, age):
        """Return the expected price at an age in months, as a multiple of the first."""
        months = np.asarray(age, dtype=float)
        return 1 + self.growth * months if self.way == "amount" else (1 + self.growth) ** months

    def survival(self, months):
        """S at ages in months."""
        return (1 + self.hazard * np.asarray(months, dtype=float) / self.shape) ** -self.shape

    def factor(self, age, *, horizon, discount):
        """Value per unit of monthly revenue at an age, known exactly."""
        k = np.arange(horizon)
        path = self.price_at(age + k) / self.price_at(age) * (1 + discount) ** (-k / 12)
        return float(self.survival(age + k) @ path / self.survival(age))


@dataclass(frozen=True)
class Company:
    """Roll-ups as frames."""

    spells: pd.DataFrame
    months: pd.DataFrame


def month_of(days):
    """Year x 12 + month - 1 of days since 1970."""
    return (ORIGIN + np.asarray(days)).astype("datetime64[M]").astype(int) + 1970 * 12


def company(laws, *, n=400, seed=1, history_days=1500, observed_days=None):
    """Draw n accounts per group that started in the days before AS_OF."""
    rng = np.random.default_rng(seed)
    last = (np.datetime64(AS_OF) - ORIGIN).astype(int)
    parts = [_group(rng, name, law, n, last, history_days) for name, law in laws.items()]
    spells = pd.concat([p[0] for p in parts], ignore_index=True)
    months = pd.concat([p[1] for p in parts], ignore_index=True)
    if observed_days is not None:
        entry = (last - observed_days) - spells["start"]
        spells["entry_days"] = entry.clip(lower=0)
        spells = spells[spells["exit_days"] > spells["entry_days"]]
        months = months[months["account_id"].isin(spells["account_id"])]
    return Company(spells.drop(columns="start").reset_index(drop=True), months)


def _group(rng, name, law, n, last, history):
    start = last - rng.integers(1, history, n)
    frailty = rng.gamma(law.shape, 1 / law.shape, n)
    life = np.maximum(np.ceil(rng.exponential(1 / (frailty * law.hazard)) * MONTH_DAYS), 1)
    end = start + np.minimum(life, 1e5).astype(int)
    event = end <= last
    ids = np.array([f"{name} {i:05d}" for i in range(n)])
    price = np.maximum(np.round(law.price * rng.lognormal(0, 0.5, n)), 100)
    stop = np.where(event, month_of(end), month_of([last])[0] + 1)
    months = _months(rng, law, ids, (month_of(start), stop, event), price)
    paid = months[months["mrr_minor"] > 0].groupby("account_id")["mrr_minor"].last()
    days = lambda x: pd.to_datetime(ORIGIN + x)  # noqa: E731
    spells = pd.DataFrame(
        {
            "account_id": ids,
            "group": name,
            "start_on": days(start),
            "end_on": pd.Series(days(end)).where(event),
            "entry_days": 0,
            "exit_days": np.where(event, end - start, last - start),
            "event": event,
            "mrr_minor": paid.reindex(ids).fillna(pd.Series(price, ids)).astype("int64").to_numpy(),
            "start": start,
        }
    )
    return spells, months.assign(group=name)


def _months(rng, law, ids, span, price):
    first, past, event = span
    count = past - first
    row = np.repeat(np.arange(len(ids)), count)
    age = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    trend = np.log(law.price_at(age) / law.price_at(np.maximum(age - 1, 0)))
    step = trend + law.shock * rng.standard_normal(len(row)) - law.shock**2 / 2
    step[age == 0] = 0
    total = np.cumsum(step)
    begin = np.repeat(np.cumsum(count) - count, count)
    path = total - total[begin] if len(total) else total
    mrr = np.maximum(np.round(price[row] * np.exp(path)), 1).astype("int64")
    previous = np.where(age == 0, 0, np.concatenate([[0], mrr[:-1]]))
    frame = pd.DataFrame(
        {
            "account_id": ids[row],
            "month": first[row] + age,
            "mrr_minor": mrr,
            "previous_minor": previous,
        }
    )
    gone = frame.groupby("account_id").tail(1)
    gone = gone[gone["account_id"].isin(ids[event])]
    left = gone.assign(month=gone["month"] + 1, previous_minor=gone["mrr_minor"], mrr_minor=0)
    return pd.concat([frame, left], ignore_index=True)
