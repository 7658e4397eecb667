"""Days, months and hazards of the sample company as small tables, read by the SQL and the truth."""

from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

from csa.data.sample import events, model
from csa.data.sample.model import day_number, month_index

Floats = npt.NDArray[np.float64]
Row = dict[str, object]

FIRST_MONTH = -36  # oldest month in which a contract may have begun
LAST_MONTH = month_index(model.LAST_DAY)
BLOCKS = (model.LAST + 1 + model.OLDEST_DAYS) // model.BLOCK + 1
_EASTER = (
    date(2022, 4, 17),
    date(2023, 4, 9),
    date(2024, 3, 31),
    date(2025, 4, 20),
    date(2026, 4, 5),
)
_USAGE_WEEK = (105, 108, 105, 102, 86, 18, 12)
_TICKET_WEEK = (110, 105, 100, 100, 90, 15, 10)
_SIGNUP_WEEK = (110, 110, 105, 100, 90, 35, 35)
_USAGE_SEASON = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.94, 0.88, 1.02, 1.03, 1.02, 0.92)
_SIGNUP_SEASON = (1.2, 1.1, 1.1, 1.0, 1.0, 0.95, 0.8, 0.7, 1.2, 1.2, 1.05, 0.7)
_SIGNUP_GROWTH = 1.010  # per month


def _is_holiday(day: date) -> bool:
    fixed = {(1, 1), (5, 1), (12, 24), (12, 25), (12, 26), (12, 31)}
    moving = {easter + timedelta(days=d) for easter in _EASTER for d in (-2, 1)}
    return (day.month, day.day) in fixed or day in moving


def _planted(metric: str, day: date) -> float:
    """Product of the planted factors in force on `day`."""
    factor = 1.0
    for a in events.ANOMALIES:
        if a.metric == metric and a.start <= day < a.end:
            power = (day - a.start).days / 30 if a.kind == "trend_break" else 1.0
            factor *= a.factor**power
    return factor


def _in_recession(day: date) -> bool:
    return model.RECESSION[0] <= day < model.RECESSION[1]


def _weight(metric: str, week: tuple[int, ...], season: tuple[float, ...], day: date) -> float:
    rest = 0.2 if _is_holiday(day) else 1.0
    return week[day.weekday()] * rest * season[day.month - 1] * _planted(metric, day)


@cache
def days() -> list[Row]:
    """Weights of every day of the records.

    Returns
    -------
    list of dict
        `d`, `cm` (month), and for usage and tickets the share of the month as whole buckets
        [`u0`, `u1`), [`t0`, `t1`); for signups [`s0`, `s1`) of the whole history.
    """
    rows: list[Row] = []
    flat = (1.0,) * 12
    month, usage, tickets, signups = None, 0, 0, 0
    for d in range(model.LAST + 1):
        day = model.FIRST_DAY + timedelta(days=d)
        if month != (month := month_index(day)):
            usage = tickets = 0
        dip = 0.96 if _in_recession(day) else 1.0
        slow = model.RECESSION_SIGNUPS if _in_recession(day) else 1.0
        growth = _SIGNUP_GROWTH**month
        u = round(dip * _weight("usage_events", _USAGE_WEEK, _USAGE_SEASON, day))
        t = round(_weight("tickets", _TICKET_WEEK, flat, day))
        s = round(slow * growth * _weight("signups", _SIGNUP_WEEK, _SIGNUP_SEASON, day))
        edges = {"u0": usage, "u1": usage + u, "t0": tickets, "t1": tickets + t}
        rows.append({"d": d, "cm": month, **edges, "s0": signups, "s1": signups + s})
        usage, tickets, signups = usage + u, tickets + t, signups + s
    return rows


def months() -> list[Row]:
    """Campaigns in force and the rate of contractions, by calendar month.

    Returns
    -------
    list of dict
        `cm`, `offer` and `webinar` (campaign number or None) with their day and percent
        exposed, `down_ratio`. Runs three months past the last day, for deals still open then.
    """
    rows: list[Row] = []
    for cm in range(LAST_MONTH + 4):
        first = month_start(cm)
        row: Row = {"cm": cm, "down_ratio": model.RECESSION_DOWN if _in_recession(first) else 1.0}
        for kind, lasts in (("offer", 3), ("webinar", 2)):
            active = [
                c
                for c in events.CAMPAIGNS
                if c.kind == kind and 0 <= cm - month_index(c.start) < lasts
            ]
            row[kind] = active[0].number if active else None
            row[f"{kind}_day"] = day_number(active[0].start) if active else None
            row[f"{kind}_percent"] = active[0].percent if active else None
        rows.append(row)
    return rows


