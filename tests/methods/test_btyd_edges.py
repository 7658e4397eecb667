"""Data that break other tools: a result with words, or "unclear", never NaN."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.btyd.bg_fit import EXTRA, search_box
from csa.methods.btyd.bg_likelihood import BgLikelihood
from csa.methods.btyd.bg_nbd import (
    expected_purchases,
    fit_bg_nbd,
    fit_mbg_nbd,
    log_likelihood,
    probability_alive,
    purchase_probability,
    residual_purchases,
)
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import maximise
from csa.methods.btyd.model import Diagnosis, Fit
from tests.methods.test_btyd_bg_nbd import cdnow

FITS = [fit_bg_nbd, fit_mbg_nbd]


def sound(fit: Fit, counts: BuyerCounts) -> None:
    """Assert that nothing of a fit or its predictions is NaN, infinite or out of range."""
    assert np.isfinite([fit.log_likelihood, fit.aic, fit.bic, fit.n, fit.events]).all()
    assert np.isfinite([*fit.parameters.values(), *fit.standard_errors.values()]).all()
    assert np.isfinite(fit.covariance).all()
    assert fit.status == "ok" or fit.reason
    if not fit.parameters:
        return
    alive, residual = probability_alive(fit, counts), residual_purchases(fit, counts, 52)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (np.isfinite(residual) & (residual >= 0)).all()
    curve = expected_purchases(fit, [0, 1, 10, 100, 10_000])
    assert (np.isfinite(curve) & (np.diff(curve, prepend=0) >= -1e-9)).all()
    chances = purchase_probability(fit, np.arange(50), 26)
    assert np.isfinite(chances).all()
    assert chances.sum() <= 1 + 1e-9


@pytest.mark.parametrize("fit_model", FITS)
def test_without_customers_nothing_is_fitted(fit_model):
    fit = fit_model(BuyerCounts([], [], []))
    assert (fit.status, fit.diagnosis) == ("unclear", (Diagnosis.NO_CUSTOMERS,))
    with pytest.raises(InputError, match="nothing was fitted"):
        expected_purchases(fit, 1.0)


@pytest.mark.parametrize("fit_model", FITS)
def test_without_repeat_purchases_the_fit_says_so(fit_model):
    """Lifetimes answers r = 1.4e-4 and alpha = 91,687 without a word."""
    fit = fit_model(BuyerCounts([0] * 50, [0] * 50, np.arange(1, 51)))
    assert fit.status == "unclear"
    assert fit.diagnosis == (Diagnosis.NO_REPEATS,)
    assert (fit.n, fit.events) == (50, 0)


@pytest.mark.parametrize("fit_model", FITS)
def test_nobody_observed_for_any_time_is_named(fit_model):
    fit = fit_model(BuyerCounts([0, 0], [0, 0], [0, 0]))
    assert fit.diagnosis == (Diagnosis.ALL_SAME_AGE_ZERO,)


@pytest.mark.parametrize("fit_model", FITS)
def test_where_nobody_leaves_the_fit_is_the_nbd(fit_model):
    """Lifetimes raises an error of convergence here."""
    rng = np.random.default_rng(1)
    age = rng.integers(100, 500, 2000)
    x = rng.poisson(rng.gamma(0.8, 1 / 40, 2000) * age)
    counts = BuyerCounts(x, np.where(x > 0, age, 0), age, unit_days=1.0)
    fit = fit_model(counts)
    assert (fit.status, fit.diagnosis) == ("ok", (Diagnosis.NOBODY_LEAVES,))
    assert fit.values("r", "alpha") == pytest.approx((0.8, 40), rel=0.15)
    assert set(fit.standard_errors) == {"r", "alpha"}
    assert probability_alive(fit, counts) == pytest.approx(np.ones(2000), abs=1e-4)
    assert expected_purchases(fit, 100) == pytest.approx(
        100 * fit.parameters["r"] / fit.parameters["alpha"], rel=1e-4
    )


@pytest.mark.parametrize("fit_model", FITS)
def test_one_rate_for_all_is_named(fit_model):
    rng = np.random.default_rng(2)
    age = np.full(5000, 300.0)
    x = np.minimum(rng.poisson(6, 5000), rng.geometric(rng.beta(1, 3, 5000)))
    last = np.ceil(np.where(x > 0, 45.0 * x + rng.integers(0, 30, 5000), 0))
    counts = BuyerCounts(x, np.minimum(last, age), age, unit_days=1.0)
    fit = fit_model(counts)
    sound(fit, counts)
    assert Diagnosis.ONE_RATE in fit.diagnosis


@pytest.mark.slow
@pytest.mark.parametrize("fit_model", FITS)
@pytest.mark.parametrize(
    "rows",
    [
        ([1], [3.0], [10.0]),
        ([3000], [38.0], [38.0]),
        ([100_000], [300.0], [300.0]),
        ([2] * 100, [5.0] * 100, [9.0] * 100),
        ([0, 1], [0.0, 1.0], [1.0, 1.0]),
        ([1] * 40, [1.0] * 40, [400.0] * 40),
        ([0] * 99 + [5000], [0.0] * 99 + [99.0], [100.0] * 100),
    ],
    ids=["one", "heavy", "very heavy", "all equal", "two", "all leave", "one machine"],
)
def test_few_heavy_or_equal_customers_give_words(fit_model, rows):
    counts = BuyerCounts(*rows, grid_days=0.0)
    fit = fit_model(counts)
    sound(fit, counts)
    assert fit.diagnosis


@given(
    st.lists(
        st.tuples(
            st.integers(0, 400), st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 300)
        ),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from(FITS),
)
@settings(max_examples=25, deadline=None)
@pytest.mark.slow
def test_any_customers_give_a_sound_fit(drawn, merged, fit_model):
    x, one, other, weight = map(np.array, zip(*drawn, strict=True))
    age = np.maximum(one, other)
    last = np.where(x > 0, np.maximum(np.minimum(one, other), 1), 0)
    age, x = np.maximum(age, last), np.minimum(x, last)
    counts = BuyerCounts(x, last, age, weight, unit_days=1.0, merged_days=merged)
    sound(fit_model(counts), counts)


@pytest.mark.parametrize("fit_model", FITS)
def test_days_weeks_and_hours_give_the_same_model(fit_model):
    weeks = cdnow()
    fits = [fit_model(weeks.in_unit(days)) for days in (7.0, 1.0, 1 / 24, 365.25)]
    for fit, days in zip(fits, (7.0, 1.0, 1 / 24, 365.25), strict=True):
        assert fit.parameters["alpha"] * days == pytest.approx(
            fits[0].parameters["alpha"] * 7, rel=1e-7
        )
        assert expected_purchases(fit, 364 / days) == pytest.approx(
            expected_purchases(fits[0], 52), rel=1e-7
        )
        assert residual_purchases(fit, weeks, 364 / days) == pytest.approx(
            residual_purchases(fits[0], weeks, 52), rel=1e-6
        )


@pytest.mark.slow
@pytest.mark.parametrize("fit_model", FITS)
def test_any_of_a_hundred_starts_reaches_the_same_maximum(fit_model):
    """Starts in a box of six decades in each parameter."""
    fit, counts = fit_model(cdnow()), cdnow()
    centre, box = search_box(counts)
    rng = np.random.default_rng(3)
    starts = centre + rng.uniform(-3, 3, (100, 4)) * np.log(10)
    likelihood = BgLikelihood(counts, EXTRA[fit.model])
    found = maximise(likelihood, starts, box, hessian=likelihood.hessian)
    assert found.starts == (100, 100)
    assert found.log_parameters == pytest.approx(fit.log_parameters, abs=1e-6)


def test_order_weights_and_splitting_do_not_matter():
    counts = cdnow()
    doubled = BuyerCounts(
        *(np.repeat(getattr(counts, name), 2)[::-1] for name in ("frequency", "recency", "age")),
        np.repeat(counts.weight / 2, 2)[::-1],
    )
    one, other = fit_bg_nbd(counts), fit_bg_nbd(doubled)
    assert one.parameters == pytest.approx(other.parameters, rel=1e-7)
    assert one.log_likelihood == pytest.approx(log_likelihood(one, doubled), rel=1e-12)


def test_predictions_refuse_other_models_and_times():
    fit = fit_bg_nbd(cdnow())
    with pytest.raises(InputError, match="finite and not negative"):
        expected_purchases(fit, -1.0)
    with pytest.raises(InputError, match="whole numbers"):
        purchase_probability(fit, 1.5, 10)
