"""Features in plain Python, day by day and row by row, to compare the engine with."""

import itertools
import math
from decimal import Decimal

from snapshot_worlds import DAY, LAST, day_of, moment

MONTH, YEAR = 30.4375, 365.25


def rows_of(tables, name, account, cutoff):
    """Give the rows that had appeared by the end of the cut-off, oldest first."""
    own = [r for r in tables[name] if r.get("account_id", account) == account]
    seen = [r for r in own if (m := moment(name, r)) is not None and m <= cutoff]
    return sorted(seen, key=lambda r: moment(name, r))


def ago(value, cutoff):
    return (cutoff - day_of(value)).days


def happened(value, cutoff):
    return value is not None and day_of(value) <= cutoff


def reaches(tables, name, cutoff, days):
    """Whether the table has rows from before the window."""
    known = [m for r in tables[name] if (m := moment(name, r)) is not None]
    return bool(known) and min(known) <= cutoff - (days - 1) * DAY


# subscriptions ----------------------------------------------------------------------------------


def paid_rows(tables, account, cutoff):
    rows = [r for r in rows_of(tables, "subscriptions", account, cutoff) if r["mrr"] > 0]
    return [r for r in rows if r["end_on"] is None or r["end_on"] > r["start_on"]]


def in_force(rows, day, cutoff):
    return [
        r
        for r in rows
        if r["start_on"] <= day and not (happened(r["end_on"], cutoff) and r["end_on"] <= day)
    ]


def total(rows, column):
    stated = [float(r[column]) for r in rows if r[column] is not None]
    return sum(stated) if stated else None


def ratio(a, b):
    return None if a is None or not b else a / b


def change(now, before):
    quotient = ratio(now, before)
    return None if quotient is None else quotient - 1


def contract_features(tables, account, cutoff, start, grace):
    rows = paid_rows(tables, account, cutoff)

    def at(days):
        return in_force(rows, max(cutoff - days * DAY, start), cutoff)

    now = at(0)
    price = {
        c: [ratio(total(at(d), c), total(at(d), "seats")) for d in (0, 180)]
        for c in ("mrr", "list_mrr")
    }
    plans = {r["plan"] for r in now} - {None}
    billed = [r["billing_months"] for r in now if r["billing_months"] is not None]
    ends = [r["discount_ends_on"] for r in now if r["discount_ends_on"] is not None]
    return {
        "seats": total(now, "seats"),
        "seats_change_90": change(total(now, "seats"), total(at(90), "seats")),
        "mrr": total(now, "mrr"),
        "price_change_180": change(*price["mrr"]),
        "list_price_change_180": change(*price["list_mrr"]),
        "discount_ends_90": float(any(0 < (d - cutoff).days <= 90 for d in ends)),
        "days_to_renewal": renewal(now, cutoff),
        "yearly_billing": float(max(billed) >= 12) if billed else None,
        "short_gaps": float(short_gaps(rows, cutoff, grace)),
        "plan": None if not plans else plans.pop() if len(plans) == 1 else "several",
    }


def renewal(rows, cutoff):
    """Step whole periods until the first renewal after the cut-off."""
    found = []
    for r in rows:
        period = (r["billing_months"] or 0) * MONTH
        if not period and r["renews_on"] is None:
            continue
        period = period or YEAR
        left = ((r["renews_on"] or r["start_on"]) - cutoff).days
        if left > 0:
            period = max(period, YEAR)
            if left > period + 1:
                while left > period:
                    left -= period
        else:
            while left <= 0:
                left += period
        found.append(left)
    return min(found) if found else None


def short_gaps(rows, cutoff, grace):
    """Walk the days from the first to the last start."""
    if not rows:
        return 0
    gaps, empty, day = 0, 0, rows[0]["start_on"]
    while day <= cutoff:
        if in_force(rows, day, cutoff):
            gaps += 0 < empty <= grace
            empty = 0
        else:
            empty += 1
        day += DAY
    return gaps


# behaviour --------------------------------------------------------------------------------------


def usage_features(tables, account, cutoff, start):
    rows = rows_of(tables, "usage_events", account, cutoff)
    age = (cutoff - start).days
    days = [ago(r["occurred_at"], cutoff) for r in rows]
    own = [d for d in days if d <= age]
    recent = sum(d < 30 for d in own)
    before = sum(30 <= d < 120 for d in own)
    span = min(90, age + 1 - 30)
    trend = None
    if age + 1 >= 60:
        trend = math.log(((recent + 1) / 30) / ((before + span / 30) / span))
    users = {r["user_id"] for r in rows if ago(r["occurred_at"], cutoff) < 30} - {None}
    used = {r["feature"] for r in rows if ago(r["occurred_at"], cutoff) < 90} - {None}
    launched = rows_of(tables, "features", account, cutoff)
    whole = {d: reaches(tables, "usage_events", cutoff, d) for d in (30, 90, 120)}
    last = min([d for d in days if d < 120], default=120)
    share = min(len(used) / len(launched), 1.0) if launched else None
    return {
        "usage_per_day_30": recent / min(30, age + 1) if whole[30] else None,
        "usage_trend": trend if whole[120] else None,
        "days_since_use": float(last) if whole[120] else None,
        "active_users_30": float(len(users)) if whole[30] else None,
        "adoption_90": share if whole[90] else None,
    }


