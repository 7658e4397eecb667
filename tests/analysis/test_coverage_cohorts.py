"""Whether intervals of cohorts hold the truth: worlds whose retention is known."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln

from benchmarks.studies import Study, keep_study
from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.counted import Basis
from csa.analysis.cohorts.retention import CohortRetention, pooled
from csa.analysis.cohorts.revenue import revenue_retention
from csa.analysis.cohorts.trend import age_trend

AGES = (1, 3, 12)
LEAVES = (1.2, 20.0)  # beta: who leaves in a month differs from account to account
GROWTH = (0.05, 0.25)  # log-normal: what those who stay pay by age 12, over the first
END = date(2026, 10, 31)
LAST = 2026 * 12 + 9

pytestmark = pytest.mark.soak


def staying(age):
    """Share of accounts active at an age: beta-geometric survival."""
    a, b = LEAVES
    return float(np.exp(betaln(a, b + age) - betaln(a, b)))


def lifetimes(rng, size):
    return rng.geometric(np.maximum(rng.beta(*LEAVES, size), 1e-9))


def worlds(many, cohorts, accounts, rng):
    """Make counts of many worlds, a world per group: cohorts of random size."""
    sizes = rng.poisson(accounts, (many, cohorts))
    world, cohort = (np.repeat(x, sizes.ravel()) for x in _places(many, cohorts))
    last = lifetimes(rng, len(world))
    key = world * cohorts + cohort
    parts = []
    for age in AGES:
        stay = np.bincount(key, weights=last > age, minlength=many * cohorts)
        places = _places(many, cohorts)
        parts.append(
            pd.DataFrame(
                {
                    "group": places[0],
                    "cohort": places[1],
                    "age": age,
                    "n": sizes.ravel(),
                    "returned": stay.astype(int),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    return table.assign(complete=table["cohort"] + table["age"] < cohorts)


def _places(many, cohorts):
    return np.repeat(np.arange(many), cohorts), np.tile(np.arange(cohorts), many)


def test_pooled_retention_holds_the_truth():
    """4,000 worlds of each size; the share that all accounts of such a company would have."""
    figures = {}
    for cohorts, accounts in ((15, 8), (24, 30), (48, 100)):
        rng = np.random.default_rng(11)
        table = pooled(worlds(4000, cohorts, accounts, rng))
        truth = table["age"].map({age: staying(age) for age in AGES})
        held = (table["ci_low"] <= truth) & (truth <= table["ci_high"])
        for age in AGES:
            share = float(held.loc[table["age"] == age].mean())
            figures[f"{cohorts} cohorts of {accounts}, age {age}"] = round(share, 4)
    low, high = min(figures.values()), max(figures.values())
    keep_study(
        Study(
            name="cohorts: coverage of pooled retention",
            what="95 % Wilson intervals of pooled retention hold the share of the world",
            size="4,000 worlds of 15, 24 and 48 cohorts, ages 1, 3 and 12",
            result=f"{low:.1%} to {high:.1%}",
            goal="93 to 97 %",
            holds=low >= 0.93 and high <= 0.97,
            seed=11,
            figures=figures,
        )
    )
    assert low >= 0.93
    assert high <= 0.97


def revenue_world(rng, cohorts=16, accounts=30):
    """Months of one company: log-normal prices, growth of those who stay by age 12."""
    sizes = rng.poisson(accounts, cohorts)
    first = np.repeat(LAST - np.arange(cohorts), sizes)
    n = len(first)
    start = 100 * rng.lognormal(5, 1.0, n)
    later = start * rng.lognormal(*GROWTH, n)
    last = lifetimes(rng, n)
    ids = np.arange(n).astype(str)
    zero = pd.DataFrame({"account_id": ids, "month": first, "mrr_minor": start.round()})
    twelve = (last > 12) & (first + 12 <= LAST)
    then = pd.DataFrame({"account_id": ids, "month": first + 12, "mrr_minor": later.round()}).loc[
        twelve
    ]
    return pd.concat([zero, then], ignore_index=True).astype({"mrr_minor": "int64"})


def test_revenue_retention_of_cohorts_holds_the_truth():
    """400 worlds: net and gross of all cohorts at age 12, prices log-normal with spread 1."""
    grown = np.random.default_rng(1).lognormal(*GROWTH, 2_000_000)
    truth = {"net": staying(12) * grown.mean(), "gross": staying(12) * np.minimum(grown, 1).mean()}
    rng = np.random.default_rng(12)
    held = dict.fromkeys(truth, 0)
    many = 400
    for _ in range(many):
        found = revenue_retention(revenue_world(rng), as_of=END, replicates=500).pooled
        row = found.loc[found["age"] == 12].iloc[0]
        for rate, share in truth.items():
            held[rate] += row[f"{rate}_low"] <= share <= row[f"{rate}_high"]
    figures = {rate: round(count / many, 4) for rate, count in held.items()}
    holds = all(0.92 <= share <= 0.98 for share in figures.values())
    keep_study(
        Study(
            name="cohorts: coverage of revenue retention",
            what="95 % intervals of net and gross retention at age 12 hold that of the world",
            size=f"{many} worlds of 16 cohorts of 30 accounts, four of them complete",
            result=", ".join(f"{rate} {share:.1%}" for rate, share in figures.items()),
            goal="92 to 98 % (95 ± 2 standard errors of so many worlds)",
            holds=holds,
            seed=12,
            figures=figures,
        )
    )
    assert holds


def test_newer_cohorts_are_seldom_called_different_where_they_are_not():
    """1,000 worlds of 15 cohorts of 80, whose shares scatter by 0, 5 and 10 points."""
    rng, figures = np.random.default_rng(13), {}
    days = pd.date_range("2025-01-01", periods=15, freq="MS")
    shown = {"group": "all", "cohort": days, "age": 3, "state": "complete", "small": False}
    for scatter in (0.0, 0.05, 0.1):
        called = 0
        for _ in range(1000):
            n = rng.poisson(80, len(days))
            shares = np.clip(rng.normal(0.6, scatter, len(days)), 0.05, 0.95)
            cells = pd.DataFrame({**shown, "n": n, "returned": rng.binomial(n, shares)})
            found = CohortRetention(
                cells=cells,
                pooled=cells,
                basis=Basis(),
                clock=Clock(),
                returned="bounded",
                as_of=END,
            )
            called += age_trend(found, age=3).verdict != "unclear"
        figures[f"scatter {scatter:.0%}"] = called / 1000
    low, high = min(figures.values()), max(figures.values())
    keep_study(
        Study(
            name="cohorts: newer against older without a difference",
            what="newest three of 15 cohorts called better or worse than the others",
            size="1,000 worlds of 15 cohorts of 80, each for three kinds of scatter",
            result=f"{low:.1%} to {high:.1%}",
            goal="3 to 7 %",
            holds=low >= 0.03 and high <= 0.07,
            seed=13,
            figures=figures,
        )
    )
    assert low >= 0.03
    assert high <= 0.07
