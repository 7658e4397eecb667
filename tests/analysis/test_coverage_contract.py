"""Does the value under contract cover what is true of many sample companies? Minutes by design."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from csa.analysis.clv.contract import contract_value
from csa.analysis.clv.contract_terms import ContractTerms
from csa.analysis.clv.economics_back import realised_against_predicted

Maker = pytest.importorskip("companies", reason="draws of the sample company").Maker
TERMS = ContractTerms(margin=0.8, cohort="year")
COMPANIES, ACCOUNTS, FIRST_SEED = 60, 2000, 4000
CUT = date(2025, 10, 31)
DAYS = {12: "365", 24: "730"}  # months of age; days of the truth


@pytest.mark.soak
def test_survival_and_outcomes_cover_the_sample_companies():
    """Survival at one and two years against the stated law; margin of a year against what came."""
    maker = Maker(ACCOUNTS)
    with maker.folder:
        table = pd.DataFrame(list(_figures(maker)), columns=["what", "group", "covered", "error"])
        maker.con.close()
    summary = table.groupby(["what", "group"]).agg(
        covered=("covered", "mean"), bias=("error", "mean"), spread=("error", "std")
    )
    assert summary.loc["survival", "covered"].min() >= 0.88, summary.to_string()
    assert summary.loc["year ahead", "covered"].min() >= 0.88, summary.to_string()
    assert summary["bias"].abs().max() <= 0.05, summary.to_string()


def _figures(maker):
    """Say what, of which group, is covered or not, and by how much it is off."""
    for seed in range(FIRST_SEED, FIRST_SEED + COMPANIES):
        made = maker.company(seed)
        value = contract_value(
            made.spells, made.months, terms=TERMS, rng=np.random.default_rng(seed)
        )
        rows = value.curves.set_index(["group", "age_months"])
        for name, law in made.survival.items():
            for months, days in DAYS.items():
                row, truth = rows.loc[(name, months)], law["survival"][days]
                inside = row["ci_low"] <= truth <= row["ci_high"]
                yield "survival", name, inside, row["survival"] / truth - 1
        back = realised_against_predicted(
            made.spells, made.months, cut=CUT, terms=TERMS, rng=np.random.default_rng(seed)
        )
        for row in back.table.itertuples():
            yield "year ahead", row.group, row.covered, row.error
