"""Drawing groups in, against statsmodels and at the edges."""

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from csa.methods.pooling import drawn_in


def test_variance_between_groups_equals_statsmodels_paule_mandel():
    rng = np.random.default_rng(1)
    for groups in (3, 13, 60):
        error = rng.uniform(0.05, 0.5, groups)
        own = rng.normal(1.0, 0.6, groups) + rng.normal(0, np.sqrt(error))
        theirs = combine_effects(own, error, method_re="iterated", use_t=False)
        ours = drawn_in(own, error)
        assert ours.between == pytest.approx(theirs.tau2, rel=1e-4)
        assert ours.middle == pytest.approx(theirs.mean_effect_re, rel=1e-6)
        assert ours.middle_variance == pytest.approx(theirs.var_eff_w_re, rel=1e-4)


def test_groups_that_differ_by_chance_only_are_one():
    found = drawn_in([1.0, 1.1, 0.9], [1.0, 1.0, 1.0])
    assert found.between == 0
    assert found.value == pytest.approx([1.0] * 3)
    assert found.variance == pytest.approx([1 / 3] * 3)


def test_a_group_of_which_nothing_is_known_is_like_the_whole():
    found = drawn_in([0.0, 1.0, 9.0, 5.0], [0.01, 0.01, np.inf, 0.01])
    assert found.value[2] == pytest.approx(found.middle)
    assert found.variance[2] == pytest.approx(found.between + found.middle_variance)
    assert found.weight[2] == 0


def test_precise_groups_keep_their_own_figure_and_vague_ones_do_not():
    found = drawn_in([0.0, 10.0, 10.0], [1e-6, 1e-6, 1e4])
    assert found.value[:2] == pytest.approx([0.0, 10.0], abs=1e-5)
    assert found.value[2] == pytest.approx(found.middle, abs=0.1)


def test_one_group_is_the_whole_and_none_known_is_no_crash():
    assert drawn_in([3.0], [0.5]).value == pytest.approx([3.0])
    nothing = drawn_in([3.0, 3.0], [np.inf, np.inf])
    assert nothing.value == pytest.approx([3.0, 3.0])
    assert np.isinf(nothing.variance).all()


def test_equal_figures_are_one():
    assert drawn_in([2.0, 2.0], [1e-12, 1e-12]).value == pytest.approx([2.0, 2.0])
