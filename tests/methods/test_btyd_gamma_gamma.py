"""Spend per purchase against printed figures, 50-digit arithmetic, simulated truth and edges."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.btyd import spend_rows as tables
from csa.methods.btyd.gamma_gamma import (
    SpendDiagnosis,
    expected_spend,
    fit_gamma_gamma,
    mean_spend,
    spend_range,
)
from csa.methods.btyd.independence import spend_independence
from csa.methods.btyd.maximum import maximise
from csa.methods.btyd.model import Diagnosis

REFERENCE = Path(__file__).parents[1] / "reference" / "cdnow_sample_spend.csv"
TRUTH = (6.25, 3.74, 15.44)

# x, mean, p, q, gamma and ln f by mpmath 1.3 with 50 digits from the formula as printed
BY_MPMATH = [
    (1, 0.01, 6.25, 3.74, 15.44, -35.204915502837802),
    (1, 37.25, 6.25, 3.74, 15.44, -4.2909979580317129),
    (7, 73.74, 6.25, 3.74, 15.44, -6.0548673107222292),
    (30, 1000000.0, 6.25, 3.74, 15.44, -49.843362260914267),
    (3000, 37.25, 6.25, 3.74, 15.44, -4.1232533814876748),
    (3000, 0.01, 6.25, 3.74, 15.44, -7749.0225795460322),
    (1, 37.25, 0.05, 0.8, 0.01, -13.21048156974564),
    (3000, 1000000.0, 0.05, 0.8, 0.01, -31.10123362801989),
    (30, 1.0, 0.5, 30, 2000, -34.79655273096748),
    (3000, 37.25, 0.5, 30, 2000, -3.0238747633080444),
    (2, 0.01, 400, 0.2, 0.001, -35.223107126495226),
    (3000, 37.25, 50, 12, 10, -3.3793379904688937),
    (100000, 37.25, 0.5, 30, 2000, -3.0174289376862479),
    (2, 5.0, 0.001, 0.001, 0.01, -8.9295657706313172),
    (1, 37.25, 2500, 1800, 26.5, -1.1353807184284593),
]


def cdnow():
    """Repeat buyers of the 1/10 sample: x, mean, customers."""
    rows = pd.read_csv(REFERENCE)
    return rows["x"].to_numpy(), rows["mean_spend"].to_numpy(), rows["customers"].to_numpy(float)


def simulated(seed, n, truth=TRUTH):
    """Frequencies with zeros, and means from the model, to the cent."""
    p, q, gamma = truth
    rng = np.random.default_rng(seed)
    x = rng.negative_binomial(0.5, 0.2, n)
    paid = rng.gamma(p * np.maximum(x, 1)) / rng.gamma(q, 1 / gamma, n) / np.maximum(x, 1)
    return x, np.where(x > 0, np.maximum(np.round(paid, 2), 0.01), 0.0)


def test_fit_reproduces_fader_and_hardie_2013_on_cdnow():
    """Fader and Hardie (2013), note 025: p 6.25, q 3.74, gamma 15.44; LL -4,055.9177 (CLVTools)."""
    fit = fit_gamma_gamma(*cdnow())
    assert fit.values("p", "q", "gamma") == pytest.approx((6.25, 3.74, 15.44), abs=0.005)
    assert fit.log_likelihood == pytest.approx(-4055.9177, abs=5e-5)
    assert (fit.n, fit.events, fit.status, fit.starts) == (946, 2457, "ok", (5, 5))
    assert fit.diagnosis == ()


def test_standard_errors_equal_those_of_lifetimes():
    """Computed by lifetimes 0.11.3: `standard_errors_` on its summary of the same customers."""
    found = fit_gamma_gamma(*cdnow()).standard_errors
    assert found["p"] == pytest.approx(1.189687, rel=1e-3)
    assert found["q"] == pytest.approx(0.290166, rel=1e-3)
    assert found["gamma"] == pytest.approx(4.159994, rel=1e-3)


def test_expected_spend_of_the_first_ten_customers_is_the_printed_one():
    """Sheet of note 025, customers 1 to 10 of the CDNOW sample, to the cent."""
    x = [2, 1, 0, 0, 0, 7, 1, 0, 2, 0]
    mean = [22.35, 11.77, 0, 0, 0, 73.74, 11.77, 0, 25.55, 0]
    printed = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    found = expected_spend(fit_gamma_gamma(*cdnow()), x, mean)
    assert found.expected == pytest.approx(printed, abs=0.011)  # 24.6587 and 27.2824 here
    assert found.status == "ok"
    assert (found.ci_low < found.expected).all()
    assert (found.expected < found.ci_high).all()
    assert float(mean_spend(fit_gamma_gamma(*cdnow())).expected[0]) == pytest.approx(
        35.17, abs=5e-3
    )


@pytest.mark.parametrize("case", BY_MPMATH)
def test_likelihood_equals_fifty_digits(case):
    x, mean, *parameters, exact = case
    found, _ = tables.log_likelihood(tables.spend_rows([x], [mean]), np.log(parameters))
    assert found == pytest.approx(exact, rel=1e-10)


@pytest.mark.slow
def test_tables_give_the_likelihood_of_the_rows(monkeypatch):
    x, mean = simulated(1, 60_000)
    weight = np.random.default_rng(2).integers(0, 4, len(x)).astype(float)
    theta = np.log([5.0, 3.0, 20.0])
    for held in (None, weight):
        counted = tables.log_likelihood(tables.spend_rows(x, mean, held), theta)
        monkeypatch.setattr(tables, "DIRECT", 10**9)
        rows = tables.spend_rows(x, mean, held)
        by_row = tables.log_likelihood(rows, theta)
        monkeypatch.setattr(tables, "DIRECT", 20_000)
        assert len(rows.once.at) > tables.DIRECT
        assert counted[0] == pytest.approx(by_row[0], rel=1e-12)
        assert counted[1] == pytest.approx(by_row[1], rel=1e-9)


@given(
    p=st.floats(0.01, 200),
    q=st.floats(0.05, 200),
    gamma=st.floats(0.001, 1e5),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_gradient_is_that_of_the_likelihood(p, q, gamma, seed):
    x, mean = simulated(seed, 50)
    rows, theta = tables.spend_rows(x, mean), np.log([p, q, gamma])
    _, slope = tables.log_likelihood(rows, theta)
    for i, step in enumerate(1e-5 * np.eye(3)):
        up, down = (tables.log_likelihood(rows, theta + s * step)[0] for s in (1, -1))
        scale = max(1.0, abs(up), float(np.abs(slope).max()))
        assert (up - down) / 2e-5 == pytest.approx(slope[i], abs=2e-5 * scale)


@pytest.mark.slow
def test_every_start_in_six_decades_reaches_the_same_maximum():
    rows = tables.spend_rows(*cdnow())
    centre = np.array([np.log(3), np.log(3), rows.mean_log])
    rng = np.random.default_rng(5)
    starts = centre + rng.uniform(-3, 3, (100, 3)) * np.log(10)

    def objective(theta):
        value, slope = tables.log_likelihood(rows, theta)
        return -value, -slope

    found = maximise(objective, starts, [(c - 9, c + 9) for c in centre])
    assert found.starts == (100, 100)
    assert -found.value == pytest.approx(-4055.91769, abs=1e-5)


def test_weights_count_customers():
    x, mean, weight = cdnow()
    times = weight.astype(int)
    fit, long = (
        fit_gamma_gamma(x, mean, weight),
        fit_gamma_gamma(np.repeat(x, times), np.repeat(mean, times)),
    )
    assert long.log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-13)
    assert long.log_parameters == pytest.approx(fit.log_parameters, abs=1e-6)
    assert long.covariance == pytest.approx(fit.covariance, rel=1e-4)


def test_another_currency_changes_only_the_scale():
    x, mean, weight = cdnow()
    fit, cents = fit_gamma_gamma(x, mean, weight), fit_gamma_gamma(x, mean * 100, weight)
    p, q, gamma = fit.values("p", "q", "gamma")
    assert cents.values("p", "q", "gamma") == pytest.approx((p, q, 100 * gamma), rel=1e-5)
    assert cents.log_likelihood == pytest.approx(
        fit.log_likelihood - fit.n * np.log(100), rel=1e-12
    )


@pytest.mark.slow
def test_intervals_cover_the_truth():
    inside, mean_inside, runs = np.zeros(3), 0, 300
    true_mean = TRUTH[0] * TRUTH[2] / (TRUTH[1] - 1)
    for seed in range(runs):
        fit = fit_gamma_gamma(*simulated(seed, 2000), starts=1)
        half = 1.96 * np.sqrt(np.diag(fit.covariance))
        inside += np.abs(fit.log_parameters - np.log(TRUTH)) <= half
        found = mean_spend(fit)
        mean_inside += found.ci_low[0] <= true_mean <= found.ci_high[0]
    assert (inside / runs).min() > 0.92
    assert (inside / runs).max() < 0.98
    assert 0.92 < mean_inside / runs < 0.98


@pytest.mark.slow
def test_range_holds_the_share_of_customers_that_it_says():
    p, q, gamma = TRUTH
    x, mean = simulated(7, 40_000)
    rng = np.random.default_rng(8)
    nu = rng.gamma(q, 1 / gamma, len(x))  # redrawn together with the means, to know both
    mean = np.where(x > 0, rng.gamma(p * np.maximum(x, 1)) / nu / np.maximum(x, 1), 0.0)
    fit = fit_gamma_gamma(x, mean)
    for share in (0.5, 0.95):
        low, high = spend_range(fit, x, mean, confidence=share)
        inside = (low <= p / nu) & (p / nu <= high)
        for group in (x == 0, x == 1, x > 3):
            assert inside[group].mean() == pytest.approx(share, abs=0.015)


def test_expected_spend_moves_from_all_to_the_customer():
    fit = fit_gamma_gamma(*cdnow())
    found = expected_spend(fit, [0, 1, 3, 10, 1000], [np.nan, 100, 100, 100, 100]).expected
    assert (np.diff(found) > 0).all()
    assert found[-1] == pytest.approx(100, rel=0.01)


def test_q_of_at_most_one_says_that_there_is_no_mean():
    fit = fit_gamma_gamma(*simulated(3, 4000, truth=(2.0, 0.7, 5.0)))
    assert fit.status == "unclear"
    assert fit.diagnosis[0] == Diagnosis.NO_MEAN_SPEND
    assert "q is at most 1" in fit.reason
    found = mean_spend(fit)
    assert found.expected[0] == np.inf  # not the negative mean that p gamma / (q - 1) gives
    assert found.status == "unclear"
    assert np.isfinite(expected_spend(fit, [5], [20.0]).expected).all()
    assert np.isfinite(spend_range(fit, [0, 5], [0.0, 20.0])).all()


def test_a_mean_that_may_not_exist_has_an_interval_without_end():
    fit = fit_gamma_gamma(*simulated(4, 120, truth=(2.0, 1.25, 5.0)))
    assert fit.parameters["q"] > 1
    assert SpendDiagnosis.NEARLY_NO_MEAN in fit.diagnosis
    assert mean_spend(fit).ci_high[0] == np.inf


def test_constant_spend_is_worth_itself():
    fit = fit_gamma_gamma([1, 2, 5, 9, 0], [12.0, 12.0, 12.0, 12.0, 0.0])
    assert (fit.status, fit.diagnosis[0]) == ("unclear", "constant spend")
    assert fit.reason == "constant spend: the mean of every customer is 12.00"
    found = expected_spend(fit, [0, 3], [0.0, 12.0])
    assert found.expected == pytest.approx([12.0, 12.0], rel=1e-6)
    assert found.ci_low == pytest.approx(found.expected)


def test_one_customer_is_too_few():
    fit = fit_gamma_gamma([4], [20.0])
    assert (fit.status, fit.diagnosis[0]) == ("unclear", "too few customers")
    assert "1 with repeat purchases" in fit.reason
    assert mean_spend(fit).expected == pytest.approx([20.0], rel=1e-3)
    assert np.isfinite(fit.log_likelihood)


def test_nobody_with_repeat_purchases_is_said():
    for x in ([], [0, 0, 0]):
        fit = fit_gamma_gamma(x, np.zeros(len(x)))
        assert (fit.status, fit.diagnosis[0]) == ("unclear", "no repeat purchases")
        with pytest.raises(InputError, match="nothing was fitted"):
            expected_spend(fit, [0], [0.0])


def test_means_of_zero_and_less_are_left_out_and_said():
    x, mean = simulated(9, 2000)
    plain = fit_gamma_gamma(x, mean)
    fit = fit_gamma_gamma(np.append(x, [3, 1]), np.append(mean, [0.0, -5.0]))
    assert fit.log_likelihood == plain.log_likelihood
    assert f"{SpendDiagnosis.NOT_POSITIVE}: 2 (first rows 2000, 2001)" in fit.diagnosis
    assert fit.status == "ok"
    zeros = f"{SpendDiagnosis.WITHOUT_REPEAT}: {int((x == 0).sum()):,}"
    assert zeros in fit.diagnosis


def test_many_means_of_zero_leave_the_rest_unclear():
    x, mean = simulated(10, 2000)
    fit = fit_gamma_gamma(x, np.where(np.arange(len(x)) % 3, mean, 0.0))
    assert fit.status == "unclear"
    assert fit.reason.startswith("too many means of zero or less")


def test_spend_that_never_varies_within_a_customer_is_said():
    rng = np.random.default_rng(11)
    x = np.array([1, 2, 5, 20] * 200)
    fit = fit_gamma_gamma(x, 10 / rng.gamma(4.0, 1.0, len(x)))
    assert SpendDiagnosis.SAME_EVERY_TIME in fit.diagnosis
    found = expected_spend(fit, [1, 5], [7.0, 70.0])
    assert found.expected == pytest.approx([7.0, 70.0], rel=0.01)


def test_customers_who_do_not_differ_are_said():
    rng = np.random.default_rng(12)
    x = np.array([1, 2, 5, 20] * 200)
    fit = fit_gamma_gamma(x, 30 * rng.gamma(4.0 * x) / (4.0 * x))
    assert SpendDiagnosis.ALL_ALIKE in fit.diagnosis
    assert expected_spend(fit, [0, 1, 3], [0, 5.0, 90.0]).expected == pytest.approx(30, rel=0.1)


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 5), st.integers(0, 10**5)),
            st.one_of(st.sampled_from([0.0, -3.0, 10.0]), st.floats(1e-6, 1e9)),
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_anything_gives_a_result_or_unclear_but_never_nan(rows):
    x, mean = [row[0] for row in rows], [row[1] for row in rows]
    fit = fit_gamma_gamma(x, mean)
    held = [*fit.parameters.values(), *fit.standard_errors.values(), fit.log_likelihood]
    assert np.isfinite(held).all()
    assert np.isfinite(fit.covariance).all()
    if fit.parameters:
        found = expected_spend(fit, x, np.maximum(mean, 0))
        assert not np.isnan([found.expected, found.ci_low, found.ci_high]).any()
        assert (found.ci_low <= found.expected).all()


@pytest.mark.parametrize(
    ("x", "mean", "weight", "words"),
    [
        ([1, 2], [1.0], None, "must match"),
        ([1.5], [1.0], None, "no whole number"),
        ([-1], [1.0], None, "below 0"),
        ([1], [np.nan], None, "missing or infinite"),
        ([1], [1.0], [-1.0], "weight of 1 rows"),
        ([-1, 1.5], [1.0, np.inf], [np.nan, 1.0], "(?s)whole number.*below 0.*missing.*weight"),
    ],
)
def test_what_is_no_spend_is_refused_with_all_faults(x, mean, weight, words):
    with pytest.raises(InputError, match=words):
        fit_gamma_gamma(x, mean, weight)


def test_histories_that_are_none_are_refused():
    fit = fit_gamma_gamma(*cdnow())
    with pytest.raises(InputError, match="frequency of 1 and mean of 1 rows"):
        expected_spend(fit, [-1, 2], [1.0, np.nan])
    with pytest.raises(InputError, match="one of each"):
        expected_spend(fit, [1, 2], [1.0])


def test_spend_of_cdnow_rises_slightly_with_frequency():
    """Correlation of x and mean as numpy gives it; Fader and Hardie (2013) print 0.11."""
    x, mean, weight = cdnow()
    found = spend_independence(x, mean, weight)
    assert found.correlation == pytest.approx(0.11, abs=0.005)
    times = weight.astype(int)
    by_numpy = np.corrcoef(np.repeat(x, times), np.repeat(mean, times))[0, 1]
    assert found.correlation == pytest.approx(by_numpy, rel=1e-12)
    assert found.verdict == "related"
    assert "comes out too low" in found.said


def test_independent_spend_is_called_so_nineteen_times_of_twenty():
    verdicts = [spend_independence(*simulated(seed, 1500)).verdict for seed in range(200)]
    assert verdicts.count("independent") == pytest.approx(190, abs=9)


def test_spend_that_rises_with_frequency_is_found():
    x, mean = simulated(20, 30_000)
    found = spend_independence(x, mean * np.maximum(x, 1) ** 0.2)
    assert found.verdict == "related"
    assert found.per_doubling_low > 0.05
    assert found.ci_low > 0
    falling = spend_independence(x, mean * np.maximum(x, 1) ** -0.2)
    assert "less each time" in falling.said
    assert "too high" in falling.said


def test_a_surely_small_change_is_called_slight():
    x, mean = simulated(21, 400_000)
    found = spend_independence(x, mean * np.maximum(x, 1) ** 0.03)
    assert found.verdict == "slight"
    assert 0 < found.per_doubling_low < found.per_doubling < 0.05
    assert "too little" in found.said


@pytest.mark.parametrize(
    ("x", "mean"), [([1, 2], [3.0, 4.0]), ([2] * 50, range(50)), (range(50), [3.0] * 50), ([], [])]
)
def test_independence_of_too_little_is_unclear(x, mean):
    found = spend_independence(list(x), list(mean))
    assert (found.verdict, found.correlation) == ("unclear", None)
    assert "cannot be told" in found.said
