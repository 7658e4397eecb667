"""Shares of ordered samples: whether they rise or fall, and whether they differ at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from csa.errors import InputError
from csa.methods.intervals import normal_quantile
from csa.methods.logrank import chi_square_tail

FloatArray = NDArray[np.float64]

LEAST_SPARE = 3  # degrees of freedom from which on scatter around the line is told


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShareTrend:
    """Trend of shares over scores; NaN where it cannot be told.

    `slope` (share per unit of score) with limits and `p_trend` allow for `dispersion`, the scatter
    around the line over what chance alone gives (1 at least), and for how little is known of it;
    `widening` is by how much that widens an interval. `trend` and `equal` are the plain
    statistics, chi-square with 1 and with `df` degrees of freedom, `p_equal` the test of no
    difference at all.
    """

    slope: float
    slope_low: float
    slope_high: float
    trend: float
    p_trend: float
    equal: float
    df: int
    p_equal: float
    dispersion: float
    widening: float


def share_trend(
    successes: ArrayLike,
    n: ArrayLike,
    scores: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> ShareTrend:
    """Test whether shares rise or fall along scores, and whether they differ at all.

    Parameters
    ----------
    successes, n : array_like
        Counts per sample; samples with n = 0 are left out.
    scores : array_like, optional
        Place of each sample; default 0, 1, 2, ...
    confidence : float
        Level of the interval of the slope, share in (0, 1).

    Returns
    -------
    ShareTrend
        All NaN with fewer than two samples of different scores, or where all or none succeed.

    Raises
    ------
    InputError
        If the arrays differ in length, or a count is negative or exceeds its n.

    Notes
    -----
    Cochran-Armitage test [1]_ [2]_: with p the share of all, T = Σ s (k - n p) and
    V = p (1 - p) (Σ n s² - (Σ n s)² / Σ n), T² / V is chi-square with one degree of freedom. The
    slope is T / (V / p (1 - p)), the weighted least-squares line, with the error that makes its
    interval agree with the test. Samples that scatter around the line more than chance alone lets
    them, by Pearson's chi-square over its degrees of freedom, widen both by that factor, and
    Student's t takes the place of the normal (quasi-likelihood [3]_): one odd cohort is no trend.

    References
    ----------
    .. [1] Cochran, W. G. (1954). Biometrics 10, 417-451.
    .. [2] Armitage, P. (1955). Biometrics 11, 375-386.
    .. [3] McCullagh, P., Nelder, J. A. (1989). Generalized Linear Models, 2nd ed., 4.5.

    Examples
    --------
    >>> found = share_trend([83, 90, 129, 70], [86, 93, 136, 82])
    >>> f"{found.trend:.4f} {found.p_trend:.6f} {found.equal:.4f} {found.p_equal:.6f}"
    '8.2249 0.004132 12.6004 0.005585'
    """
    k, size, at = _checked(successes, n, scores)
    p = k.sum() / size.sum() if size.sum() else np.nan
    middle = (size * at).sum() / size.sum() if size.sum() else np.nan
    spread = float((size * (at - middle) ** 2).sum()) if len(size) else 0.0
    if len(size) < 2 or not 0 < p < 1 or spread <= 0:
        return _unknown(len(size))
    slope = float(((at - middle) * (k - size * p)).sum() / spread)
    variance = p * (1 - p) / spread
    trend = slope**2 / variance
    equal = float(((k - size * p) ** 2 / (size * p * (1 - p))).sum())
    df = len(size) - 1
    scatter, widening = widened(equal - trend, df - 1, confidence=confidence)
    z = normal_quantile(confidence)
    p_trend = chi_square_tail(float(trend), 1)
    if scatter > 1:  # estimated, so Student's t
        p_trend = float(2 * stdtr(df - 1, -np.sqrt(trend / scatter)))
    half = z * widening * float(np.sqrt(variance))
    return ShareTrend(
        slope=slope,
        slope_low=slope - half,
        slope_high=slope + half,
        trend=float(trend),
        p_trend=p_trend,
        equal=equal,
        df=df,
        p_equal=chi_square_tail(equal, df),
        dispersion=float(scatter),
        widening=widening,
    )


def widened(chi_square: float, df: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Tell by how much shares scatter, and how much wider that makes an interval.

    Parameters
    ----------
    chi_square : float
        Pearson's statistic of what chance alone should leave.
    df : int
        Its degrees of freedom.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    tuple of float
        Dispersion χ² / df, and √dispersion times the ratio of Student's quantile to the normal
        one; both 1 where shares scatter no more than chance lets them, or `df` is too small to
        tell.
    """
    scatter = chi_square / df if df >= LEAST_SPARE else 1.0
    if not scatter > 1:
        return 1.0, 1.0
    quantile = float(stdtrit(df, (1 + confidence) / 2))
    return float(scatter), float(np.sqrt(scatter) * quantile / normal_quantile(confidence))


def _checked(
    successes: ArrayLike, n: ArrayLike, scores: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    k, size = (np.asarray(x, dtype=float) for x in (successes, n))
    at = np.arange(len(size), dtype=float) if scores is None else np.asarray(scores, dtype=float)
    if not k.shape == size.shape == at.shape or k.ndim != 1:
        raise InputError("share_trend: give successes, n and scores of the same length")
    if np.any((k < 0) | (k > size)):
        raise InputError("share_trend: a count of successes is negative or exceeds its n")
    some = size > 0
    return k[some], size[some], at[some]


def _unknown(samples: int) -> ShareTrend:
    nan = float("nan")
    return ShareTrend(
        slope=nan,
        slope_low=nan,
        slope_high=nan,
        trend=nan,
        p_trend=nan,
        equal=nan,
        df=max(samples - 1, 0),
        p_equal=nan,
        dispersion=nan,
        widening=nan,
    )
