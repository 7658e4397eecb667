"""The sample company's parameters as the SQL reads them: variables and small tables."""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

from csa.data.sample import calendar, events, model
from csa.data.sample.model import day_number


def detail(accounts: int) -> float:
    """Share of the sessions that is written, so that files stay bounded.

    Parameters
    ----------
    accounts : int
        Number of accounts.

    Returns
    -------
    float
        1 up to a million accounts, then falling with their number.
    """
    return min(1.0, model.FULL_DETAIL / accounts)


def session_cap(accounts: int) -> int:
    """Most sessions of an account in a month; a session has at most four events.

    Parameters
    ----------
    accounts : int
        Number of accounts.

    Returns
    -------
    int
        Sessions per account, stay and month.
    """
    return ceil(model.SESSION_CAP * detail(accounts))


def _hundred(shares: Iterable[tuple[Any, int]]) -> list[Any]:
    """Return a list of 100 in which each value stands as often as its percents."""
    return [value for value, percent in shares for _ in range(percent)]


def variables(accounts: int, seed: int) -> dict[str, object]:
    """Variables of the engine.

    Parameters
    ----------
    accounts, seed : int
        Size of the company and seed of everything random.

    Returns
    -------
    dict
        Name and value; what ends in `_100` is a list of 100 to pick from.
    """
    hours = (4, 9, 12, 12, 9, 7, 10, 11, 10, 8, 5, 3)  # percent of sessions from 7 to 19 o'clock
    return {
        "accounts": float(accounts),  # a factor of money: must not overflow as an integer
        "seed_text": f"csa sample company, seed {seed}",
        "last": model.LAST,
        "detail": detail(accounts),
        "session_cap": float(model.SESSION_CAP),
        "usual_month": float(model.USUAL_MONTH),
        "early_percent": model.EARLY_PERCENT,
        "oldest_days": model.OLDEST_DAYS,
        "signup_buckets": calendar.days()[-1]["s1"],
        "price_day": day_number(model.PRICE_DAY),
        "prices": [float(price) for _, price in model.PLANS],
        "new_prices": [round(price * (1 + model.PRICE_RISE), 2) for _, price in model.PLANS],
        **_effects(),
        "owner_count": sum(_owners(accounts)),
        "owner_format": f"CSM %0{max(2, len(str(sum(_owners(accounts)))))}d",
        "hour_100": _hundred(zip(range(7, 19), hours, strict=True)),
        "events_100": _hundred(enumerate(model.EVENTS_PERCENT, 1)),
        **_names(),
    }


def _effects() -> dict[str, object]:
    return {
        "programme_day": day_number(model.PROGRAMME_DAY),
        "review_first": model.REVIEW_FIRST,
        "review_every": model.REVIEW_EVERY,
        "review_percent": [float(p) for p in model.REVIEW_PERCENT],
        "outreach_ratio": model.OUTREACH_RATIO,
        "outreach_usage": model.OUTREACH_USAGE,
        "offer_ratio": model.OFFER_RATIO,
        "webinar_usage": model.WEBINAR_USAGE,
        "go_live": day_number(model.GO_LIVE),
        "go_live_response": model.GO_LIVE_RESPONSE,
        "response_hours": list(model.RESPONSE_HOURS),
        "return_percent": model.RETURN_PERCENT,
        "lapse_percent": model.LAPSE_PERCENT,
        "refund_percent": model.REFUND_PERCENT,
        "onboarding_ratio": list(model.ONBOARDING_RATIO),
        "new_feature_days": [day_number(day) for _, _, day in model.NEW_FEATURES],
        "adopt": [list(s.adopt) for s in model.SEGMENTS],
        "purchase_cap": model.PURCHASE_CAP,
        **{f"purchase_{name}": value for name, value in model.PURCHASE.items()},
    }


