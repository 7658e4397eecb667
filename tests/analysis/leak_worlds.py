"""Worlds without leaks for the leak alarm: snapshots whose truth is known, and honest splits.

Accounts are seen at one or more cut-offs; what they do then sets their hazard until the next.
Some features are strong, some never matter, many have gaps, gaps may tell something.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

HORIZON_DAYS = 90
FIRST_CUTOFF = pd.Timestamp("2025-01-31")
PLANS, REGIONS = ("free", "basic", "pro", "enterprise"), ("north", "east", "south", "west", "else")


@dataclass(frozen=True)
class World:
    """Snapshots; `hidden`: the same rows with what nobody knows at the cut-off."""

    snapshots: pd.DataFrame
    hidden: pd.DataFrame  # account, day, start, rate, level, ends_after (inf: not in the data)
    features: list[str]
    auc: float  # of the true risk within the horizon
    events: int  # rows that churn within the horizon

    @property
    def several(self) -> bool:
        """Whether there is more than one cut-off."""
        return len(self.snapshots["cutoff_on"].unique()) > 1


@dataclass(frozen=True)
class Setting:
    """What a world is like."""

    rows: int
    event_share: float
    auc: float
    cutoffs: int
    follow_days: int
    columns: int
    style: str  # "many", "one" (one column carries the signal), "none", "fading"
    gaps: float  # mean share of missing values


def draw_setting(rng: np.random.Generator) -> Setting:
    """Any size from 500 to 20,000 rows, 1 to 30 % events, true AUC 0.6 to 0.9."""
    return Setting(
        rows=int(np.exp(rng.uniform(np.log(500), np.log(20_000)))),
        event_share=float(np.exp(rng.uniform(np.log(0.01), np.log(0.30)))),
        auc=float(rng.uniform(0.6, 0.9)),
        cutoffs=int(rng.choice([1, 1, 3, 6])),
        follow_days=int(rng.choice([90, 180, 365, 540])),
        columns=int(rng.integers(5, 25)),
        style=str(rng.choice(["many", "one", "one", "fading"])),
        gaps=float(rng.choice([0.0, 0.1, 0.5])),
    )


def make_world(rng: np.random.Generator, setting: Setting) -> World:
    """Draw the accounts, their features, their ends, and their snapshots."""
    panel = _Panel(rng, setting)
    drawn = {name: draw(panel) for name, draw in _FEATURES.items()}
    always = ["usage_30d", "total_paid", "logins_total"]
    others = [name for name in drawn if name not in always]
    keep = min(max(setting.columns - len(always), 2), len(others))
    names = always + list(rng.choice(others, keep, replace=False))
    score = _score(panel, {n: drawn[n] for n in names if n not in always[1:]})
    risk = _calibrated(score, setting, panel)
    ends = panel.ends(risk)
    rows = panel.rows(ends)
    features = {n: _with_gaps(rng, panel, drawn[n][0], score, setting) for n in names}
    if setting.style == "fading":
        _fade(rng, features, panel, ends)
    flat = {n: v.ravel()[rows] for n, v in features.items()}
    snapshots, hidden = panel.table(ends, rows, flat)
    known = snapshots["event"] | (snapshots["days_after"] >= HORIZON_DAYS)
    churned = snapshots["event"] & (snapshots["days_after"] <= HORIZON_DAYS)
    truth = _auc_of(1 - np.exp(-risk.ravel()[rows][known]))
    return World(snapshots, hidden, names, truth, int(churned.sum()))


class _Panel:
    """Accounts by cut-offs; arrays are (accounts, cut-offs)."""

    def __init__(self, rng: np.random.Generator, setting: Setting) -> None:
        self.rng, self.setting = rng, setting
        k = setting.cutoffs
        n = int(np.ceil(setting.rows / (1 + 0.8 * (k - 1))))
        self.shape = (n, k)
        self.step = int(rng.choice([30, 90])) if k > 1 else HORIZON_DAYS
        self.day = np.arange(k) * self.step
        self.last = int(self.day[-1] + setting.follow_days)
        self.start = -np.floor(rng.gamma(1.5, 300, n)).astype(int) - 1
        late = rng.random(n) < (0.25 if k > 1 else 0)
        self.start[late] = rng.integers(0, max(int(self.day[-1]), 1), int(late.sum()))
        self.age = self.day[None, :] - self.start[:, None]  # not above 0: not yet a customer
        self.level = rng.normal(0, 0.7, (n, 1))
        moves = rng.normal(0, 0.5, self.shape)
        self.now = np.empty(self.shape)
        self.now[:, 0] = moves[:, 0]
        for j in range(1, k):
            self.now[:, j] = 0.7 * self.now[:, j - 1] + 0.7 * moves[:, j]
        self.price = np.round(np.exp(rng.normal(8.5, 0.8, (n, 1)))) * np.ones((1, k))

    def normal(self) -> np.ndarray:
        return self.rng.normal(size=self.shape)

    def once(self, values: np.ndarray) -> np.ndarray:
        """One value per account, the same at all its cut-offs."""
        return np.repeat(values.reshape(-1, 1), self.shape[1], axis=1)

    def ends(self, risk: np.ndarray) -> np.ndarray:
        """Day on which each account ends, inf where not by the last known day."""
        n, k = self.shape
        borders = np.append(self.day, self.last)
        shape = self.rng.choice([0.0, -0.3]) if self.setting.style != "none" else 0.0
        left = self.rng.exponential(size=n)
        ends = np.full(n, np.inf)
        for j in range(k):
            begin = np.maximum(borders[j], self.start)
            length = np.maximum(borders[j + 1] - begin, 0)
            slower = (np.maximum(self.age[:, j], 30) / 400.0) ** shape
            rate = risk[:, j] / HORIZON_DAYS * slower
            need = left / rate
            here = np.isinf(ends) & (need <= length)
            ends[here] = begin[here] + np.maximum(np.ceil(need[here]), 1)
            left = left - rate * length
        ends[ends > self.last] = np.inf
        return ends

    def rows(self, ends: np.ndarray) -> np.ndarray:
        """Which (account, cut-off) are snapshots: a customer then."""
        return ((self.age > 0) & (ends[:, None] > self.day[None, :])).ravel()

    def table(
        self, ends: np.ndarray, rows: np.ndarray, features: dict[str, np.ndarray]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        account = np.repeat(np.arange(self.shape[0]), self.shape[1])[rows]
        day = np.tile(self.day, self.shape[0])[rows]
        after = np.minimum(ends[account], self.last) - day
        snapshots = pd.DataFrame(
            {
                "account_id": [f"A{i:06d}" for i in account],
                "cutoff_on": FIRST_CUTOFF + pd.to_timedelta(day, unit="D"),
                "age_days": day - self.start[account],
                "mrr_minor": self.price[account, 0].astype("int64"),
                "days_after": after.astype("int64"),
                "event": np.isfinite(ends[account]),
                **features,
            }
        )
        hidden = pd.DataFrame(
            {
                "account": account,
                "day": day,
                "age": day - self.start[account],
                "level": np.exp(self.level[account, 0] + self.now.ravel()[rows] * 0),
                "now": self.now.ravel()[rows],
                "ends_after": np.where(np.isfinite(ends[account]), after, np.inf),
                "follow": self.last - day,
            }
        )
        return snapshots, hidden


def _usage(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    level = p.level + p.now
    return p.rng.poisson(np.exp(3 + level)).astype(float), -level


def _paid(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    noise = np.exp(p.rng.normal(0, 0.02, p.shape))
    return np.round(p.price * np.maximum(p.age, 0) / 30 * noise), p.level * 0


def _logins(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    mean = np.exp(3 + p.level) * np.maximum(p.age, 0) / 30
    return p.rng.poisson(mean).astype(float), p.level * 0


def _trend(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    return p.now + 0.3 * p.normal(), -p.now


def _gaussian(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    value = p.normal()
    return value, value


def _skewed(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    value = p.normal()
    return np.exp(value), value


def _tickets(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    value = p.rng.negative_binomial(0.7, 0.35, p.shape).astype(float)
    return value, np.log1p(value)


def _seats(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    value = np.ceil(p.price / 500 * np.exp(p.rng.normal(0, 0.4, p.shape)))
    return value, -np.log(value)


def _nps(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    value = np.clip(np.round(7.5 + 2 * p.normal()), 0, 10)
    return value, -value


def _flag(share: float):
    def draw(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
        value = (p.rng.random(p.shape) < share).astype(float)
        return value, value

    return draw


def _renewal(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    value = p.rng.integers(0, 366, p.shape).astype(float)
    return value, np.where(value < 60, 1.0, 0.0)


def _idle(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    value = np.floor(p.rng.exponential(np.exp(1.5 - 0.5 * p.now))).astype(float)
    return value, np.log1p(value)


def _share(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    value = p.rng.beta(2, 3, p.shape)
    return value, -value


def _plan(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    code = p.once(p.rng.choice(4, p.shape[0], p=[0.4, 0.3, 0.2, 0.1]))
    return np.array(PLANS, dtype=object)[code], -code.astype(float)


def _region(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    code = p.once(p.rng.integers(0, 5, p.shape[0]))
    return np.array(REGIONS, dtype=object)[code], np.isin(code, [1, 3]).astype(float)


def _city(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    code = p.once(p.rng.zipf(1.5, p.shape[0]).clip(max=2000))
    return np.array([f"city {i}" for i in range(2001)], dtype=object)[code], code * 0.0


def _signed_up(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    day = p.once(p.start)
    return (FIRST_CUTOFF + pd.to_timedelta(day.ravel(), unit="D")).to_numpy().reshape(
        p.shape
    ), day * 0.0


def _constant(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    return np.ones(p.shape), np.zeros(p.shape)


def _calendar(p: _Panel) -> tuple[np.ndarray, np.ndarray]:
    value = 100 + 0.05 * np.repeat(p.day[None, :], p.shape[0], axis=0) + 0.2 * p.normal()
    return value, value * 0


_FEATURES = {
    "usage_30d": _usage,
    "total_paid": _paid,
    "logins_total": _logins,
    "usage_trend": _trend,
    "satisfaction": _gaussian,
    "response_hours": _skewed,
    "backlog": _skewed,
    "sentiment": _gaussian,
    "tickets_90d": _tickets,
    "seats": _seats,
    "nps": _nps,
    "owner_changed": _flag(0.05),
    "discount": _flag(0.3),
    "escalated": _flag(0.02),
    "renewal_in_days": _renewal,
    "idle_days": _idle,
    "adoption": _share,
    "plan": _plan,
    "region": _region,
    "city": _city,
    "signed_up_on": _signed_up,
    "constant": _constant,
    "list_price": _calendar,
    "noise_a": _gaussian,
    "noise_b": _skewed,
}
_SILENT = {"noise_a", "noise_b", "city", "constant", "signed_up_on", "list_price"}
_FLAGS = {"owner_changed", "discount", "escalated", "plan", "region", "renewal_in_days"}


def _score(p: _Panel, drawn: dict[str, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Linear score of standardised signals, with a part nobody measures."""
    loud = [n for n in drawn if n not in _SILENT]
    steady = [n for n in loud if n not in _FLAGS]
    weights = dict.fromkeys(loud, 0.0)
    if p.setting.style == "one":
        weights[str(p.rng.choice(steady))] = 1.0
        for name in loud:
            weights[name] += p.rng.normal(0, 0.1)
    elif p.setting.style != "none":
        for name in loud:
            weights[name] = float(p.rng.normal(0, 1) * (p.rng.random() < 0.6))
    score = 0.2 * p.normal()
    for name, weight in weights.items():
        signal = drawn[name][1].astype(float)
        spread = signal.std()
        if name in _FLAGS and abs(weight) > 0:
            weight = np.sign(weight) * min(abs(weight), 1.0)  # noqa: PLW2901
            spread = max(spread, 0.4)  # a rare flag is not magnified
        score = score + weight * (signal - signal.mean()) / (spread or 1.0)
    return score / (score.std() or 1.0)


