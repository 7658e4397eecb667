"""Present value of purchases to come, against a closed form, and in every unit of time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import hyperu

from csa.errors import InputError
from csa.methods.btyd.discounting import (
    DAYS_PER_YEAR,
    discounted_transactions,
    discounted_value,
    rate_per_period,
    rate_per_unit,
)

# parameters and history of the BTYD manual's example of DERT: weeks, continuous rate 0.0027
R, ALPHA, S, BETA = 0.5629966, 12.5590370, 0.4081095, 10.5148048
WEEKLY, ALIVE = 0.0027, 0.10074630835430927  # P(alive) of x=7, t_x=35, T=77.86 by mpmath
ANNUAL = float(np.expm1(WEEKLY * DAYS_PER_YEAR / 7))


def curve(weeks_per_unit=1.0, x=7.0, age=77.86, alive=ALIVE):
    """Make expected transactions of Pareto/NBD to come, given the history; time in any unit."""
    a, b = (ALPHA + age) / weeks_per_unit, (BETA + age) / weeks_per_unit
    return lambda t: alive * (R + x) * b / (a * (S - 1)) * (1 - (b / (b + t)) ** (S - 1))


def closed(rate, x=7.0, age=77.86, alive=ALIVE):
    """DERT of Pareto/NBD (Fader, Hardie and Lee 2005, equation 9), through Tricomi's function."""
    b = BETA + age
    return alive * (R + x) / (ALPHA + age) * rate ** (S - 1) * b**S * hyperu(S, S, rate * b)


def test_endless_horizon_gives_the_dert_of_the_btyd_manual():
    """R package BTYD, manual of pnbd.DERT, run: 1.8641833 for x=7, t_x=35, T=77.86."""
    found = discounted_transactions(curve(), annual_rate=ANNUAL, unit_days=7.0)
    assert float(found.transactions) == pytest.approx(1.8641833, abs=5e-8)
    assert float(found.tail_bound) < 1e-15
    assert found.error < 1e-8


@given(
    unit=st.sampled_from([1 / 24, 1.0, 7.0, DAYS_PER_YEAR / 12, DAYS_PER_YEAR]),
    annual=st.floats(0.001, 5.0),
    horizon=st.one_of(st.floats(1.0, 20_000.0), st.just(np.inf)),
    age=st.floats(0.0, 300.0),
)
@settings(max_examples=60, deadline=None)
def test_value_is_the_same_in_hours_days_weeks_months_and_years(unit, annual, horizon, age):
    weeks = discounted_transactions(
        curve(age=age), annual_rate=annual, unit_days=7.0, horizon_days=horizon
    )
    other = discounted_transactions(
        curve(unit / 7, age=age), annual_rate=annual, unit_days=unit, horizon_days=horizon
    )
    assert float(other.transactions) == pytest.approx(float(weeks.transactions), rel=1e-8)
    assert other.cut_days == pytest.approx(weeks.cut_days)


@pytest.mark.parametrize("annual", [0.001, 0.01, 0.1, 0.5, 4.0])
@pytest.mark.parametrize("age", [0.0, 10.0, 1000.0])
def test_endless_horizon_equals_the_closed_form_at_any_rate(annual, age):
    found = discounted_transactions(curve(age=age), annual_rate=annual, unit_days=7.0)
    exact = closed(rate_per_unit(annual, 7.0), age=age)
    assert float(found.transactions) == pytest.approx(exact, rel=1e-7)


def test_finite_horizon_equals_the_integral_of_the_discounted_rate():
    rate = rate_per_unit(0.1, 7.0)
    b = BETA + 77.86

    def density(t):
        level = ALIVE * (R + 7) / (ALPHA + 77.86)
        return level * (b / (b + t)) ** S * np.exp(-rate * t)

    exact, _ = quad(density, 0, 52, epsabs=1e-13)
    found = discounted_transactions(curve(), annual_rate=0.1, unit_days=7.0, horizon_days=52 * 7.0)
    assert float(found.transactions) == pytest.approx(exact, rel=1e-9)
    assert float(found.tail_bound) == 0.0


def test_tail_bound_holds_what_lies_beyond_the_cut(monkeypatch):
    monkeypatch.setattr("csa.methods.btyd.discounting.FAR", 3.0)
    found = discounted_transactions(curve(), annual_rate=ANNUAL, unit_days=7.0)
    short = closed(WEEKLY) - float(found.transactions)
    assert 0 < short <= float(found.tail_bound)
    assert float(found.tail_bound) < 5 * short  # a bound that is of use


def test_without_a_rate_the_horizon_counts_purchases():
    found = discounted_transactions(curve(), annual_rate=0.0, unit_days=7.0, horizon_days=364.0)
    assert float(found.transactions) == pytest.approx(curve()(52.0), rel=1e-12)


def test_longer_horizons_and_lower_rates_are_worth_more():
    def value(annual, days):
        found = discounted_transactions(
            curve(), annual_rate=annual, unit_days=7.0, horizon_days=days
        )
        return float(found.transactions)

    assert 0 == value(0.1, 0.0) < value(0.1, 365.0) < value(0.1, 3650.0) < value(0.1, np.inf)
    assert value(0.2, np.inf) < value(0.1, np.inf) < value(0.01, np.inf)


def test_rows_are_discounted_each_for_itself():
    rates = np.array([0.0, 1e-6, 0.5, 2e4])
    found = discounted_transactions(lambda t: rates * t, annual_rate=0.1, unit_days=7.0)
    assert found.transactions == pytest.approx(rates / rate_per_unit(0.1, 7.0), rel=1e-8)


def test_annual_rate_becomes_a_rate_per_unit():
    """The BTYD walkthrough takes 15 % a year as 0.0027 a week."""
    assert rate_per_unit(0.15, 7.0) == pytest.approx(0.0027, abs=5e-5)
    assert rate_per_unit(0.1, DAYS_PER_YEAR) == pytest.approx(np.log(1.1))
    assert rate_per_period(0.1, DAYS_PER_YEAR) == pytest.approx(0.1)
    assert (1 + rate_per_period(0.1, DAYS_PER_YEAR / 12)) ** 12 == pytest.approx(1.1)


def test_value_is_transactions_times_spend_times_margin():
    found = discounted_value([1.0, 2.0], [30.0, 10.0], margin=0.4)
    assert found == pytest.approx([12.0, 8.0])


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: rate_per_unit(-0.1, 7.0), "annual rate"),
        (lambda: rate_per_unit(np.nan, 0.0), "(?s)annual rate.*unit"),
        (
            lambda: discounted_transactions(
                curve(), annual_rate=0.1, unit_days=7.0, horizon_days=-1.0
            ),
            "horizon",
        ),
        (
            lambda: discounted_transactions(curve(), annual_rate=0.0, unit_days=7.0),
            "give a horizon",
        ),
        (
            lambda: discounted_transactions(
                lambda _: np.array([1.0, np.nan]), annual_rate=0.1, unit_days=7.0
            ),
            "1 of 2 rows",
        ),
        (lambda: discounted_value(1.0, 1.0, margin=30.0), "30 % is 0.3"),
        (lambda: discounted_value(1.0, 1.0, margin=0.0), "margin"),
    ],
)
def test_what_cannot_be_discounted_is_refused_in_words(call, word):
    with pytest.raises(InputError, match=word):
        call()