def month_start(cm: int) -> date:
    """First day of a calendar month.

    Parameters
    ----------
    cm : int
        Month counted from the first month of the records, which is 0.

    Returns
    -------
    date
        Its first day.
    """
    year, month = divmod(model.FIRST_DAY.month - 1 + cm, 12)
    return date(model.FIRST_DAY.year + year, month + 1, 1)


def block_ratio(start_month: int, block: int) -> float:
    """Hazard ratio of the calendar for a block of tenure: season, recession, price rise.

    Parameters
    ----------
    start_month : int
        Month in which the contract began. The block counts to the calendar month that lies
        30 x block days after the 15th of that month.
    block : int
        Block of 30 days of tenure, from 0.

    Returns
    -------
    float
        Ratio to the hazard of the same block without them.
    """
    day = month_start(start_month) + timedelta(days=14 + model.BLOCK * block)
    ratio = model.SEASON[day.month - 1]
    if _in_recession(day):
        ratio *= model.RECESSION_RATIO
    since = month_index(day) - month_index(model.PRICE_DAY)
    if start_month < month_index(model.PRICE_DAY) and 0 <= since < 3:
        ratio *= model.PRICE_RATIO
    return ratio


@cache
def block_ratios() -> Floats:
    """All hazard ratios of the calendar.

    Returns
    -------
    array
        Rows: start months from `FIRST_MONTH` to the last; columns: blocks.
    """
    return np.array(
        [[block_ratio(m, k) for k in range(BLOCKS)] for m in range(FIRST_MONTH, LAST_MONTH + 1)]
    )


def block_hazard(segment: model.Segment) -> Floats:
    """Hazard per block before frailty, onboarding and calendar.

    Parameters
    ----------
    segment : Segment
        Segment of the company.

    Returns
    -------
    array
        Axes: billing (0 monthly, 1 yearly), block, cause.
    """
    block = np.arange(BLOCKS)
    band = np.searchsorted(model.BANDS, block, side="right")
    by_cause = np.array(segment.hazard)[band]
    years = (model.BLOCK * (block + 1) - 1) // model.YEAR
    due = np.diff(years, prepend=0) > 0  # a year is over within the block
    yearly = np.where(due, model.YEARLY_DUE, model.YEARLY_OFF)
    return np.stack([by_cause, by_cause * yearly[:, None]])


def cells(segment: model.Segment) -> tuple[Floats, Floats]:
    """Shares and hazard ratios of the six kinds of contract of a segment.

    Parameters
    ----------
    segment : Segment
        Segment of the company.

    Returns
    -------
    shares, ratios : arrays
        Axes: billing (monthly, yearly), onboarding.
    """
    yearly = segment.yearly_percent / 100
    onboarding = np.array(segment.onboarding) / 100
    return np.outer([1 - yearly, yearly], onboarding), np.outer([1, 1], model.ONBOARDING_RATIO)


@cache
def entries() -> list[Row]:
    """Kinds of contract among customers who began before day 0 and were still there on day 0.

    Returns
    -------
    list of dict
        `seg`, `start` (negative day) and `cum`, the cumulated shares of the six kinds: billing
        by onboarding, each weighted by its probability of having stayed.
    """
    starts = np.arange(-model.OLDEST_DAYS, 0)
    months = [month_index(model.FIRST_DAY + timedelta(days=int(d))) for d in starts]
    ratios = block_ratios()[np.array(months) - FIRST_MONTH]
    exposure = np.clip(-starts[:, None] / model.BLOCK - np.arange(BLOCKS), 0, 1)
    rows: list[Row] = []
    for segment in model.SEGMENTS:
        hazard = block_hazard(segment).sum(axis=2)
        shares, onboarding = cells(segment)
        before = (exposure * ratios) @ hazard.T
        stayed = (1 + onboarding * before[:, :, None] / segment.shape) ** -float(segment.shape)
        cum = np.cumsum((shares * stayed).reshape(len(starts), -1), axis=1)
        cum /= cum[:, -1:]
        rows += [
            {"seg": segment.seg, "start": int(d), "cum": row}
            for d, row in zip(starts, cum.tolist(), strict=True)
        ]
    return rows
