"""`truth.json`: everything that is known about a sample company, stated once."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

import duckdb

from csa.data.sample import events, model, parameters, truth
from csa.data.sample.model import Segment, day_number

Json = dict[str, object]
_BLEMISHES: list[Json] = [
    {"table": "accounts", "what": "industry missing", "share": 0.01},
    {"table": "tickets", "what": "category missing", "share": 0.015},
    {"table": "usage_events", "what": "user_id missing", "share": 0.003},
    {
        "table": "usage_events",
        "what": "last event of a session written twice",
        "share": 0.0005,
    },
    {"table": "surveys", "what": "answer two to four months late", "share": 0.005},
]


def stated(accounts: int) -> Json:
    """State what was drawn from: rates, ratios and shares.

    Parameters
    ----------
    accounts : int
        Number of accounts.

    Returns
    -------
    dict
        Parts of `truth.json` that do not depend on the seed.
    """
    return {
        "currency": "EUR",
        "first_day": model.FIRST_DAY.isoformat(),
        "last_day": model.LAST_DAY.isoformat(),
        "observed_from": model.FIRST_DAY.isoformat(),
        "segments": {s.name: _segment(s) for s in model.SEGMENTS},
        "hazard": _hazard(),
        "trials": _trials(),
        "prices": {
            "per_seat_and_month": dict(model.PLANS),
            "rise": {"on": model.PRICE_DAY.isoformat(), "share": model.PRICE_RISE},
            "first_year_discount_percent": dict(model.DISCOUNTS),
            "seats_per_step": 1.25,
        },
        "purchases": _purchases(),
        "usage": _usage(accounts),
        "tickets": _tickets(),
        "owners": {"hazard_ratio": 1.0, "accounts": "drawn within the segment"},
        "campaigns": _campaigns(),
        "blemishes": _BLEMISHES,
    }


def _tickets() -> Json:
    return {
        "per_month": {s.name: s.tickets for s in model.SEGMENTS},
        "first_response_median_hours": dict(
            zip((p for p, _ in model.PRIORITIES), model.RESPONSE_HOURS, strict=True)
        ),
        "first_response_sigma": 0.8,
        "go_live": {"on": model.GO_LIVE.isoformat(), "ratio": model.GO_LIVE_RESPONSE},
        "solved_at_first_contact": 0.55,
        "rates_rise_with": "square root of the account's risk; 1.8 times in the first 90 days",
    }


def _segment(s: Segment) -> Json:
    edges = (0, *model.BANDS, None)
    return {
        "share": s.percent / 100,
        "without_contract": s.payg_percent / 100,
        "yearly_billing": s.yearly_percent / 100,
        "onboarding": dict(zip(model.ONBOARDING, (p / 100 for p in s.onboarding), strict=True)),
        "frailty": {"law": "gamma, mean 1", "shape": s.shape, "variance": 1 / s.shape},
        "hazard_per_block": [
            {
                "from_block": edges[n],
                "to_block": edges[n + 1],
                **dict(zip(model.CAUSES, row, strict=True)),
            }
            for n, row in enumerate(s.hazard)
        ],
        "more_seats_per_block": s.up,
        "fewer_seats_per_block": s.down,
        "addon_per_block": s.addon,
        "survival_closed_form": {
            str(day): round(truth.closed_form(s, day), 6) for day in truth.DAYS
        },
    }


def _hazard() -> Json:
    return {
        "formula": "frailty x hazard_per_block x onboarding x billing x calendar x outreach, "
        "constant within blocks of 30 days of tenure; the same ratios for every cause",
        "block_days": model.BLOCK,
        "onboarding_ratio": dict(zip(model.ONBOARDING, model.ONBOARDING_RATIO, strict=True)),
        "billing_ratio": {
            "monthly": 1.0,
            "yearly": model.YEARLY_OFF,
            "yearly, blocks in which a year of 365 days ends": model.YEARLY_DUE,
        },
        "calendar": {
            "month_of_a_block": "the month 30 x block days after the 15th of the start month",
            "season_january_to_december": list(model.SEASON),
            "recession": {
                "from": model.RECESSION[0].isoformat(),
                "to": model.RECESSION[1].isoformat(),
                "ratio": model.RECESSION_RATIO,
                "fewer_seats_ratio": model.RECESSION_DOWN,
            },
            "price_rise": {
                "months": ["2024-03", "2024-04", "2024-05"],
                "ratio": model.PRICE_RATIO,
                "for": "contracts begun before 2024-03",
            },
        },
        "returns": {
            "share": model.RETURN_PERCENT / 100,
            "days": [45, 299],
            "law": "as a first contract; onboarding and billing drawn anew and hidden",
        },
        "short_gaps": {
            "share_of_monthly_contracts": model.LAPSE_PERCENT / 100,
            "days": [5, 20],
            "meaning": "a failed payment, not churn",
        },
    }


def _trials() -> Json:
    return {
        "share_of_new_contract_customers": {s.name: s.trial_percent / 100 for s in model.SEGMENTS},
        "converts": {s.name: s.convert_percent / 100 for s in model.SEGMENTS},
        "added_by_channel": {name: lift / 100 for name, _, lift, _ in model.CHANNELS},
        "trial_days": {s.name: s.trial_days for s in model.SEGMENTS},
        "share_of_conversions_by_day": "(day / (1.3 trial_days)) ** (1 / 0.7), day at least 1",
    }


def _purchases() -> Json:
    names = {s.name: s for s in model.SEGMENTS if s.payg_percent}
    return {
        "law": "Pareto/NBD in weeks; spend Gamma-Gamma; the first purchase is at signup",
        "rate": {"r": model.PURCHASE["r"], "alpha": model.PURCHASE["alpha"]},
        "dropout": {"s": model.PURCHASE["s"], "beta": model.PURCHASE["beta"]},
        "spend": {
            name: {"p": model.PURCHASE["p"], "q": model.PURCHASE["q"], "gamma": s.spend}
            for name, s in names.items()
        },
        "refunds": {"share": model.REFUND_PERCENT / 100, "days": [3, 30], "amount": "whole"},
        "cap": {"purchases_per_account": model.PURCHASE_CAP},
    }


def _usage(accounts: int) -> Json:
    cap = parameters.session_cap(accounts)
    return {
        "sessions_per_month": {s.name: s.sessions for s in model.SEGMENTS},
        "falls_with_risk": "risk ** -0.35; a third to 0.85 of usual in the last 90 days",
        "events_per_session_percent": dict(enumerate(model.EVENTS_PERCENT, 1)),
        "written_share": parameters.detail(accounts),
        "cap": {
            "sessions_per_account_and_month": cap,
            "events_per_account_and_month": cap * len(model.EVENTS_PERCENT),
        },
        "new_features": {
            name: {
                "launched_on": day.isoformat(),
                "ever_used_by": {s.name: s.adopt[n] / 100 for s in model.SEGMENTS},
                "share_of_uses": 0.05,
            }
            for n, (name, _, day) in enumerate(model.NEW_FEATURES)
        },
    }


def _campaigns() -> Json:
    return {
        "exposed": {
            f"C{c.number:03d}": {"kind": c.kind, "share": c.percent / 100} for c in events.CAMPAIGNS
        },
        "exposed_at_random_among": "contracts in force on the first day",
        "effects": {
            "offer": {"more_seats_ratio": model.OFFER_RATIO, "months": 3},
            "webinar": {"usage_ratio": model.WEBINAR_USAGE, "months": 2},
            "newsletter": None,
            "training": None,
            "event": None,
        },
    }


def counted(con: duckdb.DuckDBPyConnection) -> Json:
    """State what is true of this company: survival, effects, answers, anomalies.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Engine that has made all chunks.

    Returns
    -------
    dict
        Parts of `truth.json` that depend on the seed.
    """
    starts: dict[int, dict[int, int]] = {}
    for seg, start, n in con.execute(
        "select seg, start, sum(n)::bigint from tally_start group by all order by all"
    ).fetchall():
        starts.setdefault(seg, {})[start] = n
    return {
        "survival": truth.survival(starts),
        "outreach": _outreach(con),
        "nps": _nps(con),
        "anomalies": _anomalies(con),
    }


def _outreach(con: duckdb.DuckDBPyConnection) -> Json:
    rows = con.execute(
        """
        select cls, sum(n)::bigint, sum(n) filter (treated)::bigint,
            sum(risk_without) / sum(n), sum(risk_with) / sum(n)
        from tally_review where complete group by cls order by cls
        """
    ).fetchall()
    return {
        "hazard_ratio": model.OUTREACH_RATIO,
        "usage_ratio": model.OUTREACH_USAGE,
        "reviews": "at tenure day 90 and every 180 days after it, from the programme's start on",
        "programme_started_on": model.PROGRAMME_DAY.isoformat(),
        "lasts": "from a review with outreach to the next review, 180 days",
        "share_by_onboarding": dict(
            zip(model.ONBOARDING, (p / 100 for p in model.REVIEW_PERCENT), strict=True)
        ),
        "assigned": "at random given onboarding; second contracts at the mean of their segment",
        "risk_of_leaving_within_180_days": {
            model.ONBOARDING[cls - 1]: {
                "reviews": n,
                "with_outreach": treated or 0,
                "risk_without": round(without, 6),
                "risk_with": round(risk, 6),
                "difference": round(risk - without, 6),
            }
            for cls, n, treated, without, risk in rows
        },
        "reactive": {"hazard_ratio": 1.0, "after": "half of the escalations"},
    }


def _nps(con: duckdb.DuckDBPyConnection) -> Json:
    rows = con.execute(
        """
        select wave, sum(invited)::bigint, sum(promoters)::bigint, sum(detractors)::bigint,
            sum(answered)::bigint, sum(promoters_answered)::bigint, sum(detractors_answered)::bigint
        from tally_wave group by wave order by wave
        """
    ).fetchall()
    return {
        "answer": "round(loyalty + wave - 1.1 ln(risk) + 1.3 normal of the contract "
        "+ 1.2 normal), kept within 0 to 10; risk is frailty x onboarding ratio",
        "loyalty": {s.name: s.loyalty for s in model.SEGMENTS},
        "share_answering": {s.name: s.answer for s in model.SEGMENTS},
        "answers_ratio": {
            "promoters": 1.25,
            "passives": 0.8,
            "detractors": 0.9,
            "leaving within 90 days": 0.5,
        },
        "waves": [
            {
                "sent_on": events.WAVES[wave - 1].isoformat(),
                "shift": events.wave_shift(events.WAVES[wave - 1]),
                "invited": invited,
                "nps_of_all_invited": round(100 * (pro - con_) / invited, 3),
                "answered": answered,
                "nps_of_answers": round(100 * (pro_a - con_a) / answered, 3) if answered else None,
            }
            for wave, invited, pro, con_, answered, pro_a, con_a in rows
        ],
    }


def _anomalies(con: duckdb.DuckDBPyConnection) -> list[Json]:
    """Planted changes, with their size in deviations of one ordinary day's noise."""
    daily: dict[str, dict[int, int]] = {}
    for metric, d, n in con.execute(
        "select metric, d, sum(n)::bigint from tally_day group by all order by all"
    ).fetchall():
        daily.setdefault(metric, {})[d] = n
    return [
        {
            **{k: v for k, v in asdict(a).items() if k not in {"start", "end"}},
            "from": a.start.isoformat(),
            "to": None if a.end > model.LAST_DAY else (a.end - timedelta(days=1)).isoformat(),
            "noise_deviations": _noise_deviations(a, daily),
        }
        for a in events.ANOMALIES
    ]


def _noise_deviations(a: events.Anomaly, daily: Mapping[str, Mapping[int, int]]) -> float | None:
    """Size against the noise of a sum of independent sessions on the same weekday."""
    sessions = a.metric == "usage_events"
    count = daily.get("sessions" if sessions else a.metric, {})
    first = day_number(a.start)
    usual = sorted(count.get(first - 7 * week, 0) for week in range(1, 5))
    base = (usual[1] + usual[2]) / 2
    if not base:
        return None
    shares = model.EVENTS_PERCENT if sessions else (100,)
    mean = sum(n * share for n, share in enumerate(shares, 1)) / 100
    square = sum(n * n * share for n, share in enumerate(shares, 1)) / 100
    return round((a.factor - 1) * mean * math.sqrt(base / square), 2)
