"""Symmetric systems: exact where they can be, finite where they cannot."""

import numpy as np
import pytest

from csa.methods.symmetric import invert_symmetric, solve_symmetric


def test_columns_of_different_size_do_not_matter():
    matrix = np.array([[1e12, 3e2], [3e2, 1e-6]])
    assert solve_symmetric(matrix, matrix @ [2.0, 5.0]) == pytest.approx([2, 5], rel=1e-7)
    assert invert_symmetric(matrix) @ matrix == pytest.approx(np.eye(2), abs=1e-4)


def test_singular_systems_give_something_finite():
    assert solve_symmetric(np.zeros((2, 2)), np.ones(2)).tolist() == [0, 0]
    assert solve_symmetric(np.ones((2, 2)), np.array([2.0, 2.0])) == pytest.approx([1, 1])
    for matrix in (np.zeros((2, 2)), np.ones((2, 2))):
        inverse = invert_symmetric(matrix)
        assert np.isfinite(inverse).all()
        assert np.diag(inverse).min() > 1e10
