"""Leaks of every kind and strength, put into worlds that have none."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from leak_worlds import HORIZON_DAYS, Setting, World, draw_setting, make_world, split_world

HORIZON = pd.Timedelta(days=HORIZON_DAYS)


@dataclass(frozen=True)
class Case:
    """What the alarm gets to see, and what it has to say."""

    snapshots: pd.DataFrame
    train: pd.DataFrame
    test: pd.DataFrame
    stored: pd.DataFrame | None = None  # the snapshots as they stood earlier
    column: str = ""  # the column that leaks; "" where the split does
    kinds: tuple[str, ...] = ()  # any of these is a hit
    strength: str = ""
    horizon_days: int | None = HORIZON_DAYS


def column_case(rng: np.random.Generator, world: World, name: str, values, strength: str) -> Case:
    """Put a column into the world, and let it be split honestly."""
    snapshots = world.snapshots.assign(**{name: values})
    train, test = split_world(rng, replace(world, snapshots=snapshots))
    return Case(snapshots, train, test, column=name, strength=strength)


def status_flag(rng: np.random.Generator, world: World) -> Case:
    """Add a state that is set when the account has left."""
    hit, wrong = rng.choice([0.5, 0.8, 1.0]), rng.choice([0.0, 0.002, 0.01])
    gone = world.snapshots["event"].to_numpy()
    flag = np.where(gone, rng.random(len(gone)) < hit, rng.random(len(gone)) < wrong)
    values = np.where(flag, "closed", "active") if rng.random() < 0.5 else flag.astype(float)
    return column_case(rng, world, "status", values, f"set for {hit:.0%}, wrong for {wrong:.1%}")


def filled_afterwards(rng: np.random.Generator, world: World) -> Case:
    """Add a column that is filled in when the account leaves: reason, refund, last survey."""
    share, wrong = rng.choice([0.4, 0.7, 1.0]), rng.choice([0.0, 0.002])
    gone = world.snapshots["event"].to_numpy()
    account = world.hidden["account"].to_numpy()
    answers = rng.random(account.max() + 1)[account]
    filled = np.where(gone, answers < share, answers < wrong)
    if rng.random() < 0.5:
        reasons = np.array(["price", "product", "closed down"], dtype=object)
        values = np.where(filled, reasons[rng.integers(0, 3, len(gone))], None)
    else:
        values = np.where(filled, np.round(rng.exponential(100, len(gone)), 2), np.nan)
    return column_case(rng, world, "refund", values, f"filled for {share:.0%}, wrong {wrong:.1%}")


def _seen_until(world: World) -> np.ndarray:
    return np.minimum(world.hidden["ends_after"], world.hidden["follow"]).to_numpy(dtype=float)


def end_date(rng: np.random.Generator, world: World) -> Case:
    """Add the day of the end, as a number or a date, for all or for those that left."""
    gone, until = world.snapshots["event"].to_numpy(), _seen_until(world)
    days = until + rng.integers(0, rng.choice([1, 4, 31]), len(until))
    form = rng.choice(["days", "null", "far", "date", "age"])
    if form == "days":
        values = days
    elif form == "null":
        values = np.where(gone, days, np.nan)
    elif form == "far":
        values = np.where(gone, days, 9999.0)
    elif form == "age":
        values = days + world.hidden["age"]
    else:
        date = world.snapshots["cutoff_on"] + pd.to_timedelta(days, unit="D")
        values = date.where(gone | (rng.random() < 0.5)).to_numpy()
    return column_case(rng, world, "end_info", values, form)


def charges_to_end(rng: np.random.Generator, world: World) -> Case:
    """All that was ever charged: final tenure times price."""
    noise = rng.choice([0.0, 0.02, 0.05])
    tenure = (world.hidden["age"] + _seen_until(world)) / 30
    values = world.snapshots["mrr_minor"] * tenure * np.exp(rng.normal(0, noise, len(tenure)))
    honest = replace(world, snapshots=world.snapshots.drop(columns="total_paid"))
    return column_case(rng, honest, "charges", np.round(values), f"noise {noise:.0%}")


def logins_to_end(rng: np.random.Generator, world: World) -> Case:
    """Add a running total that goes on after the cut-off and stops with the account."""
    tenure = (world.hidden["age"] + _seen_until(world)) / 30
    values = rng.poisson(20 * world.hidden["level"] * tenure).astype(float)
    beside = rng.random() < 0.5
    rows = world.snapshots if beside else world.snapshots.drop(columns="logins_total")
    honest = replace(world, snapshots=rows)
    return column_case(rng, honest, "logins_ever", values, f"honest total beside: {beside}")


def window_after(rng: np.random.Generator, world: World) -> Case:
    """Use in the days after the cut-off, not before."""
    window = int(rng.choice([30, 90]))
    part = np.minimum(_seen_until(world), window) / window
    mean = 20 * world.hidden["level"] * np.exp(world.hidden["now"]) * part
    return column_case(rng, world, "usage_next", rng.poisson(mean) * 1.0, f"{window} days")


def idle_at_extraction(rng: np.random.Generator, world: World) -> Case:
    """Days since the last login, counted on the day of the extract."""
    idle = world.hidden["follow"] - _seen_until(world)
    values = np.floor(idle + rng.exponential(rng.choice([3.0, 10.0, 30.0]), len(idle)))
    return column_case(rng, world, "idle_now", values, "")


def too_good(rng: np.random.Generator, world: World) -> Case:
    """Add a score that was made with the outcome."""
    apart = rng.choice([2.5, 3.0, 4.0])
    rows = world.snapshots
    churned = (rows["event"] & (rows["days_after"] <= HORIZON_DAYS)).to_numpy()
    values = rng.normal(size=len(rows)) + apart * churned
    return column_case(rng, world, "health", values, f"{apart} standard deviations apart")


def from_the_start(rng: np.random.Generator, world: World) -> Case:
    """One row per account, seen from its start: a model of the whole tenure."""
    rows = world.snapshots[~world.snapshots["account_id"].duplicated()]
    rows = rows.drop(columns=["total_paid", "logins_total", "signed_up_on"], errors="ignore")
    start = rows["cutoff_on"] - pd.to_timedelta(rows["age_days"], unit="D")
    tenure = rows["age_days"] + rows["days_after"]
    rows = rows.assign(age_days=0, days_after=tenure, cutoff_on=start)
    inside = rng.random(len(rows)) < 0.7
    return Case(rows, rows[inside], rows[~inside], horizon_days=None)


def tenure_model(rng: np.random.Generator, world: World) -> Case:
    """Charges in a model of the whole tenure."""
    noise = rng.choice([0.0, 0.02, 0.05])
    case = from_the_start(rng, world)
    rows = case.snapshots
    charges = rows["mrr_minor"] * rows["days_after"] / 30 * np.exp(rng.normal(0, noise, len(rows)))
    rows = rows.assign(charges=charges)
    inside = rows.index.isin(case.train.index)
    return replace(
        case,
        snapshots=rows,
        train=rows[inside],
        test=rows[~inside],
        column="charges",
        strength=f"noise {noise:.0%}",
    )


def date_after(rng: np.random.Generator, world: World) -> Case:
    """Add the last activity, as a date of the extract."""
    share = rng.choice([0.05, 0.3, 1.0])
    days = np.where(
        rng.random(len(world.hidden)) < share,
        _seen_until(world) - rng.integers(0, 5, len(world.hidden)),
        -rng.integers(0, 60, len(world.hidden)),
    )
    date = world.snapshots["cutoff_on"] + pd.to_timedelta(days, unit="D")
    values = date.dt.strftime("%Y-%m-%d") if rng.random() < 0.3 else date
    return column_case(rng, world, "last_seen_on", values.to_numpy(), f"{share:.0%} of rows")


def rewritten(rng: np.random.Generator, world: World) -> Case:
    """Rewrite a column whose value at the same cut-off was another one then."""
    train, test = split_world(rng, world)
    share = rng.choice([0.02, 0.2, 1.0])
    name = str(rng.choice(["usage_30d", "logins_total", "total_paid"]))
    stored = world.snapshots.copy()
    later = rng.random(len(stored)) < share
    stored.loc[later, name] = np.floor(stored.loc[later, name] * rng.uniform(0.3, 0.9))
    kinds = ("changed after cut-off",)
    case = Case(world.snapshots, train, test, column=name, kinds=kinds, strength=f"{share:.0%}")
    return replace(case, stored=stored)


def _known(world: World) -> tuple[pd.DataFrame, np.ndarray]:
    rows = world.snapshots
    churned = rows["event"] & (rows["days_after"] <= HORIZON_DAYS)
    known = churned | (rows["days_after"] >= HORIZON_DAYS)
    return rows[known], churned[known].to_numpy()


def _halves(rng: np.random.Generator, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    inside = rng.random(len(rows)) < 0.7
    return rows[inside], rows[~inside]


SAME, TWIN = ("same account in both folds",), ("same row in both folds",)


def same_account(rng: np.random.Generator, world: World) -> Case:
    """Rows of one account, or the very same rows, on both sides."""
    share = rng.choice([0.02, 0.1, 0.3, 1.0])
    rows, _ = _known(world)
    if share == 1.0 and world.several:
        train, test = _halves(rng, rows)
    else:
        train, test = split_world(rng, world)
        again = test.sample(frac=min(share, 0.5), random_state=int(rng.integers(2**31)))
        train = pd.concat([train, again])
    return Case(world.snapshots, train, test, kinds=SAME, strength=f"{share:.0%}")


def other_name(rng: np.random.Generator, world: World) -> Case:
    """Rows of the training half again in the test half, under other ids."""
    share = rng.choice([0.02, 0.1, 0.3])
    train, test = split_world(rng, world)
    copies = train.sample(
        max(int(share * len(test)), 5), random_state=int(rng.integers(2**31)), replace=True
    )
    copies = copies.assign(account_id=[f"B{i:06d}" for i in range(len(copies))])
    copies = copies.assign(cutoff_on=test["cutoff_on"].iloc[0])
    test = pd.concat([test, copies])
    return Case(world.snapshots, train, test, kinds=TWIN, strength=f"{share:.0%}")


def no_embargo(rng: np.random.Generator, world: World) -> Case:
    """Make a split in time whose training outcomes reach into the test."""
    rows, _ = _known(world)
    days = np.sort(rows["cutoff_on"].unique())
    border = pd.Timestamp(days[len(days) // 2])
    if not world.several or len(days) < 2:
        border = pd.Timestamp(days[0]) + pd.Timedelta(days=30)
        moved = rng.random(len(rows)) < 0.5
        rows = rows.assign(cutoff_on=rows["cutoff_on"].where(~moved, border))
    else:
        rows = rows.assign(
            cutoff_on=border + (rows["cutoff_on"] - border) * rng.choice([0.25, 0.5, 0.9])
        )
    train, test = rows[rows["cutoff_on"] < border], rows[rows["cutoff_on"] >= border]
    return Case(rows, train, test, kinds=("no embargo",))


RESAMPLED = ("repeated rows", "interpolated rows", "share of churn", "fractions")


def _where(rng: np.random.Generator, world: World, change: Callable) -> tuple:
    """Resample before the split (all rows) or after it (the training half)."""
    train, test = split_world(rng, world)
    churned = (train["event"] & (train["days_after"] <= HORIZON_DAYS)).to_numpy()
    if rng.random() < 0.5 and churned.sum() >= 5:
        return world.snapshots, change(train, churned), test, "training half"
    rows, churned = _known(world)
    train, test = _halves(rng, change(rows, churned))
    return world.snapshots, train, test, "before the split"


def oversampled(rng: np.random.Generator, world: World) -> Case:
    """Churned rows drawn again and again."""
    target = rng.choice([1.5, 3.0, np.inf])
    renamed = rng.random() < 0.5

    def change(rows: pd.DataFrame, churned: np.ndarray) -> pd.DataFrame:
        events = rows[churned]
        wanted = (
            min(int(target * len(events)), (~churned).sum()) if target < 9 else (~churned).sum()
        )
        more = max(wanted - len(events), 3)
        extra = events.sample(more, replace=True, random_state=int(rng.integers(2**31)))
        if renamed:
            extra = extra.assign(account_id=[f"S{i:06d}" for i in range(len(extra))])
        return pd.concat([rows, extra])

    snapshots, train, test, where = _where(rng, world, change)
    return Case(
        snapshots, train, test, kinds=(*RESAMPLED, *SAME, *TWIN), strength=f"x{target} {where}"
    )


def interpolated(rng: np.random.Generator, world: World) -> Case:
    """SMOTE: new churned rows on the lines between neighbours."""
    target = rng.choice([2.0, np.inf])
    rounded = rng.random() < 0.3

    def change(rows: pd.DataFrame, churned: np.ndarray) -> pd.DataFrame:
        numeric = [
            c for c in rows if c not in ("days_after", "event") and rows[c].dtype.kind in "fi"
        ]
        rows = rows.assign(**{c: rows[c].fillna(rows[c].median()).fillna(0) for c in numeric})
        events = rows[churned]
        wanted = (~churned).sum() if target > 9 else min(2 * len(events), (~churned).sum())
        more = max(wanted - len(events), 3)
        points = events[numeric].to_numpy(dtype=float)
        spread = points.std(axis=0)
        scaled = points / np.where(spread > 0, spread, 1)
        base = rng.integers(0, len(points), more)
        nearest = np.empty(more, dtype=int)
        for i, b in enumerate(base):
            far = ((scaled - scaled[b]) ** 2).sum(axis=1)
            far[b] = np.inf
            k = min(5, len(points) - 1)
            nearest[i] = rng.choice(np.argpartition(far, k - 1)[:k]) if k else b
        part = rng.random((more, 1))
        made = points[base] + part * (points[nearest] - points[base])
        extra = events.iloc[base].assign(account_id=[f"S{i:06d}" for i in range(more)])
        extra = extra.astype(dict.fromkeys(numeric, float))
        extra[numeric] = made
        if rounded:
            whole = [c for c in numeric if (points[:, numeric.index(c)] % 1 == 0).all()]
            extra[whole] = extra[whole].round()
        return pd.concat([rows, extra])

    snapshots, train, test, where = _where(rng, world, change)
    how = "whole numbers rounded" if rounded else "as made"
    return Case(snapshots, train, test, kinds=RESAMPLED, strength=f"x{target} {where}, {how}")


def thinned(rng: np.random.Generator, world: World) -> Case:
    """Most of those that stayed are dropped from the training half."""
    train, test = split_world(rng, world)
    churned = (train["event"] & (train["days_after"] <= HORIZON_DAYS)).to_numpy()
    keep = rng.choice([0.1, 0.3, 0.5])
    train = train[churned | (rng.random(len(train)) < keep)]
    return Case(world.snapshots, train, test, kinds=RESAMPLED, strength=f"{keep:.0%} kept")


LEAKS: dict[str, Callable[[np.random.Generator, World], Case]] = {
    f.__name__: f
    for f in (
        *(status_flag, filled_afterwards, end_date, charges_to_end, logins_to_end, window_after),
        *(idle_at_extraction, too_good, tenure_model, date_after, rewritten, same_account),
        *(other_name, no_embargo, oversampled, interpolated, thinned),
    )
}


def leaking(seed: int) -> tuple[str, Setting, World, Case]:
    """Draw a world and the leak whose turn it is."""
    rng = np.random.default_rng([seed, 1])
    name = list(LEAKS)[seed % len(LEAKS)]
    setting = draw_setting(rng)
    world = make_world(rng, setting)
    while world.events < 5:
        world = make_world(rng, setting)
    return name, setting, world, LEAKS[name](rng, world)


def clean(seed: int) -> tuple[Setting, World, Case]:
    """Draw a world and split it honestly; some without signal, some as a model of tenure."""
    rng = np.random.default_rng([seed, 2])
    setting = draw_setting(rng)
    if seed % 6 == 0:
        setting = replace(setting, style="none")
    world = make_world(rng, setting)
    if seed % 6 == 1:
        return setting, world, from_the_start(rng, world)
    train, test = split_world(rng, world)
    rows = world.snapshots  # stored a month before: outcomes were known less far
    then = np.where(rows["event"], rows["days_after"], np.maximum(rows["days_after"] - 30, 0))
    return setting, world, Case(rows, train, test, stored=rows.assign(days_after=then))
