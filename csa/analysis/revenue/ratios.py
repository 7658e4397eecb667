"""Ratios of sums with limits: one rate of one window, or its change between two."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.analysis.revenue.drawn import Drawn
from csa.methods.bootstrap import effective_terms, percentile_limits
from csa.methods.intervals import Estimates

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of sums: above the line some with their signs, below it one."""

    above: Mapping[str, float]
    below: str


def estimated(sums: Drawn, ratio: Ratio, at: int, *, confidence: float) -> Estimates:
    """Estimate a ratio in one window, for every group.

    Parameters
    ----------
    sums : Drawn
        With the sums of the ratio.
    ratio : Ratio
        What is above and below the line.
    at : int
        Place of the window.
    confidence : float
        Level of the limits, share in (0, 1).

    Returns
    -------
    Estimates
        Expanded percentiles of the bootstrap; NaN where nothing is below the line.
    """
    value, drawn = _value(sums, ratio, at), _replicates(sums, ratio, at)
    effective = effective_accounts(sums, ratio, at)
    return percentile_limits(value, drawn, confidence=confidence, effective=effective)


def changed(sums: Drawn, ratio: Ratio, at: int, *, confidence: float) -> Estimates:
    """Estimate the change of a ratio from the window after `at`, which is the one before in time.

    Parameters
    ----------
    sums : Drawn
        With the sums of the ratio.
    ratio : Ratio
        What is above and below the line.
    at : int
        Place of the window.
    confidence : float
        Level of the limits, share in (0, 1).

    Returns
    -------
    Estimates
        The same draws serve both windows, which may overlap.
    """
    with np.errstate(invalid="ignore"):
        value = _value(sums, ratio, at) - _value(sums, ratio, at + 1)
        drawn = _replicates(sums, ratio, at) - _replicates(sums, ratio, at + 1)
    effective = effective_accounts(sums, ratio, at, at + 1)
    return percentile_limits(value, drawn, confidence=confidence, effective=effective)


def effective_accounts(sums: Drawn, ratio: Ratio, at: int, before: int | None = None) -> FloatArray:
    """Count the accounts of one weight that would make a ratio, or its change, vary as much.

    Parameters
    ----------
    sums : Drawn
        With the sums of the ratio.
    ratio : Ratio
        What is above and below the line.
    at : int
        Place of the window.
    before : int, optional
        Place of the window from which the change is taken.

    Returns
    -------
    ndarray of float
        Per group; NaN where nothing varies.
    """
    found = []
    for place in range(len(sums.groups)):
        units = sums.units if place == 0 else sums.units[place - 1 : place]
        terms = [_terms(sums, ratio, np.concatenate(units)[:, at]) if units else np.zeros(0)]
        if before is not None and units:
            terms.append(_terms(sums, ratio, np.concatenate(units)[:, before]))
        both = terms[0] - terms[1] if len(terms) > 1 else terms[0]
        found.append(float(effective_terms(both[:, None])[0]))
    return np.array(found)


def _terms(sums: Drawn, ratio: Ratio, units: FloatArray) -> FloatArray:
    """Compute what each unit adds to the error of a ratio (linearised)."""
    above = sum(sign * units[:, sums.stats.index(name)] for name, sign in ratio.above.items())
    below = units[:, sums.stats.index(ratio.below)]
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = (above - np.sum(above) / below.sum() * below) / below.sum()
    return np.asarray(np.nan_to_num(terms, nan=0.0, posinf=0.0, neginf=0.0))


def value_of(sums: Drawn, ratio: Ratio) -> FloatArray:
    """Compute a ratio in all windows.

    Parameters
    ----------
    sums : Drawn
        With the sums of the ratio.
    ratio : Ratio
        What is above and below the line.

    Returns
    -------
    ndarray of float
        Groups × windows; NaN where nothing is below the line.
    """
    above = sum(sign * sums.stat(name) for name, sign in ratio.above.items())
    below = sums.stat(ratio.below)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(below > 0, above / below, np.nan))


def _value(sums: Drawn, ratio: Ratio, at: int) -> FloatArray:
    return value_of(sums, ratio)[:, at]


def _replicates(sums: Drawn, ratio: Ratio, at: int) -> FloatArray:
    above = sum(sign * sums.drawn(name)[..., at] for name, sign in ratio.above.items())
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(above / sums.drawn(ratio.below)[..., at])
