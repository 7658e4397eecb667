"""What later years are foretold from few, decided before they are looked at."""

import numpy as np
import pytest
from scipy.special import betaln, expit

from csa.errors import InputError
from csa.methods.retention.averaging import (
    average_curves,
    past_weights,
    weighted_survival,
)
from csa.methods.retention.bdw import fit_bdw
from csa.methods.retention.counts import RetentionCounts, from_survivors, retention_counts
from csa.methods.retention.curves import STEEPEST
from csa.methods.retention.sbg import fit_sbg

# Fader and Hardie (2007), percent of 1,000 customers, years 0 to 12
SEGMENTS = {
    "high end": [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4],
    "regular": [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3],
}
LATER = np.arange(8, 13)


def history(name, years):
    return from_survivors([10 * x for x in SEGMENTS[name][: years + 1]])


def missed(name, survival):
    """Mean absolute error of years 8 to 12, percent of what came."""
    actual = np.array(SEGMENTS[name][8:]) / 100
    return 100 * float(np.abs(survival / actual - 1).mean())


@pytest.mark.parametrize("name", SEGMENTS)
def test_average_over_c_foretells_years_8_to_12_from_4_within_3_percent(name):
    """Uniform prior on mean churn, polarisation and log c; sBG alone misses by 17.4 and 6.8 %."""
    found = average_curves(history(name, 4), np.random.default_rng(1), draws=4000)
    assert missed(name, found.survival(LATER).value) <= 3.0
    limits = found.survival(LATER)
    actual = np.array(SEGMENTS[name][8:]) / 100
    assert ((limits.low < actual) & (actual < limits.high)).all()


@pytest.mark.parametrize("years", [4, pytest.param(7, marks=pytest.mark.slow)])
def test_past_weights_over_both_segments_foretell_within_3_percent(years):
    """The two models weighed by how they foretold the years within the history."""
    weights = past_weights([history(name, years) for name in SEGMENTS])
    assert weights.bdw > 0.95
    for name in SEGMENTS:
        rows = history(name, years)
        survival = weighted_survival(weights, fit_sbg(rows), fit_bdw(rows), LATER)
        assert missed(name, survival) <= 3.0


@pytest.mark.slow
def test_snapshot_rules_that_do_not_reach_3_percent():
    """Akaike weights by segment, from 4 years: 5.0 and 5.1 %; the sBG alone 17.4 and 6.8 %."""
    found = {}
    for name in SEGMENTS:
        rows = history(name, 4)
        sbg, bdw = fit_sbg(rows), fit_bdw(rows)
        weight = expit((sbg.aic - bdw.aic) / 2)
        mixed = weight * bdw.survival(LATER) + (1 - weight) * sbg.survival(LATER)
        found[name] = [missed(name, s) for s in (mixed, sbg.survival(LATER), bdw.survival(LATER))]
    assert found["high end"] == pytest.approx([4.98, 17.43, 1.86], abs=0.01)
    assert found["regular"] == pytest.approx([5.12, 6.75, 1.40], abs=0.01)


@pytest.mark.slow
def test_average_equals_the_integral_on_a_grid():
    """Posterior mean by brute force over 60 x 60 x 41 points."""
    counts = retention_counts(
        [1, 2, 3, 4, 5], at_risk=[300, 240, 200, 175, 155], lost=[60, 40, 25, 20, 12]
    )
    mean, alike = (expit(np.linspace(-6, 6, 60)) for _ in range(2))
    log_c = STEEPEST * (2 * (np.arange(41) + 0.5) / 41 - 1)
    m, k, lc = np.meshgrid(mean, alike, log_c, indexing="ij")
    a, b = m * (1 / k - 1), (1 - m) * (1 / k - 1)

    def survival(t):
        return np.exp(betaln(a, b + t ** np.exp(lc)) - betaln(a, b))

    log_weight = np.log(m * (1 - m) * k * (1 - k))  # of the logit scale
    for t, n, lost in zip(counts.period, counts.at_risk, counts.lost, strict=True):
        stays = survival(t) / np.maximum(survival(t - 1), 1e-300)
        stays = np.clip(stays, 1e-12, 1 - 1e-12)
        log_weight = log_weight + lost * np.log(1 - stays) + (n - lost) * np.log(stays)
    weight = np.exp(log_weight - log_weight.max())
    exact = [float((weight * survival(t)).sum() / weight.sum()) for t in (6, 12, 24)]
    found = average_curves(counts, np.random.default_rng(5), draws=8000)
    assert found.survival([6, 12, 24]).value == pytest.approx(exact, rel=0.02)


def test_average_without_any_loss_stays_high_and_wide():
    found = average_curves(from_survivors([50, 50, 50]), np.random.default_rng(1))
    ends = found.survival([5])
    assert ends.value[0] > 0.9
    assert ends.low[0] < 0.95 < ends.high[0] <= 1
    assert found.status == "ok"


def test_average_of_nothing_is_the_prior():
    none = RetentionCounts(period=np.zeros(0), at_risk=np.zeros(0), lost=np.zeros(0))
    found = average_curves(none, np.random.default_rng(1), draws=4000)
    assert found.survival([1]).value[0] == pytest.approx(0.5, abs=0.02)
    assert found.log_evidence == pytest.approx(0.0, abs=0.05)


def test_fixed_c_is_the_sbg():
    rows = history("high end", 7)
    found = average_curves(rows, np.random.default_rng(1), fixed_c=True)
    assert not found.logs[2].any()
    assert found.survival([10]).value[0] == pytest.approx(fit_sbg(rows).survival([10])[0], rel=0.02)
    free = average_curves(rows, np.random.default_rng(1))
    assert free.log_evidence - found.log_evidence > 2  # seven years speak for c


def test_past_weights_are_even_without_a_past():
    weights = past_weights([from_survivors([100, 90, 80])])
    assert (weights.sbg, weights.bdw, weights.foretold) == (0.5, 0.5, 0)
    with pytest.raises(InputError, match="no history"):
        past_weights([])


def test_same_seed_gives_same_draws():
    rows = history("regular", 5)
    one, two = (average_curves(rows, np.random.default_rng(3)).logs for _ in range(2))
    assert (one == two).all()


@pytest.mark.slow
def test_interval_of_later_survival_covers_what_is_drawn_from_the_prior():
    """Worlds drawn from a narrower range than the prior; 95 % limits of S(10) from 5 periods."""
    rng = np.random.default_rng(17)
    inside, worlds = 0, 150
    for _ in range(worlds):
        mean, alike, c = (
            rng.uniform(0.05, 0.5),
            rng.uniform(0.05, 0.6),
            np.exp(rng.uniform(-0.4, 0.8)),
        )
        a, b = mean * (1 / alike - 1), (1 - mean) * (1 / alike - 1)
        t = np.arange(11.0)
        truth = np.exp(betaln(a, b + t**c) - betaln(a, b))
        alive, n = [1000], 1000
        for period in range(1, 6):
            n = rng.binomial(n, truth[period] / truth[period - 1])
            alive.append(n)
        found = average_curves(from_survivors(alive), rng).survival([10])
        inside += bool(found.low[0] <= truth[10] <= found.high[0])
    assert inside / worlds > 0.90
