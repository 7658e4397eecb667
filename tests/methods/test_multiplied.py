"""Products and ratios of estimates with limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csa.methods.intervals import Estimate, wilson
from csa.methods.multiplied import product_of_estimates, ratio_of_estimates

NAN = math.nan
EXACT = Estimate(2.0, 2.0, 2.0)


def estimate(value, down, up):
    return Estimate(value, value * math.exp(-down), value * math.exp(up))


def test_exact_factor_scales_the_other():
    assert product_of_estimates(Estimate(3.0, 1.5, 4.0), EXACT) == pytest.approx((6.0, 3.0, 8.0))
    assert ratio_of_estimates(Estimate(3.0, 1.5, 4.0), EXACT) == pytest.approx((1.5, 0.75, 2.0))


def test_spreads_add_as_squares_on_the_log_scale():
    found = product_of_estimates(estimate(10.0, 0.3, 0.3), estimate(5.0, 0.4, 0.4))
    assert found == pytest.approx((50.0, 50 * math.exp(-0.5), 50 * math.exp(0.5)))


def test_share_of_nought_has_an_upper_limit_only():
    found = product_of_estimates(Estimate(0.0, 0.0, 0.16), Estimate(100.0, 80.0, 125.0))
    assert found == pytest.approx((0.0, 0.0, 20.0))


def test_what_is_not_known_stays_unknown():
    assert all(math.isnan(x) for x in product_of_estimates(Estimate(NAN, NAN, NAN), EXACT))
    assert all(math.isnan(x) for x in ratio_of_estimates(EXACT, Estimate(0.0, 0.0, 1.0)))
    half = product_of_estimates(Estimate(3.0, 1.0, NAN), EXACT)
    assert half.value == 6
    assert math.isnan(half.low)
    assert math.isnan(half.high)


SPREAD = st.floats(0.0, 3.0)


@given(a=st.floats(0.01, 100), b=st.floats(0.01, 100), s=st.tuples(SPREAD, SPREAD, SPREAD, SPREAD))
def test_limits_enclose_the_value_and_division_undoes_multiplication(a, b, s):
    first, second = estimate(a, s[0], s[1]), estimate(b, s[2], s[3])
    for found in (product_of_estimates(first, second), ratio_of_estimates(first, second)):
        assert found.low <= found.value * (1 + 1e-12)
        assert found.high >= found.value * (1 - 1e-12)
    there = product_of_estimates(first, second)
    assert ratio_of_estimates(there, second).value == pytest.approx(a)


@pytest.mark.slow
def test_limits_cover_a_product_of_a_share_and_a_worth():
    """Log-normal worth known to 20 %, shares of 40 trials: 95 % limits in 2,000 worlds."""
    rng = np.random.default_rng(3)
    n, share, worth, sd = 40, 0.3, 100.0, 0.2
    found = wilson(rng.binomial(n, share, 2000), n)
    seen = worth * np.exp(rng.normal(0, sd, 2000))
    inside = 0
    for p, low, high, w in zip(*found, seen, strict=True):
        spread = 1.96 * sd
        one = product_of_estimates(Estimate(p, low, high), estimate(w, spread, spread))
        inside += one.low <= share * worth <= one.high
    assert 0.93 <= inside / 2000 <= 0.98
