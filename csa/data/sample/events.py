"""What happens to the sample company on known days: planted anomalies, campaigns, survey waves."""

from dataclasses import dataclass
from datetime import date, timedelta

from csa.data.sample.model import FIRST_DAY, LAST_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """A planted change of a daily series: `factor` on [start, end)."""

    metric: str
    kind: str
    start: date
    end: date
    factor: float
    why: str


_END = date(2026, 11, 1)
ANOMALIES = (
    Anomaly(
        metric="usage_events",
        kind="level_shift",
        start=date(2022, 9, 5),
        end=_END,
        factor=1.25,
        why="release of Automations",
    ),
    Anomaly(
        metric="usage_events",
        kind="spike",
        start=date(2024, 5, 14),
        end=date(2024, 5, 15),
        factor=2.5,
        why="user conference",
    ),
    Anomaly(
        metric="usage_events",
        kind="drop",
        start=date(2025, 6, 17),
        end=date(2025, 6, 18),
        factor=0.08,
        why="outage",
    ),
    Anomaly(
        metric="usage_events",
        kind="level_shift",
        start=date(2025, 9, 15),
        end=date(2025, 11, 3),
        factor=0.8,
        why="lost tracking in one client",
    ),
    Anomaly(
        metric="usage_events",
        kind="trend_break",
        start=date(2026, 3, 2),
        end=_END,
        factor=1.015,  # per 30 days
        why="Assistant catches on",
    ),
    Anomaly(
        metric="usage_events",
        kind="spike",
        start=date(2026, 8, 19),
        end=date(2026, 8, 20),
        factor=2.2,
        why="automated traffic",
    ),
    Anomaly(
        metric="usage_events",
        kind="drop",
        start=date(2026, 10, 22),
        end=date(2026, 10, 23),
        factor=0.35,
        why="partial outage",
    ),
    Anomaly(
        metric="tickets",
        kind="spike",
        start=date(2025, 6, 17),
        end=date(2025, 6, 19),
        factor=6.0,
        why="outage",
    ),
    Anomaly(
        metric="tickets",
        kind="spike",
        start=date(2026, 10, 22),
        end=date(2026, 10, 23),
        factor=3.0,
        why="partial outage",
    ),
    Anomaly(
        metric="signups",
        kind="spike",
        start=date(2025, 10, 7),
        end=date(2025, 10, 9),
        factor=4.0,
        why="press article",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign; `percent` of the customers of its first day are exposed, at random."""

    number: int
    name: str
    kind: str
    start: date
    days: int
    percent: int


def _campaigns() -> tuple[Campaign, ...]:
    """Plan a newsletter, an offer, a training, a webinar and a fair for every year."""
    yearly = (
        ("Newsletter", "newsletter", 2, 1, 10, 60),
        ("Growth offer", "offer", 4, 1, 30, 35),
        ("Summer training", "training", 6, 3, 40, 25),
        ("Webinar", "webinar", 9, 1, 20, 40),
        ("Trade fair", "event", 11, 14, 5, 15),
    )
    every = [
        (date(year, month, day), f"{name} {year}", kind, days, percent)
        for year in range(2021, 2027)
        for name, kind, month, day, days, percent in yearly
    ]
    seen = sorted(row for row in every if FIRST_DAY < row[0] <= LAST_DAY)
    return tuple(
        Campaign(number=n, name=name, kind=kind, start=start, days=days, percent=percent)
        for n, (start, name, kind, days, percent) in enumerate(seen, 1)
    )


CAMPAIGNS = _campaigns()


def _second_tuesday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(1 - first.weekday()) % 7 + 7)


# Relationship surveys go out each quarter; the shift moves the mean answer of that wave.
WAVES: tuple[date, ...] = tuple(
    day
    for year in range(2021, 2027)
    for month in (1, 4, 7, 10)
    if FIRST_DAY < (day := _second_tuesday(year, month)) <= LAST_DAY
)
WAVE_SHIFTS = ((date(2024, 4, 9), -0.5), (date(2025, 7, 8), -0.4), (date(2026, 1, 1), 0.3))


def wave_shift(day: date) -> float:
    """Shift of the mean answer of the wave sent on `day`.

    Parameters
    ----------
    day : date
        Day of a wave.

    Returns
    -------
    float
        Points: down after the price rise and after the outage, up from 2026 on.
    """
    rise, outage, better = WAVE_SHIFTS
    one_off = sum(shift for when, shift in (rise, outage) if when == day)
    return one_off + (better[1] if day >= better[0] else 0.0)
