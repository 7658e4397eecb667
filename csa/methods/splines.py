"""Natural cubic splines: a smooth curve in one variable as a few columns of a regression."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]


def natural_spline(x: ArrayLike, knots: ArrayLike) -> FloatArray:
    """Columns whose sums are the natural cubic splines with given knots.

    Parameters
    ----------
    x : array_like
        Values, one per row.
    knots : array_like
        Two or more distinct values in increasing order; the first and last are the borders.

    Returns
    -------
    ndarray of float
        Rows × (number of knots - 1). No intercept; linear beyond the outer knots. The first
        column is x from the first knot to the last as 0 to 1.

    Raises
    ------
    InputError
        If there are fewer than two knots, they do not increase, or a value is missing.

    Notes
    -----
    With knots k_1 < ... < k_K on the scale of 0 to 1: N_1 = x and N_(j+1) = d_j - d_(K-1) with
    d_j = ((x - k_j)³₊ - (x - k_K)³₊) / (k_K - k_j), for j up to K - 2 [1]_.

    References
    ----------
    .. [1] Hastie, T., Tibshirani, R., Friedman, J. (2009). The Elements of Statistical Learning,
       2nd ed., 5.2.1. Springer.
    """
    at, values = np.asarray(knots, dtype=float), np.asarray(x, dtype=float)
    if at.ndim != 1 or len(at) < 2 or not (np.diff(at) > 0).all():
        raise InputError("natural spline: knots must be two or more, distinct and increasing")
    if not np.isfinite(values).all():
        missing = int((~np.isfinite(values)).sum())
        raise InputError(f"natural spline: {missing} values are missing; fill or drop them")
    width = at[-1] - at[0]
    scaled, inner = (values - at[0]) / width, (at - at[0]) / width
    cubes = np.maximum(scaled[:, None] - inner, 0.0) ** 3
    beyond = (cubes[:, :-1] - cubes[:, -1:]) / (inner[-1] - inner[:-1])
    return np.column_stack([scaled, beyond[:, :-1] - beyond[:, -1:]])


def quantile_knots(x: ArrayLike, count: int, weights: ArrayLike | None = None) -> FloatArray:
    """Knots that divide the values evenly, borders at the outer twentieths.

    Parameters
    ----------
    x : array_like
        Values; missing ones are left out.
    count : int
        Knots wanted, 2 or more.
    weights : array_like, optional
        Multiplicity of each value.

    Returns
    -------
    ndarray of float
        Distinct and increasing; fewer than `count` where values repeat, and none where there are
        not two distinct values: then no curve can be told from a constant.

    Raises
    ------
    InputError
        If fewer than two knots are wanted.

    Notes
    -----
    Values of the data at even steps from the 5th to the 95th percentile [1]_, the lowest value
    with at least that share of the weight at or below it; where those are not two, the extremes.

    References
    ----------
    .. [1] Harrell, F. E. (2015). Regression Modeling Strategies, 2nd ed., 2.4.6. Springer.
    """
    if count < 2:
        raise InputError(f"quantile knots: {count} knots; a spline needs two or more")
    values = np.asarray(x, dtype=float)
    many = np.ones_like(values) if weights is None else np.asarray(weights, dtype=float)
    known = np.isfinite(values) & (many > 0)
    if not known.any():
        return np.empty(0)
    distinct, place = np.unique(values[known], return_inverse=True)
    share = np.cumsum(np.bincount(place, weights=many[known]))
    wanted = np.linspace(0.05, 0.95, count) * share[-1]
    knots = np.unique(distinct[np.searchsorted(share, wanted * (1 - 1e-12))])
    if len(knots) < 2:
        knots = np.unique(distinct[[0, -1]])
    return knots if len(knots) > 1 else np.empty(0)
