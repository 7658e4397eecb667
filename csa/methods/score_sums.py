"""Score intervals of sums of shares, whose units may carry unequal weights."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.methods.intervals import Estimates, normal_quantile

FloatArray = NDArray[np.float64]

ENOUGH_HITS = 10  # with as many, their own weights count as much as the rule
HALVINGS = 60
FAR = 60.0  # sinh of it is beyond any multiplier that moves a share


class WeightedShares(NamedTuple):
    """Shares of weight, one per group.

    `size`: how many units of equal weight know as much; `hits` among `n` equal units: as many as
    would give the share on the whole.
    """

    value: FloatArray
    size: FloatArray
    hits: FloatArray
    n: FloatArray


def counted_shares(hits: ArrayLike, n: ArrayLike) -> WeightedShares:
    """Shares of units that weigh the same.

    Parameters
    ----------
    hits, n : array_like
        Units with the outcome, and all.

    Returns
    -------
    WeightedShares
        Its sizes are the counts.
    """
    k, size = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return WeightedShares(k / size, size, k, size)


def weighted_shares(
    hits: ArrayLike,
    n: ArrayLike,
    hit: ArrayLike,
    weight: ArrayLike,
    hit_square: ArrayLike,
    square: ArrayLike,
) -> WeightedShares:
    """Shares of weight that has an outcome, with the sizes by which their intervals are made.

    Parameters
    ----------
    hits, n : array_like
        Units with the outcome, and all.
    hit, weight : array_like
        Their sums of the weights w.
    hit_square, square : array_like
        Their sums of w².

    Returns
    -------
    WeightedShares
        NaN where there is no weight.

    Notes
    -----
    If the outcome is unrelated to the weight, the variance of R = Σwy / Σw is R (1 - R) / K with
    Kish's K = (Σw)² / Σw² [1]_, and the plain share k / n estimates R too. If not, the variance
    is φ = Σw²(y - R)² / (R (1 - R) Σw²) times that [2]_, and R is ψ = nR / k times k / n. Of a few
    hits φ and ψ say little, and they vary with R: intervals by them are too short where R is too
    low. So both are drawn in to 1, as if 10 more hits were unrelated to the weight:
    (kφ + 10) / (k + 10). The size is K / φ and never above K; the hits are kψ.

    References
    ----------
    .. [1] Kish, L. (1965). Survey Sampling, 11.7. Wiley.
    .. [2] Korn, E. L., Graubard, B. I. (1998). Confidence intervals for proportions with small
       expected number of positive counts estimated from survey data. Surv. Methodol. 24, 193-201.

    Examples
    --------
    >>> weighted_shares(8, 100, 8.0, 100.0, 8.0, 100.0).size.round(6)
    np.float64(100.0)
    """
    k, size = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    h, w, h2, w2 = (np.asarray(x, dtype=float) for x in (hit, weight, hit_square, square))
    some = (k > 0) & (k < size)
    with np.errstate(invalid="ignore", divide="ignore"):
        share, kish = h / w, w**2 / w2
        spread = ((1 - 2 * share) * h2 + share**2 * w2) / (share * (1 - share) * w2)
        spread = (k * np.where(some, spread, 1.0) + ENOUGH_HITS) / (k + ENOUGH_HITS)
        larger = (np.where(some, size * share, k) + ENOUGH_HITS) / (k + ENOUGH_HITS)
        return WeightedShares(
            share, kish / np.maximum(spread, 1.0), np.minimum(k * larger, size), size
        )


def score_interval(
    coefficients: ArrayLike, shares: WeightedShares, *, confidence: float = 0.95
) -> Estimates:
    """Score interval of sums of independent shares times fixed numbers.

    Parameters
    ----------
    coefficients : array_like
        One number per share, along the last axis; a share with 0 need not be known.
    shares : WeightedShares
        Along the last axis.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Estimates
        Σ cR, one axis less; NaN where a share is not known, or all numbers are 0.

    Notes
    -----
    The limits are those θ at which |ΣcR - θ| = z √Σ c² p (1 - p) / m, where m is the size and p
    are the most likely shares with Σcp = θ given the hits: k / p - (n - k) / (1 - p) = λc for
    one multiplier λ [1]_. With c = 1 this is Wilson's interval, with c = (1, -1) Mee's of a
    difference [2]_ [3]_. It has a width where there are no hits, and where these are few it is
    narrower than limits put together from those of the shares (Newcombe's).

    References
    ----------
    .. [1] Martín Andrés, A., Álvarez Hernández, M., Herranz Tejedor, I. (2011). Inferences about
       a linear combination of proportions. Stat. Methods Med. Res. 20(4), 369-387.
    .. [2] Mee, R. W. (1984). Confidence bounds for the difference between two probabilities.
       Biometrics 40, 1175-1176.
    .. [3] Miettinen, O., Nurminen, M. (1985). Comparative analysis of two rates. Stat. Med. 4,
       213-226.

    Examples
    --------
    >>> change, low, high = score_interval([1, -1], counted_shares([56, 48], [70, 80]))
    >>> f"{change:.4f} [{low:.4f}, {high:.4f}]"
    '0.2000 [0.0533, 0.3377]'
    """
    c = np.asarray(coefficients, dtype=float)
    used = c != 0
    value, size, hits, n = (np.where(used, x, 1.0) for x in shares)
    known = used.any(axis=-1) & np.isfinite(c * value * size).all(axis=-1)
    middle = np.where(known, (c * value).sum(axis=-1), np.nan)
    c, size, hits, n = (np.where(known[..., None], x, 1.0) for x in (c, size, hits, n))
    z = normal_quantile(confidence)
    low, high = (_limit(side, middle, (c, size, hits, n), z) for side in (1, -1))
    return Estimates(middle[()], low[()], high[()])


def _limit(side: int, middle: FloatArray, parts: tuple[FloatArray, ...], z: float) -> FloatArray:
    """Find the limit below (side 1) or above (side -1) by halving an interval of multipliers."""
    c, size, hits, n = parts
    near, far = np.full(middle.shape, -FAR), np.full(middle.shape, FAR)
    limit = middle
    for _ in range(HALVINGS):
        at = (near + far) / 2
        p = _likely(side * np.sinh(at)[..., None] * c, hits, n)
        limit = (c * p).sum(axis=-1)
        within = side * (middle - limit) <= z * np.sqrt((c**2 * p * (1 - p) / size).sum(axis=-1))
        near, far = np.where(within, at, near), np.where(within, far, at)
    return np.asarray(np.where(np.isnan(middle), np.nan, limit))


def _likely(pull: FloatArray, hits: FloatArray, n: FloatArray) -> FloatArray:
    """Solve k - np = bp(1 - p), where b pulls the share of k in n down (or up, below 0)."""
    both = n + pull
    root = np.sqrt(np.maximum(both**2 - 4 * pull * hits, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):  # two ways to write the same number
        p = np.where(both >= 0, 2 * hits / (both + root), (both - root) / (2 * pull))
    found: FloatArray = np.clip(np.nan_to_num(p), 0.0, 1.0)
    return found