def _calibrated(score: np.ndarray, setting: Setting, panel: _Panel) -> np.ndarray:
    """Cumulated hazard over the horizon, scaled to the asked AUC and share of events."""
    first = score[panel.age[:, 0] > 0, 0]
    first = np.sort(first)[:: max(1, len(first) // 2000)]
    low, high = 0.0, 4.0
    for _ in range(25):
        middle = (low + high) / 2
        p = 1 - np.exp(-np.exp(middle * first + _level(first, middle, setting.event_share)))
        low, high = (middle, high) if _auc_of(p) < setting.auc else (low, middle)
    if setting.style == "none":
        low = 0.0
    return np.exp(low * score + _level(first, low, setting.event_share))


def _level(score: np.ndarray, scale: float, share: float) -> float:
    low, high = -40.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        mean = np.mean(1 - np.exp(-np.exp(middle + scale * score)))
        low, high = (middle, high) if mean < share else (low, middle)
    return low


def _auc_of(risk: np.ndarray) -> float:
    """AUC that the true risk has, expected over outcomes drawn from it."""
    p = np.sort(risk)
    stay, churn = 1 - p, p
    below = np.cumsum(stay) - 0.5 * stay
    return float(np.sum(churn * below) / (churn.sum() * stay.sum()))


def _with_gaps(
    rng: np.random.Generator, p: _Panel, value: np.ndarray, score: np.ndarray, setting: Setting
) -> np.ndarray:
    """Drop some values, in some columns more often where the risk is high."""
    if setting.gaps == 0 or rng.random() < 0.3 or value.dtype.kind == "M":
        return value
    share = np.clip(rng.beta(1.5, 1.5 / setting.gaps - 1.5), 0, 0.9)
    tilt = rng.choice([0.0, 0.0, rng.uniform(-1, 1)])
    odds = np.log(share / (1 - share) + 1e-9) + tilt * score
    gone = rng.random(p.shape) < 1 / (1 + np.exp(-odds))
    if value.dtype == object:
        return np.where(gone, None, value)
    return np.where(gone, np.nan, value)


def _fade(
    rng: np.random.Generator, features: dict[str, np.ndarray], p: _Panel, ends: np.ndarray
) -> None:
    """Usage fades in the weeks before the end: seen at the cut-off, so an honest sign."""
    window = rng.choice([30.0, 60.0, 90.0])
    depth = rng.uniform(0.2, 0.8)
    close = np.clip(1 - (ends[:, None] - p.day[None, :]) / window, 0, 1)
    features["usage_30d"] = np.round(features["usage_30d"] * np.exp(-depth * close))
    if "usage_trend" in features:
        features["usage_trend"] = features["usage_trend"] - depth * close


def split_world(
    rng: np.random.Generator, world: World, horizon_days: int = HORIZON_DAYS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Out of time with embargo where cut-offs allow, else by account."""
    rows = world.snapshots
    churned = rows["event"] & (rows["days_after"] <= horizon_days)
    rows = rows[churned | (rows["days_after"] >= horizon_days)]
    days = rows["cutoff_on"].drop_duplicates().sort_values()
    late = days[days >= days.iloc[0] + pd.Timedelta(days=horizon_days)]
    if len(late) and rng.random() < 0.8:
        border = late.iloc[len(late) // 2]
        before = rows["cutoff_on"] + pd.Timedelta(days=horizon_days) <= border
        return rows[before], rows[rows["cutoff_on"] >= border]
    accounts = rows["account_id"].drop_duplicates()
    chosen = accounts.sample(frac=0.7, random_state=int(rng.integers(2**31)))
    inside = rows["account_id"].isin(chosen)
    return rows[inside], rows[~inside]
