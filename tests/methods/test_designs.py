"""Designs kept as products of two factors are the tables they stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.binomial import fit_binomial
from csa.methods.designs import Block, DenseDesign, ProductDesign


def make_blocks(seed, patterns=7, ages=5, widths=((5, 1), (1, 3), (2, 2), (1, 1))):
    """Blocks with random columns, so many of ages and of patterns each."""
    rng = np.random.default_rng(seed)
    return [
        Block(
            rng.normal(size=(ages, one)),
            rng.normal(size=(patterns, other)),
            tuple(f"{i}: {j}" for j in range(one * other)),
        )
        for i, (one, other) in enumerate(widths)
    ]


def table_of(blocks):
    """Rows are pairs, pattern by pattern; columns as the design names them."""
    return np.column_stack(
        [
            np.outer(block.patterns[:, k], block.ages[:, j]).ravel()
            for block in blocks
            for j in range(block.ages.shape[1])
            for k in range(block.patterns.shape[1])
        ]
    )


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 10_000),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4),
)
def test_products_are_the_table(seed, widths):
    blocks = make_blocks(seed, widths=widths)
    design, table = ProductDesign(blocks), DenseDesign(table_of(blocks))
    rng = np.random.default_rng(seed + 1)
    weights, coefficients = rng.random((7, 5)), rng.normal(size=len(design.names))
    predictor = design.predictor(coefficients)
    assert predictor.shape == (7, 5)
    assert predictor.ravel() == pytest.approx(table.predictor(coefficients))
    assert design.transposed(weights) == pytest.approx(table.transposed(weights.ravel()))
    assert design.gram(weights) == pytest.approx(table.gram(weights.ravel()))
    assert design.reach() == pytest.approx(table.reach())


def test_fits_of_both_are_the_same():
    blocks = make_blocks(3, patterns=30, ages=6)
    rng = np.random.default_rng(4)
    trials = rng.integers(0, 30, (30, 6))
    successes = rng.binomial(trials, 0.2)
    one = fit_binomial(ProductDesign(blocks), successes, trials)
    other = fit_binomial(table_of(blocks), successes.ravel(), trials.ravel())
    assert one.coefficients == pytest.approx(other.coefficients, rel=1e-9)
    assert one.covariance == pytest.approx(other.covariance, rel=1e-9)
    assert one.names[:2] == ("0: 0", "0: 1")


def test_names_and_columns_of_a_block_must_agree():
    block = make_blocks(0)[0]
    with pytest.raises(InputError, match="differ in number"):
        ProductDesign([block._replace(names=("one",))])
