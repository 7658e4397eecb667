"""BG/NBD and MBG/NBD in hard places, against arithmetic with fifty digits."""

from decimal import Decimal, localcontext
from itertools import product

import numpy as np
import pytest

from csa.methods.btyd.bg_expected import expected_of_buyer
from csa.methods.btyd.bg_likelihood import BgLikelihood
from csa.methods.btyd.bg_nbd import log_likelihood, probability_alive
from csa.methods.btyd.counts import BuyerCounts
from tests.methods.test_btyd_bg_nbd import cdnow, known, one

PARAMETERS = [
    (0.2425945, 4.4136, 0.79292, 2.42591),  # CDNOW
    (0.001, 0.01, 0.0001, 10_000.0),  # nobody leaves
    (1_000.0, 5_000.0, 500.0, 3_000.0),  # all alike
    (0.5143, 2.8845, 1.0, 1e-3),  # nearly everybody leaves at once
    (20.0, 1e5, 0.01, 0.01),  # at once or never
]
CUSTOMERS = [
    *((0, 0.0, 38.86), (0, 0.0, 1e-3), (1, 38.86, 38.86), (1, 0.14, 520.0)),
    *((26, 30.857, 31.0), (221, 103.42857, 103.57143), (1_000, 5.0, 260.0)),
    *((3_000, 38.0, 38.0), (3_000, 1.0, 38.0), (3_000, 37.9, 38.0), (100_000, 250.0, 260.0)),
]


def exact(
    values: tuple[float, ...], customer: tuple[float, ...], extra: int
) -> tuple[Decimal, ...]:
    """Log-likelihood and P(alive), fifty digits: gamma functions cancel to products."""
    with localcontext(prec=50):
        r, alpha, a, b = map(Decimal, values)
        x, last, age = int(customer[0]), Decimal(customer[1]), Decimal(customer[2])
        rates = chances = Decimal(1)
        for j in range(x):
            rates *= r + j
        for j in range(x + extra):
            chances *= (b + j) / (a + b + j)
        stayed = -(r + x) * (alpha + age).ln()
        left = Decimal(0)
        if x + extra:
            left = a / (b + x + extra - 1) * ((r + x) * ((alpha + age) / (alpha + last)).ln()).exp()
        return rates.ln() + chances.ln() + r * alpha.ln() + stayed + (1 + left).ln(), 1 / (1 + left)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["BG/NBD", "MBG/NBD"])
def test_log_likelihood_has_ten_digits_on_the_hard_grid(model):
    """55 cases to 100,000 purchases: relative error at most 1e-10.

    Where hardly any time passed the log-likelihood is all but 0; there 1e-15 absolute.
    """
    extra = int(model == "MBG/NBD")
    for values, customer in product(PARAMETERS, CUSTOMERS):
        fit, counts = known(model, *values), one(*customer)
        truth, alive = exact(values, customer, extra)
        off = abs(Decimal(log_likelihood(fit, counts)) - truth)
        assert off < Decimal("1e-10") * abs(truth) + Decimal("1e-15"), (values, customer, off)
        got = probability_alive(fit, counts)[0]
        assert got == pytest.approx(float(alive), rel=1e-9, abs=1e-300), (values, customer)


@pytest.mark.parametrize("merged", [0.0, 1.0])
@pytest.mark.parametrize("extra", [0, 1])
def test_gradient_and_second_derivatives_match_differences(extra, merged):
    likelihood = BgLikelihood(cdnow(merged_days=merged), extra)
    for place in np.log(PARAMETERS[:1] + PARAMETERS[3:]):
        steps = 1e-5 * np.eye(4)
        slope = [(likelihood(place + s)[0] - likelihood(place - s)[0]) / 2e-5 for s in steps]
        gradient, second = likelihood(place)[1], likelihood.hessian(place)
        assert gradient == pytest.approx(np.array(slope), rel=1e-6, abs=1e-4)
        curve = [(likelihood(place + s)[1] - likelihood(place - s)[1]) / 2e-5 for s in steps]
        assert second == pytest.approx(np.array(curve), rel=1e-6, abs=1e-5)
        assert (second == second.T).all()


@pytest.mark.parametrize(
    ("r", "alpha", "a", "b", "time", "expected"),
    [
        (0.2425945, 4.4136, 0.79292, 2.42591, 52.0, 1.444015057212975),
        (0.2425945, 4.4136, 0.79292, 2.42591, 0.1, 0.005477597847114704),
        (3000.2, 42.0, 0.8, 3002.4, 52.0, 2623.100831129401),
        (0.5, 0.01, 1.0, 1.0, 1000.0, 10.1329556486298),
        (0.24, 5.0, 0.0001, 20000.0, 52.0, 2.49599991956018),
        (0.24, 5.0, 0.0001, 0.0002, 52.0, 1.811187421168476),
        (0.24, 5.0, 5000.0, 0.0002, 52.0, 0.4423742431578284),
        (0.24, 5.0, 5000.0, 10000.0, 52.0, 0.9053273863344298),
        (90.0, 0.04, 110.0, 107.0, 350.0, 1.981651376146789),
        (1.0, 1.0, 3.0, 0.01, 100000.0, 1.004989849613173),
        (100000.0, 40.0, 0.8, 100000.0, 52.0, 90630.0462953681),
    ],
)
def test_expected_of_buyer_has_ten_digits(r, alpha, a, b, time, expected):
    """Figures by mpmath 1.4.1, adaptive quadrature with 40 digits over the logit of the chance."""
    assert expected_of_buyer((r, alpha), (a, b), time) == pytest.approx(expected, rel=1e-10)


def test_expected_of_buyer_is_continuous_at_a_of_one():
    """The textbook form divides by a - 1."""
    near = [float(expected_of_buyer((0.5, 3.0), (1 + d, 2.5), 40.0)) for d in (-1e-9, 0, 1e-9)]
    assert near == pytest.approx([near[1]] * 3, rel=1e-8)


def test_likelihood_of_merged_counts_equals_plain_at_the_time_at_risk():
    """Half a step of every purchase day is not at risk; a quarter step more before a leave."""
    merged = BuyerCounts([3], [4.0], [10.0], unit_days=7.0, merged_days=1.0)
    plain = one(3, 4.0 - 1.5 / 7 - 0.25 / 7, 10.0 - 1.5 / 7)
    fit = known("BG/NBD", *PARAMETERS[0])
    assert log_likelihood(fit, merged) == pytest.approx(log_likelihood(fit, plain), rel=1e-13)
