"""Wilson and Newcombe intervals against the printed tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from csa.errors import InputError
from csa.methods.intervals import newcombe_difference, normal_quantile, wilson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_matches_newcombe_1998(k, n, low, high):
    """Newcombe (1998), Stat. Med. 17, 857-872, Table I, method 3, printed to 4 decimals."""
    share = wilson(k, n)
    assert share.value == k / n
    assert [share.low, share.high] == pytest.approx([low, high], abs=5e-5)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        ((56, 48), (70, 80), 0.0524, 0.3339),
        ((9, 3), (10, 10), 0.1705, 0.8090),
        ((6, 2), (7, 7), 0.0582, 0.8062),
        ((5, 0), (56, 29), -0.0381, 0.1926),
        ((0, 0), (10, 20), -0.1611, 0.2775),
        ((0, 0), (10, 10), -0.2775, 0.2775),
        ((10, 0), (10, 20), 0.6791, 1.0),
        ((10, 0), (10, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_difference_matches_newcombe_1998(k, n, low, high):
    """Newcombe (1998), Stat. Med. 17, 873-890, Table II, method 10, printed to 4 decimals."""
    change = newcombe_difference(k, n)
    assert change.value == pytest.approx(k[0] / n[0] - k[1] / n[1])
    assert [change.low, change.high] == pytest.approx([low, high], abs=5e-5)


@settings(deadline=None)
@given(st.integers(1, 10**7), st.floats(0, 1), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_equals_statsmodels_and_holds_the_share(n, part, confidence):
    k = round(n * part)
    share = wilson(k, n, confidence=confidence)
    peer = proportion_confint(k, n, alpha=1 - confidence, method="wilson")
    assert [share.low, share.high] == pytest.approx(peer, abs=1e-12)
    assert 0 <= share.low <= share.value <= share.high <= 1


@settings(deadline=None)
@given(
    st.tuples(st.integers(0, 50), st.integers(0, 50)),
    st.tuples(st.integers(50, 90), st.integers(50, 90)),
)
def test_newcombe_difference_turns_its_sign_with_the_samples(k, n):
    one = newcombe_difference(k, n)
    other = newcombe_difference(k[::-1], n[::-1])
    assert [one.low, one.high] == pytest.approx([-other.high, -other.low], abs=1e-12)
    assert -1 <= one.low <= one.value <= one.high <= 1


def test_nobody_asked_is_unknown_not_zero():
    share = wilson([0, 3], [0, 4])
    assert np.isnan([share.value[0], share.low[0], share.high[0]]).all()
    assert share.high[1] < 1
    assert np.isnan(newcombe_difference((0, 1), (0, 4))).all()


@pytest.mark.parametrize(("k", "n"), [(-1, 4), (5, 4), ([0, 9], [1, 8])])
def test_wilson_refuses_impossible_counts(k, n):
    with pytest.raises(InputError, match="exceeds its n"):
        wilson(k, n)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidence_is_a_share(confidence):
    with pytest.raises(InputError, match=r"write 0\.95 for 95 %"):
        normal_quantile(confidence)
