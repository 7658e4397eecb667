"""Log-rank test of equal hazards in k groups, with ties and delayed entry."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from csa.methods.lifetable import LifeTable

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LogRankTest:
    """Chi-square statistic; NaN with 0 degrees of freedom where groups never meet at risk."""

    statistic: float
    df: int
    p_value: float
    observed: FloatArray
    expected: FloatArray


def log_rank(tables: Sequence[LifeTable]) -> LogRankTest:
    """Test whether groups share one hazard.

    Parameters
    ----------
    tables : sequence of LifeTable
        One per group, ages in the same unit; late entries are part of them.

    Returns
    -------
    LogRankTest
        Observed and expected events per group, in the order given.

    Notes
    -----
    At each age with d events among n at risk, n_g of them in group g, E_g = Σ d n_g / n and
    V = Σ d (n - d) / (n - 1) (diag(n_g / n) - n_g n_h / n²); the statistic is (O - E)' V⁻ (O - E)
    with as many degrees of freedom as V has rank [1]_. A spell is at risk only after its entry
    and up to its end, so delayed entry needs nothing else [2]_.

    References
    ----------
    .. [1] Mantel, N. (1966). Evaluation of survival data and two new rank order statistics
       arising in its consideration. Cancer Chemother. Rep. 50, 163-170.
    .. [2] Klein, J. P., Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 7.3. Springer.
    """
    observed = np.array([float(t.events.sum()) for t in tables])
    times = np.unique(np.concatenate([np.empty(0), *(t.time[t.events > 0] for t in tables)]))
    at_risk = np.array([t.at_risk_at(times) for t in tables], dtype=float)
    at_risk = at_risk.reshape(len(tables), len(times))  # also where there is none of either
    events = np.zeros(len(times))
    for table in tables:
        dying = table.events > 0
        events[np.searchsorted(times, table.time[dying])] += table.events[dying]
    n = at_risk.sum(axis=0)
    share = at_risk / np.maximum(n, 1)
    expected = share @ events
    weight = np.divide(events * (n - events), n - 1, out=np.zeros_like(n), where=n > 1)
    covariance = np.diag(share @ weight) - (share * weight) @ share.T
    statistic, rank = _quadratic_form(observed - expected, covariance)
    return LogRankTest(
        statistic=statistic if rank else float("nan"),
        df=rank,
        p_value=float(chdtrc(rank, statistic)) if rank else float("nan"),
        observed=observed,
        expected=expected,
    )


def _quadratic_form(vector: FloatArray, covariance: FloatArray) -> tuple[float, int]:
    """Form x' V⁻ x and the rank of V; scaled first, since groups differ in size by orders."""
    spread = np.sqrt(np.diag(covariance))
    known = spread > 0
    if not known.any():
        return 0.0, 0
    spread = spread[known]
    values, vectors = np.linalg.eigh(covariance[np.ix_(known, known)] / np.outer(spread, spread))
    real = values > 1e-9
    part = vectors[:, real].T @ (vector[known] / spread)
    return float((part**2 / values[real]).sum()), int(real.sum())
