"""Systems with symmetric matrices that may be singular, or differ in size by orders."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LEAST = 1e-200  # of a diagonal: one over it, over a rounding error, is still a number


def solve_symmetric(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Solve a system, by the shortest solution where rounding has made it singular.

    Parameters
    ----------
    matrix : ndarray of float
        Symmetric, no negative diagonal.
    vector : ndarray of float
        Right side.

    Returns
    -------
    ndarray of float
        Finite whatever the matrix.
    """
    even, scale = _scaled(matrix)
    try:
        return np.asarray(np.linalg.solve(even, vector / scale) / scale)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(even, vector / scale, rcond=None)[0] / scale)


def invert_symmetric(matrix: FloatArray) -> FloatArray:
    """Invert an information matrix, to something very large but finite where it is singular.

    Parameters
    ----------
    matrix : ndarray of float
        Symmetric, without negative eigenvalues.

    Returns
    -------
    ndarray of float
        Inverse, with eigenvalues of the scaled matrix taken as at least a rounding error.
    """
    even, scale = _scaled(matrix)
    values, vectors = np.linalg.eigh(even)
    floor = len(values) * np.finfo(float).eps
    inverse = (vectors / np.maximum(values, floor)) @ vectors.T
    return np.asarray(inverse / np.outer(scale, scale))


def _scaled(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Matrix with a diagonal of ones, and the scale."""
    scale = np.sqrt(np.maximum(np.diag(matrix), LEAST))
    return matrix / np.outer(scale, scale), scale
