"""How much each effect may differ from none, learned from the data: shrinkage by group of columns.

Thirty features and a few dozen churned accounts would fit noise; risks would be too extreme on
the days that follow, and accounts would be told reasons that are none.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csa.methods.binomial import BinomialFit, fit_binomial
from csa.methods.designs import DenseDesign
from csa.methods.links import probability

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_ROUNDS = 500
SETTLED = 1e-4  # relative change of all penalties


class Shrunk(NamedTuple):
    """Coefficients, their covariance and penalty by column; `bare`: with the least penalty.

    The bare covariance is given twice, by account and by the model: where nobody of a small
    group churned, the first is far too small.
    """

    coefficients: FloatArray
    covariance: FloatArray
    penalty: FloatArray
    bare: FloatArray
    bare_covariances: tuple[FloatArray, FloatArray]
    reason: str


def fit_shrunk(
    design: FloatArray,
    events: FloatArray,
    trials: FloatArray,
    *,
    group: IntArray,
    cluster: IntArray,
    ridge: tuple[float, float],
) -> Shrunk:
    """Fit a logistic regression whose groups of columns are shrunk by what the data say of them.

    Parameters
    ----------
    design : ndarray of float
        Rows × columns, of mean square about 1.
    events, trials : ndarray of float
        Counts per row.
    group : ndarray of int
        Group of each column; -1 is never shrunk.
    cluster : ndarray of int
        Number of the account of each row.
    ridge : tuple of float
        Least and greatest penalty of a column; where they are equal nothing is learned.

    Returns
    -------
    Shrunk
        The covariance holds what shrinkage may be wrong by, on average over accounts.

    Notes
    -----
    The effects of a group are taken as normal with mean 0 and variance 1 / τ; τ maximises the
    restricted likelihood, by the fixed point τ = (m - τ φ tr B) / β'β of [1]_ for m columns with
    B the inverse of the penalised information. Rows of an account repeat each other (the same
    month lies in the horizon of several cut-offs), so the information is overstated by
    φ = tr(I⁻¹ K) / p, K the sum of squares of the scores by account, and the penalty is φ τ. The
    covariance is B (K + φ Λ) B: sampling by account, and the prior for what shrinkage takes off
    [2]_.

    References
    ----------
    .. [1] Wood, S. N., Fasiolo, M. (2017). A generalized Fellner-Schall method for smoothing
       parameter optimization with application to Tweedie location, scale and shape models.
       Biometrics 73, 1071-1081.
    .. [2] Nychka, D. (1988). Bayesian confidence intervals for smoothing splines. J. Am. Stat.
       Assoc. 83, 1134-1143.
    """
    least, most = (np.where(group < 0, 0.0, limit) for limit in ridge)
    first = fit_binomial(design, events, trials, ridge=least, clusters=cluster)
    known = _information(design, trials, first)
    held = known + np.diag(least)
    meat = held @ first.covariance @ held
    excess = max(float(np.trace(np.linalg.pinv(held) @ meat)) / len(held), 1.0)
    penalty = penalties(known, held @ first.coefficients, group, (least, most), excess)
    last = fit_binomial(
        design, events, trials, ridge=penalty, clusters=cluster, start=first.coefficients
    )
    bread = np.linalg.inv(_information(design, trials, last) + np.diag(penalty))
    return Shrunk(
        coefficients=last.coefficients,
        covariance=last.covariance + excess * (bread * penalty) @ bread,
        penalty=penalty,
        bare=first.coefficients,
        bare_covariances=(first.covariance, excess * np.linalg.inv(held)),
        reason=last.reason,
    )


def _information(design: FloatArray, trials: FloatArray, fit: BinomialFit) -> FloatArray:
    """Information of the likelihood, without any penalty."""
    share = probability(design @ fit.coefficients, "logit")
    return DenseDesign(design).gram(trials * share * (1 - share))


def penalties(
    known: FloatArray,
    aim: FloatArray,
    group: IntArray,
    limits: tuple[FloatArray, FloatArray],
    excess: float,
) -> FloatArray:
    """Find the penalty of each group that the data ask for, near the top of the log-likelihood.

    Parameters
    ----------
    known : ndarray of float
        Information I of the likelihood.
    aim : ndarray of float
        Right side of the normal equations, (I + Λ) β for any penalty Λ.
    group : ndarray of int
        Group of each column.
    limits : tuple of ndarray
        Least and greatest penalty of each column.
    excess : float
        By how much the information is overstated.

    Returns
    -------
    ndarray of float
        Penalty by column.
    """
    penalty = limits[0].copy()
    place = np.unique(group, return_inverse=True)[1]
    size = np.bincount(place)
    for _ in range(MOST_ROUNDS):
        bread = np.linalg.inv(known + np.diag(penalty))
        square = np.bincount(place, weights=(bread @ aim) ** 2)
        used = size - np.bincount(place, weights=penalty * np.diag(bread))
        wanted = (excess * used / np.maximum(square, np.finfo(float).tiny))[place]
        before, penalty = penalty, np.clip(wanted, *limits)
        if np.allclose(penalty, before, rtol=SETTLED, atol=0.0):
            break
    return penalty


def nothing_known(columns: int) -> Shrunk:
    """Make the figures of a model that nothing could be learned from.

    Parameters
    ----------
    columns : int
        How many coefficients.

    Returns
    -------
    Shrunk
        NaN throughout.
    """
    lone, square = np.full(columns, np.nan), np.full((columns, columns), np.nan)
    return Shrunk(lone, square, lone, lone, (square, square), "")
