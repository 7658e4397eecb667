"""Survival beyond the data: parametric curves, only where they fit what was seen.

How long accounts stay that nobody has seen long enough is a guess made by a shape. Three shapes
are fitted to each group, each is held against the Kaplan-Meier curve, and what goes beyond the
ages seen is marked; a shape that misses the curve, or ages far beyond, give no number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.extrapolation_fits import (
    FittedGroup,
    fit_group,
    hazard_since,
    survival_since,
)
from csa.analysis.churn.spells import count_spells
from csa.errors import InputError
from csa.methods.aft import DISTRIBUTIONS, AftFit, Distribution
from csa.methods.intervals import Estimates, normal_quantile

FloatArray = NDArray[np.float64]

MOST_TIMES = 2.0  # no number for ages beyond so many times the last age seen
STEPS = 4001  # ages at which a curve is summed
FITS = [
    "group",
    "distribution",
    "n",
    "events",
    "location",
    "scale",
    "log_likelihood",
    "aic",
    "largest_distance",
    "largest_miss",
    "share_within",
    "fits",
    "chosen",
    "reason",
]
CURVES = [
    "group",
    "distribution",
    "age_days",
    "survival",
    "ci_low",
    "ci_high",
    "among_low",
    "among_high",
    "observed",
    "extrapolated",
    "status",
    "reason",
]
LIFETIMES = [
    "group",
    "distribution",
    "n",
    "events",
    "starts_at_days",
    "seen_until_days",
    "horizon_days",
    "lifetime_days",
    "ci_low",
    "ci_high",
    "among_low",
    "among_high",
    "extrapolated_share",
    "status",
    "reason",
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ExtrapolationResult:
    """Parametric survival per group and over all (`all`, first), given alive where it starts.

    `curves`: `group`, `distribution`, `age_days`, `survival`, `ci_low`, `ci_high` (of the chosen
    distribution), `among_low`, `among_high` (lowest and highest of all that fit), `observed`
    (Kaplan-Meier, NaN beyond the data), `extrapolated` (beyond the ages seen), `status`, `reason`.
    `fits`: one row per group and distribution: `n`, `events`, `location` and `scale` of log time,
    `log_likelihood`, `aic`, `largest_distance` from Kaplan-Meier over the ages seen,
    `largest_miss` (outside its interval, on the day on which that matters most), `share_within`
    (of the days seen), `fits`, `chosen`, `reason`.
    `lifetimes`: `group`, `distribution`, `n`, `events`, `starts_at_days`, `seen_until_days`,
    `horizon_days`, `lifetime_days` (expected age at the end, cut at the horizon), `ci_low`,
    `ci_high`, `among_low`, `among_high`, `extrapolated_share` (of the time lived after the
    start), `status`, `reason`.
    """

    curves: pd.DataFrame
    fits: pd.DataFrame
    lifetimes: pd.DataFrame
    horizon_days: int
    confidence: float


def extrapolate(
    spells: ir.Table | pd.DataFrame,
    *,
    horizon_days: int,
    step_days: int = 30,
    distributions: Sequence[Distribution] = DISTRIBUTIONS,
    most_times: float = MOST_TIMES,
    confidence: float = 0.95,
) -> ExtrapolationResult:
    """Parametric survival and expected lifetime per group, up to ages nobody was seen at.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        `group`, `entry_days`, `exit_days`, `event` as for survival.
    horizon_days : int
        Last age wanted; expected lifetimes are cut there.
    step_days : int
        Ages of the curves are multiples of this.
    distributions : sequence of str
        Of "weibull", "lognormal", "loglogistic".
    most_times : float
        Ages beyond so many times the last age seen get no number.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    ExtrapolationResult
        "unclear" with a reason, and NaN, for a group with too little data, of which no
        distribution fits, and for ages too far beyond the data.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, an age is missing or negative, or an option
        is impossible.

    Notes
    -----
    Ages seen are those up to the last at which 10 are at risk. Days are whole: a spell that ends
    on day t ended after t - 1, up to t. The fit takes late entries as they are; its curve is
    shown given alive at the age at which the Kaplan-Meier curve starts. A distribution is refused
    that on a day seen lies outside the pointwise interval of Kaplan-Meier by more than 0.02, or
    by more than a fifth of the survival left; of the others the one with the lowest AIC [1]_ is
    chosen. Its interval (delta method on log(-log S)) takes the shape as known; how much hangs on
    the shape is what `among_low` and `among_high` show. A steady shape cannot follow churn that
    comes in yearly steps, and is then refused.

    References
    ----------
    .. [1] Latimer, N. R. (2013). Survival analysis for economic evaluations alongside clinical
       trials: extrapolation with patient-level data. Med. Decis. Making 33, 743-754.
    """
    _check(horizon_days, step_days, most_times, distributions)
    z = normal_quantile(confidence)
    counts = count_spells(spells)
    groups = [
        fit_group(name, table, distributions, confidence) for name, table in counts.tables.items()
    ]
    return ExtrapolationResult(
        curves=pd.concat([_curve(g, horizon_days, step_days, most_times, z) for g in groups])[
            CURVES
        ].reset_index(drop=True),
        fits=pd.DataFrame([row for g in groups for row in _fits(g)], columns=FITS),
        lifetimes=pd.DataFrame(
            [_lifetime(g, horizon_days, most_times, z) for g in groups], columns=LIFETIMES
        ),
        horizon_days=horizon_days,
        confidence=confidence,
    )


def _check(horizon: int, step: int, most_times: float, distributions: Sequence[str]) -> None:
    faults = [
        f"{name}: {value} is not above 0"
        for name, value in (("horizon_days", horizon), ("step_days", step))
        if not value > 0
    ]
    if not most_times >= 1:
        faults.append(f"most_times: {most_times} is below 1; ages seen are always shown")
    if not distributions or set(distributions) - set(DISTRIBUTIONS):
        faults.append(f"distributions: name some of {', '.join(DISTRIBUTIONS)}")
    if faults:
        raise InputError(*faults)


def _curve(
    group: FittedGroup, horizon: int, step: int, most_times: float, z: float
) -> pd.DataFrame:
    """Curve of the chosen distribution at multiples of the step."""
    start = group.curve.table.start
    first = start if np.isfinite(start) else 0.0
    multiples = np.arange(step * (first // step + 1), horizon, step)
    ages = np.unique(np.concatenate([[first], multiples, [horizon]]))
    nothing = np.full(len(ages), np.nan)
    own, among = Estimates(nothing, nothing, nothing), (nothing, nothing)
    if group.usable:
        own = survival_since(group.usable[0].fit, ages, first, z)
        all_of_them = [np.exp(-hazard_since(c.fit, ages, first)[0]) for c in group.usable]
        among = np.min(all_of_them, axis=0), np.max(all_of_them, axis=0)
    too_far = f"beyond {most_times:g} times the last age seen"
    far = ages > most_times * group.seen_until
    reason = np.where(group.reason != "", group.reason, np.where(far, too_far, ""))
    seen = ages <= group.seen_until
    figures = {"survival": own.value, "ci_low": own.low, "ci_high": own.high}
    figures |= {"among_low": among[0], "among_high": among[1]}
    return pd.DataFrame(
        {
            "group": group.name,
            "distribution": group.usable[0].fit.distribution if group.usable else "",
            "age_days": ages,
            **{name: np.where(far, np.nan, values) for name, values in figures.items()},
            "observed": [
                group.curve.at(a).value if s else np.nan for a, s in zip(ages, seen, strict=True)
            ],
            "extrapolated": ~seen,
            "status": np.where(reason == "", "ok", "unclear"),
            "reason": reason,
        }
    )


def _fits(group: FittedGroup) -> list[dict[str, object]]:
    """Rows on the distributions tried."""
    return [
        {
            "group": group.name,
            "distribution": c.fit.distribution,
            "n": group.n,
            "events": group.events,
            "location": float(c.fit.coefficients[0]),
            "scale": float(np.exp(c.fit.log_scale)),
            "log_likelihood": c.fit.log_likelihood,
            "aic": c.fit.aic,
            "largest_distance": c.distance,
            "largest_miss": c.miss,
            "share_within": c.within,
            "fits": not c.reason,
            "chosen": c is group.candidates[0] and not c.reason,
            "reason": c.reason,
        }
        for c in group.candidates
    ]


def _lifetime(group: FittedGroup, horizon: int, most_times: float, z: float) -> dict[str, object]:
    """Give the expected age at the end, cut at the horizon."""
    start, nan = group.curve.table.start, float("nan")
    reason, furthest = group.reason, most_times * group.seen_until
    if not reason and horizon > furthest:
        reason = f"no figure beyond {furthest:g} days, {most_times:g} times the last age seen"
    elif not reason and horizon <= start:
        reason = f"the curve starts at {start:g} days only"
    row: dict[str, object] = {
        "group": group.name,
        "distribution": group.usable[0].fit.distribution if group.usable else "",
        "n": group.n,
        "events": group.events,
        "starts_at_days": start if np.isfinite(start) else nan,
        "seen_until_days": group.seen_until,
        "horizon_days": horizon,
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }
    if reason:
        figures = ("lifetime_days", "ci_low", "ci_high", "among_low", "among_high")
        return row | dict.fromkeys([*figures, "extrapolated_share"], nan)
    means = [_mean_age(c.fit, start, horizon) for c in group.usable]
    mean, error = means[0]
    seen = _mean_age(group.usable[0].fit, start, min(max(group.seen_until, start), horizon))[0]
    return row | {
        "lifetime_days": mean,
        "ci_low": max(mean - z * error, start),
        "ci_high": min(mean + z * error, float(horizon)),
        "among_low": min(m for m, _ in means),
        "among_high": max(m for m, _ in means),
        "extrapolated_share": (mean - seen) / (mean - start),
    }


def _mean_age(fit: AftFit, start: float, until: float) -> tuple[float, float]:
    """Age at the end, cut at an age, given alive at the start; and its standard error."""
    ages = np.linspace(start, until, STEPS)
    value, slopes = hazard_since(fit, ages, start)
    survival = np.exp(-value)
    gradient = np.trapezoid(-survival[:, None] * slopes, ages, axis=0)
    variance = float(gradient @ fit.covariance @ gradient)
    return float(start + np.trapezoid(survival, ages)), float(np.sqrt(max(variance, 0.0)))
