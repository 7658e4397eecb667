"""Log-rank tests of equal hazards in k groups, with ties, delayed entry, weights and strata."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.lifetable import LifeTable

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LogRankTest:
    """Chi-square statistic; NaN with 0 degrees of freedom where groups never meet at risk."""

    statistic: float
    df: int
    p_value: float
    observed: FloatArray  # weighted where the test is
    expected: FloatArray


def log_rank(tables: Sequence[LifeTable], *, rho: float = 0.0, gamma: float = 0.0) -> LogRankTest:
    """Test whether groups share one hazard.

    Parameters
    ----------
    tables : sequence of LifeTable
        One per group, ages in the same unit; late entries are part of them.
    rho, gamma : float
        Fleming-Harrington weights, 0 or more. Both 0: the log-rank test. `rho` 1 stresses early
        differences (Peto and Prentice's Wilcoxon test), `gamma` 1 late ones.

    Returns
    -------
    LogRankTest
        Observed and expected events per group, in the order given, weighted as the test is.

    Raises
    ------
    InputError
        If a weight is negative.

    Notes
    -----
    At each age with d events among n at risk, n_g of them in group g, E_g = Σ w d n_g / n and
    V = Σ w² d (n - d) / (n - 1) (diag(n_g / n) - n_g n_h / n²); the statistic is
    (O - E)' V⁻ (O - E) with as many degrees of freedom as V has rank [1]_. A spell is at risk
    only after its entry and up to its end, so delayed entry needs nothing else [2]_.

    The weights are w = S(t-)^rho (1 - S(t-))^gamma with the Kaplan-Meier estimate of all groups
    together just before t [3]_, as in R's survdiff. Because that estimate comes from the same
    counts, spells with multiplicities weigh what their single rows would.

    References
    ----------
    .. [1] Mantel, N. (1966). Evaluation of survival data and two new rank order statistics
       arising in its consideration. Cancer Chemother. Rep. 50, 163-170.
    .. [2] Klein, J. P., Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 7.3. Springer.
    .. [3] Harrington, D. P., Fleming, T. R. (1982). A class of rank test procedures for censored
       survival data. Biometrika 69, 553-566.
    """
    return stratified_log_rank([tables], rho=rho, gamma=gamma)


def stratified_log_rank(
    strata: Sequence[Sequence[LifeTable]], *, rho: float = 0.0, gamma: float = 0.0
) -> LogRankTest:
    """Test whether groups share one hazard within each stratum, which may differ between strata.

    Parameters
    ----------
    strata : sequence of sequences of LifeTable
        Per stratum one table per group, the groups in the same order throughout; a group that a
        stratum does not hold has a table without rows.
    rho, gamma : float
        Fleming-Harrington weights as for `log_rank`, from the survival of each stratum.

    Returns
    -------
    LogRankTest
        Observed and expected events per group, over all strata.

    Raises
    ------
    InputError
        If a weight is negative, or the strata differ in the number of groups.

    Notes
    -----
    (ΣO - ΣE)' (ΣV)⁻ (ΣO - ΣE), sums over strata of what `log_rank` has for one [1]_.

    References
    ----------
    .. [1] Klein, J. P., Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 7.5. Springer.
    """
    if rho < 0 or gamma < 0:
        raise InputError(f"log-rank: weights rho {rho:g} and gamma {gamma:g} must be 0 or more")
    if len(sizes := sorted({len(tables) for tables in strata})) > 1:
        raise InputError(
            f"log-rank: strata hold {sizes} groups; give each one table per group, empty ones too"
        )
    parts = [_moments(tables, rho, gamma) for tables in strata]
    groups = sizes[0] if sizes else 0
    observed = sum((o for o, _, _ in parts), np.zeros(groups))
    expected = sum((e for _, e, _ in parts), np.zeros(groups))
    covariance = sum((v for _, _, v in parts), np.zeros((groups, groups)))
    statistic, rank = quadratic_form(observed - expected, covariance)
    return LogRankTest(
        statistic=statistic if rank else float("nan"),
        df=rank,
        p_value=chi_square_tail(statistic, rank) if rank else float("nan"),
        observed=observed,
        expected=expected,
    )


def _moments(
    tables: Sequence[LifeTable], rho: float, gamma: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weighted events per group, what equal hazards expect, and its covariance, of one stratum."""
    times = np.unique(np.concatenate([np.empty(0), *(t.time[t.events > 0] for t in tables)]))
    at_risk = np.array([t.at_risk_at(times) for t in tables], dtype=float)
    at_risk = at_risk.reshape(len(tables), len(times))  # also where there is none of either
    events = np.zeros((len(tables), len(times)))
    for of_group, table in zip(events, tables, strict=True):
        dying = table.events > 0
        of_group[np.searchsorted(times, table.time[dying])] = table.events[dying]
    n, d = at_risk.sum(axis=0), events.sum(axis=0)
    weight = _fleming_harrington(n, d, rho, gamma)
    share = at_risk / np.maximum(n, 1)
    # einsum, not BLAS: for products this small its threads cost more than the work
    observed = np.einsum("gt,t->g", events, weight)
    expected = np.einsum("gt,t->g", share, weight * d)
    spread = np.divide(d * (n - d), n - 1, out=np.zeros_like(n), where=n > 1)
    weighted = share * (weight**2 * spread)
    covariance = np.diag(weighted.sum(axis=1)) - np.einsum("gt,ht->gh", weighted, share)
    return observed, expected, covariance


def _fleming_harrington(n: FloatArray, d: FloatArray, rho: float, gamma: float) -> FloatArray:
    """Weight per time of event from the survival of all just before it."""
    if rho == gamma == 0:
        return np.ones_like(n)
    before = np.concatenate([[1.0], np.cumprod(1 - d / n)[:-1]])[: len(n)]
    return np.asarray(before**rho * (1 - before) ** gamma)


def chi_square_tail(statistic: float, df: int) -> float:
    """Probability that a chi-square variable exceeds a statistic.

    Parameters
    ----------
    statistic : float
        0 or more.
    df : int
        Degrees of freedom, 1 or more.

    Returns
    -------
    float
        Share in [0, 1].

    Notes
    -----
    For whole degrees of freedom the tail is a finite sum [1]_: with h = statistic / 2,
    Σ h^a e^-h / Γ(a + 1) over a = df/2 - 1, df/2 - 2, ... >= 0, plus erfc(√h) where df is odd.
    The sum spares every page of figures the memory and time of importing scipy.

    References
    ----------
    .. [1] Abramowitz, M., Stegun, I. A. (1964). Handbook of Mathematical Functions, 26.4.4-5.

    Examples
    --------
    >>> round(chi_square_tail(3.841459, 1), 6)
    0.05
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    tail = math.erfc(math.sqrt(half)) if df % 2 else 0.0
    powers = (df / 2 - 1 - k for k in range(df // 2))
    terms = (math.exp(a * math.log(half) - half - math.lgamma(a + 1)) for a in powers)
    return min(tail + math.fsum(terms), 1.0)


def quadratic_form(vector: FloatArray, covariance: FloatArray) -> tuple[float, int]:
    """Form x' V⁻ x and the rank of V; scaled first, since groups differ in size by orders.

    Parameters
    ----------
    vector : ndarray
        Observed less expected per group; their sum is 0.
    covariance : ndarray (groups x groups)
        Of these, singular by nature.

    Returns
    -------
    statistic, rank : float, int
        0 and 0 where nothing varies.
    """
    spread = np.sqrt(np.diag(covariance))
    known = spread > 0
    if not known.any():
        return 0.0, 0
    spread = spread[known]
    values, vectors = np.linalg.eigh(covariance[np.ix_(known, known)] / np.outer(spread, spread))
    real = values > 1e-9
    part = vectors[:, real].T @ (vector[known] / spread)
    return float((part**2 / values[real]).sum()), int(real.sum())
