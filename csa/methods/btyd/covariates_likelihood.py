"""Likelihood of buyers with covariates: that of each pattern, at its own parameters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.methods.btyd.bg_fit import EXTRA
from csa.methods.btyd.bg_likelihood import BgLikelihood
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import Maximum, maximise
from csa.methods.btyd.pareto_nbd_fit import MODEL as PARETO_NBD
from csa.methods.btyd.pareto_nbd_likelihood import history, negative_log_likelihood

FloatArray = NDArray[np.float64]

BASE = 4  # parameters without covariates
ALPHA, LEAVE = 1, (2, 3)  # places of alpha, and of a and b, or s and beta


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Covariates of one process: their `names`, and `values`, patterns × names."""

    names: tuple[str, ...]
    values: FloatArray

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        object.__setattr__(self, "values", values.reshape(len(values), len(self.names)))


class CovariateLikelihood:
    """Negative log-likelihood over all patterns, at log-parameters and effects.

    Parameters
    ----------
    model : str
        "BG/NBD", "MBG/NBD" or "Pareto/NBD".
    patterns : sequence of BuyerCounts
        Customers by pattern.
    purchase, leave : Design
        Covariates, which are centred and scaled here.
    """

    def __init__(
        self, model: str, patterns: Sequence[BuyerCounts], purchase: Design, leave: Design
    ) -> None:
        weight = np.array([part.n for part in patterns])
        some = [k for k in range(len(weight)) if weight[k] > 0]
        self.model, self.designs = model, (purchase, leave)
        first, self.first = _scaled(purchase.values, weight)
        second, self.second = _scaled(leave.values, weight)
        self.ways = [way_to(model, first[k], second[k]) for k in some]
        self.size = self.ways[0].shape[1]
        bought = BASE + len(purchase.names)
        self.columns = {
            "purchase": np.arange(BASE, bought),
            "leave": np.arange(bought, self.size),
        }
        self.blocks = [patterns[k].compressed() for k in some]
        self.likelihoods = [BgLikelihood(b, EXTRA[model]) for b in self.blocks if model in EXTRA]
        self.histories = [history(b) for b in self.blocks if model not in EXTRA]

    def __call__(self, place: FloatArray) -> tuple[float, FloatArray]:
        """Negative log-likelihood and its gradient."""
        value, gradient = 0.0, np.zeros(self.size)
        for k, way in enumerate(self.ways):
            at = way @ place
            if self.likelihoods:
                less, slopes = self.likelihoods[k](at)
            else:
                less, slopes = negative_log_likelihood(self.histories[k], at)
            value, gradient = value + less, gradient + way.T @ slopes
        return value, gradient

    def hessian(self, place: FloatArray) -> FloatArray:
        """Second derivatives, of BG/NBD and MBG/NBD.

        Parameters
        ----------
        place : ndarray of float
            Log-parameters and effects.

        Returns
        -------
        ndarray of float
            Of the negative log-likelihood.
        """
        second = np.zeros((self.size, self.size))
        for way, likelihood in zip(self.ways, self.likelihoods, strict=True):
            second += way.T @ likelihood.hessian(way @ place) @ way
        return second

    def maximum(self, starts: FloatArray, box: FloatArray) -> Maximum:
        """Find the maximum in a box.

        Parameters
        ----------
        starts : ndarray of float
            Starts × parameters.
        box : ndarray of float
            Parameters × (lowest, highest).

        Returns
        -------
        Maximum
            The best of all starts.
        """
        return maximise(self, starts, box, hessian=self.hessian if self.likelihoods else None)

    def back(self) -> FloatArray:
        """Give the matrix from effects of centred and scaled covariates to those as given.

        Returns
        -------
        ndarray of float
            Square; the log-parameters become those at covariates of 0.
        """
        matrix = np.eye(self.size)
        sides = [(self.first, ALPHA, 1.0)]
        if self.model == PARETO_NBD:
            sides += [(self.second, LEAVE[1], 1.0)]
        else:
            sides += [(self.second, at, -1.0) for at in LEAVE]
        column = BASE
        for (middle, spread), row, sign in sides:
            for shift, scale in zip(middle, spread, strict=True):
                matrix[column, column] = 1 / scale
                matrix[row, column] = sign * shift / scale
                column += 1
        return matrix


def way_to(model: str, purchase: FloatArray, leave: FloatArray) -> FloatArray:
    """Give the matrix from log-parameters and effects to the log-parameters of a pattern.

    Parameters
    ----------
    model : str
        Name of the model.
    purchase, leave : ndarray of float
        Covariates of the pattern.

    Returns
    -------
    ndarray of float
        4 × (4 + effects).
    """
    base, none = np.eye(BASE), np.zeros
    bought = none((BASE, len(purchase)))
    bought[ALPHA] = -purchase
    if model == PARETO_NBD:
        left = none((BASE, len(leave)))
        left[LEAVE[1]] = -leave
    else:
        left = none((BASE, 2 * len(leave)))
        left[LEAVE[0], : len(leave)] = leave
        left[LEAVE[1], len(leave) :] = leave
    return np.hstack([base, bought, left])


def _scaled(values: FloatArray, weight: FloatArray) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    """Centre and scale columns over customers; with their means and spreads."""
    middle = weight @ values / weight.sum()
    spread = np.sqrt(weight @ (values - middle) ** 2 / weight.sum())
    return (values - middle) / spread, (middle, spread)
