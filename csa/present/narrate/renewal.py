"""The finding about renewals: how much more often contracts end in the month they renew."""

from typing import Any, Final

from csa.analysis.churn.hazards import HazardResult
from csa.present.effect_rows import ratio_interval
from csa.present.items import Finding
from csa.present.names import joined, named
from csa.present.narrate.lifetimes import p_value
from csa.present.words import Words

ENGLISH: Final = Words()
RENEWAL: Final = "renewal"
MONTH: Final = (28, 31)  # days of an interval that may be called a month
LENGTHS: Final = {
    "every 3 months": "quarterly contracts",
    "every 6 months": "half-yearly contracts",
    "every 12 months": "yearly contracts",
    "every 24 months": "two-year contracts",
    "every 36 months": "three-year contracts",
}


def renewal(result: HazardResult, *, words: Words = ENGLISH) -> Finding:
    """Say how much more often contracts end in a month of renewal than in other months.

    Parameters
    ----------
    result : HazardResult
        From `csa.analysis.churn.hazards.discrete_hazard` with `AgeEffect(renewal=...)`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch where renewals end contracts more often by more than chance; else unclear.
    """
    title, ident = "Renewals", "renewals"
    rows = result.coefficients.loc[result.coefficients["term"] == RENEWAL]
    known = rows.loc[rows["status"] == "ok"]
    if known.empty:
        why = next(iter(rows["reason"]), "") or result.reason or "no contract renews in the data"
        return Finding(
            id=ident,
            title=title,
            text=f"What renewals do to leaving cannot be told: {why}.",
            evidence=f"{words.number(result.n)} accounts, {words.number(result.events)} left.",
            action="Map billing_months of subscriptions, so that renewals are known.",
            status="unclear",
        )
    told = [_times(row, result, words) for row in known.to_dict("records")]
    first = max(told, key=lambda row: (row["real"], row["value"]))
    return Finding(
        id=ident,
        title=title,
        text=_text(first, result, words),
        evidence=_evidence(first, told, result, words),
        action=_action(first),
        status="watch" if first["real"] and first["value"] > 1 else "unclear",
        weight=min(1.0, first["events"] / max(result.events, 1)) if first["real"] else 0.0,
    )


def _times(row: dict[Any, Any], result: HazardResult, words: Words) -> dict[str, Any]:
    """Ratio of the shares that leave, which is what "times as often" means, with its limits.

    An odds ratio is larger: with the share p that left in renewal months, ratio = OR - p (OR - 1).
    """
    share = row["events"] / row["n"] if result.link == "logit" else 0.0
    value, low, high = (x - share * (x - 1) for x in (row["ratio"], row["ci_low"], row["ci_high"]))
    return row | {
        "who": LENGTHS.get(row["level"], f"contracts renewed {named(row['level'])}"),
        "value": value,
        "between": ratio_interval(low, high, words),
        "real": low > 1 or high < 1,
    }


def _interval(result: HazardResult) -> str:
    """Name an interval of age."""
    short, long = MONTH
    return "month" if short <= result.interval_days <= long else f"{result.interval_days} days"


def _text(first: dict[str, Any], result: HazardResult, words: Words) -> str:
    unit = _interval(result)
    others = "other months" if unit == "month" else "others"
    if not first["real"]:
        return (
            f"Contracts are not shown to end more often when they renew: {first['who']} "
            f"{_number(first['value'], words)} times as often as in {others}."
        )
    return (
        f"In the {unit} of their renewal {first['who']} end {_number(first['value'], words)} times "
        f"as often as in {others}, all else alike."
    )


def _number(value: float, words: Words) -> str:
    return words.number(value, 0 if value >= 10 else 1)


def _evidence(
    first: dict[str, Any], told: list[dict[str, Any]], result: HazardResult, words: Words
) -> str:
    level = words.share(result.confidence, 0)
    unit = _interval(result)
    times = f"{unit}s" if unit == "month" else "intervals"
    share = words.share(first["events"] / first["n"])
    parts = [
        f"{level} interval {first['between']}; p {p_value(first['p_value'], words)}.",
        f"{words.number(first['events'])} of the {words.number(result.events)} that left did so "
        f"in {words.number(first['n'])} {times} of renewal ({share}).",
    ]
    others = [f"{row['who']} {_number(row['value'], words)} ({row['between']})" for row in told]
    if len(told) > 1:
        parts.append(f"All lengths: {joined(others)}.")
    if not _own_months(result):
        parts.append("Compared with all other contracts too: add the length to the covariates.")
    return " ".join(parts)


def _own_months(result: HazardResult) -> bool:
    """Whether contracts of a length are compared with their own other months."""
    if result.model is None:
        return False
    columns = {t.column for t in result.model.terms.terms if t.covariate == RENEWAL}
    return columns <= set(result.model.covariates)


def _action(first: dict[str, Any]) -> str:
    if first["real"] and first["value"] > 1:
        return (
            f"Talk to {first['who']} well before they renew; list the renewals of the next three "
            "months by revenue, and have the value shown by then."
        )
    return "Spread the care of accounts over the year; renewals need none of their own."
