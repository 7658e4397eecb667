"""D-calibration: are whole survival curves right, not only a risk at one horizon."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.logrank import chi_square_tail

FloatArray = NDArray[np.float64]

BINS = 10
LEAST_EXPECTED = 5.0  # per bin of a chi-square test


class DCalibration(NamedTuple):
    """Chi-square test of whether survival at the end is spread evenly; NaN with a reason."""

    statistic: float
    df: int
    p_value: float
    counts: FloatArray  # per tenth of survival, from 0 up
    reason: str


def d_calibration(
    survival_at_end: ArrayLike, event: ArrayLike, *, bins: int = BINS
) -> DCalibration:
    """Test whether predicted survival at the end of each row is spread as it must be.

    Parameters
    ----------
    survival_at_end : array_like
        Predicted survival of each row at its own end; with late entry given alive at the entry,
        S(end) / S(entry).
    event : array_like
        Whether the row ended in the event there.
    bins : int
        Equal parts of [0, 1].

    Returns
    -------
    DCalibration
        NaN, with the reason, where fewer than 5 rows are expected in a bin.

    Notes
    -----
    Survival at the event is uniform if curves are right. A row censored at S = s would have its
    event at a value spread evenly over [0, s], and is shared out so [1]_. The test is
    conservative where many are censored.

    References
    ----------
    .. [1] Haider, H., Hoehn, B., Davis, S., Greiner, R. (2020). Effective ways to build and
       evaluate individual survival distributions. J. Mach. Learn. Res. 21(85), 1-63.
    """
    s, died = np.asarray(survival_at_end, dtype=float), np.asarray(event, dtype=bool)
    if s.shape != died.shape or not ((s >= 0) & (s <= 1)).all():
        raise InputError("D-calibration: survival is a share in [0, 1], one per row")
    place = np.minimum((s * bins).astype(int), bins - 1)
    counts = np.bincount(place[died], minlength=bins).astype(float)
    at, left = place[~died], s[~died]
    known = left > 0  # survival of 0 and still there: all of it in the lowest bin
    counts[0] += (~known).sum()
    at, left = at[known], left[known]
    counts += np.bincount(at, weights=(left - at / bins) / left, minlength=bins)
    lower = np.bincount(at, weights=1 / (bins * left), minlength=bins)
    counts += np.cumsum(lower[::-1])[::-1] - lower
    expected = len(s) / bins
    if expected < LEAST_EXPECTED:
        reason = f"{len(s)} rows: the test needs {LEAST_EXPECTED * bins:g}"
        return DCalibration(float("nan"), bins - 1, float("nan"), counts, reason)
    statistic = float(((counts - expected) ** 2).sum() / expected)
    return DCalibration(statistic, bins - 1, chi_square_tail(statistic, bins - 1), counts, "")
