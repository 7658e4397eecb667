"""Parts of a change: published examples, exact sums, limits against Newcombe and by simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.decompose import decompose_ratio, linear_interval, part_intervals
from csa.methods.intervals import Estimates, newcombe_difference, wilson

# population in thousands and deaths per thousand by 11 ages of two races; 1985, then 1970
SIZES_1985 = [
    *(3041, 11577, 27450, 32711, 35480, 27411, 19555, 19795, 15254, 8022, 2472),
    *(707, 2692, 6473, 6841, 6547, 4352, 3034, 2540, 1749, 804, 236),
]
SIZES_1970 = [
    *(2968, 11484, 34614, 30992, 21983, 20314, 20928, 16897, 11339, 5720, 1315),
    *(535, 2162, 6120, 4781, 3096, 2718, 2363, 1767, 1149, 448, 117),
]
RATES_1985 = [
    *(9.163, 0.462, 0.248, 0.929, 1.084, 1.810, 4.715, 12.187, 27.728, 64.068, 157.570),
    *(17.208, 0.738, 0.328, 1.103, 2.045, 3.724, 8.052, 17.812, 34.128, 68.276, 125.161),
]
RATES_1970 = [
    *(18.469, 0.751, 0.391, 1.146, 1.287, 2.672, 6.636, 15.691, 34.723, 79.763, 176.837),
    *(36.993, 1.352, 0.541, 2.040, 3.523, 6.746, 12.967, 24.471, 45.091, 74.902, 123.205),
]


def parts_of(k1, n1, k0, n0):
    return decompose_ratio((k1, k0), (n1, n0))


def limits_of(k1, n1, k0, n0, confidence=0.95):
    parts = parts_of(k1, n1, k0, n0)
    rates = [wilson(k, n, confidence=confidence) for k, n in ((k1, n1), (k0, n0))]
    return parts, part_intervals(parts, *rates)


def test_parts_match_das_gupta_1993():
    """Das Gupta (1993), example 5.3, United States 1970 and 1985, printed to 3 decimals.

    Rate effect 8.030 - 10.258; the effects of age (9.907 - 8.385) and race (9.156 - 9.136) are
    together that of the mix of both.
    """
    sizes = np.array(SIZES_1985), np.array(SIZES_1970)
    hits = sizes[0] * RATES_1985, sizes[1] * RATES_1970
    parts = decompose_ratio(hits, sizes)
    assert parts.within.sum() == pytest.approx(8.030 - 10.258, abs=1e-3)
    assert parts.mix.sum() == pytest.approx(9.907 - 8.385 + 9.156 - 9.136, abs=2e-3)


def test_better_groups_and_a_worse_mix():
    """80 accounts at 5 % and 20 at 20 % become 60 at 4 % and 40 at 18 %: worse, though better."""
    parts = parts_of([2.4, 7.2], [60, 40], [4.0, 4.0], [80, 20])
    assert parts.change == pytest.approx(0.016)
    assert parts.within == pytest.approx([-0.007, -0.006])
    assert parts.mix == pytest.approx([-0.2 * (0.045 - 0.088), 0.2 * (0.19 - 0.088)])


def shapley(sizes, rates):
    """Average over both orders in which weights and rates can change."""
    (n1, n0), (r1, r0) = sizes, rates
    w1, w0 = n1 / n1.sum(), n0 / n0.sum()
    first, second = w0 @ (r1 - r0), w1 @ (r1 - r0)
    return (first + second) / 2


counts = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1)),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(counts)
def test_parts_add_up(rows):
    n1, n0, p1, p0 = (np.array(x, dtype=float) for x in zip(*rows, strict=True))
    n1[0] += 1
    n0[0] += 1
    parts = decompose_ratio((np.floor(n1 * p1), np.floor(n0 * p0)), (n1, n0))
    assert abs(parts.within.sum() + parts.mix.sum() - parts.change) < 1e-12
    assert abs(parts.contribution.sum() - parts.change) < 1e-12
    absent = (n1 == 0) | (n0 == 0)
    assert (parts.within[absent] == 0).all()
    assert (parts.contribution[(n1 == 0) & (n0 == 0)] == 0).all()


@settings(deadline=None)
@given(counts)
def test_within_is_the_mean_over_both_orders_and_turns_its_sign_with_time(rows):
    n1, n0, r1, r0 = (np.array(x, dtype=float) for x in zip(*rows, strict=True))
    n1, n0 = n1 + 1, n0 + 1
    parts = decompose_ratio((n1 * r1, n0 * r0), (n1, n0))
    assert parts.within.sum() == pytest.approx(shapley((n1, n0), (r1, r0)), abs=1e-12)
    back = decompose_ratio((n0 * r0, n1 * r1), (n0, n1))
    assert back.within == pytest.approx(-parts.within, abs=1e-12)
    assert back.mix == pytest.approx(-parts.mix, abs=1e-12)


def test_joining_groups_that_are_alike_changes_nothing():
    apart = parts_of([3, 3, 20], [30, 30, 50], [2, 2, 8], [40, 40, 20])
    joined = parts_of([6, 20], [60, 50], [4, 8], [80, 20])
    assert apart.within.sum() == pytest.approx(joined.within.sum())
    assert apart.mix[:2].sum() == pytest.approx(joined.mix[0])


def test_a_group_of_one_period_is_mix():
    parts, limits = limits_of([2, 9], [50, 50], [2, 0], [50, 0])
    assert parts.within[1] == 0
    assert parts.contribution.sum() == pytest.approx(0.11 - 0.04)
    assert (limits.within.low[1], limits.within.high[1]) == (0, 0)
    assert np.isnan(limits.apart.value).all()
    assert limits.contribution.low[1] < parts.mix[1] < limits.contribution.high[1]


def test_nobody_in_a_period_is_unknown():
    parts, limits = limits_of([0, 0], [0, 0], [2, 0], [50, 10])
    assert np.isnan(parts.change)
    assert np.isnan(parts.within).all()
    assert np.isnan(limits.total_within.low)


@pytest.mark.parametrize(
    ("hits", "sizes"),
    [
        (([1], [1, 2]), ([3], [4, 5])),
        (([1.0], [-1.0]), ([3], [4])),
        (([1.0], [np.nan]), ([3], [4])),
        (([1.0], [1.0]), ([0], [4])),
    ],
)
def test_impossible_counts_are_refused(hits, sizes):
    with pytest.raises(InputError, match="decompose"):
        decompose_ratio(hits, sizes)


def test_no_group_is_unknown():
    assert np.isnan(decompose_ratio(([], []), ([], [])).change)


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [((56, 48), (70, 80), 0.0524, 0.3339), ((5, 0), (56, 29), -0.0381, 0.1926)],
)
def test_limits_of_a_difference_match_newcombe_1998(k, n, low, high):
    """Newcombe (1998), Stat. Med. 17, 873-890, Table II, method 10, printed to 4 decimals."""
    found = linear_interval([1, -1], wilson(k, n))
    assert [found.low, found.high] == pytest.approx([low, high], abs=5e-5)


def test_limits_of_one_group_are_those_of_the_change():
    parts, limits = limits_of([56], [70], [48], [80])
    change = newcombe_difference([56, 48], [70, 80])
    assert limits.total_within == pytest.approx(tuple(change))
    assert limits.contribution.low == pytest.approx([change.low])
    assert parts.mix == pytest.approx([0.0])
    assert np.isnan(limits.apart.value).all()


def test_limits_belong_to_the_parts():
    table = [4, 9, 0], [60, 40, 30], [4, 8, 2], [80, 20, 35]
    parts, limits = limits_of(*table)
    for name in ("within", "mix", "contribution"):
        value = getattr(limits, name).value
        assert value == pytest.approx(getattr(parts, name), abs=1e-15)
    assert limits.total_within.value == pytest.approx(parts.within.sum())
    assert limits.total_mix.value == pytest.approx(parts.mix.sum())
    change = parts.rate - parts.previous_rate
    others = [k for k in range(3) if k]
    middle = ((parts.weight + parts.previous_weight) / 2)[others]
    rest = change[others] @ middle / middle.sum()
    assert limits.apart.value[0] == pytest.approx(change[0] - rest)


@settings(deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=6), st.integers(1, 400))
def test_limits_turn_with_the_sign_of_the_sum(coefficients, n):
    shares = wilson(np.arange(len(coefficients)) % (n + 1), n)
    one = linear_interval(coefficients, shares)
    other = linear_interval(-np.array(coefficients), shares)
    assert one.low <= one.value <= one.high
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_limits_of_a_sum_grow_less_than_the_sum_of_limits():
    shares = wilson([10, 10], [100, 100])
    one, two = linear_interval([1, 0], shares), linear_interval([1, 1], shares)
    assert two.high - two.low == pytest.approx(np.sqrt(2) * (one.high - one.low))


def simulated(seed, rates, sizes, runs):
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        yield [rng.binomial(n, p) for n, p in zip(sizes, rates, strict=True)]


@pytest.mark.slow
def test_limits_cover_what_is_true():
    """Three segments, 1,000 pairs of months: 95 % limits hold the truth in 93 to 98 %."""
    n1, n0 = np.array([300, 500, 900]), np.array([400, 500, 700])
    p1, p0 = np.array([0.02, 0.05, 0.08]), np.array([0.02, 0.03, 0.08])
    truth = decompose_ratio((n1 * p1, n0 * p0), (n1, n0))
    held = np.zeros(3)
    for k1, k0 in simulated(3, (p1, p0), (n1, n0), 1000):
        _, limits = limits_of(k1, n1, k0, n0)
        true = (truth.within.sum(), truth.mix.sum(), truth.within[1])
        for i, (value, found) in enumerate(
            zip(
                true,
                (limits.total_within, limits.total_mix, [x[1] for x in limits.within]),
                strict=True,
            )
        ):
            held[i] += found[1] <= value <= found[2]
    assert (held / 1000 > 0.93).all()
    assert (held / 1000 < 0.98).all()


def test_a_planted_cause_comes_first():
    """One of five segments churns three times as often; its part is the largest in 90 %."""
    sizes = np.array([200, 400, 300, 500, 600])
    before = np.full(5, 0.03)
    now = before * [1, 3, 1, 1, 1]
    first = [
        np.argmax(parts_of(k1, sizes, k0, sizes).contribution)
        for k1, k0 in simulated(4, (now, before), (sizes, sizes), 1000)
    ]
    assert np.mean(np.array(first) == 1) >= 0.9


@pytest.mark.slow
def test_standing_apart_is_rarely_seen_where_all_moved_alike():
    """Six segments whose rates all double: with Bonferroni's level at most 5 % see one apart."""
    sizes = np.array([200, 300, 300, 500, 600, 100])
    before = np.full(6, 0.03)
    level = 1 - 0.05 / 6
    seen = 0
    for k1, k0 in itertools.islice(simulated(5, (2 * before, before), (sizes, sizes), 500), 500):
        _, limits = limits_of(k1, sizes, k0, sizes, confidence=level)
        seen += bool(((limits.apart.low > 0) | (limits.apart.high < 0)).any())
    assert seen / 500 <= 0.06


def test_estimates_without_a_width_give_none():
    exact = Estimates(*(np.array([0.1, 0.2]),) * 3)
    assert linear_interval([1, -1], exact) == pytest.approx((-0.1, -0.1, -0.1))
