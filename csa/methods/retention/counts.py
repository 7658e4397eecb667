"""Who was at risk and who was lost, per period: all that a retention curve is fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RetentionCounts:
    """Counts by period of age; period 1 ends with the first renewal.

    `at_risk` are the customers seen at the beginning of the period of that age and watched to its
    end, `lost` those of them that do not renew. Censored customers are at risk in the periods in
    which they were seen, customers that came under observation late only from there on, so that
    the likelihood Π h ** lost (1 - h) ** kept is exact for both. Fractions are allowed.
    """

    period: FloatArray
    at_risk: FloatArray
    lost: FloatArray

    @property
    def kept(self) -> FloatArray:
        """Customers that renew."""
        return np.asarray(self.at_risk - self.lost)

    @property
    def events(self) -> float:
        """Customers lost in all periods."""
        return float(self.lost.sum())

    def until(self, period: float) -> "RetentionCounts":
        """Return the counts known at the end of a period.

        Parameters
        ----------
        period : float
            Last period kept.

        Returns
        -------
        RetentionCounts
            May be without rows.
        """
        keep = self.period <= period
        return RetentionCounts(
            period=self.period[keep], at_risk=self.at_risk[keep], lost=self.lost[keep]
        )


def retention_counts(period: ArrayLike, *, at_risk: ArrayLike, lost: ArrayLike) -> RetentionCounts:
    """Check counts by period.

    Parameters
    ----------
    period : array_like
        Distinct whole periods of age from 1, increasing; some may be missing.
    at_risk, lost : array_like
        Customers, lost at most those at risk.

    Returns
    -------
    RetentionCounts
        Periods with nobody at risk left out.

    Raises
    ------
    InputError
        With all faults.
    """
    age, n, d = (np.asarray(x, dtype=float) for x in (period, at_risk, lost))
    faults = []
    if not age.ndim == 1 or {age.shape, n.shape, d.shape} != {age.shape}:
        raise InputError("retention: period, at_risk and lost must be of one length")
    if (np.diff(age) <= 0).any() or (age < 1).any() or (age != np.floor(age)).any():
        faults.append("retention: periods must be whole, distinct, increasing and at least 1")
    for name, values in (("at_risk", n), ("lost", d)):
        if bad := int((~np.isfinite(values) | (values < 0)).sum()):
            faults.append(f"retention: {name} is missing or negative in {bad} periods")
    if over := int((d > n).sum()):
        faults.append(f"retention: more are lost than were at risk in {over} periods")
    if faults:
        raise InputError(*faults)
    seen = n > 0
    return RetentionCounts(period=age[seen], at_risk=n[seen], lost=d[seen])


def from_survivors(*cohorts: Sequence[float]) -> RetentionCounts:
    """Count one or many cohorts, pooled by age.

    Parameters
    ----------
    *cohorts : sequence of float
        Customers of a cohort at the start and after each period; cohorts may be of different
        length.

    Returns
    -------
    RetentionCounts
        A cohort is censored after its last number.

    Raises
    ------
    InputError
        If a cohort grows, or has no period.

    Notes
    -----
    Cohorts that share a curve enter the likelihood by the sums of their counts by age, whatever
    their calendar [1]_.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. (2007). Fitting the sBG Model to Multi-Cohort Data. Note
       017, brucehardie.com.
    """
    alive = [np.asarray(c, dtype=float) for c in cohorts]
    grown = sum(bool((np.diff(c) > 0).any()) for c in alive)
    if grown:
        raise InputError(f"retention: {grown} cohorts grow; survivors never increase with age")
    longest = max((len(c) - 1 for c in alive), default=0)
    if longest < 1:
        raise InputError("retention: give the customers at the start and after at least one period")
    n, d = np.zeros(longest), np.zeros(longest)
    for c in alive:
        n[: len(c) - 1] += c[:-1]
        d[: len(c) - 1] += c[:-1] - c[1:]
    return retention_counts(np.arange(1, longest + 1), at_risk=n, lost=d)


def pool(parts: Sequence[RetentionCounts]) -> RetentionCounts:
    """Add up many cohorts that share a curve.

    Parameters
    ----------
    parts : sequence of RetentionCounts
        Cohorts or segments.

    Returns
    -------
    RetentionCounts
        Sums by period.
    """
    ages = np.unique(np.concatenate([p.period for p in parts])) if parts else np.zeros(0)
    n, d = np.zeros(len(ages)), np.zeros(len(ages))
    for part in parts:
        place = np.searchsorted(ages, part.period)
        n[place] += part.at_risk
        d[place] += part.lost
    return RetentionCounts(period=ages, at_risk=n, lost=d)
