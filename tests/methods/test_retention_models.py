"""Retention curves against the printed figures of Fader and Hardie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from csa.errors import InputError
from csa.methods.retention.bdw import fit_bdw
from csa.methods.retention.counts import (
    RetentionCounts,
    from_survivors,
    pool,
    retention_counts,
)
from csa.methods.retention.curves import RetentionFit, log_likelihood, maximise, score
from csa.methods.retention.residual import expected_lifetime, residual_lifetime
from csa.methods.retention.sbg import closed_residual, fit_sbg

HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]


def known(alpha, beta, c=1.0):
    return RetentionFit(
        model="sBG" if c == 1 else "BdW",
        alpha=alpha,
        beta=beta,
        c=c,
        covariance=np.eye(2 if c == 1 else 3),
        standard_errors={},
        log_likelihood=0.0,
        n=1.0,
        events=1.0,
        converged=True,
        starts=(1, 1),
        status="ok",
        reason="",
        diagnosis=(),
    )


@pytest.mark.parametrize(
    ("counts", "alpha", "beta", "height", "churn"),
    [
        (HIGH_END, 0.668, 3.806, -1611.16, 0.149),
        (REGULAR, 0.704, 1.182, -1680.27, 0.373),
    ],
)
def test_fit_sbg_matches_fader_and_hardie_2007(counts, alpha, beta, height, churn):
    """J. Interact. Mark. 21(1), 76-90: parameters to 3 decimals, log-likelihood to 2."""
    fit = fit_sbg(from_survivors(counts))
    assert [fit.alpha, fit.beta] == pytest.approx([alpha, beta], abs=5e-4)
    assert fit.log_likelihood == pytest.approx(height, abs=5e-3)
    assert fit.mean_churn == pytest.approx(churn, abs=5e-4)
    assert fit.converged
    assert fit.starts == (5, 5)


@pytest.mark.parametrize(
    ("counts", "projected"),
    [(HIGH_END, [46.0, 43.6, 41.4, 39.5, 37.8]), (REGULAR, [22.0, 20.4, 19.1, 18.0, 17.0])],
)
def test_sbg_projects_years_8_to_12_as_printed(counts, projected):
    """Fader and Hardie (2007): survival of years 8 to 12 in percent, 1 decimal."""
    fit = fit_sbg(from_survivors(counts))
    assert 100 * fit.survival(range(8, 13)) == pytest.approx(projected, abs=0.05)


def test_multi_cohort_fit_matches_note_017():
    """Fader and Hardie, note 017: alpha 3.80, beta 15.19 from four cohorts."""
    cohorts = [10000, 8000, 6480, 5307, 4391]
    fit = fit_sbg(from_survivors(*(cohorts[:n] for n in (5, 4, 3, 2))))
    assert [fit.alpha, fit.beta] == pytest.approx([3.80, 15.19], abs=5e-3)


@pytest.mark.parametrize(
    ("counts", "printed"), [(HIGH_END, 7.530), (REGULAR, 6.842)], ids=["high end", "regular"]
)
def test_residual_lifetime_at_8_years_matches_print(counts, printed):
    """Discounted at 10 %: 7.530 (shifted_beta_geometric_py) and 6.842 (PyMC-Marketing)."""
    fit = fit_sbg(from_survivors(counts))
    assert residual_lifetime(fit.survival, age=8, discount_rate=0.1) == pytest.approx(
        printed, abs=5e-4
    )


@pytest.mark.parametrize(
    ("counts", "lifetimes", "at_start"),
    [
        (HIGH_END, [5.414, 5.901, 6.294, 6.620, 6.897], 5.9223),
        (REGULAR, [2.964, 4.103, 4.870, 5.442, 5.894], 3.6949),
    ],
)
def test_snapshot_lifetimes_of_years_1_to_5(counts, lifetimes, at_start):
    """Snapshot (computed before, no printed source): DERL at 10 % and DEL at acquisition."""
    fit = fit_sbg(from_survivors(counts))
    found = [residual_lifetime(fit.survival, age=n, discount_rate=0.1) for n in range(1, 6)]
    assert found == pytest.approx(lifetimes, abs=5e-4)
    assert expected_lifetime(fit.survival, discount_rate=0.1) == pytest.approx(at_start, abs=5e-5)


@pytest.mark.parametrize(
    ("alpha", "beta", "lifetimes"),
    [
        (3.80, 15.20, [3.310, 3.451, 3.587, 3.717, 3.842]),
        (0.067, 0.267, [7.671, 9.455, 9.851, 10.056, 10.189]),
    ],
)
def test_snapshot_perils_of_heterogeneity(alpha, beta, lifetimes):
    """The two cases of Fader and Hardie (2010); one rate of 80 % gives 2.933 for both."""
    fit = known(alpha, beta)
    found = [residual_lifetime(fit.survival, age=n, discount_rate=0.1) for n in range(1, 6)]
    assert found == pytest.approx(lifetimes, abs=5e-4)
    constant = residual_lifetime(lambda t: 0.8**t, age=1, discount_rate=0.1)
    assert constant == pytest.approx(2.933, abs=5e-4)


@pytest.mark.parametrize("age", [1, 3, 8, 40])
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
@pytest.mark.slow
def test_residual_lifetime_equals_the_closed_form(age, rate):
    fit = fit_sbg(from_survivors(HIGH_END))
    closed = closed_residual(fit, age=age, discount_rate=rate)
    assert residual_lifetime(fit.survival, age=age, discount_rate=rate) == pytest.approx(
        closed, rel=1e-10
    )


@pytest.mark.parametrize(
    ("counts", "years", "expected", "height"),
    [
        (HIGH_END, 7, (0.2143, 1.4266, 1.7236), -1605.31),
        (REGULAR, 7, (0.4556, 0.7793, 1.2835), -1679.60),
    ],
)
@pytest.mark.slow
def test_snapshot_bdw(counts, years, expected, height):
    """Model of Fader et al. (2018); figures computed before, no printed source."""
    fit = fit_bdw(from_survivors(counts[: years + 1]))
    assert [fit.alpha, fit.beta, fit.c] == pytest.approx(expected, abs=5e-5)
    assert fit.log_likelihood == pytest.approx(height, abs=5e-3)


@pytest.mark.slow
def test_fit_bdw_is_no_worse_than_the_sbg_it_holds():
    for counts in (HIGH_END, REGULAR):
        rows = from_survivors(counts)
        assert fit_bdw(rows).log_likelihood >= fit_sbg(rows).log_likelihood


@given(
    st.floats(-2, 2), st.floats(-2, 3), st.floats(-1, 1), st.lists(st.integers(0, 40), min_size=4)
)
def test_slopes_equal_differences_of_the_log_likelihood(a, b, c, lost):
    counts = retention_counts(range(1, len(lost) + 1), at_risk=[x + 30 for x in lost], lost=lost)
    logs = np.array([a, b, c])
    shifts = np.eye(3) * 1e-6
    up, down = (log_likelihood((logs + sign * shifts).T, counts) for sign in (1, -1))
    assert score(logs, counts) == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_any_of_many_starts_reaches_the_same_top(seed):
    """Thirty starts in a six-decade box give the same parameters."""
    rng = np.random.default_rng(seed)
    counts = from_survivors(HIGH_END)
    fit = fit_sbg(counts)
    for _ in range(10):
        start = rng.uniform(-6.9, 6.9, 2)
        top = minimize(
            lambda p: -float(log_likelihood(np.append(p, 0.0), counts)),
            start,
            jac=lambda p: -score(np.append(p, 0.0), counts)[:2],
            method="L-BFGS-B",
            bounds=[(-9, 9)] * 2,
            options={"ftol": 1e-15, "gtol": 1e-8},
        )
        assert top.x == pytest.approx(fit.logs[:2], abs=1e-4)


def test_survival_falls_and_stays_a_share():
    fit = known(0.4, 2.0, 1.7)
    curve = fit.survival(np.arange(200))
    assert curve[0] == 1
    assert (np.diff(curve) < 0).all()
    assert (curve > 0).all()
    assert fit.retention([1.0])[0] == pytest.approx(1 - fit.mean_churn)


def test_delayed_entry_and_censoring_leave_the_curve_alone():
    """Half of the customers seen only from the third year on: the same expected hazards."""
    truth = known(0.8, 3.0)
    years = np.arange(1, 9.0)
    hazard = 1 - truth.retention(years)
    n = np.where(years < 3, 5e5, 1e6) * np.where(years > 6, 0.5, 1)
    fit = fit_sbg(RetentionCounts(period=years, at_risk=n, lost=n * hazard))
    assert [fit.alpha, fit.beta] == pytest.approx([0.8, 3.0], rel=1e-4)


def test_pool_adds_counts_by_period():
    one, two = from_survivors([10, 8, 6]), from_survivors([20, 15])
    both = pool([one, two])
    assert both.at_risk.tolist() == [30, 8]
    assert both.lost.tolist() == [7, 2]
    assert from_survivors([10, 8, 6], [20, 15]).lost.tolist() == [7, 2]


@pytest.mark.parametrize(
    ("survivors", "reason"),
    [
        ([10, 10, 10], "nobody left"),
        ([10, 0, 0], "1 periods seen"),
        ([10, 0], "1 periods seen"),
    ],
)
def test_fit_without_information_is_unclear(survivors, reason):
    fit = fit_sbg(from_survivors(survivors))
    assert fit.status == "unclear"
    assert reason in fit.reason
    assert np.isnan(fit.survival([1, 2])).all()


def test_all_left_is_unclear():
    counts = RetentionCounts(
        period=np.array([1.0, 2.0]), at_risk=np.array([4.0, 4.0]), lost=np.array([4.0, 4.0])
    )
    assert fit_sbg(counts).reason == "all left in the periods seen"


@pytest.mark.slow
def test_customers_who_are_all_alike_are_diagnosed():
    n = 1e4 * 0.9 ** np.arange(10)
    counts = RetentionCounts(period=np.arange(1, 11.0), at_risk=n, lost=0.1 * n)
    fit = fit_sbg(counts)
    assert fit.diagnosis[0].startswith("no difference between customers")
    assert not fit.converged
    assert fit.survival([20])[0] == pytest.approx(0.9**20, rel=0.01)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: retention_counts([1, 1], at_risk=[2, 2], lost=[0, 0]), "distinct, increasing"),
        (lambda: retention_counts([1], at_risk=[2], lost=[3]), "more are lost"),
        (lambda: retention_counts([1], at_risk=[np.nan], lost=[0]), "at_risk is missing"),
        (lambda: retention_counts([1, 2], at_risk=[1], lost=[1]), "one length"),
        (lambda: from_survivors([5, 6]), "1 cohorts grow"),
        (lambda: from_survivors([5]), "at least one period"),
        (lambda: maximise(from_survivors([5, 4]), model="x", free=1), "2 or 3"),
        (lambda: closed_residual(known(1, 2, 1.5), age=1, discount_rate=0.1), "closed form"),
        (lambda: closed_residual(known(1, 2), age=1, discount_rate=0.0), "not above 0"),
        (lambda: residual_lifetime(known(1, 2).survival, age=0, discount_rate=0.1), "age: 0"),
        (lambda: expected_lifetime(known(1, 2).survival, discount_rate=0.0), "no end"),
        (
            lambda: expected_lifetime(known(1, 2).survival, discount_rate=0.1, horizon=0),
            "horizon: 0",
        ),
        (
            lambda: expected_lifetime(known(1, 2).survival, discount_rate=-2, horizon=3),
            "not above -1",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, text):
    with pytest.raises(InputError, match=text):
        call()


def test_horizon_cuts_the_sum():
    fit = known(1.0, 3.0)
    assert expected_lifetime(fit.survival, discount_rate=0.0, horizon=2) == pytest.approx(1.75)
    assert residual_lifetime(lambda t: 0.0 * t, age=2, discount_rate=0.1) == 0


@pytest.mark.slow
def test_criteria_count_parameters():
    fit = fit_bdw(from_survivors(HIGH_END))
    assert fit.aic == pytest.approx(6 - 2 * fit.log_likelihood)
    assert fit.bic == pytest.approx(3 * np.log(1000) - 2 * fit.log_likelihood)
