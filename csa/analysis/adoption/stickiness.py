"""Stickiness: of the people of four weeks, the share that comes on a day."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from csa.analysis.adoption.actives import Actives
from csa.analysis.adoption.windows import ALL, DAY, WEEKS, Span
from csa.methods.moments import student

FEWEST: Final = 30  # people within four weeks, below which a share of them is anything
WEEK: Final = 7
MONDAY: Final = date(1970, 1, 5)
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stickiness:
    """Stickiness of a period, per group; `all` first.

    `table`: `group`, `value` (share) with `ci_low`, `ci_high`, `previous` (of the period before),
    `change` with `change_low`, `change_high`, `users` (mean within 28 days), `days` (that are
    known), `status`, `reason`. `trend`: `day`, `stickiness` of all people.
    """

    table: pd.DataFrame
    trend: pd.DataFrame
    span: Span
    confidence: float = 0.95


def stickiness(result: Actives) -> Stickiness:
    """Mean over the days of a period of daily actives over exact 28-day actives.

    Parameters
    ----------
    result : Actives
        From `csa.analysis.adoption.actives.actives`.

    Returns
    -------
    Stickiness
        "unclear" with few people, or where the period is shorter than two weeks.

    Notes
    -----
    (1/D) Σ_d DAU_d / MAU_d with MAU_d the distinct people of the 28 days up to d, d included; not
    daily actives over those of a calendar month, whose windows have different lengths. Weekends
    count. Interval: the calendar weeks of the period, Monday to Sunday, are its blocks (a sum of
    squares of their deviations, with Student's t for so few); days of one week hang together,
    weeks much less. The change of two periods
    adds the variances of both (Welch's degrees cut to the smaller number of weeks).
    """
    span = result.span
    shares = _shares(result.daily)
    table = pd.DataFrame(
        [_row(str(group), own, span, result.confidence) for group, own in shares.groupby("group")],
        columns=[
            *("group", "value", "ci_low", "ci_high", "previous", "change", "change_low"),
            *("change_high", "users", "days", "status", "reason"),
        ],
    )
    first = table["group"] == ALL
    trend = shares.loc[shares["group"] == ALL, ["day", "share"]]
    return Stickiness(
        table=pd.concat([table.loc[first], table.loc[~first]], ignore_index=True),
        trend=trend.rename(columns={"share": "stickiness"}).reset_index(drop=True),
        span=span,
        confidence=result.confidence,
    )


def _shares(daily: pd.DataFrame) -> pd.DataFrame:
    """Daily over 28-day actives, one row per group and day that is known whole."""
    known = daily.loc[daily["whole"].astype(bool)]
    wide = known.pivot_table(index=["group", "day"], columns="window_days", values="actives")
    wide = wide.reindex(columns=[1, WEEKS]).dropna().reset_index()
    month = wide[WEEKS].to_numpy(float)
    share = np.divide(wide[1].to_numpy(float), month, out=np.full(len(wide), NAN), where=month > 0)
    return pd.DataFrame(
        {"group": wide["group"], "day": wide["day"], "share": share, "users": month}
    )


def _row(group: str, own: pd.DataFrame, span: Span, confidence: float) -> dict[str, Any]:
    now = _between(own, span.start, span.last)
    before = _between(own, span.previous_start, span.start - DAY)
    whole = len(before) == (span.start - span.previous_start).days
    value, error, weeks = _blocks(now)
    old, old_error, old_weeks = _blocks(before) if whole else (NAN, NAN, 0)
    low, high = _limits(value, error, weeks, confidence)
    down, up = _limits(
        value - old, float(np.hypot(error, old_error)), min(weeks, old_weeks), confidence
    )
    users = float(now["users"].mean()) if len(now) else 0.0
    reason = span.reason
    if len(now) < (span.last - span.start).days + 1:
        reason = reason or "use was not recorded for 28 days before each day of the period"
    elif users < FEWEST:
        reason = reason or f"only {round(users)} people within 28 days"
    elif len(now) < 2 * WEEK:
        reason = reason or "fewer than two weeks"
    return {
        "group": group,
        "value": value,
        "ci_low": max(low, 0.0),
        "ci_high": min(high, 1.0),
        "previous": old,
        "change": value - old,
        "change_low": down,
        "change_high": up,
        "users": users,
        "days": len(now),
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }


def _between(own: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    within = (own["day"] >= pd.Timestamp(first)) & (own["day"] <= pd.Timestamp(last))
    return own.loc[within].sort_values("day")


def _blocks(own: pd.DataFrame) -> tuple[float, float, int]:
    """Mean over all days; its standard error by calendar week, and the number of weeks."""
    known = own.dropna(subset=["share"])
    if known.empty:
        return NAN, NAN, 0
    mean = float(known["share"].mean())
    week = (known["day"] - pd.Timestamp(MONDAY)).dt.days // WEEK
    off = (known["share"] - mean).groupby(week).sum().to_numpy(float)
    weeks = len(off)
    if weeks < 2:
        return mean, NAN, weeks
    return mean, float(np.sqrt(weeks / (weeks - 1) * (off @ off)) / len(known)), weeks


def _limits(value: float, error: float, weeks: int, confidence: float) -> tuple[float, float]:
    half = student(weeks - 1, confidence) * error if error > 0 else NAN
    return value - half, value + half
