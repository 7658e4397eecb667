"""What is true of the sample company: survival, effects and answers that no table shows.

Survival is exact up to a stated quadrature. Frailty z is gamma with mean 1 and variance 1 / shape;
given z, survival is a product over the times between reviews, since outreach is drawn anew at each:

    S(t | z) = prod_r [ q_r exp(-z ratio H_r(t)) + (1 - q_r) exp(-z H_r(t)) ]

H_r is the hazard of the r-th of these times up to t, q_r the probability of outreach. The integral
over z is Gauss-Laguerre with 12 nodes; without outreach it is (1 + H(t) / shape)^-shape. Hazards
depend on the calendar through the month in which a contract begins, so `survival` is what a
Kaplan-Meier curve with delayed entry tends to for the start days of this company: the mean hazard
of the contracts expected at risk at each age.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import roots_genlaguerre

from csa.data.sample import calendar, model
from csa.data.sample.model import Segment, day_number, month_index

Floats = npt.NDArray[np.float64]
STEP = 5  # days; every block and every age asked for is a multiple of it
HORIZON = 1800
DAYS = (30, 90, 180, 365, 730)
_NODES = 12
_GRID = np.arange(0, HORIZON + STEP, STEP)
_BLOCK_OF = _GRID[:-1] // model.BLOCK  # block of each step
_MONTHS = calendar.LAST_MONTH - calendar.FIRST_MONTH + 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Law:
    """Survival of a segment on the grid: by start month, and the same without outreach."""

    treated: Floats
    untreated: Floats
    by_cause: Floats  # share of each cause in the hazard of each step


@cache
def law(segment: Segment) -> Law:
    """Survival by start month, over billing, onboarding, frailty and outreach.

    Parameters
    ----------
    segment : Segment
        Segment of the company.

    Returns
    -------
    Law
        Arrays with a row per start month and a column per day of the grid.
    """
    rates = calendar.block_hazard(segment)
    ratios = calendar.block_ratios()[:, _BLOCK_OF] * (STEP / model.BLOCK)
    shares, onboarding = calendar.cells(segment)
    treated = np.zeros((_MONTHS, len(_GRID)))
    untreated = np.zeros_like(treated)
    for billing in (0, 1):
        steps = rates[billing].sum(axis=1)[_BLOCK_OF] * ratios
        for kind, percent in enumerate(model.REVIEW_PERCENT):
            share = shares[billing, kind]
            hazard = steps * onboarding[billing, kind]
            total = np.cumsum(np.pad(hazard, ((0, 0), (1, 0))), axis=1)
            untreated += share * (1 + total / segment.shape) ** -float(segment.shape)
            treated += share * _with_outreach(total, percent / 100, segment.shape)
    causes = rates[0][_BLOCK_OF]
    return Law(
        treated=treated,
        untreated=untreated,
        by_cause=causes / causes.sum(axis=1, keepdims=True),
    )


def _with_outreach(total: Floats, percent: float, shape: int) -> Floats:
    """Survival on the grid with outreach drawn at each review."""
    nodes, weights = roots_genlaguerre(_NODES, shape - 1)
    z = (nodes / shape)[:, None, None]
    edges = [0, *range(*_review_range()), len(_GRID) - 1]
    survival = np.ones((_NODES, *total.shape))
    for n, (first, past) in enumerate(pairwise(edges)):
        within = total[:, first : past + 1] - total[:, [first]]
        p = percent * _programme_running(first * STEP)[:, None] if n else 0.0
        mixed = p * np.exp(-z * model.OUTREACH_RATIO * within) + (1 - p) * np.exp(-z * within)
        survival[:, :, first : past + 1] = survival[:, :, [first]] * mixed
    return np.asarray(np.tensordot(weights / weights.sum(), survival, axes=1), dtype=np.float64)


def _review_range() -> tuple[int, int, int]:
    """First step, end and distance of reviews on the grid."""
    steps = model.BLOCK // STEP
    return model.REVIEW_FIRST * steps, len(_GRID) - 1, model.REVIEW_EVERY * steps


def _programme_running(age: int) -> Floats:
    """Share of each start month whose contracts reach `age` once the programme runs."""
    first = [calendar.month_start(m) for m in range(calendar.FIRST_MONTH, calendar.LAST_MONTH + 2)]
    begins = np.array([day_number(day) for day in first])
    late = begins[1:] - np.maximum(begins[:-1], day_number(model.PROGRAMME_DAY) - age)
    share: Floats = np.clip(late / np.diff(begins), 0.0, 1.0)
    return share


def survival(starts: dict[int, dict[int, int]]) -> dict[str, object]:
    """Truth on survival for the contracts of this company.

    Parameters
    ----------
    starts : dict
        Per segment number, the number of contracts by start day.

    Returns
    -------
    dict
        Per segment, and for all: contracts (spells), survival at `DAYS` as run and without
        outreach, restricted mean, cumulative incidence by cause, the curve every 30 days.
    """
    laws = {s.seg: law(s) for s in model.SEGMENTS}
    weights = {
        s.seg: _under_observation(starts.get(s.seg, {}), laws[s.seg]) for s in model.SEGMENTS
    }
    result: dict[str, object] = {}
    for name, members in (*((s.name, [s]) for s in model.SEGMENTS), ("all", model.SEGMENTS)):
        as_run = _limit([(laws[s.seg].treated, weights[s.seg], s) for s in members], laws)
        without = _limit([(laws[s.seg].untreated, weights[s.seg], s) for s in members], laws)
        result[name] = {
            "contracts": sum(sum(starts.get(s.seg, {}).values()) for s in members),
            **as_run,
            "without_outreach": without["survival"],
        }
    return result


def _under_observation(starts: dict[int, int], one: Law) -> Floats:
    """Contracts of each start month under observation at each age, before any leaves.

    A contract that began before the records is known because it stayed; dividing by the chance of
    that gives the number that began.
    """
    count = np.zeros((_MONTHS, len(_GRID)))
    for start, n in starts.items():
        month = month_index(model.FIRST_DAY + timedelta(days=start)) - calendar.FIRST_MONTH
        entry = max(0, -start)
        first = -(-entry // STEP)
        past = min(len(_GRID), -(-(model.LAST + 1 - start) // STEP))
        stayed = float(np.interp(entry, _GRID, one.treated[month]))
        count[month, first:past] += n / stayed
    return count


def _limit(parts: list[tuple[Floats, Floats, Segment]], laws: dict[int, Law]) -> dict[str, object]:
    """Limit of the Kaplan-Meier curve: one minus the mean hazard, step by step."""
    at_risk = np.zeros(len(_GRID) - 1)
    leaving = np.zeros((len(_GRID) - 1, len(model.CAUSES)))
    for curve, observed, segment in parts:
        alive = (observed[:, :-1] * curve[:, :-1]).sum(axis=0)
        gone = (observed[:, :-1] * (curve[:, :-1] - curve[:, 1:])).sum(axis=0)
        at_risk += alive
        leaving += gone[:, None] * laws[segment.seg].by_cause
    share = leaving / np.maximum(at_risk, 1e-12)[:, None]
    s = np.cumprod(np.concatenate([[1.0], 1 - share.sum(axis=1)]))
    incidence = np.cumsum(s[:-1, None] * share, axis=0)
    daily = np.interp(np.arange(HORIZON), _GRID, s)
    at = [day // STEP for day in DAYS]
    return {
        "survival": {str(day): round(float(s[n]), 6) for day, n in zip(DAYS, at, strict=True)},
        "restricted_mean_days": {
            str(day): round(float(daily[:day].sum()), 3) for day in (365, 730)
        },
        "incidence": {
            cause: {
                str(day): round(float(incidence[n - 1, c]), 6)
                for day, n in zip(DAYS, at, strict=True)
            }
            for c, cause in enumerate(model.CAUSES)
        },
        "curve_every_30_days": [round(float(x), 6) for x in s[:: model.BLOCK // STEP]],
    }


def closed_form(segment: Segment, days: int) -> float:
    """Survival of a segment with neither calendar nor outreach, in closed form.

    Parameters
    ----------
    segment : Segment
        Segment of the company.
    days : int
        Age.

    Returns
    -------
    float
        Sum over billing and onboarding of share x (1 + H / shape)^-shape.
    """
    exposure = np.clip(days / model.BLOCK - np.arange(calendar.BLOCKS), 0, 1)
    hazard = calendar.block_hazard(segment).sum(axis=2) @ exposure
    shares, ratios = calendar.cells(segment)
    stays = (1 + ratios * hazard[:, None] / segment.shape) ** -float(segment.shape)
    return float((shares * stays).sum())
