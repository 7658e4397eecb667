"""Occurrence/exposure rates against the textbook, scipy and a count of single days."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from csa.errors import InputError
from csa.methods.lifetable import tabulate
from csa.methods.rates import exposure_by_band, poisson_rate

ROWS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 40), st.booleans()), min_size=1, max_size=40
)


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [(0, 0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)],
)
def test_poisson_limits_match_garwood_1936(events, low, high):
    """Garwood (1936), Biometrika 28, 437-442: 95 % limits of a Poisson expectation, 3 decimals."""
    found = poisson_rate(events, 1)
    assert [found.low, found.high] == pytest.approx([low, high], abs=6e-4)


@pytest.mark.parametrize("events", [1, 3, 40, 5000])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_poisson_limits_are_chi_square_quantiles(events, confidence):
    found = poisson_rate(events, 7.5, confidence=confidence)
    tail = (1 - confidence) / 2
    assert found.value == pytest.approx(events / 7.5)
    assert found.low == pytest.approx(chi2.ppf(tail, 2 * events) / 2 / 7.5)
    assert found.high == pytest.approx(chi2.ppf(1 - tail, 2 * events + 2) / 2 / 7.5)


def test_no_time_at_risk_is_unknown():
    assert np.isnan(poisson_rate([0, 2], [0, 0])).all()


def test_impossible_counts_are_refused():
    for events, exposure in ((-1, 1), (1, -1)):
        with pytest.raises(InputError, match="is negative"):
            poisson_rate(events, exposure)
    with pytest.raises(InputError, match="confidence: 95 is not between 0 and 1"):
        poisson_rate(1, 1, confidence=95)


@settings(deadline=None)
@given(ROWS, st.integers(1, 30))
def test_exposure_equals_a_count_of_single_days(rows, width):
    """A spell is at risk on day k where entry < k <= exit: one account-day each."""
    entry = np.array([e for e, _, _ in rows])
    end = entry + np.array([d for _, d, _ in rows])
    event = np.array([x for _, _, x in rows])
    edges = width * np.arange(end.max() // width + 2)
    found = exposure_by_band(tabulate(end, event, entry=entry), edges)
    days = np.arange(1, edges[-1] + 1)
    at_risk = ((entry < days[:, None]) & (days[:, None] <= end)).sum(axis=1)
    band = (days - 1) // width
    assert found.time == pytest.approx(np.bincount(band, at_risk))
    assert (
        found.events.tolist()
        == np.bincount((end[event] - 1) // width, minlength=len(edges) - 1).tolist()
    )
    assert found.at_risk.tolist() == at_risk[::width].tolist()


def test_limits_with_delayed_entry_cover_the_true_hazard():
    """Hazard 0.002 a day to day 90, then 0.001; 500 samples of 600, two in five seen late."""
    rng, held = np.random.default_rng(2), np.zeros(3)
    truth = np.array([0.002, 0.001, 0.001])
    for _ in range(500):
        first, then = rng.exponential(500, 600), 90 + rng.exponential(1000, 600)
        life, cut = np.where(first < 90, first, then), rng.uniform(0, 400, 600)
        entry = np.where(rng.random(600) < 0.4, rng.uniform(0, 200, 600), 0)
        end = np.minimum(life, cut)
        seen = end > entry
        table = tabulate(end[seen], (life <= cut)[seen], entry=entry[seen])
        found = exposure_by_band(table, [0, 90, 180, 270])
        rate = poisson_rate(found.events, found.time)
        held += (rate.low <= truth) & (truth <= rate.high)
    assert ((held / 500 >= 0.935) & (held / 500 <= 0.99)).all()  # Garwood's are a little wide


def test_an_event_on_day_0_counts_in_the_first_band_only():
    table = tabulate([0, 0, 4], [True, False, True])
    found = exposure_by_band(table, [0, 3, 6])
    assert found.events.tolist() == [1, 1]
    assert found.time.tolist() == [3, 1]
    assert exposure_by_band(table, [3, 6]).events.tolist() == [1]


def test_ages_before_a_table_starts_are_no_time_at_risk():
    table = tabulate([5, 12, 20], [True, True, False]).between(10)
    found = exposure_by_band(table, [0, 10, 15, 30])
    assert found.time.tolist() == [0, 7, 5]
    assert found.events.tolist() == [0, 1, 0]


def test_nobody_has_no_time_at_risk():
    found = exposure_by_band(tabulate([], []), [0, 30])
    assert (found.time.tolist(), found.events.tolist()) == ([0], [0])


@pytest.mark.parametrize("edges", [[], [0], [0, 0], [5, 3]])
def test_bands_must_increase(edges):
    with pytest.raises(InputError, match="in increasing order"):
        exposure_by_band(tabulate([1], [True]), edges)