def _names() -> dict[str, object]:
    uses = [percent for *_, percent in model.FEATURES]
    return {
        "segment_100": _hundred((s.seg, s.percent) for s in model.SEGMENTS),
        "segment_names": [s.name for s in model.SEGMENTS],
        "industry_100": _hundred(model.INDUSTRIES),
        "region_100": _hundred(model.REGIONS),
        "channel_100": _hundred((n, row[1]) for n, row in enumerate(model.CHANNELS, 1)),
        "channel_names": [row[0] for row in model.CHANNELS],
        "channel_lift": [row[2] for row in model.CHANNELS],
        "channel_cost": [row[3] for row in model.CHANNELS],
        "discount_100": _hundred(model.DISCOUNTS),
        "device_100": _hundred(model.DEVICES),
        "category_100": _hundred(model.CATEGORIES),
        "priority_100": _hundred((n, p) for n, (_, p) in enumerate(model.PRIORITIES, 1)),
        "priority_names": [name for name, _ in model.PRIORITIES],
        "feature_100": _hundred(enumerate(uses, 1)),
        "feature_names": [row[0] for row in (*model.FEATURES, *model.NEW_FEATURES)],
        "plan_names": [name for name, _ in model.PLANS],
        "onboarding_names": list(model.ONBOARDING),
        "causes": list(model.CAUSES),
        "turn_names": [
            *("upgrade", "downgrade", "price change", "discount end", "renewal", "involuntary"),
        ],
    }


def _owners(accounts: int) -> list[int]:
    """Count the customer success managers of each segment."""
    return [
        max(1, round(accounts * s.percent / 100 / s.accounts_per_owner)) for s in model.SEGMENTS
    ]


def tables(accounts: int) -> dict[str, Sequence[dict[str, object]]]:
    """Tables of the engine.

    Parameters
    ----------
    accounts : int
        Size of the company.

    Returns
    -------
    dict
        Name and rows, all rows of a table with the same keys.
    """
    ratios = calendar.block_ratios()
    return {
        "m_segment": _segments(accounts),
        "m_hazard": _hazards(),
        "m_block": [
            {"m": m, "k": k, "ratio": float(ratio)}
            for m, row in enumerate(ratios, calendar.FIRST_MONTH)
            for k, ratio in enumerate(row)
        ],
        "m_entry": calendar.entries(),
        "m_day": calendar.days(),
        "m_month": calendar.months(),
        "m_campaign": [
            {
                "number": c.number,
                "name": c.name,
                "kind": c.kind,
                "d": day_number(c.start),
                "days": c.days,
                "percent": c.percent,
            }
            for c in events.CAMPAIGNS
        ],
        "m_wave": [
            {"wave": n, "d": day_number(day), "shift": events.wave_shift(day)}
            for n, day in enumerate(events.WAVES, 1)
        ],
        "m_feature": [
            {"number": n, "feature": row[0], "area": row[1], "launched_on": row[2]}
            for n, row in enumerate((*model.FEATURES, *model.NEW_FEATURES), 1)
        ],
    }


def _segments(accounts: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    first = 1
    for s, owners in zip(model.SEGMENTS, _owners(accounts), strict=True):
        outreach = sum(
            share * p for share, p in zip(s.onboarding, model.REVIEW_PERCENT, strict=True)
        )
        rows.append(
            {
                **{
                    name: getattr(s, name)
                    for name in (
                        *("seg", "percent", "payg_percent", "trial_percent", "trial_days"),
                        *("convert_percent", "yearly_percent", "shape", "up", "down", "addon"),
                        *("addon_price", "sessions", "tickets", "loyalty", "answer", "contacts"),
                        *("spend", "acquisition"),
                    )
                },
                "seats_low": s.seats[0],
                "seats_high": s.seats[1],
                "plan_100": _hundred(enumerate(s.plans, 1)),
                "onboarding_100": _hundred(enumerate(s.onboarding, 1)),
                "p_review": outreach / 10_000,
                "owner_first": first,
                "owners": owners,
            }
        )
        first += owners
    return rows


def _hazards() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for s in model.SEGMENTS:
        for yearly, by_cause in enumerate(calendar.block_hazard(s)):
            for k, causes in enumerate(by_cause):
                total = float(causes.sum())
                rows.append(
                    {
                        "seg": s.seg,
                        "yearly": yearly,
                        "k": k,
                        "rate": total,
                        "cum_1": float(causes[0]) / total,
                        "cum_2": float(causes[:2].sum()) / total,
                    }
                )
    return rows
