"""Survival by month of age per group: Kaplan-Meier as far as seen, an average of shapes beyond.

Every curve is a row of monthly hazards. Months with enough accounts at risk take theirs from the
life table in days; months before and after take theirs from the average over beta-discrete-
Weibull curves that the months seen leave open; steps at renewals are in the months seen only. A
group in which next to nobody left borrows the shape of all and keeps its own level, as far as its
counts carry it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.analysis.clv.contract_inputs import ALL
from csa.analysis.clv.contract_rows import MONTH_DAYS
from csa.methods.lifetable import LifeTable, connected_part
from csa.methods.retention.averaging import average_curves
from csa.methods.retention.counts import RetentionCounts

FloatArray = NDArray[np.float64]

MIN_AT_RISK = 10  # months with fewer at risk are taken from the shape
FEW_EVENTS = 20  # fewer are worth a remark
PSEUDO_EVENTS = 1.0  # over all months, so that months without a leaver are not held for safe
FEWEST_EVENTS = 5  # a group in which fewer left borrows the shape of all and is "unclear"
HIGHEST = 1 - 1e-9  # hazard of a month in which all left
WEAKEST, STRONGEST = 1.0, 200.0  # events that the level of all counts for


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GroupHazards:
    """Monthly hazards of a group: entry k is the chance to leave in month k + 1 of age.

    `first_seen` and `last_seen` are the months of age between which Kaplan-Meier is used.
    """

    hazard: FloatArray
    draws: FloatArray  # draws × months
    first_seen: int
    last_seen: int
    events: int
    at_risk_months: float
    status: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MonthlyTable:
    """Hazard, effective number at risk and those that left, by month of age from 1."""

    hazard: FloatArray
    at_risk: FloatArray
    lost: FloatArray
    seen: NDArray[np.bool_]

    def counts(self) -> RetentionCounts:
        """Return the months seen as counts."""
        month = (np.flatnonzero(self.seen) + 1).astype(np.float64)
        return RetentionCounts(
            period=month, at_risk=self.at_risk[self.seen], lost=self.lost[self.seen]
        )


def monthly(table: LifeTable, months: int) -> MonthlyTable:
    """Reduce a life table in days to months of age.

    Parameters
    ----------
    table : LifeTable
        Ages in days.
    months : int
        Months of age wanted.

    Returns
    -------
    MonthlyTable
        A month is seen where at least 10 are at risk at its beginning and at its last day. Its
        hazard is that of Kaplan-Meier from its first to its last day; the effective number at
        risk is the one with which so many that left make that hazard.
    """
    part, _ = connected_part(table, MIN_AT_RISK)
    ends = np.floor(np.arange(months + 1) * MONTH_DAYS)
    place = np.clip(np.ceil(part.time / MONTH_DAYS).astype(int) - 1, 0, None)
    inside = place < months
    n, d = part.at_risk.astype(float), part.events.astype(float)
    with np.errstate(divide="ignore"):
        step = np.log1p(-np.minimum(d / np.maximum(n, 1.0), HIGHEST))
    weights = {"minlength": months}
    log_stay = np.bincount(place[inside], weights=step[inside], **weights)
    lost = np.bincount(place[inside], weights=d[inside], **weights).astype(np.float64)
    start, stop = part.at_risk_at(ends[:-1] + 1), part.at_risk_at(ends[1:])
    hazard = -np.expm1(log_stay)
    mean = (start + stop) / 2
    at_risk = np.where(lost > 0, lost / np.maximum(hazard, 1e-300), mean)
    known = (ends[:-1] >= part.start) & (ends[1:] <= (part.time[-1] if len(part.time) else -1.0))
    over = (stop == 0) & (start >= MIN_AT_RISK) & (hazard > 0.5)  # all left within the month
    seen = known & (start >= MIN_AT_RISK) & ((stop >= MIN_AT_RISK) | over)
    return MonthlyTable(hazard=hazard, at_risk=at_risk, lost=lost, seen=seen)


def group_hazards(
    tables: dict[str, LifeTable], months: int, draws: int, rng: np.random.Generator
) -> dict[str, GroupHazards]:
    """Monthly hazards of every group and of all, with draws.

    Parameters
    ----------
    tables : dict of str to LifeTable
        In days, `all` first.
    months : int
        Months of age wanted.
    draws : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to GroupHazards
        "unclear" where fewer than 5 left and the shape is that of all.

    Notes
    -----
    Draws of a month seen are Beta(lost + p, kept): independent increments, with about the mean of
    Kaplan-Meier and Greenwood's variance [1]_ [2]_; the p of all months add up to one leaver, laid
    out by the shape, so that a month in which nobody left is not held for safe. Draws of the shape
    are those of `average_curves`; both are put in the order of their survival to the last month
    seen and paired, so that a draw that loses more early loses more late.

    References
    ----------
    .. [1] Lo, A. Y. (1993). A Bayesian bootstrap for censored data. Ann. Stat. 21, 100-123.
    .. [2] Hjort, N. L. (1990). Nonparametric Bayes estimators based on beta processes in models
       for life history data. Ann. Stat. 18, 1259-1294.
    """
    reduced = {name: monthly(table, months) for name, table in tables.items()}
    events = {name: int(table.events.sum()) for name, table in tables.items()}
    whole = _own(reduced[ALL], events[ALL], draws, rng)
    enough = [n for n in reduced if n != ALL and events[n] >= FEWEST_EVENTS]
    strength = _strength([reduced[n] for n in enough], whole)
    found = {ALL: whole}
    for name, table in reduced.items():
        if name != ALL:
            alone = name in enough or len(reduced) == 2
            found[name] = (
                _own(table, events[name], draws, rng)
                if alone
                else _borrowed(table, whole, strength, events[name], rng)
            )
    return found


def _own(table: MonthlyTable, events: int, draws: int, rng: np.random.Generator) -> GroupHazards:
    """Hazards of a group from its own counts."""
    months = np.arange(len(table.hazard) + 1.0)
    shapes = average_curves(table.counts(), rng, draws=draws)
    with np.errstate(divide="ignore"):
        model = shapes.curves(months)
    shape = _hazards(model)
    mean_curve = model.mean(axis=0)
    kept = np.maximum(table.at_risk - table.lost, 0.0)
    due = np.where(table.seen, table.at_risk * _hazards(mean_curve[None])[0], 0.0)
    more = PSEUDO_EVENTS * due / max(float(due.sum()), 1e-300)
    drawn = rng.beta(np.maximum(table.lost + more, 1e-9), np.maximum(kept, 1e-9), shape.shape)
    last = int(np.flatnonzero(table.seen)[-1]) + 1 if table.seen.any() else 0
    own = np.where(table.seen, drawn, shape)
    if last:
        own[:, last:] = own[:, last:][_paired(own[:, :last], shape[:, :last])]
    return GroupHazards(
        hazard=np.minimum(
            np.where(table.seen, table.hazard, _hazards(mean_curve[None])[0]), HIGHEST
        ),
        draws=np.minimum(own, HIGHEST),
        first_seen=int(np.argmax(table.seen)) if last else 0,
        last_seen=last,
        events=events,
        at_risk_months=float(table.at_risk[table.seen].sum()),
        status="unclear" if events < FEWEST_EVENTS or shapes.status != "ok" else "ok",
        reason=f"only {events} left so far" if events < FEW_EVENTS else shapes.reason,
    )


def _hazards(curves: FloatArray) -> FloatArray:
    """Hazards of curves; all leave where nobody is left."""
    before = np.maximum(curves[:, :-1], 1e-300)
    return np.asarray(np.clip(1 - curves[:, 1:] / before, 0.0, HIGHEST))


def _paired(own: FloatArray, shape: FloatArray) -> NDArray[np.int64]:
    """Order in which draws of the shape meet those of the months seen."""
    rank = np.argsort(np.argsort(np.log1p(-np.minimum(own, HIGHEST)).sum(axis=1)))
    order = np.argsort(np.log1p(-shape).sum(axis=1))
    return np.asarray(order[rank])


def _strength(tables: list[MonthlyTable], whole: GroupHazards) -> float:
    """Events that the level of all counts for: the reciprocal of the variance between groups."""
    if len(tables) < 2:
        return WEAKEST
    left = np.array([t.lost[t.seen].sum() for t in tables])
    due = np.array([(t.at_risk * whole.hazard)[t.seen].sum() for t in tables])
    usable = (left > 0) & (due > 0)
    ratio = np.log(left[usable] / due[usable])
    if len(ratio) < 2:
        return WEAKEST
    between = float(ratio.var(ddof=1) - (1 / left[usable]).mean())
    return float(np.clip(1 / between if between > 0 else STRONGEST, WEAKEST, STRONGEST))


def _borrowed(
    table: MonthlyTable,
    whole: GroupHazards,
    strength: float,
    events: int,
    rng: np.random.Generator,
) -> GroupHazards:
    """Hazards of all times the level of a group, drawn in to one as its counts are few."""
    seen = table.at_risk > 0
    due = float((table.at_risk * whole.hazard)[seen].sum())
    lost = float(table.lost.sum())
    level = (lost + strength) / (due + strength)
    drawn = rng.gamma(lost + strength, 1 / (due + strength), len(whole.draws))

    def scaled(hazard: FloatArray, ratio: FloatArray | float) -> FloatArray:
        return np.asarray(-np.expm1(np.log1p(-hazard) * ratio))

    reason = f"only {events} left: shape of all, {level:.2f} times its hazard"
    return GroupHazards(
        hazard=scaled(whole.hazard, level),
        draws=scaled(whole.draws, drawn[:, None]),
        first_seen=whole.first_seen,
        last_seen=whole.last_seen,
        events=events,
        at_risk_months=float(table.at_risk.sum()),
        status="unclear",
        reason=reason,
    )
