"""Gray's test of k groups for the same cumulative incidence of a cause.

A log-rank test compares the rates at which those still here leave for a cause. It says nothing
about how many have left for it by an age, which also depends on how many the other causes took.
Gray's test compares just that, and therefore belongs to curves of Aalen and Johansen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.causetable import CauseTable
from csa.methods.logrank import chi_square_tail, quadratic_form

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GrayTest:
    """Chi-square statistic; NaN with 0 degrees of freedom where there is nothing to compare."""

    cause: str
    statistic: float
    df: int
    p_value: float
    observed: FloatArray  # events of the cause per group, weighted where the test is
    expected: FloatArray  # if the cumulative incidence of all groups were the same


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Groups:
    """Counts of groups (rows) at the event ages of all of them (columns)."""

    at_risk: FloatArray
    own: FloatArray  # events of the cause tested
    others: FloatArray
    before: FloatArray  # survival of all causes just before each age
    after: FloatArray  # and just after
    kept: FloatArray  # 1 - incidence of the cause, just before


def gray(tables: Sequence[CauseTable], cause: str, *, rho: float = 0.0) -> GrayTest:
    """Test whether groups share one cumulative incidence of a cause.

    Parameters
    ----------
    tables : sequence of CauseTable
        One per group, with the same causes and ages in the same unit; late entries are part of
        them.
    cause : str
        Cause to compare; all others compete with it.
    rho : float
        0 or more; above 0 early differences weigh more: (1 - F) ** rho.

    Returns
    -------
    GrayTest
        Observed and expected events per group, in the order given.

    Raises
    ------
    InputError
        If `rho` is negative, the tables do not name the same causes, the cause is not one of
        them, or in a group everybody leaves at an age while others come only later: no
        incidence can be given beyond.

    Notes
    -----
    In each group those at risk for the subdistribution are R = Y (1 - F(t-)) / S(t-), with Y at
    risk, F the incidence of the cause and S the survival of all causes: those that left for
    another cause stay, as many as would still be seen. The score of group k is
    Σ (1 - F₀(t-)) ** rho (d_k - R_k d / R) [1]_. With late entry Y holds who has come under
    observation; Y / S is then in proportion to the chance to be under observation [2]_, and
    nothing else changes. The scores are those of a Fine-Gray regression on the groups without
    effect, with weights of each group.

    The covariance is Gray's: with h = Y / S(t-), φ_kr = h_k (1{k = r} - h_r / h) (1 - F₀(t-)),
    and C_kr(t) = Σ φ_kr dF₀ / (1 - F₀)² over later ages, the cause itself adds a_k a_l dF₀ / h_r
    with a_k = φ_kr / (1 - F₀(t-)) + (1 - (1 - F₀) / S_r) C_kr, the others b_k b_l dF_r / h_r with
    b_k = -(1 - F₀) / S_r C_kr, summed over groups r; dF₀ = d / h. m ties at an age shrink them by
    1 - (m - 1) / (n - 1), n = h S_r(t-) for the cause and Y_r for others, as in R's cmprsk.

    References
    ----------
    .. [1] Gray, R. J. (1988). A class of K-sample tests for comparing the cumulative incidence of
       a competing risk. Ann. Stat. 16, 1141-1154.
    .. [2] Geskus, R. B. (2011). Cause-specific cumulative incidence estimation and the Fine and
       Gray model under both left truncation and right censoring. Biometrics 67, 39-49.
    """
    if rho < 0:
        raise InputError(f"Gray's test: the weight rho {rho:g} must be 0 or more")
    groups = _counted(tables, cause)
    deaths = groups.own.sum(axis=0)
    seen = groups.at_risk / groups.before  # in proportion to the chance to be under observation
    all_seen = np.maximum(seen.sum(axis=0), 1.0)
    pooled = deaths / all_seen
    free = 1 - np.cumsum(pooled)  # of the cause, if all groups are alike
    free_before = np.concatenate([[1.0], free])[: len(free)]
    weight = np.maximum(free_before, 0.0) ** rho
    staying = seen * groups.kept
    hazard = deaths / np.maximum(staying.sum(axis=0), np.finfo(float).tiny)
    observed = np.einsum("gt,t->g", groups.own, weight)
    expected = np.einsum("gt,t->g", staying, hazard * weight)
    covariance = np.zeros((len(tables), len(tables)))
    for r in range(len(tables)):
        own_group = (np.arange(len(tables)) == r)[:, None]
        share = weight * seen * (own_group - seen[r] / all_seen)
        covariance += _covariance(groups, r, share, (pooled, free, free_before))
    statistic, rank = quadratic_form(observed - expected, covariance)
    return GrayTest(
        cause=cause,
        statistic=statistic if rank else float("nan"),
        df=rank,
        p_value=chi_square_tail(statistic, rank) if rank else float("nan"),
        observed=observed,
        expected=expected,
    )


def _counted(tables: Sequence[CauseTable], cause: str) -> _Groups:
    """Check tables and read them at the ages of all events."""
    named = {table.causes for table in tables}
    if len(named) > 1:
        raise InputError("Gray's test: the groups name different causes; tabulate them together")
    if named and cause not in (causes := next(iter(named))):
        raise InputError(f'Gray\'s test: "{cause}" is none of the causes {", ".join(causes)}')
    ages = [t.table.time[t.table.events > 0] for t in tables]
    times = np.unique(np.concatenate([np.empty(0), *ages]))
    shape = (len(tables), len(times))
    at_risk = np.zeros(shape)
    own, others = np.zeros(shape), np.zeros(shape)
    for k, table in enumerate(tables):
        at_risk[k] = table.table.at_risk_at(times)
        dying = table.table.events > 0
        place = np.searchsorted(times, table.table.time[dying])
        own[k, place] = table.events[table.causes.index(cause), dying]
        others[k, place] = table.table.events[dying] - own[k, place]
    share = (own + others) / np.maximum(at_risk, 1)
    after = np.cumprod(1 - share, axis=1)
    before = np.hstack([np.ones((len(tables), 1)), after])[:, : len(times)]
    _refuse_holes(at_risk, before, times)
    kept = 1 - np.cumsum(before * own / np.maximum(at_risk, 1), axis=1)
    return _Groups(
        at_risk=at_risk,
        own=own,
        others=others,
        # where nobody is left, nobody is at risk either: any number does
        before=np.where(before > 0, before, 1.0),
        after=np.where(after > 0, after, 1.0),
        kept=np.maximum(np.hstack([np.ones((len(tables), 1)), kept])[:, : len(times)], 0.0),
    )


def _refuse_holes(at_risk: FloatArray, before: FloatArray, times: FloatArray) -> None:
    """Refuse groups in which all are gone before others come."""
    faults = []
    for k in np.flatnonzero(((before <= 0) & (at_risk > 0)).any(axis=1)).tolist():
        last = times[np.flatnonzero(before[k] > 0)[-1]]
        faults.append(
            f"Gray's test: in group {k} all under observation have left at age {last:g} and others "
            "come only later; compare from an age on at which more are under observation"
        )
    if faults:
        raise InputError(*faults)


def _covariance(
    groups: _Groups, r: int, share: FloatArray, null: tuple[FloatArray, FloatArray, FloatArray]
) -> FloatArray:
    """Part of the covariance of the scores that comes from one group; `share` is φ / (1 - F₀)."""
    pooled, free, free_before = null
    own, others, at_risk = groups.own.sum(axis=0), groups.others[r], groups.at_risk[r]
    inverse = np.divide(1.0, free_before, out=np.zeros_like(free), where=free_before > 0)
    step = share * (pooled * inverse)
    later = np.cumsum(step[:, ::-1], axis=1)[:, ::-1] - step
    ratio = free / groups.after[r]
    here = at_risk > 0
    people = np.where(here, at_risk, 1.0)
    survival = groups.before[r]
    # h S_r(t-): all groups, as large as they would be with the survival of this one
    size = (groups.at_risk / groups.before).sum(axis=0) * survival
    one = here * pooled * survival / people * _tied(own, size)
    two = survival**2 * others / people**2 * _tied(others, at_risk)
    a, b = share + (1 - ratio) * later, ratio * later
    return np.asarray((a * one) @ a.T + (b * two) @ b.T)


def _tied(events: FloatArray, n: FloatArray) -> FloatArray:
    """Shrink by which a finite number at risk makes tied events vary less."""
    shrink = np.divide(events - 1, n - 1, out=np.zeros_like(n), where=(events > 1) & (n > 1))
    return np.asarray(np.maximum(1 - shrink, 0.0))
