"""Whether 95 % intervals of the value under contract hold what is true. Minutes by design.

Two kinds of worlds. Companies drawn from known laws of leaving and of growth: the expected value
of their customers is known exactly. Sample companies: survival is that of truth.json, and the
margin of a year is held against what came. `make soak` leaves the record in
benchmarks/studies.json.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from clv_company import Law, company
from companies import Maker

from benchmarks.studies import Study, keep_study
from csa.analysis.clv.contract import contract_value
from csa.analysis.clv.contract_terms import ContractTerms
from csa.analysis.clv.economics_back import realised_against_predicted

TERMS = ContractTerms(margin=0.8, cohort="year")
WORLDS, FIRST_WORLD = 240, 100
COMPANIES, ACCOUNTS, FIRST_SEED = 60, 2000, 4000
CUT = date(2025, 10, 31)
DAYS = {12: "365", 24: "730"}  # months of age; days of the truth
SHOCK = 0.03  # standard deviation of an account's relative change in a month


def laws_of(rng):
    """Draw the laws of a company of two groups: growth of either kind, or none."""
    way = ("share", "amount", "none")[rng.integers(3)]
    growth = 0.0 if way == "none" else float(rng.uniform(0, 0.015))
    kind = {"way": "share" if way == "none" else way, "growth": growth, "shock": SHOCK}
    return way, {
        "large": Law(hazard=0.015, price=90_000, **kind),
        "small": Law(hazard=0.04, price=8_000, **kind),
    }


def known_worlds(seeds, *, n=300, horizon=24):
    """Say of the value of all and of each group whether its limits hold the truth."""
    terms = ContractTerms(margin=0.8, cohort="year", horizon_months=horizon)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        way, laws = laws_of(rng)
        made = company(laws, n=n, seed=seed)
        found = contract_value(made.spells, made.months, terms=terms, rng=rng)
        rows = found.table.set_index("group")
        for name, truth in _truth(found, laws, horizon=horizon, discount=0.10).items():
            row = rows.loc[name]
            covered = row["ci_low"] <= truth <= row["ci_high"]
            yield f"value, {name}", way, covered, row["value_minor"] / truth - 1
        back = realised_against_predicted(
            made.spells, made.months, cut=CUT, terms=terms, rng=np.random.default_rng(seed)
        )
        for row in back.table.itertuples():
            yield f"year ahead, {row.group}", way, row.covered, row.error


def _truth(found, laws, *, horizon, discount):
    """Value of the accounts there are under the laws they were drawn from."""
    totals = {}
    for name, law in laws.items():
        rows = found.cells[found.cells["group"] == name]
        factor = [
            law.factor(a + 0.5, horizon=horizon, discount=discount) for a in rows["age_months"]
        ]
        totals[name] = 0.8 * float(rows["mrr_minor"].to_numpy() @ np.array(factor))
    return totals | {"all": sum(totals.values())}


def sample_companies(seeds):
    """Say what, of which group, is covered or not, and by how much it is off."""
    with Maker(ACCOUNTS) as maker:
        for seed in seeds:
            made = maker.company(seed)
            value = contract_value(
                made.spells, made.months, terms=TERMS, rng=np.random.default_rng(seed)
            )
            rows = value.curves.set_index(["group", "age_months"])
            for name, law in made.survival.items():
                for months, days in DAYS.items():
                    row, truth = rows.loc[(name, months)], law["survival"][days]
                    inside = row["ci_low"] <= truth <= row["ci_high"]
                    of = f"survival of {months} months, {name}"
                    yield of, "", inside, row["survival"] / truth - 1
            back = realised_against_predicted(
                made.spells, made.months, cut=CUT, terms=TERMS, rng=np.random.default_rng(seed)
            )
            for row in back.table.itertuples():
                yield f"year ahead, {row.group}", "", row.covered, row.error


def study_of(rows, *, name, what, size, seed):
    """Record the share of intervals that hold, and how far figures are off on average."""
    table = pd.DataFrame(rows, columns=["what", "way", "covered", "error"])
    shares = table.groupby("what")["covered"].mean()
    ways = table[table["way"] != ""].groupby("way")["covered"].mean()
    bias = table.groupby("what")["error"].mean()
    whole = float(table["covered"].mean())
    worst = bias.abs().idxmax()
    study = Study(
        name=name,
        what=what,
        size=size,
        result=f"{whole:.1%} hold the truth; most off on average: {worst} {bias[worst]:+.1%}",
        goal="93 to 97 %, all readings together",
        holds=0.93 <= whole <= 0.97,
        seed=seed,
        figures={key: round(float(x), 3) for key, x in pd.concat([shares, ways]).items()},
    )
    return study, bias


@pytest.mark.slow
def test_limits_hold_the_value_of_ten_companies_of_known_laws():
    """Loose, as 60 readings are: 95 % of them hold, give or take three standard errors."""
    covered = [held for _, _, held, _ in known_worlds(range(10))]
    assert len(covered) == 60
    assert np.mean(covered) >= 0.86


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_limits_hold_the_value_of_companies_of_known_laws():
    study, bias = study_of(
        known_worlds(range(FIRST_WORLD, FIRST_WORLD + WORLDS)),
        name="coverage of value under contract, known laws",
        what="95 % intervals of the expected value of 24 months, and limits of the margin of a "
        "year against what came; growth by share, by amount, or none",
        size=f"{WORLDS} companies of two groups of 300 accounts",
        seed=FIRST_WORLD,
    )
    keep_study(study)
    assert min(study.figures.values()) >= 0.88, study.figures
    assert bias.abs().max() <= 0.05, bias.to_string()


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_survival_and_outcomes_cover_the_sample_companies():
    study, bias = study_of(
        sample_companies(range(FIRST_SEED, FIRST_SEED + COMPANIES)),
        name="coverage of value under contract, sample companies",
        what="95 % intervals of survival by group against truth.json, and limits of the margin of "
        "a year against what came",
        size=f"{COMPANIES} companies of {ACCOUNTS:,} accounts",
        seed=FIRST_SEED,
    )
    keep_study(study)
    assert min(study.figures.values()) >= 0.85, study.figures
    assert bias.abs().max() <= 0.05, bias.to_string()
