"""The age at which accounts are most likely to leave."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, binomtest, chi2

from csa.analysis.churn.hazard_rates import hazard_by_age
from csa.analysis.churn.riskiest_age import riskiest_age


def spells(exits, events, group="a", entry=0):
    rows = {"exit_days": np.asarray(exits, dtype=int), "event": np.asarray(events, dtype=bool)}
    return pd.DataFrame({"group": group, "entry_days": entry} | rows)


def constant(n=2000, seed=1, daily=0.001, until=900):
    days = np.ceil(np.random.default_rng(seed).exponential(1 / daily, n))
    return spells(np.minimum(days, until), days <= until)


def with_peak(age, every=12, **options):
    """One account in twelve of those that reach an age leaves on that day."""
    rows = constant(**options)
    leaves = (np.arange(len(rows)) % every == 0) & (rows["exit_days"] > age)
    return rows.assign(
        exit_days=rows["exit_days"].where(~leaves, age), event=rows["event"] | leaves
    )


def phases(found):
    return found.table.set_index("phase")


@pytest.mark.parametrize(
    ("age", "band", "year"), [(15, 0, False), (200, 180, False), (365, 360, True), (730, 720, True)]
)
def test_a_peak_is_found_where_it_was_put(age, band, year):
    found = riskiest_age(hazard_by_age(with_peak(age)))
    assert phases(found).loc["peak", "from_days"] == band
    assert (found.peak_p < 0.001, found.ends_a_year) == (True, year)


def test_tails_are_those_of_the_binomial_distribution():
    rates = hazard_by_age(with_peak(365))
    found = riskiest_age(rates)
    rows = rates.table
    later = rows.loc[rows["from_days"] >= 360]
    peak, total = later.iloc[0], int(later["events"].sum())
    share = peak["exposure_days"] / later["exposure_days"].sum()
    tail = binom.sf(peak["events"] - 1, total, share)
    assert found.peak_p == pytest.approx(min(1, len(rows) * tail), rel=1e-6)
    young, old = phases(found).loc["first year"], phases(found).loc["later"]
    part = young["exposure_days"] / (young["exposure_days"] + old["exposure_days"])
    both = int(young["events"] + old["events"])
    few = binomtest(int(young["events"]), both, part, alternative="less").pvalue
    many = binomtest(int(young["events"]), both, part, alternative="greater").pvalue
    assert found.year_p == pytest.approx(min(1, 2 * min(few, many)), rel=1e-6)


def test_chances_come_from_events_over_time_at_risk():
    found = phases(riskiest_age(hazard_by_age(with_peak(365))))
    assert found.loc[["peak", "others"], "events"].sum() == found.iloc[2:]["events"].sum()
    row = found.loc["others"]
    rate = row["events"] / row["exposure_days"] * 30
    assert row["chance"] == pytest.approx(1 - np.exp(-rate))
    low = chi2.ppf(0.025, 2 * row["events"]) / 2 / row["exposure_days"] * 30
    assert row["ci_low"] == pytest.approx(1 - np.exp(-low))


def test_a_risk_that_falls_with_age_is_no_peak():
    """A high first year is told by `year_p`; none of its months stands out among the others."""
    young = constant(3000, seed=3, daily=0.003, until=360)
    stayed = ~young["event"].to_numpy()
    more = constant(3000, seed=4, daily=0.0005)
    rows = young.assign(
        exit_days=np.where(stayed, 360 + more["exit_days"], young["exit_days"]),
        event=np.where(stayed, more["event"], young["event"]),
    )
    found = riskiest_age(hazard_by_age(rows))
    assert found.peak_p > 0.05
    assert found.year_p < 0.001


@pytest.mark.slow
def test_peaks_of_chance_are_rarer_than_the_level():
    """Constant risk, forty times: 5 in 100 at most may look like a peak."""
    found = [
        riskiest_age(hazard_by_age(constant(400, seed=seed))).peak_p < 0.05 for seed in range(40)
    ]
    assert sum(found) <= 5  # binomial with 0.05: 98.6 % of the time


def test_late_entry_counts_from_then_on():
    late = with_peak(365).assign(entry_days=200)
    found = riskiest_age(hazard_by_age(late.query("exit_days > 200")))
    assert phases(found).loc["first year", "from_days"] == 180
    assert phases(found).loc["peak", "from_days"] == 360


def test_a_group_may_be_looked_at_alone():
    both = pd.concat([with_peak(365), constant().assign(group="b")])
    rates = hazard_by_age(both)
    assert riskiest_age(rates, group="a").peak_p < 0.001
    assert riskiest_age(rates, group="b").peak_p > 0.05


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (constant(0), "nobody churned"),
        (constant(1), "nobody churned"),
        (constant(200).assign(event=False), "nobody churned"),
        (constant(12, daily=0.01), "only "),
        (spells([20] * 40, [True] * 40), "too few ages were seen"),
    ],
)
def test_too_little_is_unclear(rows, reason):
    found = riskiest_age(hazard_by_age(rows))
    assert found.status == "unclear"
    assert found.reason.startswith(reason)
    assert found.table.empty
    assert np.isnan(found.peak_p)


def test_ages_all_within_the_first_year_have_no_later():
    found = riskiest_age(hazard_by_age(constant(until=300)))
    assert found.year_p == 1
    assert phases(found).loc["later", "at_risk"] == 0
    assert np.isnan(phases(found).loc["later", "chance"])


def test_wide_bands_do_not_end_a_year():
    assert not riskiest_age(hazard_by_age(with_peak(365), width_days=182)).ends_a_year


def test_the_result_of_the_rates_is_left_as_it_was():
    rates = hazard_by_age(with_peak(365))
    before = rates.table.copy()
    riskiest_age(rates)
    pd.testing.assert_frame_equal(rates.table, before)
