"""The finding about the age at which accounts are most likely to leave."""

import math
from typing import Any, Final

from csa.analysis.churn.hazard_rates import HazardRates
from csa.analysis.churn.riskiest_age import RiskiestAge, riskiest_age
from csa.present.items import Finding, Status
from csa.present.names import capital, plural
from csa.present.phrases import REAL, p_value
from csa.present.words import DAYS_PER_MONTH, Words

ENGLISH: Final = Words()
MONTH: Final = (28, 31)  # bands of so many days are called months
Row = dict[Any, Any]


def hazard(rates: HazardRates, *, words: Words = ENGLISH) -> Finding:
    """Say at which age accounts are most likely to leave, and whether that age stands out.

    Parameters
    ----------
    rates : HazardRates
        From `csa.analysis.churn.hazard_rates.hazard_by_age`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch where an age stands out by more than chance: that is when to act.
    """
    found = riskiest_age(rates)
    title, ident = "Riskiest age", "riskiest-age"
    if found.status != "ok":
        left = found.churned
        return Finding(
            id=ident,
            title=title,
            text=f"When accounts are most likely to leave is not known: {found.reason}.",
            evidence=f"{words.number(left)} {plural(left, 'account')} left.",
            action="Come back when more accounts have left.",
            status="unclear",
        )
    phases = {row["phase"]: row for row in found.table.to_dict("records")}
    peak, year = found.peak_p < REAL, found.year_p < REAL
    status: Status = "watch" if peak or year else "unclear"
    return Finding(
        id=ident,
        title=title,
        text=_text(found, phases, words),
        evidence=_evidence(found, phases, words),
        action=_action(found, phases, words),
        status=status,
        weight=_excess(phases) if peak else 0.0,
    )


def _excess(phases: dict[str, Row]) -> float:
    """Share of all churn that the peak adds to what an age like the others would bring."""
    peak, rest = phases["peak"], phases["others"]
    expected = rest["events"] / rest["exposure_days"] * peak["exposure_days"]
    return float(max(0.0, (peak["events"] - expected) / (peak["events"] + rest["events"])))


def _text(found: RiskiestAge, phases: dict[str, Row], words: Words) -> str:
    peak, rest = phases["peak"], phases["others"]
    band = _band(found)
    if found.peak_p < REAL:
        when = age_band(peak["from_days"], peak["to_days"], words)
        when += ", when a year is over" if found.ends_a_year else ""
        return (
            f"Accounts are most likely to leave in {when}: {words.share(peak['chance'])} of those "
            f"that reach it leave in it, {words.share(rest['chance'])} {band} at other ages."
        )
    young, old = phases["first year"], phases["later"]
    if found.year_p < REAL and young["chance"] > old["chance"]:
        first, later = words.share(young["chance"]), words.share(old["chance"])
        return f"The first year is the riskiest: {first} of accounts leave {band}, later {later}."
    if found.year_p < REAL:
        first, later = words.share(young["chance"]), words.share(old["chance"])
        return f"The first year is the safest: {first} of accounts leave {band}, later {later}."
    whole = words.share(_whole(phases))
    return f"No age stands out: about {whole} of accounts leave {band}, young or old."


def _whole(phases: dict[str, Row]) -> float:
    """Chance over all ages: events over time at risk, as in each phase."""
    parts = phases["peak"], phases["others"]
    time = sum(row["exposure_days"] for row in parts)
    events = sum(row["events"] for row in parts)
    width = parts[0]["to_days"] - parts[0]["from_days"]
    return 1 - math.exp(-events / time * width)


def age_band(after: float, until: float, words: Words) -> str:
    """Name a band of age: the month of life that holds its middle, or its ends.

    Parameters
    ----------
    after, until : float
        Ends, days.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "month 3", "the age of 12 to 15 months".
    """
    if MONTH[0] <= until - after <= MONTH[1]:
        return f"month {words.number((after + until) / 2 // DAYS_PER_MONTH + 1)}"
    return f"the age of {words.interval(after, until, 'days')}"


def _band(found: RiskiestAge) -> str:
    if MONTH[0] <= found.width_days <= MONTH[1]:
        return "a month"
    return f"in {found.width_days} days"


def _evidence(found: RiskiestAge, phases: dict[str, Row], words: Words) -> str:
    peak, young, old = phases["peak"], phases["first year"], phases["later"]
    level = words.share(found.confidence, 0)
    when = age_band(peak["from_days"], peak["to_days"], words)
    p = f"p {p_value(found.peak_p, words)}"
    if found.peak_p < REAL:
        between = words.interval(peak["ci_low"], peak["ci_high"], "share")
        n = words.number(peak["events"])
        first = f"{level} interval {between}; {n} left in it; {p}"
        parts = [f"{first} among {found.bands} ages."]
    else:
        parts = [
            f"{capital(when)} is the least usual, within chance among {found.bands} ages ({p})."
        ]
    if found.year_p < REAL:
        ends = [words.interval(row["ci_low"], row["ci_high"], "share") for row in (young, old)]
        parts.append(
            f"First year {ends[0]} {_band(found)}, later {ends[1]} "
            f"(p {p_value(found.year_p, words)})."
        )
    return " ".join(parts)


def _action(found: RiskiestAge, phases: dict[str, Row], words: Words) -> str:
    peak = phases["peak"]
    if found.peak_p < REAL and found.ends_a_year:
        return "Speak to every account two or three months before its year is over."
    if found.peak_p < REAL and peak["to_days"] <= 4 * DAYS_PER_MONTH:
        return "Look at what happens in the first weeks: onboarding, first use, first invoice."
    if found.peak_p < REAL:
        when = age_band(peak["from_days"], peak["to_days"], words)
        return f"Find out what happens in {when}, and speak to accounts before it."
    if found.year_p < REAL and phases["first year"]["chance"] > phases["later"]["chance"]:
        return "Put effort into the first year: later it is safer."
    if found.year_p < REAL:
        return "Look at what older accounts lose: they leave more readily than new ones."
    return "Choose whom to speak to by anything but age."