def support_features(tables, account, cutoff, start):
    rows = rows_of(tables, "tickets", account, cutoff)
    age = (cutoff - start).days
    recent = sum(ago(r["opened_at"], cutoff) < min(90, age + 1) for r in rows)
    urgent = [r["escalated_at"] for r in rows if happened(r["escalated_at"], cutoff)]
    solved = [r for r in rows if happened(r["resolved_at"], cutoff)]
    whole = {d: reaches(tables, "tickets", cutoff, d) for d in (90, 180)}
    days = max(30, min(90, age + 1))
    return {
        "tickets_per_month_90": recent * MONTH / days if whole[90] else None,
        "escalations_180": float(sum(ago(e, cutoff) < 180 for e in urgent)) if whole[180] else None,
        "open_tickets": float(len(rows) - len(solved)),
    }


def survey_features(tables, account, cutoff):
    rows = rows_of(tables, "surveys", account, cutoff)
    rows = [r for r in rows if r["kind"].lower() == "nps"]
    answers = [
        r
        for r in rows
        if happened(r["answered_at"], cutoff)
        and r["score"] is not None
        and ago(moment("surveys", r), cutoff) < 365
    ]
    age = min((ago(r["answered_at"], cutoff) for r in answers), default=None)
    last = [r["score"] for r in answers if ago(r["answered_at"], cutoff) == age]
    asked = [r for r in rows if r["sent_at"] and 14 <= ago(r["sent_at"], cutoff) < 180]
    silent = [r for r in asked if not happened(r["answered_at"], cutoff)]
    return {
        "nps_score": sum(last) / len(last) if last else None,
        "nps_age_days": None if age is None else float(age),
        "nps_silence_180": len(silent) / len(asked) if asked else None,
    }


def intervention_features(tables, account, cutoff):
    rows = rows_of(tables, "interventions", account, cutoff)
    proactive = [r for r in rows if (r["kind"] or "").lower() == "proactive"]
    count = sum(ago(r["started_at"], cutoff) < 90 for r in proactive)
    named = [r for r in rows if r.get("owner") is not None]
    named.sort(key=lambda r: (r["started_at"], r["intervention_id"]))
    changed = [
        ago(b["started_at"], cutoff) < 180
        for a, b in itertools.pairwise(named)
        if a["owner"] != b["owner"]
    ]
    whole = reaches(tables, "interventions", cutoff, 90)
    return {
        "proactive_90": float(count) if whole else None,
        "owner_change_180": float(any(changed)) if named else None,
    }


def profile(tables, account, cutoff):
    (row,) = rows_of(tables, "accounts", account, cutoff)[:1] or [{}]
    return {c: row.get(c) for c in ("segment", "industry", "region", "channel")}


# snapshots --------------------------------------------------------------------------------------


def expected(tables, spells, cutoffs, *, as_of=LAST, grace=30):
    """Give what snapshots should hold; `spells` are dicts of the roll-up."""
    made = []
    for cutoff in sorted(cutoffs):
        for spell in spells:
            account, start = spell["account_id"], spell["start_on"]
            age = (cutoff - start).days
            ended = spell["end_on"] is not None and age >= spell["exit_days"]
            if ended or age <= spell["entry_days"]:
                continue
            paid = in_force(paid_rows(tables, account, cutoff), cutoff, cutoff)
            if not paid:
                continue
            found = {
                "account_id": account,
                "cutoff_on": cutoff,
                "age_days": age,
                "mrr_minor": int(sum(r["mrr"] for r in paid) * 100 + Decimal("0.5")),
                "days_after": ((spell["end_on"] or as_of) - cutoff).days,
                "event": spell["event"],
                "cause": spell["cause"],
                "group": "all",
                "spell_number": float(spell["spell"]),
                **contract_features(tables, account, cutoff, start, grace),
                **usage_features(tables, account, cutoff, start),
                **support_features(tables, account, cutoff, start),
                **survey_features(tables, account, cutoff),
                **intervention_features(tables, account, cutoff),
                **profile(tables, account, cutoff),
            }
            found["active_users_per_seat"] = ratio(found["active_users_30"], found["seats"])
            made.append(found)
    return sorted(made, key=lambda r: (r["cutoff_on"], r["account_id"]))
