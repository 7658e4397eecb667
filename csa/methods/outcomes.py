"""What is known at a horizon, and how much each known row stands for.

An account that leaves observation before the horizon without an event tells nothing about the
horizon. Those that can be judged are weighted by one over their chance of still being observed
(inverse probability of censoring), so that together they stand for all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.lifetable import tabulate

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Censoring:
    """Kaplan-Meier curve G of the time until a row leaves observation without the event.

    An event comes before a censoring at the same time, so it is not at risk of it.
    """

    time: FloatArray
    staying: FloatArray  # G just after each time

    @property
    def end(self) -> float:
        """First time after which nobody can be followed; infinite if there is none."""
        gone = np.flatnonzero(self.staying <= 0)
        return float(self.time[gone[0]]) if len(gone) else float("inf")

    def before(self, times: ArrayLike) -> FloatArray:
        """G(t-): chance of not having left observation before each time.

        Parameters
        ----------
        times : array_like
            Times.

        Returns
        -------
        ndarray of float
            Shares; 1 up to the first time somebody leaves.
        """
        return self._stepped(times, "left")

    def upto(self, times: ArrayLike) -> FloatArray:
        """G(t): chance of not having left observation up to each time, itself included.

        Parameters
        ----------
        times : array_like
            Times.

        Returns
        -------
        ndarray of float
            Shares.
        """
        return self._stepped(times, "right")

    def _stepped(self, times: ArrayLike, side: Literal["left", "right"]) -> FloatArray:
        at = np.searchsorted(self.time, np.asarray(times, dtype=float), side=side)
        return np.asarray(np.append(1.0, self.staying)[at])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcomes:
    """Rows as known at a horizon: `event` by then, and a weight, 0 where it is not known.

    `horizon` is the one judged at, `asked` the one asked for; `note` says why they differ, else
    it is empty.
    """

    event: BoolArray
    weight: FloatArray
    horizon: float
    asked: float
    note: str

    @property
    def known(self) -> BoolArray:
        """Rows whose outcome is known."""
        return self.weight > 0

    @property
    def base_rate(self) -> float:
        """Share with the event by the horizon: one minus Kaplan-Meier; NaN without rows."""
        total = self.weight.sum()
        return float(self.weight[self.event].sum() / total) if total > 0 else float("nan")

    def part(self, rows: BoolArray) -> "Outcomes":
        """Take some of the rows, with their weights.

        Parameters
        ----------
        rows : ndarray of bool
            Rows to keep.

        Returns
        -------
        Outcomes
            At the same horizon.
        """
        return replace(self, event=self.event[rows], weight=self.weight[rows])

    def __len__(self) -> int:
        """Count all rows, known or not."""
        return len(self.weight)


def censoring_curve(
    time: ArrayLike, event: ArrayLike, *, entry: ArrayLike | None = None
) -> Censoring:
    """Kaplan-Meier curve of the censoring.

    Parameters
    ----------
    time, event : array_like
        Time at the end of each row, and whether it ended in the event.
    entry : array_like, optional
        Time at which each came under observation; 0 or less: from the beginning.

    Returns
    -------
    Censoring
        On the times at which somebody leaves without the event.

    Notes
    -----
    G(t) = Π (1 - c / (n - d)) over times up to t with c censored and d events among n at risk.
    With this order of ties the weights of `outcomes_at` add up to the number of rows, and the
    weighted share of events is one minus the Kaplan-Meier estimate [1]_.

    References
    ----------
    .. [1] Satten, G. A., Datta, S. (2001). The Kaplan-Meier estimator as an
       inverse-probability-of-censoring weighted average. Am. Stat. 55, 207-210.
    """
    table = tabulate(time, event, entry=entry)
    leaving = table.censored > 0
    stay = 1 - table.censored[leaving] / (table.at_risk - table.events)[leaving]
    return Censoring(time=table.time[leaving], staying=np.cumprod(stay))


def outcomes_at(
    horizon: float, time: ArrayLike, event: ArrayLike, *, entry: ArrayLike | None = None
) -> Outcomes:
    """Outcomes at a horizon with weights for censoring; the horizon is cut where data end.

    Parameters
    ----------
    horizon : float
        Time by which the event is asked for.
    time, event : array_like
        Time at the end of each row, and whether it ended in the event.
    entry : array_like, optional
        Time at which each came under observation; 0 or less: from the beginning. A row is judged
        given that it had no event up to its entry; one that enters at the horizon or later says
        nothing about it.

    Returns
    -------
    Outcomes
        Event at or before the horizon: weight G(entry) / G(time-). Followed to the horizon, be it
        censored on that very day: G(entry) / G(horizon-). Else 0.

    Raises
    ------
    InputError
        If the horizon is not above 0, a time is missing, or a row enters at or after its end.

    Notes
    -----
    Where G reaches 0, or nobody is followed so far, weights would be infinite; the horizon is
    then the last time at which somebody is known, and `note` says so. A row censored at the very
    horizon counts as followed to it: events of that day would have been seen before [1]_.

    References
    ----------
    .. [1] Graf, E., Schmoor, C., Sauerbrei, W., Schumacher, M. (1999). Assessment and comparison
       of prognostic classification schemes for survival data. Stat. Med. 18, 2529-2545.
    """
    return next(outcomes_along([horizon], time, event, entry=entry))


def outcomes_along(
    horizons: ArrayLike, time: ArrayLike, event: ArrayLike, *, entry: ArrayLike | None = None
) -> Iterator[Outcomes]:
    """Outcomes at several horizons, with one curve of the censoring.

    Parameters
    ----------
    horizons : array_like
        Times by which the event is asked for.
    time, event : array_like
        Time at the end of each row, and whether it ended in the event.
    entry : array_like, optional
        Time at which each came under observation; 0 or less: from the beginning.

    Yields
    ------
    Outcomes
        As `outcomes_at`, one per horizon.

    Raises
    ------
    InputError
        As `outcomes_at`.
    """
    ends, died = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    starts = np.zeros_like(ends) if entry is None else np.asarray(entry, dtype=float)
    if missing := int((~np.isfinite(ends)).sum() + (~np.isfinite(starts)).sum()):
        raise InputError(f"outcomes: time or entry is missing in {missing} rows; leave them out")
    curve = censoring_curve(ends, died, entry=starts)
    given = curve.upto(np.where(starts > 0, starts, -np.inf))
    for horizon in np.asarray(horizons, dtype=float).tolist():
        yield _judged(horizon, curve, (ends, died, starts), given)


def _judged(
    horizon: float,
    curve: Censoring,
    rows: tuple[FloatArray, BoolArray, FloatArray],
    given: FloatArray,
) -> Outcomes:
    if not horizon > 0:
        raise InputError(f"horizon: {horizon} is not above 0")
    ends, died, starts = rows
    judged = min(horizon, curve.end)
    by_then, followed = died & (ends <= judged), ends >= judged
    weight = np.zeros(len(ends))
    staying = curve.before(np.minimum(ends, judged))
    np.divide(given, staying, out=weight, where=(by_then | followed) & (starts < judged))
    note = ""
    if judged < horizon:
        note = f"nobody is followed to {horizon:g}: judged at {judged:g}, where the data end"
    return Outcomes(event=by_then, weight=weight, horizon=judged, asked=horizon, note=note)


def known_outcomes(event: ArrayLike) -> Outcomes:
    """Outcomes that are all known, such as those of a test set without times.

    Parameters
    ----------
    event : array_like
        Whether each row had the event.

    Returns
    -------
    Outcomes
        With weights of 1, and no horizon.
    """
    happened = np.asarray(event, dtype=bool)
    nowhere = float("nan")
    return Outcomes(
        event=happened, weight=np.ones(len(happened)), horizon=nowhere, asked=nowhere, note=""
    )
